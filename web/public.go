package web

import "github.com/gofiber/fiber/v2"

type fiberCtx = fiber.Ctx

// public registers a route that anyone may ask.
func (s *Server) public(method, path string, h fiber.Handler) {
	s.routes = append(s.routes, Route{Method: method, Path: path, Public: true})
	s.app.Add(method, path, h)
}
