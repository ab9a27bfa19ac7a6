package billing_test

import (
	"context"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) customers(filter billing.CustomerFilter, q cursor.Query) (names string, page cursor.Page[billing.Customer]) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		page, err = billing.Customers(ctx, tx, filter, q)
		return err
	})
	var all []string
	for _, c := range page.Items {
		all = append(all, c.Name)
	}
	return strings.Join(all, ", "), page
}

func TestAddCustomerKeepsEveryScript(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for _, in := range []billing.CustomerInput{
		{Name: "Αλέξανδρος Παπαδόπουλος", City: "Θεσσαλονίκη", Country: "Greece"},
		{Name: "Мария Иванова", Company: "ООО «Ромашка»", City: "Київ", Country: "Ukraine"},
		{Name: "株式会社山田製作所", Street: "千代田区千代田1-1", City: "東京", PostalCode: "100-0001", Country: "Japan"},
		{Name: "김민준", City: "서울", Country: "South Korea"},
		{Name: "Luís Gonçalves", Email: "luisg@embraer.example", Phone: "+55 (12) 3923-5555", Region: "SP", Country: "Brazil"},
	} {
		var added, read billing.Customer
		b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			if added, err = billing.AddCustomer(ctx, tx, in); err != nil {
				return err
			}
			read, err = billing.CustomerByID(ctx, tx, added.ID)
			return err
		})
		code, err := country.Parse(in.Country)
		if err != nil {
			t.Fatal(err)
		}
		in.Country = code
		kept := billing.CustomerInput{Name: read.Name, Company: read.Company, Email: read.Email, Phone: read.Phone,
			Street: read.Street, City: read.City, Region: read.Region, PostalCode: read.PostalCode, Country: read.Country}
		if kept != in || added.Name != in.Name {
			t.Errorf("kept %+v of %+v", kept, in)
		}
		word, _, _ := strings.Cut(in.Name, " ")
		if names, _ := b.customers(billing.CustomerFilter{Search: strings.ToUpper(word)}, cursor.Query{}); names != in.Name {
			t.Errorf("searching for %q in capitals finds %q", word, names)
		}
	}
}

func TestAddCustomerRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara", ExternalID: "c-1"})
		return err
	})
	for name, c := range map[string]struct {
		in    billing.CustomerInput
		want  *fault.Error
		field string
	}{
		"no name":                    {billing.CustomerInput{Name: "  "}, text.ErrMissing, "name"},
		"a NUL byte":                 {billing.CustomerInput{Name: "a\x00b"}, text.ErrInvalid, "name"},
		"broken UTF-8":               {billing.CustomerInput{Name: "a", City: "\xff"}, text.ErrInvalid, "city"},
		"a line break":               {billing.CustomerInput{Name: "a", Street: "b\nc"}, text.ErrInvalid, "street"},
		"a name of 10 MB":            {billing.CustomerInput{Name: strings.Repeat("a", 10<<20)}, text.ErrTooLong, "name"},
		"a name of 201 characters":   {billing.CustomerInput{Name: strings.Repeat("я", 201)}, text.ErrTooLong, "name"},
		"an unknown country":         {billing.CustomerInput{Name: "a", Country: "Atlantis"}, country.ErrUnknown, "country"},
		"an e-mail address that not": {billing.CustomerInput{Name: "a", Email: "mara at tidewater"}, billing.ErrEmailMalformed, "email"},
		"an external id twice":       {billing.CustomerInput{Name: "a", ExternalID: "c-1"}, billing.ErrCustomerExternal, "external_id"},
	} {
		t.Run(name, func(t *testing.T) {
			books{t, b.org}.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.AddCustomer(ctx, tx, c.in)
				return err
			})
		})
	}
	t.Run("all that is wrong at once", func(t *testing.T) {
		err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Country: "Atlantis", Email: "x"})
			return err
		})
		for want, field := range map[*fault.Error]string{text.ErrMissing: "name", country.ErrUnknown: "country", billing.ErrEmailMalformed: "email"} {
			checkFault(t, err, want, field)
		}
	})
}

func TestChangeCustomer(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	c := b.customer("Mara")
	change := func(version int, name string) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.ChangeCustomer(ctx, tx, c.ID, version, billing.CustomerInput{Name: name})
			return err
		}
	}
	b.do(change(c.Version, "Mara Lindqvist"))
	b.refuses(billing.ErrCustomerChanged, "", change(c.Version, "Someone else's view"))
	b.do(change(0, "Mara L."))
	if names, _ := b.customers(billing.CustomerFilter{}, cursor.Query{}); names != "Mara L." {
		t.Errorf("customers are %q", names)
	}
	b.refuses(billing.ErrCustomerNotFound, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ChangeCustomer(ctx, tx, billing.CustomerID{}, 0, billing.CustomerInput{Name: "Nobody"})
		return err
	})
}

