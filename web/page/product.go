package page

import "github.com/countinghouse/countinghouse/billing"

// Products is the data of "products".
type Products struct {
	Shell
	Items    []billing.Product
	Archived bool
	Find     Find
	Tabs     Tabs
	Pager    Pager
}

// Product is the data of "product".
type Product struct {
	Shell
	Form    Form
	Product billing.Product
	Account string // what its sales are income on
	Acts    []Act
}

// ProductForm is the data of "product-edit". Its form sends external_id, name, description, unit_price, currency,
// income_account_id, and version.
type ProductForm struct {
	Shell
	Form               Form
	Action, Back, Does string
	Name               string
	Accounts           []Option // of income
}
