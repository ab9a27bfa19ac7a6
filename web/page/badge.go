package page

import (
	"fmt"
	"html/template"
)

// badges say for each state of things its word, its shape and its colour, in that order of importance.
var badges = map[string]struct{ word, icon, class string }{
	"draft":       {"Draft", "circle-dashed", "badge-draft"},
	"issued":      {"Issued", "send", "badge-sent"},
	"open":        {"Open", "send", "badge-sent"},
	"sent":        {"Sent", "send", "badge-sent"},
	"viewed":      {"Viewed", "eye", "badge-sent"},
	"part_paid":   {"Part paid", "circle-dot-dashed", "badge-part"},
	"paid":        {"Paid", "check", "badge-paid"},
	"overdue":     {"Overdue", "clock-alert", "badge-late"},
	"void":        {"Void", "ban", "badge-void"},
	"written_off": {"Written off", "archive", "badge-void"},
	"used":        {"Used up", "check", "badge-paid"},
	"accepted":    {"Accepted", "check", "badge-paid"},
	"invoiced":    {"Invoiced", "file-text", "badge-paid"},
	"declined":    {"Declined", "ban", "badge-late"},
	"posted":      {"Posted", "stamp", "badge-paid"},
	"reversed":    {"Reversed", "undo-2", "badge-void"},
	"active":      {"In use", "check", "badge-paid"},
	"archived":    {"Archived", "archive", "badge-void"},
	"revoked":     {"Revoked", "ban", "badge-void"},
	"expired":     {"Expired", "clock-alert", "badge-late"},
	// of support access; "refused" and "expired" stand elsewhere
	"waiting":   {"Waiting for you", "circle-dot-dashed", "badge-part"},
	"asked":     {"Owner decides", "circle-dot-dashed", "badge-part"},
	"lapsed":    {"Nobody decided", "clock-alert", "badge-void"},
	"withdrawn": {"Taken back", "undo-2", "badge-void"},
	"invited":   {"Nobody came yet", "circle-dashed", "badge-part"},
	"inside":    {"In now", "eye", "badge-part"},
	"ended":     {"Ended", "check", "badge-paid"},
	"ran_out":   {"Time ran out", "check", "badge-paid"},
	// of a line of the bank, and of a statement
	"bank_open":      {"To look at", "circle-dot-dashed", "badge-part"},
	"bank_matched":   {"Matched", "check", "badge-paid"},
	"bank_locked":    {"Reconciled", "lock", "badge-paid"},
	"bank_excluded":  {"Left out", "ban", "badge-void"},
	"bank_under_way": {"Under way", "circle-dot-dashed", "badge-part"},
	// of an order
	"order_placed":  {"Waits for the customer", "circle-dot-dashed", "badge-part"},
	"order_held":    {"Waits for you", "circle-help", "badge-part"},
	"order_refused": {"Refused", "ban", "badge-late"},
	"order_done":    {"Invoiced", "check", "badge-paid"},
	// of an order, as its customer reads it
	"your_turn":    {"Waits for you", "circle-dot-dashed", "badge-part"},
	"waits":        {"We look at it", "circle-dot-dashed", "badge-sent"},
	"not_accepted": {"Not accepted", "ban", "badge-late"},
	"done":         {"Invoiced", "check", "badge-paid"},
	// of a subscription
	"subscription_trialing": {"Not begun", "hourglass", "badge-draft"},
	"subscription_active":   {"Active", "check", "badge-paid"},
	"subscription_paused":   {"Paused", "timer", "badge-part"},
	"subscription_ended":    {"Ended", "ban", "badge-void"},
	// of a webhook and its messages
	"webhook_on":         {"On", "check", "badge-paid"},
	"webhook_failing":    {"Failing", "triangle-alert", "badge-late"},
	"webhook_off":        {"Off", "ban", "badge-void"},
	"delivery_pending":   {"Waiting", "circle-dashed", "badge-part"},
	"delivery_delivered": {"Arrived", "check", "badge-paid"},
	"delivery_failed":    {"Given up", "ban", "badge-late"},
	// of a charge or refund
	"charge_ready":     {"Ordered", "circle-dashed", "badge-draft"},
	"charge_called":    {"Under way", "circle-dashed", "badge-draft"},
	"charge_unknown":   {"Not known yet", "circle-dot-dashed", "badge-part"},
	"charge_waiting":   {"Waits for the customer", "circle-dot-dashed", "badge-part"},
	"charge_succeeded": {"Done", "check", "badge-paid"},
	"charge_declined":  {"Declined", "ban", "badge-late"},
	"charge_failed":    {"Not done", "ban", "badge-void"},
	// of an export
	"export_queued":    {"Waiting", "circle-dashed", "badge-draft"},
	"export_running":   {"Being made", "circle-dot-dashed", "badge-sent"},
	"export_ready":     {"Ready", "check", "badge-paid"},
	"export_failed":    {"Failed", "triangle-alert", "badge-late"},
	"export_refused":   {"Refused", "ban", "badge-late"},
	"export_cancelled": {"Cancelled", "ban", "badge-void"},
	"export_expired":   {"Expired", "clock-alert", "badge-void"},
	// of a background job
	"job_waiting":   {"Waiting", "circle-dashed", "badge-draft"},
	"job_running":   {"Running", "circle-dot-dashed", "badge-sent"},
	"job_failing":   {"Tried again later", "clock-alert", "badge-part"},
	"job_failed":    {"Failed", "triangle-alert", "badge-late"},
	"job_cancelled": {"Cancelled", "ban", "badge-void"},
	"job_done":      {"Done", "check", "badge-paid"},
	// of a person's access
	"denied": {"Denied access", "ban", "badge-late"},
	// of an organization
	"ready":     {"Kept ready", "circle-dashed", "badge-draft"},
	"suspended": {"Suspended", "ban", "badge-late"},
	// of how an organization stands with the platform
	"plan_trialing":  {"On trial", "hourglass", "badge-draft"},
	"plan_active":    {"In order", "check", "badge-paid"},
	"plan_past_due":  {"Overdue", "clock-alert", "badge-late"},
	"plan_suspended": {"Suspended", "ban", "badge-late"},
	"plan_exempt":    {"Exempt", "handshake", "badge-void"},
	// of people
	"member_active":  {"Gets in", "check", "badge-paid"},
	"member_denied":  {"Denied access", "ban", "badge-late"},
	"member_invited": {"Invited", "mail", "badge-sent"},
	// of a login
	"success":     {"Signed in", "check", "badge-paid"},
	"refused":     {"Refused", "ban", "badge-late"},
	"must_change": {"Held", "lock", "badge-part"},
	"recovered":   {"Password set", "key-round", "badge-sent"},
	"changed":     {"Password changed", "key-round", "badge-sent"},
	"disowned":    {"Not you", "triangle-alert", "badge-late"},
}

// badge draws a state. state may be of any type that writes itself as one of the words above.
func (s speech) badge(state any) (template.HTML, error) {
	b, ok := badges[fmt.Sprint(state)]
	if !ok {
		return "", fmt.Errorf("there is no badge for the state %q", fmt.Sprint(state))
	}
	drawn, err := icon(b.icon)
	if err != nil {
		return "", err
	}
	return template.HTML(`<span class="badge `+b.class+`">`) + drawn + template.HTML(template.HTMLEscapeString(s.say(b.word))+`</span>`), nil
}
