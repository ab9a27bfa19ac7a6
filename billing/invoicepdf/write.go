package invoicepdf

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/locale"
)

const margin = 18 // millimetres, on all sides

var (
	body    = style{size: 9.5, colour: ink}
	strong  = style{size: 9.5, bold: true, colour: ink}
	small   = style{size: 8.5, colour: quiet}
	heading = style{size: 22, bold: true}
	grand   = style{size: 12, bold: true, colour: ink}
)

// beside brings small text down to the line of the body's beside it.
var beside = (body.leading() - small.leading()) / 2

// paper is one document on its way to paper.
type paper struct {
	sheet
	d     Document
	say   words
	brand colour
	from  civil.Date // of a statement
}

// Write puts a document on paper. The same document gives the same bytes. It fails when the logo or the colour are
// not such as CheckLogo and CheckColour accept, and when w does.
func Write(w io.Writer, d Document) error {
	p, err := newPaper(d)
	if err != nil {
		return err
	}
	p.AddPage()
	p.head()
	p.parties()
	p.table()
	p.totals()
	p.foot()
	return p.output(w)
}

func newPaper(d Document) (*paper, error) {
	brand, err := parseColour(d.Colour)
	if err != nil {
		return nil, err
	}
	if d.Logo != nil {
		if err := CheckLogo(d.Logo); err != nil {
			return nil, err
		}
	}
	pdf := fpdf.New("P", "mm", paperSize(d.Issuer.Country), "")
	width, height := pdf.GetPageSize()
	p := &paper{d: d, say: wordsOf(d.Language), brand: brand, sheet: sheet{
		Fpdf: pdf, added: map[*face]bool{}, left: margin, right: width - margin, y: margin, bottom: height - margin - 8,
	}}
	p.prepare()
	return p, nil
}

func (p *paper) output(w io.Writer) error {
	if err := p.Output(w); err != nil {
		return fmt.Errorf("writing a document as PDF: %w", err)
	}
	return nil
}

// paperSize is Letter where people print on it (CLDR's paper sizes), A4 elsewhere.
func paperSize(country string) string {
	for _, letter := range strings.Fields("BZ CA CL CO CR GT MX NI PA PH PR SV US VE") {
		if country == letter {
			return "Letter"
		}
	}
	return "A4"
}

func (p *paper) prepare() {
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(false, margin)
	p.SetCatalogSort(true)
	p.SetCreationDate(p.d.Written.UTC())
	p.SetModificationDate(p.d.Written.UTC())
	p.SetProducer("Countinghouse", true)
	p.SetTitle(strings.TrimSpace(p.title()+" "+p.d.Number), true)
	p.SetAuthor(p.d.Issuer.Name, true)
	p.SetLang(string(p.d.Language))
	p.AliasNbPages("")
	p.SetHeaderFunc(p.watermark) // under the text
	p.SetFooterFunc(func() {
		page := fmt.Sprintf(p.say.Page, p.PageNo(), "{nb}")
		// The alias is filled in after it was measured: measure a figure in its place.
		x := p.right - p.width(strings.ReplaceAll(page, "{nb}", "0"), small)
		p.rule(p.bottom+4, hairline, 0.2)
		p.put(x, p.bottom+6, page, small)
		p.put(p.left, p.bottom+6, strings.TrimSpace(p.d.Issuer.Name+"   "+p.d.Number), small)
	})
}

func (p *paper) title() string { return p.say.Kinds[p.d.Kind] }

// watermark says across the page that this is not a document that anyone owes money on.
func (p *paper) watermark() {
	text := ""
	switch {
	case p.d.Void:
		text = p.say.Void
	case p.d.Number == "" && p.d.Kind != statement:
		text = p.say.Draft
	default:
		return
	}
	st := style{size: 76, bold: true, colour: colour{232, 236, 234}}
	width, height := p.GetPageSize()
	p.TransformBegin()
	p.TransformRotate(38, width/2, height/2)
	p.put((width-p.width(text, st))/2, height/2-st.leading()/2, text, st)
	p.TransformEnd()
}

// head is the issuer on the left, what the document is and its numbers on the right.
func (p *paper) head() {
	top := p.y
	if p.d.Logo != nil {
		p.logo()
	}
	p.paragraph(p.left, 90, p.d.Issuer.Name, style{size: 12, bold: true, colour: ink})
	for _, row := range p.d.Issuer.Address {
		p.paragraph(p.left, 90, row, small)
	}
	for _, n := range p.d.Issuer.Numbers {
		p.paragraph(p.left, 90, n.Label+" "+n.Value, small)
	}
	under := p.y

	title := heading
	title.colour = p.brand
	p.y = top
	p.putRight(p.right, p.y, p.title(), title)
	p.y += title.leading() + 1
	for _, fact := range p.facts() {
		p.putRight(p.right-36, p.y+beside, fact.Label, small)
		p.putRight(p.right, p.y, fact.Value, body)
		p.y += body.leading()
	}
	p.y = max(p.y, under) + 8
}

