package invoicepdf

import (
	"bytes"
	"image"
	_ "image/jpeg" // the two kinds of logo
	_ "image/png"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// LogoBytes and LogoSide are how large a logo may be, in bytes and in pixels a side.
const (
	LogoBytes = 512 << 10
	LogoSide  = 2000
)

// ErrLogo refuses what cannot stand on a document as its logo.
var ErrLogo = fault.New(fault.Invalid, "logo.unsuitable", "Give the logo as a PNG or JPEG of at most 512 kB and 2000 pixels a side.").At("logo")

// CheckLogo looks at the content, not at a name: PNG or JPEG, not too large. It decodes all of it, so that what is
// kept can be printed. It fails with ErrLogo.
func CheckLogo(logo []byte) error {
	if len(logo) > LogoBytes {
		return ErrLogo
	}
	size, kind, err := image.DecodeConfig(bytes.NewReader(logo))
	if err != nil || (kind != "png" && kind != "jpeg") || size.Width > LogoSide || size.Height > LogoSide || size.Width*size.Height == 0 {
		return ErrLogo
	}
	if _, _, err := image.Decode(bytes.NewReader(logo)); err != nil {
		return ErrLogo
	}
	return nil
}

func logoKind(logo []byte) string {
	if bytes.HasPrefix(logo, []byte("\x89PNG")) {
		return "PNG"
	}
	return "JPEG"
}
