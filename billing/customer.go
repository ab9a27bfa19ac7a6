package billing

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about customers.
var (
	ErrCustomerNotFound = fault.New(fault.NotFound, "customer.not_found", "There is no such customer.")
	ErrCustomerChanged  = fault.New(fault.Conflict, "customer.changed", "Someone else changed this customer in the meantime. Look at it again, then repeat your change.")
	ErrCustomerArchived = fault.New(fault.Conflict, "customer.archived", "This customer is archived. Restore it first.")
	ErrCustomerExternal = fault.New(fault.Conflict, "customer.external_id_taken", "Another customer has this external id.").At("external_id")
	ErrEmailMalformed   = fault.New(fault.Invalid, "email.malformed", "Write the e-mail address as name@example.org.")
)

// CustomerID names a customer.
type CustomerID = id.Of[Customer]

// Customer is someone who is sold to.
type Customer struct {
	ID         CustomerID `db:"id"`
	ExternalID string     `db:"external_id"` // the customer's id in another system, or empty
	Name       string     `db:"name"`
	Company    string     `db:"company"`
	Email      string     `db:"email"`
	Phone      string     `db:"phone"`
	Street     string     `db:"street"`
	City       string     `db:"city"`
	Region     string     `db:"region"`
	PostalCode string     `db:"postal_code"`
	Country    string     `db:"country"` // ISO 3166-1 alpha-2, or empty
	TaxNumber  string     `db:"tax_number"`
	Language   string     `db:"language"`           // of their documents; empty: English
	TermsDays  *int       `db:"payment_terms_days"` // none: those of the organization
	CreatedAt  time.Time  `db:"created_at"`
	Archived   bool       `db:"archived"`
	Version    int        `db:"version"`
	// VerifiedPhone is a number that they have shown to be theirs, in E.164, and when; none yet.
	VerifiedPhone   string     `db:"verified_phone"`
	PhoneVerifiedAt *time.Time `db:"phone_verified_at"`
}

// CustomerInput is what is written about a customer. All but the name may be empty. Country is a code or an English name.
type CustomerInput struct {
	ExternalID, Name, Company, Email, Phone   string
	Street, City, Region, PostalCode, Country string
	TaxNumber                                 string
	Language                                  string // of their documents: en or fr
	TermsDays                                 *int   // none: the organization's
}

// CustomerFilter narrows a list of customers: to those in whose name, company, e-mail or external id the words of
// Search occur, and to the archived or (zero) those that are not.
type CustomerFilter struct {
	Search   string
	Archived bool
}

func (in CustomerInput) check() (CustomerInput, error) {
	var f fields
	in.ExternalID = f.text(text.Line, "external_id", in.ExternalID, externalIDLength)
	in.Name = f.text(text.Required, "name", in.Name, nameLength)
	in.Company = f.text(text.Line, "company", in.Company, nameLength)
	in.Email = f.text(text.Line, "email", in.Email, 254)
	in.Phone = f.text(text.Line, "phone", in.Phone, 40)
	in.Street = f.text(text.Line, "street", in.Street, 200)
	in.City = f.text(text.Line, "city", in.City, 100)
	in.Region = f.text(text.Line, "region", in.Region, 100)
	in.PostalCode = f.text(text.Line, "postal_code", in.PostalCode, 20)
	in.Country = f.text(text.Line, "country", in.Country, 100)
	in.TaxNumber = f.text(text.Line, "tax_number", in.TaxNumber, 40)
	if in.Language != "" {
		_, err := locale.Parse(in.Language)
		f.add("language", err)
	}
	if in.TermsDays != nil && (*in.TermsDays < 0 || *in.TermsDays > 365) {
		f.add("payment_terms_days", ErrTermsOutOfRange)
	}
	if in.Email != "" && !plausibleEmail(in.Email) {
		f.add("email", ErrEmailMalformed)
	}
	if in.Country != "" {
		code, err := country.Parse(in.Country)
		f.add("country", err)
		in.Country = code
	}
	return in, f.err()
}

// plausibleEmail only catches slips: whether mail arrives is found out by sending some.
func plausibleEmail(s string) bool {
	name, host, ok := strings.Cut(s, "@")
	return ok && name != "" && host != "" && !strings.ContainsAny(host, "@,;:") && !strings.ContainsAny(s, " <>\"\\")
}

