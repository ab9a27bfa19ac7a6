package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// In files a thing has its external id, or where it has none, as with what was entered by hand, its own. Exports write
// it so, and thus find it again.

// inChunks runs read for the keys, some thousand at a time, each key once.
func inChunks(keys []string, read func(wanted string) error) error {
	const most = 5000
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	for chunk := range slices.Chunk(keys, most) {
		wanted, err := json.Marshal(chunk)
		if err == nil {
			err = read(string(wanted))
		}
		if err != nil {
			return fmt.Errorf("looking for what the books have already: %w", err)
		}
	}
	return nil
}

// keyed is a thing and what files call it.
type keyed[T any] struct {
	Key string   `db:"key"`
	ID  id.Of[T] `db:"id"`
}

func idsByKey[T any](keys []string, read func(rows *[]keyed[T], wanted string) error) (map[string]id.Of[T], error) {
	ids := make(map[string]id.Of[T])
	err := inChunks(keys, func(wanted string) error {
		var rows []keyed[T]
		if err := read(&rows, wanted); err != nil {
			return err
		}
		for _, r := range rows {
			ids[r.Key] = r.ID
		}
		return nil
	})
	return ids, err
}

// partyIDs gives customers, or payees.
func partyIDs(ctx context.Context, tx *tenant.Tx, party string, keys []string) (map[string]billing.CustomerID, error) {
	return idsByKey(keys, func(rows *[]keyed[billing.Customer], wanted string) error {
		return tx.Select(ctx, rows, `SELECT coalesce(p.external_id, p.id::text) AS key, p.id FROM party p
			WHERE CASE $2::text WHEN 'payee' THEN p.is_payee ELSE p.is_customer END
			  AND coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted, party)
	})
}

func productIDs(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]billing.ProductID, error) {
	return idsByKey(keys, func(rows *[]keyed[billing.Product], wanted string) error {
		return tx.Select(ctx, rows, `SELECT coalesce(p.external_id, p.id::text) AS key, p.id FROM product p
			WHERE coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
	})
}

func invoiceIDs(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]billing.InvoiceID, error) {
	return idsByKey(keys, func(rows *[]keyed[billing.Invoice], wanted string) error {
		return selectDocumentKeys(ctx, tx, rows, "invoice", wanted)
	})
}

// documentIDs gives documents of a kind.
func documentIDs(ctx context.Context, tx *tenant.Tx, kind string, keys []string) (map[string]billing.DocumentID, error) {
	return idsByKey(keys, func(rows *[]keyed[billing.Document], wanted string) error {
		return selectDocumentKeys(ctx, tx, rows, kind, wanted)
	})
}

func selectDocumentKeys(ctx context.Context, tx *tenant.Tx, rows any, kind, wanted string) error {
	return tx.Select(ctx, rows, `SELECT coalesce(d.external_id, d.id::text) AS key, d.id FROM document d
		WHERE d.kind::text = $2 AND coalesce(d.external_id, d.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted, kind)
}

// storedCustomer is a customer, or a payee who may become one.
type storedCustomer struct {
	Key        string `db:"key"`
	IsCustomer bool   `db:"is_customer"`
	billing.Customer
}

func storedCustomers(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]*storedCustomer, error) {
	found := make(map[string]*storedCustomer)
	return found, inChunks(keys, func(wanted string) error {
		var rows []storedCustomer
		err := tx.Select(ctx, &rows, `
			SELECT coalesce(p.external_id, p.id::text) AS key, p.id, coalesce(p.external_id, '') AS external_id, p.name,
			       p.company, p.email, p.phone, p.street, p.city, p.region, p.postal_code, p.country, p.tax_number, p.language,
			       p.payment_terms_days, p.version, p.is_customer
			  FROM party p
			 WHERE coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
		for i := range rows {
			found[rows[i].Key] = &rows[i]
		}
		return err
	})
}

// storedPayee is a payee, or a customer who may become one.
type storedPayee struct {
	Key     string `db:"key"`
	IsPayee bool   `db:"is_payee"`
	billing.Payee
}

