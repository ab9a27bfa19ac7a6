package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// round is one turn of all four measures.
type round struct {
	Rates      [measures]float64 `json:"operations_per_second"`
	operations [measures]int
	spent      [measures]time.Duration
	used       [measures]usage
}

func (r *round) add(measure int, s slot) {
	r.operations[measure] += s.operations
	r.spent[measure] += s.end.Sub(s.begin)
	r.used[measure] = r.used[measure].add(s.used)
	r.Rates[measure] = float64(r.operations[measure]) / r.spent[measure].Seconds()
}

func (r *round) readRatio() float64 { return r.Rates[readHouse] / r.Rates[readBare] }
func (r *round) postRatio() float64 { return r.Rates[postHouse] / r.Rates[postBare] }

// spread is how a figure was distributed over the rounds. From and To bound its median with 95 % confidence, by the
// bootstrap.
type spread struct {
	Median        float64 `json:"median"`
	Least         float64 `json:"least"`
	LowerQuartile float64 `json:"lower_quartile"`
	UpperQuartile float64 `json:"upper_quartile"`
	Most          float64 `json:"most"`
	From          float64 `json:"from"`
	To            float64 `json:"to"`
}

func spreadOf(figures []float64) spread {
	sorted := slices.Sorted(slices.Values(figures))
	random := rand.New(rand.NewPCG(1, 2)) // the same figures give the same interval
	const draws = 5000
	medians := make([]float64, draws)
	drawn := make([]float64, len(sorted))
	for i := range medians {
		for j := range drawn {
			drawn[j] = sorted[random.IntN(len(sorted))]
		}
		slices.Sort(drawn)
		medians[i] = quantile(drawn, 0.5)
	}
	slices.Sort(medians)
	return spread{
		Median: quantile(sorted, 0.5), Least: sorted[0], LowerQuartile: quantile(sorted, 0.25),
		UpperQuartile: quantile(sorted, 0.75), Most: sorted[len(sorted)-1],
		From: quantile(medians, 0.025), To: quantile(medians, 0.975),
	}
}

// quantile lies between the two nearest of sorted figures.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// outcome is what a run found.
type outcome struct {
	plan   plan
	began  time.Time
	trips  [measures]int
	rounds []round
}

func (o outcome) read() spread { return o.of((*round).readRatio) }
func (o outcome) post() spread { return o.of((*round).postRatio) }

func (o outcome) of(figure func(*round) float64) spread {
	var all []float64
	for i := range o.rounds {
		all = append(all, figure(&o.rounds[i]))
	}
	return spreadOf(all)
}

// absolute is a measure by itself: information, not a promise.
type absolute struct {
	Name         string  `json:"name"`
	Rate         spread  `json:"operations_per_second"`
	RoundTrips   int     `json:"round_trips"`
	DatabaseUsec float64 `json:"database_cpu_microseconds"`
	ProcessUsec  float64 `json:"process_cpu_microseconds"`
}

var names = [measures]string{
	"a: read through HTTP", "b: read without tenancy", "c: post through HTTP", "d: post by pgbench",
}

func (o outcome) absolute(measure int) absolute {
	var operations int
	var used usage
	for _, r := range o.rounds {
		operations += r.operations[measure]
		used = used.add(r.used[measure])
	}
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(max(operations, 1)) }
	return absolute{
		Name: names[measure], Rate: o.of(func(r *round) float64 { return r.Rates[measure] }), RoundTrips: o.trips[measure],
		DatabaseUsec: per(used.database), ProcessUsec: per(used.ourselves),
	}
}

// publish prints tables, and keeps the same as JSON in a folder.
func (o outcome) publish(out io.Writer, folder string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\nratio of rates\tfloor\tmedian\t95 %% of it\tleast\tquartiles\tmost\t\n")
	for _, r := range []struct {
		name  string
		floor float64
		s     spread
	}{{"read a/b", readFloor, o.read()}, {"post c/d", postFloor, o.post()}} {
		fmt.Fprintf(table, "%s\t%.2f\t%.3f\t%.3f-%.3f\t%.3f\t%.3f-%.3f\t%.3f\t\n", r.name, r.floor, r.s.Median, r.s.From, r.s.To,
			r.s.Least, r.s.LowerQuartile, r.s.UpperQuartile, r.s.Most)
	}
	fmt.Fprintf(table, "\nmeasure\tper second\tquartiles\tmessages\tdatabase CPU\tservice and clients CPU\t\n")
	for measure := range measures {
		a := o.absolute(measure)
		process := fmt.Sprintf("%.0f µs", a.ProcessUsec)
		if measure == postBare {
			process = "-" // pgbench is a process of its own
		}
		fmt.Fprintf(table, "%s\t%.0f\t%.0f-%.0f\t%d\t%.0f µs\t%s\t\n", a.Name, a.Rate.Median, a.Rate.LowerQuartile, a.Rate.UpperQuartile,
			a.RoundTrips, a.DatabaseUsec, process)
	}
	fmt.Fprintf(table, "\n")
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the figures: %w", err)
	}
	if err := o.check(); err != nil {
		fmt.Fprintln(out, err)
	} else {
		fmt.Fprintln(out, "Both ratios reach their floors.")
	}
	if folder == "" {
		return nil
	}
	return o.keep(out, folder)
}

func (o outcome) keep(out io.Writer, folder string) error {
	content := map[string]any{
		"began": o.began.UTC().Format(time.RFC3339), "go": runtime.Version(), "processors": runtime.NumCPU(),
		"clients": o.plan.clients, "organizations": o.plan.organizations, "slice_seconds": o.plan.slice.Seconds(),
		"read_ratio": o.read(), "post_ratio": o.post(), "floors": map[string]float64{"read": readFloor, "post": postFloor},
		"order": names, "rounds": o.rounds,
	}
	var all []absolute
	for measure := range measures {
		all = append(all, o.absolute(measure))
	}
	content["measures"] = all
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	path := filepath.Join(folder, o.began.UTC().Format("20060102T150405Z")+".json")
	if err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(path, append(text, '\n'), 0o644)); err != nil {
		return fmt.Errorf("keeping the figures: %w", err)
	}
	fmt.Fprintln(out, "Kept in", path)
	return nil
}

// check says which median is below its floor.
func (o outcome) check() error {
	var all error
	if got := o.read().Median; got < readFloor {
		all = fmt.Errorf("TOO SLOW: reading reaches %.3f of the same without tenancy; the floor is %.2f", got, readFloor)
	}
	if got := o.post().Median; got < postFloor {
		all = errors.Join(all, fmt.Errorf("TOO SLOW: posting reaches %.3f of pgbench; the floor is %.2f", got, postFloor))
	}
	return all
}
