package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	smsAccount = "AC0123456789"
	smsSecret  = "gateway-secret-unmistakable"
	smsNumber  = "+353860123456"
)

// gatewayAt is a gateway whose requests the handler answers.
func gatewayAt(t *testing.T, timeout time.Duration, answer http.HandlerFunc) *Gateway {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	g, err := NewGateway(GatewayOptions{URL: server.URL, Account: smsAccount, Token: smsSecret, From: "+15005550006", Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGateway(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("sends a text as the gateway's API has it", func(t *testing.T) {
		t.Parallel()
		var form url.Values
		var path, user, password string
		g := gatewayAt(t, 0, func(w http.ResponseWriter, r *http.Request) {
			user, password, _ = r.BasicAuth()
			path = r.Method + " " + r.URL.Path
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			form = r.PostForm
			w.WriteHeader(http.StatusCreated)
		})
		if err := g.Text(ctx, SMS{To: smsNumber, Text: "Your code is 123456 & more"}); err != nil {
			t.Fatal(err)
		}
		want := url.Values{"To": {smsNumber}, "From": {"+15005550006"}, "Body": {"Your code is 123456 & more"}}
		if path != "POST /2010-04-01/Accounts/"+smsAccount+"/Messages.json" || user != smsAccount || password != smsSecret || form.Encode() != want.Encode() {
			t.Errorf("it sent %s as %s:%s: %v", path, user, password, form)
		}
	})
	t.Run("reads a code aloud, digit by digit, and lets no text write its own call", func(t *testing.T) {
		t.Parallel()
		var path, said string
		g := gatewayAt(t, 0, func(w http.ResponseWriter, r *http.Request) {
			path, said = r.URL.Path, r.PostFormValue("Twiml")
			w.WriteHeader(http.StatusCreated)
		})
		if err := g.Text(ctx, SMS{To: smsNumber, Text: "Code 123 <Dial>900</Dial>", Voice: true}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(path, "/Calls.json") || !strings.Contains(said, "Code 1, 2, 3 ") || strings.Contains(said, "<Dial>") {
			t.Errorf("%s says %s", path, said)
		}
	})
	t.Run("tells a refusal by status and code, and neither number nor secret", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			status     int
			body, want string
		}{
			{http.StatusBadRequest, `{"code": 21211, "message": "The 'To' number ` + smsNumber + ` is not valid"}`, "status 400, code 21211"},
			{http.StatusUnauthorized, smsNumber, "status 401"},
			{http.StatusBadGateway, "", "status 502"},
			{http.StatusFound, "", "status 302"},
		} {
			g := gatewayAt(t, 0, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			err := g.Text(ctx, SMS{To: smsNumber, Text: "Your code is 123456"})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("status %d: got %v", c.status, err)
			}
			for _, secret := range []string{smsNumber, smsSecret, smsAccount, "123456"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells %q: %v", secret, err)
				}
			}
		}
	})
	t.Run("waits no longer than it is told, and names no account when nobody is there", func(t *testing.T) {
		t.Parallel()
		gone := make(chan struct{})
		g := gatewayAt(t, 50*time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-gone:
			case <-r.Context().Done():
			}
		})
		t.Cleanup(func() { close(gone) }) // before the server is closed, which waits for its handlers
		err := g.Text(ctx, SMS{To: smsNumber, Text: "Your code is 123456"})
		if err == nil || strings.Contains(err.Error(), smsAccount) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("sends nothing that is malformed", func(t *testing.T) {
		t.Parallel()
		g := gatewayAt(t, 0, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s was sent", r.URL) })
		var box Outbox
		for _, m := range []SMS{
			{To: "0860123456", Text: "x"}, {To: "+0860123456", Text: "x"}, {To: "+35386012345678901", Text: "x"}, {To: "+353 86", Text: "x"},
			{To: "", Text: "x"}, {To: smsNumber}, {To: smsNumber, Text: " \n"}, {To: smsNumber, Text: strings.Repeat("x", 613)},
			{To: smsNumber, Text: "\xff"}, {To: smsNumber, Text: "a\x00b"}, {To: smsNumber + "\r\n", Text: "x"},
		} {
			if err := g.Text(ctx, m); !errors.Is(err, ErrMalformedSMS) {
				t.Errorf("%+v: got %v", m, err)
			}
			if err := box.Text(ctx, m); !errors.Is(err, ErrMalformedSMS) {
				t.Errorf("%+v in the outbox: got %v", m, err)
			}
		}
	})
}

func TestVonage(t *testing.T) {
	t.Parallel()
	var form url.Values
	var path, user, password, says string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		path = r.Method + " " + r.URL.Path
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		form = r.PostForm
		_, _ = w.Write([]byte(says))
	}))
	t.Cleanup(server.Close)
	g, err := NewGateway(GatewayOptions{API: Vonage, URL: server.URL, Account: "abcd1234", Token: smsSecret, From: "+15005550006"})
	if err != nil {
		t.Fatal(err)
	}
	for said, want := range map[string]string{
		`{"message-count":"1","messages":[{"to":"353860123456","status":"0"}]}`: "",
		`{"messages":[{"status":"4","error-text":"Bad Credentials"}]}`:          "refused 200 4",
		`{"messages":[{"status":"7"}]}`:                                         BadNumber + " 200 7",
		`{"messages":[{"status":"0"},{"status":"9"}]}`:                          Late + " 200 9", // a part of it went out
		`{"messages":[]}`: "refused 200", `<html>`: "refused 200", `{"messages":[{"status":"x"}]}`: "refused 200",
	} {
		says = said
		err := g.Text(t.Context(), SMS{To: smsNumber, Text: "Votre code : 123456 é"})
		var f *Failure
		if want == "" && err != nil || want != "" && (!errors.As(err, &f) || f.Outcome() != want) {
			t.Errorf("%s: %v, want %q", said, err, want)
		}
	}
	want := url.Values{"to": {smsNumber[1:]}, "from": {"15005550006"}, "text": {"Votre code : 123456 é"}, "type": {"unicode"}}
	if path != "POST /sms/json" || user != "abcd1234" || password != smsSecret || form.Encode() != want.Encode() {
		t.Errorf("it sent %s as %s:%s: %v", path, user, password, form)
	}
	if err := g.Text(t.Context(), SMS{To: smsNumber, Text: "x", Voice: true}); err == nil {
		t.Error("it makes a call")
	}
}

