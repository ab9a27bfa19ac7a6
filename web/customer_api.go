package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// CustomerBody is what a program writes about a customer.
type CustomerBody struct {
	ExternalID string `json:"external_id,omitempty" doc:"The customer's id in another system; unique"`
	Name       string `json:"name"`
	Company    string `json:"company,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Street     string `json:"street,omitempty"`
	City       string `json:"city,omitempty"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country,omitempty" doc:"ISO 3166-1 alpha-2, or an English name" example:"IE"`
	TaxNumber  string `json:"tax_number,omitempty" doc:"As their documents show it" example:"PT501964843"`
	Language   string `json:"language,omitempty" doc:"Of their documents: en or fr" example:"fr"`
	TermsDays  *int   `json:"payment_terms_days,omitempty" doc:"Days from issue to due, 0 to 365; left out, the organization's"`
}

// CustomerView is a customer as a program reads it.
type CustomerView struct {
	ID string `json:"id"`
	CustomerBody
	Archived        bool       `json:"archived"`
	CreatedAt       time.Time  `json:"created_at"`
	VerifiedPhone   string     `json:"verified_phone,omitempty" doc:"A number that they have shown to be theirs, in E.164"`
	PhoneVerifiedAt *time.Time `json:"phone_verified_at,omitempty"`
}

func (b CustomerBody) input() billing.CustomerInput {
	return billing.CustomerInput{ExternalID: b.ExternalID, Name: b.Name, Company: b.Company, Email: b.Email, Phone: b.Phone,
		Street: b.Street, City: b.City, Region: b.Region, PostalCode: b.PostalCode, Country: b.Country,
		TaxNumber: b.TaxNumber, Language: b.Language, TermsDays: b.TermsDays}
}

func viewCustomer(c billing.Customer) CustomerView {
	return CustomerView{ID: c.ID.String(), Archived: c.Archived, CreatedAt: c.CreatedAt, VerifiedPhone: c.VerifiedPhone, PhoneVerifiedAt: c.PhoneVerifiedAt, CustomerBody: CustomerBody{
		ExternalID: c.ExternalID, Name: c.Name, Company: c.Company, Email: c.Email, Phone: c.Phone,
		Street: c.Street, City: c.City, Region: c.Region, PostalCode: c.PostalCode, Country: c.Country,
		TaxNumber: c.TaxNumber, Language: c.Language, TermsDays: c.TermsDays}}
}

type customerListInput struct {
	PageInput
	Search   string `query:"search" doc:"Words of the name, company, e-mail or external id" maxLength:"200"`
	Archived bool   `query:"archived" doc:"The archived ones instead"`
}

func (s *Server) registerCustomerAPI() {
	const tag = "Customers"
	handle(s, operation{id: "list-customers", method: "GET", path: "/v1/customers", right: authz.Right{Module: authz.Customers, Action: authz.Read}, tag: tag, summary: "List customers by name"},
		func(ctx context.Context, c *call, in *customerListInput) (*Body[List[CustomerView]], error) {
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.Customer], error) {
				return billing.Customers(ctx, tx, billing.CustomerFilter{Search: in.Search, Archived: in.Archived}, q)
			}, viewCustomer)
		})
	handle(s, operation{id: "add-customer", method: "POST", path: "/v1/customers", right: authz.Right{Module: authz.Customers, Action: authz.Create}, tag: tag, summary: "Add a customer", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[CustomerBody]) (*Versioned[CustomerView], error) {
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := billing.AddCustomer(ctx, tx, in.Body.input())
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (CustomerView, int, error) {
				v, err := billing.CustomerByID(ctx, tx, id.Of[billing.Customer]{UUID: made})
				return viewCustomer(v), v.Version, err
			})
		})
	handle(s, operation{id: "get-customer", method: "GET", path: "/v1/customers/{id}", right: authz.Right{Module: authz.Customers, Action: authz.Read}, tag: tag, summary: "Read a customer"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[CustomerView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.CustomerID) (CustomerView, int, error) {
				v, err := billing.CustomerByID(ctx, tx, i)
				return viewCustomer(v), v.Version, err
			})
		})
	handle(s, operation{id: "change-customer", method: "PUT", path: "/v1/customers/{id}", right: authz.Right{Module: authz.Customers, Action: authz.Change}, tag: tag, summary: "Write a customer anew"},
		func(ctx context.Context, c *call, in *Change[CustomerBody]) (*Versioned[CustomerView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i billing.CustomerID, version int) (CustomerView, int, error) {
				v, err := billing.ChangeCustomer(ctx, tx, i, version, in.Body.input())
				return viewCustomer(v), v.Version, err
			})
		})
	registerShelf(s, tag, "customer", authz.Customers, billing.ArchiveCustomer, billing.RestoreCustomer,
		func(v billing.Customer) (CustomerView, int) { return viewCustomer(v), v.Version })
}
