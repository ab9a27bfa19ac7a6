package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cluster is a PostgreSQL with a replica that each commit waits for. Either can be the first.
type cluster struct {
	bin      string
	password string
	account  *syscall.Credential // whom it runs as; nil is ourselves
	nodes    [2]*node
	first    int
	untried  []string
	log      *os.File
}

// node is one server of it.
type node struct {
	name, folder, data string
	port               int
	disk               bool // the folder is a disk of its own
	process            *process
}

const superuser = "postgres"

func startCluster(ctx context.Context, folder, disk string) (c *cluster, err error) {
	c = &cluster{password: rand.Text()}
	if c.log, err = os.Create(filepath.Join(folder, "cluster.log")); err != nil {
		return c, err
	}
	if c.bin, err = findBinaries(); err != nil {
		return c, err
	}
	if c.account, err = chooseAccount(); err != nil {
		return c, err
	}
	for i := range c.nodes {
		n := &node{name: fmt.Sprintf("postgres-%d", i+1), folder: filepath.Join(folder, fmt.Sprintf("disk-%d", i+1))}
		c.nodes[i] = n
		if n.port, err = freePort(); err != nil {
			return c, err
		}
		if err := os.Mkdir(n.folder, 0o755); err != nil {
			return c, err
		}
		if failed := syscall.Mount("chaos", n.folder, "tmpfs", 0, "mode=0755,size="+disk); failed == nil {
			n.disk = true
		} else if len(c.untried) == 0 {
			c.untried = append(c.untried, fmt.Sprintf("disk filled (a disk of its own needs a mount: %v)", failed))
		}
		n.data = filepath.Join(n.folder, "data")
	}
	if err := c.initialise(ctx); err != nil {
		return c, err
	}
	return c, c.replicate(ctx)
}

func findBinaries() (string, error) {
	places := []string{os.Getenv("COUNTINGHOUSE_POSTGRES_BIN")}
	if found, err := exec.LookPath("postgres"); err == nil {
		places = append(places, filepath.Dir(found))
	}
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Reverse(installed)
	for _, place := range append(places, installed...) {
		if _, err := os.Stat(filepath.Join(place, "pg_basebackup")); err == nil && place != "" {
			return place, nil
		}
	}
	return "", errors.New("PostgreSQL 15 or later with pg_basebackup and psql is needed (Debian: apt-get install postgresql), or COUNTINGHOUSE_POSTGRES_BIN")
}

// chooseAccount says whom PostgreSQL runs as, which refuses root.
func chooseAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, errors.New("PostgreSQL refuses root, and there is no user postgres or nobody")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func (c *cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, filepath.Join(c.bin, program), args...)
	command.Dir = "/"
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "PGPASSWORD=" + c.password, "PGCONNECT_TIMEOUT=5"}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: c.account}
	return command
}

// room makes the empty folder of a server's data.
func (c *cluster) room(n *node) error {
	if err := errors.Join(os.RemoveAll(n.data), os.Mkdir(n.data, 0o700)); err != nil {
		return err
	}
	if c.account == nil {
		return nil
	}
	return os.Chown(n.data, int(c.account.Uid), int(c.account.Gid))
}

// initialise makes the first server, the owner of the books and their database, as docs/operators.md says.
func (c *cluster) initialise(ctx context.Context) error {
	n := c.nodes[c.first]
	if err := c.room(n); err != nil {
		return err
	}
	word := filepath.Join(n.data, "..", "password")
	if err := os.WriteFile(word, []byte(c.password), 0o600); err != nil {
		return err
	}
	if c.account != nil {
		if err := os.Chown(word, int(c.account.Uid), int(c.account.Gid)); err != nil {
			return err
		}
	}
	if _, err := runOnce(ctx, c.log, c.command(ctx, "initdb", "-D", n.data, "-U", superuser, "--pwfile", word, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=1", "--no-instructions")); err != nil {
		return err
	}
	if err := c.launch(n); err != nil {
		return err
	}
	if err := await(ctx, "the database answers", time.Minute, func() bool { return c.answers(ctx, n) }); err != nil {
		return err
	}
	for _, statement := range []string{
		"CREATE ROLE countinghouse_owner LOGIN NOINHERIT CREATEROLE PASSWORD '" + c.password + "'",
		"CREATE DATABASE countinghouse OWNER countinghouse_owner",
	} {
		if _, err := c.sql(ctx, n, "postgres", statement); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) launch(n *node) (err error) {
	if n.process != nil {
		n.process.letGo()
		return nil
	}
	n.process, err = startProcess(n.name, filepath.Dir(n.folder), func() *exec.Cmd {
		// What a killed server left would keep the next from starting if its number were given out again.
		_ = os.Remove(filepath.Join(n.data, "postmaster.pid"))
		command := c.command(context.Background(), "postgres", "-D", n.data, "-c", "port="+strconv.Itoa(n.port), "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "max_connections=120", "-c", "shared_buffers=48MB", "-c", "wal_level=replica",
			"-c", "max_wal_size=48MB", "-c", "min_wal_size=5MB", "-c", "wal_keep_size=32MB", "-c", "hot_standby=on", "-c", "timezone=UTC",
			"-c", "wal_sender_timeout=5s", "-c", "wal_receiver_timeout=5s", "-c", "wal_retrieve_retry_interval=200ms")
		command.SysProcAttr.Pdeathsig = syscall.SIGQUIT
		return command
	})
	return err
}

// sql asks a server as its superuser, and gives rows of fields.
func (c *cluster) sql(ctx context.Context, n *node, database, statement string) ([][]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := runOnce(ctx, nil, c.command(ctx, "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
		"-p", strconv.Itoa(n.port), "-U", superuser, "-d", database, "-c", statement))
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimRight(line, "\n"), "\t"))
	}
	return rows, nil
}

