package web

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// BankDetailsBody is what a program writes about a bank account.
type BankDetailsBody struct {
	BankName string `json:"bank_name,omitempty" example:"AIB"`
	LastFour string `json:"last_four,omitempty" doc:"Of its number; files of other accounts are refused then" example:"5678"`
	Opening  string `json:"opening,omitempty" doc:"Balance before the first line, decimal; left out, it stays. Files that tell it set it" example:"1000.00"`
}

// OpenBankBody makes an account of the books one at a bank.
type OpenBankBody struct {
	AccountID string `json:"account_id" doc:"An account of kind asset"`
	Currency  string `json:"currency" doc:"ISO 4217" example:"EUR" maxLength:"3"`
	BankDetailsBody
}

// BankAccountView is a bank account as a program reads it.
type BankAccountView struct {
	ID                string  `json:"id" doc:"The account's id in the books"`
	Code              string  `json:"code"`
	Name              string  `json:"name"`
	BankName          string  `json:"bank_name,omitempty"`
	LastFour          string  `json:"last_four,omitempty"`
	Book              Money   `json:"book" doc:"In the books now"`
	Bank              Money   `json:"bank" doc:"The opening balance and all lines"`
	Opening           Money   `json:"opening" doc:"At the bank before the first line"`
	Since             *string `json:"since" doc:"The day of the first line"`
	Stated            *Money  `json:"stated" doc:"The newest balance that a file told of"`
	StatedOn          *string `json:"stated_on"`
	Lines             int     `json:"lines"`
	ToLookAt          int     `json:"to_look_at" doc:"Lines that are not matched"`
	ReconciledThrough *string `json:"reconciled_through"`
}

// BankMappingBody says how CSV files are read. Columns are counted from 1; 0 or none is no column.
type BankMappingBody struct {
	Divider    string `json:"divider" doc:"comma, semicolon, tab or bar" example:"semicolon"`
	Skip       int    `json:"skip" doc:"Rows before the first movement" minimum:"0" maximum:"100"`
	Date       int    `json:"date"`
	DateFormat string `json:"date_format" doc:"yyyy-mm-dd, dd.mm.yyyy, dd/mm/yyyy, mm/dd/yyyy, yyyymmdd, dd-mm-yyyy, yyyy/mm/dd, dd.mm.yy, dd/mm/yy, mm/dd/yy, d mmm yyyy or mmm d, yyyy" example:"dd.mm.yyyy"`
	Amount     int    `json:"amount,omitempty" doc:"With its sign; or in and out"`
	In         int    `json:"in,omitempty"`
	Out        int    `json:"out,omitempty"`
	Turned     bool   `json:"turned,omitempty" doc:"What goes out is above zero"`
	Comma      bool   `json:"comma,omitempty" doc:"Decimals stand behind a comma"`
	Memo       int    `json:"memo,omitempty"`
	More       int    `json:"more,omitempty"`
	Party      int    `json:"party,omitempty"`
	Reference  int    `json:"reference,omitempty"`
	ID         int    `json:"id,omitempty" doc:"The bank's own number of a line"`
}

// BankImportView says what became of a file.
type BankImportView struct {
	Format  string  `json:"format" doc:"ofx, camt or csv"`
	Lines   int     `json:"lines"`
	Added   int     `json:"added"`
	Known   int     `json:"known" doc:"There already"`
	Alike   int     `json:"alike" doc:"Of those added: another with the same day and amount is there"`
	Early   int     `json:"early" doc:"Not taken, since they lie before the days that are reconciled"`
	LeftOut int     `json:"left_out" doc:"No movements: not booked by the bank yet, or of nothing"`
	Booked  int     `json:"booked" doc:"By rules"`
	First   *string `json:"first"`
	Last    *string `json:"last"`
}

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
	Description string   `json:"description,omitempty" doc:"Of what is booked" maxLength:"120"`
}

// BankRuleBody is a rule.
type BankRuleBody struct {
	BankAccountID string `json:"bank_account_id,omitempty" doc:"Left out: all bank accounts"`
	Words         string `json:"words" doc:"Capital and small letters are the same" example:"monthly fee"`
	Way           string `json:"way" doc:"contains, starts or equals" example:"contains"`
	Direction     string `json:"direction,omitempty" doc:"in or out; left out, both"`
	Least         string `json:"least,omitempty" doc:"Decimal, without a sign"`
	Most          string `json:"most,omitempty"`
	AccountID     string `json:"account_id" doc:"Where lines are booked to"`
	Description   string `json:"description,omitempty" doc:"Of the entries"`
	Automatic     bool   `json:"automatic,omitempty" doc:"Books by itself when a file is imported; otherwise it is a suggestion"`
}

