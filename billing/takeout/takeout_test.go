package takeout_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// desk is an organization, and what makes its exports.
type desk struct {
	tenanttest.Organization
	*takeout.Packer
	mu   sync.Mutex
	told []takeout.Notice
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{Organization: tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater", Currency: money.MustCurrency("EUR"), Country: "PT", TimeZone: "Europe/Lisbon"})
	})}
	d.Packer = &takeout.Packer{DB: tenanttest.DB(), May: func(tenant.Scope, string) bool { return true },
		Tell: func(_ context.Context, n takeout.Notice) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.told = append(d.told, n)
			return nil
		}}
	return d
}

func (d *desk) do(t *testing.T, fn func(ctx context.Context, tx *tenant.Tx) error) {
	t.Helper()
	tenanttest.Do(t, tenanttest.DB(), d.Organization, fn)
}

func (d *desk) ask(t *testing.T, holds takeout.Subject, format takeout.Format) (e takeout.Export) {
	t.Helper()
	d.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		e, err = takeout.Ask(ctx, tx, takeout.Input{Holds: holds, Format: format})
		return err
	})
	return e
}

func (d *desk) pack(t *testing.T, e takeout.Export) error {
	t.Helper()
	return d.Job(t.Context(), d.Scope, json.RawMessage(fmt.Sprintf(`{"export":%q}`, e.ID)))
}

func (d *desk) look(t *testing.T, e takeout.Export) (now takeout.Export) {
	t.Helper()
	d.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		now, err = takeout.ByID(ctx, tx, e.ID)
		return err
	})
	return now
}

// fetch gives the bytes of an export that is ready.
func (d *desk) fetch(t *testing.T, e takeout.Export) []byte {
	t.Helper()
	var out bytes.Buffer
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		f, err := takeout.Fetch(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		return file.Write(ctx, func(fn func(tx *tenant.Tx) error) error { return fn(tx) }, f, &out)
	})
	return out.Bytes()
}

func (d *desk) addCustomers(t *testing.T, names ...string) {
	t.Helper()
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		for _, name := range names {
			if _, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: name, ExternalID: tenanttest.Random(6)}); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestExport(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.addCustomers(t, "=1+1", "Mara")
	e := d.ask(t, "customers", "")
	if e.State != takeout.Queued || !strings.HasSuffix(e.Name, ".csv") {
		t.Errorf("asked for: %+v", e)
	}
	if err := d.pack(t, e); err != nil {
		t.Fatal(err)
	}
	got := string(d.fetch(t, e))
	if !strings.Contains(got, ",'=1+1,") || !strings.Contains(got, ",Mara,") {
		t.Errorf("the file is\n%s", got)
	}
	now := d.look(t, e)
	if sum := sha256.Sum256([]byte(got)); now.State != takeout.Ready || now.Digest != hex.EncodeToString(sum[:]) || now.Size != int64(len(got)) || now.Done != now.All {
		t.Errorf("it is %+v", now)
	}
	// The job of one that is ready, again: a worker was killed after the work and before the note of it.
	if err := d.pack(t, e); err != nil || len(d.told) != 1 || d.told[0].To.ID.IsZero() || string(d.fetch(t, e)) != got {
		t.Errorf("again: %v, told %d times", err, len(d.told))
	}
}

func TestExport_begun_by_a_worker_that_died(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.addCustomers(t, "Mara")
	e := d.ask(t, "customers", takeout.XLSX)
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error { // what it left
		_, err := tx.Exec(ctx, `UPDATE file SET state = 'running', size = 5, rows_done = 1 WHERE id = $1`, e.ID)
		if err == nil {
			_, err = tx.Exec(ctx, `INSERT INTO file_piece (file_id, position, bytes) VALUES ($1, 0, 'abcde')`, e.ID)
		}
		return err
	})
	if err := d.pack(t, e); err != nil {
		t.Fatal(err)
	}
	got := d.fetch(t, e)
	if _, err := zip.NewReader(bytes.NewReader(got), int64(len(got))); err != nil || bytes.HasPrefix(got, []byte("abcde")) {
		t.Errorf("the file is no workbook: %v", err)
	}
}

func TestExport_refused_to_who_may_not_any_more(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"exports:create", "journal:export"} {
		d := open(t)
		e := d.ask(t, "journal", "")
		d.May = func(_ tenant.Scope, right string) bool { return right != lost }
		if err := d.pack(t, e); err != nil {
			t.Fatal(err)
		}
		if now := d.look(t, e); now.State != takeout.Refused || now.Size != 0 || len(d.told) != 0 {
			t.Errorf("without %s it is %+v", lost, now)
		}
	}
}

