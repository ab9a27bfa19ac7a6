package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
)

// dataFolder is one that the server's user may enter.
func dataFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "countinghouse-org-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// runDev does what dev does as far as the database goes, founds the organization acme, and gives what ends it.
func runDev(t *testing.T, data string) (stop func()) {
	t.Helper()
	ctx := context.Background()
	cluster, err := startCluster(ctx, data)
	if err != nil {
		t.Fatal(err)
	}
	_, config, err := clusterConfig(data, cluster.URL())
	if err == nil {
		err = tenant.Bootstrap(ctx, cluster.URL(), config)
	}
	if err == nil {
		_, err = tenant.Migrate(ctx, config)
	}
	if err == nil {
		err = useDatabase(ctx, config, func(db *tenant.DB) error { return foundAcme(ctx, db) })
	}
	var forget func() error
	if err == nil {
		forget, err = noteURL(data, config)
	}
	stop = func() {
		wait, done := context.WithTimeout(ctx, time.Minute)
		defer done()
		if err := errors.Join(forget(), cluster.Stop(wait)); err != nil {
			t.Error(err)
		}
	}
	if err != nil {
		t.Error(errors.Join(err, cluster.Stop(ctx)))
		t.FailNow()
	}
	return stop
}

func foundAcme(ctx context.Context, db *tenant.DB) error {
	people, err := identity.New(db, mailOut{&notify.Outbox{}}, identity.Options{Origin: "http://localhost"})
	if err != nil {
		return err
	}
	owner, err := people.AddPerson(ctx, "mara@tidewater.example", "Mara Lindqvist", demoPassword)
	if err != nil {
		return err
	}
	return tenant.Found(ctx, db, owner, "acme", "Acme Ltd", func(tx *tenant.Tx) error {
		if err := tx.SetMember(ctx, owner, "owner", tenant.Active); err != nil {
			return err
		}
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Acme Ltd", Currency: money.MustCurrency("USD"), Country: "US", TimeZone: "America/New_York"})
	})
}

func TestOrg_works_beside_a_running_dev_and_without_one(t *testing.T) {
	t.Parallel()
	ctx, data := t.Context(), dataFolder(t)
	in := orgDatabase{Data: data}
	chinook := filepath.Join("demo", "chinook")
	files := []string{filepath.Join(chinook, "invoices.csv"), filepath.Join(chinook, "customers.csv"), filepath.Join(chinook, "products.csv")}
	if err := (orgImport{orgDatabase: in, Slug: "acme", Files: files}).run(ctx, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "run countinghouse dev once") {
		t.Errorf("an empty folder has a database: %v", err)
	}

	stop := runDev(t, data)
	if about, err := os.Stat(notePath(data)); err != nil || about.Mode().Perm() != 0o600 {
		t.Errorf("the note is %v (%v)", about, err)
	}
	var out, progress bytes.Buffer
	if err := (orgImport{orgDatabase: in, Slug: "acme", Files: files}).run(ctx, &out, &progress); err != nil {
		t.Fatal(err)
	}
	const want = "customers.csv: 59 customers: 59 added\nproducts.csv: 1,984 products: 1,984 added\n" +
		"invoices.csv: 412 invoices with 2,240 lines, USD 2,328.60: 412 added\n"
	if got := strings.ReplaceAll(out.String(), chinook+string(filepath.Separator), ""); got != want {
		t.Errorf("it says\n%s", got)
	}
	if !strings.Contains(progress.String(), "invoices.csv: 2,240 of 2,240 rows\n") {
		t.Errorf("it shows %q", progress.String())
	}
	rates := filepath.Join(t.TempDir(), "eurofxref-hist.csv")
	if err := os.WriteFile(rates, []byte("Date,USD,JPY,\n2026-11-20,1.1525,181.30,\n2026-11-19,1.1530,N/A,\n2025-11-19,1.1,160,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := (orgRates{orgDatabase: in, Slug: "acme", File: rates, Since: "2026-01-01"}).run(ctx, &out); err != nil || out.String() != rates+": 3 rates, 2026-11-19 to 2026-11-20\n" {
		t.Errorf("importing rates says %q (%v)", out.String(), err)
	}
	if err := (orgRates{orgDatabase: in, Slug: "acme", File: files[0]}).run(ctx, io.Discard); !errors.Is(err, currency.ErrFileMalformed) {
		t.Errorf("importing another file as rates: %v", err)
	}
	running := exportAcme(t, in)
	stop()

	if got := exportAcme(t, in); got != running {
		t.Error("without dev the journal is another")
	}
	listed := bytes.Buffer{}
	if err := in.use(ctx, func(db *tenant.DB) error { return listOrganizations(ctx, db, &listed) }); err != nil || listed.String() != "acme  active  Acme Ltd\n" {
		t.Errorf("it lists %q (%v)", listed.String(), err)
	}
}

// exportAcme exports to standard output and into a file, which must be the same.
func exportAcme(t *testing.T, in orgDatabase) string {
	t.Helper()
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "acme.journal")
	e := orgExport{orgKeys: orgKeys{orgDatabase: in}, Format: "hledger", Slug: "acme"}
	err := e.run(t.Context(), &out)
	if err == nil {
		e.Output = file
		err = e.run(t.Context(), io.Discard)
	}
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil || string(content) != out.String() || !strings.Contains(out.String(), "(J-0412) Invoice INV-0412\n") {
		t.Errorf("the file has %d bytes, and standard output %d (%v)", len(content), out.Len(), err)
	}
	e.Slug = "nobody"
	if err := e.run(t.Context(), io.Discard); !errors.Is(err, tenant.ErrNoOrganization) || fault.KindOf(err) != fault.NotFound {
		t.Errorf("an unknown organization is %v", err)
	}
	if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, content) {
		t.Errorf("a failed export touched the file (%v)", err)
	}
	return out.String()
}

func TestWriteWhole_leaves_nothing_of_what_failed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "books.csv")
	broken := errors.New("broken")
	for _, fail := range []error{nil, broken} {
		err := writeWhole(path, func(w io.Writer) error {
			_, err := io.WriteString(w, "whole")
			return errors.Join(err, fail)
		})
		if !errors.Is(err, fail) {
			t.Errorf("it says %v", err)
		}
		if content, err := os.ReadFile(path); err != nil || string(content) != "whole" {
			t.Errorf("the file has %q (%v)", content, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("it left %v (%v)", left, err)
	}
}
