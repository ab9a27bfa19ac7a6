package page

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/web/templates"
)

var (
	dublin = time.FixedZone("Europe/Dublin", 0)
	now    = time.Date(2026, time.November, 23, 9, 12, 0, 0, dublin)
	nobody = Person{}
	mara   = Person{Name: "Mara Lindqvist", Email: "mara@tidewater.example"}
	eur    = money.MustCurrency("EUR")
)

func euros(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: eur} }

func refused(form Form, faults ...*fault.Error) Form {
	form.Faults = faults
	return form
}

func sampleShell(title, nav string) Shell {
	return Shell{
		Title: title, Nav: nav, Today: now, Person: mara,
		Organization: Organization{Name: "Tidewater Studios", Slug: "tidewater"},
		Sample:       &Sample{Today: now, Until: now.Add(7 * oneDay), Filled: 65, Own: true, Back: "/o/tidewater/invoices"},
		SampleOffer:  true,
		Others:       []Organization{{Name: "Elm Row Allotments", Slug: "elm-row"}, {Name: "北码头合唱团", Slug: "north-quay"}},
		Flash:        Flash{Say: "Sent to hughoreilly@apple.ie"},
		Open:         Counts{Invoices: 9},
		PasswordDue:  now.Add(9 * oneDay),
		May:          func(string) bool { return true },
	}
}

type specimenRow struct {
	Number, Customer, State, Quantity string
	Issued, Due                       time.Time
	Total, Open                       money.Amount
}

type specimen struct {
	Shell
	Owed, Late money.Amount
	Rows       []specimenRow
	Pager      Pager
	Form       Form
	Methods    []Option
}

func sampleSpecimen() specimen {
	quantity := fault.New(fault.Invalid, "line.quantity", "Line 3 needs a quantity.").At("lines[2].quantity")
	days := func(n int) time.Time { return now.AddDate(0, 0, n) }
	form := NewForm("name", `Hugh "O’Reilly" <script>`, "method", "bank", "card", "yes")
	form.Key = "0198-key"
	return specimen{
		Shell: sampleShell("TW-2026-0147", "invoices"), Owed: euros(1894250), Late: euros(-431000),
		Rows: []specimenRow{
			{"TW-2026-0147", "Hugh O’Reilly", "part_paid", "3.000", days(-14), days(3), euros(393600), euros(243600)},
			{"TW-2026-0129", "Stanisław Wójcik", "overdue", "1240.50", days(-400), days(-372), euros(124000), euros(0)},
			{"Draft", "František Wichterlová", "draft", "1", time.Time{}, time.Time{}, euros(131000), euros(0)},
		},
		Pager:   Pager{Said: "1 to 3 of 412", Older: "/o/tidewater/invoices?starting_after=x"},
		Form:    refused(form, quantity, fault.New(fault.Conflict, "x.y", "Somebody else changed it meanwhile.")),
		Methods: []Option{{Value: "bank", Label: "Bank transfer"}, {Value: "cash", Label: "Cash"}},
	}
}

// samples has data for every page; a page without is refused by TestEveryPage.
func samples() map[string]any {
	email := fault.New(fault.Invalid, "email.shape", "The part after @ needs an ending, such as .com or .ie").At("email")
	slug := fault.New(fault.Conflict, "slug.taken", "That address is taken. Choose another.").At("slug")
	organization := NewForm("token", "t0ken", "organization", "Tidewater Studios", "slug", "tidewater", "country", "IE",
		"currency", "EUR", "time_zone", "Europe/Dublin", "name", "Mara Lindqvist", "password", "hunter2hunter2")
	missing := NewError(404, "", "7F3K-22")
	all := map[string]any{
		"sign-up":      SignUp{Gate{Title: "Open your books", Person: nobody}, refused(NewForm("email", "mara@tidewater"), email), &Captcha{"altcha", "", "sign_up"}},
		"sign-up-sent": SignUpSent{Gate{Title: "Look in your mail", Person: nobody}, "mara@tidewater.example", "/dev/outbox"},
		"set-up": SetUp{Gate{Title: "Set up your books", Person: nobody}, refused(organization, slug), "mara@tidewater.example",
			"localhost:8080/o/", "At least 12 characters; a few plain words do well."},
		"sign-in": SignIn{Gate{Title: "Sign in", Person: nobody}, refused(NewForm("email", "mara@tidewater.example", "next", "/o/tidewater"),
			fault.New(fault.Unauthenticated, "sign_in.refused", "Email and password do not belong together."))},
		"open":   Open{Gate{Title: "Open another organization", Person: mara}, NewForm(), "localhost:8080/o/"},
		"choose": Choose{Gate{Title: "Your organizations", Person: mara}, Flash{Say: "Last signed in today.", Login: "0198c0de-0000-7000-8000-000000000001"}, sampleShell("", "").Others, true},
		"error":  missing,
		"outbox": Outbox{Gate{Title: "Outbox", Person: nobody}, now, []Mail{{To: "mara@tidewater.example", Subject: "Open your books",
			Text: "Somebody, we hope you, wants to open books at Countinghouse.\n\nhttp://localhost:8080/set-up?token=abc&x=1.\n\n<b>Not you?</b> Do nothing.", Sent: now.Add(-time.Minute)}}, []TextSent{{To: "+353860123456", Text: "123456 is your code.", Sent: now}, {To: "+353860123456", Text: "Your code is 123456.", Voice: true, Sent: now}}},
		"specimen": sampleSpecimen(),
	}
	maps.Copy(all, memberSamples())
	maps.Copy(all, activitySamples())
	maps.Copy(all, secondFactorSamples())
	maps.Copy(all, portalSamples())
	maps.Copy(all, subscriptionSamples())
	maps.Copy(all, billSamples())
	maps.Copy(all, planSamples())
	maps.Copy(all, bankSamples())
	maps.Copy(all, searchSamples())
	return all
}

