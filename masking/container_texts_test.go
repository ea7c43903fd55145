package masking

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// containerTexts are texts of containers that want care, each with its type in
// PostgreSQL and its column here: as the server prints them, and as we write them when
// all that is inside is masked.
func containerTexts(t *testing.T) (lines []string) {
	text, date := &Column{Kind: Text}, &Column{Kind: Date}
	add := func(sqlType string, col Column, spec Spec, texts ...string) {
		in := make([]any, len(texts))
		for i, s := range texts {
			in[i] = s
		}
		tr := bindContainer(t, col, eachOf(specSame))
		if got := applyTextual(t, tr, in...); !slices.Equal(got, in) {
			t.Errorf("%s: what stays changes", sqlType)
		}
		masked := applyTextual(t, bindContainer(t, col, spec), in...)
		for i := range in {
			lines = append(lines, fmt.Sprintf("%s\t%s\t%s", sqlType, strconv.Quote(texts[i]), strconv.Quote(masked[i].(string))))
		}
	}
	var arrays, records, hstores []string
	for i := range odd {
		values := []*string{&odd[i], nil, &odd[len(odd)-1-i]}
		arrays = append(arrays, printArray(values))
		records = append(records, printRecord(values))
		hstores = append(hstores, printHstore(values))
	}
	add("text[]", Column{Kind: Array, Element: text}, eachOf(specOdd), append(arrays, "{}", `{{a,b},{NULL,"c d"}}`, `[0:1]={a,NULL}`, `[-1:0][2:3]={{a,b},{c,d}}`)...)
	add("date[]", Column{Kind: Array, Element: date}, eachOf(specTriple), `{2024-02-29,"0044-03-15 BC",NULL}`, "{5874897-12-20}")
	add("timestamptz[]", Column{Kind: Array, Element: &Column{Kind: Timestamp}}, eachOf(specTriple), `{"2024-02-29 10:00:00.5+00","0044-03-15 10:00:00+00 BC"}`)
	add("numeric[]", Column{Kind: Array, Element: &Column{Kind: Numeric}}, eachOf(specTriple), "{1.50,-0.5,123456789012345678901234567890}")
	add("double precision[]", Column{Kind: Array, Element: &Column{Kind: Float, Bits: 64}}, eachOf(specTriple), "{1e+15,-1e-05,0.0001,NaN,-Infinity,-0}")
	add("bytea[]", Column{Kind: Array, Element: &Column{Kind: Bytes}}, eachOf(Spec{Name: "constant", Variant: `\x5c22`}), `{"\\x00ff","\\x"}`)
	add("boolean[]", Column{Kind: Array, Element: &Column{Kind: Bool}}, eachOf(Spec{Name: "constant", Variant: true}), "{t,f,NULL}")
	add("jsonb[]", Column{Kind: Array, Element: &Column{Kind: JSON}}, eachOf(paths("$.a", specOdd, "*", pathDrop)), `{"{\"a\": \"b\", \"c\": 1}"}`)
	add("daterange[]", Column{Kind: Array, Element: &Column{Kind: Range, Element: date}}, eachOf(eachOf(specTriple)), `{"[2024-02-29,2024-03-01)","(,2024-03-01)",empty}`)
	add("three_texts", Column{Kind: Composite, Fields: []Column{*text, *text, *text}}, eachOf(specOdd), append(records, "(,,)")...)
	add("three_texts[]", Column{Kind: Array, Element: &Column{Kind: Composite, Fields: []Column{*text, *text, *text}}}, eachOf(eachOf(specOdd)), printArray([]*string{&records[0], nil, &records[9], &records[len(records)-3]}))
	add("int4range", Column{Kind: Range, Element: &Column{Kind: Int, Bits: 32}}, eachOf(specTriple), "[1,5)", "(,5)", "[5,)", "(,)", "empty")
	add("numrange", Column{Kind: Range, Element: &Column{Kind: Numeric}}, eachOf(specTriple), "[-10.5,-9]", "(1.5,2.25)", "[1,1]")
	add("tstzrange", Column{Kind: Range, Element: &Column{Kind: Timestamp}}, eachOf(specTriple), `["2024-02-29 10:00:00+00","2024-03-01 00:00:00+00")`)
	add("datemultirange", Column{Kind: Range, Element: date}, eachOf(specTriple), "{}", "{[2024-02-01,2024-02-03),[2024-03-01,)}")
	add("hstore", Column{Kind: Hstore}, eachOf(specOdd), append(hstores, "")...)
	return lines
}

// TestContainerTexts writes the texts to a file, by which a test with a server shows that
// PostgreSQL reads what we write.
func TestContainerTexts(t *testing.T) {
	path := filepath.Join("testdata", "container_texts.tsv")
	lines := containerTexts(t)
	if *update {
		const header = "# type in PostgreSQL, as it is printed, as it is written when masked; three_texts is (a text, b text, c text)\n"
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
		t.Error("the texts have changed: run with -update, and the tests that read them")
	}
}
