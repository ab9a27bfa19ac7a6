package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/outward"
	"github.com/countinghouse/countinghouse/internal/phonenumber"
	"github.com/countinghouse/countinghouse/tenant"
)

// within bounds the tries of one code together: whoever asked for it waits meanwhile.
const within = 20 * time.Second

// ErrNumber says that a gateway knows no such number, or may not reach it.
var ErrNumber = fault.New(fault.Invalid, "phone.unreachable", "This number cannot be reached. Look whether it is right, or give another of your own.").At("number")

// Post is a message that a gateway is to send.
type Post struct {
	Gateway Gateway
	Key     string // its secret
	Way     string // "text" or "call"
	To, Say string
}

// outcome is what an error may tell of how sending went. Its first word is refused, number, texts, unreachable or late; the
// numbers of the gateway's answer may follow it.
type outcome interface{ Outcome() string }

func outcomeOf(err error) string {
	var o outcome
	switch {
	case err == nil:
		return "sent"
	case errors.Is(err, outward.ErrInternal):
		return "internal"
	case errors.As(err, &o):
		said := o.Outcome()
		return said[:min(len(said), 30)]
	}
	return "refused"
}

// Try is how one gateway did with one message.
type Try struct {
	Gateway GatewayID // zero: the operator's
	Way     string
	Outcome string // "sent", "refused 401 20003", "late": never the number or the code
}

// Word is the outcome without what the gateway said.
func (t Try) Word() string {
	word, _, _ := strings.Cut(t.Outcome, " ")
	return word
}

// Sent is how a code went out.
type Sent struct {
	Way   string // by which the gateway took it over, or may have
	Tries []Try
}

// route is one way to one gateway.
type route struct {
	way     string
	gateway Gateway // without an id: the operator's
	at      Place
}

// ways are the organization's in its order, with the one that was asked for first.
func (r Rules) ways(first string) []string {
	ways := strings.Fields(r.Ways)
	if at := slices.Index(ways, first); at > 0 {
		ways[0], ways[at] = ways[at], ways[0]
	}
	return ways
}

// lent is the operator's gateway for a way; nil where there is none, or it is not lent to organizations.
func (s *Sender) lent(way string) func(ctx context.Context, to, say string) error {
	if way == "call" {
		return s.Call
	}
	return s.Text
}

// routes are those by which a code may go out, in the order in which they are tried: the organization's own gateways or,
// where none is on, the operator's.
func (s *Sender) routes(ctx context.Context, tx *tenant.Tx, r Rules, first string) (all []route, err error) {
	if s == nil {
		return nil, nil
	}
	own, err := selectGateways(ctx, tx, false)
	if err != nil {
		return nil, err
	}
	own = inTurn(slices.DeleteFunc(own, func(g Gateway) bool { return g.Off }), tx.Now())
	for _, way := range r.ways(first) {
		for _, g := range own {
			if g.Does(way) && s.Through != nil {
				all = append(all, route{way, g, gatewayPlace(tx.Scope().Organization().ID, g.ID)})
			}
		}
		if len(own) == 0 && s.lent(way) != nil {
			all = append(all, route{way: way})
		}
	}
	return all, nil
}

// Ways are those by which a code can go out to the organization's customers now, in its order. s may be nil: none.
func (s *Sender) Ways(ctx context.Context, tx *tenant.Tx, r Rules) (ways []string, err error) {
	all, err := s.routes(ctx, tx, r, "")
	for _, found := range all {
		if !slices.Contains(ways, found.way) {
			ways = append(ways, found.way)
		}
	}
	return ways, err
}

// Send sends a code by the first of its routes that takes it over. It calls over the network and belongs after the
// transaction; the tries are to be noted with NoteTries. What fails for certain is tried the next way. Two things are not:
// a gateway that had all of the message and did not answer may have sent it, so that this code is sent no other way, and
// whoever asks again is served by the next gateway first; and one that does not know the number ends it with ErrNumber. It
// fails with ErrUnsent where nobody takes it.
func (s *Sender) Send(ctx context.Context, m Message) (Sent, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var out Sent
	var failed error
	textless := false
	for _, r := range m.routes {
		if textless && r.way == "text" {
			continue
		}
		if ctx.Err() != nil {
			failed = errors.Join(failed, ctx.Err())
			break
		}
		err := s.carry(ctx, r, m)
		try := Try{r.gateway.ID, r.way, outcomeOf(err)}
		out.Tries = append(out.Tries, try)
		switch try.Word() {
		case "sent", "late":
			out.Way = r.way
			return out, nil
		case "number":
			return out, ErrNumber.Because(err)
		case "texts":
			textless = true
		}
		failed = errors.Join(failed, fmt.Errorf("%s by gateway %s: %w", r.way, r.gateway.ID, err))
	}
	if textless && out.Tries[len(out.Tries)-1].Word() == "texts" {
		return out, ErrNumber.Because(failed)
	}
	return out, ErrUnsent.Because(failed)
}

// sealedError is why a gateway's secret could not be had.
type sealedError struct{ error }

func (sealedError) Outcome() string { return "sealed" }
func (e sealedError) Unwrap() error { return e.error }

func (s *Sender) carry(ctx context.Context, r route, m Message) error {
	say := m.say
	if r.way == "call" {
		say = m.aloud
	}
	if r.gateway.ID.IsZero() {
		return s.lent(r.way)(ctx, m.To, say)
	}
	return s.through(ctx, r, m.To, say)
}

func (s *Sender) through(ctx context.Context, r route, to, say string) error {
	key, err := s.Sealer.Open(ctx, r.at, r.gateway.sealed)
	if err != nil {
		return sealedError{err}
	}
	return s.Through(ctx, Post{Gateway: r.gateway, Key: string(key), Way: r.way, To: to, Say: say})
}

// NoteTries keeps how the organization's gateways did, for its members to see and for the order of the next code.
func NoteTries(ctx context.Context, tx *tenant.Tx, tries []Try) error {
	for _, t := range tries {
		trouble := t.Outcome
		switch t.Word() {
		case "number", "texts": // the number's, not the gateway's
			continue
		case "sent":
			trouble = ""
		}
		if t.Gateway.IsZero() {
			continue
		}
		if err := updateGatewayTrouble(ctx, tx, t.Gateway, trouble); err != nil {
			return err
		}
	}
	return nil
}

// TestGateway sends a sentence that says it is a test through one gateway alone, on or off. It calls over the network and
// belongs after the transaction in which the gateway was read; how it went is to be kept with NoteTest. It fails with
// phonenumber's faults and ErrGatewaySends.
func (s *Sender) TestGateway(ctx context.Context, organization tenant.OrganizationID, g Gateway, way, number string) (Try, error) {
	to, err := phonenumber.Parse(number)
	if err != nil {
		return Try{}, err
	}
	if !g.Does(way) {
		return Try{}, ErrGatewaySends.At("way")
	}
	err = s.through(ctx, route{way, g, gatewayPlace(organization, g.ID)}, to.E164, "This is a test of the text gateway "+g.Name+". It works.")
	return Try{g.ID, way, outcomeOf(err)}, nil
}

// NoteTest is NoteTries for a test, on record.
func NoteTest(ctx context.Context, tx *tenant.Tx, t Try) error {
	if _, err := selectGateway(ctx, tx, t.Gateway); err != nil {
		return err
	}
	if err := NoteTries(ctx, tx, []Try{t}); err != nil {
		return err
	}
	return recordGateway(ctx, tx, "test", t.Gateway, t.Way+" "+t.Outcome)
}
