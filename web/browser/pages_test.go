//go:build pages

package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// stop is a page to look at.
type stop struct {
	path, name string
	status     int
}

// pattern is an entry of the router's list.
type pattern struct {
	path string
	is   *regexp.Regexp
}

// routed asks the program for the pages that it knows: those of its own host, and those of an organization's.
func routed(t *testing.T, home string) (members, customers []pattern) {
	t.Helper()
	own, hosts, found := strings.Cut(call(t, home).get("/dev/routes").body, "\n\n")
	if !found {
		t.Fatal("the list of routes is of one part")
	}
	return patterns(own), patterns(hosts)
}

// files are no pages: they come to be kept, or for programs.
var files = regexp.MustCompile(`^/v1/|^/static/|^/dev/routes|\.(csv|json|jsonl|xlsx|pdf|zip|txt|ico|png|css|journal|beancount|hledger)$|^/(livez|readyz|logo|captcha)$|/pdf$|/file$|/:file$|/logo$|/session/left|/deeds$|/fresh$`)

func patterns(list string) (all []pattern) {
	for l := range strings.Lines(list) {
		words := strings.Fields(l)
		if len(words) == 3 && words[0] == "GET" && !files.MatchString(words[1]) {
			is := regexp.MustCompile(`:[a-z]+`).ReplaceAllString(regexp.QuoteMeta(words[1]), `[^/]+`)
			all = append(all, pattern{words[1], regexp.MustCompile(`^` + is + `$`)})
		}
	}
	return all
}

// reader finds one address of each page, by the list of the router, what is known of the things there, and links.
type reader struct {
	*caller
	patterns []pattern
	ids      map[string]string
	slug     string
	found    map[string]stop // by pattern
	tried    map[string]int
	queue    []string
	weights  *scale
}

// fill puts known ids into a pattern; ok is false where one is not known.
func (r *reader) fill(path string) (_ string, ok bool) {
	parts := strings.Split(path, "/")
	kind := ""
	for i, part := range parts {
		switch {
		case part == ":slug" && kind == "o":
			parts[i] = r.slug
		case strings.HasPrefix(part, ":"):
			if parts[i] = r.ids[kind]; parts[i] == "" {
				return "", false
			}
		default:
			kind = part
		}
	}
	return strings.Join(parts, "/"), true
}

var linkTo = regexp.MustCompile(`(?:href|hx-get)="(/[^"#]*)`)

// read goes to all that is known and to what is linked there, three of a kind at most.
func (r *reader) read() {
	r.t.Helper()
	r.found, r.tried = map[string]stop{}, map[string]int{}
	for _, p := range r.patterns {
		if path, ok := r.fill(p.path); ok {
			r.queue = append(r.queue, path)
		}
	}
	seen := map[string]bool{}
	for len(r.queue) > 0 {
		path := strings.ReplaceAll(r.queue[0], "&amp;", "&")
		r.queue = r.queue[1:]
		bare, _, _ := strings.Cut(path, "?")
		at := slices.IndexFunc(r.patterns, func(p pattern) bool { return p.is.MatchString(bare) })
		if seen[path] || at < 0 || r.tried[r.patterns[at].path] == 3 {
			continue
		}
		seen[path] = true
		r.tried[r.patterns[at].path]++
		a := r.get(path)
		if a.status >= 500 {
			r.t.Errorf("%s: %d", path, a.status)
		}
		if to := a.header.Get("Location"); strings.HasPrefix(to, "/") {
			r.queue = append(r.queue, to)
		}
		if a.status != 200 || !strings.HasPrefix(a.body, "<!doctype html>") { // a part of a page is none
			continue
		}
		if _, known := r.found[r.patterns[at].path]; !known {
			r.found[r.patterns[at].path] = stop{path, r.patterns[at].path, 200}
			r.weights.put(r, path, a.body)
		}
		for _, link := range linkTo.FindAllStringSubmatch(a.body, -1) {
			r.queue = append(r.queue, link[1])
		}
	}
}

