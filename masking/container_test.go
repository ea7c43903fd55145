package masking

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// sameFactory makes a transform that gives back what it gets: what a walker makes of
// it shows the walker alone.
type sameFactory struct{}

func (sameFactory) Describe() Description {
	return Description{Name: "same", Version: 1, Summary: "Keeps."}
}

func (sameFactory) Bind(Request) (Binding, error) {
	return Binding{Transform: same{}, Guarantees: Guarantees{Deterministic: true, Injective: true, KeepsNull: true}}, nil
}

type same struct{}

func (same) Apply(_ memory.Allocator, in arrow.Array) (arrow.Array, error) {
	in.Retain()
	return in, nil
}

func containerRegistry() *Registry {
	return NewRegistry(eachFactory{}, fieldsFactory{}, jsonFactory{}, shapeFactory{}, fakeFactory{}, pseudonymFactory{}, nullFactory{}, constantFactory{},
		shiftFactory{}, tokenFactory{}, sameFactory{}, tripleFactory{[]Kind{Int, Float, Numeric, Date, Timestamp}})
}

func bindContainer(t testing.TB, col Column, spec Spec) Transform {
	t.Helper()
	b, err := containerRegistry().Bind(textKey, col, spec, nil)
	if err != nil {
		t.Fatalf("bind: %v", err)
	}
	return b.Transform
}

var (
	specSame   = Spec{Name: "same"}
	specTriple = Spec{Name: "triple"}
	specX      = Spec{Name: "constant", Variant: "x y"}

	// specOdd masks every text by one that wants all the quotes and escapes that there are.
	specOdd = Spec{Name: "constant", Variant: `a "b" \c, {d} (e)`}
)

// odd are texts that want care in one container or another.
var odd = []string{
	"", " ", "a", "NULL", "null", "nULl", "NULLs", `"`, `\`, `\\`, `""`, `\"`, ",", "{", "}", "{}", "(", ")", "[", "]", "a,b", " a", "a ", "a b", "\t", "\n", "\v", "é", "日本", "=>", ";", "'", "$", `\N`,
	"empty", `a\b"c`, "(1,2)", "[1,2)", `"q"=>"v"`, "\u00a0",
}

// printArray prints elements as PostgreSQL's array_out does; nil is NULL.
func printArray(elements []*string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, e := range elements {
		if i > 0 {
			b.WriteByte(',')
		}
		switch {
		case e == nil:
			b.WriteString("NULL")
		case *e == "" || strings.EqualFold(*e, "NULL") || strings.ContainsAny(*e, "\"\\{}, \t\n\v\f\r"):
			b.WriteString(`"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(*e) + `"`)
		default:
			b.WriteString(*e)
		}
	}
	return b.String() + "}"
}

// printRecord prints fields as record_out does.
func printRecord(fields []*string) string {
	var out []string
	for _, f := range fields {
		switch {
		case f == nil:
			out = append(out, "")
		case *f == "" || strings.ContainsAny(*f, "\"\\(), \t\n\v\f\r"):
			out = append(out, `"`+strings.NewReplacer(`"`, `""`, `\`, `\\`).Replace(*f)+`"`)
		default:
			out = append(out, *f)
		}
	}
	return "(" + strings.Join(out, ",") + ")"
}

// printHstore prints pairs as hstore_out does.
func printHstore(values []*string) string {
	var out []string
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(s) + `"`
	}
	for i, v := range values {
		value := "NULL"
		if v != nil {
			value = quote(*v)
		}
		out = append(out, quote(fmt.Sprintf(`key "%d"`, i))+"=>"+value)
	}
	return strings.Join(out, ", ")
}

func pickOdd(r *rand.Rand, n int) []*string {
	values := make([]*string, n)
	for i := range values {
		if r.IntN(6) > 0 {
			values[i] = &odd[r.IntN(len(odd))]
		}
	}
	return values
}

// What is masked by itself comes out byte for byte, and what is masked by odd texts is
// printed as PostgreSQL would print them.
func TestContainersQuote(t *testing.T) {
	r := randomly(7)
	masked := func(values []*string) []*string {
		out := make([]*string, len(values))
		for i, v := range values {
			if v == nil || blank([]byte(*v)) {
				out[i] = v
				continue
			}
			text := specOdd.Variant.(string)
			out[i] = &text
		}
		return out
	}
	text := &Column{Kind: Text}
	for name, c := range map[string]struct {
		col   Column
		print func([]*string) string
	}{
		"array":     {Column{Kind: Array, Element: text}, printArray},
		"composite": {Column{Kind: Composite, Fields: []Column{{Name: "a", Kind: Text}, {Name: "b", Kind: Text}, {Name: "c", Kind: Text}}}, printRecord},
		"hstore":    {Column{Kind: Hstore}, printHstore},
	} {
		var in, want []any
		for range 2000 {
			values := pickOdd(r, 3)
			in = append(in, c.print(values))
			want = append(want, c.print(masked(values)))
		}
		if got := applyTextual(t, bindContainer(t, c.col, eachOf(specSame)), in...); !slices.Equal(got, in) {
			t.Errorf("%s: what stays changes", name)
		}
		got := applyTextual(t, bindContainer(t, c.col, eachOf(specOdd)), in...)
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%s: %s became %s, want %s", name, in[i], got[i], want[i])
			}
		}
	}
}

