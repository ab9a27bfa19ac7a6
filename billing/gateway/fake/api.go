package fake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/gateway"
)

// order is the body of every order.
type order struct {
	Key      string `json:"key"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
	Token    string `json:"token,omitempty"`
	Number   string `json:"number,omitempty"`
	Expires  string `json:"expires,omitempty"`
	CVV      string `json:"cvv,omitempty"`
	Charge   string `json:"charge,omitempty"`
	Title    string `json:"title,omitempty"`
	Back     string `json:"back,omitempty"`
	Keep     bool   `json:"keep,omitempty"`
}

const maxBody = 64 << 10

func (h *House) routes() {
	h.mux = http.NewServeMux()
	h.mux.HandleFunc("POST /v1/pages", h.order(h.openPage))
	h.mux.HandleFunc("POST /v1/charges", h.order(h.charge))
	h.mux.HandleFunc("POST /v1/refunds", h.order(h.refund))
	h.mux.HandleFunc("POST /v1/pages/{id}/close", h.closePage)
	h.mux.HandleFunc("GET /v1/charges", h.findCharge)
	h.mux.HandleFunc("GET /v1/refunds", h.findRefund)
	h.registerPages()
}

// keyOf is the API key of a request; "" after it has been refused.
func keyOf(w http.ResponseWriter, r *http.Request) string {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !gateway.CheckPracticeKey(key) {
		refuse(w, http.StatusUnauthorized, "key_unknown")
		return ""
	}
	return key
}

func refuse(w http.ResponseWriter, status int, code string) {
	write(w, status, map[string]string{"code": code})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(http.ErrAbortHandler) // whoever asked is gone
	}
}

// order does an order once for its key: the same again is answered from what became of it, another is refused.
func (h *House) order(do func(w http.ResponseWriter, r *http.Request, a *account, o order)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := keyOf(w, r)
		if key == "" {
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		var o order
		if err != nil || json.Unmarshal(body, &o) != nil || o.Key == "" || o.Amount <= 0 || len(o.Currency) != 3 {
			refuse(w, http.StatusBadRequest, "order_malformed")
			return
		}
		sum := sha256.Sum256(append([]byte(r.URL.Path), body...))
		digest := hex.EncodeToString(sum[:])
		h.mu.Lock()
		a := h.account(key)
		if before, ok := a.orders[o.Key]; ok && before != digest {
			h.mu.Unlock()
			refuse(w, http.StatusConflict, "key_reused")
			return
		}
		if id, ok := a.byKey[o.Key]; ok {
			var v any = a.charges[id]
			if r := a.refunds[id]; r != nil {
				v = r
			}
			answer := snapshot(v)
			h.mu.Unlock()
			write(w, http.StatusOK, answer)
			return
		}
		if o.behaves() != CardLost {
			a.orders[o.Key] = digest
		}
		do(w, r, a, o) // unlocks
	}
}

// snapshot is a thing as it is at this moment.
func snapshot(v any) json.RawMessage {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		panic(err) // plain structs of strings and numbers
	}
	return b.Bytes()
}

func (h *House) openPage(w http.ResponseWriter, _ *http.Request, a *account, o order) {
	c := &charge{ID: a.name("pg_"), Key: o.Key, State: "waiting", Amount: o.Amount, Currency: o.Currency, Back: o.Back, Title: o.Title,
		Keep: o.Keep, Hosted: true}
	c.URL = h.Address + "/pay/" + c.ID
	a.charges[c.ID], a.byKey[o.Key] = c, c.ID
	answer := snapshot(c)
	h.mu.Unlock()
	write(w, http.StatusCreated, answer)
}

func (h *House) closePage(w http.ResponseWriter, r *http.Request) {
	key := keyOf(w, r)
	if key == "" {
		return
	}
	h.mu.Lock()
	c := h.account(key).charges[r.PathValue("id")]
	if c == nil {
		h.mu.Unlock()
		refuse(w, http.StatusNotFound, "not_there")
		return
	}
	if c.State == "waiting" {
		c.State, c.URL = "expired", ""
	}
	answer := snapshot(c)
	h.mu.Unlock()
	write(w, http.StatusOK, answer)
}

// behaves says which of the cards an order is for. Any other valid number is a good card.
func (o order) behaves() string {
	if o.Number == "" {
		return o.Token
	}
	if o.CVV == WrongCVV {
		return cardMistyped
	}
	for card, number := range numbers {
		if number == o.Number {
			return card
		}
	}
	if _, _, err := gateway.ParseCardNumber(o.Number); err != nil || o.Expires == "" {
		return ""
	}
	return CardGood
}

func (h *House) charge(w http.ResponseWriter, r *http.Request, a *account, o order) {
	c := &charge{ID: a.name("ch_"), Key: o.Key, State: "waiting", Amount: o.Amount, Currency: o.Currency, Title: o.Title}
	keep := func() { a.charges[c.ID], a.byKey[o.Key] = c, c.ID }
	if o.Number != "" {
		c.number, c.withCVV = gateway.NewCardNumber(o.Number, o.Expires), o.CVV != ""
	}
	abort, late := false, false
	card := o.behaves()
	switch card {
	case CardLost:
		abort = true
	case CardQueued:
		a.charges[c.ID], c.queued, abort = c, true, true
	case CardDeclined, cardMistyped:
		c.State, c.Reason = "declined", "card_declined"
		if card == cardMistyped {
			c.Reason = "incorrect_cvc"
		}
		keep()
	case CardChallenge:
		c.URL = h.Address + "/pay/" + c.ID
		keep()
	case CardGood, CardUnanswered, CardLate:
		keep()
		a.take(c, card)
		h.tell(a, "charge", c)
		abort, late = card == CardUnanswered, card == CardLate
	default:
		delete(a.orders, o.Key)
		h.mu.Unlock()
		refuse(w, http.StatusBadRequest, "card_unknown")
		return
	}
	answer := snapshot(c)
	h.mu.Unlock()
	if abort {
		panic(http.ErrAbortHandler) // the connection is cut
	}
	if late {
		wait := time.NewTimer(h.Late)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-r.Context().Done():
			return
		}
	}
	write(w, http.StatusCreated, answer)
}

func (h *House) refund(w http.ResponseWriter, _ *http.Request, a *account, o order) {
	c := a.charges[o.Charge]
	if c == nil || c.State != "succeeded" || c.Currency != o.Currency || c.Refunded+c.Disputed+o.Amount > c.Amount {
		delete(a.orders, o.Key)
		h.mu.Unlock()
		refuse(w, http.StatusBadRequest, "refund_too_much")
		return
	}
	re := a.giveBack(o.Charge, o.Key, o.Amount)
	a.byKey[o.Key] = re.ID
	h.tell(a, "refund", re)
	answer := snapshot(re)
	h.mu.Unlock()
	write(w, http.StatusCreated, answer)
}

func (h *House) findCharge(w http.ResponseWriter, r *http.Request) {
	h.look(w, r, func(a *account, id string) any {
		if c := a.charges[id]; c != nil && !c.queued {
			return c
		}
		return nil
	})
}

func (h *House) findRefund(w http.ResponseWriter, r *http.Request) {
	h.look(w, r, func(a *account, id string) any {
		if re := a.refunds[id]; re != nil {
			return re
		}
		return nil
	})
}

func (h *House) look(w http.ResponseWriter, r *http.Request, get func(a *account, id string) any) {
	key := keyOf(w, r)
	if key == "" {
		return
	}
	h.mu.Lock()
	a, id := h.account(key), r.FormValue("ref")
	if id == "" {
		id = a.byKey[r.FormValue("key")]
	}
	found := get(a, id)
	answer := snapshot(found)
	h.mu.Unlock()
	if found == nil {
		refuse(w, http.StatusNotFound, "not_there")
		return
	}
	write(w, http.StatusOK, answer)
}
