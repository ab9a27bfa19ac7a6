package phone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

var errNobody = fault.New(fault.NotFound, "phone.nobody", "There is no such document or customer.")

type needRow struct {
	Customer uuid.UUID `db:"id"`
	Number   string    `db:"verified_phone"`
	Joined   bool      `db:"phone_asked"`
}

func (r needRow) need(err error) (Need, error) {
	if errors.Is(err, tenant.ErrNoRows) {
		return Need{}, errNobody
	} else if err != nil {
		return Need{}, fmt.Errorf("looking for a verified number: %w", err)
	}
	return Need{Customer: r.Customer, Number: r.Number, Joined: r.Joined}, nil
}

func selectCustomer(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (Need, error) {
	var row needRow
	err := tx.Get(ctx, &row, `SELECT p.id, p.verified_phone, p.phone_asked FROM document d JOIN party p ON p.id = d.customer_id WHERE d.id = $1`, document)
	return row.need(err)
}

func selectNumber(ctx context.Context, tx *tenant.Tx, customer uuid.UUID) (Need, error) {
	var row needRow
	err := tx.Get(ctx, &row, `SELECT p.id, p.verified_phone, p.phone_asked FROM party p WHERE p.id = $1`, customer)
	return row.need(err)
}

func selectLines(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (all []line, err error) {
	err = tx.Select(ctx, &all, `
		SELECT DISTINCT coalesce(p.product_type, '') AS product_type, coalesce(p.phone_check, '') AS phone_check
		  FROM document_line l LEFT JOIN product p ON p.id = l.product_id WHERE l.document_id = $1`, document)
	if err != nil {
		return nil, fmt.Errorf("looking for what asks for a number: %w", err)
	}
	return all, nil
}

// selectPending reads the lines of what waits for a customer, and of what they have paid.
func selectPending(ctx context.Context, tx *tenant.Tx, customer uuid.UUID) (all []line, err error) {
	err = tx.Select(ctx, &all, `
		SELECT DISTINCT coalesce(p.product_type, '') AS product_type, coalesce(p.phone_check, '') AS phone_check,
		       d.kind::text = 'invoice' AND d.settled >= d.total AS paid
		  FROM document d JOIN document_line l ON l.document_id = d.id LEFT JOIN product p ON p.id = l.product_id
		 WHERE d.customer_id = $1
		   AND (d.kind::text IN ('invoice', 'quote') AND d.state::text = 'issued' OR d.kind::text = 'order' AND d.state::text = 'placed')`, customer)
	if err != nil {
		return nil, fmt.Errorf("looking for what waits for a number: %w", err)
	}
	return all, nil
}

func selectProducts(ctx context.Context, tx *tenant.Tx, products []uuid.UUID) (all []line, err error) {
	ids := make([]string, len(products))
	for i, p := range products {
		ids[i] = p.String()
	}
	err = tx.Select(ctx, &all, `SELECT DISTINCT product_type, phone_check FROM product WHERE id = ANY (string_to_array($1, ' ')::uuid[])`, strings.Join(ids, " "))
	if err != nil {
		return nil, fmt.Errorf("looking for what asks for a number: %w", err)
	}
	return all, nil
}
