package fake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/countinghouse/countinghouse/billing/gateway"
)

// The cards. Each is a token for the API and a number for the hosted page.
const (
	CardGood       = "card_good"       // 4242 4242 4242 4242
	CardDeclined   = "card_declined"   // 4000 0000 0000 0002
	CardChallenge  = "card_challenge"  // 4000 0025 0000 3155: the bank asks its holder first
	CardLost       = "card_lost"       // the order never arrives, and no answer comes
	CardUnanswered = "card_unanswered" // charged, and no answer comes
	CardLate       = "card_late"       // charged at once, answered after House.Late
	CardQueued     = "card_queued"     // no answer comes; charged when House.Arrive is called
)

// WrongCVV is the security code that is wrong for every card. With a number, any other is right, and so is none.
const WrongCVV = "999"

const cardMistyped = "card_mistyped"

var numbers = map[string]string{
	CardGood: "4242424242424242", CardDeclined: "4000000000000002", CardChallenge: "4000002500003155", CardLost: "4000000000000101",
	CardUnanswered: "4000000000000119", CardLate: "4000000000000127", CardQueued: "4000000000000135",
}

// House is the provider. Every API key opens an account of its own.
type House struct {
	// Late is how long the answer for a late card takes.
	Late time.Duration
	// Address is where its hosted pages are, such as http://127.0.0.1:9000.
	Address string
	// Deliver sends the messages to the address that was set on the dashboard; else they are only kept.
	Deliver *http.Client

	mu       sync.Mutex
	accounts map[string]*account
	mux      *http.ServeMux
}

// account is what the provider keeps for one API key.
type account struct {
	key      string
	secret   string // signs the messages
	notify   string // where they go
	charges  map[string]*charge
	refunds  map[string]*refund
	byKey    map[string]string // idempotency key to charge or refund
	orders   map[string]string // idempotency key to the digest of its order
	movement []Movement
	messages []Message
	next     int
}

type charge struct {
	ID       string `json:"id"`
	Key      string `json:"key"`
	State    string `json:"state"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
	Fee      int64  `json:"fee"`
	Reason   string `json:"reason,omitempty"`
	Token    string `json:"token,omitempty"`
	Brand    string `json:"brand,omitempty"`
	LastFour string `json:"last_four,omitempty"`
	Expires  string `json:"expires,omitempty"`
	URL      string `json:"url,omitempty"`
	Back     string `json:"back,omitempty"`
	Title    string `json:"title,omitempty"`
	Keep     bool   `json:"keep,omitempty"`
	Hosted   bool   `json:"hosted,omitempty"`
	Refunded int64  `json:"refunded"`
	Disputed int64  `json:"disputed"`
	queued   bool
	number   gateway.CardNumber // when it was ordered by one
	withCVV  bool
}

type refund struct {
	ID       string `json:"id"`
	Key      string `json:"key"`
	Charge   string `json:"charge"`
	State    string `json:"state"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

type dispute struct {
	ID         string `json:"id"`
	Charge     string `json:"charge"`
	Reinstated bool   `json:"reinstated"`
	Amount     int64  `json:"amount"`
	Fee        int64  `json:"fee"`
	Currency   string `json:"currency"`
}

// Movement is one line of the provider's own books: what it owes the organization more or, below zero, less.
type Movement struct {
	Kind     string // charge, fee, refund, dispute, reinstated
	Ref      string
	Key      string // the order's key; empty when there was no order
	Currency string
	Amount   int64
}

// Message is one that the provider sent or would have sent.
type Message struct {
	Body   []byte
	Header http.Header
}

// NewHouse opens the provider.
func NewHouse() *House {
	h := &House{Late: 300 * time.Millisecond, Address: "http://127.0.0.1", accounts: map[string]*account{}}
	h.routes()
	return h
}

// ServeHTTP answers the API and the hosted pages.
func (h *House) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

func (h *House) account(key string) *account {
	a, ok := h.accounts[key]
	if !ok {
		a = &account{key: key, secret: SecretOf(key), charges: map[string]*charge{}, refunds: map[string]*refund{},
			byKey: map[string]string{}, orders: map[string]string{}}
		h.accounts[key] = a
	}
	return a
}

// SecretOf is the secret that signs an account's messages: a real provider shows it on its dashboard.
func SecretOf(key string) string {
	sum := sha256.Sum256([]byte("practice webhook " + key))
	return "whsec_" + hex.EncodeToString(sum[:12])
}

// name gives the next name of a thing. Names of accounts differ, so that nothing is found in another's.
func (a *account) name(prefix string) string {
	a.next++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", a.key, a.next))
	return prefix + hex.EncodeToString(sum[:9])
}

// feeOf is 1.4 % and 25 of the smallest units, and never more than the charge.
func feeOf(amount int64) int64 { return min(amount*14/1000+25, amount) }

func (a *account) move(kind, ref, key, currency string, amount int64) {
	a.movement = append(a.movement, Movement{kind, ref, key, currency, amount})
}

// take books a charge as paid.
func (a *account) take(c *charge, token string) {
	if c.State == "succeeded" {
		return
	}
	c.State, c.Reason, c.URL, c.queued = "succeeded", "", "", false
	c.Brand, c.LastFour, c.Expires = "visa", lastFour(token), "2031-04"
	switch _, brand, err := gateway.ParseCardNumber(c.number.Digits()); {
	case err == nil: // it keeps none
		digits := c.number.Digits()
		c.Brand, c.LastFour, c.Expires = brand, digits[len(digits)-4:], c.number.Expires()
	case c.Keep || !c.Hosted:
		c.Token = token
	}
	c.Fee = feeOf(c.Amount)
	a.move("charge", c.ID, c.Key, c.Currency, c.Amount)
	a.move("fee", c.ID, c.Key, c.Currency, -c.Fee)
}

func lastFour(token string) string {
	number := numbers[token]
	if number == "" {
		return "0000"
	}
	return number[len(number)-4:]
}

// tell keeps a signed message about a thing as it is now, and sends it.
func (h *House) tell(a *account, kind string, thing any) {
	body, err := json.Marshal(map[string]any{"kind": kind, "object": thing})
	if err != nil {
		panic(fmt.Errorf("writing a message: %w", err)) // plain structs of strings and numbers
	}
	m := Message{Body: body, Header: http.Header{signatureHeader: {sign(a.secret, time.Now(), body)}}}
	a.messages = append(a.messages, m)
	if h.Deliver != nil && a.notify != "" {
		go h.send(a.notify, m)
	}
}

const signatureHeader = "Practice-Signature"

// sign signs a message with its time, as Stripe does: the time is part of what is signed.
func sign(secret string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.", at.Unix())
	mac.Write(body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

// Sign signs a message of an account anew, as a provider does that sends it again.
func Sign(key string, at time.Time, body []byte) http.Header {
	return http.Header{signatureHeader: {sign(SecretOf(key), at, body)}}
}

// Balance is what the provider owes the account of a key, by currency.
func (h *House) Balance(key string) map[string]int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	sums := map[string]int64{}
	for _, m := range h.account(key).movement {
		sums[m.Currency] += m.Amount
	}
	return sums
}

// Movements are the provider's books of the account of a key.
func (h *House) Movements(key string) []Movement {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Movement(nil), h.account(key).movement...)
}

// CheckedCVV says whether a charge was ordered with a security code.
func (h *House) CheckedCVV(key, ref string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.account(key).charges[ref]
	return c != nil && c.withCVV
}

// Messages are all that the provider sent to the account of a key, or would have sent.
func (h *House) Messages(key string) []Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Message(nil), h.account(key).messages...)
}

