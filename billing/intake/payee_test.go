package intake_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

const somePayees = "external_id,name,email,country,payee_terms_days,expense_account_code\nv1,Atlas Paper,ana@atlas.example,Portugal,14,5000\nv2,'=Rent & Co,,,,\n"

func TestTake_payees(t *testing.T) {
	t.Parallel()
	o, again := books(t), books(t)
	if s := mustTake(t, o, "payees.csv", somePayees); s.Shape != intake.Payees || s.Added != 2 {
		t.Errorf("%+v", s)
	}
	if s := mustTake(t, o, "payees.csv", somePayees); s.Unchanged != 2 || s.Added+s.Changed != 0 {
		t.Errorf("again: %+v", s)
	}
	// Who is both has one id, and terms of their own on each side.
	mustTake(t, o, "customers.csv", "external_id,name,payment_terms_days\nv1,Atlas Paper,7\n")
	want := "external_id,name,company,email,phone,street,city,region,postal_code,country,tax_number,payee_terms_days,expense_account_code\n" +
		"v1,Atlas Paper,,ana@atlas.example,,,,,,PT,,14,5000\nv2,'=Rent & Co,,,,,,,,,,,\n"
	if got := exported(t, o, export.Payees); got != want {
		t.Errorf("the payees are\n%s", got)
	}
	for _, f := range []export.Format{export.Customers, export.Payees} {
		mustTake(t, again, string(f), exported(t, o, f))
	}
	for _, f := range []export.Format{export.Customers, export.Payees} {
		if a, b := exported(t, o, f), exported(t, again, f); a != b {
			t.Errorf("%s differ in the copy:\n%s\n%s", f, a, b)
		}
	}
	if s := mustTake(t, o, "payees.csv", strings.Replace(somePayees, ",14,", ",30,", 1)); s.Changed != 1 || s.Unchanged != 1 {
		t.Errorf("other terms: %+v", s)
	}
	_, err := take(o, "payees.csv", strings.Replace(somePayees, ",5000", ",5999", 1))
	if said := fmt.Sprint(err); !strings.Contains(said, "payees.csv, line 2, column 6 (expense_account_code)") || !strings.Contains(said, `"5999"`) {
		t.Errorf("an account that there is not: %s", said)
	}
	_, err = take(o, "payees.csv", strings.Replace(somePayees, ",14,", ",400,", 1))
	if said := fmt.Sprint(err); !strings.Contains(said, "line 2, column 5 (payee_terms_days)") {
		t.Errorf("terms of 400 days: %s", said)
	}
}

func TestTake_the_suppliers_of_other_programs(t *testing.T) {
	t.Parallel()
	xero := "*ContactName,AccountNumber,EmailAddress,POAddressLine1,POCity,POCountry,PhoneNumber,TaxNumber,DueDateBillDay,DueDateBillTerm,SalesAccount,PurchasesAccount\n" +
		"Atlas Paper,,ana@atlas.example,1 Dock St,Porto,Portugal,555 0100,TAX-2,14,Days After,,5000\nRent & Co,,,,,,,,20,Following Month,,\n"
	for name, c := range map[string]struct{ file, program, content, want string }{
		"Xero": {"Suppliers.csv", "Xero", xero, "Atlas Paper,Atlas Paper,,ana@atlas.example,555 0100,1 Dock St,Porto,,,PT,TAX-2,14,5000\nRent & Co,Rent & Co,,,,,,,,,,,\n"},
		"QuickBooks Online, its list of vendors": {"export.csv", "QuickBooks Online", "Vendor,Company name,Street Address,City,State,Country,Zip,Phone,Email,1099 Tracking,Open Balance\n" +
			"Atlas Paper,Atlas,1 Dock St,Porto,,PT,4000,555 0100,ana@atlas.example,,10.00\n", "Atlas Paper,Atlas Paper,Atlas,ana@atlas.example,555 0100,1 Dock St,Porto,,4000,PT,,,\n"},
		"QuickBooks Online, its template": {"vendors.csv", "QuickBooks Online", "Name,Company,Email,Phone,Mobile,Fax,Website,Street,City,State,ZIP,Country,Opening Balance,Opening Balance Date,Tax ID\n" +
			"Atlas Paper,,,,,,,1 Dock St,,,,,,,98-765\n", "Atlas Paper,Atlas Paper,,,,1 Dock St,,,,,98-765,,\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := books(t)
			for round := range 2 {
				table, err := intake.Read(c.file, strings.NewReader(c.content))
				if err != nil {
					t.Fatal(err)
				}
				if s := mustTake(t, o, c.file, c.content); table.Program() != c.program || s.Shape != intake.Payees || (s.Added > 0) != (round == 0) || s.Changed != 0 {
					t.Errorf("round %d of %q: %+v", round, table.Program(), s)
				}
			}
			if _, got, _ := strings.Cut(exported(t, o, export.Payees), "\n"); got != c.want {
				t.Errorf("the payees are\n%swant\n%s", got, c.want)
			}
			if got := exported(t, o, export.Customers); strings.Count(got, "\n") != 1 {
				t.Errorf("they are customers too:\n%s", got)
			}
		})
	}
	if table, err := intake.Read("Contacts.csv", strings.NewReader(xero)); err != nil || table.Shape != intake.Customers {
		t.Errorf("a list of contacts that does not say whose is of %v: %v", table, err)
	}
}

