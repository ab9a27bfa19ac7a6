package intake_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/intake"
)

// Files as Xero and QuickBooks Online write them: all of a small business, in the order in which they are taken.
var foreignFiles = map[string][][2]string{
	"Xero": {
		{"ChartOfAccounts.csv", "*Code,*Name,*Type,*Tax Code,Description,Dashboard,Expense Claims,Enable Payments,Balance\n" +
			"090,Checking,Bank,Tax Exempt,,Yes,No,No,\n400,Adverts,Expense,Tax Exempt,,No,No,No,\n"},
		{"Contacts.csv", "*ContactName,AccountNumber,EmailAddress,FirstName,LastName,POAddressLine1,POAddressLine2,POCity,PORegion,POPostalCode,POCountry,PhoneNumber,TaxNumber\n" +
			"Ridgeway University,,office@ridgeway.example,Ann,Ridge,1 High St,,Oaktown,NY,10001,United States,555 0100,TAX-1\n"},
		{"InventoryItems.csv", "*ItemCode,ItemName,Quantity,PurchasesDescription,PurchasesUnitPrice,SalesDescription,SalesUnitPrice,SalesAccount,SalesTaxRate\n" +
			"GB1,Golf balls,,,,White golf balls,5.6000,200,Tax on Sales\nFR,Freebie,,,,,,,\n"},
		{"SalesInvoices.csv", "*ContactName,EmailAddress,POAddressLine1,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,Total,InventoryItemCode,*Description,*Quantity,*UnitAmount,Discount,*AccountCode,*TaxType,Currency,Type,Status\n" +
			"Ridgeway University,,,INV-1,P1,13/01/2025,12/02/2025,\"1,055.60\",GB1,White golf balls,1,5.60,,200,Tax Exempt,USD,Sales invoice,Awaiting Payment\n" +
			"Ridgeway University,,,INV-1,P1,13/01/2025,12/02/2025,\"1,055.60\",,Lessons,10,105.00,,200,Tax Exempt,USD,Sales invoice,Awaiting Payment\n" +
			"Ridgeway University,,,INV-2,,14/01/2025,12/02/2025,5.00,,Not yet,1,5.00,,200,Tax Exempt,USD,Sales invoice,Draft\n"},
		{"ManualJournal.csv", "*Narration,*Date,Description,*AccountCode,*TaxRate,*Amount,TrackingName1,TrackingOption1\n" +
			"Posters,31/01/2025,In town,400,Tax Exempt,80.00,,\nPosters,31/01/2025,In town,090,Tax Exempt,-80.00,,\n"},
	},
	"QuickBooks Online": {
		{"accounts.csv", "Account name,Type,Detail type,Description,Balance\nChecking,Bank,Checking,,0\nAdverts,Expenses,Advertising/Promotional,,0\n"},
		{"customers.csv", "Name,Company name,Street Address,City,State,Country,Zip,Phone,Email,Attachments,Open Balance\n" +
			"Ridgeway University,Ridgeway,1 High St,Oaktown,NY,US,10001,555 0100,office@ridgeway.example,0,0.00\n"},
		{"products.csv", "Product/Service Name,Sales Description,SKU,Type,Sales Price / Rate,Taxable,Income Account\nGB1,White golf balls,,Service,$5.60,no,Sales\n"},
		{"invoices.csv", "*InvoiceNo,*Customer,*InvoiceDate,*DueDate,Terms,Memo,Item(Product/Service),ItemDescription,ItemQuantity,ItemRate,*ItemAmount\n" +
			"1001,Ridgeway University,01/13/2025,02/12/2025,,,GB1,White golf balls,1,5.60,5.60\n1001,,,,,,,Lessons,,,\"1,050.00\"\n"},
		{"journal.csv", "*JournalNo,*JournalDate,*AccountName,*Debits,*Credits,Description,Name,Memo\n" +
			"7,01/31/2025,Adverts,80.00,,In town,,Posters\n7,,Checking,,80.00,In town,,\n"},
	},
}

func TestTake_the_files_of_other_programs(t *testing.T) {
	t.Parallel()
	for program, files := range foreignFiles {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			o := books(t)
			for round := range 2 {
				for _, f := range files {
					table, err := intake.Read(f[0], strings.NewReader(f[1]))
					if err != nil {
						t.Fatal(err)
					}
					s := mustTake(t, o, f[0], f[1])
					if table.Program() != program || round == 0 && s.Added == 0 || round == 1 && (s.Added != 0 || s.Changed != 0) {
						t.Errorf("round %d, %s of %q: %+v", round, f[0], table.Program(), s)
					}
				}
			}
			got := trial(t, o)
			adverts, checking := "", ""
			for account, balance := range got {
				if strings.Contains(account, "Adverts") {
					adverts = balance
				} else if strings.Contains(account, "Checking") {
					checking = balance
				}
			}
			if adverts != "80.00" || checking != "-80.00" || got["1100 Owed by customers USD"] != "1055.60" {
				t.Errorf("the books come to %v", got)
			}
			customers, invoices := exported(t, o, export.Customers), exported(t, o, export.Invoices)
			if !strings.Contains(customers, "office@ridgeway.example,555 0100,1 High St,Oaktown,NY,10001,US") || !strings.Contains(invoices, ",2025-01-13,2025-02-12,USD,2,,Lessons,") || strings.Contains(invoices, "Not yet") {
				t.Errorf("%s%s", customers, invoices)
			}
		})
	}
}

func TestTake_refuses_a_foreign_row_by_its_place(t *testing.T) {
	t.Parallel()
	o := books(t)
	mustTake(t, o, "c.csv", foreignFiles["Xero"][1][1])
	for _, c := range [][3]string{
		{strings.Replace(foreignFiles["Xero"][3][1], "105.00", `"12,5"`, 1), "line 3, column 12 (*unitamount)", "12,5"},
		{strings.Replace(foreignFiles["Xero"][3][1], "13/01/2025", "32/01/2025", 1), "line 2, column 6 (*invoicedate)", ""},
		{foreignFiles["Xero"][3][1], "line 2, column 9 (inventoryitemcode)", "GB1"},
		{foreignFiles["Xero"][4][1], "line 2, column 4 (*accountcode)", "400"},
	} {
		_, err := take(o, "file.csv", c[0])
		if said := fmt.Sprint(err); !strings.Contains(said, c[1]) || !strings.Contains(said, c[2]) {
			t.Errorf("%s: %s", c[1], said)
		}
	}
}
