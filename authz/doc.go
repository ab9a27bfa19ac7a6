// Package authz says who may do what: rights, roles and membership.
//
// A right is a module and an action, such as "invoices:approve". Every route names one, and the grid in which
// an organization ticks its own roles, the API's documentation and the policy are all made from the one list in
// this package. Casbin decides (allow and not deny) from model.conf and policy.csv; its verdicts are worked out
// once and then looked up, because its cost grows with the rules and a cached decision must never outlive them.
package authz
