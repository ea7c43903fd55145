package sqlite

import (
	"slices"
	"strings"
)

// The pragmas do not tell all of a table: the names of its constraints, whether
// a foreign key is deferrable, a column's collation. Those are read from the
// CREATE TABLE statement, which SQLite has parsed before and found good.

// token is a word, a quoted name, or one other character of a statement.
type token struct {
	text   string // without quotes
	quoted bool   // a name, never a keyword
	// Where it stands in the statement, with its quotes.
	start, end int
}

func (t token) is(keyword string) bool { return !t.quoted && strings.EqualFold(t.text, keyword) }

// tokens splits a statement. Comments are left out.
func tokens(sql string) []token {
	var all []token
	for i := 0; i < len(sql); {
		c := sql[i]
		switch {
		case strings.HasPrefix(sql[i:], "--"):
			end := strings.IndexByte(sql[i:], '\n')
			if end < 0 {
				return all
			}
			i += end
		case strings.HasPrefix(sql[i:], "/*"):
			end := strings.Index(sql[i+2:], "*/")
			if end < 0 {
				return all
			}
			i += 2 + end + 2
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			i++
		case c == '\'' || c == '"' || c == '`' || c == '[':
			// A literal too: SQLite takes it for a name where only a name can stand.
			text, n := quotedToken(sql[i:])
			all = append(all, token{text: text, quoted: true, start: i, end: i + n})
			i += n
		case wordByte(c):
			start := i
			for i < len(sql) && wordByte(sql[i]) {
				i++
			}
			all = append(all, token{text: sql[start:i], start: start, end: i})
		default:
			all = append(all, token{text: sql[i : i+1], start: i, end: i + 1})
			i++
		}
	}
	return all
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// quotedToken reads a quoted token at the start of s: its content, and its length.
func quotedToken(s string) (string, int) {
	end := s[0]
	if end == '[' {
		i := strings.IndexByte(s, ']')
		if i < 0 {
			return s[1:], len(s)
		}
		return s[1:i], i + 1
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != end {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == end {
			b.WriteByte(end)
			i++
			continue
		}
		return b.String(), i + 1
	}
	return b.String(), len(s)
}

// statement is what is read from a CREATE TABLE.
type statement struct {
	keys          []declaredKey
	foreign       []declaredForeign // in the order in which they are written
	collations    map[string]string // by column, as it is spelled there
	computations  map[string]string // of computed columns, by column, as it is spelled there
	checks        []declaredCheck
	autoincrement bool

	sql string
}

type declaredCheck struct {
	name   string
	text   string // with its parentheses
	tokens []token
}

type declaredKey struct {
	name    string
	primary bool
	columns []string
}

type declaredForeign struct {
	name       string
	deferrable bool
}

// keyName returns the name of the key over exactly these columns, or "".
func (s statement) keyName(primary bool, columns []string) string {
	for _, k := range s.keys {
		if k.primary == primary && k.name != "" && slices.EqualFunc(k.columns, columns, strings.EqualFold) {
			return k.name
		}
	}
	return ""
}

// parseTable reads the constraints of a CREATE TABLE statement.
func parseTable(sql string) statement {
	s := statement{collations: map[string]string{}, computations: map[string]string{}, sql: sql}
	all := tokens(sql)
	open := slices.IndexFunc(all, func(t token) bool { return t.is("(") })
	if open < 0 {
		return s // CREATE TABLE … AS is stored with a list of columns
	}
	var part []token
	depth := 0
	for _, t := range all[open:] {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
		if depth == 1 && t.is(",") || depth == 0 {
			s.part(part[min(1, len(part)):])
			part = []token{{text: ","}}
			if depth == 0 {
				return s
			}
			continue
		}
		part = append(part, t)
	}
	return s
}

// part reads one column, or table constraints, between two commas.
func (s *statement) part(part []token) {
	if len(part) == 0 {
		return
	}
	column := ""
	first := part[0]
	if !first.is("CONSTRAINT") && !first.is("PRIMARY") && !first.is("UNIQUE") && !first.is("CHECK") && !first.is("FOREIGN") {
		column = first.text
		part = part[1:]
	}
	name := ""
	table := false // within a table's own FOREIGN KEY
	depth := 0
	for i, t := range part {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
		if depth > 0 {
			continue
		}
		next := func(n int) token {
			if i+n < len(part) {
				return part[i+n]
			}
			return token{}
		}
		switch {
		case t.is("CONSTRAINT"):
			name = next(1).text
		case t.is("PRIMARY") && next(1).is("KEY"):
			s.keys = append(s.keys, declaredKey{name: name, primary: true, columns: columnsOf(column, part[i+2:])})
			name = ""
		case t.is("UNIQUE"):
			s.keys = append(s.keys, declaredKey{name: name, columns: columnsOf(column, part[i+1:])})
			name = ""
		case t.is("AUTOINCREMENT"):
			s.autoincrement = true
		case t.is("CHECK"):
			if inner := enclosed(part[i+1:]); inner != nil {
				s.checks = append(s.checks, declaredCheck{name, s.text(inner), inner})
			}
			name = ""
		case t.is("AS") && column != "":
			if inner := enclosed(part[i+1:]); inner != nil {
				s.computations[column] = s.text(inner)
			}
		case t.is("FOREIGN") && next(1).is("KEY"):
			s.foreign = append(s.foreign, declaredForeign{name: name})
			name, table = "", true
		case t.is("REFERENCES"):
			if !table {
				s.foreign = append(s.foreign, declaredForeign{name: name})
				name = ""
			}
			table = false
		case t.is("DEFERRABLE") && len(s.foreign) > 0:
			s.foreign[len(s.foreign)-1].deferrable = i == 0 || !part[i-1].is("NOT")
		case t.is("COLLATE") && column != "":
			s.collations[column] = next(1).text
		}
	}
}

// enclosed returns the tokens from an opening parenthesis to its closing one, or nil
// where none opens.
func enclosed(rest []token) []token {
	depth := 0
	for i, t := range rest {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
		if depth == 0 {
			if i == 0 {
				return nil
			}
			return rest[:i+1]
		}
	}
	return nil
}

// text returns tokens as the statement spells them.
func (s *statement) text(all []token) string {
	return s.sql[all[0].start:all[len(all)-1].end]
}

// columnsOf returns the column itself, or the names in the list that follows.
func columnsOf(column string, rest []token) []string {
	if column != "" {
		return []string{column}
	}
	var names []string
	start := true
	for _, t := range rest {
		switch {
		case t.is("(") || t.is(","):
			start = true
		case t.is(")"):
			return names
		case start:
			names = append(names, t.text)
			start = false
		}
	}
	return names
}

// mentions reports whether a statement names one of the objects.
func mentions(sql string, names []string) bool {
	for _, t := range tokens(sql) {
		for _, n := range names {
			if strings.EqualFold(t.text, n) {
				return true
			}
		}
	}
	return false
}
