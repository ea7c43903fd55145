package mysql

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The server's catalogs do not tell all of a definition, and what they tell of
// expressions they escape once more. So definitions are read from what SHOW CREATE
// prints, which the server has parsed before and found good.

// piece says what a part of a CREATE TABLE is.
type piece uint8

const (
	columnPiece piece = iota
	primaryPiece
	uniquePiece
	indexPiece // also FULLTEXT and SPATIAL
	foreignPiece
	checkPiece
	otherPiece // PERIOD FOR …
)

// tablePart is what stands between two commas of a CREATE TABLE.
type tablePart struct {
	piece  piece
	name   string // of the column, key or constraint
	text   string // without blanks around it
	tokens []token

	keys    []keyPart // of a key
	special bool      // FULLTEXT, SPATIAL, VECTOR: it orders nothing

	columns    []string // of a foreign key
	database   string   // that it points to, where it is named
	references string
	pointed    []string

	check string // of a check: the condition with its parentheses
}

// keyPart is a column, or an expression, of a key.
type keyPart struct {
	column     string
	length     int    // of the column's beginning that is indexed; 0 is all of it
	expression string // in the server's words, where column is empty
	descending bool
	overlaps   bool // a period, WITHOUT OVERLAPS
}

// tableText is a CREATE TABLE taken apart.
type tableText struct {
	head    string // CREATE TABLE `t`
	parts   []tablePart
	options string // behind the parenthesis: ENGINE=…
	// partitions is the clause PARTITION BY …, with the comment that it may stand in.
	partitions string
}

// parseTable takes apart what SHOW CREATE TABLE prints. It reports false for what is no
// such statement.
func parseTable(sql string) (t tableText, ok bool) {
	all := quoting{}.tokens(sql)
	open := slices.IndexFunc(all, func(w token) bool { return w.is("(") })
	if open < 2 || !all[0].is("CREATE") {
		return t, false
	}
	t.head = strings.TrimSpace(sql[:all[open].start])
	depth, from := 1, open+1
	for i := open + 1; i < len(all); i++ {
		switch w := all[i]; {
		case w.is("("):
			depth++
		case w.is(")"):
			depth--
		}
		if depth == 0 || depth == 1 && all[i].is(",") {
			if i > from {
				t.parts = append(t.parts, parsePart(sql, all[from:i]))
			}
			from = i + 1
		}
		if depth == 0 {
			t.options, t.partitions = cutPartitions(sql, all[i].end, all[i+1:])
			return t, true
		}
	}
	return t, false
}

// cutPartitions divides what stands behind the parts of a table.
func cutPartitions(sql string, from int, all []token) (options, partitions string) {
	for i, w := range all {
		if w.is("PARTITION") && i+1 < len(all) && all[i+1].is("BY") {
			at := w.start
			if i > 0 && all[i-1].sort == opensToken {
				at = all[i-1].start
			}
			return strings.TrimSpace(sql[from:at]), strings.TrimSpace(sql[at:])
		}
	}
	return strings.TrimSpace(sql[from:]), ""
}

// rebased returns a copy of a part's tokens, placed within its own text.
func rebased(all []token) []token {
	moved := slices.Clone(all)
	for i := range moved {
		moved[i].start -= all[0].start
		moved[i].end -= all[0].start
	}
	return moved
}

func parsePart(sql string, all []token) tablePart {
	p := tablePart{piece: otherPiece, text: sql[all[0].start:all[len(all)-1].end], tokens: rebased(all)}
	all = p.tokens
	if all[0].sort == nameToken {
		p.piece, p.name = columnPiece, all[0].text
		return p
	}
	if all[0].is("CONSTRAINT") {
		all = all[1:]
		if len(all) > 0 && all[0].sort == nameToken {
			p.name, all = all[0].text, all[1:]
		}
	}
	at := func(i int, keyword string) bool { return i < len(all) && all[i].is(keyword) }
	switch {
	case at(0, "FOREIGN") && at(1, "KEY"):
		p.foreign(all[2:])
	case at(0, "CHECK"):
		p.piece = checkPiece
		if g := closing(all[1:]); g > 0 {
			p.check = p.text[all[1].start:all[1+g].end]
		}
	case at(0, "PRIMARY") && at(1, "KEY"):
		p.piece, p.name = primaryPiece, "PRIMARY"
		p.key(all[2:])
	default:
		unique := false
		for len(all) > 0 && !at(0, "KEY") && !at(0, "INDEX") {
			unique = unique || at(0, "UNIQUE")
			p.special = p.special || at(0, "FULLTEXT") || at(0, "SPATIAL") || at(0, "VECTOR")
			if all[0].is("(") || all[0].is("PERIOD") {
				return p
			}
			all = all[1:]
		}
		if len(all) == 0 {
			return p
		}
		if p.piece = indexPiece; unique {
			p.piece = uniquePiece
		}
		p.key(all[1:])
	}
	return p
}