// BankRuleView is a rule as a program reads it.
type BankRuleView struct {
	ID string `json:"id"`
	BankRuleBody
	Position int `json:"position" doc:"The first that fits counts"`
}

// BankStatementBody is what stands on a bank's statement.
type BankStatementBody struct {
	EndsOn  string `json:"ends_on" example:"2026-10-31"`
	Closing Money  `json:"closing"`
}

// BankStatementView is a statement that an account is or was reconciled with.
type BankStatementView struct {
	ID         string     `json:"id"`
	AccountID  string     `json:"account_id"`
	EndsOn     string     `json:"ends_on"`
	Opening    Money      `json:"opening"`
	Cleared    Money      `json:"cleared" doc:"What its matched lines come to"`
	Closing    Money      `json:"closing"`
	Difference Money      `json:"difference" doc:"Nothing, when it can be finished"`
	Lines      int        `json:"lines"`
	ToLookAt   int        `json:"to_look_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

// BankOutstandingView explains what lies between books and bank: book + opening - booked + unseen = bank.
type BankOutstandingView struct {
	Date    string                `json:"date"`
	Book    Money                 `json:"book"`
	Opening Money                 `json:"opening" doc:"At the bank before its first line, and not in the books then"`
	Booked  Money                 `json:"booked" doc:"What the entries come to"`
	Unseen  Money                 `json:"unseen" doc:"What the lines come to"`
	Bank    Money                 `json:"bank"`
	Entries []BankOutstandingItem `json:"entries" doc:"Booked, and not at the bank yet"`
	Lines   []BankLineView        `json:"lines" doc:"At the bank, and not booked yet"`
}

// BankOutstandingItem is an entry that no line belongs to.
type BankOutstandingItem struct {
	EntryID     string `json:"entry_id"`
	Number      int64  `json:"number"`
	Date        string `json:"date"`
	Description string `json:"description"`
	Amount      Money  `json:"amount"`
}

func (b OpenBankBody) open(ctx context.Context, tx *tenant.Tx) (bank.Account, error) {
	i, err := bodyID[ledger.Account]("account_id", b.AccountID)
	if err != nil {
		return bank.Account{}, err
	}
	c, err := money.ParseCurrency(b.Currency)
	if err != nil {
		return bank.Account{}, at("currency", err)
	}
	d, err := bankDetails(b.BankName, b.LastFour, b.Opening, c)
	if err != nil {
		return bank.Account{}, err
	}
	return bank.OpenAccount(ctx, tx, i, c, d)
}

func (b BankMappingBody) mapping() bank.Mapping {
	c := func(n int) bank.Column { return bank.Column(n) }
	return bank.Mapping{Divider: bank.Dividers()[b.Divider], Skip: b.Skip, Date: c(b.Date), DateFormat: b.DateFormat, Amount: c(b.Amount), In: c(b.In), Out: c(b.Out),
		Turned: b.Turned, Comma: b.Comma, Memo: c(b.Memo), More: c(b.More), Party: c(b.Party), Reference: c(b.Reference), ID: c(b.ID)}
}

func viewBankMapping(m bank.Mapping) BankMappingBody {
	return BankMappingBody{m.DividerName(), m.Skip, int(m.Date), m.DateFormat, int(m.Amount), int(m.In), int(m.Out), m.Turned, m.Comma,
		int(m.Memo), int(m.More), int(m.Party), int(m.Reference), int(m.ID)}
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
	m.Say, m.KeepRest = b.Description, b.KeepRest
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

func (b BankRuleBody) input() (in bank.RuleInput, err error) {
	in = bank.RuleInput{Words: b.Words, Way: b.Way, Direction: b.Direction, Say: b.Description, Automatic: b.Automatic}
	var faults fault.List
	in.Bank, err = bodyID[ledger.Account]("bank_account_id", b.BankAccountID)
	faults.Add("", err)
	in.BookTo, err = bodyID[ledger.Account]("account_id", b.AccountID)
	faults.Add("", err)
	for _, bound := range []struct {
		field, text string
		kept        **decimal.Decimal
	}{{"least", b.Least, &in.Least}, {"most", b.Most, &in.Most}} {
		if bound.text == "" {
			continue
		}
		d, err := money.ParseDecimal(bound.text, bank.RuleIntDigits, bank.RuleFracDigits)
		faults.Add(bound.field, err)
		*bound.kept = &d
	}
	return in, faults.Err()
}

func (b BankStatementBody) input() (in bank.StatementInput, err error) {
	if in.EndsOn, err = bodyDate("ends_on", b.EndsOn); err != nil {
		return in, err
	}
	in.Closing, err = b.Closing.parse("closing")
	return in, err
}

func viewBankAccount(a bank.Account) BankAccountView {
	v := BankAccountView{ID: a.ID.String(), Code: a.Code, Name: a.Name, BankName: a.BankName, LastFour: a.LastFour, Book: moneyOf(a.Book), Bank: moneyOf(a.Bank),
		Opening: moneyOf(a.Opening), Since: dateText(a.Since), Lines: a.Lines, ToLookAt: a.ToLookAt, ReconciledThrough: dateText(a.Reconciled)}
	if a.Stated != nil {
		stated := moneyOf(a.Stated.Amount)
		v.Stated, v.StatedOn = &stated, dateText(a.Stated.Date)
	}
	return v
}

func viewBankLine(l bank.Line, suggested []bank.Suggestion) BankLineView {
	v := BankLineView{ID: l.ID.String(), AccountID: l.Account.String(), Date: l.Date.String(), Amount: moneyOf(l.Amount), PartyName: l.PartyName, Memo: l.Memo,
		Reference: l.Reference, State: string(l.How), EntryID: idText(l.Entry), RuleID: idText(l.Rule), StatementID: idText(l.Statement)}
	if l.How == bank.Open {
		v.State = bank.StateOpen
	}
	for _, s := range suggested {
		v.Suggestions = append(v.Suggestions, BankSuggestionView{Title: s.Title, Certainty: s.Certainty, Why: s.Why,
			BankMatchBody: BankMatchBody{InvoiceIDs: idTexts(s.Invoices), BillIDs: idTexts(s.Bills),
				EntryID: idText(s.Entry), OtherID: idText(s.Other), AccountID: idText(s.Book), Description: s.Say}})
	}
	return v
}

func viewBankRule(r bank.Rule) BankRuleView {
	bound := func(d *decimal.Decimal) string {
		if d == nil {
			return ""
		}
		return d.String()
	}
	return BankRuleView{ID: r.ID.String(), Position: r.Position, BankRuleBody: BankRuleBody{idText(r.Bank), r.Words, r.Way, r.Direction, bound(r.Least), bound(r.Most),
		r.BookTo.String(), r.Say, r.Automatic}}
}

func viewBankStatement(s bank.Statement) (BankStatementView, int, error) {
	difference, err := s.Difference()
	return BankStatementView{s.ID.String(), s.Account.String(), s.EndsOn.String(), moneyOf(s.Opening), moneyOf(s.Cleared), moneyOf(s.Closing), moneyOf(difference),
		s.Lines, s.ToLookAt, s.Finished}, s.Version, err
}

func viewBankImport(format bank.Format, d bank.Imported) BankImportView {
	return BankImportView{string(format), d.Lines, d.Added, d.Known, d.Alike, d.Early, d.LeftOut, d.Booked, dateText(d.First), dateText(d.Last)}
}

func viewBankOutstanding(o bank.Outstanding) BankOutstandingView {
	v := BankOutstandingView{Date: o.Date.String(), Book: moneyOf(o.Book), Opening: moneyOf(o.Opening), Booked: moneyOf(o.Booked), Unseen: moneyOf(o.Unseen), Bank: moneyOf(o.Bank),
		Entries: []BankOutstandingItem{}, Lines: []BankLineView{}}
	for _, e := range o.Entries {
		v.Entries = append(v.Entries, BankOutstandingItem{e.ID.String(), e.Number, e.Date.String(), e.Say, moneyOf(e.Amount)})
	}
	for _, l := range o.Lines {
		v.Lines = append(v.Lines, viewBankLine(l, nil))
	}
	return v
}

type bankUpload struct {
	ID      string `path:"id" maxLength:"36"`
	Name    string `query:"name" doc:"Of the file, for what is said of it" maxLength:"400"`
	Preview bool   `query:"preview" doc:"Say what would be done, and do nothing"`
	RawBody []byte `contentType:"application/octet-stream"`
}

type bankLinesInput struct {
	PageInput
	ID    string `path:"id" maxLength:"36"`
	State string `query:"state" doc:"open, matched or excluded; left out, all" maxLength:"10"`
}

type bankOutstandingInput struct {
	ID   string `path:"id" maxLength:"36"`
	Date string `query:"date" doc:"On the evening of this day; left out, today" maxLength:"10"`
}

// createUnder is a creating request for something that belongs to another.
type createUnder[T any] struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, it is done once" maxLength:"100"`
	ID             string `path:"id" maxLength:"36"`
	Body           T
}

