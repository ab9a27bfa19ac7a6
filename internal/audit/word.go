package audit

import (
	"slices"
	"strings"
)

// Group is what belongs together for who looks for something in the feed.
type Group struct {
	Key, Name string
	kinds     []string
}

// Groups are the groups to choose from.
func Groups() []Group {
	return []Group{
		{"sales", "Sales", []string{"invoice", "quote", "credit_note", "payment", "order", "customer", "contact", "product", "subscription", "charge", "refund", "pay_link"}},
		{"purchases", "Purchases", []string{"bill", "payee", "payee_credit", "recurring", "bill_payment", "expense"}},
		{"books", "Books", []string{"entry", "account", "tax_rate", "bank", "bank_rule", "bank_statement", "reconciliation", "import", "export"}},
		{"people", "People and roles", []string{"member", "role", "invitation", "ownership"}},
		{"access", "Tokens, support and security", []string{"token", "webhook", "support", "support_grant", "support_request", "security", "gateway", "text_gateway", "payment_method", "page"}},
		{"settings", "Settings", []string{"settings", "organization", "plan", "plan_account"}},
	}
}

// IsGroup says whether there is a group of that key.
func IsGroup(key string) bool {
	return slices.ContainsFunc(Groups(), func(g Group) bool { return g.Key == key })
}

func kindsOf(group string) []string {
	for _, g := range Groups() {
		if g.Key == group {
			return g.kinds
		}
	}
	return []string{}
}

// phrases are acts that the rule of Words does not put well.
var phrases = map[string]string{
	"books.open":                "opened the books",
	"books.close":               "closed the books",
	"settings.change":           "changed the settings",
	"token.add":                 "made an API token",
	"token.revoke":              "revoked an API token",
	"entry.post":                "posted a journal entry",
	"entry.reverse":             "reversed a journal entry",
	"member.add":                "let someone in as a member",
	"payment.record":            "recorded a payment",
	"payment.apply":             "let a payment settle an invoice",
	"payment.unapply":           "took a payment off an invoice",
	"payment.give_back":         "recorded money given back",
	"invoice.draft":             "wrote a draft invoice",
	"invoice.revise":            "changed a draft invoice",
	"invoice.discard":           "discarded a draft invoice",
	"support.approve":           "let support in",
	"support.invite":            "invited support",
	"support.refuse":            "refused to let support in",
	"support.end":               "ended support access",
	"support.receipt":           "wrote the receipt of a support visit",
	"activity.export":           "exported the activity",
	"bill.draft":                "wrote a draft bill",
	"bill.revise":               "changed a draft bill",
	"bill.discard":              "discarded a draft bill",
	"bill.issue":                "entered a bill",
	"bill_payment.record":       "paid bills",
	"bill_payment.take_back":    "took a payment of bills back",
	"bill_payment.apply":        "let what was paid in advance pay a bill",
	"payee_credit.issue":        "entered a payee's credit",
	"bill_payment.receive_back": "recorded money that came back from a payee",
	"payee_credit.unapply":      "took a payee's credit back from a bill",
	"recurring.draft":           "wrote a recurring bill",
	"recurring.revise":          "changed a recurring bill",
	"recurring.discard":         "deleted a recurring bill",
	"recurring.stop":            "stopped a recurring bill",
	"plan.choose":               "chose a plan",
	"plan.pay":                  "went to pay a bill of the plan",

	"plan_account.keep":     "changed how an organization stands",
	"customer.verify_phone": "verified a customer's phone number",
	"payment.unbook":        "took a payment back",

	"bank.open":       "opened a bank account",
	"bank.change":     "changed a bank account",
	"bank.import":     "imported a bank's file",
	"bank.add_line":   "added a line to a bank account",
	"bank.match":      "matched a line of the bank",
	"bank.unmatch":    "took a match with the bank back",
	"bank.exclude":    "left a line of the bank out",
	"bank_rule.add":   "added a rule for the bank",
	"bank_rule.raise": "moved a rule for the bank up",

	"bank_statement.begin":        "began to reconcile a bank account",
	"bank_statement.finish":       "finished reconciling a bank account",
	"bank_statement.reopen":       "reopened a bank statement",
	"export.ask":                  "asked for an export",
	"export.finish":               "made an export",
	"export.fetch":                "fetched an export",
	"import.take":                 "imported a file",
	"customer.erase":              "erased a customer’s personal data",
	"customer.export":             "fetched a customer’s personal data",
	"invoice.late_fee":            "charged a late fee",
	"contact.invite":              "invited one of a customer's people",
	"contact.invite_again":        "sent one of a customer's people their invitation again",
	"contact.change":              "changed what one of a customer's people may do",
	"contact.remove":              "took the access of one of a customer's people away",
	"contact.join":                "came to the portal for the first time",
	"contact.sign_in":             "signed in to the portal",
	"contact.sign_out":            "signed out of the portal",
	"contact.sign_out_everywhere": "signed out of the portal everywhere",
	"contact.rename":              "changed their name in the portal",
	"contact.change_password":     "changed their password for the portal",
	"contact.recover":             "set a new password for the portal",
	"order.place":                 "placed an order",
	"order.release":               "released an order",
	"order.refuse":                "refused an order",
	"order.hold":                  "held an order",
	"order.invoice":               "invoiced an order",
	"order_review.change":         "changed what holds an order for review",
	"payment_method.choose":       "chose the card that is charged",
	"portal.change":               "changed the settings of portal and shop",
	"charge.waiting":              "sent a customer on to pay",
	"charge.succeeded":            "collected a charge",
	"charge.unfreeze":             "let a frozen charge go on",
}

