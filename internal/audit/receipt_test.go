package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// visited is an organization in which support did so many things, with the receipt of that and its lines.
func visited(t testing.TB, rows int) (b *books, receipt []byte) {
	t.Helper()
	b = openBooks(t)
	grant := uuid.Must(uuid.NewV7())
	b.change(t, "1", "2")
	b.seal(t)
	for n := range rows {
		tenanttest.AsOwner(t, b.Organization, fmt.Sprintf(`INSERT INTO audit_log (id, at, actor_kind, actor_id, grant_id, action, object_kind, object_id, request_id, network, detail)
			VALUES ('%s', '%s', 'support', gen_random_uuid(), '%s', 'support.read', 'invoices', %s, 'R%d', '192.0.2.7', 'GET <%d>')`,
			uuid.Must(uuid.NewV7()), b.db.Now().Format(time.RFC3339Nano), grant, []string{"NULL", "gen_random_uuid()"}[n%2], n, n))
		b.clock.Advance(time.Second + 120*time.Microsecond)
	}
	digest := digestBySQL(t, b, grant)
	b.record(t, tenant.Act{Action: "support.receipt", Object: "support", ID: grant, Detail: fmt.Sprintf("%d lines, SHA-256 %x", rows, digest)})
	b.change(t, "2", "3")
	b.seal(t)
	var out bytes.Buffer
	if err := audit.WriteReceipt(t.Context(), b.run, &out, audit.Receipt{Grant: grant, Rows: rows, Digest: digest}); err != nil {
		t.Fatal(err)
	}
	return b, out.Bytes()
}

// digestBySQL is the digest as the comment on it has it, made by other means.
func digestBySQL(t testing.TB, b *books, grant uuid.UUID) []byte {
	t.Helper()
	var parts []string
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Select(ctx, &parts, `SELECT v.part FROM audit_log a CROSS JOIN LATERAL (VALUES (1, a.id::text),
			(2, rtrim(rtrim(to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z'), (3, a.action), (4, a.object_kind),
			(5, coalesce(a.object_id::text, '')), (6, a.request_id), (7, a.detail), (8, a.before), (9, a.after)) AS v (n, part)
			WHERE a.grant_id = $1 ORDER BY a.id, v.n`, grant)
	})
	h := sha256.New()
	for _, p := range append([]string{"countinghouse support receipt 1"}, parts...) {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	return h.Sum(nil)
}

