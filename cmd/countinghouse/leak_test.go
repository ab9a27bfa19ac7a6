package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/postgres/pgtest"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
	"github.com/countinghouse/countinghouse/web"
)

// leaks collects what comes out of the service, and knows what must not be in it.
type leaks struct {
	mu      sync.Mutex
	out     bytes.Buffer // logs
	secrets map[string][]byte
}

func (l *leaks) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

func (l *leaks) logged() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.String()
}

// knows adds a secret.
func (l *leaks) knows(name, secret string) { l.secrets[name] = []byte(secret) }

// in names the secrets that text shows: as they are, in hex, or in one of the three ways that base64 may fall.
func (l *leaks) in(text string) (shown []string) {
	lower := strings.ToLower(text)
	for name, secret := range l.secrets {
		forms := map[string]bool{string(secret): strings.Contains(text, string(secret)), "hex": strings.Contains(lower, hex.EncodeToString(secret))}
		forms["escaped"] = strings.Contains(text, url.QueryEscape(string(secret)))
		for shift := range 3 {
			whole := base64.StdEncoding.EncodeToString(append(make([]byte, shift), secret...))
			inner := whole[4 : len(whole)-4] // the ends depend on what stands beside it
			forms["base64"] = forms["base64"] || strings.Contains(text, inner) || strings.Contains(text, strings.NewReplacer("+", "-", "/", "_").Replace(inner))
		}
		for form, found := range forms {
			if found {
				if form == string(secret) {
					form = "in the clear"
				}
				shown = append(shown, name+" "+form)
			}
		}
	}
	return shown
}

func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	l := leaks{secrets: map[string][]byte{}}
	const secret = "4242 4242 4242 4242"
	l.knows("card", secret)
	for _, text := range []string{secret, "x" + secret + "y", hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte("a" + secret))),
		base64.StdEncoding.EncodeToString([]byte("x" + secret)), base64.RawURLEncoding.EncodeToString([]byte("xy" + secret + "z")), "q=" + url.QueryEscape(secret)} {
		if len(l.in(text)) == 0 {
			t.Errorf("it is not found in %q", text)
		}
	}
	if shown := l.in("4242"); len(shown) != 0 {
		t.Errorf("found in its last four: %v", shown)
	}
}

// guest is a person at the pages of the whole service, wired as it is run.
type guest struct {
	t       *testing.T
	server  *web.Server
	outbox  *notify.Outbox
	leaks   *leaks
	cookies map[string]string
	token   string
	parts   parts
	db      *tenant.DB
	clock   *tenanttest.Clock // of the database and of the jobs
}

const guestOrigin = "http://books.example:8080"