const bankTag = "Bank"

func (s *Server) registerBankAPI() {
	s.registerBankAccountAPI()
	s.registerBankLineAPI()
	s.registerBankRuleAPI()
	s.registerBankStatementAPI()
}

func (s *Server) registerBankAccountAPI() {
	reading, changing := rightTo(authz.Read, authz.Bank), rightTo(authz.Change, authz.Bank)
	one := func(ctx context.Context, tx *tenant.Tx, i ledger.AccountID) (BankAccountView, int, error) {
		a, err := bank.AccountByID(ctx, tx, i)
		return viewBankAccount(a), a.Version, err
	}
	handle(s, operation{id: "list-bank-accounts", method: "GET", path: "/v1/bank-accounts", right: reading, tag: bankTag, summary: "List bank accounts, by code"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[BankAccountView]], error) {
			return bankList(ctx, c, func(tx *tenant.Tx) ([]bank.Account, error) { return bank.Accounts(ctx, tx) }, viewBankAccount)
		})
	handle(s, operation{id: "open-bank-account", method: "POST", path: "/v1/bank-accounts", right: rightTo(authz.Create, authz.Bank), tag: bankTag, summary: "Make an account of the books one at a bank", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[OpenBankBody]) (*Versioned[BankAccountView], error) {
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				a, err := in.Body.open(ctx, tx)
				return a.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BankAccountView, int, error) {
				return one(ctx, tx, id.Of[ledger.Account]{UUID: made})
			})
		})
	handle(s, operation{id: "get-bank-account", method: "GET", path: "/v1/bank-accounts/{id}", right: reading, tag: bankTag, summary: "Read a bank account"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[BankAccountView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i ledger.AccountID) (BankAccountView, int, error) { return one(ctx, tx, i) })
		})
	handle(s, operation{id: "change-bank-account", method: "PATCH", path: "/v1/bank-accounts/{id}", right: changing, tag: bankTag, summary: "Change a bank account's details"},
		func(ctx context.Context, c *call, in *Change[BankDetailsBody]) (*Versioned[BankAccountView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i ledger.AccountID, version int) (BankAccountView, int, error) {
				a, err := bank.AccountByID(ctx, tx, i)
				if err != nil {
					return BankAccountView{}, 0, err
				}
				d, err := bankDetails(in.Body.BankName, in.Body.LastFour, in.Body.Opening, a.Currency)
				if err != nil {
					return BankAccountView{}, 0, err
				}
				a, err = bank.ChangeAccount(ctx, tx, i, version, d)
				return viewBankAccount(a), a.Version, err
			})
		})
	handle(s, operation{id: "map-bank-files", method: "PUT", path: "/v1/bank-accounts/{id}/mapping", right: changing, tag: bankTag, summary: "Say how a bank account's CSV files are read"},
		func(ctx context.Context, c *call, in *Change[BankMappingBody]) (*Versioned[BankMappingBody], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i ledger.AccountID, _ int) (BankMappingBody, int, error) {
				m := in.Body.mapping()
				return viewBankMapping(m), 0, bank.KeepMapping(ctx, tx, i, m)
			})
		})
	handle(s, operation{id: "import-bank-file", method: "POST", path: "/v1/bank-accounts/{id}/files", right: rightTo(authz.Create, authz.Bank), tag: bankTag, summary: "Import a bank's file; no line is taken twice", file: true,
		more: " The body is the file itself: OFX, QFX, CAMT.053 or CSV, at most 10 MB. CSV is read as the account's mapping says, and without one as it seems to be."},
		func(ctx context.Context, c *call, in *bankUpload) (*Body[BankImportView], error) {
			return importBankFile(ctx, c, in)
		})
	handle(s, operation{id: "get-bank-outstanding", method: "GET", path: "/v1/bank-accounts/{id}/outstanding", right: reading, tag: bankTag, summary: "What lies between the books and the bank on a day"},
		func(ctx context.Context, c *call, in *bankOutstandingInput) (*Versioned[BankOutstandingView], error) {
			day, err := bodyDate("date", in.Date)
			if err != nil {
				return nil, err
			}
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i ledger.AccountID) (BankOutstandingView, int, error) {
				o, err := bank.OutstandingOn(ctx, tx, i, day)
				return viewBankOutstanding(o), 0, err
			})
		})
}

