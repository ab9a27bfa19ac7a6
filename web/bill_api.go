package web

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// BillBody is what a program writes on a draft of a bill, or of a payee's credit.
type BillBody struct {
	ExternalID      string         `json:"external_id,omitempty" doc:"The document's id in another system; unique"`
	PayeeID         string         `json:"payee_id"`
	Reference       string         `json:"reference,omitempty" doc:"The payee's own number; the same is not entered twice"`
	IssueDate       string         `json:"issue_date,omitempty" doc:"The document's date; left out, today" example:"2026-11-21"`
	DueDate         string         `json:"due_date,omitempty" doc:"Left out, by the payee's or the organization's terms" example:"2026-12-21"`
	Currency        string         `json:"currency,omitempty" doc:"ISO 4217; left out, the organization's own" example:"EUR"`
	PricesWithTax   bool           `json:"prices_with_tax,omitempty" doc:"Unit prices have their taxes in them"`
	DiscountPercent string         `json:"discount_percent,omitempty" doc:"On the whole, 0 to 100; this or discount" example:"5"`
	Discount        string         `json:"discount,omitempty" doc:"On the whole, in the document's currency" example:"20.00"`
	Note            string         `json:"note,omitempty"`
	Lines           []BillLineBody `json:"lines" maxItems:"500"`
}

// BillLineBody is one line of a draft.
type BillLineBody struct {
	ProductID       string   `json:"product_id,omitempty"`
	Description     string   `json:"description,omitempty" doc:"Left out, the product's name"`
	Quantity        string   `json:"quantity" doc:"Decimal, more than nothing" example:"2"`
	UnitPrice       string   `json:"unit_price" doc:"Decimal, at most 6 decimals" example:"145.00"`
	DiscountPercent string   `json:"discount_percent,omitempty" doc:"0 to 100" example:"10"`
	AccountID       string   `json:"account_id,omitempty" doc:"The account that it is a cost on; left out, the payee's usual one"`
	TaxCodes        []string `json:"taxes,omitempty" doc:"Codes of tax rates, in order; a compound rate is on those before it" example:"[\"GST\",\"QST\"]"`
}

// BillView is a bill, or a payee's credit, as a program reads it.
type BillView struct {
	ID              string               `json:"id"`
	State           string               `json:"state" doc:"draft, issued (it is entered) or void"`
	Standing        string               `json:"standing" doc:"draft, open, overdue, paid or void; of a credit used for paid"`
	Number          string               `json:"number,omitempty" doc:"Ours"`
	ExternalID      string               `json:"external_id,omitempty"`
	Payee           InvoiceCustomerView  `json:"payee"`
	Reference       string               `json:"reference,omitempty" doc:"The payee's own number"`
	IssueDate       string               `json:"issue_date"`
	DueDate         string               `json:"due_date"`
	PricesWithTax   bool                 `json:"prices_with_tax,omitempty" doc:"Not in lists"`
	DiscountPercent string               `json:"discount_percent,omitempty" doc:"Not in lists"`
	Discount        *Money               `json:"discount,omitempty" doc:"What was taken off the whole; not in lists"`
	Note            string               `json:"note,omitempty"`
	Net             Money                `json:"net"`
	Tax             Money                `json:"tax"`
	Total           Money                `json:"total"`
	Open            Money                `json:"open" doc:"What is still owed, or left of a credit"`
	BaseRate        *string              `json:"base_rate,omitempty" doc:"What one unit of a foreign currency was worth in the base currency on its date"`
	EntryID         string               `json:"journal_entry_id,omitempty"`
	OriginID        string               `json:"origin_id,omitempty" doc:"The recurring bill that it was made of"`
	CreatedAt       time.Time            `json:"created_at"`
	Lines           []InvoiceLineView    `json:"lines,omitempty" doc:"Not in lists"`
	Payments        []InvoicePaymentView `json:"payments,omitempty" doc:"Not in lists"`
	Credits         []BillCreditView     `json:"credits,omitempty" doc:"Of a bill what settles it, of a credit what it settles; not in lists"`
}

// BillCreditView is what of a payee's credit settles a bill.
type BillCreditView struct {
	CreditID string `json:"payee_credit_id"`
	BillID   string `json:"bill_id"`
	Number   string `json:"number" doc:"Of the other of the two"`
	Date     string `json:"date"`
	Amount   Money  `json:"amount"`
}

