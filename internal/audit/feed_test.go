package audit_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func (b *books) record(t testing.TB, act tenant.Act) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error { return tx.Record(ctx, act) })
}

func (b *books) feed(t testing.TB, f audit.Filter, q cursor.Query) (page cursor.Page[audit.Entry]) {
	t.Helper()
	b.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		page, err = audit.Feed(ctx, tx, f, q)
		return err
	})
	return page
}

func everything(string) bool { return true }

func TestFeed(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	thing := uuid.Must(uuid.NewV7())
	b.record(t, tenant.Act{Action: "customer.add", Object: "customer", ID: thing})
	b.clock.Advance(30 * time.Minute)
	later := b.db.Now()
	b.record(t, tenant.Act{Action: "customer.change", Object: "customer", ID: thing, Changes: []tenant.Change{
		{Field: "country", Before: "IE", After: "PT"}, {Field: "email", Before: "a@tide.example", After: "b@tide.example", Personal: true}}})
	b.record(t, tenant.Act{Action: "tax_rate.change", Object: "tax_rate", Detail: "VAT: 23~ %"})
	err := func() error {
		scope, err := tenant.EnterOperator(t.Context(), b.db, b.Slug)
		if err != nil {
			return err
		}
		return tenant.Do(t.Context(), b.db, scope, func(tx *tenant.Tx) error {
			return tx.Record(t.Context(), tenant.Act{Action: "import.take", Object: "import"})
		})
	}()
	if err != nil {
		t.Fatal(err)
	}
	actions := func(f audit.Filter) string {
		var said []string
		for _, e := range b.feed(t, f, cursor.Query{}).Items {
			said = append(said, e.Action)
		}
		return strings.Join(said, " ")
	}
	for name, c := range map[string]struct {
		filter audit.Filter
		want   string
	}{
		"everything": {audit.Filter{}, "import.take tax_rate.change customer.change customer.add"},
		"a person":   {audit.Filter{Actor: b.Owner.ID.UUID}, "tax_rate.change customer.change customer.add"},
		"nobody":     {audit.Filter{Actor: uuid.New()}, ""},
		"a group":    {audit.Filter{Group: "sales"}, "customer.change customer.add"},
		"a thing":    {audit.Filter{Object: thing}, "customer.change customer.add"},
		"from":       {audit.Filter{From: later}, "import.take tax_rate.change customer.change"},
		"to":         {audit.Filter{To: later}, "customer.add"},
		"support":    {audit.Filter{Support: true}, ""},
		"together":   {audit.Filter{Group: "sales", From: later, Actor: b.Owner.ID.UUID, Object: thing}, "customer.change"},
	} {
		if got := actions(c.filter); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	t.Run("pages both ways", func(t *testing.T) {
		first := b.feed(t, audit.Filter{}, cursor.Query{Limit: 2})
		second := b.feed(t, audit.Filter{}, cursor.Query{Limit: 2, After: first.Items[1].ID.UUID})
		back := b.feed(t, audit.Filter{}, cursor.Query{Limit: 2, Before: second.Items[0].ID.UUID})
		if !first.HasMore || second.HasMore || second.Items[1].Action != "customer.add" || back.Items[0].ID != first.Items[0].ID {
			t.Fatalf("%+v\n%+v\n%+v", first, second, back)
		}
	})
	t.Run("says what became of what, as long as it is kept and for whom it is", func(t *testing.T) {
		ask := func() audit.Entry {
			return b.feed(t, audit.Filter{Object: thing, Personal: true}, cursor.Query{}).Items[0]
		}
		e := ask()
		if len(e.Changes) != 2 || e.Changes[0] != (audit.Change{Field: "country", Before: "IE", After: "PT"}) ||
			e.Changes[1] != (audit.Change{Field: "email", Before: "a@tide.example", After: "b@tide.example", Personal: true}) || e.Name != b.Owner.Name {
			t.Fatalf("%+v", e)
		}
		audit.Reader(func(string) bool { return false }).Veil(&e)
		if v := e.View(); v.Changes[0].After != "PT" || v.Changes[1].After != "" || v.Changes[1].State != "hidden" {
			t.Fatalf("veiled: %+v", v)
		}
		tenanttest.AsOwner(t, b.Organization, `UPDATE audit_private SET after = 'forged@tide.example'`)
		if e = ask(); !e.Changes[1].Erased {
			t.Fatalf("a forged value is shown: %+v", e)
		}
		tenanttest.AsOwner(t, b.Organization, `DELETE FROM audit_private`)
		if v := ask().View(); v.Changes[1].State != "erased" || v.Changes[1].After != "" || v.Changes[0].State != "kept" {
			t.Fatalf("erased: %+v", v)
		}
	})
	t.Run("knows what is sealed", func(t *testing.T) {
		b.seal(t)
		if items := b.feed(t, audit.Filter{}, cursor.Query{}).Items; items[0].Seal != 4 || items[3].Seal != 1 {
			t.Fatalf("%+v", items)
		}
	})
}

func TestSheets(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	const rows = 1203
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		for n := range rows {
			act := tenant.Act{Action: "customer.change", Object: "customer", Detail: "plain"}
			if n%3 == 0 {
				act.Detail = []string{"=1+1", "+1", "-1", "@SUM(A1)", "'=1", "\t=1", "\r=1"}[n/3%7]
				act.Changes = []tenant.Change{{Field: "email", Before: "=a@x", After: "<b>@x", Personal: true}}
			}
			if err := tx.Record(ctx, act); err != nil {
				return err
			}
		}
		return nil
	})
	ctx := tenant.WithRequest(context.Background(), tenant.Request{ID: "@request", Network: "+192.0.2.1"})
	if err := b.run(func(tx *tenant.Tx) error { return tx.Record(ctx, tenant.Act{Action: "=x.add", Object: "-thing"}) }); err != nil {
		t.Fatal(err)
	}
	var sheet, list bytes.Buffer
	if err := audit.WriteCSV(t.Context(), b.run, &sheet, audit.Filter{Personal: true}, everything); err != nil {
		t.Fatal(err)
	}
	table, err := csv.NewReader(&sheet).ReadAll()
	if err != nil || len(table) != rows+2 {
		t.Fatalf("%d rows, %v", len(table), err)
	}
	for _, row := range table {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
				t.Fatalf("a spreadsheet would run %q", cell)
			}
		}
	}
	if err := audit.WriteJSON(t.Context(), b.run, &list, audit.Filter{Personal: true}, everything); err != nil {
		t.Fatal(err)
	}
	var views []audit.View
	if err := json.Unmarshal(list.Bytes(), &views); err != nil || len(views) != rows+1 {
		t.Fatalf("%d entries, %v", len(views), err)
	}
	if views[rows].Detail != "=1+1" || views[rows].Changes[0].After != "<b>@x" {
		t.Fatalf("%+v", views[rows])
	}
	list.Reset()
	if err := audit.WriteJSON(t.Context(), b.run, &list, audit.Filter{Support: true}, everything); err != nil || !json.Valid(list.Bytes()) {
		t.Fatalf("of nothing: %q, %v", list.Bytes(), err)
	}
}

