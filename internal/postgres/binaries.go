package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the first version that has what the schema and initdb's options need.
const oldestMajor = 15

// binDirVariable names the environment variable that says which binaries to use and no others.
const binDirVariable = "COUNTINGHOUSE_POSTGRES_BIN"

// installPlaces are the folders that packages put server binaries in when they are not on the PATH: Debian,
// Red Hat, a build from source, Homebrew on both kinds of Mac, Postgres.app.
var installPlaces = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/local/pgsql/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// binaries are the server programs of one installation.
type binaries struct {
	dir   string
	major int
}

// findBinaries gives the binaries to run: of the version that made the cluster if there is one, else the
// first on the PATH, else the newest installed, else fetched.
func (f *folder) findBinaries(ctx context.Context, o Options) (binaries, error) {
	cluster, err := f.clusterVersion()
	if err != nil {
		return binaries{}, err
	}
	found, err := listBinaries(ctx, o)
	if err != nil {
		return binaries{}, err
	}
	fetched, err := readBinaries(ctx, filepath.Join(f.home, fetchedPrefix+"*", "bin"))
	if err != nil {
		return binaries{}, err
	}
	usable := slices.Concat(found, fetched)
	at := slices.IndexFunc(usable, func(b binaries) bool {
		return b.major == cluster || cluster == 0 && b.major >= oldestMajor
	})
	switch {
	case at >= 0:
		return usable[at], nil
	case cluster != 0 && len(usable) > 0:
		return binaries{}, ErrOtherVersion.Sayf(
			"The data folder %s was made by PostgreSQL %d, and this machine has PostgreSQL %d (%s). Install PostgreSQL %d, or name another data folder.",
			f.dir, cluster, usable[0].major, usable[0].dir, cluster)
	}
	b, err := f.fetchBinaries(ctx, o, cluster)
	if err != nil && len(found) > 0 {
		err = ErrMissing.Sayf("This machine has PostgreSQL %d (%s), and %d or later is needed, which could not be fetched either. Install it (Debian: apt-get install postgresql).",
			found[0].major, found[0].dir, oldestMajor).Because(err)
	}
	return b, err
}

// listBinaries lists what is installed, best first.
func listBinaries(ctx context.Context, o Options) ([]binaries, error) {
	if o.binDirs != nil {
		return readBinaries(ctx, o.binDirs...)
	}
	if dir := os.Getenv(binDirVariable); dir != "" {
		b, err := readVersion(ctx, dir)
		if err != nil {
			return nil, ErrMissing.Sayf("%s names %s, and there are no PostgreSQL server binaries there. Correct it, or unset it.", binDirVariable, dir).Because(err)
		}
		return []binaries{b}, nil
	}
	var onPath []string
	if program, err := exec.LookPath("postgres"); err == nil {
		// A link in /usr/local/bin leads to the folder that has the other programs too.
		if program, err = filepath.EvalSymlinks(program); err == nil {
			onPath = append(onPath, filepath.Dir(program))
		}
	}
	first, err := readBinaries(ctx, onPath...)
	if err != nil {
		return nil, err
	}
	rest, err := readBinaries(ctx, installPlaces...)
	if err != nil {
		return nil, err
	}
	return append(first, rest...), nil
}

// readBinaries gives the complete installations among some folders (patterns allowed), newest first. What
// is there but does not run is no installation.
func readBinaries(ctx context.Context, patterns ...string) ([]binaries, error) {
	var found []binaries
	for _, pattern := range patterns {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("looking for PostgreSQL in %s: %w", pattern, err)
		}
		for _, dir := range dirs {
			if b, err := readVersion(ctx, dir); err == nil {
				found = append(found, b)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return b.major - a.major })
	return found, ctx.Err()
}

// readVersion asks the binaries of one folder for their version.
func readVersion(ctx context.Context, dir string) (binaries, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return binaries{}, fmt.Errorf("no initdb: %w", err)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return binaries{}, fmt.Errorf("asking for the version: %w", err)
	}
	// "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "postgres (PostgreSQL) 18beta1"
	_, rest, ok := strings.Cut(string(out), "(PostgreSQL) ")
	if !ok {
		return binaries{}, errors.New("it does not say that it is PostgreSQL")
	}
	digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(rest)
	}
	major, err := strconv.Atoi(rest[:digits])
	if err != nil {
		return binaries{}, fmt.Errorf("reading the version %q: %w", rest, err)
	}
	return binaries{dir: dir, major: major}, nil
}
