package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// scanCommand looks at a running service as a stranger does. It needs nothing but the address, so that it can be run where
// strangers are: outside, for what they meet, and inside the network, for what they must not reach.
type scanCommand struct {
	Origin string   `env:"COUNTINGHOUSE_ORIGIN" placeholder:"URL" help:"The address that people use: what answers there is looked at."`
	Closed []string `env:"COUNTINGHOUSE_SCAN_CLOSED" placeholder:"HOST:PORT" help:"Addresses that must not answer where this runs, such as those of the database, Vault and the operators' listener."`
}

// errHoles ends a scan that found something; what, it has printed.
var errHoles = errors.New("there are holes: they are named above")

// Run prints a line for each thing that was looked at, and fails if one is a hole.
func (s scanCommand) Run(ctx context.Context) error {
	if s.Origin == "" && len(s.Closed) == 0 {
		return errors.New("say what to look at: --origin, --closed or both")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return s.run(ctx, os.Stdout, &tls.Config{MinVersion: tls.VersionTLS12})
}

// look is one thing to look at: nil is well.
type look struct {
	what string
	at   func(ctx context.Context) error
}

func (s scanCommand) run(ctx context.Context, out io.Writer, trust *tls.Config) error {
	var looks []look
	if s.Origin != "" {
		if err := checkOrigin(s.Origin); err != nil {
			return err
		}
		looks = (&outside{origin: s.Origin, trust: trust, client: &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{TLSClientConfig: trust},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}).looks()
	}
	for _, address := range s.Closed {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return wrong("closed", fmt.Errorf("%q is no address such as db.example:5432", address))
		}
		looks = append(looks, look{address + " does not answer here", func(ctx context.Context) error { return staysClosed(ctx, address) }})
	}
	holes := 0
	for _, l := range looks {
		said := "ok    " + l.what
		if err := l.at(ctx); err != nil {
			holes++
			said = "HOLE  " + l.what + ": " + err.Error()
		}
		if _, err := fmt.Fprintln(out, said); err != nil {
			return err
		}
	}
	if holes > 0 {
		return errHoles
	}
	return nil
}

func staysClosed(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil // refused, dropped or unknown: all the same from here
	}
	return errors.Join(errors.New("it does"), conn.Close())
}

// outside is the service as it is met from outside.
type outside struct {
	origin string
	trust  *tls.Config
	client *http.Client
}

func (o *outside) looks() []look {
	all := []look{
		{"pages carry what keeps browsers safe", o.headers},
		{"books ask for a login", func(ctx context.Context) error { return o.answers(ctx, "/v1/customers", http.StatusUnauthorized) }},
		{"the staff's console asks for a login", func(ctx context.Context) error {
			return o.answers(ctx, "/staff", http.StatusSeeOther, http.StatusNotFound)
		}},
		{"readiness tells no more than whether", o.readiness},
		{"security.txt, where there is one, has not ended", o.securityText},
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/dev/outbox", "/.env", "/.git/config"} {
		all = append(all, look{path + " is not answered", func(ctx context.Context) error { return o.answers(ctx, path, http.StatusNotFound) }})
	}
	if strings.HasPrefix(o.origin, "https://") {
		all = append(all, look{"the certificate is good for two weeks more", o.certificate}, look{"nothing older than TLS 1.2 is spoken", o.oldTLS})
	}
	return all
}

func (o *outside) get(ctx context.Context, path string) (*http.Response, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.origin+path, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	answer, err := o.client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer, string(body), err
}

func (o *outside) answers(ctx context.Context, path string, wanted ...int) error {
	answer, _, err := o.get(ctx, path)
	if err != nil {
		return err
	}
	for _, status := range wanted {
		if answer.StatusCode == status {
			return nil
		}
	}
	return fmt.Errorf("%s is answered with %d", path, answer.StatusCode)
}

func (o *outside) headers(ctx context.Context) error {
	answer, _, err := o.get(ctx, "/sign-in")
	if err != nil {
		return err
	}
	wants := map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
	if strings.HasPrefix(o.origin, "https://") {
		wants["Strict-Transport-Security"] = "max-age="
	}
	var missing []error
	for name, value := range wants {
		if !strings.Contains(answer.Header.Get(name), value) {
			missing = append(missing, fmt.Errorf("%s is %q", name, answer.Header.Get(name)))
		}
	}
	return errors.Join(missing...)
}

func (o *outside) readiness(ctx context.Context) error {
	_, body, err := o.get(ctx, "/readyz")
	if err == nil && body != "ready\n" && body != "not ready\n" {
		err = errors.New("it tells more")
	}
	return err
}

// securityText reads Expires (RFC 9116, section 2.5.5).
func (o *outside) securityText(ctx context.Context) error {
	answer, body, err := o.get(ctx, "/.well-known/security.txt")
	if err != nil || answer.StatusCode == http.StatusNotFound {
		return err
	}
	for line := range strings.Lines(body) {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Expires") {
			ends, err := time.Parse(time.RFC3339, strings.TrimSpace(value))
			if err == nil && ends.Before(time.Now()) {
				err = fmt.Errorf("it ended on %s", ends.Format(time.DateOnly))
			}
			return err
		}
	}
	return errors.New("it does not say when it ends")
}

func (o *outside) dial(ctx context.Context, change func(*tls.Config)) (*tls.Conn, error) {
	u, err := url.Parse(o.origin)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	config := o.trust.Clone()
	config.ServerName = u.Hostname()
	change(config)
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	return conn.(*tls.Conn), nil
}

func (o *outside) certificate(ctx context.Context) error {
	conn, err := o.dial(ctx, func(*tls.Config) {})
	if err != nil {
		return err
	}
	ends := conn.ConnectionState().PeerCertificates[0].NotAfter
	if time.Until(ends) < 14*24*time.Hour {
		return errors.Join(fmt.Errorf("it ends on %s", ends.Format(time.DateOnly)), conn.Close())
	}
	return conn.Close()
}

func (o *outside) oldTLS(ctx context.Context) error {
	conn, err := o.dial(ctx, func(c *tls.Config) {
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 // #nosec G402 -- to see that it is refused
	})
	if err != nil {
		return nil // as it should be; whether anything answers at all is told above
	}
	return errors.Join(errors.New("TLS 1.1 is"), conn.Close())
}
