package page

import "github.com/countinghouse/countinghouse/billing/tax"

// Taxes is the data of "taxes".
type Taxes struct {
	Shell
	Rates    []TaxRate
	Archived bool
	Tabs     Tabs
}

// TaxRate is a rate with the name of the account where it is owed.
type TaxRate struct {
	tax.OwnRate
	Owed string
}

// TaxForm is the data of "tax-edit". Its form sends code, name, percent, compound, account_id, and version.
type TaxForm struct {
	Shell
	Form               Form
	Action, Back, Does string
	Name               string
	Archived           bool
	Accounts           []Option
	Acts               []Act
}
