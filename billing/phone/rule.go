package phone

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/phonenumber"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about the rules.
var (
	ErrChanged   = fault.New(fault.Conflict, "phone_check.changed", "Someone else changed these settings in the meantime. Look at them again, then repeat your change.")
	ErrWhen      = fault.New(fault.Invalid, "phone_check.when", "Choose never, before or after.").At("when")
	ErrTypes     = fault.New(fault.Invalid, "phone_check.types", "Write each type on a line of its own, with never, before or after: Gift cards: before.").At("types")
	ErrFilter    = fault.New(fault.Invalid, "phone_check.filter", "This is not a regular expression that we can use. It is tried on the digits alone, in the syntax of RE2: ^(353|44).").At("filter")
	ErrText      = fault.New(fault.Invalid, "phone_check.text", "Write a text with %code% in it, where the code is to stand.").At("text")
	ErrWays      = fault.New(fault.Invalid, "phone_check.ways", "Choose text messages, calls, or which of them comes first.").At("ways")
	ErrBounds    = fault.New(fault.Invalid, "phone_check.bounds", "This is out of bounds.")
	ErrCountries = fault.New(fault.Invalid, "phone_check.denied", "Write countries by their codes, with spaces between them: KP SY.").At("denied")
	ErrKinds     = fault.New(fault.Invalid, "phone_check.kinds", "The kinds are mobile, fixed, either, voip and personal.").At("kinds")
	ErrProduct   = fault.New(fault.NotFound, "phone_check.product", "There is no such product.").At("product_id")
)

// When is at which moment a verified number is asked for.
type When string

// The moments. Unsaid leaves it to the wider setting.
const (
	Unsaid When = ""
	Never  When = "never"
	Before When = "before" // it is paid
	After  When = "after"
)

func (w When) rank() int { return map[When]int{Before: 2, After: 1}[w] }

