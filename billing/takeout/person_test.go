package takeout_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// What is kept of the person for a while, and what is gone at once.
var keptWords, goneWords = []string{"Zaharias Kapodistrias", "17 Unmistakable Lane", "EL998877665"}, []string{"zaharias@unmistakable.example", "+30 210 555 0199"}

func (d *desk) person(t *testing.T) (c billing.Customer) {
	t.Helper()
	d.do(t, func(ctx context.Context, tx *tenant.Tx) (err error) {
		in := billing.CustomerInput{Name: keptWords[0], Street: keptWords[1], TaxNumber: keptWords[2], Email: goneWords[0], Phone: goneWords[1], Country: "GR"}
		if c, err = billing.AddCustomer(ctx, tx, in); err != nil {
			return err
		}
		in.City = "Athens"
		c, err = billing.ChangeCustomer(ctx, tx, c.ID, 0, in)
		return err
	})
	return c
}

// invoice issues one and has a file attached to it.
func (d *desk) invoice(t *testing.T, c billing.Customer) (i billing.Invoice) {
	t.Helper()
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		draft, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, Currency: money.MustCurrency("EUR"), IssueDate: civil.On(2026, 3, 1),
			Lines: []billing.InvoiceLineInput{{Description: "Work", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.NewFromInt(100)}}})
		if err != nil {
			return err
		}
		if _, err := billing.AttachFile(ctx, tx, draft.ID, billing.FileInput{Name: "hours.txt", Bytes: []byte("hours of " + keptWords[0])}); err != nil {
			return err
		}
		i, err = billing.IssueInvoice(ctx, tx, draft.ID, 0)
		return err
	})
	return i
}

// everythingHeld is all that an export of the person and one of the books say.
func (d *desk) everythingHeld(t *testing.T, c billing.Customer) string {
	t.Helper()
	var out bytes.Buffer
	run := func(fn func(tx *tenant.Tx) error) error { return tenant.Do(t.Context(), tenanttest.DB(), d.Scope, fn) }
	if err := takeout.WritePerson(t.Context(), run, c.ID.UUID, &out); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all += f.Name + "\n" + string(part)
	}
	return all
}

// verify checks both chains, as countinghouse audit verify does.
func (d *desk) verify(t *testing.T) audit.Proof {
	t.Helper()
	if _, err := audit.Seal(t.Context(), tenanttest.DB(), d.Scope); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	run := func(fn func(tx *tenant.Tx) error) error { return tenant.Do(t.Context(), tenanttest.DB(), d.Scope, fn) }
	if err := audit.WriteSealed(t.Context(), run, &out, tenanttest.DB().Now()); err != nil {
		t.Fatal(err)
	}
	proof, err := audit.Verify(bytes.NewReader(out.Bytes()), "")
	if err != nil {
		t.Errorf("the chain does not hold: %v", err)
	}
	return proof
}

func (d *desk) erase(t *testing.T, c billing.Customer, files bool) (e billing.Erasure, err error) {
	t.Helper()
	err = tenant.Do(t.Context(), tenanttest.DB(), d.Scope, func(tx *tenant.Tx) (err error) {
		e, err = billing.EraseCustomer(t.Context(), tx, c.ID, files)
		return err
	})
	return e, err
}

func holds(all string, words ...string) (found []string) {
	for _, w := range words {
		if strings.Contains(all, w) {
			found = append(found, w)
		}
	}
	return found
}

