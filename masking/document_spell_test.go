package masking

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

// What a document spells, since its database has no character for it, is spelt again in its mask, as
// a letter of the same script; of a database that has all characters it is one.
func TestDocumentsSpell(t *testing.T) {
	has := func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool { return !Latin1.mayHold(r) })
	}
	for _, c := range []struct {
		name string
		bind func(Column) Transform
		kind Kind
		in   string
		read func(out string) string // the value that is masked
	}{
		{"JSON", func(col Column) Transform {
			return bindJSON(t, col, paths("$.n", pathShape, "*", pathKeep)).Transform
		}, JSON, `{"n": "\u674e\ud83d\ude00 \u0416 é € Ann", "k": "\u674e ü"}`, func(out string) string {
			var v map[string]string
			if err := json.Unmarshal([]byte(out), &v); err != nil || v["k"] != "李 ü" {
				t.Errorf("%v in %s", err, out)
			}
			return v["n"]
		}},
		{"XML", func(col Column) Transform { return bindXML(t, col, xmlPaths("/a/n", pathShape, "*", pathKeep)) }, XML, `<a><n>&#26446;&#128512; &#1046; é € Ann</n></a>`, func(out string) string {
			out = strings.TrimSuffix(strings.TrimPrefix(out, "<a><n>"), "</n></a>")
			return string(appendReferences(t, out))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, kind := range []Kind{c.kind, Text} {
				out := applyTextual(t, c.bind(Column{Kind: kind, Charset: Latin1}), c.in)[0].(string)
				got := []rune(c.read(out))
				if !has(out) || len(got) != 12 || !unicode.Is(unicode.Han, got[0]) || got[0] == '李' || got[1] != '😀' || got[7] != '€' {
					t.Errorf("%s, whose value is %q", out, string(got))
				}
			}
			if out := applyTextual(t, c.bind(Column{Kind: c.kind}), c.in)[0].(string); has(out) {
				t.Errorf("in Unicode: %s", out)
			}
		})
	}
}

// appendReferences reads the references of a text.
func appendReferences(t *testing.T, text string) (out []byte) {
	t.Helper()
	for text != "" {
		if text[0] != '&' {
			out, text = append(out, text[0]), text[1:]
			continue
		}
		r, n := xmlReference([]byte(text))
		out, text = append(out, string(r)...), text[n:]
	}
	return out
}
