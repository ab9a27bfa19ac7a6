package billing_test

import (
	"context"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// The rates of an organization are tested here and not beside the calculator, whose tests need no database.

func TestAddRateRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "23", false)
	for name, c := range map[string]struct {
		in    tax.RateInput
		want  *fault.Error
		field string
	}{
		"no code":              {tax.RateInput{Name: "a"}, text.ErrMissing, "code"},
		"no name":              {tax.RateInput{Code: "a"}, text.ErrMissing, "name"},
		"less than nothing":    {tax.RateInput{Code: "a", Name: "a", Percent: dec("-1")}, tax.ErrPercentOutOfRange, "percent"},
		"more than all":        {tax.RateInput{Code: "a", Name: "a", Percent: dec("100.000001")}, tax.ErrPercentOutOfRange, "percent"},
		"40 digits":            {tax.RateInput{Code: "a", Name: "a", Percent: dec(strings.Repeat("9", 40))}, tax.ErrPercentOutOfRange, "percent"},
		"too many decimals":    {tax.RateInput{Code: "a", Name: "a", Percent: dec("0.0000001")}, money.ErrNumberTooPrecise, "percent"},
		"a code that is taken": {tax.RateInput{Code: "VAT", Name: "a"}, tax.ErrRateCodeTaken, "code"},
		"an unknown account":   {tax.RateInput{Code: "a", Name: "a", Account: id.New[ledger.Account]()}, tax.ErrRateAccount, "account_id"},
	} {
		t.Run(name, func(t *testing.T) {
			books{t, b.org}.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := tax.AddRate(ctx, tx, c.in)
				return err
			})
		})
	}
}

func TestChangeRate(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	r := b.rate("VAT", "19", false)
	other := b.plainAccount("liability")
	change := func(version int, in tax.RateInput) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tax.ChangeRate(ctx, tx, r.ID, version, in)
			return err
		}
	}
	b.do(change(r.Version, tax.RateInput{Code: "VAT", Name: "Value added tax", Percent: dec("20"), Compound: true, Account: other}))
	b.refuses(tax.ErrRateChanged, "", change(r.Version, tax.RateInput{Code: "VAT", Name: "a", Percent: dec("21")}))
	b.refuses(tax.ErrRateAccount, "account_id", change(0, tax.RateInput{Code: "VAT", Name: "a", Account: id.New[ledger.Account]()}))
	b.refuses(tax.ErrRateNotFound, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tax.ArchiveRate(ctx, tx, tax.RateID{}, 0)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		read, err := tax.RateByID(ctx, tx, r.ID)
		if err == nil && (!read.Percent.Equal(dec("20")) || read.Name != "Value added tax" || !read.Compound || read.Account != other) {
			t.Errorf("the rate is %+v", read)
		}
		return err
	})
}

func TestArchivedRateIsNotUsed(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	r := b.rate("VAT", "19", false)
	b.rate("GST", "5", false)
	found := func() (codes string) {
		b.do(func(ctx context.Context, tx *tenant.Tx) error {
			rates, err := tax.RatesByCode(ctx, tx, []string{"VAT", "GST", "nothing"})
			for _, code := range []string{"VAT", "GST", "nothing"} {
				if rates[code].Code == code {
					codes += code + " "
				}
			}
			return err
		})
		return codes
	}
	if codes := found(); codes != "VAT GST " {
		t.Errorf("in use are %s", codes)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tax.ArchiveRate(ctx, tx, r.ID, r.Version)
		return err
	})
	if codes := found(); codes != "GST " {
		t.Errorf("in use after archiving are %s", codes)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := tax.Rates(ctx, tx)
		if err == nil && (len(all) != 2 || all[0].Code != "GST" || !all[1].Archived) {
			t.Errorf("all rates are %+v", all)
		}
		if err == nil {
			_, err = tax.RestoreRate(ctx, tx, r.ID, 0)
		}
		return err
	})
	if codes := found(); codes != "VAT GST " {
		t.Errorf("in use after restoring are %s", codes)
	}
}
