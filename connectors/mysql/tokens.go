package mysql

import "strings"

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
