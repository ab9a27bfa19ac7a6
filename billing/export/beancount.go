package export

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// The five roots of beancount's accounts (Beancount Language Syntax, "Accounts").
var beancountKinds = map[ledger.Kind]string{
	ledger.KindAsset: "Assets", ledger.KindLiability: "Liabilities", ledger.KindEquity: "Equity",
	ledger.KindIncome: "Income", ledger.KindExpense: "Expenses",
}

// writeBeancount writes the journal as beancount reads it, without a complaint of bean-check: all accounts opened on the day
// of the first entry, entries by date, each linked by its number. What an account's name or a text holds that would
// mean something to beancount is written otherwise; figures never are.
func writeBeancount(ctx context.Context, tx *tenant.Tx, last int64, w io.Writer) error {
	accounts, err := ledger.Accounts(ctx, tx)
	if err != nil {
		return err
	}
	first, err := firstDay(ctx, tx, last)
	if err != nil {
		return err
	}
	names := BeancountNames(accounts)
	if err := writeOpenings(ctx, tx, w, accounts, names, last, first); err != nil {
		return err
	}
	entry := int64(0)
	return eachLine(ctx, tx, last, func(l lineRow) error {
		var out strings.Builder
		if l.Number != entry {
			entry = l.Number
			fmt.Fprintf(&out, "\n%s * %s ^%s\n", l.Date, quoted(l.Description), ledger.NumberName(l.Number))
		}
		name, ok := names[l.Account]
		if !ok {
			return fmt.Errorf("entry %d is on an account that the chart does not have", l.Number)
		}
		fmt.Fprintf(&out, "  %s  %s %s\n", name, l.amount(), l.Currency)
		if memo := oneLine(l.Memo); memo != "" {
			fmt.Fprintf(&out, "    memo: %s\n", quoted(memo))
		}
		_, err := io.WriteString(w, out.String())
		return err
	})
}

func writeOpenings(ctx context.Context, tx *tenant.Tx, w io.Writer, accounts []ledger.Account, names map[ledger.AccountID]string, last int64, first civil.Date) error {
	currencies, err := listCurrencies(ctx, tx, last)
	if err != nil {
		return err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "; The books of %s, through entry %s\n\noption \"title\" %s\n", oneLine(tx.Scope().Organization().Name),
		ledger.NumberName(last), quoted(tx.Scope().Organization().Name))
	for _, c := range currencies {
		fmt.Fprintf(&out, "option \"operating_currency\" \"%s\"\n", c)
	}
	out.WriteByte('\n')
	for _, a := range accounts {
		fmt.Fprintf(&out, "%s open %s\n  code: %s\n  name: %s\n", first, names[a.ID], quoted(a.Code), quoted(a.Name))
	}
	_, err = io.WriteString(w, out.String())
	return err
}

// BeancountNames is what accounts are called in the beancount journal, such as "Assets:1010-Current-account": no two
// alike.
func BeancountNames(accounts []ledger.Account) map[ledger.AccountID]string {
	names, taken := make(map[ledger.AccountID]string, len(accounts)), make(map[string]bool, len(accounts))
	for _, a := range accounts {
		name := beancountKinds[a.Kind] + ":" + component(a.Code+" "+a.Name)
		free := name
		for n := 2; taken[free]; n++ {
			free = fmt.Sprintf("%s-%d", name, n)
		}
		taken[free], names[a.ID] = true, free
	}
	return names
}

// component is a part of an account's name: capital letter or digit first, then letters, digits and dashes.
func component(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.Nd, r) })
	name := strings.Join(parts, "-")
	if first := []rune(name + "-")[0]; !(first >= 'A' && first <= 'Z' || first >= '0' && first <= '9') {
		name = "X" + name
	}
	return name
}

// quoted is a text of beancount's, on one line.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(s)) + `"`
}
