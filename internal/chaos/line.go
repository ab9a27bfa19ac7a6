package main

import (
	"errors"
	"io"
	"net"
	"sync"
)

// line is the network between the service and its database: it can be cut, and lead elsewhere.
type line struct {
	listener net.Listener
	under    sync.WaitGroup

	mu    sync.Mutex
	to    string
	state lineState
	open  map[net.Conn]bool
	whole chan struct{} // closed while bytes pass
}

type lineState int

const (
	passing lineState = iota
	refusing
	silent // connections stand, and nothing arrives
)

func newLine(to string) (*line, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &line{listener: listener, to: to, open: map[net.Conn]bool{}, whole: make(chan struct{})}
	close(l.whole)
	l.under.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			l.under.Go(func() { l.pass(in) })
		}
	})
	return l, nil
}

func (l *line) address() string { return l.listener.Addr().String() }

// set changes the line's state; what stands is dropped, except by falling silent.
func (l *line) set(state lineState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == silent && state != silent {
		close(l.whole)
	} else if l.state != silent && state == silent {
		l.whole = make(chan struct{})
	}
	l.state = state
	if state != silent {
		l.drop()
	}
}

// lead has the line end elsewhere from now on.
func (l *line) lead(to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
	l.drop()
}

func (l *line) drop() {
	for c := range l.open {
		_ = c.Close() // what it would have said is lost, as it should be
	}
	clear(l.open)
}

func (l *line) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == refusing {
		return false
	}
	l.open[c] = true
	return true
}

func (l *line) pass(in net.Conn) {
	defer in.Close()
	l.mu.Lock()
	to := l.to
	l.mu.Unlock()
	if !l.keep(in) {
		return
	}
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	if !l.keep(out) {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() {
			l.carry(way[0], way[1])
			// Whichever side ends first, the other is ended.
			_, _ = way[0].Close(), way[1].Close()
		})
	}
	both.Wait()
	l.mu.Lock()
	delete(l.open, in)
	delete(l.open, out)
	l.mu.Unlock()
}

func (l *line) carry(to io.Writer, from io.Reader) {
	for buffer := make([]byte, 16<<10); ; {
		n, err := from.Read(buffer)
		l.mu.Lock()
		whole := l.whole
		l.mu.Unlock()
		<-whole
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *line) stop() error {
	if l == nil {
		return nil
	}
	l.set(refusing)
	err := l.listener.Close()
	l.under.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
