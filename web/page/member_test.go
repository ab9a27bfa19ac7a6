package page

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/internal/webhook"
)

var (
	today = civil.On(2026, time.November, 23)
	hugh  = billing.Customer{ID: id.New[billing.Customer](), Name: "Hugh O’Reilly <b>", Company: "Apple & Co", Email: "hugh@apple.example",
		Street: "3 Chatham Street", City: "Dublin", Country: "IE", Version: 2}
	vat     = tax.Rate{ID: id.New[tax.Rate](), Code: "VAT23", Name: "VAT 23 %", Percent: decimal.NewFromInt(23)}
	current = ledger.Account{ID: id.New[ledger.Account](), Code: "1010", Name: "Current account", Kind: ledger.KindAsset, Purpose: ledger.Bank, Version: 1}
)

func sampleTabs() Tabs {
	return Tabs{Label: "By state", Tabs: []Tab{{Label: "All", URL: "/o/tidewater/invoices", Count: 14, Counted: true, Current: true}, {Label: "Drafts", URL: "/o/tidewater/invoices?standing=draft"}}}
}

func samplePeriods() Periods {
	return Periods{Label: "Issued", URL: "/o/tidewater/invoices", From: "2026-01-02", Keep: map[string]string{"q": "x"},
		Options: []Tab{{Label: "Any day", URL: "/o/tidewater/invoices?q=x"}, {Label: "This month", URL: "/o/tidewater/invoices?period=this-month", Current: true}}}
}

func sampleCash() []CashDay {
	return []CashDay{{Day: today.AddDays(-14), Cash: euros(-120000)}, {Day: today.AddDays(-7), Cash: euros(310000)}, {Day: today, Cash: euros(420000)}, {Day: today.AddDays(7), Cash: euros(380050), Ahead: true}}
}

func sampleAct() Act {
	return Act{URL: "/o/tidewater/customers/x/archive", Label: "Archive", Icon: "archive", Key: "k", Version: 3, Ask: "It leaves the lists.", Does: "Archive it"}
}

func sampleInvoice(state string) billing.Invoice {
	i := billing.Invoice{InvoiceHead: billing.InvoiceHead{ID: id.New[billing.Invoice](), DocumentHead: billing.DocumentHead{
		State: state, Customer: hugh, IssueDate: today.AddDays(-30), DueDate: today.AddDays(-2), Currency: eur,
		Reference: "HOR-88", Note: "Thank you.", Net: euros(320000), Tax: euros(73600), Total: euros(393600), Settled: euros(0),
		CreatedAt: now.Add(-time.Hour), Version: 2, Today: today, PurchaseOrder: "PO 7", Language: locale.French,
	}}, DocumentBody: billing.DocumentBody{PricesWithTax: true, Discount: euros(1000), Lines: []billing.InvoiceLine{{
		Line: 1, Description: "Studio A,\nfull day", Quantity: decimal.RequireFromString("3.500"), UnitPrice: decimal.RequireFromString("0.0125"),
		DiscountPercent: decimal.NewFromInt(10), Net: euros(320000),
		Taxes: []billing.LineTax{{Rate: vat.ID, Code: vat.Code, Name: vat.Name, Percent: vat.Percent, Base: euros(320000), Amount: euros(73600)}},
	}}}}
	if state == billing.Issued {
		i.Number, i.IssuedAt, i.EntryNumber, i.Entry = "TW-2026-0147", now, 898, id.New[ledger.Entry]()
		i.Settled = euros(150000)
		i.Credits = []billing.CreditApplied{{CreditNote: id.New[billing.CreditNote](), Invoice: i.ID, Number: "CN-0001", Date: today, Amount: euros(100)}}
		i.Payments = []billing.InvoicePayment{{ID: id.New[billing.Payment](), Date: today, Amount: euros(150000), Method: billing.BankTransfer, Reference: "SEPA 12"}}
	}
	return i
}

func sampleCreditNote() billing.CreditNote {
	i := sampleInvoice(billing.Issued)
	n := billing.CreditNote{CreditNoteHead: billing.CreditNoteHead{ID: id.New[billing.CreditNote](), DocumentHead: i.DocumentHead}, DocumentBody: i.DocumentBody}
	n.Number, n.OriginNumber, n.Origin = "CN-0001", "INV-0001", id.New[billing.Document]()
	n.Applied = []billing.CreditApplied{{CreditNote: n.ID, Invoice: i.ID, Number: i.Number, Date: today, Amount: euros(100000)}}
	n.Refunds = []billing.InvoicePayment{{ID: id.New[billing.Payment](), Date: today, Amount: euros(-50000), Method: billing.Cash}}
	return n
}

func sampleQuote(state string) billing.Quote {
	i := sampleInvoice(billing.Issued)
	q := billing.Quote{QuoteHead: billing.QuoteHead{ID: id.New[billing.Quote](), DocumentHead: i.DocumentHead}, DocumentBody: i.DocumentBody}
	q.State, q.DueDate, q.Settled = state, today, euros(0)
	if state == billing.Accepted {
		q.AcceptedBy, q.ClosedAt, q.Invoice, q.InvoiceNumber = "Ada", now, i.ID, i.Number
	}
	return q
}

func sampleEntry() ledger.Entry {
	line := func(minor int64) ledger.EntryLine {
		return ledger.EntryLine{Line: ledger.Line{Account: current.ID, Amount: euros(minor), Memo: "Share"}, AccountCode: "1010", AccountName: "Current account", PartyName: "Hugh"}
	}
	return ledger.Entry{ID: id.New[ledger.Entry](), Number: 898, Date: today, Description: "Capital", Source: ledger.SourceManual, PostedAt: now, PostedByName: "Mara",
		Lines: []ledger.EntryLine{line(2500), line(-2500)}}
}

