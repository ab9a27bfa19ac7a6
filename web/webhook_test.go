package web_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/webhook"
)

// webhooksInTest seals as the tills of these tests do.
type webhooksInTest struct{ calls *atomic.Int64 }

func (s webhooksInTest) Seal(ctx context.Context, at webhook.Place, plain []byte) (string, error) {
	return countingSealer(s).Seal(ctx, billing.Place(at), plain)
}

func (s webhooksInTest) Open(ctx context.Context, at webhook.Place, sealed string) ([]byte, error) {
	return countingSealer(s).Open(ctx, billing.Place(at), sealed)
}

var webhookSecret = regexp.MustCompile(`whsec_[A-Za-z0-9+/]{43}=`)

func TestWebhookPages(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	at := o.path("/settings/webhooks")
	for name, form := range map[string][]string{
		"inside":   {"name", "Shop", "url", "https://169.254.169.254/latest", "events", "*"},
		"plain":    {"name", "Shop", "url", "http://hooks.example.com/", "events", "*"},
		"nothing":  {"name", "Shop", "url", "https://hooks.example.com/"},
		"unknown":  {"name", "Shop", "url", "https://hooks.example.com/", "events", "everything"},
		"nameless": {"name", "", "url", "https://hooks.example.com/", "events", "*"},
	} {
		if a := o.post(t, at, append(form, "idempotency_key", "k-"+name)...); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), `class="form-errors"`) {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	form := []string{"idempotency_key", "add", "name", "Shop <b>", "url", "https://hooks.example.com/a", "events", "invoice.paid"}
	made := o.post(t, at, form...)
	secret := webhookSecret.FindString(strings.ReplaceAll(string(made.body), "&#43;", "+"))
	found := regexp.MustCompile(`/settings/webhooks/([0-9a-f-]{36})"`).FindSubmatch(made.body)
	if made.status != http.StatusCreated || secret == "" || found == nil {
		t.Fatalf("%d %s", made.status, made.body)
	}
	one := at + "/" + string(found[1])
	if again := o.post(t, at, form...); again.status != http.StatusCreated || webhookSecret.Match(again.body) || !strings.Contains(string(again.body), "a moment ago") {
		t.Errorf("the form that came twice: %d", again.status)
	}
	for _, path := range []string{at, one, one + "/edit", one + "/rotate"} {
		a := o.get(t, path)
		if a.status != http.StatusOK || strings.Contains(string(a.body), "whsec_") || !strings.Contains(string(a.body), "Shop &lt;b&gt;") {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	wantRedirect(t, "a test", o.post(t, one+"/test", "idempotency_key", "test"), one)
	o.get(t, one).holds(t, "webhook.test", "Not tried yet", "Try now", "invoice.paid")
	wantRedirect(t, "a change", o.post(t, one, "idempotency_key", "change", "version", "1", "name", "Shop", "url", "https://hooks.example.com/b", "events", "*"), one)
	o.get(t, one).holds(t, "https://hooks.example.com/b", "It is told of everything")
	if a := o.post(t, one, "idempotency_key", "late", "version", "1", "name", "Late", "url", "https://hooks.example.com/c", "events", "*"); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
		t.Errorf("a change of what somebody changed meanwhile: %d", a.status)
	}
	fresh := o.post(t, one+"/rotate", "idempotency_key", "rotate", "overlap_hours", "24")
	if now := webhookSecret.FindString(strings.ReplaceAll(string(fresh.body), "&#43;", "+")); fresh.status != http.StatusOK || now == "" || now == secret {
		t.Errorf("a new secret: %d %s", fresh.status, fresh.body)
	}
	wantRedirect(t, "turning off", o.post(t, one+"/disable", "idempotency_key", "off"), one)
	o.get(t, one).holds(t, "turned off by hand")
	wantRedirect(t, "turning on", o.post(t, one+"/enable", "idempotency_key", "on"), one)
	wantRedirect(t, "removing", o.post(t, one+"/remove", "idempotency_key", "remove"), at)
	if a := o.get(t, one); a.status != http.StatusNotFound {
		t.Errorf("after that: %d", a.status)
	}
	o.get(t, o.path("/activity")).holds(t, "rotated a webhook", "disabled a webhook")
}

func TestWebhookAPI(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	p := o.program
	body := map[string]any{"name": "Shop", "url": "https://hooks.example.com/a", "events": []string{"invoice.paid", "quote.accepted"}}
	type made struct {
		ID, Secret, State, URL string
		Events                 []string
	}
	var first, again, seen made
	a := p.call(t, "POST", "/v1/webhooks", body, "Idempotency-Key", "one")
	a.decode(t, &first)
	if a.status != http.StatusCreated || !webhookSecret.MatchString(first.Secret) || first.State != "on" || len(first.Events) != 2 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	p.call(t, "POST", "/v1/webhooks", body, "Idempotency-Key", "one").decode(t, &again)
	p.call(t, "GET", "/v1/webhooks/"+first.ID, nil).decode(t, &seen)
	if again.ID != first.ID || again.Secret != "" || seen.Secret != "" || seen.URL != "https://hooks.example.com/a" {
		t.Errorf("again %+v, seen %+v", again, seen)
	}
	at := "/v1/webhooks/" + first.ID
	var delivery struct {
		ID, State, Event string
		Message          string `json:"webhook_id"`
	}
	if a := p.call(t, "POST", at+"/test", nil); a.status != http.StatusAccepted {
		t.Fatalf("test: %d %s", a.status, a.body)
	}
	var log struct{ Items []struct{ ID string } }
	p.call(t, "GET", at+"/deliveries", nil).decode(t, &log)
	if len(log.Items) != 1 {
		t.Fatalf("%d messages in the log", len(log.Items))
	}
	p.call(t, "POST", at+"/deliveries/"+log.Items[0].ID+"/replay", nil).decode(t, &delivery)
	if delivery.State != "pending" || delivery.Event != "webhook.test" || delivery.Message != "msg_"+strings.ReplaceAll(log.Items[0].ID, "-", "") {
		t.Errorf("%+v", delivery)
	}
	var rotated made
	p.call(t, "POST", at+"/rotate", map[string]any{"overlap_hours": 1}).decode(t, &rotated)
	if !webhookSecret.MatchString(rotated.Secret) || rotated.Secret == first.Secret {
		t.Errorf("%+v", rotated)
	}
	for name, c := range map[string]struct {
		method, path string
		body         any
		status       int
		code         string
	}{
		"an overlap of weeks": {"POST", at + "/rotate", map[string]any{"overlap_hours": 169}, 422, "webhook.overlap"},
		"an address inside":   {"POST", "/v1/webhooks", map[string]any{"name": "In", "url": "https://[::ffff:127.0.0.1]/", "events": []string{"*"}}, 422, "url.unusable"},
		"an unknown event":    {"PUT", at, map[string]any{"name": "Shop", "url": "https://hooks.example.com/", "events": []string{"x"}}, 422, "webhook.events"},
	} {
		a := p.call(t, c.method, c.path, c.body)
		if a.status != c.status || a.problem(t).Code != c.code {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	p.call(t, "POST", at+"/disable", nil).decode(t, &seen)
	if seen.State != "off" {
		t.Errorf("%+v", seen)
	}
	if a := p.call(t, "POST", at+"/test", nil); a.status != http.StatusConflict || a.problem(t).Code != "webhook.disabled" {
		t.Errorf("a test of one that is off: %d", a.status)
	}
	var events struct{ Items []struct{ Name string } }
	p.call(t, "GET", "/v1/webhook-events", nil).decode(t, &events)
	if len(events.Items) < 15 {
		t.Errorf("%d events", len(events.Items))
	}
	if a := p.call(t, "DELETE", at, nil); a.status != http.StatusNoContent {
		t.Errorf("removing: %d", a.status)
	}
}
