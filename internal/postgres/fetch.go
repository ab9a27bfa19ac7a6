package postgres

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
	"github.com/xi2/xz"
)

// The library knows which builds exist, but can fetch them only on the way to starting the server itself,
// which as root it cannot; it takes no context, and goes on without a checksum. So its versions and its
// archives are used, and fetched here.
var fetchable = map[int]embeddedpostgres.PostgresVersion{
	15: embeddedpostgres.V15,
	16: embeddedpostgres.V16,
	17: embeddedpostgres.V17,
	18: embeddedpostgres.V18,
}

const (
	// fetchedMajor is the version that our own tests run on.
	fetchedMajor  = 15
	fetchedPrefix = "postgres-"

	fetchTimeout    = 5 * time.Minute
	maxArchiveBytes = 200 << 20 // the builds are 10 to 60 MB
	maxFileBytes    = 500 << 20
)

// usualRepository is where the library that the builds belong to looks for them; it keeps the address to itself.
func usualRepository() string {
	return reflect.ValueOf(embeddedpostgres.DefaultConfig()).FieldByName("binaryRepositoryURL").String()
}

// fetchBinaries gets the builds of a major version (0: ours) and unpacks them beside the cluster, where the
// server's user can run them.
func (f *folder) fetchBinaries(ctx context.Context, o Options, major int) (binaries, error) {
	if major == 0 {
		major = fetchedMajor
	}
	version, ok := fetchable[major]
	if !ok {
		return binaries{}, ErrOtherVersion.Sayf("The data folder %s was made by PostgreSQL %d, which is not on this machine. Install it, or name another data folder.", f.dir, major)
	}
	if _, err := fmt.Fprintf(o.Log, "PostgreSQL is not installed; fetching version %s.\n", version); err != nil {
		return binaries{}, fmt.Errorf("writing the log: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	archive, err := fetchArchive(ctx, o, string(version))
	if err != nil {
		return binaries{}, ErrMissing.Sayf(
			"PostgreSQL %d or later is not on this machine, and fetching it failed. Install it (Debian: apt-get install postgresql; macOS: brew install postgresql@17), or set %s to the folder of its server binaries.",
			oldestMajor, binDirVariable).Because(err)
	}
	dir := filepath.Join(f.home, fetchedPrefix+string(version))
	if err := unpackArchive(archive, dir); err != nil {
		return binaries{}, fmt.Errorf("unpacking PostgreSQL %s: %w", version, err)
	}
	return readVersion(ctx, filepath.Join(dir, "bin"))
}

// fetchArchive gives a build's archive from the cache, else from the repository once its checksum is right.
func fetchArchive(ctx context.Context, o Options, version string) ([]byte, error) {
	cache := o.Cache
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			user = os.TempDir()
		}
		cache = filepath.Join(user, "countinghouse")
	}
	repository := o.Repository
	if repository == "" {
		repository = usualRepository()
	}
	artifact := "embedded-postgres-binaries-" + platform()
	name := artifact + "-" + version + ".jar"
	kept := filepath.Join(cache, name)
	archive, err := os.ReadFile(kept)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return archive, err
	}
	address := strings.TrimSuffix(repository, "/") + "/" + path.Join("io/zonky/test/postgres", artifact, version, name)
	if archive, err = download(ctx, address); err != nil {
		return nil, err
	}
	if err := checkDigest(ctx, address, archive); err != nil {
		return nil, err
	}
	if err := keepArchive(kept, archive); err != nil {
		// Only the next data folder pays for it, with another fetch.
		_, err = fmt.Fprintln(o.Log, err)
		return archive, err
	}
	return archive, nil
}

// platform is how the builds name this operating system and processor.
func platform() string {
	arch := runtime.GOARCH
	if arch == "arm64" {
		arch = "arm64v8"
	}
	if _, err := os.Stat("/etc/alpine-release"); err == nil {
		arch += "-alpine"
	}
	return runtime.GOOS + "-" + arch
}

// keepArchive writes beside the place and renames, so that a parallel run never reads half a file.
func keepArchive(kept string, archive []byte) error {
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return fmt.Errorf("keeping the archive: %w", err)
	}
	draft, err := os.CreateTemp(filepath.Dir(kept), "fetch-*")
	if err != nil {
		return fmt.Errorf("keeping the archive: %w", err)
	}
	_, err = draft.Write(archive)
	err = errors.Join(err, draft.Close())
	if err == nil {
		err = os.Rename(draft.Name(), kept)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keeping the archive: %w", err), os.Remove(draft.Name()))
	}
	return nil
}

