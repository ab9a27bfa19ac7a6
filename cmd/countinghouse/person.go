package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
)

// personCommands look after people's logins.
type personCommands struct {
	MustChange personMustChange `cmd:"" help:"Let a person set a new password at their next login, before anything else."`
	Link       personLink       `cmd:"" help:"Make a link by which a person sets a new password, to be handed to them."`
	Exempt     personExempt     `cmd:"" help:"Let a person keep their password for as long as they like."`
}

// person opens the database and finds who has an address.
func (d orgDatabase) person(ctx context.Context, email string, fn func(people *identity.Identity, p tenant.Person) error) error {
	return d.personAt(ctx, "https://countinghouse.invalid", email, fn) // no link is made
}

// personAt is person where links begin with an origin.
func (d orgDatabase) personAt(ctx context.Context, origin, email string, fn func(people *identity.Identity, p tenant.Person) error) error {
	return d.use(ctx, func(db *tenant.DB) error {
		// Nothing is mailed from here.
		mute := identity.MailerFunc(func(context.Context, identity.Mail) error { return nil })
		people, err := identity.New(db, mute, identity.Options{Origin: origin})
		if err != nil {
			return err
		}
		p, err := people.PersonByEmail(ctx, email)
		if err != nil {
			return err
		}
		return fn(people, p)
	})
}

type personMustChange struct {
	orgDatabase
	Email string `arg:"" help:"Their e-mail address."`
}

// Run asks for a new password at the next login.
func (c personMustChange) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c personMustChange) run(ctx context.Context, out io.Writer) error {
	return c.person(ctx, c.Email, func(people *identity.Identity, p tenant.Person) error {
		if err := people.RequireChangeAtLogin(ctx, p.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "%s sets a new password at the next login. Sessions that are open stay.\n", p.Email)
		return err
	})
}

type personLink struct {
	orgDatabase
	Origin string `env:"COUNTINGHOUSE_ORIGIN" required:"" placeholder:"URL" help:"The address that people use, such as https://countinghouse.example."`
	Email  string `arg:"" help:"Their e-mail address."`
}

// Run makes the link and writes it alone to standard output: whoever has it can set the password.
func (c personLink) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c personLink) run(ctx context.Context, out io.Writer) error {
	return c.personAt(ctx, c.Origin, c.Email, func(people *identity.Identity, p tenant.Person) error {
		link, err := people.RecoveryLink(ctx, p.Email)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, link)
		return err
	})
}

type personExempt struct {
	orgDatabase
	Off   bool   `help:"No longer."`
	Email string `arg:"" help:"Their e-mail address."`
}

// Run exempts a person from the age of passwords.
func (c personExempt) Run(ctx context.Context) error {
	return c.person(ctx, c.Email, func(people *identity.Identity, p tenant.Person) error {
		if err := people.ExemptFromAge(ctx, p.ID, !c.Off); err != nil {
			return err
		}
		said := "may keep their password however old it is"
		if c.Off {
			said = "changes their password as everyone does"
		}
		_, err := fmt.Printf("%s %s.\n", p.Email, said)
		return err
	})
}