func (c *cluster) ask(ctx context.Context, statement string) ([][]string, error) {
	return c.sql(ctx, c.nodes[c.first], "countinghouse", statement)
}

func (c *cluster) answers(ctx context.Context, n *node) bool {
	_, err := c.sql(ctx, n, "postgres", "SELECT 1")
	return err == nil
}

// replicate makes the other server anew from the first, and has commits wait for it once it follows.
func (c *cluster) replicate(ctx context.Context) error {
	first, other := c.nodes[c.first], c.nodes[1-c.first]
	// The children of one that was killed write on until they notice.
	if err := await(ctx, "the folder for the replica is empty", time.Minute, func() bool { return c.room(other) == nil }); err != nil {
		return err
	}
	if _, err := runOnce(ctx, c.log, c.command(ctx, "pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(first.port), "-U", superuser,
		"-D", other.data, "-R", "-X", "stream", "--checkpoint=fast")); err != nil {
		return err
	}
	// Alone it must not wait for anybody.
	settings, err := os.OpenFile(filepath.Join(other.data, "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = settings.WriteString("synchronous_standby_names = ''\n")
	if err := errors.Join(err, settings.Close()); err != nil {
		return err
	}
	if err := c.launch(other); err != nil {
		return err
	}
	if err := c.follows(ctx); err != nil {
		return err
	}
	_, err = c.sql(ctx, first, "postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")
	if err == nil {
		_, err = c.sql(ctx, first, "postgres", "SELECT pg_reload_conf()")
	}
	return err
}

// follows waits until the replica has all that the first server has, or as good as.
func (c *cluster) follows(ctx context.Context) error {
	return await(ctx, "the replica follows", time.Minute, func() bool {
		rows, err := c.sql(ctx, c.nodes[c.first], "postgres", "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
		return err == nil && len(rows) == 1 && rows[0][0] == "1"
	})
}

// failOver kills the first server for good and has the other take its place.
func (c *cluster) failOver(ctx context.Context) error {
	if err := c.nodes[c.first].process.hold(); err != nil {
		return err
	}
	c.first = 1 - c.first
	_, err := c.ask(ctx, "SELECT pg_promote()")
	return err
}

func (c *cluster) address() string { return "127.0.0.1:" + strconv.Itoa(c.nodes[c.first].port) }

// url is the owner's way in by a line.
func (c *cluster) url(through string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("countinghouse_owner", c.password), Host: through, Path: "/countinghouse",
		RawQuery: "sslmode=disable&connect_timeout=5"}
	return u.String()
}

// fill leaves no byte free on the first server's disk; the function that it returns makes room again.
func (c *cluster) fill() (free func() error, err error) {
	name := filepath.Join(c.nodes[c.first].folder, "ballast")
	ballast, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	free = func() error { return os.Remove(name) }
	for block := make([]byte, 64<<10); ; {
		if _, err := ballast.Write(block); errors.Is(err, syscall.ENOSPC) {
			if len(block) == 512 {
				return free, ballast.Close()
			}
			block = block[:512]
		} else if err != nil {
			return free, errors.Join(err, ballast.Close())
		}
	}
}

func (c *cluster) stop() (err error) {
	if c == nil {
		return nil
	}
	for _, n := range []*node{c.nodes[c.first], c.nodes[1-c.first]} { // the first one waits for its replica's word no more
		if n == nil {
			continue
		}
		err = errors.Join(err, n.process.stop(syscall.SIGQUIT, 30*time.Second))
		if n.disk {
			err = errors.Join(err, syscall.Unmount(n.folder, syscall.MNT_DETACH))
		}
	}
	if c.log != nil {
		err = errors.Join(err, c.log.Close())
	}
	return err
}
