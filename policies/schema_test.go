package policies

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/sanitize-db/sanitize/masking"
)

// compileSchema returns a validator, which also holds the schema against that of its draft.
func compileSchema(t testing.TB, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance is a policy as an editor gives it to a schema: dates are texts, as in YAML 1.2.
func instance(t testing.TB, text []byte) (any, bool) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) != 1 {
		return nil, false
	}
	var value func(n *yaml.Node) any
	value = func(n *yaml.Node) any {
		switch n.Kind {
		case yaml.MappingNode:
			m := map[string]any{}
			for i := 0; i+1 < len(n.Content); i += 2 {
				m[n.Content[i].Value] = value(n.Content[i+1])
			}
			return m
		case yaml.SequenceNode:
			list := []any{}
			for _, item := range n.Content {
				list = append(list, value(item))
			}
			return list
		case yaml.AliasNode:
			return value(n.Alias)
		}
		if n.Tag == "!!timestamp" {
			return n.Value
		}
		var v any
		if err := n.Decode(&v); err != nil {
			return n.Value
		}
		return v
	}
	return value(doc.Content[0]), true
}

// schema.json is what the reader's tables and the transforms make.
func TestSchema(t *testing.T) {
	golden(t, "schema.json", schema(masking.Standard()).encode())
	compileSchema(t, Schema())
}

