package identity

import (
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

const (
	origin = "https://books.example"
	strong = "nine wet otters dance"
)

// postbox is a mailer that keeps what it is given, or refuses it.
type postbox struct {
	mu    sync.Mutex
	mails []Mail
	fail  error
}

func (p *postbox) Send(_ context.Context, m Mail) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	p.mails = append(p.mails, m)
	return nil
}

func (p *postbox) empty() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = nil
}

func (p *postbox) to(email string) []Mail {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.mails), func(m Mail) bool { return m.To != email })
}

// newIdentity is one with a clock of its own, which may be moved.
func newIdentity(t testing.TB) (*Identity, *postbox, *tenanttest.Clock) {
	t.Helper()
	clock, post := &tenanttest.Clock{}, &postbox{}
	i, err := New(tenanttest.OpenWith(t, clock), post, Options{Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	return i, post, clock
}

func newEmail() string { return tenanttest.Random(6) + "@tidewater.example" }

var linkShape = regexp.MustCompile(`https://books\.example/set-up\?token=(\S+)`)

// requestLink asks for a link and reads it out of the mail.
func requestLink(t testing.TB, i *Identity, post *postbox, email string) string {
	t.Helper()
	before := len(post.to(email))
	if err := i.RequestSignUp(context.Background(), email); err != nil {
		t.Fatal(err)
	}
	mails := post.to(email)
	if len(mails) != before+1 {
		t.Fatalf("%d mails came", len(mails)-before)
	}
	found := linkShape.FindStringSubmatch(mails[before].Text)
	if found == nil {
		t.Fatalf("no link in %q", mails[before].Text)
	}
	return found[1]
}

func addPerson(t testing.TB, i *Identity) tenant.Person {
	t.Helper()
	p, err := i.AddPerson(context.Background(), newEmail(), "Mara Lindqvist", strong)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNew(t *testing.T) {
	t.Parallel()
	db, post := tenanttest.DB(), &postbox{}
	for _, bad := range []string{"", "books.example", "https://books.example/", "https://books.example/x", "javascript://books.example",
		"https://books.example?x=1", "https://mara@books.example", "https://", "https://books.example#x"} {
		if _, err := New(db, post, Options{Origin: bad}); err == nil {
			t.Errorf("the origin %q was taken", bad)
		}
	}
	if _, err := New(nil, post, Options{Origin: origin}); err == nil {
		t.Error("no database was taken")
	}
	if _, err := New(db, nil, Options{Origin: origin}); err == nil {
		t.Error("no mailer was taken")
	}
	if _, err := New(db, post, Options{Origin: origin, IdleTimeout: -1}); err == nil {
		t.Error("a session that is over before it begins was taken")
	}
}

func wants(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