func TestAnotherOrganizationsCustomerIsUnknown(t *testing.T) {
	t.Parallel()
	theirs := openBooks(t).customer("Theirs")
	b := openBooks(t)
	b.refuses(billing.ErrCustomerNotFound, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.CustomerByID(ctx, tx, theirs.ID)
		return err
	})
	b.refuses(billing.ErrCustomerUnknown, "customer_id", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: theirs.ID})
		return err
	})
}

func TestArchiveCustomer(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	c := b.customer("Mara")
	b.customer("Noor")
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		archived, err := billing.ArchiveCustomer(ctx, tx, c.ID, c.Version)
		if err == nil && !archived.Archived {
			t.Error("the answer says that it is not archived")
		}
		return err
	})
	if names, _ := b.customers(billing.CustomerFilter{}, cursor.Query{}); names != "Noor" {
		t.Errorf("listed are %q", names)
	}
	if names, _ := b.customers(billing.CustomerFilter{Archived: true}, cursor.Query{}); names != "Mara" {
		t.Errorf("archived are %q", names)
	}
	draft := billing.InvoiceInput{CustomerID: c.ID, Lines: []billing.InvoiceLineInput{line("Work", "1", "1")}}
	b.refuses(billing.ErrCustomerArchived, "customer_id", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.DraftInvoice(ctx, tx, draft)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RestoreCustomer(ctx, tx, c.ID, 0)
		return err
	})
	b.draft(draft)
}

func TestCustomersPages(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for _, name := range []string{"Eva", "anna", "Bert", "Doro", "Carl", "Bert"} {
		b.customer(name)
	}
	first, page := b.customers(billing.CustomerFilter{}, cursor.Query{Limit: 3})
	if first != "anna, Bert, Bert" || !page.HasMore {
		t.Fatalf("first page %q, more: %v", first, page.HasMore)
	}
	second, next := b.customers(billing.CustomerFilter{}, cursor.Query{Limit: 3, After: page.Items[2].ID.UUID})
	if second != "Carl, Doro, Eva" || next.HasMore {
		t.Errorf("second page %q, more: %v", second, next.HasMore)
	}
	back, before := b.customers(billing.CustomerFilter{}, cursor.Query{Limit: 2, Before: next.Items[0].ID.UUID})
	if back != "Bert, Bert" || !before.HasMore {
		t.Errorf("the page before %q, more: %v", back, before.HasMore)
	}
	b.refuses(cursor.ErrLimit, "limit", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.Customers(ctx, tx, billing.CustomerFilter{}, cursor.Query{Limit: 101})
		return err
	})
	if names, _ := b.customers(billing.CustomerFilter{Search: "%"}, cursor.Query{}); names != "" {
		t.Errorf("a percent sign finds %q", names)
	}
}

func TestByExternalID(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara", ExternalID: "c-1"})
		if err != nil {
			return err
		}
		p, err := billing.AddProduct(ctx, tx, billing.ProductInput{Name: "Work", ExternalID: "p-1"})
		if err != nil {
			return err
		}
		i, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, ExternalID: "i-1",
			Lines: []billing.InvoiceLineInput{line("Work", "1", "10")}})
		if err != nil {
			return err
		}
		if _, err := billing.IssueInvoice(ctx, tx, i.ID, 0); err != nil {
			return err
		}
		y, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: i.ID, ExternalID: "y-1",
			Amount: amount("10.00", eur), Method: billing.Cash})
		if err != nil {
			return err
		}
		wanted := []string{"c-1", "p-1", "i-1", "y-1", "missing", "", "a\x00b", "\xff"}
		customers, err1 := billing.CustomersByExternalID(ctx, tx, wanted)
		products, err2 := billing.ProductsByExternalID(ctx, tx, wanted)
		invoices, err3 := billing.InvoicesByExternalID(ctx, tx, wanted)
		payments, err4 := billing.PaymentsByExternalID(ctx, tx, wanted)
		for _, err := range []error{err1, err2, err3, err4} {
			if err != nil {
				return err
			}
		}
		if len(customers) != 1 || customers["c-1"] != c.ID || len(products) != 1 || products["p-1"] != p.ID ||
			len(invoices) != 1 || invoices["i-1"] != i.ID || len(payments) != 1 || payments["y-1"] != y.ID {
			t.Errorf("found %v %v %v %v", customers, products, invoices, payments)
		}
		return nil
	})
}
