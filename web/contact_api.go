package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// ContactBody is what may be changed of one of a customer's people.
type ContactBody struct {
	Name   string   `json:"name,omitempty" maxLength:"100"`
	Rights []string `json:"rights" doc:"What they may do at your own host: invoices, pay, order, subscriptions, methods, people" maxItems:"10"`
}

// ContactNew is someone who is to be let in.
type ContactNew struct {
	CustomerID string `json:"customer_id" maxLength:"36"`
	Email      string `json:"email" maxLength:"254"`
	ContactBody
}

// ContactView is one of a customer's people as a program reads it.
type ContactView struct {
	ID         string     `json:"id"`
	CustomerID string     `json:"customer_id"`
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	Rights     []string   `json:"rights"`
	Joined     bool       `json:"joined" doc:"Whether they have set a password"`
	CreatedAt  time.Time  `json:"created_at"`
	SeenAt     *time.Time `json:"seen_at" doc:"When they last signed in"`
}

func viewContact(c contact.Contact) ContactView {
	v := ContactView{ID: c.ID.String(), CustomerID: c.Customer.String(), Email: c.Email, Name: c.Name, Rights: c.Rights.Words(), Joined: c.Joined, CreatedAt: c.CreatedAt}
	if !c.SeenAt.IsZero() {
		v.SeenAt = &c.SeenAt
	}
	return v
}

func (b ContactNew) input() (in contact.Input, err error) {
	if in.Email, err = identity.NormalizeEmail(b.Email); err != nil {
		return in, err
	}
	if in.Rights, err = contact.ReadRights(b.Rights); err != nil {
		return in, err
	}
	in.Name = b.Name
	in.Customer, err = bodyID[billing.Customer]("customer_id", b.CustomerID)
	return in, err
}

func (s *Server) registerContactAPI() {
	const tag = "Customers"
	handle(s, operation{id: "list-contacts", method: "GET", path: "/v1/customers/{id}/contacts", right: rightTo(authz.Read, authz.Contacts), tag: tag, summary: "List the people of a customer who have access to the portal"},
		func(ctx context.Context, c *call, in *ByID) (*Body[List[ContactView]], error) {
			customer, err := pathID[billing.Customer](in.ID)
			if err != nil {
				return nil, err
			}
			return list(ctx, c, PageInput{}, func(tx *tenant.Tx, _ cursor.Query) (cursor.Page[contact.Contact], error) {
				if _, err := billing.CustomerByID(ctx, tx, customer); err != nil {
					return cursor.Page[contact.Contact]{}, err
				}
				all, err := contact.Of(ctx, tx, customer) // fifty at most
				return cursor.Page[contact.Contact]{Items: all}, err
			}, viewContact)
		})
	handle(s, operation{id: "invite-contact", method: "POST", path: "/v1/contacts", right: rightTo(authz.Create, authz.Contacts), tag: tag, summary: "Let one of a customer's people in, by a mailed link", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[ContactNew]) (*Versioned[ContactView], error) {
			var made contact.Contact
			var secret string
			out, err := create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				input, err := in.Body.input()
				if err != nil {
					return uuid.Nil, err
				}
				made, secret, err = contact.Invite(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (ContactView, int, error) {
				found, err := contact.ByID(ctx, tx, id.Of[contact.Contact]{UUID: made})
				return viewContact(found), found.Version, err
			})
			if err != nil || secret == "" {
				return out, err
			}
			return out, s.sendContactInvitation(ctx, c.scope.Organization(), made, secret)
		})
	handle(s, operation{id: "get-contact", method: "GET", path: "/v1/contacts/{id}", right: rightTo(authz.Read, authz.Contacts), tag: tag, summary: "Read one of a customer's people"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[ContactView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i contact.ID) (ContactView, int, error) {
				found, err := contact.ByID(ctx, tx, i)
				return viewContact(found), found.Version, err
			})
		})
	handle(s, operation{id: "change-contact", method: "PUT", path: "/v1/contacts/{id}", right: rightTo(authz.Change, authz.Contacts), tag: tag, summary: "Give one of a customer's people another name and other rights"},
		func(ctx context.Context, c *call, in *Change[ContactBody]) (*Versioned[ContactView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i contact.ID, version int) (ContactView, int, error) {
				rights, err := contact.ReadRights(in.Body.Rights)
				if err != nil {
					return ContactView{}, 0, err
				}
				changed, err := contact.Change(ctx, tx, i, version, contact.ChangeInput{Name: in.Body.Name, Rights: rights})
				return viewContact(changed), changed.Version, err
			})
		})
	handle(s, operation{id: "send-contact-invitation", method: "POST", path: "/v1/contacts/{id}/send", right: rightTo(authz.Create, authz.Contacts), tag: tag, summary: "Send the invitation again, with a new link"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[ContactView], error) {
			var made contact.Contact
			var secret string
			out, err := change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i contact.ID, _ int) (_ ContactView, _ int, err error) {
				made, secret, err = contact.InviteAgain(ctx, tx, i)
				return viewContact(made), made.Version, err
			})
			if err != nil {
				return nil, err
			}
			return out, s.sendContactInvitation(ctx, c.scope.Organization(), made, secret)
		})
	handle(s, operation{id: "remove-contact", method: "DELETE", path: "/v1/contacts/{id}", right: rightTo(authz.Delete, authz.Contacts), tag: tag, summary: "Take the access of one of a customer's people away", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *ByID) (*struct{}, error) {
			who, err := pathID[contact.Contact](in.ID)
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return contact.Remove(ctx, tx, who) })
		})
	s.registerPortalSettingsAPI()
}
