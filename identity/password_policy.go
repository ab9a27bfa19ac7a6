package identity

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why a password is refused that keeps to PasswordRules.
var (
	ErrPasswordRefused = fault.New(fault.Invalid, "password.on_list", "This password is on the list of those that are not taken here. Choose another.").At("password")
	ErrPasswordReused  = fault.New(fault.Invalid, "password.reused", "You have used this password before. Choose another.").At("password")
	ErrPasswordClasses = fault.New(fault.Invalid, "password.classes", "A kind of character is missing.").At("password")
)

// PasswordPolicy is what a platform asks of passwords beyond PasswordRules. Its zero value asks for no more than
// that a new password is none of the last five.
//
// Kinds of characters and a maximum age are off unless an operator wants them: NIST SP 800-63B-4 section 3.1.1.2
// advises against both, because people answer them with a capital at the front and a number at the end.
type PasswordPolicy struct {
	MinLength                    int // more than 12
	Lower, Upper, Digit, Special bool
	Score                        int // of zxcvbn's 0..4, more than 2
	// History is how many of the last passwords, the present one among them, a new one must differ from: 5.
	// Less than zero is none.
	History int
	// WarnAge is after how long its owner is told to change a password, MaxAge after how long it has to be changed at
	// the next login; zero is never.
	WarnAge, MaxAge time.Duration
	// RefuseCommon refuses the commonest passwords, also with digits and signs around them.
	RefuseCommon bool
	// Refused are passwords that nobody may have.
	Refused RefusedPasswords
}

const historyDefault = 5

func (p PasswordPolicy) history() int {
	if p.History == 0 {
		return historyDefault
	}
	return max(p.History, 0)
}

// RefusedPasswords is a list that ReadRefusedPasswords read.
type RefusedPasswords struct{ all map[string]bool }

// refusedMax is how many passwords a list may hold: a million is some 100 MB.
const refusedMax = 1_000_000

// ReadRefusedPasswords reads an operator's list, one password a line. Capitals make no difference; lines that are
// empty or begin with #! are left out.
func ReadRefusedPasswords(r io.Reader) (RefusedPasswords, error) {
	list := RefusedPasswords{map[string]bool{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		plain, ok := normalizePassword(strings.TrimRight(lines.Text(), "\r"))
		if !ok {
			return list, fmt.Errorf("line %d of the refused passwords is no text", n)
		}
		if plain == "" || strings.HasPrefix(plain, "#!") {
			continue
		}
		if list.all[strings.ToLower(plain)] = true; len(list.all) > refusedMax {
			return list, fmt.Errorf("there are more than %d refused passwords", refusedMax)
		}
	}
	if err := lines.Err(); err != nil {
		return list, fmt.Errorf("reading the refused passwords: %w", err)
	}
	return list, nil
}

func (l RefusedPasswords) has(password string) bool {
	return l.all[strings.ToLower(norm.NFKC.String(password))]
}

// class is one kind of character that a policy may ask for.
type class struct {
	asked bool
	name  string
	in    func(r rune) bool
}

func (p PasswordPolicy) classes() []class {
	return []class{
		{p.Lower, "a small letter", unicode.IsLower},
		{p.Upper, "a capital", unicode.IsUpper},
		{p.Digit, "a digit", unicode.IsDigit},
		{p.Special, "a sign that is neither letter nor digit", func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		}},
	}
}

// PasswordRules says what CheckPassword asks, to be shown before anyone types.
func (i *Identity) PasswordRules(ctx context.Context) ([]Rule, error) {
	rules, err := i.rulesNow(ctx)
	return rules.Password.rules(), err
}

func (p PasswordPolicy) rules() []Rule {
	all := PasswordRules()
	if p.MinLength > passwordMin {
		all[0].Say = fmt.Sprintf("%d to %d characters; spaces and any script count", p.MinLength, passwordMax)
	}
	var asked []string
	for _, c := range p.classes() {
		if c.asked {
			asked = append(asked, c.name)
		}
	}
	if len(asked) > 0 {
		all = append(all, Rule{ErrPasswordClasses.Code, "at least " + strings.Join(asked, ", ")})
	}
	if len(p.Refused.all) > 0 || p.RefuseCommon {
		all = append(all, Rule{ErrPasswordRefused.Code, "not on our list of refused passwords"})
	}
	return all
}

