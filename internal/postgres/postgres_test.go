package postgres

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// childVariable makes this test binary a program that runs a server on the folder it names, so that tests
// can have one run by another user, or kill it.
const childVariable = "COUNTINGHOUSE_POSTGRES_TEST_DIR"

const patience = time.Minute

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		os.Exit(serveChild(dir))
	}
	os.Exit(runTests(m))
}

// childProgram is a copy of this test binary where another user may run it.
var childProgram string

// runTests makes the copy before any test forks: a program cannot run while a forked child still has it
// open for writing.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "countinghouse-postgres-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	var self string
	if err == nil {
		self, err = os.Executable()
	}
	var content []byte
	if err == nil {
		content, err = os.ReadFile(self)
	}
	if err == nil {
		childProgram = filepath.Join(dir, "server")
		err = os.WriteFile(childProgram, content, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// childReport is what such a program prints once its server is up or refused.
type childReport struct {
	URL, Error, Code string
	Postmaster       int
}

func serveChild(dir string) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var report childReport
	s, err := Start(ctx, Options{Dir: dir})
	if err != nil {
		report.Error = err.Error()
		var f *fault.Error
		if errors.As(err, &f) {
			report.Code = f.Code
		}
	} else {
		report.URL, report.Postmaster = s.URL(), s.process.cmd.Process.Pid
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil || s == nil {
		return 1
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil { // until our parent closes it
		return 1
	}
	if err := s.Stop(ctx); err != nil {
		return 1
	}
	return 0
}

// child is a running serveChild.
type child struct {
	childReport
	cmd   *exec.Cmd
	stdin io.Closer
}

// startChild runs a server in another process, as another user if a is not nil.
func startChild(t *testing.T, dir string, a *account) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	c := &child{cmd: exec.CommandContext(ctx, childProgram)}
	c.cmd.Env = append(os.Environ(), childVariable+"="+dir)
	c.cmd.Dir = "/"
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential()}
	var err error
	c.stdin, err = c.cmd.StdinPipe()
	check(t, err)
	stdout, err := c.cmd.StdoutPipe()
	check(t, err)
	check(t, c.cmd.Start())
	t.Cleanup(func() {
		c.kill(t)
		if c.URL != "" {
			waitForServer(t, dir)
		}
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	check(t, err)
	check(t, json.Unmarshal(line, &c.childReport))
	return c
}

// waitForServer returns when a killed program's server has ended too, and its files can be removed.
func waitForServer(t *testing.T, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	f, err := openFolder(Options{Dir: dir, Log: io.Discard})
	if err != nil {
		t.Error(err)
		return
	}
	if err := errors.Join(f.waitForPredecessor(ctx), f.lock.Close()); err != nil {
		t.Error(err)
	}
}

// stop ends the program in good order.
func (c *child) stop(t *testing.T) {
	t.Helper()
	check(t, c.stdin.Close())
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the program did not end well: %v", err)
	}
}

// kill is kill -9.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if c.cmd.ProcessState != nil {
		return
	}
	check(t, c.cmd.Process.Kill())
	var ended *exec.ExitError
	if err := c.cmd.Wait(); err != nil && !errors.As(err, &ended) {
		t.Errorf("waiting for a killed program: %v", err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openDir is a temporary folder that every user may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "countinghouse-postgres-")
	check(t, err)
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	check(t, os.Chmod(dir, 0o755))
	dir, err = filepath.EvalSymlinks(dir)
	check(t, err)
	return dir
}

// start runs a server until the end of the test.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o.Fast = true
	s, err := Start(ctx, o)
	check(t, err)
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// refuse asserts that Start refuses with a fault, and gives its sentence.
func refuse(t *testing.T, o Options, want *fault.Error) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := Start(ctx, o)
	if err == nil {
		stop(t, s)
		t.Fatalf("it started, want %s", want.Code)
	}
	var f *fault.Error
	if !errors.Is(err, want) || !errors.As(err, &f) {
		t.Fatalf("got %v, want %s", err, want.Code)
	}
	return f.Say
}

