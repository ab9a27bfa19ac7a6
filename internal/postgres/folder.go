package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// folder is a data folder that this process holds. In it are:
//
//	lock      held while a process uses the folder, with that process's id
//	port      the port of the last run
//	password  the superuser's password, readable by the server's user alone
//	cluster   PostgreSQL's own files; a link when they lie elsewhere
type folder struct {
	dir     string // Options.Dir, absolute
	home    string // where cluster and fetched binaries really are: dir, unless the account cannot enter it
	lock    *os.File
	account *account
}

func (f *folder) cluster() string { return filepath.Join(f.home, "cluster") }

// openFolder makes the folder if missing, takes hold of it and decides where its cluster lies.
func openFolder(o Options) (*folder, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding the data folder: %w", err)
	}
	if err := makeDir(dir); err != nil {
		return nil, sayDenied(err, dir)
	}
	// The server tells its folder by its real path.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("finding the data folder: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, sayDenied(err, dir)
	}
	f := &folder{dir: dir, home: dir, lock: lock}
	if err := f.settle(o); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return f, nil
}

// makeDir makes a folder that others may pass through but not list: the server's user may be another.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o711)
}

func sayDenied(err error, dir string) error {
	if errors.Is(err, fs.ErrPermission) {
		return ErrUnreachable.Sayf("The data folder %s cannot be written by this user. Run as the user who made it, or name another folder.", dir).Because(err)
	}
	return err
}

// lockFile takes the lock that ends with this process, or says who holds it.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the data folder's lock: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, readErr := os.ReadFile(path)
		err = ErrInUse.Sayf("The data folder %s is in use by process %s. Stop that process, or name another folder.",
			filepath.Dir(path), strings.TrimSpace(string(holder)))
		return nil, errors.Join(err, readErr, file.Close())
	}
	if err == nil {
		err = file.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintln(file, os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking the data folder: %w", err), file.Close())
	}
	return file, nil
}

// settle decides who runs the server and where the cluster lies. A cluster that its user could not enter,
// as under /root, goes elsewhere, and a link in the data folder leads there on later runs.
func (f *folder) settle(o Options) (err error) {
	link := filepath.Join(f.dir, "cluster")
	if target, err := os.Readlink(link); err == nil {
		f.home = filepath.Dir(target)
	}
	if f.account, err = chooseAccount(f.cluster()); err != nil {
		return err
	}
	if f.home != f.dir {
		return makeDir(f.home)
	}
	closed, err := f.account.closedParent(f.dir)
	if closed == "" || err != nil {
		return err
	}
	elsewhere := o.elsewhere
	if elsewhere == "" {
		elsewhere = "/var/lib/countinghouse"
	}
	home := filepath.Join(elsewhere, strings.ToLower(rand.Text()[:12]))
	err = errors.Join(makeDir(elsewhere), makeDir(home))
	if err == nil {
		home, err = filepath.EvalSymlinks(home)
	}
	if err != nil {
		return fmt.Errorf("making a folder that the server can enter: %w", err)
	}
	if closed, err := f.account.closedParent(home); closed != "" || err != nil {
		return errors.Join(err, ErrUnreachable.Sayf(
			"The server runs as %s, who may enter neither %s nor %s. Name a data folder that this user can reach.", f.account, f.dir, closed))
	}
	if _, err := os.Stat(link); err == nil {
		return ErrUnreachable.Sayf("The server runs as %s, who may not enter %s any more. Let this user pass (chmod o+x), or name another folder.", f.account, closed)
	}
	if err := os.Symlink(filepath.Join(home, "cluster"), link); err != nil {
		return fmt.Errorf("linking to the cluster: %w", err)
	}
	f.home = home
	_, err = fmt.Fprintf(o.Log, "The server runs as %s, who may not enter %s, so its files are in %s.\n", f.account, closed, home)
	return err
}

// readPidFile gives the lines that a running server keeps in its folder; none if there is no server.
func (f *folder) readPidFile() ([]string, error) {
	text, err := os.ReadFile(filepath.Join(f.cluster(), "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the server's process id: %w", sayDenied(err, f.dir))
	}
	return strings.Split(string(text), "\n"), nil
}

// waitForPredecessor returns when no server of an earlier run is left. We hold the lock, so one that runs
// has lost its process and is ending; a process id that no server has any more is cleared, because it may
// since belong to another program, and PostgreSQL would then refuse to start.
func (f *folder) waitForPredecessor(ctx context.Context) error {
	const patience = 20 * time.Second
	deadline := time.Now().Add(patience)
	for {
		lines, err := f.readPidFile()
		if err != nil || len(lines) == 0 {
			return err
		}
		pid, err := strconv.Atoi(lines[0])
		if err != nil || !f.isServer(pid) {
			if err := os.Remove(filepath.Join(f.cluster(), "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("clearing what a killed server left: %w", err)
			}
			return nil
		}
		if time.Now().After(deadline) {
			return ErrInUse.Sayf("A PostgreSQL server (process %d) is running on %s. Stop it with: kill -INT %d", pid, f.cluster(), pid)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return ErrInUse.Sayf("A PostgreSQL server (process %d) of an earlier run is still ending on %s. Try again in a moment.", pid, f.cluster()).Because(err)
		}
	}
}

// isServer reports whether the process is the server of this cluster. A server's working folder is its
// cluster's; where the system does not show that, any live process counts.
func (f *folder) isServer(pid int) bool {
	if pid <= 0 {
		return false
	}
	if runtime.GOOS != "linux" {
		return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	}
	// Unreadable means a zombie or another user's process: neither serves this cluster.
	at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && at == f.cluster()
}

// choosePort gives the port to try: the one asked for, the last run's if again is set, or any free one.
func (f *folder) choosePort(asked int, again bool) (int, error) {
	if asked != 0 {
		if _, err := freePort(asked); err != nil {
			return 0, portTaken(asked).Because(err)
		}
		return asked, nil
	}
	text, err := os.ReadFile(filepath.Join(f.dir, "port"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("reading the port of the last run: %w", err)
	}
	if last, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && last > 0 && again {
		if port, err := freePort(last); err == nil {
			return port, nil
		}
	}
	return freePort(0)
}

func (f *folder) rememberPort(port int) error {
	if err := os.WriteFile(filepath.Join(f.dir, "port"), fmt.Appendln(nil, port), 0o644); err != nil {
		return fmt.Errorf("remembering the port: %w", err)
	}
	return nil
}

// freePort reports that a port (0: any) can be listened on now.
func freePort(port int) (int, error) {
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return 0, fmt.Errorf("trying port %d: %w", port, err)
	}
	found, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.Join(fmt.Errorf("listening on %v, which is no TCP address", l.Addr()), l.Close())
	}
	return found.Port, l.Close()
}