func TestEraseCustomer_keeps_what_the_law_keeps(t *testing.T) {
	t.Parallel()
	d := open(t)
	c := d.person(t)
	i := d.invoice(t, c)
	d.verify(t)
	if _, err := d.erase(t, c, true); !errors.Is(err, billing.ErrErasureOwed) {
		t.Fatalf("who owes: %v", err)
	}
	err := tenant.Do(t.Context(), tenanttest.DB(), d.Scope, func(tx *tenant.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE document SET billed_to = '{"name": "Erased"}' WHERE id = $1`, i.ID)
		return err
	})
	if tenant.SQLState(err) != "LG006" {
		t.Errorf("whom a document is for went before their data were erased: %v", err)
	}
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: i.ID, Date: civil.On(2026, 4, 1), Amount: i.Total, Method: billing.Cash})
		return err
	})
	before := d.everythingHeld(t, c)
	if found := holds(before, append(goneWords, append(keptWords, "hours of")...)...); len(found) != 6 {
		t.Errorf("the person's data hold only %q", found)
	}
	e, err := d.erase(t, c, true)
	if err != nil || e.After != civil.On(2036, 12, 31) {
		t.Fatalf("%v, %v", e, err)
	}
	after := d.everythingHeld(t, c)
	if gone, kept := holds(after, append(goneWords, "hours of")...), holds(after, keptWords...); len(gone) != 0 || len(kept) != 3 {
		t.Errorf("%q are left, and of what is to be kept %q", gone, kept)
	}
	if _, err := d.erase(t, c, true); !errors.Is(err, billing.ErrErased) {
		t.Errorf("again: %v", err)
	}
	tries := map[string]func(tx *tenant.Tx) error{
		"what an issued document says": func(tx *tenant.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE document SET billed_to = '{"name": "Mara"}' WHERE id = $1`, i.ID)
			return err
		},
		"its total, with an erasure": func(tx *tenant.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE document SET billed_to = '{"name": "Erased"}', total = total - 1, net = net - 1, settled = settled - 1 WHERE id = $1`, i.ID)
			return err
		},
		"its note": func(tx *tenant.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE document SET note = 'x' WHERE id = $1`, i.ID)
			return err
		},
		"itself": func(tx *tenant.Tx) error {
			_, err := tx.Exec(t.Context(), `DELETE FROM document WHERE id = $1`, i.ID)
			return err
		},
	}
	for what, try := range tries {
		if err := tenant.Do(t.Context(), tenanttest.DB(), d.Scope, try); tenant.SQLState(err) != "LG006" {
			t.Errorf("%s was changed: %v", what, err)
		}
	}
	d.verify(t)
	clock := &tenanttest.Clock{}
	later := tenanttest.OpenWith(t, clock)
	overdue := func() (n int) {
		scope, err := tenant.EnterOperator(t.Context(), later, d.Slug)
		if err == nil {
			err = tenant.Do(t.Context(), later, scope, func(tx *tenant.Tx) (err error) {
				n, err = billing.EraseOverdue(t.Context(), tx, 10)
				return err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := overdue(); n != 0 {
		t.Errorf("%d were erased too early", n)
	}
	clock.Advance(11 * 366 * 24 * 3600 * 1e9)
	if n := overdue(); n != 1 {
		t.Errorf("%d were erased when their time was over", n)
	}
	if found := holds(d.everythingHeld(t, c), append(goneWords, keptWords...)...); len(found) != 0 {
		t.Errorf("%q are left for good", found)
	}
	d.verify(t)
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		entries, err := ledger.Entries(ctx, tx, ledger.EntryFilter{}, cursor.Query{Limit: 10})
		if err == nil && len(entries.Items) != 2 {
			t.Errorf("the journal has %d entries", len(entries.Items))
		}
		return err
	})
}

func TestEraseCustomer_without_documents_goes_whole(t *testing.T) {
	t.Parallel()
	d := open(t)
	c := d.person(t)
	d.verify(t)
	if e, err := d.erase(t, c, false); err != nil || !e.After.IsZero() {
		t.Fatalf("%v, %v", e, err)
	}
	if found := holds(d.everythingHeld(t, c), append(goneWords, keptWords...)...); len(found) != 0 {
		t.Errorf("%q are left", found)
	}
	d.verify(t)
}

// The people of a customer at the portal, their order that came to nothing, and the phone number that was verified: all in
// the export, and all gone at once.
func TestEraseCustomer_takes_the_portal_along(t *testing.T) {
	t.Parallel()
	d := open(t)
	c := d.person(t)
	person, order := uuid.New(), uuid.New()
	var session, link string
	said := []string{"Zoe Portalgast", "zoe@portal.example", "+302105550177", "asks for Zoe by phone"}
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO contact (id, party_id, name, email, password_hash, rights, created_at) VALUES ($1, $2, $3, $4, 'x', 1, $5)`, person, c.ID, said[0], said[1], tx.Now())
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE party SET verified_phone = $2, phone_verified_at = $3 WHERE id = $1`, c.ID, said[2], tx.Now())
		}
		if err == nil {
			_, err = tx.Exec(ctx, `INSERT INTO document (id, kind, state, number, customer_id, contact_id, billed_to, held_for, issue_date, due_date, currency, net, tax, total, created_at, issued_at)
				VALUES ($1, 'order', 'held', 'ORD-1', $2, $3, '{"name": "Zoe Portalgast"}', $4, '2026-03-01', '2026-03-01', 'EUR', 0, 0, 0, $5, $5)`, order, c.ID, person, said[3], tx.Now())
		}
		if err == nil {
			session, err = tx.OpenCustomerSession(ctx, person, c.ID.UUID, 1, tenant.CustomerSession{Idle: time.Hour, Lifetime: time.Hour})
		}
		if err == nil {
			link, _, err = tx.OpenContactLink(ctx, tenant.ContactLink{Kind: "recover", Email: said[1], Contact: person}, tx.Now().Add(time.Hour), tx.Now().Add(-time.Hour), 3)
		}
		return err
	})
	if found := holds(d.everythingHeld(t, c), said...); len(found) != len(said) {
		t.Errorf("the person's data hold only %q", found)
	}
	token, ok := tenant.HashDoor(session)
	enter := func() error {
		s, err := tenant.EnterCustomer(t.Context(), tenanttest.DB(), token, d.Slug)
		if err != nil {
			return err
		}
		return tenant.Do(t.Context(), tenanttest.DB(), s, func(tx *tenant.Tx) error {
			var n int
			return tx.Get(t.Context(), &n, `SELECT count(*) FROM contact`)
		})
	}
	if err := enter(); !ok || err != nil {
		t.Fatalf("before: %v", err)
	}
	// An order that came to nothing keeps nobody's name.
	if e, err := d.erase(t, c, false); err != nil || !e.After.IsZero() {
		t.Fatalf("%v, %v", e, err)
	}
	if found := holds(d.everythingHeld(t, c), append(keptWords, said...)...); len(found) != 0 {
		t.Errorf("%q are left", found)
	}
	if err := enter(); !errors.Is(err, tenant.ErrStale) { // who was remembered is looked up anew
		t.Errorf("with a session that was remembered: %v", err)
	}
	if err := enter(); !errors.Is(err, tenant.ErrNotSignedIn) {
		t.Errorf("whose data were erased is still let in: %v", err)
	}
	d.do(t, func(ctx context.Context, tx *tenant.Tx) error {
		if _, err := tx.CheckContactLink(ctx, link); !errors.Is(err, tenant.ErrNoDoor) {
			t.Errorf("their link is still good: %v", err)
		}
		return nil
	})
	d.verify(t)
}
