package billing

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a machine without zone files keeps the same dates

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about settings.
var (
	ErrSettingsChanged = fault.New(fault.Conflict, "settings.changed", "Someone else changed the settings in the meantime. Look at them again, then repeat your change.")
	ErrZoneUnknown     = fault.New(fault.Invalid, "time_zone.unknown", "Give the time zone by its IANA name, such as Europe/Lisbon.")
	ErrPrefixMalformed = fault.New(fault.Invalid, "invoice_prefix.malformed", "Begin invoice numbers with letters, digits and - _ . / only, and end that part with anything but a digit.")
	ErrQuoteDays       = fault.New(fault.Invalid, "quote_days.out_of_range", "A quote stands for 0 to 365 days.")
	ErrTermsOutOfRange = fault.New(fault.Invalid, "payment_terms.out_of_range", "Payment is due within 0 to 365 days.")
)

// Settings is what an organization has decided for all of its books.
type Settings struct {
	Name          string
	BaseCurrency  money.Currency
	TimeZone      string // IANA
	Country       string // ISO 3166-1 alpha-2
	Street        string
	City          string
	Region        string
	PostalCode    string
	TaxNumber     string
	InvoicePrefix string
	// How the numbers of each kind of document look. That of invoices has the prefix where none was given.
	InvoiceNumbering    Numbering
	QuoteNumbering      Numbering
	CreditNoteNumbering Numbering
	QuoteDays           int // for how long a quote stands
	PaymentTermsDays    int
	TaxRounding         tax.Policy
	BooksClosedThrough  civil.Date // none: no period is closed
	// CollectAutomatically says whether what is due is charged and reminded of by itself.
	CollectAutomatically bool
	Version              int

	zone *time.Location
}

// SettingsInput is what may be changed. The base currency is not: the books are kept in it. Periods are closed in the
// ledger.
type SettingsInput struct {
	Name, TimeZone, Country                     string
	Street, City, Region, PostalCode, TaxNumber string
	InvoicePrefix                               string
	// Patterns as ParseNumbering reads them. Empty leaves them as they are; but a new prefix counts for more than the
	// pattern that there was.
	InvoiceNumbering, QuoteNumbering, CreditNoteNumbering string
	QuoteDays                                             *int // none: as it is
	PaymentTermsDays                                      int
	TaxRounding                                           tax.Policy
	CollectAutomatically                                  bool
}

// Zone is where the organization's days begin and end.
func (s Settings) Zone() *time.Location { return s.zone }

// Today is the organization's date at the moment of the transaction.
func (s Settings) Today(tx *tenant.Tx) civil.Date { return civil.Of(tx.Now(), s.zone) }

// LoadSettings reads the settings.
func LoadSettings(ctx context.Context, tx *tenant.Tx) (Settings, error) {
	return selectSettings(ctx, tx)
}

// ChangeSettings writes anew what SettingsInput holds. version is the one that the change was made on; 0 is any. It
// fails with what is wrong with the input, or ErrSettingsChanged. Numbers already given keep their prefix.
func ChangeSettings(ctx context.Context, tx *tenant.Tx, version int, in SettingsInput) (Settings, error) {
	in, err := in.check()
	if err != nil {
		return Settings{}, err
	}
	was, err := lockSettings(ctx, tx)
	if err != nil {
		return Settings{}, err
	}
	s, err := updateSettings(ctx, tx, version, in.over(was))
	if err != nil {
		return Settings{}, err
	}
	return s, tx.Record(ctx, tenant.Act{Action: "settings.change", Object: "settings", Changes: settingsChanges(was, s)})
}

// over takes from the settings before what the input leaves as it is.
func (in SettingsInput) over(was Settings) SettingsInput {
	if in.InvoiceNumbering == "" && in.InvoicePrefix == was.InvoicePrefix {
		in.InvoiceNumbering = was.InvoiceNumbering.String()
	}
	if in.InvoiceNumbering == in.InvoicePrefix+prefixCounter {
		in.InvoiceNumbering = ""
	}
	in.QuoteNumbering = cmp.Or(in.QuoteNumbering, was.QuoteNumbering.String())
	in.CreditNoteNumbering = cmp.Or(in.CreditNoteNumbering, was.CreditNoteNumbering.String())
	if in.QuoteDays == nil {
		in.QuoteDays = &was.QuoteDays
	}
	return in
}

