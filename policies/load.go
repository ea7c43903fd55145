package policies

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// The limits of a policy file. They are far above what a person writes, and keep a
// hostile file from costing more than a moment.
const (
	maxSize        = 8 << 20 // bytes
	maxMarks       = 1 << 19 // characters that begin or part the nodes of YAML
	maxDepth       = 24      // of nesting
	maxList        = 10_000  // items of a list
	maxClasses     = 2_000
	maxRisk        = 1_000
	maxDiagnostics = 100 // of one Parse
)

// Load reads the policy file at path. Errors about its text are of type Errors.
func Load(path string) (*Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read policy %s: %w", path, err)
	}
	return Parse(path, text)
}

// Parse reads the text of a policy. file names it in diagnostics, and relative
// key files and the policies that it extends are looked for beside it. Errors are of type Errors.
func Parse(file string, text []byte) (*Policy, error) {
	p, errs := parse(file, text, newBases(file, time.Now()), false)
	if len(errs) > 0 {
		return nil, errs
	}
	return p, nil
}

// parse reads a policy, or one that others build on.
func parse(file string, text []byte, b *bases, base bool) (*Policy, Errors) {
	digest := sha256.Sum256(text)
	p := &Policy{File: file, Digest: hex.EncodeToString(digest[:])}
	r := &reader{p: p, bases: b, base: base}
	if IsLock(text) {
		r.failAt(Syntax, Position{}, "name the policy that it was made of", "this is a lock, and a policy is asked for")
		return nil, r.errs
	}
	if len(text) > maxSize {
		r.failAt(Syntax, Position{}, "", "the policy has more than %d MiB", maxSize>>20)
		return nil, r.errs
	}
	if marks(text) > maxMarks {
		r.failAt(Syntax, Position{}, "", "the policy has more than %d lines, fields and items", maxMarks)
		return nil, r.errs
	}
	p.lines = strings.Split(string(text), "\n")
	p.keyLines = findKeyLines(p.lines)
	if !r.plainText(text) {
		return nil, r.errs.sorted()
	}
	root := r.document(text)
	if root == nil {
		return nil, r.errs.sorted()
	}
	r.strict(root, 0)
	if len(r.errs) > 0 {
		return nil, r.errs.sorted()
	}
	r.policy(root)
	if len(r.errs) > 0 {
		return nil, r.errs.sorted()
	}
	return p, nil
}

// reader turns text into a Policy and collects what is wrong with it.
type reader struct {
	p         *Policy
	in        *Policy // the base whose lines are complained about; nil is p
	errs      Errors
	bases     *bases
	base      bool           // others build on it: it has no keys and no tables
	differ    []conflict     // classes that the bases define differently
	redefined []redefinition // classes of this file in the place of the bases'
	// spelled is set for transforms that a program has spelled: they give no reasons.
	spelled bool
}

// marks counts the characters of which each can make one more node or line, the least
// of which costs a hundred bytes.
func marks(text []byte) (n int) {
	for _, c := range text {
		switch c {
		case '\n', ',', ':', '[', '{', '-', '?':
			n++
		}
	}
	return n
}

// full reports whether enough is wrong to stop looking.
func (r *reader) full() bool { return len(r.errs) >= maxDiagnostics }

func (r *reader) failAt(code Code, pos Position, help, format string, args ...any) {
	if !r.full() {
		p := r.p
		if r.in != nil {
			p = r.in
		}
		r.errs = append(r.errs, p.diagnose(code, pos, "", help, format, args...))
	}
}

// fail complains about a node.
func (r *reader) fail(n *yaml.Node, help, format string, args ...any) {
	r.failAt(Invalid, at(n), help, format, args...)
}

func at(n *yaml.Node) Position { return Position{Line: n.Line, Column: n.Column} }

