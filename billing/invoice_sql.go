package billing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

const headColumns = `d.id, d.state, coalesce(d.number, '') AS number, coalesce(d.external_id, '') AS external_id,
	d.issue_date, d.due_date, d.currency, d.reference, d.note, d.net, d.tax, d.total, d.settled, d.entry_id, d.base_rate,
	d.created_at, d.issued_at, d.version, s.time_zone,
	p.id AS "customer.id", coalesce(p.external_id, '') AS "customer.external_id", p.name AS "customer.name",
	p.company AS "customer.company", p.email AS "customer.email", p.phone AS "customer.phone",
	p.street AS "customer.street", p.city AS "customer.city", p.region AS "customer.region",
	p.postal_code AS "customer.postal_code", p.country AS "customer.country", p.created_at AS "customer.created_at",
	p.archived_at IS NOT NULL AS "customer.archived", p.version AS "customer.version", d.billed_to`

const headTables = ` FROM document d JOIN party p ON p.id = d.customer_id CROSS JOIN settings s`

type headRow struct {
	ID         InvoiceID        `db:"id"`
	State      string           `db:"state"`
	Number     string           `db:"number"`
	ExternalID string           `db:"external_id"`
	Customer   Customer         `db:"customer"`
	IssueDate  civil.Date       `db:"issue_date"`
	DueDate    civil.Date       `db:"due_date"`
	Currency   money.Currency   `db:"currency"`
	Reference  string           `db:"reference"`
	Note       string           `db:"note"`
	Net        int64            `db:"net"`
	Tax        int64            `db:"tax"`
	Total      int64            `db:"total"`
	Settled    int64            `db:"settled"`
	BaseRate   *decimal.Decimal `db:"base_rate"`
	Entry      ledger.EntryID   `db:"entry_id"`
	CreatedAt  time.Time        `db:"created_at"`
	IssuedAt   *time.Time       `db:"issued_at"`
	Version    int              `db:"version"`
	TimeZone   string           `db:"time_zone"`
	BilledTo   []byte           `db:"billed_to"` // none on a draft
}

func (r headRow) head(tx *tenant.Tx) (InvoiceHead, error) {
	zone, err := storedZone(r.TimeZone)
	if err != nil {
		return InvoiceHead{}, err
	}
	if r.BilledTo != nil {
		if err := json.Unmarshal(r.BilledTo, &r.Customer); err != nil {
			return InvoiceHead{}, fmt.Errorf("reading whom an invoice was billed to: %w", err)
		}
	}
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	var issued time.Time
	if r.IssuedAt != nil {
		issued = *r.IssuedAt
	}
	return InvoiceHead{
		ID: r.ID, State: r.State, Number: r.Number, ExternalID: r.ExternalID, Customer: r.Customer,
		IssueDate: r.IssueDate, DueDate: r.DueDate, Currency: r.Currency, Reference: r.Reference, Note: r.Note,
		Net: amount(r.Net), Tax: amount(r.Tax), Total: amount(r.Total), Settled: amount(r.Settled), BaseRate: r.BaseRate, Entry: r.Entry,
		CreatedAt: r.CreatedAt, IssuedAt: issued, Version: r.Version, Today: civil.Of(tx.Now(), zone),
	}, nil
}

