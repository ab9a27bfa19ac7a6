package web

import (
	"golang.org/x/text/language"

	"github.com/countinghouse/countinghouse/internal/locale"
)

// languageMatcher knows the languages that we speak, the first for whoever speaks none of them.
var languageMatcher = language.NewMatcher([]language.Tag{language.English, language.French})

// languageOf is the language that a browser asks for (RFC 9110 section 12.5.4), as far as we speak it. Where we know whom
// we speak to, what was chosen for them goes first.
func languageOf(c *fiberCtx) locale.Language {
	header := c.Get("Accept-Language")
	if len(header) > 200 {
		return locale.English
	}
	asked, _, err := language.ParseAcceptLanguage(header)
	if err != nil { // it is not what says which page is shown
		return locale.English
	}
	_, at, confidence := languageMatcher.Match(asked...)
	if confidence == language.No {
		return locale.English
	}
	return locale.Languages()[at]
}
