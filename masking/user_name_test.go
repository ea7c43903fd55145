package masking

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

func userText(i int) any {
	return []string{fmt.Sprintf("user%d", i), fmt.Sprintf("M.Smith_%d", i), fmt.Sprintf("%d", i), fmt.Sprintf("ivan-%d", i), fmt.Sprintf("%d@corp.example-of-a-long-host-name.example", i), fmt.Sprintf("José%d", i)}[i%6]
}

func keepsPattern(in, out any) string {
	a, b := []rune(in.(string)), []rune(out.(string))
	if len(a) != len(b) || len(in.(string)) != len(out.(string)) {
		return "has another length"
	}
	for i := range a {
		ca, _, upA := letterOf(a[i])
		cb, _, upB := letterOf(b[i])
		if ca != cb || upA != upB || ca < 0 && a[i] != b[i] {
			return "has another pattern"
		}
	}
	return ""
}

var _ = addLawCases(
	lawCase{name: "user name", spec: fake("user_name"), col: Column{Kind: Text}, value: wordsOf},
	lawCase{name: "user name, 9 characters", spec: fake("user_name"), col: Column{Kind: Text, MaxChars: 9}, value: wordsOf},
	lawCase{name: "user name unique", spec: fake("user_name"), col: Column{Kind: Text, MaxChars: 60, Unique: true}, value: userText, fits: keepsPattern},
	lawCase{name: "user name unique, short", spec: fake("user_name", "unique", true), col: Column{Kind: Text, MaxChars: 3}, value: func(i int) any {
		return string([]byte{'a' + byte(i%26), 'a' + byte(i/26%26), '0' + byte(i/676)})
	}, count: 6760, fits: keepsPattern, few: true},
	lawCase{name: "user name unique, one letter", spec: fake("user_name", "unique", true), col: Column{Kind: Text, MaxChars: 1}, value: func(i int) any { return string(rune('a' + i)) }, count: 26, fits: keepsPattern, few: true},
	lawCase{name: "user name unique, long", spec: fake("user_name"), col: Column{Kind: Text, Unique: true, Equality: FoldCase}, value: func(i int) any {
		return fmt.Sprintf("%s-%d-%s", strings.Repeat("aB", 10+i%50), i, strings.Repeat("z", i%40))
	}, fits: keepsPattern},
	lawCase{name: "email strict", spec: fake("email", "unique", "strict"), col: Column{Kind: Text, Unique: true, Rows: 1 << 45}, value: func(i int) any { return fmt.Sprintf("%d@corp.example.org"[:4+i%14], i) }, fits: isEmail("example.com", 48)},
	lawCase{name: "email strict, 33 characters", spec: fake("email", "unique", "strict", "domain", "a.test"), col: Column{Kind: Text, MaxChars: 33}, value: wordsOf, fits: isEmail("a.test", 33)},
)

var _ = addVectors(
	vectorSet{"user_name", []vector{
		{"customers", Column{Kind: Text}, fake("user_name"), []any{"maria", " Maria", "MARIA", "m.smith_1980", "Жанна", "", nil}, nil},
		{"customers", Column{Kind: Text, MaxChars: 8}, fake("user_name"), []any{"maria", "x"}, nil},
		{"customers", Column{Kind: Text, Unique: true}, fake("user_name"), []any{"maria", "Maria", "m.smith_1980", "x", "-", "иван-2", "王小明", "a very long user name of more than twenty-six letters", "", " ", nil}, nil},
		{"customers", Column{Kind: Text, Unique: true, Equality: FoldCase | FoldAccents}, fake("user_name"), []any{"José", "JOSE"}, nil},
	}},
	vectorSet{"email_strict", []vector{
		{"customers", Column{Kind: Text}, fake("email", "unique", "strict"), []any{"ann@a.example", " Ann@A.example", "ann.smith@corp.example", "", nil}, nil},
		{"customers", Column{Kind: Text, MaxChars: 36}, fake("email", "unique", "strict", "domain", "a.test"), []any{"ann@a.example", "ann.smith@corp.example"}, nil},
	}},
)

func TestUserNamesLookLikeSome(t *testing.T) {
	mask := situation(t, Column{Kind: Text}, fake("user_name"))
	for i := range 500 {
		got := mask(fmt.Sprint("u", i))[0].(string)
		given, rest, _ := strings.Cut(got, ".")
		if len(rest) < 5 || strings.Trim(rest[len(rest)-4:], "0123456789") != "" || !isName(dictionary.GivenNames(dictionary.Latin), given) || !isName(dictionary.FamilyNames(dictionary.Latin), rest[:len(rest)-4]) {
			t.Fatalf("a user name: %q", got)
		}
	}
	out := mask("Maria", "maria ", "MARIA")
	if out[0] != out[1] || out[2] != strings.ToUpper(out[0].(string)) {
		t.Errorf("one user name in three spellings: %q", out)
	}
	for most := 1; most < 30; most++ {
		mask := situation(t, Column{Kind: Text, MaxBytes: most}, fake("user_name"))
		for i := range 50 {
			if got := mask(fmt.Sprint("u", i))[0].(string); len(got) > most || got == "" {
				t.Fatalf("%d characters: %q", most, got)
			}
		}
	}
}

