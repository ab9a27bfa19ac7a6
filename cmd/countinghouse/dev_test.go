package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// run is `countinghouse dev` as a person starts it.
type run struct {
	*exec.Cmd
	lines chan string
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "countinghouse")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

func startDev(t *testing.T, binary, data string, port int) *run {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	r := &run{exec.CommandContext(ctx, binary, "dev", "--data", data, "--port", fmt.Sprint(port)), make(chan string, 1000)}
	out, err := r.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Stderr = r.Stdout
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			r.lines <- scan.Text()
		}
	}()
	return r
}

// waitFor reads what is printed up to a line that holds the words.
func (r *run) waitFor(t *testing.T, words string) (printed string) {
	t.Helper()
	for line := range r.lines {
		printed += line + "\n"
		if strings.Contains(line, words) {
			return printed
		}
	}
	t.Fatalf("it ended without saying %q:\n%s", words, printed)
	return ""
}

// interrupt presses Ctrl-C.
func (r *run) interrupt(t *testing.T) {
	t.Helper()
	if err := r.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	r.waitFor(t, "Stopped.")
	for range r.lines { // until it has closed its output
	}
	if err := r.Wait(); err != nil {
		t.Fatalf("it did not stop cleanly: %v", err)
	}
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", address, response.StatusCode, err)
	}
	return string(body)
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// openFolder is one that a server which runs as another user may pass through.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "countinghouse-dev-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}

func TestDev(t *testing.T) {
	t.Parallel()
	binary, data, port := build(t), filepath.Join(openFolder(t), "data"), freePort(t)
	home := fmt.Sprintf("http://localhost:%d", port)

	first := startDev(t, binary, data, port)
	first.waitFor(t, home+"/dev/outbox")
	if page := fetch(t, home+"/sign-up"); !strings.Contains(page, "Open your books") {
		t.Error("the sign-up page is another")
	}
	second := startDev(t, binary, filepath.Join(data, "other"), port)
	second.waitFor(t, fmt.Sprintf("port %d is taken", port))
	if err := second.Wait(); err == nil {
		t.Error("a second one on the same port says that all is well")
	}
	first.interrupt(t)

	t.Run("works again on the data of the last run", func(t *testing.T) {
		again := startDev(t, binary, data, port)
		again.waitFor(t, home+"/dev/outbox")
		fetch(t, home+"/sign-in")
		again.interrupt(t)
	})
	t.Run("takes its database along when it is killed, and starts again", func(t *testing.T) {
		killed := startDev(t, binary, data, port)
		killed.waitFor(t, home+"/dev/outbox")
		if err := killed.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for range killed.lines {
		}
		_ = killed.Wait() // the signal, which we sent
		again := startDev(t, binary, data, port)
		again.waitFor(t, home+"/dev/outbox")
		fetch(t, home+"/sign-in")
		again.interrupt(t)
	})
}
