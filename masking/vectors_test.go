package masking

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/vectors anew; a vector that changes is a breaking change")

// A vectorSet pins the outputs of one transform for good: key 000102…1f, and a
// line of text each. The inputs stand here; the outputs stand in testdata/vectors.
type vectorSet struct {
	file    string
	vectors []vector
}

type vector struct {
	domain string
	col    Column
	spec   Spec
	in     []any
	by     any // the subject, for shift_days
}

var vectorSets = []vectorSet{
	{"null", []vector{{"d", Column{Kind: Text}, Spec{Name: "null", Variant: true}, []any{"a", ""}, nil}}},
	{"constant", []vector{
		{"d", Column{Kind: Text}, constant("!disabled"), []any{"a", "", " ", nil}, nil},
		{"d", Column{Kind: Date}, constant("2000-02-29"), []any{int32(1), nil}, nil},
		{"d", Column{Kind: Timestamp}, constant("2000-02-29 12:00:00Z"), []any{int64(1)}, nil},
	}},
	{"token", []vector{
		{"customers", Column{Kind: Text}, Spec{Name: "token", Variant: "hex"}, []any{"a", "b", "ä", "a value of more than sixteen bytes", "", "  ", nil}, nil},
		{"orders", Column{Kind: Text}, Spec{Name: "token", Variant: "hex"}, []any{"a"}, nil},
		{"customers", Column{Kind: Text}, Spec{Name: "token", Variant: "base32"}, []any{"a", "b"}, nil},
		{"customers", Column{Kind: Text}, Spec{Name: "token", Variant: "hex", Params: params("length", int64(70))}, []any{"a", "b"}, nil},
		{"customers", Column{Kind: Text, MaxChars: 5}, Spec{Name: "token", Variant: "base32"}, []any{"a"}, nil},
	}},
	{"pseudonym", []vector{
		{"customers", Column{Kind: Int, Bits: 16}, id, []any{int64(0), int64(1), int64(2), int64(16384), int64(32767), int64(-1), int64(-32768), nil}, nil},
		{"customers", Column{Kind: Int, Bits: 32}, id, []any{int64(0), int64(1), int64(2), int64(1<<30 - 1), int64(1 << 30), int64(1<<31 - 1), int64(-1), int64(-1 << 31)}, nil},
		{"customers", Column{Kind: Int, Bits: 64}, id, []any{int64(1), int64(2), int64(1 << 31), int64(1 << 53), int64(1<<63 - 1), int64(-1 << 63)}, nil},
		{"orders", Column{Kind: Int, Bits: 32}, id, []any{int64(1)}, nil},
		{"customers", Column{Kind: Int, Bits: 32}, ranged(int64(1), int64(1000)), []any{int64(1), int64(2), int64(1000)}, nil},
		{"customers", Column{Kind: Int, Bits: 64}, ranged(int64(1), int64(10_000_000_000)), []any{int64(1), int64(2), int64(10_000_000_000)}, nil},
		{"customers", Column{Kind: Text}, id, []any{"1", "-5", "0"}, nil},
		{"customers", Column{Kind: Text}, guid, []any{"6f1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2c", "6F1E4D3C-2B1A-4F0E-9D8C-7B6A5F4E3D2C", "6f1e4d3c2b1a4f0e9d8c7b6a5f4e3d2c", "01890a5d-ac96-774b-bcce-b302099a8057", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001", ""}, nil},
		{"customers", Column{Kind: UUID}, guid, []any{"\x6f\x1e\x4d\x3c\x2b\x1a\x4f\x0e\x9d\x8c\x7b\x6a\x5f\x4e\x3d\x2c"}, nil},
	}},
	{"email", []vector{
		{"customers", Column{Kind: Text}, email(), []any{"ann.smith@corp.example", " Ann.Smith@Corp.Example", "bob@corp.example", "", nil}, nil},
		{"customers", Column{Kind: Text}, email("domain", "shop.test"), []any{"ann.smith@corp.example"}, nil},
		{"customers", Column{Kind: Text, MaxChars: 35}, email(), []any{"ann.smith@corp.example"}, nil},
		{"customers", Column{Kind: Text, MaxChars: 20}, email(), []any{"ann.smith@corp.example"}, nil},
	}},
	{"phone", []vector{
		{"customers", Column{Kind: Text}, phone(), []any{"+1 (212) 555-0123", "12125550123", "112", "123456", "+44 20 7946 0123 ext. 45", "call Ann", "+٩٦٦ ١١ ١٢٣ ٤٥٦٧", "", nil}, nil},
		{"customers", Column{Kind: Text}, phone("range", "reserved"), []any{"+1 (212) 555-0123", "555 0123", "112"}, nil},
	}},
	{"shift_days", []vector{
		{"customers", Column{Kind: Date}, shiftBy(30), []any{int32(0), int32(11016), int32(-719162), int32(2932896), nil}, nil},
		{"customers", Column{Kind: Date}, shiftBy(30, "by", "subject"), []any{int32(11016)}, int64(1)},
		{"customers", Column{Kind: Date}, shiftBy(30, "by", "subject"), []any{int32(11016)}, int64(2)},
		{"customers", Column{Kind: Date}, shiftBy(30, "by", "subject"), []any{int32(11016)}, "ann"},
		{"customers", Column{Kind: Date}, shiftBy(100, "within", "same_year"), []any{int32(10957), int32(11016), int32(11322)}, nil},
		{"customers", Column{Kind: Timestamp}, shiftBy(30), []any{int64(0), int64(1), int64(-1)}, nil},
	}},
}

// addVectors adds sets to vectorSets when the package is initialised: each family
// has its own beside its other tests.
func addVectors(sets ...vectorSet) bool {
	vectorSets = append(vectorSets, sets...)
	return true
}

// TestVectors compares with testdata/vectors. After a change that is meant to
// change output, raise the transform's version, say so in the changelog, and
// run: go test -run TestVectors -update
func TestVectors(t *testing.T) {
	for _, set := range vectorSets {
		t.Run(set.file, func(t *testing.T) {
			path := filepath.Join("testdata", "vectors", set.file+".txt")
			lines := set.lines(t)
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				header := "# key 000102…1f; domain | column | transform | input | output\n"
				if err := os.WriteFile(path, []byte(header+strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var want []string
			for s := bufio.NewScanner(f); s.Scan(); {
				if !strings.HasPrefix(s.Text(), "#") {
					want = append(want, s.Text())
				}
			}
			if !slices.Equal(lines, want) {
				for i := range max(len(lines), len(want)) {
					if i >= len(lines) || i >= len(want) || lines[i] != want[i] {
						t.Fatalf("line %d changed; yesterday's pseudonyms no longer join today's", i+1)
					}
				}
			}
		})
	}
}

func (set vectorSet) lines(t *testing.T) (lines []string) {
	for _, v := range set.vectors {
		c := &lawCase{spec: v.spec, col: v.col}
		if v.spec.Name == "shuffle" {
			c.counted = countedVector[v.col.Kind]
		}
		var subjects []any
		if v.by != nil {
			kind := Int
			switch v.by.(type) {
			case string:
				kind = Text
			case float64:
				kind = Float
			}
			c.by = &Column{Kind: kind}
			subjects = slices.Repeat([]any{v.by}, len(v.in))
		}
		out := c.mask(t, c.bind(t, fixedKey(t), v.domain), true, v.in, subjects)
		for i := range out {
			lines = append(lines, fmt.Sprintf("%s | %s | %s | %s | %s",
				v.domain, columnWords(v.col), specWords(v), spell(v.in[i]), spell(out[i])))
		}
	}
	return lines
}

func columnWords(c Column) string {
	s := c.Kind.String()
	if c.Bits > 0 {
		s += strconv.Itoa(c.Bits)
	}
	if c.MaxChars > 0 {
		s += fmt.Sprintf("(%d)", c.MaxChars)
	}
	if c.Element != nil {
		s += " of " + columnWords(*c.Element)
	}
	for i, f := range c.Fields {
		s += map[bool]string{true: " of ", false: ", "}[i == 0] + columnWords(f)
	}
	return s
}

func specWords(v vector) string {
	variant, _ := json.Marshal(v.spec.Variant)
	if v.spec.Inner != nil {
		variant = []byte("{" + specWords(vector{spec: *v.spec.Inner}) + "}")
	}
	if v.spec.Paths != nil {
		var paths []string
		for _, p := range v.spec.Paths {
			paths = append(paths, p.Path+": {"+specWords(vector{spec: p.Spec})+"}")
		}
		variant = []byte("{" + strings.Join(paths, ", ") + "}")
	}
	s := fmt.Sprintf("%s: %s", v.spec.Name, variant)
	names := make([]string, 0, len(v.spec.Params))
	for name := range v.spec.Params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value, _ := json.Marshal(v.spec.Params[name])
		s += fmt.Sprintf(", %s: %s", name, value)
	}
	if v.by != nil {
		s += " = " + spell(v.by)
	}
	return s
}

// spell writes a value so that a line of text holds it.
func spell(v any) string {
	if v == nil {
		return "NULL"
	}
	if s, isText := v.(string); isText {
		return strconv.Quote(s)
	}
	return fmt.Sprint(v)
}

// Every transform of the registry has vectors, and each of its variants.
func TestEveryVariantHasVectors(t *testing.T) {
	pinned := map[string]bool{}
	for _, set := range vectorSets {
		for _, v := range set.vectors {
			pinned[v.spec.Name], pinned[variantName(v.spec)] = true, true
		}
	}
	for _, name := range Standard().Names() {
		if !pinned[name] {
			t.Errorf("no vector of %s", name)
		}
		for _, v := range Standard().Factory(name).Describe().Variants {
			if !pinned[name+" "+v] {
				t.Errorf("no vector of %s %s", name, v)
			}
		}
	}
}
