package watch_test

import (
	"context"
	"crypto/hmac"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// queue keeps the events that are to be delivered.
type queue struct {
	mu     sync.Mutex
	events []watch.ID
}

func (q *queue) add(_ context.Context, _ *tenant.PlatformTx, event watch.ID) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = append(q.events, event)
	return nil
}

type mails struct {
	to   []string
	text []string
	fail error
}

func (m *mails) send(_ context.Context, to, _, text string) error {
	if m.fail != nil {
		return m.fail
	}
	m.to, m.text = append(m.to, to), append(m.text, text)
	return nil
}

func TestMailEvent(t *testing.T) {
	t.Parallel()
	db, ctx := tenanttest.DB(), context.Background()
	o := tenanttest.Found(t, db, nil)
	member, _ := tenanttest.NewPerson(t, db)
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.SetMember(ctx, member, "viewer", tenant.Active)
	})
	for name, c := range map[string]struct {
		event watch.Event
		to    []string
	}{
		"of an organization, to its owners and the operator": {watch.Event{Kind: watch.RevokedToken, Organization: o.Scope.Organization().ID}, []string{"ops@house.example", o.Owner.Email}},
		"high, of a member's account":                        {watch.Event{Kind: watch.Disowned, Person: member.ID}, []string{"ops@house.example", o.Owner.Email}},
		"medium, of a member's account":                      {watch.Event{Kind: watch.Guessing, Person: member.ID}, []string{"ops@house.example"}},
		"of nobody we know":                                  {watch.Event{Kind: watch.Spraying, Network: "198.51.100.9"}, []string{"ops@house.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, post := &queue{}, &mails{}
			w := watch.New(db, watch.Options{Enqueue: q.add})
			c.event.Subject = tenanttest.Random(8)
			raise(t, w, c.event)
			out := watch.Outlets{Mail: post.send, Staff: "ops@house.example", Origin: "https://books.example"}
			post.fail = errors.New("no mail server")
			if err := w.MailEvent(ctx, out, q.events[0]); !errors.Is(err, post.fail) {
				t.Fatalf("a mail that is not taken over: %v", err)
			}
			post.fail = nil
			for range 2 {
				if err := w.MailEvent(ctx, out, q.events[0]); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(post.to, c.to) {
				t.Fatalf("mailed to %v", post.to)
			}
			if strings.Contains(post.text[0], "@") || strings.Contains(post.text[0], o.Owner.Name) {
				t.Fatalf("the mail names someone: %s", post.text[0])
			}
		})
	}
	t.Run("not at all when it is low", func(t *testing.T) {
		t.Parallel()
		q := &queue{}
		raise(t, watch.New(db, watch.Options{Enqueue: q.add}), watch.Event{Kind: watch.Probing, Severity: watch.Low, Subject: tenanttest.Random(8)})
		if len(q.events) != 0 {
			t.Fatal("it was queued")
		}
	})
}

func TestPostEvent(t *testing.T) {
	t.Parallel()
	db, ctx, key := tenanttest.DB(), context.Background(), []byte(strings.Repeat("k", 32))
	var got [][]byte
	status := http.StatusServiceUnavailable
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if want := watch.Sign(key, r.Header.Get("X-Countinghouse-Timestamp"), body); !hmac.Equal([]byte(want), []byte(r.Header.Get("X-Countinghouse-Signature"))) {
			t.Errorf("signed as %q", r.Header.Get("X-Countinghouse-Signature"))
		}
		if status == http.StatusOK {
			got = append(got, body)
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(receiver.Close)
	q := &queue{}
	w := watch.New(db, watch.Options{Enqueue: q.add})
	person, _ := tenanttest.NewPerson(t, db)
	raise(t, w, watch.Event{Kind: watch.Guessing, Person: person.ID, Network: "192.0.2.77"})

	guarded, err := watch.NewWebhook(watch.WebhookOptions{URL: strings.Replace(receiver.URL, "http:", "https:", 1), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.PostEvent(ctx, watch.Outlets{Webhook: guarded}, q.events[0]); err == nil || !strings.Contains(err.Error(), "inside a network") {
		t.Fatalf("an address of our own: %v", err)
	}
	hook, err := watch.NewWebhook(watch.WebhookOptions{URL: receiver.URL, Key: key, Internal: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, status = range []int{http.StatusServiceUnavailable, http.StatusFound} {
		if err := w.PostEvent(ctx, watch.Outlets{Webhook: hook}, q.events[0]); err == nil {
			t.Fatalf("status %d is taken for an answer", status)
		}
	}
	status = http.StatusOK
	for range 2 {
		if err := w.PostEvent(ctx, watch.Outlets{Webhook: hook}, q.events[0]); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 1 || !strings.Contains(string(got[0]), `"kind":"guessing"`) || !strings.Contains(string(got[0]), person.ID.String()) || strings.Contains(string(got[0]), "@") {
		t.Fatalf("posted %q", got)
	}
}

func TestNewWebhook(t *testing.T) {
	t.Parallel()
	key := []byte(strings.Repeat("k", 32))
	for _, bad := range []watch.WebhookOptions{
		{URL: "http://siem.example/x", Key: key}, {URL: "siem.example", Key: key}, {URL: "https://me:pass@siem.example/", Key: key},
		{URL: "file:///etc/passwd", Key: key, Internal: true}, {URL: "https://siem.example/", Key: key[:31]}, {Key: key},
	} {
		if _, err := watch.NewWebhook(bad); err == nil {
			t.Errorf("%q was taken", bad.URL)
		}
	}
}