// Arrive lets the queued orders of an account arrive that got lost on their way, and says how many there were.
func (h *House) Arrive(key string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, n := h.account(key), 0
	for _, c := range a.charges {
		if c.queued && a.byKey[c.Key] == "" {
			a.take(c, CardQueued)
			a.byKey[c.Key] = c.ID
			h.tell(a, "charge", c)
			n++
		}
	}
	return n
}

// Dispute lets a customer's bank take a charge back, or give it again; false when that cannot be.
func (h *House) Dispute(key, ref string, reinstate bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dispute(h.account(key), ref, reinstate)
}

func (h *House) dispute(a *account, ref string, reinstate bool) bool {
	c := a.charges[ref]
	if c == nil || c.State != "succeeded" {
		return false
	}
	d := dispute{Charge: ref, Reinstated: reinstate, Currency: c.Currency}
	switch {
	case reinstate && c.Disputed > 0:
		d.ID, d.Amount = a.name("dr_"), c.Disputed
		c.Disputed = 0
		a.move("reinstated", d.ID, "", c.Currency, d.Amount)
	case !reinstate && c.Disputed == 0 && c.Amount > c.Refunded:
		d.ID, d.Amount, d.Fee = a.name("du_"), c.Amount-c.Refunded, 1500
		c.Disputed = d.Amount
		a.move("dispute", d.ID, "", c.Currency, -d.Amount)
		a.move("fee", d.ID, "", c.Currency, -d.Fee)
	default:
		return false
	}
	h.tell(a, "dispute", d)
	return true
}

// GiveBack makes a refund at the provider itself, as from its dashboard; "" when the charge has not so much left.
func (h *House) GiveBack(key, ref string, amount int64) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.account(key)
	if c := a.charges[ref]; c == nil || c.State != "succeeded" || c.Refunded+c.Disputed+amount > c.Amount {
		return ""
	}
	r := a.giveBack(ref, "", amount)
	h.tell(a, "refund", r)
	return r.ID
}

func (a *account) giveBack(ref, key string, amount int64) *refund {
	c := a.charges[ref]
	c.Refunded += amount
	r := &refund{ID: a.name("re_"), Key: key, Charge: ref, State: "succeeded", Amount: amount, Currency: c.Currency}
	a.refunds[r.ID] = r
	a.move("refund", r.ID, key, c.Currency, -amount)
	return r
}

// PayPage does what a customer does on a hosted page with a card; false when the page is closed.
func (h *House) PayPage(ref, token string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, c := h.find(ref)
	if c == nil || c.State != "waiting" {
		return false
	}
	if token == CardDeclined {
		c.Reason = "card_declined" // the page stays open for another card
		return true
	}
	a.take(c, token)
	h.tell(a, "charge", c)
	return true
}

func (h *House) find(ref string) (*account, *charge) {
	for _, a := range h.accounts {
		if c := a.charges[ref]; c != nil {
			return a, c
		}
	}
	return nil, nil
}