// past of verbs that do not just take an -ed.
var past = map[string]string{
	"add": "added", "send": "sent", "make": "made", "write": "wrote", "let": "let", "set": "set", "begin": "began", "end": "ended",
	"undo": "undid", "give": "gave", "take": "took", "hand_over": "handed over", "deny": "denied", "pay": "paid", "void": "voided",
	"read": "looked at", "view": "looked at", "open": "opened", "submit": "submitted", "cancel": "cancelled", "draft": "drafted",
	"resend": "sent again", "apply": "applied", "verify": "verified", "put": "put", "sign_in": "signed in to", "see": "looked at",
}

// Words says an action in plain words: "tax_rate.change" is "changed a tax rate".
func Words(action string) string {
	if said, ok := phrases[action]; ok {
		return said
	}
	noun, verb, ok := strings.Cut(action, ".")
	if !ok || noun == "" || verb == "" {
		return action
	}
	noun = spaced(noun)
	switch {
	case strings.HasSuffix(noun, "s"):
		noun = "the " + noun
	case strings.ContainsRune("aeio", rune(noun[0])):
		noun = "an " + noun
	default:
		noun = "a " + noun
	}
	return pastOf(verb) + " " + noun
}

func pastOf(verb string) string {
	if said, ok := past[verb]; ok {
		return said
	}
	// "mark_paid" is "marked paid".
	first, rest, more := strings.Cut(verb, "_")
	if said, ok := past[first]; ok && more {
		return said + " " + spaced(rest)
	}
	switch {
	case strings.HasSuffix(first, "e"):
		first += "d"
	case strings.HasSuffix(first, "y") && len(first) > 2 && !strings.ContainsRune("aeiou", rune(first[len(first)-2])):
		first = first[:len(first)-1] + "ied"
	default:
		first += "ed"
	}
	if more {
		return first + " " + spaced(rest)
	}
	return first
}

func spaced(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == '_' || r == '.' })
	if slices.Contains(words, "api") {
		words[slices.Index(words, "api")] = "API"
	}
	if len(words) == 0 {
		return s
	}
	return strings.Join(words, " ")
}