func storedPayees(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]*storedPayee, error) {
	found := make(map[string]*storedPayee)
	return found, inChunks(keys, func(wanted string) error {
		var rows []storedPayee
		err := tx.Select(ctx, &rows, `
			SELECT coalesce(p.external_id, p.id::text) AS key, p.id, coalesce(p.external_id, '') AS external_id, p.name,
			       p.company, p.email, p.phone, p.street, p.city, p.region, p.postal_code, p.country, p.tax_number,
			       p.payee_terms_days, p.expense_account_id, p.is_payee
			  FROM party p
			 WHERE coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
		for i := range rows {
			found[rows[i].Key] = &rows[i]
		}
		return err
	})
}

func storedProducts(ctx context.Context, tx *tenant.Tx, keys []string) (map[string]*billing.Product, error) {
	type stored struct {
		Key string `db:"key"`
		billing.Product
	}
	found := make(map[string]*billing.Product)
	return found, inChunks(keys, func(wanted string) error {
		var rows []stored
		err := tx.Select(ctx, &rows, `
			SELECT coalesce(p.external_id, p.id::text) AS key, p.id, coalesce(p.external_id, '') AS external_id, p.name,
			       p.description, p.unit_price, p.currency, p.income_account_id, p.version
			  FROM product p
			 WHERE coalesce(p.external_id, p.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted)
		for i := range rows {
			found[rows[i].Key] = &rows[i].Product
		}
		return err
	})
}

type storedDocument struct {
	Key             string          `db:"key"`
	ID              uuid.UUID       `db:"id"`
	State           string          `db:"state"`
	Party           string          `db:"party"`
	Origin          string          `db:"origin"` // of a credit note's lines: the invoice that they take back
	IssueDate       civil.Date      `db:"issue_date"`
	DueDate         civil.Date      `db:"due_date"`
	Currency        money.Currency  `db:"currency"`
	Total           int64           `db:"total"`
	Settled         int64           `db:"settled"`
	Reference       string          `db:"reference"`
	PurchaseOrder   string          `db:"purchase_order"`
	PricesWithTax   bool            `db:"prices_with_tax"`
	DiscountPercent decimal.Decimal `db:"discount_percent"`
	Discount        int64           `db:"discount"`
	lines           []storedLine
}

func (s *storedDocument) amount(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: s.Currency}
}

type storedLine struct {
	Key             string          `db:"key"`
	Product         string          `db:"product"`
	Account         string          `db:"account"`
	Origin          int             `db:"origin_line"`
	Description     string          `db:"description"`
	Quantity        decimal.Decimal `db:"quantity"`
	UnitPrice       decimal.Decimal `db:"unit_price"`
	DiscountPercent decimal.Decimal `db:"discount_percent"`
	Taxes           string          `db:"taxes"` // as joinTaxCodes writes them
}

