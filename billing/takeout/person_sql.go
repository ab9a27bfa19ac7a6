package takeout

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/tenant"
)

// selectPerson gives all that the books hold of a customer as JSON. Amounts are minor units of their currency. Of secrets there
// is what lists show.
func selectPerson(ctx context.Context, tx *tenant.Tx, customer uuid.UUID) (person string, err error) {
	err = tx.Get(ctx, &person, `
		SELECT jsonb_pretty(jsonb_build_object(
			'customer', to_jsonb(p) - 'version' - 'is_customer' - 'is_payee',
			'documents', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', d.kind, 'number', d.number, 'state', d.state, 'issued_on', d.issue_date,
					'due_on', d.due_date, 'currency', d.currency, 'total_minor', d.total, 'settled_minor', d.settled, 'billed_to', d.billed_to,
					'reference', d.reference, 'note', d.note, 'accepted_by', d.accepted_by, 'held_for', d.held_for,
					'lines', (SELECT coalesce(jsonb_agg(jsonb_build_object('description', l.description, 'quantity', l.quantity, 'unit_price', l.unit_price) ORDER BY l.line), '[]'::jsonb)
					            FROM document_line l WHERE l.document_id = d.id)) ORDER BY d.issue_date, d.id), '[]'::jsonb) FROM document d WHERE d.customer_id = p.id),
			'people', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'email', c.email, 'added_at', c.created_at, 'seen_at', c.seen_at, 'removed_at', c.removed_at)
					ORDER BY c.id), '[]'::jsonb) FROM contact c WHERE c.party_id = p.id),
			'payments', (SELECT coalesce(jsonb_agg(jsonb_build_object('date', y.date, 'amount_minor', y.amount, 'currency', y.currency, 'method', y.method,
					'reference', y.reference) ORDER BY y.date, y.id), '[]'::jsonb) FROM payment y WHERE y.customer_id = p.id),
			'payment_methods', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', m.kind, 'brand', m.brand, 'last_four', m.last_four, 'expires', m.expires,
					'added_at', m.created_at) ORDER BY m.id), '[]'::jsonb) FROM payment_method m WHERE m.customer_id = p.id),
			'mailings', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', g.kind, 'to', g.to_email, 'message', g.message, 'state', g.state, 'at', g.created_at) ORDER BY g.id), '[]'::jsonb)
					FROM mailing g WHERE g.customer_id = p.id),
			'subscriptions', (SELECT coalesce(jsonb_agg(jsonb_build_object('state', b.state, 'started_on', b.started_on) ORDER BY b.id), '[]'::jsonb) FROM subscription b WHERE b.customer_id = p.id),
			'changes', (SELECT coalesce(jsonb_agg(jsonb_build_object('field', v.field, 'before', v.before, 'after', v.after) ORDER BY v.audit_id, v.field), '[]'::jsonb)
					FROM audit_private v JOIN audit_log a ON a.id = v.audit_id WHERE a.object_id = p.id OR a.object_id IN (SELECT c.id FROM contact c WHERE c.party_id = p.id))))
		  FROM party p WHERE p.id = $1`, customer)
	if err != nil {
		return "", fmt.Errorf("reading a person's data: %w", err)
	}
	return person, nil
}

func selectPersonFiles(ctx context.Context, tx *tenant.Tx, customer uuid.UUID) (files []file.File, err error) {
	err = tx.Select(ctx, &files, `
		SELECT f.id, f.kind, f.subject_id, f.file_name, f.media_type, f.size, f.digest, f.mailed, f.created_at
		  FROM file f JOIN document d ON d.id = f.subject_id WHERE f.kind::text = 'attachment' AND d.customer_id = $1 ORDER BY f.id`, customer)
	if err != nil {
		return nil, fmt.Errorf("listing a person's files: %w", err)
	}
	return files, nil
}
