package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Recovery says how far a backup is to be recovered, and from what.
type Recovery struct {
	// RestoreCommand fetches a file of the write-ahead log from the archive, as restore_command of PostgreSQL does: %f is
	// its name, %p where to put it. Without one what lies in the backup itself is recovered.
	RestoreCommand string
	// Until is the moment to recover to; zero is the end.
	Until time.Time
}

// Verify has pg_verifybackup hold a base backup against the manifest that was written with it. done is false where the
// backup has no manifest, or the server was installed without that program. It fails with ErrBackupBroken.
func (s *Scratch) Verify(ctx context.Context, from string) (done bool, err error) {
	if _, err := os.Stat(filepath.Join(from, "backup_manifest")); err != nil {
		return false, nil
	}
	major, err := readMajor(from)
	if err == nil {
		err = s.choose(ctx, major)
	}
	if err != nil || s.Program("pg_verifybackup") == "" || s.Program("pg_waldump") == "" {
		return false, err
	}
	var said []string
	args := []string{"--quiet"}
	if !hasLog(from) {
		args = append(args, "--no-parse-wal") // it comes from the archive
	}
	failed := s.Run(ctx, func(line string) {
		if line = strings.TrimPrefix(line, "pg_verifybackup: error: "); line != "" && len(said) < 3 {
			said = append(said, line)
		}
	}, "pg_verifybackup", append(args, from)...)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if failed != nil {
		return true, ErrBackupBroken.Sayf("The backup is not as it was written: %s. Take another, and find out what became of this one.", strings.Join(said, "; ")).Because(failed)
	}
	return true, nil
}

// hasLog says whether a backup holds any of the write-ahead log.
func hasLog(from string) bool {
	found, err := filepath.Glob(filepath.Join(from, "pg_wal", strings.Repeat("[0-9A-F]", 24)))
	return err == nil && len(found) > 0
}

// Fetch has a command of the operator's put a backup into the scratch folder: %d in it is the folder of the data, %t one
// for tablespaces. It is run by the shell, as ourselves, with our environment but for settings of this program.
func (s *Scratch) Fetch(ctx context.Context, command string) error {
	spaces := filepath.Join(s.home, "tablespaces")
	if err := os.Mkdir(spaces, 0o700); err != nil {
		return fmt.Errorf("making room for tablespaces: %w", err)
	}
	shell := exec.CommandContext(ctx, "/bin/sh", "-c", strings.NewReplacer("%d", s.cluster(), "%t", spaces, "%%", "%").Replace(command))
	shell.Dir = "/"
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "COUNTINGHOUSE_") {
			shell.Env = append(shell.Env, setting)
		}
	}
	shell.WaitDelay = stopGrace
	var said tail
	said.to = s.log
	shell.Stdout, shell.Stderr = &said, &said
	if err := shell.Run(); err != nil {
		return ErrBackupBroken.Sayf("The command that fetches the backup failed (%v). It said: %s", err, lastLine(said.String())).Because(err)
	}
	major, err := readMajor(s.cluster())
	if err == nil {
		err = s.choose(ctx, major)
	}
	if err != nil {
		return err
	}
	if err := s.keepInside(); err != nil {
		return err
	}
	return s.ownAll()
}

// Recover starts the server on the backup that Copy or Fetch has put in place, and returns when it has recovered. It
// fails with ErrBackupBroken where it does not get as far as it was asked to.
func (s *Scratch) Recover(ctx context.Context, how Recovery) error {
	kept, err := s.settle(how)
	if err != nil {
		return err
	}
	if err := s.launchScratch(ctx, kept); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return sayRecovery(err, how)
	}
	return nil
}

