package masking

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// malformedAs is paths with the parameter malformed.
func malformedAs(what string, pairs ...any) Spec {
	s := paths(pairs...)
	s.Params = params("malformed", what)
	return s
}

// tripleFactory makes a transform of numbers and instants that takes no text: the
// kinds that it has been given, times three, or three hours later.
type tripleFactory struct{ kinds []Kind }

func (f tripleFactory) Describe() Description {
	return Description{Name: "triple", Version: 1, Summary: "Triples.", Kinds: f.kinds}
}

func (tripleFactory) Bind(req Request) (Binding, error) {
	return Binding{Transform: triple{req.Column.Kind}, Guarantees: Guarantees{Deterministic: true, KeepsNull: true}}, nil
}

type triple struct{ kind Kind }

func (t triple) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	switch t.kind {
	case Float:
		b := newFixedBuilder[float64](mem, in)
		for i, v := range in.(*array.Float64).Float64Values() {
			b.values[i] = 3 * v
		}
		return b.finish(), nil
	case Date:
		b := newFixedBuilder[int32](mem, in)
		for i, v := range in.(*array.Date32).Date32Values() {
			b.values[i] = int32(v) + 3
		}
		return b.finish(), nil
	case Int, Timestamp:
		b := newFixedBuilder[int64](mem, in)
		for i, v := range ints(in) {
			if b.values[i] = 3 * v; t.kind == Timestamp {
				b.values[i] = v + 3*3_600_000_000
			}
		}
		return b.finish(), nil
	case Bool:
		in.Retain()
		return in, nil
	}
	// A numeric gets a 3 in front.
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, 2*values.size())
	for i := range values.n {
		v := values.value(i)
		out.grow(len(v) + 1)
		digits := strings.TrimPrefix(string(v), "-")
		out.buf = append(out.buf, v[:len(v)-len(digits)]...)
		out.buf = append(out.buf, '3')
		out.buf = append(out.buf, digits...)
		out.end()
	}
	return out.finish(), nil
}

