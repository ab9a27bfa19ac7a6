package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// purchaseDesk is the desk of one kind of what is bought.
func purchaseDesk(k billing.PurchaseKind, path string, draft func(context.Context, *tenant.Tx, payables.BillInput) (payables.Bill, error), words page.EditorWords) desk {
	words.Nav, words.Note = path, "Note for yourselves"
	return desk{
		path: path, module: authz.Bills, done: "Entered", bought: true, words: words,
		draft: func(ctx context.Context, tx *tenant.Tx, in billing.DocumentInput) (uuid.UUID, int, error) {
			b, err := draft(ctx, tx, in)
			return b.ID.UUID, b.Version, err
		},
		revise: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int, in billing.DocumentInput) (int, error) {
			b, err := payables.ReviseBill(ctx, tx, k, payables.BillID{UUID: document}, version, in)
			return b.Version, err
		},
		issue: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int) (string, error) {
			b, err := payables.EnterBill(ctx, tx, k, payables.BillID{UUID: document}, version)
			return b.Number, err
		},
		discard: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int) error {
			return billing.DiscardPurchase(ctx, tx, k, payables.BillID{UUID: document}, version)
		},
		read: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (billing.Document, error) {
			b, err := billing.PurchaseByID(ctx, tx, k, payables.BillID{UUID: document})
			return billing.Document{DocumentHead: b.DocumentHead, DocumentBody: b.DocumentBody}, err
		},
		dueHint: func(s billing.Settings) string {
			return plainDays("Left empty: %s after its date, or as the payee has it.", s.PaymentTermsDays)
		},
		show: func(v *visit, status int, form page.Form) error { return showBill(v, k, status, form) },
	}
}

func billDesk() desk {
	return purchaseDesk(billing.Bill, "bills", payables.DraftBill, page.EditorWords{New: "New bill", List: "Bills", Due: "Due date", Total: "To pay",
		NoLines: "No lines yet. A bill needs one before it can be entered.", Issue: "Save and enter",
		Issued: "Once entered it is in the books and does not change."})
}

func payeeCreditDesk() desk {
	return purchaseDesk(billing.PayeeCredit, "payee-credits", payables.DraftCredit, page.EditorWords{New: "New payee credit", List: "Payee credits", Total: "Credited",
		NoLines: "No lines yet. A credit needs one before it can be entered.", Issue: "Save and enter",
		Issued: "What a payee takes back of their bills. Once entered it does not change."})
}

func recurringBillDesk() desk {
	d := purchaseDesk(billing.Recurring, "recurring-bills", func(ctx context.Context, tx *tenant.Tx, in payables.BillInput) (payables.Bill, error) {
		return payables.DraftRecurring(ctx, tx, payables.RecurringInput{BillInput: in})
	}, page.EditorWords{New: "New recurring bill", Change: "Change recurring bill", List: "Recurring bills", Due: "Due on", Total: "Each time",
		NoLines: "No lines yet. A bill needs one before it can be entered.", Save: "Save", Saved: "Saved"})
	d.repeats = true
	d.allowed = func(v *visit, tx *tenant.Tx, sent url.Values) error {
		if sent.Get("enters") == "" {
			return nil
		}
		return v.need(tx, rightTo(authz.Approve, authz.Bills))
	}
	d.discard = func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int) error {
		return payables.DiscardRecurring(ctx, tx, payables.BillID{UUID: document}, version)
	}
	d.dueHint = func(billing.Settings) string { return "Of the first bill. Each is due as many days after its date." }
	d.with = func(sent url.Values) desk {
		with := d
		with.draft = func(ctx context.Context, tx *tenant.Tx, in billing.DocumentInput) (uuid.UUID, int, error) {
			repeated, err := repeatOf(sent, in)
			if err != nil {
				return uuid.Nil, 0, err
			}
			b, err := payables.DraftRecurring(ctx, tx, repeated)
			return b.ID.UUID, b.Version, err
		}
		with.revise = func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int, in billing.DocumentInput) (int, error) {
			repeated, err := repeatOf(sent, in)
			if err != nil {
				return 0, err
			}
			b, err := payables.ReviseRecurring(ctx, tx, payables.BillID{UUID: document}, version, repeated)
			return b.Version, err
		}
		return with
	}
	d.fill = fillRepeat
	return d
}