// settle decides what the server recovers from. What the backup's own settings say of the archive is kept (a tool that
// restores, such as pgBackRest, writes it there), and nothing else of them.
func (s *Scratch) settle(how Recovery) (map[string]string, error) {
	auto := filepath.Join(s.cluster(), "postgresql.auto.conf")
	text, err := os.ReadFile(auto)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err // it names the path
	}
	settings := map[string]string{"recovery_target_action": "promote"}
	for _, found := range recoverySetting.FindAllSubmatch(text, -1) {
		settings[string(found[1])] = strings.ReplaceAll(string(found[2]), "''", "'")
	}
	signal := filepath.Join(s.cluster(), "recovery.signal")
	_, lacking := os.Stat(signal)
	asked := lacking == nil
	if how.RestoreCommand != "" {
		settings["restore_command"], asked = how.RestoreCommand, true
	}
	if !how.Until.IsZero() {
		for _, other := range []string{"recovery_target", "recovery_target_name", "recovery_target_xid", "recovery_target_lsn"} {
			delete(settings, other)
		}
		settings["recovery_target_time"], asked = how.Until.UTC().Format("2006-01-02 15:04:05.999999+00"), true
	}
	settings["recovery_target_action"] = "promote" // whatever was there
	for _, name := range []string{auto, filepath.Join(s.cluster(), "standby.signal"), signal} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("setting the scratch server up: %w", err)
		}
	}
	if !asked {
		return nil, s.emptyFile(auto)
	}
	if settings["restore_command"] == "" {
		settings["restore_command"] = "false" // what there is lies in the backup
	}
	return settings, errors.Join(s.emptyFile(auto), s.emptyFile(signal))
}

// recoverySetting is a line of postgresql.auto.conf that says where the archive is and how far to go.
var recoverySetting = regexp.MustCompile(`(?m)^\s*(restore_command|recovery_target(?:_[a-z]+)?)\s*=\s*'((?:[^'\n]|'')*)'`)

func (s *Scratch) emptyFile(path string) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return fmt.Errorf("setting the scratch server up: %w", err)
	}
	return s.account.own(path)
}

// sayRecovery turns the server's own words into what an operator can act on.
func sayRecovery(err error, how Recovery) error {
	said := err.Error()
	switch {
	case strings.Contains(said, "recovery ended before configured recovery target was reached"):
		return ErrBackupBroken.Sayf("The backup and its archive do not reach %s. Name an earlier moment, or find out where the rest of the archive is.",
			how.Until.UTC().Format(time.RFC3339)).Because(err)
	case strings.Contains(said, "WAL ends before end of online backup"), strings.Contains(said, "WAL ends before consistent recovery point"),
		strings.Contains(said, "could not locate required checkpoint record"), strings.Contains(said, "could not locate a valid checkpoint record"):
		return ErrBackupBroken.Sayf("The backup is incomplete: its write-ahead log ends before the backup does. Take another with its log (pg_basebackup -X stream), or name the archive with --restore-command.").Because(err)
	}
	reason := lastLine(said)
	if fatal := fatalLine.FindAllStringSubmatch(said, -1); len(fatal) > 0 {
		reason = fatal[len(fatal)-1][1]
	}
	return ErrBackupBroken.Sayf("PostgreSQL cannot bring the backup to life: %s", reason).Because(err)
}

var fatalLine = regexp.MustCompile(`(?m)(?:FATAL|PANIC):\s+(.*)$`)

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// LastTransaction is when the last transaction ended that was recovered from the log, by the clock of the server that was
// backed up; zero where none was.
func (s *Scratch) LastTransaction() time.Time {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	return s.watch.last
}

// recoveryLog listens to what a recovering server says.
type recoveryLog struct {
	mu   sync.Mutex
	rest []byte
	last time.Time
}

var lastTransaction = regexp.MustCompile(`last completed transaction was at log time ([0-9: .-]+)\+00`)

func (l *recoveryLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.rest = rest
		if found := lastTransaction.FindSubmatch(line); found != nil {
			if at, err := time.Parse("2006-01-02 15:04:05.999999", string(found[1])); err == nil {
				l.last = at
			}
		}
	}
}

// lines gives whole lines to whoever wants them.
type lines struct {
	tell func(string)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	if l.tell == nil {
		return len(p), nil
	}
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.tell(string(line))
		l.rest = rest
	}
}

func (l *lines) end() {
	if l.tell != nil && len(l.rest) > 0 {
		l.tell(string(l.rest))
	}
}
