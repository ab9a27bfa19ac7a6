package intake

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// dialect is a file of another program: how its columns stand for ours, and how it writes days.
//
// The columns are those of the programs' import templates and exports, which share their names: QuickBooks Online's
// "Import invoices", "Import journal entries", "Import products and services", "Import customers" and "Import a chart of
// accounts"; Xero's SalesInvoiceTemplate.csv, Contacts.csv, InventoryItems.csv, ChartOfAccounts.csv and
// ManualJournal.csv; and QuickBooks Online's report "Journal". Xero has one template for customers and suppliers, and
// exports of either group with the same columns (Xero Central, "Import contacts"), so that the file's name tells. They are compared without asterisks, spaces and signs, since versions differ in those alone.
type dialect struct {
	name       string
	shape      Shape
	need       []string            // each a choice of columns, with | between, of which one is there
	columns    map[string][]string // ours, and theirs in order of liking
	monthFirst bool                // how a day such as 03/04/2026 is read where nothing else in the file tells
	skip       map[string][]string // rows with one of these words in that column are no concern of ours
	heads      []string            // our columns that rows below the first of a thing leave empty
	bare       []string            // words for no tax at all
	named      []string            // one of these words is in the file's name, where its columns do not tell what it is
	report     bool                // a report of transactions: titles before the header, sums between the rows
}

var suppliers = []string{"supplier", "vendor", "payee"}

var xeroNoTax = []string{"no vat", "no tax", "tax exempt", "tax exempt (0%)", "zero rated income", "gst free income", "exempt income", "tax on sales"}

var quickbooksPayee = map[string][]string{
	"external_id": {"vendorfullname", "supplierfullname", "vendor", "supplier", "displayname", "name"}, "name": {"vendorfullname", "supplierfullname", "vendor", "supplier", "displayname", "name"},
	"company": {"companyname", "company"}, "email": {"email"}, "phone": {"phone", "phonenumbers"}, "street": {"streetaddress", "street", "address"}, "city": {"city"},
	"region": {"state", "region"}, "postal_code": {"zip", "zipcode", "postalcode"}, "country": {"country"}, "tax_number": {"taxid", "businessidno"},
}