func (b BillBody) input() (billing.DocumentInput, error) {
	body := InvoiceBody{ExternalID: b.ExternalID, CustomerID: b.PayeeID, Reference: b.Reference, IssueDate: b.IssueDate, DueDate: b.DueDate, Currency: b.Currency,
		PricesWithTax: b.PricesWithTax, DiscountPercent: b.DiscountPercent, Discount: b.Discount, Note: b.Note}
	for _, l := range b.Lines {
		body.Lines = append(body.Lines, InvoiceLineBody(l))
	}
	in, err := body.input()
	found := faultsOf(err)
	if len(found) == 0 {
		return in, err
	}
	moved := make(fault.List, len(found))
	for i, f := range found {
		if moved[i] = f; f.Field == "customer_id" {
			moved[i] = f.At("payee_id")
		}
	}
	return in, moved.Err()
}

func viewBillHead(k billing.PurchaseKind, h billing.PurchaseHead) BillView {
	return BillView{ID: h.ID.String(), State: h.State, Standing: billStanding(k, h), Number: h.Number, ExternalID: h.ExternalID,
		Payee: InvoiceCustomerView{h.Customer.ID.String(), h.Customer.Name}, Reference: h.Reference, IssueDate: h.IssueDate.String(), DueDate: h.DueDate.String(),
		Note: h.Note, Net: moneyOf(h.Net), Tax: moneyOf(h.Tax), Total: moneyOf(h.Total), Open: moneyOf(h.Open()), BaseRate: rateText(h.BaseRate),
		EntryID: idText(h.Entry), OriginID: idText(h.Origin), CreatedAt: h.CreatedAt}
}

func viewBill(k billing.PurchaseKind, b payables.Bill) BillView {
	v := viewBillHead(k, b.PurchaseHead)
	v.PricesWithTax, v.DiscountPercent, v.Discount = b.PricesWithTax, percentText(b.DiscountPercent), moneyOrNone(b.Discount)
	v.Lines, v.Payments = viewLines(b.DocumentBody), viewInvoicePayments(b.Payments)
	for _, c := range b.Credits {
		v.Credits = append(v.Credits, BillCreditView{c.CreditNote.String(), c.Invoice.String(), c.Number, c.Date.String(), moneyOf(c.Amount)})
	}
	return v
}

type billListInput struct {
	PageInput
	Standing string `query:"standing" doc:"draft, open, overdue, paid or void" maxLength:"20"`
	PayeeID  string `query:"payee_id" maxLength:"36"`
	Search   string `query:"search" doc:"Words of number, external id, the payee's number or the payee" maxLength:"200"`
	From     string `query:"from" doc:"Dated on this day or later" maxLength:"10"`
	To       string `query:"to" doc:"Dated on this day or earlier" maxLength:"10"`
}

func (in billListInput) filter() (f billing.PurchaseFilter, err error) {
	f = billing.PurchaseFilter{Standing: billing.Standing(in.Standing), Search: in.Search}
	if f.Payee, err = bodyID[billing.Customer]("payee_id", in.PayeeID); err != nil {
		return f, err
	}
	if f.From, err = bodyDate("from", in.From); err != nil {
		return f, err
	}
	f.To, err = bodyDate("to", in.To)
	return f, err
}

// PayeeApplyBody says which bill a credit or what was paid in advance settles, and by how much.
type PayeeApplyBody struct {
	BillID string `json:"bill_id"`
	Amount *Money `json:"amount,omitempty" doc:"Left out, as much as can be"`
}

func (b PayeeApplyBody) input() (bill payables.BillID, amount money.Amount, err error) {
	if bill, err = bodyID[billing.Document]("bill_id", b.BillID); err != nil || b.Amount == nil {
		return bill, amount, err
	}
	if amount, err = b.Amount.parse("amount"); err == nil && amount.Sign() <= 0 {
		err = billing.ErrCreditAmount
	}
	return bill, amount, err
}

func (s *Server) registerBillAPI() {
	s.registerPurchaseAPI(billing.Bill, billDesk(), "bill", "Bills")
	s.registerPurchaseAPI(billing.PayeeCredit, payeeCreditDesk(), "payee-credit", "Payee credits")
	const tag = "Payee credits"
	for act, do := range map[string]struct {
		summary string
		fn      func(ctx context.Context, tx *tenant.Tx, credit, bill payables.BillID, amount money.Amount) error
	}{
		"apply": {"Let a payee's credit settle a bill of theirs", billing.ApplyPayeeCredit},
		"unapply": {"Take a payee's credit back from a bill", func(ctx context.Context, tx *tenant.Tx, credit, bill payables.BillID, _ money.Amount) error {
			return billing.UnapplyPayeeCredit(ctx, tx, credit, bill)
		}},
	} {
		handle(s, operation{id: act + "-payee-credit", method: "POST", path: "/v1/payee-credits/{id}/" + act, right: rightTo(authz.Approve, authz.Bills), tag: tag, summary: do.summary},
			func(ctx context.Context, c *call, in *Change[PayeeApplyBody]) (*Versioned[BillView], error) {
				bill, amount, err := in.Body.input()
				if err != nil {
					return nil, err
				}
				return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i payables.BillID, _ int) (v BillView, version int, err error) {
					if err := do.fn(ctx, tx, i, bill, amount); err != nil {
						return v, 0, err
					}
					return readBill(ctx, tx, billing.PayeeCredit, i)
				})
			})
	}
	s.registerExpenseAPI()
}

