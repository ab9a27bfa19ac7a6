package intake

import (
	"context"
	"fmt"
	"slices"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// side is where the payments of a file go: from customers, or to payees.
type side struct {
	direction string // as it is stored
	party     string // customer or payee
	document  string // what they settle
	credit    string // what money is paid back of, beside payments
	record    func(ctx context.Context, tx *tenant.Tx, p *payment) (billing.PaymentID, error)
}

// takenBack are the payments of a file that were taken back, by the place after which that is done: right after the payment, or
// after the last money that came back of it.
func takenBack(all []*payment) map[int][]*payment {
	last := map[string]int{}
	for i, p := range all {
		last[p.key] = i
		if p.origin != "" {
			last[p.origin] = i
		}
	}
	after := map[int][]*payment{}
	for _, p := range all {
		if !p.backOn.IsZero() {
			after[last[p.key]] = append(after[last[p.key]], p)
		}
	}
	return after
}

var sides = map[Shape]side{
	Payments:     {"in", "customer", "invoice", "credit_note", recordPayment},
	BillPayments: {"out", "payee", "bill", "payee_credit", recordBillPayment},
}

// payment is the rows of a file that have the same external id: money that came or went or, with an origin or a credit, money
// that was paid back of that.
type payment struct {
	key, party     string // no party: whose documents they are
	origin, credit string // of money back: the payment or the credit that it is of
	account        string // its code; empty is the usual one
	backOn         civil.Date
	in             billing.PaymentInput
	originID       billing.PaymentID
	creditID       billing.DocumentID
	rows           []paymentRow
}

// paymentRow is what of a payment settles one document or, where it names none, settles nothing.
type paymentRow struct {
	row
	document string // its external id, or empty
	amount   money.Amount
}

func (p *payment) first() row { return p.rows[0].row }

// PaysBack says whether the file has customers' money given back, which takes a right of its own.
func (t *Table) PaysBack() bool {
	return t.Shape == Payments && slices.ContainsFunc(t.rows, func(r row) bool { return t.text(r, "refund_of") != "" || t.text(r, "credit_note_external_id") != "" })
}

// known is what a file of payments speaks of and the books have.
type known struct {
	documents, credits map[string]billing.DocumentID
	parties            map[string]billing.CustomerID
	payments           map[string]billing.PaymentID
	stored             map[string][]storedPayment
	chart              *chart
}

// takePayments keeps payments by their date; those of a file that tells of money paid back in the file's order, since what
// was paid back may have been paid anew.
func (t *Table) takePayments(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	d := sides[t.Shape]
	all := t.readPayments(d)
	if t.faults.full() || len(t.faults.list) > 0 {
		return nil
	}
	k, err := loadKnown(ctx, tx, d, all)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(p *payment) bool { return p.origin != "" || p.credit != "" || !p.backOn.IsZero() }) {
		slices.SortStableFunc(all, func(a, b *payment) int { return b.in.Date.DaysUntil(a.in.Date) })
	}
	done, back := 0, takenBack(all)
	for i, p := range all {
		goOn, err := t.takePayment(ctx, tx, s, d, p, k)
		for _, b := range back[i] {
			if err == nil && goOn {
				goOn, err = t.takePaymentBack(ctx, tx, s, d, b, k)
			}
		}
		if err != nil || !goOn {
			return err
		}
		done += len(p.rows)
		progress(done)
	}
	s.Things = len(all)
	return nil
}

func loadKnown(ctx context.Context, tx *tenant.Tx, d side, all []*payment) (k known, err error) {
	var keys, documents, credits, parties []string
	put := func(list *[]string, key string) {
		if key != "" {
			*list = append(*list, key)
		}
	}
	for _, p := range all {
		put(&keys, p.key)
		put(&keys, p.origin)
		put(&parties, p.party)
		put(&credits, p.credit)
		for _, r := range p.rows {
			put(&documents, r.document)
		}
	}
	if k.documents, err = documentIDs(ctx, tx, d.document, documents); err != nil {
		return k, err
	}
	if k.credits, err = documentIDs(ctx, tx, d.credit, credits); err != nil {
		return k, err
	}
	if k.parties, err = partyIDs(ctx, tx, d.party, parties); err != nil {
		return k, err
	}
	if k.payments, err = paymentIDs(ctx, tx, d.direction, keys); err != nil {
		return k, err
	}
	if k.chart, err = loadChart(ctx, tx); err != nil {
		return k, err
	}
	k.stored, err = storedPayments(ctx, tx, d.direction, keys)
	return k, err
}

// readPayments gathers the rows into payments, in the order in which the file first names them.
func (t *Table) readPayments(d side) []*payment {
	var all []*payment
	byKey := make(map[string]*payment)
	for _, r := range t.rows {
		if t.faults.full() {
			break
		}
		head, line := t.readPaymentRow(d, r)
		known, ok := byKey[head.key]
		if !ok || head.key == "" {
			head.rows = []paymentRow{line}
			byKey[head.key] = &head
			all = append(all, &head)
			continue
		}
		t.checkPayment(d, known, &head, line)
		known.rows = append(known.rows, line)
	}
	return all
}

