package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// What is refused about card numbers.
var (
	ErrCardNumber  = fault.New(fault.Invalid, "card.number", "This is not a valid card number. Check it for a wrong or missing digit.").At("card_number")
	ErrCardBrand   = fault.New(fault.Invalid, "card.brand", "This is not a card of Visa, Mastercard, American Express, Discover, Diners Club, JCB or UnionPay.").At("card_number")
	ErrCardExpires = fault.New(fault.Invalid, "card.expires", "Write until when the card is valid as on the card, such as 04/31.").At("expires")
	ErrCardExpired = fault.New(fault.Invalid, "card.expired", "This card is no longer valid. Ask the customer for another.").At("expires")
	ErrCVV         = fault.New(fault.Invalid, "card.cvv", "The security code has three digits; on an American Express card, four.").At("cvv")
)

var errWritten = errors.New("a card number is not written anywhere but to a gateway")

// CardNumber is a card itself. It shows in no log, no error and no JSON: only Digits gives it out.
type CardNumber struct{ digits, expires string }

// NewCardNumber is a card whose number and expiry (YYYY-MM) were checked before.
func NewCardNumber(digits, expires string) CardNumber { return CardNumber{digits, expires} }

// Digits are the number, for the gateway alone.
func (n CardNumber) Digits() string { return n.digits }

// Expires is until when it is valid: YYYY-MM.
func (n CardNumber) Expires() string { return n.expires }

// IsZero says whether there is none.
func (n CardNumber) IsZero() bool { return n.digits == "" }

// Format writes no digit, whatever the verb.
func (CardNumber) Format(f fmt.State, _ rune) { hide(f) }

// LogValue is what a log shows.
func (CardNumber) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON fails: what is sealed or sent is written by name.
func (CardNumber) MarshalJSON() ([]byte, error) { return nil, errWritten }

// CVV is the security code of a card. It is in memory while one order is given, and nowhere else (PCI DSS 4.0,
// requirement 3.3.1.2: it is not kept after authorization, not even encrypted).
type CVV struct{ digits string }

// Digits are the code, for the gateway alone; empty for none.
func (c CVV) Digits() string { return c.digits }

// Format writes no digit, whatever the verb.
func (CVV) Format(f fmt.State, _ rune) { hide(f) }

// LogValue is what a log shows.
func (CVV) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON fails.
func (CVV) MarshalJSON() ([]byte, error) { return nil, errWritten }

const hidden = "[card]"

func hide(w io.Writer) {
	// fmt has nothing to do with a failure here either.
	_, _ = io.WriteString(w, hidden)
}

// NumberTaker is a Gateway that charges a card by its number, because it keeps none for us. The order's card has a
// Number and no Token, and its CVV may be there. What is said of Gateway's orders holds.
type NumberTaker interface {
	ChargeNumber(ctx context.Context, o ChargeOrder) (Charge, error)
}

// TakesNumbers says whether gateways of a kind are NumberTakers.
func (k Kind) TakesNumbers() bool { return k == Practice }

// brandRange is which numbers a brand gives out: by their first digits, from low to high, and how many there are.
type brandRange struct {
	brand              string
	low, high          int // of as many digits
	shortest, greatest int
}

// brands are those of the networks' own public tables of their ranges (issuer identification numbers of ISO/IEC
// 7812), looked at in November 2026. The first that fits counts.
var brands = []brandRange{
	{"visa", 4, 4, 13, 19},
	{"mastercard", 51, 55, 16, 16}, {"mastercard", 2221, 2720, 16, 16},
	{"amex", 34, 34, 15, 15}, {"amex", 37, 37, 15, 15},
	{"diners", 300, 305, 14, 19}, {"diners", 3095, 3095, 14, 19}, {"diners", 36, 36, 14, 19}, {"diners", 38, 39, 14, 19},
	{"jcb", 3528, 3589, 16, 19},
	{"discover", 6011, 6011, 16, 19}, {"discover", 644, 649, 16, 19}, {"discover", 65, 65, 16, 19},
	{"unionpay", 62, 62, 16, 19}, {"unionpay", 81, 81, 16, 19},
}

// ParseCardNumber gives a card number without spaces and hyphens, and its brand. It checks the last digit, which proves
// the others (ISO/IEC 7812-1, annex B: Luhn), and fails with ErrCardNumber and ErrCardBrand.
func ParseCardNumber(s string) (digits, brand string, err error) {
	digits = strings.NewReplacer(" ", "", "-", "").Replace(s)
	if len(digits) < 12 || len(digits) > 19 || !allDigits(digits) || !luhn(digits) {
		return "", "", ErrCardNumber
	}
	for _, r := range brands {
		first, err := strconv.Atoi(digits[:len(strconv.Itoa(r.low))])
		if err != nil || first < r.low || first > r.high {
			continue
		}
		if len(digits) < r.shortest || len(digits) > r.greatest || r.brand == "visa" && len(digits) != 13 && len(digits) != 16 && len(digits) != 19 {
			return "", "", ErrCardNumber
		}
		return digits, r.brand, nil
	}
	return "", "", ErrCardBrand
}

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func allDigits(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }) < 0
}

// ParseExpiry reads 04/31, 04/2031 or 2031-04 and gives 2031-04. A card is valid until its month ends somewhere on
// earth. It fails with ErrCardExpires and ErrCardExpired.
func ParseExpiry(s string, now time.Time) (string, error) {
	s = strings.ReplaceAll(s, " ", "")
	month, year, ok := strings.Cut(s, "/")
	if y, m, iso := strings.Cut(s, "-"); iso && len(y) == 4 {
		month, year, ok = m, y, true
	}
	if len(year) == 2 {
		year = "20" + year
	}
	if len(month) == 1 {
		month = "0" + month
	}
	until := year + "-" + month
	if _, err := time.Parse("2006-01", until); !ok || err != nil {
		return "", ErrCardExpires
	}
	here := now.UTC().Add(-12 * time.Hour) // where it is earliest
	switch {
	case until < here.Format("2006-01"):
		return "", ErrCardExpired
	case until > here.AddDate(25, 0, 0).Format("2006-01"):
		return "", ErrCardExpires
	}
	return until, nil
}

// ParseCVV reads the security code of a card of that brand. Nothing is no code, which is no fault; ErrCVV.
func ParseCVV(brand, s string) (CVV, error) {
	s = strings.TrimSpace(s)
	want := 3
	if brand == "amex" {
		want = 4
	}
	if s != "" && (len(s) != want || !allDigits(s)) {
		return CVV{}, ErrCVV
	}
	return CVV{s}, nil
}
