package tenant_test

import (
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
)

// What one judge kept is known to that one alone, and what has no room is not kept.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	var v tenant.Verdicts
	one, other := &tenant.Judge{}, &tenant.Judge{}
	if _, known := v.Has(one, 3); known {
		t.Error("known before it was kept")
	}
	v.Keep(one, make([]uint64, 5))
	if _, known := v.Has(one, 3); known {
		t.Error("part of what has no room was kept")
	}
	v.Keep(one, []uint64{1 << 3, 1 << 1})
	v.Keep(other, []uint64{0, 0})
	for place, want := range map[int]bool{3: true, 65: true, 4: false, 200: false} {
		if yes, known := v.Has(one, place); yes != want || !known {
			t.Errorf("place %d is %v, known %v", place, yes, known)
		}
	}
	for _, place := range []int{-1, 256} {
		if _, known := v.Has(one, place); known {
			t.Errorf("place %d is known", place)
		}
	}
	if _, known := v.Has(other, 3); known {
		t.Error("another judge goes by it")
	}
	var none *tenant.Verdicts
	none.Keep(one, []uint64{1})
	if _, known := none.Has(one, 0); known {
		t.Error("known nowhere")
	}
}
