package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

var errWhoseMethods = fault.New(fault.Invalid, "customer_id.missing", "Say whose payment methods: give customer_id.").At("customer_id")

// BankAccountBody is what a program writes about a customer's bank account. Its numbers are never given back.
type BankAccountBody struct {
	CustomerID    string `json:"customer_id"`
	Kind          string `json:"kind" doc:"iban or us_bank. Cards are entered on the payment gateway's own page." example:"iban"`
	IBAN          string `json:"iban,omitempty" doc:"Write-only"`
	Routing       string `json:"routing_number,omitempty" doc:"Write-only; nine digits (ABA)"`
	AccountNumber string `json:"account_number,omitempty" doc:"Write-only; 4 to 17 digits"`
}

// CardNumberBody is what a program writes about a card by its number. The number is never given back.
type CardNumberBody struct {
	CustomerID string `json:"customer_id"`
	GatewayID  string `json:"gateway_id" doc:"A gateway that takes card numbers because it keeps no cards itself"`
	Number     string `json:"card_number" doc:"Write-only; it is sealed"`
	Expires    string `json:"expires" example:"2031-04"`
}

// PaymentMethodView is a payment method as a program reads it: nothing in it can be paid by.
type PaymentMethodView struct {
	ID         string    `json:"id"`
	CustomerID string    `json:"customer_id"`
	Kind       string    `json:"kind" doc:"token: a card that the gateway keeps; card: one whose number is sealed here; iban, us_bank"`
	GatewayID  string    `json:"gateway_id,omitempty" doc:"Which gateway the card is charged through"`
	Brand      string    `json:"brand" doc:"Of a card; of a bank account, its country"`
	LastFour   string    `json:"last_four"`
	Expires    string    `json:"expires,omitempty" example:"2031-04"`
	Chargeable bool      `json:"chargeable" doc:"A gateway can charge it by itself. A bank account is kept for transfers that you order at your bank."`
	Charged    bool      `json:"charged" doc:"It is the one that is charged for what falls due: the one that was chosen, or else the newest"`
	Archived   bool      `json:"archived"`
	CreatedAt  time.Time `json:"created_at"`
}

// viewPaymentMethod shows one of a customer's; charged is the one that is charged for what falls due.
func viewPaymentMethod(m billing.PaymentMethod, charged billing.PaymentMethodID) PaymentMethodView {
	return PaymentMethodView{Charged: m.ID == charged, ID: m.ID.String(), CustomerID: m.CustomerID.String(), Kind: string(m.Kind), GatewayID: idText(m.GatewayID), Brand: m.Brand,
		LastFour: m.LastFour, Expires: m.Expires, Chargeable: m.Chargeable() && !m.Archived, Archived: m.Archived, CreatedAt: m.CreatedAt}
}

type methodListInput struct {
	CustomerID string `query:"customer_id" required:"true" doc:"Whose" maxLength:"36"`
}

