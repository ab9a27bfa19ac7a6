package phone_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/outward"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

const gatewaySecret = "unmistakable-gateway-secret"

type sealer struct{ keyring secrets.Keyring }

func (s sealer) Seal(ctx context.Context, at phone.Place, plain []byte) (string, error) {
	return s.keyring.Seal(ctx, secrets.Place(at), plain)
}

func (s sealer) Open(ctx context.Context, at phone.Place, sealed string) ([]byte, error) {
	return s.keyring.Open(ctx, secrets.Place(at), sealed)
}

// exchange is a gateway that answers in the way it is told, and what it was given to send.
type exchange struct {
	*httptest.Server
	gone chan struct{}
	mu   sync.Mutex
	says string
	got  []string // texts, and what calls say
}

// openExchange says "ok", "slow" (nothing at all), "cut" (it hangs up once it has read all), or what it answers: a status
// and a body.
func openExchange(t testing.TB, says string) *exchange {
	t.Helper()
	e := &exchange{says: says, gone: make(chan struct{})}
	e.Server = httptest.NewServer(http.HandlerFunc(e.answer))
	t.Cleanup(e.Close)
	t.Cleanup(func() { close(e.gone) }) // before the server is closed, which waits for its handlers
	return e
}

func (e *exchange) answer(w http.ResponseWriter, r *http.Request) {
	said := r.PostFormValue("Body") + r.PostFormValue("Twiml") + r.PostFormValue("text")
	e.mu.Lock()
	e.got = append(e.got, said)
	says := e.says
	e.mu.Unlock()
	switch says {
	case "ok":
		w.WriteHeader(http.StatusCreated)
	case "slow":
		select {
		case <-e.gone:
		case <-r.Context().Done():
		}
	case "cut":
		panic(http.ErrAbortHandler)
	default:
		var status int
		var body string
		if _, err := fmt.Sscanf(says, "%d %s", &status, &body); err != nil {
			panic(err)
		}
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func (e *exchange) heard() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.got)
}

func (e *exchange) say(says string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.says = says
}

// openGateways is an organization that may have gateways of its own, whose keys a real keyring keeps. The operator's are lent.
func openGateways(t *testing.T) *house {
	t.Helper()
	h := open(t)
	keyring, err := secrets.OpenLocal(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	if err := keyring.CreateKey(t.Context(), h.Scope.Organization().ID.String()); err != nil {
		t.Fatal(err)
	}
	client := outward.NewClient(outward.Options{Internal: true, Timeout: 400 * time.Millisecond})
	h.sender.Sealer, h.sender.Internal, h.sender.Through = sealer{keyring}, true, through(client)
	return h
}

func through(client *http.Client) func(ctx context.Context, m phone.Post) error {
	return func(ctx context.Context, m phone.Post) error {
		g, err := notify.NewGateway(notify.GatewayOptions{API: string(m.Gateway.Kind), URL: m.Gateway.URL, Account: m.Gateway.Account, Token: m.Key, From: m.Gateway.Sender, Client: client})
		if err != nil {
			return err
		}
		return g.Text(ctx, notify.SMS{To: m.To, Text: m.Say, Voice: m.Way == "call"})
	}
}

func (h *house) add(kind phone.GatewayKind, url, sends string) phone.Gateway {
	h.Helper()
	sealed, err := h.sender.SealGateway(h.Context(), h.Scope.Organization().ID, phone.GatewayInput{Kind: kind, Name: "Gateway " + tenanttest.Random(4), URL: url, Account: "AC1",
		Key: gatewaySecret, Sender: "+353860000001", Sends: sends})
	if err != nil {
		h.Fatal(err)
	}
	var g phone.Gateway
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		g, err = phone.AddGateway(ctx, tx, sealed)
		return err
	})
	return g
}

// outcomes are how the tries went, with their ways.
func outcomes(out phone.Sent) (all []string) {
	for _, t := range out.Tries {
		all = append(all, t.Way+": "+t.Outcome)
	}
	return all
}

