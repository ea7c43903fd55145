package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	printing "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium returns a browser of the machine. On Debian as root it installs one, as the
// tests of databases install their servers.
func chromium(t *testing.T) string {
	t.Helper()
	find := func() string {
		for _, name := range []string{os.Getenv("SANITIZE_TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell"} {
			if path, err := exec.LookPath(name); name != "" && err == nil {
				return path
			}
		}
		for _, path := range []string{"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"} {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
		return ""
	}
	if path := find(); path != "" {
		return path
	}
	why := errors.New("this is not root on Debian")
	if apt, err := exec.LookPath("apt-get"); err == nil && os.Geteuid() == 0 {
		for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", "chromium"}} {
			cmd := exec.Command(apt, append([]string{"-q", "-o", "DPkg::Lock::Timeout=300"}, args...)...)
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			if out, err := cmd.CombinedOutput(); err != nil {
				why = fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
			}
		}
		if path := find(); path != "" {
			return path
		}
	}
	t.Fatalf("no Chromium to open the page with: %v\ndo one of: install chromium; set SANITIZE_TEST_CHROMIUM to its path", why)
	return ""
}

// browser opens the sample's page, and records what the browser complains about and
// fetches.
type browser struct {
	ctx context.Context
	url string

	mu       sync.Mutex
	console  []string
	requests []string
}

func open(t *testing.T) *browser {
	t.Helper()
	file := filepath.Join(t.TempDir(), "audit.html")
	if err := os.WriteFile(file, render(t, sample(), "html"), 0o600); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WindowSize(1200, 900),
		chromedp.UserDataDir(profileFolder(t)), chromedp.WSURLReadTimeout(2*time.Minute))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(ctx)
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(func() { cancel(); leave(); stop() })
	b := &browser{ctx: ctx, url: (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()}
	note := func(list *[]string, words string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		*list = append(*list, words)
	}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			note(&b.console, e.Entry.Text)
		case *runtime.EventConsoleAPICalled:
			note(&b.console, string(e.Type))
		case *runtime.EventExceptionThrown:
			note(&b.console, e.ExceptionDetails.Text)
		case *network.EventRequestWillBeSent:
			note(&b.requests, e.Request.URL)
		}
	})
	b.do(t, log.Enable(), runtime.Enable(), network.Enable(), chromedp.Navigate(b.url))
	return b
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// scheme sets the reader's preference for light or dark.
func scheme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
}

// faint lists the texts whose contrast with what is behind them is below 4.5, as the
// browser computed both (WCAG 2.2, 1.4.3).
const faint = `(() => {
  const parse = s => s.match(/[\d.]+/g).map(Number);
  const light = c => { const f = c.slice(0, 3).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2] };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c } return [255, 255, 255] };
  const out = []; let seen = 0;
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    seen++;
    const a = light(parse(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) out.push(e.tagName + "." + e.className + " " + ratio.toFixed(2));
  }
  if (seen < 50) out.push("only " + seen + " texts were looked at");
  return out;
})()`

// The page in a real browser: nothing is fetched, nothing complains, all that opens and
// closes is reached by keyboard, it can be read in both schemes, and prints whole.
// profileFolder returns a folder for the browser's profile. Its processes write to it for
// a moment after they were told to end, so that it is removed again until it is gone.
func profileFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sanitize-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var err error
		for range 100 {
			if err = os.RemoveAll(dir); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Error(err)
	})
	return dir
}

