package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/outward"
	"github.com/countinghouse/countinghouse/internal/place"
	"github.com/countinghouse/countinghouse/secrets"
)

// smsFlags say which gateway sends our text messages. Without one, no phone numbers are asked for.
type smsFlags struct {
	SMSURL       string `name:"sms-url" env:"COUNTINGHOUSE_SMS_URL" default:"https://api.twilio.com" placeholder:"URL" help:"The gateway that sends text messages, in the shape of Twilio's API."`
	SMSAccount   string `name:"sms-account" env:"COUNTINGHOUSE_SMS_ACCOUNT" help:"The account there; left out, no text messages are sent."`
	SMSTokenFile string `name:"sms-token-file" env:"COUNTINGHOUSE_SMS_TOKEN_FILE" type:"path" placeholder:"FILE" help:"A file that holds the account's token."`
	SMSFrom      string `name:"sms-from" env:"COUNTINGHOUSE_SMS_FROM" placeholder:"NUMBER" help:"The number that messages come from, such as +353860123456."`
	SMSCustomers bool   `name:"sms-customers" env:"COUNTINGHOUSE_SMS_CUSTOMERS" default:"true" negatable:"" help:"Organizations without a gateway of their own send their customers' codes through it too; with --no-sms-customers it is for this service's own messages alone."`
	SMSVoice     bool   `name:"sms-voice" env:"COUNTINGHOUSE_SMS_VOICE" help:"The gateway also makes calls that read a code aloud."`
}

// texter is nil where no text messages are sent.
func (f smsFlags) texter() (texter, error) {
	if f.SMSAccount == "" {
		if f.SMSTokenFile != "" || f.SMSFrom != "" || f.SMSVoice {
			return nil, errors.New("text messages need --sms-account as well: give it, or leave out --sms-token-file, --sms-from and --sms-voice")
		}
		return nil, nil
	}
	if f.SMSTokenFile == "" {
		return nil, errors.New("text messages need --sms-token-file: a file that holds the account's token")
	}
	token, err := os.ReadFile(f.SMSTokenFile)
	if err != nil {
		return nil, wrong("sms-token-file", err)
	}
	if f.SMSFrom == "" {
		return nil, wrong("sms-from", errors.New("give the number that messages come from"))
	}
	if u, err := url.Parse(f.SMSURL); err != nil || u.Host == "" {
		return nil, wrong("sms-url", fmt.Errorf("%q is no address such as https://api.twilio.com", f.SMSURL))
	}
	return notify.NewGateway(notify.GatewayOptions{URL: f.SMSURL, Account: f.SMSAccount, Token: strings.TrimSpace(string(token)), From: f.SMSFrom})
}

// placeFlags say where networks are looked up.
type placeFlags struct {
	Places string `env:"COUNTINGHOUSE_PLACES" type:"path" placeholder:"FILE" help:"A database of places in MaxMind's format, so that people see from which city someone signed in, and a login from too far away is told of. Left out, they see the address."`
}

// database is nil where there is none.
func (f placeFlags) database() (*place.Places, error) {
	if f.Places == "" {
		return nil, nil
	}
	return place.Open(f.Places)
}

// texter is what both a gateway and the outbox of dev do.
type texter interface {
	Text(ctx context.Context, m notify.SMS) error
}

// reach puts into the options how people are reached by phone and where networks are.
func (p parts) reach(o identity.Options) identity.Options {
	if p.texts != nil {
		o.Voice = p.voice
		o.Texter = identity.TexterFunc(func(ctx context.Context, t identity.Text) error {
			return p.texts.Text(ctx, notify.SMS{Kind: t.Kind, To: t.To, Text: t.Say, Voice: t.Voice})
		})
	}
	if p.places != nil {
		o.Place, o.Between = p.places.Of, p.places.Between
	}
	return o
}

// phoneSealer lets the phone check seal by the organization's own key without knowing the keyring.
type phoneSealer struct{ keyring secrets.Keyring }

func (s phoneSealer) Seal(ctx context.Context, at phone.Place, plain []byte) (string, error) {
	return s.keyring.Seal(ctx, secrets.Place(at), plain)
}

func (s phoneSealer) Open(ctx context.Context, at phone.Place, sealed string) ([]byte, error) {
	return s.keyring.Open(ctx, secrets.Place(at), sealed)
}

// phones sends codes to customers, by the gateways of their organization or, where it has none and that is lent, by ours.
func (p parts) phones() (*phone.Sender, error) {
	key, err := derive(p.key, "customer codes")
	if err != nil {
		return nil, err
	}
	dev := p.outbox != nil
	s := &phone.Sender{Key: key, Sealer: phoneSealer{p.keyring}, Internal: dev,
		Through: throughGateways(outward.NewClient(outward.Options{Internal: dev, Timeout: 8 * time.Second}))}
	if p.texts == nil || p.textsKept {
		return s, nil
	}
	send := func(voice bool) func(ctx context.Context, to, say string) error {
		return func(ctx context.Context, to, say string) error {
			return p.texts.Text(ctx, notify.SMS{Kind: "customer_code", To: to, Text: say, Voice: voice})
		}
	}
	if s.Text = send(false); p.voice {
		s.Call = send(true)
	}
	return s, nil
}

// throughGateways sends by whatever gateway an organization named, with a client that keeps to the public internet.
func throughGateways(client *http.Client) func(ctx context.Context, m phone.Post) error {
	apis := map[phone.GatewayKind]string{phone.Twilio: notify.Twilio, phone.Vonage: notify.Vonage}
	return func(ctx context.Context, m phone.Post) error {
		g, err := notify.NewGateway(notify.GatewayOptions{API: apis[m.Gateway.Kind], URL: m.Gateway.URL, Account: m.Gateway.Account, Token: m.Key,
			From: m.Gateway.Sender, Client: client})
		if err != nil {
			return err
		}
		return g.Text(ctx, notify.SMS{Kind: "customer_code", To: m.To, Text: m.Say, Voice: m.Way == "call"})
	}
}
