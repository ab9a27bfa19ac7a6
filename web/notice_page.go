package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/notice"
	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// noticed says of each kind of notice who hears of it, what it says and where it leads.
var noticed = map[notice.Kind]struct {
	right           authz.Right
	icon, say, path string // say with %[1]s for what it is about and %[2]s for an amount; the path with %s for the id, or whole
}{
	notice.ExportReady:   {rightTo(authz.Read, authz.Exports), "file-down", "Your export %[1]s is ready.", "settings/exports"},
	notice.ExportFailed:  {rightTo(authz.Read, authz.Exports), "triangle-alert", "The export %[1]s could not be made. Ask for it again.", "settings/exports"},
	notice.ImportFailed:  {rightTo(authz.Read, authz.Imports), "triangle-alert", "The import %[1]s failed. Nothing of it was kept.", "settings/imports"},
	notice.PaymentFailed: {rightTo(authz.Read, authz.Payments), "triangle-alert", "A payment of %[2]s for %[1]s failed, or nobody knows yet what became of it.", "charges/%s"},
	notice.OrderHeld:     {rightTo(authz.Read, authz.Orders), "inbox", "Order %[1]s over %[2]s waits for you.", "orders/%s"},
	notice.MailFailed:    {rightTo(authz.Read, authz.Invoices), "mail", "%[1]s could not be mailed.", "invoices/%s"},
	notice.WebhookOff:    {rightTo(authz.Read, authz.Webhooks), "webhook", "The webhook %[1]s was switched off, since it did not answer.", "settings/webhooks/%s"},
}

func (s *Server) registerNoticePages() {
	both := []tenant.Kind{tenant.Member, tenant.Support}
	s.answerMember(Route{Method: "GET", Path: "/o/:slug/notices", AnyRight: true, Kinds: both, Closed: true}, showNotices)
	s.answerMember(Route{Method: "POST", Path: "/o/:slug/notices/read", AnyRight: true, Kinds: both, Closed: true}, sendNoticesRead)
	s.answerMember(Route{Method: "GET", Path: "/o/:slug/fresh", AnyRight: true, Kinds: both, Closed: true, Unasked: true}, showFresh)
}

