package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load is people and programs at work.
type load struct {
	record  *record
	pace    time.Duration // of each between two writes
	posting int           // how many post

	failed, acknowledged, signedUp, kept atomic.Int64
	last                                 atomic.Int64 // when something was acknowledged, in nanoseconds
	done                                 chan struct{}
	under                                sync.WaitGroup
	mu                                   sync.Mutex
	err                                  error // what no fault explains
}

// books is an organization that programs write in.
type books struct {
	slug, token, customer, invoice string
	bank, income                   string // accounts
}

// errNoMail is a sign-up whose mail was not sent though the page says so, as it says of the fourth within an hour: earlier
// ones were lost with a server. A person takes another address, or waits.
var errNoMail = errors.New("no mail came")

const password = "nine grey herons wade past the mill"

func word() string { return strings.ToLower(rand.Text()[:16]) }

// begin opens two organizations' books by the front door and lets the programs loose in them.
func (l *load) begin(ctx context.Context, w *world) error {
	var houses [2]books
	for i := range houses {
		c := newCaller(w, i)
		var err error
		if houses[i], err = l.open(ctx, w, c); err != nil {
			return fmt.Errorf("before any fault: %w", err)
		}
	}
	l.done = make(chan struct{})
	again := func(at int, do func(c *caller, house books, n int) error) {
		l.under.Go(func() {
			c := newCaller(w, at%2)
			for n := 0; ; n++ {
				if err := do(c, houses[at/2%2], n); err != nil {
					l.mu.Lock()
					l.err = errors.Join(l.err, err)
					l.mu.Unlock()
					return
				}
				select {
				case <-l.done:
					return
				case <-time.After(l.pace):
				}
			}
		})
	}
	for at := range l.posting {
		again(at, func(c *caller, house books, _ int) error { return l.post(ctx, c, house) })
	}
	for at := range 2 {
		again(2*at, func(c *caller, house books, _ int) error { return l.pay(ctx, c, house) })
	}
	again(1, func(c *caller, house books, _ int) error { return l.keepAccount(ctx, c, house) })
	again(2, func(c *caller, _ books, n int) error {
		if n >= 40 { // each is a schema: enough is enough
			<-l.done
			return nil
		}
		if _, _, err := l.signUp(ctx, w, c); !errors.Is(err, errNoMail) {
			return err
		}
		return nil
	})
	return nil
}

// end lets each write that is under way have its answer, and says what went wrong.
func (l *load) end(ctx context.Context) error {
	close(l.done)
	l.under.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(ctx.Err(), l.err)
}

func (l *load) wrong() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// once tries one write until it is answered, and keeps it on record before and after.
func (l *load) once(n note, try func() error) error {
	if err := l.record.add(n); err != nil {
		return err
	}
	if err := try(); err != nil {
		return err
	}
	n.Acknowledged = true
	if err := l.record.add(n); err != nil {
		return err
	}
	l.acknowledged.Add(1)
	l.last.Store(time.Now().UnixNano())
	return nil
}

type amount struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

func (l *load) post(ctx context.Context, c *caller, house books) error {
	tag := word()
	cents := amount{fmt.Sprintf("%d.%02d", 1+tag[0]%9, tag[1]%100), "EUR"}
	return l.once(note{Kind: posting, Organization: house.slug, Tag: tag}, func() error {
		_, err := c.until(ctx, ask{method: "POST", path: "/v1/journal-entries", token: house.token, key: tag, body: map[string]any{
			"date": time.Now().UTC().Format(time.DateOnly), "description": tag,
			"lines": []map[string]any{{"account_id": house.bank, "debit": cents}, {"account_id": house.income, "credit": cents}},
		}})
		return err
	})
}

func (l *load) pay(ctx context.Context, c *caller, house books) error {
	tag := word()
	return l.once(note{Kind: payment, Organization: house.slug, Tag: tag}, func() error {
		_, err := c.until(ctx, ask{method: "POST", path: "/v1/payments", token: house.token, key: tag, body: map[string]any{
			"invoice_id": house.invoice, "amount": amount{"0.01", "EUR"}, "method": "bank_transfer", "reference": tag,
			"date": time.Now().UTC().Format(time.DateOnly),
		}})
		return err
	})
}

// keepAccount keeps a bank account, which the keyring seals, for a customer who has no other.
func (l *load) keepAccount(ctx context.Context, c *caller, house books) error {
	var made struct{ ID string }
	name := word()
	if err := c.read(ctx, ask{method: "POST", path: "/v1/customers", token: house.token, key: name, body: map[string]string{"name": name}}, &made); err != nil {
		return err
	}
	err := l.once(note{Kind: account, Organization: house.slug, Tag: made.ID}, func() error {
		_, err := c.until(ctx, ask{method: "POST", path: "/v1/payment-methods", token: house.token, key: "bank-" + name, body: map[string]string{
			"customer_id": made.ID, "kind": "us_bank", "routing_number": "021000021", "account_number": "123456789"}})
		return err
	})
	l.kept.Add(1)
	return err
}

