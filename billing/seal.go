package billing

import "context"

// Place is where a sealed text is kept. It opens there and nowhere else.
type Place struct {
	Organization string
	Table        string
	Column       string
	Row          string
}

// Sealer keeps what must not be read from the database: gateways' keys, bank accounts, cards. It may ask over the
// network, so nobody calls it inside a transaction.
type Sealer interface {
	Seal(ctx context.Context, at Place, plain []byte) (string, error)
	Open(ctx context.Context, at Place, sealed string) ([]byte, error)
}
