package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
)

func portTaken(port int) *fault.Error {
	return ErrPortTaken.Sayf("Port %d on 127.0.0.1 is taken by another program. Stop that program, or choose another port for the database.", port)
}

// clusterVersion is the major version that made the cluster; 0 if there is none yet.
func (f *folder) clusterVersion() (int, error) {
	text, err := os.ReadFile(filepath.Join(f.cluster(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, sayDenied(err, f.dir)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("reading the version of %s: %w", f.cluster(), err)
	}
	return major, nil
}

// makeCluster makes the cluster unless there is one, and gives the superuser's password. It is built beside
// its place and moved there when complete, so that an interrupted first run leaves nothing half made.
func (f *folder) makeCluster(ctx context.Context, bins binaries, o Options) (string, error) {
	path := filepath.Join(f.dir, "password")
	major, err := f.clusterVersion()
	if err != nil {
		return "", err
	}
	if major != 0 {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return "", ErrPasswordLost.Sayf("The file %s with the database password is missing. Put it back, or name another data folder.", path)
		}
		if err != nil {
			return "", sayDenied(err, f.dir)
		}
		return strings.TrimSpace(string(text)), nil
	}
	password := rand.Text()
	if err := f.writePassword(path, password); err != nil {
		return "", err
	}
	if err := f.buildCluster(ctx, bins, password, o.Fast); err != nil {
		return "", err
	}
	return password, nil
}

func (f *folder) writePassword(path, password string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replacing an unused password: %w", err)
	}
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		return fmt.Errorf("keeping the database password: %w", err)
	}
	return nil
}

func (f *folder) buildCluster(ctx context.Context, bins binaries, password string, fast bool) error {
	draft := f.cluster() + ".new"
	pwfile := filepath.Join(f.home, "initdb.password")
	err := os.RemoveAll(draft)
	if err == nil {
		err = f.writePassword(pwfile, password)
	}
	if err != nil {
		return fmt.Errorf("preparing the cluster: %w", err)
	}
	defer os.Remove(pwfile)
	if err := f.account.own(pwfile); err != nil {
		return err
	}
	// Debian 12 and musl have C.UTF-8; elsewhere C orders the same and knows ASCII letter cases alone.
	for _, locale := range []string{"C.UTF-8", "C"} {
		if err := os.Mkdir(draft, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("making the cluster's folder: %w", err)
		}
		if err := f.account.own(draft); err != nil {
			return err
		}
		err = initCluster(ctx, f.account, bins, draft, pwfile, locale, fast)
		if err == nil || !strings.Contains(err.Error(), "invalid locale") {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("making the database cluster: %w", err)
	}
	if err := os.Rename(draft, f.cluster()); err != nil {
		return fmt.Errorf("putting the cluster in place: %w", err)
	}
	return nil
}

func initCluster(ctx context.Context, a *account, bins binaries, dir, pwfile, locale string, fast bool) error {
	args := []string{
		"--pgdata", dir, "--username", superuser, "--pwfile", pwfile, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--locale-provider", "libc", "--locale", locale, "--no-instructions",
	}
	if fast {
		args = append(args, "--no-sync")
	}
	return run(ctx, command{path: filepath.Join(bins.dir, "initdb"), args: args, account: a, log: io.Discard})
}
