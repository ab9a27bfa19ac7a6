package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/tenant"
)

// WebhookBody is what a program writes about a webhook.
type WebhookBody struct {
	Name   string   `json:"name" maxLength:"60" example:"Shop"`
	URL    string   `json:"url" doc:"https, on the public internet" maxLength:"500" example:"https://shop.example/hooks"`
	Events []string `json:"events" doc:"Of the list of events; * alone is all of them" maxItems:"100" example:"[\"invoice.paid\"]"`
}

// WebhookView is a webhook as a program reads it. Its secret is not in it.
type WebhookView struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	URL          string     `json:"url"`
	Events       []string   `json:"events"`
	State        string     `json:"state" enum:"on,off"`
	OffFor       string     `json:"off_for,omitempty" doc:"Why it is off: hand, gone (it answered 410) or failing (nothing arrived for three days)"`
	FailingSince *time.Time `json:"failing_since" doc:"Nothing has arrived since"`
	FormerUntil  *time.Time `json:"former_until" doc:"Until then the secret before signs too"`
	CreatedAt    time.Time  `json:"created_at"`
}

// WebhookMade is a webhook with its secret.
type WebhookMade struct {
	WebhookView
	Secret string `json:"secret,omitempty" doc:"What messages are signed with (Standard Webhooks). It is shown this once: a request that was replayed has none"`
}

// RotateBody says for how long the old secret goes on.
type RotateBody struct {
	OverlapHours int `json:"overlap_hours,omitempty" doc:"For how long the old secret signs too: 0 to 168 hours" default:"24"`
}

// DeliveryView is one message and what became of it.
type DeliveryView struct {
	ID         string     `json:"id"`
	Message    string     `json:"webhook_id" doc:"Its webhook-id, the same in each try"`
	Event      string     `json:"event"`
	Object     string     `json:"object"`
	ObjectID   string     `json:"object_id"`
	OccurredAt time.Time  `json:"occurred_at"`
	State      string     `json:"state" enum:"pending,delivered,failed"`
	Tries      int        `json:"tries"`
	TriedAt    *time.Time `json:"tried_at"`
	NextAt     *time.Time `json:"next_at"`
	Status     int        `json:"status,omitempty" doc:"Of HTTP; left out, there was no answer"`
	Problem    string     `json:"problem,omitempty" doc:"Why there was none: internal, timeout, unreachable; off: the webhook was turned off"`
	Answer     string     `json:"answer,omitempty" doc:"Its first 200 characters"`
}

// WebhookEventView is a kind of event that a webhook can be told of.
type WebhookEventView struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// DeliveryByID names one message of one webhook.
type DeliveryByID struct {
	ID       string `path:"id" maxLength:"36"`
	Delivery string `path:"delivery" maxLength:"36"`
}

// DeliveriesOf asks for a page of a webhook's messages.
type DeliveriesOf struct {
	PageInput
	ID string `path:"id" maxLength:"36"`
}

// RotateWebhook is a rotation of one webhook's secret.
type RotateWebhook struct {
	ID   string `path:"id" maxLength:"36"`
	Body RotateBody
}

func (b WebhookBody) input() webhook.Input {
	return webhook.Input{Name: b.Name, URL: b.URL, Events: b.Events}
}

func viewWebhook(e webhook.Endpoint) WebhookView {
	v := WebhookView{ID: e.ID.String(), Name: e.Name, URL: e.URL, Events: e.Events, State: "on", OffFor: e.DisabledFor, FailingSince: e.FailingSince,
		FormerUntil: e.FormerUntil, CreatedAt: e.CreatedAt}
	if e.DisabledAt != nil {
		v.State = "off"
	}
	return v
}

func viewDelivery(d webhook.Delivery) DeliveryView {
	return DeliveryView{ID: d.ID.String(), Message: d.Message(), Event: d.Event, Object: d.Object, ObjectID: d.ObjectID.String(), OccurredAt: d.OccurredAt,
		State: d.State, Tries: d.Tries, TriedAt: d.TriedAt, NextAt: d.NextAt, Status: d.Status, Problem: d.Problem, Answer: d.Answer}
}

