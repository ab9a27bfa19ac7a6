package web

import (
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
)

var errGroup = fault.New(fault.Invalid, "group.unknown", "There is no such group. Choose one of the list.").At("group")

// ActivityFilter narrows the feed. All of it stands in the address.
type ActivityFilter struct {
	Person  string `query:"person" doc:"Only what this person did, by id" maxLength:"36"`
	Group   string `query:"group" doc:"Only what belongs together" enum:"sales,purchases,books,people,access,settings"`
	Object  string `query:"object" doc:"Only what was done to this thing, by id" maxLength:"36"`
	From    string `query:"from" doc:"From this day on, on the organization's calendar" maxLength:"10"`
	To      string `query:"to" doc:"Up to this day, on the organization's calendar" maxLength:"10"`
	Support bool   `query:"support" doc:"Only what was done under a support grant"`
}

// parse reads the filter; days begin and end in the organization's zone.
func (a ActivityFilter) parse(zone *time.Location) (f audit.Filter, err error) {
	person, err := bodyID[struct{}]("person", a.Person)
	if err != nil {
		return f, err
	}
	object, err := bodyID[struct{}]("object", a.Object)
	if err != nil {
		return f, err
	}
	from, err := bodyDate("from", a.From)
	if err != nil {
		return f, err
	}
	to, err := bodyDate("to", a.To)
	if err != nil {
		return f, err
	}
	if a.Group != "" && !audit.IsGroup(a.Group) {
		return f, errGroup
	}
	f = audit.Filter{Actor: person.UUID, Group: a.Group, Object: object.UUID, Support: a.Support, Personal: true}
	if !from.IsZero() {
		f.From = midnight(from, zone)
	}
	if !to.IsZero() {
		f.To = midnight(to.AddDays(1), zone)
	}
	return f, nil
}

func midnight(d civil.Date, zone *time.Location) time.Time {
	return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, zone)
}

// values is the filter as an address holds it.
func (a ActivityFilter) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"person": a.Person, "group": a.Group, "object": a.Object, "from": a.From, "to": a.To} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if a.Support {
		v.Set("support", "true")
	}
	return v
}

// reader says what of people's data the caller may see: what they could look up where it is kept. Support sees none.
func (c *call) reader() audit.Reader {
	return func(kind string) bool {
		if c.scope.Grant() != uuid.Nil {
			return false
		}
		module, ok := map[string]authz.Module{"customer": authz.Customers, "payee": authz.Payees, "member": authz.Members, "invitation": authz.Members}[kind]
		return ok && c.server.Policy.Decide(c.scope.Role(), c.scope.Ceiling(), false, rightTo(authz.Read, module)).Allowed
	}
}
