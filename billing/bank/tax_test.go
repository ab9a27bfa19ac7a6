package bank_test

import (
	"context"
	"errors"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func (h *house) rate(in tax.RateInput) (r tax.OwnRate) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		r, err = tax.AddRate(ctx, tx, in)
		return err
	})
	return r
}

// In 123.00 are 23.00 at 23 %; of 114.98 (5 % and 9.975 % on 100.00) 5.00 and 9.98 are taxes. From April 23 % is 24 %.
func TestBook_a_line_with_tax_in_it(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	vat := h.rate(tax.RateInput{Code: "VAT", Name: "VAT", Percent: decimal.RequireFromString("23"), InputAccount: h.codes["1200"]})
	h.rate(tax.RateInput{Code: "LOST", Name: "Levy", Percent: decimal.RequireFromString("23"), Unrecoverable: true})
	h.rate(tax.RateInput{Code: "GST", Name: "GST", Percent: decimal.RequireFromString("5")})
	h.rate(tax.RateInput{Code: "QST", Name: "QST", Percent: decimal.RequireFromString("9.975")})
	h.rate(tax.RateInput{Code: "BOTH", Name: "Both", Kind: tax.Group, Rates: []string{"GST", "QST"}})
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tax.ChangeRate(ctx, tx, vat.ID, 0, tax.RateInput{Code: "VAT", Name: "VAT", Percent: decimal.RequireFromString("24"), Since: civil.On(2026, 4, 1), InputAccount: h.codes["1200"]})
		return err
	})
	h.take(h.current, "2026-01-20,Bought,-123.00", "2026-01-21,Sold,123.00", "2026-01-22,Lost,-123.00", "2026-01-23,Both,-114.98", "2026-04-02,Later,-124.00", "2026-04-03,Wrong,-1.00")
	owed := "2200"
	for _, c := range []struct {
		line, book, code    string
		rest, input, output int64 // what the account, 1200 and the one for taxes move by
	}{
		{"Bought", "5300", "VAT", 100_00, 23_00, 0},
		{"Sold", "4000", "VAT", -100_00, 0, -23_00},
		{"Lost", "5300", "LOST", 123_00, 0, 0},
		{"Both", "5300", "BOTH", 100_00, 0, 14_98},
		{"Later", "5300", "VAT", 100_00, 24_00, 0},
	} {
		rest, input, output := h.balance(c.book), h.balance("1200"), h.balance(owed)
		h.mustMatch(h.line(h.current, c.line), bank.Match{Book: h.codes[c.book], Tax: c.code})
		if got := [3]int64{h.balance(c.book) - rest, h.balance("1200") - input, h.balance(owed) - output}; got != [3]int64{c.rest, c.input, c.output} {
			t.Errorf("%s moves %v", c.line, got)
		}
	}
	bought := h.balance("5300")
	h.undo(h.line(h.current, "Bought"))
	if h.balance("5300") != bought-100_00 || h.balance("1200") != 24_00 {
		t.Error("undoing it leaves some of the tax")
	}
	wrong := h.line(h.current, "Wrong")
	if err := h.match(wrong, bank.Match{Book: h.codes["5300"], Tax: "NONE"}); !errors.Is(err, bank.ErrTax) {
		t.Errorf("a tax that there is not: %v", err)
	}
	if err := h.match(wrong, bank.Match{Entry: h.line(h.current, "Sold").Entry, Tax: "VAT"}); !errors.Is(err, bank.ErrTaxWithout) {
		t.Errorf("a tax without an account: %v", err)
	}
}

func TestRule_with_tax(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	vat := h.rate(tax.RateInput{Code: "VAT", Name: "VAT", Percent: decimal.RequireFromString("23"), InputAccount: h.codes["1200"]})
	rule := bank.RuleInput{Words: "hosting", Way: bank.Contains, BookTo: h.codes["5300"], Tax: "VAT", Automatic: true}
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.AddRule(ctx, tx, rule)
		return err
	})
	if done := h.take(h.current, "2026-01-20,Hosting,-12.30"); done.Booked != 1 || h.balance("5300") != 10_00 || h.balance("1200") != 2_30 {
		t.Errorf("the import did %+v", done)
	}
	rule.Tax = "NONE"
	if err := h.try(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.AddRule(ctx, tx, rule)
		return err
	}); !errors.Is(err, bank.ErrTax) {
		t.Errorf("a rule with a tax that there is not: %v", err)
	}
	// A file is imported all the same when the tax of a rule was archived since.
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tax.ArchiveRate(ctx, tx, vat.ID, 0)
		return err
	})
	if done := h.take(h.current, "2026-02-20,Hosting in February,-12.30"); done.Added != 1 || done.Booked != 0 {
		t.Errorf("the second import did %+v", done)
	}
}
