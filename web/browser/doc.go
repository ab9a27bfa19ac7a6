// Package browser walks through the pages in a real browser, as a person does: the built program, its own
// database, Chromium. It is a module of its own, because what drives a browser is heavy and serves tests alone.
//
// A refusal by the content policy, an error on the console or an exception in a script fails the walk. One walk looks at
// every page that the router knows, with axe; `go test -run TestEveryPage . -args -only invoices` looks at some.
package browser
