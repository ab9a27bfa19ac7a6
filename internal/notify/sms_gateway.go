package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// GatewayOptions say which gateway sends our text messages. Its requests are in the shape of Twilio's API of
// 2010-04-01, which several gateways speak.
type GatewayOptions struct {
	URL     string        // https://api.twilio.com
	Account string        // the account's id
	Token   string        // its secret
	From    string        // the number, in E.164, or the name that messages come from
	Timeout time.Duration // of one message; 0: 10 seconds
}

// Gateway sends text messages, and makes calls, through one HTTP gateway. It is safe for concurrent use.
type Gateway struct {
	options GatewayOptions
	base    *url.URL
	client  *http.Client
}

// answerMax is as much of an answer as is read.
const answerMax = 64 << 10

// NewGateway makes one; it does not connect yet. It fails when the options cannot be used: the token goes with every
// message, so that nothing but https will do, or http to this machine itself.
func NewGateway(o GatewayOptions) (*Gateway, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("the SMS gateway %q is not of the form https://host", o.URL)
	}
	switch host := base.Hostname(); {
	case base.Scheme == "https":
	case base.Scheme == "http" && (host == "127.0.0.1" || host == "::1" || host == "localhost"):
	default:
		return nil, fmt.Errorf("the SMS gateway %q must be reached by https: its secret goes with every message", o.URL)
	}
	if o.Account == "" || o.Token == "" || o.From == "" || strings.ContainsFunc(o.Account+o.Token+o.From, unprintable) || strings.Contains(o.Account, ":") {
		return nil, errors.New("the SMS gateway needs an account, its token and a number to send from")
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	client := &http.Client{
		Timeout: o.Timeout,
		// A redirected message would take text and number to where nobody configured it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Gateway{options: o, base: base, client: client}, nil
}

// Text hands a message to the gateway. An error means that it was not taken over: ErrMalformedSMS, or what the gateway
// or the network said. It never holds the text, the number or the account's secret.
func (g *Gateway) Text(ctx context.Context, m SMS) error {
	if err := m.check(); err != nil {
		return err
	}
	form := url.Values{"To": {m.To}, "From": {g.options.From}}
	what := "Messages"
	if m.Voice {
		what = "Calls"
		said, err := spoken(m.Text)
		if err != nil {
			return err
		}
		form.Set("Twiml", said)
	} else {
		form.Set("Body", m.Text)
	}
	address := g.base.JoinPath("2010-04-01", "Accounts", g.options.Account, what+".json")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("writing to the SMS gateway: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.SetBasicAuth(g.options.Account, g.options.Token)
	response, err := g.client.Do(request)
	if err != nil {
		var failed *url.Error // names the address, and with it the account
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("reaching the SMS gateway: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, answerMax))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("reading the SMS gateway's answer: %w", err)
	}
	return checkAnswer(response.StatusCode, body)
}

// checkAnswer takes any 2xx for "taken over". Of a refusal it tells status and code: the gateway's own sentence
// repeats the number.
func checkAnswer(status int, body []byte) error {
	if status >= 200 && status < 300 {
		return nil
	}
	var refusal struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(body, &refusal) == nil && refusal.Code != 0 {
		return fmt.Errorf("the SMS gateway refused with status %d, code %d", status, refusal.Code)
	}
	return fmt.Errorf("the SMS gateway refused with status %d", status)
}

// spoken is a text as a call reads it, twice, with its digits apart.
func spoken(text string) (string, error) {
	var apart strings.Builder
	digit := false
	for _, r := range text {
		if r >= '0' && r <= '9' {
			if digit {
				apart.WriteString(", ")
			}
			digit = true
		} else {
			digit = false
		}
		apart.WriteRune(r)
	}
	var said bytes.Buffer
	if err := xml.EscapeText(&said, []byte(apart.String())); err != nil {
		return "", fmt.Errorf("writing what a call says: %w", err)
	}
	return "<Response><Say>" + said.String() + "</Say><Pause length=\"1\"/><Say>" + said.String() + "</Say></Response>", nil
}
