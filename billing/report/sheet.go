package report

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// sheetGrid writes XLSX: one sheet whose first row stays in sight. It writes the XML itself, so that amounts go in as the
// decimals that they are, where libraries take floats; and row by row, so that a long report needs neither memory nor a
// temporary file.
type sheetGrid struct {
	zip *zip.Writer
	out *bufio.Writer
	row int
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

// sheetParts are the files of a workbook but for the sheet itself (ECMA-376, parts 1 and 2).
var sheetParts = [][2]string{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + mediaType + `sheet.main+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="` + mediaType + `styles+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + mediaType + `worksheet+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns=` + packages + `><Relationship Id="rId1" Type=` + relations + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns=` + packages + `><Relationship Id="rId1" Type=` + relations + `/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type=` + relations + `/styles" Target="styles.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns=` + sheetML + ` xmlns:r=` + relations + `"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/styles.xml", sheetStyles()},
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

func newSheetGrid(w io.Writer) (*sheetGrid, error) {
	g := &sheetGrid{zip: zip.NewWriter(w)}
	for _, part := range sheetParts {
		out, err := g.zip.Create(part[0])
		if err != nil {
			return nil, writingSheet(err)
		}
		if _, err := io.WriteString(out, xmlHead+part[1]); err != nil {
			return nil, writingSheet(err)
		}
	}
	out, err := g.zip.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, writingSheet(err)
	}
	g.out = bufio.NewWriter(out)
	_, err = g.out.WriteString(xmlHead + `<worksheet xmlns=` + sheetML + `><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>` +
		`<cols><col min="1" max="30" width="16" customWidth="1"/></cols><sheetData>`)
	return g, writingSheet(err)
}

func (g *sheetGrid) Row(cells ...any) error {
	if g.row++; g.row > maxSheetRows {
		return ErrTooManyRows
	}
	fmt.Fprintf(g.out, `<row r="%d">`, g.row)
	for i, cell := range cells {
		if cell != nil {
			g.cell(fmt.Sprintf("%s%d", sheetColumn(i), g.row), cell)
		}
	}
	_, err := g.out.WriteString("</row>") // it remembers what went wrong before
	return writingSheet(err)
}

func (g *sheetGrid) cell(at string, cell any) {
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
	case int:
		fmt.Fprintf(g.out, `<c r="%s"><v>%d</v></c>`, at, c)
	default:
		g.text(at, fmt.Sprint(c))
	}
}

// text writes a cell of text, which no spreadsheet takes for a formula.
func (g *sheetGrid) text(at, text string) {
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

func (g *sheetGrid) Close() error {
	if _, err := g.out.WriteString("</sheetData></worksheet>"); err != nil {
		return writingSheet(err)
	}
	if err := g.out.Flush(); err != nil {
		return writingSheet(err)
	}
	return writingSheet(g.zip.Close())
}

func writingSheet(err error) error {
	if err != nil {
		return fmt.Errorf("writing XLSX: %w", err)
	}
	return nil
}