// notices gathers what the reader hears of, newest first, and how much of it they have not read.
func (v *visit) notices(tx *tenant.Tx) (rows []page.NoticeRow, unread int, err error) {
	scope := tx.Scope()
	may := func(right authz.Right) bool { return v.server.Policy.May(scope, right).Allowed }
	var kinds []notice.Kind
	for kind, n := range noticed {
		if may(n.right) {
			kinds = append(kinds, kind)
		}
	}
	read, err := notice.ReadAt(v.ctx, tx, scope.Person().ID)
	if err != nil {
		return nil, 0, err
	}
	told, err := notice.List(v.ctx, tx, scope.Person().ID, kinds)
	if err != nil {
		return nil, 0, err
	}
	for _, n := range told {
		row := page.NoticeRow{Icon: noticed[n.Kind].icon, Say: v.noticeSay(n), URL: v.noticeURL(n), At: n.At, New: n.At.After(read)}
		rows = append(rows, row)
	}
	if may(rightTo(authz.Read, authz.Reports)) {
		p, err := proof.Latest(v.ctx, tx)
		if err != nil {
			return nil, 0, err
		}
		if !p.Whole() {
			rows = append(rows, page.NoticeRow{Icon: "triangle-alert", Say: "The books do not agree. Tell whoever runs this service.",
				URL: v.home(), At: p.At, New: p.At.After(read)})
		}
	}
	if may(rightTo(authz.Read, authz.Support)) {
		asked, err := authz.ListSupport(v.ctx, tx)
		if err != nil {
			return nil, 0, err
		}
		for _, g := range asked {
			if g.State(tx.Now()) == authz.GrantWaiting {
				rows = append(rows, page.NoticeRow{Icon: "life-buoy", Say: g.StaffName + " of Countinghouse support asks to be let in.",
					URL: v.at("support", g.ID.String()), At: g.AskedAt, New: g.AskedAt.After(read)})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b page.NoticeRow) int { return b.At.Compare(a.At) })
	for _, row := range rows {
		if row.New {
			unread++
		}
	}
	return rows, unread, nil
}

func (v *visit) noticeSay(n notice.Notice) string {
	about := n.Said
	if about == "" {
		about = "a draft"
	}
	amount := ""
	if !n.Amount.Currency.IsZero() {
		amount = page.Symboled(n.Amount)
	}
	// Sprintf tells of what a sentence leaves out, so each is given what it takes.
	switch n.Kind {
	case notice.PaymentFailed, notice.OrderHeld:
		return fmt.Sprintf(noticed[n.Kind].say, about, amount)
	}
	return fmt.Sprintf(noticed[n.Kind].say, about)
}

func (v *visit) noticeURL(n notice.Notice) string {
	switch path := noticed[n.Kind].path; n.Kind {
	case notice.ExportReady, notice.ExportFailed, notice.ImportFailed:
		return v.at(path)
	default:
		return v.at(fmt.Sprintf(path, n.ID))
	}
}

func showNotices(v *visit) error {
	return v.show(http.StatusOK, "notices", func(tx *tenant.Tx) (any, error) {
		data := page.Notices{Read: page.Act{URL: v.at("notices", "read"), Label: "Mark all as read", Icon: "check", Key: newFormKey()}}
		var err error
		if data.Shell, err = v.frame(tx, "Notices", ""); err != nil {
			return nil, err
		}
		data.Items, data.Unread, err = v.notices(tx)
		return data, err
	})
}

func sendNoticesRead(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		return uuid.Nil, notice.MarkRead(v.ctx, tx, tx.Scope().Person().ID)
	}, func(uuid.UUID) string { return v.at("notices") },
		func(page.Form) error { return v.c.Redirect(v.at("notices"), http.StatusSeeOther) })
}

// newActs is the event by which the page of the activity hears that there is something new.
const newActs = "acts"

// showFresh answers what every page asks by itself, in one request: how many notices there are, which visits of support
// are open, what is being made, and whether anything was done since. It does not count as use.
func showFresh(v *visit) error {
	var data page.Fresh
	var last uuid.UUID
	err := v.run(func(tx *tenant.Tx) error {
		data = page.Fresh{Bell: page.Bell{URL: v.at("notices")}}
		var err error
		if _, data.Bell.Unread, err = v.notices(tx); err != nil {
			return err
		}
		if data.Visits, err = v.visitBanners(tx); err != nil {
			return err
		}
		may := func(right authz.Right) bool { return v.server.Policy.May(tx.Scope(), right).Allowed }
		if may(rightTo(authz.Read, authz.Exports)) {
			work, err := notice.Going(v.ctx, tx)
			if err != nil {
				return err
			}
			data.Going, data.GoURL = saidWork(work), v.at("settings", "exports")
		}
		if last = uuid.Nil; may(rightTo(authz.Read, authz.Audit)) {
			last, err = notice.LastAct(v.ctx, tx)
		}
		return err
	})
	if err != nil {
		return err
	}
	key := page.VisitsKey(data.Visits)
	data.Moved = v.query("visits") != key
	query := url.Values{"visits": {key}}
	if last != uuid.Nil {
		query.Set("act", last.String())
		if known := v.query("act"); known != "" && known != last.String() {
			v.c.Set("HX-Trigger", newActs)
		}
	}
	data.URL = v.at("fresh") + "?" + query.Encode()
	v.c.Set("Cache-Control", "no-store")
	return v.part("notices", "fresh", data)
}

func saidWork(w notice.Work) string {
	if w.Exports == 0 {
		return ""
	}
	say := "1 export"
	if w.Exports > 1 {
		say = fmt.Sprintf("%d exports", w.Exports)
	}
	if w.Rows > 0 {
		say += fmt.Sprintf(", %d %%", min(100, 100*int64(w.Done)/int64(w.Rows)))
	}
	return say
}
