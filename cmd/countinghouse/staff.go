package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
)

// staffCommands look after the staff of the platform. The first administrator comes from here.
type staffCommands struct {
	List  staffList  `cmd:"" help:"List the staff."`
	Add   staffAdd   `cmd:"" help:"Put someone who has an account on the staff, or change what they may do."`
	Deny  staffDeny  `cmd:"" help:"Deny someone of the staff access from their next request on; their visits end."`
	Allow staffAllow `cmd:"" help:"Allow someone access again."`
}

type staffAdd struct {
	orgDatabase
	Email string   `arg:"" help:"The e-mail address of their account."`
	Role  string   `default:"support" enum:"administrator,support" help:"administrator or support."`
	May   []string `placeholder:"FUNCTION" help:"Only these functions, such as visits:write; left out, all that the role may."`
}

// Run changes the staff.
func (c staffAdd) Run(ctx context.Context) error {
	return c.use(ctx, func(db *tenant.DB) error {
		return changeStaff(ctx, db, c.Email, func(tx *tenant.PlatformTx, p tenant.Person) error {
			m := authz.StaffMember{Person: p, Role: c.Role, State: authz.StaffActive}
			if len(c.May) > 0 {
				m.Rights = c.May
			}
			return authz.SetStaff(ctx, tx, tenant.PersonID{}, m)
		})
	})
}

type staffDeny struct {
	orgDatabase
	Email string `arg:"" help:"The e-mail address of their account."`
}

// Run denies access.
func (c staffDeny) Run(ctx context.Context) error {
	return c.use(ctx, func(db *tenant.DB) error { return setStaffState(ctx, db, c.Email, authz.StaffDenied) })
}

type staffAllow struct {
	orgDatabase
	Email string `arg:"" help:"The e-mail address of their account."`
}

// Run allows access.
func (c staffAllow) Run(ctx context.Context) error {
	return c.use(ctx, func(db *tenant.DB) error { return setStaffState(ctx, db, c.Email, authz.StaffActive) })
}

func setStaffState(ctx context.Context, db *tenant.DB, email, state string) error {
	return changeStaff(ctx, db, email, func(tx *tenant.PlatformTx, p tenant.Person) error {
		return authz.SetStaffState(ctx, tx, tenant.PersonID{}, p.ID, state)
	})
}

// changeStaff finds a person by their address and changes what they are on the staff.
func changeStaff(ctx context.Context, db *tenant.DB, email string, change func(tx *tenant.PlatformTx, p tenant.Person) error) error {
	address, err := identity.NormalizeEmail(email)
	if err != nil {
		return err
	}
	return tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		p, err := authz.PersonAt(ctx, tx, address)
		if err != nil {
			return err
		}
		return change(tx, p)
	})
}

type staffList struct{ orgDatabase }

// Run prints the staff.
func (c staffList) Run(ctx context.Context) error {
	return c.use(ctx, func(db *tenant.DB) error {
		var all []authz.StaffMember
		err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) (err error) {
			all, err = authz.ListStaff(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		for _, m := range all {
			may, factor := "full access", ""
			if m.Rights != nil {
				may = strings.Join(m.Rights, " ")
			}
			if !m.SecondFactor {
				factor = "no second factor"
			}
			if _, err := fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", m.Person.Email, m.Role, m.State, may, factor); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}
