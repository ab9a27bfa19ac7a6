package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// site is an application that answers on the loopback address.
type site struct {
	app     *fiber.App
	address string
	ended   chan error
}

func serve(app *fiber.App) (*site, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("finding a free port: %w", err)
	}
	s := &site{app, l.Addr().String(), make(chan error, 1)}
	go func() { s.ended <- app.Listener(l) }()
	return s, nil
}

func (s *site) close() error {
	err := errors.Join(s.app.Shutdown(), <-s.ended)
	if err != nil {
		return fmt.Errorf("ending a server: %w", err)
	}
	return nil
}

// caller is one client: it has a connection of its own and sends one request at a time.
type caller struct {
	client   *fasthttp.HostClient
	request  *fasthttp.Request
	response *fasthttp.Response
}

func newCaller(address string) *caller {
	return &caller{&fasthttp.HostClient{Addr: address, MaxConns: 1}, &fasthttp.Request{}, &fasthttp.Response{}}
}

func (c *caller) close() { c.client.CloseIdleConnections() }

// read reads an invoice.
func (c *caller) read(o organization, invoice string) error {
	c.request.Reset()
	c.request.Header.SetMethod(http.MethodGet)
	c.request.SetRequestURI("/v1/invoices/" + invoice)
	return c.send(o, http.StatusOK)
}

// post posts an entry of two lines.
func (c *caller) post(o organization, key string) error {
	c.request.Reset()
	c.request.Header.SetMethod(http.MethodPost)
	c.request.SetRequestURI("/v1/journal-entries")
	c.request.Header.Set("Idempotency-Key", key)
	c.request.Header.SetContentType("application/json")
	c.request.SetBodyString(`{"date":"2026-11-21","description":"Takings of the day","lines":[` +
		`{"account_id":"` + o.debit + `","debit":{"amount":"125.00","currency":"CAD"},"memo":"Till 1"},` +
		`{"account_id":"` + o.credit + `","credit":{"amount":"125.00","currency":"CAD"},"memo":"Till 1"}]}`)
	return c.send(o, http.StatusCreated)
}

func (c *caller) send(o organization, status int) error {
	c.request.SetHost(originHost)
	c.request.Header.Set("Authorization", "Bearer "+o.token)
	if err := c.client.Do(c.request, c.response); err != nil {
		return fmt.Errorf("calling %s: %w", c.client.Addr, err)
	}
	if c.response.StatusCode() != status {
		return fmt.Errorf("%s %s was answered %d: %s", c.request.Header.Method(), c.request.RequestURI(), c.response.StatusCode(), c.response.Body())
	}
	return nil
}

// body is the last answer; it is good until the next call.
func (c *caller) body() []byte { return c.response.Body() }
