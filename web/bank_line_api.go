package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// BankLineBody is a movement that is written by hand.
type BankLineBody struct {
	Date      string `json:"date" example:"2026-11-21"`
	Amount    Money  `json:"amount" doc:"What went out has a minus"`
	PartyName string `json:"party_name,omitempty"`
	Memo      string `json:"memo,omitempty"`
	Reference string `json:"reference,omitempty"`
}

// BankLineView is a line of a bank account.
type BankLineView struct {
	ID          string               `json:"id"`
	AccountID   string               `json:"account_id"`
	Date        string               `json:"date"`
	Amount      Money                `json:"amount"`
	PartyName   string               `json:"party_name,omitempty"`
	Memo        string               `json:"memo,omitempty"`
	Reference   string               `json:"reference,omitempty"`
	State       string               `json:"state" doc:"open, or how it was matched: payment, entry, booked, transfer; or excluded"`
	EntryID     string               `json:"entry_id,omitempty"`
	RuleID      string               `json:"rule_id,omitempty" doc:"The rule that booked it"`
	StatementID string               `json:"statement_id,omitempty" doc:"The finished statement that it stands in: it is locked"`
	Suggestions []BankSuggestionView `json:"suggestions,omitempty" doc:"Of an open line: what it may belong to, the most certain first"`
}

// BankSuggestionView is what a line may belong to: send what it names to match the line.
type BankSuggestionView struct {
	BankMatchBody
	Title     string   `json:"title"`
	Certainty int      `json:"certainty" doc:"1 to 100"`
	Why       []string `json:"why"`
}

// BankMatchBody says what a line is matched with: one of the ids.
type BankMatchBody struct {
	InvoiceIDs  []string `json:"invoice_ids,omitempty" doc:"Records one payment: of one invoice in part or whole, of several whole" maxItems:"20"`
	BillIDs     []string `json:"bill_ids,omitempty" doc:"Records one payment of one payee's bills, likewise" maxItems:"20"`
	KeepRest    bool     `json:"keep_rest,omitempty" doc:"With one invoice: what is more than is open stays as the customer's credit"`
	EntryID     string   `json:"entry_id,omitempty" doc:"An entry that is in the journal already"`
	OtherID     string   `json:"other_id,omitempty" doc:"The other side of a transfer: a line of another account of one's own"`
	AccountID   string   `json:"account_id,omitempty" doc:"Books the line to this account"`
	TaxCode     string   `json:"tax_code,omitempty" doc:"With account_id: the rate or group whose tax is in the amount" maxLength:"20"`
	Description string   `json:"description,omitempty" doc:"Of what is booked" maxLength:"120"`
}

func (b BankLineBody) input() (in bank.LineInput, err error) {
	in = bank.LineInput{Memo: b.Memo, PartyName: b.PartyName, Reference: b.Reference}
	if in.Date, err = bodyDate("date", b.Date); err != nil {
		return in, err
	}
	in.Amount, err = b.Amount.parse("amount")
	return in, err
}

func (b BankMatchBody) match() (m bank.Match, err error) {
	m.Say, m.Tax, m.KeepRest = b.Description, b.TaxCode, b.KeepRest
	if m.Invoices, err = bodyIDs[billing.Invoice]("invoice_ids", b.InvoiceIDs); err != nil {
		return m, err
	}
	if m.Bills, err = bodyIDs[billing.Document]("bill_ids", b.BillIDs); err != nil {
		return m, err
	}
	if m.Entry, err = bodyID[ledger.Entry]("entry_id", b.EntryID); err != nil {
		return m, err
	}
	if m.Other, err = bodyID[bank.Line]("other_id", b.OtherID); err != nil {
		return m, err
	}
	m.Book, err = bodyID[ledger.Account]("account_id", b.AccountID)
	return m, err
}

// bodyIDs reads a list of ids within a body, none of them twice.
func bodyIDs[T any](field string, all []string) (ids []id.Of[T], err error) {
	for _, s := range all {
		i, ok := id.Parse[T](s)
		if !ok || slices.Contains(ids, i) {
			return nil, errIDShape.At(field)
		}
		ids = append(ids, i)
	}
	return ids, nil
}

func idTexts[T any](all []id.Of[T]) (texts []string) {
	for _, i := range all {
		texts = append(texts, i.String())
	}
	return texts
}

