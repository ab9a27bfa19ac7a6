package billing

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// Opening is what must be known of an organization before it has books.
type Opening struct {
	Name     string
	Currency money.Currency // in which the books are kept, for good
	Country  string         // ISO 3166-1 code or English name
	TimeZone string         // IANA
}

// CheckOpening says all that is wrong with an opening, each at its field: name, currency, country, time_zone.
func CheckOpening(o Opening) error {
	_, err := o.check()
	return err
}

func (o Opening) check() (Opening, error) {
	var f fields
	o.Name = f.text(text.Required, "name", o.Name, nameLength)
	if o.Currency.IsZero() {
		f.add("currency", money.ErrUnknownCurrency)
	}
	var err error
	o.Country, err = country.Parse(o.Country)
	f.add("country", err)
	_, err = loadZone(o.TimeZone)
	f.add("time_zone", err)
	return o, f.err()
}

// OpenBooks gives a new organization its settings, its chart of accounts and its numbers. It belongs into the
// transaction that founds the organization, and fails with what CheckOpening says.
func OpenBooks(ctx context.Context, tx *tenant.Tx, o Opening) error {
	o, err := o.check()
	if err != nil {
		return err
	}
	if err := insertSettings(ctx, tx, o); err != nil {
		return err
	}
	if err := insertCounter(ctx, tx, "invoice"); err != nil {
		return err
	}
	if err := ledger.OpenChart(ctx, tx); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "books.open", Object: "settings", Detail: o.Currency.Code() + ", " + o.TimeZone})
}