func TestArrays(t *testing.T) {
	ofText, ofInt := Column{Kind: Array, Element: &Column{Kind: Text}}, Column{Kind: Array, Element: &Column{Kind: Int, Bits: 32}}
	for _, c := range []struct {
		name     string
		col      Column
		spec     Spec
		in, want string
	}{
		{"integers", ofInt, eachOf(specTriple), "{1,-2,NULL,30}", "{3,-6,NULL,90}"},
		{"none", ofInt, eachOf(specTriple), "{}", "{}"},
		{"two dimensions", ofInt, eachOf(specTriple), "{{1,2},{3,NULL}}", "{{3,6},{9,NULL}}"},
		{"bounds", ofInt, eachOf(specTriple), "[0:1][-1:0]={{1,2},{3,4}}", "[0:1][-1:0]={{3,6},{9,12}}"},
		{"white space stays", ofInt, eachOf(specTriple), " { 1 , 2 } ", " { 3 , 6 } "},
		{"NULL and the text NULL", ofText, eachOf(specX), `{NULL,"NULL",null,nulls}`, `{NULL,"x y",null,"x y"}`},
		{"the empty text stays", ofText, eachOf(specX), `{"",a}`, `{"","x y"}`},
		{"all NULL", ofText, eachOf(Spec{Name: "null", Variant: true}), `{a,{},"b,c"}`, `{NULL,{},NULL}`},
		{"escapes outside of quotes", ofText, eachOf(specSame), `{a\,b,\NULL}`, `{"a,b","NULL"}`},
		{"dates", Column{Kind: Array, Element: &Column{Kind: Date}}, eachOf(specTriple), `{2024-02-27,"0001-12-30 BC"}`, `{2024-03-01,0001-01-02}`},
		{"timestamps", Column{Kind: Array, Element: &Column{Kind: Timestamp}}, eachOf(specTriple), `{"2024-02-29 22:30:00.25+02"}`, `{"2024-03-01 01:30:00.25+02"}`},
		{"bytes", Column{Kind: Array, Element: &Column{Kind: Bytes}}, eachOf(Spec{Name: "constant", Variant: `\x00ff`}), `{"\\x01",NULL}`, `{"\\x00ff",NULL}`},
		{"booleans", Column{Kind: Array, Element: &Column{Kind: Bool}}, eachOf(Spec{Name: "constant", Variant: false}), `{t,f,NULL}`, `{f,f,NULL}`},
		{"documents", Column{Kind: Array, Element: &Column{Kind: JSON}}, eachOf(paths("$.a", specX, "*", pathDrop)), `{"{\"a\": \"b\", \"c\": 1}",NULL}`, `{"{\"a\": \"x y\"}",NULL}`},
		{"composites", Column{Kind: Array, Element: &Column{Kind: Composite, Fields: []Column{{Name: "a", Kind: Text}, {Name: "b", Kind: Int}, {Name: "c", Kind: Array, Element: &Column{Kind: Text}}}}},
			eachOf(fieldsOf("a", specOdd, "b", specTriple, "c", eachOf(specOdd))), `{"(\"a b\",2,\"{x,NULL}\")",NULL,"(,,)"}`,
			`{"(\"a \"\"b\"\" \\\\c, {d} (e)\",6,\"{\"\"a \\\\\"\"b\\\\\"\" \\\\\\\\c, {d} (e)\"\",NULL}\")",NULL,"(,,)"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := applyTextual(t, bindContainer(t, c.col, c.spec), c.in, nil, "", c.in)
			if out[0] != c.want || out[3] != c.want || out[1] != nil || out[2] != "" {
				t.Errorf("%s\nbecame %v\nwant   %s", c.in, out, c.want)
			}
		})
	}
}

func TestComposites(t *testing.T) {
	col := Column{Kind: Composite, Fields: []Column{
		{Name: "id", Kind: Int, Bits: 32}, {Name: "name", Kind: Text}, {Name: "born", Kind: Date}, {Name: "odd", Kind: Opaque},
	}}
	for _, c := range []struct {
		name     string
		spec     Spec
		in, want string
	}{
		{"some kept", fieldsOf("id", specTriple, "name", specX, "*", pathKeep), `(1,Mary,2024-02-29,"whatever ""it"" is")`, `(3,"x y",2024-02-29,"whatever ""it"" is")`},
		{"some dropped", fieldsOf("id", pathKeep, "born", specTriple, "*", pathDrop), `(1,"a, b",2024-02-28,x)`, `(1,,2024-03-02,)`},
		{"all named", fieldsOf("id", specTriple, "name", pathDrop, "born", pathKeep, "odd", pathDrop), `(1,Mary,,)`, `(3,,,)`},
		{"NULL and the empty text", fieldsOf("name", specX, "*", pathKeep), `(,"",,)`, `(,"",,)`},
		{"quotes in the middle", fieldsOf("name", specSame, "*", pathKeep), `(,a" b"c\,d,,)`, `(,"a bc,d",,)`},
		{"a mask that is NULL", fieldsOf("name", Spec{Name: "null", Variant: true}, "*", pathKeep), `(1,a,,)`, `(1,,,)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := applyTextual(t, bindContainer(t, col, c.spec), c.in, nil, c.in)
			if out[0] != c.want || out[2] != c.want || out[1] != nil {
				t.Errorf("%s\nbecame %v\nwant   %s", c.in, out, c.want)
			}
		})
	}
}