func (p *paper) facts() []Number {
	l := p.d.Language
	all := []Number{
		{p.say.Kinds[p.d.Kind], cmp.Or(p.d.Number, p.say.Draft)},
		{p.say.From, l.Date(p.from)},
		{p.say.IssueDate, l.Date(p.d.IssueDate)},
		{p.say.DueDates[p.d.Kind], l.Date(p.d.DueDate)},
		{p.say.Credits, p.d.Credits},
		{p.say.Reference, p.d.Reference},
		{p.say.PurchaseOrder, p.d.PurchaseOrder},
	}
	if p.d.Kind == statement {
		all = all[1:]
	}
	var told []Number
	for _, fact := range all {
		if fact.Label == "" || fact.Value == "" {
			continue
		}
		// A long reference would run into the issuer's address.
		if lines := p.wrap(fact.Value, 36, body); len(lines) > 1 {
			for i, part := range lines {
				told = append(told, Number{map[bool]string{true: fact.Label}[i == 0], part})
			}
			continue
		}
		told = append(told, fact)
	}
	return told
}

// logo stands above the issuer's name, at most 60 by 18 millimetres.
func (p *paper) logo() {
	options := fpdf.ImageOptions{ImageType: logoKind(p.d.Logo)}
	info := p.RegisterImageOptionsReader("logo", options, bytes.NewReader(p.d.Logo))
	if info == nil { // told by Output
		return
	}
	width, height := info.Extent()
	scale := min(60/width, 18/height)
	p.ImageOptions("logo", p.left, p.y, width*scale, height*scale, false, options, 0, "")
	p.y += height*scale + 3
}

func (p *paper) parties() {
	p.put(p.left, p.y, p.say.BilledTo, small)
	p.y += small.leading()
	p.paragraph(p.left, 100, p.d.Customer.Name, strong)
	for _, row := range p.d.Customer.Address {
		p.paragraph(p.left, 100, row, body)
	}
	for _, n := range p.d.Customer.Numbers {
		p.paragraph(p.left, 100, n.Label+" "+n.Value, small)
	}
	p.y += 8
}

// columns are where the table's columns end; the description begins at the left edge.
func (p *paper) columns() (description, quantity, price, taxes, amount float64) {
	return p.right - 98, p.right - 78, p.right - 48, p.right - 28, p.right
}

func (p *paper) tableHead() {
	_, quantity, price, taxes, amount := p.columns()
	p.put(p.left, p.y, p.say.Description, small)
	p.putRight(quantity, p.y, p.say.Quantity, small)
	p.putRight(price, p.y, p.say.UnitPrice, small)
	p.putRight(taxes, p.y, p.say.Tax, small)
	p.putRight(amount, p.y, p.say.Amount+" "+p.d.Currency.Code(), small)
	p.y += small.leading() + 1
	p.rule(p.y, p.brand, 0.4)
	p.y += 1.5
}

func (p *paper) table() {
	if p.d.PricesWithTax {
		p.put(p.left, p.y, p.say.PricesWithTax, small)
		p.y += small.leading() + 1
	}
	p.tableHead()
	for _, l := range p.d.Lines {
		p.line(l)
	}
	p.y += 2
}

func (p *paper) line(l Line) {
	edge, quantity, price, taxes, amount := p.columns()
	description := p.wrap(l.Description, edge-p.left, body)
	codes := p.wrap(strings.Join(l.Taxes, " "), 19, small)
	discount := ""
	if !l.DiscountPercent.IsZero() {
		discount = fmt.Sprintf(p.say.Discount, p.percent(l.DiscountPercent))
	}
	rows := max(len(description), len(codes))
	if discount != "" {
		rows = max(rows, 2)
	}
	for i := range rows {
		if p.room(body.leading() + 1) {
			p.tableHead()
		}
		if i < len(description) {
			p.put(p.left, p.y, description[i], body)
		}
		if i < len(codes) {
			p.putRight(taxes, p.y+beside, codes[i], small)
		}
		switch {
		case i == 0:
			p.putRight(quantity, p.y, p.decimal(l.Quantity), body)
			p.putRight(price, p.y, p.price(l.UnitPrice), body)
			p.putRight(amount, p.y, p.amount(l.Net), body)
		case i == 1 && discount != "":
			p.putRight(price, p.y, discount, small)
		}
		p.y += body.leading()
	}
	p.y += 1
	p.rule(p.y, hairline, 0.15)
	p.y += 1
}

