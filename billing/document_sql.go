package billing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/tenant"
)

const headColumns = `d.id, d.state, coalesce(d.number, '') AS number, coalesce(d.external_id, '') AS external_id,
	d.issue_date, d.due_date, d.currency, d.reference, d.purchase_order, d.language, d.note, d.net, d.tax, d.total, d.settled, d.base_rate,
	d.written_off, d.entry_id, d.origin_id, d.created_at, d.issued_at, d.closed_at, d.closing_entry_id, d.accepted_by,
	d.version, s.time_zone,
	p.id AS "customer.id", coalesce(p.external_id, '') AS "customer.external_id", p.name AS "customer.name",
	p.company AS "customer.company", p.email AS "customer.email", p.phone AS "customer.phone",
	p.street AS "customer.street", p.city AS "customer.city", p.region AS "customer.region",
	p.postal_code AS "customer.postal_code", p.country AS "customer.country", p.tax_number AS "customer.tax_number",
	p.language AS "customer.language", p.payment_terms_days AS "customer.payment_terms_days", p.created_at AS "customer.created_at",
	p.archived_at IS NOT NULL AS "customer.archived", p.version AS "customer.version", d.billed_to`

const headTables = ` FROM document d JOIN party p ON p.id = d.customer_id CROSS JOIN settings s`

type headRow struct {
	ID            uuid.UUID        `db:"id"`
	State         string           `db:"state"`
	Number        string           `db:"number"`
	ExternalID    string           `db:"external_id"`
	Customer      Customer         `db:"customer"`
	IssueDate     civil.Date       `db:"issue_date"`
	DueDate       civil.Date       `db:"due_date"`
	Currency      money.Currency   `db:"currency"`
	Reference     string           `db:"reference"`
	PurchaseOrder string           `db:"purchase_order"`
	Language      string           `db:"language"`
	Note          string           `db:"note"`
	Net           int64            `db:"net"`
	Tax           int64            `db:"tax"`
	Total         int64            `db:"total"`
	Settled       int64            `db:"settled"`
	WrittenOff    int64            `db:"written_off"`
	BaseRate      *decimal.Decimal `db:"base_rate"`
	Entry         ledger.EntryID   `db:"entry_id"`
	Origin        DocumentID       `db:"origin_id"`
	CreatedAt     time.Time        `db:"created_at"`
	IssuedAt      *time.Time       `db:"issued_at"`
	ClosedAt      *time.Time       `db:"closed_at"`
	ClosingEntry  ledger.EntryID   `db:"closing_entry_id"`
	AcceptedBy    string           `db:"accepted_by"`
	Version       int              `db:"version"`
	TimeZone      string           `db:"time_zone"`
	BilledTo      []byte           `db:"billed_to"` // none on a draft
}

// billedTo is what of a customer stands on a document for good.
type billedTo struct {
	Name       string `json:"name"`
	Company    string `json:"company"`
	Street     string `json:"street"`
	City       string `json:"city"`
	Region     string `json:"region"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"`
	TaxNumber  string `json:"tax_number"`
}

func (r headRow) head(tx *tenant.Tx) (DocumentHead, error) {
	zone, err := storedZone(r.TimeZone)
	if err != nil {
		return DocumentHead{}, err
	}
	if r.BilledTo != nil {
		var to billedTo
		if err := json.Unmarshal(r.BilledTo, &to); err != nil {
			return DocumentHead{}, fmt.Errorf("reading whom a document was made out to: %w", err)
		}
		c := &r.Customer
		c.Name, c.Company, c.Street, c.City, c.Region = to.Name, to.Company, to.Street, to.City, to.Region
		c.PostalCode, c.Country, c.TaxNumber = to.PostalCode, to.Country, to.TaxNumber
	}
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	return DocumentHead{
		State: r.State, Number: r.Number, ExternalID: r.ExternalID, Customer: r.Customer,
		IssueDate: r.IssueDate, DueDate: r.DueDate, Currency: r.Currency, Reference: r.Reference,
		PurchaseOrder: r.PurchaseOrder, Language: locale.Language(r.Language), Note: r.Note,
		Net: amount(r.Net), Tax: amount(r.Tax), Total: amount(r.Total), Settled: amount(r.Settled),
		WrittenOff: amount(r.WrittenOff), BaseRate: r.BaseRate, Entry: r.Entry, Origin: r.Origin,
		CreatedAt: r.CreatedAt, IssuedAt: orZero(r.IssuedAt), ClosedAt: orZero(r.ClosedAt), ClosingEntry: r.ClosingEntry,
		Version: r.Version, Today: civil.Of(tx.Now(), zone),
	}, nil
}