func sampleGroups() []LedgerGroup {
	row := LedgerAccount{Account: current, URL: "/o/tidewater/ledger?account=x#open", Opening: euros(100), Debit: euros(50), Credit: euros(400), Closing: euros(-250), Open: true, First: true, More: true,
		Lines: []LedgerLine{{Entry: id.New[ledger.Entry](), Number: 4, Date: today, Say: "Capital", Debit: euros(0), Credit: euros(400), Balance: euros(-300)}}}
	return []LedgerGroup{{Name: "Assets", Accounts: []LedgerAccount{row}}}
}

var (
	sampleGateway = billing.GatewayAccount{ID: id.New[billing.GatewayAccount](), Kind: gateway.Stripe, Name: "Card", Hint: "ab12", AccountCode: "1030", Version: 2}
	sampleIntent  = billing.Intent{ID: id.New[billing.Intent](), Kind: billing.IntentPage, State: billing.IntentSucceeded, GatewayName: "Card", InvoiceNumber: "1",
		Currency: eur, Minor: 100, Left: 100, CreatedAt: now, SettledAt: &now}
	sampleCardNumber = billing.PaymentMethod{ID: id.New[billing.PaymentMethod](), Kind: billing.MethodCard, Brand: "amex", LastFour: "0005", Expires: "2031-04", GatewayName: "Practice", CreatedAt: now}
	sampleMethod     = billing.PaymentMethod{ID: id.New[billing.PaymentMethod](), Kind: billing.MethodToken, Brand: "visa", LastFour: "4242", GatewayName: "Card", CreatedAt: now}
)

func sampleWebhook(event string) webhook.Endpoint {
	e := webhook.Endpoint{ID: id.New[webhook.Endpoint](), Name: "Shop", URL: "https://shop.example/hooks", Events: []string{event}, CreatedAt: now, FormerUntil: &now, Version: 2}
	if event != "*" {
		e.FailingSince, e.DisabledAt, e.DisabledFor = &now, &now, webhook.Failing
	}
	return e
}

func sampleTextGateway() phone.Gateway {
	return phone.Gateway{ID: id.New[phone.Gateway](), Kind: phone.Twilio, Name: "Ours", URL: "https://api.twilio.com", Account: "AC1", Hint: "abcd", Sender: "+353860123456",
		Sends: "text call", Turn: 1, Trouble: "refused 401 20003", TroubleAt: &now, Version: 2}
}

