package postgres

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that the server runs as when we are root, since PostgreSQL refuses root. nil is
// ourselves.
type account struct {
	name     string
	uid, gid uint32
}

// String names the account in messages.
func (a *account) String() string {
	if a == nil {
		return "the current user"
	}
	return "user " + a.name
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// chooseAccount says who runs the server of cluster: ourselves unless we are root; then the owner of what
// an earlier run left, else postgres, else nobody.
func chooseAccount(cluster string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if info, err := os.Stat(cluster); err == nil {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
			return &account{name: strconv.Itoa(int(owner.Uid)), uid: owner.Uid, gid: owner.Gid}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("reading the id of user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("reading the group of user %s: %w", name, err)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, ErrUnreachable.Sayf(
		"PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as. Add one, or run as an ordinary user.")
}

// closedParent finds the first folder on the way to dir that the account may not pass through; empty means
// that the way is open.
func (a *account) closedParent(dir string) (string, error) {
	if a == nil {
		return "", nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if closed, err := a.closedParent(parent); closed != "" || err != nil {
			return closed, err
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("looking at the data folder: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("looking at %s: this system does not tell its owner", dir)
	}
	pass := info.Mode()&0o001 != 0
	switch {
	case owner.Uid == a.uid:
		pass = info.Mode()&0o100 != 0
	case owner.Gid == a.gid:
		pass = info.Mode()&0o010 != 0
	}
	if !pass {
		return dir, nil
	}
	return "", nil
}

// own hands a file or folder to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("handing %s to %s: %w", path, a, err)
	}
	return nil
}
