package identity

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"
	"golang.org/x/text/unicode/norm"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why a password is refused: each names the rule.
var (
	ErrPasswordShort      = fault.New(fault.Invalid, "password.too_short", "Use 12 characters or more. A few words in a row do well.").At("password")
	ErrPasswordLong       = fault.New(fault.Invalid, "password.too_long", "Use 128 characters or fewer.").At("password")
	ErrPasswordCharacters = fault.New(fault.Invalid, "password.characters", "Use letters, digits, signs and spaces; this holds something that no keyboard types.").At("password")
	ErrPasswordPersonal   = fault.New(fault.Invalid, "password.personal", "Leave your e-mail address and your name out of it.").At("password")
	ErrPasswordGuessable  = fault.New(fault.Invalid, "password.guessable", "This one is guessed quickly. Use words that do not belong together, and no row of keys, date or common password.").At("password")
)

const (
	passwordMin   = 12
	passwordMax   = 128
	passwordBytes = 1024 // longer input is not looked at: no 128 characters of Unicode need more
	leastScore    = 2    // of zxcvbn's 0..4: safe from unthrottled guessing online
	// scoredMax is how much of a password zxcvbn sees: its work grows with the square of the length.
	scoredMax = 48
)

// Rule is one thing that a password must keep to.
type Rule struct {
	Code string // of the fault that refuses what breaks it
	Say  string
}

// PasswordRules says what ValidatePassword asks, to be shown before anyone types.
//
// The rules are those of NIST SP 800-63B-4 section 3.1.1.2: length, any character, a comparison with what is
// commonly used, and neither composition nor expiry. Where a password is the only factor that text asks for 15
// characters; here 12 do if they also stand up to guessing.
func PasswordRules() []Rule {
	return []Rule{
		{ErrPasswordShort.Code, "12 to 128 characters; spaces and any script count"},
		{ErrPasswordPersonal.Code, "not your e-mail address or name"},
		{ErrPasswordGuessable.Code, "not quickly guessed: no common password, row of keys or date"},
	}
}

// ValidatePassword checks a new password of the person with that address and name; either may be empty. It
// gives every rule that is broken, as a fault.List of ErrPasswordShort, ErrPasswordLong, ErrPasswordCharacters,
// ErrPasswordPersonal and ErrPasswordGuessable.
func ValidatePassword(password, email, name string) error {
	plain, ok := normalizePassword(password)
	if !ok {
		if len(password) > passwordBytes {
			return fault.List{ErrPasswordLong}
		}
		return fault.List{ErrPasswordCharacters}
	}
	var broken fault.List
	length := utf8.RuneCountInString(plain)
	if length < passwordMin {
		broken = append(broken, ErrPasswordShort)
	}
	if length > passwordMax {
		return append(broken, ErrPasswordLong)
	}
	if strings.ContainsFunc(plain, unicode.IsControl) {
		broken = append(broken, ErrPasswordCharacters)
	}
	if isPersonal(plain, email, name) {
		broken = append(broken, ErrPasswordPersonal)
	}
	// A short one is told that it is short; that it is also weak helps nobody.
	if length >= passwordMin && score(plain, email, name) < leastScore {
		broken = append(broken, ErrPasswordGuessable)
	}
	return broken.Err()
}

// normalizePassword gives the form that is counted and hashed, NFKC, so that the same keys on another system
// sign the same person in (NIST SP 800-63B-4 section 3.1.1.2, UAX 15 section 12.1).
func normalizePassword(password string) (string, bool) {
	if len(password) > passwordBytes || !utf8.ValidString(password) {
		return "", false
	}
	return norm.NFKC.String(password), true
}

func isPersonal(password, email, name string) bool {
	password = strings.ToLower(password)
	local, _, _ := strings.Cut(email, "@")
	for _, own := range []string{email, local, name} {
		own = strings.ToLower(norm.NFKC.String(strings.TrimSpace(own)))
		// Who is called Al must not be kept from every word with these letters in it.
		if utf8.RuneCountInString(own) >= 4 && strings.Contains(password, own) || own != "" && password == own {
			return true
		}
	}
	return false
}

func score(password, email, name string) int {
	// zxcvbn sees a character that is repeated, but not a word.
	runes := unrepeated([]rune(password))
	password = string(runes[:min(len(runes), scoredMax)])
	words := strings.FieldsFunc(strings.ToLower(email+" "+name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r)
	})
	words = append(words, "countinghouse")
	return zxcvbn.PasswordStrength(password, words).Score
}

// unrepeated is what a password consists of when it is the same over and over, and else the password.
func unrepeated(runes []rune) []rune {
	for period := 1; period <= len(runes)/2; period++ {
		if slices.Equal(runes[period:], runes[:len(runes)-period]) {
			return runes[:period]
		}
	}
	return runes
}