// KeptRule is a rule, and whether a password keeps to it.
type KeptRule struct {
	Rule
	Kept bool
}

// TryPassword says of each rule whether a password that someone types keeps to it. It keeps and logs nothing, and
// does not look at former passwords.
func (i *Identity) TryPassword(ctx context.Context, password, email, name string) ([]KeptRule, error) {
	rules, err := i.rulesNow(ctx)
	if err != nil {
		return nil, err
	}
	var broken fault.List
	if err := rules.Password.check(password, email, name); !broken.Add("", err) {
		return nil, err
	}
	var all []KeptRule
	for _, r := range rules.Password.rules() {
		kept := password != "" && !slices.ContainsFunc(broken, func(f *fault.Error) bool {
			return f.Code == r.Code || r.Code == ErrPasswordShort.Code && (f.Code == ErrPasswordLong.Code || f.Code == ErrPasswordCharacters.Code)
		})
		// Of a short one nobody has worked out yet how soon it is guessed.
		if r.Code == ErrPasswordGuessable.Code && len(all) > 0 && !all[0].Kept {
			kept = false
		}
		all = append(all, KeptRule{r, kept})
	}
	return all, nil
}

// CheckPassword is ValidatePassword and what the operator's policy asks besides: it may add ErrPasswordClasses and
// ErrPasswordRefused.
func (i *Identity) CheckPassword(ctx context.Context, password, email, name string) error {
	rules, err := i.rulesNow(ctx)
	if err != nil {
		return err
	}
	return rules.Password.check(password, email, name)
}

func (p PasswordPolicy) check(password, email, name string) error {
	var broken fault.List
	if err := ValidatePassword(password, email, name); !broken.Add("", err) {
		return err
	}
	plain, ok := normalizePassword(password)
	if !ok {
		return broken.Err()
	}
	length := utf8.RuneCountInString(plain)
	if length >= passwordMin && length < p.MinLength {
		broken = append(broken, ErrPasswordShort.Sayf("Use %d characters or more. A few words in a row do well.", p.MinLength))
	}
	for _, c := range p.classes() {
		if c.asked && !strings.ContainsFunc(plain, c.in) {
			broken = append(broken, ErrPasswordClasses.Sayf("Add %s.", c.name))
		}
	}
	if broken == nil && p.Score > leastScore && score(plain, email, name) < p.Score {
		broken = append(broken, ErrPasswordGuessable)
	}
	if p.Refused.has(plain) || p.RefuseCommon && isCommon(plain) {
		broken = append(broken, ErrPasswordRefused)
	}
	return broken.Err()
}

// outdated says whether a password that is right has to be changed before it opens anything.
func (p PasswordPolicy) outdated(c passwordRow, now time.Time) bool {
	return c.ChangeNext || p.MaxAge > 0 && !c.AgeExempt && now.Sub(c.Since) > p.MaxAge
}

// PasswordAge is how old a person's password is, and what comes of it.
type PasswordAge struct {
	Since time.Time
	Warn  bool      // it is older than they should keep it
	Until time.Time // when it has to be changed; zero for never
}

// PasswordAge says how old the password of a person is.
func (i *Identity) PasswordAge(ctx context.Context, person tenant.PersonID) (a PasswordAge, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		rules, err := i.rules(ctx, tx)
		if err != nil {
			return err
		}
		c, err := passwordFacts(ctx, tx, person)
		if err != nil {
			return err
		}
		a.Since = c.Since
		if p := rules.Password; !c.AgeExempt {
			a.Warn = p.WarnAge > 0 && tx.Now().Sub(c.Since) > p.WarnAge
			if p.MaxAge > 0 {
				a.Until = c.Since.Add(p.MaxAge)
			}
		}
		return nil
	})
	return a, err
}

// ExemptFromAge lets a person keep their password for as long as they like, or no longer so.
func (i *Identity) ExemptFromAge(ctx context.Context, person tenant.PersonID, exempt bool) error {
	return tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return setAgeExempt(ctx, tx, person, exempt) })
}

// RequireChangeAtLogin lets a person who signs in do nothing until they have set a new password. Open sessions stay.
// Where the password may be known to others, RequirePasswordChange leads through the mail.
func (i *Identity) RequireChangeAtLogin(ctx context.Context, person tenant.PersonID) error {
	return tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return requireChangeNext(ctx, tx, person) })
}
