// Package money holds amounts: whole minor units of a currency, how they are read, added and written.
//
// An amount is an int64 of minor units, never a float, because cents must add up to the cent; its digits come from
// our own dated table of ISO 4217, because libraries follow CLDR, which differs. Everything that people or programs
// send is read by the strict parsers here, which look at its length before they build a number.
package money

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrUnknownCurrency refuses what is not an active ISO 4217 code.
var ErrUnknownCurrency = fault.New(fault.Invalid, "currency.unknown",
	"Give the currency as its ISO 4217 code: three capital letters, such as EUR.")

var errNoCurrency = errors.New("money: no currency")

// Currency is one active currency of ISO 4217. It is small, comparable with ==, and can be a map key.
// Its zero value is no currency. It reads and writes as its code in text, JSON and database columns.
type Currency struct {
	index uint8 // into iso4217, so that digits are one array access away
}

var byCode = func() map[string]Currency {
	known := make(map[string]Currency, len(iso4217)-1)
	for i := 1; i < len(iso4217); i++ {
		known[iso4217[i].code] = Currency{index: uint8(i)}
	}
	return known
}()

// ParseCurrency reads an ISO 4217 code in capitals, such as "EUR". Anything else, surrounding space and small letters
// included, is ErrUnknownCurrency.
func ParseCurrency(code string) (Currency, error) {
	c, ok := byCode[code]
	if !ok {
		return Currency{}, ErrUnknownCurrency
	}
	return c, nil
}

// MustCurrency is ParseCurrency for codes written in source; it panics on an unknown one.
func MustCurrency(code string) Currency {
	c, err := ParseCurrency(code)
	if err != nil {
		panic(fmt.Sprintf("money: %q: %v", code, err))
	}
	return c
}

// All gives all currencies, sorted by code.
func All() []Currency {
	all := make([]Currency, 0, len(iso4217)-1)
	for i := 1; i < len(iso4217); i++ {
		all = append(all, Currency{index: uint8(i)})
	}
	return all
}

// IsZero reports whether it is no currency.
func (c Currency) IsZero() bool { return c.index == 0 }

// Code is the three-letter code; empty for no currency.
func (c Currency) Code() string { return iso4217[c.index].code }

// String is Code.
func (c Currency) String() string { return c.Code() }

// Digits is how many decimals an amount has: 2 for EUR, 0 for JPY, 3 for KWD, 4 for CLF.
func (c Currency) Digits() int { return int(iso4217[c.index].digits) }

// Name is the English name as it stands inside a sentence: "euro", "US dollar".
func (c Currency) Name() string { return iso4217[c.index].name }

// Symbol is the sign when a reader takes it for this currency alone ("€", "CA$"), and otherwise the code.
func (c Currency) Symbol() string {
	if s, ok := symbols[c.Code()]; ok {
		return s
	}
	return c.Code()
}

// MarshalText gives the code; no currency is an error, so that none is ever written by mistake.
func (c Currency) MarshalText() ([]byte, error) {
	if c.IsZero() {
		return nil, errNoCurrency
	}
	return []byte(c.Code()), nil
}

// UnmarshalText is ParseCurrency.
func (c *Currency) UnmarshalText(text []byte) error {
	parsed, err := ParseCurrency(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// Value gives the code to a database column; no currency is an error.
func (c Currency) Value() (driver.Value, error) {
	if c.IsZero() {
		return nil, errNoCurrency
	}
	return c.Code(), nil
}

// Scan takes the code from a database column. A code that the table does not know is an internal error and no fault:
// whoever asks did not send it.
func (c *Currency) Scan(stored any) error {
	var code string
	switch v := stored.(type) {
	case string:
		code = v
	case []byte:
		code = string(v)
	default:
		return fmt.Errorf("money: a currency cannot be read from %T", stored)
	}
	parsed, ok := byCode[code]
	if !ok {
		return fmt.Errorf("money: stored currency %q is not in the table", code)
	}
	*c = parsed
	return nil
}
