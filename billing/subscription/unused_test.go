package subscription_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/tenant"
)

func (h *house) giveBack(i subscription.ID) (s subscription.Subscription, note billing.CreditNote) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		ended, made, err := subscription.CancelGivingBack(ctx, tx, i, 0)
		if err != nil || made.IsZero() {
			return err
		}
		s = ended
		note, err = billing.CreditNoteByID(ctx, tx, made)
		return err
	})
	return s, note
}

// Ten days at 2 × 10.00 and 23 % tax. On the fourth day six are left: 12.00 and 2.76 of tax come back, and settle the
// invoice that nobody has paid.
func TestCancelGivingBack(t *testing.T) {
	t.Parallel()
	t.Run("by days, against the open invoice", func(t *testing.T) {
		t.Parallel()
		h := openHouse(t, "Europe/Dublin")
		in := seats("2", "10")
		in.Items[0].TaxCodes = []string{"VAT"}
		s := h.start(in)
		h.bill()
		h.clock.Advance(3 * day)
		s, note := h.giveBack(s.ID)
		if note.Net.String() != "12.00" || note.Tax.String() != "2.76" || !note.Left().IsZero() || s.State != subscription.Ended {
			t.Errorf("%s and %s come back, %s is left; it is %s", note.Net, note.Tax, note.Left(), s.State)
		}
		if i := h.invoices(s.ID)[0]; i.Open().String() != "9.84" {
			t.Errorf("%s of the invoice is open, not 24.60 less 14.76", i.Open())
		}
	})
	t.Run("less the coupon's part, in percent", func(t *testing.T) {
		t.Parallel()
		h := openHouse(t, "Europe/Dublin")
		in := seats("1", "10.01")
		in.Coupon.Percent = dec("50")
		s := h.start(in)
		h.bill()
		h.clock.Advance(4 * day)
		if _, note := h.giveBack(s.ID); note.Net.String() != "2.50" { // 10.01 × 50 % × 5/10 = 2.5025
			t.Errorf("%s comes back", note.Net)
		}
	})
	t.Run("less the coupon's part, as an amount that the period had and the next has not", func(t *testing.T) {
		t.Parallel()
		h := openHouse(t, "Europe/Dublin")
		in := seats("2", "10")
		in.Coupon.Amount, in.Coupon.Left = dec("5.01"), 1
		s := h.start(in)
		h.bill()
		h.clock.Advance(4 * day)
		if _, note := h.giveBack(s.ID); note.Net.String() != "7.49" { // 20.00/2 less 2.505, half-up
			t.Errorf("%s comes back", note.Net)
		}
	})
	t.Run("with the credit of an earlier change", func(t *testing.T) {
		t.Parallel()
		h := openHouse(t, "Europe/Dublin")
		s := h.start(seats("2", "10"))
		h.bill()
		h.clock.Advance(4 * day)
		h.change(s.ID, subscription.ChangeInput{Item: s.Items[0].Item, Now: true, ItemInput: subscription.ItemInput{Quantity: dec("1"), UnitPrice: dec("10")}})
		s, note := h.giveBack(s.ID)
		if note.Net.String() != "11.00" || !s.Credit.IsZero() { // 6 days of 10.00 back at the change, 5 of the other 10.00 now
			t.Errorf("%s comes back, and %s is still credit", note.Net, s.Credit)
		}
	})
	t.Run("nothing of a trial, nor on the last day", func(t *testing.T) {
		t.Parallel()
		h := openHouse(t, "Europe/Dublin")
		in := seats("2", "10")
		trial := in
		trial.TrialDays = 30
		s, last := h.start(trial), h.start(in)
		h.bill()
		h.clock.Advance(9 * day)
		for _, i := range []subscription.ID{s.ID, last.ID} {
			if _, note := h.giveBack(i); !note.ID.IsZero() || h.read(i).State != subscription.Ended {
				t.Errorf("%s comes back", note.Net)
			}
		}
		err := h.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, _, err := subscription.CancelGivingBack(ctx, tx, last.ID, 0)
			return err
		})
		if !errors.Is(err, subscription.ErrEnded) {
			t.Errorf("again: %v", err)
		}
	})
}

// Another thing in an item's place costs what is left of it, less what is left of what it takes the place of.
func TestReplaceItem(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "Europe/Dublin")
	s := h.start(seats("1", "10"))
	h.bill()
	h.clock.Advance(4 * day)
	replace := func(item subscription.ItemID, description, price string, now bool) (made subscription.ItemID) {
		h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			_, made, err = subscription.ReplaceItem(ctx, tx, s.ID, item, subscription.ItemInput{Description: description, Quantity: dec("1"), UnitPrice: dec(price)}, now)
			return err
		})
		return made
	}
	large := replace(s.Items[0].Item, "Large", "30", true)
	replace(large, "Small", "5", false)
	h.clock.Advance(6 * day)
	h.bill()
	var got []string
	for _, i := range h.invoices(s.ID) {
		got = append(got, i.Lines[0].Description[:5]+" "+i.Net.String())
	}
	if want := []string{"Seats 10.00", "Large 12.00", "Small 5.00"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}
