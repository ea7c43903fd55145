package masking

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// strictCode is the number of base32 characters of 128 bits, with two bits to spare.
const strictCode = 26

// bindStrictEmail binds {fake: email, unique: strict}: given.code@domain, whose
// code prints 128 bits.
//
// For a normalised address of at most 15 bytes the bits are the AES-256 block of
// the address, padded by 1 and 0 bits as in ISO/IEC 9797-1, method 2. Blocks and
// paddings can be undone: such addresses never meet. For a longer one the bits
// are its AES-256-CMAC, and two of n of them meet with probability below n²/2¹²⁹.
// One of the two spare bits tells these from those, so that they do not meet
// either.
//
// The column must hold all of the code: nothing of it is cut. A given name stands
// before it as far as there is room.
func bindStrictEmail(req Request, domain string) (Binding, error) {
	limit := limitsOf(req.Column)
	room := min(limit.chars, limit.bytes) - strictCode - 1 - len(domain)
	if room < 0 {
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("fake email, unique: strict, at %s needs %d characters, the column holds %d", domain, strictCode+1+len(domain), min(limit.chars, limit.bytes)),
			Help:   "use a shorter reserved domain (domain: a.test), or unique: true",
		}
	}
	t := &strictEmailTransform{
		prf:      newPRF(req.Key.For("email strict")),
		short:    newBlock(req.Key.For("email strict short")),
		domain:   domain,
		given:    shortWords(dictionary.ASCIIGiven()),
		name:     min(max(room-1, 0), emailName),
		equality: req.Column.Equality,
	}
	b := Binding{
		Transform:  t,
		Guarantees: Guarantees{Deterministic: true, Reversible: true, KeepsNull: true, KeepsEmpty: true, OutputBits: 128},
		Pinned:     fmt.Sprintf("strictly unique at %s, %d letters, dictionary %s, Unicode %s", domain, t.name, dictionary.HashOf("given_latin"), unicode.Version),
	}
	if t.name < emailName {
		b.Warnings = append(b.Warnings, fmt.Sprintf("names in addresses are shortened to %d letters: they do not join with columns that hold %d characters", t.name, emailName+1+strictCode+1+len(domain)))
	}
	if need := UniqueBits(req.Column.Rows); need > b.Guarantees.OutputBits {
		return Binding{}, &BindError{Reason: fmt.Sprintf("128 bits do not keep so many rows apart: that takes %.0f", need), Help: "use {pseudonym: id} on the key, and no email"}
	}
	return b, nil
}

// shortWords returns the names that an address has room for.
func shortWords(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return len(n) > emailName })
}

type strictEmailTransform struct {
	prf      *prf
	short    cipher.Block
	domain   string
	given    []string
	name     int // most letters of a name
	equality Equality
}

func (t *strictEmailTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	most := emailName + 1 + strictCode + 1 + len(t.domain)
	out := newTextBuilder(mem, values.n, values.n*most)
	s := getScratch()
	defer s.free()
	var padded [lanes][aes.BlockSize]byte
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		n := gather(s, &values, base, rows)
		for i, v := range s.msg[:n] {
			v = s.normalUnder(v, t.equality)
			s.msg[i], s.which[i] = v, 1
			if len(v) < aes.BlockSize {
				clear(padded[i][copy(padded[i][:], v):])
				padded[i][len(v)] = 0x80
				s.msg[i], s.which[i] = nil, 0
			}
		}
		t.prf.sums(s, n)
		for i := range n {
			if s.which[i] == 0 {
				s.block[i] = padded[i]
				t.short.Encrypt(s.block[i][:], s.block[i][:])
			}
		}
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				out.grow(most)
				out.buf = t.append(out.buf, &s.block[lane], s.which[lane])
				out.end()
				lane++
			case values.null(base + i):
				out.null()
			default:
				out.add(values.value(base + i))
			}
		}
	}
	clear(padded[:])
	return out.finish(), nil
}

// append appends one address. The name is chosen by bits that the code prints too.
func (t *strictEmailTransform) append(dst []byte, block *[aes.BlockSize]byte, long uint8) []byte {
	hi, lo := binary.BigEndian.Uint64(block[:8]), binary.BigEndian.Uint64(block[8:])
	if t.name > 0 {
		given := t.given[hi>>32*uint64(len(t.given))>>32]
		dst = append(dst, given[:min(len(given), t.name)]...)
		dst = append(dst, '.')
	}
	from := len(dst)
	dst = dst[:from+strictCode]
	writeBase32(dst[from:from+strictCode-1], hi, lo) // 125 bits
	dst[from+strictCode-1] = base32Digits[lo&7<<2|uint64(long)]
	dst = append(dst, '@')
	return append(dst, t.domain...)
}
