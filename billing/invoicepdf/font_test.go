package invoicepdf

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/locale"
)

// Every document draws with the same fonts, many at once: none may leave them other than they were.
func TestFontsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	faces := []*face{western, westernBold, eastern, korean}
	digests := func() (all [][32]byte) {
		for _, f := range faces {
			l, err := f.load()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, sha256.Sum256(l.bytes))
		}
		return all
	}
	before := digests()
	var out bytes.Buffer
	d := Document{Kind: Invoice, Language: locale.English, Number: "INV-0001", Currency: money.MustCurrency("EUR"),
		Issuer: Party{Name: "Tidewater Studios"}, Customer: Party{Name: "株式会社 青空商店, 서울특별시"}}
	if err := Write(&out, d); err != nil {
		t.Fatal(err)
	}
	for i, digest := range digests() {
		if digest != before[i] {
			t.Errorf("drawing changed the font %s, bold %t", faces[i].name, faces[i].bold)
		}
	}
}
