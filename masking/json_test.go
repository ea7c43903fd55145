package masking

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

var (
	pathKeep     = Spec{Name: "keep"}
	pathDrop     = Spec{Name: "drop"}
	pathShape    = Spec{Name: "shape", Variant: "text", Domain: "d"}
	pathID       = Spec{Name: "pseudonym", Variant: "id", Domain: "ids", Params: map[string]any{"range": []any{int64(1), int64(1000)}}}
	pathNull     = Spec{Name: "null", Variant: true, Domain: "d"}
	pathShift    = Spec{Name: "shift_days", Variant: int64(30), Domain: "d"}
	pathConstant = Spec{Name: "constant", Variant: `say "hi"` + "\n\x01é", Domain: "d"}
)

func jsonRegistry() *Registry {
	return NewRegistry(jsonFactory{}, shapeFactory{}, fakeFactory{}, pseudonymFactory{}, nullFactory{}, constantFactory{}, shiftFactory{}, tokenFactory{}, negateFactory{})
}

// negateFactory makes a transform that takes integers and no text.
type negateFactory struct{}

func (negateFactory) Describe() Description { return Description{Name: "negate", Kinds: []Kind{Int}} }

func (negateFactory) Bind(Request) (Binding, error) {
	return Binding{Transform: negate{}, Guarantees: Guarantees{Deterministic: true}}, nil
}

type negate struct{}

func (negate) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	b := array.NewInt64Builder(mem)
	defer b.Release()
	for _, v := range in.(*array.Int64).Int64Values() {
		b.Append(-v)
	}
	return b.NewArray(), nil
}

// paths makes a spec of path, transform, path, transform, …
func paths(pairs ...any) Spec {
	s := Spec{Name: "json", Domain: "d"}
	for i := 0; i < len(pairs); i += 2 {
		s.Paths = append(s.Paths, PathSpec{Path: pairs[i].(string), Spec: pairs[i+1].(Spec)})
	}
	return s
}

func bindJSON(t testing.TB, col Column, spec Spec) Binding {
	t.Helper()
	b, err := jsonRegistry().Bind(textKey, col, spec, nil)
	if err != nil {
		t.Fatalf("bind: %v", err)
	}
	return b
}

