package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// world is everything that runs.
type world struct {
	plan
	folder  string
	program string
	mail    *post
	cluster *cluster
	line    *line
	vault   *vault
	servers [2]*server
	worker  *process
	env     []string // of every process of the service
	load    *load
	untried []string // faults that cannot be had here, and why
}

// server is one `countinghouse serve`.
type server struct {
	address string
	clock   string // the file that says by how much its clock is wrong
	process *process
}

// clockVariable names the file of a process's clock. The programs that are built here alone look for it.
const clockVariable = "COUNTINGHOUSE_CHAOS_CLOCK"

func buildProgram(ctx context.Context, folder string) (string, error) {
	program := filepath.Join(folder, "countinghouse")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags=-X main.clockVariable="+clockVariable, "-o", program, "./cmd/countinghouse")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("building the service (from the root of the repository): %w", err)
	}
	return program, nil
}

// startService migrates, and starts two servers and a worker.
func (w *world) startService(ctx context.Context) error {
	key := filepath.Join(w.folder, "service.key")
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	if err := os.WriteFile(key, []byte(hex.EncodeToString(secret)), 0o600); err != nil {
		return err
	}
	w.env = append(os.Environ(), "COUNTINGHOUSE_DATABASE_URL="+w.cluster.url(w.line.address()), "COUNTINGHOUSE_KEY_FILE="+key,
		"COUNTINGHOUSE_ORIGIN=https://"+host, "COUNTINGHOUSE_SMTP_HOST=127.0.0.1", fmt.Sprintf("COUNTINGHOUSE_SMTP_PORT=%d", w.mail.port),
		"COUNTINGHOUSE_SMTP_TLS=none", "COUNTINGHOUSE_MAIL_FROM=books@"+host, "COUNTINGHOUSE_KEYRING=local",
		"COUNTINGHOUSE_KEYRING_DIR="+filepath.Join(w.folder, "keys"))
	if w.vault != nil {
		w.env = append(w.env, "COUNTINGHOUSE_KEYRING=vault", "COUNTINGHOUSE_VAULT_ADDRESS="+w.vault.Address,
			"COUNTINGHOUSE_VAULT_ROLE_ID="+w.vault.RoleID, "COUNTINGHOUSE_VAULT_SECRET_ID_FILE="+w.vault.SecretIDFile)
	}
	if _, err := w.once(ctx, "migrate"); err != nil {
		return err
	}
	for i := range w.servers {
		if err := w.startServer(i); err != nil {
			return err
		}
	}
	var err error
	w.worker, err = startProcess("worker", w.folder, func() *exec.Cmd { return w.countinghouse(nil, "work", "--runs=2") })
	return err
}

func (w *world) startServer(i int) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("server-%d", i+1)
	s := &server{address: fmt.Sprintf("127.0.0.1:%d", port), clock: filepath.Join(w.folder, name+".clock")}
	if err := s.setClock(0); err != nil {
		return err
	}
	s.process, err = startProcess(name, w.folder, func() *exec.Cmd {
		return w.countinghouse([]string{clockVariable + "=" + s.clock}, "serve", "--no-work", "--listen="+s.address,
			"--limit-network=0", "--limit-token=0", "--limit-organization=0", "--limit-person=0")
	})
	w.servers[i] = s
	return err
}

// setClock has the server believe that it is so much later; the file is there whole or not at all.
func (s *server) setClock(wrong time.Duration) error {
	if err := os.WriteFile(s.clock+".new", []byte(wrong.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(s.clock+".new", s.clock)
}

func (w *world) countinghouse(more []string, args ...string) *exec.Cmd {
	command := exec.Command(w.program, args...)
	command.Env = append(append([]string{}, w.env...), more...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command
}

// once runs a command of the service to its end.
func (w *world) once(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, w.program, args...)
	command.Env = w.env
	out, err := runOnce(ctx, nil, command)
	return string(out), err
}

// panicked gives what any process of the service said when it broke.
func (w *world) panicked() (said []string, err error) {
	for _, name := range []string{"server-1", "server-2", "worker"} {
		text, err := os.ReadFile(filepath.Join(w.folder, name+".log"))
		if err != nil {
			return said, err
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "panic") || strings.HasPrefix(line, "fatal error:") {
				said = append(said, fmt.Sprintf("%s: %.300s", name, strings.TrimSpace(line)))
			}
		}
	}
	return said, nil
}

// stop ends everything, the last first.
func (w *world) stop() (err error) {
	for _, s := range w.servers {
		if s != nil {
			err = errors.Join(err, s.process.stop(syscall.SIGTERM, 40*time.Second))
		}
	}
	return errors.Join(err, w.worker.stop(syscall.SIGTERM, 60*time.Second), w.vault.stop(), w.line.stop(), w.cluster.stop(), w.mail.stop(), w.load.record.close())
}
