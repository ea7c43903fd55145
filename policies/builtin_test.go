package policies

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/masking"
)

// Each built-in policy documents each of its classes, and masks all but one.
func TestBuiltins(t *testing.T) {
	if got := Builtins(); !slices.Equal(got, []string{"eu-pii", "hipaa-safe-harbor", "pci"}) {
		t.Fatalf("built-in policies %v", got)
	}
	for _, name := range Builtins() {
		p, text, err := Builtin(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p.Header.Name != name || len(p.Header.Profiles) != 1 || len(text) == 0 || Pin(name) != "builtin/"+name+"#sha256:"+p.Digest {
			t.Errorf("%s: header %+v, pin %s", name, p.Header, Pin(name))
		}
		for _, c := range p.Classes {
			if c.Doc == "" || !strings.HasSuffix(c.Doc, ".") {
				t.Errorf("%s: class %s has the doc %q", name, c.Name, c.Doc)
			}
			if (c.Do.Name == "keep") != (c.Name == Public) || (c.Kind == "not_personal") != (c.Name == Public) {
				t.Errorf("%s: class %s is %s and does %s", name, c.Name, c.Kind, c.Do)
			}
			if (c.Kind == "special") && c.Do.Name != "null" || c.Kind == "secret" && c.Do.Name != "constant" {
				t.Errorf("%s: class %s is %s and does %s", name, c.Name, c.Kind, c.Do)
			}
		}
	}
	if _, _, err := Builtin("eu"); err == nil || Pin("eu") != "" || Pin("../builtin/pci") != "" {
		t.Error("a built-in policy that does not exist")
	}
}

// Safe Harbor has eighteen letters, and a class says which it is for.
func TestBuiltinLetters(t *testing.T) {
	p, _, err := Builtin("hipaa-safe-harbor")
	if err != nil {
		t.Fatal(err)
	}
	for letter := 'A'; letter <= 'R'; letter++ {
		if !slices.ContainsFunc(p.Classes, func(c *Class) bool { return strings.Contains(c.Doc, fmt.Sprintf("(%c)", letter)) }) {
			t.Errorf("no class for (%c)", letter)
		}
	}
}

// The transforms of the built-in policies bind to a column of the sort that they are for.
func TestBuiltinsBind(t *testing.T) {
	reg := masking.Standard()
	for _, name := range Builtins() {
		p, _, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		p.Keys = []KeySource{{Name: "k", Scope: "k", From: "ephemeral"}}
		for _, c := range p.Classes {
			if c.Do.Name == "keep" {
				continue
			}
			bound := slices.ContainsFunc([]masking.Column{
				{Kind: masking.Text, MaxChars: 200, Charset: masking.Unicode}, {Kind: masking.Int, Bits: 64, NarrowBits: 64},
				{Kind: masking.UUID}, {Kind: masking.Date}, {Kind: masking.Numeric, Precision: 12, Scale: 2},
			}, func(col masking.Column) bool {
				_, err := reg.Bind(testKey(t), col, p.spec(c.Name, c.Do), nil)
				return err == nil
			})
			if !bound {
				t.Errorf("%s: class %s does %s, which fits no column", name, c.Name, c.Do)
			}
		}
	}
}

// All of them go together, in any order, and the same classes come out.
func TestBuiltinsTogether(t *testing.T) {
	var first string
	for _, order := range [][]string{{"eu-pii", "hipaa-safe-harbor", "pci"}, {"pci", "hipaa-safe-harbor", "eu-pii"}, {"hipaa-safe-harbor", "eu-pii", "pci"}} {
		var pins []string
		for _, name := range order {
			pins = append(pins, fmt.Sprintf("%q", Pin(name)))
		}
		p, err := Parse("p.yaml", []byte("extends: ["+strings.Join(pins, ", ")+"]\n"+minimal))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, c := range p.Classes {
			lines = append(lines, fmt.Sprintf("%s %s %s", c.Name, c.Kind, c.Do))
		}
		slices.Sort(lines)
		profiles := slices.Clone(p.Header.Profiles)
		slices.Sort(profiles)
		got := strings.Join(append(lines, profiles...), "\n")
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("the order %v gives\n%s\nand not\n%s", order, got, first)
		}
		if do := p.Class("birth_date").Do.String(); do != `{"null": true}` {
			t.Errorf("birth_date does %s: the stronger of two counts", do)
		}
	}
}
