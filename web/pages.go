package web

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var (
	errFormVersion = fault.New(fault.Invalid, "version.malformed", "This form is not the one that we gave you. Open the page again.")
	errFormLine    = fault.New(fault.Invalid, "form.line", "A line of this form is named in a way that we do not use. Open the page again.")
)

// registerPages puts every page of a member on the router.
func (s *Server) registerPages() {
	s.registerOverviewPage()
	s.registerSearchPages()
	s.registerNoticePages()
	s.registerSamplePages()
	s.registerCustomerPages()
	s.registerContactPages()
	s.registerProductPages()
	s.registerSubscriptionPages()
	s.registerTaxPages()
	s.registerInvoicePages()
	s.registerCreditNotePages()
	s.registerQuotePages()
	s.registerPaymentPages()
	s.registerPayeePages()
	s.registerBillPages()
	s.registerBillPaymentPages()
	s.registerExpensePages()
	s.registerOrderPages()
	s.registerLedgerPages()
	s.registerJournalPages()
	s.registerBankPages()
	s.registerBankRulePages()
	s.registerBankStatementPages()
	s.registerAccountPages()
	s.registerReportPages()
	s.registerClosingPages()
	s.registerReportTablePages()
	s.registerTaxReportPages()
	s.registerCurrencyPages()
	s.registerTokenPages()
	s.registerWebhookPages()
	s.registerPhoneCheckPages()
	s.registerTextGatewayPages()
	s.registerOrderReviewPages()
	s.registerEntryPages()
	s.registerSettingsPages()
	s.registerPlanPages()
	s.registerBrandingPages()
	s.registerFilePages()
	s.registerExportPages()
	s.registerImportPages()
	s.registerErasurePages()
	s.registerMailPages()
	s.registerStatementPages()
	s.registerSupportPages()
	s.registerMemberPages()
	s.registerInvitationPages()
	s.registerRolePages()
	s.registerActivityPages()
	s.registerEventPages()
	s.registerAdmissionPages()
	s.registerGatewayPages()
	s.registerPayLinkPages()
	s.registerChargePages()
	s.registerCollectionPages()
	s.registerPaymentMethodPages()
}

func rightTo(action authz.Action, module authz.Module) authz.Right {
	return authz.Right{Module: module, Action: action}
}

// may says whether the reader holds a right, for what a page offers.
func (v *visit) may(right authz.Right) bool {
	return v.server.Policy.May(v.scope, right).Allowed
}

// need refuses what the reader may not do, where a form does more than its route's right says. It asks about the
// transaction's own scope, which is as the database has it.
func (v *visit) need(tx *tenant.Tx, right authz.Right) error {
	if !v.server.Policy.May(tx.Scope(), right).Allowed {
		return authz.Forbidden(right)
	}
	return nil
}

// frame is the shell with what the reader may do.
func (v *visit) frame(tx *tenant.Tx, title, nav string) (page.Shell, error) {
	shell, err := v.shell(tx, title, nav)
	shell.May = func(name string) bool {
		right, ok := authz.ParseRight(name)
		return ok && v.may(right)
	}
	return shell, err
}

// query is a field of the address.
func (v *visit) query(name string) string { return v.c.Query(name) }

// first reports whether the address asks for the beginning of a list.
func (v *visit) first() bool {
	return v.query("starting_after") == "" && v.query("ending_before") == ""
}

// part answers with a fragment of a page.
func (v *visit) part(name, part string, data any) error { return renderPart(v.c, name, part, data) }

func renderPart(c *fiberCtx, name, part string, data any) error {
	var body bytes.Buffer
	if err := page.RenderPart(&body, languageOf(c), name, part, data); err != nil {
		return err
	}
	c.Set("Content-Type", "text/html; charset=utf-8")
	return c.Status(http.StatusOK).Send(body.Bytes())
}

// versionOf reads the version that a form was made on.
func versionOf(sent url.Values) (int, error) {
	version, err := strconv.Atoi(sent.Get("version"))
	if err != nil || version < 1 || version > 1<<30 {
		return 0, errFormVersion
	}
	return version, nil
}

// renewVersion lets a form that came too late be sent again, now that its reader was told so.
func renewVersion(form *page.Form, version int) {
	if slices.ContainsFunc(form.Faults, func(e *fault.Error) bool { return strings.HasSuffix(e.Code, ".changed") }) {
		form.Values.Set("version", strconv.Itoa(version))
	}
}

// keyed gives a fresh form its key.
func keyed(form page.Form) page.Form {
	form.Key = newFormKey()
	return form
}

// orFresh is the refused form, or else a fresh one.
func orFresh(refused *page.Form, fresh func() page.Form) page.Form {
	if refused != nil {
		return *refused
	}
	return keyed(fresh())
}

