// Package notify sends mail and text messages to people.
//
// It knows nothing of what a message is about, and whoever writes one knows nothing of SMTP or gateways. A message has one
// recipient and plain text, so that there is nothing in it to track, to block or to break.
package notify

import (
	"errors"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Mail is a message to one person.
type Mail struct {
	Kind    string // what it is about: "sign_up"; it is not sent
	To      string // one address, without a name
	Subject string // one line
	Text    string
	At      time.Time // when it was written; Send fills in a zero
}

// ErrMalformed says that a mail was not sent because its recipient or subject could have written other headers,
// or is none. (RFC 5322 section 2.2)
var ErrMalformed = errors.New("notify: a mail with a malformed recipient or subject")

const subjectMax = 200

func (m Mail) check() error {
	address, err := mail.ParseAddress(m.To)
	if err != nil || address.Name != "" || address.Address != m.To || strings.ContainsFunc(m.To, unprintable) {
		return ErrMalformed
	}
	if m.Subject == "" || utf8.RuneCountInString(m.Subject) > subjectMax || !utf8.ValidString(m.Subject+m.Text) ||
		strings.ContainsFunc(m.Subject, unprintable) {
		return ErrMalformed
	}
	return nil
}

func unprintable(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}
