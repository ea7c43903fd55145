package masking

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

func email(kv ...any) Spec { return Spec{Name: "fake", Variant: "email", Params: params(kv...)} }

func TestEmails(t *testing.T) {
	mask := situation(t, Column{Kind: Text}, email())
	out := mask("Ann.Smith@Corp.example", "ann.smith@corp.example", "  ANN.SMITH@CORP.EXAMPLE\t", "\u00a0ann.smith@corp.example", "ann.smith+x@corp.example", "annsmith@corp.example", "no address", "é@x.example", "É@x.example", "\xff@x.example", nil)
	for i := 1; i < 4; i++ {
		if out[i] != out[0] {
			t.Errorf("spelling %d of one address is masked otherwise", i)
		}
	}
	if out[7] != out[8] {
		t.Error("É and é are masked otherwise")
	}
	seen := map[any]bool{}
	for _, v := range out[3:8] {
		seen[v] = true
	}
	if len(seen) != 5 || out[10] != nil {
		t.Errorf("five addresses became %d", len(seen))
	}
	for _, v := range out[:10] {
		local, domain, _ := strings.Cut(v.(string), "@")
		parts := strings.Split(local, ".")
		if domain != "example.com" || len(parts) != 3 || len(parts[2]) != emailCode || len(parts[0]) < 1 || len(parts[1]) < 1 {
			t.Errorf("%s does not look like given.family.code@example.com", v)
		}
	}
}

// The bits that are promised are there: the code has 65, and every name counts.
func TestEmailBits(t *testing.T) {
	b, err := Standard().Bind(fixedKey(t), Column{Kind: Text, Unique: true, Rows: 100_000_000}, email(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if b.Guarantees.OutputBits < 84 {
		t.Errorf("%.1f bits", b.Guarantees.OutputBits)
	}
	given, family := textsOfNames(shortNames(dictionary.ASCIIGiven())), textsOfNames(shortNames(dictionary.ASCIIFamily()))
	if want := 65 + math.Log2(float64(len(given)*len(family))); math.Abs(b.Guarantees.OutputBits-want) > 1e-9 {
		t.Errorf("%.3f bits promised, %.3f are there", b.Guarantees.OutputBits, want)
	}
	for _, names := range [][]string{given, family} {
		for _, n := range names {
			if n == "" || len(n) > emailName || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("a name of an address: %q", n)
			}
		}
	}
	// Each of the 13 characters takes all 32 values about equally often, and each
	// half of the name many.
	mask := situation(t, Column{Kind: Text}, email())
	const n = 64_000
	in := make([]any, n)
	for i := range in {
		in[i] = fmt.Sprint(i)
	}
	var counts [emailCode][]int
	for i := range counts {
		counts[i] = make([]int, 32)
	}
	first, last := map[string]int{}, map[string]int{}
	for _, v := range mask(in...) {
		parts := strings.Split(strings.TrimSuffix(v.(string), "@example.com"), ".")
		first[parts[0]]++
		last[parts[1]]++
		for i, c := range []byte(parts[2]) {
			counts[i][strings.IndexByte(base32Digits, c)]++
		}
	}
	for i, c := range counts {
		if z := chiSquare(c); z > 6 || z < -6 {
			t.Errorf("character %d: %.1f standard deviations from even", i, z)
		}
	}
	for _, names := range []struct {
		met map[string]int
		all []string
	}{{first, given}, {last, family}} {
		counts := make([]int, len(names.all))
		for i, n := range names.all {
			counts[i] = names.met[n]
		}
		if z := chiSquare(counts); z > 6 || z < -6 {
			t.Errorf("%d names: %.1f standard deviations from even", len(counts), z)
		}
	}
}

func TestEmailsFitTheirColumn(t *testing.T) {
	const domain = len("@example.com")
	for most := domain + 1; most <= 60; most++ {
		mask := situation(t, Column{Kind: Text, MaxChars: most}, email())
		for i := range 200 {
			v := mask(fmt.Sprint(i))[0].(string)
			if wrong := isEmail("example.com", most)("", v); wrong != "" {
				t.Fatalf("%d characters: %s %s", most, v, wrong)
			}
		}
	}
	// Where the full form fits, the length of the column is without effect.
	a, b := situation(t, Column{Kind: Text, MaxChars: 45}, email()), situation(t, Column{Kind: Text}, email())
	if a("x")[0] != b("x")[0] {
		t.Error("45 characters hold the full form")
	}
	refused(t, Column{Kind: Text, MaxChars: domain}, email(), "at least 13 characters")
	refused(t, Column{Kind: Text, MaxChars: 25, Unique: true}, email(), "needs 26 characters to stay unique, the column holds 25")
	refused(t, Column{Kind: Text, MaxChars: 25}, email("unique", true), "26 characters")
	refused(t, Column{Kind: Text, Unique: true, Rows: 1 << 40}, email(), "bits")
	situation(t, Column{Kind: Text, MaxChars: 26, Unique: true}, email())
	situation(t, Column{Kind: Text, MaxChars: 21, Unique: true}, email("domain", "a.test"))
}

func TestEmailDomains(t *testing.T) {
	for _, good := range []string{"example.com", "Example.NET", "mail.example.org", "shop.test", "a.example", "x.invalid", "y.localhost", "deep.er.test"} {
		mask := situation(t, Column{Kind: Text}, email("domain", good))
		if v := mask("x")[0].(string); !strings.HasSuffix(v, "@"+strings.ToLower(good)) {
			t.Errorf("at %s: %s", good, v)
		}
	}
	for _, bad := range []string{"gmail.com", "example.de", "notexample.com", "example.com.evil.io", "test", "localhost", "", ".test", "a..test", "-a.test", "a b.test", "ä.test", "test.", "example.com\n", strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 100) + "test"} {
		refused(t, Column{Kind: Text}, email("domain", bad), "could reach somebody")
	}
	refused(t, Column{Kind: Int}, email(), "kind int")
	refused(t, Column{Kind: Text, Labels: []string{"a@b.c"}}, email(), "labels")
}

func textsOfNames(names []shortName) (all []string) {
	for i := range names {
		all = append(all, string(names[i].text[:names[i].size-1]))
	}
	return all
}