var dialects = []dialect{
	{name: "Xero", shape: Invoices, need: []string{"contactname", "invoicenumber", "invoicedate", "unitamount"}, columns: map[string][]string{
		"external_id": {"invoicenumber"}, "customer_external_id": {"contactname"}, "issue_date": {"invoicedate"}, "due_date": {"duedate"},
		"currency": {"currency"}, "product_external_id": {"inventoryitemcode"}, "description": {"description"}, "quantity": {"quantity"},
		"unit_price": {"unitamount"}, "discount_percent": {"discount"}, "tax_code": {"taxtype"}, "invoice_total": {"total"}, "status": {"status"}, "type": {"type"}},
		skip: map[string][]string{"status": {"draft", "voided", "deleted"}, "type": {"sales credit note"}}, bare: xeroNoTax},
	{name: "Xero", shape: Payees, named: suppliers, need: []string{"contactname", "emailaddress|accountnumber|poaddressline1"}, columns: map[string][]string{
		"external_id": {"contactname"}, "name": {"contactname"}, "email": {"emailaddress"}, "phone": {"phonenumber"}, "street": {"poaddressline1", "saaddressline1"},
		"city": {"pocity", "sacity"}, "region": {"poregion", "saregion"}, "postal_code": {"popostalcode", "sapostalcode"}, "country": {"pocountry", "sacountry"}, "tax_number": {"taxnumber"},
		"payee_terms_days": {"duedatebillday"}, "bill_term": {"duedatebillterm"}, "expense_account_code": {"purchasesaccount"}}},
	{name: "Xero", shape: Customers, need: []string{"contactname", "emailaddress|accountnumber|poaddressline1"}, columns: map[string][]string{
		"external_id": {"contactname"}, "name": {"contactname"}, "email": {"emailaddress"}, "phone": {"phonenumber"}, "street": {"poaddressline1", "saaddressline1"},
		"city": {"pocity", "sacity"}, "region": {"poregion", "saregion"}, "postal_code": {"popostalcode", "sapostalcode"}, "country": {"pocountry", "sacountry"}, "tax_number": {"taxnumber"}}},
	{name: "Xero", shape: Products, need: []string{"itemcode", "salesunitprice"}, columns: map[string][]string{
		"external_id": {"itemcode"}, "name": {"itemname", "itemcode"}, "unit_price": {"salesunitprice"}, "description": {"salesdescription"}}},
	{name: "Xero", shape: Journal, need: []string{"narration", "date", "accountcode", "amount"}, columns: map[string][]string{
		"date": {"date"}, "description": {"narration"}, "account_code": {"accountcode"}, "amount": {"amount"}, "memo": {"description"}}},
	{name: "Xero", shape: Accounts, need: []string{"code", "name", "type", "taxcode|description|dashboard"}, columns: map[string][]string{
		"code": {"code"}, "name": {"name"}, "kind": {"type"}}},
	{name: "QuickBooks Online", shape: Invoices, monthFirst: true, need: []string{"invoiceno|invoicenumber", "customer", "invoicedate", "itemamount"}, columns: map[string][]string{
		"external_id": {"invoiceno", "invoicenumber"}, "customer_external_id": {"customer"}, "issue_date": {"invoicedate"}, "due_date": {"duedate"},
		"currency": {"currency", "currencycode"}, "product_external_id": {"itemproductservice", "productservice"}, "description": {"itemdescription"}, "quantity": {"itemquantity"},
		"unit_price": {"itemrate"}, "tax_code": {"itemtaxcode", "taxcode"}, "line_amount": {"itemamount"}},
		heads: []string{"customer_external_id", "issue_date", "due_date", "currency"}, bare: []string{"no", "n", "non", "out of scope", "exempt"}},
	{name: "QuickBooks Online", shape: Journal, monthFirst: true, need: []string{"journalno", "journaldate", "accountname|account", "debits|debit", "credits|credit"}, columns: map[string][]string{
		"entry": {"journalno"}, "date": {"journaldate"}, "description": {"memo", "description"}, "account": {"accountname", "account"}, "debit": {"debits", "debit"},
		"credit": {"credits", "credit"}, "memo": {"description"}, "party": {"name"}, "currency": {"currency", "currencycode"}}, heads: []string{"date", "description", "currency"}},
	{name: "QuickBooks Online", shape: Journal, monthFirst: true, report: true, need: []string{"date|transactiondate", "transactiontype", "account|accountname|accountfullname|distributionaccount", "debit", "credit"}, columns: map[string][]string{
		"date": {"date", "transactiondate"}, "transaction_type": {"transactiontype"}, "number": {"num", "number"}, "account": {"account", "accountfullname", "accountname", "distributionaccount"},
		"debit": {"debit"}, "credit": {"credit"}, "memo": {"memodescription", "description", "linedescription"}, "party": {"name"}, "currency": {"currency"}}},
	{name: "QuickBooks Online", shape: Products, need: []string{"productservicename", "salespricerate|price"}, columns: map[string][]string{
		"external_id": {"productservicename"}, "name": {"productservicename"}, "unit_price": {"salespricerate", "price"}, "description": {"salesdescription"}}},
	{name: "QuickBooks Online", shape: Accounts, need: []string{"accountname|fullname|account", "type|accounttype", "detailtype"}, columns: map[string][]string{
		"code": {"accountnumber", "number"}, "name": {"accountname", "fullname", "account"}, "kind": {"type", "accounttype"}}},
	{name: "QuickBooks Online", shape: Payees, need: []string{"vendor|vendorfullname|supplier|supplierfullname", "company|companyname|phone|phonenumbers|email|address|streetaddress|openbalance"}, columns: quickbooksPayee},
	{name: "QuickBooks Online", shape: Payees, named: suppliers, need: []string{"name|displayname", "company|companyname|phonenumbers|street|streetaddress|openbalance|zip"}, columns: quickbooksPayee},
	{name: "QuickBooks Online", shape: Customers, need: []string{"customer|name|displayname|customerfullname", "company|companyname|phonenumbers|billingaddress|streetaddress|openbalance|zip"}, columns: map[string][]string{
		"external_id": {"customerfullname", "displayname", "customer", "name"}, "name": {"customerfullname", "displayname", "customer", "name"}, "company": {"companyname", "company"}, "email": {"email"},
		"phone": {"phone", "phonenumbers"}, "street": {"streetaddress", "street", "billingaddress"}, "city": {"city"}, "region": {"state", "region"}, "postal_code": {"zip", "postalcode"}, "country": {"country"}}},
}

// bareName is a column's name without what versions differ in.
func bareName(header string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, header)
}

// recogniseForeign finds the dialect of a file by its name and header, and says where our columns stand in it.
func recogniseForeign(file string, header []string) (*dialect, map[string]int) {
	at := map[string]int{}
	for i, name := range header {
		if _, twice := at[bareName(name)]; !twice {
			at[bareName(name)] = i
		}
	}
	has := func(choice string) bool {
		return slices.ContainsFunc(strings.Split(choice, "|"), func(name string) bool { _, ok := at[name]; return ok })
	}
	for i := range dialects {
		d := &dialects[i]
		if slices.ContainsFunc(d.need, func(choice string) bool { return !has(choice) }) {
			continue
		}
		if d.named != nil && !slices.ContainsFunc(d.named, func(word string) bool { return strings.Contains(strings.ToLower(file), word) }) {
			continue
		}
		columns := map[string]int{}
		for ours, theirs := range d.columns {
			for _, name := range theirs {
				if place, ok := at[name]; ok {
					columns[ours] = place
					break
				}
			}
		}
		return d, columns
	}
	return nil, nil
}

