package billing

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about payment methods.
var (
	ErrMethodNotFound = fault.New(fault.NotFound, "payment_method.not_found", "There is no such payment method.")
	ErrMethodKind     = fault.New(fault.Invalid, "payment_method.kind", "A bank account is iban or us_bank. Cards are entered on the payment gateway's own page.").At("kind")
	ErrIBAN           = fault.New(fault.Invalid, "payment_method.iban", "This is not a valid IBAN. Check it for a wrong or missing character.").At("iban")
	ErrRouting        = fault.New(fault.Invalid, "payment_method.routing", "This is not a valid routing number: it has nine digits, and the last proves the others.").At("routing_number")
	ErrCardNumbersOff = fault.New(fault.Conflict, "card_numbers.off", "This service keeps no card numbers. Send the customer a pay link: they enter their card on the payment gateway's own page.")
	ErrCardGateway    = fault.New(fault.Invalid, "payment_method.gateway", "Choose a payment gateway that takes card numbers. The others keep cards themselves.").At("gateway_id")
	ErrNoCVV          = fault.New(fault.Invalid, "charge.cvv", "Leave the security code out: the payment gateway keeps this card, and has asked for it itself.").At("cvv")
	ErrAccountNumber  = fault.New(fault.Invalid, "payment_method.account_number", "An account number has 4 to 17 digits.").At("account_number")
)

// PaymentMethodID names a payment method.
type PaymentMethodID = id.Of[PaymentMethod]

// MethodKind is what a payment method is.
type MethodKind string

// The kinds.
const (
	MethodToken  MethodKind = "token"   // a card that the gateway keeps
	MethodCard   MethodKind = "card"    // a card by its number, for a gateway that keeps none
	MethodIBAN   MethodKind = "iban"    // a bank account by ISO 13616
	MethodUSBank MethodKind = "us_bank" // a bank account by ABA routing number
)

// PaymentMethod is what a customer left to pay by, as it may be shown: the secret part is not in it.
type PaymentMethod struct {
	ID          PaymentMethodID  `db:"id"`
	CustomerID  CustomerID       `db:"customer_id"`
	GatewayID   GatewayAccountID `db:"gateway_account_id"` // none for a bank account
	GatewayName string           `db:"gateway_name"`
	Kind        MethodKind       `db:"kind"`
	Brand       string           `db:"brand"` // "visa", or a bank account's country
	LastFour    string           `db:"last_four"`
	Expires     string           `db:"expires"` // YYYY-MM, or empty
	CreatedAt   time.Time        `db:"created_at"`
	Automatic   bool             `db:"automatic"` // the one that is charged for what falls due; where none is, the newest
	Archived    bool             `db:"archived"`
	Version     int              `db:"version"`
}

// Chargeable says whether a gateway can charge it by itself.
func (m PaymentMethod) Chargeable() bool {
	return (m.Kind == MethodToken || m.Kind == MethodCard) && !m.GatewayID.IsZero()
}

// ParseCVV reads the security code that somebody typed for this card, to be passed on with one charge and kept nowhere.
// It fails with gateway.ErrCVV, and with ErrNoCVV where the gateway asks for it itself.
func (m PaymentMethod) ParseCVV(s string) (gateway.CVV, error) {
	if m.Kind != MethodCard && s != "" {
		return gateway.CVV{}, ErrNoCVV
	}
	return gateway.ParseCVV(m.Brand, s)
}

// BankAccountInput is what is written about a customer's bank account: an IBAN, or a routing and an account number.
type BankAccountInput struct {
	CustomerID    CustomerID
	Kind          MethodKind
	IBAN          string
	Routing       string
	AccountNumber string
}

// CardNumberInput is what is written about a customer's card that we are to keep ourselves.
type CardNumberInput struct {
	CustomerID CustomerID
	GatewayID  GatewayAccountID // that it is charged through
	Number     string
	Expires    string
}

// SealedPaymentMethod is a payment method with its secret sealed for the row that it is to be kept in.
type SealedPaymentMethod struct {
	method PaymentMethod
	sealed string
}

// bankSecret and tokenSecret are what is sealed.
type bankSecret struct {
	IBAN    string `json:"iban,omitempty"`
	Routing string `json:"routing,omitempty"`
	Account string `json:"account,omitempty"`
}

type cardSecret struct {
	Token    string `json:"token,omitempty"`
	Customer string `json:"customer,omitempty"`
	Number   string `json:"number,omitempty"`
	Expires  string `json:"expires,omitempty"`
}

// ParseIBAN gives an IBAN without its spaces, in capitals. It checks length, characters and the two check digits (ISO
// 7064, mod 97-10), and fails with ErrIBAN.
func ParseIBAN(s string) (string, error) {
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if len(s) < 15 || len(s) > 34 || !letters(s[:2]) || !digits(s[2:4]) || s[2:4] < "02" || s[2:4] > "98" {
		return "", ErrIBAN
	}
	if want, known := ibanLengths[s[:2]]; known && len(s) != want {
		return "", ErrIBAN.Sayf("An IBAN of %s has %d characters; this one has %d.", s[:2], want, len(s))
	}
	var number strings.Builder
	for _, c := range s[4:] + s[:4] {
		switch {
		case c >= '0' && c <= '9':
			number.WriteRune(c)
		case c >= 'A' && c <= 'Z':
			number.WriteString(big.NewInt(int64(c - 'A' + 10)).String())
		default:
			return "", ErrIBAN
		}
	}
	n, ok := new(big.Int).SetString(number.String(), 10)
	if !ok || n.Mod(n, big.NewInt(97)).Int64() != 1 {
		return "", ErrIBAN
	}
	return s, nil
}