func (t *Table) readPaymentRow(d side, r row) (payment, paymentRow) {
	currency := t.currency(r)
	p := payment{key: t.key(r, "external_id"), party: t.text(r, d.party+"_external_id"), origin: t.text(r, "refund_of"), credit: t.text(r, d.credit+"_external_id"),
		account: t.text(r, "account_code"), in: billing.PaymentInput{
			Date: t.date(r, "paid_on"), Method: billing.Method(t.text(r, "method")), Reference: t.text(r, "reference")}}
	if p.in.Method == "" {
		p.in.Method = billing.Other
	}
	if t.plain(r, "taken_back_on") != "" {
		p.backOn = t.date(r, "taken_back_on")
	}
	line := paymentRow{row: r, amount: t.amount(r, "amount", currency)}
	if document := d.document + "_external_id"; p.party == "" || t.text(r, document) != "" {
		line.document = t.key(r, document)
	}
	return p, line
}

// checkPayment refuses a row that says something else of its payment than an earlier one, or the same again.
func (t *Table) checkPayment(d side, known, head *payment, line paymentRow) {
	for _, c := range []struct {
		column string
		same   bool
	}{
		{d.party + "_external_id", known.party == head.party}, {"paid_on", known.in.Date == head.in.Date},
		{"currency", known.rows[0].amount.Currency == line.amount.Currency}, {"method", known.in.Method == head.in.Method},
		{"reference", known.in.Reference == head.in.Reference}, {"account_code", known.account == head.account},
		{"refund_of", known.origin == head.origin}, {d.credit + "_external_id", known.credit == head.credit}, {"taken_back_on", known.backOn == head.backOn},
	} {
		if !c.same {
			t.refuseCell(line.row, c.column, ErrMixed.Sayf("Payment %q has another value here in line %d. All rows of a payment have the same.", clip(known.key), known.first().line))
		}
	}
	for _, earlier := range known.rows {
		if earlier.document == line.document {
			t.refuseCell(line.row, "external_id", ErrTwice.Sayf("Line %d has the external id %q too.", earlier.line, clip(known.key)))
		}
	}
}

func (t *Table) takePayment(ctx context.Context, tx *tenant.Tx, s *Summary, d side, p *payment, k known) (goOn bool, err error) {
	if !t.resolve(d, p, k) {
		return !t.faults.full(), nil
	}
	if p.origin == "" && p.credit == "" {
		if err := s.add(p.in.Amount); err != nil {
			return t.refusedBy(err, inRow(p.first())), nil
		}
	}
	if stored := k.stored[p.key]; len(stored) > 0 {
		s.Unchanged++
		if because := p.differs(stored, k.documents); because != "" {
			t.refuseCell(p.first(), "external_id", differs("Payment", p.key, because))
		}
		return !t.faults.full(), nil
	}
	s.Added++
	p.in.ExternalID = p.key
	made, err := d.record(ctx, tx, p)
	if err == nil {
		k.payments[p.key] = made
		return true, nil
	}
	return t.refusedBy(err, func(field string) (row, string) { return p.place(d, field) }), nil
}

func recordPayment(ctx context.Context, tx *tenant.Tx, p *payment) (billing.PaymentID, error) {
	var made billing.Payment
	var err error
	switch {
	case p.origin != "":
		made, err = billing.GiveBackPayment(ctx, tx, p.originID, p.in)
	case p.credit != "":
		made, err = billing.GiveBackCredit(ctx, tx, billing.CreditNoteID{UUID: p.creditID.UUID}, p.in)
	default:
		if len(p.rows) == 1 && len(p.in.Allocations) == 1 {
			p.in.InvoiceID, p.in.Allocations = p.in.Allocations[0].InvoiceID, nil
		}
		made, err = billing.RecordPayment(ctx, tx, p.in)
	}
	return made.ID, err
}

func recordBillPayment(ctx context.Context, tx *tenant.Tx, p *payment) (billing.PaymentID, error) {
	back := payables.Receiving{ExternalID: p.in.ExternalID, Date: p.in.Date, Amount: p.in.Amount, Method: p.in.Method, Reference: p.in.Reference, Account: p.in.AccountID}
	var made payables.Payment
	var err error
	switch {
	case p.origin != "":
		made, err = payables.ReceiveAdvance(ctx, tx, p.originID, back)
	case p.credit != "":
		made, err = payables.ReceiveCredit(ctx, tx, p.creditID, back)
	default:
		in := payables.Paying{Payee: p.in.CustomerID, ExternalID: back.ExternalID, Date: back.Date, Amount: back.Amount, Method: back.Method, Reference: back.Reference, Account: back.Account}
		for _, a := range p.in.Allocations {
			in.Parts = append(in.Parts, payables.Part{Bill: billing.DocumentID{UUID: a.InvoiceID.UUID}, Amount: a.Amount})
		}
		made, err = payables.PayBills(ctx, tx, in)
	}
	return made.ID, err
}

