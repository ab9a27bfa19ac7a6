package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
)

// gatewayFlags say where payment gateways are.
type gatewayFlags struct {
	cardFlags
	StripeAPI string `name:"stripe-api" env:"COUNTINGHOUSE_STRIPE_API" placeholder:"URL" help:"Where Stripe's API is; left out, Stripe's own address."`
}

// cardFlags say whether card numbers are kept, and who answers for it.
type cardFlags struct {
	AcceptPCIScope string `name:"accept-pci-scope" env:"COUNTINGHOUSE_ACCEPT_PCI_SCOPE" placeholder:"NAME" help:"Keep card numbers, sealed, for gateways that keep none themselves. Give the full name of whoever accepts that PCI DSS then applies to this service: it is logged and shown to staff. Left out, card numbers are refused. Stripe keeps cards itself and needs this never."`
}

// accepted is who accepted, and fails for what is no name.
func (f cardFlags) accepted() (string, error) {
	name := strings.TrimSpace(f.AcceptPCIScope)
	if name == "" && f.AcceptPCIScope == "" {
		return "", nil
	}
	switch strings.ToLower(name) {
	case "", "true", "yes", "on", "1":
		return "", errors.New("--accept-pci-scope takes the full name of the person who accepts, such as --accept-pci-scope='Ada Byron'")
	}
	if kept, err := text.Line("", name, 100); err != nil || kept != name {
		return "", errors.New("--accept-pci-scope takes a name of at most 100 characters, on one line")
	}
	return name, nil
}

// bookSealer lets the books seal by the organization's own key without knowing the keyring.
type bookSealer struct{ keyring secrets.Keyring }

func (s bookSealer) Seal(ctx context.Context, at billing.Place, plain []byte) (string, error) {
	return s.keyring.Seal(ctx, secrets.Place(at), plain)
}

func (s bookSealer) Open(ctx context.Context, at billing.Place, sealed string) ([]byte, error) {
	return s.keyring.Open(ctx, secrets.Place(at), sealed)
}

// till wires the gateways. practice is dev's alone: elsewhere a practice account, once there, charges nobody.
func (p parts) till() *till.Till {
	return &till.Till{Sealer: bookSealer{p.keyring}, CardNumbers: p.cardNumbers, Connect: func(kind gateway.Kind, c gateway.Credentials) (gateway.Gateway, error) {
		switch {
		case kind == gateway.Stripe:
			return gateway.NewStripe(c, p.gateways.StripeAPI, nil), nil
		case kind == gateway.Practice && p.practice != nil:
			return fake.NewClient(c, p.practice.Address, &http.Client{Timeout: 20 * time.Second}), nil
		}
		return nil, gateway.ErrRefused.Because(fmt.Errorf("there is no gateway of kind %q here", kind))
	}}
}

// startPractice runs the practice gateway on an address of this machine until the stop that it returns is called.
func startPractice(ctx context.Context) (house *fake.House, stop func() error, err error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("starting the practice gateway: %w", err)
	}
	house = fake.NewHouse()
	house.Address = "http://" + listener.Addr().String()
	house.Deliver = &http.Client{Timeout: 10 * time.Second}
	server := &http.Server{Handler: house, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return house, func() error {
		closed := server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return errors.Join(closed, fmt.Errorf("the practice gateway: %w", err))
		}
		return closed
	}, nil
}

// reconcile asks the gateways what became of an organization's orders without a result. Several may do so at once: what
// is told twice is booked once.
func (w work) reconcile(ctx context.Context, s tenant.Scope) error {
	_, err := w.till().Reconcile(ctx, till.In(w.db, s))
	return err
}

// collect charges and reminds for what is due in an organization.
func (w work) collect(ctx context.Context, s tenant.Scope) error {
	return w.till().Collect(ctx, till.In(w.db, s), w.dispatch().Collect)
}

// bill makes the invoices of subscriptions that are due in an organization, and charges the cards that are kept for it.
func (w work) bill(ctx context.Context, s tenant.Scope) error {
	b := &subscription.Biller{Charge: func(ctx context.Context, do subscription.Do, charge billing.IntentID) error {
		_, err := w.till().Perform(ctx, till.Do(do), charge, "")
		return err
	}}
	return b.Run(ctx, subscription.In(w.db, s))
}
