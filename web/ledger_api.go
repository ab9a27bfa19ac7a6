package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

var (
	errSide     = fault.New(fault.Invalid, "entry.side", "Give each line a debit or a credit, not both.")
	errNegative = fault.New(fault.Invalid, "entry.negative", "A debit or credit is more than nothing. Use the other side instead of a minus.")
)

// AccountBody is what a program writes about an account.
type AccountBody struct {
	Code string `json:"code" doc:"Unique; accounts are sorted by it" example:"6300"`
	Name string `json:"name" example:"Travel"`
	Kind string `json:"kind" doc:"asset, liability, equity, income or expense" example:"expense"`
}

// AccountView is an account as a program reads it.
type AccountView struct {
	ID string `json:"id"`
	AccountBody
	Purpose  string `json:"purpose,omitempty" doc:"What the books themselves post to it for: receivable, bank, income, tax, equity"`
	Archived bool   `json:"archived"`
}

// AccountName is a new name for an account.
type AccountName struct {
	Name string `json:"name"`
}

// EntryBody is a journal entry to be posted.
type EntryBody struct {
	Date        string          `json:"date" example:"2026-11-21"`
	Description string          `json:"description"`
	Lines       []EntryLineBody `json:"lines" doc:"Two or more; debits equal credits in each currency" maxItems:"500"`
}

// EntryLineBody is one line: a debit or a credit.
type EntryLineBody struct {
	AccountID string `json:"account_id"`
	Debit     *Money `json:"debit,omitempty"`
	Credit    *Money `json:"credit,omitempty"`
	PartyID   string `json:"party_id,omitempty" doc:"The customer that it is about"`
	Memo      string `json:"memo,omitempty"`
}

// EntryView is a posted journal entry.
type EntryView struct {
	ID          string          `json:"id"`
	Number      int64           `json:"number"`
	Date        string          `json:"date"`
	Description string          `json:"description"`
	Source      string          `json:"source" doc:"manual, reversal, invoice or payment"`
	SourceID    string          `json:"source_id,omitempty"`
	Reverses    string          `json:"reverses,omitempty" doc:"The entry that this one undoes"`
	ReversedBy  string          `json:"reversed_by,omitempty" doc:"The entry that undoes this one"`
	PostedAt    time.Time       `json:"posted_at"`
	PostedBy    string          `json:"posted_by,omitempty"`
	Lines       []EntryLineView `json:"lines"`
}

// EntryLineView is one line of an entry.
type EntryLineView struct {
	AccountID   string `json:"account_id"`
	AccountCode string `json:"account_code"`
	AccountName string `json:"account_name"`
	Debit       *Money `json:"debit,omitempty"`
	Credit      *Money `json:"credit,omitempty"`
	PartyID     string `json:"party_id,omitempty"`
	Memo        string `json:"memo,omitempty"`
}

// ReversalBody says when and why an entry is undone.
type ReversalBody struct {
	Date        string `json:"date,omitempty" doc:"Left out, today"`
	Description string `json:"description,omitempty"`
}

type reversal struct {
	ID             string `path:"id" maxLength:"36"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"100"`
	Body           ReversalBody
}

func (b EntryBody) posting() (p ledger.Posting, err error) {
	var faults fault.List
	keep := func(err error) { faults.Add("", err) }
	p = ledger.Posting{Description: b.Description, Source: ledger.SourceManual}
	p.Date, err = bodyDate("date", b.Date)
	keep(err)
	for i, l := range b.Lines {
		line, err := l.line(fmt.Sprintf("lines[%d]", i))
		keep(err)
		p.Lines = append(p.Lines, line)
	}
	return p, faults.Err()
}