func TestRanges(t *testing.T) {
	of := func(kind Kind) Column { return Column{Kind: Range, Element: &Column{Kind: kind}} }
	for _, c := range []struct {
		name     string
		col      Column
		spec     Spec
		in, want string
	}{
		{"both bounds", of(Int), eachOf(specTriple), "[1,5)", "[3,15)"},
		{"no lower one", of(Int), eachOf(specTriple), "(,5]", "(,15]"},
		{"no upper one", of(Int), eachOf(specTriple), "[-5,)", "[-15,)"},
		{"none", of(Int), eachOf(specTriple), "(,)", "(,)"},
		{"empty", of(Int), eachOf(specTriple), "empty", "empty"},
		{"a multirange", of(Int), eachOf(specTriple), "{[1,3),[5,)}", "{[3,9),[15,)}"},
		{"an empty multirange", of(Int), eachOf(specTriple), "{}", "{}"},
		{"in quotes", of(Timestamp), eachOf(specTriple), `["2024-02-29 22:30:00","2024-03-01 00:00:00")`, `["2024-03-01 01:30:00","2024-03-01 03:00:00")`},
		{"numerics", of(Numeric), eachOf(specTriple), "[-2.50,1.0]", "[-32.50,31.0]"},
		{"another order", of(Numeric), eachOf(specTriple), "(9,10)", "(39,310)"},
		{"the order turns", of(Numeric), eachOf(specTriple), "[-9,-10.5)", "[-310.5,-39)"},
		{"the bounds meet", of(Int), eachOf(Spec{Name: "constant", Variant: int64(7)}), "[1,5)", "[7,7]"},
		{"NULLs", of(Int), eachOf(Spec{Name: "null", Variant: true}), "{[1,5),(,9]}", "{[,),(,]}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := applyTextual(t, bindContainer(t, c.col, c.spec), c.in, nil, c.in)
			if out[0] != c.want || out[2] != c.want || out[1] != nil {
				t.Errorf("%s\nbecame %v\nwant   %s", c.in, out, c.want)
			}
		})
	}
}

