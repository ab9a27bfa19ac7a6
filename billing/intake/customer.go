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

func (t *Table) takeCustomer(ctx context.Context, tx *tenant.Tx, s *Summary, r row, stored *billing.Customer) error {
	if stored == nil {
		s.Added++
		_, err := billing.AddCustomer(ctx, tx, t.customer(r, billing.CustomerInput{ExternalID: t.text(r, "external_id")}))
		return err
	}
	before := billing.CustomerInput{
		ExternalID: stored.ExternalID, Name: stored.Name, Company: stored.Company, Email: stored.Email, Phone: stored.Phone,
		Street: stored.Street, City: stored.City, Region: stored.Region, PostalCode: stored.PostalCode, Country: stored.Country,
		TaxNumber: stored.TaxNumber, Language: stored.Language, TermsDays: stored.TermsDays,
	}
	after := t.customer(r, before)
	if same(before, after) {
		s.Unchanged++
		return nil
	}
	s.Changed++
	_, err := billing.ChangeCustomer(ctx, tx, stored.ID, stored.Version, after)
	return err
}

// customer is what a row makes of a customer.
func (t *Table) customer(r row, c billing.CustomerInput) billing.CustomerInput {
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
	c.Language = t.textOr(r, "language", c.Language)
	if t.at("payment_terms_days") >= 0 {
		c.TermsDays = nil
		if t.plain(r, "payment_terms_days") != "" {
			days := int(t.number(r, "payment_terms_days", 3, 0).IntPart())
			c.TermsDays = &days
		}
	}
	return c
}

// same compares what pointers point to, too.
func same(a, b billing.CustomerInput) bool {
	terms := a.TermsDays == nil && b.TermsDays == nil || a.TermsDays != nil && b.TermsDays != nil && *a.TermsDays == *b.TermsDays
	a.TermsDays, b.TermsDays = nil, nil
	return terms && a == b
}