func orZero(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}

type documentRow struct {
	headRow
	PricesWithTax      bool            `db:"prices_with_tax"`
	DiscountPercent    decimal.Decimal `db:"discount_percent"`
	Discount           int64           `db:"discount"`
	EntryNumber        int64           `db:"entry_number"`
	ClosingEntryNumber int64           `db:"closing_entry_number"`
	OriginNumber       string          `db:"origin_number"`
	Lines              []byte          `db:"lines"`
	Taxes              []byte          `db:"taxes"`
	Payments           []byte          `db:"payments"`
	Credits            []byte          `db:"credits"`
}

type paymentPart struct {
	ID        PaymentID  `json:"id"`
	Date      civil.Date `json:"date"`
	Amount    int64      `json:"amount"`
	Method    Method     `json:"method"`
	Reference string     `json:"reference"`
}

type creditPart struct {
	CreditNote CreditNoteID `json:"credit_note_id"`
	Document   InvoiceID    `json:"document_id"`
	Number     string       `json:"number"`
	Date       civil.Date   `json:"date"`
	Amount     int64        `json:"amount"`
}

// selectDocument reads all of a document in one statement: measured, two thirds of the time of one for each table. The
// rows are built by name and not as json_agg(x) of a subquery, which takes longer to plan.
func selectDocument(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID) (row documentRow, err error) {
	err = tx.Get(ctx, &row, `
		SELECT `+headColumns+`, d.prices_with_tax, d.discount_percent, d.discount,
		       coalesce((SELECT e.number FROM journal_entry e WHERE e.id = d.entry_id), 0) AS entry_number,
		       coalesce((SELECT e.number FROM journal_entry e WHERE e.id = d.closing_entry_id), 0) AS closing_entry_number,
		       coalesce((SELECT o.number FROM document o WHERE o.id = d.origin_id), '') AS origin_number,
		       (SELECT json_agg(json_build_object('line', l.line, 'product_id', l.product_id, 'description', l.description,
		               'quantity', l.quantity, 'unit_price', l.unit_price, 'discount_percent', l.discount_percent,
		               'discount_share', l.discount_share, 'account_id', l.account_id, 'net', l.net) ORDER BY l.line)
		          FROM document_line l WHERE l.document_id = d.id) AS lines,
		       (SELECT json_agg(json_build_object('line', t.line, 'tax_rate_id', t.tax_rate_id, 'code', t.code, 'name', t.name,
		               'percent', t.percent, 'compound', t.compound, 'base', t.base, 'amount', t.amount,
		               'kind', t.kind, 'reason', t.reason, 'registration', t.registration) ORDER BY t.line, t.position)
		          FROM document_tax t WHERE t.document_id = d.id) AS taxes,
		       (SELECT json_agg(json_build_object('id', y.id, 'date', y.date, 'amount', a.amount, 'method', y.method,
		               'reference', y.reference) ORDER BY y.date, y.id)
		          FROM payment_allocation a JOIN payment y ON y.id = a.payment_id WHERE a.document_id = d.id) AS payments,
		       (SELECT json_agg(json_build_object('credit_note_id', a.credit_note_id, 'document_id', a.document_id,
		               'number', o.number, 'date', a.date, 'amount', a.amount) ORDER BY a.date, a.created_at, o.id)
		          FROM credit_allocation a
		          JOIN document o ON o.id = CASE WHEN a.credit_note_id = d.id THEN a.document_id ELSE a.credit_note_id END
		         WHERE d.kind::text NOT IN ('quote', 'recurring') AND (a.document_id = d.id OR a.credit_note_id = d.id)) AS credits
		  `+headTables+`
		 WHERE d.id = $1 AND d.kind::text = $2`, document, k.stored)
	if errors.Is(err, tenant.ErrNoRows) {
		return row, k.notFound
	} else if err != nil {
		return row, fmt.Errorf("reading a document: %w", err)
	}
	return row, nil
}

