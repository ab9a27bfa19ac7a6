package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// book writes XLSX: sheets whose first row stays in sight. It writes the XML itself, so that amounts go in as the
// decimals that they are, where libraries take floats; and row by row, so that a long file needs neither memory nor a
// temporary file. What lists the sheets comes last, when it is known how many there are.
type book struct {
	zip    *zip.Writer
	out    *bufio.Writer
	head   []any // of every sheet
	row    int   // of the sheet
	sheets int
	most   int // rows of a sheet
}

const (
	// maxSheetRows is what readers take at most.
	maxSheetRows = 1 << 20
	// sheetDigits is how many digits a spreadsheet keeps of a number (IEEE 754 binary64).
	sheetDigits = 15
	// firstSheetDay is the first day that all spreadsheets number alike: 1 March 1900, which is 61.
	firstSheetDay = 61
)

// The styles of cells, by their place in styles.xml. Amounts are sheetAmount and the digits of their currency.
const (
	sheetHead   = 1
	sheetDay    = 2
	sheetAmount = 3
)

const (
	xmlHead   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	sheetML   = `"http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	relations = `"http://schemas.openxmlformats.org/officeDocument/2006/relationships`
	packages  = `"http://schemas.openxmlformats.org/package/2006/relationships"`
	mediaType = `application/vnd.openxmlformats-officedocument.spreadsheetml.`
)

// part is a file of a workbook (ECMA-376, parts 1 and 2).
type part struct{ name, body string }

