package fake_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/money"
)

const key = "practice_0123456789abcdef"

var eur = money.MustCurrency("EUR")

func euros(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: eur} }

// ways are the two to reach the provider: they must not differ.
func ways(t *testing.T, fn func(t *testing.T, h *fake.House, g gateway.Gateway)) {
	t.Helper()
	credentials := gateway.Credentials{Key: key, WebhookSecret: fake.SecretOf(key)}
	t.Run("over a socket", func(t *testing.T) {
		t.Parallel()
		h := fake.NewHouse()
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		h.Address = server.URL
		fn(t, h, fake.NewClient(credentials, server.URL, &http.Client{Timeout: 100 * time.Millisecond}))
	})
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		h := fake.NewHouse()
		client := h.Client()
		client.Timeout = 100 * time.Millisecond
		fn(t, h, fake.NewClient(credentials, "http://practice.example", client))
	})
}

func TestCards(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, h *fake.House, g gateway.Gateway) {
		for _, c := range []struct {
			card    string
			state   gateway.State
			err     error
			charged bool
		}{
			{fake.CardGood, gateway.Succeeded, nil, true},
			{fake.CardDeclined, gateway.Declined, nil, false},
			{fake.CardChallenge, gateway.Waiting, nil, false},
			{fake.CardLost, "", gateway.ErrUnknown, false},
			{fake.CardQueued, "", gateway.ErrUnknown, false},
			{fake.CardUnanswered, "", gateway.ErrUnknown, true},
			{fake.CardLate, "", gateway.ErrUnknown, true},
			{"card_of_nobody", "", gateway.ErrRefused, false},
		} {
			before := len(h.Movements(key))
			got, err := g.Charge(t.Context(), gateway.ChargeOrder{Key: "k-" + c.card, Amount: euros(10000), Card: gateway.Card{Token: c.card}})
			if !errors.Is(err, c.err) || got.State != c.state {
				t.Errorf("%s: %s, %v", c.card, got.State, err)
			}
			if charged := len(h.Movements(key)) > before; charged != c.charged {
				t.Errorf("%s: charged is %t", c.card, charged)
			}
			found, err := g.FindCharge(t.Context(), gateway.Query{Key: "k-" + c.card})
			if there := err == nil && found.State == gateway.Succeeded; there != c.charged {
				t.Errorf("%s: asked by key: %s, %v", c.card, found.State, err)
			}
		}
		if h.Arrive(key) != 1 {
			t.Error("the queued order did not arrive")
		}
		if found, err := g.FindCharge(t.Context(), gateway.Query{Key: "k-" + fake.CardQueued}); err != nil || found.State != gateway.Succeeded {
			t.Errorf("after it arrived: %+v, %v", found, err)
		}
	})
}

func TestAnOrderIsDoneOnceForItsKey(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, h *fake.House, g gateway.Gateway) {
		order := gateway.ChargeOrder{Key: "k", Amount: euros(10000), Card: gateway.Card{Token: fake.CardUnanswered}}
		if _, err := g.Charge(t.Context(), order); !errors.Is(err, gateway.ErrUnknown) {
			t.Fatal(err)
		}
		again, err := g.Charge(t.Context(), order)
		if err != nil || again.State != gateway.Succeeded || h.Balance(key)["EUR"] != 10000-165 {
			t.Errorf("ordered again: %+v, %v, balance %v", again, err, h.Balance(key))
		}
		order.Amount = euros(20000)
		if _, err := g.Charge(t.Context(), order); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("another order under the same key: %v", err)
		}
		refund := gateway.RefundOrder{Key: "r", Charge: again.Ref, Amount: euros(4000)}
		for range 2 {
			if got, err := g.Refund(t.Context(), refund); err != nil || got.State != gateway.Succeeded || got.Charge != again.Ref {
				t.Errorf("refund: %+v, %v", got, err)
			}
		}
		if got, err := g.FindRefund(t.Context(), gateway.Query{Key: "r", Charge: again.Ref}); err != nil || got.Amount != euros(4000) {
			t.Errorf("asked for the refund: %+v, %v", got, err)
		}
		if _, err := g.Refund(t.Context(), gateway.RefundOrder{Key: "r2", Charge: again.Ref, Amount: euros(6001)}); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("a refund of more than is left: %v", err)
		}
		if h.Balance(key)["EUR"] != 6000-165 {
			t.Errorf("balance %v", h.Balance(key))
		}
	})
}

