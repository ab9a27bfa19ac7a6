package billing

import (
	"context"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrPercentChanged keeps a draft from being issued with a percent that is not that of its issue date.
var ErrPercentChanged = fault.New(fault.Conflict, "invoice.percent_changed",
	"A tax rate was changed after this draft was saved. Save the draft again, look at the new total, then issue it.")

// stalePercent is a rate of a draft whose percent on the issue date is now another.
type stalePercent struct {
	Code string          `db:"code"`
	Was  decimal.Decimal `db:"was"`
	Is   decimal.Decimal `db:"percent"`
}

// checkPercents refuses a draft whose taxes are not those of its issue date: rates were changed since it was saved.
// It is not worked out anew here, since whoever issues it has seen another total.
func checkPercents(ctx context.Context, tx *tenant.Tx, document uuid.UUID) error {
	stale, err := selectStalePercents(ctx, tx, document)
	if err != nil || len(stale) == 0 {
		return err
	}
	s := stale[0]
	return ErrPercentChanged.Sayf("%s is %s %% on the issue date and was %s %% when this draft was saved. Save the draft again, look at the new total, then issue it.",
		s.Code, s.Is, s.Was)
}
