package billing

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// orderRow is an order with who placed it and what it became.
type orderRow struct {
	headRow
	Contact       uuid.NullUUID `db:"contact_id"`
	ContactName   string        `db:"contact_name"`
	HeldFor       string        `db:"held_for"`
	Invoice       InvoiceID     `db:"invoice_id"`
	InvoiceNumber string        `db:"invoice_number"`
}

const orderColumns = quoteColumns + `, d.contact_id, d.held_for,
	coalesce((SELECT coalesce(nullif(k.name, ''), k.email) FROM contact k WHERE k.id = d.contact_id), '') AS contact_name`

func (r orderRow) order(tx *tenant.Tx) (OrderHead, error) {
	head, err := r.head(tx)
	return OrderHead{ID: OrderID{UUID: r.ID}, DocumentHead: head, Contact: r.Contact.UUID, ContactSay: r.ContactName, HeldFor: r.HeldFor,
		Invoice: r.Invoice, InvoiceNumber: r.InvoiceNumber}, err
}

func selectOrder(ctx context.Context, tx *tenant.Tx, order OrderID) (o Order, err error) {
	row, err := selectDocument(ctx, tx, orderKind, order.UUID)
	if err != nil {
		return o, err
	}
	var more orderRow
	if err := tx.Get(ctx, &more, `SELECT `+orderColumns+` FROM document d WHERE d.id = $1`, order); err != nil {
		return o, fmt.Errorf("reading what an order became: %w", err)
	}
	more.headRow = row.headRow
	if o.OrderHead, err = more.order(tx); err != nil {
		return o, err
	}
	o.DocumentBody, err = row.body()
	return o, err
}

func updatePlaced(ctx context.Context, tx *tenant.Tx, order OrderID, state, number, heldFor string, in OrderInput) error {
	_, err := tx.Exec(ctx, `
		UPDATE document d SET state = $2, number = $3, held_for = $4, contact_id = $5, issued_at = $6, ordered_network = $7, ordered_country = $8,
		       billed_to = jsonb_build_object('name', p.name, 'company', p.company, 'street', p.street, 'city', p.city,
		           'region', p.region, 'postal_code', p.postal_code, 'country', p.country, 'tax_number', p.tax_number)
		  FROM party p WHERE d.id = $1 AND p.id = d.customer_id`, order, state, number, heldFor, orNull(in.Contact), tx.Now(), in.Network, in.Country)
	if err != nil {
		return fmt.Errorf("placing an order: %w", err)
	}
	return nil
}

func updateOrderHeld(ctx context.Context, tx *tenant.Tx, order OrderID, heldFor string) error {
	if _, err := tx.Exec(ctx, `UPDATE document SET held_for = $2 WHERE id = $1`, order, heldFor); err != nil {
		return fmt.Errorf("keeping why an order is held: %w", err)
	}
	return nil
}

func updateOrderState(ctx context.Context, tx *tenant.Tx, order OrderID, state string) error {
	_, err := tx.Exec(ctx, `
		UPDATE document SET state = $2::text, closed_at = CASE WHEN $2::text IN ('refused', 'done') THEN $3::timestamptz END, version = version + 1
		 WHERE id = $1`, order, state, tx.Now())
	if err != nil {
		return fmt.Errorf("deciding about an order: %w", err)
	}
	return nil
}

// For whom names are masked ($6) the search does not look into them, as with customersWhere.
const ordersWhere = `SELECT ` + orderColumns + `, ` + headColumns + headTables + `
	 WHERE d.kind = 'order'
	   AND ($1::uuid IS NULL OR d.customer_id = $1)
	   AND ($2 = '' OR d.state::text = $2)
	   AND ($3 = '' OR position(upper($3) in upper(coalesce(d.number, '') || ' ' || d.purchase_order || ' ' ||
	        CASE WHEN $6::boolean THEN '' ELSE p.name || ' ' END || p.company)) > 0)`

func selectOrders(ctx context.Context, tx *tenant.Tx, filter OrderFilter, q cursor.Query) ([]OrderHead, error) {
	var rows []orderRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, ordersWhere+` AND d.id > $4 ORDER BY d.id LIMIT $5`,
			orNull(filter.CustomerID.UUID), filter.State, filter.Search, q.Before, q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames))
	} else {
		err = tx.Select(ctx, &rows, ordersWhere+` AND ($4::uuid IS NULL OR d.id < $4) ORDER BY d.id DESC LIMIT $5`,
			orNull(filter.CustomerID.UUID), filter.State, filter.Search, orNull(q.After), q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames))
	}
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	all := make([]OrderHead, len(rows))
	for i, r := range rows {
		if all[i], err = r.order(tx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func countOrders(ctx context.Context, tx *tenant.Tx) (map[string]int, error) {
	var rows []struct {
		State string
		Count int
	}
	if err := tx.Select(ctx, &rows, `SELECT d.state, count(*)::integer AS count FROM document d WHERE d.kind = 'order' GROUP BY d.state`); err != nil {
		return nil, fmt.Errorf("counting orders: %w", err)
	}
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.State] = r.Count
	}
	return counts, nil
}
