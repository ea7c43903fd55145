package masking

import (
	"crypto/aes"
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// longForm is the length in bytes from which a canonical form is made in pieces of about so
// much: whole, it would take as much memory again as the value, or twice as much.
const longForm = 64 << 10

// sumsUnder is sums of the messages' canonical forms under e.
func (p *prf) sumsUnder(s *scratch, n int, e Equality) {
	if !e.folds() {
		for i, v := range s.msg[:n] {
			s.msg[i] = e.unpadded(v)
		}
		p.sums(s, n)
		return
	}
	type made struct {
		lane int
		sum  [aes.BlockSize]byte
	}
	var long []made
	for i, v := range s.msg[:n] {
		if len(v) <= longForm {
			s.msg[i] = s.canonical(v, e)
			continue
		}
		long = append(long, made{lane: i})
		p.sumUnder(&long[len(long)-1].sum, s, v, e)
		s.msg[i] = nil
	}
	p.sums(s, n)
	for i := range long {
		s.block[long[i].lane] = long[i].sum
	}
}

// sumUnder is sum of v's canonical form under e. What s.text holds stays.
func (p *prf) sumUnder(out *[aes.BlockSize]byte, s *scratch, v []byte, e Equality) {
	from := len(s.text)
	if len(v) <= longForm || !e.folds() {
		p.sum(out, s.canonical(v, e))
		s.text = s.text[:from]
		return
	}
	v = e.unpadded(v)
	e &^= PadSpace // blanks at the end of a piece are inside the value
	c := chained{prf: p}
	for len(v) > 0 {
		n := piece(v, longForm)
		c.add(s.canonical(v[:n], e))
		s.text, v = s.text[:from], v[n:]
	}
	*out = c.end()
}

// piece returns how long a piece v may begin with, of about n bytes: the canonical forms of
// the two parts make that of the whole. Where no such place is found it is all of v.
func piece(v []byte, n int) int {
	for ; n < len(v); n *= 2 {
		for cut := n; cut > n/2; cut-- {
			if divides(v[cut:]) {
				return cut
			}
		}
	}
	return len(v)
}

// divides reports whether a text may be divided before v, which is not empty: it begins with
// what combines with nothing before it, and leaves something in every canonical form, so that
// what comes behind does not go by what was before; a middle dot alone does, by an l.
func divides(v []byte) bool {
	if v[0] < utf8.RuneSelf {
		return !unseen(rune(v[0]))
	}
	r, size := utf8.DecodeRune(v)
	if size == 1 || r == '·' || unseen(r) || unicode.Is(unicode.Mn, r) {
		return false
	}
	p := norm.NFKD.Properties(v[:size])
	return p.BoundaryBefore() && p.Decomposition() == nil
}

// folds reports whether different letters may be equal.
func (e Equality) folds() bool { return e&(FoldASCII|FoldCase|FoldAccents|foldsMore) != 0 }

// appendBasesUnder appends what the database compares a character by, under an
// equality that folds; raw is its form in UTF-8. Of a mark it may be nothing, of a
// ligature several characters. What canonical gives for a text is what
// this gives for its characters one by one.
func appendBasesUnder(dst []rune, r rune, raw []byte, e Equality) []rune {
	switch {
	case e&foldsMore != 0 && (r >= utf8.RuneSelf || unseen(r)):
		return appendBasesMore(dst, r, raw, e)
	case e&foldsMore != 0 && e&(FoldCase|FoldAccents) == 0:
		return append(dst, r)
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(dst, r)
	case e&(FoldCase|FoldAccents) == 0:
		return append(dst, r)
	case e&FoldAccents == 0:
		return append(dst, fold(r))
	case r >= 0x4E00 && r < 0xA000 || r >= 0xAC00 && r < 0xD7A4:
		return append(dst, r) // decomposed, a syllable is as equal as whole
	}
	parts := norm.NFKD.Properties(raw).Decomposition()
	if parts == nil {
		parts = raw
	}
	for len(parts) > 0 {
		p, size := utf8.DecodeRune(parts)
		parts = parts[size:]
		if unicode.Is(unicode.Mn, p) {
			continue
		}
		p = fold(p)
		if base, spelled := baseLetters[p]; spelled {
			for _, b := range base {
				dst = append(dst, b)
			}
		} else {
			dst = append(dst, p)
		}
	}
	return dst
}

// appendEqual appends the mask of src for a column whose equality folds. What is
// equal there has equal masks: each letter is chosen by its place among the letters
// of the canonical form, in the class of the letter that it is compared by, and
// takes the case of the letter that stood there if the alphabet has both. With
// FoldAccents a letter with marks becomes one without, and ß or æ become two
// letters: then lengths may differ, and the caller cuts what the column does not
// hold.
func (t *shapeTransform) appendEqual(dst, src []byte, seed *[aes.BlockSize]byte, s *shapeScratch) []byte {
	from := len(dst)
	for turn := range uint64(8) { // the second is seldom, and seldom not the last
		dst = dst[:from]
		place, moved := 0, false
		for i := 0; i < len(src); {
			r, size := utf8.DecodeRune(src[i:])
			raw := src[i : i+size]
			i += size
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, unknown1)
				continue
			}
			s.bases = appendBasesUnder(s.bases[:0], r, raw, t.equality)
			if len(s.bases) == 0 && t.equality&FoldForms != 0 {
				continue // what the database sees of a mark was in the letter
			}
			if len(s.bases) == 0 || len(s.bases) == 1 && t.letters.class(s.bases[0]) == keptClass && t.letters.class(r) == keptClass {
				dst = append(dst, raw...)
				continue
			}
			for _, base := range s.bases {
				class := t.letters.class(base)
				was := base
				if t.charset == BMP && !t.charset.Holds(base) && len(s.bases) == 1 {
					base, class = r, t.letters.class(r) // what it is equal to cannot stand in the column
				}
				if t.charset == ASCII && base >= utf8.RuneSelf && class >= firstClass {
					if base = 'a'; unicode.IsNumber(was) {
						base = '0'
					}
					class = t.letters.class(base)
				}
				if class < firstClass {
					if class == noClass {
						base = unknownOf(utf8.RuneLen(base))
					}
					if !t.charset.Holds(base) {
						base = unknown1 // the fraction slash of ½, in Latin-1
					}
					dst = utf8.AppendRune(dst, base)
					continue
				}
				if place%4 == 0 { // a block of four draws
					t.expand(s, seed, place/4, 1)
				}
				c := &t.letters.classes[class]
				draw := uint64(binary.LittleEndian.Uint32(s.stream[place%4*4:])) * c.count >> 32
				if place == 0 {
					draw = (draw + turn) % c.count
				}
				place++
				chosen := c.at(draw)
				moved = moved || !t.equalLetters(was, chosen, s)
				if unicode.IsUpper(r) || unicode.IsTitle(r) {
					if up := unicode.ToUpper(chosen); utf8.RuneLen(up) <= size && fold(up) == fold(chosen) && t.charset.Holds(up) && (t.equality&FoldAstral == 0 || cased(chosen)) {
						chosen = up
					}
				}
				dst = utf8.AppendRune(dst, chosen)
			}
		}
		if moved || place == 0 {
			break
		}
	}
	return dst
}