func TestExport_of_someone_who_left_shows_as_refused(t *testing.T) {
	t.Parallel()
	d := open(t)
	e := takeout.Export{ID: id.New[takeout.Export]()}
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO file (id, kind, file_name, media_type, size, digest, created_at, state, holds, asked_by, moved_at, expires_at)
			VALUES ($1, 'export', 'x.csv', 'text/csv', 0, '', now(), 'queued', 'journal', gen_random_uuid(), now(), now() + interval '1 day')`, e.ID)
		return err
	})
	if now := d.look(t, e); now.State != takeout.Refused {
		t.Errorf("it is %+v", now)
	}
}

func TestExport_waits_for_another(t *testing.T) {
	t.Parallel()
	d := open(t)
	first, second := d.ask(t, "products", ""), d.ask(t, "customers", "")
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE file SET state = 'running' WHERE id = $1`, first.ID)
		return err
	})
	if err := d.pack(t, second); err != nil {
		t.Fatal(err)
	}
	if now := d.look(t, second); now.State != takeout.Queued {
		t.Errorf("beside another it is %s", now.State)
	}
	if err := errors.Join(d.pack(t, first), d.pack(t, second)); err != nil {
		t.Fatal(err)
	}
	if now := d.look(t, second); now.State != takeout.Ready {
		t.Errorf("after the other it is %s", now.State)
	}
}

func TestExport_cancelled(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.addCustomers(t, "Mara")
	e := d.ask(t, "customers", "")
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := takeout.Cancel(ctx, tx, e.ID)
		return err
	})
	if err := d.pack(t, e); err != nil {
		t.Fatal(err)
	}
	if now := d.look(t, e); now.State != takeout.Cancelled || now.Size != 0 {
		t.Errorf("it is %+v", now)
	}
	err := tenant.Do(t.Context(), tenanttest.DB(), d.Scope, func(tx *tenant.Tx) error {
		_, err := takeout.Cancel(t.Context(), tx, e.ID)
		return err
	})
	if !errors.Is(err, takeout.ErrOver) {
		t.Errorf("cancelled again: %v", err)
	}
}

func TestExport_limits_and_expiry(t *testing.T) {
	t.Parallel()
	d := open(t)
	var last takeout.Export
	for range 5 {
		last = d.ask(t, "products", "")
	}
	ask := func(in takeout.Input) error {
		return tenant.Do(t.Context(), tenanttest.DB(), d.Scope, func(tx *tenant.Tx) error {
			_, err := takeout.Ask(t.Context(), tx, in)
			return err
		})
	}
	if err := ask(takeout.Input{Holds: "products"}); !errors.Is(err, takeout.ErrTooMany) {
		t.Errorf("a sixth: %v", err)
	}
	if err := ask(takeout.Input{Holds: "secrets"}); !errors.Is(err, takeout.ErrSubject) {
		t.Errorf("of something else: %v", err)
	}
	if err := ask(takeout.Input{Holds: "hledger", Format: "xlsx"}); !errors.Is(err, takeout.ErrFormat) {
		t.Errorf("as something else: %v", err)
	}
	if err := d.pack(t, last); err != nil {
		t.Fatal(err)
	}
	clock := &tenanttest.Clock{}
	clock.Advance(takeout.Kept + time.Minute)
	later := tenanttest.OpenWith(t, clock)
	scope, err := tenant.EnterOperator(t.Context(), later, d.Slug)
	if err != nil {
		t.Fatal(err)
	}
	err = tenant.Do(t.Context(), later, scope, func(tx *tenant.Tx) error {
		_, err := takeout.Fetch(t.Context(), tx, last.ID)
		return err
	})
	if !errors.Is(err, takeout.ErrExpired) {
		t.Errorf("fetched too late: %v", err)
	}
	if err := takeout.Clear(t.Context(), func(fn func(tx *tenant.Tx) error) error { return tenant.Do(t.Context(), later, scope, fn) }); err != nil {
		t.Fatal(err)
	}
	left := -1
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		p, err := takeout.Exports(ctx, tx, cursor.Query{Limit: 10})
		left = len(p.Items)
		return err
	})
	if left != 0 {
		t.Errorf("%d exports are left", left)
	}
}

