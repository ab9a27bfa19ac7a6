package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// sample is an organization with a chain that was sealed in three runs, each three hours after the one before.
func sample(t testing.TB) *books {
	t.Helper()
	b := openBooks(t)
	for n := range 3 {
		b.post(t, int64(100+n))
		b.change(t, fmt.Sprint(n), fmt.Sprint(n+1))
		b.seal(t)
		b.clock.Advance(3 * time.Hour)
		b.reenter(t)
	}
	return b
}

// reenter opens a new session, since the clock went past the old one.
func (b *books) reenter(t testing.TB) {
	t.Helper()
	err := tenant.DoPlatform(context.Background(), b.db, func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(context.Background(), `UPDATE platform.session SET last_seen_at = $2, expires_at = $3 WHERE token_hash = $1`, b.Session[:], tx.Now(), tx.Now().Add(24*time.Hour))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	t.Run("seals record and journal once, and what comes later in a further run", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.post(t, 100)
		b.change(t, "30", "14")
		if n := b.seal(t); n != 3 { // an entry, its act, and a change
			t.Fatalf("sealed %d", n)
		}
		first := verify(t, b.export(t))
		if n := b.seal(t); n != 0 {
			t.Fatalf("sealed %d more", n)
		}
		b.post(t, 200)
		if n := b.seal(t); n != 2 {
			t.Fatalf("sealed %d", n)
		}
		last, err := audit.Verify(bytes.NewReader(b.export(t)), first.Head)
		if err != nil || last.Rows != 5 || last.KeptAt != 3 || last.Head == first.Head || last.Organization != b.Scope.Organization().ID.String() {
			t.Fatalf("%+v, %v", last, err)
		}
	})
	t.Run("many rows, in several transactions", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
			for n := range 1203 {
				if err := tx.Record(ctx, tenant.Act{Action: "thing.do", Object: "thing", Detail: fmt.Sprint(n)}); err != nil {
					return err
				}
			}
			return nil
		})
		if n := b.seal(t); n != 1203 {
			t.Fatalf("sealed %d", n)
		}
		if p := verify(t, b.export(t)); p.Rows != 1203 {
			t.Fatalf("%+v", p)
		}
	})
	t.Run("finds what was committed after younger rows were sealed", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		recorded, committed := make(chan struct{}), make(chan struct{})
		var slow sync.WaitGroup
		slow.Go(func() {
			err := b.run(func(tx *tenant.Tx) error {
				if err := tx.Record(context.Background(), tenant.Act{Action: "slow.do", Object: "slow"}); err != nil {
					return err
				}
				close(recorded)
				<-committed
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-recorded
		b.change(t, "1", "2")
		if n := b.seal(t); n != 1 {
			t.Errorf("sealed %d", n)
		}
		close(committed)
		slow.Wait()
		if n := b.seal(t); n != 1 {
			t.Fatalf("then sealed %d", n)
		}
		verify(t, b.export(t))
	})
	t.Run("sealers that run at once make one chain", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		var sealed atomic.Int64
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for range 5 {
					if n%2 == 0 {
						b.change(t, "1", "2")
						continue
					}
					k, err := audit.Seal(context.Background(), b.db, b.Scope)
					if err != nil {
						t.Error(err)
					}
					sealed.Add(int64(k))
				}
			})
		}
		all.Wait()
		sealed.Add(int64(b.seal(t)))
		if p := verify(t, b.export(t)); p.Rows != 20 || sealed.Load() != 20 {
			t.Fatalf("%d rows, %d sealed", p.Rows, sealed.Load())
		}
	})
	t.Run("stays whole when people's data are erased", func(t *testing.T) {
		t.Parallel()
		b := sample(t)
		before := b.export(t)
		if bytes.Contains(before, []byte("@tide.example")) {
			t.Fatal("the export holds a person's data")
		}
		b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
			n, err := tx.Exec(ctx, `DELETE FROM audit_private`)
			if err == nil && n != 3 {
				err = fmt.Errorf("%d rows were erased", n)
			}
			return err
		})
		if verify(t, before).Head != verify(t, b.export(t)).Head {
			t.Fatal("another head")
		}
	})
}

