package billing

import (
	"context"
	"strconv"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrPortalChanged says that the portal's settings are no longer what they were.
var ErrPortalChanged = fault.New(fault.Conflict, "portal.changed", "Someone else changed these settings in the meantime. Look at them again, then repeat your change.")

// Portal is what an organization has decided about its own host, where its customers come.
type Portal struct {
	SignUp   bool `db:"portal_sign_up"` // customers may register by themselves
	ShopOpen bool `db:"shop_open"`
	Captcha  bool `db:"portal_captcha"` // the security settings say so
	Version  int  `db:"portal_version"`
}

// PortalInput is what may be changed here.
type PortalInput struct{ SignUp, ShopOpen bool }

// LoadPortal reads the settings of the portal.
func LoadPortal(ctx context.Context, tx *tenant.Tx) (Portal, error) {
	return selectPortal(ctx, tx)
}

// ChangePortal writes them anew. version is the one that the change was made on; 0 is any. It fails with ErrPortalChanged.
func ChangePortal(ctx context.Context, tx *tenant.Tx, version int, in PortalInput) (Portal, error) {
	was, err := selectPortal(ctx, tx)
	if err != nil {
		return was, err
	}
	is, err := updatePortal(ctx, tx, version, in)
	if err != nil {
		return is, err
	}
	return is, tx.Record(ctx, tenant.Act{Action: "portal.change", Object: "settings", Changes: []tenant.Change{
		{Field: "sign_up", Before: strconv.FormatBool(was.SignUp), After: strconv.FormatBool(is.SignUp)},
		{Field: "shop_open", Before: strconv.FormatBool(was.ShopOpen), After: strconv.FormatBool(is.ShopOpen)}}})
}

// Owed is what a customer owes in one currency.
type Owed struct {
	Amount, Overdue money.Amount
	Invoices        int // that are open
}

// OwedBy says what one customer owes, by currency; none for nothing.
func OwedBy(ctx context.Context, tx *tenant.Tx, customer CustomerID) ([]Owed, error) {
	today, err := Today(ctx, tx)
	if err != nil {
		return nil, err
	}
	return selectOwed(ctx, tx, customer, today)
}