// withSpecimen is the pages and one more, of testdata, that uses every part.
func withSpecimen(t *testing.T) templateSet {
	t.Helper()
	text, err := os.ReadFile("testdata/specimen.html")
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{"specimen.html": {Data: text}}
	err = fs.WalkDir(templates.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".html") {
			return err
		}
		data, err := templates.Files.ReadFile(name)
		all[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parseEnglish(all)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func drawn(t *testing.T, pages templateSet, name string, data any) string {
	t.Helper()
	var b bytes.Buffer
	if err := pages.render(&b, name, name, data); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryPage(t *testing.T) {
	t.Parallel()
	pages, data := withSpecimen(t), samples()
	for name := range pages {
		sample, ok := data[name]
		if !ok {
			t.Errorf("page %s has no sample data here", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, complaint := range inspect(drawn(t, pages, name, sample)) {
				t.Error(complaint)
			}
		})
	}
	for name := range data {
		if _, ok := pages[name]; !ok {
			t.Errorf("sample data for %s, which is no page", name)
		}
	}
}

func TestEmptyLists(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]any{
		"choose":            Choose{Gate: Gate{Title: "Your organizations", Person: mara}},
		"customers":         Customers{Shell: sampleShell("Customers", "customers"), Tabs: sampleTabs()},
		"products":          Products{Shell: sampleShell("Products", "products"), Find: Find{URL: "/x", Search: "y", Label: "Name"}, Tabs: sampleTabs()},
		"taxes":             Taxes{Shell: sampleShell("Taxes", "taxes"), Tabs: sampleTabs()},
		"invoices":          Invoices{Shell: sampleShell("Invoices", "invoices"), Tabs: sampleTabs()},
		"payees":            Payees{Shell: sampleShell("Payees", "payees"), Tabs: sampleTabs()},
		"bills":             Bills{Shell: sampleShell("Bills", "bills"), Periods: samplePeriods(), Tabs: sampleTabs(), New: "New bill", Left: "Open"},
		"bill-payments":     BillPayments{Shell: sampleShell("Bill payments", "bill-payments")},
		"subscriptions":     Subscriptions{Shell: sampleShell("Subscriptions", "subscriptions"), Tabs: sampleTabs()},
		"payments":          Payments{Shell: sampleShell("Payments", "payments")},
		"accounts":          Accounts{Shell: sampleShell("Accounts", "accounts"), Tabs: sampleTabs()},
		"journal":           Journal{Shell: sampleShell("Journal", "journal")},
		"ledger":            GeneralLedger{Shell: sampleShell("Ledger", "ledger")},
		"trial-balance":     TrialBalance{Shell: sampleShell("Trial balance", "trial-balance")},
		"customer-balances": CustomerBalances{Shell: sampleShell("Customer balances", "customer-balances")},
		"tokens":            Tokens{Shell: sampleShell("API tokens", "tokens")},
		"overview":          Overview{Shell: sampleShell("Overview", "overview"), SetUp: []Step{{Label: "Add a customer"}}},
		"outbox":            Outbox{Gate: Gate{Title: "Outbox", Person: nobody}, Now: now},
	} {
		for _, complaint := range inspect(drawn(t, set, name, data)) {
			t.Errorf("%s: %s", name, complaint)
		}
	}
}

func TestRender(t *testing.T) {
	t.Parallel()

	t.Run("writes nothing when the template fails", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		if err := Render(&b, "", "sign-up", struct{ Gate }{}); err == nil || b.Len() > 0 {
			t.Errorf("error %v and %d bytes; want an error and none", err, b.Len())
		}
	})
	t.Run("knows no other page", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"", "shell", "field", "../static/look", "sign-up.html"} {
			if err := Render(io.Discard, "", name, nil); err == nil {
				t.Errorf("Render(%q) drew something", name)
			}
		}
	})
	t.Run("tells a writer that fails", func(t *testing.T) {
		t.Parallel()
		if err := Render(broken{}, "", "sign-up", samples()["sign-up"]); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("error %v, want that of the writer", err)
		}
	})
	t.Run("draws a part alone", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		if err := withSpecimen(t).render(&b, "specimen", "rows", sampleSpecimen()); err != nil || !strings.HasPrefix(b.String(), "<p>TW-2026-0147</p>") {
			t.Errorf("drew %q, %v", b.String(), err)
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestShell(t *testing.T) {
	t.Parallel()
	html := drawn(t, withSpecimen(t), "specimen", sampleSpecimen())
	for _, want := range []string{
		`<title>TW-2026-0147 · Tidewater Studios</title>`,
		`<a href="/o/tidewater/invoices" aria-current="page" data-go="i">`,
		`href="/o/tidewater/reports/trial-balance"`,
		`<form method="post" action="/sign-out">`,
		`href="/o/elm-row"`, `href="/open"`,
		`<input type="hidden" name="idempotency_key" value="0198-key">`,
		`Sent to hughoreilly@apple.ie`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if n := strings.Count(html, `aria-current="page"`); n != 1 {
		t.Errorf("%d current entries in the navigation, want 1", n)
	}
	if strings.Contains(html, "O’Reilly\" <script>") {
		t.Error("a value was written without escaping")
	}
}

func TestRefusedForm(t *testing.T) {
	t.Parallel()
	data := samples()

	t.Run("keeps values, and tells each fault on top and beside its field", func(t *testing.T) {
		t.Parallel()
		html := drawn(t, set, "sign-up", data["sign-up"])
		for _, want := range []string{
			`<a href="#f-email">The part after @ needs`, `id="f-email"`, `value="mara@tidewater"`,
			`aria-invalid="true"`, `aria-describedby="f-email-h f-email-e"`, `id="f-email-e"`,
		} {
			if !strings.Contains(html, want) {
				t.Errorf("the page lacks %s", want)
			}
		}
	})
	t.Run("keeps choices, and never sends a password back", func(t *testing.T) {
		t.Parallel()
		html := drawn(t, set, "set-up", data["set-up"])
		for _, want := range []string{
			`<option value="IE" selected data-currency="EUR" data-zone="Europe/Dublin">Ireland</option>`,
			`<option value="EUR" selected>EUR, euro</option>`,
			`<option value="Europe/Dublin" selected data-country="IE">Dublin</option>`,
			`name="token" value="t0ken"`,
		} {
			if !strings.Contains(html, want) {
				t.Errorf("the page lacks %s", want)
			}
		}
		if strings.Contains(html, "hunter2") {
			t.Error("the password came back")
		}
	})
	t.Run("takes faults and leaves other errors", func(t *testing.T) {
		t.Parallel()
		one := fault.New(fault.Invalid, "a.b", "One.").At("organization.name")
		form := NewForm()
		if !form.Refused(fault.List{one, one.At("slug")}) || len(form.Faults) != 2 {
			t.Fatalf("faults %v", form.Faults)
		}
		form.Move("organization.name", "organization")
		if form.Fault("organization") != "One." || form.Fault("organization.name") != "" {
			t.Errorf("the fault did not move: %v", form.Faults)
		}
		if form.Refused(io.EOF) || form.Refused(nil) || len(form.Faults) != 2 {
			t.Error("an error that is no fault was taken for one")
		}
	})
}

func TestNewError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		say        string
		title, has string
	}{
		{404, "", "Nothing here", "not yours to see"},
		{500, "", "Something broke on our side", "Tell us 7F3K-22 if it stays."},
		{502, "", "Something broke on our side", "Tell us 7F3K-22 if it stays."},
		{409, "Only a draft can be issued.", "Not as things stand", "Only a draft can be issued."},
	} {
		if e := NewError(c.status, c.say, "7F3K-22"); e.Title != c.title || !strings.Contains(e.Say, c.has) || e.RequestID != "7F3K-22" {
			t.Errorf("NewError(%d, %q) = %+v", c.status, c.say, e)
		}
	}
}