func (s *Server) registerPaymentMethodAPI() {
	if s.Till == nil {
		return
	}
	const tag = "Payment methods"
	one := func(ctx context.Context, tx *tenant.Tx, i billing.PaymentMethodID) (PaymentMethodView, int, error) {
		m, err := billing.PaymentMethodByID(ctx, tx, i)
		if err != nil {
			return PaymentMethodView{}, 0, err
		}
		charged, err := billing.CardToCharge(ctx, tx, m.CustomerID)
		return viewPaymentMethod(m, charged), m.Version, err
	}
	handle(s, operation{id: "list-payment-methods", method: "GET", path: "/v1/payment-methods", right: authz.Right{Module: authz.PaymentMethods, Action: authz.Read}, tag: tag, summary: "List a customer's payment methods in use, newest first"},
		listMethods)
	handle(s, operation{id: "add-bank-account", method: "POST", path: "/v1/payment-methods", right: authz.Right{Module: authz.PaymentMethods, Action: authz.Create}, tag: tag, summary: "Store a customer's bank account, for transfers that you order at your bank", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[BankAccountBody]) (*Versioned[PaymentMethodView], error) {
			customer, err := bodyID[billing.Customer]("customer_id", in.Body.CustomerID)
			if err != nil {
				return nil, err
			}
			sealed, err := billing.SealBankAccount(ctx, c.server.Till.Sealer, c.scope.Organization().ID, billing.BankAccountInput{CustomerID: customer,
				Kind: billing.MethodKind(in.Body.Kind), IBAN: in.Body.IBAN, Routing: in.Body.Routing, AccountNumber: in.Body.AccountNumber})
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := billing.AddPaymentMethod(ctx, tx, sealed)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (PaymentMethodView, int, error) {
				return one(ctx, tx, id.Of[billing.PaymentMethod]{UUID: made})
			})
		})
	handle(s, operation{id: "add-card-number", method: "POST", path: "/v1/cards", right: authz.Right{Module: authz.PaymentMethods, Action: authz.Create}, tag: tag, summary: "Store a customer's card by its number, for a gateway that keeps none; refused with card_numbers.off unless the operator of this service accepted PCI scope", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[CardNumberBody]) (*Versioned[PaymentMethodView], error) {
			customer, err := bodyID[billing.Customer]("customer_id", in.Body.CustomerID)
			if err != nil {
				return nil, err
			}
			account, err := bodyID[billing.GatewayAccount]("gateway_id", in.Body.GatewayID)
			if err != nil {
				return nil, err
			}
			sealed, err := c.server.Till.SealCardNumber(ctx, c.scope.Organization().ID, c.server.DB.Now(),
				billing.CardNumberInput{CustomerID: customer, GatewayID: account, Number: in.Body.Number, Expires: in.Body.Expires})
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := billing.AddPaymentMethod(ctx, tx, sealed)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (PaymentMethodView, int, error) {
				return one(ctx, tx, id.Of[billing.PaymentMethod]{UUID: made})
			})
		})
	handle(s, operation{id: "get-payment-method", method: "GET", path: "/v1/payment-methods/{id}", right: authz.Right{Module: authz.PaymentMethods, Action: authz.Read}, tag: tag, summary: "Read a payment method"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[PaymentMethodView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.PaymentMethodID) (PaymentMethodView, int, error) { return one(ctx, tx, i) })
		})
	handle(s, operation{id: "choose-payment-method", method: "POST", path: "/v1/payment-methods/{id}/automatic", right: authz.Right{Module: authz.PaymentMethods, Action: authz.Change}, tag: tag, summary: "Choose the card that is charged for what falls due; archive it, and the newest of the others is"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[PaymentMethodView], error) {
			return act(ctx, c, in.ID, func(tx *tenant.Tx, i billing.PaymentMethodID) (PaymentMethodView, int, error) {
				if err := billing.ChoosePaymentMethod(ctx, tx, i); err != nil {
					return PaymentMethodView{}, 0, err
				}
				return one(ctx, tx, i)
			})
		})
	handle(s, operation{id: "archive-payment-method", method: "POST", path: "/v1/payment-methods/{id}/archive", right: authz.Right{Module: authz.PaymentMethods, Action: authz.Delete}, tag: tag, summary: "Take a payment method out of use; its number is forgotten at once"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[PaymentMethodView], error) {
			return act(ctx, c, in.ID, func(tx *tenant.Tx, i billing.PaymentMethodID) (PaymentMethodView, int, error) {
				if err := billing.RemovePaymentMethod(ctx, tx, i); err != nil {
					return PaymentMethodView{}, 0, err
				}
				return one(ctx, tx, i)
			})
		})
}

func listMethods(ctx context.Context, c *call, in *methodListInput) (*Body[List[PaymentMethodView]], error) {
	customer, err := bodyID[billing.Customer]("customer_id", in.CustomerID)
	if err != nil {
		return nil, err
	}
	if customer.IsZero() {
		return nil, errWhoseMethods
	}
	out := &Body[List[PaymentMethodView]]{Body: List[PaymentMethodView]{Items: []PaymentMethodView{}}}
	err = c.do(ctx, func(tx *tenant.Tx) error {
		all, err := billing.PaymentMethods(ctx, tx, customer)
		if err != nil {
			return err
		}
		charged, err := billing.CardToCharge(ctx, tx, customer)
		out.Body.Items = out.Body.Items[:0] // it may run twice
		for _, m := range all {
			out.Body.Items = append(out.Body.Items, viewPaymentMethod(m, charged))
		}
		return err
	})
	return out, err
}
