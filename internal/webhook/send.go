package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/outward"
	"github.com/countinghouse/countinghouse/tenant"
)

// Sender makes secrets and sends messages.
type Sender struct {
	Sealer Sealer
	Client *http.Client // of outward.NewClient
	// Internal allows plain http and addresses inside networks, as on a machine of one's own.
	Internal bool
	// Mail sends a text to one address.
	Mail func(ctx context.Context, to, subject, text string) error
	// Origin is what links in mails begin with.
	Origin string
}

// outcome is what became of one try.
type outcome struct {
	status  int
	problem string
	answer  string
	wait    time.Duration // as the receiver asked
}

func (o outcome) arrived() bool { return o.status >= 200 && o.status <= 299 }

// DeliverNow makes the one try that the arguments name, and queues the next if it fails. A try that was made already is
// not made again; but one whose worker died before it noted so is: with the same webhook-id.
func (s *Sender) DeliverNow(ctx context.Context, db *tenant.DB, scope tenant.Scope, args json.RawMessage) error {
	var a attempt
	if err := json.Unmarshal(args, &a); err != nil {
		return fmt.Errorf("reading the arguments of a webhook's job: %w", err)
	}
	var to stored
	var d Delivery
	var due bool
	err := tenant.Do(ctx, db, scope, func(tx *tenant.Tx) (err error) {
		due = false
		if d, err = selectDelivery(ctx, tx, a.Endpoint, a.Delivery); errors.Is(err, ErrDeliveryNotFound) {
			return nil // its endpoint was removed
		} else if err != nil {
			return err
		}
		if to, err = selectStored(ctx, tx, a.Endpoint); err != nil {
			return err
		}
		due = d.State == Pending && d.Tries == a.Try && !to.Disabled
		if d.State == Pending && to.Disabled {
			return updateDropped(ctx, tx, a, "off")
		}
		return nil
	})
	if err != nil || !due {
		return err
	}
	o, err := s.post(ctx, db.Now(), scope.Organization().ID, a, to, d)
	if err != nil {
		return err
	}
	return tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error { return a.note(ctx, tx, o) })
}

// note keeps what became of a try, and what follows from it.
func (a attempt) note(ctx context.Context, tx *tenant.Tx, o outcome) error {
	state, next := Failed, (*time.Time)(nil)
	switch tried := a.Try + 1; {
	case o.arrived():
		state = Delivered
	case o.status != http.StatusGone && tried < len(schedule):
		at := tx.Now().Add(max(schedule[tried], o.wait))
		state, next = Pending, &at
	}
	if first, err := updateTried(ctx, tx, a, state, next, o); err != nil || !first {
		return err
	}
	since, err := updateFailing(ctx, tx, a.Endpoint, o.arrived())
	if err != nil {
		return err
	}
	switch {
	case o.status == http.StatusGone:
		return turnOff(ctx, tx, a.Endpoint, Gone)
	case since != nil && tx.Now().Sub(*since) >= failingFor:
		if err := turnOff(ctx, tx, a.Endpoint, Failing); err != nil {
			return err
		}
	}
	if next == nil {
		return nil
	}
	return attempt{a.Endpoint, a.Delivery, a.Try + 1}.enqueue(ctx, tx, *next)
}

// turnOff turns an endpoint off and has its owners told.
func turnOff(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, why string) error {
	if _, err := disable(ctx, tx, endpoint, why); err != nil {
		return err
	}
	return jobs.EnqueueForNobody(ctx, tx, jobs.Job{Kind: TellJob, Args: attempt{Endpoint: endpoint}, Key: endpoint.String()})
}

