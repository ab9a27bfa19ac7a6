package web

import (
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
)

// projectContact is where whoever finds a hole in the service itself reports it, wherever it runs.
const projectContact = "https://github.com/countinghouse/countinghouse/security/advisories/new"

// registerSecurityTxt says whom to tell of a hole (RFC 9116): those who run this installation, where they say so, and
// those who write it.
func (s *Server) registerSecurityTxt() {
	s.public("GET", "/.well-known/security.txt", func(c *fiber.Ctx) error {
		text := ""
		if s.SecurityContact != "" {
			text = "Contact: " + s.SecurityContact + "\n"
		}
		// It holds for as long as the process runs that answers it; the standard asks for a day within a year.
		until := s.DB.Now().AddDate(0, 6, 0).Truncate(24 * time.Hour).Format(time.RFC3339)
		text += fmt.Sprintf("Contact: %s\nExpires: %s\nPreferred-Languages: en\nCanonical: %s/.well-known/security.txt\n", projectContact, until, s.Config.Origin)
		c.Set("Content-Type", "text/plain; charset=utf-8")
		return c.SendString(text)
	})
}
