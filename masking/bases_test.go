package masking

import (
	"errors"
	"testing"
	"unicode/utf8"
)

// What is masked as its canonical form fits the column all the same, and what is blank
// stays blank.
func TestCanonicalFormsFit(t *testing.T) {
	odd := []any{"straße", "ßßßßß1", "ﷺ", "½", "10.0.0.½", "é1", "\u00a0", "\u3000", nil, "plain1"}
	for _, variant := range formsOfASCII {
		spec := fakeOf(variant)
		if variant == "national_id" {
			spec = nationalID("ES")
		}
		for _, col := range []Column{{MaxChars: 10}, {MaxBytes: 12}, {Charset: Latin1}, {Charset: ASCII}} {
			col.Kind, col.Equality = Text, FoldCase|FoldAccents
			b, err := Standard().Bind(fixedKey(t), col, spec, nil)
			if refused := (*BindError)(nil); errors.As(err, &refused) {
				continue // an address needs 15 characters
			} else if err != nil {
				t.Fatal(err)
			}
			for _, v := range odd {
				s, _ := v.(string)
				if v == nil || col.MaxChars > 0 && utf8.RuneCountInString(s) > col.MaxChars || col.MaxBytes > 0 && len(s) > col.MaxBytes || !holdsAll(col.Charset, s) {
					continue
				}
				out, err := tryTextual(t, b.Transform, v)
				if err != nil {
					t.Fatal(err)
				}
				got := out[0].(string)
				if col.MaxChars > 0 && utf8.RuneCountInString(got) > col.MaxChars || col.MaxBytes > 0 && len(got) > col.MaxBytes || !holdsAll(col.Charset, got) {
					t.Errorf("fake %s: %q became %q, which %+v does not hold", variant, s, got, col)
				}
				if blank([]byte(s)) && got != s {
					t.Errorf("fake %s: the blank %q became %q", variant, s, got)
				}
			}
		}
	}
	long := &lawCase{spec: fakeOf("account"), col: Column{Kind: Text, MaxChars: 6, Unique: true, Equality: FoldAccents}}
	rejected(t, long.col, long.spec, []any{"a1", "ßßß1"}, 1, "longer than the column")
}

func holdsAll(set Charset, s string) bool {
	for _, r := range s {
		if !set.Holds(r) {
			return false
		}
	}
	return true
}
