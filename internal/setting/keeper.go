package setting

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Sealer seals secrets. What was sealed for one place opens at no other.
type Sealer interface {
	Seal(place string, plain []byte) ([]byte, error)
	Open(place string, sealed []byte) ([]byte, error)
}

var errNoSealer = fault.New(fault.Unavailable, "setting.no_sealer", "This server cannot seal secrets, so it keeps none.")

// cachedFor is for how long a change made by another process may go unnoticed here.
const cachedFor = 3 * time.Second

// Keeper reads and changes the settings of one platform. It is safe for concurrent use.
type Keeper struct {
	db    *tenant.DB
	seals Sealer

	mu     sync.Mutex
	known  Settings
	readAt time.Time // by the machine's clock; zero for never
}

// NewKeeper makes one.
func NewKeeper(db *tenant.DB, seals Sealer) *Keeper { return &Keeper{db: db, seals: seals} }

// Now gives what is in force. A change by another process is seen within three seconds, one made here at once.
func (k *Keeper) Now(ctx context.Context) (s Settings, err error) {
	if s, ok := k.remembered(); ok {
		return s, nil
	}
	err = tenant.DoPlatform(ctx, k.db, func(tx *tenant.PlatformTx) error {
		s, err = k.In(ctx, tx)
		return err
	})
	return s, err
}

