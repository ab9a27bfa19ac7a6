package web

import (
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

func FuzzReadForm(f *testing.F) {
	for _, s := range []string{"", "a=1&b=2", "a=1&a=2", "taxes=1&taxes=2", "lines[0].taxes=1&lines[0].taxes=2", "a=%00", "%ff=1", "a=%zz", "a;b=1", "=1&=2", "a=\x00"} {
		f.Add("application/x-www-form-urlencoded", []byte(s))
	}
	f.Add("multipart/form-data; boundary=x", []byte("--x--"))
	app := fiber.New()
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		c := app.AcquireCtx(&fasthttp.RequestCtx{})
		defer app.ReleaseCtx(c)
		c.Request().Header.SetContentType(kind)
		c.Request().SetBody(body)
		sent, err := readForm(c, "taxes")
		if err != nil {
			if sent != nil {
				t.Errorf("%q is refused and gives %v", body, sent)
			}
			return
		}
		if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(kind)), "application/x-www-form-urlencoded") {
			t.Errorf("%q was taken for a form", kind)
		}
		for name, values := range sent {
			if len(values) != 1 && name != "taxes" && !strings.HasSuffix(name, ".taxes") {
				t.Errorf("%q stands %d times in %q", name, len(values), body)
			}
			for _, v := range append(values, name) {
				if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
					t.Errorf("%q gave %q", body, v)
				}
			}
		}
	})
}

// What an organization asks of who enters it is read whole or refused with a field that the form has.
func FuzzAdmissionInput(f *testing.F) {
	for _, s := range []string{"", "second_factor=yes&password_length=12&password_score=2", "password_days=-1", "password_days=1e9", "idle_minutes= 15 ", "session_hours=99999999999999999999",
		"exempt=0197a1f0-0000-7000-8000-000000000000", "exempt=x&exempt=y", "password_days=%D9%A3%D9%A0"} {
		f.Add(s)
	}
	fields := map[string]bool{"password_length": true, "password_score": true, "password_days": true, "idle_minutes": true, "session_hours": true, "exempt": true}
	f.Fuzz(func(t *testing.T, query string) {
		sent, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		rules, err := admissionInput(sent)
		for _, refused := range faultsOf(err) {
			if !fields[refused.Field] {
				t.Errorf("%q is refused at %q", query, refused.Field)
			}
		}
		if err != nil {
			return
		}
		for _, n := range []int{rules.PasswordLength, rules.PasswordScore, rules.PasswordDays, rules.IdleMinutes, rules.SessionHours} {
			if n < 0 || n > 1<<20 {
				t.Errorf("%q gives %+v", query, rules)
			}
		}
		if len(rules.Exempt) != len(sent["exempt"]) {
			t.Errorf("%q exempts %v", query, rules.Exempt)
		}
	})
}

// However an address was made up, it leads to a path of ours: by the rules of browsers (WHATWG URL), which take a
// backslash for a slash and drop tabs and line ends.
func FuzzWayBack(f *testing.F) {
	for _, s := range []string{"/", "", "/o/acme?a=1#b", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)",
		"/%2f/evil.example", "\x00//evil.example", " //evil.example", "/o/\r\nSet-Cookie: a=b", "/?next=//evil.example", "/..//evil.example", "/.//evil.example", "/#\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, next string) {
		to := wayBack(next)
		browser := strings.NewReplacer("\t", "", "\r", "", "\n", "", "\\", "/").Replace(strings.TrimFunc(to, func(r rune) bool { return r <= ' ' }))
		if !strings.HasPrefix(browser, "/") || strings.HasPrefix(browser, "//") {
			t.Fatalf("%q leads to %q", next, to)
		}
		base, err := url.Parse("https://books.example/sign-in")
		if err != nil {
			t.Fatal(err)
		}
		at, err := base.Parse(to)
		if err != nil || at.Host != "books.example" || at.Scheme != "https" {
			t.Fatalf("%q leads to %q, which is %v: %v", next, to, at, err)
		}
		for i := range len(to) {
			if to[i] < ' ' || to[i] == 0x7f {
				t.Fatalf("%q leads to %q", next, to)
			}
		}
	})
}

func FuzzReadFlash(f *testing.F) {
	for _, s := range []string{"", "Signed+out+there.", "%zz", "%ff", "javascript%3Aalert(1)%1Fx", "0198c6d2-7f0c-7000-8000-000000000001%1FLast+signed+in", "%1F", strings.Repeat("a", 1300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, kept string) {
		flash := readFlash(kept)
		if !utf8.ValidString(flash.Say) || len(flash.Say) > 1200 {
			t.Errorf("%q is said as %q", kept, flash.Say)
		}
		if flash.Login != "" && (len(flash.Login) != 36 || strings.Trim(flash.Login, "0123456789abcdef-") != "") {
			t.Errorf("%q names the login %q", kept, flash.Login)
		}
	})
}

func FuzzCheckKeys(f *testing.F) {
	for _, s := range []string{`{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `[{"a":1},{"a":1}]`, `{"a":"a","b":"a"}`, `{`, `}`, `]`, `{"a":[]}`, `{"a":1}{"a":2}`,
		`{"\u0061":1,"a":2}`, strings.Repeat("[", 40), `nul`, `{"a":[{"b":1}],"b":2}`, `{"a":{},"a":{}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := checkKeys(json.NewDecoder(strings.NewReader(s)))
		deep, repeated := repeatsKey(json.NewDecoder(strings.NewReader(s)), 0)
		if !deep && repeated != (err != nil) {
			t.Errorf("%q has a key twice: %v; answered %v", s, repeated, err)
		}
	})
}

// repeatsKey is checkKeys as one would say it: value by value, each object with the keys it has had.
func repeatsKey(d *json.Decoder, depth int) (deep, repeated bool) {
	for {
		token, err := d.Token()
		if err == io.EOF || err != nil {
			return deep, repeated
		}
		d2, r2, ok := valueRepeats(d, token, depth)
		deep, repeated = deep || d2, repeated || r2
		if !ok || repeated || deep {
			return deep, repeated
		}
	}
}

func valueRepeats(d *json.Decoder, token json.Token, depth int) (deep, repeated, ok bool) {
	open, is := token.(json.Delim)
	if !is {
		return false, false, true
	}
	if depth >= 32 {
		return true, false, false
	}
	keys := map[string]bool{}
	for {
		token, err := d.Token()
		if err != nil {
			return false, false, false
		}
		if close, is := token.(json.Delim); is && (close == '}' || close == ']') {
			return false, false, true
		}
		if open == '{' {
			key, _ := token.(string)
			if keys[key] {
				return false, true, false
			}
			keys[key] = true
			if token, err = d.Token(); err != nil {
				return false, false, false
			}
		}
		if deep, repeated, ok := valueRepeats(d, token, depth+1); deep || repeated || !ok {
			return deep, repeated, ok
		}
	}
}