func TestHostedPage(t *testing.T) {
	t.Parallel()
	h := fake.NewHouse()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.Address = server.URL
	g := fake.NewClient(gateway.Credentials{Key: key}, server.URL, server.Client())
	order := gateway.CheckoutOrder{Key: "p", Amount: euros(1250), Description: "Invoice <b>7</b>", Back: server.URL + "/?back"}
	page, err := g.Checkout(t.Context(), order)
	if err != nil || page.State != gateway.Waiting {
		t.Fatalf("%+v, %v", page, err)
	}
	pay := func(number string) string {
		response, err := server.Client().PostForm(page.URL, url.Values{"number": {number}})
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.Request.URL.String()
	}
	if at := pay("4000 0000 0000 0002"); at != page.URL {
		t.Errorf("after a declined card the customer is at %s", at)
	}
	if at := pay("4242 4242 4242 4242"); !strings.HasSuffix(at, "/?back") {
		t.Errorf("after paying the customer is at %s", at)
	}
	pay("4242 4242 4242 4242")
	got, err := g.Cancel(t.Context(), page.Ref)
	if err != nil || got.State != gateway.Succeeded || got.Card.Token != "" || got.Card.LastFour != "4242" {
		t.Errorf("called off after it was paid: %+v, %v", got, err)
	}
	if n := len(h.Movements(key)); n != 2 {
		t.Errorf("%d movements of one charge and its fee", n)
	}
	second, err := g.Checkout(t.Context(), gateway.CheckoutOrder{Key: "p2", Amount: euros(1)})
	if err != nil {
		t.Fatal(err)
	}
	if closed, err := g.Cancel(t.Context(), second.Ref); err != nil || closed.State != gateway.Expired || h.PayPage(second.Ref, fake.CardGood) {
		t.Errorf("called off: %+v, %v; or it could be paid on", closed, err)
	}
}

func TestReceiveBelievesOnlyWhatIsSignedLately(t *testing.T) {
	t.Parallel()
	h := fake.NewHouse()
	g := fake.NewClient(gateway.Credentials{Key: key, WebhookSecret: fake.SecretOf(key)}, "http://practice.example", h.Client())
	charged, err := g.Charge(context.Background(), gateway.ChargeOrder{Key: "k", Amount: euros(10000), Card: gateway.Card{Token: fake.CardGood}})
	if err != nil {
		t.Fatal(err)
	}
	if !h.Dispute(key, charged.Ref, false) || h.Dispute(key, charged.Ref, false) || !h.Dispute(key, charged.Ref, true) {
		t.Fatal("a charge is disputed once, and then won")
	}
	messages := h.Messages(key)
	if len(messages) != 3 {
		t.Fatalf("%d messages", len(messages))
	}
	var got []gateway.Event
	for _, m := range messages {
		e, err := g.Receive(t.Context(), m.Header, m.Body)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if got[0].Charge.Fee != euros(165) || got[1].Dispute.Amount != euros(10000) || got[1].Dispute.Fee != euros(1500) || !got[2].Dispute.Reinstated {
		t.Errorf("read as %+v", got)
	}
	first := messages[0]
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
	}{
		"unsigned":                  {http.Header{}, first.Body},
		"altered":                   {first.Header, []byte(strings.Replace(string(first.Body), "10000", "90000", 1))},
		"signed by another account": {fake.Sign("practice_another_account", time.Now(), first.Body), first.Body},
		"signed an hour ago":        {fake.Sign(key, time.Now().Add(-time.Hour), first.Body), first.Body},
		"signed for later":          {fake.Sign(key, time.Now().Add(time.Hour), first.Body), first.Body},
	} {
		if _, err := g.Receive(t.Context(), c.header, c.body); !errors.Is(err, gateway.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h.Balance(key)["EUR"] != 10000-165-1500 {
		t.Errorf("balance %v", h.Balance(key))
	}
}
