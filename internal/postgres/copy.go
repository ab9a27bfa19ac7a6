package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// notCopied are what a server makes anew, and what would have it follow or archive for another.
var notCopied = []string{"postmaster.pid", "postmaster.opts", "backup_manifest", "standby.signal", "current_logfiles", "log", "pg_log", "pg_tblspc",
	"pg_replslot", "pg_stat_tmp", "pg_dynshmem", "pg_notify", "tablespace_map", "backup_manifest.tmp"}

// Copy copies a base backup into the scratch folder, its tablespaces too, and never writes to it. It gives how many bytes
// that were. It fails with ErrNoBackup, ErrOtherVersion, ErrNoRoom, and with ErrBackupBroken where a part is missing.
func (s *Scratch) Copy(ctx context.Context, from string) (int64, error) {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return 0, ErrNoBackup.Sayf("There is no backup at %s.", from).Because(err)
	}
	major, err := readMajor(from)
	if err != nil {
		return 0, err
	}
	if err := s.choose(ctx, major); err != nil {
		return 0, err
	}
	if _, err := os.Stat(filepath.Join(from, "postmaster.pid")); err == nil {
		return 0, ErrNoBackup.Sayf("%s is the folder of a server that runs, or was copied while it ran: it has a postmaster.pid. A copy of it need not be whole. Take a backup with pg_basebackup.", from)
	}
	for _, part := range []string{"global/pg_control", "base", "pg_wal", "pg_xact", "pg_multixact"} {
		if _, err := os.Stat(filepath.Join(from, part)); err != nil {
			return 0, ErrBackupBroken.Sayf("The backup %s is incomplete: %s is missing. Take another.", from, part)
		}
	}
	spaces, err := tablespaces(from)
	if err != nil {
		return 0, err
	}
	if err := s.makeRoom(from, spaces); err != nil {
		return 0, err
	}
	return s.copyAll(ctx, from, spaces)
}

func (s *Scratch) copyAll(ctx context.Context, from string, spaces map[string]string) (int64, error) {
	sum, err := copyTree(ctx, from, s.cluster(), notCopied)
	if err != nil {
		return sum, err
	}
	for _, name := range []string{"pg_tblspc", "pg_replslot", "pg_stat_tmp", "pg_dynshmem", "pg_notify", "pg_wal/archive_status"} {
		if err := os.MkdirAll(filepath.Join(s.cluster(), name), 0o700); err != nil {
			return sum, fmt.Errorf("copying the backup: %w", err)
		}
	}
	for oid, at := range spaces {
		place := filepath.Join(s.home, "tablespaces", oid)
		if err := os.MkdirAll(place, 0o700); err != nil {
			return sum, fmt.Errorf("copying a tablespace: %w", err)
		}
		n, err := copyTree(ctx, at, place, nil)
		if sum += n; err != nil {
			return sum, err
		}
		if err := os.Symlink(place, filepath.Join(s.cluster(), "pg_tblspc", oid)); err != nil {
			return sum, fmt.Errorf("copying a tablespace: %w", err)
		}
	}
	return sum, s.ownAll()
}