// bankList answers with a list that is short enough to be whole.
func bankList[E, T any](ctx context.Context, c *call, fetch func(tx *tenant.Tx) ([]E, error), view func(E) T) (*Body[List[T]], error) {
	out := &Body[List[T]]{}
	err := c.do(ctx, func(tx *tenant.Tx) error {
		all, err := fetch(tx)
		out.Body.Items = make([]T, 0, len(all))
		for _, e := range all {
			out.Body.Items = append(out.Body.Items, view(e))
		}
		return err
	})
	return out, err
}

func importBankFile(ctx context.Context, c *call, in *bankUpload) (*Body[BankImportView], error) {
	i, err := pathID[ledger.Account](in.ID)
	if err != nil {
		return nil, err
	}
	content := bytes.Clone(in.RawBody)
	out := &Body[BankImportView]{}
	err = c.do(ctx, func(tx *tenant.Tx) error {
		a, err := bank.AccountByID(ctx, tx, i)
		if err != nil {
			return err
		}
		m, err := bankMapping(a, in.Name, content)
		if err != nil {
			return err
		}
		f, err := bank.Read(in.Name, content, bank.Wanted{Currency: a.Currency, LastFour: a.LastFour}, m)
		if err != nil {
			return err
		}
		var done bank.Imported
		if in.Preview {
			done, err = bank.Preview(ctx, tx, i, f)
		} else {
			done, err = bank.ImportFile(ctx, tx, i, f)
		}
		out.Body = viewBankImport(f.Format, done)
		return err
	})
	return out, err
}

