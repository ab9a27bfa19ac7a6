package takeout

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/sheet"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
)

// packArgs are what the job is given.
type packArgs struct {
	Export ID `json:"export"`
}

// Notice tells somebody that their export is ready. There is nothing of it in the mail.
type Notice struct {
	Export       Export
	Organization tenant.Organization
	To           tenant.Person
}

// Packer makes exports. It is safe for use by many goroutines.
type Packer struct {
	DB *tenant.DB
	// May says whether the person of a scope holds a right, such as "customers:export".
	May func(s tenant.Scope, right string) bool
	// Tell mails that an export is ready. The same notice may come twice.
	Tell func(ctx context.Context, n Notice) error
}

// errStopped says that the export was cancelled or removed while it was made.
var errStopped = errors.New("takeout: the export is not wanted any more")

// Job is the handler of PackJob. An export that was cancelled or removed is left alone; one that the person may not have
// any more is refused; one that was begun before is begun anew. An error means that it is worth another try.
func (p *Packer) Job(ctx context.Context, s tenant.Scope, args json.RawMessage) error {
	var in packArgs
	if err := json.Unmarshal(args, &in); err != nil {
		return fmt.Errorf("reading the arguments: %w", err)
	}
	e, err := p.begin(ctx, s, in.Export)
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if e.State == Running {
		err = p.pack(ctx, s, e)
		var wrong *fault.Error
		if errors.Is(err, errStopped) {
			return nil
		} else if errors.As(err, &wrong) && wrong.Kind != fault.Unavailable {
			return p.stop(ctx, s, e.ID, Failed, wrong.Code)
		} else if err != nil {
			return err
		}
	}
	return p.tell(ctx, s, in.Export)
}

// turn is how long an export waits for another of its organization. One is made after the other: each takes two
// transactions at once, and there are but so many for one organization.
const turn = 15 * time.Second

// begin gives the export as Running, or in the state that it has come to; queued anew while another is made.
func (p *Packer) begin(ctx context.Context, s tenant.Scope, export ID) (e Export, err error) {
	err = tenant.Do(ctx, p.DB, s, func(tx *tenant.Tx) error {
		if e, err = selectExport(ctx, tx, export); err != nil {
			return err
		}
		choice, ok := ChoiceOf(e.Holds)
		if !ok || !p.May(s, "exports:create") || !p.May(s, choice.Right) {
			_, err = stopExport(ctx, tx, export, Refused, ErrRefused.Code)
			e.State = Refused
			return err
		}
		if err := lockAsking(ctx, tx); err != nil {
			return err
		}
		if other, err := isOtherRunning(ctx, tx, export); err != nil {
			return err
		} else if other {
			return jobs.Enqueue(ctx, tx, jobs.Job{Kind: PackJob, Args: packArgs{export}, RunAt: tx.Now().Add(turn)})
		}
		all, err := countRows(ctx, tx, e.Holds)
		if err != nil {
			return err
		}
		begun, err := beginExport(ctx, tx, export, all)
		if begun {
			e.State, e.All = Running, all
		}
		return err
	})
	return e, err
}

func (p *Packer) stop(ctx context.Context, s tenant.Scope, export ID, state State, problem string) error {
	return tenant.Do(ctx, p.DB, s, func(tx *tenant.Tx) error {
		_, err := stopExport(ctx, tx, export, state, problem)
		return err
	})
}

// pack writes the file.
func (p *Packer) pack(ctx context.Context, s tenant.Scope, e Export) error {
	out := newPieces(ctx, p.DB, s, e)
	if e.Holds == Everything {
		if _, err := audit.Seal(ctx, p.DB, s); err != nil { // so that the record that goes along is whole
			return err
		}
	}
	err := tenant.Do(ctx, p.DB, s, func(tx *tenant.Tx) error { return out.write(ctx, tx, e) })
	if err != nil {
		return err
	}
	return out.end()
}

func (p *pieces) write(ctx context.Context, tx *tenant.Tx, e Export) error {
	choice, _ := ChoiceOf(e.Holds)
	format := choice.Formats[0]
	if len(choice.Formats) > 1 && e.MediaType == mediaTypes[XLSX].mediaType {
		format = XLSX
	}
	switch format {
	case ZIP:
		return p.writeAll(ctx, tx)
	case CSV, XLSX:
		last, err := export.LastEntry(ctx, tx)
		if err != nil {
			return err
		}
		return p.writeTable(ctx, tx, e.Holds, sheet.Format(format), last, p)
	}
	return export.Write(ctx, tx, export.Format(e.Holds), byLine{p, p})
}

// writeTable writes a table to w, and counts its rows into p.
func (p *pieces) writeTable(ctx context.Context, tx *tenant.Tx, holds Subject, format sheet.Format, last int64, w io.Writer) error {
	inner, err := sheet.New(w, format)
	if err != nil {
		return err
	}
	g := counting{inner, p}
	if holds == Ledger {
		err = report.LedgerRows(ctx, tx, g, report.Period{})
	} else {
		err = export.WriteTable(ctx, tx, export.Format(holds), last, g)
	}
	if err != nil {
		return err
	}
	return g.Close()
}

// counting counts the rows of a grid.
type counting struct {
	sheet.Grid
	p *pieces
}

func (c counting) Row(cells ...any) error {
	c.p.count(1)
	return c.Grid.Row(cells...)
}

// byLine counts the lines of amounts in a journal, which are indented, and not those of entries.
type byLine struct {
	io.Writer
	p *pieces
}

func (b byLine) Write(part []byte) (int, error) {
	b.p.count(bytes.Count(part, []byte("\n  ")))
	return b.Writer.Write(part)
}

// tell mails who asked that the export is ready, once.
func (p *Packer) tell(ctx context.Context, s tenant.Scope, export ID) error {
	var e Export
	err := tenant.Do(ctx, p.DB, s, func(tx *tenant.Tx) (err error) {
		e, err = selectExport(ctx, tx, export)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil || e.State != Ready || e.Told {
		return err
	}
	if err := p.Tell(ctx, Notice{Export: e, Organization: s.Organization(), To: s.Person()}); err != nil {
		return fmt.Errorf("telling that an export is ready: %w", err)
	}
	return tenant.Do(ctx, p.DB, s, func(tx *tenant.Tx) error { return setTold(ctx, tx, export) })
}
