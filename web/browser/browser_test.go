package browser

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	_ "github.com/lib/pq"
)

// pictures is where screenshots go; git ignores it.
const pictures = "../../.cache/pictures"

// service is the program while it runs.
type service struct {
	home   string // the address of its pages
	binary string
	data   string // its folder
}

// built is the program, built once for all tests into a folder that the last of them removes.
var built struct {
	once   sync.Once
	folder string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := os.RemoveAll(built.folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func build(t *testing.T) (binary string) {
	t.Helper()
	built.once.Do(func() {
		if built.folder, built.err = os.MkdirTemp("", "countinghouse-built-"); built.err != nil {
			return
		}
		command := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(built.folder, "countinghouse"), "./cmd/countinghouse")
		command.Dir = "../.."
		if out, err := command.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.folder, "countinghouse")
}

// serve runs the program until the test ends, with what else it is told.
func serve(t *testing.T, flags ...string) service {
	t.Helper()
	binary := build(t)
	folder, err := os.MkdirTemp("", "countinghouse-browser-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil { // the database's user passes through
		t.Fatal(err)
	}
	port := freePort(t)
	server := exec.Command(binary, append([]string{"dev", "--data", filepath.Join(folder, "data"), "--port", fmt.Sprint(port)}, flags...)...)
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	server.Stderr = server.Stdout
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		var printed strings.Builder
		for scan := bufio.NewScanner(out); scan.Scan(); {
			fmt.Fprintln(&printed, scan.Text())
			if strings.Contains(scan.Text(), "Ctrl-C stops it") {
				ready <- ""
			}
		}
		ready <- printed.String()
	}()
	t.Cleanup(func() {
		if err := server.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := server.Wait(); err != nil {
			t.Errorf("it did not stop cleanly: %v", err)
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	select {
	case ended := <-ready:
		if ended != "" {
			t.Fatalf("it ended: %s", ended)
		}
	case <-time.After(4 * time.Minute): // with --demo, on a machine that others keep busy
		t.Fatal("it is not ready after four minutes")
	}
	return service{fmt.Sprintf("http://localhost:%d", port), binary, filepath.Join(folder, "data")}
}

// set changes a setting of the platform, as its operator does.
func (s service) set(t *testing.T, name, value string) {
	t.Helper()
	if out, err := exec.Command(s.binary, "settings", "set", "--data", s.data, name, value).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// unused lets every session end when it is not used for so long, or has not been for so long already: nobody waits
// here for the five minutes that are the shortest which may be set.
func (s service) unused(t *testing.T, allowed, since time.Duration) {
	t.Helper()
	address, err := os.ReadFile(filepath.Join(s.data, "database.url"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("postgres", strings.TrimSpace(string(address)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.Exec(`UPDATE platform.session SET idle_seconds = $1, last_seen_at = last_seen_at - make_interval(secs => $2) WHERE ended_at IS NULL`,
		int(allowed.Seconds()), since.Seconds())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%d sessions, %v", n, err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// visitor is a person at a browser.
type visitor struct {
	t    *testing.T
	ctx  context.Context
	home string

	mu       sync.Mutex
	at       string // what is being looked at, for the words of a trouble; may be empty
	refused  int    // the status with which the walk is being refused on purpose; 0 for none
	troubles []string
}

func visit(t *testing.T, home string) *visitor {
	t.Helper()
	return visitFor(t, home, 90*time.Second)
}

// visitFor is a person at a browser for so long at most.
func visitFor(t *testing.T, home string, most time.Duration) *visitor {
	t.Helper()
	// What the browser leaves behind goes when the next one begins: its last processes write for a moment yet
	// when it has ended.
	profile, err := filepath.Abs(filepath.Join(pictures, "../profile", t.Name()))
	if err == nil {
		err = os.RemoveAll(profile)
	}
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	allocated, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	// What a newer Chromium says that the library does not know is no trouble of ours.
	tab, end := chromedp.NewContext(allocated, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(end)
	ctx, stop := context.WithTimeout(tab, most)
	t.Cleanup(stop)
	v := &visitor{t: t, ctx: ctx, home: home}
	v.watch()
	return v
}

// another is another tab of the same browser.
func (v *visitor) another() *visitor {
	v.t.Helper()
	tab, end := chromedp.NewContext(v.ctx)
	v.t.Cleanup(end)
	other := &visitor{t: v.t, ctx: tab, home: v.home}
	other.watch()
	return other
}

// someone is another person, at a browser that knows nothing of the first one's.
func (v *visitor) someone() *visitor {
	v.t.Helper()
	tab, end := chromedp.NewContext(v.ctx, chromedp.WithNewBrowserContext())
	v.t.Cleanup(end)
	other := &visitor{t: v.t, ctx: tab, home: v.home}
	other.watch()
	return other
}

// expecting says that from now on the walk is refused with a status, which the browser remarks on by itself.
func (v *visitor) expecting(status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.refused = status
}

// watch begins a tab, and notes what goes wrong in it.
func (v *visitor) watch() {
	v.t.Helper()
	chromedp.ListenTarget(v.ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			v.note("exception: " + e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				v.note(fmt.Sprintf("console: %v", e.Args))
			}
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.LevelError {
				v.note("log: " + e.Entry.Text + " " + e.Entry.URL)
			}
		}
	})
	// The first run starts the browser for as long as its context lives, so it has no shorter one.
	if err := chromedp.Run(v.ctx, cdplog.Enable(), chromedp.EmulateViewport(1280, 900)); err != nil {
		v.t.Fatal(err)
	}
}

func (v *visitor) note(trouble string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.refused != 0 && strings.Contains(trouble, fmt.Sprintf("status of %d", v.refused)) {
		return
	}
	if v.at != "" {
		trouble = v.at + ": " + trouble
	}
	v.troubles = append(v.troubles, trouble)
}

func (v *visitor) do(what string, actions ...chromedp.Action) {
	v.t.Helper()
	// A step of a person's takes no longer, or they would leave.
	ctx, cancel := context.WithTimeout(v.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		v.picture("failed")
		v.t.Fatalf("%s: %v", what, err)
	}
}

func (v *visitor) open(path string) {
	v.t.Helper()
	v.do("opening "+path, chromedp.Navigate(v.home+path))
}

// sees waits until the page holds the words.
func (v *visitor) sees(words string) {
	v.t.Helper()
	quoted := `"` + words + `"`
	v.do("looking for "+words, chromedp.WaitVisible(`//body[contains(normalize-space(.), `+quoted+`)]`, chromedp.BySearch))
}

// press presses the button or follows the link with that text.
func (v *visitor) press(text string) {
	v.t.Helper()
	v.do("pressing "+text, chromedp.Click(`//*[self::button or self::a][normalize-space(.)="`+text+`" and not(contains(@class, "sr"))]`, chromedp.BySearch, chromedp.NodeVisible))
}

func (v *visitor) fill(name, value string) {
	v.t.Helper()
	field := `[name="` + name + `"]`
	v.do("filling in "+name, chromedp.WaitVisible(field, chromedp.ByQuery),
		chromedp.Evaluate(fmt.Sprintf("{ const field = document.querySelector(%q); field.focus(); field.select() }", field), nil),
		chromedp.SendKeys(field, value, chromedp.ByQuery))
}

// send presses Enter in a field, which sends its form as a person does.
func (v *visitor) send(name string) {
	v.t.Helper()
	v.do("sending the form", chromedp.SendKeys(`[name="`+name+`"]`, kb.Enter, chromedp.ByQuery))
}

func (v *visitor) signIn(email, password string) {
	v.t.Helper()
	v.open("/sign-in")
	v.fill("email", email)
	v.fill("password", password)
	v.send("password")
}

// choose chooses the one option whose words begin so. What one types into a select jumps to what begins with the last
// letters, once there is nothing that begins with all.
func (v *visitor) choose(name, words string) {
	v.t.Helper()
	v.do("choosing "+words, chromedp.WaitVisible(`select[name="`+name+`"]`, chromedp.ByQuery), chromedp.Evaluate(fmt.Sprintf(`{
		const select = document.querySelector('select[name="' + %q + '"]');
		const fit = [...select.options].filter(option => option.label.startsWith(%q));
		if (fit.length !== 1) throw new Error(fit.length + " options begin so");
		select.focus();
		select.value = fit[0].value;
		select.dispatchEvent(new Event("input", { bubbles: true }));
		select.dispatchEvent(new Event("change", { bubbles: true }));
	}`, name, words), nil))
}

// chosen fails unless that is what the page sends.
func (v *visitor) chosen(name, value string) {
	v.t.Helper()
	var is string
	v.do("reading "+name, chromedp.Value(`select[name="`+name+`"]`, &is, chromedp.ByQuery))
	if is != value {
		v.t.Fatalf("%s is %q, not %q", name, is, value)
	}
}

// confirm opens the question before what cannot be undone, and answers it.
func (v *visitor) confirm(label, does string) {
	v.t.Helper()
	v.do("asking to "+label, chromedp.Click(`//summary[normalize-space(.)="`+label+`"]`, chromedp.BySearch, chromedp.NodeVisible))
	v.press(does)
}

// tick ticks a box by its name and value.
func (v *visitor) tick(name, value string) {
	v.t.Helper()
	v.do("ticking "+value, chromedp.Click(fmt.Sprintf(`input[name=%q][value=%q]`, name, value), chromedp.ByQuery))
}

func (v *visitor) picture(name string) {
	v.t.Helper()
	var png []byte
	if err := chromedp.Run(v.ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		v.t.Logf("no picture of %s: %v", name, err)
		return
	}
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pictures, name+".png"), png, 0o644); err != nil {
		v.t.Fatal(err)
	}
}

func (v *visitor) hadNoTrouble() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, trouble := range v.troubles {
		v.t.Error(trouble)
	}
}

// awaited has an expression's promise kept before it is told.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
