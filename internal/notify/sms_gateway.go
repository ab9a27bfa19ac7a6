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
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The APIs that gateways speak.
const (
	Twilio = "twilio" // Twilio's of 2010-04-01, which several gateways speak; it makes calls too
	Vonage = "vonage" // Vonage's SMS API (rest.nexmo.com/sms/json), which makes no calls
)

// GatewayOptions say which gateway sends text messages, and in the shape of whose API.
type GatewayOptions struct {
	API     string        // Twilio or Vonage; empty: Twilio
	URL     string        // https://api.twilio.com
	Account string        // the account's id, or the API's key
	Token   string        // its secret
	From    string        // the number, in E.164, or the name that messages come from
	Timeout time.Duration // of one message; 0: 10 seconds
	Client  *http.Client  // which posts; nil: one that follows no redirect and waits for Timeout
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
	if o.API != "" && o.API != Twilio && o.API != Vonage {
		return nil, fmt.Errorf("there is no API of SMS gateways called %q", o.API)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Client == nil {
		o.Client = &http.Client{
			Timeout: o.Timeout,
			// A redirected message would take text and number to where nobody configured it.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Gateway{options: o, base: base, client: o.Client}, nil
}

// errNoCalls says that an API makes no calls.
var errNoCalls = errors.New("notify: this gateway makes no calls")

// Text hands a message to the gateway. An error means that it was not taken over, or, of a Failure that is Late, that
// nobody knows: ErrMalformedSMS, or a *Failure. It never holds the text, the number or the account's secret.
func (g *Gateway) Text(ctx context.Context, m SMS) error {
	if err := m.check(); err != nil {
		return err
	}
	ask, err := g.twilio(m)
	if g.options.API == Vonage {
		ask, err = g.vonage(m)
	}
	if err != nil {
		return err
	}
	status, body, err := g.post(ctx, ask)
	if err != nil {
		return err
	}
	if g.options.API == Vonage {
		return vonageAnswer(status, body)
	}
	return twilioAnswer(status, body)
}

// order is one message as it is posted.
type order struct {
	path []string
	form url.Values
}

func (g *Gateway) twilio(m SMS) (order, error) {
	o := order{[]string{"2010-04-01", "Accounts", g.options.Account, "Messages.json"}, url.Values{"To": {m.To}, "From": {g.options.From}}}
	if !m.Voice {
		o.form.Set("Body", m.Text)
		return o, nil
	}
	said, err := spoken(m.Text)
	o.path[3] = "Calls.json"
	o.form.Set("Twiml", said)
	return o, err
}

func (g *Gateway) vonage(m SMS) (order, error) {
	if m.Voice {
		return order{}, errNoCalls
	}
	o := order{[]string{"sms", "json"}, url.Values{"to": {strings.TrimPrefix(m.To, "+")}, "from": {strings.TrimPrefix(g.options.From, "+")}, "text": {m.Text}}}
	if strings.ContainsFunc(m.Text, func(r rune) bool { return r > 127 }) {
		o.form.Set("type", "unicode")
	}
	return o, nil
}

// post gives what was answered. Its error is a *Failure: Late from when the whole message was written.
func (g *Gateway) post(ctx context.Context, o order) (status int, body []byte, err error) {
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(w httptrace.WroteRequestInfo) { written.Store(w.Err == nil) }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base.JoinPath(o.path...).String(), strings.NewReader(o.form.Encode()))
	if err != nil {
		return 0, nil, fmt.Errorf("writing to the SMS gateway: %w", err)
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
		if written.Load() {
			return 0, nil, &Failure{How: Late, err: err}
		}
		return 0, nil, &Failure{How: Unreachable, err: err}
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, answerMax))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return 0, nil, &Failure{How: Late, Status: response.StatusCode, err: err}
	}
	if response.StatusCode == http.StatusGatewayTimeout { // whoever stands before the gateway has not heard from it either
		return 0, nil, &Failure{How: Late, Status: response.StatusCode}
	}
	return response.StatusCode, body, nil
}

// twilioAnswer takes any 2xx for "taken over". Of a refusal it tells status and code: the gateway's own sentence
// repeats the number. The codes are of Twilio's error dictionary.
func twilioAnswer(status int, body []byte) error {
	if status >= 200 && status < 300 {
		return nil
	}
	var refusal struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(body, &refusal) != nil {
		refusal.Code = 0
	}
	f := &Failure{How: Refused, Status: status, Code: refusal.Code}
	switch refusal.Code {
	case 21211, 13224: // no valid number; none that can be called
		f.How = BadNumber
	case 21614, 21610: // no mobile; who has it wants no messages
		f.How = NoTexts
	}
	return f
}

// vonageAnswer takes status "0" of each of its parts for "taken over": the API answers a refusal with 200 too. The
// statuses are those of Vonage's "SMS API error codes".
func vonageAnswer(status int, body []byte) error {
	var answer struct {
		Messages []struct {
			Status string `json:"status"`
		} `json:"messages"`
	}
	if status < 200 || status >= 300 {
		return &Failure{How: Refused, Status: status}
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Messages) == 0 {
		return &Failure{How: Refused, Status: status}
	}
	for n, m := range answer.Messages {
		code, err := strconv.Atoi(m.Status)
		if err != nil {
			return &Failure{How: Refused, Status: status}
		}
		switch {
		case code == 0:
			continue
		case n > 0: // parts of it are on their way
			return &Failure{How: Late, Status: status, Code: code}
		case code == 6, code == 7: // a prefix that nobody has; a number that may not be sent to
			return &Failure{How: BadNumber, Status: status, Code: code}
		}
		return &Failure{How: Refused, Status: status, Code: code}
	}
	return nil
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
