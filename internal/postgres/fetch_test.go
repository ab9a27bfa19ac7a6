package postgres

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// nothingInstalled are the options of a machine without PostgreSQL.
func nothingInstalled(t *testing.T, repository string) Options {
	t.Helper()
	return Options{
		Dir: openDir(t), Cache: openDir(t), Repository: repository, Fast: true,
		binDirs: []string{filepath.Join(openDir(t), "bin")},
	}
}

// serveArchive is a Maven repository with one build, whose digest of one kind it publishes. It counts the
// times that the archive was fetched.
func serveArchive(t *testing.T, archive []byte, digests map[string]string) (address string, fetched *atomic.Int64) {
	t.Helper()
	version := string(fetchable[fetchedMajor])
	artifact := "embedded-postgres-binaries-" + platform()
	jar := "/maven2/io/zonky/test/postgres/" + artifact + "/" + version + "/" + artifact + "-" + version + ".jar"
	fetched = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := archive
		if r.URL.Path == jar {
			fetched.Add(1)
		} else {
			digest, ok := digests[strings.TrimPrefix(r.URL.Path, jar)]
			if !ok {
				http.NotFound(w, r)
				return
			}
			answer = []byte(digest)
		}
		if _, err := w.Write(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/maven2", fetched
}

func TestStart_fetches_what_is_not_installed(t *testing.T) {
	t.Parallel()
	archive := machineArchive(t)
	strong, weak := sha256.Sum256(archive), sha1.Sum(archive)
	for kind, digest := range map[string]string{
		".sha256": hex.EncodeToString(strong[:]),
		".sha1":   hex.EncodeToString(weak[:]),
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			repository, fetched := serveArchive(t, archive, map[string]string{kind: digest})
			o := nothingInstalled(t, repository)
			for range 2 { // the second finds what the first unpacked
				s := start(t, o)
				if got := query(t, s.URL(), "select 6*7"); got != "42" {
					t.Errorf("read %q, want 42", got)
				}
				if !strings.HasPrefix(s.BinDir(), o.Dir) {
					t.Errorf("it runs %s, not what it fetched", s.BinDir())
				}
				stop(t, s)
			}
			o.Dir = openDir(t) // another folder uses the kept archive
			start(t, o)
			if n := fetched.Load(); n != 1 {
				t.Errorf("fetched %d times, want once", n)
			}
		})
	}
}

func TestStart_says_that_nothing_can_be_fetched(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	damaged, _ := serveArchive(t, []byte("PK"), map[string]string{".sha256": strings.Repeat("0", 64)})
	unsigned, _ := serveArchive(t, []byte("PK"), nil)
	for name, repository := range map[string]string{"no network": gone.URL, "damaged": damaged, "no checksum": unsigned} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := nothingInstalled(t, repository)
			said := refuse(t, o, ErrMissing)
			for _, want := range []string{"PostgreSQL 15 or later", "apt-get install postgresql", binDirVariable} {
				if !strings.Contains(said, want) {
					t.Errorf("%q does not say %q", said, want)
				}
			}
			if kept, err := os.ReadDir(o.Cache); err != nil || len(kept) > 0 {
				t.Errorf("the cache keeps %v (%v)", kept, err)
			}
		})
	}
}

func TestStart_refuses_a_wrong_binaries_folder(t *testing.T) {
	empty := openDir(t)
	t.Setenv(binDirVariable, empty)
	if said := refuse(t, Options{Dir: openDir(t)}, ErrMissing); !strings.Contains(said, empty) {
		t.Errorf("%q does not name %s", said, empty)
	}
}

// TestListBinaries_takes_the_newest_but_the_path_first uses stand-ins that only tell their version.
func TestListBinaries_takes_the_newest_but_the_path_first(t *testing.T) {
	root := openDir(t)
	for dir, version := range map[string]string{"a": "9.6.24", "b": "17.2 (Debian 17.2-1)", "c": "16beta1", "d": "15.13"} {
		check(t, os.Mkdir(filepath.Join(root, dir), 0o755))
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
		for _, program := range []string{"initdb", "postgres"} {
			check(t, os.WriteFile(filepath.Join(root, dir, program), []byte(script), 0o755))
		}
	}
	check(t, os.Mkdir(filepath.Join(root, "e"), 0o755)) // a client without the server
	found, err := listBinaries(t.Context(), Options{binDirs: []string{filepath.Join(root, "*")}})
	check(t, err)
	var majors []int
	for _, b := range found {
		majors = append(majors, b.major)
	}
	if want := []int{17, 16, 15, 9}; len(majors) != 4 || [4]int(majors) != [4]int(want) {
		t.Errorf("got %v, want %v", majors, want)
	}

	t.Setenv("PATH", filepath.Join(root, "d")+":"+os.Getenv("PATH"))
	t.Setenv(binDirVariable, "")
	found, err = listBinaries(t.Context(), Options{})
	check(t, err)
	if len(found) == 0 || found[0].dir != filepath.Join(root, "d") {
		t.Errorf("got %v, want the one on the PATH first", found)
	}
}

