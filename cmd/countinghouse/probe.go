package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type probeCommand struct {
	URL     string        `arg:"" help:"What to ask, such as http://127.0.0.1:8080/readyz."`
	Timeout time.Duration `default:"5s" help:"How long it may take to answer."`
}

// Run fails unless the answer is 200. The process is asked by any of its addresses, and nothing secret goes either way:
// its certificate is of another name, and is not looked at.
func (p probeCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking %s: %w", p.URL, err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // #nosec G402 -- said above
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", p.URL, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d: %s", p.URL, answer.StatusCode, strings.TrimSpace(string(said)))
	}
	_, err = fmt.Print(string(said))
	return err
}