var errNotThere = errors.New("it is not there")

func download(ctx context.Context, address string) (_ []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", address, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err // it names the address
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", address, errNotThere)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the answer was %s", address, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxArchiveBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if len(body) > maxArchiveBytes {
		return nil, fmt.Errorf("%s: it is larger than any build", address)
	}
	return body, nil
}

// checkDigest compares the archive with the digest that the repository publishes beside it. Maven
// repositories have SHA-1 for every file and SHA-256 for most; both find damage, and TLS is what keeps
// forgery out.
func checkDigest(ctx context.Context, address string, archive []byte) error {
	strong, weak := sha256.Sum256(archive), sha1.Sum(archive)
	want, have := ".sha256", strong[:]
	text, err := download(ctx, address+want)
	if errors.Is(err, errNotThere) {
		want, have = ".sha1", weak[:]
		text, err = download(ctx, address+want)
	}
	if err != nil {
		return fmt.Errorf("fetching its checksum: %w", err)
	}
	published, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if !strings.EqualFold(published, hex.EncodeToString(have)) {
		return fmt.Errorf("%s: the archive does not match its %s checksum", address, want[1:])
	}
	return nil
}

// unpackArchive puts the tar.xz within a jar into dir, all or nothing.
func unpackArchive(archive []byte, dir string) error {
	jar, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return fmt.Errorf("opening the archive: %w", err)
	}
	for _, file := range jar.File {
		if strings.HasSuffix(file.Name, ".txz") {
			return unpackFile(file, dir)
		}
	}
	return errors.New("the archive has no .txz file")
}

func unpackFile(file *zip.File, dir string) (err error) {
	packed, err := file.Open()
	if err != nil {
		return fmt.Errorf("opening %s: %w", file.Name, err)
	}
	defer func() { err = errors.Join(err, packed.Close()) }()
	plain, err := xz.NewReader(packed, 0)
	if err != nil {
		return fmt.Errorf("decompressing %s: %w", file.Name, err)
	}
	draft := filepath.Join(filepath.Dir(dir), "unpacking-"+filepath.Base(dir)) // never taken for binaries
	if err := os.RemoveAll(draft); err != nil {
		return fmt.Errorf("clearing an earlier try: %w", err)
	}
	if err := os.Mkdir(draft, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	root, err := os.OpenRoot(draft)
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := root.Chmod(".", 0o755); err != nil {
		return fmt.Errorf("opening the folder to the server's user: %w", err)
	}
	entries := tar.NewReader(plain)
	for {
		entry, err := entries.Next()
		if err == io.EOF {
			return os.Rename(draft, dir)
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", file.Name, err)
		}
		if err := unpackEntry(root, entry, entries); err != nil {
			return fmt.Errorf("unpacking %s: %w", entry.Name, err)
		}
	}
}

// unpackEntry writes one entry. root keeps every name within the folder.
func unpackEntry(root *os.Root, entry *tar.Header, content io.Reader) (err error) {
	name := path.Clean(entry.Name)
	if !filepath.IsLocal(name) {
		return errors.New("it would lie outside the folder")
	}
	if err := makeOpenDirs(root, path.Dir(name)); err != nil {
		return err
	}
	switch entry.Typeflag {
	case tar.TypeDir:
		return makeOpenDirs(root, name)
	case tar.TypeSymlink:
		return root.Symlink(entry.Linkname, name)
	case tar.TypeReg:
	default:
		return fmt.Errorf("entries of type %q are not in these archives", entry.Typeflag)
	}
	if entry.Size > maxFileBytes {
		return errors.New("it is larger than any file of PostgreSQL")
	}
	// A child forked while this file is open for writing would hold it so until it execs, and running the
	// program would fail with "text file busy".
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	file, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := io.Copy(file, content); err != nil {
		return err
	}
	// Whatever the umask and the builder's account, the server's user must be able to read and run it.
	if entry.Mode&0o100 != 0 {
		return file.Chmod(0o755)
	}
	return file.Chmod(0o644)
}

// makeOpenDirs makes folders that the server's user can enter, whatever the umask.
func makeOpenDirs(root *os.Root, name string) error {
	if name == "." {
		return nil
	}
	if err := makeOpenDirs(root, path.Dir(name)); err != nil {
		return err
	}
	err := root.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return root.Chmod(name, 0o755)
}
