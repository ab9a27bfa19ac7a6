package custody_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

var totp = tenant.PlatformSealedColumn{Table: "platform.totp", Column: "sealed", Key: "person_id", Place: "totp/"}

func serviceKeys(t *testing.T, db *tenant.DB, key byte) *custody.ServiceKeys {
	t.Helper()
	k, err := custody.NewServiceKeys(db, bytes.Repeat([]byte{key}, 32), bytes.Repeat([]byte{key + 100}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// factor is a person's second factor, by its row.
type factor struct {
	db     *tenant.DB
	person string
}

func (f factor) store(t *testing.T, sealed []byte) {
	t.Helper()
	err := tenant.DoPlatform(t.Context(), f.db, func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO platform.totp (person_id, sealed, created_at) VALUES ($1, $2, $3)
			ON CONFLICT (person_id) DO UPDATE SET sealed = EXCLUDED.sealed`, f.person, sealed, tx.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (f factor) stored(ctx context.Context) (sealed []byte, err error) {
	err = tenant.DoPlatform(ctx, f.db, func(tx *tenant.PlatformTx) error {
		return tx.Get(ctx, &sealed, `SELECT sealed FROM platform.totp WHERE person_id = $1`, f.person)
	})
	return sealed, err
}

// The service's key is one for the whole database: what is to be tried with it is tried in order, in one test.
func TestServiceKeyIsRenewed(t *testing.T) {
	clock := &tenanttest.Clock{}
	db := tenanttest.OpenWith(t, clock)
	keys, elsewhere := serviceKeys(t, db, 1), serviceKeys(t, db, 1)
	var factors []factor
	for n := range 130 {
		person, _ := tenanttest.NewPerson(t, db)
		f := factor{db, person.ID.String()}
		sealed, err := keys.Seal(totp.Place+f.person, fmt.Appendf(nil, "secret %d", n))
		if err != nil {
			t.Fatal(err)
		}
		f.store(t, sealed)
		factors = append(factors, f)
	}
	altered, _ := tenanttest.NewPerson(t, db)
	factor{db, altered.ID.String()}.store(t, []byte("nobody sealed this"))
	read := func(ctx context.Context, k *custody.ServiceKeys, n int) error {
		sealed, err := factors[n].stored(ctx)
		if err != nil {
			return err
		}
		plain, err := k.Open(totp.Place+factors[n].person, sealed)
		if err == nil && string(plain) != fmt.Sprintf("secret %d", n) {
			err = fmt.Errorf("it opens as %q", plain)
		}
		return err
	}
	rotator := custody.ServiceRotator{Keys: keys, Columns: []tenant.PlatformSealedColumn{totp}}
	if out, err := rotator.RotateIfOlder(t.Context(), 24*time.Hour); err != nil || !out.Done || out.Version != 1 || out.Rewrapped != 0 {
		t.Fatalf("at first it is young: %+v, %v", out, err)
	}
	old, err := factors[0].stored(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	reading, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for r, k := range []*custody.ServiceKeys{keys, elsewhere} { // the same process, and another
		readers.Go(func() {
			for n := r; reading.Err() == nil; n++ {
				if err := read(t.Context(), k, n%len(factors)); err != nil {
					t.Errorf("while the key is renewed: %v", err)
					return
				}
			}
		})
	}
	cut, cancel := context.WithCancel(t.Context())
	rotator.Progress = func(custody.Progress) { cancel() } // killed after the first hundred
	if _, err := rotator.Rotate(cut); !errors.Is(err, context.Canceled) {
		t.Errorf("cut short: %v", err)
	}
	rotator.Progress = nil
	out, err := rotator.Rotate(t.Context())
	if err != nil || out.Done || out.Version != 2 || out.Rewrapped != 30 || out.Unreadable != 1 {
		t.Errorf("taken up again: %+v, %v", out, err)
	}
	// A request that began before stores what the first version sealed.
	factors[0].store(t, old)
	if err := read(t.Context(), elsewhere, 0); err != nil {
		t.Errorf("it does not open: %v", err)
	}
	clock.Advance(3 * time.Minute)
	if out, err = rotator.Rotate(t.Context()); err != nil || !out.Done || out.Rewrapped != 1 {
		t.Errorf("when all is over: %+v, %v", out, err)
	}
	stop()
	readers.Wait()
	for n := range factors {
		if err := read(t.Context(), serviceKeys(t, db, 1), n); err != nil {
			t.Fatalf("after a restart: %v", err)
		}
	}
	if _, err := serviceKeys(t, db, 1).Open(totp.Place+factors[0].person, old); !errors.Is(err, custody.ErrServiceRetired) {
		t.Errorf("what the first version sealed opens, from a backup: %v", err)
	}
	if out, err := rotator.RotateIfOlder(t.Context(), 24*time.Hour); err != nil || !out.Done || out.Version != 2 {
		t.Errorf("it is young again: %+v, %v", out, err)
	}
	testWrongServiceKey(t, db, factors[0])
	clock.Advance(25 * time.Hour)
	if out, err := rotator.RotateIfOlder(t.Context(), 24*time.Hour); err != nil || out.Done || out.Version != 3 || out.Rewrapped != 130 {
		t.Errorf("a day later: %+v, %v", out, err)
	}
	if err := read(t.Context(), elsewhere, 1); err != nil {
		t.Errorf("elsewhere, by the third version: %v", err)
	}
}

// testWrongServiceKey has another key file beside the database: it is told, and nothing is sealed by what nobody has.
func testWrongServiceKey(t *testing.T, db *tenant.DB, f factor) {
	t.Helper()
	wrong := serviceKeys(t, db, 2)
	sealed, err := f.stored(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Open(totp.Place+f.person, sealed); err == nil || errors.Is(err, custody.ErrServiceSealed) {
		t.Errorf("opened by the wrong key: %v", err)
	}
	if _, err := wrong.Seal("x", []byte("y")); err == nil {
		t.Error("it seals by the wrong key")
	}
	if out, err := (custody.ServiceRotator{Keys: wrong, Columns: []tenant.PlatformSealedColumn{totp}}).Rotate(t.Context()); err == nil {
		t.Errorf("it is renewed by the wrong key: %+v", out)
	}
}
