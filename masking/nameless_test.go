package masking

import (
	"strings"
	"testing"
)

// A byte that is no character in Windows' 1252 becomes a sign that the column holds, under every
// mask that exchanges characters; in Unicode such a character is one of four bytes.
func TestNamelessCharacters(t *testing.T) {
	shape := Spec{Name: "shape", Variant: "text"}
	for _, c := range []struct {
		name string
		spec Spec
		col  Column
		in   string
		like string // ? is that sign, a another letter, and all else as it is
	}{
		{"alone", shape, Column{}, "\U000f0001", "?"},
		{"among others", shape, Column{}, "Ann \U000f0001 € é\U000f001d.", "Aaa ? € a?."},
		{"where case does not count", shape, Column{Equality: FoldCase}, "b\U000f0001b", "a?a"},
		{"long", shape, Column{}, strings.Repeat("b\U000f0001", 2000), strings.Repeat("a?", 2000)},
		{"beside a hit", redact("shape", "email"), Column{}, "b\U000f0001 ann@corp.example c\U000f0001", "a? @ a?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.col.Kind = Text
			if c.col.Charset == Unicode {
				c.col.Charset = Latin1
			}
			out := situation(t, c.col, c.spec)(c.in)[0].(string)
			like := strings.Map(func(r rune) rune {
				switch {
				case r >= 'A' && r <= 'Z':
					return 'A'
				case r >= 'a' && r <= 'z', r >= 'À' && r <= 'ÿ':
					return 'a'
				}
				return r
			}, out)
			if before, after, hit := strings.Cut(like, "@"); hit { // the mask of an address has a length of its own
				like = before[:strings.LastIndex(before, " ")] + " @ " + after[strings.Index(after, " ")+1:]
			}
			if like != c.like {
				t.Errorf("%q became %q, want one like %q", c.in, out, c.like)
			}
		})
	}
	if out := situation(t, Column{Kind: Text}, shape)("\U000f0001")[0]; out != string(unknown4) {
		t.Errorf("in Unicode it became %q", out)
	}
}

// So does one in a postcode that is none.
func TestNamelessCharactersOfPlaces(t *testing.T) {
	for charset, in := range map[Charset]string{Latin1: "b\U000f0001b", ASCII: "b\U00101001b"} {
		table := &aTable{}
		table.add(*subjectPeer(), Spec{})
		table.add(Column{Name: "code", Kind: Text, Charset: charset}, placeOf("postcode"))
		if out := table.mask(t, []any{int64(1), in})[0][1].(string); len(out) != 3 || out[1] != '?' {
			t.Errorf("%s: %q became %q", charset, in, out)
		}
	}
}

// What a document has such a character in and keeps stays as it was; what it spells stays spelt.
func TestDocumentsKeepNamelessCharacters(t *testing.T) {
	cut := cutSpec("prefix", 1)
	for _, c := range []struct {
		kind    Kind
		spec    Spec
		in, end string
	}{
		{JSON, paths("$.k", pathShape, "$.p", cut, "*", pathKeep),
			`{"k": "b\udb80\udc01", "p": "\udb80\udc02b", "z": "A` + "\U000f0001" + `", "s": "\udb80\udc01"}`, `?", "p": "\udb80\udc02", "z": "A` + "\U000f0001" + `", "s": "\udb80\udc01"}`},
		{XML, xmlPaths("/a/k", pathShape, "/a/p", cut, "*", pathKeep),
			"<a><k>b\U000f0001</k><p>&#983042;b</p><z>A\U000f0001</z><s>&#983041;</s></a>", "?</k><p>&#983042;</p><z>A\U000f0001</z><s>&#983041;</s></a>"},
	} {
		for _, kind := range []Kind{c.kind, Text} {
			if out := situation(t, Column{Kind: kind, Charset: Latin1}, c.spec)(c.in)[0].(string); !strings.HasSuffix(out, c.end) {
				t.Errorf("%s as %s: %q, want the end %q", c.kind, kind, out, c.end)
			}
		}
	}
}