func TestUnpackArchive_stays_in_its_folder(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string][]tar.Header{
		"parent":   {{Name: "../evil", Typeflag: tar.TypeReg}},
		"absolute": {{Name: "/tmp/countinghouse-evil", Typeflag: tar.TypeReg}},
		"link":     {{Name: "bin", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "bin/evil", Typeflag: tar.TypeReg}},
		"device":   {{Name: "bin/null", Typeflag: tar.TypeChar}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := openDir(t)
			if err := unpackArchive(packArchive(t, entries, nil), filepath.Join(parent, "home", "postgres-1")); err == nil {
				t.Error("no parent folder, and it does not mind")
			}
			home := filepath.Join(parent, "home")
			check(t, os.Mkdir(home, 0o755))
			if err := unpackArchive(packArchive(t, entries, nil), filepath.Join(home, "postgres-1")); err == nil {
				t.Error("it was unpacked")
			}
			if _, err := os.Stat(filepath.Join(home, "postgres-1")); err == nil {
				t.Error("a refused archive is in place")
			}
			for _, place := range []string{filepath.Join(home, "evil"), "/tmp/countinghouse-evil"} {
				if _, err := os.Lstat(place); err == nil {
					t.Errorf("it wrote %s", place)
				}
			}
		})
	}
}

func TestFetch_is_bounded_by_its_context(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(stuck.Close)
	if _, err := download(ctx, stuck.URL); err == nil {
		t.Error("a repository that never answers is not given up")
	}
}

// machineArchive packs this machine's own PostgreSQL in the shape of the builds. Debian's programs find
// their templates by absolute path and their libraries beside themselves. One library is behind a link, as
// in the builds.
func machineArchive(t *testing.T) []byte {
	t.Helper()
	home := filepath.Dir(installed(t).dir)
	entries := []tar.Header{
		{Name: "./bin/", Typeflag: tar.TypeDir, Mode: 0o700},
		{Name: "./lib/plpgsql.so", Typeflag: tar.TypeSymlink, Linkname: "plpgsql.so.1"},
	}
	contents := [][]byte{nil, nil}
	for name, from := range map[string]string{
		"bin/initdb": "bin/initdb", "bin/pg_ctl": "bin/pg_ctl", "bin/postgres": "bin/postgres",
		"lib/dict_snowball.so": "lib/dict_snowball.so", "lib/plpgsql.so.1": "lib/plpgsql.so",
	} {
		content, err := os.ReadFile(filepath.Join(home, from))
		check(t, err)
		entries = append(entries, tar.Header{
			Name: "./" + name, Typeflag: tar.TypeReg, Mode: 0o700, Size: int64(len(content)),
		})
		contents = append(contents, content)
	}
	return packArchive(t, entries, contents)
}

// packArchive makes a jar with a tar.xz in it.
func packArchive(t *testing.T, entries []tar.Header, contents [][]byte) []byte {
	t.Helper()
	var plain, jar bytes.Buffer
	tw := tar.NewWriter(&plain)
	for i := range entries {
		check(t, tw.WriteHeader(&entries[i]))
		if contents != nil {
			_, err := tw.Write(contents[i])
			check(t, err)
		}
	}
	check(t, tw.Close())
	zw := zip.NewWriter(&jar)
	w, err := zw.CreateHeader(&zip.FileHeader{Name: "postgres-" + platform() + ".txz", Method: zip.Store})
	check(t, err)
	_, err = w.Write(storeXZ(plain.Bytes()))
	check(t, err)
	check(t, zw.Close())
	return jar.Bytes()
}

// storeXZ wraps bytes in the .xz format (version 1.1.0 of its specification) without compressing them: the
// standard library has no writer for it, and not every machine has the program.
func storeXZ(plain []byte) []byte {
	le := binary.LittleEndian
	sum := func(b []byte) []byte { return le.AppendUint32(nil, crc32.ChecksumIEEE(b)) }
	pad := func(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
	flags := []byte{0, 1} // CRC32 of the content

	out := append([]byte("\xfd7zXZ\x00"), flags...)
	out = append(out, sum(flags)...)

	header := []byte{2, 0, 0x21, 1, 22, 0, 0, 0} // 12 bytes long; one filter: LZMA2 with 8 MiB
	block := append(header, sum(header)...)
	control := byte(1) // an uncompressed chunk that resets the dictionary
	for rest := plain; len(rest) > 0; control = 2 {
		n := min(len(rest), 1<<16)
		block = append(block, control)
		block = binary.BigEndian.AppendUint16(block, uint16(n-1))
		block = append(block, rest[:n]...)
		rest = rest[n:]
	}
	block = append(block, 0)
	unpadded := len(block) + crc32.Size
	block = append(pad(block), sum(plain)...)
	out = append(out, block...)

	index := []byte{0, 1}
	index = binary.AppendUvarint(index, uint64(unpadded))
	index = binary.AppendUvarint(index, uint64(len(plain)))
	index = pad(index)
	index = append(index, sum(index)...)
	out = append(out, index...)

	footer := append(le.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	out = append(out, sum(footer)...)
	out = append(out, footer...)
	return append(out, "YZ"...)
}