func memberSamples() map[string]any {
	shell := func(title, nav string) Shell { return sampleShell(title, nav) }
	column := ColumnOf(eur)
	missing := fault.New(fault.Invalid, "text.missing", "This cannot be empty.")
	form := func(key string, faults ...*fault.Error) Form {
		f := refused(NewForm("version", "3", "scopes", "invoices:read"), faults...)
		f.Key = key
		return f
	}
	issued, draft := sampleInvoice(billing.Issued), sampleInvoice(billing.Draft)
	table := NewInvoiceTable(shell("Invoices", "invoices"), eur, []billing.InvoiceHead{issued.InvoiceHead, draft.InvoiceHead})
	find := Find{URL: "/o/tidewater/customers", Search: "hugh", Label: "Name", Keep: map[string]string{"archived": "yes"}}
	table.Choose = "chosen"
	table = table.WithSums(eur, []billing.InvoiceSum{{Invoices: 2, Counted: 1, Total: euros(393600), Open: euros(243600)}, {Invoices: 1, Counted: 1, TooLarge: true}})
	owed := []Owed{{Amount: euros(1894250), Overdue: euros(431000), Invoices: 9}}
	ends := now.AddDate(0, 1, 0)
	token := identity.Token{ID: id.New[identity.Token](), Name: "Shop", Hint: "ch_ab12", Scopes: []string{"invoices:read"}, MakerName: "Mara", CreatedAt: now, ExpiresAt: &ends, FormerUntil: &ends, FormerUsedAt: &ends}
	months := []Month{{civil.On(2026, 10, 1), euros(1360000), euros(1020000), "/x"}, {civil.On(2026, 11, 1), euros(1190000), euros(-870000), "/y"}}
	editor := sampleEditor(form("k", missing.At("lines[0].description"), missing.At("customer_id"), missing.At("lines")))
	all := map[string]any{
		"customers":     Customers{Shell: shell("Customers", "customers"), Items: []billing.Customer{hugh}, Find: find, Tabs: sampleTabs(), Pager: Pager{Older: "/x", ByName: true}},
		"customer":      Customer{Shell: shell("Hugh", "customers"), Form: form("", missing), Customer: hugh, Owed: owed, Invoices: table, More: true, Acts: []Act{sampleAct()}},
		"customer-edit": CustomerForm{Shell: shell("Change customer", "customers"), Form: form("k", missing.At("name")), Action: "/x", Back: "/y", Does: "Save customer", Name: "Hugh"},
		"products":      Products{Shell: shell("Products", "products"), Items: []billing.Product{{ID: id.New[billing.Product](), Name: "Mixing", UnitPrice: decimal.NewFromInt(145), Currency: eur}}, Find: find, Tabs: sampleTabs()},
		"product":       Product{Shell: shell("Mixing", "products"), Product: billing.Product{ID: id.New[billing.Product](), Name: "Mixing", Description: "Per track", UnitPrice: decimal.RequireFromString("1450.125"), Currency: eur, ExternalID: "12"}, Account: "4000 Sales", Acts: []Act{sampleAct()}},
		"product-edit":  ProductForm{Shell: shell("Add product", "products"), Form: form("k", missing.At("unit_price")), Action: "/x", Back: "/y", Does: "Add product", Accounts: []Option{{Value: "1", Label: "4000 Sales", Group: "Income"}}},
		"taxes": Taxes{Shell: shell("Taxes", "taxes"), Rates: []TaxRate{{tax.OwnRate{Rate: vat, Version: 1}, "2200 Tax to pay"},
			{tax.OwnRate{Rate: tax.Rate{ID: id.New[tax.Rate](), Code: "QC", Name: "GST and QST", Kind: tax.Group}, Members: []tax.Member{{Code: "GST", Percent: decimal.NewFromInt(5)}, {Code: "QST", Percent: decimal.RequireFromString("9.975")}}}, ""}}, Tabs: sampleTabs()},
		"tax-edit": TaxForm{Shell: shell("Change VAT", "taxes"), Form: form("k", missing.At("code")), Action: "/x", Back: "/y", Does: "Save tax rate", Name: "VAT", Archived: true, Acts: []Act{sampleAct()},
			First: "19", Percents: []TaxPercent{{tax.DatedPercent{Since: today, Percent: decimal.NewFromInt(21)}, []Act{sampleAct()}}}},
		"tax-group-edit": TaxGroupForm{Shell: shell("Add tax group", "taxes"), Form: form("k", missing.At("rates[0]")), Action: "/x", Back: "/y", Does: "Add group", Places: []int{0, 1}, Rates: []Option{{Value: "GST", Label: "GST"}}, Acts: []Act{sampleAct()}},
		"taxes-ready":    sampleReadyTaxes(shell("Ready taxes", "taxes"), form("", missing)),
		"invoices": Invoices{Shell: shell("Invoices", "invoices"), Table: table, Find: find, Tabs: sampleTabs(), Told: true, Owed: owed, Customer: "Hugh", All: "/o/tidewater/invoices", Narrowed: true, CSV: "/o/tidewater/invoices.csv?q=x",
			Form: form("", missing), ChosenURL: "/o/tidewater/invoices/chosen", ChosenKey: "k9", Periods: samplePeriods()},
		"documents": Documents{Shell: shell("Quotes", "quotes"), CSV: "/x.csv", Periods: samplePeriods(), Find: Find{URL: "/o/tidewater/quotes", Label: "Number"}, Tabs: sampleTabs(), New: "New quote", NewURL: "/o/tidewater/quotes/new",
			Table: DocumentTable{Shell: shell("Quotes", "quotes"), Until: "Valid until", Left: "Left", Column: Column{currency: eur}, Rows: []DocumentRow{
				{URL: "/o/tidewater/quotes/1", Number: "QUO-0001", Customer: hugh, Issued: today, Until: today, Standing: billing.StandingAccepted, Total: euros(5), Left: euros(3)},
				{URL: "/o/tidewater/quotes/2", Customer: hugh, Issued: today, Until: today, Standing: billing.StandingDraft, Total: euros(5), Left: euros(0)}}}},
		"credit-note": CreditNote{Shell: shell("CN-0001", "credit-notes"), Form: form("k", missing.At("amount")), Note: sampleCreditNote(), Settings: billing.Settings{Name: "Tidewater"},
			Acts: []Act{sampleAct()}, Open: []Option{{Value: "1", Label: "INV-0001"}}},
		"credit-edit": CreditForm{Shell: shell("Credit INV-1", "invoices"), Form: form("k", missing.At("lines[0].quantity")), Invoice: issued,
			Lines: []CreditableRow{{EditorLine{Index: 0}, billing.CreditableLine{InvoiceLine: issued.Lines[0], Left: decimal.NewFromInt(1)}}, {EditorLine{Index: 1}, billing.CreditableLine{InvoiceLine: issued.Lines[0]}}}},
		"quote":       Quote{Shell: shell("QUO-0001", "quotes"), Quote: sampleQuote(billing.Accepted), Settings: billing.Settings{Name: "Tidewater"}, Acts: []Act{sampleAct()}, Linkable: true, LinkKey: "k"},
		"quote-offer": QuoteOffer{Gate: Gate{Title: "Quote 1"}, Form: form("", missing.At("name")), Quote: sampleQuote(billing.Issued), Settings: billing.Settings{Name: "Tidewater"}, Today: now, Accept: "/quote/x/accept", Decline: "/quote/x/decline"},
		"quote-link":  QuoteLink{Shell: shell("Link", "quotes"), Quote: sampleQuote(billing.Issued), Link: "https://books.example/quote/x"},
		"invoice": Invoice{Shell: shell(issued.Number, "invoices"), Invoice: issued, Settings: billing.Settings{Name: "Tidewater", Country: "IE", TaxNumber: "IE 1"},
			Taken: true, FileKey: "k", Charges: []billing.Intent{sampleIntent}, Methods: []ChargeMethod{{sampleMethod, "k"}, {sampleCardNumber, "k3"}},
			Collect: Collect{Say: "Collected by itself: tried 1 of 4 times, next on 2026-12-24.", Acts: []Act{sampleAct()}},
			Files:   []File{{Name: "plan.pdf", Size: "320 kB", Mailed: true, URL: "/x", Acts: []Act{sampleAct()}}, {Name: "hours.csv", Size: "1 kB"}},
			Mails: []MailShown{{billing.Mailing{Kind: billing.MailReminder, State: billing.MailFailed, Email: "hugh@apple.ie", Problem: "mail.refused", CreatedAt: now}, []Act{sampleAct()}},
				{billing.Mailing{Kind: billing.MailDocument, State: billing.MailSent, Email: "hugh@apple.ie", CreatedAt: now, SentAt: &now}, nil},
				{billing.Mailing{Kind: billing.MailDocument, State: billing.MailQueued, Email: "hugh@apple.ie", Problem: "mail.unreachable", CreatedAt: now}, nil}}},
		"mail-edit": MailForm{Shell: shell("Send 1", "invoices"), Form: form("k", missing.At("to")), List: "Invoices", ListURL: "/z", Number: "TW-1", What: "the invoice as PDF", Action: "/x", Back: "/y", Files: []File{{Name: "plan.pdf", Size: "320 kB"}}},
		"branding":  Branding{Shell: shell("Documents and mail", "branding"), Form: form("k", missing.At("colour")), Logo: "/x", LogoKey: "k"},
		"statement": Statement{Shell: shell("Statement", "customers"), Form: form("k", missing.At("to_email")), Customer: hugh, From: today.AddDays(-30), To: today, PDF: "/x.pdf", CSV: "/x.csv",
			Parts: []report.Statement{{Currency: eur, Opening: euros(100), Closing: euros(-50), Overdue: euros(20), Lines: []report.StatementLine{{Date: today, Description: "Payment of 1", Amount: euros(-150), Balance: euros(-50)}}}}},
		"invoice-edit":    editor,
		"gateways":        Gateways{Shell: shell("Payment gateways", "gateways"), Form: form("", missing), Items: []billing.GatewayAccount{sampleGateway}},
		"gateway-edit":    GatewayForm{Shell: shell("Card", "gateways"), Form: form("k", missing.At("key")), Action: "/x", Account: &sampleGateway, Acts: []Act{sampleAct()}},
		"gateway-address": GatewayAddress{Shell: shell("Address for messages", "gateways"), Account: sampleGateway, Address: "https://books.example/webhook/x"},
		"pay-link":        PayLink{Shell: shell("Pay link", "invoices"), Invoice: issued, Link: "https://books.example/pay/x", Until: now},
		"charge":          Charge{Shell: shell("Charge", "payments"), Form: form("k", missing.At("amount")), Intent: sampleIntent, MayRefund: true, MayUnfreeze: true, Booked: bookedForm(), Acts: []Act{sampleAct()}},
		"payment-methods": PaymentMethods{Shell: shell("Payment methods", "customers"), Form: form("k", missing.At("iban")), Customer: hugh, Kinds: []Option{{Value: "iban", Label: "IBAN"}, {Value: "us_bank", Label: "US account"}},
			CardForm: form("k2", missing.At("card_number")), CardGateways: []Option{{Value: "1", Label: "Practice"}},
			Items: []PaymentMethodRow{{sampleMethod, []Act{sampleAct()}}, {sampleCardNumber, nil}}},
		"pay": Pay{Gate: Gate{Title: "Invoice 1"}, Form: form("", missing), Invoice: issued, Settings: billing.Settings{Name: "Tidewater"}, Action: "/pay/x", Back: "/pay/x/back", Phone: phone.Need{When: phone.After},
			Cards: []billing.GatewayAccount{sampleGateway}, Transfers: []billing.GatewayAccount{{Name: "Transfer", Instructions: "To us"}}, Today: now},
		"pay-go":          PayGo{Gate: Gate{Title: "To the card page"}, URL: "https://gateway.example/1", Back: "/pay/x"},
		"payments":        Payments{Shell: shell("Payments", "payments"), CSV: "/x.csv", Find: find, Periods: samplePeriods(), Items: []billing.Payment{samplePayment()}, Column: column},
		"payment":         Payment{Shell: shell("Payment", "payments"), Payment: samplePayment(), Account: "1010 Current account", Gain: currency.Gain{Amount: euros(-500), Waiting: true}, Form: form("k", missing.At("amount")), Open: []Option{{Value: "1", Label: "TW-1"}}, GiveBack: GiveBack{Action: "/back", Form: backForm(), Currency: eur, Methods: Methods(), Accounts: []Option{{Value: "1", Label: "1010"}}}},
		"late-fees":       LateFees{Shell: shell("Late fees", "late-fees"), Form: form("k", missing.At("percent")), Currency: eur, Since: today, Often: []Option{{Value: "once", Label: "Once"}}},
		"payment-several": SeveralForm{Shell: shell("Record payment", "customers"), Form: form("k", missing.At("amount")), Customer: hugh, Currency: eur, Rows: []OpenRow{{EditorLine{Index: 0}, issued.InvoiceHead}}, Methods: Methods(), Accounts: []Option{{Value: "1", Label: "1010"}}},
		"payment-edit":    PaymentForm{Shell: shell("Record payment", "invoices"), Form: form("k", missing.At("amount")), Invoice: issued, Methods: Methods(), Accounts: []Option{{Value: "1", Label: "1010"}}},
		"accounts":        Accounts{Shell: shell("Accounts", "accounts"), Groups: []AccountGroup{{"Assets", []ledger.Account{current}}}, Tabs: sampleTabs()},
		"account-edit":    AccountForm{Shell: shell("1010", "accounts"), Form: form("k", missing.At("name")), Action: "/x", Does: "Rename account", Account: &current, Acts: []Act{sampleAct()}},
		"journal":         Journal{Shell: shell("Journal", "journal"), Find: find, Periods: samplePeriods(), Items: []JournalRow{{sampleEntry(), []money.Amount{euros(2500)}}}, Column: column},
		"entry":           Entry{Shell: shell("Entry J-0898", "journal"), Form: form("k", missing.At("date")), Entry: sampleEntry(), Column: column, Sums: []money.Amount{euros(2500)}, Source: "Invoice 1", SourceURL: "/x", Reversible: true, Reverses: 3, ReversedBy: 4},
		"entry-edit":      sampleEntryEditor(form("k", missing.At("lines[1].account_id"), missing.At("lines[1].debit"))),
		"ledger":          GeneralLedger{Shell: shell("Ledger", "ledger"), Period: Period{today.AddDays(-30), today}, Groups: sampleGroups(), Sums: []LedgerSum{{euros(0), euros(50), euros(50), euros(0)}}, Column: column, CSV: "/x.csv", Closed: today, Accounts: []Option{{Value: "1", Label: "1010", Group: "Assets"}}},
		"trial-balance":   TrialBalance{Shell: shell("Trial balance", "trial-balance"), AsOf: today, Groups: sampleGroups(), Sums: []LedgerSum{{euros(0), euros(50), euros(50), euros(0)}}, Column: column, CSV: "/x.csv"},
		"currencies": CurrencyRates{Shell: shell("Currencies", "currencies"), Base: eur, More: true, Chosen: "USD", Form: form("k", missing.At("rate")), Import: form("k", missing.At("csv")), Revalued: "/x",
			Rates: []currency.Rate{{Unit: eur, Currency: money.MustCurrency("USD"), Date: today, Rate: decimal.RequireFromString("1.1525"), Source: currency.SourceECB}, {Unit: eur, Currency: money.MustCurrency("JPY"), Date: today, Rate: decimal.RequireFromString("181.3"), Source: currency.SourceManual}}},
		"revaluation":       sampleRevaluation(shell("Revaluation", "currencies"), form("k", missing.At("date"))),
		"tax-report":        sampleTaxReport(shell("Tax report", "tax-report"), column),
		"customer-data":     Erasure{Shell: shell("Personal data", "customers"), Form: form("k", missing.At("files")), Customer: hugh, Years: 10},
		"imports":           Imports{Shell: shell("Import", "imports"), Form: refused(NewForm(), missing.At("file")), Action: "/x", Faults: []ImportFault{{12, 8, "quantity", "A line needs a quantity."}, {Say: "The file is empty."}}, More: true, Shapes: []string{"A file of customers."}},
		"import-check":      ImportCheck{Shell: shell("Import", "imports"), Form: Form{Key: "k"}, Action: "/x", Back: "/y", File: "invoices.csv", Program: "Xero", What: "invoices", Things: 412, Lines: 2240, Added: 400, Unchanged: 12, Passed: 3, Paid: 2, Totals: []money.Amount{euros(100)}},
		"exports":           Exports{Shell: shell("Export", "exports"), Form: form("k", missing.At("holds")), Choices: []Option{{Value: "journal", Label: "Journal entries"}}, Going: true, ListURL: "/x", Items: sampleExports(), Keep: Form{ID: "keep"}, KeepKey: "k2"},
		"closing":           Closing{Shell: shell("Closing", "closing"), Closed: today, Form: form("k", missing.At("through")), Reopen: Form{ID: "reopen", Key: "k2"}, Years: []ledger.Entry{{ID: id.New[ledger.Entry](), Number: 3, Date: today}, {ID: id.New[ledger.Entry](), Number: 2, Date: today, ReversedBy: id.New[ledger.Entry]()}}},
		"reports":           Reports{Shell: shell("Reports", "reports"), Items: []ReportItem{{"Sales", "hand-coins", "What was sold.", "/x"}}},
		"report-table":      sampleReportTable(shell("Sales", "reports")),
		"customer-balances": CustomerBalances{Shell: shell("Customer balances", "customer-balances"), AsOf: today, Rows: []CustomerBalance{{hugh.ID, "Hugh", owed[0]}, {Name: "Nobody named", Owed: Owed{Amount: euros(100)}}}, Sums: owed, Column: column, CSV: "/x.csv"},
		"tokens":            Tokens{Shell: shell("API tokens", "tokens"), Form: form("", missing), Items: []TokenRow{{token, "active", true, "/o/tidewater/tokens/1/rotate", []Act{sampleAct()}}}},
		"token-edit":        TokenForm{Shell: shell("Make a token", "tokens"), Form: form("k", missing.At("scopes")), Scopes: []ScopeRow{{"invoices", "Invoices", true, false}}},
		"token-rotate":      TokenRotate{Shell: shell("Rotate Shop", "tokens"), Form: form("k", identity.ErrTokenOverlap), Token: token, Action: "/x", Overlap: []Option{{Value: "24", Label: "24 hours"}}},
		"phone-check": PhoneCheck{Shell: shell("Phone check", "phone-check"), Form: form("k", missing.At("text"), phone.ErrFilter), ProductForm: func() Form { f := form("k2", phone.ErrProduct); f.ID = "own"; return f }(),
			Products: []phone.ProductRule{{Name: "Gift card", When: phone.Before}}, Choices: []Option{{Value: "1", Label: "Gift card"}}},
		"text-gateways":     TextGateways{Shell: shell("Text gateways", "phone-check"), Form: form("", missing), Lent: true, Items: []TextGatewayRow{{sampleTextGateway(), []Act{sampleAct()}}}},
		"text-gateway-edit": TextGatewayForm{Shell: shell("Ours", "phone-check"), Form: form("k", phone.ErrGatewayKey), Test: func() Form { f := form("k2", phone.ErrNumber); f.ID = "test"; return f }(), Action: "/x", Back: "/y", Gateway: new(sampleTextGateway()), Acts: []Act{sampleAct()}},
		"pay-phone":         PayPhone{Gate{Title: "Verify phone number"}, PhoneAsking{Form: form("", phone.ErrCode), Asker: "Tidewater", Rules: phone.Rules{Minutes: 10, Tries: 5, Delay: 60}, Sent: true, Action: "/pay/x/phone", Back: "/pay/x", BackSay: "Back to the invoice", Outbox: "/dev/outbox"}},
		"order-review":      OrderReview{shell("Order review", "order-review"), form("k", shop.ErrLimitsBounds.At("hours"))},
		"webhooks":          Webhooks{Shell: shell("Webhooks", "webhooks"), Items: []webhook.Endpoint{sampleWebhook("*"), sampleWebhook("invoice.paid")}},
		"webhook-edit": WebhookForm{Shell: shell("Change Shop", "webhooks"), Form: form("k", missing.At("events"), missing.At("url")), Action: "/x", Back: "/y", Events: webhook.Events(),
			Endpoint: &webhook.Endpoint{Name: "Shop"}},
		"webhook-made":   WebhookMade{Shell: shell("Shop", "webhooks"), Endpoint: sampleWebhook("*"), Secret: "whsec_sample", Rotated: true},
		"webhook-rotate": WebhookRotate{Shell: shell("New secret for Shop", "webhooks"), Form: form("k", webhook.ErrOverlap), Endpoint: sampleWebhook("*"), Action: "/x", Back: "/y", Overlap: []Option{{Value: "24", Label: "24 hours"}}},
		"webhook": Webhook{Shell: shell("Shop", "webhooks"), Form: form("", missing), Endpoint: sampleWebhook("invoice.paid"), Overlap: true, Edit: "/x", Rotate: "/y", Acts: []Act{sampleAct()}, Items: []DeliveryRow{
			{webhook.Delivery{ID: id.New[webhook.Delivery](), Event: "invoice.paid", OccurredAt: now, State: webhook.Failed, Tries: 10, Status: 500, Answer: "<b>no</b>"}, []Act{sampleAct()}},
			{webhook.Delivery{ID: id.New[webhook.Delivery](), Event: "invoice.paid", OccurredAt: now, State: webhook.Pending, Tries: 1, Problem: "timeout", NextAt: &now}, nil},
			{webhook.Delivery{ID: id.New[webhook.Delivery](), Event: "invoice.paid", OccurredAt: now, State: webhook.Delivered, Tries: 1, Status: 299}, nil}}, Pager: Pager{Older: "/x"}},
		"entries":    Entries{Shell: shell("Entries", "entries"), Items: []identity.Entry{{Name: "Mara Lindqvist", At: now, Network: "192.0.2.7", Place: "Dublin, Ireland", UserAgent: firefox}, {Name: "Tim", At: now}}, Factors: []identity.MemberFactors{{Name: "Mara Lindqvist", App: true, Passkeys: 2}, {Name: "Tim"}}},
		"token-made": TokenMade{Shell: shell("Shop", "tokens"), Token: token, Secret: "ch_ab12secret"},
		"settings-security": SettingsSecurity{Shell: shell("Security", "security"), Form: form("k", missing.At("password_days")), Now: []string{"1 of 2 members has no second factor."}, Asks: true,
			Lengths: AdmissionLengths, Scores: AdmissionScores, Members: []AdmissionMember{{ID: "1", Name: "Mara Lindqvist", Since: time.Date(2026, time.May, 4, 9, 0, 0, 0, time.UTC), Exempt: true}}},
		"settings": Settings{Shell: shell("Settings", "settings"), Form: form("k", missing.At("name")), Currency: eur, Closed: today, Rounding: []Option{{Value: "line", Label: "On each line"}}},
		"overview": Overview{Shell: shell("Overview", "overview"), Say: "One invoice is overdue.", Owed: owed, Owing: owed, Books: true, Sales: true, Purchases: true, Cash: []money.Amount{euros(3140618)}, Month: []money.Amount{euros(1190000)},
			Proof: Proved{At: time.Date(2026, time.November, 21, 3, 4, 0, 0, time.UTC), Findings: []Disagreement{{Say: "Entry 12 does not balance: its lines come to 0.10 EUR.", URL: "/x"}, {Say: "Entry 14 is missing."}}, More: 2},
			Chart: NewChart(eur, months), CashTime: NewCashChart(sampleCash()), Put: sampleAct(), Overdue: table, Recent: table, SetUp: []Step{{Label: "Add a customer", Done: true}, {Label: "Add a product", Say: "What you sell", URL: "/x", Way: "Add product"}}},
	}
	maps.Copy(all, secondFactorSamples())
	maps.Copy(all, securitySamples())
	maps.Copy(all, peopleSamples())
	maps.Copy(all, staffSamples())
	maps.Copy(all, supportSamples())
	return all
}

