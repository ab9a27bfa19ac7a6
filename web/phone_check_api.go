package web

import (
	"context"
	"strings"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// errNoSender keeps an organization from asking for what nobody could give.
var errNoSender = fault.New(fault.Conflict, "phone_check.no_sender", "Nothing sends codes in this way, so nobody could verify a number. Add a text gateway first, or choose another way.").At("when")

// PhoneCheckBody is when customers have to show that a phone number is theirs, and how.
type PhoneCheckBody struct {
	When       string            `json:"when" enum:"never,before,after" doc:"For everything that no type and no product says otherwise of: before or after it is paid"`
	Join       bool              `json:"at_registration,omitempty" doc:"Whoever opens an account in the portal by themselves verifies a number first, whatever they order or pay"`
	Types      map[string]string `json:"types,omitempty" doc:"By the type of a product: never, before or after"`
	Filter     string            `json:"filter,omitempty" doc:"A regular expression (RE2) that the digits of a number have to match, with the country code and without +" maxLength:"200" example:"^(353|44)"`
	Text       string            `json:"text" doc:"With %code% where the code is to stand" maxLength:"140"`
	Ways       string            `json:"ways" enum:"text,call,text call,call text" doc:"The first is tried first, the other where that one fails"`
	Minutes    int               `json:"code_minutes" doc:"For which a code is good, 1 to 60"`
	Tries      int               `json:"tries" doc:"At one code, 1 to 10"`
	Delay      int               `json:"delay_seconds" doc:"Between two codes, 30 to 3600"`
	NumberDay  int               `json:"per_number_day" doc:"Codes to one number in 24 hours, 1 to 20"`
	NetworkDay int               `json:"per_network_day" doc:"Codes asked for from one network in 24 hours, 1 to 1000"`
	Denied     []string          `json:"denied_countries,omitempty" doc:"ISO 3166-1 alpha-2" maxItems:"250"`
	Kinds      []string          `json:"denied_kinds,omitempty" doc:"mobile, fixed, either (where the plan does not tell), voip or personal" maxItems:"5"`
}

// ProductPhoneCheckBody is what a product says for itself.
type ProductPhoneCheckBody struct {
	When string `json:"when" enum:",never,before,after" doc:"Empty: as its type, or else as everything"`
}

// ProductPhoneCheckView is a product that says something for itself.
type ProductPhoneCheckView struct {
	ProductID string `json:"product_id"`
	When      string `json:"when"`
}

func (b PhoneCheckBody) rules() phone.Rules {
	r := phone.Rules{When: phone.When(b.When), Join: b.Join, Types: map[string]phone.When{}, Filter: b.Filter, Text: b.Text, Ways: b.Ways, Minutes: b.Minutes, Tries: b.Tries,
		Delay: b.Delay, NumberDay: b.NumberDay, NetworkDay: b.NetworkDay, Denied: b.Denied, Kinds: b.Kinds}
	for name, when := range b.Types {
		r.Types[strings.ToLower(name)] = phone.When(when)
	}
	return r
}

func viewPhoneCheck(r phone.Rules) PhoneCheckBody {
	b := PhoneCheckBody{When: string(r.When), Join: r.Join, Types: map[string]string{}, Filter: r.Filter, Text: r.Text, Ways: r.Ways, Minutes: r.Minutes, Tries: r.Tries,
		Delay: r.Delay, NumberDay: r.NumberDay, NetworkDay: r.NetworkDay, Denied: r.Denied, Kinds: r.Kinds}
	for name, when := range r.Types {
		b.Types[name] = string(when)
	}
	return b
}

// mustSend refuses, with errNoSender, where no code could be sent by those rules.
func (s *Server) mustSend(ctx context.Context, tx *tenant.Tx, r phone.Rules) error {
	ways, err := s.Phones.Ways(ctx, tx, r)
	if err == nil && len(ways) == 0 {
		err = errNoSender
	}
	return err
}

// changePhoneCheck refuses to ask for numbers where no code can be sent.
func (s *Server) changePhoneCheck(ctx context.Context, tx *tenant.Tx, version int, in phone.Rules) (phone.Rules, error) {
	asks := in.When != phone.Never || in.Join
	for _, when := range in.Types {
		asks = asks || when != phone.Never
	}
	if asks {
		if err := s.mustSend(ctx, tx, in); err != nil {
			return in, err
		}
	}
	return phone.ChangeRules(ctx, tx, version, in)
}

func (s *Server) setProductPhoneCheck(ctx context.Context, tx *tenant.Tx, product billing.ProductID, when phone.When) error {
	if when != phone.Never && when != phone.Unsaid {
		r, err := phone.LoadRules(ctx, tx)
		if err == nil {
			err = s.mustSend(ctx, tx, r)
		}
		if err != nil {
			return err
		}
	}
	return phone.SetProductRule(ctx, tx, product.UUID, when)
}

func (s *Server) registerPhoneCheckAPI() {
	const tag = "Phone check"
	handleSettings(s, settingsRow[PhoneCheckBody]{name: "phone-check", path: "/v1/phone-check", tag: tag, module: authz.Settings,
		reads: "Read when customers verify a phone number", writes: "Write anew when customers verify a phone number",
		load: func(ctx context.Context, tx *tenant.Tx) (PhoneCheckBody, int, error) {
			r, err := phone.LoadRules(ctx, tx)
			return viewPhoneCheck(r), r.Version, err
		},
		save: func(ctx context.Context, tx *tenant.Tx, version int, in PhoneCheckBody) (PhoneCheckBody, int, error) {
			r, err := s.changePhoneCheck(ctx, tx, version, in.rules())
			return viewPhoneCheck(r), r.Version, err
		}})
	handle(s, operation{id: "list-phone-check-products", method: "GET", path: "/v1/phone-check/products", right: rightTo(authz.Read, authz.Settings), tag: tag, summary: "List the products that say for themselves when a number is verified"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[ProductPhoneCheckView]], error) {
			out := &Body[List[ProductPhoneCheckView]]{Body: List[ProductPhoneCheckView]{Items: []ProductPhoneCheckView{}}}
			err := c.do(ctx, func(tx *tenant.Tx) error {
				all, err := phone.ProductRules(ctx, tx)
				out.Body.Items = out.Body.Items[:0] // it may run twice
				for _, p := range all {
					out.Body.Items = append(out.Body.Items, ProductPhoneCheckView{p.ID.String(), string(p.When)})
				}
				return err
			})
			return out, err
		})
	handle(s, operation{id: "change-product-phone-check", method: "PUT", path: "/v1/products/{id}/phone-check", right: rightTo(authz.Change, authz.Settings), tag: tag, summary: "Say for one product when a number is verified"},
		func(ctx context.Context, c *call, in *Change[ProductPhoneCheckBody]) (*Versioned[ProductPhoneCheckView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i billing.ProductID, _ int) (ProductPhoneCheckView, int, error) {
				if _, err := billing.ProductByID(ctx, tx, i); err != nil {
					return ProductPhoneCheckView{}, 0, err
				}
				err := c.server.setProductPhoneCheck(ctx, tx, i, phone.When(in.Body.When))
				return ProductPhoneCheckView{i.String(), in.Body.When}, 0, err
			})
		})
}
