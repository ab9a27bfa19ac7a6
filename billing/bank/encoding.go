package bank

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// declared finds the encoding that a file says of itself: CHARSET:1252 of OFX 1, encoding="..." of XML.
var declared = regexp.MustCompile(`(?i)(?:CHARSET:\s*|encoding=["'])([A-Za-z0-9._-]{1,40})`)

// decode gives a file as UTF-8. A mark at its beginning is believed; then what is valid UTF-8 is UTF-8, whatever it says
// of itself, since no other text is by chance; then what it says of itself; and last the code page that most banks'
// programs write.
func decode(name string, content []byte) (string, error) {
	var from encoding.Encoding
	head := content[:min(len(content), 1024)]
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")):
		from = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	case len(content) > 3 && content[0] != 0 && content[1] == 0:
		from = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case len(content) > 3 && content[0] == 0 && content[1] != 0:
		from = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case utf8.Valid(content):
		return checkText(name, strings.TrimPrefix(string(content), "\ufeff"))
	default:
		from = charmap.Windows1252
		if said := declared.FindSubmatch(head); said != nil {
			if known, err := htmlindex.Get(charsetName(string(said[1]))); err == nil && known != unicode.UTF8 {
				from = known
			}
		}
	}
	text, err := from.NewDecoder().Bytes(content)
	if err != nil {
		return "", ErrEncoding.Because(err)
	}
	return checkText(name, strings.TrimPrefix(string(text), "\ufeff"))
}

// charsetName is the name that the rest of the world has for what OFX writes as a number.
func charsetName(s string) string {
	if strings.Trim(s, "0123456789") == "" {
		return "windows-" + s
	}
	if strings.HasPrefix(s, "8859-") {
		return "iso-" + s
	}
	return s
}

func checkText(name, text string) (string, error) {
	if at := strings.IndexByte(text, 0); at >= 0 {
		line, column := place(text, at)
		return "", refuse(name, line, column, "There is a NUL character, which no text has. Fetch the file from the bank again.")
	}
	return text, nil
}

// place counts lines and columns from 1; a column is a character.
func place(text string, at int) (line, column int) {
	before := text[:min(at, len(text))]
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// Text gives a file as UTF-8 text, whatever it is written in. It fails as Read does for what is no text.
func Text(name string, content []byte) (string, error) { return readText(name, content) }
