package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// ProductBody is what a program writes about a product.
type ProductBody struct {
	ExternalID      string `json:"external_id,omitempty" doc:"The product's id in another system; unique"`
	Name            string `json:"name"`
	Description     string `json:"description,omitempty"`
	UnitPrice       string `json:"unit_price" doc:"Decimal, at most 6 decimals" example:"145.00"`
	Currency        string `json:"currency,omitempty" doc:"ISO 4217; left out, the organization's own" example:"EUR"`
	IncomeAccountID string `json:"income_account_id,omitempty" doc:"Left out, the account for sales"`

	Shop *OfferBody `json:"shop,omitempty" doc:"How the shop sells it; left out, as it is, and a new one not at all"`
}

// OfferBody is how a product is sold in the shop.
type OfferBody struct {
	InShop bool     `json:"in_shop"`
	Type   string   `json:"type,omitempty" doc:"A word of your own, such as hosting" maxLength:"30"`
	Unit   string   `json:"recurring_unit,omitempty" doc:"day, week, month or year; left out, it is sold once" enum:"day,week,month,year,"`
	Every  int      `json:"recurring_every,omitempty" doc:"Every so many units" minimum:"0" maximum:"365"`
	Taxes  []string `json:"taxes,omitempty" doc:"Codes of the taxes that are added" maxItems:"8"`
}

func (b *OfferBody) offer() *billing.Offer {
	if b == nil {
		return nil
	}
	return &billing.Offer{InShop: b.InShop, Type: b.Type, Unit: b.Unit, Every: b.Every, Codes: strings.Join(b.Taxes, " ")}
}

// ProductView is a product as a program reads it.
type ProductView struct {
	ID string `json:"id"`
	ProductBody
	Archived  bool      `json:"archived"`
	CreatedAt time.Time `json:"created_at"`
}

func (b ProductBody) input() (in billing.ProductInput, err error) {
	var faults fault.List
	in = billing.ProductInput{ExternalID: b.ExternalID, Name: b.Name, Description: b.Description, Offer: b.Shop.offer()}
	in.UnitPrice, err = bodyPrice("unit_price", b.UnitPrice)
	if !faults.Add("", err) {
		return in, err
	}
	if b.Currency != "" {
		in.Currency, err = money.ParseCurrency(b.Currency)
		if !faults.Add("currency", err) {
			return in, err
		}
	}
	in.IncomeAccount, err = bodyID[ledger.Account]("income_account_id", b.IncomeAccountID)
	if !faults.Add("", err) {
		return in, err
	}
	return in, faults.Err()
}

func viewProduct(p billing.Product) ProductView {
	return ProductView{ID: p.ID.String(), Archived: p.Archived, CreatedAt: p.CreatedAt, ProductBody: ProductBody{
		ExternalID: p.ExternalID, Name: p.Name, Description: p.Description, UnitPrice: p.UnitPrice.String(),
		Currency: p.Currency.Code(), IncomeAccountID: idText(p.IncomeAccount), Shop: viewOffer(p.Offer)}}
}

// viewOffer is nil for what the shop knows nothing of.
func viewOffer(o billing.Offer) *OfferBody {
	if o == (billing.Offer{Every: 1}) {
		return nil
	}
	return &OfferBody{InShop: o.InShop, Type: o.Type, Unit: o.Unit, Every: o.Every, Taxes: o.TaxCodes()}
}

type productListInput struct {
	PageInput
	Search   string `query:"search" doc:"Words of the name, description or external id" maxLength:"200"`
	Archived bool   `query:"archived" doc:"The archived ones instead"`
}

func (s *Server) registerProductAPI() {
	const tag = "Products"
	handle(s, operation{id: "list-products", method: "GET", path: "/v1/products", right: authz.Right{Module: authz.Products, Action: authz.Read}, tag: tag, summary: "List products by name"},
		func(ctx context.Context, c *call, in *productListInput) (*Body[List[ProductView]], error) {
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.Product], error) {
				return billing.Products(ctx, tx, billing.ProductFilter{Search: in.Search, Archived: in.Archived}, q)
			}, viewProduct)
		})
	handle(s, operation{id: "add-product", method: "POST", path: "/v1/products", right: authz.Right{Module: authz.Products, Action: authz.Create}, tag: tag, summary: "Add a product", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[ProductBody]) (*Versioned[ProductView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := billing.AddProduct(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (ProductView, int, error) {
				v, err := billing.ProductByID(ctx, tx, id.Of[billing.Product]{UUID: made})
				return viewProduct(v), v.Version, err
			})
		})
	handle(s, operation{id: "get-product", method: "GET", path: "/v1/products/{id}", right: authz.Right{Module: authz.Products, Action: authz.Read}, tag: tag, summary: "Read a product"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[ProductView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.ProductID) (ProductView, int, error) {
				v, err := billing.ProductByID(ctx, tx, i)
				return viewProduct(v), v.Version, err
			})
		})
	handle(s, operation{id: "change-product", method: "PUT", path: "/v1/products/{id}", right: authz.Right{Module: authz.Products, Action: authz.Change}, tag: tag, summary: "Write a product anew; what was invoiced stays as it was"},
		func(ctx context.Context, c *call, in *Change[ProductBody]) (*Versioned[ProductView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i billing.ProductID, version int) (ProductView, int, error) {
				v, err := billing.ChangeProduct(ctx, tx, i, version, input)
				return viewProduct(v), v.Version, err
			})
		})
	registerShelf(s, tag, "product", authz.Products, billing.ArchiveProduct, billing.RestoreProduct,
		func(v billing.Product) (ProductView, int) { return viewProduct(v), v.Version })
}
