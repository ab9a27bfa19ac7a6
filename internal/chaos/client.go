package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// host is where people think they are.
const host = "books.example"

// answer is what came back.
type answer struct {
	status  int
	body    []byte
	session string // a cookie that was set
	to      string // where it sends the browser
}

// errRefused is an answer that no fault explains.
var errRefused = errors.New("refused")

// caller sends to one server after the other, and at once to the other when one fails.
type caller struct {
	http    *http.Client
	servers [2]string
	at      int
	failed  *atomic.Int64 // tries without a good answer, of all callers
}

func newCaller(w *world, at int) *caller {
	c := &caller{at: at, failed: &w.load.failed, http: &http.Client{Timeout: 8 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for i, s := range w.servers {
		c.servers[i] = s.address
	}
	return c
}

// ask is what is sent.
type ask struct {
	method, path   string
	token, session string
	key            string
	body           any // url.Values for a form, else JSON
}

func (c *caller) send(ctx context.Context, a ask) (got answer, err error) {
	body, kind := []byte(nil), "application/json"
	switch b := a.body.(type) {
	case nil:
	case url.Values:
		body, kind = []byte(b.Encode()), "application/x-www-form-urlencoded"
	default:
		if body, err = json.Marshal(b); err != nil {
			return got, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, a.method, "http://"+c.servers[c.at]+a.path, bytes.NewReader(body))
	if err != nil {
		return got, err
	}
	request.Host = host
	for name, value := range map[string]string{"Content-Type": kind, "Idempotency-Key": a.key} {
		if value != "" && (body != nil || name != "Content-Type") {
			request.Header.Set(name, value)
		}
	}
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	if a.session != "" {
		request.Header.Set("Cookie", "__Host-session="+a.session)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return got, err
	}
	defer response.Body.Close()
	got.status, got.to = response.StatusCode, response.Header.Get("Location")
	for _, cookie := range response.Cookies() {
		if cookie.Name == "__Host-session" {
			got.session = cookie.Value
		}
	}
	got.body, err = io.ReadAll(response.Body)
	return got, err
}

// passes says whether an answer is one after which a client is to try again.
func passes(status int, body []byte) bool {
	return status >= 500 || status == http.StatusConflict && strings.Contains(string(body), "idempotency.in_flight")
}

// until sends the same again until it is answered, at the other server each time. It fails with errRefused for an answer
// that trying again does not change.
func (c *caller) until(ctx context.Context, a ask) (answer, error) {
	c.at = 1 - c.at // else all end up at the server that failed last
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		got, err := c.send(ctx, a)
		switch {
		case err == nil && !passes(got.status, got.body):
			if got.status >= 400 {
				return got, fmt.Errorf("%s %s: %w with %d: %.300s", a.method, a.path, errRefused, got.status, got.body)
			}
			return got, nil
		case ctx.Err() != nil:
			return got, ctx.Err()
		}
		c.failed.Add(1)
		c.at = 1 - c.at
		select {
		case <-ctx.Done():
			return got, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// read asks until there is an answer, and reads it into what is given.
func (c *caller) read(ctx context.Context, a ask, into any) error {
	got, err := c.until(ctx, a)
	if err != nil {
		return err
	}
	return json.Unmarshal(got.body, into)
}
