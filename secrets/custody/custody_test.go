package custody_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/postgres/pgtest"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// run runs one of the server's own programs as the superuser, on a database.
func run(t *testing.T, database, program string, args ...string) string {
	t.Helper()
	u, err := url.Parse(pgtest.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database
	out, err := exec.Command(filepath.Join(pgtest.BinDir(), program), append([]string{"--dbname=" + u.String()}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return strings.TrimSpace(string(out))
}

func psql(t *testing.T, database, statement string) string {
	t.Helper()
	return run(t, database, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "-Atc", statement)
}

// things is a table with secrets, as payment methods are.
var things = tenant.SealedColumn{Table: "thing", Column: "sealed", Key: "id"}

// house is an organization with books, a key, and a table of secrets.
type house struct {
	tenanttest.Organization
	db      *tenant.DB
	clock   *tenanttest.Clock
	keyring secrets.Keyring
	schema  string
	scope   tenant.Scope
	rows    []string
}

func newHouse(t *testing.T, secretsIn int) *house {
	t.Helper()
	h := &house{clock: &tenanttest.Clock{}}
	h.db = tenanttest.OpenWith(t, h.clock)
	keyring, err := secrets.OpenLocal(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	h.keyring = keyring
	h.Organization = tenanttest.Found(t, h.db, func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater Studios", Currency: money.MustCurrency("USD"), Country: "US", TimeZone: "America/New_York"})
	})
	if h.scope, err = tenant.EnterOperator(t.Context(), h.db, h.Slug); err != nil {
		t.Fatal(err)
	}
	if err := keyring.CreateKey(t.Context(), h.id()); err != nil {
		t.Fatal(err)
	}
	h.schema = psql(t, "countinghouse", "SELECT schema_name FROM platform.organization WHERE slug = '"+h.Slug+"'")
	psql(t, "countinghouse", fmt.Sprintf("CREATE TABLE %[1]s.thing (id uuid PRIMARY KEY, sealed varchar(400) NOT NULL); ALTER TABLE %[1]s.thing OWNER TO countinghouse_owner; GRANT SELECT, INSERT, UPDATE ON %[1]s.thing TO %[1]s", h.schema))
	for range secretsIn {
		h.rows = append(h.rows, id.New[house]().String())
	}
	for _, row := range h.rows {
		h.store(t, row, h.seal(t, row))
	}
	return h
}

func (h *house) id() string { return h.scope.Organization().ID.String() }

func (h *house) place(row string) secrets.Place {
	return secrets.Place{Organization: h.id(), Table: "thing", Column: "sealed", Row: row}
}

func (h *house) seal(t *testing.T, row string) string {
	t.Helper()
	sealed, err := h.keyring.Seal(t.Context(), h.place(row), []byte("secret of "+row))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func (h *house) store(t *testing.T, row, sealed string) {
	t.Helper()
	err := tenant.Do(t.Context(), h.db, h.scope, func(tx *tenant.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO thing (id, sealed) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET sealed = EXCLUDED.sealed`, row, sealed)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stored is the sealed text of a row.
func (h *house) stored(ctx context.Context, row string) (text string, err error) {
	err = tenant.Do(ctx, h.db, h.scope, func(tx *tenant.Tx) error {
		return tx.Get(ctx, &text, `SELECT sealed FROM thing WHERE id = $1`, row)
	})
	return text, err
}

// read reads one secret as a request does.
func (h *house) read(ctx context.Context, row string) error {
	text, err := h.stored(ctx, row)
	if err != nil {
		return err
	}
	got, err := h.keyring.Open(ctx, h.place(row), text)
	if err == nil && string(got) != "secret of "+row {
		err = fmt.Errorf("row %s opens to %q", row, got)
	}
	return err
}

// versions counts what is stored by the version that sealed it.
func (h *house) versions(t *testing.T) map[int]int {
	t.Helper()
	counts := map[int]int{}
	for _, row := range h.rows {
		text, err := h.stored(t.Context(), row)
		if err != nil {
			t.Fatal(err)
		}
		version, _ := secrets.Version(text)
		counts[version]++
	}
	return counts
}
