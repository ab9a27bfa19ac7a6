package jobs_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// The environment of a process that is a worker of its own, on the database of the one that started it.
const childURL, childKey = "COUNTINGHOUSE_TEST_URL", "COUNTINGHOUSE_TEST_KEY"

// workAsChild is a worker's process. Its jobs of kind test.hang say that they have begun, and never end.
func workAsChild() int {
	key, err := hex.DecodeString(os.Getenv(childKey))
	if err == nil {
		err = childWorks(tenant.Config{URL: os.Getenv(childURL), Key: key})
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func childWorks(config tenant.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	db, err := tenant.Open(ctx, config)
	if err != nil {
		return err
	}
	defer db.Close()
	r := registry()
	r.Organization("test.hang", func(context.Context, tenant.Scope, json.RawMessage) error {
		fmt.Println("began")
		select {}
	})
	return jobs.Work(ctx, db, r, slog.New(slog.DiscardHandler), jobs.Options{Poll: 20 * time.Millisecond})
}

// startChild starts such a process; its lines come over the channel.
func startChild(t *testing.T) (*exec.Cmd, <-chan string) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childURL+"="+tenanttest.Config().URL, childKey+"="+hex.EncodeToString(tenanttest.Config().Key))
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = &bytes.Buffer{}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended
		for range lines {
		}
		_ = command.Wait()
	})
	return command, lines
}

func TestJobOfAKilledWorkerRunsAgain(t *testing.T) {
	o := tenanttest.Found(t, tenanttest.DB(), nil)
	again := make(chan tenant.Scope, 1)
	args := act(func(_ context.Context, s tenant.Scope) error { again <- s; return nil })
	enqueue(t, o, jobs.Job{Kind: "test.hang", Args: args})
	child, lines := startChild(t)
	if line := receive(t, lines); line != "began" {
		t.Fatal(line)
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := find(t, args)[0]; got.State != "running" || got.Attempt != 1 {
		t.Fatalf("the job is %+v", got)
	}
	r := registry()
	r.Organization("test.hang", perform)
	work(t, tenanttest.DB(), r, jobs.Options{Dead: 2 * time.Second})
	receive(t, again)
	if got := await(t, args, "completed"); got.Attempt != 2 || !strings.Contains(got.Errors, "no sign of life") {
		t.Errorf("it ran again as %+v", got)
	}
}

// The one process shuts a member out; the other, which has never heard of it, does not run their job.
func TestJobOfSomeoneShutOutIsRefusedByAnotherProcess(t *testing.T) {
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	person, session := tenanttest.NewPerson(t, db)
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.SetMember(ctx, person, "accountant", tenant.Active)
	})
	scope, err := tenant.EnterMember(context.Background(), db, session, o.Slug)
	if err != nil {
		t.Fatal(err)
	}
	theirs := tenanttest.Organization{Scope: scope, Slug: o.Slug, Owner: person, Session: session}
	_, lines := startChild(t)
	enqueue(t, o, jobs.Job{Kind: "test.hang"}) // so that it is known to work
	if line := receive(t, lines); line != "began" {
		t.Fatal(line)
	}
	// Queued and shut out before anyone may run it: the process looks 50 times a second.
	args := act(func(context.Context, tenant.Scope) error { return nil })
	enqueue(t, theirs, jobs.Job{Kind: "test.hang", Args: args, RunAt: time.Now().Add(2 * time.Second)})
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.SetMember(ctx, person, "accountant", tenant.Denied)
	})
	if got := await(t, args, "cancelled"); !strings.Contains(got.Errors, "job.refused") {
		t.Errorf("the state is not clear: %+v", got)
	}
	select {
	case line := <-lines:
		t.Errorf("it ran: %s", line)
	default:
	}
}
