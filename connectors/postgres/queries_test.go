package postgres

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// A server reads all of a query, comments too, in the encoding of its database, which need not have
// a character beyond ASCII.
func TestQueriesAreASCII(t *testing.T) {
	entries, err := queries.ReadDir("queries")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		sql := query(strings.TrimSuffix(e.Name(), ".sql"))
		for n, line := range strings.Split(sql, "\n") {
			if strings.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) {
				t.Errorf("%s, line %d: %s", e.Name(), n+1, line)
			}
		}
	}
}

// inSQL is what a text in Go has that is sent to a server, and no message has.
var inSQL = regexp.MustCompile(`\bpg_catalog\.|^ ?(SELECT|SET|BEGIN|COPY|ALTER|CREATE|DROP|LOCK|INSERT|UPDATE|DELETE|WITH|COMMENT|GRANT) .* \w|^--`)

// What is sent beside the queries is ASCII, too, but for names and values.
func TestStatementsAreASCII(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	positions := gotoken.NewFileSet()
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(positions, f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if l, is := n.(*ast.BasicLit); is && l.Kind == gotoken.STRING && inSQL.MatchString(strings.Trim(l.Value, "\"`")) &&
				strings.ContainsFunc(l.Value, func(r rune) bool { return r >= utf8.RuneSelf }) && !strings.Contains(l.Value, "…") {
				t.Errorf("%s: %s", positions.Position(l.Pos()), l.Value)
			}
			return true
		})
	}
}
