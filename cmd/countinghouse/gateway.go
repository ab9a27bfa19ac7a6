package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web"
)

// gatewayFlags say where payment gateways are.
type gatewayFlags struct {
	StripeAPI string `name:"stripe-api" env:"COUNTINGHOUSE_STRIPE_API" placeholder:"URL" help:"Where Stripe's API is; left out, Stripe's own address."`
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
	return &till.Till{Sealer: bookSealer{p.keyring}, Connect: func(kind gateway.Kind, c gateway.Credentials) (gateway.Gateway, error) {
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
	return w.till().Collect(ctx, till.In(w.db, s), func(ctx context.Context, r billing.Reminder) error {
		return w.mail.Send(ctx, web.ReminderMail(w.origin, r))
	})
}
