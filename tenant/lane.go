package tenant

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

// lanes are the connections of a compartment, each a pool of its own of one. An organization goes by the same lane
// whenever it is free and by the next one otherwise, so that what Postgres keeps of an organization by connection (plans,
// what it knows of tables) is kept once and met again, where any connection for anyone would keep it on each.
type lanes struct {
	all []*sqlx.DB

	mu      sync.Mutex
	taken   []bool
	waiting []chan int // each gets the lane that is free for it, first come first served
	waits   int64
	waited  time.Duration
}

func (db *DB) openLanes(compartment int) (*lanes, error) {
	var prepare []string
	if !db.config.Unprepared {
		prepare = prepareAlive
	}
	l := &lanes{taken: make([]bool, db.config.Connections)}
	for range l.taken {
		pool, err := openPool(db.config, compartmentLogin(compartment), 1, prepare)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.all = append(l.all, pool)
	}
	return l, nil
}

// connect gives a connection, which is to be closed before its lane is left.
func (l *lanes) connect(ctx context.Context, o OrganizationID) (conn *sqlx.Conn, leave func(), err error) {
	n, err := l.take(ctx, int(binary.BigEndian.Uint32(o.UUID[12:])%uint32(len(l.all))))
	if err != nil {
		return nil, nil, err
	}
	if conn, err = l.all[n].Connx(ctx); err != nil {
		l.leave(n)
		return nil, nil, err
	}
	return conn, func() { l.leave(n) }, nil
}

// take gives the first free lane from one on, and waits for any when there is none.
func (l *lanes) take(ctx context.Context, from int) (int, error) {
	l.mu.Lock()
	for i := range l.taken {
		if n := (from + i) % len(l.taken); !l.taken[n] {
			l.taken[n] = true
			l.mu.Unlock()
			return n, nil
		}
	}
	mine, began := make(chan int, 1), time.Now()
	l.waiting = append(l.waiting, mine)
	l.waits++
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.waited += time.Since(began)
		l.mu.Unlock()
	}()
	select {
	case n := <-mine:
		return n, nil
	case <-ctx.Done():
		l.mu.Lock()
		if i := slices.Index(l.waiting, mine); i >= 0 {
			l.waiting = slices.Delete(l.waiting, i, i+1)
			l.mu.Unlock()
			return 0, ctx.Err()
		}
		l.mu.Unlock()
		l.leave(<-mine) // it came at the same moment
		return 0, ctx.Err()
	}
}

func (l *lanes) leave(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.taken[n] = false
		return
	}
	l.waiting[0] <- n
	l.waiting = slices.Delete(l.waiting, 0, 1)
}

// use is how the lanes are used, all together.
func (l *lanes) use(login string) PoolUse {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := PoolUse{Login: login, Most: len(l.all), Waits: l.waits, Waited: l.waited}
	for n, pool := range l.all {
		u.Open += pool.Stats().OpenConnections
		if l.taken[n] {
			u.InUse++
		}
	}
	return u
}

func (l *lanes) close() error {
	var all error
	for _, pool := range l.all {
		all = errors.Join(all, pool.Close())
	}
	return all
}
