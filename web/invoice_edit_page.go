package web

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// How many customers and products one chooses from without searching.
const (
	shownCustomers = 100
	shownProducts  = 50
)

// editing says how the editor came to be shown.
type editing struct {
	unsaved bool // with what was sent
	added   bool // with one more line
	found   bool // with what was searched for
}

// documentEditor gathers what the editor shows: the form with its choices, and what it comes to so far.
func documentEditor(v *visit, tx *tenant.Tx, d desk, document uuid.UUID, version int, form page.Form, how editing) (any, error) {
	settings, err := billing.LoadSettings(v.ctx, tx)
	if err != nil {
		return nil, err
	}
	data := page.InvoiceForm{Form: form, Action: v.at(d.path), Back: v.at(d.path), Preview: v.at("invoices", "preview"),
		Words: d.words, ListURL: v.at(d.path), Unsaved: how.unsaved, DueHint: d.dueHint(settings), MayIssue: !d.repeats && v.may(rightTo(authz.Approve, d.module)), Bought: d.bought, Repeats: d.repeats}
	title := d.words.New
	if document != uuid.Nil {
		title = cmp.Or(d.words.Change, "Change draft")
		data.Draft, data.Action = true, v.at(d.path, document.String())
		data.Back = data.Action
		data.Acts = discardAct(v, d, document, version)
	}
	v.setDraftKeeping(d, document, &data)
	if data.Shell, err = v.frame(tx, title, d.words.Nav); err != nil {
		return nil, err
	}
	count := countLines(form)
	data.Lines = editorLines(count, how.added)
	moveLineFaults(&data.Form, count)
	if data.Rates, err = rateOptions(v.ctx, tx, form, count); err != nil {
		return nil, err
	}
	fill := fillSold
	if d.bought {
		data.Preview = v.at("bills", "preview")
		fill = fillBought
	}
	if err := fill(v.ctx, tx, &data, how.found); err != nil {
		return nil, err
	}
	data.Totals, err = previewTotals(v.ctx, tx, form, count)
	return data, err
}

// fillSold gives the customers and products to choose from.
func fillSold(ctx context.Context, tx *tenant.Tx, data *page.InvoiceForm, found bool) error {
	if err := fillCustomers(ctx, tx, data, found); err != nil {
		return err
	}
	return fillProducts(ctx, tx, data)
}

// countLines counts the lines of a form whose lines are in a row.
func countLines(form page.Form) int {
	count := 0
	for name := range form.Values {
		if found := lineField.FindStringSubmatch(name); found != nil {
			if index, err := strconv.Atoi(found[1]); err == nil {
				count = max(count, index+1)
			}
		}
	}
	return count
}

// moveLineFaults brings the faults of what has no field of its own to the field beside which they make sense.
func moveLineFaults(form *page.Form, count int) {
	for i := range count {
		for _, name := range []string{"product_id", "account_id"} {
			form.Move(lineName(i, name), lineName(i, "description"))
		}
		form.Move(strings.TrimSuffix(lineName(i, ""), "."), lineName(i, "description"))
		taxes := lineName(i, "taxes")
		for n, e := range form.Faults {
			if e.Field == taxes || strings.HasPrefix(e.Field, taxes+"[") || strings.HasPrefix(e.Field, lineName(i, "tax_codes")+"[") {
				form.Faults[n] = e.At(lineName(i, "tax_codes"))
			}
		}
	}
}

// rateOptions are the rates and groups to tick: those in use, and any that a line has. Compound ones come last, since they
// apply to what stands before them.
func rateOptions(ctx context.Context, tx *tenant.Tx, form page.Form, count int) ([]page.Option, error) {
	rates, err := tax.Rates(ctx, tx)
	if err != nil {
		return nil, err
	}
	var groups, simple, compound []page.Option
	for _, r := range rates {
		ticked := slices.ContainsFunc(editorLines(count, false), func(l page.EditorLine) bool { return form.Has(l.Field("tax_codes"), r.Code) })
		if r.Archived && !ticked {
			continue
		}
		switch o := (page.Option{Value: r.Code, Label: r.Name}); {
		case r.Kind == tax.Group:
			groups = append(groups, o)
		case r.Compound:
			compound = append(compound, o)
		default:
			simple = append(simple, o)
		}
	}
	return slices.Concat(groups, simple, compound), nil
}

