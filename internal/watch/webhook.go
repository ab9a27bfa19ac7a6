package watch

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/countinghouse/countinghouse/internal/outward"
)

// Webhook posts security events to an address of the operator's.
type Webhook struct {
	url    string
	key    []byte
	client *http.Client
}

// WebhookOptions say where to and how.
type WebhookOptions struct {
	URL string // https, or http where Internal allows it
	Key []byte // signs each post; 32 bytes or more
	// Internal allows addresses inside the operator's own network. Without it, a name that leads there is refused when
	// it is dialled: a name that was harmless when it was set may lead elsewhere later.
	Internal bool
}

// NewWebhook checks what an operator set.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || (u.Scheme != "https" && !(o.Internal && u.Scheme == "http")) {
		return nil, errors.New("the security webhook is not of the form https://host/path")
	}
	if len(o.Key) < 32 {
		return nil, errors.New("the key of the security webhook is shorter than 32 bytes")
	}
	return &Webhook{url: o.URL, key: o.Key, client: outward.NewClient(outward.Options{Internal: o.Internal})}, nil
}

// Sign is what X-Countinghouse-Signature holds for a body posted at a time, in Unix seconds as
// X-Countinghouse-Timestamp has it: "v1=" and the HMAC-SHA256, in hex, of the timestamp, a point and the body. Who
// receives it computes the same, compares in constant time, and refuses what is older than five minutes.
func Sign(key []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

func (h *Webhook) post(ctx context.Context, now time.Time, body []byte) (err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Countinghouse")
	r.Header.Set("X-Countinghouse-Timestamp", timestamp)
	r.Header.Set("X-Countinghouse-Signature", Sign(h.key, timestamp, body))
	answer, err := h.client.Do(r)
	if errors.Is(err, outward.ErrInternal) {
		return fmt.Errorf("allow that by its own setting, if it is meant: %w", err)
	} else if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)); err != nil {
		return err
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the webhook answered %d", answer.StatusCode)
	}
	return nil
}
