package intake

import (
	"context"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/tenant"
)

func (t *Table) takeCustomers(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	keys := t.uniqueKeys()
	if t.faults.full() || len(t.faults.list) > 0 {
		return nil
	}
	stored, err := storedCustomers(ctx, tx, keys)
	if err != nil {
		return err
	}
	for i, r := range t.rows {
		if err := t.takeCustomer(ctx, tx, s, r, stored[keys[i]]); err != nil && !t.refusedBy(err, inRow(r)) {
			return nil
		}
		progress(i + 1)
	}
	s.Things = len(t.rows)
	return nil
}

// uniqueKeys gives the external id of every row.
func (t *Table) uniqueKeys() []string {
	keys, lines := make([]string, len(t.rows)), make(map[string]int, len(t.rows))
	for i, r := range t.rows {
		keys[i] = t.uniqueKey(r, lines)
	}
	return keys
}

// takeCustomer adds a customer, or writes one anew that has changed; a payee of that id becomes a customer too.
func (t *Table) takeCustomer(ctx context.Context, tx *tenant.Tx, s *Summary, r row, stored *storedCustomer) error {
	if stored == nil {
		s.Added++
		_, err := billing.AddCustomer(ctx, tx, t.customer(r, billing.CustomerInput{ExternalID: t.text(r, "external_id")}))
		return err
	}
	before := inputOf(stored.Customer)
	after := t.customer(r, before)
	changed := !same(before, after)
	if stored.IsCustomer && !changed {
		s.Unchanged++
		return nil
	}
	if stored.IsCustomer {
		s.Changed++
	} else {
		s.Added++
		if _, err := billing.SellToPayee(ctx, tx, stored.ID); err != nil || !changed {
			return err
		}
	}
	_, err := billing.ChangeCustomer(ctx, tx, stored.ID, 0, after)
	return err
}

// inputOf is what would write a customer as they are.
func inputOf(c billing.Customer) billing.CustomerInput {
	return billing.CustomerInput{
		ExternalID: c.ExternalID, Name: c.Name, Company: c.Company, Email: c.Email, Phone: c.Phone,
		Street: c.Street, City: c.City, Region: c.Region, PostalCode: c.PostalCode, Country: c.Country,
		TaxNumber: c.TaxNumber, Language: c.Language, TermsDays: c.TermsDays,
	}
}

// customer is what a row makes of a customer.
func (t *Table) customer(r row, c billing.CustomerInput) billing.CustomerInput {
	c = t.party(r, c)
	c.Language = t.textOr(r, "language", c.Language)
	c.TermsDays = t.terms(r, "payment_terms_days", c.TermsDays)
	return c
}

// party is what a row says of a customer and of a payee alike.
func (t *Table) party(r row, c billing.CustomerInput) billing.CustomerInput {
	c.Name = t.textOr(r, "name", c.Name)
	c.Company = t.textOr(r, "company", c.Company)
	c.Email = t.textOr(r, "email", c.Email)
	c.Phone = t.textOr(r, "phone", c.Phone)
	c.Street = t.textOr(r, "street", c.Street)
	c.City = t.textOr(r, "city", c.City)
	c.Region = t.textOr(r, "region", c.Region)
	c.PostalCode = t.textOr(r, "postal_code", c.PostalCode)
	c.Country = t.textOr(r, "country", c.Country)
	if code, err := country.Parse(c.Country); err == nil { // as it is kept, to see whether it has changed
		c.Country = code
	}
	c.TaxNumber = t.textOr(r, "tax_number", c.TaxNumber)
	return c
}

// terms reads in how many days something is to be paid; nil for what the organization has.
func (t *Table) terms(r row, column string, stored *int) *int {
	if t.at(column) < 0 {
		return stored
	}
	if t.plain(r, column) == "" {
		return nil
	}
	days := int(t.number(r, column, 3, 0).IntPart())
	return &days
}

// same compares what pointers point to, too.
func same(a, b billing.CustomerInput) bool {
	terms := a.TermsDays == nil && b.TermsDays == nil || a.TermsDays != nil && b.TermsDays != nil && *a.TermsDays == *b.TermsDays
	a.TermsDays, b.TermsDays = nil, nil
	return terms && a == b
}
