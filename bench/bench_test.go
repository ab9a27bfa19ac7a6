package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBench runs all four measures for moments and looks at what they did, never at how fast.
func TestBench(t *testing.T) {
	t.Parallel()
	h, err := openHouse(t.Context(), plan{
		rounds: 1, slice: 400 * time.Millisecond, lead: time.Millisecond, warmUp: 100 * time.Millisecond,
		clients: 2, organizations: 2, invoices: 2, fast: true, results: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	}()
	b, err := openBench(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}()
	t.Run("both reads give the same answer", b.testSameAnswer)
	t.Run("a caller without a token is refused by the service alone", b.testRefused)
	for _, measure := range []int{postHouse, postBare} {
		t.Run(names[measure]+" keeps whole entries", func(t *testing.T) { b.testPosted(t, measure) })
	}
	t.Run("a run publishes all four", b.testPublished)
	t.Run("subscriptions that are due are billed by both", b.testDue)
}

func (b *bench) testDue(t *testing.T) {
	o, err := b.measureDue(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := o.publish(&out, t.TempDir()); err != nil || o.Ratio.Least <= 0 || o.Messages < 5 || !strings.Contains(out.String(), "20 subscriptions due, 2 at once") {
		t.Errorf("%v: %s", err, out.String())
	}
	var made, numbers, debts int
	var schema string
	if err := b.house.super.QueryRowContext(t.Context(), `SELECT schema_name FROM platform.organization WHERE slug = 'bench-due'`).Scan(&schema); err != nil {
		t.Fatal(err)
	}
	err = b.house.super.QueryRowContext(t.Context(), `SELECT count(*), count(DISTINCT number), count(DISTINCT entry_id) FROM `+schema+`.document WHERE state = 'issued' AND number LIKE 'N%'`).Scan(&made, &numbers, &debts)
	if err != nil || made == 0 || made != numbers || made != debts {
		t.Errorf("pgbench made %d invoices with %d numbers and %d entries: %v", made, numbers, debts, err)
	}
}

func (b *bench) testSameAnswer(t *testing.T) {
	o := b.house.tenants[0]
	for _, invoice := range o.invoices {
		here, there := b.callers[0], b.others[0]
		if err := here.read(o, invoice); err != nil {
			t.Fatal(err)
		}
		if err := there.read(o, invoice); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(here.body(), there.body()) {
			t.Errorf("the service answers\n%s\nand without tenancy it is\n%s", here.body(), there.body())
		}
		if !bytes.Contains(here.body(), []byte(invoice)) {
			t.Errorf("not invoice %s: %s", invoice, here.body())
		}
	}
}

func (b *bench) testRefused(t *testing.T) {
	o := b.house.tenants[0]
	stranger := organization{token: b.house.tenants[1].token}
	if err := b.callers[0].read(stranger, o.invoices[0]); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("another organization's token reads an invoice: %v", err)
	}
	if err := b.others[0].read(organization{}, o.invoices[0]); err != nil {
		t.Errorf("the read without tenancy asks who is there: %v", err)
	}
}

// testPosted counts what the books hold of a slice: entries with two lines, on record, under their Idempotency-Key.
func (b *bench) testPosted(t *testing.T, measure int) {
	before := b.entries(t)
	s, err := b.run(t.Context(), measure, b.house.slice)
	if err != nil {
		t.Fatal(err)
	}
	if after := b.entries(t); s.operations == 0 || after-before < s.operations {
		t.Errorf("%d were counted, and %d entries are new", s.operations, after-before)
	}
	var left int
	query := `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench' AND state <> 'idle'`
	if err := b.house.super.QueryRowContext(t.Context(), query).Scan(&left); err != nil || left > 0 {
		t.Errorf("%d connections of pgbench still work: %v", left, err)
	}
}

func (b *bench) entries(t *testing.T) (all int) {
	t.Helper()
	for _, o := range b.house.tenants {
		var n int
		query := strings.ReplaceAll(`SELECT count(*) FROM s.journal_entry e
			 WHERE (SELECT count(*) FROM s.journal_line l WHERE l.entry_id = e.id) = 2
			   AND EXISTS (SELECT FROM s.audit_log a WHERE a.object_id = e.id)
			   AND EXISTS (SELECT FROM s.idempotency_key k WHERE k.resource_id = e.id)`, "s.", o.schema+".")
		if err := b.house.super.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		all += n
	}
	return all
}

func (b *bench) testPublished(t *testing.T) {
	o, err := b.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := o.publish(&out, b.house.results); err != nil {
		t.Fatal(err)
	}
	for _, want := range append([]string{"read a/b", "post c/d", "Kept in " + b.house.results}, names[:]...) {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, out.String())
		}
	}
	for measure := range measures {
		if o.rounds[0].operations[measure] == 0 {
			t.Errorf("%s: nothing was counted", names[measure])
		}
	}
}

