package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/captcha"
	"github.com/countinghouse/countinghouse/internal/setting"
	"github.com/countinghouse/countinghouse/tenant"
)

// settingsCommands show and change what holds for the whole platform. They are the way back in when a setting keeps
// everyone out: they ask for no login, only for the database.
type settingsCommands struct {
	Show  settingsShow  `cmd:"" help:"List the settings of the platform, or tell all about one."`
	Set   settingsSet   `cmd:"" help:"Change a setting."`
	Reset settingsReset `cmd:"" help:"Put a setting, or a family of them such as captcha, back to its default."`
}

// keep opens the database and gives the keeper of its settings.
func (d orgDatabase) keep(ctx context.Context, fn func(k *setting.Keeper) error) error {
	return d.use(ctx, func(db *tenant.DB) error {
		key, err := d.serviceKey()
		if err != nil {
			return err
		}
		seals, err := newSealer(db, key)
		if err != nil {
			return err
		}
		return fn(setting.NewKeeper(db, seals))
	})
}

type settingsShow struct {
	orgDatabase
	Name string `arg:"" optional:"" help:"Such as password.min_length."`
}

// Run shows one setting or all.
func (c settingsShow) Run(ctx context.Context) error {
	return c.keep(ctx, func(k *setting.Keeper) error {
		s, err := k.Now(ctx)
		if err != nil {
			return err
		}
		return showSettings(os.Stdout, s, c.Name)
	})
}

func showSettings(out io.Writer, s setting.Settings, name string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	found := false
	for _, group := range setting.Groups() {
		for _, n := range group.Names {
			if name != "" && n.Name != name {
				continue
			}
			found = true
			mark := ""
			if s.IsSet(n.Name) {
				mark = "(default: " + orNone(n.Default()) + ")"
			}
			if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", n.Name, orNone(s.Value(n)), n.Title, mark); err != nil {
				return err
			}
			if name != "" {
				if _, err := fmt.Fprintf(table, "\n%s %s\nTakes %s.\n", n.Say, n.Why, n.Takes()); err != nil {
					return err
				}
			}
		}
	}
	if !found {
		return setting.ErrUnknown
	}
	return table.Flush()
}

func orNone(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}

type settingsSet struct {
	orgDatabase
	Name  string `arg:"" help:"Such as password.min_length."`
	Value string `arg:"" optional:"" help:"The new value. A secret is read from standard input and not given here."`
}

// Run changes one setting.
func (c settingsSet) Run(ctx context.Context) error { return c.run(ctx, os.Stdin, os.Stdout) }

func (c settingsSet) run(ctx context.Context, in io.Reader, out io.Writer) error {
	value := c.Value
	if isSecret(c.Name) {
		if value != "" {
			return errors.New("a secret on the command line is seen by everyone on this machine: send it to standard input")
		}
		typed, err := io.ReadAll(io.LimitReader(in, 4096))
		if err != nil {
			return fmt.Errorf("reading the secret: %w", err)
		}
		value = strings.TrimSpace(string(typed))
	}
	return c.keep(ctx, func(k *setting.Keeper) error {
		s, err := k.Set(ctx, tenant.PersonID{}, setting.Latest, []setting.Change{{Name: c.Name, Value: &value}})
		if err != nil {
			return err
		}
		return showSettings(out, s, c.Name)
	})
}

func isSecret(name string) bool {
	for _, group := range setting.Groups() {
		for _, n := range group.Names {
			if n.Name == name {
				return n.Kind == setting.Secret
			}
		}
	}
	return false
}

type settingsReset struct {
	orgDatabase
	Name string `arg:"" help:"A setting, or what several begin with: captcha."`
}

// Run puts settings back to their defaults.
func (c settingsReset) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c settingsReset) run(ctx context.Context, out io.Writer) error {
	return c.keep(ctx, func(k *setting.Keeper) error {
		changed, err := k.Reset(ctx, tenant.PersonID{}, c.Name)
		if err != nil {
			return err
		}
		if len(changed) == 0 {
			_, err = fmt.Fprintln(out, "Nothing was set; all is at its default.")
			return err
		}
		_, err = fmt.Fprintf(out, "At the default again: %s\n", strings.Join(changed, ", "))
		return err
	})
}

// newCaptcha sets and checks tasks under a key of its own.
func newCaptcha(key []byte, db *tenant.DB) (*captcha.Captcha, error) {
	derived, err := derive(key, "captcha")
	if err != nil {
		return nil, err
	}
	return captcha.New(db, derived, captcha.Options{})
}

// rulesOf lets identity ask for the platform's settings without knowing them. refused is the operator's own list.
func rulesOf(k *setting.Keeper, refused identity.RefusedPasswords) func(ctx context.Context, tx *tenant.PlatformTx) (identity.Rules, error) {
	return func(ctx context.Context, tx *tenant.PlatformTx) (identity.Rules, error) {
		s, err := k.In(ctx, tx)
		if err != nil {
			return identity.Rules{}, err
		}
		history := s.PasswordHistory
		if history == 0 {
			history = -1 // identity's word for none
		}
		return identity.Rules{
			IdleTimeout: s.Idle(), SessionLifetime: s.Lifetime(), ProofLifetime: s.Proof(), NoRecovery: !s.RecoveryByOneself,
			Password: identity.PasswordPolicy{
				MinLength: s.PasswordMinLength, Score: s.PasswordScore, History: history,
				Lower: s.PasswordLower, Upper: s.PasswordUpper, Digit: s.PasswordDigit, Special: s.PasswordSpecial,
				WarnAge: s.PasswordWarn(), MaxAge: s.PasswordBlock(), RefuseCommon: s.PasswordRefuseCommon, Refused: refused,
			},
		}, nil
	}
}

// passwordFlags name an operator's own list of passwords that nobody may have.
type passwordFlags struct {
	RefusedPasswords string `env:"COUNTINGHOUSE_REFUSED_PASSWORDS" type:"path" placeholder:"FILE" help:"Passwords that nobody may have, one a line."`
}

func (f passwordFlags) refused() (list identity.RefusedPasswords, err error) {
	if f.RefusedPasswords == "" {
		return list, nil
	}
	file, err := os.Open(f.RefusedPasswords)
	if err != nil {
		return list, fmt.Errorf("reading the refused passwords: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return identity.ReadRefusedPasswords(file)
}
