package page

import "slices"

// navigation is every way through an organization, in the order of the sidebar. A new page that people should find
// stands here, or in settings, and nowhere else. Who may not read what an entry leads to is not shown it.
var navigation = []navSection{
	{entries: []navItem{
		{key: "overview", label: "Overview", icon: "house"},
	}},
	{title: "Money in", entries: []navItem{
		{key: "invoices", label: "Invoices", icon: "file-text", path: []any{"invoices"}, right: "invoices:read", count: func(c Counts) int { return c.Invoices }},
		{key: "quotes", label: "Quotes", icon: "handshake", path: []any{"quotes"}, right: "invoices:read"},
		{key: "credit-notes", label: "Credit notes", icon: "receipt", path: []any{"credit-notes"}, right: "invoices:read"},
		{key: "orders", label: "Orders", icon: "inbox", path: []any{"orders"}, right: "orders:read"},
		{key: "subscriptions", label: "Subscriptions", icon: "refresh-cw", path: []any{"subscriptions"}, right: "subscriptions:read"},
		{key: "payments", label: "Payments", icon: "hand-coins", path: []any{"payments"}, right: "payments:read"},
		{key: "customers", label: "Customers", icon: "contact", path: []any{"customers"}, right: "customers:read"},
		{key: "products", label: "Products", icon: "package", path: []any{"products"}, right: "products:read"},
	}},
	{title: "Money out", entries: []navItem{
		{key: "bills", label: "Bills", icon: "scroll-text", path: []any{"bills"}, right: "bills:read"},
		{key: "payee-credits", label: "Payee credits", icon: "undo-2", path: []any{"payee-credits"}, right: "bills:read"},
		{key: "recurring-bills", label: "Recurring bills", icon: "rotate-cw", path: []any{"recurring-bills"}, right: "bills:read"},
		{key: "bill-payments", label: "Bill payments", icon: "wallet", path: []any{"bill-payments"}, right: "bills:read"},
		{key: "payees", label: "Payees", icon: "building-2", path: []any{"payees"}, right: "payees:read"},
	}},
	{title: "Books", entries: []navItem{
		{key: "bank", label: "Bank", icon: "landmark", path: []any{"bank"}, right: "bank:read"},
		{key: "ledger", label: "Ledger", icon: "book-open-text", path: []any{"ledger"}, right: "reports:read"},
		{key: "journal", label: "Journal", icon: "notebook-pen", path: []any{"journal"}, right: "journal:read"},
		{key: "closing", label: "Closing", icon: "book-lock", path: []any{"closing"}, right: "journal:read"},
		{key: "accounts", label: "Accounts", icon: "list-tree", path: []any{"accounts"}, right: "accounts:read"},
		{key: "currencies", label: "Currencies", icon: "globe", path: []any{"currencies"}, right: "journal:read"},
		{key: "taxes", label: "Taxes", icon: "percent", path: []any{"taxes"}, right: "taxes:read"},
	}},
	{title: "Reports", entries: []navItem{
		{key: "reports", label: "All reports", icon: "list", path: []any{"reports"}, right: "reports:read"},
		{key: "profit-and-loss", label: "Profit and loss", icon: "chart-column", path: []any{"reports", "profit-and-loss"}, right: "reports:read"},
		{key: "balance-sheet", label: "Balance sheet", icon: "landmark", path: []any{"reports", "balance-sheet"}, right: "reports:read"},
		{key: "trial-balance", label: "Trial balance", icon: "scale", path: []any{"reports", "trial-balance"}, right: "reports:read"},
		{key: "customer-balances", label: "Customer balances", icon: "contact", path: []any{"reports", "customer-balances"}, right: "reports:read"},
		{key: "tax-report", label: "Tax report", icon: "percent", path: []any{"reports", "taxes"}, right: "reports:read"},
	}},
	{foot: true, entries: []navItem{
		{key: "people", label: "People", icon: "users", path: []any{"members"}, right: "members:read"},
		{key: "activity", label: "Activity", icon: "activity", path: []any{"activity"}, right: "audit:read"},
	}},
}

