package identity

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrEmail refuses what mail cannot be sent to.
var ErrEmail = fault.New(fault.Invalid, "email.malformed", "Write an e-mail address, such as name@company.com.").At("email")

// domainProfile is what registries accept (RFC 5891) and hosts are named with (RFC 1123).
var domainProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// NormalizeEmail gives the one form in which an address is kept and looked up: trimmed, in small letters, in
// Unicode's form C, the domain in ASCII (RFC 5890). It refuses with ErrEmail what is no plain address of a
// mailbox: no display name, comment, quoting (RFC 5322) or address literal, at most 64 octets before the @ and
// 254 in all (RFC 5321 section 4.5.3.1), a domain of two labels at least.
func NormalizeEmail(s string) (string, error) {
	if len(s) > 1000 || !utf8.ValidString(s) {
		return "", ErrEmail
	}
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return "", ErrEmail
	}
	local := norm.NFC.String(strings.ToLower(norm.NFC.String(s[:at])))
	domain, err := domainProfile.ToASCII(s[at+1:])
	if err != nil || !strings.Contains(domain, ".") || strings.HasSuffix(domain, ".") {
		return "", ErrEmail
	}
	for _, r := range local {
		if r > unicode.MaxASCII && !unicode.In(r, unicode.L, unicode.M, unicode.N) {
			return "", ErrEmail
		}
	}
	address := local + "@" + domain
	if len(local) > 64 || len(address) > 254 {
		return "", ErrEmail
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address {
		return "", ErrEmail
	}
	return address, nil
}