// A message that a gateway had whole is one that it may have sent.
func TestGatewayIsLateOnlyOnceItHadAll(t *testing.T) {
	t.Parallel()
	outcome := func(err error) string {
		var f *Failure
		if !errors.As(err, &f) {
			return fmt.Sprint(err)
		}
		return f.Outcome()
	}
	gone := make(chan struct{})
	slow := gatewayAt(t, 200*time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		select {
		case <-gone:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(gone) })
	m := SMS{To: smsNumber, Text: "x"}
	if got := outcome(slow.Text(t.Context(), m)); got != Late {
		t.Errorf("no answer: %s", got)
	}
	cut := gatewayAt(t, 0, func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		panic(http.ErrAbortHandler)
	})
	if got := outcome(cut.Text(t.Context(), m)); got != Late {
		t.Errorf("hung up: %s", got)
	}
	half := gatewayAt(t, 0, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("{"))
	})
	if got := outcome(half.Text(t.Context(), m)); got != Late+" 200" {
		t.Errorf("half an answer: %s", got)
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	nobody, err := NewGateway(GatewayOptions{URL: closed.URL, Account: smsAccount, Token: smsSecret, From: smsNumber})
	if err != nil {
		t.Fatal(err)
	}
	if got := outcome(nobody.Text(t.Context(), m)); got != Unreachable {
		t.Errorf("nobody there: %s", got)
	}
	// A listener that takes connections and never shakes hands had nothing of it.
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() })
	still, err := NewGateway(GatewayOptions{URL: "https://" + mute.Addr().String(), Account: smsAccount, Token: smsSecret, From: smsNumber, Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if got := outcome(still.Text(t.Context(), m)); got != Unreachable {
		t.Errorf("no handshake: %s", got)
	}
}

func TestNewGateway(t *testing.T) {
	t.Parallel()
	good := GatewayOptions{URL: "https://api.twilio.com", Account: smsAccount, Token: smsSecret, From: smsNumber}
	if _, err := NewGateway(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(o *GatewayOptions){
		"plain http":            func(o *GatewayOptions) { o.URL = "http://sms.example" },
		"no address":            func(o *GatewayOptions) { o.URL = "" },
		"a secret in the URL":   func(o *GatewayOptions) { o.URL = "https://a:b@sms.example" },
		"an API of nobody's":    func(o *GatewayOptions) { o.API = "pigeon" },
		"no account":            func(o *GatewayOptions) { o.Account = "" },
		"no token":              func(o *GatewayOptions) { o.Token = "" },
		"no number":             func(o *GatewayOptions) { o.From = "" },
		"a header in the token": func(o *GatewayOptions) { o.Token = "x\r\ny" },
	} {
		o := good
		spoil(&o)
		if _, err := NewGateway(o); err == nil {
			t.Errorf("%s was taken", name)
		} else if strings.Contains(err.Error(), smsSecret) {
			t.Errorf("%s: the error tells the secret", name)
		}
	}
}

func TestOutboxTexts(t *testing.T) {
	t.Parallel()
	var o Outbox
	for _, text := range []string{"first", "second"} {
		if err := o.Text(context.Background(), SMS{To: smsNumber, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if all := o.Texts(); len(all) != 2 || all[0].Text != "second" || all[0].At.IsZero() || len(o.All()) != 0 {
		t.Errorf("it holds %+v", all)
	}
}