func (p *paper) totals() {
	type row struct {
		label, figure string
		style         style
	}
	var rows []row
	if !p.d.Discount.IsZero() {
		rows = append(rows, row{p.say.DiscountOnWhole, p.amount(negative(p.d.Discount)), body})
	}
	rows = append(rows, row{p.say.Net, p.amount(p.d.Net), body})
	for _, t := range p.d.Taxes {
		name := t.Name + " " + p.percent(t.Percent)
		rows = append(rows, row{fmt.Sprintf(p.say.On, name, p.amount(t.Base)), p.amount(t.Amount), body})
	}
	rows = append(rows, row{p.say.Total + " " + p.d.Currency.Code(), p.amount(p.d.Total), grand})
	if !p.d.Settled.IsZero() {
		rows = append(rows, row{p.say.Settled, p.amount(negative(p.d.Settled)), body},
			row{p.say.Open + " " + p.d.Currency.Code(), p.amount(p.d.Open), grand})
	}
	var height float64
	for _, r := range rows {
		height += r.style.leading() + 0.8
	}
	p.room(height)
	for _, r := range rows {
		if r.style == grand {
			p.SetDrawColor(p.brand.r, p.brand.g, p.brand.b)
			p.SetLineWidth(0.3)
			p.Line(p.right-86, p.y, p.right, p.y)
			p.y += 0.6
		}
		p.putRight(p.right-32, p.y, r.label, r.style)
		p.putRight(p.right, p.y, r.figure, r.style)
		p.y += r.style.leading() + 0.4
	}
	p.y += 6
}

// foot is what is said under the figures.
func (p *paper) foot() {
	width := p.right - p.left
	for _, remark := range p.d.Remarks {
		p.paragraph(p.left, width, remark, body)
		p.y += 2
	}
	if p.d.Note != "" {
		p.paragraph(p.left, width, p.d.Note, body)
		p.y += 3
	}
	p.howToPay(width)
	if p.d.Foot != "" {
		p.y += 3
		p.paragraph(p.left, width, p.d.Foot, small)
	}
}

func (p *paper) howToPay(width float64) {
	if p.d.PayTo == "" && p.d.PayLink == "" {
		return
	}
	p.room(2 * strong.leading())
	p.put(p.left, p.y, p.say.HowToPay, strong)
	p.y += strong.leading()
	if p.d.PayTo != "" {
		p.paragraph(p.left, width, p.d.PayTo, body)
	}
	if p.d.PayLink != "" {
		p.room(body.leading())
		link := body
		link.colour = p.brand
		p.put(p.left, p.y, p.say.PayNow, link)
		p.LinkString(p.left, p.y, p.width(p.say.PayNow, link), body.leading(), p.d.PayLink)
		p.y += body.leading()
	}
}

// amount has the minus of a keyboard: the western font has no U+2212.
func (p *paper) amount(a money.Amount) string {
	return money.Format(a, money.FormatOptions{Group: p.d.Language.Group(), Decimal: p.d.Language.Decimal(), Minus: "-"})
}

// negative turns the sign of an amount that was checked when it was stored.
func negative(a money.Amount) money.Amount {
	return money.Amount{Minor: -a.Minor, Currency: a.Currency}
}

// decimal writes a number without the zeros that a column of the database appends.
func (p *paper) decimal(d decimal.Decimal) string {
	return p.grouped(d.String())
}

// price has at least the currency's decimals: 5.5 is 5.50 in euros.
func (p *paper) price(d decimal.Decimal) string {
	if digits := int32(p.d.Currency.Digits()); -d.Exponent() < digits || d.Equal(d.Round(digits)) {
		return p.grouped(d.StringFixed(digits))
	}
	return p.grouped(d.String())
}

func (p *paper) grouped(s string) string {
	whole, fraction, _ := strings.Cut(s, ".")
	var b strings.Builder
	for i, digit := range whole {
		if left := len(whole) - i; i > 0 && left%3 == 0 {
			b.WriteString(p.d.Language.Group())
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString(p.d.Language.Decimal() + fraction)
	}
	return b.String()
}

// percent writes a rate: "9.975%", in French "9,975 %".
func (p *paper) percent(d decimal.Decimal) string {
	sign := "%"
	if p.d.Language == locale.French {
		sign = "\u00a0%"
	}
	return strings.ReplaceAll(d.String(), ".", p.d.Language.Decimal()) + sign
}

// FileName is what the file of a document is called, by its number: no file system takes it for a path.
func FileName(number string) string {
	if number == "" {
		number = "draft"
	}
	return strings.NewReplacer("/", "-", `\`, "-").Replace(number) + ".pdf"
}
