package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// orgRates takes a file of exchange rates into an organization's books.
type orgRates struct {
	orgDatabase
	Since string `placeholder:"YYYY-MM-DD" help:"Leave out what is older."`
	Slug  string `arg:"" help:"The organization's address: the acme of /o/acme."`
	File  string `arg:"" type:"existingfile" help:"eurofxref.csv or eurofxref-hist.csv of the European Central Bank."`
}

// Run imports the rates, all or none.
func (r orgRates) Run(ctx context.Context) error { return r.run(ctx, os.Stdout) }

func (r orgRates) run(ctx context.Context, out io.Writer) (err error) {
	var since civil.Date
	if r.Since != "" {
		if since, err = civil.Parse(r.Since); err != nil {
			return fmt.Errorf("--since: %w", err)
		}
	}
	file, err := os.Open(r.File)
	if err != nil {
		return err // it names the file
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return r.use(ctx, func(db *tenant.DB) error {
		scope, err := tenant.EnterOperator(ctx, db, r.Slug)
		if err != nil {
			return err
		}
		var done currency.Imported
		err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) (err error) {
			if _, err := file.Seek(0, io.SeekStart); err != nil { // it may run twice
				return err
			}
			done, err = currency.ImportECB(ctx, tx, file, since)
			return err
		})
		if err != nil {
			return fmt.Errorf("nothing of %s was taken: %w", r.File, err)
		}
		_, err = fmt.Fprintf(out, "%s: %d rates, %s to %s\n", r.File, done.Rates, done.First, done.Last)
		return err
	})
}
