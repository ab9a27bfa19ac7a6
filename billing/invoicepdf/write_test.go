package invoicepdf_test

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/locale"
)

var update = flag.Bool("update", false, "write the golden files anew")

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func cents(currency string, minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: money.MustCurrency(currency)}
}

// invoice is one over 2 × 1,234.50 and 0.333 × 19.99 less a tenth, in Quebec: 2469.00 + 5.99 = 2474.99; GST
// 123.45 + 0.30 = 123.75; QST 246.28 + 0.60 = 246.88; together 2845.62.
func invoice() invoicepdf.Document {
	return invoicepdf.Document{
		Kind: invoicepdf.Invoice, Language: locale.English, Number: "INV-0042",
		Issuer: invoicepdf.Party{Name: "Atelier du Nord", Address: []string{"12 rue Saint-Paul", "Montréal QC H2Y 1G7", "Canada"},
			Country: "CA", Numbers: []invoicepdf.Number{{Label: "GST", Value: "12345 6789 RT0001"}, {Label: "QST", Value: "1234567890 TQ0001"}}},
		Customer:  invoicepdf.Party{Name: "Brouwerij De Dageraad", Address: []string{"Kade 7", "1012 AB Amsterdam", "Netherlands"}},
		IssueDate: civil.On(2026, time.November, 21), DueDate: civil.On(2026, time.December, 21),
		Reference: "Spring", PurchaseOrder: "PO 4711", Currency: money.MustCurrency("CAD"),
		Lines: []invoicepdf.Line{
			{Description: "Copper kettle", Quantity: dec("2.000000"), UnitPrice: dec("1234.500000"), DiscountPercent: dec("0"), Taxes: []string{"GST", "QST"}, Net: cents("CAD", 246900)},
			{Description: "Hops", Quantity: dec("0.333"), UnitPrice: dec("19.99"), DiscountPercent: dec("10"), Taxes: []string{"GST", "QST"}, Net: cents("CAD", 599)},
		},
		Taxes: []invoicepdf.Tax{
			{Code: "GST", Name: "GST", Percent: dec("5"), Base: cents("CAD", 247499), Amount: cents("CAD", 12375)},
			{Code: "QST", Name: "QST", Percent: dec("9.975"), Base: cents("CAD", 247499), Amount: cents("CAD", 24688)},
		},
		Net: cents("CAD", 247499), Tax: cents("CAD", 37063), Total: cents("CAD", 284562),
		Settled: cents("CAD", 84562), Open: cents("CAD", 200000),
		Note: "Thank you.", PayTo: "Transfer to NL91 ABNA 0417 1643 00", PayLink: "https://pay.example/x",
		Written: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
	}
}