func viewBankLine(l bank.Line, suggested []bank.Suggestion) BankLineView {
	v := BankLineView{ID: l.ID.String(), AccountID: l.Account.String(), Date: l.Date.String(), Amount: moneyOf(l.Amount), PartyName: l.PartyName, Memo: l.Memo,
		Reference: l.Reference, State: string(l.How), EntryID: idText(l.Entry), RuleID: idText(l.Rule), StatementID: idText(l.Statement)}
	if l.How == bank.Open {
		v.State = bank.StateOpen
	}
	for _, s := range suggested {
		v.Suggestions = append(v.Suggestions, BankSuggestionView{Title: s.Title, Certainty: s.Certainty, Why: s.Why,
			BankMatchBody: BankMatchBody{InvoiceIDs: idTexts(s.Invoices), BillIDs: idTexts(s.Bills), KeepRest: s.KeepRest,
				EntryID: idText(s.Entry), OtherID: idText(s.Other), AccountID: idText(s.Book), TaxCode: s.Tax, Description: s.Say}})
	}
	return v
}

type bankLinesInput struct {
	PageInput
	ID    string `path:"id" maxLength:"36"`
	State string `query:"state" doc:"open, matched or excluded; left out, all" maxLength:"10"`
}

// createUnder is a creating request for something that belongs to another.
type createUnder[T any] struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, it is done once" maxLength:"100"`
	ID             string `path:"id" maxLength:"36"`
	Body           T
}

func (s *Server) registerBankLineAPI() {
	reading, changing := rightTo(authz.Read, authz.Bank), rightTo(authz.Change, authz.Bank)
	one := func(ctx context.Context, tx *tenant.Tx, i bank.LineID) (BankLineView, int, error) {
		l, err := bank.LineByID(ctx, tx, i)
		if err != nil {
			return BankLineView{}, 0, err
		}
		suggested, err := bank.Suggest(ctx, tx, l.Account, []bank.Line{l})
		return viewBankLine(l, suggested[l.ID]), l.Version, err
	}
	handle(s, operation{id: "list-bank-lines", method: "GET", path: "/v1/bank-accounts/{id}/lines", right: reading, tag: bankTag, summary: "List an account's lines, the newest day first, open ones with suggestions"},
		func(ctx context.Context, c *call, in *bankLinesInput) (*Body[List[BankLineView]], error) {
			i, err := pathID[ledger.Account](in.ID)
			if err != nil {
				return nil, err
			}
			var suggested map[bank.LineID][]bank.Suggestion
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[bank.Line], error) {
				found, err := bank.Lines(ctx, tx, i, in.State, q)
				if err != nil {
					return found, err
				}
				suggested, err = bank.Suggest(ctx, tx, i, found.Items)
				return found, err
			}, func(l bank.Line) BankLineView { return viewBankLine(l, suggested[l.ID]) })
		})
	handle(s, operation{id: "add-bank-line", method: "POST", path: "/v1/bank-accounts/{id}/lines", right: rightTo(authz.Create, authz.Bank), tag: bankTag, summary: "Add a line by hand", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *createUnder[BankLineBody]) (*Versioned[BankLineView], error) {
			i, err := pathID[ledger.Account](in.ID)
			if err != nil {
				return nil, err
			}
			line, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				l, err := bank.AddLine(ctx, tx, i, line)
				return l.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BankLineView, int, error) {
				return one(ctx, tx, bank.LineID{UUID: made})
			})
		})
	handle(s, operation{id: "get-bank-line", method: "GET", path: "/v1/bank-lines/{id}", right: reading, tag: bankTag, summary: "Read a line of a bank account"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[BankLineView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i bank.LineID) (BankLineView, int, error) { return one(ctx, tx, i) })
		})
	handle(s, operation{id: "match-bank-line", method: "POST", path: "/v1/bank-lines/{id}/match", right: changing, tag: bankTag, summary: "Match a line with invoices, bills, an entry, a transfer's other line, or book it to an account"},
		func(ctx context.Context, c *call, in *Change[BankMatchBody]) (*Versioned[BankLineView], error) {
			m, err := in.Body.match()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.LineID, version int) (BankLineView, int, error) {
				l, err := bank.MatchLine(ctx, tx, i, version, m)
				return viewBankLine(l, nil), l.Version, err
			})
		})
	for _, act := range []struct {
		name, summary string
		do            func(ctx context.Context, tx *tenant.Tx, i bank.LineID, version int) (bank.Line, error)
	}{{"undo", "Take a match back, and what was booked for it", bank.UndoMatch}, {"exclude", "Leave a line out that is there twice", bank.ExcludeLine}} {
		handle(s, operation{id: act.name + "-bank-line", method: "POST", path: "/v1/bank-lines/{id}/" + act.name, right: changing, tag: bankTag, summary: act.summary},
			func(ctx context.Context, c *call, in *Act) (*Versioned[BankLineView], error) {
				return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.LineID, version int) (BankLineView, int, error) {
					l, err := act.do(ctx, tx, i, version)
					return viewBankLine(l, nil), l.Version, err
				})
			})
	}
}
