package file

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

const columns = `id, kind, coalesce(subject_id, '00000000-0000-0000-0000-000000000000') AS subject_id, file_name, media_type, size, digest, mailed, created_at`

func insertFile(ctx context.Context, tx *tenant.Tx, f File, body []byte) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO file (id, kind, subject_id, file_name, media_type, size, digest, mailed, created_at)
		VALUES ($1, $2, nullif($3::uuid, '00000000-0000-0000-0000-000000000000'), $4, $5, $6, $7, $8, $9)`,
		f.ID, string(f.Kind), f.Subject, f.Name, f.MediaType, f.Size, f.Digest, f.Mailed, f.CreatedAt)
	if err != nil {
		return fmt.Errorf("keeping a file: %w", err)
	}
	position := 0
	for piece := range slices.Chunk(body, pieceBytes) {
		if _, err := tx.Exec(ctx, `INSERT INTO file_piece (file_id, position, bytes) VALUES ($1, $2, $3)`, f.ID, position, piece); err != nil {
			return fmt.Errorf("keeping a piece of a file: %w", err)
		}
		position++
	}
	return nil
}

func setExpiry(ctx context.Context, tx *tenant.Tx, file ID, at time.Time) error {
	if _, err := tx.Exec(ctx, `UPDATE file SET expires_at = $2 WHERE id = $1`, file, at); err != nil {
		return fmt.Errorf("saying when a file goes: %w", err)
	}
	return nil
}

func countFiles(ctx context.Context, tx *tenant.Tx, subject uuid.UUID) (n int, err error) {
	if err := tx.Get(ctx, &n, `SELECT count(*) FROM file WHERE subject_id = $1`, subject); err != nil {
		return 0, fmt.Errorf("counting files: %w", err)
	}
	return n, nil
}

func sumFiles(ctx context.Context, tx *tenant.Tx) (bytes int64, err error) {
	if err := tx.Get(ctx, &bytes, `SELECT coalesce(sum(size), 0) FROM file WHERE kind::text NOT IN ('export', 'import')`); err != nil {
		return 0, fmt.Errorf("adding up files: %w", err)
	}
	return bytes, nil
}

func selectFiles(ctx context.Context, tx *tenant.Tx, subject uuid.UUID) (files []File, err error) {
	if err := tx.Select(ctx, &files, `SELECT `+columns+` FROM file WHERE subject_id = $1 ORDER BY id`, subject); err != nil {
		return nil, fmt.Errorf("listing files: %w", err)
	}
	return files, nil
}

func selectFile(ctx context.Context, tx *tenant.Tx, file ID) (f File, err error) {
	err = tx.Get(ctx, &f, `SELECT `+columns+` FROM file WHERE id = $1`, file)
	if errors.Is(err, tenant.ErrNoRows) {
		return f, ErrNotFound
	} else if err != nil {
		return f, fmt.Errorf("reading a file: %w", err)
	}
	return f, nil
}

func selectPiece(ctx context.Context, tx *tenant.Tx, file ID, position int) (piece []byte, err error) {
	err = tx.Get(ctx, &piece, `SELECT bytes FROM file_piece WHERE file_id = $1 AND position = $2`, file, position)
	if errors.Is(err, tenant.ErrNoRows) {
		return nil, ErrNotFound
	} else if err != nil {
		return nil, fmt.Errorf("reading a piece of a file: %w", err)
	}
	return piece, nil
}

func deleteFile(ctx context.Context, tx *tenant.Tx, file ID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM file WHERE id = $1`, file); err != nil {
		return fmt.Errorf("removing a file: %w", err)
	}
	return nil
}