// In is Now inside a transaction.
func (k *Keeper) In(ctx context.Context, tx *tenant.PlatformTx) (Settings, error) {
	if s, ok := k.remembered(); ok {
		return s, nil
	}
	s, err := k.read(ctx, tx)
	if err != nil {
		return Settings{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	// One that began to read before a change must not bring the old state back.
	if s.Version >= k.known.Version {
		k.known, k.readAt = s, time.Now()
	}
	return k.known, nil
}

func (k *Keeper) remembered() (Settings, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known, !k.readAt.IsZero() && time.Since(k.readAt) < cachedFor
}

func (k *Keeper) read(ctx context.Context, tx *tenant.PlatformTx) (Settings, error) {
	rows, err := inForce(ctx, tx)
	if err != nil {
		return Settings{}, err
	}
	s := Defaults()
	for _, r := range rows {
		s.Version = max(s.Version, r.Version)
		n, err := find(r.Name)
		if err != nil || r.Value == nil { // a name of another version of the program, or back at its default
			continue
		}
		value := *r.Value
		if n.Kind == Secret {
			if value, err = k.open(ctx, tx, n.Name); err != nil {
				return s, err
			}
		}
		if err := n.put(&s, value); err != nil {
			return s, fmt.Errorf("the setting %s cannot be read; countinghouse settings reset %s puts it back: %w", r.Name, r.Name, err)
		}
		s.set[r.Name] = true
	}
	return s, nil
}

// open gives a secret; one that no longer opens, as after a change of the service's key, is none: it must be
// possible to set it anew.
func (k *Keeper) open(ctx context.Context, tx *tenant.PlatformTx, name string) (string, error) {
	sealed, err := sealedSecret(ctx, tx, name)
	if err != nil || sealed == nil || k.seals == nil {
		return "", err
	}
	if plain, err := k.seals.Open(place(name), sealed); err == nil {
		return string(plain), nil
	}
	return "", nil
}

func place(name string) string { return "setting " + name }

// Change is one setting and the value that it gets; a nil Value puts it back to its default.
type Change struct {
	Name  string
	Value *string
}

// Latest is the version of whoever changes settings without having looked at them.
const Latest int64 = -1

// Set changes settings, all or none, and keeps who did. version is the one that the caller looked at, or Latest. It fails with ErrUnknown, ErrChanged, and a fault.List of what is wrong with the values, each at its name.
func (k *Keeper) Set(ctx context.Context, by tenant.PersonID, version int64, changes []Change) (s Settings, err error) {
	err = tenant.DoPlatform(ctx, k.db, func(tx *tenant.PlatformTx) error {
		if err := lockSettings(ctx, tx); err != nil {
			return err
		}
		now, err := k.read(ctx, tx)
		if err != nil {
			return err
		}
		if version != Latest && version != now.Version {
			return ErrChanged
		}
		next, differing, err := now.with(changes)
		if err != nil {
			return err
		}
		s, err = k.write(ctx, tx, by, next, differing)
		return err
	})
	if err != nil {
		return Settings{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.Version >= k.known.Version {
		k.known, k.readAt = s, time.Now()
	}
	return s, nil
}

// with gives the settings after the changes, and those of them that change anything.
func (s Settings) with(changes []Change) (next Settings, differing []Change, err error) {
	var broken fault.List
	next = s
	next.set = maps.Clone(s.set)
	for _, c := range changes {
		n, err := find(c.Name)
		if err != nil {
			return s, nil, err
		}
		value := n.Default()
		if c.Value != nil {
			value = *c.Value
		}
		before := n.raw(s)
		if err := n.put(&next, value); !broken.Add("", err) {
			return s, nil, err
		}
		if n.raw(next) != before || c.Value == nil && s.set[n.Name] {
			differing = append(differing, c)
			next.set[n.Name] = c.Value != nil
		}
	}
	if broken == nil {
		broken.Add("", next.check())
	}
	return next, differing, broken.Err()
}

func (k *Keeper) write(ctx context.Context, tx *tenant.PlatformTx, by tenant.PersonID, next Settings, changes []Change) (Settings, error) {
	for _, c := range changes {
		n, err := find(c.Name)
		if err != nil {
			return next, err
		}
		next.Version++
		stored := c.Value
		if n.Kind == Secret {
			if err := k.seal(ctx, tx, n.Name, n.raw(next)); err != nil {
				return next, err
			}
			if stored != nil {
				stored = new("set")
			}
		}
		if err := insertSetting(ctx, tx, next.Version, n.Name, stored, by); err != nil {
			return next, err
		}
	}
	return next, nil
}

// seal keeps a secret; an empty one is forgotten.
func (k *Keeper) seal(ctx context.Context, tx *tenant.PlatformTx, name, plain string) error {
	if plain == "" {
		return deleteSecret(ctx, tx, name)
	}
	if k.seals == nil {
		return errNoSealer
	}
	sealed, err := k.seals.Seal(place(name), []byte(plain))
	if err != nil {
		return fmt.Errorf("sealing %s: %w", name, err)
	}
	return replaceSecret(ctx, tx, name, sealed)
}

// Reset puts a setting, or all whose names begin with name and a dot, back to their defaults, without a look at what
// stands there: it gets a platform going again whose settings cannot be read or let nobody in. It fails with ErrUnknown.
func (k *Keeper) Reset(ctx context.Context, by tenant.PersonID, name string) (changed []string, err error) {
	var names []string
	for _, g := range groups {
		for _, n := range g.Names {
			if n.Name == name || strings.HasPrefix(n.Name, name+".") {
				names = append(names, n.Name)
			}
		}
	}
	if names == nil {
		return nil, ErrUnknown
	}
	err = tenant.DoPlatform(ctx, k.db, func(tx *tenant.PlatformTx) error {
		changed = nil
		if err := lockSettings(ctx, tx); err != nil {
			return err
		}
		rows, err := inForce(ctx, tx)
		if err != nil {
			return err
		}
		var version int64
		for _, r := range rows {
			version = max(version, r.Version)
		}
		for _, r := range rows {
			if r.Value == nil || !slices.Contains(names, r.Name) {
				continue
			}
			version++
			if err := deleteSecret(ctx, tx, r.Name); err != nil {
				return err
			}
			if err := insertSetting(ctx, tx, version, r.Name, nil, by); err != nil {
				return err
			}
			changed = append(changed, r.Name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.readAt = time.Time{}
	return changed, nil
}

// Past is a change that was made.
type Past struct {
	Name   string
	Value  string // empty: back to the default; of a secret "set"
	At     time.Time
	Person string // empty: the operator's command line
}

// History gives the last changes, newest first.
func (k *Keeper) History(ctx context.Context, limit int) (all []Past, err error) {
	err = tenant.DoPlatform(ctx, k.db, func(tx *tenant.PlatformTx) error {
		all, err = history(ctx, tx, limit)
		return err
	})
	return all, err
}
