package dictionary

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPools(t *testing.T) {
	names := Pools()
	if len(names) < 300 || !slices.IsSorted(names) {
		t.Errorf("%d pools, want at least 300, sorted", len(names))
	}
	hashes := map[string]string{}
	for _, name := range names {
		values, hash, ok := Pool(name)
		if !ok || len(values) == 0 || len(values) > 512 {
			t.Errorf("%s: %v, %d values", name, ok, len(values))
		}
		if !slices.IsSorted(values) || len(slices.Compact(slices.Clone(values))) != len(values) {
			t.Errorf("%s: not sorted, or a value stands twice", name)
		}
		if sum := sha256.Sum256([]byte(strings.Join(values, "\n") + "\n")); hash != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: its hash is not that of its values", name)
		}
		hashes[hash] = name
		for _, v := range values {
			if v == "" || len(v) > 512 || !utf8.ValidString(v) || strings.TrimSpace(v) != v || strings.ContainsFunc(v, unicode.IsControl) {
				t.Errorf("%s: %q is not one line of text", name, v)
			}
			checkReserved(t, name, v)
		}
	}
	for _, name := range []string{"address", "imagepng", "creditcardexp", "regex", "", "first_name"} {
		if _, _, ok := Pool(name); ok {
			t.Errorf("there is a pool %q", name)
		}
	}
	if _, _, ok := Pool("FirstName"); !ok {
		t.Error("capitals make a difference")
	}
}

var email = regexp.MustCompile(`[^/]@((?:[[:alnum:]]+(?:-+[[:alnum:]]+)*\.)+[[:alpha:]]{2,})`)

// checkReserved makes sure that no host of an email, a URL or a domain name is
// somebody's.
func checkReserved(t *testing.T, name, value string) {
	t.Helper()
	for w := range strings.FieldsSeq(value) {
		if m := email.FindStringSubmatch(w); m != nil && m[1] != "example.com" {
			t.Errorf("%s: %q is at a domain that is not reserved", name, value)
		}
		if _, rest, is := strings.Cut(w, "://"); is {
			host, _, _ := strings.Cut(rest, "/")
			if !strings.HasSuffix(host, ".test") {
				t.Errorf("%s: %q is at a host that is not reserved", name, value)
			}
		}
	}
	if name == "domainname" && !strings.HasSuffix(value, ".test") {
		t.Errorf("%s: %q is not reserved", name, value)
	}
}

func TestPoolsOfAFewGenerators(t *testing.T) {
	for name, want := range map[string]int{"bool": 2, "weekday": 7, "hour": 24, "flipacoin": 2, "email": 512, "uuid": 512, "vowel": 5} {
		if values, _, _ := Pool(name); len(values) != want {
			t.Errorf("%s: %d values, want %d", name, len(values), want)
		}
	}
	emails, _, _ := Pool("email")
	for _, e := range emails {
		if !strings.HasSuffix(e, "@example.com") || strings.ContainsAny(e, " /") {
			t.Errorf("%q", e)
		}
	}
}

// Pools that change would change yesterday's pseudonyms.
func TestPoolsArePinned(t *testing.T) {
	const want = "68aa46946ff29edf80ebfaa9f13f27b6fc7eabde27989803805b2427f5cf0e5b"
	h := sha256.New()
	for _, name := range Pools() {
		_, hash, _ := Pool(name)
		h.Write([]byte(name + " " + hash + "\n"))
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the pools of version %d changed: their hash is %s", Version, got)
	}
}
