package authz

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

// Mail is a message to one person.
type Mail struct{ Kind, To, Subject, Text string }

// Mailer sends mail. An error means that the message was not taken over.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// MailerFunc is a function as a Mailer.
type MailerFunc func(ctx context.Context, m Mail) error

// Send calls it.
func (f MailerFunc) Send(ctx context.Context, m Mail) error { return f(ctx, m) }

// Desk tells owners of support access: that someone asks for it, that it was given and how to end it, and at its end
// what was done. It is safe for concurrent use.
type Desk struct {
	db      *tenant.DB
	mailer  Mailer
	origin  string // that links begin with
	log     *slog.Logger
	sending sync.WaitGroup
}

// NewDesk makes one.
func NewDesk(db *tenant.DB, mailer Mailer, origin string, log *slog.Logger) *Desk {
	return &Desk{db: db, mailer: mailer, origin: origin, log: log}
}

// Flush waits for what is on its way: before the process ends, and in tests.
func (d *Desk) Flush() { d.sending.Wait() }

// later does something while the caller goes on. What fails is logged; receipts are tried again by Settle.
func (d *Desk) later(ctx context.Context, what string, fn func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	d.sending.Go(func() {
		defer cancel()
		if err := fn(ctx); err != nil {
			d.log.Error(what, "error", err)
		}
	})
}

// Asked tells the owners that someone asks to be let in.
func (d *Desk) Asked(ctx context.Context, grant GrantID) {
	d.later(ctx, "telling owners of a support request", func(ctx context.Context) error {
		return d.tellOwners(ctx, grant, func(g SupportGrant) (subject, text string) {
			return "Support asks to look into " + g.Slug, g.StaffName + " from Countinghouse support asks to be let in to " + g.Slug + ".\n\n" +
				g.facts() + "\nNobody is in until an owner says yes. Decide here:\n\n" + d.visitURL(g) + "\n"
		})
	})
}

// LetIn tells the owners that one of them let support in, with the link that ends it without signing in.
func (d *Desk) LetIn(ctx context.Context, grant GrantID, link string) {
	d.later(ctx, "telling owners of support access", func(ctx context.Context) error {
		return d.tellOwners(ctx, grant, func(g SupportGrant) (subject, text string) {
			who := "Whoever of Countinghouse support takes it up first"
			if g.StaffName != "" {
				who = g.StaffName + " from Countinghouse support"
			}
			return "Support may look into " + g.Slug, "An owner let support in to " + g.Slug + ". " + who + " may come in until " +
				g.Until.Format("2 January 2006 15:04 UTC") + ".\n\n" + g.facts() + "\nSee what they look at:\n\n" + d.visitURL(g) +
				"\n\nEnd it at once, without signing in:\n\n" + d.origin + "/support/end?token=" + link + "\n"
		})
	})
}

// Taken tells the owners who took their invitation up.
func (d *Desk) Taken(ctx context.Context, grant GrantID) {
	d.later(ctx, "telling owners who came in", func(ctx context.Context) error {
		return d.tellOwners(ctx, grant, func(g SupportGrant) (subject, text string) {
			return g.StaffName + " took up your invitation", g.StaffName + " from Countinghouse support may now look into " + g.Slug + " until " +
				g.Until.Format("2 January 2006 15:04 UTC") + ".\n\n" + g.facts() + "\nSee what they look at, or end it:\n\n" + d.visitURL(g) + "\n"
		})
	})
}

func (d *Desk) visitURL(g SupportGrant) string {
	return d.origin + "/o/" + g.Slug + "/support/" + g.ID.String()
}

// facts are terms in a mail.
func (g SupportGrant) facts() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Why: %s\n", g.Terms.Reason)
	if g.Terms.Ticket != "" {
		fmt.Fprintf(&b, "Ticket: %s\n", g.Terms.Ticket)
	}
	fmt.Fprintf(&b, "May: %s\n", g.Terms.Say())
	fmt.Fprintf(&b, "People's data: %s\n", g.Terms.SayMasks())
	return b.String()
}

// Say tells scopes in plain words: "read Invoices and Payments, change Customers".
func (t Terms) Say() string {
	var reads, writes []string
	for _, group := range grid {
		for _, scope := range t.Scopes {
			switch scope {
			case string(group.module) + ":write":
				writes = append(writes, group.name)
			case string(group.module) + ":read":
				reads = append(reads, group.name)
			}
		}
	}
	var says []string
	if len(reads) > 0 {
		says = append(says, "read "+listWords(reads))
	}
	if len(writes) > 0 {
		says = append(says, "read and change "+listWords(writes))
	}
	return strings.Join(says, ", and ")
}

