package masking

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func phone(kv ...any) Spec { return Spec{Name: "fake", Variant: "phone", Params: params(kv...)} }

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if d, is := digitValue(r); is {
			return '0' + rune(d)
		}
		return -1
	}, s)
}

func TestPhones(t *testing.T) {
	mask := situation(t, Column{Kind: Text, Unique: true}, phone())
	for _, c := range []struct{ in, kept string }{
		{"+1 (212) 555-0123", "+1 (212) "},
		{"1.212.555.0123", "1.212."},
		{"+49 30 1234567", "+49 30"},
		{"212-555-0123", "212-"},
		{"5550123", ""},
		{"112", ""},
		{"0", ""},
		{"+44 20 7946 0123 ext. 45", "+44 20 "},
		{"☎ 020 7946 0123", "☎ 020 7"},
		{"+٩٦٦ ١١ ١٢٣ ٤٥٦٧", "+٩٦٦ ١"},
		{"Tel: 555 0123 X12", "Tel: "},
		{strings.Repeat("1234567890", 4), "1234"},
	} {
		got := mask(c.in)[0].(string)
		if utf8.RuneCountInString(got) != utf8.RuneCountInString(c.in) || len(got) != len(c.in) || !strings.HasPrefix(got, c.kept) {
			t.Errorf("%s became %s", c.in, got)
		}
		for i, r := range []rune(c.in) {
			o := []rune(got)[i]
			if unicode.IsDigit(r) != unicode.IsDigit(o) || !unicode.IsDigit(r) && r != o || unicode.IsDigit(r) && (r-o > 9 || o-r > 9) {
				t.Errorf("%s became %s: character %d", c.in, got, i)
			}
		}
	}
	// A number masks alike however it is written.
	out := mask("+1 212-555-0123", "12125550123", "1/212/5550123", "١٢١٢٥٥٥٠١٢٣")
	for _, v := range out {
		if digitsOf(v.(string)) != digitsOf(out[0].(string)) {
			t.Errorf("spellings of one number became %v", out)
		}
	}
	// What has no digits has nothing to mask.
	for _, v := range []string{"-", "+", "( )", "n/a"[1:2], "ext."} {
		if got := mask(v)[0]; got != v {
			t.Errorf("%q became %q", v, got)
		}
	}
}

func TestWhatIsNoPhone(t *testing.T) {
	others := []any{"call Ann Smith", "1-800-FLOWERS", "ann@corp.example", "доб. 12", strings.Repeat("1", 41), "12\xff34", "٣½", "extensions 12", "आ12"}
	for _, v := range others {
		rejected(t, Column{Kind: Text, Unique: true}, phone(), []any{"5550123", nil, v}, 2, "not a phone number")
	}
	mask := situation(t, Column{Kind: Text}, phone())
	for _, v := range others {
		in := v.(string)
		got := mask(v)[0].(string)
		if got == in || !utf8.ValidString(got) || utf8.RuneCountInString(got) != utf8.RuneCountInString(in) || mask(v)[0] != got {
			t.Errorf("%q became %q", in, got)
		}
		for i, r := range []rune(got) {
			if r >= utf8.RuneSelf && unicode.IsLetter(r) {
				t.Errorf("%q became %q: character %d", in, got, i)
			}
		}
		if strings.Contains(got, "Ann") || strings.Contains(got, "FLOW") {
			t.Errorf("%q became %q", in, got)
		}
	}
	long := strings.Repeat("Ann and Bob. ", 10_000)
	if got := mask(long)[0].(string); len(got) != len(long) || strings.Contains(got, "Ann and Bob") {
		t.Error("a long text came through")
	}
}

