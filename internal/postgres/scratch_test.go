package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// source is a server that is backed up: it archives its log into a folder, and has a tablespace.
type source struct {
	*Server
	dir, archive string
}

func startSource(t *testing.T) source {
	t.Helper()
	dir := openDir(t)
	s := source{dir: dir, archive: filepath.Join(dir, "archive")}
	for _, folder := range []string{s.archive, filepath.Join(dir, "space")} {
		check(t, os.Mkdir(folder, 0o777))
		check(t, os.Chmod(folder, 0o777))
	}
	s.Server = start(t, Options{Dir: filepath.Join(dir, "source"), Settings: map[string]string{
		"wal_level": "replica", "max_wal_senders": "4", "shared_buffers": "32MB",
		"archive_mode": "on", "archive_command": "cp %p " + s.archive + "/%f",
	}})
	if os.Geteuid() == 0 {
		info, err := os.Stat(s.Cluster())
		check(t, err)
		check(t, os.Chown(filepath.Join(dir, "space"), int(info.Sys().(*syscall.Stat_t).Uid), -1))
	}
	query(t, s.URL(), "create tablespace spare location '"+filepath.Join(dir, "space")+"'")
	query(t, s.URL(), "create table t (n int); create table elsewhere (n int) tablespace spare; insert into t values (1); insert into elsewhere values (1)")
	return s
}

// backUp takes a base backup with pg_basebackup.
func (s source) backUp(t *testing.T, name string, more ...string) string {
	t.Helper()
	to := filepath.Join(s.dir, name)
	args := append([]string{"-d", s.URL(), "-D", to, "--checkpoint=fast", "-T", filepath.Join(s.dir, "space") + "=" + to + "-space"}, more...)
	command := exec.CommandContext(t.Context(), filepath.Join(s.BinDir(), "pg_basebackup"), args...)
	command.Dir = "/"
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return to
}

