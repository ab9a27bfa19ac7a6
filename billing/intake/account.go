package intake

import (
	"context"
	"fmt"
	"strings"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about accounts of a file.
var (
	ErrKind    = fault.New(fault.Invalid, "import.account_kind", "The kind of an account is asset, liability, equity, income or expense.")
	ErrAccount = fault.New(fault.Invalid, "import.account", "There is no such account in the books. Import the chart of accounts first.")
)

// chart is the chart of accounts, as files speak of it: by code, or by name.
type chart struct {
	codes map[string]ledger.Account
	names map[string]ledger.Account // in small letters
}

func loadChart(ctx context.Context, tx *tenant.Tx) (*chart, error) {
	all, err := ledger.Accounts(ctx, tx)
	if err != nil {
		return nil, err
	}
	c := &chart{map[string]ledger.Account{}, map[string]ledger.Account{}}
	for _, a := range all {
		c.put(a)
	}
	return c, nil
}

func (c *chart) put(a ledger.Account) {
	c.codes[a.Code] = a
	if _, taken := c.names[strings.ToLower(a.Name)]; !taken {
		c.names[strings.ToLower(a.Name)] = a
	}
}

// find looks for an account by its code, and without one by its name: whole, or what follows the last colon, where other
// programs put an account below another, or behind its code, as in "4000 Sales".
func (c *chart) find(code, name string) (ledger.Account, bool) {
	if code != "" {
		a, ok := c.codes[code]
		return a, ok
	}
	a, ok := c.names[strings.ToLower(name)]
	if at := strings.LastIndexByte(name, ':'); !ok && at >= 0 {
		name = strings.TrimSpace(name[at+1:])
		a, ok = c.names[strings.ToLower(name)]
	}
	if first, rest, two := strings.Cut(name, " "); !ok && two {
		a, ok = c.codes[first]
		ok = ok && strings.EqualFold(a.Name, strings.TrimSpace(rest))
	}
	return a, ok
}

// firstCodes are where codes begin of accounts that come without one.
var firstCodes = map[ledger.Kind]int{ledger.KindAsset: 18000, ledger.KindLiability: 28000, ledger.KindEquity: 38000, ledger.KindIncome: 48000, ledger.KindExpense: 68000}

// add adds an account; without a code under the next that is free.
func (c *chart) add(ctx context.Context, tx *tenant.Tx, code, name string, kind ledger.Kind) (ledger.Account, error) {
	if n := firstCodes[kind]; code == "" {
		for code = fmt.Sprint(n); c.codes[code].Code != ""; n++ {
			code = fmt.Sprint(n + 1)
		}
	}
	a, err := ledger.AddAccount(ctx, tx, ledger.AccountInput{Code: code, Name: name, Kind: kind})
	if err == nil {
		c.put(a)
	}
	return a, err
}

// kindOf reads a kind of account: ours, or the types of QuickBooks Online and Xero ("Other Current Assets", "Direct Costs").
func kindOf(word string) (ledger.Kind, bool) {
	word = strings.ToLower(word)
	for _, kind := range ledger.Kinds() {
		if word == string(kind) {
			return kind, true
		}
	}
	for _, rule := range []struct {
		kind  ledger.Kind
		words []string
	}{
		{ledger.KindExpense, []string{"expense", "cost", "overhead", "depreciation"}},
		{ledger.KindEquity, []string{"equity"}},
		{ledger.KindLiability, []string{"liabilit", "payable", "credit card"}},
		{ledger.KindAsset, []string{"asset", "receivable", "bank", "inventory", "prepayment", "cash", "fixed", "current"}},
		{ledger.KindIncome, []string{"income", "revenue", "sales"}},
	} {
		for _, part := range rule.words {
			if strings.Contains(word, part) {
				return rule.kind, true
			}
		}
	}
	return "", false
}

// takeAccounts adds the accounts that are not there. One that is there keeps its name, and its kind, which must be the
// same: entries rest on it.
func (t *Table) takeAccounts(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	c, err := loadChart(ctx, tx)
	if err != nil {
		return err
	}
	for i, r := range t.rows {
		if err := t.takeAccount(ctx, tx, s, c, r); err != nil && !t.refusedBy(err, inRow(r)) {
			return nil
		}
		progress(i + 1)
	}
	s.Things = len(t.rows)
	return nil
}

func (t *Table) takeAccount(ctx context.Context, tx *tenant.Tx, s *Summary, c *chart, r row) error {
	code, name, word := t.text(r, "code"), t.text(r, "name"), t.text(r, "kind")
	kind, ok := kindOf(word)
	if !ok {
		t.refuseCell(r, "kind", ErrKind.Sayf("%s It says %q.", ErrKind.Say, clip(word)))
		return nil
	}
	if a, there := c.find(code, name); there {
		s.Unchanged++
		if a.Kind != kind {
			t.refuseCell(r, "kind", ErrDiffers.Sayf("Account %s %s is in the books already, as %s.", a.Code, clip(a.Name), a.Kind))
		}
		return nil
	}
	s.Added++
	_, err := c.add(ctx, tx, code, name, kind)
	return err
}