func TestTheNextGatewayTakesOver(t *testing.T) {
	t.Parallel()
	const both = "text call"
	refused := httptest.NewServer(http.NotFoundHandler())
	refused.Close()
	for name, c := range map[string]struct {
		first string // what it says; "refused" is that nobody is there
		sends string
		fails error
		tries []string // by the first, then the second
		heard [2]int
	}{
		"the first takes it":                       {"ok", both, nil, []string{"text: sent"}, [2]int{1, 0}},
		"an error of the gateway's":                {"500 {}", both, nil, []string{"text: refused 500", "text: sent"}, [2]int{1, 1}},
		"nobody there":                             {"refused", both, nil, []string{"text: unreachable", "text: sent"}, [2]int{0, 1}},
		"a wrong secret":                           {`401 {"code":20003}`, both, nil, []string{"text: refused 401 20003", "text: sent"}, [2]int{1, 1}},
		"an account that may not send there":       {`400 {"code":21408}`, both, nil, []string{"text: refused 400 21408", "text: sent"}, [2]int{1, 1}},
		"an answer that is none":                   {`429 <html>`, both, nil, []string{"text: refused 429", "text: sent"}, [2]int{1, 1}},
		"elsewhere":                                {"302 {}", both, nil, []string{"text: refused 302", "text: sent"}, [2]int{1, 1}},
		"no answer":                                {"slow", both, nil, []string{"text: late"}, [2]int{1, 0}},
		"hung up on":                               {"cut", both, nil, []string{"text: late"}, [2]int{1, 0}},
		"no answer behind it":                      {"504 {}", both, nil, []string{"text: late 504"}, [2]int{1, 0}},
		"a number that is none":                    {`400 {"code":21211}`, both, phone.ErrNumber, []string{"text: number 400 21211"}, [2]int{1, 0}},
		"a number that takes no texts":             {`400 {"code":21614}`, both, nil, []string{"text: texts 400 21614", "call: texts 400 21614", "call: sent"}, [2]int{2, 1}},
		"a number that takes none, and no calls":   {`400 {"code":21614}`, "text", phone.ErrNumber, []string{"text: texts 400 21614"}, [2]int{1, 0}},
		"a body that would fill the memory, cut":   {`500 ` + strings.Repeat("x", 1<<17), both, nil, []string{"text: refused 500", "text: sent"}, [2]int{1, 1}},
		"an unsubscribed number is not gone round": {`400 {"code":21610}`, "text", phone.ErrNumber, []string{"text: texts 400 21610"}, [2]int{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openGateways(t)
			first, second := openExchange(t, c.first), openExchange(t, "ok")
			at := first.URL
			if c.first == "refused" {
				at = refused.URL
			}
			h.add(phone.Twilio, at, c.sends)
			h.add(phone.Twilio, second.URL, c.sends)
			to := number()
			out, err := h.ask(h.customer(), to, "192.0.2.1", "")
			if !errors.Is(err, c.fails) || !slices.Equal(outcomes(out), c.tries) {
				t.Errorf("%v, %q", err, outcomes(out))
			}
			if first.heard() != c.heard[0] || second.heard() != c.heard[1] {
				t.Errorf("the first was given %q, the second %q", first.got, second.got)
			}
			if len(h.sent) != 0 {
				t.Errorf("the operator's gateway sent %q for an organization with its own", h.sent)
			}
			told := fmt.Sprint(out, err, errors.Unwrap(err))
			for _, secret := range append([]string{to, to[1:], gatewaySecret}, sixDigits.FindAllString(strings.Join(append(first.got, second.got...), " "), -1)...) {
				if strings.Contains(told, secret) {
					t.Errorf("it tells %q: %s", secret, told)
				}
			}
		})
	}
}

// Where nobody knows whether a code went out, it goes out by nobody else; the next code begins with the next gateway.
func TestALateGatewaySendsNothingTwice(t *testing.T) {
	t.Parallel()
	h := openGateways(t)
	late, spare := openExchange(t, "slow"), openExchange(t, "ok")
	h.add(phone.Twilio, late.URL, "text")
	h.add(phone.Twilio, spare.URL, "text")
	c, to := h.customer(), number()
	out, err := h.ask(c, to, "192.0.2.2", "")
	if err != nil || out.Way != "text" || late.heard() != 1 || spare.heard() != 0 {
		t.Fatalf("%+v, %v: %d and %d", out, err, late.heard(), spare.heard())
	}
	if _, err := h.ask(c, to, "192.0.2.2", ""); !errors.Is(err, phone.ErrSoon) {
		t.Errorf("asked again at once: %v", err)
	}
	if refused := h.confirm(c, sixDigits.FindString(late.got[0])); refused != nil {
		t.Errorf("the code of the late one, should it arrive: %v", refused)
	}
	h.clock.Advance(2 * time.Minute)
	if out, err := h.ask(h.customer(), number(), "192.0.2.2", ""); err != nil || late.heard() != 1 || spare.heard() != 1 || out.Tries[0].Outcome != "sent" {
		t.Errorf("the next code: %+v, %v: %d and %d", out, err, late.heard(), spare.heard())
	}
	late.say("ok")
	h.clock.Advance(5 * time.Minute)
	if _, err := h.ask(h.customer(), number(), "192.0.2.2", ""); err != nil || late.heard() != 2 {
		t.Errorf("when it is well again, it is first again: %v, %d", err, late.heard())
	}
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := phone.Gateways(ctx, tx)
		if err == nil && (all[0].Trouble != "" || all[0].TroubleAt != nil || all[1].Trouble != "") {
			t.Errorf("they are still in trouble: %+v", all)
		}
		return err
	})
}

