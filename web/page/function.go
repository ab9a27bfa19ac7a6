package page

import (
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"strings"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/web/static"
)

// functions are what templates may call beside the language's own.
var functions = template.FuncMap{
	// things drawn
	"icon":  icon,
	"asset": static.URL,
	// security events
	"eventIcon": eventIcon,
	"linked":    linked,
	"xlsxOf":    xlsxOf,
	"share":     share,
	// time
	"isoDate": isoDate,
	// words
	"addressOf":  AddressOf,
	"ownAddress": OwnAddress,
	"method":     methodName,
	"loginBy":    loginBy,
	"purpose":    purpose,
	"taxKind":    kindOfTax,
	"entry":      ledger.NumberName,
	"kinds":      Kinds,
	"kindNames":  kindNames,
	"grouped":    func(options []Option) []OptionGroup { return Field{Options: options}.Groups() },
	"daysLate":   daysLate,
	"daysLeft":   daysLeft,
	"deedIcon":   deedIcon,
	"deedSay":    deedSay,
	"deedDetail": deedDetail,
	"brandName":  brandName,
	"capital":    capital,
	// subscriptions
	"shopUnits":          shopUnits,
	"meter":              meter,
	"couponSay":          couponSay,
	"problemSay":         problemSay,
	"subscriptionUnits":  SubscriptionUnits,
	"repeatUnits":        RepeatUnits,
	"repeatSay":          RepeatSay,
	"repeatProblem":      repeatProblem,
	"subscriptionMeters": SubscriptionMeters,
	// the bank
	"bankDateFormats": BankDateFormats,
	"bankDividers":    BankDividers,
	"bankRuleWays":    BankRuleWays,
	"bankDirections":  BankDirections,
	// parts
	"grantMinutes": grantMinutes,
	"maskGroups":   authz.MaskGroups,
	"field":        newField,
	"cell":         newCell,
	"lineWrongs":   lineWrongs,
	"empty":        newEmpty,
	"currencies":   Currencies,
	"languages":    Languages,
	"zones":        Zones,
	"bare":         bare,
	"dict":         dict,
	"list":         list,
	"join":         joinPath,
}

// dict makes a map of names and values, for a part that needs several things.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: %d values do not pair up", len(pairs))
	}
	made := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		made[name] = pairs[i+1]
	}
	return made, nil
}

// list makes a list of values.
func list(values ...any) []any { return values }

// joinPath joins the parts of a path, each escaped: join "/o" "acme" "invoices" is "/o/acme/invoices".
func joinPath(base string, parts ...any) string {
	path := strings.TrimSuffix(base, "/")
	for _, part := range parts {
		path += "/" + url.PathEscape(fmt.Sprint(part))
	}
	return path
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"']+[^\s<>"'.,;:!?)]`)

// linked gives text with its web addresses as links. Everything else is escaped.
func linked(text string) template.HTML {
	var b strings.Builder
	rest := 0
	for _, at := range webAddress.FindAllStringIndex(text, -1) {
		address := template.HTMLEscapeString(text[at[0]:at[1]])
		b.WriteString(template.HTMLEscapeString(text[rest:at[0]]))
		b.WriteString(`<a href="` + address + `">` + address + `</a>`)
		rest = at[1]
	}
	b.WriteString(template.HTMLEscapeString(text[rest:]))
	return template.HTML(b.String())
}

// Empty is what stands where a list has nothing to show yet: an icon, what is missing, and what can be done.
type Empty struct {
	Icon, Title, Say string
	URL, Label       string // the way out; none where URL is empty
}

func newEmpty(icon, title, say string, way ...string) (Empty, error) {
	switch len(way) {
	case 0:
		return Empty{Icon: icon, Title: title, Say: say}, nil
	case 2:
		return Empty{Icon: icon, Title: title, Say: say, URL: way[0], Label: way[1]}, nil
	}
	return Empty{}, fmt.Errorf("empty: give an address and a label, or neither")
}