// signUp opens an organization's books as a person does who tries again when something breaks.
func (l *load) signUp(ctx context.Context, w *world, c *caller) (slug, session string, err error) {
	tag := word()
	slug, email := "o"+tag, tag+"@tidewater.example"
	founding := url.Values{"organization": {"Tidewater"}, "slug": {slug}, "country": {"IE"}, "currency": {"EUR"}, "time_zone": {"Europe/Dublin"},
		"name": {"Mara Lindqvist"}, "password": {password}}
	err = l.once(note{Kind: signUp, Organization: slug, Tag: email}, func() error {
		if _, err := c.until(ctx, ask{method: "POST", path: "/sign-up", body: url.Values{"email": {email}}}); err != nil {
			return err
		}
		token := w.mail.link(email)
		if token == "" {
			return errNoMail
		}
		founding.Set("token", token)
		session, err = c.found(ctx, slug, email, founding)
		return err
	})
	l.signedUp.Add(1)
	return slug, session, err
}

// found sends the form; where the answer was lost, it looks whether the link was used, signs in, and opens the books if
// they are not there yet.
func (c *caller) found(ctx context.Context, slug, email string, founding url.Values) (session string, err error) {
	for ctx.Err() == nil {
		got, err := c.send(ctx, ask{method: "POST", path: "/set-up", body: founding})
		if err == nil && got.status == http.StatusSeeOther {
			return got.session, nil
		}
		c.failed.Add(1)
		if err == nil && got.status < 500 && got.status != http.StatusNotFound && got.status != http.StatusGone && got.status != http.StatusConflict {
			return "", fmt.Errorf("POST /set-up: %w with %d: %.300s", errRefused, got.status, got.body)
		}
		c.at = 1 - c.at
		in, err := c.send(ctx, ask{method: "POST", path: "/sign-in", body: url.Values{"email": {email}, "password": {password}}})
		if err != nil || in.status != http.StatusSeeOther || in.session == "" {
			select { // nobody has that login yet: the link is still good
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		there, err := c.until(ctx, ask{method: "GET", path: "/o/" + slug, session: in.session})
		if err == nil && there.status == http.StatusOK {
			return in.session, nil
		} else if err != nil && there.status != http.StatusNotFound {
			return "", err
		}
		if open, err := c.until(ctx, ask{method: "POST", path: "/open", session: in.session, body: founding}); err == nil && open.status == http.StatusSeeOther {
			return in.session, nil
		} // or the address is taken: by ourselves, if the page is there the next time
	}
	return "", ctx.Err()
}

var shownSecret = regexp.MustCompile(`<code id="secret">([^<]+)</code>`)

// open signs up and makes what programs need: a token, accounts, a customer, and an invoice that is paid cent by cent.
func (l *load) open(ctx context.Context, w *world, c *caller) (b books, err error) {
	var session string
	if b.slug, session, err = l.signUp(ctx, w, c); err != nil {
		return b, err
	}
	got, err := c.until(ctx, ask{method: "POST", path: "/o/" + b.slug + "/tokens", session: session,
		body: url.Values{"name": {"load"}, "scopes": {"*:read", "*:write"}, "idempotency_key": {word()}}})
	if err != nil {
		return b, err
	}
	secret := shownSecret.FindSubmatch(got.body)
	if secret == nil {
		return b, fmt.Errorf("%w: no token is shown: %d %.500s", errRefused, got.status, got.body)
	}
	b.token = html.UnescapeString(string(secret[1]))
	var accounts struct {
		Items []struct{ ID, Purpose string }
	}
	if err := c.read(ctx, ask{method: "GET", path: "/v1/accounts", token: b.token}, &accounts); err != nil {
		return b, err
	}
	for _, a := range accounts.Items {
		switch a.Purpose {
		case "bank":
			b.bank = a.ID
		case "income":
			b.income = a.ID
		}
	}
	var made struct{ ID string }
	if err := c.read(ctx, ask{method: "POST", path: "/v1/customers", token: b.token, key: word(), body: map[string]string{"name": "Harbour Kitchen"}}, &made); err != nil {
		return b, err
	}
	b.customer = made.ID
	if err := c.read(ctx, ask{method: "POST", path: "/v1/invoices", token: b.token, key: word(), body: map[string]any{"customer_id": b.customer,
		"lines": []map[string]string{{"description": "A year of everything", "quantity": "1", "unit_price": "100000.00"}}}}, &made); err != nil {
		return b, err
	}
	b.invoice = made.ID
	_, err = c.until(ctx, ask{method: "POST", path: "/v1/invoices/" + b.invoice + "/issue", token: b.token, key: word()})
	return b, err
}
