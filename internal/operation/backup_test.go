package operation_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// machine is one that is set up by the guide for operators: a PostgreSQL of its own, and pgBackRest.
type machine struct {
	t           *testing.T
	folder      string
	bin         string // PostgreSQL's programs
	port        int
	environment []string
	as          *syscall.Credential
}

// guided gives the block of the guide that begins with a line.
func guided(t *testing.T, first string) string {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join(root, "docs", "operators.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^ +` + regexp.QuoteMeta(first) + `.*\n(?:^ {4,}\S.*\n)*`).Find(guide)
	if found == nil {
		t.Fatalf("the guide has no block that begins with %q", first)
	}
	return regexp.MustCompile(`(?m)^ +`).ReplaceAllString(string(found), "")
}

// What the guide for operators says of backups is done, word for word but for folders and the password of the repository:
// the settings, the backup of each night, and how the drill fetches it, here as of a moment, as which the books are then.
func TestBackupsAsTheGuideSays(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	data := filepath.Join(m.folder, "main")
	m.run(filepath.Join(m.bin, "initdb"), "-D", data, "-A", "trust", "--no-sync")
	places := strings.NewReplacer("/var/lib/pgbackrest", filepath.Join(m.folder, "repository"), "/var/lib/postgresql/15/main", data, "=...", "=a word for this test")
	m.write("pgbackrest.conf", places.Replace(guided(t, "[global]")))
	usual, err := os.ReadFile(filepath.Join(data, "postgresql.conf"))
	if err != nil {
		t.Fatal(err)
	}
	m.write("main/postgresql.conf", string(usual)+guided(t, "wal_level = replica"))
	m.start(data)
	for line := range strings.Lines(guided(t, "sudo -u postgres pgbackrest --stanza=books stanza-create")) {
		m.guide(line)
	}
	m.sql("CREATE TABLE books (entry text); INSERT INTO books VALUES ('kept')")
	moment := m.sql("SELECT clock_timestamp()")
	m.sql("SELECT pg_sleep_for('1 microsecond'); DELETE FROM books; INSERT INTO books VALUES ('after'); SELECT pg_switch_wal()")
	m.run(filepath.Join(m.bin, "pg_ctl"), "-D", data, "-m", "fast", "stop") // which archives what is left
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	m.run("mkdir", "-m", "700", data)
	fetch := regexp.MustCompile(`--fetch='([^']*)'`).FindStringSubmatch(guided(t, "countinghouse drill"))
	if fetch == nil {
		t.Fatal("the guide's drill fetches nothing")
	}
	m.run("mkdir", filepath.Join(m.folder, "tablespaces"))
	m.run("bash", "-c", strings.NewReplacer("%d", data, "%t", filepath.Join(m.folder, "tablespaces")).Replace(fetch[1])+
		` --type=time --target="`+moment+`" --target-action=promote`)
	m.start(data)
	if got := m.sql("SELECT string_agg(entry, ',') FROM books"); got != "kept" {
		t.Errorf("after the drill the books hold %q", got)
	}
	m.run(filepath.Join(m.bin, "pg_ctl"), "-D", data, "-m", "fast", "stop")
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if at, missing := exec.LookPath("initdb"); missing == nil && len(found) == 0 {
		found = append(found, at)
	}
	if err != nil || len(found) == 0 {
		t.Fatalf("there is no PostgreSQL server here: %v", err)
	}
	bin := filepath.Dir(found[len(found)-1])
	folder, err := os.MkdirTemp("", "countinghouse-backup-")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, folder: folder, bin: bin, port: freePort(t)}
	t.Cleanup(func() {
		if _, err := os.Stat(filepath.Join(folder, "main", "postmaster.pid")); err == nil {
			m.run(filepath.Join(m.bin, "pg_ctl"), "-D", filepath.Join(folder, "main"), "-m", "immediate", "stop")
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		who, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, gid := number(t, who.Uid), number(t, who.Gid)
		m.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(folder, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"log", "lock", "spool", "repository"} {
		m.run("mkdir", filepath.Join(folder, name))
	}
	m.environment = []string{"PATH=" + os.Getenv("PATH") + ":" + bin, "PGBACKREST_CONFIG=" + filepath.Join(folder, "pgbackrest.conf"),
		"PGBACKREST_LOG_PATH=" + filepath.Join(folder, "log"), "PGBACKREST_LOCK_PATH=" + filepath.Join(folder, "lock"),
		"PGBACKREST_SPOOL_PATH=" + filepath.Join(folder, "spool"), "PGBACKREST_PG1_PORT=" + strconv.Itoa(m.port), "PGBACKREST_PG1_SOCKET_PATH=" + folder}
	return m
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
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

// run runs a command as the database's user, and gives what it says.
func (m *machine) run(name string, args ...string) string {
	m.t.Helper()
	c := exec.CommandContext(m.t.Context(), name, args...)
	if m.t.Context().Err() != nil { // it is over, and what runs is being ended
		c = exec.Command(name, args...)
	}
	c.Dir, c.Env = m.folder, m.environment
	c.SysProcAttr = &syscall.SysProcAttr{Credential: m.as}
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Run(); err != nil {
		m.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said.String())
	}
	return strings.TrimSpace(said.String())
}

// guide runs a line of the guide, as the user that it names.
func (m *machine) guide(line string) {
	m.t.Helper()
	line, found := strings.CutPrefix(strings.TrimSpace(line), "sudo -u postgres ")
	if !found {
		m.t.Fatalf("the guide has %q run by another", line)
	}
	m.run("bash", "-c", line)
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	at := filepath.Join(m.folder, name)
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	if m.as != nil {
		if err := os.Chown(at, int(m.as.Uid), int(m.as.Gid)); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *machine) start(data string) {
	m.t.Helper()
	m.run(filepath.Join(m.bin, "pg_ctl"), "-D", data, "-w", "-t", "60", "-l", filepath.Join(m.folder, "server.log"),
		"-o", fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories=%s -c port=%d", m.folder, m.port), "start")
	for m.sql("SELECT pg_is_in_recovery()") != "f" { // it answers before it has come to the moment asked for
		if m.t.Context().Err() != nil {
			m.t.Fatal("the server does not come to the moment asked for")
		}
	}
}

func (m *machine) sql(statements string) string {
	m.t.Helper()
	return m.run(filepath.Join(m.bin, "psql"), "-h", m.folder, "-p", strconv.Itoa(m.port), "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-XqAtc", statements)
}
