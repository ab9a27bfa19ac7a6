package page

import (
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Tokens is the data of "tokens".
type Tokens struct {
	Shell
	Form  Form
	Items []TokenRow
	Pager Pager
}

// TokenRow is one API token.
type TokenRow struct {
	identity.Token
	State   string // active, expired or revoked
	Overlap bool   // its old secret is good too
	Rotate  string // where it gets a new secret; empty for who may not
	Acts    []Act
}

// TokenRotate is the data of "token-rotate". Its form sends overlap, in hours.
type TokenRotate struct {
	Shell
	Form    Form
	Token   identity.Token
	Action  string
	Overlap []Option
}

// TokenForm is the data of "token-edit". Its form sends name, scopes and expires_on.
type TokenForm struct {
	Shell
	Form   Form
	Scopes []ScopeRow
}

// ScopeRow is what a token may do in one module.
type ScopeRow struct {
	Module, Name string
	Read, Write  bool // there is such a scope and the reader may hand it on
}

// TokenMade is the data of "token-made". The secret stands on this page alone; it is empty when the form came twice.
type TokenMade struct {
	Shell
	Token  identity.Token
	Secret string
}

// Settings is the data of "settings". Its form sends name, time_zone, country, street, city, region, postal_code,
// tax_number, invoice_prefix, payment_terms_days, tax_rounding and version.
type Settings struct {
	Shell
	Form     Form
	Currency money.Currency
	Closed   civil.Date
	Next     billing.Next // the numbers that the next documents get
	Rounding []Option
}
