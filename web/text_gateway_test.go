package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// phonesInTest seals as the tills of these tests do.
type phonesInTest struct{ calls *atomic.Int64 }

func (s phonesInTest) Seal(ctx context.Context, at phone.Place, plain []byte) (string, error) {
	return countingSealer(s).Seal(ctx, billing.Place(at), plain)
}

func (s phonesInTest) Open(ctx context.Context, at phone.Place, sealed string) ([]byte, error) {
	return countingSealer(s).Open(ctx, billing.Place(at), sealed)
}

// throughInTest sends by what an organization named, on this machine too.
func throughInTest(ctx context.Context, m phone.Post) error {
	g, err := notify.NewGateway(notify.GatewayOptions{API: string(m.Gateway.Kind), URL: m.Gateway.URL, Account: m.Gateway.Account, Token: m.Key, From: m.Gateway.Sender})
	if err != nil {
		return err
	}
	return g.Text(ctx, notify.SMS{To: m.To, Text: m.Say, Voice: m.Way == "call"})
}

// smsHouse is a gateway that keeps what it was sent, and answers as it is told.
type smsHouse struct {
	*httptest.Server
	status atomic.Int64
	mu     sync.Mutex
	heard  []string // path, number and text
}

func openSMSHouse(t testing.TB) *smsHouse {
	t.Helper()
	h := &smsHouse{}
	h.status.Store(http.StatusCreated)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.heard = append(h.heard, fmt.Sprint(r.URL.Path, " ", r.PostFormValue("To"), " ", r.PostFormValue("Body"), r.PostFormValue("Twiml")))
		h.mu.Unlock()
		w.WriteHeader(int(h.status.Load()))
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *smsHouse) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.heard...)
}

var testKey = regexp.MustCompile(`action="[^"]*/test"[^>]*>(?s:.*?)name="idempotency_key" value="([^"]+)"`)

