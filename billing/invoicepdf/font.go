package invoicepdf

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"sync"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// See fonts/LICENSES.md.
//
//go:embed fonts/*.ttf.gz
var fontFiles embed.FS

// face is one font that travels with the program. It is unpacked when a text first needs it.
type face struct {
	name string // as the PDF names it; fpdf joins the weight to it
	bold bool
	load func() (loaded, error)
}

type loaded struct {
	bytes []byte
	font  *sfnt.Font // safe to ask from many goroutines
}

func newFace(name string, bold bool, file string) *face {
	return &face{name, bold, sync.OnceValues(func() (loaded, error) {
		packed, err := fontFiles.ReadFile("fonts/" + file + ".ttf.gz")
		if err != nil {
			return loaded{}, fmt.Errorf("reading the font %s: %w", file, err)
		}
		reader, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return loaded{}, fmt.Errorf("unpacking the font %s: %w", file, err)
		}
		all, err := io.ReadAll(reader)
		if err != nil {
			return loaded{}, fmt.Errorf("unpacking the font %s: %w", file, err)
		}
		font, err := sfnt.Parse(all)
		if err != nil {
			return loaded{}, fmt.Errorf("reading the font %s: %w", file, err)
		}
		return loaded{all, font}, nil
	})}
}

// Noto Sans has Latin, Greek and Cyrillic; Droid Sans Fallback the characters of Chinese and Japanese; Nanum Gothic
// those of Korean.
var (
	western     = newFace("western", false, "NotoSans-Regular")
	westernBold = newFace("western", true, "NotoSans-Bold")
	eastern     = newFace("eastern", false, "DroidSansFallbackFull")
	korean      = newFace("korean", false, "NanumGothic")
)

// has tells whether a face can write a character. The PDF names characters by 16 bits.
func (f *face) has(r rune) (bool, error) {
	l, err := f.load()
	if err != nil || r > 0xffff {
		return false, err
	}
	var buffer sfnt.Buffer
	glyph, err := l.font.GlyphIndex(&buffer, r)
	return err == nil && glyph != 0, nil
}

// run is a piece of text that one face can write.
type run struct {
	face *face
	text string
}

// missing stands for a character that no face has.
const missing = '□'

// runsOf cuts a text by the faces that have its characters. What is written with combining marks is composed first,
// since a font places a mark by itself badly; characters that nobody sees, and those that turn the direction of what
// follows, are left out.
func runsOf(text string, bold bool) ([]run, error) {
	var all []run
	for _, r := range norm.NFC.String(text) {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || unicode.Is(unicode.Variation_Selector, r) {
			continue
		}
		var before *face
		if len(all) > 0 {
			before = all[len(all)-1].face
		}
		at, err := faceFor(r, before, bold)
		if err != nil {
			return nil, err
		}
		if at == nil {
			r, at = missing, eastern
		}
		if at != before {
			all = append(all, run{face: at})
		}
		all[len(all)-1].text += string(r)
	}
	return all, nil
}

// faceFor is the face that writes a character after others; nil when none has it.
func faceFor(r rune, before *face, bold bool) (*face, error) {
	if r == ' ' && before != nil { // a space between two words of a script stays with them
		return before, nil
	}
	first := western
	if bold {
		first = westernBold
	}
	faces := []*face{first, eastern, korean}
	if unicode.Is(unicode.Hangul, r) {
		faces = []*face{korean}
	}
	for _, f := range faces {
		if found, err := f.has(r); found || err != nil {
			return f, err
		}
	}
	return nil, nil
}