// masked returns what a transform makes of one text.
func maskedBy(t testing.TB, spec Spec, in string) string {
	t.Helper()
	b, err := jsonRegistry().Bind(textKey, Column{Kind: Text}, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return applyTextual(t, b.Transform, in)[0].(string)
}

func maskedID(t testing.TB, spec Spec, in int64) int64 {
	t.Helper()
	b, err := jsonRegistry().Bind(textKey, Column{Kind: Int, Bits: 64}, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	ib := array.NewInt64Builder(memory.DefaultAllocator)
	ib.Append(in)
	out, err := b.Transform.Apply(memory.DefaultAllocator, ib.NewArray())
	if err != nil {
		t.Fatal(err)
	}
	return out.(*array.Int64).Value(0)
}

func TestJSONKeepsAndDrops(t *testing.T) {
	for _, c := range []struct {
		name     string
		spec     Spec
		in, want string
	}{
		{"all kept, byte for byte", paths("*", pathKeep), " { \"b\" : 1.00 ,\t\"a\":[ 1e5 , null,true ],\"a\" : \"\\u0041\" }\n", " { \"b\" : 1.00 ,\t\"a\":[ 1e5 , null,true ],\"a\" : \"\\u0041\" }\n"},
		{"all dropped", paths("*", pathDrop), `{"a":1,"b":[2]}`, `null`},
		{"a listed first member", paths("$.a", pathKeep, "*", pathDrop), `{"a":1,"b":2,"c":3}`, `{"a":1}`},
		{"a listed middle member", paths("$.b", pathKeep, "*", pathDrop), `{"a":1,"b":2,"c":3}`, `{"b":2}`},
		{"a listed last member", paths("$.c", pathKeep, "*", pathDrop), `{"a":1,"b":2,"c":3}`, `{"c":3}`},
		{"first and last", paths("$.a", pathKeep, "$.c", pathKeep, "*", pathDrop), `{"a":1,"b":2,"c":3}`, `{"a":1,"c":3}`},
		{"white space around what goes", paths("$.a", pathKeep, "$.c", pathKeep, "*", pathDrop), "{ \"a\" : 1 ,\n \"b\" : 2 ,\n \"c\" : 3 }", "{ \"a\" : 1 ,\n \"c\" : 3 }"},
		{"one dropped of many", paths("$.b", pathDrop, "*", pathKeep), `{"a":1,"b":2,"c":3}`, `{"a":1,"c":3}`},
		{"the first dropped", paths("$.a", pathDrop, "*", pathKeep), `{"a":1,"b":2}`, `{"b":2}`},
		{"the last dropped", paths("$.b", pathDrop, "*", pathKeep), `{"a":1,"b":2}`, `{"a":1}`},
		{"the only one dropped", paths("$.a", pathDrop, "*", pathKeep), `{"a":1}`, `{}`},
		{"twice the same key", paths("$.a", pathDrop, "*", pathKeep), `{"a":1,"b":2,"a":3}`, `{"b":2}`},
		{"kept twice", paths("$.a", pathKeep, "*", pathDrop), `{"a":1,"b":2,"a":3}`, `{"a":1,"a":3}`},
		{"a key in escapes", paths("$.name", pathKeep, "*", pathDrop), `{"n\u0061me":1,"n\u0062me":2}`, `{"n\u0061me":1}`},
		{"an odd key", paths("$['odd key.[*]']", pathKeep, `$["it's"]`, pathKeep, `$['a\'b\\c']`, pathKeep, "*", pathDrop), `{"odd key.[*]":1,"it's":2,"x":3,"a'b\\c":4}`, `{"odd key.[*]":1,"it's":2,"a'b\\c":4}`},
		{"a key of no characters", paths("$['']", pathKeep, "*", pathDrop), `{"":1,"a":2}`, `{"":1}`},
		{"a subtree kept", paths("$.a", pathKeep, "*", pathDrop), `{"a":{"x":[1,{"y":2}]},"b":{"x":1}}`, `{"a":{"x":[1,{"y":2}]}}`},
		{"kept but for one", paths("$.a", pathKeep, "$.a.x.z", pathDrop, "*", pathDrop), `{"a":{"w":0,"x":{"y":1,"z":2}},"b":1}`, `{"a":{"w":0,"x":{"y":1}}}`},
		{"dropped but for one", paths("$.a", pathDrop, "$.a.x", pathKeep, "*", pathKeep), `{"a":{"w":0,"x":1},"b":1}`, `{"a":{"x":1},"b":1}`},
		{"deep", paths("$.a.b.c", pathKeep, "*", pathDrop), `{"a":{"b":{"c":1,"d":2},"c":3},"c":4}`, `{"a":{"b":{"c":1}}}`},
		{"nothing found at the end of a path", paths("$.a.b", pathKeep, "*", pathDrop), `{"a":{"c":1},"b":1}`, `{"a":{}}`},
		{"a path that ends early", paths("$.a.b", pathKeep, "*", pathDrop), `{"a":1,"c":2}`, `{}`},
		{"an array where an object is named", paths("$.a.b", pathKeep, "*", pathDrop), `{"a":[{"b":1}],"c":2}`, `{}`},
		{"elements", paths("$.a[*].b", pathKeep, "*", pathDrop), `{"a":[{"b":1,"c":2},{"c":3},4,{"b":5}]}`, `{"a":[{"b":1},{},{"b":5}]}`},
		{"elements dropped", paths("$.a[*].b", pathDrop, "*", pathKeep), `{"a":[{"b":1,"c":2},{"b":3},4]}`, `{"a":[{"c":2},{},4]}`},
		{"elements of elements", paths("$[*][*]", pathKeep, "*", pathDrop), `[[1,2],3,[],{"a":4},[5]]`, `[[1,2],[],[5]]`},
		{"the first and the last element dropped", paths("$[*].a", pathKeep, "*", pathDrop), `[1, {"a":2}, 3]`, `[ {"a":2}]`},
		{"all elements dropped", paths("$[*].a", pathKeep, "*", pathDrop), ` [ 1 , 2 ] `, ` [] `},
		{"the document", paths("$", pathKeep, "*", pathDrop), ` {"a":[1]} `, ` {"a":[1]} `},
		{"a scalar document kept", paths("*", pathKeep), ` "x" `, ` "x" `},
		{"a scalar document dropped", paths("*", pathDrop), ` "x" `, `null`},
		{"empty containers", paths("$.a", pathKeep, "$.b.c", pathKeep, "*", pathDrop), `{"a":{},"b":{ },"c":[ ]}`, `{"a":{},"b":{ }}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, kind := range []Kind{JSON, Text} {
				out := applyTextual(t, bindJSON(t, Column{Kind: kind}, c.spec).Transform, nil, c.in, "", c.in, "  ")
				if out[1] != c.want || out[3] != c.want {
					t.Errorf("%s\nbecame %s\nwant   %s", c.in, out[1], c.want)
				}
				if out[0] != nil || out[2] != "" || out[4] != "  " {
					t.Errorf("NULL and blanks became %q", out)
				}
			}
		})
	}
}

func TestJSONMasks(t *testing.T) {
	shape := func(s string) string { return maskedBy(t, pathShape, s) }
	quote := func(s string) string { return string(appendJSONString(nil, []byte(s))) }
	id := func(n int64) string { return fmt.Sprint(maskedID(t, pathID, n)) }
	for _, c := range []struct {
		name     string
		spec     Spec
		in, want string
	}{
		{"a string", paths("$.a", pathShape, "*", pathKeep), `{"a": "Mary", "b": "Mary"}`, `{"a": ` + quote(shape("Mary")) + `, "b": "Mary"}`},
		{"escapes are read before", paths("$.a", pathShape, "*", pathKeep), `{"a":"\u004dar\u0079"}`, `{"a":` + quote(shape("Mary")) + `}`},
		{"a pair of surrogates", paths("$.a", pathShape, "*", pathKeep), `{"a":"\ud83d\ude00 Mary"}`, `{"a":` + quote(shape("😀 Mary")) + `}`},
		{"lone surrogates", paths("$.a", pathShape, "*", pathKeep), `{"a":"\ud83dM\ude00\ud83d\u0041"}`, `{"a":` + quote(shape("\ufffdM\ufffd\ufffdA")) + `}`},
		{"escapes are written after", paths("$.a", pathShape, "*", pathKeep), `{"a":"\"q\\ \/ \b\f\n\r\t\u0001"}`, `{"a":` + quote(shape("\"q\\ / \b\f\n\r\t\x01")) + `}`},
		{"a result with quotes", paths("$.a", pathConstant, "*", pathKeep), `{"a":"x"}`, `{"a":"say \"hi\"\n\u0001é"}`},
		{"an empty string", paths("$.a", pathShape, "*", pathKeep), `{"a":"","b":" "}`, `{"a":"","b":" "}`},
		{"null stays", paths("$.a", pathShape, "*", pathShape), `{"a":null,"b":null}`, `{"a":null,"b":null}`},
		{"numbers as text", paths("$.a", pathShape, "*", pathKeep), `{"a":1234.5678}`, `{"a":` + shape("1234.5678") + `}`},
		{"booleans as text", paths("$.a", pathShape, "*", pathKeep), `{"a":true}`, `{"a":"` + shape("true") + `"}`},
		{"all else", paths("$.a", pathKeep, "*", pathShape), `{"a":"Mary","b":["Mary",{"c":"Ann"}]}`, `{"a":"Mary","b":[` + quote(shape("Mary")) + `,{"c":` + quote(shape("Ann")) + `}]}`},
		{"an object where a value is named", paths("$.a", pathShape, "*", pathShape), `{"a":{"b":"Mary"},"c":1}`, `{"c":` + shape("1") + `}`},
		{"an array where a value is named", paths("$.a", pathShape, "*", pathKeep), `{"x":0,"a":["Mary"],"c":1}`, `{"x":0,"c":1}`},
		{"paths inside what is masked", paths("$.a", pathShape, "$.a.b", pathKeep, "*", pathKeep), `{"a":{"b":"kept","c":"gone"}}`, `{"a":{"b":"kept"}}`},
		{"elements", paths("$.a[*]", pathShape, "*", pathDrop), `{"a":["Mary", "Ann" ,null]}`, `{"a":[` + quote(shape("Mary")) + `, ` + quote(shape("Ann")) + ` ,null]}`},
		{"integers", paths("$.id", pathID, "$.ids[*]", pathID, "*", pathDrop), `{"id":7,"ids":[8, 9.0 ,"10"],"x":7}`, `{"id":` + id(7) + `,"ids":[` + id(8) + `, ` + id(9) + ` ,"` + id(10) + `"]}`},
		{"what is no integer", paths("$[*]", Spec{Name: "negate"}, "*", pathDrop), `[1.5, 1e3, "x", "07", "", "-0", true, null, 99999999999999999999, 12, 13.00, "-14", "\u0031"]`, `[ null, -12, -13, "14"]`},
		{"null masks all", paths("$.a", pathNull, "$.b[*]", pathNull, "*", pathKeep), `{"a":"x","b":[1,true,"y",null]}`, `{"a":null,"b":[null,null,null,null]}`},
		{"a document that is a string", paths("$", pathShape, "*", pathDrop), ` "Mary" `, ` ` + quote(shape("Mary")) + ` `},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := applyTextual(t, bindJSON(t, Column{Kind: JSON}, c.spec).Transform, c.in, nil, c.in)
			if out[0] != c.want || out[2] != c.want || out[1] != nil {
				t.Errorf("%s\nbecame %s\nwant   %s", c.in, out[0], c.want)
			}
			if !json.Valid([]byte(out[0].(string))) {
				t.Errorf("not JSON")
			}
		})
	}
}

func TestJSONMasksDates(t *testing.T) {
	tr := bindJSON(t, Column{Kind: JSON}, paths("$[*]", pathShift, "*", pathDrop)).Transform
	out := applyTextual(t, tr, `["2024-02-29","2024-02-29T10:00:00.5Z","2024-02-29 10:00+02","2024-02-30","soon","2024-02-29 Mary","2024-02-29T",7,"1900-01-01"]`)[0].(string)
	var got []string
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[0] == "2024-02-29" || got[1] != got[0]+"T10:00:00.5Z" || got[2] != got[0]+" 10:00+02" || len(got[3]) != 10 || got[3] == "1900-01-01" {
		t.Errorf("%s", out)
	}
}

// Keys in documents join with keys in columns, whatever their width.
func TestJSONKeysJoinWithColumns(t *testing.T) {
	spec := Spec{Name: "pseudonym", Variant: "id", Domain: "ids"}
	for _, bits := range []int{16, 32, 64} {
		column, err := jsonRegistry().Bind(textKey, Column{Kind: Int, Bits: bits, NarrowBits: bits}, spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids := array.NewInt64Builder(memory.DefaultAllocator)
		ids.AppendValues([]int64{7, -9}, nil)
		masked, err := column.Transform.Apply(memory.DefaultAllocator, ids.NewArray())
		if err != nil {
			t.Fatal(err)
		}
		a, b := masked.(*array.Int64).Value(0), masked.(*array.Int64).Value(1)
		tr := bindJSON(t, Column{Kind: JSON, NarrowBits: bits}, paths("$.id", spec, "$.ids[*]", spec, "*", pathDrop)).Transform
		got := applyTextual(t, tr, `{"id":7,"ids":["7",-9,"-9",7.0]}`)[0]
		if want := fmt.Sprintf(`{"id":%d,"ids":["%d",%d,"%d",%d]}`, a, a, b, b, a); got != want {
			t.Errorf("%d bits: %s, want %s", bits, got, want)
		}
	}
}

// Values of one class are masked alike in a column and in a document, over batches of any size.
func TestJSONManyRows(t *testing.T) {
	tr := bindJSON(t, Column{Kind: JSON}, paths("$.name", pathShape, "$.id", pathID, "*", pathDrop)).Transform
	var in []any
	for i := range 1000 {
		in = append(in, fmt.Sprintf(`{"id":%d,"x":[1,2,{"y":"z"}],"name":"Name %d"}`, i%1000+1, i))
		if i%7 == 0 {
			in = append(in, nil, `{}`)
		}
	}
	seen := map[string]bool{}
	for i, got := range applyTextual(t, tr, in...) {
		if in[i] == nil || in[i] == "{}" {
			if got != in[i] {
				t.Fatalf("row %d: %v", i, got)
			}
			continue
		}
		var was, is struct {
			ID   int64
			Name string
		}
		if json.Unmarshal([]byte(in[i].(string)), &was) != nil || json.Unmarshal([]byte(got.(string)), &is) != nil {
			t.Fatalf("row %d is not JSON", i)
		}
		if seen[fmt.Sprint(is.ID)] || is.ID < 1 || is.ID > 1000 {
			t.Fatalf("row %d: id %d twice or out of range", i, is.ID)
		}
		seen[fmt.Sprint(is.ID)] = true
		if want := maskedBy(t, pathShape, was.Name); is.Name != want {
			t.Fatalf("row %d: %q, and in a column %q", i, is.Name, want)
		}
	}
}

var invalidJSON = []string{
	`{`, `}`, `[`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `{a:1}`, `{'a':1}`, `"`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\n\"", `01`, `-`, `1.`, `.5`, `1e`, `+1`, `1e+`,
	`tru`, `nul`, `truex`, `1 2`, `{"a":1}}`, `{"a":1 "b":2}`, `[1 2]`, `{"a":1;"b":2}`, `NaN`, "\ufeff1", `//`, `{"a":1,"b"}`, `{"a":{"b":[}}`, `[{]}`, `{"a":1]`, `[1}`, "\x00",
}

func TestJSONThatIsNoneIsAnErrorWithItsRow(t *testing.T) {
	for _, spec := range []Spec{paths("*", pathKeep), paths("*", pathDrop), paths("*", pathShape), paths("$.a", pathKeep, "*", pathDrop), paths("$[*]", pathShape, "$.a.b", pathDrop, "*", pathKeep)} {
		tr := bindJSON(t, Column{Kind: Text}, spec).Transform
		for _, in := range invalidJSON {
			_, err := tryTextual(t, tr, `{"a":"x"}`, nil, in)
			ve, is := err.(*ValueError)
			if !is || ve.Row != 2 {
				t.Errorf("%q: %v", in, err)
				continue
			}
			if strings.Contains(ve.Error(), in) && len(in) > 2 {
				t.Errorf("the error shows the value: %v", err)
			}
		}
	}
}

func TestJSONDepthIsBounded(t *testing.T) {
	nest := func(n int, opening, inner, closing string) string {
		return strings.Repeat(opening, n) + inner + strings.Repeat(closing, n)
	}
	for _, spec := range []Spec{paths("*", pathKeep), paths("*", pathDrop), paths("*", pathShape), paths("$[*]", pathKeep, "*", pathDrop)} {
		tr := bindJSON(t, Column{Kind: JSON}, spec).Transform
		for _, opening := range []string{"[", `{"a":`} {
			closing := map[string]string{"[": "]", `{"a":`: "}"}[opening]
			if _, err := tryTextual(t, tr, nest(maxDepth, opening, "1", closing)); err != nil {
				t.Errorf("%d deep: %v", maxDepth, err)
			}
			_, err := tryTextual(t, tr, nest(maxDepth+1, opening, "1", closing))
			if ve, is := err.(*ValueError); !is || !strings.Contains(ve.Reason, "deeper") {
				t.Errorf("%d deep: %v", maxDepth+1, err)
			}
			if _, err := tryTextual(t, tr, nest(5_000_000, opening, "", "")); err == nil {
				t.Error("five million deep passes")
			}
		}
	}
}

// The error of a path's transform names the row of the document and the path.
func TestJSONErrorsOfPathsNameTheRow(t *testing.T) {
	tr := bindJSON(t, Column{Kind: JSON}, paths("$.id", pathID, "$.n", pathShape, "*", pathDrop)).Transform
	_, err := tryTextual(t, tr, `{"id":1,"n":"a"}`, `{}`, nil, `{"n":"b","id":2000}`)
	ve, is := err.(*ValueError)
	if !is || ve.Row != 3 || !strings.Contains(ve.Reason, "path $.id") {
		t.Fatalf("%v", err)
	}
	if strings.Contains(ve.Error(), "2000") {
		t.Errorf("the error shows the value: %v", err)
	}
}

func TestJSONFitsTheColumn(t *testing.T) {
	tr := bindJSON(t, Column{Kind: Text, MaxChars: 20}, paths("$.a", Spec{Name: "constant", Variant: "ééééééééééé", Domain: "d"}, "*", pathKeep)).Transform
	if _, err := tryTextual(t, tr, `{"a":"x"}`); err != nil {
		t.Errorf("19 characters: %v", err)
	}
	_, err := tryTextual(t, tr, `{}`, `{"a":"x","b":1}`)
	if ve, is := err.(*ValueError); !is || ve.Row != 1 {
		t.Errorf("too long: %v", err)
	}
}

func TestJSONRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		col  Column
		spec Spec
		want string
	}{
		{"no *", Column{Kind: JSON}, paths("$.a", pathKeep), "does not name"},
		{"no paths", Column{Kind: JSON}, paths(), "does not name"},
		{"* twice", Column{Kind: JSON}, paths("*", pathKeep, "*", pathDrop), "twice"},
		{"a path twice", Column{Kind: JSON}, paths("$.a", pathKeep, "$['a']", pathDrop, "*", pathDrop), "twice"},
		{"no $", Column{Kind: JSON}, paths("a.b", pathKeep, "*", pathDrop), "$"},
		{"three dots", Column{Kind: JSON}, paths("$...a", pathKeep, "*", pathDrop), "no characters"},
		{"dots at the end", Column{Kind: JSON}, paths("$..", pathKeep, "*", pathDrop), "no characters"},
		{"a trailing dot", Column{Kind: JSON}, paths("$.a.", pathKeep, "*", pathDrop), "no characters"},
		{"an index", Column{Kind: JSON}, paths("$.a[0]", pathKeep, "*", pathDrop), "bracket"},
		{"an open bracket", Column{Kind: JSON}, paths("$['a'", pathKeep, "*", pathDrop), "closed"},
		{"an open quote", Column{Kind: JSON}, paths("$['a]", pathKeep, "*", pathDrop), "closed"},
		{"a star in a key", Column{Kind: JSON}, paths("$.a*", pathKeep, "*", pathDrop), "quotes"},
		{"two wildcards that cross", Column{Kind: JSON}, paths("$.a.*", pathKeep, "$.*.b", pathDrop, "*", pathDrop), "neither is nearer"},
		{"malformed what", Column{Kind: JSON}, malformedAs("panic", "*", pathDrop), "malformed"},
		{"malformed as NULL in a column that has none", Column{Kind: JSON, NotNull: true}, malformedAs("null", "*", pathDrop), "NOT NULL"},
		{"a blank in a key", Column{Kind: JSON}, paths("$.a b", pathKeep, "*", pathDrop), "quotes"},
		{"no dot", Column{Kind: JSON}, paths("$a", pathKeep, "*", pathDrop), "dot"},
		{"keep with a parameter", Column{Kind: JSON}, paths("*", Spec{Name: "keep", Variant: int64(1)}), "parameters"},
		{"an unknown transform", Column{Kind: JSON}, paths("$.a", Spec{Name: "nosuch"}, "*", pathDrop), "nosuch"},
		{"a transform that needs a column", Column{Kind: JSON}, paths("$.a", Spec{Name: "shift_days", Variant: int64(3), Params: map[string]any{"by": "id"}}, "*", pathDrop), "$.a"},
		{"integers", Column{Kind: Int}, paths("*", pathDrop), "kind"},
		{"labels", Column{Kind: Text, Labels: []string{"{}"}}, paths("*", pathDrop), "labels"},
	} {
		_, err := jsonRegistry().Bind(textKey, c.col, c.spec, nil)
		be, is := err.(*BindError)
		if !is || !strings.Contains(be.Reason, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestJSONTellsWhatItPins(t *testing.T) {
	b := bindJSON(t, Column{Kind: JSON}, paths("$.a", pathShape, "*", pathKeep))
	if !strings.Contains(b.Pinned, "$.a letters of Unicode") {
		t.Errorf("pinned: %q", b.Pinned)
	}
	if len(b.Warnings) != 1 || !b.Guarantees.Deterministic || b.Guarantees.Unique(1) {
		t.Errorf("%+v", b)
	}
}

// oracle does to a decoded document what the trie says.
type oracle struct{ rest *pathRule }

// value returns what becomes of a value, whether it is there, and whether it counts for the
// containers around it, of which no path names the key: these go with all that is in them.
func (o oracle) value(v any, node *pathNode, inherited *pathRule, unnamed, within bool) (was any, kept, stays bool) {
	rule := inherited
	if node != nil && node.rule != nil {
		rule = node.rule
	}
	inner := rule
	if rule.action == ruleMask && rule != o.rest {
		inner = dropRule
	}
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	if !isObject && !isList {
		if s, text := v.(string); rule.action == ruleMask && v != nil && !(text && blank([]byte(s))) {
			return "masked", true, true // what the fuzz target's constant makes of a scalar
		}
		return v, rule.action != ruleDrop, rule.action != ruleDrop
	}
	if node == nil || !node.goesOn(isObject) {
		if inner.action == ruleDrop {
			return nil, false, false
		}
		node = new(pathNode)
	}
	within = inner.action == ruleDrop && (unnamed || within)
	stays = !within
	members, elements := map[string]any{}, []any{}
	for k, e := range object {
		child := node.find([]byte(k))
		if e, kept, counts := o.value(e, child, inner, child == node.any, within); kept {
			members[k], stays = e, stays || counts
		}
	}
	for _, e := range list {
		if e, kept, counts := o.value(e, node.element, inner, false, within); kept {
			elements, stays = append(elements, e), stays || counts
		}
	}
	if unnamed && !stays {
		return nil, false, false
	}
	if isObject {
		return members, true, stays
	}
	return elements, true, stays
}

// decode reads a document with its numbers as they are spelled; twice reports that a key stands twice.
func decode(t *testing.T, text []byte) (v any, twice bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("not JSON")
	}
	count := 0
	tokens := json.NewDecoder(bytes.NewReader(text))
	tokens.UseNumber()
	for {
		if _, err := tokens.Token(); err != nil {
			break
		}
		count++
	}
	var size func(any) int
	size = func(v any) int {
		n := 1
		switch v := v.(type) {
		case map[string]any:
			n++
			for _, e := range v {
				n += 1 + size(e)
			}
		case []any:
			n++
			for _, e := range v {
				n += size(e)
			}
		}
		return n
	}
	return v, size(v) != count
}

func FuzzJSON(f *testing.F) {
	for _, s := range append([]string{
		`{"a":1,"b":[2,{"c":"x","d":null}],"c":{"d":true,"e":"\ud83d\ude00"}}`, ` [ 1 , [ ] , { } ] `, `{"a":{"b":{"c":1}},"b":[[1],{"c":2}]}`, `"\u0041"`, `{"\u0061":1,"a":2}`, `-0.1e+5`,
	}, invalidJSON...) {
		f.Add([]byte(s))
	}
	constant := Spec{Name: "constant", Variant: "masked", Domain: "d"}
	var bound []*jsonTransform
	for _, rest := range []Spec{pathKeep, pathDrop, constant} {
		for _, at := range []Spec{pathKeep, pathDrop, constant} {
			for _, spec := range []Spec{paths("$.a", at, "*", rest), paths("$.a.b", at, "$.b[*].c", at, "$.c", pathKeep, "$.c.d", pathDrop, "*", rest), paths("$[*][*]", at, "$.a", constant, "$.a.b", at, "*", rest), paths("$.*", at, "$..b", rest, "$.a[*]", constant, "*", rest)} {
				bound = append(bound, bindJSON(f, Column{Kind: Text}, spec).Transform.(*jsonTransform))
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if blank(in) {
			return
		}
		valid := json.Valid(in)
		depth := 0
		for _, c := range in {
			if c == '{' || c == '[' {
				depth++
			}
		}
		if depth > maxDepth {
			return
		}
		for i, tr := range bound {
			out, err := tryTextual(t, tr, string(in), `{"a":"x"}`, string(in))
			if (err == nil) != valid {
				t.Fatalf("transform %d: JSON %t, and %v", i, valid, err)
			}
			if !valid {
				continue
			}
			got := []byte(out[0].(string))
			if out[0] != out[2] || !json.Valid(got) {
				t.Fatalf("transform %d: not JSON, or not the same twice: %q", i, got)
			}
			if !utf8.Valid(in) {
				continue // encoding/json decodes it to something else
			}
			was, twice := decode(t, in)
			if twice {
				continue
			}
			want, kept, _ := oracle{tr.rest}.value(was, tr.root, tr.rest, false, false)
			if !kept {
				want = nil
			}
			is, _ := decode(t, got)
			a, _ := json.Marshal(want)
			b, _ := json.Marshal(is)
			if !bytes.Equal(a, b) {
				t.Fatalf("transform %d: %s, want %s", i, b, a)
			}
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	for _, c := range []struct {
		name string
		spec Spec
	}{
		{"keep", paths("*", pathKeep)},
		{"drop_one", paths("$.debug", pathDrop, "*", pathKeep)},
		{"list", paths("$.theme", pathKeep, "$.items[*].sku", pathKeep, "$.items[*].qty", pathKeep, "*", pathDrop)},
		{"mask_three", paths("$.contact.email", pathShape, "$.contact.name", Spec{Name: "fake", Variant: "person_name", Domain: "d"}, "$.id", Spec{Name: "pseudonym", Variant: "id", Domain: "d"}, "*", pathKeep)},
		{"shape_all", paths("*", pathShape)},
		{"wildcards", paths("$..phones[*]", pathShape, "$.items[*].*", pathKeep, "*", pathDrop)},
	} {
		b.Run(c.name, func(b *testing.B) {
			tr := bindJSON(b, Column{Kind: JSON}, c.spec).Transform
			in := benchmarkDocuments()
			a := textArray(memory.DefaultAllocator, in)
			defer a.Release()
			b.SetBytes(int64(len(a.(*array.Binary).ValueBytes())))
			b.ReportAllocs()
			for b.Loop() {
				out, err := tr.Apply(memory.DefaultAllocator, a)
				if err != nil {
					b.Fatal(err)
				}
				out.Release()
			}
		})
	}
	// What one would do otherwise, without the masking itself.
	b.Run("encoding_json", func(b *testing.B) {
		in := benchmarkDocuments()
		size := 0
		for _, doc := range in {
			size += len(doc.(string))
		}
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			for _, doc := range in {
				var v any
				if err := json.Unmarshal([]byte(doc.(string)), &v); err != nil {
					b.Fatal(err)
				}
				if _, err := json.Marshal(v); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func benchmarkDocuments() []any {
	in := make([]any, 1024)
	for i := range in {
		in[i] = fmt.Sprintf(`{"id": %d, "theme": "dark", "contact": {"email": "mary.smith%d@mail.example", "name": "Mary Smith", "phones": ["+1 555 0100", null]}, "items": [{"sku": "A-%d", "qty": 2, "price": 19.90, "tags": ["new", "sale"]}, {"sku": "B-77", "qty": 1, "price": 5.00, "note": "gift wrap \"red\" please"}], "debug": {"trace": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "ms": 12.5}, "active": true}`, i+1, i, i)
	}
	return in
}

// What stands behind a date is kept, so it is a time of day or nothing.
func TestTimesOfDay(t *testing.T) {
	for _, time := range []string{"", "T10:00", " 10:00:00", "t23:59:60.123456789z", "T10:00:00,5+0200", " 10:00:00-03:30", " 10:00 +02", "T24:00:00Z"} {
		if _, ok := parseDay([]byte("2024-02-29" + time)); !ok {
			t.Errorf("%q is refused", time)
		}
	}
	for _, other := range []string{
		" 0170 1234567", " 4111-1111-1111-1111", " 10:00 0170 1234567", " 10:00:00.4111111111111111", "T25:00", "T10:60", "T10:00:61", "T10",
		" ", "T", "T10:00 ", "T10:00Z ", "T10:00ZZ", "T10:00:", "T10:00:00.", "T10:00+", "T10:00+2", "T10:00+02:", "T10:00+02:000", " +49:17", "Z", "-07",
	} {
		if _, ok := parseDay([]byte("2024-02-29" + other)); ok {
			t.Errorf("%q passes for a time of day", other)
		}
	}
}
