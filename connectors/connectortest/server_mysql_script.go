package connectortest

import (
	"os"
	"strings"
	"testing"
)

// Load runs a file of SQL as the mysql program would, DELIMITER included, and fails at its
// first error. A script may make a database of its own and use it.
func (s *MySQLServer) Load(tb testing.TB, database, path string) {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	s.Script(tb, database, string(text))
}

// Script runs SQL as the mysql program would, in one session.
func (s *MySQLServer) Script(tb testing.TB, database, text string) {
	tb.Helper()
	s.Exec(tb, database, splitMySQL(text)...)
}

// splitMySQL returns the statements of a script, without their delimiters and the comments
// in front of them. Comments within stay, since routines keep theirs.
func splitMySQL(text string) (statements []string) {
	delimiter := ";"
	begin := -1 // of the statement; -1 before its first word
	end := func(i int) {
		if begin >= 0 {
			statements = append(statements, strings.TrimSpace(text[begin:i]))
		}
		begin = -1
	}
	until := func(i int, mark string) int { // behind the next mark
		if n := strings.Index(text[i:], mark); n >= 0 {
			return i + n + len(mark)
		}
		return len(text)
	}
	for i := 0; i < len(text); {
		rest := text[i:]
		switch c := text[i]; {
		case strings.HasPrefix(rest, delimiter):
			end(i)
			i += len(delimiter)
		case begin < 0 && len(rest) > 10 && strings.EqualFold(rest[:10], "delimiter "):
			line, _, _ := strings.Cut(rest, "\n")
			delimiter = strings.TrimSpace(line[10:])
			i += len(line)
		case c == '#', strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' '):
			i = until(i, "\n")
		case strings.HasPrefix(rest, "/*") && !strings.HasPrefix(rest, "/*!") && !strings.HasPrefix(rest, "/*M!"):
			i = until(i+2, "*/")
		case c <= ' ':
			i++
		default:
			if begin < 0 {
				begin = i
			}
			i++
			if c != '\'' && c != '"' && c != '`' {
				break
			}
			for ; i < len(text) && text[i] != c; i++ { // a doubled quote is two texts
				if text[i] == '\\' && c != '`' {
					i++
				}
			}
			i++
		}
	}
	end(len(text))
	return statements
}
