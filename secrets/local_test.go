package secrets_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/secrets/secretstest"
)

// asProcess names the folder on which this binary, started again by a test, works as a second process.
const asProcess = "COUNTINGHOUSE_TEST_KEYRING"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asProcess); dir != "" {
		if err := runAsProcess(dir, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runAsProcess opens the keyring, makes the organization's key, rotates it and prints a sealed text.
func runAsProcess(dir, organization string) error {
	keyring, err := secrets.OpenLocal(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := keyring.CreateKey(ctx, organization); err != nil {
		return err
	}
	for range 10 {
		if _, err := keyring.RotateKey(ctx, organization); err != nil {
			return err
		}
	}
	sealed, err := keyring.Seal(ctx, place(organization), []byte("secret"))
	fmt.Println(sealed)
	return err
}

func place(organization string) secrets.Place {
	return secrets.Place{Organization: organization, Table: "gateway", Column: "credentials", Row: "1"}
}

func openLocal(t testing.TB, dir string) *secrets.Local {
	t.Helper()
	keyring, err := secrets.OpenLocal(dir)
	if err != nil {
		t.Fatalf("OpenLocal: %v", err)
	}
	return keyring
}

// sealOne makes an organization's key and seals "secret" with it.
func sealOne(t testing.TB, keyring secrets.Keyring) (organization, sealed string) {
	t.Helper()
	organization = secretstest.NewOrganization()
	if err := keyring.CreateKey(t.Context(), organization); err != nil {
		t.Fatalf("CreateKey: %v", err)
	}
	sealed, err := keyring.Seal(t.Context(), place(organization), []byte("secret"))
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	return organization, sealed
}

func TestLocalIsAKeyring(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secretstest.Run(t, func(t *testing.T) secrets.Keyring { return openLocal(t, dir) })
}

func TestLocal(t *testing.T) {
	t.Parallel()

	t.Run("keeps its keys for the next process", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "not", "there", "yet")
		organization, sealed := sealOne(t, openLocal(t, dir))
		got, err := openLocal(t, dir).Open(t.Context(), place(organization), sealed)
		if err != nil || string(got) != "secret" {
			t.Errorf("Open: %q, %v", got, err)
		}
		if !strings.HasPrefix(sealed, "local:v1:") {
			t.Errorf("sealed text %q", sealed)
		}
	})

	t.Run("is for its owner alone", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "keys")
		keyring := openLocal(t, dir)
		organization, _ := sealOne(t, keyring)
		if err := keyring.DeleteKey(t.Context(), organization); err != nil {
			t.Fatal(err)
		}
		sealOne(t, keyring)
		count := 0
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			count++
			return err
		})
		if err != nil || count < 5 {
			t.Errorf("%d files, %v", count, err)
		}
	})

	t.Run("leaves no trace of a deleted key", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		keyring := openLocal(t, dir)
		organization, sealed := sealOne(t, keyring)
		path := filepath.Join(dir, organization)
		copied := readFile(t, path)
		held, err := os.Open(path) // as the disk's blocks stay after the name is gone
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		writeFile(t, path+".new", copied) // as a process that died left it
		if err := keyring.DeleteKey(t.Context(), organization); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(path + "*")
		if err != nil || len(names) != 1 || names[0] != path+".gone" {
			t.Errorf("left: %v, %v", names, err)
		}
		blanked := make([]byte, len(copied))
		if n, err := held.ReadAt(blanked, 0); err != nil || !bytes.Equal(blanked, make([]byte, n)) {
			t.Errorf("the file's %d bytes were not overwritten (%v)", n, err)
		}
		// A copy put back by mistake, with the folder as it is, opens nothing.
		writeFile(t, path, copied)
		if _, err := keyring.Open(t.Context(), place(organization), sealed); !errors.Is(err, secrets.ErrKeyGone) {
			t.Errorf("Open: %v, want ErrKeyGone", err)
		}
		openLocal(t, dir)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a deletion that was cut short is not finished at the next start: %v", err)
		}
	})

	t.Run("overwrites what a rotation replaces", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		keyring := openLocal(t, dir)
		organization, _ := sealOne(t, keyring)
		held, err := os.Open(filepath.Join(dir, organization))
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		if _, err := keyring.RotateKey(t.Context(), organization); err != nil {
			t.Fatal(err)
		}
		old := make([]byte, 64)
		if _, err := held.ReadAt(old, 0); err != nil || !bytes.Equal(old, make([]byte, 64)) {
			t.Errorf("the former file is still readable on the disk (%v)", err)
		}
	})

	t.Run("shows no plaintext", func(t *testing.T) {
		t.Parallel()
		keyring := openLocal(t, t.TempDir())
		organization, _ := sealOne(t, keyring)
		const card = "4242424242424242"
		plain := secrets.Plain{Place: place(organization), Plaintext: []byte(card)}
		sealed := keyring.SealAll(t.Context(), []secrets.Plain{plain})[0].Value
		opened := keyring.OpenAll(t.Context(), []secrets.Sealed{{Place: plain.Place, Text: sealed}})
		if string(opened[0].Value) != card {
			t.Fatalf("OpenAll: %v", opened[0].Err)
		}
		var out bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			slog.New(handler).Info("leak", "plain", plain, "opened", opened, "one", opened[0].Value)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			fmt.Fprintf(&out, verb+verb+verb, plain, opened, opened[0].Value)
		}
		check(t, json.NewEncoder(&out).Encode(opened))
		base := base64.StdEncoding.EncodeToString([]byte(card))
		for _, leak := range []string{card, hex.EncodeToString([]byte(card)), base, "52 50 52 50", "0x34, 0x32"} {
			if strings.Contains(out.String(), leak) {
				t.Errorf("%q shows in %s", leak, out.String())
			}
		}
	})
}

