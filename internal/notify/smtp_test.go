package notify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// received is a mail as a server got it.
type received struct {
	from   string
	to     []string
	data   string
	secure bool
	user   string
}

// mailServer is a real SMTP server that keeps what it takes.
type mailServer struct {
	host string
	port int
	cas  *x509.CertPool

	mu    sync.Mutex
	mails []received
}

func (s *mailServer) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	mail   received
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "books" || password != "a long secret" {
			return smtp.ErrAuthFailed
		}
		s.mail.user = user
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == "nobody@tidewater.example" {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	s.mail.to = append(s.mail.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.data = string(data)
	_, s.mail.secure = s.conn.TLSConnectionState()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}

func (s *mailSession) Reset()        { s.mail.to, s.mail.data = nil, "" }
func (s *mailSession) Logout() error { return nil }

// startMailServer answers on a port of this machine; with secure it offers STARTTLS.
func startMailServer(t *testing.T, secure bool) *mailServer {
	t.Helper()
	s := &mailServer{host: "127.0.0.1"}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &mailSession{server: s, conn: c}, nil
	}))
	server.Domain, server.AllowInsecureAuth = "mail.tidewater.example", true
	if secure {
		var certificate tls.Certificate
		certificate, s.cas = selfSigned(t)
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		// Serve may not have begun yet, and then would not notice that the server is closed.
		if err := errors.Join(server.Close(), listener.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func newSMTP(t *testing.T, o SMTPOptions) *SMTP {
	t.Helper()
	o.From = "Countinghouse <books@countinghouse.example>"
	s, err := NewSMTP(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	hello := Mail{
		Kind: "sign_up", To: "frantisek@tidewater.example", Subject: "Účetnictví: your account",
		Text: "Go on here:\n\nhttps://books.example/set-up?token=abc\n.\nFrom here on it goes: žluťoučký kůň.\n",
		At:   time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	t.Run("delivers over TLS with a password", func(t *testing.T) {
		t.Parallel()
		server := startMailServer(t, true)
		s := newSMTP(t, SMTPOptions{Host: server.host, Port: server.port, RootCAs: server.cas, Username: "books", Password: "a long secret"})
		if err := s.Send(context.Background(), hello); err != nil {
			t.Fatal(err)
		}
		all := server.all()
		if len(all) != 1 {
			t.Fatalf("the server has %d mails", len(all))
		}
		got := all[0]
		if !got.secure || got.user != "books" || got.from != "books@countinghouse.example" || fmt.Sprint(got.to) != "[frantisek@tidewater.example]" {
			t.Errorf("secure %v, user %q, from %q, to %q", got.secure, got.user, got.from, got.to)
		}
		checkMessage(t, got.data, hello)
	})
	t.Run("gives up when the server has no TLS", func(t *testing.T) {
		t.Parallel()
		server := startMailServer(t, false)
		s := newSMTP(t, SMTPOptions{Host: server.host, Port: server.port})
		if err := s.Send(context.Background(), hello); err == nil || len(server.all()) != 0 {
			t.Errorf("got %v, and the server has %d mails", err, len(server.all()))
		}
	})
	t.Run("gives up when the certificate is a stranger's", func(t *testing.T) {
		t.Parallel()
		server := startMailServer(t, true)
		_, others := selfSigned(t)
		s := newSMTP(t, SMTPOptions{Host: server.host, Port: server.port, RootCAs: others})
		if err := s.Send(context.Background(), hello); err == nil || len(server.all()) != 0 {
			t.Errorf("got %v, and the server has %d mails", err, len(server.all()))
		}
	})
	t.Run("says that a password or mailbox was refused", func(t *testing.T) {
		t.Parallel()
		server := startMailServer(t, true)
		s := newSMTP(t, SMTPOptions{Host: server.host, Port: server.port, RootCAs: server.cas, Username: "books", Password: "wrong"})
		if err := s.Send(context.Background(), hello); err == nil || strings.Contains(err.Error(), "wrong") {
			t.Errorf("a wrong password: %v", err)
		}
		s = newSMTP(t, SMTPOptions{Host: server.host, Port: server.port, RootCAs: server.cas})
		unknown := hello
		unknown.To = "nobody@tidewater.example"
		if err := s.Send(context.Background(), unknown); err == nil || !strings.Contains(err.Error(), "no such mailbox") {
			t.Errorf("an unknown mailbox: %v", err)
		}
		if len(server.all()) != 0 {
			t.Error("a mail was taken")
		}
	})
	t.Run("writes no header or recipient that a mail smuggles in", func(t *testing.T) {
		t.Parallel()
		server := startMailServer(t, false)
		s := newSMTP(t, SMTPOptions{Host: server.host, Port: server.port, TLS: PlainText})
		for _, m := range forged {
			if err := s.Send(context.Background(), m); !errors.Is(err, ErrMalformed) {
				t.Errorf("%q, %q: got %v", m.To, m.Subject, err)
			}
		}
		if len(server.all()) != 0 {
			t.Error("a mail was taken")
		}
	})
	t.Run("takes files along", func(t *testing.T) {
		t.Parallel()
		server := startMailServer(t, false)
		s := newSMTP(t, SMTPOptions{Host: server.host, Port: server.port, TLS: PlainText})
		m := Mail{Kind: "customer", ID: "0198c0de", FromName: "Ateliér \"Nord\"", ReplyTo: "books@tidewater.example", To: "ann@example.com", Subject: "Invoice", Text: "Here it is.",
			Attachments: []Attachment{{Name: "Rechnung für Ann.pdf", Type: "application/pdf", Bytes: []byte("%PDF-1.7 \x00\xff")}}}
		for range 2 {
			if err := s.Send(context.Background(), m); err != nil {
				t.Fatal(err)
			}
		}
		var ids []string
		for _, got := range server.all() {
			read, err := netmail.ReadMessage(strings.NewReader(got.data))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, read.Header.Get("Message-Id"))
			from, err := read.Header.AddressList("From")
			if err != nil || from[0].Name != m.FromName || from[0].Address == m.ReplyTo || read.Header.Get("Reply-To") != "<books@tidewater.example>" {
				t.Errorf("from %v (%v), answers to %q", from, err, read.Header.Get("Reply-To"))
			}
			mediaType, parameters, err := mime.ParseMediaType(read.Header.Get("Content-Type"))
			if err != nil || mediaType != "multipart/mixed" {
				t.Fatalf("%q, %v", mediaType, err)
			}
			parts := multipart.NewReader(read.Body, parameters["boundary"])
			if _, err := parts.NextPart(); err != nil {
				t.Fatal(err)
			}
			file, err := parts.NextPart()
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, file))
			name, _ := new(mime.WordDecoder).DecodeHeader(file.FileName())
			if err != nil || name != m.Attachments[0].Name || string(body) != string(m.Attachments[0].Bytes) || !strings.HasPrefix(file.Header.Get("Content-Type"), "application/pdf") {
				t.Errorf("the file is %q, %q, %v", name, body, err)
			}
		}
		if len(ids) != 2 || ids[0] != ids[1] || !strings.HasPrefix(ids[0], "<0198c0de@") {
			t.Errorf("the same mail has the names %q", ids)
		}
	})
	t.Run("tells what is refused for good", func(t *testing.T) {
		t.Parallel()
		server := startMailServer(t, false)
		s := newSMTP(t, SMTPOptions{Host: server.host, Port: server.port, TLS: PlainText})
		if err := s.Send(context.Background(), Mail{To: "nobody@tidewater.example", Subject: "x", Text: "x"}); !errors.Is(err, ErrRefused) {
			t.Errorf("no such mailbox: %v", err)
		}
		gone := newSMTP(t, SMTPOptions{Host: "127.0.0.1", Port: 1, TLS: PlainText})
		if err := gone.Send(context.Background(), Mail{To: "ann@example.com", Subject: "x", Text: "x"}); err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("nobody answers: %v", err)
		}
	})
	t.Run("delivers many at once", func(t *testing.T) {
		t.Parallel()
		server := startMailServer(t, false)
		s := newSMTP(t, SMTPOptions{Host: server.host, Port: server.port, TLS: PlainText})
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := s.Send(context.Background(), hello); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(server.all()); n != 10 {
			t.Errorf("%d of 10 arrived", n)
		}
	})
	t.Run("does not wait for a server that never speaks", func(t *testing.T) {
		t.Parallel()
		silent, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := silent.Close(); err != nil {
				t.Error(err)
			}
		}()
		s := newSMTP(t, SMTPOptions{Host: "127.0.0.1", Port: silent.Addr().(*net.TCPAddr).Port, TLS: PlainText, Timeout: 100 * time.Millisecond})
		start := time.Now()
		if err := s.Send(context.Background(), hello); err == nil {
			t.Error("it was sent to nobody")
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func checkMessage(t *testing.T, data string, want Mail) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != want.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	if at, err := m.Header.Date(); err != nil || !at.Equal(want.At) {
		t.Errorf("date %v, %v", at, err)
	}
	if auto := m.Header.Get("Auto-Submitted"); auto != "auto-generated" {
		t.Errorf("Auto-Submitted is %q", auto)
	}
	if mid := m.Header.Get("Message-Id"); !strings.HasSuffix(mid, "@countinghouse.example>") {
		t.Errorf("Message-ID is %q", mid)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.ReplaceAll(string(body), "\r\n", "\n"); strings.TrimSpace(got) != strings.TrimSpace(want.Text) {
		t.Errorf("the text is %q", got)
	}
}

func TestNewSMTP(t *testing.T) {
	t.Parallel()
	from := "Countinghouse <books@countinghouse.example>"
	for name, o := range map[string]SMTPOptions{
		"no host":                      {From: from},
		"no sender":                    {Host: "mail.example"},
		"a sender with a header in it": {Host: "mail.example", From: "Books\r\nBcc: <a@b.example>"},
		"an unknown way of encryption": {Host: "mail.example", From: from, TLS: "maybe"},
		"a password in the clear":      {Host: "mail.example", From: from, TLS: PlainText, Username: "books", Password: "x"},
		"a port that is none":          {Host: "mail.example", From: from, Port: 70000},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			if _, err := NewSMTP(o); err == nil {
				t.Error("it took it")
			}
		})
	}
}
