package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
	"golang.org/x/text/width"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// ui is the two streams of a command: data and talk. It is safe for concurrent
// use: a warning and the live display do not tear each other.
type ui struct {
	out      io.Writer // data
	terminal bool      // data goes to a terminal
	colorOut bool
	live     bool       // talk goes to a terminal on which a display can be redrawn
	columns  func() int // width of that terminal, in cells
	paintErr bool

	mu     sync.Mutex
	talk   io.Writer
	redraw func() string // the live display, "" while there is none; called under mu
	drawn  int           // lines of it on the screen
	quiet  bool
	warned warnings // all that it has warned of
}

// newUI finds out what the streams are.
func newUI(out, talk *os.File) *ui {
	dumb := os.Getenv("TERM") == "dumb"
	noColor := os.Getenv("NO_COLOR") != "" // no-color.org: present and not empty
	terminal := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) && !dumb }
	return &ui{
		out:      out,
		terminal: term.IsTerminal(int(out.Fd())),
		colorOut: terminal(out) && !noColor,
		talk:     talk,
		live:     terminal(talk),
		paintErr: terminal(talk) && !noColor,
		columns: func() int {
			if w, _, err := term.GetSize(int(talk.Fd())); err == nil && w > 0 {
				return w
			}
			return 80
		},
	}
}

// Data prints to standard output.
func (u *ui) Data(text string) error {
	_, err := io.WriteString(u.out, text)
	return outputError(err)
}

// errUnread is the error of data that nobody reads any more, as head does not when it has its lines.
var errUnread = errors.New("write standard output: nobody reads it")

func outputError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return errUnread
	}
	return fmt.Errorf("write standard output: %w", err)
}

// JSON prints v to standard output, indented.
func (u *ui) JSON(v any) error { return outputError(writeJSON(u.out, v)) }

// writeJSON writes v, indented.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Say prints a line of talk, unless the run is quiet.
func (u *ui) Say(format string, args ...any) {
	if !u.quiet {
		u.print("sanitize: " + fmt.Sprintf(format, args...) + "\n")
	}
}

// Tell prints talk as it is, without the program's name, unless the run is quiet.
func (u *ui) Tell(text string) {
	if !u.quiet {
		u.print(text)
	}
}

// Warn prints a warning, quiet or not.
func (u *ui) Warn(message string) {
	u.warned.add(message)
	u.print(u.paint("sanitize: warning: ", yellow) + report.Inert(message) + "\n")
}

// Fail prints an error and its hint. Of nil it prints nothing.
func (u *ui) Fail(err error) {
	var diagnostics policies.Errors
	switch {
	case err == nil:
	case errors.Is(err, errUnread):
	case errors.Is(err, pipeline.ErrInterrupted):
		u.failInterrupted(err)
	case errors.As(err, &diagnostics):
		// They carry file, line and hints of their own.
		u.fault(inert(diagnostics).Error(), "")
	default:
		u.fault(uncoloured(err.Error()), uncoloured(connectors.Hint(err)))
	}
}

// fault prints what is wrong, and a hint unless it is empty.
func (u *ui) fault(what, hint string) {
	u.print(u.paint("sanitize: ", red) + what + "\n")
	if hint != "" {
		u.print(u.paint("hint: ", bold) + hint + "\n")
	}
}

// failInterrupted says of a run that was interrupted what is left, and how to go on. What
// broke of the interrupt itself is not told.
func (u *ui) failInterrupted(err error) {
	var kept *keptError
	hint := ""
	if errors.As(err, &kept) {
		hint = uncoloured(kept.Hint())
	}
	u.fault("interrupted; the target is as it was", hint)
	var left *pipeline.CleanupError
	if errors.As(err, &left) {
		u.fault(uncoloured(left.Error()), uncoloured(left.Hint()))
	}
}

// inert returns the complaints with their names spelled out, and their lines as they are.
func inert(errs policies.Errors) policies.Errors { return report.InertCopy(errs) }

// uncoloured spells out what a message brings along of escape sequences; it may be of several
// lines, as those of a server are.
func uncoloured(s string) string { return strings.ReplaceAll(printable(s), "\x1b", `\u001b`) }

// print writes above the live display.
func (u *ui) print(text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.erase()
	io.WriteString(u.talk, printable(text))
	u.draw()
}

// Live installs a display that Refresh draws beneath all talk; nil removes it.
func (u *ui) Live(redraw func() string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.erase()
	u.redraw = redraw
	u.draw()
}

// Refresh draws the live display anew.
func (u *ui) Refresh() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.erase()
	u.draw()
}

func (u *ui) erase() {
	if u.drawn > 0 {
		fmt.Fprintf(u.talk, "\x1b[%dA\x1b[J", u.drawn)
		u.drawn = 0
	}
}

func (u *ui) draw() {
	if u.redraw == nil || !u.live {
		return
	}
	lines := strings.Split(strings.TrimSuffix(u.redraw(), "\n"), "\n")
	for _, l := range lines {
		// A line that wraps would be counted once and erased in part.
		io.WriteString(u.talk, printable(truncate(l, u.columns()-1))+"\n")
	}
	u.drawn = len(lines)
}

// The colours, as SGR parameters.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func paint(on bool, text, sgr string) string {
	if !on || text == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

// paint colours talk on a terminal.
func (u *ui) paint(text, sgr string) string { return paint(u.paintErr, text, sgr) }

// printable lets newlines, tabs and our own colours through and spells every
// other control character out, so that a table's name cannot drive the terminal.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) || r == utf8.RuneError {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if n := colour(s[i:]); n > 0 {
			b.WriteString(s[i : i+n])
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\n', r == '\t', unicode.IsPrint(r) && r != utf8.RuneError, unicode.Is(unicode.Mn, r), unicode.Is(unicode.Zs, r):
			b.WriteString(s[i : i+n])
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	return b.String()
}

// ours are the SGR parameters that this program writes, and that ends them.
var ours = []string{"0", bold, dim, red, green, yellow, cyan}

// colour returns the length of the colour sequence that s begins with, or 0.
func colour(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s) && i < 6; i++ {
		switch {
		case s[i] == 'm' && slices.Contains(ours, s[2:i]):
			return i + 1
		case s[i] < '0' || s[i] > '9':
			return 0
		}
	}
	return 0
}

// cells returns how many columns of a terminal a text takes.
func cells(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if c := colour(s[i:]); c > 0 {
			i += c
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		n += runeCells(r)
		i += size
	}
	return n
}

func runeCells(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1f300 && r <= 0x1faff: // emoji, which terminals draw wide
		return 2
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// truncate cuts a text to so many columns of a terminal, with an ellipsis.
func truncate(s string, limit int) string {
	if cells(s) <= limit {
		return s
	}
	n := 0
	for i := 0; i < len(s); {
		if c := colour(s[i:]); c > 0 {
			i += c
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if n+runeCells(r) > limit-1 {
			cut := s[:i] + "…"
			if strings.Contains(cut, "\x1b[") {
				cut += "\x1b[0m"
			}
			return cut
		}
		n += runeCells(r)
		i += size
	}
	return s
}