// settings are the tabs of the settings. The last entry of the sidebar leads to the first of them that its reader
// may see.
var settings = []navItem{
	{key: "settings", label: "Organization", path: []any{"settings"}, right: "settings:read"},
	{key: "plan", label: "Plan", path: []any{"settings", "plan"}, right: "settings:read"},
	{key: "branding", label: "Documents and mail", path: []any{"settings", "branding"}, right: "settings:read"},
	{key: "late-fees", label: "Late fees", path: []any{"settings", "late-fees"}, right: "settings:read"},
	{key: "portal", label: "Portal and shop", path: []any{"settings", "portal"}, right: "shop:read"},
	{key: "security", label: "Security", path: []any{"settings", "security"}, right: "security:read"},
	{key: "gateways", label: "Payment gateways", path: []any{"settings", "gateways"}, right: "gateways:read"},
	{key: "phone-check", label: "Phone check", path: []any{"settings", "phone-check"}, right: "settings:read"},
	{key: "order-review", label: "Order review", path: []any{"settings", "order-review"}, right: "settings:read"},
	{key: "exports", label: "Export", path: []any{"settings", "exports"}, right: "exports:read"},
	{key: "imports", label: "Import", path: []any{"settings", "imports"}, right: "imports:read"},
	{key: "tokens", label: "API tokens", path: []any{"tokens"}, right: "tokens:read"},
	{key: "webhooks", label: "Webhooks", path: []any{"settings", "webhooks"}, right: "webhooks:read"},
	{key: "support", label: "Support access", path: []any{"support"}, right: "support:read"},
	{key: "security-events", label: "Security events", path: []any{"settings", "security-events"}, right: "security:read"},
	{key: "entries", label: "Entries", path: []any{"members", "entries"}, right: "members:read"},
}

// navSection is a headed part of the navigation.
type navSection struct {
	title   string
	foot    bool // stands at the end
	entries []navItem
}

// navItem is one way: key is what a page gives as Shell.Nav, path what follows /o/acme/.
type navItem struct {
	key, label, icon string
	path             []any
	right            string // that it takes to go there: "invoices:read"; "" for whoever may see anything
	count            func(Counts) int
}

func (n navItem) open(can func(right string) bool) bool { return n.right == "" || can(n.right) }

// NavSection is a headed part of the navigation as it is drawn.
type NavSection struct {
	Title   string
	Foot    bool
	Entries []NavEntry
}

// NavEntry is one way in the navigation as it is drawn.
type NavEntry struct {
	Label, Icon, URL string
	Current          bool
	Count            int
	Go               string // the letter that leads there after g
}

// Sections are the ways through an organization that the reader may go.
func (s Shell) Sections() []NavSection {
	var shown []NavSection
	for _, section := range navigation {
		drawn := NavSection{Title: section.title, Foot: section.foot}
		for _, item := range section.entries {
			if !item.open(s.Can) {
				continue
			}
			entry := NavEntry{Label: item.label, Icon: item.icon, URL: s.At(item.path...), Current: s.Nav == item.key, Go: goKeys[item.key]}
			if item.count != nil {
				entry.Count = item.count(s.Open)
			}
			drawn.Entries = append(drawn.Entries, entry)
		}
		if way := s.SettingsTabs(); section.foot && len(way.Tabs) > 0 {
			drawn.Entries = append(drawn.Entries, NavEntry{Label: "Settings", Icon: "settings", URL: way.Tabs[0].URL,
				Current: slices.ContainsFunc(way.Tabs, func(t Tab) bool { return t.Current })})
		}
		if len(drawn.Entries) > 0 {
			shown = append(shown, drawn)
		}
	}
	return shown
}

// SettingsTabs are the parts of the settings that the reader may see.
func (s Shell) SettingsTabs() Tabs {
	tabs := Tabs{Label: "Settings"}
	for _, item := range settings {
		if s.Can(item.right) {
			tabs.Tabs = append(tabs.Tabs, Tab{Label: item.label, URL: s.At(item.path...), Current: s.Nav == item.key})
		}
	}
	return tabs
}
