package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerActivityPages() {
	s.member("GET", "/activity", rightTo(authz.Read, authz.Audit), showActivity)
	s.member("GET", "/activity.csv", rightTo(authz.Export, authz.Audit), func(v *visit) error {
		return sendActivity(v, "activity.csv", "text/csv; charset=utf-8", audit.WriteCSV)
	})
	s.member("GET", "/activity.json", rightTo(authz.Export, authz.Audit), func(v *visit) error {
		return sendActivity(v, "activity.json", "application/json", audit.WriteJSON)
	})
	s.member("GET", "/activity/record.jsonl", rightTo(authz.Export, authz.Audit), sendSealedRecord)
	s.member("POST", "/activity/head", rightTo(authz.Change, authz.Settings), sendMailHead)
}

// activityFilter is the filter of the address.
func (v *visit) activityFilter() ActivityFilter {
	return ActivityFilter{Person: v.query("person"), Group: v.query("group"), Object: v.query("object"), From: v.query("from"), To: v.query("to"),
		Support: v.query("support") != ""}
}

func showActivity(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	asked := v.activityFilter()
	return v.show(http.StatusOK, "activity", func(tx *tenant.Tx) (any, error) {
		var data page.Activity
		var err error
		if data.Shell, err = v.frame(tx, "Activity", "activity"); err != nil {
			return nil, err
		}
		f, err := asked.parse(data.Today.Location())
		if err != nil {
			return nil, err
		}
		found, err := audit.Feed(v.ctx, tx, f, q)
		if err != nil {
			return nil, err
		}
		for _, e := range found.Items {
			v.reader().Veil(&e)
			row := page.ActivityRow{Entry: e, URL: v.objectURL(e.ObjectKind, e.Object), History: v.historyURL(e.Object)}
			if e.Grant != uuid.Nil && v.may(rightTo(authz.Read, authz.Support)) {
				row.GrantURL = v.at("support", e.Grant.String())
			}
			data.Items = append(data.Items, row)
		}
		if v.first() && !isSupport(v.scope) {
			query := asked.values()
			query.Set("live", "1")
			data.Self = v.at("activity") + "?" + query.Encode()
		}
		data.Pager = pager(v, q, found, func(e audit.Entry) uuid.UUID { return e.ID.UUID }, "")
		if err := fillActivity(v, tx, &data, asked); err != nil {
			return nil, err
		}
		return data, nil
	})
}

func actorName(a audit.Actor) string {
	if a.Support {
		return a.Name + ", support"
	}
	return a.Name
}

// fillActivity adds what there is to choose from, and what the chain's end is.
func fillActivity(v *visit, tx *tenant.Tx, data *page.Activity, asked ActivityFilter) error {
	values := asked.values()
	data.Form, data.Narrowed = page.Form{Values: values}, len(values) > 0
	data.Form.Values.Del("object")
	data.Object = asked.Object
	people, err := audit.Actors(v.ctx, tx)
	if err != nil {
		return err
	}
	for _, p := range people {
		data.People = append(data.People, page.Option{Value: p.ID.String(), Label: actorName(p)})
	}
	for _, g := range audit.Groups() {
		data.Groups = append(data.Groups, page.Option{Value: g.Key, Label: g.Name})
	}
	if data.Head, err = audit.HeadOf(v.ctx, tx); err != nil {
		return err
	}
	if v.may(rightTo(authz.Export, authz.Audit)) {
		query := ""
		if values = asked.values(); len(values) > 0 {
			query = "?" + values.Encode()
		}
		data.CSV, data.JSON, data.Record = v.at("activity.csv")+query, v.at("activity.json")+query, v.at("activity", "record.jsonl")
	}
	if v.may(rightTo(authz.Change, authz.Settings)) {
		on, err := audit.MailsHead(v.ctx, tx)
		if err != nil {
			return err
		}
		data.Mail = &page.Act{URL: v.at("activity", "head"), Label: "Mail the head to the owners daily", Icon: "mail", Key: newFormKey(), Class: "btn-small"}
		if on {
			data.Mail.Label = "Stop mailing the head"
		}
	}
	return nil
}