// closingParts are those that list the sheets.
func closingParts(sheets int) []part {
	var types, related, listed strings.Builder
	for n := 1; n <= sheets; n++ {
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="%sworksheet+xml"/>`, n, mediaType)
		fmt.Fprintf(&related, `<Relationship Id="rId%d" Type=%s/worksheet" Target="worksheets/sheet%d.xml"/>`, n, relations, n)
		fmt.Fprintf(&listed, `<sheet name="Sheet%d" sheetId="%d" r:id="rId%d"/>`, n, n, n)
	}
	return []part{
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns=` + packages + `>` + related.String() +
			fmt.Sprintf(`<Relationship Id="rId%d" Type=%s/styles" Target="styles.xml"/></Relationships>`, sheets+1, relations)},
		{"xl/workbook.xml", `<workbook xmlns=` + sheetML + ` xmlns:r=` + relations + `"><sheets>` + listed.String() + `</sheets></workbook>`},
		{"xl/styles.xml", sheetStyles()},
		{"_rels/.rels", `<Relationships xmlns=` + packages + `><Relationship Id="rId1" Type=` + relations + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="` + mediaType + `sheet.main+xml"/>` +
			`<Override PartName="/xl/styles.xml" ContentType="` + mediaType + `styles+xml"/>` + types.String() + `</Types>`},
	}
}

// sheetStyles has a style for amounts of each number of digits that ISO 4217 knows.
func sheetStyles() string {
	formats := []string{"yyyy-mm-dd"}
	for digits := range 5 {
		format := "#,##0"
		if digits > 0 {
			format += "." + strings.Repeat("0", digits)
		}
		formats = append(formats, format)
	}
	var numbers, styles strings.Builder
	for i, format := range formats {
		const ownFormats = 164 // those below are the standard's
		fmt.Fprintf(&numbers, `<numFmt numFmtId="%d" formatCode="%s"/>`, ownFormats+i, format)
		fmt.Fprintf(&styles, `<xf numFmtId="%d" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>`, ownFormats+i)
	}
	return `<styleSheet xmlns=` + sheetML + `>` + fmt.Sprintf(`<numFmts count="%d">%s</numFmts>`, len(formats), numbers.String()) +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		fmt.Sprintf(`<cellXfs count="%d">`, len(formats)+2) +
		`<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>` +
		styles.String() + `</cellXfs></styleSheet>`
}

func newBook(w io.Writer) (*book, error) {
	g := &book{zip: zip.NewWriter(w), most: maxSheetRows}
	return g, g.begin()
}

// begin opens the next sheet.
func (g *book) begin() error {
	g.sheets++
	g.row = 0
	out, err := g.zip.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", g.sheets))
	if err != nil {
		return writingSheet(err)
	}
	g.out = bufio.NewWriter(out)
	_, err = g.out.WriteString(xmlHead + `<worksheet xmlns=` + sheetML + `><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>` +
		`<cols><col min="1" max="30" width="16" customWidth="1"/></cols><sheetData>`)
	return writingSheet(err)
}

// end closes the sheet.
func (g *book) end() error {
	if _, err := g.out.WriteString("</sheetData></worksheet>"); err != nil {
		return writingSheet(err)
	}
	return writingSheet(g.out.Flush())
}

// Row goes on in another sheet, under the same head, where one is full.
func (g *book) Row(cells ...any) error {
	if g.head == nil {
		g.head = slices.Clone(cells)
	} else if g.row == g.most {
		if err := errors.Join(g.end(), g.begin()); err != nil {
			return err
		}
		if err := g.write(g.head); err != nil {
			return err
		}
	}
	return g.write(cells)
}

func (g *book) write(cells []any) error {
	g.row++
	fmt.Fprintf(g.out, `<row r="%d">`, g.row)
	for i, cell := range cells {
		if cell != nil {
			g.cell(sheetColumn(i)+strconv.Itoa(g.row), cell)
		}
	}
	_, err := g.out.WriteString("</row>") // it remembers what went wrong before
	return writingSheet(err)
}

func (g *book) cell(at string, cell any) {
	switch c := cell.(type) {
	case money.Amount:
		if c.Decimal().NumDigits() > sheetDigits { // as a number it would be rounded
			g.text(at, c.String())
			return
		}
		fmt.Fprintf(g.out, `<c r="%s" s="%d"><v>%s</v></c>`, at, sheetAmount+c.Currency.Digits(), c.String())
	case civil.Date:
		day := civil.On(1899, 12, 30).DaysUntil(c)
		if c.IsZero() || day < firstSheetDay {
			g.text(at, c.String())
			return
		}
		fmt.Fprintf(g.out, `<c r="%s" s="%d"><v>%d</v></c>`, at, sheetDay, day)
	case decimal.Decimal:
		if c.NumDigits() > sheetDigits {
			g.text(at, c.String())
			return
		}
		fmt.Fprintf(g.out, `<c r="%s"><v>%s</v></c>`, at, c.String())
	case int:
		fmt.Fprintf(g.out, `<c r="%s"><v>%d</v></c>`, at, c)
	default:
		g.text(at, fmt.Sprint(c))
	}
}

// text writes a cell of text, which no spreadsheet takes for a formula.
func (g *book) text(at, text string) {
	if text == "" {
		return
	}
	style := 0
	if g.row == 1 {
		style = sheetHead
	}
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(text)); err != nil {
		panic(err) // a buffer takes everything
	}
	fmt.Fprintf(g.out, `<c r="%s" s="%d" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, at, style, escaped.Bytes())
}

// sheetColumn names a column from 0 on: A to Z, then AA.
func sheetColumn(i int) string {
	name := string(rune('A' + i%26))
	if i >= 26 {
		name = sheetColumn(i/26-1) + name
	}
	return name
}

// Close lists the sheets. The file is whole with it alone.
func (g *book) Close() error {
	if err := g.end(); err != nil {
		return err
	}
	for _, p := range closingParts(g.sheets) {
		out, err := g.zip.Create(p.name)
		if err != nil {
			return writingSheet(err)
		}
		if _, err := io.WriteString(out, xmlHead+p.body); err != nil {
			return writingSheet(err)
		}
	}
	return writingSheet(g.zip.Close())
}

func writingSheet(err error) error {
	if err != nil {
		return fmt.Errorf("writing XLSX: %w", err)
	}
	return nil
}
