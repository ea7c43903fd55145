package policies

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Code tells what sort of complaint a Diagnostic is.
type Code string

// The codes.
const (
	Syntax     Code = "syntax"    // not the YAML that a policy may be written in
	Invalid    Code = "invalid"   // makes no sense, or does not fit the catalog
	Undecided  Code = "undecided" // nobody has decided about a column or a table
	Drift      Code = "drift"     // names what the database does not have
	KeyProblem Code = "key"       // the key cannot be had
)

// Diagnostic is one complaint about a policy, with the line it is about. It shows
// the policy's own words and the catalog's names: no cell value, and nothing of a key.
type Diagnostic struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`   // from 1; 0 if no line is to blame
	Column  int    `json:"column,omitempty"` // in characters, from 1
	At      string `json:"at,omitempty"`     // schema.table.column
	Message string `json:"message"`
	Help    string `json:"help,omitempty"`
	Excerpt string `json:"excerpt,omitempty"` // the line, and a caret beneath
	Code    Code   `json:"code"`
}

// String returns `file:line:column: message`, the excerpt and the hint, on lines of their own.
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(d.File)
	if d.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", d.Line, d.Column)
	}
	b.WriteString(": ")
	b.WriteString(d.Message)
	if d.Excerpt != "" {
		b.WriteString("\n")
		b.WriteString(d.Excerpt)
	}
	if d.Help != "" {
		b.WriteString("\nhint: ")
		b.WriteString(d.Help)
	}
	return b.String()
}

// Errors is everything that is wrong with a policy, in the order of its lines.
type Errors []Diagnostic

// Error returns one paragraph per diagnostic.
func (e Errors) Error() string {
	paragraphs := make([]string, len(e))
	for i, d := range e {
		paragraphs[i] = d.String()
	}
	return strings.Join(paragraphs, "\n\n")
}

// Drift reports whether the policy itself is sound and only fails to meet the
// catalog: undecided columns, and names that the database does not have.
func (e Errors) Drift() bool {
	for _, d := range e {
		if d.Code != Undecided && d.Code != Drift {
			return false
		}
	}
	return len(e) > 0
}

// sorted puts the diagnostics of each file into the order of its lines and drops repetitions.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Diagnostic) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			strings.Compare(a.At, b.At), strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(e)
}

// Position is a place in the policy's text, in lines and characters from 1.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// diagnose makes a diagnostic with an excerpt of the policy.
func (p *Policy) diagnose(code Code, pos Position, at, help, format string, args ...any) Diagnostic {
	return Diagnostic{
		File: p.File, Line: pos.Line, Column: pos.Column, At: at, Code: code,
		Message: fmt.Sprintf(format, args...), Help: help, Excerpt: p.excerpt(pos),
	}
}

// excerptWidth is the number of characters that an excerpt shows at most.
const excerptWidth = 100

// excerpt returns the line at pos and a caret beneath it. Lines about keys are
// shown up to their first colon, since somebody may have put a key there.
func (p *Policy) excerpt(pos Position) string {
	if pos.Line < 1 || pos.Line > len(p.lines) {
		return ""
	}
	line := strings.TrimRight(p.lines[pos.Line-1], "\r")
	length := utf8.RuneCountInString(line)
	shown := length
	if p.aboutKeys(pos.Line) {
		shown = safeKeyLine([]rune(line))
	}
	column := max(pos.Column, 1)
	from := 0
	if column > excerptWidth*4/5 {
		from = min(column-excerptWidth/2, length)
	}
	to := min(shown, from+excerptWidth)
	text := ""
	if from < to {
		text = printable(window(line, from, to))
	}
	if to < length {
		text += "…"
	}
	number := fmt.Sprint(pos.Line)
	excerpt := fmt.Sprintf("  %s | %s", number, text)
	if column-1 >= from && column-1 <= to {
		excerpt += fmt.Sprintf("\n  %s | %s^", strings.Repeat(" ", len(number)), strings.Repeat(" ", column-1-from))
	}
	return excerpt
}

// window returns the characters of s from one to another. A line may have megabytes.
func window(s string, from, to int) []rune {
	var out []rune
	n := 0
	for _, c := range s {
		if n >= to {
			break
		}
		if n >= from {
			out = append(out, c)
		}
		n++
	}
	return out
}

// printable replaces each control character by one visible character, so that an
// excerpt cannot move the cursor and the caret stays in its column.
func printable(line []rune) string {
	out := make([]rune, len(line))
	for i, r := range line {
		switch {
		case r == '\t':
			r = '→'
		case forbidden(r):
			r = '�'
		}
		out[i] = r
	}
	return string(out)
}
