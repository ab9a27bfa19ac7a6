package page

import (
	"strings"
	"testing"
)

// TestInspect: a test that draws pages is worth what its inspection finds.
func TestInspect(t *testing.T) {
	t.Parallel()
	const sound = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>T</title></head><body><h1>T</h1>
		<form action="/x"><label for="a">A</label><input id="a" name="a" required><button>Go</button></form></body></html>`
	if found := inspect(sound); len(found) > 0 {
		t.Fatalf("a sound page is refused: %v", found)
	}
	for broken, complaint := range map[string]string{
		`<p style="color:red">x</p>`:                 "attribute style",
		`<p onclick="x()">x</p>`:                     "attribute onclick",
		`<p hx-on:click="x()">x</p>`:                 "attribute",
		`<style>p{}</style>`:                         "<style>",
		`<script>x()</script>`:                       "script of its own",
		`<script src="/static/none.js"></script>`:    "not served",
		`<a href="javascript:x()">x</a>`:             "javascript:",
		`<img src="data:image/png;base64,x" alt="">`: "data:",
		`<img src="/x">`:                             "no alt",
		`<input name="b">`:                           "no label",
		`<select name="b"></select>`:                 "no label",
		`<textarea name="b"></textarea>`:             "no label",
		`<button></button>`:                          "no words",
		`<a href="/x"><svg></svg></a>`:               "no words",
		`<a href="#none">x</a>`:                      "#none",
		`<p id="a">x</p>`:                            "stands 2 times",
		`<h1>Again</h1>`:                             "2 h1",
		`<div>`:                                      "closes nothing",
		`<table><tr><th>x</th></tr></table>`:         "scope",
		`<form></form>`:                              "where it goes",
	} {
		found := strings.Join(inspect(strings.Replace(sound, "</body>", broken+"</body>", 1)), "\n")
		if found == "" || !strings.Contains(found, complaint) {
			t.Errorf("%s: found %q, want %q", broken, found, complaint)
		}
	}
}

func TestLinked(t *testing.T) {
	t.Parallel()
	got := string(linked(`Go to https://x.example/a?b=1&c="2". <b> javascript:alert(1)`))
	want := `Go to <a href="https://x.example/a?b=1&amp;c=">https://x.example/a?b=1&amp;c=</a>&#34;2&#34;. &lt;b&gt; javascript:alert(1)`
	if got != want {
		t.Errorf("linked:\n got %s\nwant %s", got, want)
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Tidewater Studios": "TS", "Countinghouse": "CO", "北码头合唱团": "北码", "  ": "?", "": "?", "O’Reilly": "OR", "élan vital": "ÉV",
	} {
		if got := initials(name); got != want {
			t.Errorf("initials(%q) = %q, want %q", name, got, want)
		}
	}
}
