package subscription_test

import (
	"context"
	"encoding/base64"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// openSealer hides nothing.
type openSealer struct{}

func (openSealer) Seal(_ context.Context, _ billing.Place, plain []byte) (string, error) {
	return base64.StdEncoding.EncodeToString(plain), nil
}

func (openSealer) Open(_ context.Context, _ billing.Place, sealed string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(sealed)
}

// collecting is a house with a gateway and a customer who left a card.
type collecting struct {
	*house
	bank *fake.House
	key  string
	till *till.Till
	told []billing.Reminder
}

func openCollecting(t *testing.T, card string) *collecting {
	t.Helper()
	c := &collecting{house: openHouse(t, "Europe/Dublin"), bank: fake.NewHouse(), key: "practice_" + tenanttest.Random(8)}
	c.till = &till.Till{Sealer: openSealer{}, Connect: func(_ gateway.Kind, to gateway.Credentials) (gateway.Gateway, error) {
		return fake.NewClient(to, "http://practice.example", c.bank.Client()), nil
	}}
	of := c.scope.Organization().ID
	account, err := billing.SealGatewayAccount(t.Context(), c.till.Sealer, of, billing.GatewayAccountInput{Kind: gateway.Practice, Name: "Practice", Key: c.key, WebhookSecret: fake.SecretOf(c.key)})
	if err != nil {
		t.Fatal(err)
	}
	var at billing.GatewayAccount
	c.do(func(ctx context.Context, tx *tenant.Tx) error {
		if at, err = billing.AddGatewayAccount(ctx, tx, account); err != nil {
			return err
		}
		customer, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Nuno", Email: "nuno@tidewater.example"})
		if err != nil {
			return err
		}
		c.customer = customer.ID
		s, err := billing.LoadSettings(ctx, tx)
		if err != nil {
			return err
		}
		_, err = billing.ChangeSettings(ctx, tx, 0, billing.SettingsInput{Name: s.Name, TimeZone: s.TimeZone, Country: s.Country,
			InvoicePrefix: s.InvoicePrefix, PaymentTermsDays: s.PaymentTermsDays, TaxRounding: s.TaxRounding, CollectAutomatically: true})
		return err
	})
	sealed, err := billing.SealCard(t.Context(), c.till.Sealer, of, billing.Intent{Keep: true, CustomerID: c.customer, GatewayID: at.ID},
		gateway.Card{Token: card, Brand: "visa", LastFour: "4242"})
	if err != nil {
		t.Fatal(err)
	}
	c.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.AddPaymentMethod(ctx, tx, sealed)
		return err
	})
	return c
}

// work does what the jobs of an hour do.
func (c *collecting) work() {
	c.Helper()
	ctx := context.Background()
	biller := &subscription.Biller{Charge: func(ctx context.Context, do subscription.Do, charge billing.IntentID) error {
		_, err := c.till.Perform(ctx, till.Do(do), charge, "")
		return err
	}}
	if err := biller.Run(ctx, subscription.In(c.db, c.scope)); err != nil {
		c.Error(err)
	}
	err := c.till.Collect(ctx, till.In(c.db, c.scope), func(_ context.Context, r billing.Reminder) error {
		c.told = append(c.told, r)
		return nil
	})
	if err != nil {
		c.Error(err)
	}
}

// A card that was left is charged with each period's invoice, once; one that is declined leaves the invoice open, and
// reminding goes its way.
func TestCollectedBySubscription(t *testing.T) {
	t.Parallel()
	in := seats("2", "10")
	in.Collect = true
	t.Run("the card is charged for each period", func(t *testing.T) {
		t.Parallel()
		c := openCollecting(t, fake.CardGood)
		s := c.start(in)
		for range 3 {
			c.work()
			c.work()
			c.clock.Advance(10 * day)
		}
		invoices := c.invoices(s.ID)
		if len(invoices) != 3 || len(c.told) != 0 {
			t.Fatalf("%d invoices, told %v", len(invoices), c.told)
		}
		for _, i := range invoices {
			if !i.Open().IsZero() || i.Total.String() != "20.00" {
				t.Errorf("%s: %s of %s is open", i.Number, i.Open(), i.Total)
			}
		}
		charged := 0
		for _, m := range c.bank.Movements(c.key) {
			if m.Amount > 0 {
				charged++
			}
		}
		if charged != 3 {
			t.Errorf("the gateway charged %d times: %v", charged, c.bank.Movements(c.key))
		}
	})
	t.Run("a declined one is tried again when the invoice is due, and the customer is told", func(t *testing.T) {
		t.Parallel()
		c := openCollecting(t, fake.CardDeclined)
		in := in
		in.Every = 300
		s := c.start(in)
		c.work()
		i := c.invoices(s.ID)[0]
		if i.Open() != i.Total || len(c.told) != 0 || c.read(s.ID).State != subscription.Active {
			t.Fatalf("%s is open, told %v", i.Open(), c.told)
		}
		for range i.IssueDate.DaysUntil(i.DueDate) + 8 {
			c.clock.Advance(day)
			c.work()
		}
		if len(c.told) != billing.CollectionTries || !c.told[0].Declined || c.told[0].To != "nuno@tidewater.example" || !c.told[3].Last {
			t.Errorf("told %+v", c.told)
		}
		var intents []billing.Intent
		c.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			intents, err = billing.InvoiceIntents(ctx, tx, i.ID)
			return err
		})
		if len(intents) != 1+billing.CollectionTries {
			t.Errorf("%d charges", len(intents))
		}
	})
}
