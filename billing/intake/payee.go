package intake

import (
	"context"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/tenant"
)

func (t *Table) takePayees(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	keys := t.uniqueKeys()
	if t.faults.full() || len(t.faults.list) > 0 {
		return nil
	}
	stored, err := storedPayees(ctx, tx, keys)
	if err != nil {
		return err
	}
	c, err := loadChart(ctx, tx)
	if err != nil {
		return err
	}
	for i, r := range t.rows {
		if err := t.takePayee(ctx, tx, s, c, r, stored[keys[i]]); err != nil && !t.refusedBy(err, inPayeeRow(r)) || t.faults.full() {
			return nil
		}
		progress(i + 1)
	}
	s.Things = len(t.rows)
	return nil
}

// inPayeeRow is inRow, but for the fields that are called otherwise in a file.
func inPayeeRow(r row) func(string) (row, string) {
	return func(field string) (row, string) {
		switch field {
		case "payment_terms_days":
			field = "payee_terms_days"
		case "expense_account_id":
			field = "expense_account_code"
		}
		return r, field
	}
}

// takePayee adds a payee, or writes one anew that has changed; a customer of that id becomes a payee too.
func (t *Table) takePayee(ctx context.Context, tx *tenant.Tx, s *Summary, c *chart, r row, stored *storedPayee) error {
	if stored == nil {
		in, ok := t.payee(r, c, billing.PayeeInput{CustomerInput: billing.CustomerInput{ExternalID: t.text(r, "external_id")}})
		if !ok {
			return nil
		}
		s.Added++
		_, err := billing.AddPayee(ctx, tx, in)
		return err
	}
	before := billing.PayeeInput{CustomerInput: inputOf(stored.Customer), ExpenseAccount: stored.ExpenseAccount}
	before.Language, before.TermsDays = "", stored.PayeeTermsDays
	after, ok := t.payee(r, c, before)
	if !ok {
		return nil
	}
	changed := !same(before.CustomerInput, after.CustomerInput) || before.ExpenseAccount != after.ExpenseAccount
	if stored.IsPayee && !changed {
		s.Unchanged++
		return nil
	}
	if stored.IsPayee {
		s.Changed++
	} else {
		s.Added++
		if _, err := billing.BuyFromCustomer(ctx, tx, stored.ID); err != nil || !changed {
			return err
		}
	}
	_, err := billing.ChangePayee(ctx, tx, stored.ID, 0, after)
	return err
}

// payee is what a row makes of a payee; false where it speaks of an account that there is not.
func (t *Table) payee(r row, c *chart, p billing.PayeeInput) (billing.PayeeInput, bool) {
	p.CustomerInput = t.party(r, p.CustomerInput)
	p.TermsDays = t.terms(r, "payee_terms_days", p.TermsDays)
	if t.at("expense_account_code") < 0 {
		return p, true
	}
	word := t.text(r, "expense_account_code")
	account, ok := c.find(word, "")
	if !ok && t.foreign != nil { // other programs may write its name there
		account, ok = c.find("", word)
	}
	if !ok && word != "" {
		t.refuseCell(r, "expense_account_code", ErrAccount.Sayf("There is no account %q in the books. Import the chart of accounts first, or leave the cell empty.", clip(word)))
		return p, false
	}
	p.ExpenseAccount = account.ID
	return p, true
}
