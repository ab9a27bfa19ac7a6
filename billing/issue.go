package billing

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrNumberTaken says that two series came to the same number at the same moment.
var ErrNumberTaken = fault.New(fault.Conflict, "document.number_taken", "This number was given to another document at the same moment. Try again.")

// issueDraft gives a draft the next number of its series and posts it. A quote is a promise and posts nothing.
func issueDraft(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID, version int) error {
	locked, err := lockDraft(ctx, tx, k, document, version)
	if err != nil {
		return err
	}
	if k.stored != creditNoteKind.stored || locked.Origin.IsZero() { // what an invoice charged is taken back as it was
		if err := checkPercents(ctx, tx, document); err != nil {
			return err
		}
	}
	if k.bought {
		if _, err := ledger.OpenPayable(ctx, tx); err != nil {
			return err
		}
	}
	if k.stored == invoiceKind.stored {
		if err := checkMonth(ctx, tx); err != nil {
			return err
		}
	}
	parts, err := selectPostingParts(ctx, tx, k, document)
	if err != nil {
		return err
	}
	number, err := takeNumber(ctx, tx, k, parts.numbering, locked.IssueDate)
	if err != nil {
		return err
	}
	var entry ledger.EntryID
	if locked.Total != 0 && k.source != "" {
		posted, err := ledger.Post(ctx, tx, ledger.Posting{
			Date: locked.IssueDate, Description: k.said + " " + number, Source: k.source,
			SourceID: document, Lines: parts.lines(k, locked), Automatic: true,
		})
		if err != nil {
			return err
		}
		entry = posted.ID
	}
	if k.source != "" {
		if err := currency.KeepDocumentRate(ctx, tx, document); err != nil {
			return err
		}
	}
	if err := updateIssued(ctx, tx, k, document, number, entry); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: k.stored + ".issue", Object: k.stored, ID: document,
		Detail: fmt.Sprintf("%s, %s %s", number, money.Amount{Minor: locked.Total, Currency: locked.Currency}, locked.Currency)})
}

// takeNumber gives the next number of a kind of document. One that another pattern has led to already is passed over.
func takeNumber(ctx context.Context, tx *tenant.Tx, k kind, template string, on civil.Date) (string, error) {
	numbering := Numbering{template}
	for {
		count, err := takeCount(ctx, tx, numbering.series(k, on))
		if err != nil {
			return "", err
		}
		number := numbering.Number(count, on)
		if taken, err := selectNumberTaken(ctx, tx, k, number); err != nil || !taken {
			return number, err
		}
	}
}

// series names the counter that a document of that day takes its number from.
func (n Numbering) series(k kind, on civil.Date) string {
	if period := n.Period(on); period != "" {
		return k.stored + ":" + period
	}
	return k.stored
}

// lines are the journal lines of an invoice: the customer's debt against income and taxes. Those of a credit note are
// the same the other way round, and so are those of a bill: what we owe against costs and the taxes that come back.
func (p postingParts) lines(k kind, locked lockedDocument) []ledger.Line {
	sign := int64(1)
	if k.bought != k.back {
		sign = -1
	}
	amount := func(minor int64) money.Amount { return money.Amount{Minor: sign * minor, Currency: locked.Currency} }
	lines := []ledger.Line{{Account: p.owed, Party: locked.Customer.UUID, Amount: amount(locked.Total)}}
	for _, c := range p.credits {
		lines = append(lines, ledger.Line{Account: c.Account, Party: uuid.Nil, Amount: amount(-c.Amount), Memo: c.Memo})
	}
	return lines
}
