package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/proof"
)

// drillReport is what came of a drill. Its JSON is for programs and keeps its names.
type drillReport struct {
	Proved          bool           `json:"proved"`
	Began           time.Time      `json:"began"`
	Until           time.Time      `json:"until,omitzero"` // the moment that was asked for
	Checks          []drillCheck   `json:"checks"`
	RecoveryPoint   time.Time      `json:"recovery_point,omitzero"` // of the newest that came back
	LostSeconds     float64        `json:"lost_seconds"`            // from there to the beginning of the drill
	RecoverySeconds float64        `json:"recovery_seconds"`        // until the database answered
	ProvingSeconds  float64        `json:"proving_seconds"`
	Bytes           int64          `json:"bytes,omitempty"` // copied
	Organizations   map[string]int `json:"organizations"`   // by state
	People          int            `json:"people"`
	Entries         int64          `json:"entries"` // of all journals
	Rows            int64          `json:"rows"`    // of all chains

	slugs []string // of those that are proved
}

// drillCheck is one thing that a drill proves.
type drillCheck struct {
	Key     string   `json:"key"`
	Name    string   `json:"name"`
	Verdict string   `json:"verdict"`        // yes, no, or not tried
	Said    []string `json:"said,omitempty"` // what does not agree, or how it went
}

const (
	agrees    = "yes"
	disagrees = "no"
	untried   = "not tried"
)

// drillChecks are those of a drill, in their order.
func drillChecks() []drillCheck {
	checks := []drillCheck{
		{Key: "files", Name: "The backup’s files are as they were written"},
		{Key: "recovered", Name: "A server recovers from them"},
		{Key: "versions", Name: "Each schema can be brought to this version"},
		{Key: "schemas", Name: "Each organization has its schema, its role and its tables"},
		{Key: "books", Name: "Each organization’s books can be proved"},
	}
	for _, c := range proof.Checks() {
		checks = append(checks, drillCheck{Key: c.Key, Name: c.Name})
	}
	return append(checks,
		drillCheck{Key: "keys", Name: "Secrets of organizations open by the keyring"},
		drillCheck{Key: "service_key", Name: "Second factors and secret settings open by the service’s key"},
		drillCheck{Key: "age", Name: "No more is lost than may be"})
}

// check is the one with that key. All are there from the first one on, not tried.
func (r *drillReport) check(key string) *drillCheck {
	if r.Checks == nil {
		r.Checks = drillChecks()
		for i := range r.Checks {
			r.Checks[i].Verdict = untried
		}
	}
	at := slices.IndexFunc(r.Checks, func(c drillCheck) bool { return c.Key == key })
	return &r.Checks[at]
}

// pass says that a check agrees, unless something was found already.
func (r *drillReport) pass(key, said string) { r.settle(key, agrees, said) }

// skip says why a check was not tried.
func (r *drillReport) skip(key, said string) { r.settle(key, untried, said) }

func (r *drillReport) settle(key, verdict, said string) {
	c := r.check(key)
	if c.Verdict != untried || c.Said != nil {
		return
	}
	c.Verdict = verdict
	if said != "" {
		c.Said = []string{said}
	}
}

// fail says what does not agree.
func (r *drillReport) fail(key, said string) {
	c := r.check(key)
	if c.Verdict != disagrees {
		c.Verdict, c.Said = disagrees, nil
	}
	c.Said = append(c.Said, said)
}

// reach notes that something came back that was written then.
func (r *drillReport) reach(at time.Time) {
	if at.After(r.RecoveryPoint) {
		r.RecoveryPoint = at.UTC()
	}
}

// age judges how old the newest is that came back.
func (r *drillReport) age(most time.Duration) {
	if r.RecoveryPoint.IsZero() {
		r.skip("age", "nothing in the backup has a time")
		return
	}
	lost := r.Began.Sub(r.RecoveryPoint)
	r.LostSeconds = seconds(max(lost, 0))
	said := fmt.Sprintf("the newest is of %s, %s before the drill", r.RecoveryPoint.Format(time.RFC3339), short(max(lost, 0)))
	if !r.Until.IsZero() {
		r.skip("age", said+"; you asked for "+r.Until.UTC().Format(time.RFC3339))
		return
	}
	if lost > most {
		r.fail("age", said+", and "+short(most)+" is the most that may be lost. Look why there is no newer backup.")
		return
	}
	r.pass("age", said)
}

// end closes the report: failed is why the drill could not go on, and it belongs to the first check that was not reached.
func (r *drillReport) end(failed error) {
	r.check("files")
	if failed != nil && !errors.Is(failed, errKnown) {
		at := slices.IndexFunc(r.Checks, func(c drillCheck) bool { return c.Key != "files" && c.Verdict == untried && c.Said == nil })
		r.fail(r.Checks[max(at, 1)].Key, sayFault(failed))
	}
	r.Proved = failed == nil && !slices.ContainsFunc(r.Checks, func(c drillCheck) bool { return c.Verdict == disagrees })
}

// say tells it to a person.
func (r drillReport) say(out io.Writer) error {
	var b strings.Builder
	for _, c := range r.Checks {
		verdict := map[string]string{agrees: "yes", disagrees: "NO ", untried: "-  "}[c.Verdict]
		fmt.Fprintf(&b, "%s  %s", verdict, c.Name)
		switch {
		case c.Verdict == disagrees:
			b.WriteString("\n")
			for _, said := range c.Said {
				fmt.Fprintf(&b, "       %s\n", said)
			}
			continue
		case len(c.Said) > 0:
			if c.Verdict == untried {
				b.WriteString(": not tried")
			}
			fmt.Fprintf(&b, " (%s)", c.Said[0])
		case c.Verdict == untried:
			b.WriteString(": not tried")
		}
		b.WriteString("\n")
	}
	if r.Proved {
		var states []string
		for _, state := range slices.Sorted(maps.Keys(r.Organizations)) {
			states = append(states, fmt.Sprintf("%s %s", count(r.Organizations[state]), state))
		}
		fmt.Fprintf(&b, "\nThe backup is proved: organizations and schemas %s; %s; %s of all journals.\nBack after %s, proved after %s more.\n", strings.Join(states, ", "),
			several(r.People, "persons"), several(int(r.Entries), "entries"),
			short(time.Duration(r.RecoverySeconds*float64(time.Second))), short(time.Duration(r.ProvingSeconds*float64(time.Second))))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// figures writes the text format of Prometheus.
func (r drillReport) figures(out io.Writer) error {
	found := 0
	for _, c := range r.Checks {
		if c.Verdict == disagrees {
			found += len(c.Said)
		}
	}
	proved := 0
	if r.Proved {
		proved = 1
	}
	for _, f := range []struct {
		name, help string
		value      float64
	}{
		{"proved", "Whether the last restore drill proved the backup.", float64(proved)},
		{"ended_timestamp_seconds", "When the last restore drill ended.", float64(time.Now().Unix())},
		{"findings", "How much did not agree in it.", float64(found)},
		{"lost_seconds", "How old the newest was that came back.", r.LostSeconds},
		{"recovery_seconds", "How long it took until the database answered.", r.RecoverySeconds},
		{"proving_seconds", "How long it then took to prove it.", r.ProvingSeconds},
	} {
		if _, err := fmt.Fprintf(out, "# HELP countinghouse_drill_%s %s\n# TYPE countinghouse_drill_%[1]s gauge\ncountinghouse_drill_%[1]s %[3]g\n", f.name, f.help, f.value); err != nil {
			return err
		}
	}
	return nil
}