func stricter(a, b When) When {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// Rules are what an organization has set.
type Rules struct {
	When       When
	Join       bool            // whoever registers by themselves verifies a number first
	Types      map[string]When // by the type of a product; its name in small letters
	Filter     string          // a regular expression (RE2) that the digits of a number have to match; "" is any
	Text       string          // with %code%
	Ways       string          // "text", "call", or both with the one first that is tried first
	Minutes    int             // for which a code is good
	Tries      int             // at one code
	Delay      int             // seconds between two codes
	NumberDay  int             // codes to one number in 24 hours
	NetworkDay int             // codes asked for from one network in 24 hours
	Denied     []string        // countries
	Kinds      []string        // of numbers, that are denied
	Version    int
	ofProducts bool // there are products that ask for themselves
}

// asks says whether anything asks for a number.
func (r Rules) asks() bool {
	asks := r.When.rank() > 0 || r.Join || r.ofProducts
	for _, when := range r.Types {
		asks = asks || when.rank() > 0
	}
	return asks
}

// ProductRule is a product with a moment of its own.
type ProductRule struct {
	ID   uuid.UUID `db:"id"`
	Name string    `db:"product_name"`
	When When      `db:"phone_check"`
}

// TypesText are the types' moments as ParseTypes reads them.
func (r Rules) TypesText() string {
	lines := make([]string, 0, len(r.Types))
	for name, when := range r.Types {
		lines = append(lines, name+": "+string(when))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// ParseTypes reads a line for each type: its name, a colon, and when. It fails with ErrTypes.
func ParseTypes(s string) (map[string]When, error) {
	types := map[string]When{}
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		at := strings.LastIndexByte(line, ':')
		if at < 0 {
			return nil, ErrTypes
		}
		name, err := text.Required("types", strings.ToLower(line[:at]), 30)
		when := When(strings.TrimSpace(line[at+1:]))
		if _, twice := types[name]; err != nil || twice || len(types) >= 20 || when != Never && when != Before && when != After {
			return nil, ErrTypes
		}
		types[name] = when
	}
	return types, nil
}

func (r Rules) check() (Rules, error) {
	var all fault.List
	if r.When != Never && r.When != Before && r.When != After {
		all.Add("", ErrWhen)
	}
	if _, err := ParseTypes(r.TypesText()); err != nil || len(r.TypesText()) > 800 {
		all.Add("", ErrTypes)
	}
	filter, err := text.Line("filter", r.Filter, 200)
	all.Add("", err)
	if _, bad := regexp.Compile(filter); err == nil && bad != nil {
		all.Add("", ErrFilter)
	}
	r.Filter = filter
	if r.Text, err = text.Required("text", r.Text, 140); err == nil && strings.Count(r.Text, "%code%") != 1 {
		err = ErrText
	}
	all.Add("", err)
	if !slices.Contains([]string{"text", "call", "text call", "call text"}, r.Ways) {
		all.Add("", ErrWays)
	}
	for _, b := range []struct {
		field             string
		value, least, top int
	}{{"minutes", r.Minutes, 1, 60}, {"tries", r.Tries, 1, 10}, {"delay", r.Delay, 30, 3600}, {"number_day", r.NumberDay, 1, 20}, {"network_day", r.NetworkDay, 1, 1000}} {
		if b.value < b.least || b.value > b.top {
			all.Add("", ErrBounds.Sayf("Give a whole number from %d to %d.", b.least, b.top).At(b.field))
		}
	}
	r.Denied = slices.Compact(slices.Sorted(slices.Values(r.Denied)))
	if slices.ContainsFunc(r.Denied, func(c string) bool {
		code, err := country.Parse(c)
		return err != nil || code != c
	}) {
		all.Add("", ErrCountries)
	}
	known := []string{string(phonenumber.Mobile), string(phonenumber.Fixed), string(phonenumber.Either), string(phonenumber.VoIP), string(phonenumber.Personal)}
	r.Kinds = slices.Compact(slices.Sorted(slices.Values(r.Kinds)))
	if slices.ContainsFunc(r.Kinds, func(k string) bool { return !slices.Contains(known, k) }) {
		all.Add("", ErrKinds)
	}
	return r, all.Err()
}

// LoadRules reads the rules.
func LoadRules(ctx context.Context, tx *tenant.Tx) (Rules, error) { return selectRules(ctx, tx) }

// ChangeRules writes them anew. version is the one that the change was made on; 0 is any. It fails with all that is wrong
// with them, or ErrChanged.
func ChangeRules(ctx context.Context, tx *tenant.Tx, version int, in Rules) (Rules, error) {
	in, err := in.check()
	if err != nil {
		return in, err
	}
	was, err := selectRules(ctx, tx)
	if err != nil {
		return was, err
	}
	if err := updateRules(ctx, tx, version, in); err != nil {
		return was, err
	}
	is, err := selectRules(ctx, tx)
	if err != nil {
		return is, err
	}
	return is, tx.Record(ctx, tenant.Act{Action: "phone_check.change", Object: "settings", Changes: []tenant.Change{
		{Field: "when", Before: string(was.When), After: string(is.When)},
		{Field: "join", Before: strconv.FormatBool(was.Join), After: strconv.FormatBool(is.Join)},
		{Field: "types", Before: was.TypesText(), After: is.TypesText()},
		{Field: "filter", Before: was.Filter, After: is.Filter},
		{Field: "text", Before: was.Text, After: is.Text},
		{Field: "ways", Before: was.Ways, After: is.Ways},
		{Field: "limits", Before: was.limits(), After: is.limits()},
		{Field: "denied", Before: strings.Join(was.Denied, " "), After: strings.Join(is.Denied, " ")},
		{Field: "kinds", Before: strings.Join(was.Kinds, " "), After: strings.Join(is.Kinds, " ")},
	}})
}

func (r Rules) limits() string {
	return fmt.Sprintf("%d minutes, %d tries, %d s apart, %d a day to a number, %d from a network", r.Minutes, r.Tries, r.Delay, r.NumberDay, r.NetworkDay)
}

// ProductRules lists the products with a moment of their own.
func ProductRules(ctx context.Context, tx *tenant.Tx) ([]ProductRule, error) {
	return selectProductRules(ctx, tx)
}

// SetProductRule gives a product a moment of its own; Unsaid takes it away. It fails with ErrWhen and ErrProduct.
func SetProductRule(ctx context.Context, tx *tenant.Tx, product uuid.UUID, when When) error {
	if !slices.Contains([]When{Unsaid, Never, Before, After}, when) {
		return ErrWhen
	}
	was, err := updateProductRule(ctx, tx, product, when)
	if err != nil || was == when {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "product.change", Object: "product", ID: product, Changes: []tenant.Change{
		{Field: "phone_check", Before: string(was), After: string(when)}}})
}

// line is what a line of a document says about its product; both are empty for a line without one.
type line struct {
	Type string `db:"product_type"`
	When When   `db:"phone_check"`
	Paid bool   `db:"paid"`
}

// of is what a line asks for: by its product, else by the product's type, else by the rule for everything.
func (r Rules) of(l line) When {
	when := l.When
	if when == Unsaid && l.Type != "" {
		when = r.Types[strings.ToLower(l.Type)]
	}
	if when == Unsaid {
		when = r.When
	}
	return when
}

// moment is the strictest that any line asks for; without lines, what the rule for everything does.
func (r Rules) moment(lines []line) When {
	if len(lines) == 0 {
		return r.When
	}
	strictest := Never
	for _, l := range lines {
		strictest = stricter(strictest, r.of(l))
	}
	return strictest
}

// admits refuses a number that the rules do not take.
func (r Rules) admits(n phonenumber.Number) error {
	switch {
	case n.Country == "" && len(r.Denied) > 0, slices.Contains(r.Denied, n.Country), slices.Contains(r.Kinds, string(n.Kind)):
		return ErrDenied
	case r.Filter == "":
		return nil
	}
	filter, err := regexp.Compile(r.Filter)
	if err != nil {
		return fmt.Errorf("the stored filter of numbers: %w", err)
	}
	if !filter.MatchString(strings.TrimPrefix(n.E164, "+")) {
		return ErrDenied
	}
	return nil
}