// forbidden reports characters that a policy may not hold in the open. Controls and
// other line breaks would make our line numbers differ from an editor's;
// bidirectional controls would make a reader see something else than the parser
// (CVE-2021-42574). Inside double quotes they can be written as escapes.
func forbidden(r rune) bool {
	switch {
	case r == '\n':
		return false
	case r < ' ', r >= 0x7f && r <= 0x9f:
		return true
	case r == '\u2028', r == '\u2029', r == '\ufeff':
		return true
	case r == '\u061c', r == '\u200e', r == '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true
	}
	return false
}

// plainText reports whether the text is UTF-8 without tabs, control characters and directives.
func (r *reader) plainText(text []byte) bool {
	for i, line := range r.p.lines {
		pos := Position{Line: i + 1, Column: 1}
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(line, "%") {
			r.failAt(Syntax, pos, "a policy has no directives", "a directive")
		}
		for rest := line; rest != ""; pos.Column++ {
			c, size := utf8.DecodeRuneInString(rest)
			if c == utf8.RuneError && size == 1 {
				// The line cannot be shown: an excerpt is text.
				r.errs = append(r.errs, Diagnostic{File: r.p.File, Line: pos.Line, Column: pos.Column, Code: Syntax,
					Message: "not UTF-8", Help: "save the file as UTF-8"})
				return false
			}
			if c == '\t' {
				r.failAt(Syntax, pos, "use spaces; within double quotes write \\t", "a tab")
				break
			}
			if c == '\ufeff' && i == 0 && pos.Column == 1 {
				r.failAt(Syntax, pos, "save the file as UTF-8 without it", "a byte order mark")
				break
			}
			if forbidden(c) {
				r.failAt(Syntax, pos, fmt.Sprintf("within double quotes write \\u%04x", c), "the invisible character U+%04X", c)
				break
			}
			rest = rest[size:]
		}
	}
	return len(r.errs) == 0
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// quotedInError is what the YAML package shows of a value. It might be a key.
var quotedInError = regexp.MustCompile("`[^`]*`")

// document parses the text, which has to hold exactly one document.
func (r *reader) document(text []byte) *yaml.Node {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			r.failAt(Syntax, Position{}, "write a first one with: sanitize init --from SOURCE", "the policy is empty")
		} else {
			r.yamlError(err)
		}
		return nil
	}
	var second yaml.Node
	switch err := d.Decode(&second); {
	case err == nil:
		r.failAt(Syntax, at(&second), "a policy is one document", "a second document")
		return nil
	case !errors.Is(err, io.EOF):
		r.yamlError(err)
		return nil
	}
	if len(doc.Content) != 1 {
		r.failAt(Syntax, Position{}, "", "the policy is empty")
		return nil
	}
	return doc.Content[0]
}

func (r *reader) yamlError(err error) {
	text := err.Error()
	pos := Position{Line: 1, Column: 1} // the package names no line where it means the first
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		line, _ := strconv.Atoi(m[1]) // digits, or nothing
		if strings.HasPrefix(text, "did not find expected") {
			line++ // the package counts from 0 in errors of its parser, from 1 in those of its scanner
		}
		pos.Line = min(max(line, 1), len(r.p.lines))
		shown := r.p.lines[pos.Line-1]
		pos.Column = len(shown) - len(strings.TrimLeft(shown, " ")) + 1
	}
	r.failAt(Syntax, pos, "", "not valid YAML: %s", quotedInError.ReplaceAllString(text, "a value"))
}