func (r documentRow) body() (DocumentBody, error) {
	var lines []lineRow
	var taxes []taxRow
	if err := fromJSON(r.Lines, &lines, r.Taxes, &taxes); err != nil {
		return DocumentBody{}, err
	}
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	body := DocumentBody{PricesWithTax: r.PricesWithTax, DiscountPercent: r.DiscountPercent, Discount: amount(r.Discount),
		EntryNumber: r.EntryNumber, ClosingEntryNumber: r.ClosingEntryNumber, OriginNumber: r.OriginNumber,
		Lines: make([]InvoiceLine, len(lines))}
	for i, l := range lines {
		line := InvoiceLine{
			Line: l.Line, Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice,
			DiscountPercent: l.DiscountPercent, DiscountShare: amount(l.DiscountShare), Account: l.Account, Net: amount(l.Net),
		}
		if l.Product != nil {
			line.Product.UUID = *l.Product
		}
		for len(taxes) > 0 && taxes[0].Line == l.Line {
			t := taxes[0]
			line.Taxes = append(line.Taxes, LineTax{Rate: t.Rate, Code: t.Code, Name: t.Name, Percent: t.Percent,
				Compound: t.Compound, Base: amount(t.Base), Amount: amount(t.Amount), Kind: t.Kind, Reason: t.Reason, Registration: t.Registration})
			taxes = taxes[1:]
		}
		body.Lines[i] = line
	}
	return body, nil
}

// payments are those that settle the document, as it shows them.
func (r documentRow) payments() ([]InvoicePayment, error) {
	var parts []paymentPart
	if err := fromJSON(r.Payments, &parts); err != nil {
		return nil, err
	}
	var all []InvoicePayment
	for _, p := range parts {
		all = append(all, InvoicePayment{ID: p.ID, Date: p.Date, Amount: money.Amount{Minor: p.Amount, Currency: r.Currency},
			Method: p.Method, Reference: p.Reference})
	}
	return all, nil
}

// credits are what of a credit note settles an invoice: of an invoice by which, of a credit note which.
func (r documentRow) credits() ([]CreditApplied, error) {
	var parts []creditPart
	if err := fromJSON(r.Credits, &parts); err != nil {
		return nil, err
	}
	var all []CreditApplied
	for _, p := range parts {
		all = append(all, CreditApplied{CreditNote: p.CreditNote, Invoice: p.Document, Number: p.Number, Date: p.Date,
			Amount: money.Amount{Minor: p.Amount, Currency: r.Currency}})
	}
	return all, nil
}

// lockedDocument is what a change of a document must know. Nobody else changes it before the transaction ends.
type lockedDocument struct {
	ID         uuid.UUID      `db:"id"`
	State      string         `db:"state"`
	Number     string         `db:"number"`
	Customer   CustomerID     `db:"customer_id"`
	IssueDate  civil.Date     `db:"issue_date"`
	DueDate    civil.Date     `db:"due_date"`
	Currency   money.Currency `db:"currency"`
	Total      int64          `db:"total"`
	Settled    int64          `db:"settled"`
	WrittenOff int64          `db:"written_off"`
	Entry      ledger.EntryID `db:"entry_id"`
	Origin     DocumentID     `db:"origin_id"`
	Version    int            `db:"version"`
}

// open is what is left of the total.
func (l lockedDocument) open() money.Amount {
	return money.Amount{Minor: l.Total - l.Settled, Currency: l.Currency}
}

func lockDocument(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID) (locked lockedDocument, err error) {
	// Only columns of the row itself: after a wait they are those of the version that came first, which anything
	// read beside them would not be.
	err = tx.Get(ctx, &locked, `
		SELECT d.id, d.state, coalesce(d.number, '') AS number, d.customer_id, d.issue_date, d.due_date, d.currency, d.total,
		       d.settled, d.written_off, d.entry_id, d.origin_id, d.version
		  FROM document d WHERE d.id = $1 AND d.kind::text = $2 FOR NO KEY UPDATE`, document, k.stored)
	if errors.Is(err, tenant.ErrNoRows) {
		return locked, k.notFound
	} else if err != nil {
		return locked, fmt.Errorf("locking a document: %w", err)
	}
	return locked, nil
}

// postingParts is what issuing takes from the books: how numbers look, and which accounts get what.
type postingParts struct {
	numbering string
	owed      ledger.AccountID // what customers owe, or what is owed to payees
	credits   []credit
}

type credit struct {
	Account ledger.AccountID `json:"account_id"`
	Memo    string           `json:"memo"`
	Amount  int64            `json:"amount"`
}

