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

// tokenSort says what a token is.
type tokenSort uint8

const (
	wordToken   tokenSort = iota // a keyword or a name without quotes
	nameToken                    // a quoted name, never a keyword
	textToken                    // a text in quotes
	numberToken                  // a number
	markToken                    // one other character
	opensToken                   // the beginning of a comment that is run: /*!80016 or /*M!100301
	closesToken                  // its end
)

// token is a piece of a statement.
type token struct {
	sort tokenSort
	text string // of a name: without quotes; else as it stands
	// Where it stands in the statement, with its quotes.
	start, end int
}

// is reports whether a token is a keyword or a mark.
func (t token) is(keyword string) bool {
	return (t.sort == wordToken || t.sort == markToken) && strings.EqualFold(t.text, keyword)
}

// names reports whether a token can be a name, with quotes or without.
func (t token) names() bool { return t.sort == wordToken || t.sort == nameToken }

// quoting is what a sql_mode says of quotes.
type quoting struct {
	ansi  bool // "x" is a name
	plain bool // a backslash is a backslash
}

// quotingOf reads a sql_mode.
func quotingOf(mode string) (q quoting) {
	for m := range strings.SplitSeq(strings.ToUpper(mode), ",") {
		switch strings.TrimSpace(m) {
		case "ANSI_QUOTES", "ANSI", "ORACLE", "MSSQL", "DB2", "MAXDB", "POSTGRESQL":
			q.ansi = true
		case "NO_BACKSLASH_ESCAPES":
			q.plain = true
		}
	}
	return q
}

// tokens splits a statement. Comments are left out, but for those that are run, which
// are a token at their beginning, one at their end, and what stands between. See MySQL's
// manual, "Lexical Structure" (11.1, 11.2, 11.7), and MariaDB's, "Comment Syntax".
func (q quoting) tokens(sql string) []token {
	var all []token
	run := 0 // comments that are run and have not ended
	add := func(s tokenSort, start, end int) {
		all = append(all, token{sort: s, text: sql[start:end], start: start, end: end})
	}
	for i := 0; i < len(sql); {
		c := sql[i]
		switch {
		case c <= ' ':
			i++
		case c == '#' || strings.HasPrefix(sql[i:], "--") && (i+2 == len(sql) || sql[i+2] <= ' '):
			end := strings.IndexByte(sql[i:], '\n')
			if end < 0 {
				return all
			}
			i += end
		case strings.HasPrefix(sql[i:], "/*"):
			end := i + 2
			if strings.HasPrefix(sql[end:], "!") || strings.HasPrefix(sql[end:], "M!") {
				end += 1 + strings.IndexByte(sql[end:], '!')
				for end < len(sql) && digit(sql[end]) {
					end++
				}
				add(opensToken, i, end)
				run++
				i = end
				continue
			}
			length := strings.Index(sql[end:], "*/")
			if length < 0 {
				return all
			}
			i = end + length + 2
		case run > 0 && strings.HasPrefix(sql[i:], "*/"):
			add(closesToken, i, i+2)
			run--
			i += 2
		case c == '`' || c == '"' && q.ansi:
			text, n := unquote(sql[i:])
			all = append(all, token{sort: nameToken, text: text, start: i, end: i + n})
			i += n
		case c == '\'' || c == '"':
			n := q.textLength(sql[i:])
			add(textToken, i, i+n)
			i += n
		case digit(c) || c == '.' && i+1 < len(sql) && digit(sql[i+1]) && (len(all) == 0 || all[len(all)-1].end < i || !all[len(all)-1].names()):
			end := i
			for end < len(sql) && (wordByte(sql[end]) || sql[end] == '.' && end+1 < len(sql) && digit(sql[end+1])) {
				end++
			}
			s := numberToken
			if strings.Trim(sql[i:end], "0123456789.") != "" && !strings.ContainsAny(sql[i:end], ".") && !numeral(sql[i:end]) {
				s = wordToken // a name may begin with a digit
			}
			add(s, i, max(end, i+1))
			i = max(end, i+1)
		case wordByte(c):
			end := i
			for end < len(sql) && wordByte(sql[end]) {
				end++
			}
			add(wordToken, i, end)
			i = end
		default:
			add(markToken, i, i+1)
			i++
		}
	}
	return all
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func wordByte(c byte) bool {
	return c == '_' || c == '$' || digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// numeral reports whether a word is a number with an exponent, or in hexadecimal or binary.
func numeral(s string) bool {
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0b") {
		return true
	}
	mantissa, exponent, has := strings.Cut(strings.ToLower(s), "e")
	return has && strings.Trim(mantissa, "0123456789") == "" && strings.Trim(exponent, "0123456789") == ""
}

// unquote reads a quoted name at the start of s: its content, and its length there.
func unquote(s string) (string, int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == s[0] {
			b.WriteByte(s[0])
			i++
			continue
		}
		return b.String(), i + 1
	}
	return b.String(), len(s)
}

// textLength returns the length of the text in quotes at the start of s.
func (q quoting) textLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && !q.plain:
			i++
		case s[i] == s[0]:
			if i+1 < len(s) && s[i+1] == s[0] {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(s)
}

// unquoteText returns what a text in quotes says.
func (q quoting) unquoteText(s string) string {
	if len(s) < 2 {
		return ""
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		c := s[i]
		if c == s[0] && s[i+1] == s[0] {
			i++
		} else if c == '\\' && !q.plain && i+1 < len(s)-1 {
			i++
			switch c = s[i]; c {
			case '0':
				c = 0
			case 'b':
				c = '\b'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case 'Z':
				c = 26
			case '%', '_':
				b.WriteByte('\\')
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

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
