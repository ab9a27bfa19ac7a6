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

	ID          string // names the mail when it is sent again; empty: it is sent once
	FromName    string // shown before our address; empty: our own
	ReplyTo     string // one address, without a name; empty: none
	Attachments []Attachment
}

// Attachment goes along with a mail.
type Attachment struct {
	Name  string // "INV-0001.pdf"
	Type  string // "application/pdf"
	Bytes []byte
}

// ErrMalformed says that a mail was not sent because its recipient or subject could have written other headers,
// or is none. (RFC 5322 section 2.2)
var ErrMalformed = errors.New("notify: a mail with a malformed recipient or subject")

// ErrRefused says that a mail server refused a mail for good (RFC 5321 section 4.2.1, a 5yz reply): the same mail is
// refused again.
var ErrRefused = errors.New("notify: the mail server refused the mail for good")

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
	if reply, err := mail.ParseAddress(m.ReplyTo); m.ReplyTo != "" && (err != nil || reply.Address != m.ReplyTo) {
		return ErrMalformed
	}
	if strings.ContainsFunc(m.FromName+m.ID, unprintable) || strings.ContainsAny(m.ID, "<>@ ") {
		return ErrMalformed
	}
	for _, a := range m.Attachments {
		if a.Name == "" || strings.ContainsFunc(a.Name+a.Type, unprintable) {
			return ErrMalformed
		}
	}
	return nil
}

func unprintable(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}
