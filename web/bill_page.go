package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerBillPages() {
	read, approve, change := rightTo(authz.Read, authz.Bills), rightTo(authz.Approve, authz.Bills), rightTo(authz.Change, authz.Bills)
	s.member("POST", "/bills/preview", read, showBillPreview)
	s.member("POST", "/bills/chosen", approve, func(v *visit) error { return sendChosen(v, chosenBills()) })
	for k, made := range map[billing.PurchaseKind]func() desk{billing.Bill: billDesk, billing.PayeeCredit: payeeCreditDesk, billing.Recurring: recurringBillDesk} {
		path := "/" + made().path
		s.member("GET", path, read, func(v *visit) error { return showBills(v, k, http.StatusOK, page.Form{}) })
		s.member("GET", path+".csv", rightTo(authz.Export, authz.Bills), func(v *visit) error { return sendBillsCSV(v, k) })
		s.registerDesk(made)
		s.member("GET", path+"/:id", read, func(v *visit) error { return showBill(v, k, http.StatusOK, page.Form{}) })
		s.member("POST", path+"/:id/files", change, func(v *visit) error { return sendBillFile(v, k) })
		s.closedToSupport("GET", path+"/:id/files/:file", read, func(v *visit) error { return fetchBillFile(v, k) })
		s.member("POST", path+"/:id/files/:file/remove", change, func(v *visit) error { return sendBillFileRemove(v, k) })
		if k != billing.Recurring {
			s.member("POST", path+"/:id/void", approve, func(v *visit) error { return sendBillVoid(v, k) })
		}
	}
	s.member("POST", "/recurring-bills/:id/stop", change, sendRecurringStop)
	s.member("POST", "/payee-credits/:id/apply", approve, func(v *visit) error { return movePayeeCredit(v, "Applied", applyPayeeCredit) })
	s.member("POST", "/payee-credits/:id/unapply", approve, func(v *visit) error {
		return movePayeeCredit(v, "Taken back", func(ctx context.Context, tx *tenant.Tx, credit, bill payables.BillID, _ url.Values) error {
			return billing.UnapplyPayeeCredit(ctx, tx, credit, bill)
		})
	})
}

// shownMade is how many of its bills stand on the page of a recurring one.
const shownMade = 12

// billWords are what the list of each kind says.
var billWords = map[billing.PurchaseKind]struct{ title, say, add, left string }{
	billing.Bill:        {"Bills", "What you were sent to pay.", "New bill", "Open"},
	billing.PayeeCredit: {"Payee credits", "What payees took back of their bills.", "New payee credit", "Left"},
	billing.Recurring:   {"Recurring bills", "What comes again and again: each bill is made on its day.", "New recurring bill", ""},
}