func TestAllGatewaysFail(t *testing.T) {
	t.Parallel()
	h := openGateways(t)
	for range 3 {
		h.add(phone.Twilio, openExchange(t, "503 {}").URL, "text call")
	}
	started := time.Now()
	out, err := h.ask(h.customer(), number(), "192.0.2.3", "")
	if !errors.Is(err, phone.ErrUnsent) || len(out.Tries) != 6 || len(h.sent) != 0 {
		t.Errorf("%v: %q, and the operator's sent %q", err, outcomes(out), h.sent)
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	h.sender.Through = func(ctx context.Context, _ phone.Post) error {
		if until, ok := ctx.Deadline(); !ok || time.Until(until) > 20*time.Second {
			t.Error("a try has no end")
		}
		return errors.New("no")
	}
	if _, err := h.ask(h.customer(), number(), "192.0.2.3", ""); !errors.Is(err, phone.ErrUnsent) {
		t.Error(err)
	}
}

func TestTheCustomerMayAskForACall(t *testing.T) {
	t.Parallel()
	h := openGateways(t)
	texts, calls := openExchange(t, "ok"), openExchange(t, "ok")
	h.add(phone.Twilio, texts.URL, "text")
	spoken := h.add(phone.Twilio, calls.URL, "call")
	ways := func() (ways []string) {
		h.do(func(ctx context.Context, tx *tenant.Tx) error {
			r, err := phone.LoadRules(ctx, tx)
			if err == nil {
				ways, err = h.sender.Ways(ctx, tx, r)
			}
			return err
		})
		return ways
	}
	if got := ways(); !slices.Equal(got, []string{"text", "call"}) {
		t.Fatalf("offered are %q", got)
	}
	c := h.customer()
	if out, err := h.ask(c, number(), "192.0.2.4", "call"); err != nil || out.Way != "call" || texts.heard() != 0 || calls.heard() != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	digits := strings.ReplaceAll(calls.got[0], ", ", "")
	if refused := h.confirm(c, sixDigits.FindString(digits)); refused != nil {
		t.Errorf("the code that was read aloud: %v in %s", refused, calls.got[0])
	}
	h.set(func(r *phone.Rules) { r.Ways = "text" })
	if out, err := h.ask(h.customer(), number(), "192.0.2.4", "call"); err != nil || out.Way != "text" || !slices.Equal(ways(), []string{"text"}) {
		t.Errorf("a call where the organization makes none: %+v, %v", out, err)
	}
	h.set(func(r *phone.Rules) { r.Ways = "text call" })
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := phone.TurnGateway(ctx, tx, spoken.ID, false)
		return err
	})
	if got := ways(); !slices.Equal(got, []string{"text"}) {
		t.Errorf("with that one off, offered are %q", got)
	}
}

func TestTheOperatorsGatewayIsForThoseWithoutOne(t *testing.T) {
	t.Parallel()
	h := openGateways(t)
	house := openExchange(t, "ok")
	if out, err := h.ask(h.customer(), number(), "192.0.2.5", ""); err != nil || len(h.sent) != 1 || !out.Tries[0].Gateway.IsZero() {
		t.Fatalf("without a gateway of its own: %+v, %v", out, err)
	}
	own := h.add(phone.Vonage, house.URL, "text")
	house.say(`200 {"messages":[{"status":"0"}]}`)
	if _, err := h.ask(h.customer(), number(), "192.0.2.5", ""); err != nil || len(h.sent) != 1 || house.heard() != 1 {
		t.Errorf("with one: %v, %q", err, h.sent)
	}
	turn := func(on bool) {
		h.do(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := phone.TurnGateway(ctx, tx, own.ID, on)
			return err
		})
	}
	turn(false)
	if _, err := h.ask(h.customer(), number(), "192.0.2.5", ""); err != nil || len(h.sent) != 2 || house.heard() != 1 {
		t.Errorf("with one that is off: %v, %q", err, h.sent)
	}
	h.sender.Text = nil // the operator lends nothing
	if _, err := h.ask(h.customer(), number(), "192.0.2.5", ""); !errors.Is(err, phone.ErrUnsent) {
		t.Errorf("and where that is not lent: %v", err)
	}
	turn(true)
	if _, err := h.ask(h.customer(), number(), "192.0.2.5", ""); err != nil || house.heard() != 2 {
		t.Errorf("its own does not need it: %v", err)
	}
}