func sampleReadyTaxes(shell Shell, form Form) ReadyTaxes {
	data := ReadyTaxes{Shell: shell, Form: form}
	for _, list := range tax.ReadyLists() {
		shown := ReadyTaxList{ReadyList: list}
		for n, item := range list.Items[:3] {
			shown.Rows = append(shown.Rows, ReadyTax{item, sampleAct(), n == 0})
		}
		data.Lists = append(data.Lists, shown)
	}
	return data
}

func sampleRevaluation(shell Shell, form Form) Revaluation {
	dollars := money.Amount{Minor: 60000, Currency: money.MustCurrency("USD")}
	return Revaluation{Shell: shell, Form: form, Day: today, Stands: true, MayPost: true,
		Valuation: currency.Valuation{Date: today, Base: eur, Gain: euros(-4545), Positions: []currency.Position{{Code: "1100", Name: "Owed by customers", Balance: dollars,
			Rate: decimal.RequireFromString("0.8333"), Carried: euros(54545), Worth: euros(50000), Gain: euros(-4545)}}},
		Done: []currency.Revaluation{{Date: today, Entry: id.New[ledger.Entry](), EntryNumber: 4, Back: id.New[ledger.Entry](), BackNumber: 5, Gain: euros(-4545), Replaced: true}}}
}

