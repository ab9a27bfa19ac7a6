package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// noticing is how often the balancer asks: in between it sends connections to a process that is ending.
const noticing = 300 * time.Millisecond

// balancer passes connections on to processes that say that they are ready, as one before them does.
type balancer struct {
	net.Listener
	mu    sync.Mutex
	ready map[string]bool
	order []string
	turn  int
	under sync.WaitGroup
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{Listener: l, ready: map[string]bool{}}
	b.under.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.under.Go(func() { b.pass(c) })
		}
	})
	closed := make(chan struct{})
	b.under.Go(func() { b.watch(closed) })
	t.Cleanup(func() {
		close(closed)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		b.under.Wait()
	})
	return b
}

// watch asks the processes one after the other, again and again.
func (b *balancer) watch(closed chan struct{}) {
	for again := time.NewTicker(noticing); ; {
		select {
		case <-closed:
			again.Stop()
			return
		case <-again.C:
		}
		b.mu.Lock()
		order := b.order
		b.mu.Unlock()
		for _, at := range order {
			ready := isReady(at)
			b.mu.Lock()
			b.ready[at] = ready
			b.mu.Unlock()
		}
	}
}

// set names the processes; those that are new are asked at once.
func (b *balancer) set(addresses ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, at := range addresses {
		if _, known := b.ready[at]; !known {
			b.ready[at] = isReady(at)
		}
	}
	b.order = addresses
}

// next is the next process that was ready when it was last asked.
func (b *balancer) next() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.order {
		b.turn++
		at := b.order[b.turn%len(b.order)]
		if b.ready[at] {
			return at
		}
	}
	return ""
}

func isReady(address string) bool {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + address + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func (b *balancer) pass(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", b.next())
	if err != nil {
		return // the client sees a connection that ends: a failed request
	}
	defer out.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() {
			// Whichever side ends first, the other is ended.
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
	in.Close()
	out.Close()
	<-done
}

// Processes are replaced one by one under load, and no request fails; what was acknowledged is there exactly once.
func TestRollingRestart(t *testing.T) {
	args := []string{"--drain-delay", "1s", "--limit-network", "0", "--limit-token", "0", "--limit-organization", "0", "--limit-person", "0"}
	h := newHouse(t)
	program := h.writer()
	serving := []replica{startReplica(t, args...), startReplica(t, args...)}
	b := newBalancer(t)
	b.set(serving[0].address, serving[1].address)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var load sync.WaitGroup
	var sent, failed atomic.Int64
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	front := replica{address: b.Addr().String()}
	for worker := range 16 {
		load.Go(func() {
			client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2, DisableKeepAlives: worker%2 == 1}}
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("Customer %d of %d", n, worker)
				sent.Add(2)
				if err := front.addCustomer(client, program, name); err != nil {
					failed.Add(1)
					t.Errorf("%s: %v", name, err)
				} else {
					mu.Lock()
					acknowledged[name] = true
					mu.Unlock()
				}
				if err := front.look(client, h.owner, "/o/"+h.slug+"/customers"); err != nil {
					failed.Add(1)
					t.Errorf("a page: %v", err)
				}
			}
		})
	}
	for n := range serving {
		fresh := startReplica(t, args...)
		both := append(slices.Clone(serving), fresh)
		b.set(both[0].address, both[1].address, both[2].address)
		before := sent.Load()
		serving[n].stop() // it answers for a second more
		for sent.Load() < before+20 && failed.Load() == 0 {
			<-time.After(10 * time.Millisecond)
		}
		serving[n] = fresh
		b.set(serving[0].address, serving[1].address)
	}
	cancel()
	load.Wait()
	t.Logf("%d requests while two processes were replaced, %d failed, %d customers acknowledged", sent.Load(), failed.Load(), len(acknowledged))
	if sent.Load() < 80 {
		t.Errorf("only %d requests were sent", sent.Load())
	}
	var held []string
	h.do(h.owner, func(tx *tenant.Tx) error { return tx.Select(t.Context(), &held, `SELECT name FROM party`) })
	count := map[string]int{}
	for _, name := range held {
		count[name]++
	}
	for name := range acknowledged {
		if count[name] != 1 {
			t.Errorf("%s was acknowledged and is there %d times", name, count[name])
		}
	}
}

// writer is a program that may write.
func (h *house) writer() (program caller) {
	h.t.Helper()
	h.do(h.owner, func(tx *tenant.Tx) (err error) {
		_, program.token, err = identity.AddToken(h.t.Context(), tx, identity.TokenInput{Name: "load", Scopes: []string{"*:read", "*:write"}}, func(string) error { return nil })
		return err
	})
	return program
}

func (r replica) addCustomer(client *http.Client, c caller, name string) error {
	body, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, "http://"+r.address+"/v1/customers", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", tenanttest.Random(8))
	return finish(client, request, http.StatusCreated)
}

func (r replica) look(client *http.Client, c caller, path string) error {
	request, err := http.NewRequest(http.MethodGet, "http://"+r.address+path, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Cookie", "__Host-session="+c.session)
	return finish(client, request, http.StatusOK)
}

func finish(client *http.Client, request *http.Request, want int) error {
	request.Host = replicaHost
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	if answer.StatusCode != want {
		return fmt.Errorf("status %d: %.300s", answer.StatusCode, body)
	}
	return nil
}