func openScratch(t *testing.T, dir string) *Scratch {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := OpenScratch(ctx, dir, nil)
	check(t, err)
	t.Cleanup(func() {
		if s.lock == nil {
			return
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// recovered copies a backup and recovers it.
func recovered(t *testing.T, from string, how Recovery) (*Scratch, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s := openScratch(t, openDir(t))
	if _, err := s.Copy(ctx, from); err != nil {
		return s, err
	}
	return s, s.Recover(ctx, how)
}

func refused(t *testing.T, err error, want *fault.Error, say string) {
	t.Helper()
	var f *fault.Error
	if !errors.Is(err, want) || !errors.As(err, &f) || !strings.Contains(f.Say, say) {
		t.Errorf("it says %v, want %s with %q", err, want.Code, say)
	}
}

// digest tells a folder by names and content.
func digest(t *testing.T, dir string) string {
	t.Helper()
	sum := sha256.New()
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(sum, path, info.Mode(), info.ModTime().UnixNano())
		if !d.Type().IsRegular() {
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(sum, file)
		return errors.Join(err, file.Close())
	}))
	return hex.EncodeToString(sum.Sum(nil))
}

func TestScratch_brings_a_base_backup_back(t *testing.T) {
	t.Parallel()
	src := startSource(t)
	// -R: a server on it would follow the source.
	backup := src.backUp(t, "backup", "-R")
	before, archived := digest(t, backup), digest(t, src.archive)
	dir := openDir(t)
	check(t, os.WriteFile(filepath.Join(dir, "mine"), []byte("keep"), 0o600))
	s := openScratch(t, dir)
	if done, err := s.Verify(t.Context(), backup); err != nil || !done {
		t.Errorf("verified %v, %v", done, err)
	}
	if n, err := s.Copy(t.Context(), backup); err != nil || n < 1<<20 {
		t.Fatalf("copied %d bytes, %v", n, err)
	}
	check(t, s.Recover(t.Context(), Recovery{}))
	at := s.URL(superuser, "postgres")
	if got := query(t, at, "select (select count(*) from t) + (select count(*) from elsewhere)"); got != "2" {
		t.Errorf("%s rows came back, want 2", got)
	}
	// It goes its own way, and writes to no place of the source's.
	query(t, at, "insert into t values (7); insert into elsewhere values (7); create table more (n int); select pg_switch_wal()")
	for _, setting := range []string{"listen_addresses", "primary_conninfo", "archive_command", "shared_preload_libraries"} {
		if got := query(t, at, "show "+setting); got != "" && got != "(disabled)" {
			t.Errorf("%s is %q", setting, got)
		}
	}
	if got := query(t, at, "select pg_is_in_recovery()"); got != "f" {
		t.Error("it follows another server")
	}
	if got := query(t, src.URL(), "select count(*) from pg_stat_replication"); got != "0" {
		t.Error("the source is followed")
	}
	if info, err := os.Stat(s.home); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its folder is open to others: %v %v", info.Mode(), err)
	}
	if _, err := OpenScratch(t.Context(), dir, nil); !errors.Is(err, ErrInUse) {
		t.Errorf("two at once in one folder: %v", err)
	}
	check(t, s.Close())
	s.lock = nil
	if digest(t, backup) != before {
		t.Error("the backup was written to")
	}
	if digest(t, src.archive) != archived {
		t.Error("something was put into the source's archive")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 2 { // what was there, and the lock
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestScratch_recovers_from_an_archive(t *testing.T) {
	t.Parallel()
	src := startSource(t)
	backup := src.backUp(t, "backup", "-X", "none")
	query(t, src.URL(), "insert into t values (2)")
	between := strings.Replace(query(t, src.URL(), "select pg_sleep(0.05), now() at time zone 'utc'"), "|", "", 1)
	moment, err := time.Parse("2006-01-02 15:04:05.999999", strings.TrimSpace(between))
	check(t, err)
	query(t, src.URL(), "select pg_sleep(0.05)")
	query(t, src.URL(), "insert into t values (3)")
	name := query(t, src.URL(), "select pg_walfile_name(pg_switch_wal())")
	for range 200 { // until the archiver has put it there
		if _, err := os.Stat(filepath.Join(src.archive, name)); err == nil {
			break
		}
		query(t, src.URL(), "select pg_sleep(0.1)")
	}
	fetch := "cp " + src.archive + "/%f %p"

	s, err := recovered(t, backup, Recovery{RestoreCommand: fetch})
	check(t, err)
	if got := query(t, s.URL(superuser, "postgres"), "select string_agg(n::text, ',' order by n) from t"); got != "1,2,3" {
		t.Errorf("to the end there is %s", got)
	}
	if last := s.LastTransaction(); time.Since(last) > time.Hour || last.Before(moment) {
		t.Errorf("the last transaction is of %v", last)
	}
	s, err = recovered(t, backup, Recovery{RestoreCommand: fetch, Until: moment})
	check(t, err)
	if got := query(t, s.URL(superuser, "postgres"), "select string_agg(n::text, ',' order by n) from t"); got != "1,2" {
		t.Errorf("until between them there is %s", got)
	}
	_, err = recovered(t, backup, Recovery{RestoreCommand: fetch, Until: time.Now().Add(time.Hour)})
	refused(t, err, ErrBackupBroken, "do not reach")
	_, err = recovered(t, backup, Recovery{})
	refused(t, err, ErrBackupBroken, "incomplete")
	// A tool that restores says where the archive is, and what to do when a server takes over; only the first is done.
	check(t, os.WriteFile(filepath.Join(backup, "recovery.signal"), nil, 0o600))
	ran := filepath.Join(src.dir, "ran")
	check(t, os.WriteFile(filepath.Join(backup, "postgresql.auto.conf"), []byte("restore_command = '"+fetch+"'\nrecovery_end_command = 'touch "+ran+
		"'\narchive_cleanup_command = 'rm -r "+src.archive+"'\nrecovery_target_action = 'shutdown'\nlisten_addresses = '*'\n"), 0o600))
	s, err = recovered(t, backup, Recovery{})
	check(t, err)
	if got := query(t, s.URL(superuser, "postgres"), "select count(*) from t"); got != "3" {
		t.Errorf("by its own setting there is %s", got)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a command of the backup's own settings was run")
	}
	// The archive lost its end, and then what the backup needs.
	check(t, os.Truncate(filepath.Join(src.archive, name), 1<<20))
	_, err = recovered(t, backup, Recovery{RestoreCommand: fetch, Until: moment.Add(time.Second)})
	refused(t, err, ErrBackupBroken, "")
}

func TestScratch_refuses_what_is_not_whole(t *testing.T) {
	t.Parallel()
	src := startSource(t)
	for name, c := range map[string]struct {
		spoil  func(t *testing.T, backup string)
		verify string // what the manifest's check says; "" for nothing
		want   *fault.Error
		say    string
	}{
		"the log is cut short": {func(t *testing.T, b string) {
			logs, err := filepath.Glob(b + "/pg_wal/0*")
			check(t, err)
			for _, log := range logs {
				if !strings.HasSuffix(log, ".backup") {
					check(t, os.Truncate(log, 100))
				}
			}
		}, "not as it was written", ErrBackupBroken, "incomplete"},
		"a row's page is changed": {func(t *testing.T, b string) {
			file := filepath.Join(b, query(t, src.URL(), "select pg_relation_filepath('t')"))
			page, err := os.ReadFile(file)
			check(t, err)
			page[len(page)-1] ^= 1
			check(t, os.WriteFile(file, page, 0o600))
		}, "checksum mismatch", nil, ""},
		"a table's file is missing": {func(t *testing.T, b string) {
			check(t, os.Remove(filepath.Join(b, query(t, src.URL(), "select pg_relation_filepath('t')"))))
		}, "present in the manifest but not on disk", nil, ""},
		"the control file is missing": {func(t *testing.T, b string) { check(t, os.Remove(b+"/global/pg_control")) }, "pg_control", ErrBackupBroken, "global/pg_control is missing"},
		"a tablespace is missing":     {func(t *testing.T, b string) { check(t, os.RemoveAll(b+"-space")) }, "not as it was written", ErrBackupBroken, "Tablespace"},
		"it is of another version": {func(t *testing.T, b string) {
			check(t, os.WriteFile(b+"/PG_VERSION", []byte("14\n"), 0o600))
			check(t, os.Remove(b+"/backup_manifest"))
		}, "", ErrOtherVersion, "PostgreSQL 14"},
		"a server is using it": {func(t *testing.T, b string) { check(t, os.WriteFile(b+"/postmaster.pid", nil, 0o600)) }, "postmaster.pid", ErrNoBackup, "pg_basebackup"},
		"it is an empty folder": {func(t *testing.T, b string) {
			check(t, os.RemoveAll(b))
			check(t, os.Mkdir(b, 0o700))
		}, "", ErrNoBackup, "PG_VERSION"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backup := src.backUp(t, "backup-"+strings.ReplaceAll(name, " ", "-"))
			c.spoil(t, backup)
			_, err := openScratch(t, openDir(t)).Verify(t.Context(), backup)
			if c.verify == "" && err != nil || c.verify != "" && (err == nil || !strings.Contains(err.Error(), c.verify)) {
				t.Errorf("the manifest's check says %v", err)
			}
			if c.want != nil {
				_, err := recovered(t, backup, Recovery{})
				refused(t, err, c.want, c.say)
			}
		})
	}
}

func TestScratch_fetches_by_a_command(t *testing.T) {
	t.Parallel()
	src := startSource(t)
	backup := src.backUp(t, "backup")
	for name, c := range map[string]struct{ command, say string }{
		"well":         {"cp -r " + backup + "/. %d && rm %d/pg_tblspc/* && cp -r " + backup + "-space %t/1 && ln -s %t/1 %d/pg_tblspc/$(basename " + backup + "/pg_tblspc/*)", ""},
		"it fails":     {"echo no such stanza >&2; exit 3", "no such stanza"},
		"it leads out": {"cp -rP " + backup + "/. %d", "leads out of the scratch folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openScratch(t, openDir(t))
			err := s.Fetch(t.Context(), c.command)
			if c.say != "" {
				refused(t, err, ErrBackupBroken, c.say)
				return
			}
			check(t, err)
			check(t, s.Recover(t.Context(), Recovery{}))
			if got := query(t, s.URL(superuser, "postgres"), "select count(*) from elsewhere"); got != "1" {
				t.Errorf("%s rows came back", got)
			}
		})
	}
}

func TestScratch_loads_a_dump(t *testing.T) {
	t.Parallel()
	src := startSource(t)
	query(t, src.URL(), "create role reader; create role writer; grant select on t to reader; alter table t owner to writer; drop table elsewhere")
	for form, option := range map[string]string{"custom": "-Fc", "directory": "-Fd", "plain": "-Fp"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			dump := filepath.Join(src.dir, "dump-"+form)
			command := exec.CommandContext(t.Context(), filepath.Join(src.BinDir(), "pg_dump"), option, "-f", dump, src.URL())
			if said, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			if got, err := IsDump(dump); err != nil || got != form {
				t.Fatalf("taken for %q (%v)", got, err)
			}
			s := openScratch(t, openDir(t))
			check(t, s.Make(t.Context()))
			roles, err := s.Roles(t.Context(), dump, form)
			if err != nil || strings.Join(roles, " ") != "reader writer" {
				t.Fatalf("it speaks of %v (%v)", roles, err)
			}
			refused(t, s.Load(t.Context(), dump, form, "postgres"), ErrBackupBroken, "writer")
			at := s.URL(superuser, "postgres")
			query(t, at, "drop table if exists t; create role reader; create role writer")
			check(t, s.Load(t.Context(), dump, form, "postgres"))
			if got := query(t, at, "select count(*) from t"); got != "1" {
				t.Errorf("%s rows came back", got)
			}
		})
	}
	file := filepath.Join(src.dir, "text")
	check(t, os.WriteFile(file, []byte("no dump"), 0o600))
	_, err := IsDump(file)
	refused(t, err, ErrNoBackup, "neither")
	_, err = IsDump(file + "-gone")
	refused(t, err, ErrNoBackup, "There is no backup")
}
