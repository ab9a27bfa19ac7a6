package billing_test

import (
	"context"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// An organization begins with the years of its country, or with ten where nothing is known, and what it erases waits for as
// long, from the end of the year of the last document; what it chooses instead counts from then on.
func TestDocumentsAreKeptAsTheirCountryHasIt(t *testing.T) {
	t.Parallel()
	for country, years := range map[string]int{"AT": 7, "BE": 10, "GB": 6, "NO": 5, "US": 10, "JP": 10} {
		t.Run("country "+country, func(t *testing.T) {
			t.Parallel()
			o := tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
				return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater Studios", Currency: money.MustCurrency("EUR"), Country: country, TimeZone: "Europe/Vienna"})
			})
			deposit := func(ctx context.Context, tx *tenant.Tx, day civil.Date) (billing.CustomerID, error) {
				c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara"})
				if err == nil {
					_, err = billing.RecordPayment(ctx, tx, billing.PaymentInput{CustomerID: c.ID, Date: day, Amount: money.Amount{Minor: 100, Currency: money.MustCurrency("EUR")}, Method: billing.Cash})
				}
				return c.ID, err
			}
			tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
				if kept, err := billing.KeepYears(ctx, tx); err != nil || kept != years {
					t.Errorf("it begins with %d years, %v; want %d", kept, err, years)
				}
				for day, want := range map[civil.Date]civil.Date{civil.On(2025, 1, 1): civil.On(2025+years, 12, 31), civil.On(2025, 12, 31): civil.On(2025+years, 12, 31)} {
					c, err := deposit(ctx, tx, day)
					if err != nil {
						return err
					}
					if e, err := billing.EraseCustomer(ctx, tx, c, false); err != nil || e.After != want {
						t.Errorf("what was paid on %s is kept through %s, %v; want %s", day, e.After, err, want)
					}
				}
				if err := billing.ChangeKeepYears(ctx, tx, 12); err != nil {
					return err
				}
				c, err := deposit(ctx, tx, civil.On(2025, 6, 1))
				if err != nil {
					return err
				}
				if e, err := billing.EraseCustomer(ctx, tx, c, false); err != nil || e.After != civil.On(2037, 12, 31) {
					t.Errorf("after the choice of twelve years it is kept through %s, %v", e.After, err)
				}
				return nil
			})
		})
	}
}
