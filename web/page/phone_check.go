package page

import (
	"net/url"

	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/phonenumber"
)

// PhoneCheck is the data of "phone-check". Its form sends when, types, filter, text, ways, minutes, tries, delay,
// number_day, network_day, denied, kinds as often as there are, and version; that of a product product_id and when.
type PhoneCheck struct {
	Shell
	Form        Form
	ProductForm Form
	Products    []phone.ProductRule
	Choices     []Option // products
	Sends       bool     // codes can be sent from here
	Gateways    bool     // an organization may have text gateways of its own
}

// Whens are the moments to choose from.
func (PhoneCheck) Whens() []Option {
	return []Option{{Value: string(phone.Never), Label: "Never"}, {Value: string(phone.Before), Label: "Before payment"}, {Value: string(phone.After), Label: "After payment"}}
}

// ProductWhens are those of a product.
func (p PhoneCheck) ProductWhens() []Option {
	return append(p.Whens(), Option{Value: "", Label: "As its type or everything"})
}

// WaysOf are the ways to choose from.
func (PhoneCheck) WaysOf() []Option {
	return []Option{{Value: "text call", Label: "Text message, or else a call"}, {Value: "call text", Label: "Call, or else a text message"}, {Value: "text", Label: "Text message alone"}, {Value: "call", Label: "Call alone"}}
}

// Kinds are the kinds of number that can be denied.
func (PhoneCheck) Kinds() []Option {
	return []Option{{Value: string(phonenumber.Mobile), Label: "Mobile"}, {Value: string(phonenumber.Fixed), Label: "Fixed line"},
		{Value: string(phonenumber.Either), Label: "Mobile or fixed, where the plan does not tell"}, {Value: string(phonenumber.VoIP), Label: "Internet telephony"},
		{Value: string(phonenumber.Personal), Label: "Personal, which follow their owner"}}
}

var whenWords = map[phone.When]string{phone.Never: "Never", phone.Before: "Before payment", phone.After: "After payment"}

// WhenWord says a moment in words.
func (PhoneCheck) WhenWord(w phone.When) string { return whenWords[w] }

// PhoneAsking is what "phone-form" draws, wherever a customer verifies a number. Its form sends number or, once a code was
// sent, code; and next when it has one.
type PhoneAsking struct {
	Form         Form
	Rules        phone.Rules
	Sent         bool
	Called       bool     // what was sent is a call
	CodeWays     []string // by which a code can go out, the first as the organization likes
	Asker        string   // the organization's name
	Action, Next string
	Back         string // where one goes on
	BackSay      string
	Outbox       string // where the message is to be read, in dev
}

// CallsFirst says that a code is read by a call unless one asks for a message.
func (p PhoneAsking) CallsFirst() bool { return len(p.CodeWays) > 0 && p.CodeWays[0] == "call" }

// Chooses says that one may ask for a call or for a message.
func (p PhoneAsking) Chooses() bool { return len(p.CodeWays) > 1 }

// Again is where one asks for another code.
func (p PhoneAsking) Again() string {
	if p.Next == "" {
		return p.Action
	}
	return p.Action + "?" + url.Values{"next": {p.Next}}.Encode()
}

// PayPhone is the data of "pay-phone", which whoever has the link to an invoice or a quote sees.
type PayPhone struct {
	Gate
	PhoneAsking
}

// PortalPhone is the data of "portal-phone".
type PortalPhone struct {
	Portal
	PhoneAsking
}

// PhonePath is where one of a customer's people verifies a number, and goes on from there.
func PhonePath(next string) string { return "/phone?" + url.Values{"next": {next}}.Encode() }
