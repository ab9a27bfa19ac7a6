package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	t.Parallel()

	t.Run("gives each file under its hashed address, with its type", func(t *testing.T) {
		t.Parallel()
		for name, wantType := range map[string]string{
			"look.css":    "text/css; charset=utf-8",
			"app.js":      "text/javascript; charset=utf-8",
			"htmx.min.js": "text/javascript; charset=utf-8",
			"favicon.svg": "image/svg+xml",
			"fonts/hanken-grotesk-latin-wght-normal.woff2": "font/woff2",
		} {
			url := URL(name)
			content, contentType, etag, ok := Open(url)
			if !ok || len(content) == 0 || contentType != wantType || len(etag) < 10 {
				t.Errorf("Open(%q) = %d bytes, %q, %q, %v; want some bytes of %q with an etag", url, len(content), contentType, etag, ok, wantType)
			}
			if !regexp.MustCompile(`^/static/.+\.[0-9a-f]{16}\.[a-z0-9]+$`).MatchString(url) {
				t.Errorf("URL(%q) = %q, want a name with 16 hex digits of hash", name, url)
			}
		}
	})

	t.Run("knows no other address", func(t *testing.T) {
		t.Parallel()
		for _, url := range []string{
			"", "/static/", "/static/look.css", "/static/look.0000000000000000.css", "/static/static.go",
			"/static/../static.go", "/static/LICENSES.md", strings.TrimPrefix(URL("look.css"), "/"),
		} {
			if _, _, _, ok := Open(url); ok {
				t.Errorf("Open(%q) gave a file", url)
			}
		}
	})
}

// What goes out compressed is what goes out plain, under a tag of its own, and is a good deal smaller.
func TestPacked(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"look.css", "app.js", "htmx.min.js", "favicon.svg"} {
		content, _, plainTag, _ := Open(URL(name))
		packed, tag, ok := Packed(URL(name))
		if !ok || tag == plainTag || len(packed) > len(content)*3/4 {
			t.Errorf("%s: %d of %d bytes, tag %s beside %s, %v", name, len(packed), len(content), tag, plainTag, ok)
			continue
		}
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s comes out with %d bytes, %v", name, len(got), err)
		}
	}
	for _, url := range []string{URL("fonts/hanken-grotesk-latin-wght-normal.woff2"), "/static/look.css", ""} {
		if _, _, ok := Packed(url); ok {
			t.Errorf("%q goes out compressed", url)
		}
	}
}

func TestStylesheet(t *testing.T) {
	t.Parallel()
	sheet, _, _, ok := Open(URL("look.css"))
	if !ok {
		t.Fatal("no stylesheet")
	}
	found := regexp.MustCompile(`url\(\s*["']?([^"')]+)`).FindAllSubmatch(sheet, -1)
	if len(found) == 0 {
		t.Fatal("the stylesheet names no font")
	}
	for _, match := range found {
		if _, _, _, ok := Open(string(match[1])); !ok {
			t.Errorf("the stylesheet names %q, which is not served", match[1])
		}
	}
	if strings.Contains(string(sheet), "@import") || strings.Contains(string(sheet), "data:image") {
		t.Error("the stylesheet loads what the content policy refuses")
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	script, _, _, ok := Open(URL("app.js"))
	if !ok {
		t.Fatal("no script")
	}
	for _, refused := range []string{"eval(", "new Function", ".innerHTML", "document.write", ".style."} {
		if strings.Contains(string(script), refused) {
			t.Errorf("the script uses %s, which the content policy refuses or which opens a door", refused)
		}
	}
}
