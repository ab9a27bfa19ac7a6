package authz

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why support is not let in, or not asked.
var (
	ErrGrantNone    = fault.New(fault.NotFound, "support.not_found", "There is no such request or visit here.")
	ErrGrantOver    = fault.New(fault.Conflict, "support.over", "This was decided, ended or taken back meanwhile. Open the page again.")
	ErrOwnRequest   = fault.New(fault.Forbidden, "support.own_request", "Nobody lets themselves in. Another owner has to decide.")
	ErrGrantScopes  = fault.New(fault.Invalid, "support.scopes", "Tick at least one part of the books that support may see.").At("scopes")
	ErrGrantMinutes = fault.New(fault.Invalid, "support.minutes", "Choose from 15 minutes to 7 days.").At("minutes")
	ErrGrantTicket  = fault.New(fault.Invalid, "support.ticket", "Give the number of the ticket, so that the owner can tell what it is about.").At("ticket")
	ErrGrantAddress = fault.New(fault.NotFound, "support.address", "No organization has this address.").At("slug")
	ErrGrantAsked   = fault.New(fault.Conflict, "support.asked", "You have asked this organization already. Take that request back to ask for something else.").At("slug")
	ErrNotOwner     = fault.New(fault.Forbidden, "support.owner", "Only an owner lets support in.")
	ErrEndLink      = fault.New(fault.NotFound, "support.link", "This link is not one of ours, or not whole. Copy all of it from the mail.")
)

// How long support may be let in for.
const (
	GrantMinutesMin     = 15
	GrantMinutesMax     = 7 * 24 * 60
	GrantMinutesDefault = 4 * 60
	requestLifetime     = 7 * 24 * time.Hour // then a request is too old to be approved; the database holds to it too
	reasonMax           = 400
	ticketMax           = 60
	detailMax           = 400 // of a line of the record
)

// GrantID names a support grant.
type GrantID = id.Of[SupportGrant]

// Terms is how far support is let in, or asks to be.
type Terms struct {
	Reason  string // what they are to look at, in a sentence that stays on record
	Ticket  string
	Scopes  []string     // "invoices:read", "invoices:write"
	Masks   tenant.Masks // of people's data
	Minutes int
}

// Masked says whether any of people's data are masked.
func (t Terms) Masked() bool { return t.Masks != 0 }

// MaskGroups lists what can be masked. The caller may keep and change the list.
func MaskGroups() []tenant.MaskGroup { return tenant.MaskGroups() }

// SayMasks tells in plain words which of people's data are masked: "names and notes masked".
func (t Terms) SayMasks() string {
	switch t.Masks {
	case 0:
		return "people's data shown"
	case tenant.MaskAll:
		return "people's data masked"
	}
	var names []string
	for _, g := range tenant.MaskGroups() {
		if t.Masks.Has(g.Mask) {
			names = append(names, strings.ToLower(g.Name))
		}
	}
	return listWords(names) + " masked"
}

// SupportGrant is a request to be let in, an invitation, a visit, or what is left of one.
type SupportGrant struct {
	ID        GrantID
	Terms     Terms
	Slug      string // of the organization; on the staff's side alone
	Staff     tenant.PersonID
	StaffName string // empty for an invitation that nobody took up
	AskedBy   tenant.PersonID
	AskedAt   time.Time
	Granted   *bool // nil: nobody has decided
	DecidedBy tenant.PersonID
	DecidedAt *time.Time
	Until     *time.Time
	EndedAt   *time.Time
	EndedHow  string // "owner", "support", "link" or "staff"
	Receipt   *ReceiptHead
}

// States of a support grant.
const (
	GrantWaiting   = "waiting"   // nobody has decided
	GrantLapsed    = "lapsed"    // nobody has decided in time
	GrantWithdrawn = "withdrawn" // taken back before anyone decided
	GrantRefused   = "refused"
	GrantInvited   = "invited" // nobody has taken it up
	GrantOpen      = "open"
	GrantEnded     = "ended" // by someone
	GrantExpired   = "expired"
)

// State says how things stand with it.
func (g SupportGrant) State(now time.Time) string {
	switch {
	case g.Granted == nil && g.EndedAt != nil:
		return GrantWithdrawn
	case g.Granted == nil && now.Sub(g.AskedAt) >= requestLifetime:
		return GrantLapsed
	case g.Granted == nil:
		return GrantWaiting
	case !*g.Granted:
		return GrantRefused
	case g.EndedAt != nil:
		return GrantEnded
	case !g.Until.After(now), g.Receipt != nil: // which closed it, by whatever clock
		return GrantExpired
	case g.Staff.IsZero():
		return GrantInvited
	}
	return GrantOpen
}

// Over is when it was over: ended or run out. Zero while it is not, or was never given.
func (g SupportGrant) Over(now time.Time) time.Time {
	switch g.State(now) {
	case GrantEnded:
		return *g.EndedAt
	case GrantExpired:
		if g.Until.After(now) {
			return g.Receipt.At
		}
		return *g.Until
	}
	return time.Time{}
}