// strict refuses, everywhere in the tree, what would let one line depend on another.
func (r *reader) strict(n *yaml.Node, depth int) {
	refuse := func(n *yaml.Node, help, format string, args ...any) {
		r.failAt(Syntax, at(n), help, format, args...)
	}
	if r.full() {
		return
	}
	if depth > maxDepth {
		refuse(n, "", "nested more than %d deep", maxDepth)
		return
	}
	const alone = "each line of a policy can be read on its own: write the value out"
	if n.Kind == yaml.AliasNode {
		refuse(n, alone, "an alias")
		return
	}
	if n.Anchor != "" {
		refuse(n, alone, "an anchor")
	}
	if n.Style&yaml.TaggedStyle != 0 {
		refuse(n, "quote a text, and leave other values as they are", "a tag")
	}
	if n.Kind == yaml.MappingNode {
		first := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			switch {
			case k.Kind == yaml.AliasNode:
				refuse(k, alone, "an alias")
				continue
			case k.Kind != yaml.ScalarNode:
				refuse(k, "", "the name of a field is not a word")
				continue
			case k.Tag == "!!merge":
				refuse(k, alone, "a merge key")
			case k.Tag != "!!str" && k.Value != "null" && k.Style&yaml.TaggedStyle == 0:
				refuse(k, fmt.Sprintf("quote it: %s", quotedUnless(r, k)), "the name of a field is not a text")
			}
			if line, twice := first[k.Value]; twice {
				refuse(k, "", "%s stands here for the second time; the first is in line %d", named(r, k), line)
			} else {
				first[k.Value] = k.Line
			}
			if k.Anchor != "" {
				refuse(k, alone, "an anchor")
			}
			if k.Style&yaml.TaggedStyle != 0 {
				refuse(k, "", "a tag")
			}
			r.strict(n.Content[i+1], depth+1)
		}
		return
	}
	for _, child := range n.Content {
		r.strict(child, depth+1)
	}
}

// named quotes a node's text, unless it may be a key that somebody put there.
func named(r *reader, n *yaml.Node) string {
	if r.p.aboutKeys(n.Line) && !keyWord.MatchString(n.Value) {
		return "a field"
	}
	return strconv.Quote(clip(n.Value))
}

func quotedUnless(r *reader, n *yaml.Node) string {
	if r.p.aboutKeys(n.Line) {
		return `"…"`
	}
	return quoted(clip(n.Value))
}

// clip shortens what a message repeats from the policy.
func clip(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

var (
	keysField = regexp.MustCompile(`(^|[\s{,"'])keys["']?\s*:`)
	fromField = regexp.MustCompile(`(^|[\s{,"'])from["']?\s*:`)
	keyWord   = regexp.MustCompile(wordPattern)
	// safeKey matches a line that shows where a key is, and cannot be one.
	safeKey = regexp.MustCompile(`^\s*(keys\s*:\s*\{?\s*)?([a-z][a-z0-9_-]{0,31}\s*:)?\s*\{?\s*` +
		`((from\s*:\s*["']?(file:[^"',]*|ephemeral)["']?|(scope|rotate)\s*:\s*[a-z0-9_-]{1,20})\s*,?\s*)*[}\s]*$`)
)

// findKeyLines marks the lines of the section `keys`, and others that look as if a
// key might stand there, by the text alone: it has to hold for text that does not parse.
func findKeyLines(lines []string) []bool {
	about := make([]bool, len(lines))
	inside, indent := false, 0
	for i, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		here := len(line) - len(trimmed)
		blank := strings.TrimSpace(trimmed) == "" || strings.HasPrefix(trimmed, "#")
		if inside && !blank && here <= indent && !(here == indent && strings.HasPrefix(trimmed, "-")) {
			inside = false
		}
		if m := keysField.FindStringIndex(line); m != nil && !strings.HasPrefix(trimmed, "#") {
			inside, indent = true, here
			if strings.Contains(line[:m[1]], "{") {
				indent = -1 // in flow style indentation tells nothing: to the end of the file
			}
		}
		about[i] = inside || fromField.MatchString(line)
	}
	return about
}

func (p *Policy) aboutKeys(line int) bool {
	return line >= 1 && line <= len(p.keyLines) && p.keyLines[line-1]
}

// safeKeyLine returns how many characters of a line about keys may be shown.
func safeKeyLine(line []rune) int {
	if safeKey.MatchString(string(line)) {
		return len(line)
	}
	for i, c := range line {
		if c == ':' {
			return i + 1
		}
	}
	return 0
}
