package notify

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// SMS is a message to one phone, or, where it is spoken, a call that reads it aloud.
type SMS struct {
	Kind  string    // what it is about: "phone_code"; it is not sent
	To    string    // E.164: +353860123456
	Text  string    // one line or a few
	Voice bool      // call and say it
	At    time.Time // when it was written; Text fills in a zero
}

// ErrMalformedSMS says that a message was not sent because its number is not one in E.164, or it holds no text or too
// much of it.
var ErrMalformedSMS = errors.New("notify: a text message with a malformed number, no text or too much")

// smsMax is what networks join from parts of 153 characters without complaint: four of them.
const smsMax = 612

func (m SMS) check() error {
	digits, plus := strings.CutPrefix(m.To, "+")
	if !plus || len(digits) < 7 || len(digits) > 15 || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return ErrMalformedSMS
	}
	if strings.TrimSpace(m.Text) == "" || utf8.RuneCountInString(m.Text) > smsMax || !utf8.ValidString(m.Text) || strings.ContainsRune(m.Text, 0) {
		return ErrMalformedSMS
	}
	return nil
}