func TestReservedPhones(t *testing.T) {
	mask := situation(t, Column{Kind: Text}, phone("range", "reserved"))
	for in, want := range map[string]string{
		"555-9876":             "555-01##",
		"(212) 555-9876":       "(###) 555-01##",
		"+1 212 555 9876":      "+1 ### 555 01##",
		"+49 30 123456789":     "+1###55501##",
		"112":                  "+1###55501##",
		"+44 20 8123 4567":     "+44 20 7946 0###",
		"+44 (0)7911 123456":   "+44 (0)7700 900###",
		"0044 161 496 0000":    "0044 163 296 0###",
		"+44 5000 123456":      "+44 2079 460###",
		"+33 1 42 68 53 00":    "+33 1 99 00 ## ##",
		"+33 (0)6 12 34 56 78": "+33 (0)6 39 98 ## ##",
		"+49 (0)30 12345678":   "+49 (0)30 23125###",
		"+49 89 12345678":      "+49 89 99998###",
		"ask Ann":              "+1###55501##",
		"٥٥٥٩٨٧٦":              "٥٥٥٠١##",
		"-":                    "-",
	} {
		got := mask(in)[0].(string)
		if utf8.RuneCountInString(got) != utf8.RuneCountInString(want) {
			t.Errorf("%s became %s", in, got)
			continue
		}
		for i, w := range []rune(want) {
			if r := []rune(got)[i]; w == '#' && !unicode.IsDigit(r) || w != '#' && w != r {
				t.Errorf("%s became %s, not like %s", in, got, want)
				break
			}
		}
	}
	for most, want := range map[int]int{12: 12, 11: 10, 10: 10, 9: 7, 7: 7} {
		if got := situation(t, Column{Kind: Text, MaxChars: most}, phone("range", "reserved"))("112")[0].(string); len(got) != want {
			t.Errorf("in %d characters: %s", most, got)
		}
	}
	refused(t, Column{Kind: Text, Unique: true}, phone("range", "reserved"), "too few for a unique column")
	refused(t, Column{Kind: Text, MaxChars: 6}, phone("range", "reserved"), "at least 7 digits")
	refused(t, Column{Kind: Text}, phone("range", "other"), "no range")
	refused(t, Column{Kind: Text, Labels: []string{"1"}}, phone(), "labels")
	refused(t, Column{Kind: Int}, phone(), "kind int")
	seen := map[string]bool{}
	for _, a := range areaCodes {
		if len(a) != 3 || a[0] < '2' || seen[a] {
			t.Errorf("area code %s", a)
		}
		seen[a] = true
	}
}

// Unicode's promise on decimal digits, which digitValue builds upon.
func TestDigitsOfEveryScript(t *testing.T) {
	n := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.IsDigit(r) {
			continue
		}
		d, is := digitValue(r)
		if !is || int(d) != n%10 {
			t.Fatalf("%U has the value %d", r, d)
		}
		if zero := r - rune(d); utf8.RuneLen(zero) != utf8.RuneLen(zero+9) {
			t.Fatalf("the digits from %U on have different lengths", zero)
		}
		n++
	}
	if n == 0 || n%10 != 0 {
		t.Errorf("%d digits", n)
	}
}

func FuzzPhone(f *testing.F) {
	for _, seed := range []string{"", " ", "+1 (212) 555-0123", "112", "123456", "1234567 ext 8", "call Ann", "٠١٢٣٤٥٦٧٨٩", "\xff1", strings.Repeat("9", 40), strings.Repeat("9", 41)} {
		f.Add(seed)
	}
	key := fixedKey(f)
	strict := &lawCase{spec: phone(), col: Column{Kind: Text, Unique: true}}
	loose := &lawCase{spec: phone(), col: Column{Kind: Text}}
	b, l := strict.bind(f, key, "d"), loose.bind(f, key, "d")
	tr := b.Transform.(*phoneTransform)
	f.Fuzz(func(t *testing.T, in string) {
		got := loose.mask(t, l, true, []any{in}, nil)[0].(string)
		if utf8.RuneCountInString(got) != utf8.RuneCountInString(in) {
			t.Fatalf("%q has another length than %q", got, in)
		}
		digits, ok := scanPhone(nil, []byte(in))
		if !ok {
			if blank([]byte(in)) {
				t.Fatal("a blank is no phone number")
			}
			return
		}
		out := strict.mask(t, b, true, []any{in}, nil)[0].(string)
		if out != got {
			t.Fatalf("%q is %q in a unique column, and %q in another", in, out, got)
		}
		masked, ok := scanPhone(nil, []byte(out))
		keep := phoneKeeps(len(digits))
		if !ok || len(masked) != len(digits) || string(masked[:min(keep, len(masked))]) != string(digits[:keep]) {
			t.Fatalf("%q became %q", in, out)
		}
		if back := tr.invert(masked); string(back) != string(digits) {
			t.Fatalf("%q became %q, which comes from %v", in, out, back)
		}
	})
}

// invert gives the digits that were masked to these.
func (t *phoneTransform) invert(digits []byte) []byte {
	back := slices.Clone(digits)
	if len(digits) == 0 {
		return back
	}
	if len(digits) <= phoneTable {
		image := uint32(readDigits(digits))
		for x, y := range t.tables[len(digits)] {
			if y == image {
				writeDigits(back, uint64(x))
			}
		}
		return back
	}
	s := getScratch()
	defer s.free()
	t.place(s, 0, 0, back)
	t.feistel.invert(s, 1)
	masked := back[phoneKeeps(len(back)):]
	s.getHalves(0, masked, len(masked)/2)
	return back
}