// repeatOf reads how often a recurring bill comes.
func repeatOf(sent url.Values, in billing.DocumentInput) (payables.RecurringInput, error) {
	var faults fault.List
	out := payables.RecurringInput{BillInput: in, Unit: sent.Get("unit"), Every: wholeNumber(sent, "every", &faults), Enters: sent.Get("enters") != ""}
	var err error
	if out.Until, err = bodyDate("until", strings.TrimSpace(sent.Get("until"))); err != nil {
		faults.Add("", err) // a fault alone
	}
	return out, faults.Err()
}

func fillRepeat(ctx context.Context, tx *tenant.Tx, document uuid.UUID, form *page.Form) error {
	r := billing.Repeat{Unit: "month", Every: 1}
	if document != uuid.Nil {
		b, err := billing.PurchaseByID(ctx, tx, billing.Recurring, payables.BillID{UUID: document})
		if err != nil {
			return err
		}
		r = b.Repeat
	}
	form.Values.Set("unit", r.Unit)
	form.Values.Set("every", strconv.Itoa(r.Every))
	if !r.Until.IsZero() {
		form.Values.Set("until", r.Until.String())
	}
	if r.Enters {
		form.Values.Set("enters", "yes")
	}
	return nil
}

// fillBought gives the payees to choose from, as fillCustomers does customers, and the accounts that a line can be a cost on.
func fillBought(ctx context.Context, tx *tenant.Tx, data *page.InvoiceForm, found bool) error {
	data.Form.Move("payee_id", "customer_id")
	search := strings.TrimSpace(data.Form.Value("find_customer"))
	payees, err := billing.Payees(ctx, tx, billing.PayeeFilter{Search: search}, cursor.Query{Limit: shownCustomers})
	if err != nil {
		return err
	}
	data.FindCustomer = payees.HasMore || search != ""
	for _, p := range payees.Items {
		data.Customers = append(data.Customers, page.Option{Value: p.ID.String(), Label: customerLabel(p.Customer)})
	}
	if found && search != "" && len(payees.Items) == 1 {
		data.Form.Values.Set("customer_id", payees.Items[0].ID.String())
	}
	chosen, ok := id.Parse[billing.Customer](data.Form.Value("customer_id"))
	if ok && !slices.ContainsFunc(data.Customers, func(o page.Option) bool { return o.Value == chosen.String() }) {
		p, err := billing.PayeeByID(ctx, tx, chosen)
		if err == nil {
			data.Customers = append([]page.Option{{Value: p.ID.String(), Label: customerLabel(p.Customer)}}, data.Customers...)
		} else if fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	data.Accounts, err = costAccounts(ctx, tx)
	return err
}

// costAccounts are the accounts that something bought can be on: costs first, then what lasts.
func costAccounts(ctx context.Context, tx *tenant.Tx) ([]page.Option, error) {
	accounts, err := ledger.Accounts(ctx, tx)
	if err != nil {
		return nil, err
	}
	usable := func(kinds ...ledger.Kind) []page.Option {
		return accountOptions(accounts, func(a ledger.Account) bool {
			return !a.Archived && slices.Contains(kinds, a.Kind) && !slices.Contains([]string{ledger.Receivable, ledger.Payable, ledger.Bank}, a.Purpose)
		})
	}
	return slices.Concat(usable(ledger.KindExpense), usable(ledger.KindAsset), usable(ledger.KindLiability, ledger.KindEquity, ledger.KindIncome)), nil
}

// moneyAccounts are the accounts that something can be paid from.
func moneyAccounts(ctx context.Context, tx *tenant.Tx) ([]page.Option, error) {
	accounts, err := ledger.Accounts(ctx, tx)
	return accountOptions(accounts, func(a ledger.Account) bool {
		return !a.Archived && slices.Contains([]ledger.Kind{ledger.KindAsset, ledger.KindLiability, ledger.KindEquity}, a.Kind) &&
			a.Purpose != ledger.Receivable && a.Purpose != ledger.Payable
	}), err
}

func showBillPreview(v *visit) error { return showInvoicePreview(v) }

// discardBillAct is the button that deletes a recurring bill, or a draft.
func discardBillAct(v *visit, k billing.PurchaseKind, b payables.Bill) []page.Act {
	acts := discardAct(v, deskOf(k), b.ID.UUID, b.Version)
	for i := range acts {
		if k == billing.Recurring {
			acts[i].Label, acts[i].Ask, acts[i].Does = "Delete", "It made no bill yet, and makes none.", "Delete the recurring bill"
		}
	}
	return acts
}

func deskOf(k billing.PurchaseKind) desk {
	switch k {
	case billing.PayeeCredit:
		return payeeCreditDesk()
	case billing.Recurring:
		return recurringBillDesk()
	}
	return billDesk()
}
