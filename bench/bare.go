package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/web"
)

// bare is the read without tenancy: the same Fiber with the same answer, and behind it one prepared statement in one
// schema that its connections never leave. Nobody is asked who they are.
type bare struct {
	*site
	db *sqlx.DB
}

// openBare serves invoices of one organization with the statement that the service runs for it.
func (h *house) openBare(ctx context.Context, password string, like fiber.Config, o organization, of sampled) (_ *bare, err error) {
	query, err := theQuery(of)
	if err != nil {
		return nil, err
	}
	address, err := h.bareURL(password, o.schema)
	if err != nil {
		return nil, err
	}
	b := &bare{}
	if b.db, err = sqlx.ConnectContext(ctx, "postgres", address); err != nil {
		return nil, fmt.Errorf("connecting without tenancy: %w", err)
	}
	b.db.SetMaxOpenConns(h.clients)
	b.db.SetMaxIdleConns(h.clients)
	prepared, err := b.db.PreparexContext(ctx, query)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the read: %w", err), b.db.Close())
	}
	zone, err := time.LoadLocation(timeZone)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading a time zone: %w", err), b.db.Close())
	}
	like.ErrorHandler = fiber.DefaultErrorHandler
	app := fiber.New(like)
	app.Get("/v1/invoices/:id", func(c *fiber.Ctx) error { return answerInvoice(c, prepared, zone) })
	if b.site, err = serve(app); err != nil {
		return nil, errors.Join(err, b.db.Close())
	}
	return b, nil
}

func (b *bare) close() error { return errors.Join(b.site.close(), b.db.Close()) }

