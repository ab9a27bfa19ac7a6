package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

// icon.txt holds one icon a line: its name, a tab, its paths. To add one, write its name on a line of its own and
// run go generate with LUCIDE naming the icons folder of the npm package lucide-static:
//
//	LUCIDE=node_modules/lucide-static/icons go generate ./web/page
//
//go:generate go run icongen.go $LUCIDE
//go:embed icon.txt
var iconText string

var icons = readIcons(iconText)

func readIcons(text string) map[string]template.HTML {
	read := map[string]template.HTML{}
	for line := range strings.Lines(text) {
		name, paths, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			panic(fmt.Sprintf("page: icon.txt: %q has no paths; run go generate", name))
		}
		// Safe as HTML: it is our own file, compiled in.
		read[name] = template.HTML(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">` + paths + `</svg>`)
	}
	return read
}

// icon draws an icon, which repeats a word and is therefore hidden from readers of text.
func icon(name string) (template.HTML, error) {
	drawn, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("there is no icon %q in icon.txt", name)
	}
	return drawn, nil
}