// adapt makes the rows of another program's file read as ours do.
func (t *Table) adapt() {
	if t.foreign == nil {
		return
	}
	t.rows = slices.DeleteFunc(t.rows, t.skipped)
	t.adaptDays()
	for _, column := range []string{"unit_price", "quantity", "discount_percent", "invoice_total", "line_amount", "amount", "debit", "credit"} {
		if i := t.at(column); i >= 0 {
			for _, r := range t.rows {
				r.cells[i] = plainNumber(r.cells[i])
			}
		}
	}
	if i := t.at("tax_code"); i >= 0 {
		for _, r := range t.rows {
			if slices.Contains(t.foreign.bare, strings.ToLower(r.cells[i])) {
				r.cells[i] = ""
			}
		}
	}
	if t.Shape == Products {
		for _, r := range t.rows {
			for column, otherwise := range map[string]string{"name": t.text(r, "external_id"), "unit_price": "0"} {
				if i := t.at(column); r.cells[i] == "" {
					r.cells[i] = otherwise
				}
			}
		}
	}
	t.fillHeads()
	switch {
	case t.foreign.report:
		t.nameEntries()
	case t.Shape == Invoices:
		t.numberLines()
	case t.Shape == Payees:
		t.plainTerms()
	}
}

// skipped tells rows that are no concern of ours: drafts, credit notes.
func (t *Table) skipped(r row) bool {
	for column, words := range t.foreign.skip {
		if slices.Contains(words, strings.ToLower(t.plain(r, column))) {
			return true
		}
	}
	return false
}

// adaptDays writes days such as 31/12/2025 as 2025-12-31. Whether the month is first, a day above the twelfth tells.
func (t *Table) adaptDays() {
	monthFirst, told := t.foreign.monthFirst, false
	each := func(fn func(r row, i int, a, b, year int)) {
		for _, column := range []string{"issue_date", "due_date", "date"} {
			i := t.at(column)
			if i < 0 {
				continue
			}
			for _, r := range t.rows {
				var a, b, year int
				if n, err := fmt.Sscanf(strings.NewReplacer(".", "/", "-", "/").Replace(r.cells[i]), "%d/%d/%d", &a, &b, &year); n == 3 && err == nil && year > 99 {
					fn(r, i, a, b, year)
				}
			}
		}
	}
	each(func(_ row, _, a, b, _ int) {
		if a > 12 != (b > 12) && !told {
			monthFirst, told = b > 12, true
		}
	})
	each(func(r row, i, a, b, year int) {
		if monthFirst {
			a, b = b, a
		}
		r.cells[i] = fmt.Sprintf("%04d-%02d-%02d", year, b, a)
	})
}

// plainNumber takes away what other programs put around figures: "$1,240.00" is 1240.00, "(5.00)" is -5.00, "20%" is 20.
// What it does not know stays, and is refused.
func plainNumber(s string) string {
	n := strings.TrimSpace(strings.NewReplacer("$", "", "€", "", "£", "", "%", "", "\u00a0", "").Replace(s))
	if inner, ok := strings.CutPrefix(n, "("); ok && strings.HasSuffix(inner, ")") {
		n = "-" + strings.TrimSuffix(inner, ")")
	}
	parts := strings.Split(n, ",")
	for i, part := range parts[1:] {
		whole, _, decimals := strings.Cut(part, ".")
		if len(whole) != 3 || decimals && i != len(parts)-2 { // no thousands: leave it to be refused
			return s
		}
	}
	return strings.Join(parts, "")
}

// fillHeads repeats for each row what only the first of its invoice or entry says.
func (t *Table) fillHeads() {
	key := t.at("external_id")
	if t.Shape == Journal {
		key = t.at("entry")
	}
	if key < 0 {
		return
	}
	firsts := map[string]row{}
	for _, r := range t.rows {
		first, ok := firsts[r.cells[key]]
		if !ok {
			firsts[r.cells[key]] = r
			continue
		}
		for _, column := range t.foreign.heads {
			if i := t.at(column); i >= 0 && r.cells[i] == "" {
				r.cells[i] = first.cells[i]
			}
		}
	}
}

// numberLines numbers the lines of each invoice as they follow, and fills in a quantity of one, and a price where only
// the line's amount is given.
func (t *Table) numberLines() {
	next := len(t.header)
	t.column["line"] = next
	for _, missing := range []string{"product_external_id", "description", "quantity", "unit_price"} {
		if _, ok := t.column[missing]; !ok {
			next++
			t.column[missing] = next
		}
	}
	count := map[string]int{}
	for n := range t.rows {
		r := &t.rows[n]
		key := t.text(*r, "external_id")
		count[key]++
		r.cells = append(slices.Clip(r.cells), fmt.Sprint(count[key]))
		for len(r.cells) <= next {
			r.cells = append(r.cells, "")
		}
		quantity, price, amount := t.at("quantity"), t.at("unit_price"), t.at("line_amount")
		if r.cells[price] == "" && amount >= 0 {
			r.cells[price], r.cells[quantity] = r.cells[amount], "1"
		}
		if r.cells[quantity] == "" {
			r.cells[quantity] = "1"
		}
	}
}
