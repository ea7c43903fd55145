package masking

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// xmlPaths makes a spec of path, transform, path, transform, …
func xmlPaths(pairs ...any) Spec {
	s := paths(pairs...)
	s.Name = "xml"
	return s
}

func bindXML(t testing.TB, col Column, spec Spec) Transform {
	t.Helper()
	b, err := NewRegistry(xmlFactory{}, shapeFactory{}, constantFactory{}, nullFactory{}, pseudonymFactory{}, shiftFactory{}, sameFactory{},
		tripleFactory{[]Kind{Int, Numeric, Bool, Date, Timestamp}}).Bind(textKey, col, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.Transform
}

func TestXML(t *testing.T) {
	shape := func(s string) string { return maskedBy(t, pathShape, s) }
	odd := Spec{Name: "constant", Variant: "<a> & \"b\" 'c'\r\x01", Domain: "d"}
	for _, c := range []struct {
		name     string
		spec     Spec
		in, want string
	}{
		{"all kept, byte for byte", xmlPaths("*", pathKeep), "<?xml version=\"1.0\"?>\n<!-- c --><a x = '1'\t>T &amp; <b/><![CDATA[<]]><?p i?></a >\n", "<?xml version=\"1.0\"?>\n<!-- c --><a x = '1'\t>T &amp; <b/><![CDATA[<]]><?p i?></a >\n"},
		{"all dropped", xmlPaths("*", pathDrop), `<?xml version="1.0"?><!-- c --> <a><b>1</b></a>`, ``},
		{"an element kept", xmlPaths("/a/b", pathKeep, "*", pathDrop), `<a x="1">t<b y="2">u<c/><!-- k --></b><d>v</d></a>`, `<a><b y="2">u<c/><!-- k --></b></a>`},
		{"an element dropped", xmlPaths("/a/b", pathDrop, "*", pathKeep), `<a x="1"><b>u</b><c>v</c> <b/></a>`, `<a x="1"><c>v</c> </a>`},
		{"white space stays", xmlPaths("/a/b", pathKeep, "*", pathDrop), "<a>\n  <b>1</b>\n  <c>2</c>\n</a>\n", "<a>\n  <b>1</b>\n  \n</a>\n"},
		{"an element masked", xmlPaths("/a/b", pathShape, "*", pathDrop), `<a><b>Mary</b><b/><b></b></a>`, `<a><b>` + shape("Mary") + `</b><b/><b></b></a>`},
		{"white space around", xmlPaths("/a/b", pathShape, "*", pathKeep), "<a><b>\n Mary </b></a>", "<a><b>\n " + shape("Mary") + " </b></a>"},
		{"an element inside a text", xmlPaths("/a", pathShape, "*", pathKeep), `<a z="1">Mary <b>Smith</b> Ann</a>`, `<a>` + shape("Mary") + `  ` + shape("Ann") + `</a>`},
		{"an element inside a text, named", xmlPaths("/a", pathShape, "/a/b", pathKeep, "*", pathKeep), `<a>Mary <b>Smith</b></a>`, `<a>` + shape("Mary") + ` <b>Smith</b></a>`},
		{"an attribute masked", xmlPaths("/a/@x", pathShape, "*", pathKeep), `<a x="Mary" y='Ann'/>`, `<a x="` + shape("Mary") + `" y='Ann'/>`},
		{"an attribute dropped", xmlPaths("/a/@x", pathDrop, "*", pathKeep), `<a x="1" y="2"  x = "3" />`, `<a y="2" />`},
		{"an attribute kept", xmlPaths("/a/@x", pathKeep, "*", pathDrop), `<a y="2" x="1">t</a>`, `<a x="1"></a>`},
		{"attributes of what is masked", xmlPaths("/a/b", pathShape, "/a/b/@x", pathKeep, "*", pathKeep), `<a><b x="1" y="2">Mary</b></a>`, `<a><b x="1">` + shape("Mary") + `</b></a>`},
		{"every attribute", xmlPaths("/a/@*", pathDrop, "/a/@y", pathKeep, "*", pathKeep), `<a x="1" y="2" z="3"><b x="4"/></a>`, `<a y="2"><b x="4"/></a>`},
		{"every child", xmlPaths("/a/*", pathShape, "*", pathDrop), `<a x="1">t<b>Mary</b><c>Ann</c></a>`, `<a><b>` + shape("Mary") + `</b><c>` + shape("Ann") + `</c></a>`},
		{"at any depth", xmlPaths("//b", pathDrop, "//@id", pathDrop, "*", pathKeep), `<a id="1"><b/><c><b>x</b><d id="2" e="3"/></c></a>`, `<a><c><d e="3"/></c></a>`},
		{"all else", xmlPaths("/a/b", pathKeep, "*", pathShape), `<a x="Mary"><b>Ann</b><c>Bob<d>Cid</d></c></a>`, `<a x="` + shape("Mary") + `"><b>Ann</b><c>` + shape("Bob") + `<d>` + shape("Cid") + `</d></c></a>`},
		{"prefixes", xmlPaths("/p:a/p:b", pathKeep, "*", pathDrop), `<p:a xmlns:p="urn:x" xmlns="urn:y" x="1"><p:b/><b/></p:a>`, `<p:a xmlns:p="urn:x" xmlns="urn:y"><p:b/></p:a>`},
		{"references and sections", xmlPaths("/a", pathShape, "*", pathKeep), `<a>M&#97;<!-- c -->r<![CDATA[y]]><?p i?></a>`, `<a>` + shape("Mary") + `</a>`},
		{"line ends", xmlPaths("/a", specSame, "*", pathKeep), "<a>x\r\ny\rz&#13;w</a>", "<a>x\ny\nz&#13;w</a>"},
		{"escapes in text", xmlPaths("/a", odd, "*", pathKeep), `<a>x</a>`, "<a>&lt;a&gt; &amp; \"b\" 'c'&#13;\ufffd</a>"},
		{"escapes in attributes", xmlPaths("/a/@x", odd, "*", pathKeep), `<a x='x'/>`, "<a x='&lt;a&gt; &amp; &quot;b&quot; &#39;c&#39;&#13;\ufffd'/>"},
		{"blanks in attributes", xmlPaths("/a/@x", specSame, "*", pathKeep), "<a x='y\tz\r\n&#10;w'/>", "<a x='y z &#10;w'/>"},
		{"null leaves nothing", xmlPaths("/a", pathNull, "/a/@x", pathNull, "*", pathKeep), `<a x="1">y</a>`, `<a x=""></a>`},
		{"comments go", xmlPaths("/a/b", pathKeep, "*", pathDrop), `<!-- 1 --><a> <!-- 2 --><b/></a><?p i?>`, `<a> <b/></a>`},
		{"a fragment", xmlPaths("/a", pathKeep, "*", pathShape), `Mary <a>1</a><b>Ann</b>`, shape("Mary") + ` <a>1</a><b>` + shape("Ann") + `</b>`},
		{"what spells something", xmlPaths("/a/*", specTriple, "*", pathDrop), `<a><b>7</b><b>1.5</b><b>true</b><b>2024-02-29</b><b> 2024-02-29T10:00:00+02:00 </b><b>Mary</b><b>1e2</b></a>`, `<a><b>21</b><b>31.5</b><b>true</b><b>2024-03-03</b><b> 2024-02-29T13:00:00+02:00 </b><b></b><b>3100</b></a>`},
		{"an attribute that is of no kind", xmlPaths("/a/@*", specTriple, "*", pathDrop), `<a b="7" c="Mary"/>`, `<a b="21"/>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, kind := range []Kind{XML, Text} {
				out := applyTextual(t, bindXML(t, Column{Kind: kind}, c.spec), nil, c.in, "", c.in, "  ")
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

var invalidXML = []string{
	"<", "<a", "<a>", "</a>", "<a></b>", "<a/", "<a x>", "<a x=>", "<a x=1/>", `<a x="1"y="2"/>`, `<a x="1/>`, `<a x="<"/>`, "<1/>", "< a/>", "<a></ a>", "&", "&amp", "&nbsp;", "&#;", "&#x;", "&#0;", "&#xD800;",
	"<a>]]></a>", "<!-- -- -->", "<!-- --->", "<!--", "<![CDATA[", "<?p", "<?", "<?p/?>", "<a><?xml version='1.0'?></a>", "\x01", "<a>\xff</a>", "\ufffe", "<!DOCTYPE a><a/>", "<!ENTITY x 'y'>", "<a><b></a></b>", "<a \x00/>",
}

func TestXMLThatIsNone(t *testing.T) {
	for _, spec := range []Spec{xmlPaths("*", pathKeep), xmlPaths("*", pathDrop), xmlPaths("*", pathShape), xmlPaths("/a/b", pathDrop, "*", pathKeep)} {
		tr := bindXML(t, Column{Kind: XML}, spec)
		for _, in := range invalidXML {
			_, err := tryTextual(t, tr, "<a>x</a>", nil, in)
			if ve, is := err.(*ValueError); !is || ve.Row != 2 {
				t.Errorf("%q: %v", in, err)
			}
		}
		for _, n := range []int{maxDepth, maxDepth + 1, 1_000_000} {
			_, err := tryTextual(t, tr, strings.Repeat("<a>", n)+strings.Repeat("</a>", n))
			if (err == nil) != (n == maxDepth) {
				t.Errorf("%d deep: %v", n, err)
			}
		}
	}
	_, err := tryTextual(t, bindXML(t, Column{Kind: XML}, xmlPaths("*", pathKeep)), "<!DOCTYPE a []><a/>")
	if ve, is := err.(*ValueError); !is || !strings.Contains(ve.Reason, "DOCTYPE") {
		t.Errorf("%v", err)
	}
	for what, gone := range map[string]any{"null": nil, "drop": ""} {
		spec := xmlPaths("/a", pathShape, "*", pathDrop)
		spec.Params = params("malformed", what)
		out := applyTextual(t, bindXML(t, Column{Kind: XML}, spec), "<a>Mary</a><a>", "<a>Ann</a>", "<a>x")
		if want := []any{gone, "<a>" + maskedBy(t, pathShape, "Ann") + "</a>", gone}; !slices.Equal(out, want) {
			t.Errorf("malformed: %s: %v, want %v", what, out, want)
		}
	}
}

func TestXMLRefuses(t *testing.T) {
	for path, want := range map[string]string{
		"a": "begin", "": "nowhere", "/": "name", "/a/": "name", "/a//": "name", "/a[1]": "name", "/a/@x/b": "goes on", "/@": "name", "/a b": "name", "/a/text()": "name", "///a": "name",
	} {
		_, err := NewRegistry(xmlFactory{}).Bind(textKey, Column{Kind: XML}, xmlPaths(path, pathKeep, "*", pathDrop), nil)
		if be, is := err.(*BindError); !is || !strings.Contains(be.Reason, want) {
			t.Errorf("%q: %v", path, err)
		}
	}
	_, err := NewRegistry(xmlFactory{}).Bind(textKey, Column{Kind: XML}, xmlPaths("/a", pathKeep), nil)
	if be, is := err.(*BindError); !is || !strings.Contains(be.Reason, "xml does not say") {
		t.Errorf("%v", err)
	}
}

// xmlTree is an element as the standard library reads it; a text has no name.
type xmlTree struct {
	name  string
	attrs [][2]string
	text  string
	kids  []*xmlTree
}

func readXML(doc []byte) (*xmlTree, error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	root := &xmlTree{}
	stack := []*xmlTree{root}
	for {
		token, err := d.RawToken()
		if err == io.EOF && len(stack) == 1 {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		name := func(n xml.Name) string {
			if n.Space != "" {
				return n.Space + ":" + n.Local
			}
			return n.Local
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &xmlTree{name: name(token.Name)}
			for _, a := range token.Attr {
				e.attrs = append(e.attrs, [2]string{name(a.Name), a.Value})
			}
			top.kids = append(top.kids, e)
			stack = append(stack, e)
		case xml.EndElement:
			if len(stack) == 1 || top.name != name(token.Name) {
				return nil, io.ErrUnexpectedEOF
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if n := len(top.kids); n > 0 && top.kids[n-1].name == "" {
				top.kids[n-1].text += string(token)
			} else if len(token) > 0 {
				top.kids = append(top.kids, &xmlTree{text: string(token)})
			}
		case xml.Directive:
			return nil, io.ErrUnexpectedEOF
		}
	}
}

// String spells the tree so that two can be compared; white space around texts counts not.
func (x *xmlTree) String() string {
	if x.text != "" {
		return strings.TrimFunc(x.text, unicode.IsSpace)
	}
	s := "<" + x.name
	for _, a := range x.attrs {
		s += fmt.Sprintf(" %s=%q", a[0], strings.Map(func(r rune) rune {
			if r == '\n' || r == '\t' || r == '\r' {
				return ' '
			}
			return r
		}, a[1]))
	}
	s += ">"
	text := ""
	for _, k := range x.kids {
		if k.name == "" {
			text += k.text // an element that is gone stood between
			continue
		}
		s += strings.TrimFunc(text, unicode.IsSpace) + k.String()
		text = ""
	}
	return s + strings.TrimFunc(text, unicode.IsSpace) + "</>"
}

// xmlOracle does to a tree what the paths say, with a constant as the only transform.
func xmlOracle(x *xmlTree, node *pathNode, texts, inherited *pathRule) *xmlTree {
	out := &xmlTree{name: x.name}
	for _, a := range x.attrs {
		rule := inherited
		if node != nil {
			if at := node.attribute([]byte("@" + a[0])); at != nil && at.rule != nil {
				rule = at.rule
			}
		}
		if a[0] == "xmlns" || strings.HasPrefix(a[0], "xmlns:") || rule.action == ruleKeep || rule.action == ruleMask && blank([]byte(a[1])) {
			out.attrs = append(out.attrs, a)
		} else if rule.action == ruleMask {
			v := strings.TrimFunc(a[1], unicode.IsSpace)
			out.attrs = append(out.attrs, [2]string{a[0], strings.Replace(a[1], v, "masked", 1)})
		}
	}
	for _, k := range x.kids {
		if k.name == "" {
			switch {
			case texts.action == ruleKeep || blank([]byte(k.text)):
				out.kids = append(out.kids, k)
			case texts.action == ruleMask:
				v := strings.TrimFunc(k.text, unicode.IsSpace)
				out.kids = append(out.kids, &xmlTree{text: strings.Replace(k.text, v, "masked", 1)})
			}
			continue
		}
		rule := inherited
		var child *pathNode
		if node != nil {
			if child = node.find([]byte(k.name)); child != nil && child.rule != nil {
				rule = child.rule
			}
		}
		if child == nil || !child.goesOn(true) && !child.goesOn(false) {
			child = nil
			if rule.action == ruleDrop {
				continue
			}
		}
		inner := rule
		if rule.action == ruleMask && !rule.anywhere {
			inner = dropRule
		}
		out.kids = append(out.kids, xmlOracle(k, child, rule, inner))
	}
	return out
}

func FuzzXML(f *testing.F) {
	for _, s := range append([]string{
		`<a x="1">t<b y='2'>u</b><!-- c --><c/> v</a>`, "<?xml version=\"1.0\"?>\n<a><b>1</b></a>", "<a>&lt;&#65;<![CDATA[x]]></a>", "t<a/>", "<p:a xmlns:p='u'/>", "<a>\r\n</a>", "<b><a/><b><a>x</a></b></b>", "<a b='\t x'/>",
	}, invalidXML...) {
		f.Add([]byte(s))
	}
	constant := Spec{Name: "constant", Variant: "masked", Domain: "d"}
	keep := bindXML(f, Column{Kind: Text}, xmlPaths("*", pathKeep))
	var bound []*xmlTransform
	for _, rest := range []Spec{pathKeep, pathDrop, constant} {
		for _, at := range []Spec{pathKeep, pathDrop, constant} {
			for _, spec := range []Spec{xmlPaths("/a", at, "*", rest), xmlPaths("/a/b", at, "/a/@x", at, "/b", pathKeep, "/b/a", pathDrop, "*", rest), xmlPaths("//b", at, "/a/*", constant, "//@*", at, "*", rest)} {
				bound = append(bound, bindXML(f, Column{Kind: Text}, spec).(*xmlTransform))
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if blank(in) || bytes.Count(in, []byte("<")) > maxDepth {
			return
		}
		was, oracleErr := readXML(in)
		out, err := tryTextual(t, keep, string(in))
		// The oracle is less strict with names, instructions, and the blanks between attributes.
		if err != nil && oracleErr == nil && !bytes.ContainsAny(in, "&?!:\"'") && isASCII(in) && !bytes.ContainsAny(in, "\x00") {
			t.Fatalf("%q is XML, and %v", in, err)
		}
		if err != nil {
			return
		}
		if oracleErr != nil {
			if !bytes.ContainsAny(in, "?:") && isASCII(in) {
				t.Fatalf("%q is taken, and no XML: %v", in, oracleErr)
			}
			return
		}
		if out[0] != string(in) {
			t.Fatalf("%q changes to %q", in, out[0])
		}
		for i, tr := range bound {
			out, err := tryTextual(t, tr, string(in), "<a>x</a>", string(in))
			if err != nil || out[0] != out[2] {
				t.Fatalf("transform %d: %v, or not the same twice", i, err)
			}
			is, err := readXML([]byte(out[0].(string)))
			if err != nil {
				t.Fatalf("transform %d: %q became %q: %v", i, in, out[0], err)
			}
			if want := xmlOracle(was, tr.root, tr.rest, tr.rest).String(); is.String() != want {
				t.Fatalf("transform %d: %q became\n%s, want\n%s", i, in, is, want)
			}
		}
	})
}

func BenchmarkXML(b *testing.B) {
	docs := make([]any, 1024)
	size := 0
	for i := range docs {
		doc := fmt.Sprintf(`<?xml version="1.0"?><order id="%d" currency="EUR"><customer ref="c-%d"><name>Mary Smith</name><email>mary.smith%d@mail.example</email></customer><items><item sku="A-%d" qty="2"><price>19.90</price><note>gift wrap &quot;red&quot; please</note></item><item sku="B-77" qty="1"><price>5.00</price></item></items></order>`, i, i, i, i)
		docs[i] = doc
		size += len(doc)
	}
	for _, c := range []struct {
		name string
		spec Spec
	}{
		{"keep", xmlPaths("*", pathKeep)},
		{"mask_two", xmlPaths("/order/customer/name", pathShape, "/order/customer/email", pathShape, "*", pathKeep)},
		{"list", xmlPaths("/order/items", pathKeep, "*", pathDrop)},
	} {
		b.Run(c.name, func(b *testing.B) {
			tr := bindXML(b, Column{Kind: XML}, c.spec)
			a := textArray(memory.DefaultAllocator, docs)
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
	b.Run("encoding_xml", func(b *testing.B) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			for _, doc := range docs {
				d, e := xml.NewDecoder(strings.NewReader(doc.(string))), xml.NewEncoder(io.Discard)
				for {
					token, err := d.Token()
					if err == io.EOF {
						break
					}
					if err != nil || e.EncodeToken(token) != nil {
						b.Fatal("not XML")
					}
				}
			}
		}
	})
}

var _ = addLawCases(lawCase{name: "xml", spec: Spec{Name: "xml", Paths: []PathSpec{
	{Path: "/a/b", Spec: Spec{Name: "token", Variant: "hex", Domain: "inside"}},
	{Path: "/a/@id", Spec: Spec{Name: "pseudonym", Variant: "id", Domain: "inside"}},
	{Path: "//c", Spec: Spec{Name: "keep"}},
	{Path: "*", Spec: Spec{Name: "drop"}},
}}, col: Column{Kind: XML}, value: func(i int) any {
	return fmt.Sprintf(`<a id="%d"><b>v%d</b><c>kept</c><d>gone</d></a>`, i, i)
}, few: true /* its domains are those of the paths */})

var _ = addVectors(
	vectorSet{"xml", []vector{
		{"customers", Column{Kind: XML}, Spec{Name: "xml", Paths: []PathSpec{
			{Path: "/customer/name", Spec: Spec{Name: "shape", Variant: "text", Domain: "customers"}},
			{Path: "//@id", Spec: Spec{Name: "pseudonym", Variant: "id", Domain: "customers"}},
			{Path: "*", Spec: pathDrop},
		}}, []any{`<customer id="1" x="2"><name> Mary &amp; <!-- c -->Ann </name><order id="2"/><note>call</note></customer>`, "<other/>", "", nil}, nil},
		{"customers", Column{Kind: XML}, Spec{Name: "xml", Params: params("malformed", "drop"), Paths: []PathSpec{{Path: "*", Spec: pathKeep}}}, []any{"<a>", "<a/>"}, nil},
	}},
	vectorSet{"json", []vector{
		{"customers", Column{Kind: JSON}, Spec{Name: "json", Paths: []PathSpec{
			{Path: "$.name", Spec: Spec{Name: "shape", Variant: "text", Domain: "customers"}},
			{Path: "$..id", Spec: Spec{Name: "pseudonym", Variant: "id", Domain: "customers"}},
			{Path: "$.dates[*][*]", Spec: Spec{Name: "shift_days", Variant: int64(30), Domain: "customers"}},
			{Path: "$.labels.*", Spec: pathKeep},
			{Path: "*", Spec: pathDrop},
		}}, []any{`{"id": 1, "name": "M\u0061ry", "dates": [["1970-01-01", "2000-02-29T10:00:00.50Z"], []], "labels": {"a": 1}, "orders": [{"id": "2", "x": 3}]}`, `{}`, `"x"`, "", nil}, nil},
		{"customers", Column{Kind: JSON}, Spec{Name: "json", Params: params("malformed", "null"), Paths: []PathSpec{{Path: "*", Spec: pathKeep}}}, []any{`{"a"}`, `{"a": 1}`}, nil},
	}},
)
