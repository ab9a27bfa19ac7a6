package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// verdict is what came of it.
type verdict struct {
	acknowledged   map[kind]int
	unknown, there int      // writes that were never answered, and how many of them were done
	lost, doubled  []string // what was acknowledged and is not there; what is there more than once
	entries        int
	unbalanced     []string
	chains         int
	broken         []string // chains
	panicked       []string
	deaths         int // processes that ended by themselves, and were started again
}

// weigh compares what was tried with how often each is there.
func weigh(tried map[write]bool, held map[write]int) (v verdict) {
	v.acknowledged = map[kind]int{}
	for w, acknowledged := range tried {
		said := fmt.Sprintf("%s %s in %s", w.kind, w.tag, w.organization)
		switch times := held[w]; {
		case times > 1:
			v.doubled = append(v.doubled, said+": "+strconv.Itoa(times)+" times")
		case acknowledged && times == 0:
			v.lost = append(v.lost, said)
		case !acknowledged && times == 1:
			v.there++
		}
		if acknowledged {
			v.acknowledged[w.kind]++
		} else {
			v.unknown++
		}
	}
	return v
}

// judge holds the record against what the database holds.
func (w *world) judge(ctx context.Context) (v verdict, err error) {
	tried, err := readRecord(w.load.record.file.Name())
	if err != nil {
		return v, err
	}
	organizations, err := w.cluster.ask(ctx, "SELECT slug, schema_name FROM platform.organization WHERE slug IS NOT NULL")
	if err != nil {
		return v, err
	}
	held := map[write]int{}
	var sum verdict
	for _, o := range organizations {
		if err := w.take(ctx, o[0], o[1], held, &sum); err != nil {
			return v, err
		}
		if err := w.prove(ctx, o[0], &sum); err != nil {
			return v, err
		}
	}
	v = weigh(tried, held)
	v.entries, v.unbalanced, v.chains, v.broken = sum.entries, sum.unbalanced, sum.chains, sum.broken
	for _, p := range []*process{w.servers[0].process, w.servers[1].process, w.worker} {
		p.mu.Lock()
		v.deaths += p.deaths
		p.mu.Unlock()
	}
	v.panicked, err = w.panicked()
	return v, err
}

// take counts what an organization's schema holds. The names of schemas are the service's own: t_ and hex digits.
func (w *world) take(ctx context.Context, slug, schema string, held map[write]int, v *verdict) error {
	for kind, statement := range map[kind]string{
		posting: "SELECT description, count(*) FROM SCHEMA.journal_entry WHERE source_kind = 'manual' GROUP BY 1",
		// With its entry, and settling the invoice by as much: half a payment is none.
		payment: "SELECT p.reference, count(*) FROM SCHEMA.payment p JOIN SCHEMA.journal_entry e ON e.id = p.entry_id JOIN SCHEMA.payment_allocation a ON a.payment_id = p.id AND a.amount = p.amount GROUP BY 1",
		account: "SELECT customer_id, count(*) FROM SCHEMA.payment_method WHERE sealed <> '' GROUP BY 1",
		signUp:  "SELECT p.email, count(*) FROM SCHEMA.member t JOIN platform.person p ON p.id = t.person_id JOIN platform.membership m ON m.person_id = p.id JOIN platform.organization o ON o.id = m.organization_id AND o.schema_name = 'SCHEMA' WHERE m.role = 'owner' AND EXISTS (SELECT FROM SCHEMA.account) GROUP BY 1",
	} {
		rows, err := w.cluster.ask(ctx, strings.ReplaceAll(statement, "SCHEMA", schema))
		if err != nil {
			return err
		}
		for _, row := range rows {
			times, err := strconv.Atoi(row[1])
			if err != nil {
				return err
			}
			held[write{kind, slug, row[0]}] += times
		}
	}
	rows, err := w.cluster.ask(ctx, strings.ReplaceAll(`SELECT 'entry', count(*)::text FROM SCHEMA.journal_entry
		UNION ALL SELECT 'unbalanced', entry_id::text FROM SCHEMA.journal_line GROUP BY entry_id, currency HAVING sum(amount) <> 0
		UNION ALL SELECT 'too few lines', e.id::text FROM SCHEMA.journal_entry e WHERE (SELECT count(*) FROM SCHEMA.journal_line l WHERE l.entry_id = e.id) < 2
		UNION ALL SELECT 'line without entry', l.entry_id::text FROM SCHEMA.journal_line l WHERE NOT EXISTS (SELECT FROM SCHEMA.journal_entry e WHERE e.id = l.entry_id)
		UNION ALL SELECT 'gap in numbers', count(*)::text FROM SCHEMA.journal_entry HAVING count(*) <> coalesce(max(number), 0)`, "SCHEMA", schema))
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row[0] != "entry" {
			v.unbalanced = append(v.unbalanced, slug+": "+row[0]+" "+row[1])
			continue
		}
		n, err := strconv.Atoi(row[1])
		if err != nil {
			return err
		}
		v.entries += n
	}
	return nil
}

// prove has the service's own commands export and verify an organization's chain.
func (w *world) prove(ctx context.Context, slug string, v *verdict) error {
	file := filepath.Join(w.folder, slug+".jsonl")
	if _, err := w.once(ctx, "audit", "export", "-o", file, slug); err != nil {
		return err
	}
	v.chains++
	if said, err := w.once(ctx, "audit", "verify", file); err != nil {
		v.broken = append(v.broken, fmt.Sprintf("%s: %v %s", slug, err, said))
	}
	return nil
}

// String is the second half of what is told.
func (v verdict) String() string {
	var b strings.Builder
	sum := 0
	var each []string
	for _, k := range kinds {
		sum += v.acknowledged[k]
		each = append(each, fmt.Sprintf("%d %ss", v.acknowledged[k], k))
	}
	fmt.Fprintf(&b, "acknowledged %d writes (%s), lost %d, doubled %d\n", sum, strings.Join(each, ", "), len(v.lost), len(v.doubled))
	fmt.Fprintf(&b, "never answered %d, of which %d were done\n", v.unknown, v.there)
	fmt.Fprintf(&b, "%d journal entries, %d of them wrong; %d chains, %d of them broken\n", v.entries, len(v.unbalanced), v.chains, len(v.broken))
	fmt.Fprintf(&b, "%d times a process ended by itself and was started again\n", v.deaths)
	for what, all := range map[string][]string{"lost": v.lost, "doubled": v.doubled, "wrong": v.unbalanced, "broken": v.broken, "panicked": v.panicked} {
		for _, one := range all {
			fmt.Fprintf(&b, "%s: %s\n", what, one)
		}
	}
	return b.String()
}

func (v verdict) wrong() error {
	if len(v.lost)+len(v.doubled)+len(v.unbalanced)+len(v.broken)+len(v.panicked) > 0 {
		return errors.New("the books did not come through it whole")
	}
	for _, k := range kinds {
		if v.acknowledged[k] == 0 {
			return fmt.Errorf("no %s was acknowledged: nothing was tried", k)
		}
	}
	return nil
}
