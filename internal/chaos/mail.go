package main

import (
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"
)

// post is the mail server: it keeps the last link that was mailed to each address.
type post struct {
	server *smtp.Server
	port   int

	mu    sync.Mutex
	links map[string]string
}

var mailedLink = regexp.MustCompile(`/set-up\?token=([A-Za-z0-9_-]+)`)

type letter struct {
	to   string
	post *post
}

func startMail() (*post, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &post{port: listener.Addr().(*net.TCPAddr).Port, links: map[string]string{}}
	p.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &letter{post: p}, nil }))
	go func() {
		// It ends when it is closed.
		_ = p.server.Serve(listener)
	}()
	return p, nil
}

func (p *post) stop() error {
	if p == nil {
		return nil
	}
	return p.server.Close()
}

// link is the token that was mailed to an address; "" while none was.
func (p *post) link(address string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.links[address]
}

func (l *letter) Mail(string, *smtp.MailOptions) error { return nil }

func (l *letter) Rcpt(to string, _ *smtp.RcptOptions) error {
	l.to = to
	return nil
}

func (l *letter) Data(r io.Reader) error {
	message, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body := message.Body
	if strings.EqualFold(message.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if found := mailedLink.FindSubmatch(text); found != nil {
		l.post.mu.Lock()
		l.post.links[l.to] = string(found[1])
		l.post.mu.Unlock()
	}
	return nil
}

func (l *letter) Reset()        { l.to = "" }
func (l *letter) Logout() error { return nil }
