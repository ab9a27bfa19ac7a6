package web

import (
	"bytes"
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
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

func viewBankAccount(a bank.Account) BankAccountView {
	v := BankAccountView{ID: a.ID.String(), Code: a.Code, Name: a.Name, BankName: a.BankName, LastFour: a.LastFour, Book: moneyOf(a.Book), Bank: moneyOf(a.Bank),
		Opening: moneyOf(a.Opening), Since: dateText(a.Since), Lines: a.Lines, ToLookAt: a.ToLookAt, ReconciledThrough: dateText(a.Reconciled)}
	if a.Stated != nil {
		stated := moneyOf(a.Stated.Amount)
		v.Stated, v.StatedOn = &stated, dateText(a.Stated.Date)
	}
	return v
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

type bankOutstandingInput struct {
	ID   string `path:"id" maxLength:"36"`
	Date string `query:"date" doc:"On the evening of this day; left out, today" maxLength:"10"`
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
