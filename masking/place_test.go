package masking

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

func fake(variant string, kv ...any) Spec {
	return Spec{Name: "fake", Variant: variant, Params: params(kv...)}
}

func addressText(i int) any {
	switch i % 4 {
	case 0:
		return fmt.Sprintf("%d Elm Grove, Springfield %05d", i, i%1e5)
	case 1:
		return fmt.Sprintf("Büro %d\r\nHauptstraße 5\r\n%05d Köln", i, i%1e5)
	case 2:
		return fmt.Sprintf("Москва, ул. Ленина, %d", i)
	}
	return fmt.Sprintf("PO BOX %d", i)
}

var _ = addLawCases(
	lawCase{name: "city", spec: fake("city"), col: Column{Kind: Text, MaxChars: 40}, value: wordsOf},
	lawCase{name: "city, 7 characters", spec: fake("city"), col: Column{Kind: Text, MaxChars: 7}, value: wordsOf},
	lawCase{name: "city, 2 characters", spec: fake("city"), col: Column{Kind: Text, MaxChars: 2}, value: wordsOf, few: true},
	lawCase{name: "street", spec: fake("street"), col: Column{Kind: Text}, value: wordsOf},
	lawCase{name: "street, 12 characters", spec: fake("street"), col: Column{Kind: Text, MaxChars: 12}, value: addressText, few: true},
	lawCase{name: "address", spec: fake("address"), col: Column{Kind: Text}, value: addressText, fits: func(in, out any) string {
		if a, b := strings.Count(in.(string), "\n"), strings.Count(out.(string), "\n"); a != b {
			return "has another number of lines"
		}
		return ""
	}},
	lawCase{name: "address, 30 characters", spec: fake("address"), col: Column{Kind: Text, MaxChars: 30}, value: addressText},
	lawCase{name: "company", spec: fake("company"), col: Column{Kind: Text, MaxChars: 60}, value: wordsOf},
	lawCase{name: "company, 10 bytes", spec: fake("company"), col: Column{Kind: Text, MaxBytes: 10}, value: wordsOf, few: true},
	lawCase{name: "job", spec: fake("job", "script", "greek"), col: Column{Kind: Text}, value: wordsOf},
)

var _ = addVectors(
	vectorSet{"place", []vector{
		{"customers", Column{Kind: Text}, fake("city"), []any{"Oslo", " oslo ", "OSLO", "Zürich", "Łódź", "Москва", "Αθήνα", "القاهرة", "תל אביב", "मुंबई", "北京", "トウキョウ", "서울", "กรุงเทพ", "12", "", nil}, nil},
		{"customers", Column{Kind: Text, MaxChars: 5}, fake("city"), []any{"Oslo", "Москва"}, nil},
		{"customers", Column{Kind: Text}, fake("city", "script", "latin"), []any{"Москва"}, nil},
		{"customers", Column{Kind: Text}, fake("street"), []any{"221B Baker Street", "Hauptstraße 5", "Calle Mayor, 5", "Baker Street", "BAKER STREET", "ул. Ленина, 5", "中山路5号", ""}, nil},
		{"customers", Column{Kind: Text}, fake("address"), []any{"221B Baker Street, London", "1 Elm Grove, Springfield 12345", "Miller Ltd\nHauptstraße 5\n10115 Berlin", "Москва, ул. Ленина, 5", "PO BOX 7"}, nil},
	}},
	vectorSet{"company", []vector{
		{"customers", Column{Kind: Text}, fake("company"), []any{"Miller & Sons Ltd", "miller & sons ltd", "Contoso", "ООО «Ромашка»", "三井有限公司", "", nil}, nil},
		{"customers", Column{Kind: Text}, fake("job"), []any{"Head of Sales", "NURSE", "инженер"}, nil},
	}},
)

// partOf reports whether the text, in whatever case, holds an entry of a list.
func partOf(list []string, text string) bool {
	for _, e := range list {
		if strings.Contains(strings.ToLower(text), strings.ToLower(e)) {
			return true
		}
	}
	return false
}

func TestPlacesKeepTheirForm(t *testing.T) {
	city, street := situation(t, Column{Kind: Text}, fake("city")), situation(t, Column{Kind: Text}, fake("street"))
	for _, c := range []struct {
		city, street string
		script       dictionary.Script
	}{
		{"Oslo", "5 High Street", dictionary.Latin}, {"Москва", "ул. Ленина, 5", dictionary.Cyrillic}, {"Αθήνα", "Ερμού 5", dictionary.Greek},
		{"القاهرة", "شارع النيل 5", dictionary.Arabic}, {"חיפה", "הרצל 5", dictionary.Hebrew}, {"मुंबई", "5, गांधी मार्ग", dictionary.Devanagari},
		{"北京", "中山路5号", dictionary.Han}, {"トウキョウ", "サクラドオリ 5", dictionary.Kana}, {"서울", "종로 5", dictionary.Hangul},
	} {
		if got := city(c.city)[0].(string); !partOf(dictionary.Cities(c.script), got) {
			t.Errorf("city %q became %q", c.city, got)
		}
		if got := street(c.street)[0].(string); !partOf(dictionary.Streets(c.script), got) || !strings.ContainsAny(got, "123456789") {
			t.Errorf("street %q became %q", c.street, got)
		}
	}
	for in, form := range map[string]func(string) bool{
		"221b baker street": func(s string) bool { return s == strings.ToLower(s) && s[0] <= '9' },
		"Hauptstrasse 5":    func(s string) bool { return s[0] >= 'A' && s[len(s)-1] <= '9' && !strings.Contains(s, ",") },
		"Calle Mayor, 5":    func(s string) bool { return s[0] >= 'A' && s[len(s)-1] <= '9' && strings.Contains(s, ", ") },
		"BAKER STREET":      func(s string) bool { return s == strings.ToUpper(s) && !strings.ContainsAny(s, "123456789") },
	} {
		if got := street(in)[0].(string); !form(got) {
			t.Errorf("street %q became %q", in, got)
		}
	}
}

