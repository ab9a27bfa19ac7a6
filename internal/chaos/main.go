// Package main breaks what the service stands on while people work, and then looks whether anything was lost.
//
// Two servers and a worker, processes of their own, run on a PostgreSQL with a synchronous replica and on a real Vault.
// Programs post, record payments, keep bank accounts and sign up; each write that was acknowledged is noted in a file that
// the service knows nothing of, before the next one is sent. A write without an answer is sent again under the same
// Idempotency-Key, as docs/developers.md asks of every client. Meanwhile one thing after another is killed, cut, filled,
// sealed or set wrong. At the end the file is held against the database by SQL of its own: each acknowledged write is there
// once, each that was not at most once, each entry balances, and each organization's chain verifies.
//
// What happens when is drawn from a seed, which is printed. Nothing waits for a time: each step waits for what it needs
// to see, within a bound.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// plan says what to run.
type plan struct {
	seed    uint64
	length  time.Duration // faults follow each other for so long, and until each kind was met once
	most    time.Duration // then the run is given up
	vault   string        // the program of secrets/realvault; "" for the local keyring
	built   string
	keep    bool
	disk    string // the size of the disk that is filled, as mount takes it
	clients int
}

func main() {
	var p plan
	flag.Uint64Var(&p.seed, "seed", 0, "what all chance is drawn from; 0 for a new one")
	flag.DurationVar(&p.length, "for", 30*time.Second, "for how long faults follow each other; each kind comes once at least")
	flag.DurationVar(&p.most, "most", 15*time.Minute, "after how long a run that does not end is given up")
	flag.StringVar(&p.vault, "vault", "", "the program that runs a Vault (make vault builds bin/realvault); without one keys are local")
	flag.StringVar(&p.disk, "disk", "256m", "how large the disk of PostgreSQL is that is filled")
	flag.IntVar(&p.clients, "clients", 4, "how many programs post at once")
	flag.StringVar(&p.built, "program", "", "the service, built before with -ldflags='-X main.clockVariable="+clockVariable+"'; without one it is built")
	flag.BoolVar(&p.keep, "keep", false, "leave the folder with all logs behind, also when all is well")
	flag.Parse()
	if p.seed == 0 {
		p.seed = uint64(time.Now().UnixNano())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, p.most)
	defer cancel()
	if err := run(ctx, p); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		cancel()
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan) (err error) {
	fmt.Printf("seed %d\n", p.seed)
	folder, err := os.MkdirTemp("", "countinghouse-chaos-")
	if err != nil {
		return err
	}
	if err := os.Chmod(folder, 0o755); err != nil { // the database's user passes through
		return err
	}
	defer func() {
		if err != nil || p.keep {
			fmt.Println("logs and the record are in", folder)
			return
		}
		err = os.RemoveAll(folder)
	}()
	w, err := build(ctx, p, folder)
	if err != nil {
		return errors.Join(err, w.stop())
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	met, err := w.torment(ctx, rand.New(rand.NewPCG(p.seed, 1)))
	if err != nil {
		return fmt.Errorf("%w\n%s", err, met)
	}
	verdict, err := w.judge(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%v%v", met, verdict)
	return verdict.wrong()
}

// torment lets the load run while faults follow each other, and returns once everything is well again and every write
// has its answer.
func (w *world) torment(ctx context.Context, chance *rand.Rand) (met report, err error) {
	met = report{began: time.Now()}
	if err := w.load.begin(ctx, w); err != nil {
		return met, err
	}
	faults := w.faults(chance)
	met.left = w.untried
	for n := 0; n < len(faults) || time.Since(met.began) < w.length; n++ {
		if n%len(faults) == 0 {
			chance.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		}
		if err := w.meet(ctx, faults[n%len(faults)], &met); err != nil {
			return met, errors.Join(err, w.load.end(ctx))
		}
	}
	met.took = time.Since(met.began)
	return met, w.load.end(ctx)
}

// build starts everything. What it returns is to be stopped also after an error.
func build(ctx context.Context, p plan, folder string) (w *world, err error) {
	w = &world{plan: p, folder: folder, load: &load{pace: 10 * time.Millisecond, posting: p.clients}}
	if w.program = p.built; w.program == "" {
		if w.program, err = buildProgram(ctx, folder); err != nil {
			return w, err
		}
	}
	if w.mail, err = startMail(); err != nil {
		return w, err
	}
	if w.cluster, err = startCluster(ctx, folder, p.disk); err != nil {
		return w, err
	}
	w.untried = w.cluster.untried
	if w.line, err = newLine(w.cluster.address()); err != nil {
		return w, err
	}
	if w.vault, err = startVault(ctx, p.vault, filepath.Join(folder, "vault")); err != nil {
		return w, err
	}
	if w.vault == nil {
		w.untried = append(w.untried, "Vault sealed (there is none: -vault)")
	}
	if err := w.startService(ctx); err != nil {
		return w, err
	}
	w.load.record, err = openRecord(filepath.Join(folder, "record.jsonl"))
	return w, err
}