// installed is the folder of the machine's own programs, which has psql.
func installed(t *testing.T) binaries {
	t.Helper()
	found, err := listBinaries(t.Context(), Options{})
	check(t, err)
	if len(found) == 0 {
		t.Fatal("these tests need PostgreSQL on the machine; `make test` installs it")
	}
	return found[0]
}

func tryQuery(t *testing.T, url, sql string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out, said bytes.Buffer
	psql := exec.CommandContext(ctx, filepath.Join(installed(t).dir, "psql"), "-wXAtqc", sql, url)
	psql.Dir, psql.Stdout, psql.Stderr = "/", &out, &said
	if err := psql.Run(); err != nil {
		return "", errors.New(said.String())
	}
	return strings.TrimSpace(out.String()), nil
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	got, err := tryQuery(t, url, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

// runsAs finds the user of a live process.
func runsAs(t *testing.T, pid int) uint32 {
	t.Helper()
	info, err := os.Stat("/proc/" + strconv.Itoa(pid))
	check(t, err)
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatal("no owner in /proc")
	}
	return owner.Uid
}

// everyKindOfUser is who can run the tests' server here: as root, root itself and nobody; else this user.
func everyKindOfUser(t *testing.T) map[string]*account {
	t.Helper()
	kinds := map[string]*account{"as this user": nil}
	if os.Geteuid() == 0 {
		nobody, err := user.Lookup("nobody")
		check(t, err)
		uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
		check(t, err)
		gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
		check(t, err)
		kinds["as an ordinary user"] = &account{name: "nobody", uid: uint32(uid), gid: uint32(gid)}
	}
	return kinds
}

func TestStart_works_again_on_the_data_of_the_last_run(t *testing.T) {
	t.Parallel()
	for name, who := range everyKindOfUser(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := openDir(t)
			check(t, who.own(parent))
			dir := filepath.Join(parent, "deep", "data")

			first := startChild(t, dir, who)
			if first.Error != "" {
				t.Fatal(first.Error)
			}
			query(t, first.URL, "create table kept as select 42 as n")
			if uid := runsAs(t, first.Postmaster); uid == 0 || who != nil && uid != who.uid {
				t.Errorf("the server runs as user %d", uid)
			}
			first.stop(t)
			if _, err := tryQuery(t, first.URL, "select 1"); err == nil {
				t.Error("the server still answers after it was stopped")
			}

			second := startChild(t, dir, who)
			if second.Error != "" {
				t.Fatal(second.Error)
			}
			if got := query(t, second.URL, "select n from kept"); got != "42" {
				t.Errorf("read %q, want 42", got)
			}
			if second.URL != first.URL {
				t.Errorf("password or port changed: %s, then %s", first.URL, second.URL)
			}
			second.stop(t)
		})
	}
}

func TestStart_gives_a_private_server(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{Dir: dir, Settings: map[string]string{
		"listen_addresses": "*", "unix_socket_directories": "/tmp", "work_mem": "7MB",
	}})
	for setting, want := range map[string]string{
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "work_mem": "7MB",
		"server_encoding": "UTF8", "timezone": "UTC", "password_encryption": "scram-sha-256",
	} {
		if got := query(t, s.URL(), "show "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if got := query(t, s.URL(), "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'"); got != "0" {
		t.Errorf("%s ways in need no password", got)
	}
	for _, password := range []string{"", "postgres"} {
		wrong, err := url.Parse(s.URL())
		check(t, err)
		wrong.User = url.UserPassword("postgres", password)
		if _, err := tryQuery(t, wrong.String(), "select 1"); err == nil {
			t.Errorf("the password %q opens it", password)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "password"))
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file has mode %v", info.Mode())
	}
	leftover, err := filepath.Glob(filepath.Join(dir, "*.password"))
	if err != nil || len(leftover) > 0 {
		t.Errorf("the password lies about in %v (%v)", leftover, err)
	}
}