// The report "Journal" as QuickBooks Online exports it: titles, a day on the first line of each transaction alone, sums
// between them, and two transactions that look alike.
const quickbooksJournal = "Tidewater Studios,,,,,,,\nJournal,,,,,,,\n\"January 1 - March 31, 2025\",,,,,,,\n,,,,,,,\n" +
	"Date,Transaction Type,Num,Name,Memo/Description,Account,Debit,Credit\n" +
	"01/15/2025,Invoice,1001,Mara,Mixing,Owed by customers,\"1,250.00\",\n,,,Mara,Mixing,4000 Sales,,\"$1,250.00\"\n,,,,,,\"1,250.00\",\"1,250.00\"\n,,,,,,,\n" +
	"02/01/2025,Expense,,Office Depot,Paper,Office:Supplies,45.99,\n,,,,Paper,Checking,,45.99\n,,,,,,45.99,45.99\n" +
	"02/01/2025,Expense,,Office Depot,Paper,Office:Supplies,45.99,\n,,,,Paper,Checking,,45.99\n,,,,,,45.99,45.99\n" +
	"TOTAL,,,,,,\"1,341.98\",\"1,341.98\"\n\"Monday, April 7, 2025 10:12 AM GMT-4\"\n"

func TestTake_the_journal_of_QuickBooks(t *testing.T) {
	t.Parallel()
	o := books(t)
	mustTake(t, o, "accounts.csv", "Account name,Type,Detail type\nChecking,Bank,Checking\nSupplies,Expenses,Office\n")
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara"})
		return err
	})
	if s := mustTake(t, o, "journal.csv", quickbooksJournal); s.Added != 3 || s.Things != 3 || s.Lines != 6 {
		t.Errorf("%+v", s)
	}
	if s := mustTake(t, o, "journal.csv", quickbooksJournal); s.Added != 0 || s.Unchanged != 3 {
		t.Errorf("again: %+v", s)
	}
	got := trial(t, o)
	supplies := ""
	for account, balance := range got {
		if strings.Contains(account, "Supplies") {
			supplies = balance
		}
	}
	if supplies != "91.98" || got["1100 Owed by customers USD"] != "1250.00" || got["4000 Sales USD"] != "-1250.00" {
		t.Errorf("the books come to %v", got)
	}
	if journal := exported(t, o, export.Journal); !strings.Contains(journal, ",2025-01-15,Invoice 1001,manual,,1,1100,Owed by customers,asset,Mara,1250.00,,USD,Mixing\n") {
		t.Errorf("the journal is\n%s", journal)
	}
	_, err := take(o, "journal.csv", strings.Replace(quickbooksJournal, "Checking,,45.99", "Chequing,,45.99", 1))
	if said := fmt.Sprint(err); !strings.Contains(said, "journal.csv, line 11, column 6 (account)") || !strings.Contains(said, `"Chequing"`) {
		t.Errorf("an account that there is not: %s", said)
	}
	_, err = take(o, "journal.csv", strings.Replace(quickbooksJournal, ",\"1,250.00\",\n", ",\"1,250.01\",\n", 1))
	if said := fmt.Sprint(err); !strings.Contains(said, "journal.csv, line ") {
		t.Errorf("a transaction that does not balance: %s", said)
	}
	const list = "Tidewater Studios\nTransaction List by Date\n\nDate,Transaction Type,Num,Posting,Name,Memo/Description,Account,Split,Amount\n01/15/2025,Invoice,1001,Yes,Mara,,Accounts receivable,-Split-,10.00\n"
	if _, err = take(o, "list.csv", list); !strings.Contains(fmt.Sprint(err), "open the report Journal instead") {
		t.Errorf("a list of one side: %v", err)
	}
}