// The owner of the tables can do anything to them, and is found out.
func TestTampering(t *testing.T) {
	t.Parallel()
	const third = `(SELECT row_id FROM seal WHERE seq = 3)`
	for name, attack := range map[string]struct {
		statements string
		row        int64 // that is named
		say        string
	}{
		"an act is told differently":    {`UPDATE audit_log SET detail = 'nothing' WHERE id = ` + third, 3, "changed"},
		"an act is of someone else":     {`UPDATE audit_log SET actor_id = gen_random_uuid() WHERE id = ` + third, 3, "changed"},
		"a support grant is hidden":     {`UPDATE audit_log SET grant_id = gen_random_uuid() WHERE id = ` + third, 3, "changed"},
		"what was before is rewritten":  {`UPDATE audit_log SET before = replace(before, 'terms: 0', 'terms: 1') WHERE id = ` + third, 3, "changed"},
		"an act is backdated a little":  {`UPDATE audit_log SET at = at - interval '1 microsecond' WHERE id = ` + third, 3, "changed"},
		"an act is deleted":             {`ALTER TABLE audit_private DROP CONSTRAINT audit_private_audit_id_fkey; DELETE FROM audit_log WHERE id = ` + third, 3, "deleted"},
		"an amount is changed":          {`UPDATE journal_line SET amount = amount * 2 WHERE entry_id IN (SELECT row_id FROM seal WHERE seq IN (1, 2))`, 1, "changed"},
		"lines are exchanged":           {`UPDATE journal_line SET line = line + 2 WHERE entry_id IN (SELECT row_id FROM seal WHERE seq < 3); UPDATE journal_line SET line = 5 - line WHERE line > 2`, 1, "changed"},
		"lines are added":               {`INSERT INTO journal_line SELECT entry_id, line + 2, account_id, party_id, currency, amount, memo FROM journal_line WHERE entry_id IN (SELECT row_id FROM seal WHERE seq < 3)`, 1, "changed"},
		"an entry is deleted":           {`DELETE FROM journal_line; DELETE FROM journal_entry WHERE id IN (SELECT row_id FROM seal WHERE seq IN (4, 5, 6))`, 1, "changed"},
		"an entry goes to another day":  {`UPDATE journal_entry SET date = date - 1 WHERE number = 2`, 4, "changed"},
		"a seal is deleted":             {`DELETE FROM seal WHERE seq = 3`, 3, "missing"},
		"a row and its seal go":         {`DELETE FROM audit_private; DELETE FROM audit_log WHERE id = ` + third + `; DELETE FROM seal WHERE seq = 3`, 3, "missing"},
		"two seals are exchanged":       {`UPDATE seal SET seq = -seq WHERE false; ALTER TABLE seal DROP CONSTRAINT seal_seq_check; UPDATE seal SET seq = -5 WHERE seq = 3; UPDATE seal SET seq = 3 WHERE seq = 6; UPDATE seal SET seq = 6 WHERE seq = -5`, 3, "sealed"},
		"a seal says another time":      {`UPDATE seal SET sealed_at = sealed_at - interval '1 hour' WHERE seq = 3`, 3, "seal"},
		"the rest is numbered anew":     {`ALTER TABLE seal DROP CONSTRAINT seal_pkey; DELETE FROM seal WHERE seq = 3; UPDATE seal SET seq = seq - 1 WHERE seq > 3`, 3, "sealed"},
		"the end is cut off and redone": {`DELETE FROM seal WHERE seq > 6; UPDATE audit_log SET detail = 'nothing' WHERE id = (SELECT row_id FROM seal WHERE seq = 6)`, 6, "changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := sample(t)
			verify(t, b.export(t))
			tenanttest.AsOwner(t, b.Organization, attack.statements)
			b.seal(t)
			found := broken(t, name, b.export(t))
			// Within a run rows follow their ids, so that an entry and its act may stand either way round.
			if off := found.Row - attack.row; off < 0 || off > 1 || !strings.Contains(found.Say, attack.say) {
				t.Fatalf("found as %v", found)
			}
		})
	}
	t.Run("an act is put in between", func(t *testing.T) {
		t.Parallel()
		b := sample(t)
		tenanttest.AsOwner(t, b.Organization, `INSERT INTO audit_log (id, at, actor_kind, action, object_kind, request_id, network, detail)
			SELECT gen_random_uuid(), at + interval '1 second', actor_kind, 'role.change', 'role', '', '', '' FROM audit_log WHERE id = `+third)
		b.clock.Advance(24 * time.Hour) // the run of a new day looks at everything
		b.reenter(t)
		if n := b.seal(t); n != 1 {
			t.Fatalf("sealed %d", n)
		}
		if found := broken(t, "an act put in between", b.export(t)); found.Row != 10 || !strings.Contains(found.Say, "put in later") || !strings.Contains(found.Name, "role.change") {
			t.Fatalf("found as %v", found)
		}
	})
	t.Run("the whole chain is made anew", func(t *testing.T) {
		t.Parallel()
		b := sample(t)
		kept := verify(t, b.export(t)).Head
		tenanttest.AsOwner(t, b.Organization, `UPDATE audit_log SET detail = 'nothing' WHERE id = `+third+`; DELETE FROM seal`)
		b.seal(t)
		proof, err := audit.Verify(bytes.NewReader(b.export(t)), kept)
		if err != nil || proof.KeptAt != 0 {
			t.Fatalf("the head that was kept is found in another chain: %+v, %v", proof, err)
		}
	})
	t.Run("one organization's rows in another's file", func(t *testing.T) {
		t.Parallel()
		mine, theirs := sample(t).export(t), sample(t).export(t)
		_, rows, _ := bytes.Cut(theirs, []byte("\n"))
		first, _, _ := bytes.Cut(mine, []byte("\n"))
		if found := broken(t, "another's rows", slices.Concat(first, []byte("\n"), rows)); found.Row != 1 {
			t.Fatalf("found as %v", found)
		}
	})
}