func write(t *testing.T, d invoicepdf.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := invoicepdf.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// textOf is what a reader that is not ours finds in a PDF.
func textOf(t *testing.T, pdf []byte) string {
	t.Helper()
	cmd := exec.Command("pdftotext", "-layout", "-enc", "UTF-8", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("reading a PDF: %v", err)
	}
	return string(text)
}

func TestWriteGolden(t *testing.T) {
	t.Parallel()
	french := invoice()
	french.Language, french.Note, french.PricesWithTax = locale.French, "Merci.", true
	french.Discount = cents("CAD", 1000)
	credit := invoice()
	credit.Kind, credit.Number, credit.Credits, credit.Settled = invoicepdf.CreditNote, "CN-0003", "INV-0042", cents("CAD", 0)
	credit.DueDate, credit.PayTo, credit.PayLink = civil.Date{}, "", ""
	draft := invoice()
	draft.Number = ""
	void := invoice()
	void.Void = true
	scripts := invoice()
	scripts.Currency = money.MustCurrency("JPY")
	scripts.Issuer = invoicepdf.Party{Name: "Καφενείο Ωμέγα", Address: []string{"Αθήνα", "Кафе «Ёжик», Київ"}}
	scripts.Customer = invoicepdf.Party{Name: "株式会社 青空商店 (Aozora)", Address: []string{"東京都千代田区丸の内一丁目", "서울특별시 중구", "北京市朝阳区建国路", "Łódź, Đà Nẵng, Ærøskøbing, I\u0307zmir"}}
	scripts.Lines = []invoicepdf.Line{{Description: "緑茶の詰め合わせと湯呑みの贈り物セットを毎月一回お届けします、送料は無料です。", Quantity: dec("3"), UnitPrice: dec("333"), DiscountPercent: dec("0"), Net: cents("JPY", 999)}}
	scripts.Taxes, scripts.Net, scripts.Tax, scripts.Total = nil, cents("JPY", 999), cents("JPY", 0), cents("JPY", 999)
	scripts.Settled, scripts.Open = cents("JPY", 0), cents("JPY", 999)
	for name, d := range map[string]invoicepdf.Document{
		"invoice": invoice(), "french": french, "credit-note": credit, "draft": draft, "void": void, "scripts": scripts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := textOf(t, write(t, d))
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if words(got) != words(string(want)) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// words leaves out how many spaces a reader guesses between two columns.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestSameDocumentSameBytes(t *testing.T) {
	t.Parallel()
	first := write(t, invoice())
	for range 3 {
		if !bytes.Equal(first, write(t, invoice())) {
			t.Fatal("the same document gave other bytes")
		}
	}
	if !bytes.HasPrefix(first, []byte("%PDF-")) {
		t.Error("not a PDF")
	}
}

func TestLongDocumentRepeatsItsHead(t *testing.T) {
	t.Parallel()
	d := invoice()
	for range 120 {
		d.Lines = append(d.Lines, d.Lines[0])
	}
	d.Lines[40].Description = strings.Repeat("Ein-sehr-langes-Wort", 60) + " " + strings.Repeat("x", 400)
	text := textOf(t, write(t, d))
	pages := strings.Split(strings.TrimRight(text, "\f\n"), "\f")
	if len(pages) < 4 {
		t.Fatalf("%d pages", len(pages))
	}
	for i, page := range pages {
		if !strings.Contains(page, "Unit price") && i < len(pages)-1 {
			t.Errorf("page %d has no head of its table", i+1)
		}
	}
	if got := strings.Count(text, "Copper kettle"); got != 120 {
		t.Errorf("%d of 120 lines", got)
	}
	if got := strings.Count(strings.Join(strings.Fields(text), ""), "x"); got < 400 {
		t.Errorf("a long word lost letters: %d of 400", got)
	}
	if !strings.Contains(pages[len(pages)-1], "2,845.62") {
		t.Error("the total is not on the last page")
	}
}

func TestHostileText(t *testing.T) {
	t.Parallel()
	d := invoice()
	d.Customer.Name = "Eve \\) Tj ET (\u202etxt.exe \U0001F600 e\u0301"
	d.Note = strings.Repeat("(", 50) + "{nb}\n\n" + strings.Repeat("\\", 50)
	text := textOf(t, write(t, d))
	for _, want := range []string{`Eve \) Tj ET (txt.exe □ é`, strings.Repeat("(", 50), strings.Repeat(`\`, 50)} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestLogo(t *testing.T) {
	t.Parallel()
	picture := image.NewRGBA(image.Rect(0, 0, 40, 10))
	picture.Set(3, 3, color.RGBA{200, 10, 10, 255})
	var asPNG, asJPEG bytes.Buffer
	if err := png.Encode(&asPNG, picture); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&asJPEG, picture, nil); err != nil {
		t.Fatal(err)
	}
	plain := len(write(t, invoice()))
	for name, logo := range map[string][]byte{"png": asPNG.Bytes(), "jpeg": asJPEG.Bytes()} {
		d := invoice()
		d.Logo = logo
		pdf := write(t, d)
		if !bytes.Contains(pdf, []byte("/Subtype /Image")) || len(pdf) <= plain {
			t.Errorf("%s: no picture in the PDF", name)
		}
	}
	wide := image.NewGray(image.Rect(0, 0, 2001, 1))
	var tooWide bytes.Buffer
	if err := png.Encode(&tooWide, wide); err != nil {
		t.Fatal(err)
	}
	for name, logo := range map[string][]byte{
		"text": []byte("<svg/>"), "cut off": asPNG.Bytes()[:len(asPNG.Bytes())-20], "too wide": tooWide.Bytes(), "empty": {},
		"too large": append(asJPEG.Bytes(), make([]byte, invoicepdf.LogoBytes)...),
	} {
		d := invoice()
		d.Logo = logo
		if err := invoicepdf.Write(&bytes.Buffer{}, d); err == nil {
			t.Errorf("%s: printed", name)
		}
	}
}

func TestColour(t *testing.T) {
	t.Parallel()
	for s, good := range map[string]bool{
		"": true, "#1f5e4a": true, "#000000": true, "#767676": true, // 4.54 to 1
		"#777777": false, // 4.48 to 1
		"#ffffff": false, "#ff0": false, "red": false, "#12345g": false, "#+12345": false, "1f5e4a0": false,
	} {
		if err := invoicepdf.CheckColour(s); (err == nil) != good {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzWrite(f *testing.F) {
	f.Add("名前", "note\nwith lines", "#1f5e4a")
	f.Add("\x00\xff", strings.Repeat("long ", 300), "")
	f.Fuzz(func(t *testing.T, name, note, colour string) {
		d := invoice()
		d.Customer.Name, d.Lines[0].Description, d.Note, d.Reference = name, note, note, name
		if invoicepdf.CheckColour(colour) == nil {
			d.Colour = colour
		}
		if err := invoicepdf.Write(&bytes.Buffer{}, d); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	d := invoice()
	for b.Loop() {
		if err := invoicepdf.Write(&bytes.Buffer{}, d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteEastern(b *testing.B) {
	d := invoice()
	d.Customer.Name = "株式会社"
	for b.Loop() {
		if err := invoicepdf.Write(&bytes.Buffer{}, d); err != nil {
			b.Fatal(err)
		}
	}
}
