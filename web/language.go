package web

import (
	"net/http"
	"net/url"

	"golang.org/x/text/language"

	"github.com/countinghouse/countinghouse/internal/locale"
)

// languageCookie holds the language that whoever sits at a browser chose. It says nothing about them and opens nothing.
const languageCookie = "__Host-language"

// languageMatcher knows the languages that we speak, the first for whoever speaks none of them.
var languageMatcher = language.NewMatcher([]language.Tag{language.English, language.French})

// languageOf is the language that was chosen at a browser, or else the one that it asks for (RFC 9110 section 12.5.4), as far
// as we speak it.
func languageOf(c *fiberCtx) locale.Language {
	if chosen, err := locale.Parse(c.Cookies(languageCookie, "none")); err == nil {
		return chosen
	}
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

// chooseLanguage keeps a choice and leads back to where it was made.
func chooseLanguage(c *fiberCtx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	chosen, err := locale.Parse(sent.Get("language"))
	if err != nil {
		return err
	}
	keepLanguage(c, chosen)
	from, err := url.Parse(c.Get("Referer"))
	if err != nil || from.Path == "" {
		return c.Redirect("/", http.StatusSeeOther)
	}
	return c.Redirect(wayBack((&url.URL{Path: from.Path, RawQuery: from.RawQuery}).String()), http.StatusSeeOther)
}
