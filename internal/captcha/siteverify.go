package captcha

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	tokenMax  = 8 << 10
	answerMax = 64 << 10
)

// verdict is what both services answer.
type verdict struct {
	Success bool     `json:"success"`
	Errors  []string `json:"error-codes"`
}

// ours are the errors that say that the operator's keys or our question are wrong, not the visitor.
var ours = []string{"missing-input-secret", "invalid-input-secret", "bad-request", "internal-error", "invalid-keys"}

// ask puts a response to a siteverify service. The visitor's address is not sent along: neither service needs it.
func (c *Captcha) ask(ctx context.Context, address, secret, response string) error {
	if len(response) > tokenMax {
		return ErrRefused
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	form := url.Values{"secret": {secret}, "response": {response}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return ErrUnavailable.Because(fmt.Errorf("asking about a CAPTCHA: %w", err))
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	said, err := c.options.Client.Do(request)
	if err != nil {
		return ErrUnavailable.Because(fmt.Errorf("asking about a CAPTCHA: %w", err))
	}
	v, err := readVerdict(said)
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	if v.Success {
		return nil
	}
	for _, code := range v.Errors {
		if slices.Contains(ours, code) {
			return ErrUnavailable.Because(fmt.Errorf("the CAPTCHA's service does not take our keys (%s): see countinghouse settings show captcha.secret", code))
		}
	}
	return ErrRefused
}

func readVerdict(said *http.Response) (v verdict, err error) {
	defer func() { err = errors.Join(err, said.Body.Close()) }()
	if said.StatusCode >= http.StatusInternalServerError {
		return v, fmt.Errorf("the CAPTCHA's service answered %d", said.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(said.Body, answerMax)).Decode(&v); err != nil {
		return v, fmt.Errorf("the CAPTCHA's service answered %d with what cannot be read: %w", said.StatusCode, err)
	}
	return v, nil
}
