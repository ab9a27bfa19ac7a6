// Package page draws what a person sees: it fills the templates of web/templates with the data of a page.
//
// It knows nothing of HTTP, so that a page is a function of its data alone and can be tried without a server.
// Every page is drawn into memory first: a template that fails leaves an error to tell, never half a page. No
// template may hold a script, a style or a data: address, because the content policy refuses them.
package page

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/web/templates"
)

// set is parsed when the program starts, so that a broken template is found then and not by a reader.
var set = mustParse(templates.Files)

// frenchSet is made when the first page is asked for in French.
var frenchSet = sync.OnceValues(func() (templateSet, error) { return parseIn(templates.Files, speechOf(locale.French), nil) })

// setFor are the templates in a language, or in the one of a page whose reader is known to speak another.
func setFor(language locale.Language, data any) (templateSet, error) {
	if speaker, ok := data.(Speaker); ok {
		language = cmp.Or(speaker.Speaks(), language)
	}
	if language == locale.French {
		return frenchSet()
	}
	return set, nil
}

// Render draws the page of that name, which is a file of web/templates without its ending ("sign-up"), and writes
// it to w, in that language or the one that data Speaks. When the template fails nothing is written. An error of w itself is returned too.
func Render(w io.Writer, language locale.Language, name string, data any) error {
	set, err := setFor(language, data)
	if err != nil {
		return err
	}
	return set.render(w, name, name, data)
}

// RenderPart draws one named part ({{define "part"}}) of a page, for the fragments that htmx asks for.
func RenderPart(w io.Writer, language locale.Language, name, part string, data any) error {
	set, err := setFor(language, data)
	if err != nil {
		return err
	}
	return set.render(w, name, part, data)
}

// templateSet holds for each page its own copy of the layouts and parts, so that every page can define "main".
type templateSet map[string]*template.Template

func (s templateSet) render(w io.Writer, name, part string, data any) error {
	page, ok := s[name]
	if !ok {
		return fmt.Errorf("page: there is no page %q", name)
	}
	var drawn bytes.Buffer
	if err := page.ExecuteTemplate(&drawn, part, data); err != nil {
		return fmt.Errorf("page: drawing %s: %w", name, err)
	}
	if _, err := drawn.WriteTo(w); err != nil {
		return fmt.Errorf("page: writing %s: %w", name, err)
	}
	return nil
}

func mustParse(files fs.FS) templateSet {
	parsed, err := parseEnglish(files)
	if err != nil {
		panic(err)
	}
	return parsed
}

// parseEnglish reads layouts and parts, which all pages share, and then each page.
func parseEnglish(files fs.FS) (templateSet, error) {
	shared, err := template.New("").Funcs(functions).Funcs(speech{}.functions()).Option("missingkey=error").ParseFS(files, "layout/*.html", "part/*.html")
	if err != nil {
		return nil, fmt.Errorf("page: reading layouts and parts: %w", err)
	}
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("page: listing pages: %w", err)
	}
	parsed := templateSet{}
	for _, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, fmt.Errorf("page: reading %s: %w", file, err)
		}
		copied, err := shared.Clone()
		if err != nil {
			return nil, fmt.Errorf("page: copying the layouts: %w", err)
		}
		name := strings.TrimSuffix(path.Base(file), ".html")
		if parsed[name], err = copied.New(name).Parse(string(text)); err != nil {
			return nil, fmt.Errorf("page: reading %s: %w", file, err)
		}
	}
	return parsed, nil
}