// closing returns the index of the parenthesis that closes the one at the start of all, or 0.
func closing(all []token) int {
	depth := 0
	for i, w := range all {
		switch {
		case w.is("("):
			depth++
		case w.is(")"):
			if depth--; depth == 0 {
				return i
			}
		}
		if depth == 0 {
			return 0
		}
	}
	return 0
}

// splitCommas divides tokens at commas that stand in no parenthesis.
func splitCommas(all []token) (parts [][]token) {
	depth, from := 0, 0
	for i, w := range all {
		switch {
		case w.is("("):
			depth++
		case w.is(")"):
			depth--
		case w.is(",") && depth == 0:
			parts = append(parts, all[from:i])
			from = i + 1
		}
	}
	return append(parts, all[from:])
}

// key reads name and columns of a key.
func (p *tablePart) key(all []token) {
	if len(all) > 0 && all[0].names() && p.name == "" {
		p.name = all[0].text
	}
	for len(all) > 0 && !all[0].is("(") {
		all = all[1:]
	}
	end := closing(all)
	if end == 0 {
		return
	}
	for _, w := range splitCommas(all[1:end]) {
		if len(w) == 0 {
			continue
		}
		var k keyPart
		last := w[len(w)-1]
		if k.descending = last.is("DESC"); k.descending || last.is("ASC") {
			w = w[:len(w)-1]
		}
		switch {
		case len(w) == 0:
			continue
		case w[0].sort == nameToken:
			k.column = w[0].text
			if len(w) >= 4 && w[1].is("(") && w[2].sort == numberToken {
				k.length, _ = strconv.Atoi(w[2].text)
			}
			k.overlaps = len(w) > 1 && w[1].is("WITHOUT")
		default:
			k.expression = p.text[w[0].start:w[len(w)-1].end]
		}
		p.keys = append(p.keys, k)
	}
}

// foreign reads a foreign key behind FOREIGN KEY.
func (p *tablePart) foreign(all []token) {
	p.piece = foreignPiece
	list := func() (names []string) {
		for len(all) > 0 && !all[0].is("(") {
			all = all[1:]
		}
		end := closing(all)
		for _, w := range all[:end] {
			if w.sort == nameToken {
				names = append(names, w.text)
			}
		}
		all = all[end:]
		return names
	}
	p.columns = list()
	for len(all) > 0 && !all[0].is("REFERENCES") {
		all = all[1:]
	}
	for _, w := range all {
		if w.sort == nameToken {
			p.database, p.references = p.references, w.text
		}
		if w.is("(") {
			break
		}
	}
	p.pointed = list()
}

// columnText is what a column's definition says beside its type.
type columnText struct {
	fallback  string // DEFAULT, as the server prints it; empty for none and for NULL
	computed  string // the expression of a generated column
	check     string // of a check within the definition, with its parentheses
	counts    bool   // AUTO_INCREMENT
	invisible bool
}

// ends lists what may follow the default of a column.
var ends = []string{"ON", "COMMENT", "CHECK", "INVISIBLE", "COLUMN_FORMAT", "STORAGE", "NOT", "AUTO_INCREMENT", "VISIBLE", "REF_SYSTEM_ID", "ENGINE_ATTRIBUTE", "WITHOUT", "WITH"}

// column reads the definition of a column.
func (p tablePart) column() (c columnText) {
	all := p.tokens
	for i := 1; i < len(all); i++ {
		switch w := all[i]; {
		case w.is("("):
			i += closing(all[i:]) // of the type
		case w.is("AUTO_INCREMENT"):
			c.counts = true
		case w.is("INVISIBLE"):
			c.invisible = true
		case w.is("CHECK"):
			if g := closing(all[i+1:]); g > 0 {
				c.check = p.text[all[i+1].start:all[i+1+g].end]
				i += 1 + g
			}
		case w.is("AS"):
			if g := closing(all[i+1:]); g > 0 {
				c.computed = inside(p.text[all[i+1].start:all[i+1+g].end])
				i += 1 + g
			} else if i+2 < len(all) && all[i+1].is("ROW") {
				c.computed = p.text[all[i+1].start:all[i+2].end] // ROW START, ROW END
			}
		case w.is("COMMENT"):
			i++ // a text
		case w.is("DEFAULT"):
			from := i + 1
			for i+1 < len(all) && all[i+1].sort != opensToken && !slices.ContainsFunc(ends, all[i+1].is) {
				if i++; all[i].is("(") {
					i += closing(all[i:])
				}
			}
			if i >= from && !(i == from && all[i].is("NULL")) {
				c.fallback = p.text[all[from].start:all[i].end]
			}
		}
	}
	return c
}

