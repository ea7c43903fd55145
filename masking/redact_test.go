package masking

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// redact returns the spec of {redact: [names], else: rest}.
func redact(rest string, names ...any) Spec {
	return Spec{Name: "redact", Variant: names, Params: params("else", rest)}
}

// with gives a redact the classes of email and phone.
func withClasses(s Spec) Spec {
	s.Classes = map[string]Spec{
		"email": {Name: "fake", Variant: "email", Params: params("domain", "shop.test"), Domain: "mail"},
		"phone": {Name: "fake", Variant: "phone", Domain: "phones"},
	}
	return s
}

func noteOf(i int) any {
	return fmt.Sprintf("Order %d of %s: write to user%d@corp.example or call +49 30 %07d.\nThanks", i%90, []string{"Anna", "Zoë", "Жанна", "山田"}[mix(i)%4], i, mix(i)%1e7)
}

var nameColumns = []Peer{
	{Column{Name: "first", Kind: Text}, Spec{Name: "fake", Variant: "first_name", Domain: "people"}},
	{Column{Name: "full", Kind: Text}, Spec{Name: "fake", Variant: "person_name", Domain: "people"}},
	{Column{Name: "account", Kind: Text}, Spec{Name: "token", Variant: "hex", Domain: "accounts"}},
	{Column{Name: "city", Kind: Text}, Spec{Name: "keep"}},
}

var _ = addLawCases(
	lawCase{name: "redact keep", spec: redact("keep", "email", "phone"), col: Column{Kind: Text, MaxChars: 120}, value: noteOf},
	lawCase{name: "redact shape", spec: withClasses(redact("shape", "email", "phone")), col: Column{Kind: Text}, value: noteOf},
	lawCase{name: "redact lorem", spec: redact("lorem", "email"), col: Column{Kind: Text, MaxChars: 80}, value: noteOf},
	lawCase{name: "redact names", spec: redact("keep", "email", "known_names"), col: Column{Kind: Text}, beside: nameColumns,
		value: func(i int) any {
			return fmt.Sprintf("ANNA and b%d@corp.example, account AC-%d; from Łódź Smith", i, i)
		},
		subject: func(i int) any { return []any{"Anna", "John Smith", fmt.Sprintf("AC-%d", i), "Łódź"} }},
)

var _ = addVectors(vectorSet{"redact", []vector{
	{"customers", Column{Kind: Text}, redact("keep", "email", "phone"), []any{"ann@corp.example, +49 30 1234567", "nothing", "", " ", nil}, nil},
	{"customers", Column{Kind: Text}, redact("shape", "email"), []any{"Write to ann@corp.example, Zoë.", "nothing"}, nil},
	{"customers", Column{Kind: Text}, redact("lorem", "email"), []any{"Write to ann@corp.example about\nthe refund of order 4711.", "nothing"}, nil},
	{"customers", Column{Kind: Text, MaxChars: 30}, redact("keep", "email"), []any{"ann@corp.example", "To: ann@corp.example"}, nil},
}})

// bindRedact binds on a column c, beside the given peers.
func bindRedact(t testing.TB, col Column, spec Spec, peers ...Peer) Binding {
	t.Helper()
	spec.Domain = "d"
	col.Name = "c"
	b, err := Standard().Bind(textKey, col, spec, &Row{Peers: peers, Column: func(name string) (Column, bool) {
		for _, p := range peers {
			if p.Column.Name == name {
				return p.Column, true
			}
		}
		return Column{}, false
	}})
	if err != nil {
		t.Fatalf("bind: %v", err)
	}
	return b
}

