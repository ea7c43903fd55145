package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// Names reports whether code speaks of a name, as a word of its own and in any case.
func Names(code, name string) bool {
	lower, name := strings.ToLower(code), strings.ToLower(name)
	for from := 0; name != ""; {
		i := strings.Index(lower[from:], name)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(name)
		if (i == 0 || !inWord(lower[i-1])) && (end == len(lower) || !inWord(lower[end])) {
			return true
		}
		from = i + 1
	}
	return false
}

// inWord reports whether a byte is part of a name that stands without quotes.
func inWord(b byte) bool {
	return b == '_' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// Words are the names and keywords of code, in small letters, in their order.
func Words(code string) []string {
	return strings.FieldsFunc(strings.ToLower(code), func(r rune) bool { return r < 0x80 && !inWord(byte(r)) })
}

const (
	literal    = `'(?:[^']|'')*'`
	quotedName = `"(?:[^"]|"")*"|` + "`(?:[^`]|``)*`"
	// typeName is a type as servers print it, to its end.
	typeName = `(?:character\s+varying|bit\s+varying|double\s+precision|(?:timestamp|time)(?:\(\d+\))?\s+with(?:out)?\s+time\s+zone|(?:` + quotedName + `|\w+)(?:\.(?:` + quotedName + `|\w+))?)` +
		`(?:\s*\([\d, ]+\))?(?:\[\])*`
)

var cast = regexp.MustCompile(`(?i)` + literal + `|` + quotedName + `|::\s*` + typeName)

// WithoutCasts returns an expression without the types that PostgreSQL writes behind ::.
func WithoutCasts(expression string) string {
	return cast.ReplaceAllStringFunc(expression, func(s string) string {
		if strings.HasPrefix(s, "::") {
			return ""
		}
		return s
	})
}

// noColumn are the words of an expression that are no columns: literals, types, functions.
var noColumn = regexp.MustCompile(`'(?:[^']|'')*'|::\s*(?:"[^"]*"|\w+)(?:\.(?:"[^"]*"|\w+))?|\b\w+\s*\(`)

// ComputedFrom returns the columns that the table's computed column of that name is made
// of, those behind other computed columns included, as far as the expressions tell.
func (t *Table) ComputedFrom(name string) (from []string) {
	seen := map[string]bool{name: true}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		col := t.Column(queue[0])
		if col == nil || !col.Generation.Computed() {
			continue
		}
		expression := noColumn.ReplaceAllString(col.Computation, " ")
		for _, other := range t.Columns {
			if seen[other.Name] || !Names(expression, other.Name) {
				continue
			}
			seen[other.Name] = true
			queue = append(queue, other.Name)
			if !other.Generation.Computed() {
				from = append(from, other.Name)
			}
		}
	}
	slices.Sort(from)
	return from
}
