package fake

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/money"
)

// tolerance is how old a signed message may be: whoever kept one cannot send it for ever.
const tolerance = 5 * time.Minute

type client struct {
	base   string
	key    string
	secret string
	http   *http.Client
}

// NewClient speaks with the provider at base.
func NewClient(c gateway.Credentials, base string, h *http.Client) gateway.Gateway {
	return &client{base, c.Key, c.WebhookSecret, h}
}

// Client speaks with this provider without a socket; what it answers and when it cuts a connection is the same.
func (h *House) Client() *http.Client {
	return &http.Client{Transport: direct{h}, Timeout: 20 * time.Second}
}

type direct struct{ house *House }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	done := make(chan *http.Response, 1)
	go func() {
		defer close(done)
		defer func() {
			if cut := recover(); cut != nil && cut != http.ErrAbortHandler {
				panic(cut)
			}
		}()
		w := &answer{header: http.Header{}, status: http.StatusOK}
		d.house.ServeHTTP(w, r)
		done <- &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r}
	}()
	select {
	case response, answered := <-done:
		if !answered {
			return nil, io.ErrUnexpectedEOF
		}
		return response, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// call asks the provider; a refusal has its status.
func (c *client) call(ctx context.Context, method, path string, body, out any) (status int, err error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return 0, fmt.Errorf("writing an order: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(sent))
	if err != nil {
		return 0, fmt.Errorf("writing an order: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(r)
	if err != nil {
		return 0, gateway.ErrUnknown.Because(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return 0, gateway.ErrUnknown.Because(err)
	}
	switch {
	case response.StatusCode < 300:
		if err := json.Unmarshal(answer, out); err != nil {
			return 0, gateway.ErrUnknown.Because(err)
		}
		return response.StatusCode, nil
	case response.StatusCode == http.StatusUnauthorized:
		return response.StatusCode, gateway.ErrCredentials
	case response.StatusCode == http.StatusNotFound:
		return response.StatusCode, gateway.ErrNotThere
	case response.StatusCode >= 500:
		return response.StatusCode, gateway.ErrUnknown.Because(fmt.Errorf("answered %d", response.StatusCode))
	}
	return response.StatusCode, gateway.ErrRefused.Because(fmt.Errorf("answered %d", response.StatusCode))
}

func (c *client) order(ctx context.Context, path string, o order) (gateway.Charge, error) {
	var got charge
	if _, err := c.call(ctx, http.MethodPost, path, o, &got); err != nil {
		if errors.Is(err, gateway.ErrNotThere) {
			err = gateway.ErrRefused.Because(err)
		}
		return gateway.Charge{}, err
	}
	return got.read()
}

func (c *client) Checkout(ctx context.Context, o gateway.CheckoutOrder) (gateway.Charge, error) {
	return c.order(ctx, "/v1/pages", order{Key: o.Key, Amount: o.Amount.Minor, Currency: o.Amount.Currency.Code(), Title: o.Description, Back: o.Back, Keep: o.Keep})
}

func (c *client) Charge(ctx context.Context, o gateway.ChargeOrder) (gateway.Charge, error) {
	return c.order(ctx, "/v1/charges", order{Key: o.Key, Amount: o.Amount.Minor, Currency: o.Amount.Currency.Code(), Title: o.Description, Token: o.Card.Token})
}

// ChargeNumber makes it a gateway.NumberTaker.
func (c *client) ChargeNumber(ctx context.Context, o gateway.ChargeOrder) (gateway.Charge, error) {
	return c.order(ctx, "/v1/charges", order{Key: o.Key, Amount: o.Amount.Minor, Currency: o.Amount.Currency.Code(), Title: o.Description,
		Number: o.Card.Number.Digits(), Expires: o.Card.Number.Expires(), CVV: o.CVV.Digits()})
}

func (c *client) Cancel(ctx context.Context, ref string) (gateway.Charge, error) {
	var got charge
	if _, err := c.call(ctx, http.MethodPost, "/v1/pages/"+url.PathEscape(ref)+"/close", nil, &got); err != nil {
		return gateway.Charge{}, err
	}
	return got.read()
}

func (c *client) Refund(ctx context.Context, o gateway.RefundOrder) (gateway.Refund, error) {
	var got refund
	body := order{Key: o.Key, Amount: o.Amount.Minor, Currency: o.Amount.Currency.Code(), Charge: o.Charge}
	if _, err := c.call(ctx, http.MethodPost, "/v1/refunds", body, &got); err != nil {
		return gateway.Refund{}, err
	}
	return got.read()
}

func (c *client) FindCharge(ctx context.Context, q gateway.Query) (gateway.Charge, error) {
	var got charge
	if _, err := c.call(ctx, http.MethodGet, "/v1/charges?"+asking(q), nil, &got); err != nil {
		return gateway.Charge{}, err
	}
	return got.read()
}

func (c *client) FindRefund(ctx context.Context, q gateway.Query) (gateway.Refund, error) {
	var got refund
	if _, err := c.call(ctx, http.MethodGet, "/v1/refunds?"+asking(q), nil, &got); err != nil {
		return gateway.Refund{}, err
	}
	return got.read()
}

func asking(q gateway.Query) string { return url.Values{"key": {q.Key}, "ref": {q.Ref}}.Encode() }

// Receive believes a signed message as it stands: it tells how things were when it was written, which may be a while
// ago, and its reader must not mind the order.
func (c *client) Receive(_ context.Context, header http.Header, body []byte) (gateway.Event, error) {
	signed := header.Get(signatureHeader)
	stamp, _, _ := strings.Cut(strings.TrimPrefix(signed, "t="), ",")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || c.secret == "" {
		return gateway.Event{}, gateway.ErrSignature
	}
	at := time.Unix(seconds, 0)
	if age := time.Since(at); age > tolerance || age < -tolerance || !hmac.Equal([]byte(signed), []byte(sign(c.secret, at, body))) {
		return gateway.Event{}, gateway.ErrSignature
	}
	var m struct {
		Kind   string          `json:"kind"`
		Object json.RawMessage `json:"object"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return gateway.Event{}, gateway.ErrSignature.Because(err)
	}
	return readEvent(m.Kind, m.Object)
}

func readEvent(kind string, object json.RawMessage) (out gateway.Event, err error) {
	switch kind {
	case "charge":
		var c charge
		if err := json.Unmarshal(object, &c); err != nil {
			return out, fmt.Errorf("reading a message: %w", err)
		}
		read, err := c.read()
		return gateway.Event{Charge: &read}, err
	case "refund":
		var r refund
		if err := json.Unmarshal(object, &r); err != nil {
			return out, fmt.Errorf("reading a message: %w", err)
		}
		read, err := r.read()
		return gateway.Event{Refund: &read}, err
	case "dispute":
		var d dispute
		if err := json.Unmarshal(object, &d); err != nil {
			return out, fmt.Errorf("reading a message: %w", err)
		}
		currency, err := money.ParseCurrency(d.Currency)
		return gateway.Event{Dispute: &gateway.Dispute{Ref: d.ID, Charge: d.Charge, Reinstated: d.Reinstated,
			Amount: money.Amount{Minor: d.Amount, Currency: currency}, Fee: money.Amount{Minor: d.Fee, Currency: currency}}}, err
	}
	return out, nil
}

func (c charge) read() (gateway.Charge, error) {
	currency, err := money.ParseCurrency(c.Currency)
	out := gateway.Charge{Key: c.Key, Ref: c.ID, State: gateway.State(c.State), Amount: money.Amount{Minor: c.Amount, Currency: currency},
		Reason: c.Reason, URL: c.URL, Card: gateway.Card{Token: c.Token, Brand: c.Brand, LastFour: c.LastFour, Expires: c.Expires}}
	if c.Fee != 0 {
		out.Fee = money.Amount{Minor: c.Fee, Currency: currency}
	}
	return out, err
}

func (r refund) read() (gateway.Refund, error) {
	currency, err := money.ParseCurrency(r.Currency)
	return gateway.Refund{Key: r.Key, Ref: r.ID, Charge: r.Charge, State: gateway.State(r.State),
		Amount: money.Amount{Minor: r.Amount, Currency: currency}}, err
}