// stops are what was found, in the order of the list.
func (r *reader) stops() (all []stop) {
	for _, p := range r.patterns {
		if s, ok := r.found[p.path]; ok {
			all = append(all, s)
		}
	}
	return all
}

// axe runs the checks of WCAG 2.2 AA, or some of them, and gives what it finds as words.
const axe = `(async () => {
	const found = await axe.run(document, { %s, resultTypes: ["violations"], iframes: false, preload: false });
	return found.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 4).map(n =>
		n.target.join(" ") + " (" + [...n.any, ...n.all, ...n.none].map(c => c.message).join(" ") + ")").join("; "));
})()`

// The size of targets is asked for on a phone, where they are closest and no bar sticks above them.
const (
	everyRule = `runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }, rules: { "target-size": { enabled: false } }`
	colours   = `runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] }`
	narrow    = `runOnly: { type: "rule", values: ["target-size"] }`
)

// wide names what makes a page wider than its window; empty where nothing does.
const wide = `(() => {
	if (document.documentElement.scrollWidth <= innerWidth) return "";
	const out = [...document.querySelectorAll("main *, header *, nav *, footer *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1);
	return document.documentElement.scrollWidth + " px: " + out.slice(0, 4).map(e => e.tagName.toLowerCase() + "." + e.className).join(" ");
})()`

// look goes to a page and fails for what axe finds, for a page that is wider than its window, and for a console that
// is not silent; it keeps two pictures.
func (v *visitor) look(s stop, source string) {
	v.t.Helper()
	v.mu.Lock()
	v.at = s.name
	v.mu.Unlock()
	err := errors.Join(v.paint("light"),
		v.try(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(v.home+s.path), chromedp.Evaluate(source, nil)),
		v.check(s, "1280 px, light", everyRule), v.keep(s, "1280-light"),
		v.paint("dark"), v.check(s, "1280 px, dark", colours),
		v.try(chromedp.EmulateViewport(360, 780)), v.check(s, "360 px, dark", narrow), v.keep(s, "360-dark"),
		v.try(chromedp.EmulateViewport(2560, 1200)), v.fits(s, "2560 px"))
	if err != nil {
		v.t.Errorf("%s: %v", s.path, err)
	}
}

// try does what one need not wait long for. Several tabs are looked at side by side, so that none may end the test.
func (v *visitor) try(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(v.ctx, 20*time.Second)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

func (v *visitor) paint(scheme string) error {
	return v.try(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
}

func (v *visitor) check(s stop, how, rules string) error {
	v.t.Helper()
	var found []string
	err := v.try(chromedp.Evaluate(fmt.Sprintf(axe, rules), &found, awaited))
	for _, f := range found {
		v.t.Errorf("%s, %s: %s", s.name, how, f)
	}
	return errors.Join(err, v.fits(s, how))
}

func (v *visitor) fits(s stop, how string) error {
	v.t.Helper()
	var by string
	err := v.try(chromedp.Evaluate(wide, &by))
	if by != "" {
		v.t.Errorf("%s, %s: it is wider than its window, %s", s.name, how, by)
	}
	return err
}

// keep saves a picture of the whole page where git does not look.
func (v *visitor) keep(s stop, how string) error {
	var picture []byte
	if err := v.try(chromedp.FullScreenshot(&picture, 70)); err != nil {
		return err
	}
	name := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(s.name), "-"), "-")
	if name == "" {
		name = "home"
	}
	folder := filepath.Join(pictures, "pages")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+"-"+how+".jpg"), picture, 0o644)
}

