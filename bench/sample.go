package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"

	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/tenant"
)

// sample is what the service sent to Postgres for one request.
type sample struct {
	key        string // the request's Idempotency-Key, where it had one
	statements []statement
}

// sampled are the samples of one organization. Of posts there are two, which tell what differs from one to the next.
type sampled struct {
	read     sample
	posts    [2]sample
	prepared map[string]string // what each name that an EXECUTE goes by stands for
	// swap gives what stands for a parameter that was another in the other sample; nil changes none.
	swap func(value, other string) (string, bool)
}

var prepare = regexp.MustCompile(`(?s)PREPARE (f\d+) AS (.*)`)

// note keeps the names that statements were given.
func (s *sampled) note(made []statement) {
	for _, one := range made {
		if found := prepare.FindStringSubmatch(one.text); found != nil && one.simple {
			s.prepared[found[1]] = found[2]
		}
	}
}

// recorder runs a second service on the same database, whose statements Postgres logs. What the measures without
// tenancy run is taken from there, so that it cannot differ from what the service runs.
type recorder struct {
	house  *house
	db     *tenant.DB
	site   *site
	marker *sql.DB
	marks  int
}

func (h *house) record(ctx context.Context) (_ []sampled, err error) {
	logins, err := h.logStatements(ctx, "SET log_statement = 'all'")
	if err != nil {
		return nil, err
	}
	r := &recorder{house: h}
	defer func() {
		_, failed := h.logStatements(context.WithoutCancel(ctx), "RESET log_statement")
		err = errors.Join(err, r.close(), failed)
	}()
	if err := r.open(ctx); err != nil {
		return nil, fmt.Errorf("recording statements of %v: %w", logins, err)
	}
	all := make([]sampled, len(h.tenants))
	for n, o := range h.tenants {
		if all[n], err = r.sampleOrganization(ctx, o); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// logStatements changes a setting of the compartments' logins, for connections that are made from then on.
func (h *house) logStatements(ctx context.Context, change string) (logins []string, err error) {
	rows, err := h.super.QueryContext(ctx, "SELECT login FROM platform.compartment")
	if err != nil {
		return nil, fmt.Errorf("listing compartments: %w", err)
	}
	for rows.Next() {
		var login string
		if err := rows.Scan(&login); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		logins = append(logins, login)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("listing compartments: %w", err)
	}
	for _, login := range logins {
		if _, err := h.super.ExecContext(ctx, "ALTER ROLE "+pq.QuoteIdentifier(login)+" "+change); err != nil {
			return nil, fmt.Errorf("choosing what the server logs: %w", err)
		}
	}
	return logins, nil
}

func (r *recorder) open(ctx context.Context) (err error) {
	config := r.house.config
	config.Connections = 1 // so that the second request meets what the first prepared
	if r.db, err = tenant.Open(ctx, config); err != nil {
		return err
	}
	server, err := r.house.newServer(r.db)
	if err != nil {
		return err
	}
	if r.site, err = serve(server.App()); err != nil {
		return err
	}
	address, err := r.house.superURL(map[string]string{"log_statement": "all"})
	if err != nil {
		return err
	}
	r.marker, err = sql.Open("postgres", address)
	return err
}

func (r *recorder) close() error {
	var all error
	if r.site != nil {
		all = errors.Join(all, r.site.close())
	}
	if r.db != nil {
		all = errors.Join(all, r.db.Close())
	}
	if r.marker != nil {
		all = errors.Join(all, r.marker.Close())
	}
	return all
}

func (r *recorder) sampleOrganization(ctx context.Context, o organization) (s sampled, err error) {
	c := newCaller(r.site.address)
	s.prepared = map[string]string{}
	for range 2 { // the first prepares
		if s.read.statements, err = r.during(ctx, func() error { return c.read(o, o.invoices[0]) }); err != nil {
			return s, err
		}
		s.note(s.read.statements)
	}
	for n := range 3 {
		key := newText()
		made, err := r.during(ctx, func() error { return c.post(o, key) })
		if err != nil {
			return s, err
		}
		s.note(made)
		s.posts[n%2] = sample{key, made}
	}
	return s, nil
}

// during gives what the service sent while act ran.
func (r *recorder) during(ctx context.Context, act func() error) ([]statement, error) {
	r.marks++
	mark := fmt.Sprintf("sample %d is complete", r.marks)
	done := r.house.log.await(mark)
	if err := act(); err != nil {
		return nil, err
	}
	// What was written before the mark is read before it.
	if _, err := r.marker.ExecContext(ctx, "SELECT "+pq.QuoteLiteral(mark)); err != nil {
		return nil, fmt.Errorf("marking the server's log: %w", err)
	}
	select {
	case <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return r.house.log.taken(), nil
}