// SupportScopes lists what support can be let in to: what the policy leaves to it, whatever a grant says.
func (p *Policy) SupportScopes() []string {
	var all []string
	for _, row := range grid {
		if !p.Decide(supportRole, nil, true, Right{row.module, Read}).Allowed {
			continue
		}
		all = append(all, string(row.module)+":read")
		if slices.ContainsFunc(row.boxes, func(b box) bool {
			return b.action != Read && p.Decide(supportRole, nil, true, Right{row.module, b.action}).Allowed
		}) {
			all = append(all, string(row.module)+":write")
		}
	}
	return all
}

// check refuses terms that nobody may be let in on. known is what the policy leaves to support.
func (t *Terms) check(known []string) error {
	var list fault.List
	var err error
	if t.Reason, err = text.Required("reason", t.Reason, reasonMax); err != nil {
		list.Add("", err)
	}
	if t.Ticket, err = text.Line("ticket", t.Ticket, ticketMax); err != nil {
		list.Add("", err)
	}
	list.Add("", t.checkReach(known))
	return list.Err()
}

func (t *Terms) checkReach(known []string) error {
	var list fault.List
	if len(t.Scopes) == 0 || slices.ContainsFunc(t.Scopes, func(s string) bool { return !slices.Contains(known, s) }) {
		list.Add("", ErrGrantScopes)
	}
	if t.Minutes < GrantMinutesMin || t.Minutes > GrantMinutesMax {
		list.Add("", ErrGrantMinutes)
	}
	return list.Err()
}

// detail is what the record says of terms.
func (t Terms) detail() string {
	detail := fmt.Sprintf("for %d minutes, %s: %s", t.Minutes, t.SayMasks(), strings.Join(t.Scopes, " "))
	return detail[:min(len(detail), detailMax)] // all of it is ASCII, and what does not fit stands on the grant
}

// newEndLink makes the secret of the link that ends a visit: 256 random bits, of which a digest is kept.
func newEndLink() (secret string, hash tenant.Hash, err error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", hash, fmt.Errorf("making a link: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, hashEndLink(secret), nil
}

func hashEndLink(secret string) tenant.Hash { return sha256.Sum256([]byte("support end " + secret)) }

// ListSupport gives what this organization was asked and gave, newest first.
func ListSupport(ctx context.Context, tx *tenant.Tx) ([]SupportGrant, error) {
	return selectSupport(ctx, tx)
}

// SupportPage gives a page of it, for programs.
func SupportPage(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[SupportGrant], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[SupportGrant]{}, err
	}
	found, err := selectSupportPage(ctx, tx, q)
	if err != nil {
		return cursor.Page[SupportGrant]{}, err
	}
	return cursor.Cut(q, found), nil
}

// SupportByID finds one of them. It fails with ErrGrantNone.
func SupportByID(ctx context.Context, tx *tenant.Tx, grant GrantID) (SupportGrant, error) {
	g, err := selectSupportByID(ctx, tx, grant)
	if errors.Is(err, tenant.ErrNoRows) {
		return g, ErrGrantNone
	}
	return g, err
}

// OpenVisits gives who is in at this moment.
func OpenVisits(ctx context.Context, tx *tenant.Tx) ([]SupportGrant, error) {
	return selectOpenVisits(ctx, tx)
}

// ApproveSupport lets in who asked, on terms that the owner chooses; reason and ticket stay as they were. link is the
// secret that ends it by mail. It fails with ErrNotOwner, ErrOwnRequest, ErrGrantNone, ErrGrantOver and what Terms
// refuses. Whether the owner has shown lately that it is them is the caller's to ask.
func ApproveSupport(ctx context.Context, tx *tenant.Tx, p *Policy, grant GrantID, t Terms) (g SupportGrant, link string, err error) {
	if g, err = decidable(ctx, tx, grant); err != nil {
		return g, "", err
	}
	if err := t.checkReach(p.SupportScopes()); err != nil {
		return g, "", err
	}
	link, hash, err := newEndLink()
	if err != nil {
		return g, "", err
	}
	if done, err := decideSupport(ctx, tx, grant, true, t, hash); err != nil || !done {
		return g, "", orOver(err)
	}
	detail := t.detail()
	if err := tx.Record(ctx, tenant.Act{Action: "support.approve", Object: "support", ID: grant.UUID, Detail: detail}); err != nil {
		return g, "", err
	}
	g, err = SupportByID(ctx, tx, grant)
	return g, link, err
}

// RefuseSupport says no. It fails as ApproveSupport does.
func RefuseSupport(ctx context.Context, tx *tenant.Tx, grant GrantID) (SupportGrant, error) {
	g, err := decidable(ctx, tx, grant)
	if err != nil {
		return g, err
	}
	if done, err := decideSupport(ctx, tx, grant, false, g.Terms, tenant.Hash{}); err != nil || !done {
		return g, orOver(err)
	}
	return g, tx.Record(ctx, tenant.Act{Action: "support.refuse", Object: "support", ID: grant.UUID})
}