// ibanLengths are those of the SEPA countries, by the IBAN registry (ISO 13616).
var ibanLengths = map[string]int{
	"AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27,
	"GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27,
	"MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}

// CheckRouting says whether a routing number's ninth digit proves the others: 3, 7, 1 three times over, by tens (ABA).
func CheckRouting(s string) bool {
	if len(s) != 9 || !digits(s) || s == "000000000" {
		return false
	}
	sum := 0
	for i, weight := range []int{3, 7, 1, 3, 7, 1, 3, 7, 1} {
		sum += weight * int(s[i]-'0')
	}
	return sum%10 == 0
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }) < 0
}

func letters(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c < 'A' || c > 'Z' }) < 0
}

func methodPlace(organization tenant.OrganizationID, method PaymentMethodID) Place {
	return Place{organization.String(), "payment_method", "sealed", method.String()}
}

// SealBankAccount checks a bank account and seals its numbers. It calls the keyring and belongs before the transaction.
// It fails with ErrMethodKind, ErrIBAN, ErrRouting, ErrAccountNumber and what the sealer refuses.
func SealBankAccount(ctx context.Context, sealer Sealer, organization tenant.OrganizationID, in BankAccountInput) (SealedPaymentMethod, error) {
	var f fields
	m := PaymentMethod{CustomerID: in.CustomerID, Kind: in.Kind}
	var secret bankSecret
	var err error
	switch in.Kind {
	case MethodIBAN:
		secret.IBAN, err = ParseIBAN(f.text(text.Line, "iban", in.IBAN, 60))
		f.add("iban", err)
		if err == nil {
			m.Brand, m.LastFour = secret.IBAN[:2], secret.IBAN[len(secret.IBAN)-4:]
		}
	case MethodUSBank:
		secret.Routing = strings.ReplaceAll(f.text(text.Line, "routing_number", in.Routing, 20), " ", "")
		secret.Account = strings.NewReplacer(" ", "", "-", "").Replace(f.text(text.Line, "account_number", in.AccountNumber, 40))
		if !CheckRouting(secret.Routing) {
			f.add("routing_number", ErrRouting)
		}
		if len(secret.Account) < 4 || len(secret.Account) > 17 || !digits(secret.Account) {
			f.add("account_number", ErrAccountNumber)
			break
		}
		m.Brand, m.LastFour = "US", secret.Account[len(secret.Account)-4:]
	default:
		f.add("kind", ErrMethodKind)
	}
	if err := f.err(); err != nil {
		return SealedPaymentMethod{}, err
	}
	return sealMethod(ctx, sealer, organization, m, secret)
}

// SealCard seals a gateway's name for a card that may be charged again; a zero result when it may not.
func SealCard(ctx context.Context, sealer Sealer, organization tenant.OrganizationID, i Intent, c gateway.Card) (SealedPaymentMethod, error) {
	if c.Token == "" || !i.Keep {
		return SealedPaymentMethod{}, nil
	}
	return sealMethod(ctx, sealer, organization, PaymentMethod{CustomerID: i.CustomerID, GatewayID: i.GatewayID, Kind: MethodToken,
		Brand: short(c.Brand, 20), LastFour: short(c.LastFour, 4), Expires: short(c.Expires, 7)}, cardSecret{Token: c.Token, Customer: c.Customer})
}

// SealCardNumber checks a card number and seals it; whoever calls it has made sure that card numbers are kept here at
// all. It calls the keyring and belongs before the transaction. It fails with the faults of gateway.ParseCardNumber and
// gateway.ParseExpiry, and with what the sealer refuses.
func SealCardNumber(ctx context.Context, sealer Sealer, organization tenant.OrganizationID, now time.Time, in CardNumberInput) (SealedPaymentMethod, error) {
	var f fields
	m := PaymentMethod{CustomerID: in.CustomerID, GatewayID: in.GatewayID, Kind: MethodCard}
	if in.GatewayID.IsZero() {
		f.add("gateway_id", ErrCardGateway)
	}
	digits, brand, err := gateway.ParseCardNumber(f.text(text.Line, "card_number", in.Number, 40))
	f.add("card_number", err)
	m.Expires, err = gateway.ParseExpiry(f.text(text.Line, "expires", in.Expires, 10), now)
	f.add("expires", err)
	if err := f.err(); err != nil {
		return SealedPaymentMethod{}, err
	}
	m.Brand, m.LastFour = brand, digits[len(digits)-4:]
	return sealMethod(ctx, sealer, organization, m, cardSecret{Number: digits, Expires: m.Expires})
}

