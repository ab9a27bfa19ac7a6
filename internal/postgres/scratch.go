package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// What a Scratch refuses besides. Each is returned with a sentence that names the file, folder or version in question.
var (
	ErrNoBackup = fault.New(fault.Invalid, "postgres.no_backup",
		"That is no backup of a PostgreSQL server. Name the folder that pg_basebackup wrote, or what pg_dump wrote.")
	ErrBackupBroken = fault.New(fault.Conflict, "postgres.backup_broken",
		"The backup cannot be brought back. Take another, and find out what became of this one.")
	ErrNoRoom = fault.New(fault.Unavailable, "postgres.no_room",
		"There is not enough room for a copy of the backup. Name a scratch folder on a larger disk.")
)

// scratchName is the folder, within the one that was named, that is all a Scratch's own.
const scratchName = "countinghouse-drill"

// Scratch is a server that a backup is brought to life in and that leaves nothing behind. It listens on a socket within a
// folder that only its own user may enter, asks for no password there, follows nobody, archives nothing, and runs none of
// what the backed-up server was set up to run.
type Scratch struct {
	folder
	binDirs []string
	log     io.Writer
	watch   recoveryLog
	bins    binaries
	process *process
}

// OpenScratch takes hold of a folder, removes what an earlier Scratch left there that was killed, and waits for its server
// to end. Nothing else in the folder is touched. It fails with ErrInUse while another has hold of it, and with
// ErrUnreachable where the server's user cannot get in. log receives what the server prints; it may be nil.
func OpenScratch(ctx context.Context, dir string, log io.Writer) (s *Scratch, err error) {
	if log == nil {
		log = io.Discard
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("finding the scratch folder: %w", err)
	}
	if err := makeDir(dir); err != nil {
		return nil, sayDenied(err, dir)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("finding the scratch folder: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, scratchName+".lock"))
	if err != nil {
		return nil, sayDenied(err, dir)
	}
	s = &Scratch{folder: folder{dir: dir, home: filepath.Join(dir, scratchName), lock: lock}, log: log}
	if err := s.clear(ctx); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

// clear makes the scratch folder anew.
func (s *Scratch) clear(ctx context.Context) (err error) {
	if s.account, err = chooseAccount(s.cluster()); err != nil {
		return err
	}
	if closed, err := s.account.closedParent(s.dir); closed != "" || err != nil {
		return errors.Join(err, ErrUnreachable.Sayf("The scratch server runs as %s, who may not enter %s. Name a folder that this user can reach.", s.account, closed))
	}
	// sun_path of unix(7).
	if socket := filepath.Join(s.home, ".s.PGSQL.5432"); len(socket) > 107 {
		return ErrUnreachable.Sayf("The path of the scratch folder %s is too long for a socket in it. Name one with a shorter path.", s.dir)
	}
	if err := s.waitForPredecessor(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(s.home); err != nil {
		return fmt.Errorf("removing what an earlier drill left: %w", err)
	}
	for _, dir := range []string{s.home, s.cluster()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return fmt.Errorf("making the scratch folder: %w", err)
		}
		if err := s.account.own(dir); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the server and removes all that there is of it.
func (s *Scratch) Close() error {
	if s.process != nil {
		s.process.signal(syscall.SIGQUIT) // nothing of it is kept
		<-s.process.exited
	}
	err := os.RemoveAll(s.home)
	if err != nil {
		err = fmt.Errorf("removing the scratch folder: %w", err)
	}
	return errors.Join(err, s.lock.Close())
}

// Program gives one of the programs that belong to the server's version; "" where they were installed without it.
func (s *Scratch) Program(name string) string {
	path := filepath.Join(s.bins.dir, name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// Run runs one of those programs as ourselves, and gives every line that it prints to tell, which may be nil.
func (s *Scratch) Run(ctx context.Context, tell func(line string), program string, args ...string) error {
	path := s.Program(program)
	if path == "" {
		return ErrMissing.Sayf("There is no %s in %s. Install the client programs of PostgreSQL %d (Debian: apt-get install postgresql-%[3]d).", program, s.bins.dir, s.bins.major)
	}
	out := &lines{tell: tell}
	err := run(ctx, command{path: path, args: args, log: out})
	out.end()
	return err
}

// Major is the version of the server.
func (s *Scratch) Major() int { return s.bins.major }

// choose finds the programs of a version; 0 is the newest that there are.
func (s *Scratch) choose(ctx context.Context, major int) error {
	found, err := listBinaries(ctx, Options{binDirs: s.binDirs})
	if err != nil {
		return err
	}
	at := slices.IndexFunc(found, func(b binaries) bool { return b.major == major || major == 0 && b.major >= oldestMajor })
	if at >= 0 {
		s.bins = found[at]
		return nil
	}
	if len(found) == 0 {
		return ErrMissing.Sayf("This machine has no PostgreSQL to bring a backup to life with. Install it (Debian: apt-get install postgresql).")
	}
	return ErrOtherVersion.Sayf("The backup was made by PostgreSQL %d, and this machine has PostgreSQL %d (%s). Install PostgreSQL %d here.",
		major, found[0].major, found[0].dir, major)
}

// URL is how a role enters a database of the running server.
func (s *Scratch) URL(role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.home}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// Superuser is the role that owns a server made by Make.
const Superuser = superuser

// Make makes an empty server, to load a dump into.
func (s *Scratch) Make(ctx context.Context) error {
	if err := s.choose(ctx, 0); err != nil {
		return err
	}
	if err := os.Remove(s.cluster()); err != nil { // initdb's own to make
		return fmt.Errorf("making the scratch server: %w", err)
	}
	if err := s.buildCluster(ctx, s.bins, "unused", true); err != nil {
		return err
	}
	return s.launchScratch(ctx, nil)
}

// scratchSettings keep the server to itself, whatever it was set up for; they are given on the command line, which goes
// before all files. What it would need to be durable is left out: it is thrown away.
func (s *Scratch) scratchSettings() map[string]string {
	return map[string]string{
		"config_file": filepath.Join(s.home, "postgresql.conf"), "hba_file": filepath.Join(s.home, "pg_hba.conf"),
		"ident_file": filepath.Join(s.home, "pg_ident.conf"),
		// Nobody outside is reached, and nobody from outside reaches it.
		"listen_addresses": "", "unix_socket_directories": s.home, "unix_socket_permissions": "0700", "port": "5432",
		"archive_mode": "off", "archive_cleanup_command": "", "recovery_end_command": "", "primary_conninfo": "", "primary_slot_name": "",
		"synchronous_standby_names": "", "max_logical_replication_workers": "0", "max_wal_senders": "0", "ssl": "off",
		"shared_preload_libraries": "", "session_preload_libraries": "", "local_preload_libraries": "",
		"hot_standby": "off", "autovacuum": "off",
		"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
		// Enough for whatever the other server was given.
		"max_connections": "100", "max_prepared_transactions": "100", "max_locks_per_transaction": "256", "shared_buffers": "128MB",
		"logging_collector": "off", "log_destination": "stderr", "log_min_messages": "warning", "log_timezone": "UTC", "timezone": "UTC",
		"restart_after_crash": "off",
	}
}

// launchScratch starts the server and returns when all that is to be recovered is.
func (s *Scratch) launchScratch(ctx context.Context, more map[string]string) error {
	for name, text := range map[string]string{"postgresql.conf": "", "pg_ident.conf": "", "pg_hba.conf": "local all all trust\n"} {
		path := filepath.Join(s.home, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("setting the scratch server up: %w", err)
		}
		if err := s.account.own(path); err != nil {
			return err
		}
	}
	all := s.scratchSettings()
	for name, value := range more {
		all[name] = value
	}
	args := []string{"-D", s.cluster()}
	for name, value := range all {
		args = append(args, "-c", name+"="+value)
	}
	p, err := startProcess(command{
		path: filepath.Join(s.bins.dir, "postgres"), args: args, account: s.account, death: syscall.SIGQUIT, log: io.MultiWriter(s.log, &s.watch),
	})
	if err != nil {
		return err
	}
	s.process = p
	return s.waitUntilReady(ctx, p)
}

// readMajor reads which version a folder of data is of.
func readMajor(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, ErrNoBackup.Sayf("%s is no backup of a PostgreSQL server: it has no PG_VERSION. Name the folder that pg_basebackup wrote (unpacked, if it wrote archives), or what pg_dump wrote.", dir)
	}
	if err != nil {
		return 0, err // it names the path
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, ErrNoBackup.Sayf("%s is no backup that this program knows: its PG_VERSION is not a number.", dir)
	}
	return major, nil
}
