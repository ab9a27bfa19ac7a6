package search

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// hitRow is a row of any kind. Columns with a person's data are named so that they are masked for support.
type hitRow struct {
	Kind     Kind            `db:"kind"`
	ID       uuid.UUID       `db:"id"`
	Number   *string         `db:"number"`
	Person   *string         `db:"person_name"`
	Company  string          `db:"company"`
	Title    string          `db:"title"`
	Email    string          `db:"email"`
	State    string          `db:"state"`
	Date     civil.Date      `db:"date"`
	Currency *money.Currency `db:"currency"`
	Amount   int64           `db:"amount"`
}

func (r hitRow) hit() Hit {
	h := Hit{Kind: r.Kind, ID: r.ID, Company: r.Company, Say: r.Title, State: r.State, Date: r.Date}
	if r.Number != nil {
		h.Number = *r.Number
	}
	if r.Person != nil {
		h.Name = *r.Person
	}
	if r.Email != "" {
		h.Say = r.Email
	}
	if r.Currency != nil {
		h.Amount = money.Amount{Minor: r.Amount, Currency: *r.Currency}
	}
	return h
}

func hits(rows []hitRow) []Hit {
	found := make([]Hit, len(rows))
	for i, r := range rows {
		found[i] = r.hit()
	}
	return found
}

// For whom names ($3) or contact details ($4) are masked the search does not look into them.
const partyHas = `position(upper($1) in upper(CASE WHEN $3::boolean THEN '' ELSE p.name || ' ' END ||
	CASE WHEN $4::boolean THEN '' ELSE p.email || ' ' END || p.company || ' ' || coalesce(p.external_id, ''))) > 0`

func selectParties(ctx context.Context, tx *tenant.Tx, a ask) (found []Hit, err error) {
	masks := tx.Scope().Masks()
	for _, kind := range []Kind{Customer, Payee} {
		if a.wants(kind) == "" {
			continue
		}
		var rows []hitRow
		err = tx.Select(ctx, &rows, `
			SELECT $5::text AS kind, p.id, p.name AS person_name, p.company, p.email, '' AS title, '' AS state
			  FROM party p
			 WHERE `+partyHas+` AND CASE $5::text WHEN 'payee' THEN p.is_payee ELSE p.is_customer END
			 ORDER BY p.archived_at IS NOT NULL, lower(p.name), p.id LIMIT $2`,
			a.words, a.limit, masks.Has(tenant.MaskNames), masks.Has(tenant.MaskContact), string(kind))
		if err != nil {
			return nil, fmt.Errorf("searching customers and payees: %w", err)
		}
		found = append(found, hits(rows)...)
	}
	return found, nil
}

// whose are those whom the words name, for what is found by whose it is.
const whose = `whose AS MATERIALIZED (SELECT p.id FROM party p WHERE ` + partyHas + ` ORDER BY p.id DESC LIMIT 200)`

// coming is the amount that the words write, in each currency.
const coming = `coming AS MATERIALIZED (SELECT x.code, x.minor::bigint AS minor
	FROM unnest(string_to_array($5, ' '), string_to_array($6, ' ')) AS x (code, minor))`

// Of what is looked through by the hundred thousand only ASCII letters are the same in capitals: the letters of the whole
// world, for each row, would cost more than all else. Keys are made in time's order, so that the newest are those from a
// key on; to find that key costs as much as half the search, and is spared where Postgres knows of few rows.
const documents = `
	WITH ` + whose + `, ` + coming + `, since AS MATERIALIZED (
		SELECT coalesce((SELECT d.id FROM document d WHERE (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'document'::regclass) > 150000
		                  ORDER BY d.id DESC OFFSET 99999 LIMIT 1), '00000000-0000-0000-0000-000000000000') AS id
	), recent AS (
		SELECT d.id, d.kind, d.currency, d.total, concat_ws(' ', d.number, d.external_id, d.reference, d.purchase_order) AS words
		  FROM document d WHERE d.id >= (SELECT s.id FROM since s)
	), found AS (
		SELECT r.id, r.kind FROM recent r
		 WHERE position(upper($1 COLLATE "C") in upper(r.words COLLATE "C")) > 0
		    OR (r.currency::text, r.total) IN (SELECT c.code, c.minor FROM coming c)
		UNION
		SELECT d.id, d.kind FROM document d WHERE d.kind = ANY (string_to_array($7, ' ')) AND d.number = $1
		UNION
		SELECT d.id, d.kind FROM whose w
		 CROSS JOIN LATERAL (SELECT o.id, o.kind FROM document o WHERE o.customer_id = w.id ORDER BY o.id DESC LIMIT 50) d
	), best AS (
		SELECT f.id, row_number() OVER (PARTITION BY f.kind ORDER BY f.id DESC) AS nth
		  FROM found f WHERE f.kind::text = ANY (string_to_array($7, ' '))
	)
	SELECT d.kind, d.id, d.number, p.name AS person_name, p.company, '' AS email, d.state,
	       CASE WHEN d.purchase_order <> '' THEN d.purchase_order ELSE d.reference END AS title,
	       d.issue_date AS date, d.currency, d.total AS amount
	  FROM best b JOIN document d ON d.id = b.id JOIN party p ON p.id = d.customer_id
	 WHERE b.nth <= $2 ORDER BY d.number IS NOT DISTINCT FROM $1 DESC, d.id DESC`

