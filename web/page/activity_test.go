package page

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/watch"
)

func activitySamples() map[string]any {
	act := sampleAct()
	entry := func(by, action string, changes ...audit.Change) ActivityRow {
		return ActivityRow{Entry: audit.Entry{ID: id.New[audit.Entry](), At: now, By: by, Actor: uuid.New(), Name: "Mara <b>", Action: action, Network: "192.0.2.7",
			Request: "7F3K22", Detail: "INV-1 & more", Changes: changes, Seal: 12}, URL: "/o/tidewater/invoices/1", History: "/o/tidewater/activity?object=1"}
	}
	support := entry("support", "invoice.read")
	support.Grant, support.Name, support.Seal = uuid.New(), "", 0
	named := entry("support", "support.read")
	named.Grant, named.ObjectKind, named.GrantURL = uuid.New(), "payees", "/o/tidewater/support/1"
	named.Visit = audit.Visit{LetInBy: uuid.New(), Owner: "Ines <i>", Ticket: "48213", Reason: "A payment & more"}
	event := watch.Raised{ID: id.New[watch.Event](), Kind: watch.Guessing, Severity: watch.Medium, At: now, LastAt: now, Times: 40, Network: "192.0.2.7",
		Detail: "5 wrong passwords in a row", RequestID: "7F3K22", Slug: "tidewater"}
	worse := watch.Raised{ID: id.New[watch.Event](), Kind: watch.Canary, Severity: watch.High, At: now, LastAt: now, Times: 1}
	return map[string]any{
		"activity": Activity{Shell: sampleShell("Activity", "activity"), Items: []ActivityRow{support, named, entry("token", "settings.change",
			audit.Change{Field: "payment_terms_days", Before: "30", After: "14"}, audit.Change{Field: "email", Personal: true, Erased: true},
			audit.Change{Field: "phone", Personal: true, Hidden: true}, audit.Change{Field: "city", After: "Porto"})},
			Form: NewForm("group", "sales", "from", "2026-11-01", "support", "true"), Object: uuid.NewString(), Narrowed: true,
			People: []Option{{Value: "1", Label: "Mara"}}, Groups: []Option{{Value: "sales", Label: "Sales"}}, CSV: "/x.csv", JSON: "/x.json", Record: "/x.jsonl",
			Head: audit.Head{Seq: 1240, Hash: strings.Repeat("ab", 32), SealedAt: now}, Mail: &act, Pager: Pager{Older: "/x"}},
		"security-events": SecurityEvents{Shell: sampleShell("Security events", "security-events"), Items: []EventRow{{event, "Mara"}, {worse, ""}}, Pager: Pager{Older: "/x"}},
		"staff-events": StaffEvents{StaffShell: StaffShell{Title: "Security events", Nav: "events", Person: mara, Now: now, May: func(string) bool { return true }},
			Form: NewForm("kind", watch.Canary, "severity", "high"), Kinds: EventKinds(), Severities: EventSeverities(), Narrowed: true, Items: []watch.Raised{event, worse}},
	}
}

func TestActivitySaysItInWords(t *testing.T) {
	t.Parallel()
	page := drawn(t, withSpecimen(t), "activity", activitySamples()["activity"])
	for _, words := range []string{"changed the settings", "by an API token", "Payment terms days: 30 became 14", "Email: changed; what it was has been erased",
		"Phone: changed; what it was is not for you to see", "City: nothing became Porto", "<b>Support</b>", "on behalf of this organization", "not sealed yet",
		"looked at payees", "as support, on behalf of Ines &lt;i&gt;", `<a href="/o/tidewater/support/1">Support visit, ticket 48213: A payment &amp; more</a>`,
		"sealed as 12", "1,240 acts", "Mara &lt;b&gt;", "INV-1 &amp; more", `value="2026-11-01"`, `<option value="sales" selected>`} {
		if !strings.Contains(page, words) {
			t.Errorf("the page lacks %q", words)
		}
	}
}
