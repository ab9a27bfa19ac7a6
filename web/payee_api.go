package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// PayeeBody is what a program writes about a payee.
type PayeeBody struct {
	ExternalID       string `json:"external_id,omitempty" doc:"The payee's id in another system; unique among customers and payees"`
	Name             string `json:"name"`
	Company          string `json:"company,omitempty"`
	Email            string `json:"email,omitempty"`
	Phone            string `json:"phone,omitempty"`
	Street           string `json:"street,omitempty"`
	City             string `json:"city,omitempty"`
	Region           string `json:"region,omitempty"`
	PostalCode       string `json:"postal_code,omitempty"`
	Country          string `json:"country,omitempty" doc:"ISO 3166-1 alpha-2, or an English name" example:"IE"`
	TaxNumber        string `json:"tax_number,omitempty" example:"PT501964843"`
	TermsDays        *int   `json:"payment_terms_days,omitempty" doc:"Days from a bill's date to its due date, 0 to 365; left out, the organization's"`
	ExpenseAccountID string `json:"expense_account_id,omitempty" doc:"What is usually bought from them is a cost on this account"`
}

// PayeeView is a payee as a program reads it.
type PayeeView struct {
	ID string `json:"id"`
	PayeeBody
	IsCustomer bool      `json:"is_customer" doc:"They are sold to, too, under the same id"`
	Archived   bool      `json:"archived"`
	CreatedAt  time.Time `json:"created_at"`
}

func (b PayeeBody) input() (in billing.PayeeInput, err error) {
	in.CustomerInput = billing.CustomerInput{ExternalID: b.ExternalID, Name: b.Name, Company: b.Company, Email: b.Email, Phone: b.Phone,
		Street: b.Street, City: b.City, Region: b.Region, PostalCode: b.PostalCode, Country: b.Country, TaxNumber: b.TaxNumber, TermsDays: b.TermsDays}
	in.ExpenseAccount, err = bodyID[ledger.Account]("expense_account_id", b.ExpenseAccountID)
	return in, err
}

func viewPayee(p billing.Payee) PayeeView {
	return PayeeView{ID: p.ID.String(), IsCustomer: p.IsCustomer, Archived: p.Archived, CreatedAt: p.CreatedAt, PayeeBody: PayeeBody{
		ExternalID: p.ExternalID, Name: p.Name, Company: p.Company, Email: p.Email, Phone: p.Phone, Street: p.Street, City: p.City, Region: p.Region,
		PostalCode: p.PostalCode, Country: p.Country, TaxNumber: p.TaxNumber, TermsDays: p.PayeeTermsDays, ExpenseAccountID: idText(p.ExpenseAccount)}}
}

type payeeListInput struct {
	PageInput
	Search   string `query:"search" doc:"Words of the name, company, e-mail or external id" maxLength:"200"`
	Archived bool   `query:"archived" doc:"The archived ones instead"`
}

func (s *Server) registerPayeeAPI() {
	const tag = "Payees"
	handle(s, operation{id: "list-payees", method: "GET", path: "/v1/payees", right: rightTo(authz.Read, authz.Payees), tag: tag, summary: "List payees by name"},
		func(ctx context.Context, c *call, in *payeeListInput) (*Body[List[PayeeView]], error) {
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.Payee], error) {
				return billing.Payees(ctx, tx, billing.PayeeFilter{Search: in.Search, Archived: in.Archived}, q)
			}, viewPayee)
		})
	handle(s, operation{id: "add-payee", method: "POST", path: "/v1/payees", right: rightTo(authz.Create, authz.Payees), tag: tag, summary: "Add a payee", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[PayeeBody]) (*Versioned[PayeeView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := billing.AddPayee(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (PayeeView, int, error) {
				p, err := billing.PayeeByID(ctx, tx, billing.PayeeID{UUID: made})
				return viewPayee(p), p.Version, err
			})
		})
	handle(s, operation{id: "get-payee", method: "GET", path: "/v1/payees/{id}", right: rightTo(authz.Read, authz.Payees), tag: tag, summary: "Read a payee"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[PayeeView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.PayeeID) (PayeeView, int, error) {
				p, err := billing.PayeeByID(ctx, tx, i)
				return viewPayee(p), p.Version, err
			})
		})
	handle(s, operation{id: "change-payee", method: "PUT", path: "/v1/payees/{id}", right: rightTo(authz.Change, authz.Payees), tag: tag, summary: "Write a payee anew"},
		func(ctx context.Context, c *call, in *Change[PayeeBody]) (*Versioned[PayeeView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i billing.PayeeID, version int) (PayeeView, int, error) {
				p, err := billing.ChangePayee(ctx, tx, i, version, input)
				return viewPayee(p), p.Version, err
			})
		})
	handle(s, operation{id: "buy-from-customer", method: "POST", path: "/v1/customers/{id}/payee", right: rightTo(authz.Create, authz.Payees), tag: tag, summary: "Make a customer a payee too"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[PayeeView], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i billing.CustomerID, _ int) (PayeeView, int, error) {
				p, err := billing.BuyFromCustomer(ctx, tx, i)
				return viewPayee(p), p.Version, err
			})
		})
	handle(s, operation{id: "sell-to-payee", method: "POST", path: "/v1/payees/{id}/customer", right: rightTo(authz.Create, authz.Customers), tag: tag, summary: "Make a payee a customer too"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[PayeeView], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i billing.PayeeID, _ int) (PayeeView, int, error) {
				p, err := billing.SellToPayee(ctx, tx, i)
				return viewPayee(p), p.Version, err
			})
		})
	registerShelf(s, tag, "payee", authz.Payees, billing.ArchivePayee, billing.RestorePayee,
		func(p billing.Payee) (PayeeView, int) { return viewPayee(p), p.Version })
}
