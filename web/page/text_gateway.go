package page

import "github.com/countinghouse/countinghouse/billing/phone"

// TextGateways is the data of "text-gateways".
type TextGateways struct {
	Shell
	Form  Form // of an act that was refused; otherwise empty
	Items []TextGatewayRow
	On    bool // one at least is on
	Lent  bool // where none is, codes go out by the operator's
}

// TextGatewayRow is one gateway, as it may be shown.
type TextGatewayRow struct {
	phone.Gateway
	Acts []Act
}

// TextGatewayForm is the data of "text-gateway-edit". Its form sends name, account, key, sender, sends, url, kind when it adds
// and version when it changes; that of a test number and way.
type TextGatewayForm struct {
	Shell
	Form         Form
	Test         Form
	Action, Back string
	Gateway      *phone.Gateway // what is changed; nil when it adds
	Acts         []Act
}

// Kinds are the kinds of gateway to choose from.
func (TextGatewayForm) Kinds() []Option {
	return []Option{{Value: string(phone.Twilio), Label: "Twilio, or one like it"}, {Value: string(phone.Vonage), Label: "Vonage"}}
}

// SendsOf are what a gateway can send.
func (f TextGatewayForm) SendsOf() []Option {
	all := []Option{{Value: "text", Label: "Text messages"}, {Value: "call", Label: "Calls"}, {Value: "text call", Label: "Both"}}
	if f.Gateway != nil && f.Gateway.Kind == phone.Vonage {
		all = all[:1]
	}
	return all
}

// WaysOf are the ways by which a test can be sent; none where there is no choice.
func (f TextGatewayForm) WaysOf() []Option {
	if f.Gateway == nil || !f.Gateway.Does("text") || !f.Gateway.Does("call") {
		return nil
	}
	return []Option{{Value: "text", Label: "Text message"}, {Value: "call", Label: "Call"}}
}

var textGatewayKinds = map[phone.GatewayKind]string{phone.Twilio: "Twilio", phone.Vonage: "Vonage"}

// textGatewayKind says in words whose API it is.
func textGatewayKind(k phone.GatewayKind) string { return textGatewayKinds[k] }

// Sending says in words what a gateway sends.
func (r TextGatewayRow) Sending() string {
	return map[string]string{"text": "Text messages", "call": "Calls", "text call": "Text messages and calls"}[r.Sends]
}

// textTroubles say how the last try went.
var textTroubles = map[string]string{
	"refused": "It refused the last message", "unreachable": "It could not be reached", "internal": "Its address leads inside a network",
	"sealed": "Its secret could not be opened", "late": "It did not answer in time",
}

// textTrouble says in words how the last try of a gateway failed.
func textTrouble(g phone.Gateway) string { return textTroubles[g.TroubleWord()] }
