package web

import (
	"context"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// SupportGrantView is a request, an invitation or a visit of support as a program reads it.
type SupportGrantView struct {
	ID        string       `json:"id"`
	State     string       `json:"state" doc:"How things stand with it" enum:"waiting,lapsed,withdrawn,refused,invited,open,ended,expired"`
	StaffID   string       `json:"staff_id" doc:"Who asks, or was let in; empty for an invitation that nobody took up"`
	Staff     string       `json:"staff" doc:"Their name"`
	Reason    string       `json:"reason"`
	Ticket    string       `json:"ticket"`
	Scopes    []string     `json:"scopes" doc:"What they may, or ask for" example:"[\"invoices:read\"]"`
	Masked    bool         `json:"masked" doc:"Whether any of people's data are masked"`
	Masks     []string     `json:"masks" doc:"Which of people's data are masked: names, contact, addresses, bank, traces, notes"`
	Minutes   int          `json:"minutes" doc:"For how long"`
	AskedAt   time.Time    `json:"asked_at"`
	DecidedBy string       `json:"decided_by" doc:"The owner who let them in or refused, by id; empty while nobody has"`
	DecidedAt *time.Time   `json:"decided_at"`
	Until     *time.Time   `json:"until"`
	EndedAt   *time.Time   `json:"ended_at"`
	EndedHow  string       `json:"ended_how" doc:"owner, support, link or staff; empty: not ended by anyone"`
	Receipt   *ReceiptView `json:"receipt" doc:"What was done, when it is over"`
}

// ReceiptView is what a receipt comes down to.
type ReceiptView struct {
	At     time.Time `json:"at"`
	Rows   int       `json:"rows" doc:"Lines of the organization's record"`
	SHA256 string    `json:"sha256" doc:"Over those lines; countinghouse audit receipt holds it against the sealed record"`
}

func viewGrant(g authz.SupportGrant, now time.Time) SupportGrantView {
	v := SupportGrantView{ID: g.ID.String(), State: g.State(now), StaffID: idText(g.Staff), Staff: g.StaffName, Reason: g.Terms.Reason, Ticket: g.Terms.Ticket,
		Scopes: append([]string{}, g.Terms.Scopes...), Masked: g.Terms.Masked(), Masks: append([]string{}, g.Terms.Masks.Words()...), Minutes: g.Terms.Minutes, AskedAt: g.AskedAt, DecidedBy: idText(g.DecidedBy),
		DecidedAt: g.DecidedAt, Until: g.Until, EndedAt: g.EndedAt, EndedHow: g.EndedHow}
	if g.Receipt != nil {
		v.Receipt = &ReceiptView{At: g.Receipt.At, Rows: g.Receipt.Rows, SHA256: g.Receipt.Seal()}
	}
	return v
}

// registerSupportAPI registers what programs may do about support access. Letting support in is not among it: only an
// owner does that, signed in, after a fresh proof that it is them.
func (s *Server) registerSupportAPI() {
	const tag = "Support access"
	const never = " Support is let in by an owner on the page for it alone: no API token can invite, approve or refuse."
	handle(s, operation{id: "list-support-grants", method: "GET", path: "/v1/support-grants", right: rightTo(authz.Read, authz.Support), tag: tag,
		summary: "List requests and visits of support, newest first", more: never},
		func(ctx context.Context, c *call, in *PageInput) (*Body[List[SupportGrantView]], error) {
			return list(ctx, c, *in, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[authz.SupportGrant], error) {
				return authz.SupportPage(ctx, tx, q)
			}, func(g authz.SupportGrant) SupportGrantView { return viewGrant(g, s.DB.Now()) })
		})
	handle(s, operation{id: "get-support-grant", method: "GET", path: "/v1/support-grants/{id}", right: rightTo(authz.Read, authz.Support), tag: tag,
		summary: "Read a request or visit of support", more: never},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[SupportGrantView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i authz.GrantID) (SupportGrantView, int, error) {
				g, err := authz.SupportByID(ctx, tx, i)
				return viewGrant(g, tx.Now()), 0, err
			})
		})
	handle(s, operation{id: "end-support-grant", method: "POST", path: "/v1/support-grants/{id}/end", right: rightTo(authz.Delete, authz.Support), tag: tag,
		summary: "End a visit of support at once, or take an invitation back", more: never},
		func(ctx context.Context, c *call, in *Act) (*Versioned[SupportGrantView], error) {
			out, err := change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i authz.GrantID, _ int) (SupportGrantView, int, error) {
				if err := authz.EndSupport(ctx, tx, i); err != nil {
					return SupportGrantView{}, 0, err
				}
				g, err := authz.SupportByID(ctx, tx, i)
				return viewGrant(g, tx.Now()), 0, err
			})
			if err != nil {
				return nil, err
			}
			grant, err := pathID[authz.SupportGrant](in.ID)
			if err != nil {
				return nil, err
			}
			s.Desk.Ended(ctx, grant)
			return out, nil
		})
}
