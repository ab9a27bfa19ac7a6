package web

import "github.com/gofiber/fiber/v2"

type fiberCtx = fiber.Ctx

// public registers a route that anyone may ask.
func (s *Server) public(method, path string, h fiber.Handler) {
	s.routes = append(s.routes, Route{Method: method, Path: path, Public: true})
	s.answer(method, path, h)
}

// answer puts a handler on the router; whoever asks for the head of a page gets it without the body (RFC 9110).
func (s *Server) answer(method, path string, h fiber.Handler) {
	s.app.Add(method, path, h)
	if method == fiber.MethodGet {
		s.app.Add(fiber.MethodHead, path, h)
	}
}