func TestPageInABrowser(t *testing.T) {
	b := open(t)

	t.Run("contrast", func(t *testing.T) {
		for _, name := range []string{"light", "dark"} {
			var low []string
			var paper string
			b.do(t, scheme(name), chromedp.Evaluate(faint, &low), chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor`, &paper))
			for _, words := range low {
				t.Errorf("%s: %s", name, words)
			}
			var r, g, blue float64
			if _, err := fmt.Sscanf(paper, "rgb(%f, %f, %f)", &r, &g, &blue); err != nil || (name == "dark") != (math.Max(r, math.Max(g, blue)) < 100) {
				t.Errorf("%s: the paper is %s", name, paper)
			}
		}
	})

	t.Run("keyboard", func(t *testing.T) {
		var all, reached int
		b.do(t, chromedp.Evaluate(`document.querySelectorAll("a, summary, [tabindex='0']").length`, &all),
			chromedp.Evaluate(`document.querySelectorAll("details").forEach(d => d.open = true); window.seen = new Set(); addEventListener("focusin", e => seen.add(e.target))`, nil))
		for range all + 2 {
			b.do(t, chromedp.KeyEvent(kb.Tab))
		}
		b.do(t, chromedp.Evaluate(`[...document.querySelectorAll("a, summary, [tabindex='0']")].filter(e => seen.has(e)).length`, &reached))
		if all < 20 || reached != all {
			t.Errorf("%d of %d are reached by Tab", reached, all)
		}
		var outlined bool
		b.do(t, chromedp.Evaluate(`(() => { const s = document.querySelector("summary"); s.focus(); return getComputedStyle(s).outlineStyle !== "none" })()`, &outlined))
		if !outlined {
			t.Error("what has the focus does not show")
		}
		var before, after bool
		state := chromedp.Evaluate(`document.querySelector("details").open`, &before)
		b.do(t, state, chromedp.KeyEvent(" "), chromedp.Evaluate(`document.querySelector("details").open`, &after))
		if before == after {
			t.Error("the space bar does not close what is open")
		}
	})

	t.Run("structure", func(t *testing.T) {
		var faults []string
		b.do(t, chromedp.Evaluate(`(() => {
  const out = [], ids = new Set();
  for (const e of document.querySelectorAll("[id]")) { if (ids.has(e.id)) out.push("id twice: " + e.id); ids.add(e.id) }
  if (document.documentElement.lang !== "en" || !document.title) out.push("no language or title");
  if (document.querySelectorAll("h1").length !== 1 || document.querySelectorAll("main").length !== 1) out.push("not one h1 and one main");
  for (const e of document.querySelectorAll("th")) if (!e.scope) out.push("a heading of a table without a scope");
  if (document.documentElement.scrollWidth > innerWidth) out.push("wider than the window");
  if (document.querySelectorAll("script").length) out.push("a script");
  return out })()`, &faults))
		for _, f := range faults {
			t.Error(f)
		}
		var wide []string
		b.do(t, emulation.SetDeviceMetricsOverride(360, 700, 1, true), chromedp.Evaluate(`document.documentElement.scrollWidth <= 360 ? [] :
  [...document.body.querySelectorAll("*")].filter(e => !e.closest(".scroll, pre") && e.getBoundingClientRect().right > 361).map(e => e.tagName + "." + e.className + " " + e.textContent.slice(0, 40)).concat("scrolls to " + document.documentElement.scrollWidth)`, &wide), emulation.ClearDeviceMetricsOverride())
		for _, e := range wide {
			t.Errorf("on a telephone the page is wider than the screen: %s", e)
		}
	})

	t.Run("print", func(t *testing.T) {
		var pdf []byte
		var shown bool
		b.do(t, chromedp.Evaluate(`document.querySelectorAll("details").forEach(d => d.open = false)`, nil),
			emulation.SetEmulatedMedia().WithMedia("print"),
			// What is closed on the screen is open on paper.
			// The browser takes a moment to lay the paper out.
			chromedp.Poll(`document.querySelector(".found li").checkVisibility({contentVisibilityAuto: true}) && document.querySelector(".found li").getBoundingClientRect().height > 10`, &shown, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second)),
			chromedp.ActionFunc(func(ctx context.Context) (err error) {
				pdf, _, err = printing.PrintToPDF().WithPreferCSSPageSize(true).WithPrintBackground(true).Do(ctx)
				return err
			}))
		if !shown || !strings.HasPrefix(string(pdf), "%PDF-") || len(pdf) < 20_000 {
			t.Errorf("the paper shows the findings: %t; %d bytes of PDF", shown, len(pdf))
		}
	})

	b.mu.Lock()
	defer b.mu.Unlock()
	for _, words := range b.console {
		t.Errorf("the console says: %s", words)
	}
	for _, u := range b.requests {
		if u != b.url && u != "data:," {
			t.Errorf("the page fetches %s", u)
		}
	}
	if len(b.requests) == 0 {
		t.Error("nothing was recorded")
	}
}