// post makes one try. An error is one of ours, after which the try counts for nothing; whatever the receiver does is an
// outcome.
func (s *Sender) post(ctx context.Context, now time.Time, organization tenant.OrganizationID, a attempt, to stored, d Delivery) (o outcome, err error) {
	body, err := d.body()
	if err != nil {
		return o, fmt.Errorf("writing a message: %w", err)
	}
	signatures, err := s.sign(ctx, now, organization, a, to, d.Message(), body)
	if err != nil {
		return o, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return outcome{problem: "unreachable"}, nil
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Countinghouse")
	r.Header.Set("webhook-id", d.Message())
	r.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("webhook-signature", signatures)
	answer, err := s.Client.Do(r)
	switch {
	case ctx.Err() != nil:
		return o, fmt.Errorf("sending a message: %w", ctx.Err())
	case errors.Is(err, outward.ErrInternal):
		return outcome{problem: "internal"}, nil
	case err != nil && os.IsTimeout(err):
		return outcome{problem: "timeout"}, nil
	case err != nil:
		return outcome{problem: "unreachable"}, nil
	}
	// What is still to come of the answer is nothing to us: the connection is not used again.
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	o = outcome{status: answer.StatusCode, wait: waitOf(answer, now)}
	o.answer, err = excerpt(answer.Body)
	if err != nil && ctx.Err() != nil {
		return o, fmt.Errorf("reading an answer: %w", ctx.Err())
	}
	return o, nil // the status line is the answer, whatever became of the rest
}

// sign signs by the secret, and in a rotation by the one before too.
func (s *Sender) sign(ctx context.Context, now time.Time, organization tenant.OrganizationID, a attempt, to stored, message string, body []byte) (string, error) {
	columns := map[string]string{"sealed": to.Sealed}
	order := []string{"sealed"}
	if to.FormerUntil != nil && now.Before(*to.FormerUntil) {
		columns["former_sealed"] = to.FormerSealed
		order = append(order, "former_sealed")
	}
	var all []string
	for _, column := range order {
		secret, err := s.Sealer.Open(ctx, placeOf(organization, column, a.Endpoint), columns[column])
		if err != nil {
			return "", fmt.Errorf("opening a webhook's secret: %w", err)
		}
		signature, err := Sign(string(secret), message, now, body)
		if err != nil {
			return "", err
		}
		all = append(all, signature)
	}
	return strings.Join(all, " "), nil
}

// waitOf is for how long the receiver asked to be left alone (RFC 9110, 10.2.3), a day at most.
func waitOf(answer *http.Response, now time.Time) time.Duration {
	said := answer.Header.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(said); err == nil {
		wait = time.Duration(min(max(seconds, 0), 24*60*60)) * time.Second
	} else if at, err := http.ParseTime(said); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), 24*time.Hour)
}

// hidden is what an answer may echo and a log must not hold: our secrets and signatures, and others' credentials.
var hidden = regexp.MustCompile(`(?i)whsec_[a-z0-9+/=_-]*|v1a?,[a-z0-9+/=]+|(?:bearer|basic)\s+[a-z0-9._~+/=-]+`)

// excerpt is the beginning of an answer as the log shows it.
func excerpt(body io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(body, 4<<10))
	s := strings.ToValidUTF8(string(b), "�")
	s = hidden.ReplaceAllString(s, "[hidden]")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:199]) + "…"
	}
	return s, err
}

// Tell mails the owners that an endpoint was turned off. Run again after a failure, it may mail again to some.
func (s *Sender) Tell(ctx context.Context, db *tenant.DB, scope tenant.Scope, args json.RawMessage) error {
	var a attempt
	if err := json.Unmarshal(args, &a); err != nil {
		return fmt.Errorf("reading the arguments of a webhook's job: %w", err)
	}
	var e Endpoint
	var owners []string
	err := tenant.Do(ctx, db, scope, func(tx *tenant.Tx) (err error) {
		if e, err = selectEndpoint(ctx, tx, a.Endpoint); err != nil {
			return err
		}
		owners, err = selectOwners(ctx, tx)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil || e.DisabledAt == nil {
		return err
	}
	why := "Nothing that we sent to it arrived for three days."
	if e.DisabledFor == Gone {
		why = "It answered that it wants no more messages (410 Gone)."
	}
	organization := scope.Organization()
	said := fmt.Sprintf("The webhook %q of %s is off: nothing more is sent to it.\n\n%s\n\nSee what was sent and what came back, and turn it on again once it is put right:\n\n%s/o/%s/settings/webhooks/%s\n",
		e.Name, organization.Name, why, s.Origin, organization.Slug, e.ID)
	for _, to := range owners {
		if err := s.Mail(ctx, to, "A webhook was turned off", said); err != nil {
			return fmt.Errorf("mailing that a webhook is off: %w", err)
		}
	}
	return nil
}