// tour looks at pages in several tabs of one browser.
func (v *visitor) tour(stops []stop, source string) {
	v.t.Helper()
	if *only != "" {
		wanted := regexp.MustCompile(*only)
		stops = slices.DeleteFunc(slices.Clone(stops), func(s stop) bool { return !wanted.MatchString(s.name) })
	}
	const tabs = 2
	queue := make(chan stop, len(stops))
	for _, s := range stops {
		queue <- s
	}
	close(queue)
	var walking sync.WaitGroup
	for range tabs {
		tab := v.another()
		walking.Go(func() {
			for s := range queue {
				tab.look(s, source)
			}
		})
		v.t.Cleanup(func() { tab.hadNoTroubleBut(stops) })
	}
	walking.Wait()
}

// hadNoTroubleBut tells of troubles, but for a browser's own remark that a page which is missing is missing.
func (v *visitor) hadNoTroubleBut(stops []stop) {
	v.t.Helper()
	v.troubles = slices.DeleteFunc(v.troubles, func(trouble string) bool {
		return slices.ContainsFunc(stops, func(s stop) bool {
			return s.status != 200 && strings.HasPrefix(trouble, s.name+": ") && strings.Contains(trouble, fmt.Sprintf("status of %d", s.status))
		})
	})
	v.hadNoTrouble()
}

// only narrows the walk for whoever mends a page.
var only = flag.String("only", "", "look at no pages but those whose name this expression matches")

// notReached are pages that nothing leads this walk to, each with what shows it.
var notReached = map[string]string{
	"/sign-in/second-step":      "looked at on the way in of someone with a second step",
	"/sign-in/change":           "only for a password that an organization's rules refuse",
	"/pay/:secret/phone":        "only where an organization asks for a phone number; the walk from the shop to a verified number shows it",
	"/quote/:secret/phone":      "as on a pay link",
	"portal /phone":             "only where an organization asks for a phone number; the walk from the shop to a verified number shows it",
	"portal /pay/:secret/phone": "as on a pay link",
}

