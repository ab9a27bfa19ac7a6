package page

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/web/static"
)

// inspection reads a page as a browser's tree and notes what the content policy or a reader with a screen reader
// would stumble over.
type inspection struct {
	complaints []string
	open       []string // tags
	ids        map[string]int
	targets    []string // ids that something points to
	labelled   map[string]bool
	controls   []control
	named      []*naming // buttons and links whose words are being read
	headings   int
}

type control struct {
	id, tag, name string
	inLabel       bool
	ownName       bool
}

type naming struct {
	tag   string
	words string
	depth int
}

var void = []string{"meta", "link", "input", "br", "hr", "img"}

// inspect lists what is wrong with a page. Raw tokens, because the decoder would quietly close what a page leaves open.
func inspect(html string) []string {
	in := &inspection{ids: map[string]int{}, labelled: map[string]bool{}}
	decoder := xml.NewDecoder(strings.NewReader(html))
	decoder.Strict = false
	decoder.Entity = xml.HTMLEntity
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return append(in.complaints, fmt.Sprintf("does not parse: %v", err))
		}
		switch token := token.(type) {
		case xml.StartElement:
			in.start(token)
		case xml.EndElement:
			in.end(token.Name.Local)
		case xml.CharData:
			for _, n := range in.named {
				n.words += strings.TrimSpace(string(token))
			}
		}
	}
	in.close()
	for _, trace := range []string{"ZgotmplZ", "no value", "%!", "javascript:", "data:"} {
		if strings.Contains(html, trace) {
			in.complain("holds %q", trace)
		}
	}
	return in.complaints
}

func (in *inspection) complain(format string, args ...any) {
	in.complaints = append(in.complaints, fmt.Sprintf(format, args...))
}

func (in *inspection) start(e xml.StartElement) {
	tag := e.Name.Local
	attributes := map[string]string{}
	for _, a := range e.Attr {
		name := a.Name.Local
		if a.Name.Space != "" {
			name = a.Name.Space + ":" + name
		}
		attributes[name] = a.Value
	}
	in.checkPolicy(tag, attributes)
	in.note(tag, attributes)
	if slices.Contains(void, tag) {
		return
	}
	in.open = append(in.open, tag)
	if tag == "button" || tag == "a" || tag == "summary" {
		in.named = append(in.named, &naming{tag: tag, words: attributes["aria-label"], depth: len(in.open)})
	}
}

// checkPolicy refuses what the content policy refuses.
func (in *inspection) checkPolicy(tag string, attributes map[string]string) {
	for name, value := range attributes {
		if name == "style" || strings.HasPrefix(name, "on") || strings.HasPrefix(name, "hx-on") {
			in.complain("<%s> has the attribute %s", tag, name)
		}
		if (name == "href" || name == "src") && strings.HasPrefix(value, static.Prefix) {
			if _, _, _, ok := static.Open(value); !ok {
				in.complain("<%s> loads %s, which is not served", tag, value)
			}
		}
	}
	switch _, external := attributes["src"]; {
	case tag == "style":
		in.complain("holds a <style>")
	case tag == "script" && !external:
		in.complain("holds a script of its own")
	case tag == "html" && attributes["lang"] == "":
		in.complain("tells no language")
	case tag == "img" && !has(attributes, "alt"):
		in.complain("an <img> has no alt")
	case tag == "th" && !has(attributes, "scope"):
		in.complain("a table's head has no scope")
	case tag == "form" && attributes["action"] == "":
		in.complain("a form says not where it goes")
	}
}

// note remembers what can be judged only at the end.
func (in *inspection) note(tag string, attributes map[string]string) {
	if id := attributes["id"]; id != "" {
		in.ids[id]++
	}
	for _, pointer := range []string{"for", "aria-describedby", "aria-labelledby", "list", "popovertarget"} {
		in.targets = append(in.targets, strings.Fields(attributes[pointer])...)
	}
	if place, ok := strings.CutPrefix(attributes["href"], "#"); ok {
		in.targets = append(in.targets, place)
	}
	switch tag {
	case "h1":
		in.headings++
	case "label":
		in.labelled[attributes["for"]] = true
	case "input", "select", "textarea":
		if slices.Contains([]string{"hidden", "submit", "button"}, attributes["type"]) {
			return
		}
		in.controls = append(in.controls, control{
			id: attributes["id"], tag: tag, name: attributes["name"], inLabel: slices.Contains(in.open, "label"),
			ownName: attributes["aria-label"] != "" || attributes["aria-labelledby"] != "",
		})
	}
}

func (in *inspection) end(tag string) {
	if slices.Contains(void, tag) {
		return
	}
	if n := len(in.named); n > 0 && in.named[n-1].depth == len(in.open) {
		if in.named[n-1].words == "" {
			in.complain("a <%s> has no words", in.named[n-1].tag)
		}
		in.named = in.named[:n-1]
	}
	if n := len(in.open); n == 0 || in.open[n-1] != tag {
		in.complain("</%s> closes nothing (open: %v)", tag, in.open)
		return
	}
	in.open = in.open[:len(in.open)-1]
}

func (in *inspection) close() {
	if len(in.open) > 0 {
		in.complain("never closed: %v", in.open)
	}
	if in.headings != 1 {
		in.complain("%d h1, want 1", in.headings)
	}
	for id, n := range in.ids {
		if n > 1 {
			in.complain("the id %s stands %d times", id, n)
		}
	}
	for _, target := range in.targets {
		if in.ids[target] == 0 {
			in.complain("something points to #%s, which is not there", target)
		}
	}
	for _, c := range in.controls {
		if !c.ownName && !c.inLabel && (c.id == "" || !in.labelled[c.id]) {
			in.complain("<%s name=%q> has no label", c.tag, c.name)
		}
	}
}

func has(attributes map[string]string, name string) bool {
	_, ok := attributes[name]
	return ok
}