func showBills(v *visit, k billing.PurchaseKind, status int, form page.Form) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	d, words := deskOf(k), billWords[k]
	find := v.find(d.path, "Number, their number or payee", "standing", "payee", "period", "from", "to")
	return v.show(status, "bills", func(tx *tenant.Tx) (any, error) {
		filter, err := v.billFilter(tx, k)
		if err != nil {
			return nil, err
		}
		data := page.Bills{Form: form, Find: find, Say: words.say, New: words.add, NewURL: v.at(d.path, "new"), Left: words.left, Repeats: d.repeats,
			Periods:  v.periods(d.path, "Dated", "standing", "payee", "q"),
			Narrowed: filter != billing.PurchaseFilter{}, MayExpense: k == billing.Bill && v.may(rightTo(authz.Approve, authz.Bills))}
		if data.Shell, err = v.frame(tx, words.title, d.path); err != nil {
			return nil, err
		}
		v.offerForBills(k, d, &data)
		counts, sums, err := billing.CountPurchases(v.ctx, tx, k)
		if err != nil {
			return nil, err
		}
		if k == billing.Bill && v.first() && !data.Narrowed {
			data.Sums = sums
		}
		if !d.repeats {
			tabs := []standingTab{{"Drafts", billing.StandingDraft}, {"Open", billing.StandingOpen}, {"Overdue", billing.StandingOverdue}, {"Paid", billing.StandingPaid}, {"Void", billing.StandingVoid}}
			if k == billing.PayeeCredit {
				tabs[3].label, tabs = "Used up", append(tabs[:2], tabs[3:]...)
				counts[billing.StandingOpen] += counts[billing.StandingOverdue]
			}
			data.Tabs = documentTabs(v, d.path, words.title+" by state", counts, tabs...)
		}
		found, err := billing.Purchases(v.ctx, tx, k, filter, q)
		if err != nil {
			return nil, err
		}
		totals := make([]money.Amount, len(found.Items))
		for i, h := range found.Items {
			totals[i] = h.Total
			data.Rows = append(data.Rows, billRow(v, d, k, h))
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		data.Column = page.ColumnOf(settings.BaseCurrency, totals...)
		if status == http.StatusOK { // beside a refusal the address is not the list's
			data.Pager = pager(v, q, found, func(h billing.PurchaseHead) uuid.UUID { return h.ID.UUID }, "")
		}
		return data, err
	})
}

// openCredits asks for credits of which something is left: they have no day on which they fall due.
func openCredits(filter billing.PurchaseFilter) billing.PurchaseFilter {
	if filter.Standing == billing.StandingOpen {
		filter.Standing = billing.StandingUnsettled
	}
	return filter
}

func billRow(v *visit, d desk, k billing.PurchaseKind, h billing.PurchaseHead) page.BillRow {
	return page.BillRow{PurchaseHead: h, URL: v.at(d.path, h.ID.String()), Shown: billStanding(k, h)}
}

// billStanding is how a document stands as its badge has it: a credit is open or used up, and never late.
func billStanding(k billing.PurchaseKind, h billing.PurchaseHead) string {
	standing := h.Standing(h.Today)
	switch {
	case k == billing.Recurring && h.Repeat.On.IsZero():
		return "ended"
	case k == billing.Recurring:
		return "active"
	case k == billing.PayeeCredit && standing == billing.StandingOverdue:
		return string(billing.StandingOpen)
	case k == billing.PayeeCredit && standing == billing.StandingPaid:
		return string(billing.StandingUsed)
	}
	return string(standing)
}

func showBill(v *visit, k billing.PurchaseKind, status int, form page.Form) error {
	bill, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	d := deskOf(k)
	return v.show(status, "bill", func(tx *tenant.Tx) (any, error) {
		data := page.Bill{Form: form, Kind: string(k), List: billWords[k].title, ListURL: v.at(d.path)}
		if data.Form.Key == "" {
			data.Form = keyed(form)
		}
		var err error
		if data.Bill, err = billing.PurchaseByID(v.ctx, tx, k, bill); err != nil {
			return nil, err
		}
		b := data.Bill
		data.At1 = v.at(d.path, bill.String())
		data.Shown = billStanding(k, b.PurchaseHead)
		title := b.Number
		switch {
		case k == billing.Recurring:
			title = page.RepeatSay(b.Repeat) + ", " + customerLabel(b.Customer)
		case title == "":
			title = "Draft " + strings.ToLower(strings.TrimPrefix(d.words.New, "New "))
		}
		if data.Shell, err = v.frame(tx, title, d.path); err != nil {
			return nil, err
		}
		if data.Accounts, err = accountNames(v.ctx, tx, b); err != nil {
			return nil, err
		}
		if err := fillBill(v, tx, k, &data); err != nil {
			return nil, err
		}
		return data, fillBillFiles(v, tx, &data)
	})
}

