package authz

import (
	"strings"
)

// Module is a part of the service that rights are given for.
type Module string

// The modules, in the order of the grid.
const (
	Customers      Module = "customers"
	Contacts       Module = "contacts"
	Products       Module = "products"
	Invoices       Module = "invoices"
	Subscriptions  Module = "subscriptions"
	Orders         Module = "orders"
	Shop           Module = "shop"
	Payments       Module = "payments"
	Payees         Module = "payees"
	Bills          Module = "bills"
	Taxes          Module = "taxes"
	Bank           Module = "bank"
	Journal        Module = "journal"
	Accounts       Module = "accounts"
	Reports        Module = "reports"
	Exports        Module = "exports"
	Imports        Module = "imports"
	Gateways       Module = "gateways"
	PaymentMethods Module = "payment_methods"
	Settings       Module = "settings"
	Members        Module = "members"
	Roles          Module = "roles"
	Security       Module = "security"
	Tokens         Module = "tokens"
	Webhooks       Module = "webhooks"
	Audit          Module = "audit"
	Support        Module = "support"
)

// Action is what is done in a module.
type Action string

// The actions, in the order of the grid.
const (
	Read    Action = "read"
	Create  Action = "create"
	Change  Action = "change"
	Delete  Action = "delete" // archiving, discarding, revoking and removing too
	Approve Action = "approve"
	Export  Action = "export"
)

// Right is one thing that a member may or may not do. The zero Right is none.
type Right struct {
	Module Module
	Action Action
}

// String writes it as ParseRight reads it: "invoices:approve".
func (r Right) String() string { return string(r.Module) + ":" + string(r.Action) }

// Name says it in plain words that go after "may": "issue invoices"; "" for what is no right.
func (r Right) Name() string { return names[r] }

// ParseRight reads "module:action"; ok is false for anything that is not a right of the list.
func ParseRight(s string) (r Right, ok bool) {
	module, action, _ := strings.Cut(s, ":")
	r = Right{Module(module), Action(action)}
	_, ok = names[r]
	return r, ok
}

// Group is one row of the grid: a module and the rights that there are in it.
type Group struct {
	Module Module
	Name   string // "Payment methods"
	Rights []Grant
}

// Grant is one box of the grid.
type Grant struct {
	Right Right
	Name  string // "issue invoices"
}

// Rights lists every right there is, by module. The caller may keep and change the list.
func Rights() []Group {
	all := make([]Group, 0, len(grid))
	for _, row := range grid {
		g := Group{Module: row.module, Name: row.name}
		for _, b := range row.boxes {
			g.Rights = append(g.Rights, Grant{Right{row.module, b.action}, b.name})
		}
		all = append(all, g)
	}
	return all
}

type box struct {
	action Action
	name   string
}

type gridRow struct {
	module Module
	name   string
	boxes  []box
}

var names = func() map[Right]string {
	all := map[Right]string{}
	for _, row := range grid {
		for _, b := range row.boxes {
			all[Right{row.module, b.action}] = b.name
		}
	}
	return all
}()