func TestExport_of_everything(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.addCustomers(t, "Mara")
	d.post(t, 2, 3)
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := file.Keep(ctx, tx, file.Input{Kind: file.Logo, Name: "a.txt", Bytes: []byte("kept")})
		return err
	})
	e := d.ask(t, takeout.Everything, "")
	if err := d.pack(t, e); err != nil {
		t.Fatal(err)
	}
	body := d.fetch(t, e)
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Files []struct {
			Name, SHA256 string
			Size         int64
		}
	}
	read := func(name string) []byte {
		f, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if err := json.Unmarshal(read("manifest.json"), &list); err != nil || len(list.Files) != len(z.File)-1 {
		t.Fatalf("the manifest lists %d of %d files: %v", len(list.Files), len(z.File)-1, err)
	}
	kept := false
	for _, f := range list.Files {
		content := read(f.Name)
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(content)) != f.Size {
			t.Errorf("%s is not what the manifest says", f.Name)
		}
		kept = kept || string(content) == "kept"
	}
	if !kept || !bytes.Contains(read("customers.csv"), []byte(",Mara,")) || !bytes.Contains(read("books.journal"), []byte("J-0002")) ||
		!bytes.Contains(read("books.beancount"), []byte("^J-0002")) || bytes.Count(read("ledger.csv"), []byte("\n")) != 7 {
		t.Error("something is not in it")
	}
	if proof, err := audit.Verify(bytes.NewReader(read("record.jsonl")), ""); err != nil {
		t.Errorf("the record: %v %+v", err, proof)
	}
}

// post makes entries with so many lines each on two accounts: by SQL alone, so that many take no time.
func (d *desk) post(t *testing.T, entries, lines int) {
	t.Helper()
	tenanttest.AsOwner(t, d.Organization, fmt.Sprintf(`
		WITH n AS (UPDATE counter SET value = value + %[1]d WHERE name = 'journal' RETURNING value - %[1]d AS first),
		made AS (INSERT INTO journal_entry (id, number, date, description, source_kind, posted_at)
		         SELECT gen_random_uuid(), n.first + g, '2025-01-01'::date + g %% 300, 'Takings of the day, at the counter and by card', 'manual', now() FROM n, generate_series(1, %[1]d) g
		         RETURNING id)
		INSERT INTO journal_line (entry_id, line, account_id, currency, amount, memo)
		SELECT m.id, l, a.id, 'EUR', CASE WHEN l = %[2]d THEN -100 * (%[2]d - 1) ELSE 100 END, 'Till ' || l
		  FROM made m, generate_series(1, %[2]d) l, account a WHERE a.purpose = CASE WHEN l = %[2]d THEN 'equity' ELSE 'bank' END`, entries, lines))
}

var ledgerLines = flag.Int("ledger-lines", 40_000, "how many lines the ledger has that is exported in flat memory")

// A long ledger needs no more memory than a short one, in every format: a million lines with
// go test -run flat_memory -timeout 1h -v ./billing/takeout -ledger-lines 1000000. Not beside other tests: they need memory too.
func TestExport_of_a_long_ledger_in_flat_memory(t *testing.T) {
	d := open(t)
	started := time.Now()
	const lines = 10
	most := uint64(28 << 20) // 700 bytes for each of the usual lines: who keeps them is found out
	if *ledgerLines > 100_000 {
		most = 100 << 20
	}
	entries := *ledgerLines / lines
	d.post(t, entries, lines)
	t.Logf("%d lines made in %s", entries*lines, time.Since(started))
	for _, in := range []takeout.Input{{Holds: takeout.Ledger, Format: takeout.CSV}, {Holds: takeout.Ledger, Format: takeout.XLSX},
		{Holds: "journal", Format: takeout.CSV}, {Holds: "hledger"}, {Holds: takeout.Everything}} {
		t.Run(string(in.Holds+" "+takeout.Subject(in.Format)), func(t *testing.T) {
			e := d.ask(t, in.Holds, in.Format)
			started := time.Now()
			grown := heapGrowth(func() {
				if err := d.pack(t, e); err != nil {
					t.Fatal(err)
				}
			})
			now := d.look(t, e)
			t.Logf("%s: %d MB of file, %d MB of heap above idle, %d MB of the process at its most, %s", now.Name, now.Size>>20, grown>>20, mostResident(t)>>20, time.Since(started))
			if now.State != takeout.Ready || grown > most || now.Done < entries*lines {
				t.Errorf("%s: %s with %d rows, and the heap grew by %d bytes", in.Holds, now.State, now.Done, grown)
			}
		})
	}
}

// mostResident is the most memory that the process has had since it began, in bytes: getrusage(2), which counts in KiB on Linux.
func mostResident(t *testing.T) int64 {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return used.Maxrss << 10
}

// heapGrowth is how far the heap grew above where it was while fn ran, garbage and all.
func heapGrowth(fn func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // as the service collects, whatever the tests are run with
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	idle, most := m.HeapAlloc, m.HeapAlloc
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	}()
	fn()
	close(done)
	<-ended
	return most - idle
}
