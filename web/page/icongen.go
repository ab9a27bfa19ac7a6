//go:build ignore

// Icongen fills icon.txt: every line that names an icon gets its paths from the folder given as argument, the icons
// of the npm package lucide-static. See icon.go.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	inside = regexp.MustCompile(`(?s)<svg[^>]*>(.*)</svg>`)
	spaces = regexp.MustCompile(`\s+`)
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 || os.Args[1] == "" {
		log.Fatal("icongen: name the folder of icons: LUCIDE=node_modules/lucide-static/icons go generate ./web/page")
	}
	text, err := os.ReadFile("icon.txt")
	if err != nil {
		log.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out strings.Builder
	for _, name := range slices.Compact(names) {
		svg, err := os.ReadFile(filepath.Join(os.Args[1], name+".svg"))
		if err != nil {
			log.Fatal(err)
		}
		found := inside.FindSubmatch(svg)
		if found == nil {
			log.Fatalf("icongen: %s.svg has no drawing", name)
		}
		paths := spaces.ReplaceAllString(string(found[1]), " ")
		paths = strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(paths), "> <", "><"), " />", "/>")
		fmt.Fprintf(&out, "%s\t%s\n", name, paths)
	}
	if err := os.WriteFile("icon.txt", []byte(out.String()), 0o644); err != nil {
		log.Fatal(err)
	}
}
