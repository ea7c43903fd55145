package policies

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// readerFiles hold the complaints that a policy's text alone can cause.
var readerFiles = []string{"load.go", "language.go", "language_sections.go", "fields.go", "do.go", "extend.go"}

// complaint is one place in the source that complains.
type complaint struct {
	at      string
	format  string
	pattern *regexp.Regexp // of what it says
}

var verb = regexp.MustCompile(`%[0-9]*[a-zA-Z%]`)

// complaints finds the formats of all complaints of the reader.
func complaints(t *testing.T) (found []complaint) {
	t.Helper()
	// The place of the format among the arguments.
	places := map[string]int{"fail": 2, "failAt": 3, "weaker": 2, "refuse": 2}
	files := token.NewFileSet()
	for _, name := range readerFiles {
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			function := ""
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				function = f.Sel.Name
			case *ast.Ident:
				function = f.Name
			}
			place, complains := places[function]
			if !complains || len(call.Args) <= place {
				return true
			}
			text, ok := call.Args[place].(*ast.BasicLit)
			if !ok || text.Kind != token.STRING {
				return true // passed on
			}
			format, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			var quoted []string
			for _, part := range verb.Split(format, -1) {
				quoted = append(quoted, regexp.QuoteMeta(part))
			}
			found = append(found, complaint{files.Position(call.Pos()).String(), format, regexp.MustCompile(strings.Join(quoted, `[^\n]+`))})
			return true
		})
	}
	if len(found) < 80 {
		t.Fatalf("%d complaints in %v: is the reader elsewhere?", len(found), readerFiles)
	}
	return found
}
