package masking

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"math/rand/v2"
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

// What works on words of eight bytes agrees with what works byte by byte.
func TestWordsAgreeWithBytes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	alphabet := []byte("abzAZ@[`{/09:. \t\r\n\x00\x7f\x80\xc3\xff'-")
	var ns nameScratch
	for range 100_000 {
		v := make([]byte, rnd.IntN(40))
		few := 3 + rnd.IntN(len(alphabet)-2) // the first ones alone, often
		for i := range v {
			v[i] = alphabet[rnd.IntN(few)]
		}
		if got, want := ns.appendCanonical(nil, v), ns.appendCanonicalUnicode(nil, v); !bytes.Equal(got, want) {
			t.Fatalf("%q: canonical %q, and %q in the long way", v, got, want)
		}
		capital := bytes.ContainsFunc(v, func(r rune) bool { return r >= 'A' && r <= 'Z' })
		ascii := !bytes.ContainsFunc(v, func(r rune) bool { return r >= utf8.RuneSelf })
		if isPlain(v) != (ascii && !capital) || isASCII(v) != ascii {
			t.Fatalf("%q: plain %t, ASCII %t", v, isPlain(v), isASCII(v))
		}
		if ascii {
			lower := bytes.ToLower(v)
			if got := appendLowered([]byte("x"), v); string(got[1:]) != string(lower) {
				t.Fatalf("%q in small letters is %q", v, got)
			}
			letters, capitals := 0, 0
			for i := range v {
				if lower[i] >= 'a' && lower[i] <= 'z' {
					letters++
					if lower[i] != v[i] {
						capitals++
					}
				}
			}
			want := asListed
			switch {
			case capitals == 0 && letters > 0:
				want = allLower
			case capitals == letters && capitals > 1:
				want = allUpper
			}
			if got := styleOf(v); got != want {
				t.Fatalf("%q has style %d, not %d", v, got, want)
			}
		}
		if len(v) < 16 {
			var padded [16]byte
			copy(padded[:], v)
			lo, hi := load(v)
			if lo != binary.LittleEndian.Uint64(padded[:]) || hi != binary.LittleEndian.Uint64(padded[8:]) {
				t.Fatalf("%q: %x %x", v, lo, hi)
			}
		}
		hi, lo := rnd.Uint64(), rnd.Uint64()
		hex, base32 := make([]byte, rnd.IntN(33)), make([]byte, rnd.IntN(26))
		writeHex(hex, hi, lo)
		writeBase32(base32, hi, lo)
		number := new(big.Int).SetBytes(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, hi), lo))
		for i, c := range hex {
			if d := hexDigits[digit(number, 124-4*i)&15]; c != d {
				t.Fatalf("hex digit %d of %d is %c, not %c", i, len(hex), c, d)
			}
		}
		for i, c := range base32 {
			if d := base32Digits[digit(number, 123-5*i)&31]; c != d {
				t.Fatalf("base32 digit %d of %d is %c, not %c", i, len(base32), c, d)
			}
		}
	}
}

// digit returns the low bits of n shifted right.
func digit(n *big.Int, shift int) uint64 {
	return new(big.Int).And(new(big.Int).Rsh(n, uint(shift)), big.NewInt(31)).Uint64()
}
