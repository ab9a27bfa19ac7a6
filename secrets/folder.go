package secrets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// folder is where a local keyring lives. In it are:
//
//	lock               held by whoever changes anything
//	master             the master key
//	ORGANIZATION       that organization's key, sealed under the master key
//	ORGANIZATION.gone  an empty file: that key was deleted
//	*.new              a file on its way; the next change of the same file replaces it
type folder string

const (
	lockName   = "lock"
	masterName = "master"
	goneSuffix = ".gone"
	newSuffix  = ".new"
)

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

// settle makes the folder if missing, and the lock in it. It refuses one that others may enter and one that holds other things:
// a mistyped path must not be turned into a keyring.
func (f folder) settle() error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return fmt.Errorf("making the folder of the keys: %w", err)
	}
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return fmt.Errorf("reading the folder of the keys: %w", err)
	}
	if len(entries) == 0 {
		// MkdirAll leaves the mode of a folder that was there, such as a mounted volume's.
		if err := os.Chmod(string(f), 0o700); err != nil {
			return fmt.Errorf("closing the folder of the keys to others: %w", err)
		}
		return f.makeLock()
	}
	ours := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == lockName })
	if !ours {
		return ErrUnavailable.Sayf("The folder %s is not a keyring and is not empty. Name an empty folder, or one that is not there yet.", f)
	}
	info, err := os.Stat(string(f))
	if err != nil {
		return fmt.Errorf("reading the mode of the folder of the keys: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return ErrUnavailable.Sayf("Others may enter the folder of the keys. Make it yours alone with: chmod 700 %s", f)
	}
	return nil
}

// makeLock is apart from lock, so that a folder that has vanished, or whose volume is not mounted any more,
// is not taken for a new keyring.
func (f folder) makeLock() error {
	file, err := os.OpenFile(f.path(lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("making the lock of the keys: %w", err)
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("making the lock of the keys: %w", err)
	}
	return nil
}

// lock keeps every other process and goroutine from changing the folder until unlock is called. It gives up
// when ctx ends.
func (f folder) lock(ctx context.Context) (unlock func() error, err error) {
	file, err := os.OpenFile(f.path(lockName), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the keys: %w", err)
	}
	taken := make(chan error, 1)
	go func() {
		for {
			err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
			if !errors.Is(err, syscall.EINTR) {
				taken <- err
				return
			}
		}
	}()
	select {
	case err := <-taken:
		if err != nil {
			return nil, errors.Join(fmt.Errorf("locking the keys: %w", err), file.Close())
		}
		return file.Close, nil
	case <-ctx.Done():
		// The call cannot be interrupted; the file is closed, and the lock with it, when it returns.
		go func() {
			<-taken
			_ = file.Close()
		}()
		return nil, ctx.Err()
	}
}

// exists reports whether there is a file of that name.
func (f folder) exists(name string) (bool, error) {
	_, err := os.Lstat(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a key file: %w", err)
	}
	return true, nil
}

// write puts a file in place whole: after a crash there is either the old one or the new one. What the old
// one held is overwritten. The caller holds the lock.
func (f folder) write(name string, content []byte) (err error) {
	path := f.path(name)
	if err := writeSynced(path+newSuffix, os.O_CREATE|os.O_TRUNC, content); err != nil {
		return err
	}
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening the former key file: %w", err)
	}
	if err := os.Rename(path+newSuffix, path); err != nil {
		return errors.Join(fmt.Errorf("putting a key file in place: %w", err), closeIf(old))
	}
	if err := f.sync(); err != nil {
		return errors.Join(err, closeIf(old))
	}
	if old != nil {
		return blank(old)
	}
	return nil
}

func closeIf(file *os.File) error {
	if file == nil {
		return nil
	}
	return file.Close()
}

// remove destroys a file: it is overwritten, as far as the disk beneath does that in place, and unlinked.
// One that is not there is no error. The caller holds the lock.
func (f folder) remove(name string) error {
	file, err := os.OpenFile(f.path(name), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening a key file to destroy it: %w", err)
	}
	if err := blank(file); err != nil {
		return err
	}
	if err := os.Remove(f.path(name)); err != nil {
		return fmt.Errorf("removing a key file: %w", err)
	}
	return f.sync()
}

// sync makes renames and removals in the folder last through a power cut.
func (f folder) sync() error {
	dir, err := os.Open(string(f))
	if err != nil {
		return fmt.Errorf("opening the folder of the keys: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("writing the folder of the keys to disk: %w", err)
	}
	return nil
}

// blank overwrites a file with zeros and closes it.
func blank(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("reading the length of a key file: %w", err), file.Close())
	}
	_, err = file.WriteAt(make([]byte, info.Size()), 0)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("overwriting a key file: %w", err)
	}
	return nil
}

func writeSynced(path string, flags int, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|flags, 0o600)
	if err != nil {
		return fmt.Errorf("making a key file: %w", err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing a key file: %w", err)
	}
	return nil
}

// organizations lists the names of the folder's files that end in suffix, without it.
func (f folder) organizations(suffix string) ([]string, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, fmt.Errorf("reading the folder of the keys: %w", err)
	}
	var names []string
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), suffix)
		if ok && checkOrganization(name) == nil {
			names = append(names, name)
		}
	}
	return names, nil
}
