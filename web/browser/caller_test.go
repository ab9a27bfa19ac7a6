package browser

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// caller asks by HTTP what a browser would ask, for what need not be seen. It keeps cookies and follows nothing.
type caller struct {
	t       *testing.T
	home    string // http://localhost:PORT, or an organization's own host there
	cookies map[string]string
	token   string // of the API
	keys    int
}

type reply struct {
	status int
	header http.Header
	body   string
}

func call(t *testing.T, home string) *caller {
	return &caller{t: t, home: home, cookies: map[string]string{}}
}

func (c *caller) send(method, path, contentType string, body []byte) reply {
	c.t.Helper()
	at, err := url.Parse(c.home)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := http.NewRequest(method, "http://127.0.0.1:"+at.Port()+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = at.Host
	r.Header.Set("Accept-Encoding", "gzip")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if strings.HasPrefix(path, "/v1/") {
		r.Header.Set("Authorization", "Bearer "+c.token)
		c.keys++
		r.Header.Set("Idempotency-Key", fmt.Sprintf("walk-%d", c.keys))
	} else {
		r.Header.Set("Origin", c.home)
		for name, value := range c.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, cookie := range answer.Cookies() {
		c.cookies[cookie.Name] = cookie.Value
	}
	return reply{answer.StatusCode, answer.Header, string(got)}
}

func (c *caller) get(path string) reply { c.t.Helper(); return c.send("GET", path, "", nil) }

// post sends a form of pairs. It fails unless the form is taken.
func (c *caller) post(path string, pairs ...string) reply {
	c.t.Helper()
	c.keys++
	sent := url.Values{"idempotency_key": {fmt.Sprintf("form-%d", c.keys)}}
	for i := 0; i < len(pairs); i += 2 {
		sent.Add(pairs[i], pairs[i+1])
	}
	a := c.send("POST", path, "application/x-www-form-urlencoded", []byte(sent.Encode()))
	if a.status >= 400 {
		c.t.Fatalf("%s: %d %s", path, a.status, words(a.body))
	}
	return a
}

// press sends the form of a page that leads to an address with that end, as it stands there.
func (c *caller) press(page, end string) reply {
	c.t.Helper()
	a := c.get(page)
	form := regexp.MustCompile(`(?s)<form[^>]*action="([^"]*` + regexp.QuoteMeta(end) + `)"[^>]*>(.*?)</form>`).FindStringSubmatch(a.body)
	if form == nil {
		c.t.Fatalf("%s has no form to %s: %s", page, end, words(a.body))
	}
	var pairs []string
	for _, hidden := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(form[2], -1) {
		if hidden[1] != "idempotency_key" {
			pairs = append(pairs, hidden[1], html.UnescapeString(hidden[2]))
		}
	}
	return c.post(html.UnescapeString(form[1]), pairs...)
}

// upload sends a form with a file.
func (c *caller) upload(path, name, content string) reply {
	c.t.Helper()
	c.keys++
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	err := w.WriteField("idempotency_key", fmt.Sprintf("file-%d", c.keys))
	if err == nil {
		var part io.Writer
		if part, err = w.CreateFormFile("file", name); err == nil {
			_, err = io.WriteString(part, content)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	a := c.send("POST", path, w.FormDataContentType(), form.Bytes())
	if a.status >= 400 {
		c.t.Fatalf("%s: %d %s", path, a.status, words(a.body))
	}
	return a
}

// api calls the JSON API, and decodes what it answers into v unless that is nil.
func (c *caller) api(method, path string, body, v any) {
	c.t.Helper()
	var text []byte
	kind := ""
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			c.t.Fatal(err)
		}
		kind = "application/json"
	}
	a := c.send(method, path, kind, text)
	if a.status >= 400 {
		c.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(a.body), v); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
}

// made creates a thing by the API and gives its id.
func (c *caller) made(path string, body map[string]any) string {
	c.t.Helper()
	var thing struct{ ID string }
	c.api("POST", path, body, &thing)
	if thing.ID == "" {
		c.t.Fatalf("%s gave no id", path)
	}
	return thing.ID
}

// find gives the first group of a pattern in the page at a path.
func (c *caller) find(path, pattern string) string {
	c.t.Helper()
	// A mail leaves a moment after the page that speaks of it.
	for began := time.Now(); ; {
		if a := c.get(path); regexp.MustCompile(pattern).MatchString(a.body) || time.Since(began) > 20*time.Second {
			return a.find(c.t, pattern)
		}
	}
}

func (a reply) find(t *testing.T, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("%d: there is no %s in %s", a.status, pattern, words(a.body))
	}
	return html.UnescapeString(found[1])
}

// words is what a page says, without its marks.
func words(body string) string {
	if _, main, ok := strings.Cut(body, "<main"); ok {
		body = main
	}
	said := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")), " ")
	return said[:min(len(said), 600)]
}

func (c *caller) signIn(email, password string) {
	c.t.Helper()
	c.post("/sign-in", "email", email, "password", password)
}

// signUp opens an account with an organization, by the link of the mail.
func (c *caller) signUp(email, name, password, organization, slug string) {
	c.t.Helper()
	c.post("/sign-up", "email", email)
	token := c.find("/dev/outbox", `/set-up\?token=([^"<\s]+)`)
	c.post("/set-up", "token", token, "organization", organization, "slug", slug, "country", "US", "currency", "USD", "time_zone", "America/New_York", "name", name, "password", password)
}

// staff puts someone who has an account on the staff, as an operator does, and gives them a second step. What it gives
// are recovery codes, which let them in again.
func (s service) staff(t *testing.T, c *caller, email, role string) (codes []string) {
	t.Helper()
	if out, err := exec.Command(s.binary, "staff", "add", "--data", s.data, "--role", role, email).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.post("/account/second-step/app")
	key := c.find("/account/second-step/app", `<code>([A-Z2-7 ]+)</code>`)
	shown := c.post("/account/second-step/app/confirm", "code", appCode(t, strings.ReplaceAll(key, " ", ""), time.Now()))
	codes = regexp.MustCompile(`[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}`).FindAllString(shown.body, -1)
	if len(codes) == 0 {
		t.Fatalf("no recovery codes: %s", words(shown.body))
	}
	return codes
}

// appCode is what an authenticator app shows at a moment (RFC 6238).
func appCode(t *testing.T, key string, at time.Time) string {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	sum := hmac.New(sha1.New, secret)
	if err := binary.Write(sum, binary.BigEndian, at.Unix()/30); err != nil {
		t.Fatal(err)
	}
	digest := sum.Sum(nil)
	from := digest[len(digest)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(digest[from:from+4])&0x7fffffff%1_000_000)
}