// takePaymentBack takes a payment to a payee back that the file tells so of, if that was not done before.
func (t *Table) takePaymentBack(ctx context.Context, tx *tenant.Tx, s *Summary, d side, p *payment, k known) (goOn bool, err error) {
	payment, ok := k.payments[p.key]
	stored := k.stored[p.key]
	if !ok || len(stored) > 0 && !stored[0].BackOn.IsZero() {
		return !t.faults.full(), nil
	}
	if len(stored) > 0 {
		s.Unchanged--
		s.Changed++
	}
	if _, err := payables.TakeBackOn(ctx, tx, payment, p.backOn); err != nil {
		return t.refusedBy(err, func(string) (row, string) { return p.first(), "taken_back_on" }), nil
	}
	return true, nil
}

// resolve finds what the rows refer to, and sums them up.
func (t *Table) resolve(d side, p *payment, k known) bool {
	before := len(t.faults.list)
	p.in.Amount = money.Amount{Currency: p.rows[0].amount.Currency}
	refer := func(column, what, key string, missing bool) {
		if key != "" && missing {
			t.missing(p.first(), column, what, key)
		}
	}
	p.in.CustomerID, p.originID, p.creditID = k.parties[p.party], k.payments[p.origin], k.credits[p.credit]
	refer(d.party+"_external_id", d.party, p.party, p.in.CustomerID.IsZero())
	refer("refund_of", "payment", p.origin, p.originID.IsZero())
	refer(d.credit+"_external_id", "credit", p.credit, p.creditID.IsZero())
	account, ok := k.chart.find(p.account, "")
	if p.in.AccountID = account.ID; p.account != "" && !ok {
		t.refuseCell(p.first(), "account_code", ErrAccount.Sayf("There is no account %q in the books. Import the chart of accounts first, or leave the cell empty.", clip(p.account)))
	}
	for _, r := range p.rows {
		sum, err := p.in.Amount.Add(r.amount)
		if err != nil {
			t.refuseCell(r.row, "amount", err)
			break
		}
		p.in.Amount = sum
		if r.document == "" {
			continue
		}
		document := k.documents[r.document]
		if document.IsZero() {
			t.missing(r.row, d.document+"_external_id", d.document, r.document)
		}
		p.in.Allocations = append(p.in.Allocations, billing.Allocation{InvoiceID: billing.InvoiceID(document), Amount: r.amount})
	}
	return len(t.faults.list) == before
}

// place says which cell a field of an input came from.
func (p *payment) place(d side, field string) (row, string) {
	var index int
	var rest string
	n, err := fmt.Sscanf(field, "allocations[%d].%s", &index, &rest)
	if bill, e := fmt.Sscanf(field, "bills[%d]", &index); bill == 1 && e == nil {
		n, err, rest = 2, nil, "amount"
	}
	if n == 2 && err == nil {
		for _, r := range p.rows {
			if r.document == "" {
				continue
			}
			if index == 0 {
				if rest == "invoice_id" {
					rest = d.document + "_external_id"
				}
				return r.row, rest
			}
			index--
		}
	}
	switch field {
	case "date":
		return p.first(), "paid_on"
	case "invoice_id", "":
		return p.first(), d.document + "_external_id"
	}
	return p.first(), field
}

// differs says how the payment in the books is not the one in the file; "" when it is. What settles nothing in the books may have
// settled nothing in the file.
func (p *payment) differs(stored []storedPayment, documents map[string]billing.DocumentID) string {
	left := map[billing.DocumentID]int64{}
	for _, s := range stored {
		left[s.Document] += s.Amount
		switch {
		case s.Currency != p.in.Amount.Currency:
			return "with another amount"
		case s.Date != p.in.Date:
			return "on another date"
		case s.Method != p.in.Method || s.Reference != p.in.Reference:
			return "with another method or reference"
		case p.party != "" && s.Party != p.party:
			return "of someone else"
		case p.account != "" && s.Account != p.account:
			return "on another account"
		case s.Origin != p.origin || s.Credit != p.credit:
			return "as money that is paid back of something else, or of nothing"
		case !p.backOn.IsZero() && !s.BackOn.IsZero() && s.BackOn != p.backOn:
			return "and was taken back on another day"
		}
	}
	for _, r := range p.rows {
		document := documents[r.document]
		if _, ok := left[document]; !ok && r.document != "" {
			return "for something else"
		}
		left[document] -= r.amount.Minor
	}
	for _, amount := range left {
		if amount != 0 {
			return "with another amount"
		}
	}
	return ""
}