func readBill(ctx context.Context, tx *tenant.Tx, k billing.PurchaseKind, i payables.BillID) (BillView, int, error) {
	b, err := billing.PurchaseByID(ctx, tx, k, i)
	return viewBill(k, b), b.Version, err
}

// registerPurchaseAPI puts what bills and payees' credits have in common on the router.
func (s *Server) registerPurchaseAPI(k billing.PurchaseKind, d desk, one, tag string) {
	path := "/v1/" + d.path
	read := func(ctx context.Context, tx *tenant.Tx, i payables.BillID) (BillView, int, error) {
		return readBill(ctx, tx, k, i)
	}
	handle(s, operation{id: "list-" + d.path, method: "GET", path: path, right: rightTo(authz.Read, authz.Bills), tag: tag, summary: "List them, newest first, without their lines"},
		func(ctx context.Context, c *call, in *billListInput) (*Body[List[BillView]], error) {
			filter, err := in.filter()
			if err != nil {
				return nil, err
			}
			if k == billing.PayeeCredit {
				filter = openCredits(filter)
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.PurchaseHead], error) {
				return billing.Purchases(ctx, tx, k, filter, q)
			}, func(h billing.PurchaseHead) BillView { return viewBillHead(k, h) })
		})
	handle(s, operation{id: "draft-" + one, method: "POST", path: path, right: rightTo(authz.Create, authz.Bills), tag: tag, summary: "Write a draft", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[BillBody]) (*Versioned[BillView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, _, err := d.draft(ctx, tx, input)
				return made, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BillView, int, error) {
				return read(ctx, tx, payables.BillID{UUID: made})
			})
		})
	handle(s, operation{id: "get-" + one, method: "GET", path: path + "/{id}", right: rightTo(authz.Read, authz.Bills), tag: tag, summary: "Read one"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[BillView], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i payables.BillID, _ int) (BillView, int, error) { return read(ctx, tx, i) })
		})
	handle(s, operation{id: "revise-" + one, method: "PUT", path: path + "/{id}", right: rightTo(authz.Change, authz.Bills), tag: tag, summary: "Write a draft anew"},
		func(ctx context.Context, c *call, in *Change[BillBody]) (*Versioned[BillView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i payables.BillID, version int) (v BillView, now int, err error) {
				if _, err := d.revise(ctx, tx, i.UUID, version, input); err != nil {
					return v, 0, err
				}
				return read(ctx, tx, i)
			})
		})
	s.registerDiscardAPI(d, one, tag)
	registerActAPI(s, d.path, one, tag, "enter", "Enter a draft: it gets our number and is posted", rightTo(authz.Approve, authz.Bills), read,
		func(ctx context.Context, tx *tenant.Tx, i payables.BillID, version int) error {
			_, err := d.issue(ctx, tx, i.UUID, version)
			return err
		})
	registerActAPI(s, d.path, one, tag, "void", "Void what is entered and of which nothing is settled", rightTo(authz.Approve, authz.Bills), read,
		func(ctx context.Context, tx *tenant.Tx, i payables.BillID, version int) error {
			_, err := payables.VoidBill(ctx, tx, k, i, version)
			return err
		})
	s.registerPurchaseFileAPI(k, d.path, one, tag)
}

func (s *Server) registerDiscardAPI(d desk, one, tag string) {
	handle(s, operation{id: "discard-" + one, method: "DELETE", path: "/v1/" + d.path + "/{id}", right: rightTo(authz.Delete, authz.Bills), tag: tag, summary: "Discard it", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *Act) (*struct{}, error) {
			i, err := pathID[billing.Document](in.ID)
			if err != nil {
				return nil, err
			}
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return d.discard(ctx, tx, i.UUID, version) })
		})
}

type receiptUpload struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, it is done once" maxLength:"100"`
	ID             string `path:"id" maxLength:"36"`
	Name           string `query:"name" required:"true" doc:"With its ending, which goes with the content" example:"receipt.pdf" maxLength:"400"`
	RawBody        []byte `contentType:"application/octet-stream"`
}