// tablespaces finds where those of a backup lie, by their ids.
func tablespaces(from string) (map[string]string, error) {
	found := map[string]string{}
	links, err := os.ReadDir(filepath.Join(from, "pg_tblspc"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err // it names the path
	}
	for _, link := range links {
		at := filepath.Join(from, "pg_tblspc", link.Name())
		info, err := os.Stat(at)
		if err != nil || !info.IsDir() {
			target, unread := os.Readlink(at)
			if unread != nil {
				target = at
			}
			return nil, missingSpace(link.Name(), target)
		}
		// The link itself is followed once, here.
		if at, err = filepath.EvalSymlinks(at); err != nil {
			return nil, fmt.Errorf("finding a tablespace: %w", err)
		}
		found[link.Name()] = at
	}
	list, err := os.ReadFile(filepath.Join(from, "tablespace_map"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err // it names the path
	}
	for line := range strings.Lines(string(list)) {
		oid, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		if oid != "" && found[oid] == "" {
			return nil, missingSpace(oid, path)
		}
	}
	return found, nil
}

func missingSpace(oid, path string) error {
	return ErrBackupBroken.Sayf("Tablespace %s of the backup is missing: it should be at %s. Put it there, or back up with pg_basebackup --tablespace-mapping.", oid, path)
}

// makeRoom fails where the disk is too small for a copy, before there is half of one.
func (s *Scratch) makeRoom(from string, spaces map[string]string) error {
	var need int64
	for _, place := range append(slices.Collect(values(spaces)), from) {
		err := filepath.WalkDir(place, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				need += info.Size()
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("measuring the backup: %w", err)
		}
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(s.home, &disk); err != nil {
		return fmt.Errorf("measuring the scratch folder's disk: %w", err)
	}
	const spare = 256 << 20 // for what is recovered
	if have := int64(disk.Bavail) * int64(disk.Bsize); have < need+spare {
		return ErrNoRoom.Sayf("The backup takes %d MB, and %s has room for %d MB. Name a scratch folder on a larger disk.", (need+spare)>>20, s.dir, have>>20)
	}
	return nil
}

func values(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// copyTree copies files and folders. A link to a folder, as that of a log on another disk, becomes the folder.
func copyTree(ctx context.Context, from, to string, but []string) (sum int64, err error) {
	entries, err := os.ReadDir(from)
	if err != nil {
		return 0, fmt.Errorf("reading the backup: %w", err)
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		if slices.Contains(but, entry.Name()) || strings.HasPrefix(entry.Name(), "pgsql_tmp") {
			continue
		}
		source, target := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		info, err := os.Stat(source)
		if err != nil {
			return sum, ErrBackupBroken.Sayf("The backup is incomplete: %s leads nowhere. Take another.", source).Because(err)
		}
		switch {
		case info.IsDir():
			if err := os.Mkdir(target, 0o700); err != nil {
				return sum, fmt.Errorf("copying the backup: %w", err)
			}
			n, err := copyTree(ctx, source, target, nil)
			if sum += n; err != nil {
				return sum, err
			}
		case info.Mode().IsRegular():
			n, err := copyFile(source, target)
			if sum += n; err != nil {
				return sum, err
			}
		} // a socket is no part of a backup
	}
	return sum, nil
}

func copyFile(from, to string) (n int64, err error) {
	source, err := os.Open(from)
	if err != nil {
		return 0, fmt.Errorf("reading the backup: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("copying the backup: %w", err)
	}
	n, err = io.Copy(target, source) // where the disk can, the two share their blocks
	return n, errors.Join(err, target.Close())
}

// ownAll hands all that is in the scratch folder to the server's user.
func (s *Scratch) ownAll() error {
	if s.account == nil {
		return nil
	}
	return filepath.WalkDir(s.home, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("handing the backup to %s: %w", s.account, err)
		}
		if err := os.Lchown(path, int(s.account.uid), int(s.account.gid)); err != nil {
			return fmt.Errorf("handing the backup to %s: %w", s.account, err)
		}
		return nil
	})
}

// keepInside refuses a restored folder that leads out of the scratch folder: the server would write there.
func (s *Scratch) keepInside() error {
	if err := os.Remove(filepath.Join(s.cluster(), "tablespace_map")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking at what was restored: %w", err)
	}
	return filepath.WalkDir(s.cluster(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("looking at what was restored: %w", err)
		}
		if d.Type()&fs.ModeSymlink == 0 {
			return nil
		}
		at, err := filepath.EvalSymlinks(path)
		if err != nil || !strings.HasPrefix(at, s.home+string(filepath.Separator)) {
			return ErrBackupBroken.Sayf("What was restored leads out of the scratch folder: %s. Have the command put tablespaces into %%t (pgBackRest: --tablespace-map-all=%%t) and the log into %%d.", path).Because(err)
		}
		return nil
	})
}

// IsDump says whether a path is what pg_dump wrote, and in which of its forms: "custom", "directory" or "plain".
func IsDump(path string) (form string, err error) {
	if info, err := os.Stat(filepath.Join(path, "toc.dat")); err == nil && info.Mode().IsRegular() {
		return "directory", nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", ErrNoBackup.Sayf("There is no backup at %s.", path).Because(err)
	}
	if info.IsDir() {
		return "", nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err // it names the path
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	head, err := bufio.NewReader(file).Peek(200)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the backup: %w", err)
	}
	switch {
	case strings.HasPrefix(string(head), "PGDMP"):
		return "custom", nil
	case strings.Contains(string(head), "PostgreSQL database dump"):
		return "plain", nil
	}
	return "", ErrNoBackup.Sayf("%s is neither a folder that pg_basebackup wrote nor what pg_dump wrote (--format=custom, directory or plain).", path)
}

// roleNamed finds the roles that a dump's script speaks of.
var roleNamed = regexp.MustCompile(`^(?:GRANT .* TO|REVOKE .* FROM|ALTER .* OWNER TO|ALTER DEFAULT PRIVILEGES FOR ROLE|CREATE SCHEMA .* AUTHORIZATION) "?([a-z_][a-z0-9_]*)"?`)

// Roles lists the roles that a dump speaks of, which it does not hold itself.
func (s *Scratch) Roles(ctx context.Context, dump, form string) ([]string, error) {
	seen := map[string]bool{}
	look := func(line string) {
		if found := roleNamed.FindStringSubmatch(line); found != nil {
			seen[found[1]] = true
		}
	}
	if form == "plain" {
		if err := eachLine(dump, look); err != nil {
			return nil, err
		}
	} else if err := s.Run(ctx, look, "pg_restore", "--schema-only", "--file=-", dump); err != nil {
		return nil, sayDump(err)
	}
	var roles []string
	for role := range seen {
		if role != superuser && !strings.EqualFold(role, "public") && !strings.HasPrefix(role, "pg_") {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	return roles, nil
}

func eachLine(path string, look func(string)) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err // it names the path
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		look(string(line[:min(len(line), 1000)]))
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("reading %s: %w", path, err)
		}
	}
}

// Load loads a dump into a database of the running server, whole or not at all. It fails with ErrBackupBroken.
func (s *Scratch) Load(ctx context.Context, dump, form, database string) error {
	into := "--dbname=" + s.URL(superuser, database)
	var err error
	if form == "plain" {
		err = s.Run(ctx, nil, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", into, "--file="+dump)
	} else {
		err = s.Run(ctx, nil, "pg_restore", "--exit-on-error", into, dump)
	}
	if err != nil && ctx.Err() == nil {
		return sayDump(err)
	}
	return err
}

func sayDump(err error) error {
	said := err.Error()
	if strings.Contains(said, "unsupported version") {
		return ErrOtherVersion.Sayf("The dump was made by a newer PostgreSQL than this machine has. Install that version here.").Because(err)
	}
	reason := lastLine(said)
	for line := range strings.Lines(said) {
		if _, after, ok := strings.Cut(line, "error: "); ok {
			reason = strings.TrimSpace(after)
			break
		}
		if _, after, ok := strings.Cut(line, "ERROR:  "); ok {
			reason = strings.TrimSpace(after)
			break
		}
	}
	return ErrBackupBroken.Sayf("The dump cannot be loaded: %s", reason).Because(err)
}