func newGuest(t *testing.T) *guest {
	t.Helper()
	g := &guest{t: t, outbox: &notify.Outbox{}, leaks: &leaks{secrets: map[string][]byte{}}, cookies: map[string]string{}, clock: &tenanttest.Clock{}}
	keyring, err := secrets.OpenLocal(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	g.leaks.knows("the service's key", string(key))
	practice := httptest.NewServer(fake.NewHouse())
	t.Cleanup(practice.Close)
	house := practice.Config.Handler.(*fake.House)
	house.Address = practice.URL
	p := parts{database: tenanttest.Config(), key: key, origin: guestOrigin, mail: g.outbox, outbox: g.outbox, keyring: keyring,
		practice: house, cardNumbers: "Ada Byron",
		log: slog.New(slog.NewJSONHandler(g.leaks, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	p.database.Now = g.clock.Now
	db, _, server, err := p.assemble(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g.server, g.parts, g.db = server, p, db
	t.Cleanup(func() {
		server.Identity.Flush()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func (g *guest) send(r *http.Request) (status int, whole string) {
	g.t.Helper()
	r.Host = strings.TrimPrefix(guestOrigin, "http://")
	if g.token != "" && strings.HasPrefix(r.URL.Path, "/v1/") {
		r.Header.Set("Authorization", "Bearer "+g.token)
	} else {
		for name, value := range g.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	response, err := g.server.App().Test(r, -1)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	for _, c := range response.Cookies() {
		g.cookies[c.Name] = c.Value
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	response.Header.Del("Set-Cookie") // which is where a session belongs
	var head bytes.Buffer
	if err := response.Header.Write(&head); err != nil {
		g.t.Fatal(err)
	}
	return response.StatusCode, head.String() + "\n" + string(body)
}

func (g *guest) get(path string) (int, string) {
	g.t.Helper()
	return g.send(httptest.NewRequest("GET", path, http.NoBody))
}

func (g *guest) post(path string, form url.Values) (int, string) {
	g.t.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return g.send(r)
}

func (g *guest) call(method, path string, body any) (int, string) {
	g.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", tenanttest.Random(8))
	return g.send(r)
}

func (g *guest) must(what string, status int, whole string, want int) string {
	g.t.Helper()
	if status != want {
		g.t.Fatalf("%s: %d %s", what, status, whole)
	}
	return whole
}

var (
	setUpLink  = regexp.MustCompile(`/set-up\?token=(\S+)`)
	appKey     = regexp.MustCompile(`<code>([A-Z2-7 ]+)</code>`)
	codeShown  = regexp.MustCompile(`[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}`)
	tokenShown = regexp.MustCompile(`ch_[A-Za-z0-9_-]{20,}`)
	idShown    = regexp.MustCompile(`"id":"([0-9a-f-]{36})"`)
	linkShown  = regexp.MustCompile(`(?:href|hx-get|action)="(/[^"#]*)"`)
)

// settle signs up, sets up every secret that a person and an organization have, and notes each.
func (g *guest) settle(slug, email, password string) {
	t := g.t
	t.Helper()
	status, whole := g.post("/sign-up", url.Values{"email": {email}})
	g.must("sign-up", status, whole, http.StatusOK)
	var link []string
	for _, mail := range g.outbox.All() {
		if mail.To == email {
			link = setUpLink.FindStringSubmatch(mail.Text)
		}
	}
	if link == nil {
		t.Fatal("no link in the mail")
	}
	g.leaks.knows("the mailed token", link[1])
	g.leaks.knows("the password", password)
	status, whole = g.post("/set-up", url.Values{"token": {link[1]}, "organization": {"Tidewater"}, "slug": {slug}, "country": {"IE"}, "currency": {"EUR"},
		"time_zone": {"Europe/Dublin"}, "name": {"Mara Lindqvist"}, "password": {password}})
	g.must("set-up", status, whole, http.StatusSeeOther)
	g.leaks.knows("the session", g.cookies["__Host-session"])

	status, whole = g.post("/account/second-step/app", nil)
	g.must("an app", status, whole, http.StatusSeeOther)
	_, whole = g.get("/account/second-step/app")
	shown := appKey.FindStringSubmatch(whole)
	if shown == nil {
		t.Fatalf("no key for an app in %s", whole)
	}
	key := strings.ReplaceAll(shown[1], " ", "")
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	g.leaks.knows("the app's key", key)
	g.leaks.knows("the app's key in bytes", string(raw))
	code, err := totp.GenerateCode(key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	status, whole = g.post("/account/second-step/app/confirm", url.Values{"code": {code}})
	for _, code := range codeShown.FindAllString(g.must("confirming", status, whole, http.StatusCreated), -1) {
		g.leaks.knows("recovery code "+code[:2], code)
	}
	status, whole = g.post("/o/"+slug+"/tokens", url.Values{"idempotency_key": {tenanttest.Random(8)}, "name": {"ours"}, "scopes": {"*:read", "*:write"}})
	if g.token = tokenShown.FindString(whole); g.token == "" {
		t.Fatalf("no token: %d %s", status, whole)
	}
	g.leaks.knows("the API token", g.token)
}

// made makes something through the API and gives its id.
func (g *guest) made(path string, body any) string {
	g.t.Helper()
	status, whole := g.call("POST", path, body)
	return idShown.FindStringSubmatch(g.must(path, status, whole, http.StatusCreated))[1]
}

// TestNoSecretLeaks makes every secret that there is, visits every route, sends the secrets to routes that do not
// want them, and looks for them in every answer, in the log, and in a dump of the database.
func TestNoSecretLeaks(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	slug := "leak-" + tenanttest.Random(6)
	g.settle(slug, tenanttest.Random(6)+"@tidewater.example", "nine grey herons wade past "+tenanttest.Random(4))
	customer := g.made("/v1/customers", map[string]any{"name": "Oyster Bay"})
	invoice := g.made("/v1/invoices", map[string]any{"customer_id": customer, "lines": []any{map[string]any{"description": "Rope", "quantity": "1", "unit_price": "100"}}})
	status, whole := g.call("POST", "/v1/invoices/"+invoice+"/issue", map[string]any{})
	g.must("issue", status, whole, http.StatusOK)

	look := func(where, text string) {
		for _, shown := range g.leaks.in(text) {
			t.Errorf("%s shows %s", where, shown)
		}
	}
	g.ownKey(slug)
	g.pay(slug, customer, invoice, look)
	visited := g.crawl(slug, look)
	if visited < 40 {
		t.Errorf("only %d pages were found", visited)
	}
	g.misplace(slug, customer, look)
	g.work(slug)
	g.export(slug, look)
	g.server.Identity.Flush()
	look("the log", g.leaks.logged())
	if len(g.leaks.logged()) < 1000 {
		t.Errorf("the log is %q", g.leaks.logged())
	}
	dump := g.dump(slug)
	look("the dump of the database", dump)
	for where, text := range map[string]string{"the log": g.leaks.logged(), "the dump of the database": dump} {
		if at := code.FindStringIndex(text); at != nil {
			t.Errorf("%s shows the security code: %s", where, text[max(0, at[0]-80):min(len(text), at[1]+80)])
		}
	}
	if !strings.Contains(dump, "Oyster Bay") || !strings.Contains(dump, "platform.totp") || strings.Count(dump, "local:v1:") < 7 || !strings.Contains(dump, "payments.reconcile") {
		t.Error("the dump lacks what it should have")
	}
}

// crawl follows every link from the organization's and the account's pages, and reads every route without parameters.
func (g *guest) crawl(slug string, look func(where, text string)) (visited int) {
	queue := []string{"/o/" + slug, "/account/security", "/account/second-step", "/sign-in", "/recover"}
	for _, r := range g.server.Routes() {
		path := strings.Replace(r.Path, ":slug", slug, 1)
		if r.Method == "GET" && !strings.Contains(path, ":") {
			queue = append(queue, path)
		}
	}
	seen := map[string]bool{}
	for ; len(queue) > 0 && visited < 400; queue = queue[1:] {
		path := queue[0]
		// The outbox of dev shows the mails, which is what it is for.
		if seen[path] || strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/static/") {
			continue
		}
		seen[path] = true
		visited++
		_, whole := g.get(path)
		look("GET "+path, whole)
		for _, link := range linkShown.FindAllStringSubmatch(whole, -1) {
			queue = append(queue, strings.ReplaceAll(link[1], "&amp;", "&"))
		}
	}
	return visited
}

// misplace sends the secrets where they do not belong, as a person pastes into the wrong field: to every route that
// takes something, as a form, as JSON, as broken JSON, and in the address.
func (g *guest) misplace(slug, id string, look func(where, text string)) {
	fields := []string{"password", "current", "new", "code", "name", "email", "slug", "reference", "secret", "key", "number", "iban",
		"card_number", "cvv", "webhook_secret", "account_number", "routing_number", "expires", "gateway_id", "instructions"}
	names := slices.Sorted(maps.Keys(g.leaks.secrets))
	object := func(turn int) map[string]any { // each field holds another secret each time
		o := map[string]any{}
		for i, name := range names {
			o[fields[(i+turn)%len(fields)]] = string(g.leaks.secrets[name])
		}
		return o
	}
	passwords := url.Values{}
	for _, field := range []string{"password", "current", "new", "current_password", "new_password", "code", "secret", "secret_key", "iban", "number", "card_number", "cvv", "key", "webhook_secret", "account_number", "routing_number"} {
		passwords.Set(field, string(g.leaks.secrets["the password"]))
	}
	for turn, r := range g.server.Routes() {
		path := strings.NewReplacer(":slug", slug, ":id", id).Replace(r.Path)
		// These end what the test still needs.
		if r.Method == "GET" || r.Method == "DELETE" || strings.Contains(path, ":") || strings.Contains(path, "sign-out") || strings.Contains(path, "sessions") {
			continue
		}
		if strings.HasPrefix(path, "/v1/") {
			status, whole := g.call(r.Method, path, object(turn))
			if status < 300 {
				continue // it took a name as it was meant: what it then shows is no secret of ours
			}
			look(r.Method+" "+path, whole)
			broken := httptest.NewRequest(r.Method, path, strings.NewReader(`{"name": "`+string(g.leaks.secrets["the API token"])+`"`))
			broken.Header.Set("Content-Type", "application/json")
			_, whole = g.send(broken)
			look(r.Method+" "+path+" with broken JSON", whole)
			continue
		}
		form := maps.Clone(passwords)
		if strings.HasPrefix(path, "/o/") {
			form.Del("code") // of a tax or an account: what was typed there is shown again, as it is meant
		}
		_, whole := g.post(path, form)
		look("POST "+path, whole)
	}
	for _, path := range []string{"/o/" + slug + "/customers?q=", "/nothing/"} {
		r := httptest.NewRequest("GET", path+url.QueryEscape(g.cookies["__Host-session"]), http.NoBody)
		g.send(r) // its page may repeat the search; the log must not
	}
}

// dump is what a backup holds of the platform and of the organization.
func (g *guest) dump(slug string) string {
	g.t.Helper()
	var schema string
	err := tenant.DoPlatform(g.t.Context(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		return tx.Get(g.t.Context(), &schema, `SELECT schema_name FROM platform.organization WHERE slug = $1`, slug)
	})
	if err != nil {
		g.t.Fatal(err)
	}
	u, err := url.Parse(pgtest.URL())
	if err != nil {
		g.t.Fatal(err)
	}
	u.Path = "/countinghouse"
	out, err := exec.Command(filepath.Join(pgtest.BinDir(), "pg_dump"), "--dbname="+u.String(), "--schema=platform", "--schema=jobs", "--schema="+schema).CombinedOutput()
	if err != nil {
		g.t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
