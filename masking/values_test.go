package masking

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

// blank knows each space by its first byte; Unicode must not have got another.
func TestBlankKnowsEverySpace(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		text := []byte(" " + string(r) + " ")
		if got := blank(text); got != unicode.IsSpace(r) {
			t.Errorf("%U: blank says %t", r, got)
		}
	}
	for _, broken := range []string{"\x85", "\xa0", "\xc2", "\xe2\x80", " \xff "} {
		if blank([]byte(broken)) {
			t.Errorf("%q is not UTF-8, and not blank", broken)
		}
	}
}