func heads(tx *tenant.Tx, rows []headRow) ([]InvoiceHead, error) {
	all := make([]InvoiceHead, len(rows))
	for i, r := range rows {
		var err error
		if all[i], err = r.head(tx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

type invoiceRow struct {
	headRow
	EntryNumber int64  `db:"entry_number"`
	Lines       []byte `db:"lines"`
	Taxes       []byte `db:"taxes"`
	Payments    []byte `db:"payments"`
}

type paymentPart struct {
	ID        PaymentID  `json:"id"`
	Date      civil.Date `json:"date"`
	Amount    int64      `json:"amount"`
	Method    Method     `json:"method"`
	Reference string     `json:"reference"`
}

// selectInvoice reads all of an invoice in one statement: measured, two thirds of the time of one for each table. The
// rows are built by name and not as json_agg(x) of a subquery, which takes longer to plan.
func selectInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (Invoice, error) {
	var row invoiceRow
	err := tx.Get(ctx, &row, `
		SELECT `+headColumns+`,
		       coalesce((SELECT e.number FROM journal_entry e WHERE e.id = d.entry_id), 0) AS entry_number,
		       (SELECT json_agg(json_build_object('line', l.line, 'product_id', l.product_id, 'description', l.description,
		               'quantity', l.quantity, 'unit_price', l.unit_price, 'discount_percent', l.discount_percent,
		               'account_id', l.account_id, 'net', l.net) ORDER BY l.line)
		          FROM document_line l WHERE l.document_id = d.id) AS lines,
		       (SELECT json_agg(json_build_object('line', t.line, 'tax_rate_id', t.tax_rate_id, 'code', t.code, 'name', t.name,
		               'percent', t.percent, 'compound', t.compound, 'base', t.base, 'amount', t.amount,
		               'kind', t.kind, 'reason', t.reason, 'registration', t.registration) ORDER BY t.line, t.position)
		          FROM document_tax t WHERE t.document_id = d.id) AS taxes,
		       (SELECT json_agg(json_build_object('id', y.id, 'date', y.date, 'amount', a.amount, 'method', y.method,
		               'reference', y.reference) ORDER BY y.date, y.id)
		          FROM payment_allocation a JOIN payment y ON y.id = a.payment_id WHERE a.document_id = d.id) AS payments
		  `+headTables+`
		 WHERE d.id = $1 AND d.kind = 'invoice'`, invoice)
	if errors.Is(err, tenant.ErrNoRows) {
		return Invoice{}, ErrInvoiceNotFound
	} else if err != nil {
		return Invoice{}, fmt.Errorf("reading an invoice: %w", err)
	}
	return row.invoice(tx)
}

func (r invoiceRow) invoice(tx *tenant.Tx) (Invoice, error) {
	head, err := r.head(tx)
	if err != nil {
		return Invoice{}, err
	}
	var lines []lineRow
	var taxes []taxRow
	var payments []paymentPart
	if err := fromJSON(r.Lines, &lines, r.Taxes, &taxes, r.Payments, &payments); err != nil {
		return Invoice{}, err
	}
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	invoice := Invoice{InvoiceHead: head, EntryNumber: r.EntryNumber, Lines: make([]InvoiceLine, len(lines))}
	for i, l := range lines {
		line := InvoiceLine{
			Line: l.Line, Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice,
			DiscountPercent: l.DiscountPercent, Account: l.Account, Net: amount(l.Net),
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
		invoice.Lines[i] = line
	}
	for _, p := range payments {
		invoice.Payments = append(invoice.Payments, InvoicePayment{ID: p.ID, Date: p.Date, Amount: amount(p.Amount),
			Method: p.Method, Reference: p.Reference})
	}
	return invoice, nil
}

// lockedInvoice is what a change of an invoice must know. Nobody else changes it before the transaction ends.
type lockedInvoice struct {
	State     string         `db:"state"`
	Number    string         `db:"number"`
	Customer  CustomerID     `db:"customer_id"`
	IssueDate civil.Date     `db:"issue_date"`
	Currency  money.Currency `db:"currency"`
	Total     int64          `db:"total"`
	Settled   int64          `db:"settled"`
	Version   int            `db:"version"`
}

func lockInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (locked lockedInvoice, err error) {
	// Only columns of the row itself: after a wait they are those of the version that came first, which anything
	// read beside them would not be.
	err = tx.Get(ctx, &locked, `
		SELECT d.state, coalesce(d.number, '') AS number, d.customer_id, d.issue_date, d.currency, d.total, d.settled, d.version
		  FROM document d WHERE d.id = $1 AND d.kind = 'invoice' FOR NO KEY UPDATE`, invoice)
	if errors.Is(err, tenant.ErrNoRows) {
		return locked, ErrInvoiceNotFound
	} else if err != nil {
		return locked, fmt.Errorf("locking an invoice: %w", err)
	}
	return locked, nil
}

// postingParts is what issuing takes from the books: a number, and which accounts get what.
type postingParts struct {
	number     int64
	prefix     string
	receivable ledger.AccountID
	credits    []credit
}

type credit struct {
	Account ledger.AccountID `json:"account_id"`
	Memo    string           `json:"memo"`
	Amount  int64            `json:"amount"`
}

// takeNumber takes the next number for an invoice that has lines, and sums them up by account.
func takeNumber(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (postingParts, error) {
	var row struct {
		Number     int64            `db:"value"`
		Prefix     string           `db:"invoice_prefix"`
		Receivable ledger.AccountID `db:"receivable"`
		Income     []byte           `db:"income"`
		Taxes      []byte           `db:"taxes"`
	}
	err := tx.Get(ctx, &row, `
		WITH n AS (
			UPDATE counter SET value = value + 1
			 WHERE name = 'invoice' AND EXISTS (SELECT FROM document_line l WHERE l.document_id = $1)
			RETURNING value
		)
		SELECT n.value, s.invoice_prefix, (SELECT a.id FROM account a WHERE a.purpose = 'receivable') AS receivable,
		       (SELECT json_agg(x) FROM (SELECT l.account_id, '' AS memo, sum(l.net)::bigint AS amount
		          FROM document_line l WHERE l.document_id = $1
		         GROUP BY l.account_id HAVING sum(l.net) <> 0 ORDER BY min(l.line)) x) AS income,
		       (SELECT json_agg(x) FROM (SELECT r.account_id, t.name AS memo, sum(t.amount)::bigint AS amount
		          FROM document_tax t JOIN tax_rate r ON r.id = t.tax_rate_id WHERE t.document_id = $1
		         GROUP BY r.id, t.name HAVING sum(t.amount) <> 0 ORDER BY min(t.line), min(t.position)) x) AS taxes
		  FROM n, settings s`, invoice)
	if errors.Is(err, tenant.ErrNoRows) {
		return postingParts{}, ErrNoLines
	} else if err != nil {
		return postingParts{}, fmt.Errorf("taking an invoice number: %w", err)
	}
	parts := postingParts{number: row.Number, prefix: row.Prefix, receivable: row.Receivable}
	var taxes []credit
	if err := fromJSON(row.Income, &parts.credits, row.Taxes, &taxes); err != nil {
		return parts, err
	}
	parts.credits = append(parts.credits, taxes...)
	return parts, nil
}

func updateIssued(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, number string, entry ledger.EntryID) error {
	_, err := tx.Exec(ctx, `
		UPDATE document d SET state = 'issued', number = $2, entry_id = $3, issued_at = $4, version = d.version + 1,
		       billed_to = jsonb_build_object('name', p.name, 'company', p.company, 'street', p.street, 'city', p.city,
		           'region', p.region, 'postal_code', p.postal_code, 'country', p.country)
		  FROM party p WHERE d.id = $1 AND p.id = d.customer_id`, invoice, number, orNull(entry.UUID), tx.Now())
	if err != nil {
		return fmt.Errorf("issuing an invoice: %w", err)
	}
	return nil
}

const invoicesWhere = `SELECT ` + headColumns + headTables + `
	 WHERE d.kind = 'invoice'
	   AND ($1::uuid IS NULL OR d.customer_id = $1)
	   AND ($2::date IS NULL OR d.issue_date >= $2)
	   AND ($3::date IS NULL OR d.issue_date <= $3)
	   AND ($4 = '' OR position(upper($4) in upper(coalesce(d.number, '') || ' ' || coalesce(d.external_id, '') || ' ' ||
	        d.reference || ' ' || CASE WHEN $9::boolean THEN '' ELSE p.name || ' ' END || p.company)) > 0) -- as customersWhere
	   AND CASE $5::text
	        WHEN '' THEN true
	        WHEN 'draft' THEN d.state::text = 'draft'
	        WHEN 'paid' THEN d.state::text = 'issued' AND d.settled = d.total
	        WHEN 'overdue' THEN d.state::text = 'issued' AND d.settled < d.total AND d.due_date < $6::date
	        WHEN 'open' THEN d.state::text = 'issued' AND d.settled = 0 AND d.settled < d.total AND d.due_date >= $6::date
	        WHEN 'part_paid' THEN d.state::text = 'issued' AND d.settled > 0 AND d.settled < d.total AND d.due_date >= $6::date
	       END`

func selectInvoices(ctx context.Context, tx *tenant.Tx, filter InvoiceFilter, today civil.Date, q cursor.Query) ([]InvoiceHead, error) {
	var rows []headRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, invoicesWhere+` AND d.id > $7 ORDER BY d.id LIMIT $8`,
			orNull(filter.CustomerID.UUID), filter.From, filter.To, filter.Search, string(filter.Standing), today, q.Before, q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames))
	} else {
		err = tx.Select(ctx, &rows, invoicesWhere+` AND ($7::uuid IS NULL OR d.id < $7) ORDER BY d.id DESC LIMIT $8`,
			orNull(filter.CustomerID.UUID), filter.From, filter.To, filter.Search, string(filter.Standing), today, orNull(q.After), q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames))
	}
	if err != nil {
		return nil, fmt.Errorf("listing invoices: %w", err)
	}
	return heads(tx, rows)
}

func countInvoices(ctx context.Context, tx *tenant.Tx, today civil.Date) (map[Standing]int, error) {
	var row struct {
		Draft    int `db:"draft"`
		Paid     int `db:"paid"`
		Overdue  int `db:"overdue"`
		Open     int `db:"open"`
		PartPaid int `db:"part_paid"`
	}
	err := tx.Get(ctx, &row, `
		SELECT count(*) FILTER (WHERE d.state::text = 'draft') AS draft,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled = d.total) AS paid,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled < d.total AND d.due_date < $1) AS overdue,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled < d.total AND d.due_date >= $1 AND d.settled = 0) AS open,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled < d.total AND d.due_date >= $1 AND d.settled > 0) AS part_paid
		  FROM document d WHERE d.kind = 'invoice'`, today)
	if err != nil {
		return nil, fmt.Errorf("counting invoices: %w", err)
	}
	return map[Standing]int{StandingDraft: row.Draft, StandingPaid: row.Paid, StandingOverdue: row.Overdue,
		StandingOpen: row.Open, StandingPartPaid: row.PartPaid}, nil
}

func selectOverdue(ctx context.Context, tx *tenant.Tx, today civil.Date, limit int) ([]InvoiceHead, error) {
	var rows []headRow
	err := tx.Select(ctx, &rows, `SELECT `+headColumns+headTables+`
		 WHERE d.kind = 'invoice' AND d.state::text = 'issued' AND d.settled < d.total AND d.due_date < $1
		 ORDER BY d.due_date, d.id LIMIT $2`, today, limit)
	if err != nil {
		return nil, fmt.Errorf("listing overdue invoices: %w", err)
	}
	return heads(tx, rows)
}

func selectInvoiceIDs(ctx context.Context, tx *tenant.Tx, externalIDs []string) (map[string]InvoiceID, error) {
	wanted, err := toJSON(plausibleIDs(externalIDs))
	if err != nil {
		return nil, err
	}
	var rows []known[Invoice]
	err = tx.Select(ctx, &rows, `SELECT external_id, id FROM document
		WHERE kind = 'invoice' AND external_id IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	if err != nil {
		return nil, fmt.Errorf("looking for invoices: %w", err)
	}
	return byExternalID(rows), nil
}