// Every string of a small pattern is an image, once.
func TestStringsOfAPatternArePermuted(t *testing.T) {
	for _, pattern := range []string{"a", "0", "a0", "00", "a-0", "0000", "aaa", "б0", "é", "ア"} {
		strs := []string{""}
		for _, r := range pattern {
			class, _, _ := letterOf(r)
			var longer []string
			for _, s := range strs {
				if class < 0 {
					longer = append(longer, s+string(r))
					continue
				}
				for i := range alphabets[class].n {
					longer = append(longer, s+string(alphabets[class].first+rune(i)))
				}
			}
			strs = longer
		}
		mask := situation(t, Column{Kind: Text, Unique: true}, fake("user_name"))
		in := make([]any, len(strs))
		for i, s := range strs {
			in[i] = s
		}
		seen := map[any]bool{}
		for i, v := range mask(in...) {
			if wrong := keepsPattern(in[i], v); wrong != "" || seen[v] {
				t.Fatalf("pattern %q: string %d %s", pattern, i, wrong)
			}
			seen[v] = true
		}
	}
}

// A character changes all others, near the border of one integer and beyond it.
func TestLongStringsAreMixed(t *testing.T) {
	mask := situation(t, Column{Kind: Text, Unique: true}, fake("user_name"))
	for _, n := range []int{5, 26, 27, 28, 52, 53, 79, 200, maxPermuted} {
		one := strings.Repeat("a", n)
		was := mask(one)[0].(string)
		for _, at := range []int{0, n / 2, n - 1} {
			now := mask(one[:at] + "b" + one[at+1:])[0].(string)
			same := 0
			for i := range was {
				if was[i] == now[i] {
					same++
				}
			}
			if same > 3+n/8 {
				t.Errorf("%d letters, another one at %d: %d stay", n, at, same)
			}
		}
	}
}

func TestUserNamesUnderEqualities(t *testing.T) {
	fold := situation(t, Column{Kind: Text, Unique: true, Equality: FoldCase}, fake("user_name"))
	out := fold("Maria", "mARIA", "maria")
	if !strings.EqualFold(out[0].(string), out[2].(string)) || !strings.EqualFold(out[1].(string), out[2].(string)) {
		t.Errorf("one user name of citext is several: %q", out)
	}
	pad := situation(t, Column{Kind: Text, Unique: true, Equality: PadSpace}, fake("user_name"))
	if out := pad("maria", "maria  "); out[0].(string)+"  " != out[1] {
		t.Errorf("one user name of char(n) is several: %q", out)
	}
	accents := situation(t, Column{Kind: Text, Unique: true, Equality: FoldCase | FoldAccents}, fake("user_name"))
	if out := accents("José", "JOSE", "jose\u0301"); out[0] != out[1] || out[1] != out[2] {
		t.Errorf("one user name regardless of accents is several: %q", out)
	}
}

func TestUserNamesThatCannotBePermuted(t *testing.T) {
	for _, bad := range []string{"กรุงเทพ", "٣", "e\u0301", "ς", "Łukasz", "\xff", strings.Repeat("x", maxPermuted+1)} {
		rejected(t, Column{Kind: Text, Unique: true}, fake("user_name"), []any{"ok", bad}, 1, "")
	}
	rejected(t, Column{Kind: Text, Unique: true, Equality: FoldAccents}, fake("user_name"), []any{"иван"}, 0, "alphabet")
	refused(t, Column{Kind: Text, Unique: true}, fake("user_name", "unique", "strict"), "strict")
	refused(t, Column{Kind: Text}, fake("email", "unique", "very"), "very")
	refused(t, Column{Kind: Text, Equality: FoldUnknown}, fake("user_name"), "goes by the value")
	refused(t, Column{Kind: UUID}, fake("user_name"), "kind uuid")
}

func TestStrictEmails(t *testing.T) {
	mask := situation(t, Column{Kind: Text, Unique: true}, fake("email", "unique", "strict"))
	out := mask("a@b.example", " A@B.Example ", "a@b.example.com", "a@b.example.com\x80", "15@corp.example", "015@corp.example")
	if out[0] != out[1] {
		t.Error("two spellings of one address are two")
	}
	seen := map[any]bool{}
	for _, v := range out[1:] {
		seen[v] = true
	}
	if len(seen) != 5 {
		t.Errorf("five addresses became %d", len(seen))
	}
	for i, v := range out {
		local, _, _ := strings.Cut(v.(string), "@")
		name, code, _ := strings.Cut(local, ".")
		short := i < 3 || i == 4
		last := strings.IndexByte(base32Digits, code[len(code)-1])
		if name == "" || len(code) != strictCode || (last&3 == 0) != short {
			t.Errorf("address %d: %s", i, v)
		}
	}
	refused(t, Column{Kind: Text, MaxChars: 32}, fake("email", "unique", "strict", "domain", "a.test"), "needs 33 characters")
	for most := 33; most < 50; most++ {
		mask := situation(t, Column{Kind: Text, MaxChars: most}, fake("email", "unique", "strict", "domain", "a.test"))
		if got := mask("x")[0].(string); utf8.RuneCountInString(got) > most {
			t.Errorf("%d characters of %d", len(got), most)
		}
	}
}

func FuzzPermuteText(f *testing.F) {
	for _, s := range []string{"maria", "", "иван", "a\xff", strings.Repeat("a", 30), "王小明1"} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		tr := bindTextPermutation(fixedKey(t).Subkey("d", "fake", 1), "user name", Column{Kind: Text}).Transform
		one, err1 := tryTextual(t, tr, a)
		two, err2 := tryTextual(t, tr, b)
		if err1 != nil || err2 != nil {
			return
		}
		if (a == b) != (one[0] == two[0]) {
			t.Error("different strings met, or one was masked to two")
		}
		if wrong := keepsPattern(a, one[0]); wrong != "" {
			t.Error(wrong)
		}
	})
}
