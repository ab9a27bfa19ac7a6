package invoicepdf

import (
	"math"
	"strconv"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrColour refuses what is not a colour, or one too light to read on paper.
var ErrColour = fault.New(fault.Invalid, "colour.malformed", "Give a colour as # and six hexadecimal digits, dark enough to be read on white, such as #1f5e4a.").At("colour")

type colour struct{ r, g, b int }

var (
	ink   = colour{24, 29, 27}
	quiet = colour{92, 101, 97}
	green = colour{31, 94, 74}

	hairline = colour{214, 220, 217}
)

// CheckColour tells whether a document's heading may have this colour: "" or "#rrggbb" with a contrast of 4.5 to 1
// at least on white (WCAG 2.2, 1.4.3). It fails with ErrColour.
func CheckColour(s string) error {
	_, err := parseColour(s)
	return err
}

func parseColour(s string) (colour, error) {
	if s == "" {
		return green, nil
	}
	if len(s) != 7 || s[0] != '#' {
		return colour{}, ErrColour
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return colour{}, ErrColour
	}
	c := colour{int(n >> 16), int(n >> 8 & 255), int(n & 255)}
	if 1.05/(c.luminance()+0.05) < 4.5 {
		return colour{}, ErrColour
	}
	return c, nil
}

// luminance is the relative luminance of WCAG 2.2, from 0 to 1.
func (c colour) luminance() float64 {
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// linear undoes the curve of sRGB for one channel.
func linear(channel int) float64 {
	v := float64(channel) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