func TestMailHead(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.change(t, "1", "2")
	var to, texts []string
	send := func(_ context.Context, address, _, text string) error {
		to, texts = append(to, address), append(texts, text)
		return nil
	}
	mail := func() {
		t.Helper()
		if err := audit.MailHead(t.Context(), b.db, b.Scope, send); err != nil {
			t.Fatal(err)
		}
	}
	mail()
	if len(to) != 0 {
		t.Fatal("mailed although nobody asked for it")
	}
	b.do(t, func(ctx context.Context, tx *tenant.Tx) error { return audit.SetMailsHead(ctx, tx, true) })
	mail()
	if len(to) != 1 || to[0] != b.Owner.Email {
		t.Fatalf("mailed to %v", to)
	}
	proof := verify(t, b.export(t))
	if proof.Rows != 2 || !strings.Contains(texts[0], proof.Head) {
		t.Fatalf("not the head: %s", texts[0])
	}
	b.change(t, "2", "3")
	b.seal(t)
	if later, err := audit.Verify(bytes.NewReader(b.export(t)), proof.Head); err != nil || later.KeptAt != 2 {
		t.Fatalf("the mailed head is not found again: %+v, %v", later, err)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"invoice.issue": "issued an invoice", "tax_rate.change": "changed a tax rate", "settings.change": "changed the settings",
		"member.deny": "denied a member", "customer.add": "added a customer", "support_grant.end": "ended a support grant",
		"invoice.mark_sent": "marked sent an invoice", "odd": "odd", "bill.pay": "paid a bill", "reply.send": "sent a reply",
		"payee.copy": "copied a payee", ".": ".", "x.": "x.", ".y": ".y", "": "",
	} {
		if got := audit.Words(action); got != want {
			t.Errorf("%q is %q", action, got)
		}
	}
}
