package secrets

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
)

const localKind = "local"

// Local is a keyring in a folder of this machine, for development and one-machine installs: a file for each
// organization's key, sealed under the master key that lies beside them. Whoever copies the whole folder can
// read every secret, and a copy of it keeps deleted keys alive: keep its backups apart from the database's
// and let them expire.
//
// No key stays in memory between calls, so that what one process rotates or deletes holds in every other
// from its next call.
type Local struct {
	folder folder
	master cipher.AEAD
}

var _ Keyring = (*Local)(nil)

// OpenLocal opens the keyring in dir, and makes folder (mode 0700) and master key (mode 0600) where there
// are none. It answers ErrUnavailable, with a sentence for the operator, when dir is not a keyring and not
// empty, when others may read it, or when the master key is lost.
func OpenLocal(dir string) (*Local, error) {
	l := &Local{folder: folder(dir)}
	if err := l.folder.settle(); err != nil {
		return nil, unavailable(err)
	}
	unlock, err := l.folder.lock(context.Background())
	if err != nil {
		return nil, unavailable(err)
	}
	err = errors.Join(l.loadMaster(), l.finishDeletions(), unlock())
	if err != nil {
		return nil, unavailable(err)
	}
	return l, nil
}

func (l *Local) loadMaster() error {
	there, err := l.folder.exists(masterName)
	if err != nil {
		return err
	}
	if !there {
		if err := l.makeMaster(); err != nil {
			return err
		}
	}
	info, err := os.Stat(l.folder.path(masterName))
	if err != nil {
		return fmt.Errorf("reading the mode of the master key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return ErrUnavailable.Sayf("Others may read the master key. If none has, make it yours alone with: chmod 600 %s", l.folder.path(masterName))
	}
	text, err := os.ReadFile(l.folder.path(masterName))
	if err != nil {
		return fmt.Errorf("reading the master key: %w", err)
	}
	defer clear(text)
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != keyLength {
		return ErrUnavailable.Sayf("The master key in %s is not 64 hex digits. Restore it from its backup.", l.folder.path(masterName))
	}
	defer clear(secret)
	l.master, err = newCipher(secret)
	return err
}

// makeMaster refuses where keys lie sealed under a master key that is lost: with a new one they would be
// lost for good, and nobody would look for the old one.
func (l *Local) makeMaster() error {
	kept, err := l.folder.organizations("")
	if err != nil {
		return err
	}
	if len(kept) > 0 {
		return ErrUnavailable.Sayf("The master key %s is missing, and %d keys are sealed under it. Restore it from its backup.",
			l.folder.path(masterName), len(kept))
	}
	secret := make([]byte, keyLength)
	_, _ = rand.Read(secret) // it never fails: it ends the process instead
	defer clear(secret)
	text := hex.AppendEncode(nil, secret)
	defer clear(text)
	return l.folder.write(masterName, append(text, '\n'))
}

// finishDeletions destroys what a deletion that was cut short left behind.
func (l *Local) finishDeletions() error {
	gone, err := l.folder.organizations(goneSuffix)
	if err != nil {
		return err
	}
	for _, organization := range gone {
		if err := l.destroy(organization); err != nil {
			return err
		}
	}
	return nil
}

func (l *Local) destroy(organization string) error {
	return errors.Join(l.folder.remove(organization+newSuffix), l.folder.remove(organization))
}

// unavailable makes a fault of whatever keeps the keys from being read, except when that is one already or
// is the caller's own giving up.
func unavailable(err error) error {
	var known *fault.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return ErrUnavailable.Because(err)
}

// load reads an organization's key. Reading takes no lock, so that readers never keep a rotation waiting; what
// fails is read once more under the lock: the file may just have been replaced, or the whole folder may be
// gone, such as a volume that is not mounted any more, and then there is no lock either.
func (l *Local) load(ctx context.Context, organization string) (*key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkOrganization(organization); err != nil {
		return nil, err
	}
	k, err := l.read(organization)
	if err == nil || errors.Is(err, ErrKeyGone) {
		return k, err
	}
	err = l.change(ctx, organization, func() (err error) {
		k, err = l.read(organization)
		return err
	})
	return k, err
}

// read answers ErrKeyGone, ErrKeyMissing, and errors that are no fault.
func (l *Local) read(organization string) (*key, error) {
	gone, err := l.folder.exists(organization + goneSuffix)
	if err != nil {
		return nil, err
	}
	if gone {
		return nil, ErrKeyGone
	}
	file, err := os.ReadFile(l.folder.path(organization))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrKeyMissing
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key of organization %s: %w", organization, err)
	}
	k, err := unwrap(l.master, organization, file)
	if err != nil {
		return nil, fmt.Errorf("reading the key of organization %s: %w", organization, err)
	}
	return k, nil
}

