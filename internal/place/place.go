// Package place says in which city and country a network address is.
//
// It reads an operator's own database in MaxMind's format (GeoLite2 City, DB-IP and others): we ship none, and ask
// nobody over the network where people are. A place is where the network is registered or seen, for people to recognize
// and for nothing else.
package place

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrFile says that a file is no database of places.
var ErrFile = fault.New(fault.Invalid, "places.file", "The file of places cannot be used. Give a City or Country database in MaxMind's format (.mmdb), or leave it out.")

// Places looks addresses up. It is safe for concurrent use.
type Places struct{ reader *maxminddb.Reader }

// Open reads a database, and its whole structure once: a broken file is told when the service starts and not when
// someone signs in. It fails with ErrFile.
func Open(path string) (*Places, error) {
	reader, err := maxminddb.Open(path)
	if err != nil {
		return nil, ErrFile.Sayf("The file of places %s cannot be used. Give a City or Country database in MaxMind's format (.mmdb), or leave it out.", path).Because(err)
	}
	if err := reader.Verify(); err != nil {
		return nil, ErrFile.Sayf("The file of places %s is broken. Fetch it again, or leave it out.", path).Because(fmt.Errorf("%w (closing it: %v)", err, reader.Close()))
	}
	return &Places{reader}, nil
}

// Of is where an address is: "Dublin, Ireland", or the country alone; empty when the database does not know, or s is
// no address.
func (p *Places) Of(s string) string {
	address, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	found := p.reader.Lookup(address.Unmap().WithZone(""))
	var parts []string
	for _, path := range [][]any{{"city", "names", "en"}, {"country", "names", "en"}} {
		var name string
		if err := found.DecodePath(&name, path...); err == nil && shown(name) {
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, ", ")
}

// nameMax is longer than any place is called that a page has room for.
const nameMax = 80

func shown(name string) bool {
	return name != "" && utf8.RuneCountInString(name) <= nameMax && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}