func TestStart_takes_over_after_kill_9(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	killed := startChild(t, dir, nil)
	query(t, killed.URL, "create table kept as select 42 as n")
	killed.kill(t)

	s := start(t, Options{Dir: dir})
	if got := query(t, s.URL(), "select n from kept"); got != "42" {
		t.Errorf("read %q, want 42", got)
	}
	at, err := os.Readlink("/proc/" + strconv.Itoa(killed.Postmaster) + "/cwd")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the killed program's server is still there, in %q: %v", at, err)
	}
}

// TestServer_ends_with_its_process has nobody call Start again: the kernel alone ends the server.
func TestServer_ends_with_its_process(t *testing.T) {
	t.Parallel()
	c := startChild(t, openDir(t), nil)
	address, err := url.Parse(c.URL)
	check(t, err)
	line, err := net.Dial("tcp", address.Host)
	check(t, err)
	defer line.Close()
	check(t, line.SetDeadline(time.Now().Add(patience)))
	// Asking for TLS (SSLRequest) gets a one-letter answer, after which the server surely holds the line.
	_, err = line.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f})
	check(t, err)
	_, err = io.ReadFull(line, make([]byte, 1))
	check(t, err)
	c.kill(t)
	// A server that ends hangs up on whoever is connected.
	if _, err := io.Copy(io.Discard, line); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the server lives on without its process")
	}
}

func TestStart_refuses_a_folder_in_use(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	holder := startChild(t, dir, nil)
	said := refuse(t, Options{Dir: dir, Fast: true}, ErrInUse)
	for _, want := range []string{dir, strconv.Itoa(holder.cmd.Process.Pid)} {
		if !strings.Contains(said, want) {
			t.Errorf("%q does not name %s", said, want)
		}
	}
	if got := query(t, holder.URL, "select 1"); got != "1" {
		t.Error("the refusal disturbed the running server")
	}
}

func TestStart_chooses_its_port(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp4", "127.0.0.1:0")
	check(t, err)
	defer busy.Close()
	address, ok := busy.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no TCP address")
	}
	dir := openDir(t)

	said := refuse(t, Options{Dir: dir, Port: address.Port, Fast: true}, ErrPortTaken)
	if !strings.Contains(said, strconv.Itoa(address.Port)) {
		t.Errorf("%q does not name the port", said)
	}
	// The port of the last run is a wish, not a demand.
	check(t, os.WriteFile(filepath.Join(dir, "port"), []byte(strconv.Itoa(address.Port)), 0o644))
	s := start(t, Options{Dir: dir})
	if got := query(t, s.URL(), "show port"); got == strconv.Itoa(address.Port) {
		t.Errorf("it listens on the taken port %s", got)
	}
	stop(t, s)

	free, err := freePort(0)
	check(t, err)
	s = start(t, Options{Dir: dir, Port: free})
	if !strings.Contains(s.URL(), "@127.0.0.1:"+strconv.Itoa(free)+"/") {
		t.Errorf("asked for port %d, got %s", free, s.URL())
	}
}

func TestStart_refuses_another_major_version(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	check(t, os.Mkdir(filepath.Join(dir, "cluster"), 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "cluster", "PG_VERSION"), []byte("12\n"), 0o600))
	said := refuse(t, Options{Dir: dir}, ErrOtherVersion)
	for _, want := range []string{dir, "PostgreSQL 12", "PostgreSQL " + strconv.Itoa(installed(t).major)} {
		if !strings.Contains(said, want) {
			t.Errorf("%q does not name %s", said, want)
		}
	}
}

func TestStart_clears_what_a_crash_left(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	// A first run that was killed while it made the cluster.
	check(t, os.Mkdir(filepath.Join(dir, "cluster.new"), 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "cluster.new", "PG_VERSION"), nil, 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "password"), []byte("old"), 0o600))
	s := start(t, Options{Dir: dir})
	stop(t, s)
	// A machine that crashed; the server's process id has since gone to another program: ours.
	pidFile := filepath.Join(s.Cluster(), "postmaster.pid")
	check(t, os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getppid())+"\n"+s.Cluster()+"\n"), 0o600))
	if got := query(t, start(t, Options{Dir: dir}).URL(), "select 1"); got != "1" {
		t.Errorf("read %q", got)
	}
}