// Whatever the masks are, the lower bound is not above the upper one.
func TestRangesStayInOrder(t *testing.T) {
	spec := Spec{Name: "pseudonym", Variant: "id", Domain: "d"}
	tr := bindContainer(t, Column{Kind: Range, Element: &Column{Kind: Int, Bits: 32}}, eachOf(spec))
	var in []any
	for i := range 1000 {
		in = append(in, fmt.Sprintf("[%d,%d)", i, i+1+i%50))
	}
	turned := 0
	for i, got := range applyTextual(t, tr, in...) {
		var a, b int64
		if n, err := fmt.Sscanf(got.(string), "[%d,%d)", &a, &b); n != 2 || err != nil || a >= b {
			t.Fatalf("row %d has another form or order", i)
		}
		lower, upper := maskedID(t, spec, int64(i)), maskedID(t, spec, int64(i+1+i%50))
		if lower > upper {
			turned++
		}
		if a != min(lower, upper) || b != max(lower, upper) {
			t.Fatalf("row %d: the bounds are not those of the column", i)
		}
	}
	if turned == 0 {
		t.Error("no order turned: the test shows nothing")
	}
}

func TestCompareNumeric(t *testing.T) {
	order := []string{"-Infinity", "-100", "-20.5", "-20.49", "-0.01", "0", "0.01", "0.1", "1", "1.5", "9", "10", "100000000000000000000", "Infinity", "NaN"}
	for i, a := range order {
		for j, b := range order {
			want := 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			if got := compareNumeric([]byte(a), []byte(b)); got != want {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
	}
	for _, equal := range [][2]string{{"1.50", "1.5"}, {"-0", "0.00"}, {"-2", "-2.0"}} {
		if compareNumeric([]byte(equal[0]), []byte(equal[1])) != 0 {
			t.Errorf("%s is not %s", equal[0], equal[1])
		}
	}
}

func TestHstores(t *testing.T) {
	for _, c := range []struct {
		name     string
		spec     Spec
		in, want string
	}{
		{"each", eachOf(specX), `"a"=>"1", "b"=>NULL, "c"=>""`, `"a"=>"x y", "b"=>NULL, "c"=>""`},
		{"names", fieldsOf("a", specOdd, "b", pathKeep, "*", pathDrop), `"a"=>"1", "b"=>"2", "c"=>"3"`, `"a"=>"a \"b\" \\c, {d} (e)", "b"=>"2"`},
		{"the first dropped", fieldsOf("a", pathDrop, "*", pathKeep), `"a"=>"1", "b"=>"2"`, `"b"=>"2"`},
		{"all dropped", fieldsOf("*", pathDrop), `"a"=>"1", "b"=>"2"`, ``},
		{"an odd name", fieldsOf(`a "b"\`, pathDrop, "*", specX), `"a \"b\"\\"=>"1", "c"=>"2"`, `"c"=>"x y"`},
		{"white space", fieldsOf("a", specX, "*", pathKeep), ` "a" => "1","b"=> null `, `"a"=>"x y", "b"=>null`},
		{"none", eachOf(specX), ``, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := applyTextual(t, bindContainer(t, Column{Kind: Hstore}, c.spec), c.in, nil, c.in)
			if out[0] != c.want || out[2] != c.want || out[1] != nil {
				t.Errorf("%s\nbecame %v\nwant   %s", c.in, out, c.want)
			}
		})
	}
}

// What a column holds and what stands inside another are masked alike, whatever the kind.
func TestContainersAgreeWithColumns(t *testing.T) {
	shift := Spec{Name: "shift_days", Variant: int64(30), Domain: "d"}
	column := bindContainer(t, Column{Kind: Date}, shift)
	in := arrayOf(memory.DefaultAllocator, Date, true, []any{int32(19782)})
	out, err := column.Apply(memory.DefaultAllocator, in)
	if err != nil {
		t.Fatal(err)
	}
	texts, _ := SpellValues(Date, out)
	date := &Column{Kind: Date}
	for _, c := range []struct {
		col      Column
		in, want string
	}{
		{Column{Kind: Array, Element: date}, "{2024-02-29}", "{%s}"},
		{Column{Kind: Range, Element: date}, "[2024-02-29,)", "[%s,)"},
		{Column{Kind: Composite, Fields: []Column{*date}}, "(2024-02-29)", "(%s)"},
		{Column{Kind: Hstore, Element: date}, `"a"=>"2024-02-29"`, `"a"=>"%s"`},
		{Column{Kind: Array, Element: &Column{Kind: Range, Element: date}}, `{"(,2024-02-29)"}`, `{"(,%s)"}`},
	} {
		spec := eachOf(shift)
		if c.col.Element != nil && c.col.Element.Kind == Range {
			spec = eachOf(spec)
		}
		if got, want := applyTextual(t, bindContainer(t, c.col, spec), c.in)[0], fmt.Sprintf(c.want, texts[0]); got != want {
			t.Errorf("%s became %s, want %s", c.in, got, want)
		}
	}
}

// malformedContainers are texts that are no container of their kind.
var malformedContainers = map[Kind][]string{
	Array:     {"{", "}", "{1", "{1,", "{1,}", "{,1}", "{1 2", `{"a}`, `{"a"b}`, `{"a\`, `{a\`, "{{1}", "{1}}", "{1}{2}", "{1};", "1", "[0:1]", "[0:1]x={1}", "[0:1]={", `{a"b"}`, "{a{b}}", "{\x00}"},
	Composite: {"(", ")", "(1,2", "(1,2,3)", "(1)", "1,2", `("a,b)`, `(1,2)x`, `(1,\`, "((1),2)", "{1,2}"},
	Range:     {"[", "[1", "[1,", "[1,2", "1,2", "[1,2)x", "[1;2)", "(1,2,3)", "[[1,2)", "{[1,2)", "{[1,2),}", "{[1,2);[3,4)}", "{,}", `["1,2)`, "emp"},
	Hstore:    {`"a"`, `"a"=>`, `"a"=>"b`, `"a"=>b`, `a=>"b"`, `"a"=>"b",`, `"a"=>"b" "c"=>"d"`, `"a":"b"`, `,`, `"a"=>"b\`},
}

func TestContainersThatAreMalformed(t *testing.T) {
	text := Column{Kind: Text}
	for kind, texts := range malformedContainers {
		col := Column{Kind: kind, Element: &Column{Kind: Text}, Fields: []Column{text, text}}
		if kind == Range {
			col.Element = &Column{Kind: Int}
		}
		tr := bindContainer(t, col, eachOf(specSame))
		for _, in := range texts {
			_, err := tryTextual(t, tr, nil, in)
			ve, is := err.(*ValueError)
			if !is || ve.Row != 1 {
				t.Errorf("%s: %q: %v", kind, in, err)
			}
		}
	}
	for _, c := range []struct {
		col Column
		in  string
	}{
		{Column{Kind: Array, Element: &Column{Kind: Int}}, "{1,two}"},
		{Column{Kind: Range, Element: &Column{Kind: Date}}, "[2024-02-30,)"},
		{Column{Kind: Range, Element: &Column{Kind: Int}}, "[1,x)"},
		{Column{Kind: Composite, Fields: []Column{{Name: "n", Kind: Numeric}}}, "(1e)"},
	} {
		_, err := tryTextual(t, bindContainer(t, c.col, eachOf(specSame)), c.in)
		if ve, is := err.(*ValueError); !is || !strings.Contains(ve.Reason, "spells no value of kind") {
			t.Errorf("%s: %v", c.in, err)
		}
	}
}

// The error of a child names the row of the whole value, and what is inside of it.
func TestContainersErrorsNameTheRow(t *testing.T) {
	spec := Spec{Name: "pseudonym", Variant: "id", Params: params("range", []any{int64(1), int64(10)})}
	_, err := tryTextual(t, bindContainer(t, Column{Kind: Array, Element: &Column{Kind: Int, Bits: 32}}, eachOf(spec)), "{1,2}", "{}", nil, "{3,77}")
	ve, is := err.(*ValueError)
	if !is || ve.Row != 3 || !strings.HasPrefix(ve.Reason, "element: ") || strings.Contains(ve.Error(), "77") {
		t.Errorf("%v", err)
	}
}

func TestContainersRefuse(t *testing.T) {
	ofInt := Column{Kind: Array, Element: &Column{Kind: Int, Bits: 32}}
	record := Column{Kind: Composite, Fields: []Column{{Name: "a", Kind: Text}, {Name: "b", Kind: Int, NotNull: true}}}
	for _, c := range []struct {
		name string
		col  Column
		spec Spec
		want string
	}{
		{"nothing inside", ofInt, Spec{Name: "each"}, "does not say"},
		{"keep", ofInt, eachOf(pathKeep), "cannot keep"},
		{"no element", Column{Kind: Array}, eachOf(specX), "no kind"},
		{"an opaque element", Column{Kind: Array, Element: &Column{}}, eachOf(Spec{Name: "null", Variant: true}), "no kind"},
		{"an element of another kind", ofInt, eachOf(Spec{Name: "shape", Variant: "text"}), "element: shape cannot mask a column of kind int"},
		{"a constant that does not fit", Column{Kind: Array, Element: &Column{Kind: Text, MaxChars: 2}}, eachOf(specX), "element: the constant has 3"},
		{"a group", Column{Kind: Array, Element: &Column{Kind: Date}}, eachOf(Spec{Name: "shift_days", Variant: int64(3), Params: params("by", "id")}), "element: "},
		{"a range of texts", Column{Kind: Range, Element: &Column{Kind: Text}}, eachOf(specX), "order"},
		{"not every field", record, eachOf(specX), "field b: "},
		{"no fields", Column{Kind: Composite}, eachOf(specX), "not known"},
		{"a unique column", Column{Kind: Array, Element: &Column{Kind: Text}, Unique: true}, eachOf(Spec{Name: "token", Variant: "hex"}), "apart"},
		{"an unknown field", record, fieldsOf("c", specX, "*", pathKeep), `no field "c"`},
		{"a field without a word", record, fieldsOf("a", specX), "does not say"},
		{"a field twice", record, fieldsOf("a", specX, "a", specX, "*", pathKeep), "twice"},
		{"a NOT NULL field dropped", record, fieldsOf("b", pathDrop, "*", pathKeep), "NOT NULL"},
		{"keep with a parameter", record, fieldsOf("*", Spec{Name: "keep", Variant: int64(1)}), "parameters"},
		{"an hstore without *", Column{Kind: Hstore}, fieldsOf("a", specX), "does not say"},
		{"a text", Column{Kind: Text}, eachOf(specX), "kind"},
	} {
		_, err := containerRegistry().Bind(textKey, c.col, c.spec, nil)
		be, is := err.(*BindError)
		if !is || !strings.Contains(be.Reason, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := containerRegistry().Bind(textKey, Column{Kind: Array, Element: &Column{Kind: Int, Bits: 32}, Unique: true}, eachOf(Spec{Name: "pseudonym", Variant: "id"}), nil); err != nil {
		t.Errorf("a bijection in a unique column: %v", err)
	}
}

func TestContainersFitTheColumn(t *testing.T) {
	tr := bindContainer(t, Column{Kind: Array, Element: &Column{Kind: Text}, MaxBytes: 8}, eachOf(specX))
	if _, err := tryTextual(t, tr, "{a}"); err != nil {
		t.Error(err)
	}
	if _, err := tryTextual(t, tr, "{a,b}"); err == nil {
		t.Error("too long passes")
	}
}

// fuzzContainer checks a walker on any text: what it takes it takes again, and gives
// back as it is; and what stands inside comes through whole, if a printer wrote it.
func fuzzContainer(f *testing.F, col Column, print func([]*string) string) {
	for _, in := range append(malformedContainers[col.Kind], "{1,2}", "{{a,NULL},{\"b c\",\"\"}}", "(1,\"a b\")", "(,)", "[1,2)", "{[1,2),(3,]}", "empty", `"a"=>"b", "c"=>NULL`) {
		f.Add(in, "a", "b")
	}
	for i := range odd {
		f.Add("", odd[i], odd[len(odd)-1-i])
	}
	tr, masked := bindContainer(f, col, eachOf(specSame)), eachOf(Spec{Name: "null", Variant: true})
	nulls := bindContainer(f, col, masked)
	f.Fuzz(func(t *testing.T, text, a, b string) {
		out, err := tryTextual(t, tr, text, "", text)
		if err == nil {
			if out[0] != out[2] {
				t.Fatal("not the same twice")
			}
			if again := applyTextual(t, tr, out[0]); again[0] != out[0] {
				t.Fatalf("%q becomes %q and then %q", text, out[0], again[0])
			}
			gone := applyTextual(t, nulls, text)[0]
			if again := applyTextual(t, nulls, gone); again[0] != gone {
				t.Fatalf("without values %q becomes %q and then %q", text, gone, again[0])
			}
		}
		if print == nil || strings.ContainsRune(a+b, 0) {
			return
		}
		if in := print([]*string{&a, &b}); applyTextual(t, tr, in)[0] != in {
			t.Fatalf("%q changes", in)
		}
	})
}

func FuzzArray(f *testing.F) {
	fuzzContainer(f, Column{Kind: Array, Element: &Column{Kind: Text}}, printArray)
}

func FuzzComposite(f *testing.F) {
	fuzzContainer(f, Column{Kind: Composite, Fields: []Column{{Name: "a", Kind: Text}, {Name: "b", Kind: Text}}}, printRecord)
}

func FuzzRange(f *testing.F) {
	fuzzContainer(f, Column{Kind: Range, Element: &Column{Kind: Numeric}}, nil)
}

func FuzzHstore(f *testing.F) {
	fuzzContainer(f, Column{Kind: Hstore}, printHstore)
}

var _ = addLawCases(
	lawCase{name: "each array", spec: eachOf(Spec{Name: "pseudonym", Variant: "id"}), col: Column{Kind: Array, Element: &Column{Kind: Int, Bits: 32}, Unique: true},
		value: func(i int) any { return fmt.Sprintf("{%d,NULL,%d}", i, i%7) }},
	lawCase{name: "each text array", spec: eachOf(Spec{Name: "fake", Variant: "email"}), col: Column{Kind: Array, Element: &Column{Kind: Text}},
		value: func(i int) any { text := wordsOf(i).(string); return printArray([]*string{&text, nil}) }},
	lawCase{name: "each composite", spec: eachOf(Spec{Name: "token", Variant: "hex"}), col: Column{Kind: Composite, Fields: []Column{{Name: "a", Kind: Text}, {Name: "b", Kind: Text}}},
		value: func(i int) any { text := wordsOf(i).(string); return printRecord([]*string{&text, &text}) }},
	lawCase{name: "each range", spec: eachOf(Spec{Name: "pseudonym", Variant: "id"}), col: Column{Kind: Range, Element: &Column{Kind: Int, Bits: 64}},
		value: func(i int) any { return fmt.Sprintf("[%d,%d)", i, i+1+i%9) }},
	lawCase{name: "each date range", spec: eachOf(Spec{Name: "shift_days", Variant: int64(30)}), col: Column{Kind: Range, Element: &Column{Kind: Date}}, few: true,
		value: func(i int) any {
			return "[" + string(appendDateText(nil, int32(i%9000))) + "," + string(appendDateText(nil, int32(i%9000+7))) + ")"
		}},
	lawCase{name: "each hstore", spec: eachOf(Spec{Name: "shape", Variant: "text"}), col: Column{Kind: Hstore},
		value: func(i int) any { text := wordsOf(i).(string); return printHstore([]*string{&text, nil}) }},
	lawCase{name: "fields", spec: fieldsOf("id", Spec{Name: "pseudonym", Variant: "id"}, "name", Spec{Name: "fake", Variant: "person_name"}, "*", Spec{Name: "drop"}),
		col: Column{Kind: Composite, Fields: []Column{{Name: "id", Kind: Int, Bits: 32}, {Name: "name", Kind: Text}, {Name: "note", Kind: Opaque}}},
		value: func(i int) any {
			text := wordsOf(i).(string)
			n := strconv.Itoa(i)
			return printRecord([]*string{&n, &text, &text})
		}},
	lawCase{name: "fields of hstore", spec: fieldsOf(`key "0"`, Spec{Name: "token", Variant: "base32"}, "*", Spec{Name: "keep"}), col: Column{Kind: Hstore},
		value: func(i int) any { text := wordsOf(i).(string); return printHstore([]*string{&text, nil}) }},
)

var _ = addVectors(
	vectorSet{"each", []vector{
		{"customers", Column{Kind: Array, Element: &Column{Kind: Int, Bits: 32}}, eachOf(id), []any{"{0,1,2}", "[0:1]={1,NULL}", "{{1,2},{3,4}}", "{}", nil}, nil},
		{"customers", Column{Kind: Array, Element: &Column{Kind: Text}}, eachOf(email()), []any{`{ann.smith@corp.example,"",NULL,"NULL"}`}, nil},
		{"customers", Column{Kind: Range, Element: &Column{Kind: Date}}, eachOf(shiftBy(30)), []any{"[1970-01-01,2000-02-29)", "(,2000-02-29]", "empty", "{[1970-01-01,1970-02-01),[2000-02-29,)}"}, nil},
		{"customers", Column{Kind: Range, Element: &Column{Kind: Int, Bits: 32}}, eachOf(id), []any{"[0,1)", "[1,2)", "[2,9)"}, nil},
		{"customers", Column{Kind: Hstore}, eachOf(Spec{Name: "shape", Variant: "text"}), []any{`"name"=>"Mary \"M\" Smith", "age"=>NULL`, ""}, nil},
		{"customers", Column{Kind: Composite, Fields: []Column{{Name: "a", Kind: Text}, {Name: "b", Kind: Text}}}, eachOf(Spec{Name: "shape", Variant: "text"}), []any{`("Main St. 1",)`, `("",x)`}, nil},
	}},
	vectorSet{"fields", []vector{
		{"customers", Column{Kind: Composite, Fields: []Column{{Name: "id", Kind: Int, Bits: 32}, {Name: "name", Kind: Text}, {Name: "born", Kind: Date}}},
			fieldsOf("id", id, "name", Spec{Name: "shape", Variant: "text"}, "*", pathDrop), []any{`(1,"Mary Smith",1970-01-01)`, "(,,)", nil}, nil},
		{"customers", Column{Kind: Hstore}, fieldsOf("email", email(), "*", pathKeep), []any{`"email"=>"ann.smith@corp.example", "note"=>"a"`, `"email"=>NULL`}, nil},
	}},
)
