package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/tenant"
)

// auditCommands prove the records of who did what.
type auditCommands struct {
	Verify  auditVerify  `cmd:"" help:"Prove an export of an organization's sealed record, with nothing else at hand."`
	Receipt auditReceipt `cmd:"" help:"Hold the receipt of a support visit against an export of the sealed record."`
	Export  auditExport  `cmd:"" help:"Write an organization's sealed record, for verify."`
}

type auditVerify struct {
	Head string `placeholder:"HASH" help:"A head of the chain that was kept from before: it is looked for, and not finding it is an error."`
	File string `arg:"" type:"existingfile" help:"The export: lines of JSON."`
}

// Run proves the file, or names the first row that is broken.
func (v auditVerify) Run() error { return v.run(os.Stdout) }

var errHeadMissing = errors.New("the chain is whole, but the head that you kept is not in it: it was made anew since, or the head is of another organization")

func (v auditVerify) run(out io.Writer) (err error) {
	file, err := os.Open(v.File)
	if err != nil {
		return err // it names the path
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	proof, err := audit.Verify(file, v.Head)
	var broken *audit.Broken
	if errors.As(err, &broken) {
		return fmt.Errorf("%s is broken at %w", v.File, broken)
	} else if err != nil {
		return err
	}
	if v.Head != "" && proof.KeptAt == 0 {
		return errHeadMissing
	}
	_, err = fmt.Fprintf(out, "The chain is whole.\n\nOrganization  %s\nRows          %d\nSealed until  %s\nHead          %s\n",
		proof.Organization, proof.Rows, proof.SealedAt, proof.Head)
	if err == nil && v.Head != "" {
		_, err = fmt.Fprintf(out, "\nThe head that you kept is that of row %d: nothing up to there has changed since.\n", proof.KeptAt)
	} else if err == nil {
		_, err = fmt.Fprint(out, "\nThat it was not made anew as a whole shows only a head that you kept from before: --head.\n")
	}
	return err
}

type auditReceipt struct {
	Receipt string `arg:"" type:"existingfile" help:"The receipt, from the page of the visit."`
	Record  string `arg:"" type:"existingfile" help:"An export of the sealed record that is younger than the receipt: lines of JSON."`
}

// Run proves the receipt, or names its first line that does not hold.
func (r auditReceipt) Run() error { return r.run(os.Stdout) }

func (r auditReceipt) run(out io.Writer) (err error) {
	receipt, err := os.Open(r.Receipt)
	if err != nil {
		return err // it names the path
	}
	defer func() { err = errors.Join(err, receipt.Close()) }()
	record, err := os.Open(r.Record)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, record.Close()) }()
	proof, err := audit.VerifyReceipt(receipt, record)
	var broken *audit.Broken
	var parted *audit.BrokenReceipt
	switch {
	case errors.As(err, &broken):
		return fmt.Errorf("%s is broken at %w", r.Record, broken)
	case errors.As(err, &parted):
		return fmt.Errorf("%s does not hold: %w", r.Receipt, parted)
	case err != nil:
		return err
	}
	_, err = fmt.Fprintf(out, "The receipt holds: the record has these lines of the visit and no others, and its chain is whole.\n\nOrganization   %s\nSupport visit  %s\nLines          %d\nSHA-256        %s\nSealed as      row %d of %d\nHead           %s\n",
		proof.Organization, proof.Grant, proof.Lines, proof.Seal, proof.Row, proof.Rows, proof.Head)
	return err
}

type auditExport struct {
	orgDatabase
	Output string `short:"o" type:"path" placeholder:"FILE" help:"The file to write. Without one it goes to standard output."`
	Slug   string `arg:"" help:"The organization's address: the acme of /o/acme."`
}

// Run exports, to standard output or into a file, which is there whole or not at all.
func (e auditExport) Run(ctx context.Context) error {
	return e.use(ctx, func(db *tenant.DB) error {
		if e.Output == "" {
			return exportRecord(ctx, db, e.Slug, os.Stdout)
		}
		return writeWhole(e.Output, func(w io.Writer) error { return exportRecord(ctx, db, e.Slug, w) })
	})
}

// exportRecord seals what waits for it, and writes the whole chain.
func exportRecord(ctx context.Context, db *tenant.DB, slug string, w io.Writer) error {
	scope, err := tenant.EnterOperator(ctx, db, slug)
	if err != nil {
		return err
	}
	if _, err := audit.Seal(ctx, db, scope); err != nil {
		return err
	}
	run := func(fn func(tx *tenant.Tx) error) error { return tenant.Do(ctx, db, scope, fn) }
	return audit.WriteSealed(ctx, run, w, db.Now())
}