// TestSmallMeasures runs those that need one organization, and looks at what they did.
func TestSmallMeasures(t *testing.T) {
	t.Parallel()
	h, err := openHouse(t.Context(), plan{
		rounds: 1, slice: 200 * time.Millisecond, lead: time.Millisecond, warmUp: 100 * time.Millisecond,
		clients: 2, organizations: 1, invoices: 1, fast: true, signUps: lot,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	}()
	accounts, err := h.addAccounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := measureHot(t.Context(), h, accounts, &out); err != nil || !strings.Contains(out.String(), "over 200") {
		t.Fatalf("%v: %s", err, out.String())
	}
	var entries, touched int
	err = h.super.QueryRowContext(t.Context(), `SELECT count(DISTINCT entry_id), count(DISTINCT account_id) FROM `+h.tenants[0].schema+`.journal_line`).Scan(&entries, &touched)
	if err != nil || entries < 4 || touched < 4 {
		t.Errorf("%d entries touch %d accounts: %v", entries, touched, err)
	}
	out.Reset()
	if err := measureSignUps(t.Context(), h, &out); err != nil || !strings.Contains(out.String(), "1 lots of 25") {
		t.Fatalf("%v: %s", err, out.String())
	}
	var claimed, ready int
	err = h.super.QueryRowContext(t.Context(), `SELECT count(*) FILTER (WHERE slug LIKE 'claimed-%'), count(*) FILTER (WHERE state = 'ready') FROM platform.organization`).Scan(&claimed, &ready)
	if err != nil || claimed < lot || ready != 1 {
		t.Errorf("%d were claimed and %d are left: %v", claimed, ready, err)
	}
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	all, err := measureDecisions([]int{1, 3}, 100)
	if err != nil || len(all) != 2 || all[0].Warm <= 0 || all[1].First <= all[1].Warm {
		t.Fatalf("got %+v, %v", all, err)
	}
	var out bytes.Buffer
	slow := decisions{Organizations: 7, Warm: time.Second}
	if publishDecisions(&out, []decisions{slow}) == nil || !strings.Contains(out.String(), "7") {
		t.Errorf("a slow decision passes: %s", out.String())
	}
}

func TestDrive(t *testing.T) {
	t.Parallel()
	t.Run("a call that fails ends the slice and is told", func(t *testing.T) {
		t.Parallel()
		broken := fmt.Errorf("a wire was cut")
		_, err := meter{}.drive(t.Context(), []*caller{nil, nil}, time.Hour, time.Hour, func(*caller, *rand.Rand) error { return broken })
		if err == nil || !strings.Contains(err.Error(), broken.Error()) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an interrupt ends it", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		_, err := meter{}.drive(ctx, []*caller{nil}, time.Hour, time.Hour, func(*caller, *rand.Rand) error { cancel(); return nil })
		if err == nil {
			t.Error("it ran to its end")
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	at := func(a, b, c, d float64) outcome {
		return outcome{rounds: []round{{Rates: [measures]float64{a, b, c, d}}}}
	}
	if err := at(30, 100, 35, 100).check(); err != nil {
		t.Errorf("fast enough is refused: %v", err)
	}
	for _, slow := range []outcome{at(20, 100, 35, 100), at(30, 100, 25, 100)} {
		if slow.check() == nil {
			t.Errorf("too slow passes: %v", slow.rounds)
		}
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	s := spreadOf([]float64{5, 1, 4, 2, 3})
	if s.Least != 1 || s.LowerQuartile != 2 || s.Median != 3 || s.UpperQuartile != 4 || s.Most != 5 {
		t.Errorf("got %+v", s)
	}
	if s.From < s.Least || s.From > s.Median || s.To < s.Median || s.To > s.Most || s.From == s.To {
		t.Errorf("the interval is %v to %v", s.From, s.To)
	}
	if s := spreadOf([]float64{7}); s.From != 7 || s.Median != 7 || s.To != 7 {
		t.Errorf("one figure gives %+v", s)
	}
}

func TestServerLog(t *testing.T) {
	t.Parallel()
	var rest bytes.Buffer
	l := newServerLog(&rest)
	done := l.await("the end")
	write := func(text string) {
		for part := range slices.Chunk([]byte(strings.ReplaceAll(text, "@", logPrefix)), 7) {
			if _, err := l.Write(part); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("@LOG:  statement: BEGIN;EXECUTE alive('a','b')\n@DETAIL:  prepare: PREPARE alive(text, text) AS SELECT $1, $2\n")
	write("@LOG:  execute 3: SELECT $1,\n\t\tx\n\tWHERE $2\n@DETAIL:  parameters: $1 = 'it''s, $2 = ''\n\tso', $2 = NULL\n")
	write("@LOG:  execute <unnamed>: SELECT 1\n@FATAL:  the disk is full\n@LOG:  statement: SELECT 'the end'\n@LOG:  statement: SELECT 2\n")
	<-done
	got := l.taken()
	want := []statement{
		{text: "BEGIN;EXECUTE alive('a','b')", simple: true, prepared: "PREPARE alive(text, text) AS SELECT $1, $2"},
		{text: "SELECT $1,\n\tx\nWHERE $2", parameters: []string{"it's, $2 = '\nso", ""}, null: []bool{false, true}},
		{text: "SELECT 1"},
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !strings.Contains(rest.String(), "the disk is full") || strings.Contains(rest.String(), "SELECT") {
		t.Errorf("passed on: %q", rest.String())
	}
}

func TestWriteScript(t *testing.T) {
	t.Parallel()
	const one, two, fixed = "01920000-0000-7000-8000-000000000001", "01930000-0000-7000-8000-000000000002", "01940000-0000-7000-8000-000000000003"
	post := func(key, made string) sample {
		return sample{key, []statement{
			{text: "BEGIN;EXECUTE alive('t','" + fixed + "'); SET x = y", simple: true, prepared: "PREPARE alive(text, uuid) AS SELECT f($1, $2)"},
			{text: "INSERT $1::uuid, $2, $3, $4, $5", parameters: []string{made, fixed, key, "", ""}, null: []bool{false, false, false, false, true}},
			{text: "COMMIT", simple: true},
		}}
	}
	s, err := writeScript("o", sampled{posts: [2]sample{post("K2", two), post("K1", one)}})
	if err != nil {
		t.Fatal(err)
	}
	want := "\\startpipeline\nBEGIN;\nSELECT f(:o_0_1_1, :o_0_1_2);\nSET x = y;\n\\endpipeline\n" +
		"INSERT ('0193000000007000' || :id::text)::uuid::uuid, :o_1_2, :id, '', NULL;\nCOMMIT;\n"
	if !strings.HasSuffix(s.text, want) {
		t.Errorf("got\n%s\nwant\n%s", s.text, want)
	}
	if want := []string{"o_0_1_1=t", "o_0_1_2=" + fixed, "o_1_2=" + fixed}; !slices.Equal(s.defines, want) || s.trips != 3 {
		t.Errorf("%d messages with %q", s.trips, s.defines)
	}
	unlike := post("K1", one)
	unlike.statements = unlike.statements[:2]
	if _, err := writeScript("o", sampled{posts: [2]sample{post("K2", two), unlike}}); err == nil {
		t.Error("posts of different lengths make a script")
	}
	mistaken := post("K2", two)
	mistaken.statements[1].text = "SELECT 'at :noon'"
	if _, err := writeScript("o", sampled{posts: [2]sample{mistaken, post("K1", one)}}); err == nil {
		t.Error("a literal that pgbench takes for a variable makes a script")
	}
}