// accountNames are the accounts that a bill's lines are on, by id.
func accountNames(ctx context.Context, tx *tenant.Tx, b payables.Bill) (map[string]string, error) {
	accounts, err := ledger.Accounts(ctx, tx)
	names := map[string]string{}
	for _, a := range accounts {
		for _, l := range b.Lines {
			if l.Account == a.ID {
				names[a.ID.String()] = a.Code + " " + a.Name
			}
		}
	}
	return names, err
}

// fillBill finds what can be done with it, and what belongs to it.
func fillBill(v *visit, tx *tenant.Tx, k billing.PurchaseKind, data *page.Bill) (err error) {
	b, at := data.Bill, data.At1
	may := v.may(rightTo(authz.Approve, authz.Bills))
	if k == billing.Recurring {
		made, err := billing.MadeOf(v.ctx, tx, b.ID, shownMade)
		for _, h := range made {
			data.Made = append(data.Made, billRow(v, billDesk(), billing.Bill, h))
		}
		if len(made) == 0 {
			data.Acts = discardBillAct(v, k, b)
		}
		if !b.Repeat.On.IsZero() && v.may(rightTo(authz.Change, authz.Bills)) {
			data.Acts = append(data.Acts, page.Act{URL: at + "/stop", Label: "Stop", Icon: "ban", Class: "btn-danger", Does: "Stop it",
				Ask: "No more bills are made of it. What it made stays.", Key: newFormKey(), Version: b.Version})
		}
		return err
	}
	if b.State == billing.Draft {
		data.Acts = draftActs(v, deskOf(k), b.ID.UUID, b.Version, "It gets its number, is posted, and does not change any more.")
		return nil
	}
	if b.State != billing.Issued || !may {
		return nil
	}
	if b.Settled.IsZero() {
		data.Acts = []page.Act{{URL: at + "/void", Label: "Void", Icon: "ban", Class: "btn-danger", Does: "Void it", Key: newFormKey(), Version: b.Version,
			Ask: "Its number stays, its entry is undone, and nothing is owed."}}
	}
	if b.Open().IsZero() {
		return nil
	}
	if k == billing.Bill {
		data.Pay = v.at("payees", b.Customer.ID.String(), "pay") + "?" + url.Values{"currency": {b.Currency.Code()}, "bill": {b.ID.String()}}.Encode()
		return nil
	}
	if data.Open, err = openBills(v, tx, b.Customer.ID, b.Currency); err != nil {
		return err
	}
	return fillMoneyBack(v, tx, &data.MoneyBack, &data.Form, at+"/money-back", b.Open())
}

// openBills are the open bills of a payee to choose from.
func openBills(v *visit, tx *tenant.Tx, payee billing.PayeeID, c money.Currency) ([]page.Option, error) {
	open, err := payables.OpenBills(v.ctx, tx, payee, c)
	var options []page.Option
	for _, h := range open {
		options = append(options, page.Option{Value: h.ID.String(), Label: h.Number + ", " + h.Open().String() + " open, due " + h.DueDate.String()})
	}
	return options, err
}

func sendBillVoid(v *visit, k billing.PurchaseKind) error {
	bill, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, version int) error {
		_, err := payables.VoidBill(v.ctx, tx, k, bill, version)
		return err
	}, func() string {
		say(v.c, "Voided")
		return v.at(deskOf(k).path, bill.String())
	}, func(form page.Form) error { return showBill(v, k, http.StatusUnprocessableEntity, form) })
}

func sendRecurringStop(v *visit) error {
	recurring, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, _ int) error {
		_, err := payables.StopRecurring(v.ctx, tx, recurring)
		return err
	}, func() string {
		say(v.c, "Stopped")
		return v.at("recurring-bills", recurring.String())
	}, func(form page.Form) error {
		return showBill(v, billing.Recurring, http.StatusUnprocessableEntity, form)
	})
}