func TestVerifyReceipt(t *testing.T) {
	t.Parallel()
	b, receipt := visited(t, 4)
	record := b.export(t)
	check := func(receipt, record []byte) (audit.ReceiptProof, error) {
		return audit.VerifyReceipt(bytes.NewReader(receipt), bytes.NewReader(record))
	}
	proof, err := check(receipt, record)
	if err != nil || proof.Lines != 4 || proof.Row != 6 || proof.Rows != 7 || !bytes.Contains(receipt, []byte(proof.Seal)) {
		t.Fatalf("%+v, %v", proof, err)
	}
	lines := slices.Collect(bytes.Lines(receipt)) // the head, four lines, the end
	if len(lines) != 6 {
		t.Fatalf("%d lines: %s", len(lines), receipt)
	}
	join := func(lines ...[]byte) []byte { return bytes.Join(lines, nil) }
	strange := bytes.Replace(lines[4], []byte("GET <3>"), []byte("GET <9>"), 1)
	strange = bytes.Replace(strange, []byte(`{"id":"0`), []byte(`{"id":"f`), 1) // behind all others
	_, other := visited(t, 4)
	empty, none := visited(t, 0)
	early := openBooks(t)
	if _, err := check(none, empty.export(t)); err != nil {
		t.Errorf("a visit in which nothing was done: %v", err)
	}
	unsealed := early.export(t)
	for name, c := range map[string]struct {
		receipt, record []byte
		line            int
		say             string
	}{
		"an altered line":           {bytes.Replace(receipt, []byte("GET <2>"), []byte("GET <7>"), 1), record, 3, "otherwise"},
		"an altered request":        {bytes.Replace(receipt, []byte(`"request_id":"R1"`), []byte(`"request_id":"R8"`), 1), record, 2, "otherwise"},
		"the first line is missing": {join(lines[0], lines[2], lines[3], lines[4], lines[5]), record, 1, "leaves it out"},
		"a line is missing":         {join(lines[0], lines[1], lines[2], lines[4], lines[5]), record, 3, "leaves it out"},
		"the last line is missing":  {join(lines[0], lines[1], lines[2], bytes.TrimSuffix(lines[3], []byte(",\n")), lines[5]), record, 4, "leaves it out"},
		"a line too many":           {join(lines[0], lines[1], lines[2], lines[3], lines[4], []byte(","), strange, lines[5]), record, 5, "no such line"},
		"a line twice":              {join(lines[0], lines[1], lines[2], lines[2], lines[3], lines[4], lines[5]), record, 3, "once more"},
		"lines in the wrong order":  {join(lines[0], lines[1], lines[3], lines[2], lines[4], lines[5]), record, 3, "wrong place"},
		"another number of lines":   {bytes.Replace(receipt, []byte(`"rows":4`), []byte(`"rows":5`), 1), record, 0, "has 4"},
		"another digest":            {bytes.Replace(receipt, []byte(proof.Seal), []byte(strings.Repeat("0", 64)), 1), record, 0, "digest"},
		"another organization":      {other, record, 0, "two organizations"},
		"a record that is too old":  {bytes.Replace(receipt, []byte(b.Scope.Organization().ID.String()), []byte(early.Scope.Organization().ID.String()), 1), unsealed, 1, "no such line"},
		"no receipt":                {[]byte("{}"), record, 0, "no receipt"},
		"a receipt and something":   {append(bytes.Clone(receipt), "{}"...), record, 0, "more after"},
		"an unknown field":          {bytes.Replace(receipt, []byte(`"rows"`), []byte(`"rose"`), 1), record, 0, "no receipt"},
		"a line that is not there":  {join(lines[0], []byte("null\n"), lines[5]), record, 1, "nothing in it"},
		"the record in its place":   {record, receipt, 0, "no receipt"},
		"a receipt that is cut off": {receipt[:len(receipt)-4], record, 0, "no receipt"},
	} {
		_, err := check(c.receipt, c.record)
		var found *audit.BrokenReceipt
		if !errors.As(err, &found) || found.Line != c.line || !strings.Contains(found.Say, c.say) {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Run("whoever owns the database is found out", func(t *testing.T) {
		var chain *audit.Broken
		if _, err := check(receipt, bytes.Replace(record, []byte("GET <2>"), []byte("GET <7>"), 1)); !errors.As(err, &chain) {
			t.Errorf("an altered record: %v", err)
		}
		// The whole chain is made anew, over a line that is told differently, and over one that is gone.
		for statement, want := range map[string]string{
			`UPDATE audit_log SET detail = 'GET <7>' WHERE detail = 'GET <2>'; DELETE FROM seal`: "line 3 (support.read",
			`DELETE FROM audit_log WHERE detail = 'GET <2>'; DELETE FROM seal`:                   "line 3 (support.read",
			`INSERT INTO audit_log (id, at, actor_kind, grant_id, action, object_kind, request_id, network, detail)
				SELECT gen_random_uuid(), at, actor_kind, grant_id, action, object_kind, '', '', 'x' FROM audit_log WHERE detail = 'GET <2>'; DELETE FROM seal`: "leaves it out",
			`UPDATE audit_log SET detail = '4 lines, SHA-256 00' WHERE action = 'support.receipt'; DELETE FROM seal`: "another receipt",
		} {
			b, receipt := visited(t, 4)
			tenanttest.AsOwner(t, b.Organization, statement)
			b.seal(t)
			if _, err := check(receipt, b.export(t)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
	t.Run("a receipt that the record does not tell of yet", func(t *testing.T) {
		b, receipt := visited(t, 2)
		tenanttest.AsOwner(t, b.Organization, `DELETE FROM audit_log WHERE action = 'support.receipt'; DELETE FROM seal`)
		b.seal(t)
		if _, err := check(receipt, b.export(t)); err == nil || !strings.Contains(err.Error(), "Export the record again") {
			t.Errorf("%v", err)
		}
	})
	t.Run("a visit of more lines than are read at once", func(t *testing.T) {
		t.Parallel()
		b, receipt := visitedLong(t, 1001)
		if proof, err := check(receipt, b.export(t)); err != nil || proof.Lines != 1001 {
			t.Errorf("%+v, %v", proof, err)
		}
	})
	unread := errors.New("no disk")
	if _, err := audit.VerifyReceipt(bytes.NewReader(receipt), failing{unread}); !errors.Is(err, unread) {
		t.Errorf("a reader's error: %v", err)
	}
}

// visitedLong is visited with its lines written at once.
func visitedLong(t testing.TB, rows int) (b *books, receipt []byte) {
	t.Helper()
	b = openBooks(t)
	grant := uuid.Must(uuid.NewV7())
	tenanttest.AsOwner(t, b.Organization, fmt.Sprintf(`INSERT INTO audit_log (id, at, actor_kind, grant_id, action, object_kind, request_id, network, detail)
		SELECT gen_random_uuid(), '%s', 'support', '%s', 'support.read', 'invoices', '', '', n::text FROM generate_series(1, %d) n`, b.db.Now().Format(time.RFC3339Nano), grant, rows))
	digest := digestBySQL(t, b, grant)
	b.record(t, tenant.Act{Action: "support.receipt", Object: "support", ID: grant, Detail: fmt.Sprintf("%d lines, SHA-256 %x", rows, digest)})
	b.seal(t)
	var out bytes.Buffer
	if err := audit.WriteReceipt(t.Context(), b.run, &out, audit.Receipt{Grant: grant, Rows: rows, Digest: digest}); err != nil {
		t.Fatal(err)
	}
	return b, out.Bytes()
}
