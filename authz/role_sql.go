package authz

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

type roleRow struct {
	ID        RoleID
	Name      string
	Rights    string
	CreatedAt time.Time `db:"created_at"`
	Version   int
	Members   int
}

func (r roleRow) role() OwnRole {
	return OwnRole{ID: r.ID, Name: r.Name, Ticks: readTicks(r.Rights), CreatedAt: r.CreatedAt.UTC(), Version: r.Version, Members: r.Members}
}

const roleColumns = `SELECT r.id, r.name, r.rights, r.created_at, r.version,
	(SELECT count(*) FROM member m WHERE m.role = 'own:' || r.id AND m.state::text <> 'removed') AS members FROM role r`

func selectRoles(ctx context.Context, tx *tenant.Tx) ([]OwnRole, error) {
	var rows []roleRow
	if err := tx.Select(ctx, &rows, roleColumns+` ORDER BY lower(r.name)`); err != nil {
		return nil, fmt.Errorf("listing roles: %w", err)
	}
	all := make([]OwnRole, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.role())
	}
	return all, nil
}

func selectRole(ctx context.Context, tx *tenant.Tx, role RoleID) (OwnRole, error) {
	var row roleRow
	err := tx.Get(ctx, &row, roleColumns+` WHERE r.id = $1`, role)
	if errors.Is(err, tenant.ErrNoRows) {
		return OwnRole{}, ErrNoRole
	} else if err != nil {
		return OwnRole{}, fmt.Errorf("reading a role: %w", err)
	}
	return row.role(), nil
}

func insertRole(ctx context.Context, tx *tenant.Tx, r OwnRole) error {
	_, err := tx.Exec(ctx, `INSERT INTO role (id, name, rights, created_at, version) VALUES ($1, $2, $3, $4, $5)`,
		r.ID, r.Name, r.Ticks.Text(), r.CreatedAt, r.Version)
	return indexRole(ctx, tx, r, err)
}

func updateRole(ctx context.Context, tx *tenant.Tx, r OwnRole) error {
	_, err := tx.Exec(ctx, `UPDATE role SET name = $2, rights = $3, version = $4 WHERE id = $1`, r.ID, r.Name, r.Ticks.Text(), r.Version)
	return indexRole(ctx, tx, r, err)
}

// indexRole tells the platform, where rights are read as people enter, what was written.
func indexRole(ctx context.Context, tx *tenant.Tx, r OwnRole, err error) error {
	if err == nil {
		_, err = tx.Exec(ctx, `SELECT platform.set_role($1, $2)`, r.Role(), r.Ticks.Text())
	}
	if tenant.Violates(err) == "role_name" {
		return ErrRoleName
	} else if err != nil {
		return fmt.Errorf("keeping a role: %w", err)
	}
	return nil
}

func deleteRole(ctx context.Context, tx *tenant.Tx, r OwnRole) error {
	_, err := tx.Exec(ctx, `DELETE FROM role WHERE id = $1`, r.ID)
	if err == nil {
		_, err = tx.Exec(ctx, `SELECT platform.drop_role($1)`, r.Role())
	}
	if tenant.Violates(err) == "role_in_use" {
		return ErrRoleInUse
	} else if err != nil {
		return fmt.Errorf("deleting a role: %w", err)
	}
	return nil
}
