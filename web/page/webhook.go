package page

import (
	"fmt"
	"net/http"

	"github.com/countinghouse/countinghouse/internal/webhook"
)

// Webhooks is the data of "webhooks".
type Webhooks struct {
	Shell
	Items []webhook.Endpoint
}

// WebhookForm is the data of "webhook-edit". Its form sends name, url, events as often as there are, and version on a
// change.
type WebhookForm struct {
	Shell
	Form         Form
	Action, Back string
	Events       []webhook.Event
	Endpoint     *webhook.Endpoint // what is changed; nil when it adds
}

// WebhookMade is the data of "webhook-made". The secret stands on this page alone; it is empty when the form came twice.
type WebhookMade struct {
	Shell
	Endpoint webhook.Endpoint
	Secret   string
	Rotated  bool
}

// WebhookRotate is the data of "webhook-rotate". Its form sends overlap_hours.
type WebhookRotate struct {
	Shell
	Form         Form
	Endpoint     webhook.Endpoint
	Action, Back string
	Overlap      []Option
}

// Webhook is the data of "webhook".
type Webhook struct {
	Shell
	Form         Form // of an act that was refused; otherwise empty
	Endpoint     webhook.Endpoint
	Overlap      bool   // the secret before signs too
	Edit, Rotate string // empty for who may not
	Acts         []Act
	Items        []DeliveryRow
	Pager        Pager
}

// DeliveryRow is one message.
type DeliveryRow struct {
	webhook.Delivery
	Acts []Act
}

// Said says what the last try was answered.
func (d DeliveryRow) Said() string {
	switch d.Problem {
	case "internal":
		return "The name leads inside a network, where nothing is sent"
	case "timeout":
		return "No answer in time"
	case "unreachable":
		return "Could not be reached"
	case "off":
		return "Not sent: the webhook was off"
	}
	if d.Status == 0 {
		return ""
	}
	if text := http.StatusText(d.Status); text != "" {
		return fmt.Sprintf("%d %s", d.Status, text)
	}
	return fmt.Sprint(d.Status)
}

var webhookOff = map[string]string{
	webhook.ByHand:  "It was turned off by hand.",
	webhook.Gone:    "It answered that it wants no more messages (410 Gone), and was turned off.",
	webhook.Failing: "Nothing arrived for three days, and it was turned off. The owners were told.",
}

// Off says why nothing is sent to it; "" when it is on.
func (w Webhook) Off() string { return webhookOff[w.Endpoint.DisabledFor] }