// bareURL enters one organization's schema for good.
func (h *house) bareURL(password, schema string) (string, error) {
	u, err := url.Parse(h.config.URL)
	if err != nil {
		return "", fmt.Errorf("reading the database's address: %w", err)
	}
	u.User = url.UserPassword(bareLogin, password)
	q := u.Query()
	q.Set("binary_parameters", "yes") // one round trip for a query with arguments, as the service has it
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// theQuery is the one statement with a parameter among those of a read, beside the question about the credential.
func theQuery(of sampled) (string, error) {
	var found []string
	for _, s := range of.read.statements {
		if !s.simple {
			found = append(found, s.text)
			continue
		}
		for part := range strings.SplitSeq(s.text, ";") {
			if call := execute.FindStringSubmatch(strings.TrimSpace(part)); call != nil && of.prepared[call[1]] != "" {
				found = append(found, of.prepared[call[1]])
			}
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("reading an invoice took %d statements with parameters, where the comparison knows of one: %q", len(found), found)
	}
	return found[0], nil
}

func answerInvoice(c *fiber.Ctx, prepared *sqlx.Stmt, zone *time.Location) error {
	invoice, ok := id.Parse[billing.Invoice](c.Params("id"))
	if !ok {
		return fiber.ErrNotFound
	}
	var row invoiceRow
	if err := prepared.GetContext(c.UserContext(), &row, invoice, "invoice"); err != nil {
		return fmt.Errorf("reading an invoice: %w", err)
	}
	view, err := row.view(zone)
	if err != nil {
		return err
	}
	c.Status(http.StatusOK).Set("Content-Type", "application/json")
	encoder := json.NewEncoder(c.Response().BodyWriter())
	encoder.SetEscapeHTML(false)
	return encoder.Encode(view)
}

// invoiceRow is what the statement gives.
type invoiceRow struct {
	ID          billing.InvoiceID `db:"id"`
	State       string            `db:"state"`
	Number      string            `db:"number"`
	ExternalID  string            `db:"external_id"`
	Customer    billing.Customer  `db:"customer"`
	IssueDate   civil.Date        `db:"issue_date"`
	DueDate     civil.Date        `db:"due_date"`
	Currency    money.Currency    `db:"currency"`
	Reference   string            `db:"reference"`
	Order       string            `db:"purchase_order"`
	Language    string            `db:"language"`
	Note        string            `db:"note"`
	Net         int64             `db:"net"`
	Tax         int64             `db:"tax"`
	Total       int64             `db:"total"`
	Settled     int64             `db:"settled"`
	WrittenOff  int64             `db:"written_off"`
	BaseRate    *decimal.Decimal  `db:"base_rate"`
	Entry       ledger.EntryID    `db:"entry_id"`
	Origin      *uuid.UUID        `db:"origin_id"`
	OriginName  string            `db:"origin_number"`
	ClosedAt    *time.Time        `db:"closed_at"`
	Closing     ledger.EntryID    `db:"closing_entry_id"`
	ClosingName int64             `db:"closing_entry_number"`
	AcceptedBy  string            `db:"accepted_by"`
	WithTax     bool              `db:"prices_with_tax"`
	Percent     decimal.Decimal   `db:"discount_percent"`
	Discount    int64             `db:"discount"`
	CreatedAt   time.Time         `db:"created_at"`
	IssuedAt    *time.Time        `db:"issued_at"`
	Version     int               `db:"version"`
	TimeZone    string            `db:"time_zone"`
	BilledTo    []byte            `db:"billed_to"`
	EntryNumber int64             `db:"entry_number"`
	Lines       []byte            `db:"lines"`
	Taxes       []byte            `db:"taxes"`
	Payments    []byte            `db:"payments"`
	Credits     []byte            `db:"credits"`
}

type lineRow struct {
	Line        int             `json:"line"`
	Product     *uuid.UUID      `json:"product_id"`
	Description string          `json:"description"`
	Quantity    decimal.Decimal `json:"quantity"`
	UnitPrice   decimal.Decimal `json:"unit_price"`
	Discount    decimal.Decimal `json:"discount_percent"`
	Account     uuid.UUID       `json:"account_id"`
	Net         int64           `json:"net"`
}

type taxRow struct {
	Line     int             `json:"line"`
	Code     string          `json:"code"`
	Name     string          `json:"name"`
	Percent  decimal.Decimal `json:"percent"`
	Compound bool            `json:"compound"`
	Kind     string          `json:"kind"`
	Reason   string          `json:"reason"`
	Base     int64           `json:"base"`
	Amount   int64           `json:"amount"`
}

type paymentRow struct {
	ID     uuid.UUID  `json:"id"`
	Date   civil.Date `json:"date"`
	Amount int64      `json:"amount"`
	Method string     `json:"method"`
}

// view is the row as the service answers it.
func (r invoiceRow) view(zone *time.Location) (web.InvoiceView, error) {
	if r.BilledTo != nil {
		if err := json.Unmarshal(r.BilledTo, &r.Customer); err != nil {
			return web.InvoiceView{}, fmt.Errorf("reading whom an invoice was billed to: %w", err)
		}
	}
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	h := billing.InvoiceHead{ID: r.ID, DocumentHead: billing.DocumentHead{
		State: r.State, Customer: r.Customer, IssueDate: r.IssueDate, DueDate: r.DueDate, Currency: r.Currency,
		Net: amount(r.Net), Tax: amount(r.Tax), Total: amount(r.Total), Settled: amount(r.Settled), Today: civil.Of(time.Now(), zone),
	}}
	v := web.InvoiceView{
		ID: r.ID.String(), State: r.State, Standing: string(h.Standing(h.Today)), Number: r.Number, ExternalID: r.ExternalID,
		Customer: web.InvoiceCustomerView{ID: r.Customer.ID.String(), Name: r.Customer.Name}, IssueDate: r.IssueDate.String(),
		DueDate: r.DueDate.String(), Reference: r.Reference, PurchaseOrder: r.Order, Language: r.Language, Note: r.Note, Net: moneyView(h.Net), Tax: moneyView(h.Tax),
		Total: moneyView(h.Total), Paid: moneyView(h.Settled), Open: moneyView(h.Open()), CreatedAt: r.CreatedAt,
	}
	if !r.Entry.IsZero() {
		v.EntryID = r.Entry.String()
	}
	return v, r.fillParts(&v, amount)
}

func (r invoiceRow) fillParts(v *web.InvoiceView, amount func(int64) money.Amount) error {
	var lines []lineRow
	var taxes []taxRow
	var payments []paymentRow
	for _, part := range []struct {
		text []byte
		into any
	}{{r.Lines, &lines}, {r.Taxes, &taxes}, {r.Payments, &payments}} {
		if part.text == nil {
			continue
		}
		if err := json.Unmarshal(part.text, part.into); err != nil {
			return fmt.Errorf("reading an invoice's parts: %w", err)
		}
	}
	for _, l := range lines {
		line := web.InvoiceLineView{Line: l.Line, Description: l.Description, Quantity: l.Quantity.String(), UnitPrice: l.UnitPrice.String(),
			DiscountPercent: l.Discount.String(), AccountID: l.Account.String(), Net: moneyView(amount(l.Net)), Taxes: []web.LineTaxView{}}
		if l.Product != nil {
			line.ProductID = l.Product.String()
		}
		for len(taxes) > 0 && taxes[0].Line == l.Line {
			t := taxes[0]
			line.Taxes = append(line.Taxes, web.LineTaxView{Code: t.Code, Name: t.Name, Percent: t.Percent.String(),
				Compound: t.Compound, Kind: t.Kind, Reason: t.Reason,
				Base: moneyView(amount(t.Base)), Amount: moneyView(amount(t.Amount))})
			taxes = taxes[1:]
		}
		v.Lines = append(v.Lines, line)
	}
	for _, p := range payments {
		v.Payments = append(v.Payments, web.InvoicePaymentView{ID: p.ID.String(), Date: p.Date.String(), Amount: moneyView(amount(p.Amount)), Method: p.Method})
	}
	return nil
}

func moneyView(a money.Amount) web.Money {
	return web.Money{Amount: a.String(), Currency: a.Currency.Code()}
}