// The fields of the schema are those of the reader.
func TestSchemaFields(t *testing.T) {
	s := schema(masking.Standard())
	fields := func(n node) []string {
		var names []string
		for name := range n["properties"].(node) {
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	of := func(n node, name string) node { return n["properties"].(node)[name].(node) }
	def := func(name string) node { return s.defs[name].(node) }
	table := def("table")["anyOf"].([]node)[1]
	for name, c := range map[string]struct {
		schema node
		reader []string
	}{
		"a policy":     {s.root, policyFields},
		"policy":       {of(s.root, "policy"), headerFields},
		"review":       {of(of(s.root, "policy"), "review"), reviewFields},
		"defaults":     {of(s.root, "defaults"), defaultFields},
		"a key":        {of(s.root, "keys")["additionalProperties"].(node), keyFields},
		"a class":      {def("class"), classFields},
		"a table":      {table, tableFields},
		"rows":         {def("rows"), slices.DeleteFunc(slices.Clone(rowsFields), func(s string) bool { return s == "with" })},
		"a column":     {def("column_long"), columnFields},
		"a path":       {def("part_long"), partFields},
		"risk":         {of(s.root, "risk")["items"].(node), riskFields},
		"edge_cases":   {of(s.root, "edge_cases"), edgeFields},
		"environments": {of(s.root, "environments"), environmentFields},
		"a waiver":     {of(s.root, "waivers")["items"].(node), waiverFields},
	} {
		want := slices.Sorted(slices.Values(c.reader))
		if got := fields(c.schema); !slices.Equal(got, want) {
			t.Errorf("%s has the fields %v, the reader knows %v", name, got, want)
		}
	}
	for _, name := range masking.Standard().Names() {
		d := masking.Standard().Factory(name).Describe()
		got := fields(def("do_" + name))
		want := []string{name}
		for _, p := range d.Params {
			want = append(want, p.Name)
		}
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("do %s has the fields %v, want %v", name, got, want)
		}
	}
}

// Every policy of the repository is one by the schema too.
func TestSchemaTakesPolicies(t *testing.T) {
	s := compileSchema(t, Schema())
	seen := 0
	check := func(name string, text []byte) {
		t.Helper()
		doc, ok := instance(t, text)
		if !ok {
			t.Errorf("%s is not YAML", name)
			return
		}
		seen++
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, pattern := range []string{"builtin/*.yaml", "testdata/init/*.yaml", "../testdata/policies/*.yaml", "testdata/extends/org.yaml", "testdata/extends/unit.yaml"} {
		files, _ := filepath.Glob(pattern)
		if len(files) == 0 {
			t.Errorf("no files %s", pattern)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			check(file, text)
		}
	}
	// Those that do not compile for what their transforms are given say so themselves.
	files, _ := filepath.Glob("testdata/compile/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(file, "/transform_") {
			continue
		}
		check(file, []byte(sections(t, string(text))["policy"]))
	}
	// The samples of the catalogue of transforms; those of documents give no reasons.
	for _, name := range masking.Standard().Names() {
		if slices.Contains(documents, name) {
			continue
		}
		for i, sample := range masking.Standard().Factory(name).Describe().Samples {
			spec := sample.Spec
			spec.Name = name
			check(fmt.Sprintf("sample %d of %s", i, name), []byte("version: 1\nkeys: {k: {from: ephemeral}}\ntables: {}\nclasses: {c: {kind: direct, do: "+DoOf(spec).String()+"}}\n"))
		}
	}
	if seen < 100 {
		t.Errorf("%d policies", seen)
	}
}

// beyondSchema are refused policies whose mistake a schema cannot see, and why.
var beyondSchema = map[string]string{
	"cycle":                  "classes that hold each other",
	"tag":                    "a schema sees values, and no tags",
	"directive":              "a schema sees values, and no directives",
	"field_names":            "to a schema every name is a text",
	"invisible":              "characters of comments",
	"second_document":        "a schema sees one document",
	"duplicate_key":          "a schema sees the last of two",
	"byte_order_mark":        "bytes before the values",
	"keys_exec":              "the words of a command",
	"keys_exec_quote":        "the words of a command",
	"keys_exec_variable":     "the spelling of a variable",
	"key_variable":           "the spelling of a variable",
	"environments_longer":    "two durations",
	"extends_changed":        "what a base is",
	"extends_itself":         "what a base is",
	"extends_circle":         "what a base is",
	"extends_broken":         "what a base is",
	"extends_hosts":          "what a base is",
	"extends_differ":         "what a base is",
	"extends_weaker":         "what a base is",
	"extends_waiver_expired": "what a base is",
	"extends_inside":         "what a base is",
}

// Every refused example is refused by the schema too, or it is said why it cannot be.
func TestSchemaRefuses(t *testing.T) {
	s := compileSchema(t, Schema())
	refused, seen := 0, map[string]bool{}
	check := func(name string, text []byte) {
		doc, ok := instance(t, text)
		if !ok {
			return // an editor says so without a schema
		}
		err := s.Validate(doc)
		_, beyond := beyondSchema[name]
		seen[name] = true
		switch {
		case err != nil:
			refused++
			if beyond {
				t.Errorf("%s is refused: it is not beyond the schema", name)
			}
		case !beyond:
			t.Errorf("%s is not refused", name)
		}
	}
	files, _ := filepath.Glob("testdata/errors/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		check(strings.TrimSuffix(filepath.Base(file), ".yaml"), text)
	}
	for _, f := range readMessages(t).Files {
		if name, isPolicy := strings.CutSuffix(f.Name, ".yaml"); isPolicy {
			check(name, f.Data)
		}
	}
	if refused < 30 {
		t.Errorf("%d refused", refused)
	}
	for name := range beyondSchema {
		if !seen[name] {
			t.Errorf("there is no example %s", name)
		}
	}
}

// The schema of a catalog knows its tables and columns, whatever they are called.
func TestSchemaFor(t *testing.T) {
	for _, name := range []string{"shop", "odd", "pagila", "sakila", "chinook-sqlite"} {
		c := readCatalog(t, name)
		s := compileSchema(t, SchemaFor(c))
		validate := func(text []byte) error {
			t.Helper()
			doc, ok := instance(t, text)
			if !ok {
				t.Fatal("not YAML")
			}
			return s.Validate(doc)
		}
		draft := Init(c, name)
		if err := validate(draft); err != nil {
			t.Errorf("%s: the draft is refused: %v", name, err)
		}
		for _, text := range []string{
			"tables: {no_such_table: drop}",
			fmt.Sprintf("tables: {%s: {columns: {no_such_column: public}}}", spell(c.Display(c.Tables[0].ID))),
			fmt.Sprintf("tables: {%s: {keep: [no_such_column]}}", spell(c.Display(c.Tables[0].ID))),
		} {
			if err := validate([]byte("version: 1\nkeys: {k: {from: ephemeral}}\n" + text + "\n")); err == nil {
				t.Errorf("%s: %s is not refused", name, text)
			}
		}
	}
	text := string(SchemaFor(readCatalog(t, "shop")))
	for _, want := range []string{"By its name it may be email.", "and needs no line: it inherits the class.", `"default": "email"`, "primary key."} {
		if !strings.Contains(text, want) {
			t.Errorf("the schema of shop does not say %q", want)
		}
	}
}
