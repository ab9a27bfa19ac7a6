package identity

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/countinghouse/countinghouse/internal/text"
)

// turns are the characters that turn the direction of the text around them: a name that has one could pass for
// another's (Unicode TR 36 section 2.5).
const turns = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

func checkName(s string, limit int) (string, error) {
	s, err := text.Required("name", norm.NFC.String(s), limit)
	if err == nil && strings.ContainsAny(s, turns) {
		return "", text.ErrInvalid.At("name")
	}
	return s, err
}
