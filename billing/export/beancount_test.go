package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// bean runs one of beancount's commands; what it says on standard error, a complaint, fails the test.
func bean(t *testing.T, command string, args ...string) []byte {
	t.Helper()
	run := exec.CommandContext(t.Context(), command, args...)
	run.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "BEANCOUNT_DISABLE_LOAD_CACHE=1")
	var complaint bytes.Buffer
	run.Stderr = &complaint
	out, err := run.Output()
	if err != nil || complaint.Len() > 0 {
		t.Fatalf("%s: %v\n%.3000s", command, err, complaint.String())
	}
	return out
}

// checkWithBeancount has bean-check read the exported journal, and bean-query add it up account by account.
func checkWithBeancount(t *testing.T, o tenanttest.Organization) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "books.beancount")
	if err := os.WriteFile(path, write(t, o, export.Beancount), 0o600); err != nil {
		t.Fatal(err)
	}
	bean(t, "bean-check", "--no-cache", path)
	want := map[string]string{}
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		accounts, err := ledger.Accounts(ctx, tx)
		if err != nil {
			return err
		}
		names := export.BeancountNames(accounts)
		trial, err := report.TrialBalanceOf(ctx, tx, report.Period{})
		for _, r := range trial.Rows {
			if !r.Closing.IsZero() {
				want[names[r.Account]+" "+r.Currency.Code()] = r.Closing.Decimal().String()
			}
		}
		return err
	})
	out := bean(t, "bean-query", "--no-errors", "-f", "csv", path, "SELECT account, currency, str(sum(number)) AS total GROUP BY account, currency")
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := map[string]string{}
	for _, row := range rows[min(1, len(rows)):] {
		sum, err := decimal.NewFromString(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(row[2]), "Decimal('"), "')")) // exactly: a plain sum is shown rounded
		if err != nil {
			t.Fatalf("%q: %v", row, err)
		}
		if !sum.IsZero() {
			got[strings.TrimSpace(row[0])+" "+strings.TrimSpace(row[1])] = sum.String()
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("beancount comes to\n%v\nand the trial balance is\n%v", got, want)
	}
}