func sealMethod(ctx context.Context, sealer Sealer, organization tenant.OrganizationID, m PaymentMethod, secret any) (out SealedPaymentMethod, err error) {
	m.ID = id.New[PaymentMethod]()
	plain, err := json.Marshal(secret)
	if err != nil {
		return out, errors.New("writing a payment method failed") // the cause would quote it
	}
	out.method = m
	out.sealed, err = sealer.Seal(ctx, methodPlace(organization, m.ID), plain)
	return out, err
}

// AddPaymentMethod keeps a payment method of a customer. It fails with ErrCustomerUnknown, and for a card number with
// ErrGatewayArchived and ErrCardGateway.
func AddPaymentMethod(ctx context.Context, tx *tenant.Tx, s SealedPaymentMethod) (PaymentMethod, error) {
	if s.method.Kind == MethodCard {
		account, err := selectGatewayAccount(ctx, tx, s.method.GatewayID)
		switch {
		case errors.Is(err, ErrGatewayNotFound), err == nil && !account.Kind.TakesNumbers():
			return PaymentMethod{}, ErrCardGateway
		case err != nil:
			return PaymentMethod{}, err
		case account.Archived:
			return PaymentMethod{}, ErrGatewayArchived
		}
	}
	if err := insertPaymentMethod(ctx, tx, s); err != nil {
		return PaymentMethod{}, err
	}
	err := tx.Record(ctx, tenant.Act{Action: "payment_method.add", Object: "payment_method", ID: s.method.ID.UUID, Detail: string(s.method.Kind)})
	if err != nil {
		return PaymentMethod{}, err
	}
	return selectPaymentMethod(ctx, tx, s.method.ID)
}

// KeepCard keeps a card that a charge was paid with, once for the charge; nothing for a zero one.
func KeepCard(ctx context.Context, tx *tenant.Tx, intent IntentID, s SealedPaymentMethod) error {
	if s.method.ID.IsZero() {
		return nil
	}
	i, err := lockIntent(ctx, tx, intent)
	if err != nil || !i.MethodID.IsZero() {
		return err
	}
	if _, err := AddPaymentMethod(ctx, tx, s); err != nil {
		return err
	}
	return updateIntentMethod(ctx, tx, intent, s.method.ID)
}

// RemovePaymentMethod takes a payment method out of use and forgets its secret. It fails with ErrMethodNotFound.
func RemovePaymentMethod(ctx context.Context, tx *tenant.Tx, method PaymentMethodID) error {
	if err := updateMethodArchived(ctx, tx, method); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "payment_method.remove", Object: "payment_method", ID: method.UUID})
}

// ChoosePaymentMethod makes one of a customer's cards the one that is charged for what falls due. It fails with
// ErrMethodNotFound and, for what no gateway can charge, ErrMethodUnusable.
func ChoosePaymentMethod(ctx context.Context, tx *tenant.Tx, method PaymentMethodID) error {
	m, err := selectPaymentMethod(ctx, tx, method)
	switch {
	case err != nil:
		return err
	case m.Archived:
		return ErrMethodNotFound
	case !m.Chargeable():
		return ErrMethodUnusable
	}
	// Two who choose at once choose one after the other.
	if _, err := lockCustomer(ctx, tx, m.CustomerID); err != nil {
		return err
	}
	if err := updateMethodAutomatic(ctx, tx, m); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "payment_method.choose", Object: "payment_method", ID: method.UUID})
}

// PaymentMethods gives a customer's payment methods in use, the newest first. It opens nothing.
func PaymentMethods(ctx context.Context, tx *tenant.Tx, customer CustomerID) ([]PaymentMethod, error) {
	return selectPaymentMethods(ctx, tx, customer)
}

// PaymentMethodByID gives one; ErrMethodNotFound.
func PaymentMethodByID(ctx context.Context, tx *tenant.Tx, method PaymentMethodID) (PaymentMethod, error) {
	return selectPaymentMethod(ctx, tx, method)
}

// SealedCard is a stored card's secret, for OpenCard.
type SealedCard struct {
	Kind   MethodKind
	at     Place
	sealed string
}

// StoredCard reads what OpenCard opens, outside the transaction.
func StoredCard(ctx context.Context, tx *tenant.Tx, method PaymentMethodID) (SealedCard, error) {
	kind, sealed, err := selectMethodSealed(ctx, tx, method)
	return SealedCard{kind, methodPlace(tx.Scope().Organization().ID, method), sealed}, err
}

// OpenCard opens the gateway's name for a card, or the card's number, for charging it. It calls the keyring.
func OpenCard(ctx context.Context, sealer Sealer, s SealedCard) (gateway.Card, error) {
	plain, err := sealer.Open(ctx, s.at, s.sealed)
	if err != nil {
		return gateway.Card{}, err
	}
	var secret cardSecret
	if err := json.Unmarshal(plain, &secret); err != nil {
		return gateway.Card{}, errors.New("reading a stored card failed") // the cause would quote it
	}
	return gateway.Card{Token: secret.Token, Customer: secret.Customer, Number: gateway.NewCardNumber(secret.Number, secret.Expires)}, nil
}
