package secrets

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// maxSealed bounds what is decoded at all: the longest secret, what a cipher adds to it, and base64.
const maxSealed = (MaxLength+256)*4/3 + 64

// joinSealed writes sealed bytes in their text form.
func joinSealed(kind string, version int, raw []byte) string {
	return kind + ":v" + strconv.Itoa(version) + ":" + base64.StdEncoding.EncodeToString(raw)
}

// splitSealed reads what joinSealed wrote and nothing else: no other spelling of the same bytes either, so
// that an altered text never opens. It answers ErrUnreadable.
func splitSealed(kind, text string) (version int, raw []byte, err error) {
	if len(text) > maxSealed {
		return 0, nil, ErrUnreadable
	}
	rest, ok := strings.CutPrefix(text, kind+":v")
	if !ok {
		return 0, nil, ErrUnreadable
	}
	number, body, ok := strings.Cut(rest, ":")
	if !ok {
		return 0, nil, ErrUnreadable
	}
	if version, err = strconv.Atoi(number); err != nil || version < 1 {
		return 0, nil, ErrUnreadable
	}
	if raw, err = base64.StdEncoding.DecodeString(body); err != nil {
		return 0, nil, ErrUnreadable
	}
	if joinSealed(kind, version, raw) != text {
		return 0, nil, ErrUnreadable
	}
	return version, raw, nil
}

// Version is the version of the key that sealed a text, for finding what a rotation has still to rewrap. It
// reads the text's form alone and proves nothing; ok is false for what has not the form.
func Version(sealed string) (version int, ok bool) {
	kind, _, _ := strings.Cut(sealed, ":")
	version, _, err := splitSealed(kind, sealed)
	return version, err == nil && kind != ""
}