func sampleTaxReport(shell Shell, column Column) TaxReport {
	row := report.TaxRow{Rate: vat.ID, Code: vat.Code, Name: vat.Name, Percent: vat.Percent, Base: euros(10000), Tax: euros(2300), Documents: 1}
	document := report.TaxDocument{Kind: "invoice", Number: "TW-1", Customer: "Hugh", Date: today, Base: euros(10000), Tax: euros(2300), Entry: id.New[ledger.Entry](), EntryNumber: 12}
	return TaxReport{Shell: shell, Period: Period{today.AddDays(-30), today}, Basis: "accrual", Bases: []Option{{Value: "accrual", Label: "Accrual"}}, Column: column, CSV: "/x.csv", Remit: euros(2300), Foreign: true, Unrated: 2,
		Rows: []TaxReportRow{{TaxRow: row, URL: "/x", Count: 1}, {TaxRow: row, URL: "/y", Open: true, Count: 1, Documents: []TaxReportDocument{{document, "/z"}}}},
		Sums: []report.TaxSum{{Tax: euros(2300), Posted: euros(300), Other: euros(-2000)}, {Tax: euros(2300), Posted: euros(2300), Other: euros(0)}}}
}

func sampleReportTable(shell Shell) ReportTable {
	row := report.Row{Code: "4000", Name: "Sales", Amounts: []money.Amount{euros(12000), euros(-500)}}
	section := report.Section{Key: "income", Name: "Income", Rows: []report.Row{row}, Sum: row.Amounts}
	shown := ReportSection{section, []ReportRow{{Row: row, URLs: []string{"/x", "/y"}, Open: true, Sales: []ReportSale{{report.Sale{Number: "TW-1", Customer: "Hugh", Date: today, Net: euros(12000), Entry: id.New[ledger.Entry](), EntryNumber: 12}, 0, "/z"}}}}}
	return ReportTable{Shell: shell, Path: "sales", Say: "What was sold.", Period: Period{today.AddDays(-30), today}, By: "product", Bys: []Option{{Value: "product", Label: "By product"}},
		Table: report.Table{Currency: eur, Currencies: []money.Currency{eur, money.MustCurrency("USD")}, Columns: []report.Column{{Key: "period", Name: "In the period", Period: report.Period{From: today.AddDays(-30), To: today}}, {Key: "before", Name: "A year before", Period: report.Period{To: today}}},
			Sections: []report.Section{section}, Sums: []report.Row{{Key: "total", Name: "All sales", Amounts: row.Amounts}}},
		Parts: []ReportSection{shown, {section, []ReportRow{{Row: row, URLs: []string{"/x", "/y"}}}}}, CSV: "/x.csv", XLSX: "/x.xlsx"}
}

