package invoicepdf

import (
	"io"
	"time"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/locale"
)

// Statement is a customer's account over a time: what they owed before, what came, what they owe now. Amounts are
// debits of the customer; what they paid is below zero.
type Statement struct {
	Language locale.Language
	Issuer   Party
	Customer Party
	Logo     []byte // as CheckLogo accepts; none
	Colour   string // as CheckColour accepts; none for ours
	From     civil.Date
	To       civil.Date
	Sections []StatementSection // one for each currency
	PayTo    string
	Foot     string
	Written  time.Time
}

// StatementSection is the account in one currency.
type StatementSection struct {
	Currency money.Currency
	Opening  money.Amount
	Lines    []StatementLine
	Closing  money.Amount
	Overdue  money.Amount // of Closing
}

// StatementLine is one thing that happened.
type StatementLine struct {
	Date        civil.Date
	Description string
	Amount      money.Amount
	Balance     money.Amount
}

// WriteStatement puts a statement on paper, as Write does with a document.
func WriteStatement(w io.Writer, s Statement) error {
	d := Document{Kind: statement, Language: s.Language, Issuer: s.Issuer, Customer: s.Customer, Logo: s.Logo, Colour: s.Colour,
		DueDate: s.To, PayTo: s.PayTo, Foot: s.Foot, Written: s.Written}
	p, err := newPaper(d)
	if err != nil {
		return err
	}
	p.from = s.From
	p.AddPage()
	p.head()
	p.parties()
	if len(s.Sections) == 0 {
		p.paragraph(p.left, p.right-p.left, p.say.Nothing, body)
		p.y += 4
	}
	for _, section := range s.Sections {
		p.section(section)
	}
	p.foot()
	return p.output(w)
}

func (p *paper) section(s StatementSection) {
	head := func() {
		p.put(p.left, p.y, p.say.Day, small)
		p.put(p.left+32, p.y, p.say.Description, small)
		p.putRight(p.right-32, p.y, p.say.Amount+" "+s.Currency.Code(), small)
		p.putRight(p.right, p.y, p.say.Balance, small)
		p.y += small.leading() + 1
		p.rule(p.y, p.brand, 0.4)
		p.y += 1.5
	}
	head()
	p.put(p.left+32, p.y, p.say.Opening, small)
	p.putRight(p.right, p.y, p.amount(s.Opening), body)
	p.y += body.leading() + 1
	for _, line := range s.Lines {
		for i, row := range p.wrap(line.Description, p.right-64-p.left-32, body) {
			if p.room(body.leading() + 1) {
				head()
			}
			p.put(p.left+32, p.y, row, body)
			if i == 0 {
				p.put(p.left, p.y, p.d.Language.Date(line.Date), small)
				p.putRight(p.right-32, p.y, p.amount(line.Amount), body)
				p.putRight(p.right, p.y, p.amount(line.Balance), body)
			}
			p.y += body.leading()
		}
		p.rule(p.y+0.5, hairline, 0.15)
		p.y += 1.5
	}
	p.room(2 * grand.leading())
	p.putRight(p.right-32, p.y, p.say.Closing+" "+s.Currency.Code(), grand)
	p.putRight(p.right, p.y, p.amount(s.Closing), grand)
	p.y += grand.leading()
	if !s.Overdue.IsZero() {
		p.putRight(p.right-32, p.y, p.say.Overdue, body)
		p.putRight(p.right, p.y, p.amount(s.Overdue), body)
		p.y += body.leading()
	}
	p.y += 6
}