// maskOf masks one text by another spec, as its column does.
func maskOf(t testing.TB, spec Spec, text string) string {
	t.Helper()
	b, err := Standard().Bind(textKey, Column{Name: "x", Kind: Text}, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return applyTextual(t, b.Transform, text)[0].(string)
}

// Text and column agree although the text's address came with characters of no width.
func TestRedactedAddressesJoin(t *testing.T) {
	masked := situation(t, Column{Kind: Text}, redact("keep", "email"))
	want := masked("ann@corp.example")[0].(string)
	for _, around := range [][2]string{{"\u200b", ""}, {"\ufeff", ""}, {"", "\u200b now"}} {
		if got := masked(around[0] + "ann@corp.example" + around[1])[0]; got != around[0]+want+around[1] {
			t.Errorf("%q", got)
		}
	}
	if got := masked("an\u00adn@co\u200brp.example")[0]; got != want {
		t.Errorf("with soft hyphens: %q", got)
	}
}

func TestRedactAgreesWithTheColumn(t *testing.T) {
	spec := withClasses(redact("keep", "email", "phone"))
	b := bindRedact(t, Column{Kind: Text}, spec)
	got := applyTextual(t, b.Transform, "Ann (ANN@corp.example, +49 30/1234567) or ann@corp.example", "no hit", nil, "", " \t", "é\xff ann@corp.example \xe9")
	mail := maskOf(t, spec.Classes["email"], "ann@corp.example")
	call := maskOf(t, spec.Classes["phone"], "+49 30/1234567")
	for i, want := range []any{
		fmt.Sprintf("Ann (%s, %s) or %s", mail, call, mail), "no hit", nil, "", " \t", "é\xff " + mail + " \xe9",
	} {
		if got[i] != want {
			t.Errorf("row %d: got %q, want %q", i, got[i], want)
		}
	}
}

func TestRedactRest(t *testing.T) {
	const in = "Ann wrote 12 times\nto ann@corp.example today"
	mail := maskOf(t, Spec{Name: "fake", Variant: "email", Domain: "d"}, "ann@corp.example")
	for _, rest := range []string{"shape", "lorem"} {
		got := applyTextual(t, bindRedact(t, Column{Kind: Text}, redact(rest, "email")).Transform, in)[0].(string)
		before, after, found := strings.Cut(got, mail)
		if !found {
			t.Fatalf("%s: the mask of the address is not in %q", rest, got)
		}
		if len(before) != len("Ann wrote 12 times\nto ") || len(after) != len(" today") || before[18] != '\n' {
			t.Errorf("%s: %q", rest, got)
		}
		for _, word := range []string{"Ann", "wrote", "12", "times", "today"} {
			if strings.Contains(got, word) {
				t.Errorf("%s: %q is still in %q", rest, word, got)
			}
		}
	}
}

func TestRedactFits(t *testing.T) {
	for _, col := range []Column{{Kind: Text, MaxChars: 20}, {Kind: Text, MaxBytes: 20}, {Kind: Text, MaxChars: 25, MaxBytes: 20}} {
		got := applyTextual(t, bindRedact(t, col, redact("keep", "email")).Transform, "ééééé a@b.example", "語語 a@b.example")
		for _, g := range got {
			text := g.(string)
			if n := utf8.RuneCountInString(text); col.MaxChars > 0 && n > col.MaxChars || col.MaxBytes > 0 && len(text) > col.MaxBytes {
				t.Errorf("%+v: %q is too long", col, text)
			}
			if !utf8.ValidString(text) || strings.Contains(text, "a@b") {
				t.Errorf("%+v: %q", col, text)
			}
		}
	}
}

// maskRow masks one text beside the values of its peers.
func maskRow(t testing.TB, b Binding, text string, beside map[string]any) string {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	var in []arrow.Array
	for _, name := range b.Inputs {
		v := any(text)
		if name != "c" {
			v = beside[name]
		}
		a := textArray(mem, []any{v})
		defer a.Release()
		in = append(in, a)
	}
	out, err := b.Group.ApplyGroup(mem, in)
	if err != nil {
		t.Fatal(err)
	}
	defer out[0].Release()
	return valuesOf(out[0])[0].(string)
}

func TestRedactKnownNames(t *testing.T) {
	b := bindRedact(t, Column{Kind: Text}, redact("keep", "email", "known_names"), nameColumns...)
	if fmt.Sprint(b.Inputs, b.Outputs) != "[c first full account] [c]" {
		t.Fatalf("reads %v, gives %v", b.Inputs, b.Outputs)
	}
	first := func(v string) string { return maskOf(t, nameColumns[0].Spec, v) }
	full := func(v string) string { return maskOf(t, nameColumns[1].Spec, v) }
	token := func(v string) string { return maskOf(t, nameColumns[2].Spec, v) }
	mail := maskOf(t, Spec{Name: "fake", Variant: "email", Domain: "d"}, "ann@corp.example")
	last := func(name string) string { return name[strings.LastIndexByte(name, ' ')+1:] }
	for _, c := range []struct {
		name, text string
		beside     map[string]any
		want       string
	}{
		{"whole", "Hello Anna, how are you?", map[string]any{"first": "Anna"}, "Hello " + first("Anna") + ", how are you?"},
		{"capitals", "ANNA!", map[string]any{"first": "Anna"}, strings.ToUpper(first("Anna")) + "!"},
		{"small letters", "anna's", map[string]any{"first": "Anna"}, strings.ToLower(first("Anna")) + "'s"},
		{"of capitals", "Anna", map[string]any{"first": "ANNA"}, first("Anna")},
		{"no part of a word", "Annabel Hanna anna1", map[string]any{"first": "Anna"}, "Annabel Hanna anna1"},
		{"two words", "John Smith and Mr Smith; john", map[string]any{"full": "John Smith"}, full("John Smith") + " and Mr " + last(full("John Smith")) + "; " + strings.ToLower(strings.Fields(full("John Smith"))[0])},
		{"across a line", "John\n  Smith", map[string]any{"full": "John Smith"}, full("John Smith")},
		{"accents", "Jose, JOSÉ, jose\u0301", map[string]any{"first": "José"}, first("José") + ", " + strings.ToUpper(first("José")) + ", " + strings.ToLower(first("José"))},
		{"accents that are missing", "Müller", map[string]any{"first": "Muller"}, first("Muller")},
		{"ligature", "Straße, Strasse", map[string]any{"first": "Strasse"}, first("Strasse") + ", " + first("Strasse")},
		{"cyrillic", "Пишет Жанна.", map[string]any{"first": "Жанна"}, "Пишет " + first("Жанна") + "."},
		{"han", "今天小明来了", map[string]any{"first": "小明"}, "今天" + first("小明") + "来了"},
		{"hangul", "김민준은", map[string]any{"first": "김민준"}, first("김민준") + "은"},
		{"half of a double name", "Frau Müller", map[string]any{"first": "Müller-Schmidt"}, "Frau " + first("Müller-Schmidt")},
		{"apostrophe", "O’Neil", map[string]any{"first": "O'Neil"}, first("O'Neil")},
		{"two letters", "An error of An", map[string]any{"first": "An"}, "An error of An"},
		{"one letter", "A b", map[string]any{"first": "A"}, "A b"},
		{"not a name", "account AC-10023, ac-10023", map[string]any{"account": "AC-10023"}, "account " + token("AC-10023") + ", " + token("AC-10023")},
		{"kept column", "from Łódź", map[string]any{"city": "Łódź"}, "from Łódź"},
		{"beside an email", "Ann ann@corp.example Ann", map[string]any{"first": "Ann"}, first("Ann") + " " + mail + " " + first("Ann")},
		{"nothing known", "Ann", map[string]any{"first": nil, "full": "", "account": " "}, "Ann"},
	} {
		got := maskRow(t, b, c.text, c.beside)
		if c.name == "two letters" {
			mask := first("An")
			c.want = mask + " error of " + mask
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRedactRefuses(t *testing.T) {
	row := &Row{Peers: nameColumns, Column: func(string) (Column, bool) { return Column{}, false }}
	group := redact("keep", "email")
	group.Classes = map[string]Spec{"email": {Name: "shift_days", Variant: int64(3)}}
	for _, c := range []struct {
		name string
		col  Column
		spec Spec
		row  *Row
		want string
	}{
		{"no else", Column{Kind: Text}, Spec{Name: "redact", Variant: []any{"email"}}, row, `redact needs the parameter "else"`},
		{"another else", Column{Kind: Text}, redact("drop", "email"), row, "redact: else cannot be drop"},
		{"no pattern", Column{Kind: Text}, redact("keep"), row, "redact names no pattern"},
		{"unknown pattern", Column{Kind: Text}, redact("keep", "mood"), row, "redact has no pattern mood"},
		{"twice", Column{Kind: Text}, redact("keep", "email", "email"), row, "redact names the pattern email twice"},
		{"no row", Column{Kind: Text}, redact("keep", "known_names"), nil, "redact: known_names looks for the values of the row, and inside a document there is no row"},
		{"labels", Column{Kind: Text, Labels: []string{"a"}}, redact("keep", "email"), row, "redact makes texts that are not among the column's 1 labels"},
		{"unique", Column{Kind: Text, Unique: true}, redact("keep", "email"), row, "redact gives different values the same mask, and the column is unique"},
		{"integers", Column{Kind: Int}, redact("keep", "email"), row, "redact cannot mask a column of kind int"},
		{"a class that does not fit", Column{Kind: Text}, group, row, "redact, pattern email: shift_days cannot mask a column of kind text"},
	} {
		_, err := Standard().Bind(textKey, c.col, c.spec, c.row)
		var be *BindError
		if !errors.As(err, &be) || be.Reason != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// Inside a document there is no row.
	doc := Spec{Name: "json", Paths: []PathSpec{{Path: "*", Spec: redact("keep", "known_names")}}}
	if _, err := Standard().Bind(textKey, Column{Kind: JSON}, doc, row); err == nil {
		t.Error("known_names was bound inside a document")
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{"", "Ann", "call +49 30 1234567 now", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "\xff@x.y", "1.2.3.4 ::1", "“Zoë”", "01.02.2024 12:00", "http://x.example/(a)"} {
		f.Add(s, s)
	}
	const mail, card = "qz.planted@corp.example", "4111111111111111"
	keep := bindRedact(f, Column{Kind: Text}, redact("keep", "email", "phone")).Transform
	short := bindRedact(f, Column{Kind: Text, MaxChars: 9}, redact("shape", "email", "phone")).Transform
	lorem := bindRedact(f, Column{Kind: Text}, redact("lorem", "email")).Transform
	names := bindRedact(f, Column{Kind: Text}, redact("keep", "email", "known_names"), nameColumns...)
	all := scanner{want: 1<<patterns - 1}
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + " " + mail + " " + after + " \n" + card + "\n "
		hits := all.scan(nil, new(digitRun), []byte(text))
		last, pan := 0, false
		for _, h := range hits {
			if int(h.from) < last || h.to <= h.from || int(h.to) > len(text) {
				t.Fatal("hits overlap, or lie outside")
			}
			last = int(h.to)
			pan = pan || text[h.from:h.to] == card
		}
		if !pan {
			t.Fatal("the card was not found")
		}
		for _, tr := range []Transform{keep, short, lorem} {
			got := applyTextual(t, tr, text, before)
			masked := got[0].(string)
			if strings.Contains(masked, mail) {
				t.Fatal("the address is still there")
			}
			if utf8.ValidString(text) && !utf8.ValidString(masked) {
				t.Fatal("not UTF-8")
			}
			if tr == short && utf8.RuneCountInString(masked) > 9 {
				t.Fatal("longer than the column")
			}
			if tr == keep && len(scanFor(before, "email", "phone")) == 0 && got[1] != before {
				t.Fatal("a text without hits changed")
			}
		}
		masked := maskRow(t, names, text, map[string]any{"first": after, "full": before, "account": mail})
		if strings.Contains(masked, mail) {
			t.Fatal("the address is still there, beside names")
		}
	})
}

// BenchmarkRedact compares with what a user would write: an alternation of regular
// expressions.
func BenchmarkRedact(b *testing.B) {
	plain := strings.Repeat("The customer called about a late parcel; we agreed on a refund and closed the case. ", 12)
	german := strings.Repeat("Frau Müller rief wegen des verspäteten Pakets an; wir einigten uns auf eine Rückzahlung. ", 12)
	russian := strings.Repeat("Клиент звонил по поводу задержки посылки, договорились о возврате денег. ", 12)
	hits := plain + "Write to ann.smith@corp.example or call +49 30 1234567. " + plain
	dates := strings.Repeat("On 2024-02-29 at 10:15 order 4711 of 12.50 EUR was sent, see 20-10. ", 12)
	for _, c := range []struct{ name, text string }{{"no hits", plain}, {"german", german}, {"russian", russian}, {"hits", hits}, {"numbers", dates}} {
		in := make([]any, 256)
		size := 0
		for i := range in {
			in[i] = c.text
			size += len(c.text)
		}
		a := textArray(memory.DefaultAllocator, in)
		defer a.Release()
		b.Run(c.name+"/scan", func(b *testing.B) {
			s := scanner{want: 1<<patterns - 1}
			text := []byte(c.text)
			var found []textHit
			n := new(digitRun)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				found = s.scan(found[:0], n, text)
			}
		})
		for _, rest := range []string{"keep", "shape", "lorem"} {
			b.Run(c.name+"/"+rest, func(b *testing.B) {
				t := bindRedact(b, Column{Kind: Text}, redact(rest, "email", "phone")).Transform
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					out, err := t.Apply(memory.DefaultAllocator, a)
					if err != nil {
						b.Fatal(err)
					}
					out.Release()
				}
			})
		}
		b.Run(c.name+"/names", func(b *testing.B) {
			bound := bindRedact(b, Column{Kind: Text}, redact("keep", "email", "phone", "known_names"), nameColumns...)
			var ins []arrow.Array
			for _, name := range bound.Inputs {
				values := make([]any, len(in))
				for i := range values {
					values[i] = map[string]string{"c": c.text, "first": "Josephine", "full": "Josephine Baumgartner", "account": "AC-100232"}[name]
				}
				a := textArray(memory.DefaultAllocator, values)
				defer a.Release()
				ins = append(ins, a)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				out, err := bound.Group.ApplyGroup(memory.DefaultAllocator, ins)
				if err != nil {
					b.Fatal(err)
				}
				out[0].Release()
			}
		})
		b.Run(c.name+"/regexp", func(b *testing.B) {
			re := regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)+|\+?\d[\d ()/-]{6,}\d`)
			mac := hmac.New(sha256.New, make([]byte, 32))
			text := []byte(c.text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				re.ReplaceAllFunc(text, func(hit []byte) []byte {
					mac.Reset()
					mac.Write(bytes.ToLower(hit))
					return fmt.Appendf(nil, "%x@example.com", mac.Sum(nil)[:8])
				})
			}
		})
	}
}

// A numberedFactory masks a name by what an id says: a group, as the persons of a table are.
type numberedFactory struct{}

func (numberedFactory) Describe() Description {
	return Description{Name: "person", Version: 1, Summary: "for this test", Kinds: []Kind{Text}}
}

func (numberedFactory) Bind(req Request) (Binding, error) {
	if _, known := req.Row.Column("id"); !known || len(req.Row.Peers) == 0 {
		return Binding{}, &BindError{Reason: "there is no id"}
	}
	return Binding{Group: numberedGroup{}, Inputs: []string{"id", req.Column.Name}, Outputs: []string{"other", req.Column.Name}}, nil
}

type numberedGroup struct{}

func (numberedGroup) ApplyGroup(mem memory.Allocator, in []arrow.Array) ([]arrow.Array, error) {
	ids := valuesOf(in[0])
	masks := make([]any, len(ids))
	for i, id := range ids {
		masks[i] = fmt.Sprintf("Person Number%d", id)
	}
	in[1].Retain()
	return []arrow.Array{in[1], textArray(mem, masks)}, nil
}

// A known name may be masked by a group of columns: then the text reads these too.
func TestRedactKnownNamesOfAGroup(t *testing.T) {
	spec := redact("keep", "email", "known_names")
	spec.Domain = "d"
	row := &Row{
		Column: func(name string) (Column, bool) { return Column{Name: name, Kind: Int, Bits: 64}, name == "id" },
		Peers:  []Peer{{Column{Name: "name", Kind: Text}, Spec{Name: "person", Variant: "name"}}},
	}
	r := NewRegistry(redactFactory{}, fakeFactory{}, numberedFactory{})
	b, err := r.Bind(textKey, Column{Name: "c", Kind: Text}, spec, row)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(b.Inputs, b.Outputs) != "[c name id] [c]" {
		t.Fatalf("reads %v, gives %v", b.Inputs, b.Outputs)
	}
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	in := []arrow.Array{
		textArray(mem, []any{"Ann Smith, MRS SMITH", nil, "Bob"}), textArray(mem, []any{"Ann Smith", "x", "Bob"}),
		arrayOf(mem, Int, false, []any{int64(7), int64(8), int64(9)}),
	}
	out, err := b.Group.ApplyGroup(mem, in)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", valuesOf(out[0])); got != `["Person Number7, MRS NUMBER7" <nil> "Person Number9"]` {
		t.Error(got)
	}
	for _, a := range append(in, out...) {
		a.Release()
	}
}

// A hit that cannot be masked is an error in its row, without the value.
func TestRedactErrorNamesTheRow(t *testing.T) {
	tr := &redactTransform{scan: scanner{want: 1 << patternEmail}}
	tr.masks[patternEmail] = failing{}
	_, err := tryTextual(t, tr, "none", nil, "ann@corp.example bob@corp.example", "eve@corp.example")
	var ve *ValueError
	if !errors.As(err, &ve) || ve.Row != 2 || ve.Error() != "row 2: email in the text: no room" {
		t.Errorf("%v", err)
	}
}

// failing fails at its second value.
type failing struct{}

func (failing) Apply(memory.Allocator, arrow.Array) (arrow.Array, error) {
	return nil, &ValueError{Row: 1, Reason: "no room"}
}

// A pattern without a class is masked by the variant of fake that has its name.
func TestRedactDefaults(t *testing.T) {
	variants := fakeFactory{}.Describe().Variants
	for p, name := range patternNames {
		spec := redact("keep", name)
		b, err := Standard().Bind(textKey, Column{Name: "c", Kind: Text}, spec, nil)
		if slices.Contains(variants, defaultMasks[p]) != (err == nil) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := map[string]string{
			"url": "https://corp.example/a", "email": "ann@corp.example", "iban": "DE89 3704 0044 0532 0130 00", "pan": "4111 1111 1111 1111",
			"ip": "192.0.2.17", "mac": "00:1A:2b:3c:4d:5e", "ssn": "123-45-6789", "phone": "+49 30 1234567",
		}[name]
		if err != nil {
			continue
		}
		if got := applyTextual(t, b.Transform, "see "+text+"!")[0].(string); strings.Contains(got, text) || !strings.HasPrefix(got, "see ") || !strings.HasSuffix(got, "!") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