func selectDocuments(ctx context.Context, tx *tenant.Tx, a ask) ([]Hit, error) {
	wanted := a.wants(Invoice, Quote, Order, CreditNote, Bill, PayeeCredit, Recurring)
	if wanted == "" {
		return nil, nil
	}
	masks := tx.Scope().Masks()
	var rows []hitRow
	err := tx.Select(ctx, &rows, documents, a.words, a.limit, masks.Has(tenant.MaskNames), masks.Has(tenant.MaskContact), a.codes, a.minors, wanted)
	if err != nil {
		return nil, fmt.Errorf("searching documents: %w", err)
	}
	return hits(rows), nil
}

const payments = `
	WITH ` + whose + `, ` + coming + `, since AS MATERIALIZED (
		SELECT coalesce((SELECT y.id FROM payment y WHERE (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'payment'::regclass) > 150000
		                  ORDER BY y.id DESC OFFSET 99999 LIMIT 1), '00000000-0000-0000-0000-000000000000') AS id
	), recent AS (
		SELECT y.id, y.direction, y.currency, y.amount, concat_ws(' ', y.external_id, y.reference) AS words
		  FROM payment y WHERE y.id >= (SELECT s.id FROM since s)
	), found AS (
		SELECT r.id, r.direction FROM recent r
		 WHERE position(upper($1 COLLATE "C") in upper(r.words COLLATE "C")) > 0
		    OR (r.currency::text, abs(r.amount)) IN (SELECT c.code, c.minor FROM coming c)
		UNION
		SELECT y.id, y.direction FROM whose w
		 CROSS JOIN LATERAL (SELECT o.id, o.direction FROM payment o WHERE o.customer_id = w.id ORDER BY o.id DESC LIMIT 50) y
	), best AS (
		SELECT f.id, row_number() OVER (PARTITION BY f.direction ORDER BY f.id DESC) AS nth
		  FROM found f WHERE CASE f.direction::text WHEN 'in' THEN 'payment' ELSE 'bill_payment' END = ANY (string_to_array($7, ' '))
	)
	SELECT CASE y.direction::text WHEN 'in' THEN 'payment' ELSE 'bill_payment' END AS kind, y.id, p.name AS person_name, p.company, '' AS email,
	       y.reference AS title, '' AS state, y.date, y.currency, y.amount
	  FROM best b JOIN payment y ON y.id = b.id JOIN party p ON p.id = y.customer_id
	 WHERE b.nth <= $2 ORDER BY y.id DESC`

func selectPayments(ctx context.Context, tx *tenant.Tx, a ask) ([]Hit, error) {
	wanted := a.wants(Payment, BillPayment)
	if wanted == "" {
		return nil, nil
	}
	masks := tx.Scope().Masks()
	var rows []hitRow
	err := tx.Select(ctx, &rows, payments, a.words, a.limit, masks.Has(tenant.MaskNames), masks.Has(tenant.MaskContact), a.codes, a.minors, wanted)
	if err != nil {
		return nil, fmt.Errorf("searching payments: %w", err)
	}
	return hits(rows), nil
}