// registerWebhookAPI needs what seals their secrets: without it there are no webhooks.
func (s *Server) registerWebhookAPI() {
	if s.Webhooks == nil {
		return
	}
	const tag = "Webhooks"
	handle(s, operation{id: "list-webhook-events", method: "GET", path: "/v1/webhook-events", right: rightTo(authz.Read, authz.Webhooks), tag: tag, summary: "List what a webhook can be told of"},
		func(context.Context, *call, *struct{}) (*Body[List[WebhookEventView]], error) {
			out := &Body[List[WebhookEventView]]{}
			for _, e := range webhook.Events() {
				out.Body.Items = append(out.Body.Items, WebhookEventView{e.Name, e.Say})
			}
			return out, nil
		})
	handle(s, operation{id: "list-webhooks", method: "GET", path: "/v1/webhooks", right: rightTo(authz.Read, authz.Webhooks), tag: tag, summary: "List webhooks, the oldest first"}, listWebhooks)
	handle(s, operation{id: "add-webhook", method: "POST", path: "/v1/webhooks", right: rightTo(authz.Create, authz.Webhooks), tag: tag, summary: "Add a webhook; its secret is in the answer, once", status: http.StatusCreated}, addWebhook)
	handle(s, operation{id: "get-webhook", method: "GET", path: "/v1/webhooks/{id}", right: rightTo(authz.Read, authz.Webhooks), tag: tag, summary: "Read a webhook"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[WebhookView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i webhook.EndpointID) (WebhookView, int, error) {
				e, err := webhook.EndpointByID(ctx, tx, i)
				return viewWebhook(e), e.Version, err
			})
		})
	handle(s, operation{id: "change-webhook", method: "PUT", path: "/v1/webhooks/{id}", right: rightTo(authz.Change, authz.Webhooks), tag: tag, summary: "Write a webhook anew; its secret stays"},
		func(ctx context.Context, c *call, in *Change[WebhookBody]) (*Versioned[WebhookView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i webhook.EndpointID, version int) (WebhookView, int, error) {
				e, err := c.server.Webhooks.ChangeEndpoint(ctx, tx, i, version, in.Body.input())
				return viewWebhook(e), e.Version, err
			})
		})
	handle(s, operation{id: "remove-webhook", method: "DELETE", path: "/v1/webhooks/{id}", right: rightTo(authz.Delete, authz.Webhooks), tag: tag, summary: "Remove a webhook and the log of what it was sent", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *ByID) (*struct{}, error) {
			i, err := pathID[webhook.Endpoint](in.ID)
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return webhook.RemoveEndpoint(ctx, tx, i) })
		})
	handle(s, operation{id: "rotate-webhook-secret", method: "POST", path: "/v1/webhooks/{id}/rotate", right: rightTo(authz.Change, authz.Webhooks), tag: tag, summary: "Give a webhook a new secret; for a while the old one signs too"}, rotateWebhook)
	s.registerWebhookActs(tag)
}