func bookedForm() Form {
	form := NewForm("note", "Entry 7")
	form.ID, form.Key = "booked", "u"
	return form
}

func backForm() Form {
	form := NewForm()
	form.ID, form.Key, form.Faults = "back", "b", fault.List{billing.ErrGiveBackAmount}
	return form
}

func samplePayment() billing.Payment {
	return billing.Payment{ID: id.New[billing.Payment](), CustomerID: hugh.ID, CustomerName: "Hugh", Settles: []billing.Settled{{Document: id.New[billing.Document](), Kind: "invoice", Number: "TW-1", Date: today, Amount: euros(100)}, {Document: id.New[billing.Document](), Kind: "credit_note", Number: "CN-1", Date: today, Amount: euros(-20)}}, Left: euros(50), Date: today,
		Amount: euros(150000), Method: billing.Card, Reference: "SEPA", ExternalID: "9", Entry: id.New[ledger.Entry](), EntryNumber: 12, CreatedAt: now}
}

func sampleEditor(form Form) InvoiceForm {
	form.Values.Set("lines[0].quantity", "2")
	form.Values.Set("lines[0].product_id", "p")
	form.Values["lines[0].tax_codes"] = []string{"VAT23"}
	form.Values.Set("find_product", "mix")
	return InvoiceForm{Shell: sampleShell("Change draft", "invoices"), Form: form, Action: "/x", Back: "/y", Preview: "/z", Draft: true, Unsaved: true, Keeps: true, OnPaper: true, Paper: "/x/pdf",
		Lines: []EditorLine{{0, false}, {1, true}}, Rates: []Option{{Value: "VAT23", Label: "VAT 23 %"}}, Customers: []Option{{Value: "c", Label: "Hugh"}}, FindCustomer: true,
		Products: []Option{{Value: "p", Label: "Mixing"}}, FindProduct: true, Words: EditorWords{New: "New invoice", Nav: "invoices", List: "Invoices", Note: "Note", Due: "Due date", NoLines: "None.", Issue: "Save and issue", Issued: "Then it stays."}, ListURL: "/o/tidewater/invoices", DueHint: "30 days.", MayIssue: true, Acts: []Act{sampleAct()},
		Totals: Totals{Net: euros(110000), Tax: euros(25300), Total: euros(135300), Rates: []tax.RateTotal{{Rate: vat, Base: euros(110000), Amount: euros(25300)}}, Lines: []string{"520.00", "–"}, Left: []int{2}}}
}