func (b EntryLineBody) line(field string) (l ledger.Line, err error) {
	l.Memo = b.Memo
	if l.Account, err = bodyID[ledger.Account](field+".account_id", b.AccountID); err != nil {
		return l, err
	}
	party, err := bodyID[struct{}](field+".party_id", b.PartyID)
	if err != nil {
		return l, err
	}
	l.Party = party.UUID
	side, given := "debit", b.Debit
	switch {
	case b.Debit != nil && b.Credit == nil:
	case b.Credit != nil && b.Debit == nil:
		side, given = "credit", b.Credit
	default:
		return l, errSide.At(field)
	}
	if l.Amount, err = given.parse(field + "." + side); err != nil {
		return l, err
	}
	if l.Amount.Sign() < 0 {
		return l, errNegative.At(field + "." + side)
	}
	if side == "credit" {
		l.Amount.Minor = -l.Amount.Minor
	}
	return l, nil
}

func viewAccount(a ledger.Account) AccountView {
	return AccountView{ID: a.ID.String(), Purpose: string(a.Purpose), Archived: a.Archived,
		AccountBody: AccountBody{Code: a.Code, Name: a.Name, Kind: string(a.Kind)}}
}

func viewEntry(e ledger.Entry) EntryView {
	v := EntryView{ID: e.ID.String(), Number: e.Number, Date: e.Date.String(), Description: e.Description, Source: string(e.Source),
		Reverses: idText(e.Reverses), ReversedBy: idText(e.ReversedBy), PostedAt: e.PostedAt, PostedBy: e.PostedByName, Lines: []EntryLineView{}}
	if e.SourceID != uuid.Nil {
		v.SourceID = e.SourceID.String()
	}
	for _, l := range e.Lines {
		line := EntryLineView{AccountID: l.Account.String(), AccountCode: l.AccountCode, AccountName: l.AccountName, Memo: l.Memo}
		if l.Party != uuid.Nil {
			line.PartyID = l.Party.String()
		}
		amount := moneyOf(l.Amount)
		if l.Amount.Minor > 0 {
			line.Debit = &amount
		} else {
			amount.Amount = amount.Amount[1:] // a credit is written without its minus
			line.Credit = &amount
		}
		v.Lines = append(v.Lines, line)
	}
	return v
}

type entryListInput struct {
	PageInput
	AccountID string `query:"account_id" doc:"Entries with a line on this account" maxLength:"36"`
	From      string `query:"from" maxLength:"10"`
	To        string `query:"to" maxLength:"10"`
}

func (s *Server) registerLedgerAPI() {
	s.registerAccountAPI()
	const tag = "Journal"
	one := func(ctx context.Context, tx *tenant.Tx, i ledger.EntryID) (EntryView, int, error) {
		v, err := ledger.EntryByID(ctx, tx, i)
		return viewEntry(v), 0, err
	}
	handle(s, operation{id: "list-entries", method: "GET", path: "/v1/journal-entries", right: authz.Right{Module: authz.Journal, Action: authz.Read}, tag: tag, summary: "List journal entries, newest first"},
		func(ctx context.Context, c *call, in *entryListInput) (*Body[List[EntryView]], error) {
			var filter ledger.EntryFilter
			var err error
			if filter.Account, err = bodyID[ledger.Account]("account_id", in.AccountID); err != nil {
				return nil, err
			}
			if filter.From, err = bodyDate("from", in.From); err != nil {
				return nil, err
			}
			if filter.To, err = bodyDate("to", in.To); err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[ledger.Entry], error) {
				return ledger.Entries(ctx, tx, filter, q)
			}, viewEntry)
		})
	handle(s, operation{id: "post-entry", method: "POST", path: "/v1/journal-entries", right: authz.Right{Module: authz.Journal, Action: authz.Create}, tag: tag, summary: "Post a journal entry", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[EntryBody]) (*Versioned[EntryView], error) {
			posting, err := in.Body.posting()
			if err != nil {
				return nil, err
			}
			var posted ledger.Entry
			return create(ctx, c, func(tx *tenant.Tx) (_ uuid.UUID, err error) {
				posted, err = ledger.Post(ctx, tx, posting)
				return posted.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (EntryView, int, error) {
				if posted.ID.UUID == made {
					return viewEntry(posted), 0, nil
				}
				return one(ctx, tx, id.Of[ledger.Entry]{UUID: made})
			})
		})
	handle(s, operation{id: "get-entry", method: "GET", path: "/v1/journal-entries/{id}", right: authz.Right{Module: authz.Journal, Action: authz.Read}, tag: tag, summary: "Read a journal entry"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[EntryView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i ledger.EntryID) (EntryView, int, error) { return one(ctx, tx, i) })
		})
	handle(s, operation{id: "reverse-entry", method: "POST", path: "/v1/journal-entries/{id}/reverse", right: authz.Right{Module: authz.Journal, Action: authz.Change}, tag: tag, summary: "Undo an entry by a second one", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *reversal) (*Versioned[EntryView], error) {
			i, err := pathID[ledger.Entry](in.ID)
			if err != nil {
				return nil, err
			}
			date, err := bodyDate("date", in.Body.Date)
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := ledger.Reverse(ctx, tx, i, date, in.Body.Description)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (EntryView, int, error) {
				return one(ctx, tx, id.Of[ledger.Entry]{UUID: made})
			})
		})
}

