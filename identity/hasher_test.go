package identity

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestHasher(t *testing.T) {
	t.Parallel()
	ctx, h := context.Background(), newHasher(2)
	phc, err := h.hash(ctx, strong)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") || len(phc) > 300 {
		t.Errorf("got %q", phc)
	}
	if other, err := h.hash(ctx, strong); err != nil || other == phc {
		t.Errorf("the same password twice: %q, %v", other, err)
	}
	for password, want := range map[string]bool{strong: true, strong + " ": false, "": false} {
		if got, err := h.matches(ctx, password, phc); err != nil || got != want {
			t.Errorf("%q: got %v, %v", password, got, err)
		}
	}
	t.Run("reads a hash of another cost, made elsewhere", func(t *testing.T) {
		t.Parallel()
		// From the documentation of Python's argon2-cffi.
		const foreign = "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"
		if got, err := h.matches(ctx, "correct horse battery staple", foreign); err != nil || !got {
			t.Errorf("the right password: %v, %v", got, err)
		}
	})
	t.Run("compares with the decoy like with any other, and in vain", func(t *testing.T) {
		t.Parallel()
		for _, password := range []string{"", strong, strings.Repeat("\x00", 32)} {
			if got, err := h.matches(ctx, password, h.decoy); err != nil || got {
				t.Errorf("%q: got %v, %v", password, got, err)
			}
		}
	})
	t.Run("says so when what is stored cannot be read", func(t *testing.T) {
		t.Parallel()
		for _, bad := range []string{"", "x", strings.Replace(phc, "argon2id", "argon2i", 1), strings.Replace(phc, "v=19", "v=16", 1),
			strings.Replace(phc, "m=19456", "m=99999999", 1), strings.Replace(phc, "t=2", "t=0", 1), phc[:60], phc[:len(phc)-2] + "!!"} {
			if got, err := h.matches(ctx, strong, bad); !errors.Is(err, errPHC) || got {
				t.Errorf("%q: got %v, %v", bad, got, err)
			}
		}
	})
	t.Run("lets who waits leave", func(t *testing.T) {
		t.Parallel()
		full := newHasher(1)
		full.places <- struct{}{}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := full.hash(gone, strong); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
