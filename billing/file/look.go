package file

import (
	"archive/zip"
	"bytes"
	"errors"
	"image"
	_ "image/jpeg" // what a picture may be
	_ "image/png"
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/countinghouse/countinghouse/internal/text"
)

const nameLength = 120

// format is one kind of content, and the endings of names that go with it. The first is the usual one.
type format struct {
	mediaType string
	endings   []string
}

var (
	pdf  = format{"application/pdf", []string{".pdf"}}
	png  = format{"image/png", []string{".png"}}
	jpeg = format{"image/jpeg", []string{".jpg", ".jpeg"}}
	webp = format{"image/webp", []string{".webp"}}
	docx = format{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", []string{".docx"}}
	xlsx = format{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", []string{".xlsx"}}
	odt  = format{"application/vnd.oasis.opendocument.text", []string{".odt"}}
	ods  = format{"application/vnd.oasis.opendocument.spreadsheet", []string{".ods"}}
	csv  = format{"text/csv", []string{".csv"}}
	txt  = format{"text/plain", []string{".txt", ".csv"}}
)

// Look says what a file is by its content, and how it is to be called. It fails with ErrEmpty, ErrTooLarge, ErrName, ErrKind for
// what is not kept, and ErrNamed where name and content disagree.
func Look(name string, body []byte) (kept, mediaType string, err error) {
	switch {
	case len(body) == 0:
		return "", "", ErrEmpty
	case len(body) > MaxBytes:
		return "", "", ErrTooLarge
	}
	if kept, err = cleanName(name); err != nil {
		return "", "", err
	}
	f, ok := formatOf(body)
	if !ok {
		return "", "", ErrKind
	}
	ending := strings.ToLower(path.Ext(kept))
	if !slices.Contains(f.endings, ending) {
		return "", "", ErrNamed
	}
	if f.mediaType == txt.mediaType && ending == ".csv" {
		f = csv
	}
	return kept, f.mediaType, nil
}

// cleanName takes the folders off a name, and the characters that nobody sees or that turn the direction of what
// follows: with those, "exe.pdf" can be read as "fdp.exe".
func cleanName(name string) (string, error) {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name)
	name, err := text.Required("name", name, nameLength)
	if err != nil || strings.HasPrefix(name, ".") || path.Ext(name) == "" {
		return "", ErrName
	}
	return name, nil
}

func formatOf(body []byte) (format, bool) {
	switch {
	case bytes.HasPrefix(body, []byte("%PDF-")):
		return pdf, true
	case bytes.HasPrefix(body, []byte("\x89PNG\r\n\x1a\n")):
		return png, isPicture(body, "png")
	case bytes.HasPrefix(body, []byte("\xff\xd8\xff")):
		return jpeg, isPicture(body, "jpeg")
	case len(body) > 12 && string(body[:4]) == "RIFF" && string(body[8:12]) == "WEBP":
		return webp, true
	case bytes.HasPrefix(body, []byte("PK\x03\x04")):
		return office(body)
	}
	return txt, isText(body)
}

// isPicture reads what every viewer reads first: a picture that is none does not get in under its first bytes.
func isPicture(body []byte, kind string) bool {
	_, found, err := image.DecodeConfig(bytes.NewReader(body))
	return err == nil && found == kind
}

// office looks into an archive for what makes it a document (ECMA-376 part 2; OpenDocument 1.3 part 2, 3.3). One with macros
// is none of those.
func office(body []byte) (format, bool) {
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil || len(archive.File) > 5000 {
		return format{}, false
	}
	var found format
	typed := false
	for _, entry := range archive.File {
		switch {
		case strings.HasSuffix(strings.ToLower(entry.Name), "vbaproject.bin"):
			return format{}, false
		case entry.Name == "[Content_Types].xml":
			typed = true
		case entry.Name == "word/document.xml":
			found = docx
		case entry.Name == "xl/workbook.xml":
			found = xlsx
		case entry.Name == "mimetype":
			f, ok := openDocument(entry)
			return f, ok
		}
	}
	return found, typed && found.mediaType != ""
}

func openDocument(entry *zip.File) (format, bool) {
	r, err := entry.Open()
	if err != nil {
		return format{}, false
	}
	said, err := io.ReadAll(io.LimitReader(r, 200))
	if err = errors.Join(err, r.Close()); err != nil {
		return format{}, false
	}
	for _, f := range []format{odt, ods} {
		if string(said) == f.mediaType {
			return f, true
		}
	}
	return format{}, false
}

// isText says whether this is plain text, and not a page or a picture that a browser would run.
func isText(body []byte) bool {
	if !utf8.Valid(body) {
		return false
	}
	for _, r := range string(body) {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
	}
	start := strings.TrimLeft(strings.TrimPrefix(string(body[:min(len(body), 512)]), "\ufeff"), " \t\r\n")
	return !strings.HasPrefix(start, "<")
}
