package phone

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"net/netip"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/phonenumber"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why a number is not taken, a code not sent or not good.
var (
	ErrDenied = fault.New(fault.Invalid, "phone.denied", "Numbers like this one are not taken here. Give another of your own.").At("number")
	ErrCode   = fault.New(fault.Invalid, "phone.code", "This code is not right, or no longer. Look again, or ask for a new one.").At("code")
	ErrSoon   = fault.New(fault.TooMany, "phone.soon", "A code was sent a moment ago. Wait a little, then ask again.")
	ErrLimit  = fault.New(fault.TooMany, "phone.limit", "No more codes are sent today, to this number or from where you are. Try again tomorrow, or write to us.")
	ErrTaken  = fault.New(fault.Conflict, "phone.taken", "Another customer has verified this number already. Give another of your own, or write to us.").At("code")
	ErrUnsent = fault.New(fault.Unavailable, "phone.unsent", "The code could not be sent right now. Try again in a few minutes.")
)

const digits = 6

// Sender sends codes and knows them again.
type Sender struct {
	Key []byte // keys the digests of codes; 32 random bytes or more
	// Text sends a message to a number in E.164; Call reads it aloud. They are the operator's, for organizations without a
	// gateway of their own; each may be nil where there is no such way.
	Text, Call func(ctx context.Context, to, say string) error
	// Through sends a message by a gateway of the organization's. What it fails with may tell how, by an Outcome.
	Through func(ctx context.Context, p Post) error
	// Sealer keeps the secrets of those.
	Sealer Sealer
	// Internal allows gateways on this machine and in its networks, by plain http: for dev and tests.
	Internal bool
}

// Message is a code to be sent once its transaction has committed.
type Message struct {
	To     string
	say    string
	aloud  string
	routes []route
}

// Begin keeps a code for a number that a customer says is theirs; the ones before it end. It is to be sent with Send after
// the transaction. address is where it is asked for from. first is the way that they would like, "text" or "call", if the
// organization sends that way at all; empty is as it likes. It fails with phonenumber's faults, ErrDenied, ErrSoon, ErrLimit,
// and ErrUnsent where nothing is sent from here.
func (s *Sender) Begin(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, number, address, first string) (Message, error) {
	rules, err := selectRules(ctx, tx)
	if err != nil {
		return Message{}, err
	}
	routes, err := s.routes(ctx, tx, rules, first)
	if err != nil {
		return Message{}, err
	}
	if len(routes) == 0 {
		return Message{}, ErrUnsent
	}
	to, err := phonenumber.Parse(number)
	if err != nil {
		return Message{}, err
	}
	if err := rules.admits(to); err != nil {
		return Message{}, err
	}
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(digits), nil))
	if err != nil {
		return Message{}, fmt.Errorf("making a code: %w", err)
	}
	code, id := fmt.Sprintf("%0*d", digits, n), uuid.Must(uuid.NewV7())
	home := ""
	if a, err := netip.ParseAddr(address); err == nil {
		home = a.Unmap().WithZone("").String()
	}
	why, err := insertCode(ctx, tx, newCode{id, customer, to.E164, home, s.digest(tx, customer, id, code)}, rules)
	switch {
	case err != nil:
		return Message{}, err
	case why == "soon":
		return Message{}, ErrSoon
	case why != "":
		return Message{}, ErrLimit
	}
	return Message{To: to.E164, say: strings.Replace(rules.Text, "%code%", code, 1), aloud: "Your code is " + code + ".", routes: routes}, nil
}

// digest is keyed, and by whose code it is: a plain digest of six digits is found by trying them all.
func (s *Sender) digest(tx *tenant.Tx, customer, code uuid.UUID, typed string) []byte {
	mac := hmac.New(sha256.New, s.Key)
	fmt.Fprintf(mac, "customer code %s %s %s %s", tx.Scope().Organization().ID, customer, code, typed)
	return mac.Sum(nil)
}

// Confirm takes the code that a customer typed: the number that it was sent to is theirs from then on. refused is ErrCode
// for one that is not right, and ErrDenied or ErrTaken where the number cannot be theirs: the transaction is to commit all the
// same, so that the try stays counted.
func (s *Sender) Confirm(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, typed string) (refused, err error) {
	if s == nil {
		return ErrCode, nil
	}
	rules, err := selectRules(ctx, tx)
	if err != nil {
		return nil, err
	}
	kept, ok, err := tryCode(ctx, tx, customer, rules.Tries)
	if err != nil {
		return nil, err
	}
	typed = strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(strings.TrimSpace(typed[:min(len(typed), 40)]))
	if !ok || len(typed) != digits || !hmac.Equal(kept.Hash, s.digest(tx, customer, kept.ID, typed)) {
		return ErrCode, nil
	}
	// What the rules deny since it was sent is not taken either.
	number, err := phonenumber.Parse(kept.Number)
	if err == nil {
		err = rules.admits(number)
	}
	if err != nil {
		return ErrDenied.At("code"), nil
	}
	if used, err := useCode(ctx, tx, kept.ID); err != nil || !used {
		return ErrCode, err
	}
	// One number stands for one customer, or a single phone would let any number of them pass.
	if taken, err := numberTaken(ctx, tx, customer, kept.Number); err != nil || taken {
		return ErrTaken, err
	}
	if err := updateVerified(ctx, tx, customer, kept.Number); err != nil {
		return nil, err
	}
	return nil, tx.Record(ctx, tenant.Act{Action: "phone.verify", Object: "customer", ID: customer,
		Changes: []tenant.Change{{Field: "verified_phone", After: kept.Number, Personal: true}}})
}
