// Package place says in which city and country a network address is.
//
// It reads an operator's own database in MaxMind's format (GeoLite2 City, DB-IP and others): we ship none, and ask
// nobody over the network where people are. A place is where the network is registered or seen, for people to recognize
// and to notice a login that cannot be theirs: for nothing else.
package place

import (
	"fmt"
	"math"
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
	found := p.lookup(address)
	var parts []string
	for _, path := range [][]any{{"city", "names", "en"}, {"country", "names", "en"}} {
		var name string
		if err := found.DecodePath(&name, path...); err == nil && shown(name) {
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, ", ")
}

// Country is the code of the country that an address is in, by ISO 3166-1 alpha-2; empty when the database does not know.
func (p *Places) Country(s string) string {
	address, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	var code string
	if err := p.lookup(address).DecodePath(&code, "country", "iso_code"); err != nil || len(code) != 2 || strings.ToUpper(code) != code {
		return ""
	}
	return code
}

// nameMax is longer than any place is called that a page has room for.
const nameMax = 80

func shown(name string) bool {
	return name != "" && utf8.RuneCountInString(name) <= nameMax && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

func (p *Places) lookup(address netip.Addr) maxminddb.Result {
	return p.reader.Lookup(address.Unmap().WithZone(""))
}

// Between is how many kilometres two addresses are apart at least, along the great circle: the distance of their places
// less the radii within which the database says that they lie. ok is false when it does not know where one of them is.
func (p *Places) Between(a, b string) (kilometres int, ok bool) {
	from, ok := p.point(a)
	if !ok {
		return 0, false
	}
	to, ok := p.point(b)
	if !ok {
		return 0, false
	}
	return int(max(0, from.distance(to)-from.radius-to.radius)), true
}

// point is a place on the sphere, in radians, known within a radius in kilometres.
type point struct{ latitude, longitude, radius float64 }

func (p *Places) point(s string) (at point, ok bool) {
	address, err := netip.ParseAddr(s)
	if err != nil {
		return at, false
	}
	found := p.lookup(address)
	// DecodePath leaves what is not there at zero, which is a place in the sea.
	var latitude, longitude *float64
	var radius uint16
	if found.DecodePath(&latitude, "location", "latitude") != nil || found.DecodePath(&longitude, "location", "longitude") != nil ||
		found.DecodePath(&radius, "location", "accuracy_radius") != nil || latitude == nil || longitude == nil {
		return at, false
	}
	if !(math.Abs(*latitude) <= 90 && math.Abs(*longitude) <= 180) { // NaN is refused too
		return at, false
	}
	return point{*latitude * math.Pi / 180, *longitude * math.Pi / 180, float64(radius)}, true
}

// earth is the mean radius in kilometres that the IUGG gives.
const earth = 6371.0088

// distance is by the haversine formula, which keeps its digits for places close by.
func (p point) distance(to point) float64 {
	half := func(angle float64) float64 { s := math.Sin(angle / 2); return s * s }
	h := half(to.latitude-p.latitude) + math.Cos(p.latitude)*math.Cos(to.latitude)*half(to.longitude-p.longitude)
	return 2 * earth * math.Asin(math.Sqrt(min(1, h)))
}