func storedDocuments(ctx context.Context, tx *tenant.Tx, kind string, keys []string) (map[string]*storedDocument, error) {
	found := make(map[string]*storedDocument)
	return found, inChunks(keys, func(wanted string) error {
		var rows []storedDocument
		err := tx.Select(ctx, &rows, `
			SELECT coalesce(d.external_id, d.id::text) AS key, d.id, d.state, coalesce(p.external_id, p.id::text) AS party,
			       CASE WHEN EXISTS (SELECT FROM document_line l WHERE l.document_id = d.id AND l.origin_line IS NOT NULL)
			            THEN coalesce(o.external_id, o.id::text, '') ELSE '' END AS origin,
			       d.issue_date, d.due_date, d.currency, d.total, d.settled, d.reference,
			       d.purchase_order, d.prices_with_tax, d.discount_percent, d.discount
			  FROM document d JOIN party p ON p.id = d.customer_id LEFT JOIN document o ON o.id = d.origin_id
			 WHERE d.kind::text = $2
			   AND coalesce(d.external_id, d.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted, kind)
		if err != nil || len(rows) == 0 {
			return err
		}
		for i := range rows {
			found[rows[i].Key] = &rows[i]
		}
		var lines []storedLine
		err = tx.Select(ctx, &lines, `
			SELECT coalesce(d.external_id, d.id::text) AS key, coalesce(p.external_id, p.id::text, '') AS product,
			       coalesce(a.code, '') AS account, coalesce(l.origin_line, 0) AS origin_line,
			       l.description, l.quantity, l.unit_price, l.discount_percent,
			       coalesce((SELECT string_agg(replace(t.code, '+', '++'), '+' ORDER BY t.position) FROM document_tax t
			                  WHERE t.document_id = l.document_id AND t.line = l.line), '') AS taxes
			  FROM document d
			  JOIN document_line l ON l.document_id = d.id
			  LEFT JOIN product p ON p.id = l.product_id
			  LEFT JOIN account a ON a.id = l.account_id
			 WHERE d.kind::text = $2
			   AND coalesce(d.external_id, d.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))
			 ORDER BY l.document_id, l.line`, wanted, kind)
		for _, l := range lines {
			if v := found[l.Key]; v != nil {
				v.lines = append(v.lines, l)
			}
		}
		return err
	})
}

// storedPayment is what of a payment settles one document or, without one, settles none. Of money that was given back, or came
// back, it is what was taken of it, and more than nothing too.
type storedPayment struct {
	Key       string             `db:"key"`
	ID        uuid.UUID          `db:"id"`
	Party     string             `db:"party"`
	Document  billing.DocumentID `db:"document"`
	Origin    string             `db:"origin"` // of money back: the payment that it is of
	Credit    string             `db:"credit"` // or the credit note, or payee's credit
	Date      civil.Date         `db:"date"`
	Currency  money.Currency     `db:"currency"`
	Amount    int64              `db:"amount"`
	Method    billing.Method     `db:"method"`
	Reference string             `db:"reference"`
	Account   string             `db:"account"`
	BackOn    civil.Date         `db:"back_on"`
}

// storedPayments gives the payments of a direction, "in" or "out", but for those that undo another.
func storedPayments(ctx context.Context, tx *tenant.Tx, direction string, keys []string) (map[string][]storedPayment, error) {
	found := make(map[string][]storedPayment)
	return found, inChunks(keys, func(wanted string) error {
		var rows []storedPayment
		err := tx.Select(ctx, &rows, `
			WITH o AS (
				SELECT o.*, coalesce(o.external_id, o.id::text) AS key, CASE WHEN o.amount < 0 THEN -1 ELSE 1 END AS side, k.date AS back_on
				  FROM payment o JOIN journal_entry e ON e.id = o.entry_id LEFT JOIN journal_entry k ON k.reverses_id = e.id
				 WHERE o.direction::text = $2 AND e.reverses_id IS NULL
				   AND coalesce(o.external_id, o.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))
			), settled AS (
				SELECT o.id, d.id AS document_id, d.kind::text IN ('invoice', 'bill') AS owed, coalesce(d.external_id, d.id::text) AS key, a.amount * o.side AS amount
				  FROM o JOIN payment_allocation a ON a.payment_id = o.id JOIN document d ON d.id = a.document_id
			), part AS (
				SELECT s.id, s.document_id, s.amount FROM settled s WHERE s.owed
				UNION ALL
				SELECT o.id, NULL, o.amount * o.side - coalesce((SELECT sum(s.amount) FROM settled s WHERE s.id = o.id AND s.owed), 0) FROM o
			)
			SELECT o.key, o.id, coalesce(c.external_id, c.id::text) AS party,
			       coalesce(p.document_id, '00000000-0000-0000-0000-000000000000') AS document, o.date, o.currency,
			       coalesce(r.external_id, r.id::text, '') AS origin, coalesce((SELECT max(s.key) FROM settled s WHERE s.id = o.id AND NOT s.owed), '') AS credit,
			       p.amount::bigint AS amount, o.method, o.reference, m.code AS account, o.back_on
			  FROM o JOIN part p ON p.id = o.id JOIN party c ON c.id = o.customer_id JOIN account m ON m.id = o.account_id LEFT JOIN payment r ON r.id = o.refund_of`, wanted, direction)
		for _, r := range rows {
			found[r.Key] = append(found[r.Key], r)
		}
		return err
	})
}

// paymentIDs gives the payments of a direction by what files call them.
func paymentIDs(ctx context.Context, tx *tenant.Tx, direction string, keys []string) (map[string]billing.PaymentID, error) {
	return idsByKey(keys, func(rows *[]keyed[billing.Payment], wanted string) error {
		return tx.Select(ctx, rows, `SELECT coalesce(y.external_id, y.id::text) AS key, y.id FROM payment y
			WHERE y.direction::text = $2 AND coalesce(y.external_id, y.id::text) IN (SELECT jsonb_array_elements_text($1::jsonb))`, wanted, direction)
	})
}

// storedCredit is what of a credit settles a document.
type storedCredit struct {
	Credit   billing.DocumentID `db:"credit_note_id"`
	Document billing.DocumentID `db:"document_id"`
	Amount   int64              `db:"amount"`
}

// storedCredits gives what credits settle, by the pair of the two.
func storedCredits(ctx context.Context, tx *tenant.Tx) (map[[2]billing.DocumentID]int64, error) {
	var rows []storedCredit
	if err := tx.Select(ctx, &rows, `SELECT credit_note_id, document_id, amount FROM credit_allocation`); err != nil {
		return nil, fmt.Errorf("reading what credits settle: %w", err)
	}
	found := make(map[[2]billing.DocumentID]int64, len(rows))
	for _, r := range rows {
		found[[2]billing.DocumentID{r.Credit, r.Document}] = r.Amount
	}
	return found, nil
}

// taxCodes gives the codes of all rates, the archived ones too: an invoice that is in the books already may have them.
// A group is not among them: an invoice has the rates that it stands for, and a file that is read twice must say the same.
func taxCodes(ctx context.Context, tx *tenant.Tx) (map[string]bool, error) {
	var rows []string
	if err := tx.Select(ctx, &rows, `SELECT code FROM tax_rate WHERE kind::text <> 'group'`); err != nil {
		return nil, fmt.Errorf("reading the codes of taxes: %w", err)
	}
	codes := make(map[string]bool, len(rows))
	for _, code := range rows {
		codes[code] = true
	}
	return codes, nil
}