func applyPayeeCredit(ctx context.Context, tx *tenant.Tx, credit, bill payables.BillID, sent url.Values) error {
	var amount money.Amount
	if written := strings.TrimSpace(sent.Get("amount")); written != "" {
		c, err := billing.PurchaseByID(ctx, tx, billing.PayeeCredit, credit)
		if err != nil {
			return err
		}
		if amount, err = money.ParseAmount(written, c.Currency); err != nil {
			return at("amount", err)
		}
		if amount.IsZero() {
			return billing.ErrCreditAmount
		}
	}
	return billing.ApplyPayeeCredit(ctx, tx, credit, bill, amount)
}

// movePayeeCredit does something between a credit and a bill that a form names.
func movePayeeCredit(v *visit, done string, do func(ctx context.Context, tx *tenant.Tx, credit, bill payables.BillID, sent url.Values) error) error {
	credit, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		bill, err := bodyID[billing.Document]("bill_id", sent.Get("bill_id"))
		if err != nil {
			return uuid.Nil, err
		}
		return credit.UUID, do(v.ctx, tx, credit, bill, sent)
	}, func(uuid.UUID) string {
		say(v.c, done)
		return v.at("payee-credits", credit.String())
	}, func(form page.Form) error {
		return showBill(v, billing.PayeeCredit, http.StatusUnprocessableEntity, form)
	})
}

func fillBillFiles(v *visit, tx *tenant.Tx, data *page.Bill) error {
	files, err := billing.AttachedFiles(v.ctx, tx, billing.InvoiceID(data.Bill.ID))
	for _, f := range files {
		shown := page.File{Name: f.Name, Size: sizeText(f.Size), URL: data.At1 + "/files/" + f.ID.String()}
		if isSupport(v.scope) {
			shown.URL = ""
		}
		if v.may(rightTo(authz.Change, authz.Bills)) {
			shown.Acts = []page.Act{{URL: data.At1 + "/files/" + f.ID.String() + "/remove", Label: "Remove", Icon: "trash-2",
				Class: "btn-small", Ask: "The file is deleted.", Does: "Remove the file", Key: newFormKey()}}
		}
		data.Files = append(data.Files, shown)
	}
	data.FileKey = newFormKey()
	return err
}

func sendBillFile(v *visit, k billing.PurchaseKind) error {
	bill, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	return v.upload(func(tx *tenant.Tx, _ url.Values, f uploaded) (uuid.UUID, error) {
		kept, err := billing.AttachToPurchase(v.ctx, tx, k, bill, billing.FileInput{Name: f.name, Bytes: f.bytes})
		return kept.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Attached")
		return v.at(deskOf(k).path, bill.String()) + "#files"
	}, func(form page.Form) error { return showBill(v, k, http.StatusUnprocessableEntity, form) })
}

// billFile is a file of the path's document.
func billFile(v *visit, tx *tenant.Tx, k billing.PurchaseKind) (file.File, error) {
	bill, err := idParam[billing.Document](v, "id")
	if err != nil {
		return file.File{}, err
	}
	wanted, err := idParam[file.File](v, "file")
	if err != nil {
		return file.File{}, err
	}
	return billing.PurchaseFile(v.ctx, tx, k, bill, wanted)
}

func fetchBillFile(v *visit, k billing.PurchaseKind) error {
	var f file.File
	err := v.run(func(tx *tenant.Tx) (err error) {
		f, err = billFile(v, tx, k)
		return err
	})
	if err != nil {
		return err
	}
	return v.streamAs(attachmentAs(f.Name), f.MediaType, func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
		return file.Write(ctx, run, f, w)
	})
}

func sendBillFileRemove(v *visit, k billing.PurchaseKind) error {
	bill, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		f, err := billFile(v, tx, k)
		if err != nil {
			return uuid.Nil, err
		}
		_, err = file.Remove(v.ctx, tx, f.ID)
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "File removed")
		return v.at(deskOf(k).path, bill.String()) + "#files"
	}, func(form page.Form) error { return showBill(v, k, http.StatusUnprocessableEntity, form) })
}
