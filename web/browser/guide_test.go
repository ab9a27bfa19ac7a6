//go:build guide

package browser

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// guide is the folder that the pictures go to.
var guide = flag.String("guide", "", "the folder of the guides, whose pictures are drawn anew")

// heaviest is how many bytes a picture of a guide may have: a guide is read on phones too.
const heaviest = 150_000

// The pictures of the guides, each by day and by night, of the demo's books with what else they show.
func TestPicturesOfTheGuides(t *testing.T) {
	if *guide == "" {
		t.Fatal("say where the pictures go: -args -guide ../../docs")
	}
	s := serve(t, "--demo")
	o := organization{call(t, s.home), "chinook", map[string]string{}}
	o.signIn(demoEmail, demoPassword)
	o.token = o.post(o.in("/tokens"), "name", "Pictures", "scopes", "*:read", "scopes", "*:write").find(t, `<code id="secret">([^<]+)<`)
	o.pose()
	o.press(o.in(""), "/first-steps")
	staff := call(t, s.home)
	staff.signUp("nadia@countinghouse.example", "Nadia Brandt", "nine wet otters dance", "Front Desk", "front-desk")
	codes := s.staff(t, staff, "nadia@countinghouse.example", "administrator")

	v := visitFor(t, s.home, 4*time.Minute)
	v.signIn(demoEmail, demoPassword)
	v.sees("Owed to you")
	v.drawn("overview", o.in(""))
	v.drawn("invoices", o.in("/invoices"))
	v.drawn("invoice", o.in("/invoices/"+o.ids["invoices"]))
	v.drawn("editor", o.in("/invoices/"+o.ids["drafts"]+"/edit"))
	v.drawn("report", o.in("/reports/profit-and-loss"))
	v.drawn("bank", o.in("/bank/"+o.ids["bank"]))
	v.drawn("settings", o.in("/settings/security"))
	portal := strings.Replace(s.home, "localhost", "chinook.localhost", 1)
	customer := call(t, portal)
	customer.post("/join", "token", o.find("/dev/outbox", `http://chinook\.localhost:[0-9]+/join\?token=([^"<\s]+)`), "name", "Astrid Gruber", "password", "four amber kites drifting")
	v.home = portal
	v.signIn("astrid@gruber.example", "four amber kites drifting")
	v.sees("Astrid")
	v.drawn("portal", "/")
	v.home = s.home
	v.signIn("nadia@countinghouse.example", "nine wet otters dance")
	v.fill("code", codes[0])
	v.send("code")
	v.sees("Overview")
	v.drawn("staff", "/staff/fleet")
	v.hadNoTrouble()
}

// pose adds what the pictures show and the demo has not: lines of the bank, a draft, a customer's person.
func (o organization) pose() {
	o.t.Helper()
	var accounts struct{ Items []struct{ ID, Code string } }
	o.api("GET", "/v1/accounts", nil, &accounts)
	at := slices.IndexFunc(accounts.Items, func(a struct{ ID, Code string }) bool { return a.Code == "1010" })
	o.ids["bank"] = o.made("/v1/bank-accounts", map[string]any{"account_id": accounts.Items[at].ID, "currency": "USD"})
	var customers struct{ Items []struct{ ID, Name string } }
	o.api("GET", "/v1/customers?limit=100", nil, &customers)
	for _, c := range customers.Items {
		if c.Name == "Astrid Gruber" {
			o.ids["customers"] = c.ID
		}
	}
	song := func(description, quantity, price string) map[string]any {
		return map[string]any{"description": description, "quantity": quantity, "unit_price": price, "taxes": []string{"NYC"}}
	}
	write := func(lines ...any) string {
		return o.made("/v1/invoices", map[string]any{"customer_id": o.ids["customers"], "reference": "Autumn sessions", "lines": lines})
	}
	o.ids["invoices"] = write(song("Remastering, per side", "2", "420.00"), song("Cutting of lacquers", "2", "185.00"), song("Test pressings", "5", "18.50"))
	o.api("POST", "/v1/invoices/"+o.ids["invoices"]+"/issue", nil, nil)
	o.made("/v1/payments", map[string]any{"invoice_id": o.ids["invoices"], "method": "bank_transfer", "amount": usd("600.00")})
	o.ids["drafts"] = write(song("Mixing, per track", "8", "145.00"), song("Mastering", "1", "320.00"))
	o.made("/v1/contacts", map[string]any{"customer_id": o.ids["customers"], "email": "astrid@gruber.example", "name": "Astrid Gruber",
		"rights": []string{"invoices", "pay", "order", "subscriptions", "methods", "people"}})
	day := time.Now()
	for i, line := range []struct{ memo, amount string }{
		{"TRANSFER A GRUBER AUTUMN SESSIONS", "600.00"}, {"CARD SETTLEMENT 4471", "13.86"}, {"RENT OFFICE", "-380.00"},
		{"SERVERS AND SOFTWARE", "-99.70"}, {"BANK FEES", "-12.50"}, {"COFFEE ROASTERS LTD", "-18.40"},
	} {
		o.made("/v1/bank-accounts/"+o.ids["bank"]+"/lines", map[string]any{"date": day.AddDate(0, 0, -i).Format(time.DateOnly), "memo": line.memo, "amount": usd(line.amount)})
	}
}

// drawn keeps two pictures of what a window shows of a page.
func (v *visitor) drawn(name, path string) {
	v.t.Helper()
	v.open(path)
	for _, scheme := range []string{"light", "dark"} {
		var shot []byte
		v.do("drawing "+name, emulation.SetDeviceMetricsOverride(1280, 960, 1, false),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}),
			chromedp.Evaluate(`document.fonts.ready.then(() => document.querySelectorAll(".toast").forEach(toast => toast.remove()))`, nil, awaited),
			chromedp.ActionFunc(func(ctx context.Context) (err error) {
				shot, err = page.CaptureScreenshot().Do(ctx)
				return err
			}))
		file := name + ".png"
		if scheme == "dark" {
			file = name + "-dark.png"
		}
		small := fewer(v.t, shot)
		if len(small) > heaviest {
			v.t.Errorf("%s has %d bytes", file, len(small))
		}
		if err := os.WriteFile(filepath.Join(*guide, file), small, 0o644); err != nil {
			v.t.Fatal(err)
		}
	}
}

// fewer draws a picture in the 256 colours that it has most of, and each other one in the nearest of those. A page has few, and
// shades of them where letters end.
func fewer(t *testing.T, shot []byte) []byte {
	t.Helper()
	from, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	box := from.Bounds()
	often := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA {
		c := color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)
		return color.RGBA{c.R | 3, c.G | 3, c.B | 3, 255} // so that white stays white
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			often[at(x, y)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(often), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(often[b], often[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	palette := make(color.Palette, 0, 256)
	for _, c := range colors[:min(len(colors), 256)] {
		palette = append(palette, c)
	}
	known := map[color.RGBA]uint8{}
	to := image.NewPaletted(box, palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := at(x, y)
			n, ok := known[c]
			if !ok {
				n = uint8(palette.Index(c))
				known[c] = n
			}
			to.SetColorIndex(x, y, n)
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
