package tenant

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/id"
)

// Request is what the record keeps of where an act came from.
type Request struct {
	ID      string // the request's id, as logs and answers show it
	Network string // the address it came from
}

type requestKey struct{}

// WithRequest marks everything done under the context as caused by that request.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestFrom is the request that the context was marked with, or the zero Request.
func RequestFrom(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	return r
}

// Act is one line of an organization's record.
type Act struct {
	Action string    // what was done: "invoice.issue"
	Object string    // to what kind of thing: "invoice"
	ID     uuid.UUID // to which; the zero id for none
	Detail string    // figures and numbers, at most 400 characters; never a person's data, never a secret
}

type auditRow struct{}

// Record writes an act into the organization's record, in the transaction of what it tells of.
func (tx *Tx) Record(ctx context.Context, act Act) error {
	var actor, object any
	if !tx.scope.person.ID.IsZero() {
		actor = tx.scope.person.ID
	}
	if act.ID != uuid.Nil {
		object = act.ID
	}
	r := RequestFrom(ctx)
	_, err := tx.Exec(ctx, `
		INSERT INTO audit_log (id, at, actor_kind, actor_id, action, object_kind, object_id, request_id, network, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		id.New[auditRow](), tx.now, tx.scope.kind.String(), actor, act.Action, act.Object, object, r.ID, r.Network, act.Detail)
	if err != nil {
		return fmt.Errorf("recording %s: %w", act.Action, err)
	}
	return nil
}