func (s *Server) registerWebhookActs(tag string) {
	for name, do := range map[string]func(ctx context.Context, tx *tenant.Tx, i webhook.EndpointID) (webhook.Endpoint, error){
		"enable": webhook.EnableEndpoint, "disable": webhook.DisableEndpoint,
	} {
		handle(s, operation{id: name + "-webhook", method: "POST", path: "/v1/webhooks/{id}/" + name, right: rightTo(authz.Change, authz.Webhooks), tag: tag, summary: map[string]string{"enable": "Turn a webhook on", "disable": "Turn a webhook off; what happens meanwhile is not sent later"}[name]},
			func(ctx context.Context, c *call, in *ByID) (*Versioned[WebhookView], error) {
				return act(ctx, c, in.ID, func(tx *tenant.Tx, i webhook.EndpointID) (WebhookView, int, error) {
					e, err := do(ctx, tx, i)
					return viewWebhook(e), e.Version, err
				})
			})
	}
	handle(s, operation{id: "test-webhook", method: "POST", path: "/v1/webhooks/{id}/test", right: rightTo(authz.Change, authz.Webhooks), tag: tag, summary: "Send a webhook a message that tells of nothing", status: http.StatusAccepted},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[DeliveryView], error) {
			return act(ctx, c, in.ID, func(tx *tenant.Tx, i webhook.EndpointID) (DeliveryView, int, error) {
				sent, err := webhook.SendTest(ctx, tx, i)
				if err != nil {
					return DeliveryView{}, 0, err
				}
				d, err := webhook.DeliveryByID(ctx, tx, i, sent)
				return viewDelivery(d), 0, err
			})
		})
	handle(s, operation{id: "list-webhook-deliveries", method: "GET", path: "/v1/webhooks/{id}/deliveries", right: rightTo(authz.Read, authz.Webhooks), tag: tag, summary: "List what a webhook was sent in the last 30 days, the last first"},
		func(ctx context.Context, c *call, in *DeliveriesOf) (*Body[List[DeliveryView]], error) {
			i, err := pathID[webhook.Endpoint](in.ID)
			if err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[webhook.Delivery], error) {
				return webhook.Deliveries(ctx, tx, i, q)
			}, viewDelivery)
		})
	handle(s, operation{id: "replay-webhook-delivery", method: "POST", path: "/v1/webhooks/{id}/deliveries/{delivery}/replay", right: rightTo(authz.Change, authz.Webhooks), tag: tag, summary: "Send a message again, with the webhook-id that it had", status: http.StatusAccepted},
		func(ctx context.Context, c *call, in *DeliveryByID) (*Versioned[DeliveryView], error) {
			delivery, err := pathID[webhook.Delivery](in.Delivery)
			if err != nil {
				return nil, err
			}
			return act(ctx, c, in.ID, func(tx *tenant.Tx, i webhook.EndpointID) (DeliveryView, int, error) {
				d, err := webhook.Replay(ctx, tx, i, delivery)
				return viewDelivery(d), 0, err
			})
		})
}

func listWebhooks(ctx context.Context, c *call, _ *struct{}) (*Body[List[WebhookView]], error) {
	out := &Body[List[WebhookView]]{Body: List[WebhookView]{Items: []WebhookView{}}}
	err := c.do(ctx, func(tx *tenant.Tx) error {
		all, err := webhook.Endpoints(ctx, tx)
		out.Body.Items = out.Body.Items[:0] // it may run twice
		for _, e := range all {
			out.Body.Items = append(out.Body.Items, viewWebhook(e))
		}
		return err
	})
	return out, err
}

func addWebhook(ctx context.Context, c *call, in *Create[WebhookBody]) (*Versioned[WebhookMade], error) {
	sealed, err := c.server.Webhooks.SealEndpoint(ctx, c.scope.Organization().ID, in.Body.input())
	if err != nil {
		return nil, err
	}
	secret := ""
	return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
		e, err := webhook.AddEndpoint(ctx, tx, sealed)
		secret = sealed.Secret
		return e.ID.UUID, err
	}, func(tx *tenant.Tx, made uuid.UUID) (WebhookMade, int, error) {
		e, err := webhook.EndpointByID(ctx, tx, webhook.EndpointID{UUID: made})
		return WebhookMade{viewWebhook(e), secret}, e.Version, err
	})
}

func rotateWebhook(ctx context.Context, c *call, in *RotateWebhook) (*Versioned[WebhookMade], error) {
	i, err := pathID[webhook.Endpoint](in.ID)
	if err != nil {
		return nil, err
	}
	rotation, err := c.server.Webhooks.SealRotation(ctx, c.server.DB, c.scope, i, overlapOf(in.Body.OverlapHours))
	if err != nil {
		return nil, err
	}
	return act(ctx, c, in.ID, func(tx *tenant.Tx, _ webhook.EndpointID) (WebhookMade, int, error) {
		e, err := webhook.RotateSecret(ctx, tx, rotation)
		return WebhookMade{viewWebhook(e), rotation.Secret}, e.Version, err
	})
}

// overlapOf is so many hours; what is out of all bounds is refused as one too many.
func overlapOf(hours int) time.Duration {
	if hours < 0 || hours > 1000 {
		hours = 1000
	}
	return time.Duration(hours) * time.Hour
}