func (s *Server) registerAccountAPI() {
	const tag = "Accounts"
	handle(s, operation{id: "list-accounts", method: "GET", path: "/v1/accounts", right: authz.Right{Module: authz.Accounts, Action: authz.Read}, tag: tag, summary: "The chart of accounts, by code"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[AccountView]], error) {
			out := &Body[List[AccountView]]{Body: List[AccountView]{Items: []AccountView{}}}
			err := c.do(ctx, func(tx *tenant.Tx) error {
				accounts, err := ledger.Accounts(ctx, tx)
				out.Body.Items = out.Body.Items[:0] // it may run twice
				for _, a := range accounts {
					out.Body.Items = append(out.Body.Items, viewAccount(a))
				}
				return err
			})
			return out, err
		})
	handle(s, operation{id: "add-account", method: "POST", path: "/v1/accounts", right: authz.Right{Module: authz.Accounts, Action: authz.Create}, tag: tag, summary: "Add an account to the chart", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[AccountBody]) (*Versioned[AccountView], error) {
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := ledger.AddAccount(ctx, tx, ledger.AccountInput{Code: in.Body.Code, Name: in.Body.Name, Kind: ledger.Kind(in.Body.Kind)})
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (AccountView, int, error) {
				v, err := ledger.AccountByID(ctx, tx, id.Of[ledger.Account]{UUID: made})
				return viewAccount(v), v.Version, err
			})
		})
	handle(s, operation{id: "get-account", method: "GET", path: "/v1/accounts/{id}", right: authz.Right{Module: authz.Accounts, Action: authz.Read}, tag: tag, summary: "Read an account"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[AccountView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i ledger.AccountID) (AccountView, int, error) {
				v, err := ledger.AccountByID(ctx, tx, i)
				return viewAccount(v), v.Version, err
			})
		})
	handle(s, operation{id: "rename-account", method: "PATCH", path: "/v1/accounts/{id}", right: authz.Right{Module: authz.Accounts, Action: authz.Change}, tag: tag, summary: "Rename an account"},
		func(ctx context.Context, c *call, in *Change[AccountName]) (*Versioned[AccountView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i ledger.AccountID, version int) (AccountView, int, error) {
				v, err := ledger.RenameAccount(ctx, tx, i, version, in.Body.Name)
				return viewAccount(v), v.Version, err
			})
		})
	handle(s, operation{id: "archive-account", method: "POST", path: "/v1/accounts/{id}/archive", right: authz.Right{Module: authz.Accounts, Action: authz.Delete}, tag: tag, summary: "Archive an account whose balance is zero"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[AccountView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i ledger.AccountID, version int) (AccountView, int, error) {
				v, err := ledger.ArchiveAccount(ctx, tx, i, version)
				return viewAccount(v), v.Version, err
			})
		})
}