func listWords(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// tellOwners writes to each owner of a grant's organization.
func (d *Desk) tellOwners(ctx context.Context, grant GrantID, write func(g SupportGrant) (subject, text string)) error {
	var g SupportGrant
	var owners []tenant.Person
	err := tenant.DoPlatform(ctx, d.db, func(tx *tenant.PlatformTx) (err error) {
		if g, err = selectGrant(ctx, tx, grant); err != nil {
			return err
		}
		owners, err = selectOwners(ctx, tx, grant)
		return err
	})
	if err != nil {
		return err
	}
	subject, text := write(g)
	var all error
	for _, o := range owners {
		all = errors.Join(all, d.mailer.Send(ctx, Mail{Kind: "support", To: o.Email, Subject: subject, Text: text}))
	}
	return all
}

// settleAfter is how long after a visit ran out its receipt is written: by then every request that began in it is over.
const settleAfter = time.Minute

// Settle writes and mails the receipts of all visits that are over. It does nothing for those that have theirs, and
// goes on past one that fails. It is for a job that runs every minute.
func (d *Desk) Settle(ctx context.Context) error {
	var owed []owedRow
	err := tenant.DoPlatform(ctx, d.db, func(tx *tenant.PlatformTx) (err error) {
		owed, err = selectOwedReceipts(ctx, tx, tx.Now().Add(-settleAfter))
		return err
	})
	for _, one := range owed {
		err = errors.Join(err, d.settle(ctx, one.ID, one.Slug))
	}
	return err
}

// Ended writes and mails the receipt of a visit that someone ended.
func (d *Desk) Ended(ctx context.Context, grant GrantID) {
	d.later(ctx, "writing the receipt of a visit", func(ctx context.Context) error {
		var g SupportGrant
		err := tenant.DoPlatform(ctx, d.db, func(tx *tenant.PlatformTx) (err error) {
			g, err = selectGrant(ctx, tx, grant)
			return err
		})
		if err != nil || g.Granted == nil || !*g.Granted {
			return err
		}
		return d.settle(ctx, grant, g.Slug)
	})
}

func (d *Desk) settle(ctx context.Context, grant GrantID, slug string) error {
	scope, err := tenant.EnterOperator(ctx, d.db, slug)
	if err != nil {
		return err
	}
	var g SupportGrant
	var deeds []Deed
	err = tenant.Do(ctx, d.db, scope, func(tx *tenant.Tx) (err error) {
		g, deeds, err = settleReceipt(ctx, tx, grant)
		return err
	})
	if err != nil {
		return err
	}
	if g.Receipt == nil {
		return fmt.Errorf("the visit %s is not over", grant)
	}
	return d.mailReceipt(ctx, g, deeds, slug)
}

// mailReceipt mails a receipt once, whichever process comes first. What could not be mailed is tried again.
func (d *Desk) mailReceipt(ctx context.Context, g SupportGrant, deeds []Deed, slug string) error {
	var mine bool
	err := tenant.DoPlatform(ctx, d.db, func(tx *tenant.PlatformTx) (err error) {
		mine, err = claimMailing(ctx, tx, g.ID)
		return err
	})
	if err != nil || !mine {
		return err
	}
	err = d.tellOwners(ctx, g.ID, func(told SupportGrant) (subject, text string) {
		return "What support did in " + slug, d.receiptText(told, g, deeds)
	})
	if err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return errors.Join(err, tenant.DoPlatform(undo, d.db, func(tx *tenant.PlatformTx) error { return releaseMailing(undo, tx, g.ID) }))
	}
	return nil
}

// mailedDeeds bounds the lines in a mail; the page and an export of the record have all.
const mailedDeeds = 300

func (d *Desk) receiptText(told, g SupportGrant, deeds []Deed) string {
	var b strings.Builder
	who := told.StaffName
	if who == "" {
		who = "Nobody"
	}
	fmt.Fprintf(&b, "Support access to %s is over: %s.\n\nWho came in: %s\n%s\n", told.Slug, endedSay(told), who, told.facts())
	for n, deed := range deeds {
		if n == mailedDeeds {
			fmt.Fprintf(&b, "and %d more, on the page below.\n", len(deeds)-n)
			break
		}
		fmt.Fprintf(&b, "%s  %s %s\n", deed.At.Format("2006-01-02 15:04:05"), deed.Action, deed.Detail)
		if deed.Thing != uuid.Nil {
			fmt.Fprintf(&b, "    which: %s\n", deed.Thing)
		}
		fmt.Fprintf(&b, "    line:  %s\n", deed.ID)
	}
	fmt.Fprintf(&b, "\nLines on your record: %d (times are UTC)\nSHA-256 over them: %s\n\nThe same lines, by their ids, are in your activity and in every export of it:\n\n%s\n",
		g.Receipt.Rows, g.Receipt.Seal(), d.visitURL(told))
	return b.String()
}

func endedSay(g SupportGrant) string {
	switch g.EndedHow {
	case "owner":
		return "an owner ended it"
	case "link":
		return "it was ended by the link in the mail"
	case "support":
		return "the support person left"
	case "staff":
		return "the support person's access was changed"
	}
	return "its time ran out"
}