func sampleEntryEditor(form Form) EntryForm {
	return EntryForm{Shell: sampleShell("Journal entry", "journal"), Form: form, Action: "/x", Lines: []EditorLine{{0, false}, {1, true}},
		Accounts: []Option{{Value: "1", Label: "1010 Current account", Group: "Assets"}}, Totals: EntryTotals{Debit: euros(100), Credit: euros(0), Say: "Credits are 1.00 short"}}
}

func TestNavigation(t *testing.T) {
	t.Parallel()
	shell := sampleShell("Invoices", "invoices")
	shell.May = func(right string) bool {
		return slices.Contains([]string{"invoices:read", "customers:read"}, right)
	}
	html := drawn(t, set, "invoices", Invoices{Shell: shell, Tabs: sampleTabs()})
	for _, way := range []string{"payments", "ledger", "journal", "tokens", "settings", "reports/trial-balance", "invoices/new"} {
		if strings.Contains(html, `href="/o/tidewater/`+way+`"`) {
			t.Errorf("a reader who may not go to %s is led there", way)
		}
	}
	for _, way := range []string{"invoices", "customers"} {
		if !strings.Contains(html, `href="/o/tidewater/`+way+`"`) {
			t.Errorf("a reader who may go to %s is not led there", way)
		}
	}
}