func bindTriple(t testing.TB, spec Spec, kinds ...Kind) Transform {
	t.Helper()
	b, err := NewRegistry(jsonFactory{}, tripleFactory{kinds}).Bind(textKey, Column{Kind: JSON}, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.Transform
}

func TestJSONWildcards(t *testing.T) {
	for _, c := range []struct {
		name     string
		spec     Spec
		in, want string
	}{
		{"every member", paths("$.a.*", pathKeep, "*", pathDrop), `{"a":{"x":1,"y":{"z":2}},"b":3}`, `{"a":{"x":1,"y":{"z":2}}}`},
		{"every member's member", paths("$.*.b", pathKeep, "*", pathDrop), `{"a":{"b":1,"c":2},"d":{"b":3},"e":4}`, `{"a":{"b":1},"d":{"b":3}}`},
		{"a name before a wildcard", paths("$.*", pathKeep, "$.b", pathDrop, "*", pathDrop), `{"a":1,"b":2,"c":3}`, `{"a":1,"c":3}`},
		{"a name before a wildcard, in any order", paths("$.b", pathDrop, "$.*", pathKeep, "*", pathDrop), `{"a":1,"b":2,"c":3}`, `{"a":1,"c":3}`},
		{"below a name a wildcard still holds", paths("$.a.x", pathDrop, "$.*.y", pathDrop, "*", pathKeep), `{"a":{"x":1,"y":2,"z":3},"b":{"x":4,"y":5}}`, `{"a":{"z":3},"b":{"x":4}}`},
		{"what crosses, named", paths("$.a.*", pathKeep, "$.*.b", pathDrop, "$.a.b", pathKeep, "*", pathDrop), `{"a":{"b":1,"c":2},"d":{"b":3,"c":4}}`, `{"a":{"b":1,"c":2}}`},
		{"elements of elements", paths("$.a[*][*]", pathKeep, "*", pathDrop), `{"a":[[1,[2]],3],"b":[[4]]}`, `{"a":[[1,[2]]]}`},
		{"a wildcard goes into no array", paths("$.*", pathKeep, "*", pathDrop), `[1,{"a":2}]`, `null`},
		{"at every depth", paths("$..secret", pathDrop, "*", pathKeep), `{"secret":1,"a":[{"secret":2,"b":{"secret":{"c":3},"d":4}}]}`, `{"a":[{"b":{"d":4}}]}`},
		{"at every depth below", paths("$.a..b", pathKeep, "*", pathDrop), `{"b":0,"a":{"b":1,"c":{"b":2,"d":3},"e":[{"b":4}]}}`, `{"a":{"b":1,"c":{"b":2},"e":[{"b":4}]}}`},
		{"a path before one at every depth", paths("$..b", pathDrop, "$.a.b", pathKeep, "*", pathKeep), `{"b":1,"a":{"b":2,"c":{"b":3}}}`, `{"a":{"b":2,"c":{}}}`},
		{"two at every depth", paths("$..b", pathDrop, "$..a.b", pathKeep, "*", pathKeep), `{"b":1,"x":{"a":{"b":2},"b":3}}`, `{"x":{"a":{"b":2}}}`},
		{"what is dropped at every depth but for one", paths("$..a", pathDrop, "$..a.b", pathKeep, "*", pathKeep), `{"x":{"a":{"b":2,"c":3,"d":{"e":4}},"f":[{"a":5}]}}`, `{"x":{"a":{"b":2},"f":[{}]}}`},
		{"every element at every depth", paths("$..[*]", pathDrop, "*", pathKeep), `{"a":[1,[2]],"b":{"c":[3]}}`, `{"a":[],"b":{"c":[]}}`},
		{"a key that no path names goes with all that is in it", paths("$..email", pathKeep, "*", pathDrop),
			`{"by_mail":{"ann@x":{"email":1,"y":2},"bob@x":{"y":3},"cid@x":{}},"eve@x":{"y":[{"z":{}},[],4]},"b":{"c":{"email":null},"d":{"y":1}}}`,
			`{"by_mail":{"ann@x":{"email":1}},"b":{"c":{"email":null}}}`},
		{"one that nothing is left of", paths("$..email", pathKeep, "*", pathDrop), `{ "ann@x": {"y": {"z": [[{}]]}} }`, `{}`},
		{"one before and one behind", paths("$..email", pathKeep, "*", pathDrop), `{"a":{"y":1},"email":2,"b":{"y":[{"z":1}]},"c":[{"email":3},{"y":4}]}`, `{"email":2,"c":[{"email":3},{}]}`},
		{"a key at a wildcard", paths("$.by_mail.*.email", pathKeep, "*", pathDrop), `{"by_mail":{"ann@x":{"y":1},"bob@x":{"email":1},"eve@x":[{"email":2}]}}`, `{"by_mail":{"bob@x":{"email":1}}}`},
		{"named ones stay, but not below one that does not", paths("$.a.b.email", pathKeep, "$.*.c.email", pathKeep, "*", pathDrop), `{"a":{"b":{"y":1},"c":{"y":2}},"ann@x":{"c":{"y":3}}}`, `{"a":{"b":{},"c":{}}}`},
		{"inside of what is masked", paths("$..email", pathShape, "*", pathDrop), `{"email":{"ann@x":{"y":1},"email":"Ann"}}`, `{"email":{"email":"Oyy"}}`},
		{"inside of what is kept", paths("$.*", pathKeep, "$.*.secret", pathDrop, "$.*.secret.ok", pathKeep, "*", pathDrop), `{"a":{"secret":{"y":1},"b":{"y":{}}}}`, `{"a":{"secret":{},"b":{"y":{}}}}`},
		{"an odd key at every depth", paths("$..['a b']", pathDrop, "*", pathKeep), `{"x":{"a b":1,"c":2}}`, `{"x":{"c":2}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := applyTextual(t, bindJSON(t, Column{Kind: JSON}, c.spec).Transform, c.in)[0]; got != c.want {
				t.Errorf("%s\nbecame %s\nwant   %s", c.in, got, c.want)
			}
		})
	}
}

// A key that no path names may be a value, and comes along with what is in it.
func TestKeysThatStayAreToldOf(t *testing.T) {
	const members = "members that it does not name keep their names, which may tell as much as their values"
	hstore := func(spec Spec) Binding {
		t.Helper()
		b, err := Standard().Bind(textKey, Column{Kind: Hstore, Table: "t", Name: "c"}, spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	of := func(kv ...any) Binding { return bindJSON(t, Column{Kind: JSON}, paths(kv...)) }
	for what, c := range map[string]struct {
		b    Binding
		want []string
	}{
		"names":           {of("$.a.b", pathShape, "$.c[*]", pathShape, "*", pathDrop), nil},
		"at every depth":  {of("$..email", pathShape, "*", pathDrop), []string{"path $..email: " + members}},
		"at a wildcard":   {of("$.a.*", pathShape, "$.*[*].b", pathKeep, "*", pathDrop), []string{"path $.a.*: " + members, "path $.*[*].b: " + members}},
		"dropped":         {of("$..email", pathDrop, "$.a.*", pathDrop, "*", pathDrop), nil},
		"hstore":          {hstore(fieldsOf("a", pathShape, "*", pathDrop)), nil},
		"all of a hstore": {hstore(fieldsOf("a", pathDrop, "*", pathShape)), []string{"keys that are not named stay as they are, and may tell as much as their values"}},
	} {
		var got []string
		for _, w := range c.b.Warnings {
			if strings.Contains(w, "as much as") {
				got = append(got, w)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

func TestJSONTooManyWildcards(t *testing.T) {
	// The subsets of the states behind .. double with every wildcard after it.
	spec := paths("$..a"+strings.Repeat(".*", 20), pathDrop, "*", pathKeep)
	_, err := jsonRegistry().Bind(textKey, Column{Kind: JSON}, spec, nil)
	if be, is := err.(*BindError); !is || !strings.Contains(be.Reason, "too many") {
		t.Errorf("%v", err)
	}
}

func TestJSONNumbers(t *testing.T) {
	all := paths("$[*]", Spec{Name: "triple"}, "*", pathDrop)
	for _, c := range []struct {
		name     string
		kinds    []Kind
		in, want string
	}{
		{"numeric", []Kind{Numeric}, `[1, -2.50, 1e2, 12.5e-1, 0.5E1, 5e-3, -0, "4.50", "04", "1e400", 1e400, "x", true, null]`, `[31, -32.50, 3100, 31.25, 35, 30.005, -30, "34.50", null]`},
		{"integers beside numerics", []Kind{Int, Numeric}, `[1, 1.0, 1.5, "2", "2.5", 99999999999999999999]`, `[3, 31.0, 31.5, "6", "32.5", 399999999999999999999]`},
		{"floats", []Kind{Float}, `[1, 1.5, 1e400, "0.5", 1e20]`, `[3, 4.5, "1.5", 3e+20]`},
		{"floats that leave the numbers", []Kind{Float}, `[1e308, "1e308"]`, `[null, "Infinity"]`},
		{"booleans", []Kind{Bool}, `[true, false, "true", "t", 1]`, `[true, false, "true"]`},
		{"instants", []Kind{Timestamp}, `["2024-02-29T22:00:00.500Z", "2024-02-29 22:00+02", "2024-02-29", "infinity", "0044-02-29 22:00:00 BC"]`, `["2024-03-01T01:00:00.500Z", "2024-03-01 01:00+02"]`},
		{"dates and instants", []Kind{Date, Timestamp}, `["2024-02-29T22:00:00,5+0530", "2024-02-29", "soon"]`, `["2024-03-01T01:00:00,5+0530", "2024-03-03"]`},
		{"dates", []Kind{Date}, `["2024-02-29T22:00:00Z", "2024-02-29"]`, `["2024-03-03T22:00:00Z", "2024-03-03"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := applyTextual(t, bindTriple(t, all, c.kinds...), c.in)[0]
			if got != c.want {
				t.Errorf("%s\nbecame %s\nwant   %s", c.in, got, c.want)
			}
			if !json.Valid([]byte(got.(string))) {
				t.Error("not JSON")
			}
		})
	}
}

func TestJSONThatIsMalformed(t *testing.T) {
	in := []any{`{"a":"Mary","b":[1}`, `{"a":"Ann","id":7}`, nil, "", `{"a":"x","id":1`, strings.Repeat("[", 1001) + strings.Repeat("]", 1001), `{"id":2}`}
	for what, gone := range map[string]any{"null": nil, "drop": "null"} {
		tr := bindJSON(t, Column{Kind: JSON}, malformedAs(what, "$.a", pathShape, "$.id", pathID, "*", pathDrop)).Transform
		out := applyTextual(t, tr, in...)
		want := []any{gone, fmt.Sprintf(`{"a":"%s","id":%d}`, maskedBy(t, pathShape, "Ann"), maskedID(t, pathID, 7)), nil, "", gone, gone, fmt.Sprintf(`{"id":%d}`, maskedID(t, pathID, 2))}
		for i := range want {
			if out[i] != want[i] {
				t.Errorf("malformed: %s: row %d became %v, want %v", what, i, out[i], want[i])
			}
		}
	}
}
