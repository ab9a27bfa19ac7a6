package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/captcha"
	"github.com/countinghouse/countinghouse/internal/metric"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/ready"
	"github.com/countinghouse/countinghouse/internal/setting"
	"github.com/countinghouse/countinghouse/internal/trace"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/tenant"
)

// Config is what the edge is wired with.
type Config struct {
	DB       *tenant.DB
	Identity *identity.Identity
	Policy   *authz.Policy
	Log      *slog.Logger
	// Origin is the one address that members use, such as https://countinghouse.example. Links are made from
	// it, never from a request.
	Origin string
	// Settings are what the operator may change while we run; nil keeps the defaults.
	Settings Settings
	// Captcha checks what a form brings where a CAPTCHA stands before it. Without one such a form lets nobody pass.
	Captcha *captcha.Captcha
	// Key keys the digests of requests (idempotency); 32 random bytes or more.
	Key []byte
	// Outbox, where there is one, is shown at /dev/outbox. Only `dev` has one.
	Outbox *notify.Outbox
	// Till takes money through payment gateways. Without one there are no gateways to add and no pages to pay on.
	Till *till.Till
	// Phones sends codes to customers. Without one no numbers are asked for.
	Phones *phone.Sender
	// Webhooks seals what webhooks are signed with. Without it there are none.
	Webhooks *webhook.Sender
	// Shop takes orders; nil asks nothing of them.
	Shop *shop.Shop
	// Mail sends invitations, and what owners are told of support access; nil is the Outbox.
	Mail Mailer
	// Watch hears of what looks like an attack; nil is nobody.
	Watch Watcher
	// Version is the binary's, for the documentation.
	Version string
	// SecurityContact is whom to tell of a hole in this installation: a mailto: or https: URI; may be empty.
	SecurityContact string
	// Proxies are the networks whose X-Forwarded-For is believed; none: nobody's.
	Proxies []netip.Prefix
	// Limits bound how much each caller may ask for; the zero Limits nothing.
	Limits Limits
	// Ready says whether we take work; nil is always.
	Ready *ready.Ready
	// Meter counts requests; nil counts none.
	Meter *metric.Meter
	// Tracer tells a collector what requests do; nil tells nobody.
	Tracer *trace.Tracer
	// ReadTimeout is how long a client may take to send a request; 0 means 15 s.
	ReadTimeout time.Duration
}

// Settings is what setting.Keeper does.
type Settings interface {
	Now(ctx context.Context) (setting.Settings, error)
	Set(ctx context.Context, by tenant.PersonID, version int64, changes []setting.Change) (setting.Settings, error)
	History(ctx context.Context, limit int) ([]setting.Past, error)
}

// settings are those in force.
func (s *Server) settings(ctx context.Context) (setting.Settings, error) {
	if s.Settings == nil {
		return setting.Defaults(), nil
	}
	return s.Settings.Now(ctx)
}

// Server answers HTTP.
type Server struct {
	Config
	origin  *url.URL
	app     *fiber.App
	api     huma.API
	routes  []Route
	crossed *http.CrossOriginProtection
	probes  *probes

	counters counters
	// What is reached at the organizations' own hosts.
	portalApp     *fiber.App
	portalRoutes  []Route
	portalCrossed *http.CrossOriginProtection
	posting       sync.WaitGroup // letters on their way

	staffPolicy *authz.StaffPolicy
	// Desk writes to owners of support access. Flush it before the process ends.
	Desk *authz.Desk
}

const (
	bodyLimit      = 1 << 20
	headerLimit    = 16 << 10 // the request's line and its headers together
	requestTimeout = 30 * time.Second
)

// New registers all routes. It fails when Config is not usable or a route names no right.
func New(config Config) (*Server, error) {
	origin, err := url.Parse(config.Origin)
	if err != nil || origin.Host == "" || origin.Path != "" || (origin.Scheme != "http" && origin.Scheme != "https") {
		return nil, fmt.Errorf("the origin %q is not of the form https://host", config.Origin)
	}
	s := &Server{Config: config, origin: origin, crossed: http.NewCrossOriginProtection(), probes: newProbes(),
		counters: newCounters(config.Limits, time.Now)}
	if s.staffPolicy, err = authz.CompileStaff(); err != nil {
		return nil, err
	}
	if err := s.crossed.AddTrustedOrigin(config.Origin); err != nil {
		return nil, fmt.Errorf("the origin %q: %w", config.Origin, err)
	}
	s.app = fiber.New(fiber.Config{
		AppName:                 "Countinghouse",
		Immutable:               true, // else strings of a request change under whoever keeps them
		EnableTrustedProxyCheck: true, // else anyone's X-Forwarded headers are believed
		DisableStartupMessage:   true,
		BodyLimit:               bodyLimit, // but see limitOf
		ReadTimeout:             cmp.Or(config.ReadTimeout, 15*time.Second),
		ReadBufferSize:          headerLimit,
		WriteTimeout:            60 * time.Second,
		IdleTimeout:             75 * time.Second,
		StrictRouting:           true,
		CaseSensitive:           true,
		ErrorHandler:            s.answerError,
	})
	s.app.Server().HeaderReceived = limitOf
	s.Desk = s.newDesk()
	s.portalApp, s.portalCrossed = s.newPortal(), http.NewCrossOriginProtection()
	s.useMiddleware()
	s.registerPublic()
	s.registerAPI()
	s.registerPages()
	s.registerDoors()
	s.registerStaffPages()
	s.registerStaffVisitPages()
	s.registerSupportEnd()
	s.registerPortal()
	return s, s.checkRoutes()
}

// Serve answers on the listener until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.app.Listener(l); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// Shutdown stops listening and lets requests in flight finish until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.app.ShutdownWithContext(ctx) }

// Flush waits for the letters to customers that are on their way: before the process ends, and in tests.
func (s *Server) Flush() { s.posting.Wait() }

// App is the router itself, for tests and benchmarks.
func (s *Server) App() *fiber.App { return s.app }