// selectPostingParts sums the lines of a document up by account; ErrNoLines of its kind.
func selectPostingParts(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID) (postingParts, error) {
	var row struct {
		Numbering string           `db:"numbering"`
		Owed      ledger.AccountID `db:"owed"`
		Income    []byte           `db:"income"`
		Taxes     []byte           `db:"taxes"`
	}
	err := tx.Get(ctx, &row, `
		SELECT CASE $2::text WHEN 'quote' THEN s.quote_numbering WHEN 'credit_note' THEN s.credit_note_numbering
		            WHEN 'bill' THEN 'BILL-{0000}' WHEN 'payee_credit' THEN 'PC-{0000}'
		            ELSE coalesce(nullif(s.invoice_numbering, ''), s.invoice_prefix || '{0000}') END AS numbering,
		       (SELECT a.id FROM account a WHERE a.purpose = CASE WHEN $3 THEN 'payable' ELSE 'receivable' END) AS owed,
		       (SELECT json_agg(x) FROM (SELECT l.account_id, '' AS memo, sum(l.net + lost.amount)::bigint AS amount
		          FROM document_line l, LATERAL (SELECT coalesce(sum(t.amount), 0) AS amount FROM document_tax t
		                WHERE $3 AND NOT t.recoverable AND t.document_id = l.document_id AND t.line = l.line) lost
		         WHERE l.document_id = $1
		         GROUP BY l.account_id HAVING sum(l.net + lost.amount) <> 0 ORDER BY min(l.line)) x) AS income,
		       (SELECT json_agg(x) FROM (SELECT CASE WHEN $3 THEN coalesce(r.input_account_id, r.account_id) ELSE r.account_id END AS account_id,
		               t.name AS memo, sum(t.amount)::bigint AS amount
		          FROM document_tax t JOIN tax_rate r ON r.id = t.tax_rate_id WHERE t.document_id = $1 AND (t.recoverable OR NOT $3)
		         GROUP BY r.id, t.name HAVING sum(t.amount) <> 0 ORDER BY min(t.line), min(t.position)) x) AS taxes
		  FROM settings s WHERE EXISTS (SELECT FROM document_line l WHERE l.document_id = $1)`, document, k.stored, k.bought)
	if errors.Is(err, tenant.ErrNoRows) {
		return postingParts{}, k.noLines
	} else if err != nil {
		return postingParts{}, fmt.Errorf("reading what a document posts: %w", err)
	}
	parts := postingParts{numbering: row.Numbering, owed: row.Owed}
	var taxes []credit
	if err := fromJSON(row.Income, &parts.credits, row.Taxes, &taxes); err != nil {
		return parts, err
	}
	parts.credits = append(parts.credits, taxes...)
	return parts, nil
}

// takeCount gives the next count of a series. Whoever else counts in it waits for the end of the transaction, so that
// none is left out when it fails.
func takeCount(ctx context.Context, tx *tenant.Tx, series string) (count int64, err error) {
	err = tx.Get(ctx, &count, `
		INSERT INTO counter AS c (name, value) VALUES ($1, 1)
		ON CONFLICT (name) DO UPDATE SET value = c.value + 1 RETURNING c.value`, series)
	if err != nil {
		return 0, fmt.Errorf("taking a number: %w", err)
	}
	return count, nil
}

// selectCount gives how far a series has come.
func selectCount(ctx context.Context, tx *tenant.Tx, series string) (count int64, err error) {
	err = tx.Get(ctx, &count, `SELECT coalesce((SELECT c.value FROM counter c WHERE c.name = $1), 0)`, series)
	if err != nil {
		return 0, fmt.Errorf("reading a series of numbers: %w", err)
	}
	return count, nil
}

func selectNumberTaken(ctx context.Context, tx *tenant.Tx, k kind, number string) (taken bool, err error) {
	err = tx.Get(ctx, &taken, `SELECT EXISTS (SELECT FROM document d WHERE d.kind::text = $1 AND d.number = $2)`, k.stored, number)
	if err != nil {
		return false, fmt.Errorf("looking for a number: %w", err)
	}
	return taken, nil
}

func selectIsKind(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID) (is bool, err error) {
	err = tx.Get(ctx, &is, `SELECT EXISTS (SELECT FROM document d WHERE d.kind::text = $1 AND d.id = $2)`, k.stored, document)
	if err != nil {
		return false, fmt.Errorf("looking for a document: %w", err)
	}
	return is, nil
}

func updateIssued(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID, number string, entry ledger.EntryID) error {
	_, err := tx.Exec(ctx, `
		UPDATE document d SET state = 'issued', number = $2, entry_id = $3, issued_at = $4, version = d.version + 1,
		       billed_to = jsonb_build_object('name', p.name, 'company', p.company, 'street', p.street, 'city', p.city,
		           'region', p.region, 'postal_code', p.postal_code, 'country', p.country, 'tax_number', p.tax_number)
		  FROM party p WHERE d.id = $1 AND p.id = d.customer_id`, document, number, orNull(entry.UUID), tx.Now())
	switch {
	case tenant.Violates(err) == "document_kind_number_key":
		return ErrNumberTaken.Sayf("%s %s was given to another at the same moment. Try again.", k.said, number).Because(err)
	case err != nil:
		return fmt.Errorf("issuing a document: %w", err)
	}
	return nil
}