func TestDraftDocument(t *testing.T) {
	t.Parallel()
	data := Invoice{Shell: sampleShell("Draft invoice", "invoices"), Invoice: sampleInvoice(billing.Draft), Settings: billing.Settings{Name: "Tidewater"}, Acts: []Act{sampleAct()}}
	html := drawn(t, set, "invoice", data)
	for _, complaint := range inspect(html) {
		t.Error(complaint)
	}
	for _, want := range []string{"Nothing is owed until it is issued.", `<span class="sum">€3,936.00</span>`, "Hugh O’Reilly &lt;b&gt;", "0.0125", "10 %"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, not := range []string{"Record payment", "Payable by", "Payments</h2>"} {
		if strings.Contains(html, not) {
			t.Errorf("a draft tells of %s", not)
		}
	}
}

func TestWrongs(t *testing.T) {
	t.Parallel()
	missing := fault.New(fault.Invalid, "text.missing", "This cannot be empty.")
	form := refused(NewForm(), missing.At("postal_code"), missing.At("lines[2].description"),
		fault.New(fault.Invalid, "quantity.zero", "A line needs a quantity.").At("lines[0].quantity"), fault.New(fault.Conflict, "invoice.paid", "It is paid."))
	want := []string{"Postal code: This cannot be empty.", "Line 3, description: This cannot be empty.", "Line 1: A line needs a quantity.", "It is paid."}
	for i, wrong := range form.Wrongs() {
		if wrong.Say != want[i] {
			t.Errorf("fault %d is told as %q, want %q", i, wrong.Say, want[i])
		}
	}
}

func TestColumn(t *testing.T) {
	t.Parallel()
	yen := money.Amount{Minor: 1200, Currency: money.MustCurrency("JPY")}
	one, several := ColumnOf(eur, euros(100), euros(200)), ColumnOf(eur, euros(100), yen)
	if one.Head("Total") != "Total, EUR" || one.Cell(euros(100)) != "1.00" {
		t.Errorf("one currency: %q, %q", one.Head("Total"), one.Cell(euros(100)))
	}
	if several.Head("Total") != "Total" || several.Cell(yen) != "1,200\u00a0JPY" {
		t.Errorf("several: %q, %q", several.Head("Total"), several.Cell(yen))
	}
	if none := ColumnOf(eur); none.Head("Total") != "Total, EUR" {
		t.Errorf("none: %q", none.Head("Total"))
	}
	if debit, credit := one.Balance(euros(5)), one.Balance(euros(-5)); !strings.HasPrefix(string(debit), "0.05 ") || !strings.Contains(string(credit), ">Cr<") || strings.Contains(string(credit), minus) {
		t.Errorf("balances %q and %q", debit, credit)
	}
}

func TestPrice(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"145": "145.00", "145.000000": "145.00", "0.012500": "0.0125", "1234567.5": "1,234,567.50", "0": "0.00"} {
		if got := price(decimal.RequireFromString(given), eur); got != want {
			t.Errorf("price %s = %s, want %s", given, got, want)
		}
	}
	if got := price(decimal.NewFromInt(1200), money.MustCurrency("JPY")); got != "1,200" {
		t.Errorf("1200 yen = %s", got)
	}
}

func TestChart(t *testing.T) {
	t.Parallel()
	if NewChart(eur, []Month{{civil.On(2026, 11, 1), euros(0), euros(-5), ""}}) != nil {
		t.Error("a chart of nothing was drawn")
	}
	for most, want := range map[int64]string{1: "0.01 0", 1360000: "15k 10k 5k 0", 99: "1 0.5 0", 3762: "40 20 0", 400: "4 3 2 1 0"} {
		c := NewChart(eur, []Month{{civil.On(2026, 11, 1), euros(most), euros(0), ""}})
		if got := strings.Join(c.Labels(), " "); got != want && !(most == 3762 && got == "40 30 20 10 0") {
			t.Errorf("axis for %d: %s, want %s", most, got, want)
		}
	}
}
