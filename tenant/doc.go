// Package tenant keeps organizations apart. It is the only place that opens database connections.
//
// Every organization lives in a schema of its own, which only a role of its own may read. Code outside this
// package never holds a connection: it holds a Scope, which only this package can mint from a credential, and
// Do runs a function inside that organization's schema and role. A forgotten filter, a wrong id or injected
// SQL then meets a database that refuses, not another organization's books.
package tenant
