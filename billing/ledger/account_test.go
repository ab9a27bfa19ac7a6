package ledger_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

func addAccount(t *testing.T, b books, code string) (a ledger.Account) {
	t.Helper()
	err := b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		a, err = ledger.AddAccount(ctx, tx, ledger.AccountInput{Code: code, Name: "Zoë's own", Kind: ledger.KindAsset})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.account[code] = a.ID
	return a
}

func archive(b books, a ledger.Account, version int) (got ledger.Account, err error) {
	err = b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		got, err = ledger.ArchiveAccount(ctx, tx, a.ID, version)
		return err
	})
	return got, err
}

func mustArchive(t *testing.T, b books, a ledger.Account) {
	t.Helper()
	if got, err := archive(b, a, 0); err != nil || !got.Archived {
		t.Fatalf("archived: %v, %v", got, err)
	}
}

func TestOpenChart(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	var accounts []ledger.Account
	err := b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if accounts, err = ledger.Accounts(ctx, tx); err != nil {
			return err
		}
		for purpose, code := range map[string]string{
			ledger.Receivable: "1100", ledger.Bank: "1010", ledger.Income: "4000", ledger.Tax: "2200", ledger.Equity: "3000",
		} {
			a, err := ledger.AccountFor(ctx, tx, purpose)
			if err != nil || a.Code != code || a.Purpose != purpose {
				t.Errorf("the account for %s is %+v, %v", purpose, a, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(accounts, func(a, b ledger.Account) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the chart is not in the order of codes")
	}
	for _, kind := range ledger.Kinds() {
		if !slices.ContainsFunc(accounts, func(a ledger.Account) bool { return a.Kind == kind && !a.Archived }) {
			t.Errorf("the chart has no %s account", kind)
		}
	}
}

func TestAddAccount(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	added := addAccount(t, b, "1999.a-1")
	err := b.do(func(ctx context.Context, tx *tenant.Tx) error {
		read, err := ledger.AccountByID(ctx, tx, added.ID)
		if read != added || read.Name != "Zoë's own" || read.Kind != ledger.KindAsset || read.Purpose != "" || read.Version != 1 {
			t.Errorf("reads back as %+v", read)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in   ledger.AccountInput
		want error
		at   string
	}{
		"a taken code":     {ledger.AccountInput{Code: "1010", Name: "a", Kind: ledger.KindAsset}, ledger.ErrAccountCodeTaken, "code"},
		"no code":          {ledger.AccountInput{Name: "a", Kind: ledger.KindAsset}, text.ErrMissing, "code"},
		"a formula":        {ledger.AccountInput{Code: "=1+1", Name: "a", Kind: ledger.KindAsset}, ledger.ErrAccountCode, "code"},
		"a long code":      {ledger.AccountInput{Code: strings.Repeat("1", 21), Name: "a", Kind: ledger.KindAsset}, text.ErrTooLong, "code"},
		"a name of lines":  {ledger.AccountInput{Code: "1", Name: "a\nb", Kind: ledger.KindAsset}, text.ErrInvalid, "name"},
		"an unknown kind":  {ledger.AccountInput{Code: "1", Name: "a", Kind: "thing"}, ledger.ErrAccountKind, "kind"},
		"no kind, no name": {ledger.AccountInput{Code: "1"}, text.ErrMissing, "name"},
	} {
		err := b.do(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := ledger.AddAccount(ctx, tx, c.in)
			return err
		})
		if !errors.Is(err, c.want) || !slices.Contains(fields(err), c.at) {
			t.Errorf("%s: got %v at %q", name, err, fields(err))
		}
	}
}

func TestRenameAccount(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	rename := func(a ledger.AccountID, version int) (got ledger.Account, err error) {
		err = b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			got, err = ledger.RenameAccount(ctx, tx, a, version, " Main account ")
			return err
		})
		return got, err
	}
	if got, err := rename(b.account["1010"], 1); err != nil || got.Name != "Main account" || got.Version != 2 || got.Purpose != ledger.Bank {
		t.Errorf("renamed to %+v, %v", got, err)
	}
	if _, err := rename(b.account["1010"], 1); !errors.Is(err, ledger.ErrAccountChanged) {
		t.Errorf("by one who saw an older version: %v", err)
	}
	if _, err := rename(id.New[ledger.Account](), 0); !errors.Is(err, ledger.ErrAccountNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestArchiveAccount(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	full, even := addAccount(t, b, "1901"), addAccount(t, b, "1902")
	for _, p := range []ledger.Posting{
		{Lines: []ledger.Line{{Account: full.ID, Amount: eur(5)}, {Account: full.ID, Amount: amount("JPY", -5)},
			{Account: even.ID, Amount: eur(-5)}, {Account: b.account["3000"], Amount: amount("JPY", 5)}}},
		{Lines: []ledger.Line{{Account: even.ID, Amount: eur(5)}, {Account: b.account["3000"], Amount: eur(-5)}}},
	} {
		p.Date, p.Description = may5, "moves"
		b.mustPost(t, p)
	}
	if _, err := archive(b, full, 0); !errors.Is(err, ledger.ErrAccountNotEmpty) {
		t.Errorf("with 5 cents and minus 5 yen: %v", err)
	}
	if _, err := archive(b, ledger.Account{ID: b.account["4000"]}, 0); !errors.Is(err, ledger.ErrAccountNeeded) {
		t.Errorf("one that the books need: %v", err)
	}
	if _, err := archive(b, even, 7); !errors.Is(err, ledger.ErrAccountChanged) {
		t.Errorf("on a version that is not there: %v", err)
	}
	mustArchive(t, b, even)
	p := b.sale(1)
	p.Lines[0].Account = even.ID
	if _, err := b.post(p); !errors.Is(err, ledger.ErrAccountArchived) || !strings.Contains(err.Error(), "Account 1902 is archived.") {
		t.Errorf("posting to it: %v", err)
	}
	err := b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := ledger.RestoreAccount(ctx, tx, even.ID, 2)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.mustPost(t, p)
}
