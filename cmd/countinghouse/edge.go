package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/ready"
	"github.com/countinghouse/countinghouse/web"
)

// edgeFlags say how requests reach this process.
type edgeFlags struct {
	Listen          string        `env:"COUNTINGHOUSE_LISTEN" default:"127.0.0.1:8080" help:"The address to answer on."`
	TrustedProxies  []string      `env:"COUNTINGHOUSE_TRUSTED_PROXIES" placeholder:"NETWORK" help:"The networks of your own proxies, such as 10.0.0.0/8: what they say of where a request comes from is believed. Nobody else's is."`
	DrainDelay      time.Duration `env:"COUNTINGHOUSE_DRAIN_DELAY" default:"0s" help:"For how long a process that is told to stop goes on answering after it said at /readyz that it is ending: as long as your balancer takes to notice."`
	SecurityContact string        `env:"COUNTINGHOUSE_SECURITY_CONTACT" placeholder:"URI" help:"Whom to tell of a hole in this installation, for /.well-known/security.txt: mailto:security@countinghouse.example or an https address."`
	tlsFlags
	limitFlags
}

// limitFlags bound how much each caller may ask of one process.
type limitFlags struct {
	LimitNetwork      int `env:"COUNTINGHOUSE_LIMIT_NETWORK" default:"3000" help:"How many requests a minute one address on the network (of IPv6: a /64) may send to this process; 0 is no limit."`
	LimitPerson       int `env:"COUNTINGHOUSE_LIMIT_PERSON" default:"1200" help:"How many a person who is signed in may send."`
	LimitToken        int `env:"COUNTINGHOUSE_LIMIT_TOKEN" default:"1500" help:"How many may be sent with one API token."`
	LimitOrganization int `env:"COUNTINGHOUSE_LIMIT_ORGANIZATION" default:"6000" help:"How many all in one organization may send together."`

	LimitFoundingPerson  int `env:"COUNTINGHOUSE_LIMIT_FOUNDING_PERSON" default:"10" help:"How many organizations one person may open within 24 hours, counted over all processes; 0 is no limit."`
	LimitFoundingNetwork int `env:"COUNTINGHOUSE_LIMIT_FOUNDING_NETWORK" default:"100" help:"How many all from one address on the network may."`
}

func (f limitFlags) limits() (web.Limits, error) {
	for name, n := range map[string]int{"limit-network": f.LimitNetwork, "limit-person": f.LimitPerson,
		"limit-token": f.LimitToken, "limit-organization": f.LimitOrganization} {
		if n < 0 || n > 1_000_000 {
			return web.Limits{}, wrong(name, errors.New("give 0 to 1000000 requests a minute"))
		}
	}
	for name, n := range map[string]int{"limit-founding-person": f.LimitFoundingPerson, "limit-founding-network": f.LimitFoundingNetwork} {
		if n < 0 || n > 1_000_000 {
			return web.Limits{}, wrong(name, errors.New("give 0 to 1000000 organizations a day"))
		}
	}
	return web.Limits{Network: f.LimitNetwork, Person: f.LimitPerson, Token: f.LimitToken, Organization: f.LimitOrganization}, nil
}

func (f edgeFlags) proxies() (all []netip.Prefix, err error) {
	for _, text := range f.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, failed := netip.ParseAddr(text)
			if failed != nil {
				return nil, wrong("trusted-proxies", fmt.Errorf("%q is no network such as 10.0.0.0/8", text))
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		if network.Bits() == 0 {
			return nil, wrong("trusted-proxies", errors.New("to trust everybody is to let everybody say where they come from: name the networks of your proxies"))
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

// check finds what is wrong before anything is opened.
func (f edgeFlags) check(origin string) error {
	if f.DrainDelay < 0 || f.DrainDelay > 5*time.Minute {
		return wrong("drain-delay", errors.New("give 0s to 5m"))
	}
	if u, err := url.Parse(f.SecurityContact); err != nil || f.SecurityContact != "" && u.Scheme != "mailto" && u.Scheme != "https" || strings.ContainsAny(f.SecurityContact, "\r\n") {
		return wrong("security-contact", fmt.Errorf("%q is neither mailto:address nor an https address", f.SecurityContact))
	}
	if host, port, err := net.SplitHostPort(f.Listen); err != nil || port == "" || host != "" && net.ParseIP(host) == nil && host != "localhost" {
		return wrong("listen", fmt.Errorf("%q is no address such as 127.0.0.1:8080 or :8080", f.Listen))
	}
	if _, err := f.limits(); err != nil {
		return err
	}
	if _, err := f.proxies(); err != nil {
		return err
	}
	return f.tlsFlags.check(origin)
}

// checkOrigin finds what cannot be the address that people use.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Path != "" || u.User != nil || u.RawQuery != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return wrong("origin", fmt.Errorf("%q is not of the form https://host", origin))
	}
	return nil
}

// wrongSetting is an error of the setting that it names.
type wrongSetting struct {
	flag string
	err  error
}

// Error names the flag, and so its variable.
func (w *wrongSetting) Error() string { return "--" + w.flag + ": " + say(w.err) }

// Unwrap is what is wrong with it.
func (w *wrongSetting) Unwrap() error { return w.err }

// wrong names the setting that an error is about; nil stays nil.
func wrong(flag string, err error) error {
	if err == nil {
		return nil
	}
	return &wrongSetting{flag, err}
}

// drained is a context that ends some time after the other: meanwhile the process says that it is ending, and answers.
func drained(ctx context.Context, r *ready.Ready, delay time.Duration) (later context.Context, stop func()) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() {
		r.Drain()
		time.AfterFunc(delay, cancel)
	})
	return later, func() { forget(); cancel() }
}