// bankMapping is how a file is read that came without a word: as the account's mapping says, where there is one.
func bankMapping(a bank.Account, name string, content []byte) (*bank.Mapping, error) {
	isCSV, err := bank.IsCSV(name, content)
	if err != nil || !isCSV {
		return nil, err
	}
	return a.Mapping, nil
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

func (s *Server) registerBankRuleAPI() {
	changing := rightTo(authz.Change, authz.Bank)
	handle(s, operation{id: "list-bank-rules", method: "GET", path: "/v1/bank-rules", right: rightTo(authz.Read, authz.Bank), tag: bankTag, summary: "List rules in their order"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[BankRuleView]], error) {
			return bankList(ctx, c, func(tx *tenant.Tx) ([]bank.Rule, error) { return bank.Rules(ctx, tx) }, viewBankRule)
		})
	handle(s, operation{id: "add-bank-rule", method: "POST", path: "/v1/bank-rules", right: rightTo(authz.Create, authz.Bank), tag: bankTag, summary: "Add a rule behind the others", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[BankRuleBody]) (*Versioned[BankRuleView], error) {
			rule, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				r, err := bank.AddRule(ctx, tx, rule)
				return r.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BankRuleView, int, error) {
				r, err := bank.RuleByID(ctx, tx, bank.RuleID{UUID: made})
				return viewBankRule(r), r.Version, err
			})
		})
	handle(s, operation{id: "get-bank-rule", method: "GET", path: "/v1/bank-rules/{id}", right: rightTo(authz.Read, authz.Bank), tag: bankTag, summary: "Read a rule"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[BankRuleView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i bank.RuleID) (BankRuleView, int, error) {
				r, err := bank.RuleByID(ctx, tx, i)
				return viewBankRule(r), r.Version, err
			})
		})
	handle(s, operation{id: "change-bank-rule", method: "PUT", path: "/v1/bank-rules/{id}", right: changing, tag: bankTag, summary: "Change a rule for the files to come"},
		func(ctx context.Context, c *call, in *Change[BankRuleBody]) (*Versioned[BankRuleView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.RuleID, version int) (BankRuleView, int, error) {
				rule, err := in.Body.input()
				if err != nil {
					return BankRuleView{}, 0, err
				}
				r, err := bank.ChangeRule(ctx, tx, i, version, rule)
				return viewBankRule(r), r.Version, err
			})
		})
	handle(s, operation{id: "raise-bank-rule", method: "POST", path: "/v1/bank-rules/{id}/raise", right: changing, tag: bankTag, summary: "Let a rule count before the one above it"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[BankRuleView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.RuleID, _ int) (BankRuleView, int, error) {
				r, err := bank.RaiseRule(ctx, tx, i)
				return viewBankRule(r), r.Version, err
			})
		})
	handle(s, operation{id: "delete-bank-rule", method: "DELETE", path: "/v1/bank-rules/{id}", right: rightTo(authz.Delete, authz.Bank), tag: bankTag, summary: "Delete a rule; what it booked stays", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *Act) (*struct{}, error) {
			_, err := change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.RuleID, version int) (struct{}, int, error) {
				return struct{}{}, 0, bank.DeleteRule(ctx, tx, i, version)
			})
			return nil, err
		})
}

