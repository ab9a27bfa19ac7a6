package secrets

import (
	"fmt"
	"io"
	"log/slog"
)

const hidden = "[secret]"

// Secret is plaintext that does not show itself when it is printed, logged or written as JSON or text by
// mistake. It converts to and from []byte freely.
type Secret []byte

// Format hides the bytes from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) {
	// fmt gives no way to report a failed write from here; its own printers ignore one as well.
	_, _ = io.WriteString(f, hidden)
}

// LogValue hides the bytes from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the bytes from encoders, JSON and XML among them.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

func checkLength(plaintext []byte) error {
	if len(plaintext) == 0 || len(plaintext) > MaxLength {
		return ErrLength
	}
	return nil
}