// inside returns what stands within a pair of parentheses.
func inside(s string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, "("), ")"))
}

// replacement is a piece of a statement to be replaced.
type replacement struct {
	start, end int
	with       string
}

// replaced returns a statement with its replacements made. They do not overlap, and are in order.
func replaced(sql string, cuts []replacement) string {
	if len(cuts) == 0 {
		return sql
	}
	var b strings.Builder
	at := 0
	for _, c := range cuts {
		b.WriteString(sql[at:c.start])
		b.WriteString(c.with)
		at = c.end
	}
	b.WriteString(sql[at:])
	return b.String()
}

// hexed returns a statement that says in hexadecimal what its texts say in bytes of another
// character set than the statement's own. The server prints those bytes behind the name of
// their set, _latin1'…', and would take them for characters of ours when it reads them again.
func hexed(sql string) string {
	all := quoting{}.tokens(sql)
	var cuts []replacement
	for i, w := range all {
		if w.sort != textToken || ascii(w.text) {
			continue
		}
		foreign := !utf8.ValidString(w.text)
		if i > 0 && all[i-1].sort == wordToken && all[i-1].end == w.start && w.text[0] == '\'' {
			set := strings.ToLower(all[i-1].text)
			foreign = foreign || set[0] == '_' && !strings.HasPrefix(set, "_utf8")
		}
		if foreign {
			cuts = append(cuts, replacement{start: w.start, end: w.end, with: " X'" + hex.EncodeToString([]byte(quoting{}.unquoteText(w.text))) + "'"})
		}
	}
	return replaced(sql, cuts)
}

// commented returns a part of a table in which what only MariaDB has stands in comments that MySQL
// skips, as later versions print it: of /*!100301 MySQL 5.7 and 8.0 take 10030 for a version
// of their own.
func commented(sql string, all []token) string {
	var changes []replacement
	for _, w := range all {
		if w.sort == opensToken && strings.HasPrefix(w.text, "/*!1") && len(w.text) == len("/*!100301") {
			changes = append(changes, replacement{start: w.start, end: w.end, with: "/*M" + w.text[2:]})
		}
	}
	return replaced(sql, changes)
}

// plainTexts returns a part of a table without the introducer that MySQL prints before the
// texts of expressions, _utf8mb4'…': it is the character set of every session of ours, and
// MariaDB loses the backslashes of a text that has one.
func plainTexts(sql string, all []token) string {
	var cuts []replacement
	for i, w := range all {
		if w.sort == textToken && i > 0 && all[i-1].end == w.start && all[i-1].is("_utf8mb4") {
			cuts = append(cuts, replacement{start: all[i-1].start, end: w.start})
		}
	}
	return replaced(sql, cuts)
}

// localOptions lists the options of a table or a partition that name something of the source's
// server: folders, files, keys, other servers. They stay behind.
var localOptions = []string{"TABLESPACE", "ENCRYPTION", "ENCRYPTED", "ENCRYPTION_KEY_ID", "CONNECTION", "NODEGROUP", "SECONDARY_ENGINE", "STORAGE"}

// bareOptions returns the options of a table, or its partitions, without AUTO_INCREMENT=n
// and without what names something of the source's server, and the names of the latter.
func bareOptions(sql string) (bare string, left []string) {
	all := quoting{}.tokens(sql)
	var cuts []replacement
	for i := 0; i < len(all); i++ {
		w := all[i]
		option := ""
		value := i + 1
		switch {
		case w.is("AUTO_INCREMENT"):
			option = "AUTO_INCREMENT"
		case (w.is("DATA") || w.is("INDEX")) && i+1 < len(all) && all[i+1].is("DIRECTORY"):
			option, value = strings.ToUpper(w.text)+" DIRECTORY", i+2
		case w.names():
			if at := slices.IndexFunc(localOptions, func(o string) bool { return strings.EqualFold(o, w.text) }); at >= 0 {
				option = localOptions[at]
			}
		}
		if option == "" || value >= len(all) {
			continue
		}
		// The names of partitions and columns are no options: those have values.
		has := all[value].is("=")
		if has {
			value++
		}
		if value >= len(all) || !has && option != "TABLESPACE" && option != "STORAGE" || all[value].sort == markToken {
			continue
		}
		c := replacement{start: w.start, end: all[value].end}
		if i > 0 && all[i-1].sort == opensToken && value+1 < len(all) && all[value+1].sort == closesToken {
			c = replacement{start: all[i-1].start, end: all[value+1].end}
		}
		for c.end < len(sql) && sql[c.end] == ' ' {
			c.end++
		}
		cuts = append(cuts, c)
		if option != "AUTO_INCREMENT" && !slices.Contains(left, option) {
			left = append(left, option)
		}
		i = value
	}
	return strings.TrimSpace(replaced(sql, cuts)), left
}