// cased reports whether collations of Unicode 4 know the case of r: of letters that came later they
// take capital and small for two.
func cased(r rune) bool {
	return r < 0x220 || r >= 0x370 && r <= 0x373 || r >= 0x386 && r <= 0x3CE || r >= 0x400 && r <= 0x45F || r >= 0x1E00 && r <= 0x1EF9
}

// equalLetters reports whether the column takes a letter for the base letter.
func (t *shapeTransform) equalLetters(base, r rune, s *shapeScratch) bool {
	if base < utf8.RuneSelf && r < utf8.RuneSelf {
		return base == r
	}
	n := utf8.EncodeRune(s.word[:], r)
	s.other = appendBasesUnder(s.other[:0], r, s.word[:n], t.equality)
	return len(s.other) == 1 && s.other[0] == base
}

// narrow returns v with every letter, digit and number beyond ASCII as one of
// ASCII, of the same case: what a column holds whose character set is not known.
// The space is the scratch's.
func (t *shapeTransform) narrow(v []byte, s *shapeScratch) []byte {
	if isASCII(v) {
		return v
	}
	s.narrow = s.narrow[:0]
	for i := 0; i < len(v); {
		r, size := utf8.DecodeRune(v[i:])
		class := t.letters.class(r)
		switch {
		case r < utf8.RuneSelf:
			s.narrow = append(s.narrow, byte(r))
		case class == keptClass && !(r == utf8.RuneError && size == 1):
			s.narrow = append(s.narrow, v[i:i+size]...)
		case class < firstClass:
			s.narrow = append(s.narrow, unknown1)
		case unicode.IsNumber(r):
			s.narrow = append(s.narrow, '0')
		case unicode.IsUpper(r) || unicode.IsTitle(r):
			s.narrow = append(s.narrow, 'A')
		default:
			s.narrow = append(s.narrow, 'a')
		}
		i += size
	}
	return s.narrow
}

// appendASCII appends a text that shape has made, with a letter, digit or sign of
// ASCII for each character beyond: what shape chose by the key chooses again.
func (t *shapeTransform) appendASCII(dst, shaped []byte) []byte {
	for i := 0; i < len(shaped); {
		r, size := utf8.DecodeRune(shaped[i:])
		switch class := t.letters.class(r); {
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
		case r == unknown2, r == unknown3, r == unknown4, class < keptClass:
			dst = append(dst, unknown1)
		case class == keptClass:
			dst = append(dst, shaped[i:i+size]...)
		case unicode.IsNumber(r):
			dst = append(dst, '0'+byte(r%10))
		case unicode.IsUpper(r) || unicode.IsTitle(r):
			dst = append(dst, 'A'+byte(r%26))
		default:
			dst = append(dst, 'a'+byte(r%26))
		}
		i += size
	}
	return dst
}

// restricted returns the table with the targets that Latin-1 holds. A class of two
// bytes of which it holds none – Windows' Œ or Ž – takes the letters that it holds,
// of the same case; those of three and four cannot stand in the column.
func (t *letterTable) restricted() *letterTable {
	r := *t
	r.classes = slices.Clone(t.classes)
	held := func(class letterClass) (list []rune) {
		for j := range class.count {
			if target := class.at(j); Latin1.Holds(target) {
				list = append(list, target)
			}
		}
		return list
	}
	for i := range r.classes[firstClass:] {
		class := &r.classes[firstClass+i]
		list := held(*class)
		if first := class.at(0); len(list) == 0 && utf8.RuneLen(first) == 2 {
			like := 'à'
			if unicode.IsUpper(first) {
				like = 'À'
			}
			list = held(t.classes[t.class(like)])
		}
		if len(list) > 0 {
			*class = letterClass{list: list, count: uint64(len(list))}
		}
	}
	return &r
}

// addEqual adds what appendEqual makes, cut to what the column holds.
func (t *shapeTransform) addEqual(out *textBuilder, v []byte, seed *[aes.BlockSize]byte, s *shapeScratch) {
	out.grow(len(v))
	from := len(out.buf)
	made := t.appendEqual(out.buf, v, seed, s)
	out.keep(made[:from+len(cutText(made[from:], t.maxChars, t.maxBytes))])
}
