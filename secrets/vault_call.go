package secrets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why the keys cannot be used just now. Each is ErrUnavailable as well.
var (
	ErrSealed = fault.New(fault.Unavailable, "secrets.sealed",
		"The keys are locked away, because the Vault is sealed. Try again once whoever runs this service has unsealed it.")
	ErrUnreachable = fault.New(fault.Unavailable, "secrets.unreachable",
		"The Vault that keeps the keys does not answer. Try again shortly; if it lasts, tell whoever runs this service.")
	ErrSlow = fault.New(fault.Unavailable, "secrets.slow",
		"The Vault that keeps the keys answers too slowly. Try again shortly; if it lasts, tell whoever runs this service.")
	ErrRefused = fault.New(fault.Unavailable, "secrets.refused",
		"The Vault that keeps the keys no longer lets this service use them. Tell whoever runs this service: its role or policy in Vault has changed.")
)

// away is the cause of those four, for the log.
type away struct{ error }

// Is makes each of them ErrUnavailable.
func (away) Is(target error) bool { return ErrUnavailable.Is(target) }

// Unwrap gives the cause itself.
func (a away) Unwrap() error { return a.error }

func notReached(why *fault.Error, cause error) error { return why.Because(away{cause}) }

// What Vault may answer that is no failure of Vault.
var (
	errNotFound  = errors.New("vault has nothing there")
	errForbidden = errors.New("vault does not allow that")
)

// refusal is a request that Vault found wrong, with what it said.
type refusal struct {
	cause error
	body  []byte
}

func (r *refusal) Error() string { return r.cause.Error() }

// plain turns what only this package knows into what callers may see.
func plain(err error) error {
	var refused *refusal
	if errors.Is(err, errForbidden) || errors.As(err, &refused) || errors.Is(err, errNotFound) {
		return notReached(ErrRefused, err)
	}
	return err
}

const (
	tries     = 3
	firstWait = 50 * time.Millisecond
)

// call asks Vault, and asks again, after a while that doubles, when it is busy or broken. It answers errNotFound,
// *refusal, the four above or the context's error; errForbidden only from where the key may be missing.
func (v *Vault) call(ctx context.Context, method, path string, body, answer any) error {
	for try := 1; ; try++ {
		err := v.callOnce(ctx, method, path, body, answer)
		if try == tries || !passing(err) {
			return err
		}
		wait := firstWait << (try - 1)
		timer := time.NewTimer(wait/2 + rand.N(wait))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// passing reports whether an error may be over in a moment. A sealed Vault stays so until a person comes, and one
// that is slow is not made faster by asking more.
func passing(err error) bool {
	var answered *api.ResponseError
	if errors.As(err, &answered) {
		return answered.StatusCode == http.StatusTooManyRequests || answered.StatusCode >= 500 && !errors.Is(err, ErrSealed)
	}
	return errors.Is(err, ErrUnreachable)
}

// callOnce asks once, or twice if the token was no longer good.
func (v *Vault) callOnce(ctx context.Context, method, path string, body, answer any) error {
	if err := v.breaker.allow(); err != nil {
		return err
	}
	err := v.ask(ctx, method, path, body, answer)
	v.breaker.note(ctx, err)
	return err
}

func (v *Vault) ask(ctx context.Context, method, path string, body, answer any) error {
	limited, done := context.WithTimeout(ctx, v.timeout)
	defer done()
	for again := false; ; again = true {
		which, err := v.door.enter(limited)
		if err != nil {
			return classify(ctx, err)
		}
		err = classify(ctx, v.send(limited, method, path, body, answer))
		if again || !errors.Is(err, errForbidden) {
			return err
		}
		if err := v.door.again(limited, which); err != nil {
			return classify(ctx, err)
		}
	}
}

func (v *Vault) send(ctx context.Context, method, path string, body, answer any) error {
	var response *api.Response
	var err error
	switch method {
	case http.MethodGet:
		response, err = v.client.Logical().ReadRawWithContext(ctx, path)
	case http.MethodDelete:
		response, err = v.client.Logical().DeleteRawWithContext(ctx, path)
	default:
		text, failed := json.Marshal(body)
		if failed != nil {
			return fmt.Errorf("writing a request to Vault: %w", failed)
		}
		defer clear(text)
		response, err = v.client.Logical().WriteRawWithContext(ctx, path, text)
	}
	if response != nil {
		defer response.Body.Close()
	}
	if err != nil {
		return withBody(err, response)
	}
	return read(response, answer)
}

// withBody keeps what Vault said of a request that it found wrong: of a batch, why each item failed.
func withBody(err error, response *api.Response) error {
	if response == nil || statusOf(err) != http.StatusBadRequest {
		return err
	}
	body, failed := io.ReadAll(response.Body)
	if failed != nil {
		return failed
	}
	return &refusal{err, body}
}

func read(response *api.Response, answer any) error {
	if answer == nil {
		_, err := io.Copy(io.Discard, response.Body) // so that the connection is used again
		return err
	}
	text := new(bytes.Buffer)
	defer func() { clear(text.Bytes()) }()
	if _, err := text.ReadFrom(response.Body); err != nil {
		return err
	}
	return decode(text.Bytes(), answer)
}

func decode(text []byte, answer any) error {
	var whole struct{ Data json.RawMessage }
	if err := json.Unmarshal(text, &whole); err != nil {
		return errors.New("the answer is not Vault's") // the decoder's own words could show some of it
	}
	if err := json.Unmarshal(whole.Data, answer); err != nil {
		return errors.New("the answer is not as Vault's should be")
	}
	return nil
}

// statusOf is the HTTP status that Vault answered with, or 0.
func statusOf(err error) int {
	var answered *api.ResponseError
	if errors.As(err, &answered) {
		return answered.StatusCode
	}
	return 0
}

// classify says what an error of a request means. ctx is the caller's own.
func classify(ctx context.Context, err error) error {
	var known *fault.Error
	var refused *refusal
	var network net.Error
	switch status := statusOf(err); {
	case err == nil, errors.As(err, &known), errors.As(err, &refused), errors.Is(err, errForbidden):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case status == http.StatusNotFound:
		return errNotFound
	case status == http.StatusForbidden:
		return errForbidden
	case status == http.StatusServiceUnavailable && strings.Contains(err.Error(), "sealed"):
		return notReached(ErrSealed, err)
	case status == http.StatusTooManyRequests:
		return notReached(ErrSlow, err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return notReached(ErrSlow, err)
	}
	return notReached(ErrUnreachable, err)
}