// objectURL is where a thing of the record is looked at; empty where there is no page for it, or the reader may not go.
func (v *visit) objectURL(kind string, thing uuid.UUID) string {
	ways := map[string]struct {
		right authz.Right
		path  string // %s is the id
	}{
		"invoice":      {rightTo(authz.Read, authz.Invoices), "invoices/%s"},
		"payment":      {rightTo(authz.Read, authz.Payments), "payments/%s"},
		"bill":         {rightTo(authz.Read, authz.Bills), "bills/%s"},
		"payee":        {rightTo(authz.Read, authz.Payees), "payees/%s"},
		"payee_credit": {rightTo(authz.Read, authz.Bills), "payee-credits/%s"},
		"recurring":    {rightTo(authz.Read, authz.Bills), "recurring-bills/%s"},
		"bill_payment": {rightTo(authz.Read, authz.Bills), "bill-payments/%s"},
		"customer":     {rightTo(authz.Read, authz.Customers), "customers/%s"},
		"product":      {rightTo(authz.Read, authz.Products), "products/%s"},
		"entry":        {rightTo(authz.Read, authz.Journal), "journal/%s"},
		"account":      {rightTo(authz.Read, authz.Reports), "ledger?account=%s"},
		"tax_rate":     {rightTo(authz.Read, authz.Taxes), "taxes"},
		"token":        {rightTo(authz.Read, authz.Tokens), "tokens"},
		"text_gateway": {rightTo(authz.Read, authz.Settings), "settings/text-gateways"},
		"settings":     {rightTo(authz.Read, authz.Settings), "settings"},
		"support":      {rightTo(authz.Read, authz.Support), "support/%s"},
	}
	way, ok := ways[kind]
	if !ok || !v.may(way.right) || (thing == uuid.Nil && strings.Contains(way.path, "%s")) {
		return ""
	}
	return v.at(strings.ReplaceAll(way.path, "%s", thing.String()))
}

// historyURL is the feed of one thing.
func (v *visit) historyURL(thing uuid.UUID) string {
	if thing == uuid.Nil {
		return ""
	}
	return v.at("activity") + "?" + url.Values{"object": {thing.String()}}.Encode()
}

// sendActivity streams what the address's filter leaves of the feed, and has it on record that someone took it.
func sendActivity(v *visit, name, contentType string, write func(context.Context, audit.Run, io.Writer, audit.Filter, audit.Reader) error) error {
	var f audit.Filter
	err := v.run(func(tx *tenant.Tx) error {
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return err
		}
		if f, err = v.activityFilter().parse(settings.Zone()); err != nil {
			return err
		}
		return tx.Record(v.ctx, tenant.Act{Action: "activity.export", Object: "export", Detail: name})
	})
	if err != nil {
		return err
	}
	return v.stream(name, contentType, func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
		return write(ctx, run, w, f, v.reader())
	})
}

func sendSealedRecord(v *visit) error {
	err := v.run(func(tx *tenant.Tx) error {
		return tx.Record(v.ctx, tenant.Act{Action: "activity.export", Object: "export", Detail: "record.jsonl"})
	})
	if err != nil {
		return err
	}
	return v.stream("record.jsonl", "application/jsonl", func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
		if _, err := audit.Seal(ctx, v.server.DB, v.scope); err != nil {
			return err
		}
		return audit.WriteSealed(ctx, run, w, v.server.DB.Now())
	})
}

func sendMailHead(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		on, err := audit.MailsHead(v.ctx, tx)
		if err != nil {
			return uuid.Nil, err
		}
		return uuid.Nil, audit.SetMailsHead(v.ctx, tx, !on)
	}, func(uuid.UUID) string {
		say(v.c, "Saved.")
		return v.at("activity")
	}, func(page.Form) error { return v.c.Redirect(v.at("activity"), http.StatusSeeOther) })
}