const entries = `
	WITH coming AS MATERIALIZED (SELECT x.code, x.minor::bigint AS minor
		FROM unnest(string_to_array($3, ' '), string_to_array($4, ' ')) AS x (code, minor)
	), since AS MATERIALIZED (
		SELECT coalesce((SELECT e.id FROM journal_entry e WHERE (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'journal_entry'::regclass) > 150000
		                  ORDER BY e.id DESC OFFSET 99999 LIMIT 1), '00000000-0000-0000-0000-000000000000') AS id
	), found AS (
		SELECT r.id FROM journal_entry r
		 WHERE r.id >= (SELECT s.id FROM since s)
		   AND position(upper($1 COLLATE "C") in upper(r.description COLLATE "C")) > 0
		UNION
		SELECT e.id FROM journal_entry e WHERE e.number = $5::bigint
		UNION
		SELECT l.entry_id FROM journal_line l
		 WHERE $3 <> '' AND l.entry_id >= (SELECT s.id FROM since s) AND (l.currency::text, abs(l.amount)) IN (SELECT c.code, c.minor FROM coming c)
	)
	SELECT 'entry' AS kind, e.id, e.number::text AS number, '' AS company, '' AS email, e.description AS title, '' AS state, e.date
	  FROM found f JOIN journal_entry e ON e.id = f.id ORDER BY e.number = $5::bigint DESC, e.id DESC LIMIT $2`

func selectEntries(ctx context.Context, tx *tenant.Tx, a ask) ([]Hit, error) {
	if a.wants(Entry) == "" {
		return nil, nil
	}
	var rows []hitRow
	if err := tx.Select(ctx, &rows, entries, a.words, a.limit, a.codes, a.minors, entryNumber(a.words)); err != nil {
		return nil, fmt.Errorf("searching entries: %w", err)
	}
	found := hits(rows)
	for i, h := range found {
		number, err := strconv.ParseInt(h.Number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("reading an entry's number: %w", err)
		}
		found[i].Number = ledger.NumberName(number)
	}
	return found, nil
}

func selectProducts(ctx context.Context, tx *tenant.Tx, a ask) ([]Hit, error) {
	if a.wants(Product) == "" {
		return nil, nil
	}
	var rows []hitRow
	err := tx.Select(ctx, &rows, `
		SELECT 'product' AS kind, p.id, '' AS company, '' AS email, p.name AS title, '' AS state
		  FROM product p
		 WHERE position(upper($1) in upper(p.name || ' ' || p.description || ' ' || coalesce(p.external_id, ''))) > 0
		 ORDER BY p.archived_at IS NOT NULL, lower(p.name), p.id LIMIT $2`, a.words, a.limit)
	if err != nil {
		return nil, fmt.Errorf("searching products: %w", err)
	}
	return hits(rows), nil
}

func selectAccounts(ctx context.Context, tx *tenant.Tx, a ask) ([]Hit, error) {
	if a.wants(Account) == "" {
		return nil, nil
	}
	var rows []hitRow
	err := tx.Select(ctx, &rows, `
		SELECT 'account' AS kind, c.id, c.code AS number, '' AS company, '' AS email, c.name AS title, '' AS state
		  FROM account c WHERE position(upper($1) in upper(c.code || ' ' || c.name)) > 0
		 ORDER BY c.archived_at IS NOT NULL, c.code LIMIT $2`, a.words, a.limit)
	if err != nil {
		return nil, fmt.Errorf("searching accounts: %w", err)
	}
	return hits(rows), nil
}

func selectPeople(ctx context.Context, tx *tenant.Tx, a ask) ([]Hit, error) {
	masks := tx.Scope().Masks()
	if a.wants(Person) == "" {
		return nil, nil
	}
	var rows []hitRow
	err := tx.Select(ctx, &rows, `
		SELECT 'person' AS kind, m.person_id AS id, m.name AS person_name, '' AS company, m.email, '' AS title, '' AS state
		  FROM member m
		 WHERE m.state::text = 'active' AND position(upper($1) in upper(CASE WHEN $3::boolean THEN '' ELSE m.name || ' ' END ||
		       CASE WHEN $4::boolean THEN '' ELSE m.email END)) > 0
		 ORDER BY lower(m.name), m.person_id LIMIT $2`, a.words, a.limit, masks.Has(tenant.MaskNames), masks.Has(tenant.MaskContact))
	if err != nil {
		return nil, fmt.Errorf("searching people: %w", err)
	}
	return hits(rows), nil
}