// Every page that the router knows, in light and dark, on a phone and on a wide screen: nothing that axe finds, no word
// on the console, no refusal by the content policy, nothing that sticks out, and no more than 100 kB.
func TestEveryPage(t *testing.T) {
	source, err := os.ReadFile("axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s := serve(t, "--demo")
	o := furnish(t, s)
	members, customers := routed(t, s.home)
	weights := &scale{}
	staff := call(t, s.home)
	staff.signUp("nadia@countinghouse.example", "Nadia Brandt", "nine wet otters dance", "Front Desk", "front-desk")
	codes := s.staff(t, staff, "nadia@countinghouse.example", "administrator")
	staff.post("/staff/visits", "slug", o.slug, "ticket", "4711", "reason", "The totals of one invoice look wrong to them.", "scopes", "invoices:read", "minutes", "60", "masks", "names")
	o.ids["support"] = o.find(o.in("/support"), `/support/([0-9a-f-]{36})"`)

	staff.post("/open", "organization", "Second Shop", "slug", "second-shop", "country", "US", "currency", "USD", "time_zone", "America/New_York")
	o.post("/account/second-step/app") // begun, and never confirmed
	o.post("/recover", "by", "mail", "email", demoEmail)
	call(t, s.home).post("/sign-up", "email", "someone.new@tidewater.example")
	o.ids["sessions"] = o.find("/account", `/sessions/([0-9a-f-]{36})/`)

	mails := o.get("/dev/outbox").body
	owner := &reader{caller: o.caller, patterns: members, ids: o.ids, slug: o.slug, weights: weights,
		queue: []string{o.in("/invoices/" + o.ids["drafts"] + "/edit"), o.in("/bills/" + o.ids["draft bills"] + "/edit")}}
	owner.read()
	boss := &reader{caller: staff, patterns: slices.DeleteFunc(slices.Clone(members), func(p pattern) bool { return !strings.HasPrefix(p.path, "/staff") && p.path != "/" }), weights: weights}
	boss.read()
	stranger := &reader{caller: call(t, s.home), patterns: slices.DeleteFunc(slices.Clone(members), func(p pattern) bool {
		return strings.HasPrefix(p.path, "/staff") || strings.HasPrefix(p.path, "/o/") || owner.found[p.path].path != "" && p.path != "/sign-in"
	}), ids: o.ids, weights: weights}
	for _, link := range regexp.MustCompile(regexp.QuoteMeta(s.home)+`(/[^"<\s]+)`).FindAllStringSubmatch(mails, -1) {
		stranger.queue = append(stranger.queue, link[1])
	}
	stranger.read()
	portal := strings.Replace(s.home, "localhost", o.slug+".localhost", 1)
	customer := &reader{caller: call(t, portal), patterns: customers, ids: o.ids, weights: weights}
	token := regexp.MustCompile(regexp.QuoteMeta(portal) + `/join\?token=([^"<\s]+)`).FindStringSubmatch(mails)
	if token == nil {
		t.Fatal("no mail lets the customer in")
	}
	newcomer := &reader{caller: call(t, portal), patterns: customers, queue: []string{"/join?token=" + token[1]}, weights: weights}
	newcomer.read()
	customer.post("/join", "token", token[1], "name", "Inês Prado", "password", "four amber kites drifting")
	customer.post("/recover", "email", "ines@apple.example")
	customer.queue = []string{"/set?token=" + o.find("/dev/outbox", regexp.QuoteMeta(portal)+`/set\?token=([^"<\s]+)`)}
	customer.read()
	for _, p := range members {
		if owner.found[p.path].path == "" && boss.found[p.path].path == "" && stranger.found[p.path].path == "" && notReached[p.path] == "" {
			t.Errorf("nothing leads to %s: furnish the organization with one", p.path)
		}
	}
	for _, p := range customers {
		if customer.found[p.path].path == "" && newcomer.found[p.path].path == "" && notReached["portal "+p.path] == "" {
			t.Errorf("nothing leads to %s of the portal: furnish the organization with one", p.path)
		}
	}
	t.Logf("found after %.0f s", time.Since(began).Seconds())

	v := visitFor(t, s.home, 12*time.Minute)
	missing := []stop{{"/nothing-here", "error", 404}}
	looked := v.tourAll(append(stranger.stops(), missing...), string(source))
	v.home = portal
	looked += v.tourAll(named("portal", newcomer.stops()), string(source))
	v.open("/sign-in")
	v.fill("email", "ines@apple.example")
	v.fill("password", "four amber kites drifting")
	v.send("password")
	v.sees("Inês")
	looked += v.tourAll(named("portal", append(without(customer.stops(), newcomer.found), missing...)), string(source))
	v.home = s.home
	v.open("/sign-in")
	v.fill("email", demoEmail)
	v.fill("password", demoPassword)
	v.send("password")
	v.sees("Overview")
	looked += v.tourAll(append(owner.stops(), stop{o.in("/nothing-here"), "error-inside", 404}), string(source))
	v.open("/sign-in")
	v.fill("email", "nadia@countinghouse.example")
	v.fill("password", "nine wet otters dance")
	v.send("password")
	v.sees("Second step")
	looked += v.tourAll([]stop{{"/sign-in/second-step", "/sign-in/second-step", 200}}, string(source))
	v.fill("code", codes[0])
	v.send("code")
	v.sees("Your organizations")
	looked += v.tourAll(boss.stops(), string(source))
	t.Logf("%d pages after %.0f s", looked, time.Since(began).Seconds())
	weights.say(t)
}

func (v *visitor) tourAll(stops []stop, source string) int {
	v.t.Helper()
	v.tour(stops, source)
	return len(stops)
}

func named(prefix string, stops []stop) []stop {
	for i := range stops {
		stops[i].name = prefix + stops[i].name
	}
	return stops
}

func without(stops []stop, known map[string]stop) []stop {
	return slices.DeleteFunc(stops, func(s stop) bool { return known[s.name].path != "" })
}
