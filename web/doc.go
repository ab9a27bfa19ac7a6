// Package web is the edge: routes, middleware, the JSON API and the pages. It is the only place that knows
// Fiber.
//
// A handler reads a request, calls one function of the packages below inside the caller's organization, and
// writes the answer; it decides nothing about the books. Every route names the right that it needs where it is
// registered, and a route that names none does not start.
package web