func customerLabel(c billing.Customer) string {
	if c.Company != "" {
		return c.Company + ", " + c.Name
	}
	return c.Name
}

// fillCustomers gives the customers to choose from: those who were searched for, or the first by name, and whoever is
// chosen already. A search with one result chooses it.
func fillCustomers(ctx context.Context, tx *tenant.Tx, data *page.InvoiceForm, found bool) error {
	search := strings.TrimSpace(data.Form.Value("find_customer"))
	customers, err := billing.Customers(ctx, tx, billing.CustomerFilter{Search: search}, cursor.Query{Limit: shownCustomers})
	if err != nil {
		return err
	}
	data.FindCustomer = customers.HasMore || search != ""
	for _, c := range customers.Items {
		data.Customers = append(data.Customers, page.Option{Value: c.ID.String(), Label: customerLabel(c)})
	}
	if found && search != "" && len(customers.Items) == 1 {
		data.Form.Values.Set("customer_id", customers.Items[0].ID.String())
	}
	chosen, ok := id.Parse[billing.Customer](data.Form.Value("customer_id"))
	if !ok || slices.ContainsFunc(data.Customers, func(o page.Option) bool { return o.Value == chosen.String() }) {
		return nil
	}
	c, err := billing.CustomerByID(ctx, tx, chosen)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	} else if err != nil {
		return err
	}
	data.Customers = append([]page.Option{{Value: c.ID.String(), Label: customerLabel(c)}}, data.Customers...)
	return nil
}

// fillProducts gives the products to choose from: all where they are few, else those that were searched for.
func fillProducts(ctx context.Context, tx *tenant.Tx, data *page.InvoiceForm) error {
	search := strings.TrimSpace(data.Form.Value("find_product"))
	products, err := billing.Products(ctx, tx, billing.ProductFilter{Search: search}, cursor.Query{Limit: shownProducts})
	if err != nil {
		return err
	}
	data.FindProduct = products.HasMore || search != ""
	if products.HasMore && search == "" {
		return nil
	}
	for _, p := range products.Items {
		label := p.Name + ", " + page.PlainPrice(p.UnitPrice, p.Currency) + " " + p.Currency.Code()
		data.Products = append(data.Products, page.Option{Value: p.ID.String(), Label: label})
	}
	return nil
}

// previewTotals works out what the complete lines come to. A line that cannot be read yet is left out and told.
func previewTotals(ctx context.Context, tx *tenant.Tx, form page.Form, count int) (page.Totals, error) {
	totals := page.Totals{Lines: make([]string, count)}
	currency, err := money.ParseCurrency(form.Value("currency"))
	if err != nil {
		totals.Say = "Choose a currency, and the totals stand here."
		return dashed(totals), nil
	}
	in, err := InvoiceBody{Currency: currency.Code()}.whole(form.Values).input()
	if faults := faultsOf(err); len(faults) > 0 {
		totals.Say = faults[0].Say
		return dashed(totals), nil
	}
	if issue, err := civil.Parse(form.Value("issue_date")); err == nil {
		in.IssueDate = issue // whose percents hold; what cannot be read is told when it is saved
	}
	var counted []int
	for i := range count {
		line := lineBody(form.Values, i)
		read, err := line.input("")
		if err != nil || line.UnitPrice == "" || read.Quantity.LessThanOrEqual(decimal.Zero) {
			if strings.TrimSpace(line.Description) != "" || line.UnitPrice != "" {
				totals.Left = append(totals.Left, i+1)
			}
			continue
		}
		in.Lines, counted = append(in.Lines, read), append(counted, i)
	}
	result, err := billing.PreviewInvoice(ctx, tx, in)
	if faults := faultsOf(err); len(faults) > 0 {
		totals.Say = faults[0].Say
		return dashed(totals), nil
	} else if err != nil {
		return totals, err
	}
	totals.Discount = result.Discount
	totals.Net, totals.Tax, totals.Total, totals.Rates = result.Net, result.Tax, result.Total, result.Rates
	for n, i := range counted {
		line := result.Lines[n]
		totals.Lines[i] = page.Figures(money.Amount{Minor: line.Gross.Minor - line.Discount.Minor, Currency: currency})
	}
	return dashed(totals), nil
}

// dashed puts a dash where a line has no amount.
func dashed(totals page.Totals) page.Totals {
	for i, amount := range totals.Lines {
		if amount == "" {
			totals.Lines[i] = "–"
		}
	}
	return totals
}