func TestGatewaySecretsStaySealed(t *testing.T) {
	t.Parallel()
	h := openGateways(t)
	house := openExchange(t, "ok")
	one, other := h.add(phone.Twilio, house.URL, "text"), h.add(phone.Twilio, house.URL, "text")
	tenanttest.AsOwner(t, h.Organization, `DO $$ BEGIN
		IF (SELECT count(*) FROM gateway_account WHERE sealed <> '') <> 2 THEN RAISE EXCEPTION 'nothing is sealed'; END IF;
		IF EXISTS (SELECT FROM gateway_account g WHERE g::text LIKE '%`+gatewaySecret+`%') OR EXISTS (SELECT FROM audit_log a WHERE a::text LIKE '%`+gatewaySecret+`%')
			THEN RAISE EXCEPTION 'a secret in the clear'; END IF; END $$`)
	// Whoever has the database cannot have another account's secret sent to an address of their own.
	tenanttest.AsOwner(t, h.Organization, fmt.Sprintf(`UPDATE gateway_account SET sealed = (SELECT sealed FROM gateway_account WHERE id = '%s') WHERE id = '%s'`, other.ID, one.ID))
	out, err := h.ask(h.customer(), number(), "192.0.2.6", "")
	if err != nil || !slices.Equal(outcomes(out), []string{"text: sealed", "text: sent"}) || house.heard() != 1 {
		t.Errorf("%v, %q", err, outcomes(out))
	}
	h.do(func(ctx context.Context, tx *tenant.Tx) error { return phone.RemoveGateway(ctx, tx, other.ID) })
	tenanttest.AsOwner(t, h.Organization, fmt.Sprintf(`DO $$ BEGIN IF EXISTS (SELECT FROM gateway_account WHERE id = '%s' AND sealed <> '')
		THEN RAISE EXCEPTION 'a removed one keeps its secret'; END IF; END $$`, other.ID))
}

func TestGatewaysKeepOutOfNetworks(t *testing.T) {
	t.Parallel()
	h := openGateways(t)
	house := openExchange(t, "ok")
	h.add(phone.Twilio, house.URL, "text") // in the days when it was on the public internet
	h.sender.Through, h.sender.Internal = through(outward.NewClient(outward.Options{Timeout: time.Second})), false
	out, err := h.ask(h.customer(), number(), "192.0.2.7", "")
	if !errors.Is(err, phone.ErrUnsent) || !slices.Equal(outcomes(out), []string{"text: internal"}) || house.heard() != 0 {
		t.Errorf("%v, %q", err, outcomes(out))
	}
	for _, url := range []string{"http://sms.example.com", house.URL, "https://127.0.0.1", "https://[::1]", "https://[::ffff:10.0.0.1]", "https://localhost", "https://metadata.internal",
		"https://169.254.169.254", "https://a:b@sms.example.com", "https://sms.example.com/?x=y", "https://sms.example.com/#x", "file:///etc/passwd", "sms.example.com"} {
		_, err := h.sender.SealGateway(t.Context(), h.Scope.Organization().ID, phone.GatewayInput{Kind: phone.Twilio, Name: "In", URL: url, Account: "AC1", Key: gatewaySecret,
			Sender: "+353860000001", Sends: "text"})
		if !errors.Is(err, phone.ErrGatewayURL) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestGatewaysHaveAnOrder(t *testing.T) {
	t.Parallel()
	h := openGateways(t)
	var ids []phone.GatewayID
	for range 4 {
		ids = append(ids, h.add(phone.Twilio, "", "text").ID)
	}
	order := func() (all []int) {
		h.do(func(ctx context.Context, tx *tenant.Tx) error {
			found, err := phone.Gateways(ctx, tx)
			all = nil
			for n, g := range found {
				if g.Turn != n+1 || g.URL != "https://api.twilio.com" {
					t.Errorf("at %d is %+v", n, g)
				}
				all = append(all, slices.Index(ids, g.ID))
			}
			return err
		})
		return all
	}
	move := func(i, place int) error {
		return h.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := phone.MoveGateway(ctx, tx, ids[i], place)
			return err
		})
	}
	for _, c := range []struct {
		i, place int
		want     []int
	}{{3, 1, []int{3, 0, 1, 2}}, {3, 4, []int{0, 1, 2, 3}}, {1, 3, []int{0, 2, 1, 3}}, {0, 1, []int{0, 2, 1, 3}}} {
		if err := move(c.i, c.place); err != nil || !slices.Equal(order(), c.want) {
			t.Errorf("%d to %d: %v, %v", c.i, c.place, order(), err)
		}
	}
	for _, place := range []int{0, 5, -1} {
		if err := move(0, place); !errors.Is(err, phone.ErrGatewayPlace) {
			t.Errorf("to %d: %v", place, err)
		}
	}
	h.do(func(ctx context.Context, tx *tenant.Tx) error { return phone.RemoveGateway(ctx, tx, ids[2]) })
	if got := order(); !slices.Equal(got, []int{0, 1, 3}) {
		t.Errorf("without one: %v", got)
	}
	if err := move(2, 1); !errors.Is(err, phone.ErrGatewayNotFound) {
		t.Errorf("moving what is gone: %v", err)
	}
}
