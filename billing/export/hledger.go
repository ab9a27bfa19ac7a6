package export

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// How hledger's own reports call the kinds of account, and the letter by which it knows them whatever they are called.
var hledgerKinds = map[ledger.Kind]struct{ name, letter string }{
	ledger.KindAsset:     {"assets", "A"},
	ledger.KindLiability: {"liabilities", "L"},
	ledger.KindEquity:    {"equity", "E"},
	ledger.KindIncome:    {"income", "R"},
	ledger.KindExpense:   {"expenses", "X"},
}

// writeHledger writes the journal as hledger reads it, in strict mode too: all currencies and accounts declared, entries
// by date, amounts as plain decimals with the currency's code. An account is named for its kind, code and name. What a
// text holds that would mean something to hledger is written otherwise; figures never are.
func writeHledger(ctx context.Context, tx *tenant.Tx, last int64, w io.Writer) error {
	accounts, err := ledger.Accounts(ctx, tx)
	if err != nil {
		return err
	}
	if err := writeDeclarations(ctx, tx, w, accounts, last); err != nil {
		return err
	}
	names := make(map[ledger.AccountID]string, len(accounts))
	for _, a := range accounts {
		names[a.ID] = AccountName(a)
	}
	entry := int64(0)
	return eachLine(ctx, tx, last, func(l lineRow) error {
		var out strings.Builder
		if l.Number != entry {
			entry = l.Number
			fmt.Fprintf(&out, "\n%s (%s) %s\n", l.Date, ledger.NumberName(l.Number), plainText(l.Description))
		}
		name, ok := names[l.Account]
		if !ok {
			return fmt.Errorf("entry %d is on an account that the chart does not have", l.Number)
		}
		fmt.Fprintf(&out, "    %s  %s %s", name, l.amount(), l.Currency)
		if memo := commentText(l.Memo); memo != "" {
			out.WriteString("  ; " + memo)
		}
		out.WriteByte('\n')
		_, err := io.WriteString(w, out.String())
		return err
	})
}

func writeDeclarations(ctx context.Context, tx *tenant.Tx, w io.Writer, accounts []ledger.Account, last int64) error {
	currencies, err := listCurrencies(ctx, tx, last)
	if err != nil {
		return err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "; The books of %s, through entry %s\n\ndecimal-mark .\n\n",
		commentText(tx.Scope().Organization().Name), ledger.NumberName(last))
	for _, c := range currencies {
		fmt.Fprintf(&out, "commodity %s %s\n", sampleAmount(c), c)
	}
	out.WriteByte('\n')
	for _, kind := range ledger.Kinds() {
		fmt.Fprintf(&out, "account %s  ; type: %s\n", hledgerKinds[kind].name, hledgerKinds[kind].letter)
	}
	for _, a := range accounts {
		letter := hledgerKinds[a.Kind].letter
		if a.Purpose == ledger.Bank {
			letter = "C" // cash, for its cash flow statement
		}
		fmt.Fprintf(&out, "account %s  ; type: %s\n", AccountName(a), letter)
	}
	_, err = io.WriteString(w, out.String())
	return err
}

// sampleAmount shows hledger how many decimals a currency has. The point is there even if nothing follows it.
func sampleAmount(c money.Currency) string {
	return "1000." + strings.Repeat("0", c.Digits())
}

// AccountName is what an account is called in the hledger journal, such as "assets:1010 Current account".
func AccountName(a ledger.Account) string {
	name := hledgerKinds[a.Kind].name + ":" + a.Code
	if rest := accountText(a.Name); rest != "" {
		name += " " + rest
	}
	return name
}

// accountText leaves nothing in a name that ends it (two spaces), begins a comment or another account below it, or
// looks like a virtual posting.
func accountText(s string) string {
	return oneLine(strings.NewReplacer(";", ",", ":", "-", "(", "", ")", "", "[", "", "]", "").Replace(s))
}

// plainText is a description: it ends where a comment begins.
func plainText(s string) string { return oneLine(strings.ReplaceAll(s, ";", ",")) }

// commentText is a comment: hledger looks for tags ("date:2026-01-01") and dates in brackets there.
func commentText(s string) string {
	return oneLine(strings.NewReplacer(":", " ", "[", "(", "]", ")").Replace(s))
}

// oneLine makes every run of white space and control characters one space.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp)
	}), " ")
}
