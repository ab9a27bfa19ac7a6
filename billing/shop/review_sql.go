package shop

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

func selectLimits(ctx context.Context, tx *tenant.Tx) (l Limits, err error) {
	err = tx.Get(ctx, &l, `SELECT review_hours, review_orders, review_cards, review_addresses, review_countries, review_version FROM settings`)
	if err != nil {
		return l, fmt.Errorf("reading what holds an order: %w", err)
	}
	return l, nil
}

func updateLimits(ctx context.Context, tx *tenant.Tx, version int, in Limits) (l Limits, err error) {
	err = tx.Get(ctx, &l, `
		UPDATE settings SET review_hours = $2, review_orders = $3, review_cards = $4, review_addresses = $5, review_countries = $6,
		       review_version = review_version + 1 WHERE $1 = 0 OR review_version = $1
		RETURNING review_hours, review_orders, review_cards, review_addresses, review_countries, review_version`,
		version, in.Hours, in.Orders, in.Cards, in.Addresses, in.Countries)
	if errors.Is(err, tenant.ErrNoRows) {
		return l, ErrLimitsChanged
	} else if err != nil {
		return l, fmt.Errorf("changing what holds an order: %w", err)
	}
	return l, nil
}

// recentOrder is another order of the last hours, with what it has in common with the one that is asked about.
type recentOrder struct {
	Customer    uuid.UUID `db:"customer_id"`
	SameNumber  bool      `db:"same_number"`
	SameNetwork bool      `db:"same_network"`
	Place       string    `db:"place"`
	BilledIn    string    `db:"billed_in"`
	From        string    `db:"ordered_country"`
}

// lookedAt is how many orders are looked at: more than any limit, thrice.
const lookedAt = 3 * (maxLimit + 1)

// selectRecent reads the other orders of the last hours by the same customer, with their verified number, or from their
// network. Whether they were released or refused since, they count. Ids are in the order of their making, so that the key
// of the table narrows the search to the newest.
func selectRecent(ctx context.Context, tx *tenant.Tx, a Asked, hours int) (all []recentOrder, err error) {
	err = tx.Select(ctx, &all, `
		SELECT d.customer_id, $3 <> '' AND (p.verified_phone = $3 OR '+' || regexp_replace(p.phone, '[^0-9]', '', 'g') = $3) AS same_number,
		       $4 <> '' AND d.ordered_network = $4 AS same_network, d.ordered_country,
		       coalesce(d.billed_to ->> 'country', '') AS billed_in,
		       CASE WHEN concat(d.billed_to ->> 'street', d.billed_to ->> 'postal_code', d.billed_to ->> 'city', d.billed_to ->> 'country') = '' THEN ''
		            ELSE lower(concat_ws('|', d.billed_to ->> 'street', d.billed_to ->> 'postal_code', d.billed_to ->> 'city', d.billed_to ->> 'country')) END AS place
		  FROM document d JOIN party p ON p.id = d.customer_id
		 WHERE d.kind::text = 'order' AND d.state::text <> 'draft' AND d.id <> $1 AND d.id >= $6 AND d.issued_at > $5
		   AND (d.customer_id = $2 OR $4 <> '' AND d.ordered_network = $4
		        OR $3 <> '' AND (p.verified_phone = $3 OR '+' || regexp_replace(p.phone, '[^0-9]', '', 'g') = $3))
		 ORDER BY d.id DESC LIMIT $7`,
		a.Order.UUID, a.Customer.ID.UUID, a.Customer.VerifiedPhone, a.Network, since(tx, hours), madeWithin(hours), lookedAt)
	if err != nil {
		return nil, fmt.Errorf("looking at recent orders: %w", err)
	}
	return all, nil
}

// card is a card that a customer left within the last hours, also one that was removed since.
type card struct {
	Customer uuid.UUID `db:"customer_id"`
	Face     string    `db:"face"`
}

func selectCards(ctx context.Context, tx *tenant.Tx, a Asked, recent []recentOrder, hours int) (all []card, err error) {
	customers := []string{a.Customer.ID.String()}
	for _, r := range recent {
		customers = append(customers, r.Customer.String())
	}
	err = tx.Select(ctx, &all, `
		SELECT DISTINCT m.customer_id, concat_ws('|', m.brand, m.last_four, m.expires) AS face FROM payment_method m
		 WHERE m.customer_id = ANY (string_to_array($1, ' ')::uuid[]) AND m.kind::text IN ('token', 'card') AND m.created_at > $2 LIMIT $3`,
		strings.Join(customers, " "), since(tx, hours), lookedAt)
	if err != nil {
		return nil, fmt.Errorf("looking at recent cards: %w", err)
	}
	return all, nil
}

func since(tx *tenant.Tx, hours int) time.Time {
	return tx.Now().Add(-time.Duration(hours) * time.Hour)
}

// madeWithin is the least id that was made within the hours and one more, by the clock that ids are made by (RFC 9562
// section 5.7: the first 48 bits are milliseconds).
func madeWithin(hours int) (least uuid.UUID) {
	now := uuid.Must(uuid.NewV7())
	var wide [8]byte
	copy(wide[2:], now[:6])
	made := binary.BigEndian.Uint64(wide[:]) - uint64((time.Duration(hours+1) * time.Hour).Milliseconds())
	binary.BigEndian.PutUint64(wide[:], made)
	copy(least[:6], wide[2:])
	return least
}