// act handles a button that changes one thing: do runs once, and a refusal is told by refused.
func (v *visit) act(do func(tx *tenant.Tx, version int) error, done func() string, refused func(form page.Form) error) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		return uuid.Nil, do(tx, version)
	}, func(uuid.UUID) string { return done() }, refused)
}

// archiveAct is the button that archives or restores.
func archiveAct(url string, archived bool, version int) page.Act {
	if archived {
		return page.Act{URL: url + "/restore", Label: "Restore", Icon: "undo-2", Key: newFormKey(), Version: version}
	}
	return page.Act{URL: url + "/archive", Label: "Archive", Icon: "archive", Key: newFormKey(), Version: version}
}

// usedTabs are the two ways to see a list whose things can be archived.
func (v *visit) usedTabs(path string) page.Tabs {
	archived := v.query("archived") != ""
	return page.Tabs{Label: "In use or archived", Tabs: []page.Tab{
		{Label: "In use", URL: v.at(path), Current: !archived},
		{Label: "Archived", URL: v.at(path) + "?archived=yes", Current: archived},
	}}
}

// find is the search of a list.
func (v *visit) find(path, label string, keep ...string) page.Find {
	f := page.Find{URL: v.at(path), Search: strings.TrimSpace(v.query("q")), Label: label, Keep: map[string]string{}}
	for _, name := range keep {
		f.Keep[name] = v.query(name)
	}
	return f
}

// accountOptions are accounts to choose from, under their kinds.
func accountOptions(accounts []ledger.Account, wanted func(ledger.Account) bool) []page.Option {
	var options []page.Option
	for _, kind := range page.KindNames {
		for _, a := range accounts {
			if a.Kind == kind.Kind && wanted(a) {
				options = append(options, page.Option{Value: a.ID.String(), Label: a.Code + " " + a.Name, Group: kind.Name})
			}
		}
	}
	return options
}

// inUse narrows accounts to those of some kinds that can be booked on, and the one that is chosen already.
func inUse(chosen string, kinds ...ledger.Kind) func(ledger.Account) bool {
	return func(a ledger.Account) bool {
		return a.ID.String() == chosen || !a.Archived && (len(kinds) == 0 || slices.Contains(kinds, a.Kind))
	}
}

// maxFormLines is more lines than a document or an entry may have, so that the rule and not the form refuses them.
const maxFormLines = 501

// A line has one name: lines[7] and lines[07] would be two lines in one place.
var lineField = regexp.MustCompile(`^lines\[(0|[1-9]\d{0,3})\]\.([a-z_]+)$`)

// readLines is readForm for a form with lines.
func readLines(v *visit, many ...string) (url.Values, error) {
	sent, err := readForm(v.c, many...)
	if err != nil {
		return nil, err
	}
	for name := range sent {
		if strings.HasPrefix(name, "lines") && !lineField.MatchString(name) {
			return nil, errFormLine
		}
	}
	return sent, nil
}

// orderLines brings the lines of a sent form into a row without gaps, leaves out those that skip names, and gives their
// number. What was lines[7] may be lines[6] afterwards.
func orderLines(sent url.Values, skip func(index int, line url.Values) bool) int {
	lines := map[int]url.Values{}
	for name, values := range sent {
		found := lineField.FindStringSubmatch(name)
		if found == nil {
			continue
		}
		index, err := strconv.Atoi(found[1])
		if err != nil {
			continue
		}
		if lines[index] == nil {
			lines[index] = url.Values{}
		}
		lines[index][found[2]] = values
		sent.Del(name)
	}
	indices := make([]int, 0, len(lines))
	for index := range lines {
		indices = append(indices, index)
	}
	slices.Sort(indices)
	count := 0
	for _, index := range indices {
		if count == maxFormLines || skip(index, lines[index]) {
			continue
		}
		setLine(sent, count, lines[index])
		count++
	}
	return count
}

func setLine(sent url.Values, index int, line url.Values) {
	for name, values := range line {
		sent[lineName(index, name)] = values
	}
}

func lineName(index int, name string) string { return page.EditorLine{Index: index}.Field(name) }

// blank says whether nothing stands in any of a line's named fields.
func blank(line url.Values, names ...string) bool {
	for _, name := range names {
		if strings.TrimSpace(line.Get(name)) != "" {
			return false
		}
	}
	return true
}

// removed reads which line a button "remove-3" is for; -1 for another button.
func removed(action string) int {
	text, ok := strings.CutPrefix(action, "remove-")
	index, err := strconv.Atoi(text)
	if !ok || err != nil {
		return -1
	}
	return index
}

// editorLines are the lines of an editor, the last of them in focus when it was just added.
func editorLines(count int, added bool) []page.EditorLine {
	lines := make([]page.EditorLine, count)
	for i := range lines {
		lines[i] = page.EditorLine{Index: i, Focus: added && i == count-1}
	}
	return lines
}
