package secrets

import "encoding/binary"

// Place is where a sealed text is kept. It opens there and nowhere else.
type Place struct {
	Organization string // its id: a UUID in lower case
	Table        string // without the schema
	Column       string
	Row          string // the row's key
}

// maxPart is the most bytes that a part of a place may have: well over Postgres's 63 for a name.
const maxPart = 255

func (p Place) check() error {
	if err := checkOrganization(p.Organization); err != nil {
		return err
	}
	for _, part := range []string{p.Table, p.Column, p.Row} {
		if part == "" || len(part) > maxPart {
			return ErrPlace
		}
	}
	return nil
}

// context is the place as key derivation takes it. Each part has its length in front, so that no two places
// give the same bytes.
func (p Place) context() []byte {
	parts := []string{"countinghouse secret v1", p.Organization, p.Table, p.Column, p.Row}
	var context []byte
	for _, part := range parts {
		context = binary.BigEndian.AppendUint32(context, uint32(len(part)))
		context = append(context, part...)
	}
	return context
}

// checkOrganization lets through a UUID in lower case alone, since the name becomes part of a path. The nil
// UUID (RFC 9562, 5.9) is refused: it is an id that somebody forgot to set.
func checkOrganization(name string) error {
	if len(name) != 36 || name == "00000000-0000-0000-0000-000000000000" {
		return ErrPlace
	}
	for i, c := range []byte(name) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return ErrPlace
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return ErrPlace
			}
		}
	}
	return nil
}
