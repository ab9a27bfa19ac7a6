package identity

import (
	"strings"
	"sync"
	"unicode"

	"github.com/ccojocar/zxcvbn-go/frequency"
)

// commonest are the passwords that leaks show most often, from the list of zxcvbn (MIT licence), in small letters.
var commonest = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, p := range frequency.Lists["Passwords"].List {
		all[strings.ToLower(p)] = true
	}
	return all
})

// isCommon says whether a password is one of the commonest, or one of them with digits, signs and spaces around it:
// that is how people make a longer one of it. Twice the same is no longer either.
func isCommon(password string) bool {
	password = strings.ToLower(password)
	core := strings.TrimFunc(password, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, p := range []string{password, core, string(unrepeated([]rune(core)))} {
		if p != "" && commonest()[p] {
			return true
		}
	}
	return false
}
