package authz

// grid is the one list of what can be done here.
var grid = []gridRow{
	{Customers, "Customers", []box{
		{Read, "see customers"}, {Create, "add customers"}, {Change, "change customers"},
		{Delete, "archive customers"}, {Export, "export customers"},
	}},
	{Contacts, "People of customers", []box{
		{Read, "see who of a customer has access to the portal"}, {Create, "invite people of customers"},
		{Change, "choose what people of customers may do"}, {Delete, "take the access of people of customers away"},
	}},
	{Products, "Products", []box{
		{Read, "see products"}, {Create, "add products"}, {Change, "change products"},
		{Delete, "archive products"}, {Export, "export products"},
	}},
	{Invoices, "Invoices", []box{
		{Read, "see invoices"}, {Create, "write draft invoices"}, {Change, "change draft invoices"},
		{Delete, "discard draft invoices"}, {Approve, "issue invoices"}, {Export, "export invoices"},
	}},
	{Subscriptions, "Subscriptions", []box{
		{Read, "see subscriptions"}, {Create, "start subscriptions, which issue invoices"}, {Change, "change, pause and resume subscriptions, and record usage"},
		{Delete, "cancel subscriptions"},
	}},
	{Orders, "Orders", []box{
		{Read, "see orders"}, {Create, "take orders"}, {Change, "change orders"},
		{Delete, "cancel orders"}, {Approve, "accept orders"}, {Export, "export orders"},
	}},
	{Shop, "Portal and shop", []box{{Read, "see the settings of portal and shop"}, {Change, "open and close portal and shop"}}},
	{Payments, "Payments", []box{
		{Read, "see payments"}, {Create, "record payments"}, {Change, "match payments"},
		{Delete, "reverse payments"}, {Approve, "refund payments"}, {Export, "export payments"},
	}},
	{Payees, "Payees", []box{
		{Read, "see payees"}, {Create, "add payees"}, {Change, "change payees"},
		{Delete, "archive payees"}, {Export, "export payees"},
	}},
	{Bills, "Bills", []box{
		{Read, "see bills"}, {Create, "enter bills"}, {Change, "change bills"},
		{Delete, "discard bills"}, {Approve, "approve and pay bills"}, {Export, "export bills"},
	}},
	{Taxes, "Taxes", []box{
		{Read, "see tax rates"}, {Create, "add tax rates"}, {Change, "change tax rates"}, {Delete, "archive tax rates"},
	}},
	{Bank, "Bank", []box{
		{Read, "see bank accounts and their lines"}, {Create, "import statements, and add bank accounts and rules"},
		{Change, "match lines, which records payments and posts entries, and reconcile"}, {Delete, "delete rules"},
		{Approve, "reopen reconciled statements"}, {Export, "export what is outstanding"},
	}},
	{Journal, "Journal", []box{
		{Read, "see the journal"}, {Create, "post journal entries by hand"}, {Change, "reverse journal entries"},
		{Approve, "close and open periods"}, {Export, "export the journal"},
	}},
	{Accounts, "Accounts", []box{
		{Read, "see the chart of accounts"}, {Create, "add accounts"}, {Change, "rename accounts"},
		{Delete, "archive accounts"}, {Export, "export the chart of accounts"},
	}},
	{Reports, "Reports", []box{{Read, "see reports"}, {Export, "export reports"}}},
	{Exports, "Exports", []box{
		{Read, "see and fetch exports of the whole books"}, {Create, "export the whole books"}, {Delete, "delete exports"},
	}},
	{Imports, "Imports", []box{{Read, "see imports"}, {Create, "import files"}}},
	{Gateways, "Payment gateways", []box{
		{Read, "see payment gateways"}, {Create, "add payment gateways"}, {Change, "change payment gateways"},
		{Delete, "remove payment gateways"},
	}},
	{PaymentMethods, "Payment methods", []box{
		{Read, "see stored payment methods"}, {Create, "store payment methods"}, {Change, "change stored payment methods"},
		{Delete, "remove stored payment methods"},
	}},
	{Settings, "Settings", []box{{Read, "see the organization's settings"}, {Change, "change the organization's settings"}}},
	{Members, "Members", []box{
		{Read, "see who is a member"}, {Create, "invite people"}, {Change, "change members' roles and deny them access"},
		{Delete, "remove members"},
	}},
	{Roles, "Roles", []box{
		{Read, "see roles"}, {Create, "add roles"}, {Change, "change roles"}, {Delete, "delete roles"},
	}},
	{Security, "Security", []box{{Read, "see security rules and events"}, {Change, "change security rules"}}},
	{Tokens, "API tokens", []box{
		{Read, "see API tokens"}, {Create, "make API tokens"}, {Change, "rotate API tokens"}, {Delete, "revoke API tokens"},
	}},
	{Webhooks, "Webhooks", []box{
		{Read, "see webhooks and what they were sent"}, {Create, "add webhooks"}, {Change, "change and test webhooks, and send again"},
		{Delete, "remove webhooks"},
	}},
	{Audit, "Activity", []box{{Read, "see who did what"}, {Export, "export the record of who did what"}}},
	{Support, "Support access", []box{
		{Read, "see support access"}, {Create, "invite support"}, {Approve, "let support in"}, {Delete, "end support access"},
	}},
}