func TestStart_refuses_a_folder_without_its_password(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	stop(t, start(t, Options{Dir: dir}))
	check(t, os.Remove(filepath.Join(dir, "password")))
	if said := refuse(t, Options{Dir: dir}, ErrPasswordLost); !strings.Contains(said, filepath.Join(dir, "password")) {
		t.Errorf("%q does not name the file", said)
	}
}

func TestStart_ends_with_its_context(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := openDir(t)
	if s, err := Start(ctx, Options{Dir: dir, Fast: true}); !errors.Is(err, context.Canceled) {
		if err == nil {
			stop(t, s)
		}
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	if got := query(t, start(t, Options{Dir: dir}).URL(), "select 1"); got != "1" {
		t.Error("a cancelled start spoils the folder")
	}
}

func TestDone_tells_of_a_server_that_died(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: openDir(t)})
	s.process.signal(syscall.SIGQUIT)
	select {
	case err, open := <-s.Done():
		if err == nil || !open {
			t.Error("Done was closed without an error")
		}
	case <-time.After(patience):
		t.Fatal("Done says nothing of a server that died")
	}
}

func TestStop_is_no_death(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: openDir(t)})
	stop(t, s)
	stop(t, s)
	select {
	case err, open := <-s.Done():
		if err != nil || open {
			t.Errorf("Done tells of a death: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Done stays open")
	}
}

// TestFolder_finds_a_cluster_place puts a folder where the server's user cannot pass. The user is made up,
// so that an ordinary user can run this.
func TestFolder_finds_a_cluster_place(t *testing.T) {
	t.Parallel()
	stranger := &account{name: "stranger", uid: 4_000_000, gid: 4_000_000}
	root := openDir(t)
	open, closed := filepath.Join(root, "open"), filepath.Join(root, "closed")
	check(t, os.Mkdir(open, 0o711))
	check(t, os.MkdirAll(filepath.Join(closed, "data"), 0o711))
	check(t, os.Chmod(closed, 0o700))
	for dir, want := range map[string]string{open: "", filepath.Join(closed, "data"): closed} {
		if got, err := stranger.closedParent(dir); err != nil || got != want {
			t.Errorf("%s: closed at %q (%v), want %q", dir, got, err, want)
		}
	}
	if got, err := (*account)(nil).closedParent(closed); err != nil || got != "" {
		t.Errorf("our own folder is closed to us: %q, %v", got, err)
	}
}

// TestStart_in_a_closed_folder is for root, as in a checkout under /root; for others their own closed
// folder is no obstacle.
func TestStart_in_a_closed_folder(t *testing.T) {
	t.Parallel()
	closed, elsewhere := openDir(t), openDir(t)
	check(t, os.Chmod(closed, 0o700))
	o := Options{Dir: filepath.Join(closed, "data"), elsewhere: elsewhere}
	var log bytes.Buffer
	o.Log = &log
	s := start(t, o)
	query(t, s.URL(), "create table kept as select 42 as n")
	cluster := s.Cluster()
	stop(t, s)
	if os.Geteuid() == 0 {
		if !strings.HasPrefix(cluster, elsewhere) || !strings.Contains(log.String(), elsewhere) {
			t.Errorf("the cluster is in %s, and the log says: %s", cluster, &log)
		}
	} else if cluster != filepath.Join(o.Dir, "cluster") {
		t.Errorf("the cluster is in %s", cluster)
	}
	if got := query(t, start(t, o).URL(), "select n from kept"); got != "42" {
		t.Errorf("read %q, want 42", got)
	}
}

func TestStart_refuses_a_folder_that_cannot_be_written(t *testing.T) {
	t.Parallel()
	for name, who := range everyKindOfUser(t) {
		if who == nil && os.Geteuid() == 0 {
			continue // root may write everywhere
		}
		dir := openDir(t)
		check(t, os.Chmod(dir, 0o555))
		c := startChild(t, filepath.Join(dir, "data"), who)
		if c.Code != ErrUnreachable.Code || !strings.Contains(c.Error, dir) {
			t.Errorf("%s: got %q", name, c.Error)
		}
	}
}
