package page

import (
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/internal/id"
)

// sampleExports has one of each state.
func sampleExports() (all []Export) {
	for _, state := range []takeout.State{takeout.Queued, takeout.Running, takeout.Ready, takeout.Failed, takeout.Refused, takeout.Cancelled, takeout.Expired} {
		all = append(all, Export{Export: takeout.Export{ID: id.New[takeout.Export](), Holds: "journal", Name: "tidewater-journal-2026-11-21.csv", State: state,
			Done: 41200, All: 100000, Size: 5 << 20, AskedName: "Mara Lindqvist", CreatedAt: now, ExpiresAt: now}, SizeText: "5.0 MB", MayFetch: state == takeout.Ready})
	}
	return all
}
