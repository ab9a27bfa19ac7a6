package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// keyringOfBilling lets billing seal through a keyring.
type keyringOfBilling struct{ secrets.Keyring }

func (k keyringOfBilling) Seal(ctx context.Context, at billing.Place, plain []byte) (string, error) {
	return k.Keyring.Seal(ctx, secrets.Place(at), plain)
}

func (k keyringOfBilling) Open(ctx context.Context, at billing.Place, sealed string) ([]byte, error) {
	return k.Keyring.Open(ctx, secrets.Place(at), sealed)
}

// TestPaymentSecrets keeps a gateway's key and two bank accounts: a dump shows none of them, and after a rotation by
// the list of sealed columns, which retires what sealed them, the key opens still.
func TestPaymentSecrets(t *testing.T) {
	t.Parallel()
	ctx, g, clock := t.Context(), newGuest(t), &tenanttest.Clock{}
	db := tenanttest.OpenWith(t, clock)
	keyring, err := secrets.OpenLocal(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	var customer billing.Customer
	o := tenanttest.Found(t, db, func(ctx context.Context, tx *tenant.Tx) (err error) {
		err = billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater", Currency: money.MustCurrency("EUR"), Country: "IE", TimeZone: "Europe/Dublin"})
		if err == nil {
			customer, err = billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Oyster Bay"})
		}
		return err
	})
	scope, err := tenant.EnterOperator(ctx, db, o.Slug)
	if err != nil {
		t.Fatal(err)
	}
	organization := scope.Organization().ID
	if err := keyring.CreateKey(ctx, organization.String()); err != nil {
		t.Fatal(err)
	}
	const key, hook, iban, number = "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "whsec_5WbX5kEWLlfzsGNjH64I", "DE89370400440532013000", "000123456789"
	for name, secret := range map[string]string{"the gateway's key": key, "the webhook's secret": hook, "the IBAN": iban, "the account number": number} {
		g.leaks.knows(name, secret)
	}
	sealer := keyringOfBilling{keyring}
	account, err := billing.SealGatewayAccount(ctx, sealer, organization, billing.GatewayAccountInput{Kind: gateway.Stripe, Name: "Stripe", Key: key, WebhookSecret: hook})
	if err != nil {
		t.Fatal(err)
	}
	var methods []billing.SealedPaymentMethod
	for _, in := range []billing.BankAccountInput{{Kind: billing.MethodIBAN, IBAN: iban}, {Kind: billing.MethodUSBank, Routing: "021000021", AccountNumber: number}} {
		in.CustomerID = customer.ID
		method, err := billing.SealBankAccount(ctx, sealer, organization, in)
		if err != nil {
			t.Fatal(err)
		}
		methods = append(methods, method)
	}
	var kept billing.GatewayAccount
	err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) (err error) {
		for _, method := range methods {
			if _, err := billing.AddPaymentMethod(ctx, tx, method); err != nil {
				return err
			}
		}
		kept, err = billing.AddGatewayAccount(ctx, tx, account)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dump := g.dump(o.Slug)
	for _, shown := range g.leaks.in(dump) {
		t.Errorf("the dump of the database shows %s", shown)
	}
	if strings.Count(dump, "local:v1:") != 3 {
		t.Errorf("the dump has %d sealed values", strings.Count(dump, "local:v1:"))
	}

	read := func() (credentials billing.SealedCredentials) {
		t.Helper()
		err := tenant.Do(ctx, db, scope, func(tx *tenant.Tx) (err error) {
			credentials, err = billing.GatewayCredentials(ctx, tx, kept.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return credentials
	}
	before := read()
	rotator := custody.Rotator{DB: db, Keyring: keyring, Columns: sealedColumns}
	for _, wait := range []time.Duration{0, 3 * time.Minute} {
		clock.Advance(wait)
		if _, err := rotator.Rotate(ctx, scope); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := billing.OpenCredentials(ctx, sealer, before); !errors.Is(err, secrets.ErrRetired) {
		t.Errorf("what was stored before the rotation opens: %v", err)
	}
	if got, err := billing.OpenCredentials(ctx, sealer, read()); err != nil || got.Key != key || got.WebhookSecret != hook {
		t.Errorf("after the rotation the gateway's key does not open: %v", err)
	}
	if dump := g.dump(o.Slug); strings.Contains(dump, "local:v1:") || strings.Count(dump, "local:v2:") != 3 {
		t.Error("after the rotation older values are stored")
	}
}