func settingsChanges(was, is Settings) []tenant.Change {
	return []tenant.Change{
		{Field: "name", Before: was.Name, After: is.Name},
		{Field: "time_zone", Before: was.TimeZone, After: is.TimeZone},
		{Field: "country", Before: was.Country, After: is.Country},
		{Field: "street", Before: was.Street, After: is.Street},
		{Field: "city", Before: was.City, After: is.City},
		{Field: "region", Before: was.Region, After: is.Region},
		{Field: "postal_code", Before: was.PostalCode, After: is.PostalCode},
		{Field: "tax_number", Before: was.TaxNumber, After: is.TaxNumber},
		{Field: "invoice_prefix", Before: was.InvoicePrefix, After: is.InvoicePrefix},
		{Field: "invoice_numbering", Before: was.InvoiceNumbering.String(), After: is.InvoiceNumbering.String()},
		{Field: "quote_numbering", Before: was.QuoteNumbering.String(), After: is.QuoteNumbering.String()},
		{Field: "credit_note_numbering", Before: was.CreditNoteNumbering.String(), After: is.CreditNoteNumbering.String()},
		{Field: "quote_days", Before: strconv.Itoa(was.QuoteDays), After: strconv.Itoa(is.QuoteDays)},
		{Field: "payment_terms_days", Before: strconv.Itoa(was.PaymentTermsDays), After: strconv.Itoa(is.PaymentTermsDays)},
		{Field: "collect_automatically", Before: strconv.FormatBool(was.CollectAutomatically), After: strconv.FormatBool(is.CollectAutomatically)},
		{Field: "tax_rounding", Before: storedRounding[was.TaxRounding], After: storedRounding[is.TaxRounding]},
	}
}

// A number is prefix and digits. Were a prefix to end in a digit, INV-1 with 0001 and INV- with 10001 would be the
// same number.
var prefixShape = regexp.MustCompile(`^([\p{L}\p{N}._/-]*[\p{L}._/-])?$`)

func (in SettingsInput) check() (SettingsInput, error) {
	var f fields
	in.Name = f.text(text.Required, "name", in.Name, nameLength)
	in.Street = f.text(text.Line, "street", in.Street, 200)
	in.City = f.text(text.Line, "city", in.City, 100)
	in.Region = f.text(text.Line, "region", in.Region, 100)
	in.PostalCode = f.text(text.Line, "postal_code", in.PostalCode, 20)
	in.TaxNumber = f.text(text.Line, "tax_number", in.TaxNumber, 40)
	in.InvoicePrefix = f.text(text.Line, "invoice_prefix", in.InvoicePrefix, 12)
	if !prefixShape.MatchString(in.InvoicePrefix) {
		f.add("invoice_prefix", ErrPrefixMalformed)
	}
	if in.InvoiceNumbering != in.InvoicePrefix+prefixCounter { // a prefix may have other letters than a pattern
		in.InvoiceNumbering = f.numbering("invoice_numbering", in.InvoiceNumbering)
	}
	in.QuoteNumbering = f.numbering("quote_numbering", in.QuoteNumbering)
	in.CreditNoteNumbering = f.numbering("credit_note_numbering", in.CreditNoteNumbering)
	if in.QuoteDays != nil && (*in.QuoteDays < 0 || *in.QuoteDays > 365) {
		f.add("quote_days", ErrQuoteDays)
	}
	_, err := loadZone(in.TimeZone)
	f.add("time_zone", err)
	in.Country, err = country.Parse(in.Country)
	f.add("country", err)
	if in.PaymentTermsDays < 0 || in.PaymentTermsDays > 365 {
		f.add("payment_terms_days", ErrTermsOutOfRange)
	}
	if _, ok := storedRounding[in.TaxRounding]; !ok {
		f.add("", fmt.Errorf("unknown rounding %v", in.TaxRounding))
	}
	return in, f.err()
}

// numbering reads a pattern where one is given.
func (f *fields) numbering(field, template string) string {
	template = strings.TrimSpace(template)
	if template == "" {
		return ""
	}
	n, err := ParseNumbering(template)
	f.add(field, err)
	return n.String()
}

// zones holds those read so far, by name: there are some hundreds, and each costs a file to read.
var zones sync.Map

// loadZone reads an IANA name. "Local" would be the zone of whatever machine answers.
func loadZone(name string) (*time.Location, error) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil
	}
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, ErrZoneUnknown
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, ErrZoneUnknown.Because(err)
	}
	zones.Store(name, zone)
	return zone, nil
}