func decidable(ctx context.Context, tx *tenant.Tx, grant GrantID) (SupportGrant, error) {
	if err := ownerAlone(tx); err != nil {
		return SupportGrant{}, err
	}
	g, err := SupportByID(ctx, tx, grant)
	switch {
	case err != nil:
		return g, err
	case g.Staff == tx.Scope().Person().ID:
		return g, ErrOwnRequest
	case g.State(tx.Now()) != GrantWaiting:
		return g, ErrGrantOver
	}
	return g, nil
}

// ownerAlone holds to consent being an owner's own: no token, job or support person gives it, whatever role the
// organization has made.
func ownerAlone(tx *tenant.Tx) error {
	if s := tx.Scope(); s.Kind() != tenant.Member || s.Role() != Owner {
		return ErrNotOwner
	}
	return nil
}

func orOver(err error) error {
	if err != nil {
		return err
	}
	return ErrGrantOver
}

// InviteSupport lets in whichever support person takes it up first. It fails with ErrNotOwner and what Terms refuses.
func InviteSupport(ctx context.Context, tx *tenant.Tx, p *Policy, t Terms) (g SupportGrant, link string, err error) {
	if err := ownerAlone(tx); err != nil {
		return g, "", err
	}
	if err := t.check(p.SupportScopes()); err != nil {
		return g, "", err
	}
	link, hash, err := newEndLink()
	if err != nil {
		return g, "", err
	}
	grant := id.New[SupportGrant]()
	if err := insertInvitation(ctx, tx, grant, t, hash); err != nil {
		return g, "", err
	}
	if err := tx.Record(ctx, tenant.Act{Action: "support.invite", Object: "support", ID: grant.UUID, Detail: t.detail()}); err != nil {
		return g, "", err
	}
	g, err = SupportByID(ctx, tx, grant)
	return g, link, err
}

// EndSupport ends a visit or takes an invitation back: nothing done under it can be committed after this is. It fails
// with ErrGrantNone and ErrGrantOver.
func EndSupport(ctx context.Context, tx *tenant.Tx, grant GrantID) error {
	if _, err := SupportByID(ctx, tx, grant); err != nil {
		return err
	}
	if done, err := endSupport(ctx, tx, grant); err != nil || !done {
		return orOver(err)
	}
	return tx.Record(ctx, tenant.Act{Action: "support.end", Object: "support", ID: grant.UUID})
}

// RequestSupport asks an organization to let a support person in. It fails with ErrGrantAddress, ErrGrantAsked,
// ErrGrantTicket and what Terms refuses.
func RequestSupport(ctx context.Context, tx *tenant.PlatformTx, p *Policy, staff tenant.Person, slug string, t Terms) (GrantID, error) {
	var list fault.List
	list.Add("", t.check(p.SupportScopes()))
	if t.Ticket == "" {
		list.Add("", ErrGrantTicket)
	}
	if err := list.Err(); err != nil {
		return GrantID{}, err
	}
	grant := id.New[SupportGrant]()
	found, err := insertRequest(ctx, tx, grant, staff.ID, strings.TrimSpace(slug), t)
	switch {
	case tenant.Violates(err) == "support_grant_waiting":
		return grant, ErrGrantAsked
	case err != nil:
		return grant, err
	case !found:
		return grant, ErrGrantAddress
	}
	return grant, recordStaff(ctx, tx, staff.ID, tenant.Act{Action: "support.request", Object: "support", ID: grant.UUID, Detail: t.detail()})
}

// VisitsOf gives what a support person asked for and was given, newest first, and the invitations that they may take up.
func VisitsOf(ctx context.Context, tx *tenant.PlatformTx, staff tenant.PersonID) ([]SupportGrant, error) {
	return selectVisitsOf(ctx, tx, staff)
}

// TakeInvitation makes an invitation a support person's own: the first one's who asks. It fails with ErrGrantOver.
func TakeInvitation(ctx context.Context, tx *tenant.PlatformTx, staff tenant.PersonID, grant GrantID) error {
	if done, err := takeSupport(ctx, tx, staff, grant); err != nil || !done {
		return orOver(err)
	}
	return recordStaff(ctx, tx, staff, tenant.Act{Action: "support.take", Object: "support", ID: grant.UUID})
}

// LeaveSupport ends a support person's own visit, or takes their request back. It fails with ErrGrantOver.
func LeaveSupport(ctx context.Context, tx *tenant.PlatformTx, staff tenant.PersonID, grant GrantID) error {
	if done, err := leaveSupport(ctx, tx, staff, grant); err != nil || !done {
		return orOver(err)
	}
	return recordStaff(ctx, tx, staff, tenant.Act{Action: "support.leave", Object: "support", ID: grant.UUID})
}

// EndByLink ends a visit by the mailed link, for whoever holds it. over says that it was over before. It fails with
// ErrEndLink.
func EndByLink(ctx context.Context, tx *tenant.PlatformTx, link string) (grant GrantID, over bool, err error) {
	if len(link) != 43 {
		return grant, false, ErrEndLink
	}
	grant, ended, err := endByLink(ctx, tx, hashEndLink(link))
	if err == nil && grant.IsZero() {
		return grant, false, ErrEndLink
	}
	return grant, !ended, err
}
