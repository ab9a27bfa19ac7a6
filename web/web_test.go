package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
	"github.com/countinghouse/countinghouse/web"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

const origin = "http://books.example:8080"

// house is a server under test, and what came out of it besides answers.
type house struct {
	*web.Server
	outbox   *notify.Outbox
	practice *fake.House
	sealed   *atomic.Int64 // how often the keyring was asked
	host     string        // that requests go to; empty: the members'
}

func open(t testing.TB) *house {
	t.Helper()
	return openOn(t, tenanttest.DB())
}

// openOn is a process of its own on the same database.
// compiled is the policy, which a process compiles once.
var compiled = sync.OnceValues(authz.Compile)

func openOn(t testing.TB, db *tenant.DB) *house {
	t.Helper()
	outbox := &notify.Outbox{}
	policy, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	people, err := identity.New(db, identity.MailerFunc(func(ctx context.Context, m identity.Mail) error {
		return outbox.Send(ctx, notify.Mail{Kind: m.Kind, To: m.To, Subject: m.Subject, Text: m.Text})
	}), identity.Options{Origin: origin, Sealer: sealedInTest{}, NetworkTries: 10_000, TextsPerNetwork: 10_000, Voice: true,
		Texter: identity.TexterFunc(func(ctx context.Context, m identity.Text) error {
			return outbox.Text(ctx, notify.SMS{Kind: m.Kind, To: m.To, Text: m.Say, Voice: m.Voice})
		})})
	if err != nil {
		t.Fatal(err)
	}
	practice, sealed := fake.NewHouse(), new(atomic.Int64)
	s, err := web.New(web.Config{
		Watch: watch.New(db, watch.Options{}),
		Till:  newTill(practice, sealed), Mail: outbox,
		Phones: &phone.Sender{Key: bytes.Repeat([]byte("p"), 32),
			Text: func(ctx context.Context, to, say string) error {
				return outbox.Text(ctx, notify.SMS{Kind: "customer_code", To: to, Text: say})
			}, Sealer: phonesInTest{sealed}, Through: throughInTest, Internal: true},
		Webhooks: &webhook.Sender{Sealer: webhooksInTest{sealed}}, Shop: shop.Guarded(),
		DB: db, Identity: people, Policy: policy, Origin: origin,
		Key: bytes.Repeat([]byte("k"), 32), Outbox: outbox, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return &house{Server: s, outbox: outbox, practice: practice, sealed: sealed}
}

// answer is what a request was answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) decode(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// problem reads a problem document and fails unless the answer is one.
func (a answer) problem(t testing.TB) (p web.Problem) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("status %d with content type %q: %s", a.status, got, a.body)
	}
	a.decode(t, &p)
	if p.RequestID == "" || p.Code == "" || p.Detail == "" || p.Status != a.status {
		t.Fatalf("an unfinished problem: %s", a.body)
	}
	return p
}

func (h *house) send(t testing.TB, r *http.Request) answer {
	t.Helper()
	if r.Host = h.host; h.host == "" {
		r.Host = strings.TrimPrefix(origin, "http://")
	}
	response, err := h.App().Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{response.StatusCode, response.Header, body}
	if (a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable) && a.header.Get("Retry-After") == "" {
		t.Errorf("%s %s: %d, and does not say when to come again", r.Method, r.URL.Path, a.status)
	}
	return a
}

// program is a caller of the API.
type program struct {
	h     *house
	token string
}

func (p program) call(t testing.TB, method, path string, body any, headers ...string) answer {
	t.Helper()
	var content io.Reader = http.NoBody
	switch v := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	r := httptest.NewRequest(method, path, content)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return p.h.send(t, r)
}

// made creates something and gives its id.
func (p program) made(t testing.TB, path string, body any) string {
	t.Helper()
	a := p.call(t, "POST", path, body, "Idempotency-Key", tenanttest.Random(8))
	if a.status != http.StatusCreated {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	var made struct{ ID string }
	a.decode(t, &made)
	return made.ID
}

// browser is a person at the pages, with the cookies that they were given.
type browser struct {
	h       *house
	cookies map[string]string
}

func (h *house) browser() *browser { return &browser{h, map[string]string{}} }

func (b *browser) do(t testing.TB, r *http.Request) answer {
	t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	a := b.h.send(t, r)
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("cookie %s is not held tight: %s", c.Name, a.header.Values("Set-Cookie"))
		}
		b.cookies[c.Name] = c.Value
		if c.Value == "" {
			delete(b.cookies, c.Name)
		}
	}
	return a
}

func (b *browser) get(t testing.TB, path string) answer {
	t.Helper()
	return b.do(t, httptest.NewRequest("GET", path, http.NoBody))
}

func (b *browser) post(t testing.TB, path string, pairs ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(t, r)
}

const goodPassword = "seven quiet herons wade"

var mailedLink = regexp.MustCompile(regexp.QuoteMeta(origin) + `(/set-up\?token=\S+)`)

// linkFor is the link in the newest mail to an address.
func (h *house) linkFor(t testing.TB, email string) string {
	t.Helper()
	for _, m := range h.outbox.All() {
		if m.To != email {
			continue
		}
		link := mailedLink.FindStringSubmatch(m.Text)
		if link == nil {
			t.Fatalf("no link in %q", m.Text)
		}
		return link[1]
	}
	t.Fatalf("no mail to %s", email)
	return ""
}

// owner is someone who signed up through the pages, their organization, and a token of theirs that may do all.
type owner struct {
	*browser
	program
	slug  string
	email string
}

func (o owner) path(rest string) string { return "/o/" + o.slug + rest }

func (h *house) signUp(t testing.TB) owner {
	t.Helper()
	b := h.browser()
	o := owner{browser: b, slug: "org-" + tenanttest.Random(6), email: tenanttest.Random(6) + "@tidewater.example"}
	if a := b.post(t, "/sign-up", "email", o.email); a.status != http.StatusOK {
		t.Fatalf("sign-up: %d", a.status)
	}
	link := h.linkFor(t, o.email)
	if a := b.get(t, link); a.status != http.StatusOK {
		t.Fatalf("set-up: %d %s", a.status, a.body)
	}
	token := strings.TrimPrefix(link, "/set-up?token=")
	a := b.post(t, "/set-up", "token", token, "organization", "Tidewater Studios", "slug", o.slug, "country", "IE", "currency", "EUR",
		"time_zone", "Europe/Dublin", "name", "Mara Lindqvist", "password", goodPassword)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/o/"+o.slug {
		t.Fatalf("set-up: %d to %q: %s", a.status, a.header.Get("Location"), a.body)
	}
	o.program = program{h, h.tokenFor(t, b, o.slug, "*:read", "*:write")}
	return o
}

// tokenFor makes an API token as the owner of a session does.
func (h *house) tokenFor(t testing.TB, b *browser, slug string, scopes ...string) (secret string) {
	t.Helper()
	hash, ok := identity.HashToken(b.cookies["__Host-session"])
	if !ok {
		t.Fatal("no session")
	}
	var err error
	for range 10 { // rights change at the same time
		var scope tenant.Scope
		if scope, err = tenant.EnterMember(context.Background(), tenanttest.DB(), hash, slug); err != nil {
			t.Fatal(err)
		}
		err = tenant.Do(context.Background(), tenanttest.DB(), scope, func(tx *tenant.Tx) (err error) {
			_, secret, err = identity.AddToken(context.Background(), tx, identity.TokenInput{Name: "test", Scopes: scopes},
				func(string) error { return nil })
			return err
		})
		if !errors.Is(err, tenant.ErrStale) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