func (s *Server) registerBankStatementAPI() {
	reading, changing := rightTo(authz.Read, authz.Bank), rightTo(authz.Change, authz.Bank)
	one := func(ctx context.Context, tx *tenant.Tx, i bank.StatementID) (BankStatementView, int, error) {
		s, err := bank.StatementByID(ctx, tx, i)
		if err != nil {
			return BankStatementView{}, 0, err
		}
		return viewBankStatement(s)
	}
	handle(s, operation{id: "list-bank-statements", method: "GET", path: "/v1/bank-accounts/{id}/statements", right: reading, tag: bankTag, summary: "List an account's statements, the newest first"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[List[BankStatementView]], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i ledger.AccountID) (List[BankStatementView], int, error) {
				out := List[BankStatementView]{Items: []BankStatementView{}}
				all, err := bank.Statements(ctx, tx, i)
				for _, s := range all {
					view, _, err := viewBankStatement(s)
					if err != nil {
						return out, 0, err
					}
					out.Items = append(out.Items, view)
				}
				return out, 0, err
			})
		})
	handle(s, operation{id: "begin-bank-statement", method: "POST", path: "/v1/bank-accounts/{id}/statements", right: changing, tag: bankTag, summary: "Begin to reconcile an account with a statement", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *createUnder[BankStatementBody]) (*Versioned[BankStatementView], error) {
			i, err := pathID[ledger.Account](in.ID)
			if err != nil {
				return nil, err
			}
			statement, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				s, err := bank.BeginStatement(ctx, tx, i, statement)
				return s.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BankStatementView, int, error) {
				return one(ctx, tx, bank.StatementID{UUID: made})
			})
		})
	handle(s, operation{id: "get-bank-statement", method: "GET", path: "/v1/bank-statements/{id}", right: reading, tag: bankTag, summary: "Read a statement"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[BankStatementView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i bank.StatementID) (BankStatementView, int, error) { return one(ctx, tx, i) })
		})
	handle(s, operation{id: "change-bank-statement", method: "PUT", path: "/v1/bank-statements/{id}", right: changing, tag: bankTag, summary: "Change the day and balance of a statement that is under way"},
		func(ctx context.Context, c *call, in *Change[BankStatementBody]) (*Versioned[BankStatementView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.StatementID, version int) (BankStatementView, int, error) {
				statement, err := in.Body.input()
				if err != nil {
					return BankStatementView{}, 0, err
				}
				s, err := bank.ChangeStatement(ctx, tx, i, version, statement)
				if err != nil {
					return BankStatementView{}, 0, err
				}
				return viewBankStatement(s)
			})
		})
	for _, act := range []struct {
		name, summary string
		right         authz.Right
		do            func(ctx context.Context, tx *tenant.Tx, i bank.StatementID, version int) (bank.Statement, error)
	}{{"finish", "Finish a statement whose matched lines come to its balance; they are locked", changing, bank.FinishStatement},
		{"reopen", "Reopen the newest statement", rightTo(authz.Approve, authz.Bank), bank.ReopenStatement}} {
		handle(s, operation{id: act.name + "-bank-statement", method: "POST", path: "/v1/bank-statements/{id}/" + act.name, right: act.right, tag: bankTag, summary: act.summary},
			func(ctx context.Context, c *call, in *Act) (*Versioned[BankStatementView], error) {
				return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.StatementID, version int) (BankStatementView, int, error) {
					s, err := act.do(ctx, tx, i, version)
					if err != nil {
						return BankStatementView{}, 0, err
					}
					return viewBankStatement(s)
				})
			})
	}
	handle(s, operation{id: "discard-bank-statement", method: "DELETE", path: "/v1/bank-statements/{id}", right: changing, tag: bankTag, summary: "Give up a statement that is under way", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *Act) (*struct{}, error) {
			_, err := change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.StatementID, version int) (struct{}, int, error) {
				return struct{}{}, 0, bank.DiscardStatement(ctx, tx, i, version)
			})
			return nil, err
		})
}