// resign gives a file the last line that it would have if it were whole.
func resign(lines [][]byte) []byte {
	body := bytes.Join(lines[:len(lines)-1], nil)
	var last map[string]any
	if json.Unmarshal(lines[len(lines)-2], &last) != nil {
		last = nil // as good as any
	}
	sum := sha256.Sum256(body)
	return append(body, fmt.Sprintf(`{"end":true,"rows":%d,"head":"%v","file":"%s"}`+"\n", len(lines)-2, last["hash"], hex.EncodeToString(sum[:]))...)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	file := sample(t).export(t)
	lines := slices.Collect(bytes.Lines(file))
	rows := len(lines) - 2
	whole := verify(t, file)
	verify(t, resign(lines))
	if rows != 9 {
		t.Fatalf("%d rows", rows)
	}

	t.Run("every single bit", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.post(t, 100) // an entry and its act
		b.seal(t)
		file := b.export(t)
		lines := slices.Collect(bytes.Lines(file))
		line, at := 1, 0
		for i := range file {
			for bit := range 8 {
				changed := bytes.Clone(file)
				changed[i] ^= 1 << bit
				found := broken(t, fmt.Sprintf("bit %d of byte %d", bit, i), changed)
				named := found.Line
				if named != line && !(line == 1 || line == len(lines)) && !(at == len(lines[line-1])-1) {
					t.Fatalf("bit %d of byte %d, in line %d: %v", bit, i, line, found)
				}
				if found.Row != 0 && found.Row != int64(found.Line-1) {
					t.Fatalf("another row than that of the line: %v", found)
				}
			}
			if at++; file[i] == '\n' {
				line, at = line+1, 0
			}
		}
	})
	t.Run("every field, with a last line that fits", func(t *testing.T) {
		t.Parallel()
		changed := 0
		for n := 1; n <= rows; n++ {
			for _, other := range otherFields(t, lines[n]) {
				copied := slices.Clone(lines)
				copied[n] = other
				found := broken(t, string(other), resign(copied))
				if found.Line != n+1 || found.Row != int64(n) {
					t.Fatalf("row %d: %v", n, found)
				}
				changed++
			}
		}
		if changed < rows*15 {
			t.Fatalf("only %d changes were tried", changed)
		}
	})
	t.Run("every row that is dropped, repeated, or changes places", func(t *testing.T) {
		t.Parallel()
		for n := 1; n <= rows; n++ {
			dropped := slices.Delete(slices.Clone(lines), n, n+1)
			// What is left without its last row is a chain as it was before: only a kept head tells.
			if n == rows {
				if p, err := audit.Verify(bytes.NewReader(resign(dropped)), whole.Head); err != nil || p.KeptAt != 0 {
					t.Errorf("the last row dropped: %+v, %v", p, err)
				}
			} else if found := broken(t, "dropped", resign(dropped)); found.Row != int64(n) {
				t.Errorf("row %d dropped: %v", n, found)
			}
			if found := broken(t, "dropped without a word", bytes.Join(dropped, nil)); found.Row != int64(n) {
				t.Errorf("row %d dropped: %v", n, found)
			}
			if found := broken(t, "repeated", resign(slices.Insert(slices.Clone(lines), n, lines[n]))); found.Row != int64(n+1) {
				t.Errorf("row %d repeated: %v", n, found)
			}
			for m := n + 1; m <= rows; m++ {
				swapped := slices.Clone(lines)
				swapped[n], swapped[m] = lines[m], lines[n]
				if found := broken(t, "swapped", resign(swapped)); found.Row != int64(n) {
					t.Errorf("rows %d and %d swapped: %v", n, m, found)
				}
			}
		}
	})
	t.Run("every length that it is cut to", func(t *testing.T) {
		t.Parallel()
		for n := range file {
			if n%7 == 0 || len(file)-n < 300 {
				broken(t, fmt.Sprintf("cut to %d bytes", n), file[:n])
			}
		}
		broken(t, "something after the end", append(bytes.Clone(file), '\n'))
	})
	t.Run("another row put in with a number of its own", func(t *testing.T) {
		t.Parallel()
		for n := 1; n <= rows; n++ {
			forged := slices.Clone(lines)
			forged = slices.Insert(forged, n, lines[n])
			for m := n + 1; m < len(forged)-1; m++ {
				forged[m] = bytes.Replace(lines[m-1], fmt.Appendf(nil, `{"seq":%d,`, m-1), fmt.Appendf(nil, `{"seq":%d,`, m), 1)
			}
			if found := broken(t, "put in", resign(forged)); found.Row != int64(n+1) {
				t.Errorf("after row %d: %v", n, found)
			}
		}
	})
	t.Run("an empty chain", func(t *testing.T) {
		t.Parallel()
		empty := openBooks(t).export(t)
		if p := verify(t, empty); p.Rows != 0 || p.Head == "" {
			t.Fatalf("%+v", p)
		}
		broken(t, "with a row of another", append(bytes.Clone(lines[1]), empty...))
	})
	t.Run("no export at all", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"", "\n", "null\n", "{}\n", "a,b\n1,2\n", "{\"end\":true}\n", strings.Repeat("x", 9<<20)} {
			if found := broken(t, text[:min(len(text), 20)], []byte(text)); found.Line != 1 {
				t.Errorf("%v", found)
			}
		}
		unread := errors.New("no disk")
		if _, err := audit.Verify(failing{unread}, ""); !errors.Is(err, unread) {
			t.Errorf("a reader's error: %v", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// otherFields gives a line once for each of its values, with that value changed.
func otherFields(t *testing.T, line []byte) (all [][]byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	key, begin := false, int64(0)
	var depth []bool // in an object: true
	for {
		before := d.InputOffset()
		token, err := d.Token()
		if err != nil {
			return all
		}
		after := d.InputOffset()
		if delim, ok := token.(json.Delim); ok {
			if delim == '{' || delim == '[' {
				depth, key = append(depth, delim == '{'), delim == '{'
			} else {
				depth = depth[:len(depth)-1]
				key = len(depth) > 0 && depth[len(depth)-1]
			}
			continue
		}
		if key {
			key = false
			continue
		}
		begin = before
		for line[begin] == ':' || line[begin] == ',' {
			begin++
		}
		for _, other := range others(token) {
			all = append(all, slices.Concat(line[:begin], []byte(other), line[after:]))
		}
		key = len(depth) > 0 && depth[len(depth)-1]
	}
}

func others(token json.Token) []string {
	switch v := token.(type) {
	case nil:
		return []string{`""`, `"x"`, `"0193b3a0-0000-7000-8000-000000000000"`}
	case json.Number:
		return []string{v.String() + "1", "0.5", "null", `"` + v.String() + `"`}
	case string:
		quoted, err := json.Marshal(v + "x")
		if err != nil {
			panic(err)
		}
		return []string{string(quoted), "null", "7"}
	}
	return nil
}