func TestTextGatewayPages(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	house := openSMSHouse(t)
	at := func(more string) string { return o.path("/settings/text-gateways" + more) }
	if a := o.get(t, o.path("/settings/phone-check")); !strings.Contains(string(a.body), `href="`+at("")+`"`) {
		t.Fatalf("the phone check does not lead there: %s", a.body)
	}
	const secret = "unmistakable-token-3141"
	a := o.post(t, at(""), "kind", "twilio", "name", "Ours", "account", "AC1", "key", secret, "sender", "Tide water!", "sends", "call", "url", house.URL)
	if a.status != http.StatusUnprocessableEntity || strings.Contains(string(a.body), secret) {
		t.Fatalf("a bad sender: %d %s", a.status, a.body)
	}
	var made []string
	for _, name := range []string{"Ours", "Spare"} {
		a := o.post(t, at(""), "kind", "twilio", "name", name, "account", "AC1", "key", secret, "sender", "+353 86 000 0001", "sends", "text call", "url", house.URL)
		if a.status != http.StatusSeeOther {
			t.Fatalf("adding: %d %s", a.status, a.body)
		}
		made = append(made, a.header.Get("Location"))
	}
	t.Run("the page keeps the secret to itself", func(t *testing.T) {
		for _, path := range append(made, at("")) {
			if a := o.get(t, path); a.status != http.StatusOK || strings.Contains(string(a.body), secret) {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
	})
	t.Run("the order changes by a button", func(t *testing.T) {
		if a := o.post(t, made[1]+"/raise"); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
		body := string(o.get(t, at("")).body)
		if ours, spare := strings.Index(body, ">Ours<"), strings.Index(body, ">Spare<"); ours < 0 || spare < 0 || spare > ours {
			t.Errorf("the order is not another: %s", body)
		}
	})
	t.Run("a test goes out once, and what it met is told", func(t *testing.T) {
		key := testKey.FindSubmatch(o.get(t, made[0]).body)
		if key == nil {
			t.Fatal("there is no form for a test")
		}
		for range 2 {
			if a := o.post(t, made[0]+"/test", "idempotency_key", string(key[1]), "number", "+353861234567", "way", "call"); a.status != http.StatusSeeOther {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		if all := house.all(); len(all) != 1 || !strings.Contains(all[0], "Calls.json +353861234567") || !strings.Contains(all[0], "test of the text gateway Ours") {
			t.Errorf("it got %q", all)
		}
		house.status.Store(http.StatusUnauthorized)
		a := o.post(t, made[0]+"/test", "number", "+353861234567", "way", "text")
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "The gateway refused it") || !strings.Contains(string(a.body), "401") {
			t.Errorf("a refusal: %d %s", a.status, a.body)
		}
	})
	t.Run("it is turned off, and removed with its secret", func(t *testing.T) {
		for _, act := range []string{"/disable", "/remove"} {
			if a := o.post(t, made[0]+act); a.status != http.StatusSeeOther {
				t.Fatalf("%s: %d %s", act, a.status, a.body)
			}
		}
		if a := o.get(t, made[0]); a.status != http.StatusNotFound {
			t.Errorf("it is still there: %d", a.status)
		}
	})
}

func TestTextGatewayAPI(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	p, house := o.program, openSMSHouse(t)
	const secret = "unmistakable-token-2718"
	body := func(more ...string) map[string]any {
		b := map[string]any{"kind": "twilio", "name": "Ours", "url": house.URL, "account": "AC1", "key": secret, "sender": "+353860000001", "sends": "text call"}
		for i := 0; i < len(more); i += 2 {
			b[more[i]] = more[i+1]
		}
		return b
	}
	for name, c := range map[string]struct {
		body map[string]any
		code string
	}{
		"a query in the address": {body("url", house.URL+"/?to=x"), "text_gateway.url"},
		"another scheme":         {body("url", "ftp://sms.example"), "text_gateway.url"},
		"a path for an account":  {body("account", "../AC2"), "text_gateway.account"},
		"no secret":              {body("key", ""), "text_gateway.key"},
		"a header for a secret":  {body("key", "12345678\r\nX: y"), "text_gateway.key"},
		"calls by Vonage":        {body("kind", "vonage"), "text_gateway.sends"},
		"calls from a name":      {body("sender", "Tidewater"), "text_gateway.sender"},
	} {
		if a := p.call(t, "POST", "/v1/text-gateways", c.body); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), c.code) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	first := p.made(t, "/v1/text-gateways", body())
	second := p.made(t, "/v1/text-gateways", body("kind", "vonage", "name", "Spare", "sends", "text", "sender", "Tidewater"))
	if a := p.call(t, "PUT", "/v1/text-gateways/"+second+"/place", map[string]any{"place": 1}); a.status != http.StatusOK {
		t.Fatalf("moving: %d %s", a.status, a.body)
	}
	a := p.call(t, "GET", "/v1/text-gateways", nil)
	var found struct {
		Items []struct {
			ID, Hint, State string
			Place           int
		}
	}
	a.decode(t, &found)
	if len(found.Items) != 2 || found.Items[0].ID != second || found.Items[1].ID != first || found.Items[1].Place != 2 || found.Items[1].Hint != "2718" || strings.Contains(string(a.body), secret) {
		t.Errorf("the list: %s", a.body)
	}
	t.Run("the secret goes to no other address or account", func(t *testing.T) {
		for _, more := range [][]string{{"url", "https://elsewhere.example.com"}, {"account", "AC2"}} {
			b := body(append(more, "key", "")...)
			delete(b, "key")
			if a := p.call(t, "PUT", "/v1/text-gateways/"+first, b); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "text_gateway.key_anew") {
				t.Errorf("%v: %d %s", more, a.status, a.body)
			}
		}
		b := body("name", "Renamed")
		delete(b, "key")
		if a := p.call(t, "PUT", "/v1/text-gateways/"+first, b); a.status != http.StatusOK {
			t.Errorf("a new name: %d %s", a.status, a.body)
		}
	})
	t.Run("it is no payment gateway", func(t *testing.T) {
		for _, c := range [][2]string{{"GET", ""}, {"POST", "/archive"}, {"POST", "/address"}} {
			if a := p.call(t, c[0], "/v1/gateways/"+first+c[1], nil); a.status != http.StatusNotFound {
				t.Errorf("%v: %d %s", c, a.status, a.body)
			}
		}
		if a := p.call(t, "GET", "/v1/gateways", nil); strings.Contains(string(a.body), first) {
			t.Errorf("it is among them: %s", a.body)
		}
	})
	t.Run("a test says how it went", func(t *testing.T) {
		a := p.call(t, "POST", "/v1/text-gateways/"+first+"/test", map[string]any{"number": "+353861234567", "way": "text"})
		if a.status != http.StatusOK || !strings.Contains(string(a.body), `"outcome":"sent"`) || len(house.all()) != 1 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	tenanttest.AsOwner(t, tenanttest.Organization{Slug: o.slug}, `DO $$ BEGIN
		IF EXISTS (SELECT FROM gateway_account g WHERE g::text LIKE '%`+secret+`%') THEN RAISE EXCEPTION 'a secret in the clear'; END IF; END $$`)
	if a := p.call(t, "DELETE", "/v1/text-gateways/"+first, nil); a.status != http.StatusNoContent {
		t.Fatalf("removing: %d %s", a.status, a.body)
	}
	tenanttest.AsOwner(t, tenanttest.Organization{Slug: o.slug}, `DO $$ BEGIN
		IF EXISTS (SELECT FROM gateway_account WHERE id = '`+first+`' AND sealed <> '') THEN RAISE EXCEPTION 'its secret is still there'; END IF; END $$`)
}

// A customer in the portal gets the code by the organization's own gateways, in their order: the first refuses, the second
// sends it, and calls when they ask for a call. The operator's gateway hears of none of it.
func TestCustomersCodesGoByTheOrganizationsGateways(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	once, _, _ := o.sells(t)
	first, second := openSMSHouse(t), openSMSHouse(t)
	first.status.Store(http.StatusInternalServerError)
	for name, at := range map[string]*smsHouse{"First": first, "Second": second} {
		id := o.program.made(t, "/v1/text-gateways", map[string]any{"kind": "twilio", "name": name, "account": "AC1", "key": "unmistakable-token-3141",
			"sender": "+353860000001", "sends": "text call", "url": at.URL})
		if name == "First" {
			o.program.call(t, "PUT", "/v1/text-gateways/"+id+"/place", map[string]any{"place": 1})
		}
	}
	ines := o.buyer(t, allRights()...)
	o.askForNumbers(t, "before")
	var rules map[string]any
	o.program.call(t, "GET", "/v1/phone-check", nil).decode(t, &rules)
	rules["ways"] = "text call"
	delete(rules, "$schema")
	if a := o.program.call(t, "PUT", "/v1/phone-check", rules); a.status != http.StatusOK {
		t.Fatalf("phone check: %d %s", a.status, a.body)
	}
	ines.post(t, "/cart", "product", once, "quantity", "1")
	number := newNumber()
	a := ines.post(t, "/phone", "number", number, "next", "/", "way", "call")
	if a.status != http.StatusSeeOther {
		t.Fatalf("asking for a call: %d %s", a.status, a.body)
	}
	ines.get(t, a.header.Get("Location")).holds(t, "Type the code", "We are calling")
	refused, heard := first.all(), second.all()
	if len(refused) != 1 || len(heard) != 1 || !strings.Contains(heard[0], "Calls.json "+number) {
		t.Fatalf("the first heard %q and the second %q", refused, heard)
	}
	for _, m := range h.outbox.Texts() {
		if m.To == number {
			t.Error("the operator's gateway was used")
		}
	}
	digits := regexp.MustCompile(`\d`).FindAllString(strings.SplitN(heard[0], number, 2)[1], -1)
	if len(digits) < 6 {
		t.Fatalf("no code is told in %q", heard[0])
	}
	ines.post(t, "/phone/code", "code", strings.Join(digits[:6], ""), "next", "/")
	if stored := o.verified(t, ines.customer); stored != number {
		t.Errorf("%q is stored after the code of %q", stored, heard[0])
	}
}
