package takeout

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about exports.
var (
	ErrNotFound = fault.New(fault.NotFound, "export.not_found", "There is no such export.")
	ErrSubject  = fault.New(fault.Invalid, "export.subject", "Choose what to export from the list.").At("holds")
	ErrFormat   = fault.New(fault.Invalid, "export.format", "Lists are written as csv or xlsx; everything else has a format of its own. Leave it out.").At("format")
	ErrTooMany  = fault.New(fault.Conflict, "export.too_many", "Five exports are being made already. Wait for one, or cancel it.").At("holds")
	ErrNotReady = fault.New(fault.Conflict, "export.not_ready", "This export is not ready. Look again in a while.")
	ErrExpired  = fault.New(fault.Conflict, "export.expired", "This export has expired. Ask for a new one.")
	ErrOver     = fault.New(fault.Conflict, "export.over", "This export is not being made any more, so there is nothing to cancel.")
	ErrTooLarge = fault.New(fault.Conflict, "export.too_large", "This comes to more than 2 GB. Export parts of it.")
	ErrRefused  = fault.New(fault.Forbidden, "export.refused", "Whoever asked for this may not export it any more.")
)

// Kept is how long a file that is ready can be fetched.
const Kept = 7 * 24 * time.Hour

const (
	// atOnce bounds what one organization has in the making.
	atOnce = 5
	// stuck is after how long without getting on an export counts as failed.
	stuck = 3 * time.Hour
	// silent is after how long without getting on an export no longer keeps others waiting.
	silent = 5 * time.Minute
)

// PackJob is the kind of the job that makes an export; Packer.Job handles it.
const PackJob = "export.pack"

// ID names an export.
type ID = id.Of[Export]

// State is how far an export is.
type State string

// The states.
const (
	Queued    State = "queued"
	Running   State = "running"
	Ready     State = "ready"
	Failed    State = "failed"
	Refused   State = "refused" // who asked may not any more
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// Export is a file that someone asked for.
type Export struct {
	ID        ID        `db:"id"`
	Holds     Subject   `db:"holds"`
	Name      string    `db:"file_name"`
	MediaType string    `db:"media_type"`
	State     State     `db:"state"`
	Done      int       `db:"rows_done"`
	All       int       `db:"rows_all"` // about; 0 before it is known
	Size      int64     `db:"size"`     // in bytes, so far
	Digest    string    `db:"digest"`   // SHA-256, hexadecimal; empty before it is ready
	Problem   string    `db:"problem"`  // the code of why it failed
	Told      bool      `db:"mailed"`   // who asked had a mail
	AskedBy   uuid.UUID `db:"asked_by"`
	AskedName string    `db:"member_name"`
	CreatedAt time.Time `db:"created_at"`
	ExpiresAt time.Time `db:"expires_at"`
}

// Going says whether it is in the making.
func (e Export) Going() bool { return e.State == Queued || e.State == Running }

// Input says what is asked for. Without a format it is the subject's first.
type Input struct {
	Holds  Subject
	Format Format
}

// Ask queues an export on behalf of the transaction's person. The caller has checked that they hold the choice's right. It fails
// with ErrSubject, ErrFormat, ErrTooMany, and jobs.ErrSupport.
func Ask(ctx context.Context, tx *tenant.Tx, in Input) (Export, error) {
	choice, ok := ChoiceOf(in.Holds)
	if !ok {
		return Export{}, ErrSubject
	}
	if in.Format == "" {
		in.Format = choice.Formats[0]
	}
	if !slices.Contains(choice.Formats, in.Format) {
		return Export{}, ErrFormat
	}
	if err := lockAsking(ctx, tx); err != nil {
		return Export{}, err
	}
	if going, err := countGoing(ctx, tx); err != nil {
		return Export{}, err
	} else if going >= atOnce {
		return Export{}, ErrTooMany
	}
	kind := mediaTypes[in.Format]
	e := Export{ID: id.New[Export](), Holds: in.Holds, MediaType: kind.mediaType, State: Queued, AskedBy: tx.Scope().Person().ID.UUID,
		Name:      fmt.Sprintf("%s-%s-%s.%s", tx.Scope().Organization().Slug, in.Holds, tx.Now().Format(time.DateOnly), kind.ending),
		CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(Kept)}
	if err := insertExport(ctx, tx, e); err != nil {
		return Export{}, err
	}
	if err := jobs.Enqueue(ctx, tx, jobs.Job{Kind: PackJob, Args: packArgs{e.ID}}); err != nil {
		return Export{}, err
	}
	return e, tx.Record(ctx, tenant.Act{Action: "export.ask", Object: "export", ID: e.ID.UUID, Detail: e.Name})
}

// Exports lists exports, the newest first.
func Exports(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[Export], error) {
	rows, err := selectExports(ctx, tx, q)
	return cursor.Cut(q, rows), err
}

// ByID gives one export; ErrNotFound.
func ByID(ctx context.Context, tx *tenant.Tx, export ID) (Export, error) {
	return selectExport(ctx, tx, export)
}

// Cancel stops an export that is in the making. It fails with ErrNotFound and ErrOver.
func Cancel(ctx context.Context, tx *tenant.Tx, export ID) (Export, error) {
	if _, err := selectExport(ctx, tx, export); err != nil {
		return Export{}, err
	}
	if stopped, err := stopExport(ctx, tx, export, Cancelled, ""); err != nil {
		return Export{}, err
	} else if !stopped {
		return Export{}, ErrOver
	}
	if err := tx.Record(ctx, tenant.Act{Action: "export.cancel", Object: "export", ID: export.UUID}); err != nil {
		return Export{}, err
	}
	return selectExport(ctx, tx, export)
}

// Remove deletes an export with its file, whatever its state; ErrNotFound.
func Remove(ctx context.Context, tx *tenant.Tx, export ID) error {
	if removed, err := deleteExport(ctx, tx, export); err != nil {
		return err
	} else if !removed {
		return ErrNotFound
	}
	return tx.Record(ctx, tenant.Act{Action: "export.remove", Object: "export", ID: export.UUID})
}

// Fetch gives the file of an export that is ready, and has it on record that someone took it. It fails with ErrNotFound,
// ErrNotReady and ErrExpired. The caller has checked the right of the export's choice.
func Fetch(ctx context.Context, tx *tenant.Tx, export ID) (file.File, error) {
	e, err := selectExport(ctx, tx, export)
	switch {
	case err != nil:
		return file.File{}, err
	case e.State == Expired:
		return file.File{}, ErrExpired
	case e.State != Ready:
		return file.File{}, ErrNotReady
	}
	f, err := file.ByID(ctx, tx, file.ID(export))
	if err != nil {
		return f, err
	}
	return f, tx.Record(ctx, tenant.Act{Action: "export.fetch", Object: "export", ID: export.UUID, Detail: f.Digest})
}

// clearAtOnce bounds what one transaction deletes.
const clearAtOnce = 10

// Clear deletes what has expired. run runs its function in a transaction of its own.
func Clear(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error) error {
	for {
		var cleared int64
		err := run(func(tx *tenant.Tx) (err error) {
			cleared, err = deleteExpired(ctx, tx, clearAtOnce)
			return err
		})
		if err != nil || cleared < clearAtOnce {
			return err
		}
	}
}
