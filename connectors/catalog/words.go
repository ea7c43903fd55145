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

// StatisticsOf reports whether the object is one of extended statistics of that table, which
// PostgreSQL names in its words alone.
func (o *Object) StatisticsOf(id TableID) bool {
	of := o.StatisticsTable()
	return of != "" && of == strings.ReplaceAll(id.String(), `"`, "")
}

// StatisticsTable is the table of an object that is one of extended statistics, without the quotes
// of its name, or "".
func (o *Object) StatisticsTable() string {
	i := strings.LastIndex(o.Definition, " FROM ")
	if o.Kind != "extended statistics" || i < 0 {
		return ""
	}
	return strings.ReplaceAll(strings.TrimSpace(o.Definition[i+len(" FROM "):]), `"`, "")
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

// Casts are the types that PostgreSQL writes behind :: in an expression, in their order.
func Casts(expression string) (types []string) {
	for _, s := range cast.FindAllString(expression, -1) {
		if name, is := strings.CutPrefix(s, "::"); is {
			types = append(types, strings.TrimSpace(name))
		}
	}
	return types
}

// token is a part of an expression: a column's name is in the first group, in quotes, or in
// the second; other parts have none.
var token = regexp.MustCompile(`(?i)` + literal +
	`|::\s*` + typeName +
	`|\bas\s+` + typeName + `(?:\s+(?:charset|character\s+set)\s+\w+)?\s*\)` +
	`|\bat\s+time\s+zone\b` +
	`|\bcollate\s+(?:\w+\.)?(?:` + quotedName + `|\w+)` +
	`|\bextract\s*\(\s*\w+\s+from\b|\btimestamp(?:diff|add)\s*\(\s*\w+|\binterval\s+[\w.']+\s+\w+` +
	`|\bcase\b` +
	`|(?:` + quotedName + `|\w+)\s*\(` +
	`|(` + quotedName + `)|([\pL_][\pL\pN_$]*)`)

// reserved are the keywords of expressions that name a column only in quotes.
var reserved = []string{"and", "as", "between", "collate", "distinct", "else", "exists", "from", "in", "is", "isnull", "not", "notnull", "null", "or", "select", "then", "when"}

// spoken returns the names that an expression has where columns may stand, as they are
// spelled there, without their quotes.
func spoken(expression string) (names []string) {
	cases := 0
	for _, m := range token.FindAllStringSubmatch(expression, -1) {
		word := strings.ToLower(m[2])
		switch {
		case strings.EqualFold(m[0], "case"):
			cases++
		case m[1] != "":
			quote := m[1][:1]
			names = append(names, strings.ReplaceAll(m[1][1:len(m[1])-1], quote+quote, quote))
		case word == "end" && cases > 0:
			cases--
		case word != "" && !slices.Contains(reserved, word):
			names = append(names, word)
		}
	}
	return names
}

// ComputedFrom returns the columns that the table's computed column of that name is made
// of, those behind other computed columns included, as far as the expressions tell.
func (t *Table) ComputedFrom(name string) (from []string) {
	seen := map[string]bool{name: true}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		col := t.Column(queue[0])
		if col == nil || !col.Generation.Computed() {
			continue
		}
		names := spoken(col.Computation)
		for _, other := range t.Columns {
			named := Names(col.Computation, "["+other.Name+"]") || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, other.Name) })
			if seen[other.Name] || !named {
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
