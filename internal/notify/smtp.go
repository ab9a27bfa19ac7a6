package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// TLS is how a connection to the mail server is kept from being read.
type TLS string

// The ways. There is none that falls back to plain text by itself: whoever sits in between could ask for that.
const (
	StartTLS    TLS = "starttls" // a plain connection that must be upgraded (RFC 3207)
	ImplicitTLS TLS = "tls"      // TLS from the first byte (RFC 8314)
	PlainText   TLS = "none"     // for a relay on the same machine; no password is sent over it
)

// SMTPOptions say which server takes our mail.
type SMTPOptions struct {
	Host     string
	Port     int // 0: 587, or 465 with ImplicitTLS, or 25 with PlainText
	TLS      TLS // "": StartTLS
	Username string
	Password string
	From     string         // "Countinghouse <books@countinghouse.example>"
	RootCAs  *x509.CertPool // nil: the machine's
	Timeout  time.Duration  // of a whole delivery; 0: 15 seconds
}

// SMTP sends mail through one server. It is safe for concurrent use.
type SMTP struct {
	client  *mail.Client
	from    *netmail.Address
	timeout time.Duration
}

// NewSMTP makes one; it does not connect yet. It fails when the options cannot be used.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	from, err := netmail.ParseAddress(o.From)
	if err != nil || strings.ContainsFunc(o.From, unprintable) {
		return nil, fmt.Errorf("the sender %q is not an address", o.From)
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	options := []mail.Option{
		mail.WithTimeout(o.Timeout),
		mail.WithTLSConfig(&tls.Config{ServerName: o.Host, RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}),
	}
	port := 587
	switch o.TLS {
	case "", StartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case ImplicitTLS:
		options, port = append(options, mail.WithSSL()), 465
	case PlainText:
		if o.Username != "" {
			return nil, errors.New("a password does not go over an unencrypted connection: use tls or starttls")
		}
		options, port = append(options, mail.WithTLSPolicy(mail.NoTLS)), 25
	default:
		return nil, fmt.Errorf("mail encryption is starttls, tls or none, not %q", o.TLS)
	}
	if o.Port != 0 {
		port = o.Port
	}
	options = append(options, mail.WithPort(port))
	if o.Username != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(o.Username), mail.WithPassword(o.Password))
	}
	client, err := mail.NewClient(o.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("the mail server's settings: %w", err)
	}
	return &SMTP{client: client, from: from, timeout: o.Timeout}, nil
}

// Send hands a mail to the server. An error means that it was not taken over: ErrMalformed, or what the server or
// the network said.
func (s *SMTP) Send(ctx context.Context, m Mail) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.At.IsZero() {
		m.At = time.Now()
	}
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	from := *s.from
	if m.FromName != "" {
		from.Name = m.FromName
	}
	message.FromMailAddress(&from)
	if m.ReplyTo != "" {
		message.ReplyToMailAddress(&netmail.Address{Address: m.ReplyTo})
	}
	message.ToMailAddress(&netmail.Address{Address: m.To})
	message.Subject(m.Subject)
	message.SetDateWithValue(m.At)
	_, domain, _ := strings.Cut(s.from.Address, "@")
	message.SetMessageIDWithValue(cmp.Or(m.ID, rand.Text()) + "@" + domain)
	// So that nobody's holiday notice answers (RFC 3834).
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	size := 0
	for _, a := range m.Attachments {
		size += len(a.Bytes)
		if err := message.AttachReader(a.Name, bytes.NewReader(a.Bytes), mail.WithFileContentType(mail.ContentType(a.Type))); err != nil {
			return fmt.Errorf("attaching a file: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout+time.Duration(size>>18)*time.Second) // 256 kB a second at least
	defer cancel()
	if err := s.client.DialAndSendWithContext(ctx, message); err != nil {
		if refused := new(mail.SendError); errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500 {
			err = errors.Join(ErrRefused, err)
		}
		return fmt.Errorf("sending mail: %w", err)
	}
	return nil
}
