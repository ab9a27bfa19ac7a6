// Package phonenumber reads phone numbers as people write them, into the one form in which they are kept.
//
// It is shared by whoever sends codes: to members for their accounts, to customers before they pay. A form that anyone can
// send must not earn anyone money, so numbers that cost whoever calls them are refused for all.
package phonenumber

import (
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why a number is not taken.
var (
	ErrMalformed = fault.New(fault.Invalid, "phone.malformed", "Write a phone number with its country code, such as +353 86 012 3456.").At("number")
	ErrKind      = fault.New(fault.Invalid, "phone.kind", "No code can be sent to a number of this kind. Give one of your own.").At("number")
)

// Kind is what sort of line a number is, as far as its country's plan tells.
type Kind string

// The kinds that are taken. Where a plan does not tell mobile from fixed, it is Either.
const (
	Mobile   Kind = "mobile"
	Fixed    Kind = "fixed"
	Either   Kind = "either"
	VoIP     Kind = "voip"
	Personal Kind = "personal"
)

var kinds = map[phonenumbers.PhoneNumberType]Kind{
	phonenumbers.MOBILE: Mobile, phonenumbers.FIXED_LINE: Fixed, phonenumbers.FIXED_LINE_OR_MOBILE: Either,
	phonenumbers.VOIP: VoIP, phonenumbers.PERSONAL_NUMBER: Personal,
}

// Number is one phone number.
type Number struct {
	E164    string // ITU-T: +353860123456
	Country string // ISO 3166-1 alpha-2; "" where the number belongs to none
	Kind    Kind
}

// most is more than anyone writes of a number, with its spaces, brackets and hyphens.
const most = 40

// Parse reads a number that is written with its country code. It refuses with ErrMalformed what is no number of a
// country's own plan, and with ErrKind one that costs whoever calls it.
func Parse(s string) (Number, error) {
	s = strings.TrimSpace(s)
	if len(s) > most || !utf8.ValidString(s) || !strings.HasPrefix(s, "+") || strings.Trim(s, "+0123456789 ().-/\u00a0") != "" {
		return Number{}, ErrMalformed
	}
	parsed, err := phonenumbers.Parse(s, "")
	if err != nil || parsed.GetExtension() != "" || !phonenumbers.IsValidNumber(parsed) {
		return Number{}, ErrMalformed
	}
	kind, ok := kinds[phonenumbers.GetNumberType(parsed)]
	if !ok {
		return Number{}, ErrKind
	}
	country := phonenumbers.GetRegionCodeForNumber(parsed)
	if len(country) != 2 {
		country = ""
	}
	return Number{E164: phonenumbers.Format(parsed, phonenumbers.E164), Country: country, Kind: kind}, nil
}

// Pretty is a number in E.164 as people write it: +353 86 012 3456.
func Pretty(e164 string) string {
	parsed, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return e164
	}
	return phonenumbers.Format(parsed, phonenumbers.INTERNATIONAL)
}

// Hidden is Pretty with all but its last two digits hidden.
func Hidden(e164 string) string {
	shown := []rune(Pretty(e164))
	for n := range shown[:max(0, len(shown)-2)] {
		if shown[n] >= '0' && shown[n] <= '9' {
			shown[n] = '•'
		}
	}
	return string(shown)
}