func TestLocalOnBadFolders(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, dir, organization string){
		"a key file that was cut": func(t *testing.T, dir, o string) {
			rewrite(t, filepath.Join(dir, o), func(b []byte) []byte { return b[:len(b)/2] })
		},
		"an empty key file": func(t *testing.T, dir, o string) {
			rewrite(t, filepath.Join(dir, o), func([]byte) []byte { return nil })
		},
		"a key file with one bit turned":    func(t *testing.T, dir, o string) { rewrite(t, filepath.Join(dir, o), turnBit) },
		"another organization's key file":   putOther,
		"a folder where a key file was":     putFolder,
		"the folder gone":                   func(t *testing.T, dir, _ string) { check(t, os.RemoveAll(dir)) },
		"an empty folder, as not mounted":   func(t *testing.T, dir, _ string) { check(t, os.RemoveAll(dir), os.Mkdir(dir, 0o700)) },
		"a folder that a file has replaced": func(t *testing.T, dir, _ string) { check(t, os.RemoveAll(dir)); writeFile(t, dir, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "keys")
			keyring := openLocal(t, dir)
			organization, sealed := sealOne(t, keyring)
			damage(t, dir, organization)
			_, openErr := keyring.Open(t.Context(), place(organization), sealed)
			_, sealErr := keyring.Seal(t.Context(), place(organization), []byte("secret"))
			_, rotateErr := keyring.RotateKey(t.Context(), organization)
			for _, err := range []error{openErr, sealErr, rotateErr, keyring.CreateKey(t.Context(), organization)} {
				if !errors.Is(err, secrets.ErrUnavailable) || fault.KindOf(err) != fault.Unavailable {
					t.Errorf("%v, want ErrUnavailable", err)
				}
				var said *fault.Error
				if errors.As(err, &said) && (strings.Contains(said.Say, dir) || errors.Unwrap(said) == nil) {
					t.Errorf("says %q to a client, and %v to the log", said.Say, errors.Unwrap(said))
				}
			}
		})
	}
}

func TestOpenLocalRefuses(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"a folder of other things": func(t *testing.T, dir string) {
			check(t, os.Mkdir(dir, 0o755))
			writeFile(t, filepath.Join(dir, "letter.txt"), nil)
		},
		"a file": func(t *testing.T, dir string) { writeFile(t, dir, nil) },
		"a folder that others may enter": func(t *testing.T, dir string) {
			openLocal(t, dir)
			check(t, os.Chmod(dir, 0o750))
		},
		"a master key that others may read": func(t *testing.T, dir string) {
			openLocal(t, dir)
			check(t, os.Chmod(filepath.Join(dir, "master"), 0o640))
		},
		"a damaged master key": func(t *testing.T, dir string) {
			openLocal(t, dir)
			rewrite(t, filepath.Join(dir, "master"), func(b []byte) []byte { return b[:10] })
		},
		"a lost master key with keys under it": func(t *testing.T, dir string) {
			sealOne(t, openLocal(t, dir))
			check(t, os.Remove(filepath.Join(dir, "master")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "keys")
			prepare(t, dir)
			before := listing(t, dir)
			if _, err := secrets.OpenLocal(dir); !errors.Is(err, secrets.ErrUnavailable) {
				t.Errorf("OpenLocal: %v, want ErrUnavailable", err)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("it changed the folder from %s to %s", before, after)
			}
		})
	}

	t.Run("nothing in an empty folder, and closes it", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		check(t, os.Chmod(dir, 0o755))
		openLocal(t, dir)
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	})

	t.Run("another master key for its keys", func(t *testing.T) {
		t.Parallel()
		dir, other := t.TempDir(), t.TempDir()
		organization, sealed := sealOne(t, openLocal(t, dir))
		openLocal(t, other)
		writeFile(t, filepath.Join(dir, "master"), readFile(t, filepath.Join(other, "master")))
		_, err := openLocal(t, dir).Open(t.Context(), place(organization), sealed)
		if !errors.Is(err, secrets.ErrUnavailable) {
			t.Errorf("Open: %v, want ErrUnavailable", err)
		}
	})
}

func TestLocalOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	// They start on a folder that is not there yet, so that they race for the master key too.
	dir, organization := filepath.Join(t.TempDir(), "keys"), secretstest.NewOrganization()
	processes := make([]*exec.Cmd, 4)
	output := make([]bytes.Buffer, len(processes))
	for i := range processes {
		process := exec.CommandContext(t.Context(), os.Args[0], organization)
		process.Env = append(os.Environ(), asProcess+"="+dir)
		process.Stdout, process.Stderr = &output[i], &output[i]
		check(t, process.Start())
		processes[i] = process
	}
	for i, process := range processes {
		if err := process.Wait(); err != nil {
			t.Fatalf("process %d: %v: %s", i, err, &output[i])
		}
	}
	keyring := openLocal(t, dir)
	for i := range output {
		got, err := keyring.Open(t.Context(), place(organization), strings.TrimSpace(output[i].String()))
		if err != nil || string(got) != "secret" {
			t.Errorf("what process %d sealed: %q, %v", i, got, err)
		}
	}
	version, err := keyring.RotateKey(t.Context(), organization)
	if want := 1 + 10*len(processes) + 1; err != nil || version != want {
		t.Errorf("version %d, %v, want %d: a rotation was lost", version, err, want)
	}
}

func TestLocalBesideAProcessThatHangs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keyring := openLocal(t, dir)
	organization, sealed := sealOne(t, keyring)
	held, err := os.Open(filepath.Join(dir, "lock"))
	check(t, err)
	check(t, syscall.Flock(int(held.Fd()), syscall.LOCK_EX))

	if got, err := keyring.Open(t.Context(), place(organization), sealed); err != nil || string(got) != "secret" {
		t.Errorf("reading waits for the lock: %q, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := keyring.RotateKey(ctx, organization); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("RotateKey: %v, want the context's error", err)
	}
	check(t, held.Close())
	if version, err := keyring.RotateKey(t.Context(), organization); err != nil || version != 2 {
		t.Errorf("RotateKey once the lock is free: %d, %v", version, err)
	}
}

// FuzzOpen holds that only what was sealed opens, letter for letter.
func FuzzOpen(f *testing.F) {
	keyring := openLocal(f, f.TempDir())
	organization, sealed := sealOne(f, keyring)
	for _, text := range []string{"", sealed, sealed + "\n", "local:v1:", "local:v2:AAAA", "vault:v1:AAAA", "local:v18446744073709551617:AAAA"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := keyring.Open(t.Context(), place(organization), text)
		if err == nil && (text != sealed || string(got) != "secret") {
			t.Fatalf("%q opens to %q", text, got)
		}
		if err != nil && (text == sealed || !errors.Is(err, secrets.ErrUnreadable)) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

func BenchmarkLocalOpen(b *testing.B) {
	keyring := openLocal(b, b.TempDir())
	organization, sealed := sealOne(b, keyring)
	for b.Loop() {
		if _, err := keyring.Open(b.Context(), place(organization), sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	check(t, err)
	return content
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	check(t, os.WriteFile(path, content, 0o600))
}

func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	writeFile(t, path, change(readFile(t, path)))
}

func turnBit(content []byte) []byte {
	content[len(content)/2] ^= 1
	return content
}

func putOther(t *testing.T, dir, organization string) {
	t.Helper()
	other, _ := sealOne(t, openLocal(t, dir))
	writeFile(t, filepath.Join(dir, organization), readFile(t, filepath.Join(dir, other)))
}

func putFolder(t *testing.T, dir, organization string) {
	t.Helper()
	path := filepath.Join(dir, organization)
	check(t, os.Remove(path), os.Mkdir(path, 0o700))
}

// listing is the names, modes and sizes of what lies at path.
func listing(t *testing.T, path string) string {
	t.Helper()
	var all strings.Builder
	check(t, filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		fmt.Fprintln(&all, info.Name(), info.Mode(), info.Size())
		return err
	}))
	return all.String()
}