func (s *Server) registerPurchaseFileAPI(k billing.PurchaseKind, path, one, tag string) {
	files := "/v1/" + path + "/{id}/files"
	handle(s, operation{id: "list-" + one + "-files", method: "GET", path: files, right: rightTo(authz.Read, authz.Bills), tag: tag, summary: "List the files that are attached"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[List[FileView]], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i payables.BillID, _ int) (List[FileView], int, error) {
				out := List[FileView]{Items: []FileView{}}
				if _, err := billing.PurchaseByID(ctx, tx, k, i); err != nil {
					return out, 0, err
				}
				found, err := billing.AttachedFiles(ctx, tx, billing.InvoiceID(i))
				for _, f := range found {
					out.Items = append(out.Items, viewFile(f))
				}
				return out, 0, err
			})
		})
	handle(s, operation{id: "attach-" + one + "-file", method: "POST", path: files, right: rightTo(authz.Change, authz.Bills), tag: tag, summary: "Attach a file, a receipt for one", status: http.StatusCreated, file: true,
		more: " The body is the file itself: PDF, PNG, JPEG, WebP, plain text, CSV, or a document of Word, Excel or OpenDocument, at most 10 MB."},
		func(ctx context.Context, c *call, in *receiptUpload) (*Versioned[FileView], error) {
			i, err := pathID[billing.Document](in.ID)
			if err != nil {
				return nil, err
			}
			body := bytes.Clone(in.RawBody)
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				f, err := billing.AttachToPurchase(ctx, tx, k, i, billing.FileInput{Name: in.Name, Bytes: body})
				return f.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (FileView, int, error) {
				f, err := billing.PurchaseFile(ctx, tx, k, i, file.ID{UUID: made})
				return viewFile(f), 0, err
			})
		})
	with := func(ctx context.Context, c *call, in *fileByID, fn func(tx *tenant.Tx, f file.File) error) error {
		i, err := pathID[billing.Document](in.ID)
		if err != nil {
			return err
		}
		wanted, err := pathID[file.File](in.File)
		if err != nil {
			return err
		}
		return c.do(ctx, func(tx *tenant.Tx) error {
			f, err := billing.PurchaseFile(ctx, tx, k, i, wanted)
			if err != nil {
				return err
			}
			return fn(tx, f)
		})
	}
	handle(s, operation{id: "get-" + one + "-file", method: "GET", path: files + "/{file}", right: rightTo(authz.Read, authz.Bills), tag: tag, summary: "Fetch a file that is attached"},
		func(ctx context.Context, c *call, in *fileByID) (*fileBody, error) {
			var f file.File
			var body []byte
			err := with(ctx, c, in, func(tx *tenant.Tx, found file.File) (err error) {
				f = found
				body, err = file.Read(ctx, tx, found)
				return err
			})
			return &fileBody{ContentType: f.MediaType, Disposition: attachmentAs(f.Name), Body: body}, err
		})
	handle(s, operation{id: "remove-" + one + "-file", method: "DELETE", path: files + "/{file}", right: rightTo(authz.Change, authz.Bills), tag: tag, summary: "Delete a file that is attached", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *fileByID) (*struct{}, error) {
			return nil, with(ctx, c, in, func(tx *tenant.Tx, found file.File) error {
				_, err := file.Remove(ctx, tx, found.ID)
				return err
			})
		})
}

// ExpenseBody is what a program writes of what was bought and paid at once.
type ExpenseBody struct {
	BillBody
	NewPayee  string `json:"new_payee,omitempty" doc:"The name of one who is not among the payees yet; instead of payee_id" maxLength:"200"`
	Method    string `json:"method" doc:"bank_transfer, cash, card, cheque or other" example:"card"`
	AccountID string `json:"account_id,omitempty" doc:"What it was paid from; left out, the bank account"`
}

func (s *Server) registerExpenseAPI() {
	handle(s, operation{id: "record-expense", method: "POST", path: "/v1/expenses", right: rightTo(authz.Approve, authz.Bills), tag: "Bills",
		summary: "Record what was bought and paid at once: a bill that is entered, and its payment", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[ExpenseBody]) (*Versioned[BillView], error) {
			b := in.Body
			input, err := b.BillBody.input()
			if err != nil {
				return nil, err
			}
			expense := payables.ExpenseInput{BillInput: input, NewPayee: b.NewPayee, Method: billing.Method(b.Method)}
			if expense.AccountID, err = bodyID[ledger.Account]("account_id", b.AccountID); err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := payables.RecordExpense(ctx, tx, expense)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BillView, int, error) {
				return readBill(ctx, tx, billing.Bill, payables.BillID{UUID: made})
			})
		})
}
