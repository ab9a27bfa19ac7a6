package page_test

import (
	"errors"
	"testing"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/web/page"
)

// TestFormOfWhatDoesNotAnswer: a keyring that is away is no mistake in a form. The answer is 503, which says when to
// try again, and not a form to put right.
func TestFormOfWhatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	away := fault.New(fault.Unavailable, "keys.away", "The keys are away.")
	form := page.NewForm()
	if form.Refused(errors.Join(errors.New("sealing"), away.Because(errors.New("connection refused")))) || len(form.Faults) != 0 {
		t.Errorf("it is put into the form: %v", form.Faults)
	}
	if !form.Refused(fault.New(fault.Conflict, "slug.taken", "Taken.").At("slug")) || len(form.Faults) != 1 {
		t.Errorf("a taken address is not: %v", form.Faults)
	}
}