// No entry comes out for itself, whatever the key; and none for a value that holds it.
func TestPlacesNeverStay(t *testing.T) {
	for variant, list := range map[string]func(dictionary.Script) []string{"city": dictionary.Cities, "street": dictionary.Streets, "job": dictionary.Jobs, "company": dictionary.CompanyStems} {
		for _, most := range []int{0, 5} {
			mask := situation(t, Column{Kind: Text, MaxChars: most}, fake(variant))
			for _, s := range []dictionary.Script{dictionary.Latin, dictionary.Cyrillic, dictionary.Han} {
				for _, e := range list(s) {
					if got := mask(e)[0].(string); strings.EqualFold(got, e) {
						t.Fatalf("%s, %d characters: %q stays", variant, most, e)
					}
				}
			}
		}
	}
}

func TestAddresses(t *testing.T) {
	mask := situation(t, Column{Kind: Text}, fake("address"))
	for _, c := range []struct{ in, form string }{
		{"1 Elm Grove, Springfield", "9 street, city"},
		{"Elm Grove 1, Springfield", "street 9, city"},
		{"1 Elm Grove, Springfield 12345", "9 street, city 99999"},
		{"1 Elm Grove, 1234 Springfield", "9 street, 9999 city"},
		{"1 Elm Grove\n12345 Springfield", "9 street\n99999 city"},
		{"A\nB\n1 Elm Grove\nSpringfield", "company\ncompany\n9 street\ncity"},
	} {
		got := mask(c.in)[0].(string)
		cut := func(s string) []string {
			return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '\n' })
		}
		parts, want := cut(got), cut(c.form)
		if len(parts) != len(want) {
			t.Errorf("%q became %q", c.in, got)
			continue
		}
		for i, w := range want {
			ok := true
			switch {
			case strings.Contains(w, "street"):
				ok = partOf(dictionary.Streets(dictionary.Latin), parts[i])
			case strings.Contains(w, "city"):
				ok = partOf(dictionary.Cities(dictionary.Latin), parts[i])
			case strings.Contains(w, "company"):
				ok = partOf(dictionary.CompanyStems(dictionary.Latin), parts[i])
			}
			if n := strings.Count(w, "9"); !ok || n > 1 && digitsIn(parts[i]) != n || (strings.TrimSpace(w)[0] == '9') != (strings.TrimSpace(parts[i])[0] <= '9') {
				t.Errorf("%q became %q", c.in, got)
			}
		}
	}
	for most := 1; most < 60; most++ {
		mask := situation(t, Column{Kind: Text, MaxChars: most}, fake("address"))
		for i := range 40 {
			if got := []rune(mask(addressText(i))[0].(string)); len(got) > most || len(got) == 0 {
				t.Fatalf("%d characters of %d", len(got), most)
			}
		}
	}
}

func digitsIn(s string) (n int) {
	for _, c := range s {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

func TestPlacesThatDoNotFit(t *testing.T) {
	refused(t, Column{Kind: Text, Unique: true}, fake("city"), "unique")
	refused(t, Column{Kind: Int, Bits: 32}, fake("city"), "kind int")
	refused(t, Column{Kind: Text, Labels: []string{"Oslo"}}, fake("city"), "labels")
	refused(t, Column{Kind: Text, Equality: FoldUnknown}, fake("street"), "goes by the value")
	refused(t, Column{Kind: Text}, fake("city", "script", "klingon"), "klingon")
	refused(t, Column{Kind: Text, Charset: Latin1}, fake("city", "script", "cyrillic"), "Latin-1")
}

// A mask that is longer than the room for it, of a script without a list, is as good
// among others as alone.
func TestLongMasksOfAnyScript(t *testing.T) {
	for _, variant := range []string{"city", "street", "address", "company", "job"} {
		tr := (&lawCase{spec: fakeOf(variant), col: Column{Kind: Text}}).bind(t, fixedKey(t), "d").Transform
		long := strings.Repeat("กรุงเทพ ", choiceRoom)
		in := []any{"Oslo", long, "Bergen", long + "ก", nil, "", "Graz"}
		out := applyTextual(t, tr, in...)
		for i, v := range in {
			if got := applyTextual(t, tr, v)[0]; got != out[i] {
				t.Errorf("fake %s: value %d differs alone and among others", variant, i)
			}
		}
		if got := out[1].(string); len(got) < choiceRoom || got == long {
			t.Errorf("fake %s: a long text has %d bytes", variant, len(got))
		}
	}
}