// AddCustomer keeps a new customer. It fails with what is wrong with the input, or ErrCustomerExternal.
func AddCustomer(ctx context.Context, tx *tenant.Tx, in CustomerInput) (Customer, error) {
	in, err := in.check()
	if err != nil {
		return Customer{}, err
	}
	c, err := insertCustomer(ctx, tx, id.New[Customer](), in)
	if err != nil {
		return Customer{}, err
	}
	return c, tx.Record(ctx, tenant.Act{Action: "customer.add", Object: "customer", ID: c.ID.UUID})
}

// ChangeCustomer writes all of a customer anew. version is the one that the change was made on; 0 is any. It fails with
// what is wrong with the input, ErrCustomerNotFound, ErrCustomerChanged or ErrCustomerExternal.
func ChangeCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID, version int, in CustomerInput) (Customer, error) {
	in, err := in.check()
	if err != nil {
		return Customer{}, err
	}
	was, err := lockCustomer(ctx, tx, customer)
	if err != nil {
		return Customer{}, err
	}
	c, err := updateCustomer(ctx, tx, customer, version, in)
	if err != nil {
		return Customer{}, err
	}
	return c, tx.Record(ctx, tenant.Act{Action: "customer.change", Object: "customer", ID: c.ID.UUID, Changes: customerChanges(was, c)})
}

func customerChanges(was, is Customer) []tenant.Change {
	return []tenant.Change{
		{Field: "external_id", Before: was.ExternalID, After: is.ExternalID},
		{Field: "name", Before: was.Name, After: is.Name, Personal: true},
		{Field: "company", Before: was.Company, After: is.Company, Personal: true},
		{Field: "email", Before: was.Email, After: is.Email, Personal: true},
		{Field: "phone", Before: was.Phone, After: is.Phone, Personal: true},
		{Field: "street", Before: was.Street, After: is.Street, Personal: true},
		{Field: "city", Before: was.City, After: is.City, Personal: true},
		{Field: "region", Before: was.Region, After: is.Region, Personal: true},
		{Field: "postal_code", Before: was.PostalCode, After: is.PostalCode, Personal: true},
		{Field: "country", Before: was.Country, After: is.Country},
		{Field: "tax_number", Before: was.TaxNumber, After: is.TaxNumber, Personal: true},
		{Field: "language", Before: was.Language, After: is.Language},
		{Field: "payment_terms_days", Before: was.terms(), After: is.terms()},
	}
}

// terms are the customer's own terms of payment as a text; empty for the organization's.
func (c Customer) terms() string {
	if c.TermsDays == nil {
		return ""
	}
	return strconv.Itoa(*c.TermsDays)
}

// ArchiveCustomer takes a customer off the lists; their documents stay. Archiving twice is fine. It fails with
// ErrCustomerNotFound or ErrCustomerChanged.
func ArchiveCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID, version int) (Customer, error) {
	c, err := setCustomerArchived(ctx, tx, customer, version, true)
	if err != nil {
		return Customer{}, err
	}
	return c, tx.Record(ctx, tenant.Act{Action: "customer.archive", Object: "customer", ID: c.ID.UUID})
}

// RestoreCustomer puts an archived customer back on the lists, with the errors of ArchiveCustomer.
func RestoreCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID, version int) (Customer, error) {
	c, err := setCustomerArchived(ctx, tx, customer, version, false)
	if err != nil {
		return Customer{}, err
	}
	return c, tx.Record(ctx, tenant.Act{Action: "customer.restore", Object: "customer", ID: c.ID.UUID})
}

// CustomerByID gives one customer, archived or not; ErrCustomerNotFound.
func CustomerByID(ctx context.Context, tx *tenant.Tx, customer CustomerID) (Customer, error) {
	return selectCustomer(ctx, tx, customer)
}

// Customers lists customers by name.
func Customers(ctx context.Context, tx *tenant.Tx, filter CustomerFilter, q cursor.Query) (cursor.Page[Customer], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Customer]{}, err
	}
	if filter.Search, err = text.Line("search", filter.Search, nameLength); err != nil {
		return cursor.Page[Customer]{}, err
	}
	rows, err := selectCustomers(ctx, tx, filter, q)
	if err != nil {
		return cursor.Page[Customer]{}, err
	}
	return cursor.Cut(q, rows), nil
}

// CustomersByExternalID gives the ids of those customers that are known by these external ids.
func CustomersByExternalID(ctx context.Context, tx *tenant.Tx, externalIDs []string) (map[string]CustomerID, error) {
	return selectCustomerIDs(ctx, tx, externalIDs)
}
