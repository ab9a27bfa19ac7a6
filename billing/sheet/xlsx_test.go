package sheet

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/xuri/excelize/v2"
)

// A table that is longer than a sheet goes on in another, under the same head, and nothing in it is a formula.
func TestBook_goes_on_in_another_sheet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	g, err := newBook(&out)
	if err != nil {
		t.Fatal(err)
	}
	g.most = 4
	for i := range 8 {
		text := fmt.Sprintf("=%d+1", i)
		if i == 0 {
			text = "head"
		}
		if err := g.Row(text, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	seen := ""
	for _, name := range book.GetSheetList() {
		rows, err := book.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		seen += name + ":"
		for n, row := range rows {
			seen += " " + row[0]
			if formula, err := book.GetCellFormula(name, fmt.Sprintf("A%d", n+1)); err != nil || formula != "" {
				t.Errorf("%s A%d is the formula %q: %v", name, n+1, formula, err)
			}
		}
		seen += "; "
	}
	if want := "Sheet1: head =1+1 =2+1 =3+1; Sheet2: head =4+1 =5+1 =6+1; Sheet3: head =7+1; "; seen != want {
		t.Errorf("the sheets have %s", seen)
	}
}

func TestPlain_gives_back_what_Harmless_took(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "a", "=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "'", "'=1", "''=1", "'a", "a=1"} {
		if got := Harmless(s); Plain(got) != s || got != "" && bytes.IndexByte([]byte("=+-@\t\r\n"), got[0]) >= 0 {
			t.Errorf("%q becomes %q, and that %q", s, got, Plain(got))
		}
	}
}