// change runs a change of one organization's files under the lock.
func (l *Local) change(ctx context.Context, organization string, apply func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkOrganization(organization); err != nil {
		return err
	}
	unlock, err := l.folder.lock(ctx)
	if err != nil {
		return unavailable(err)
	}
	err = apply()
	return unavailable(errors.Join(err, unlock()))
}

// CreateKey is Keyring's.
func (l *Local) CreateKey(ctx context.Context, organization string) error {
	return l.change(ctx, organization, func() error {
		k, err := l.read(organization)
		if errors.Is(err, ErrKeyMissing) {
			k = newKey()
			defer k.erase()
			return l.folder.write(organization, k.wrap(l.master, organization))
		}
		if err == nil {
			k.erase()
		}
		return err
	})
}

// Seal is Keyring's.
func (l *Local) Seal(ctx context.Context, at Place, plaintext []byte) (string, error) {
	if err := errors.Join(at.check(), checkLength(plaintext)); err != nil {
		return "", err
	}
	k, err := l.load(ctx, at.Organization)
	if err != nil {
		return "", err
	}
	defer k.erase()
	return k.seal(at, plaintext)
}

// Open is Keyring's.
func (l *Local) Open(ctx context.Context, at Place, sealed string) ([]byte, error) {
	if err := at.check(); err != nil {
		return nil, err
	}
	k, err := l.load(ctx, at.Organization)
	if err != nil {
		return nil, err
	}
	defer k.erase()
	return k.open(at, sealed)
}

// Rewrap is Keyring's.
func (l *Local) Rewrap(ctx context.Context, at Place, sealed string) (string, error) {
	if err := at.check(); err != nil {
		return "", err
	}
	k, err := l.load(ctx, at.Organization)
	if err != nil {
		return "", err
	}
	defer k.erase()
	plaintext, err := k.open(at, sealed)
	if err != nil {
		return "", err
	}
	defer clear(plaintext)
	return k.seal(at, plaintext)
}

// SealAll is Keyring's.
func (l *Local) SealAll(ctx context.Context, items []Plain) []Result[string] {
	results := make([]Result[string], len(items))
	for i, item := range items {
		results[i].Value, results[i].Err = l.Seal(ctx, item.Place, item.Plaintext)
	}
	return results
}

// OpenAll is Keyring's.
func (l *Local) OpenAll(ctx context.Context, items []Sealed) []Result[Secret] {
	results := make([]Result[Secret], len(items))
	for i, item := range items {
		results[i].Value, results[i].Err = l.Open(ctx, item.Place, item.Text)
	}
	return results
}

// RewrapAll is Keyring's.
func (l *Local) RewrapAll(ctx context.Context, items []Sealed) []Result[string] {
	results := make([]Result[string], len(items))
	for i, item := range items {
		results[i].Value, results[i].Err = l.Rewrap(ctx, item.Place, item.Text)
	}
	return results
}

// RotateKey is Keyring's.
func (l *Local) RotateKey(ctx context.Context, organization string) (version int, err error) {
	err = l.change(ctx, organization, func() error {
		k, err := l.read(organization)
		if err != nil {
			return err
		}
		k.add()
		defer k.erase()
		version = k.newest()
		return l.folder.write(organization, k.wrap(l.master, organization))
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

// RaiseMinimumVersion is Keyring's.
func (l *Local) RaiseMinimumVersion(ctx context.Context, organization string, version int) error {
	return l.change(ctx, organization, func() error {
		k, err := l.read(organization)
		if err != nil {
			return err
		}
		defer k.erase()
		if version < 1 || version > k.newest() {
			return ErrVersion
		}
		if version <= k.minimum {
			return nil
		}
		k.minimum = version
		return l.folder.write(organization, k.wrap(l.master, organization))
	})
}

// DeleteKey is Keyring's. The mark that the key is gone comes first, so that a deletion that is cut short
// already holds; the next one, or the next OpenLocal, finishes it.
func (l *Local) DeleteKey(ctx context.Context, organization string) error {
	return l.change(ctx, organization, func() error {
		if err := l.folder.write(organization+goneSuffix, nil); err != nil {
			return err
		}
		return l.destroy(organization)
	})
}
