package page

import (
	"cmp"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/phone"
)

// Gateways is the data of "gateways".
type Gateways struct {
	Shell
	Form  Form // of an act that was refused; otherwise empty
	Items []billing.GatewayAccount
}

// GatewayForm is the data of "gateway-edit". Its form sends name, key, webhook_secret, instructions, and kind when it
// adds.
type GatewayForm struct {
	Shell
	Form    Form
	Action  string
	Kinds   []Option                // to choose from; none on a change
	Account *billing.GatewayAccount // what is changed; nil when it adds
	Acts    []Act
}

// Keyed says whether the gateway has a key: one is being added, or it is not one by hand.
func (f GatewayForm) Keyed() bool { return f.Account == nil || f.Account.Kind != gateway.Transfer }

// Instructed says whether the gateway has instructions.
func (f GatewayForm) Instructed() bool { return f.Account == nil || f.Account.Kind == gateway.Transfer }

// GatewayAddress is the data of "gateway-address". The address stands on this page alone.
type GatewayAddress struct {
	Shell
	Account billing.GatewayAccount
	Address string
}

// PayLink is the data of "pay-link". The link stands on this page alone.
type PayLink struct {
	Shell
	Invoice billing.Invoice
	Link    string
	Until   time.Time
}

// Pay is the data of "pay", which whoever has the link sees: no member, and no more of the organization than stands on
// its invoices. Its form sends gateway and keep.
type Pay struct {
	Gate
	Form      Form
	Invoice   billing.Invoice
	Settings  billing.Settings
	Action    string
	Back      string
	Cards     []billing.GatewayAccount // where a card can be paid with
	Transfers []billing.GatewayAccount // by what instructions money can be sent
	Today     time.Time
	Phone     phone.Need // whether a verified number is asked for
	Waiting   bool       // a payment is under way, and its result is not known
	Returned  bool       // the customer comes back from the gateway
}

// Standing is how the invoice stands today.
func (p Pay) Standing() billing.Standing { return p.Invoice.Standing(p.Invoice.Today) }

// Column is how the document's amounts are written.
func (p Pay) Column() Column {
	return Column{currency: p.Invoice.Currency}
}

// PayGo is the data of "pay-go", which leads on to the gateway's page.
type PayGo struct {
	Gate
	URL  string
	Back string
}

var gatewayKinds = map[gateway.Kind]string{gateway.Stripe: "Stripe", gateway.Practice: "Practice, no money moves", gateway.Transfer: "Bank transfer"}

// gatewayKind says in words which gateway it is.
func gatewayKind(k gateway.Kind) string { return gatewayKinds[k] }

// Charge is the data of "charge". Its form sends amount.
type Charge struct {
	Shell
	MayUnfreeze bool
	Booked      Form // that says what was booked by hand
	Form        Form
	Intent      billing.Intent
	MayRefund   bool
	Acts        []Act
}

// ChargeMethod is a stored card that an invoice can be charged to.
type ChargeMethod struct {
	billing.PaymentMethod
	Key string
}

// AsksCVV says whether the card's security code can be typed: where the gateway keeps the card, it asked for it itself.
func (m ChargeMethod) AsksCVV() bool { return m.Kind == billing.MethodCard }

// PaymentMethods is the data of "payment-methods". Its form sends kind, iban, routing_number and account_number; the one
// for a card sends gateway_id, card_number and expires.
type PaymentMethods struct {
	Shell
	Form         Form
	CardForm     Form
	Customer     billing.Customer
	Items        []PaymentMethodRow
	Charged      billing.PaymentMethodID // the card that is charged for what falls due; zero where none is
	Kinds        []Option
	CardGateways []Option // for which a card can be stored by its number; none where that is off
}

// PaymentMethodRow is one payment method of a customer, as it may be shown.
type PaymentMethodRow struct {
	billing.PaymentMethod
	Acts []Act
}

var methodKinds = map[billing.MethodKind]string{billing.MethodToken: "Card", billing.MethodCard: "Card number", billing.MethodIBAN: "Bank account", billing.MethodUSBank: "Bank account"}

var brandNames = map[string]string{"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover", "diners": "Diners Club",
	"jcb": "JCB", "unionpay": "UnionPay"}

// brandName is a card's brand as people write it; of a bank account, its country.
func brandName(brand string) string { return cmp.Or(brandNames[brand], brand) }

// methodKind says in words what a payment method is.
func methodKind(k billing.MethodKind) string { return methodKinds[k] }
