package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// tlsFlags say how connections are encrypted: by a certificate in a file, by one that is fetched, or by a proxy before us.
type tlsFlags struct {
	TLSCertFile    string `name:"tls-cert-file" env:"COUNTINGHOUSE_TLS_CERT_FILE" type:"path" placeholder:"FILE" help:"The certificate and those above it, in PEM. It is read again when it was renewed. Left out, connections are not encrypted here: a proxy must do so."`
	TLSKeyFile     string `name:"tls-key-file" env:"COUNTINGHOUSE_TLS_KEY_FILE" type:"path" placeholder:"FILE" help:"The key of the certificate."`
	ACMEDir        string `name:"acme-dir" env:"COUNTINGHOUSE_ACME_DIR" type:"path" placeholder:"DIR" help:"Fetch certificates for the origin's host by ACME (RFC 8555), keep them here, and accept the authority's terms. It must reach us on port 443."`
	ACMEEmail      string `name:"acme-email" env:"COUNTINGHOUSE_ACME_EMAIL" placeholder:"ADDRESS" help:"Whom the authority writes to when something is wrong with a certificate."`
	ACMEDirectory  string `name:"acme-directory" env:"COUNTINGHOUSE_ACME_DIRECTORY" default:"https://acme-v02.api.letsencrypt.org/directory" placeholder:"URL" help:"The authority."`
	RedirectListen string `env:"COUNTINGHOUSE_REDIRECT_LISTEN" placeholder:"ADDRESS" help:"Answer on this address too, such as :80, and lead whoever comes there to the origin."`
}

func (f tlsFlags) check(origin string) error {
	secure := len(origin) > 8 && origin[:8] == "https://"
	switch {
	case f.TLSCertFile == "" && f.TLSKeyFile != "":
		return wrong("tls-cert-file", errors.New("name the certificate that belongs to --tls-key-file"))
	case f.TLSCertFile != "" && f.TLSKeyFile == "":
		return wrong("tls-key-file", errors.New("name the key that belongs to --tls-cert-file"))
	case f.TLSCertFile != "" && f.ACMEDir != "":
		return wrong("acme-dir", errors.New("a certificate comes from --tls-cert-file or by ACME, not both"))
	case f.TLSCertFile != "" && !secure:
		return wrong("tls-cert-file", errors.New("with a certificate, --origin begins with https://"))
	case f.ACMEDir != "" && !secure:
		return wrong("acme-dir", errors.New("with ACME, --origin begins with https://"))
	case f.ACMEEmail != "" && f.ACMEDir == "":
		return wrong("acme-email", errors.New("give --acme-dir as well, or leave this out"))
	}
	if u, err := url.Parse(f.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
		return wrong("acme-directory", errors.New("the authority's address begins with https://"))
	}
	if f.RedirectListen != "" {
		if _, port, err := net.SplitHostPort(f.RedirectListen); err != nil || port == "" {
			return wrong("redirect-listen", fmt.Errorf("%q is no address such as :80", f.RedirectListen))
		}
	}
	if f.TLSCertFile != "" {
		if _, err := os.Stat(f.TLSKeyFile); err != nil {
			return wrong("tls-key-file", err)
		}
		if _, err := tls.LoadX509KeyPair(f.TLSCertFile, f.TLSKeyFile); err != nil {
			return wrong("tls-cert-file", fmt.Errorf("the certificate and its key cannot be used: %w", err))
		}
	}
	return nil
}

// encrypt encrypts what comes in on the listener, unless a proxy does. challenge answers the authority on the redirecting
// listener; it is nil without ACME.
func (f tlsFlags) encrypt(l net.Listener, origin string, log *slog.Logger) (_ net.Listener, challenge func(http.Handler) http.Handler, err error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case f.TLSCertFile != "":
		config.GetCertificate = (&certificate{certFile: f.TLSCertFile, keyFile: f.TLSKeyFile, log: log, now: time.Now}).get
	case f.ACMEDir != "":
		u, err := url.Parse(origin)
		if err != nil {
			return nil, nil, wrong("origin", err)
		}
		manager := &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(f.ACMEDir), Email: f.ACMEEmail,
			HostPolicy: autocert.HostWhitelist(u.Hostname()), Client: &acme.Client{DirectoryURL: f.ACMEDirectory},
		}
		config.GetCertificate, challenge = manager.GetCertificate, manager.HTTPHandler
	default:
		return l, nil, nil
	}
	// Our server speaks HTTP/1.1 alone; the other is how the authority asks (RFC 8737).
	config.NextProtos = []string{"http/1.1"}
	if challenge != nil {
		config.NextProtos = append(config.NextProtos, acme.ALPNProto)
	}
	return tls.NewListener(l, config), challenge, nil
}

// certificate is one in files that somebody else renews.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu     sync.Mutex
	looked time.Time
	dates  [2]time.Time
	last   *tls.Certificate
}

// lookEvery is how often the files are looked at, at most.
const lookEvery = 10 * time.Second

// get gives the certificate as it is in the files. While they cannot be used (a renewal writes one after the other) it
// gives the last one that could.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && c.now().Sub(c.looked) < lookEvery {
		return c.last, nil
	}
	c.looked = c.now()
	err := c.read()
	if err != nil && c.last != nil {
		c.log.Error("the renewed certificate cannot be used: the one before is kept", "error", err)
		err = nil
	}
	return c.last, err
}

func (c *certificate) read() error {
	var dates [2]time.Time
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		dates[i] = info.ModTime()
	}
	if c.last != nil && dates == c.dates {
		return nil
	}
	read, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	if c.last != nil {
		c.log.Info("the certificate was renewed", "until", read.Leaf.NotAfter)
	}
	c.last, c.dates = &read, dates
	return nil
}

// redirect leads whoever comes without encryption to the origin, until the stop that it returns is called.
func (f tlsFlags) redirect(ctx context.Context, origin string, challenge func(http.Handler) http.Handler) (stop func() error, err error) {
	if f.RedirectListen == "" {
		return func() error { return nil }, nil
	}
	var lead http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "Send this to "+origin, http.StatusMisdirectedRequest) // it went over the wire in the open already
			return
		}
		path := r.URL.RequestURI()
		if !strings.HasPrefix(path, "/") { // "http:@evil.example" would make another host of the origin
			path = "/"
		}
		http.Redirect(w, r, origin+path, http.StatusMovedPermanently)
	})
	if challenge != nil {
		lead = challenge(lead)
	}
	stop, _, err = serveBeside(ctx, f.RedirectListen, lead)
	return stop, wrong("redirect-listen", err)
}

// serveBeside answers on another listener of this process until the stop that it returns is called.
func serveBeside(ctx context.Context, address string, h http.Handler) (stop func() error, at net.Addr, err error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 75 * time.Second, MaxHeaderBytes: 16 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	return func() error {
		closed := server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return errors.Join(closed, fmt.Errorf("answering on %s: %w", address, err))
		}
		return closed
	}, l.Addr(), nil
}
