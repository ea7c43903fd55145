package masking

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pattern is what redact can find in a text by its form alone. Where two hits
// overlap, the one that begins first wins, and of those that begin together the
// one that stands first here; but an email wins over any number in it.
type pattern uint8

const (
	patternURL pattern = iota
	patternEmail
	patternIBAN
	patternPAN
	patternIP
	patternMAC
	patternSSN
	patternPhone
	patterns
	knownName // no pattern: found by the values of the row
)

var patternNames = [patterns]string{"url", "email", "iban", "pan", "ip", "mac", "ssn", "phone"}

var patternList = strings.Join(patternNames[:], ", ") + ", known_names"

// textPatternOf returns the pattern of that name.
func textPatternOf(name string) (pattern, bool) {
	for p, n := range patternNames {
		if n == name {
			return pattern(p), true
		}
	}
	return 0, false
}

// textHit is a part of a text that is to be masked.
type textHit struct {
	from, to int32
	what     pattern
	// Of a pattern, the place among the hits of that pattern; of a known name, where
	// its mask stands in nameFinder.masks.
	at, end int32
}

// scanner finds hits in one pass over a text.
//
// It looks at what a hit must have: an @ (email), a colon (url, IPv6, MAC), a digit
// (all others). Eight bytes are tested at once; what has none of these costs no
// more. From such an anchor it looks around: forward as far as the hit goes, and
// back by a bounded number of bytes, never into the hit before. So the work is
// linear.
//
// # What is a hit
//
//   - url: a scheme, ://, and what follows up to white space, a quote or an angle
//     bracket, without the punctuation that ends a sentence.
//   - email: RFC 5321 without its rarest signs, which separate in texts more often
//     than they belong to an address (= / ? * | { } `), with letters of all scripts
//     (RFC 6531), characters without width, quoted local parts, address literals ([192.0.2.1]), and a domain of
//     two labels or more of which the last is no number.
//   - iban: two letters and two digits, then letters and digits up to the length of the
//     country (ISO 13616), up to three blanks or hyphens between; ISO 7064 mod 97 holds.
//   - pan: 13 to 19 digits, blanks or hyphens between groups of three or more; the
//     check digit of Luhn (ISO/IEC 7812) holds.
//   - ip: four numbers up to 255 with dots, not behind a letter (v1.2.3.4); IPv6 in
//     every form of RFC 4291 section 2.2.
//   - mac: six pairs of hex digits with colons or hyphens.
//   - ssn: 3-2-4 digits with hyphens, numbers that were never issued left out.
//   - phone: see isPhone.
//
// Digits are those of ASCII, and the Arabic, Persian, Devanagari, Bengali, Thai and
// full-width ones. Nothing is decoded first: no HTML entity, no percent sign.
type scanner struct {
	want uint16 // a bit for each pattern
}

func (s scanner) wants(p pattern) bool { return s.want>>p&1 != 0 }

// scan appends the hits in text, in order and apart. n is space to work in.
func (s scanner) scan(hits []textHit, n *digitRun, text []byte) []textHit {
	if s.want == 0 {
		return hits
	}
	done := 0 // where the last hit ends
	for i := nextAnchor(text, 0); i >= 0; i = nextAnchor(text, i) {
		var h textHit
		var found bool
		next := i + 1
		switch c := text[i]; {
		case c == '@':
			h, found = s.email(text, i, 1, done)
		case c == ':':
			h, found = s.colon(text, i, done)
		case c == 0xef && isWideAt(text[i:]):
			h, found = s.email(text, i, 3, done)
		default:
			if _, size := digitAt(text, i); size > 0 {
				h, found, next = s.number(n, text, i, done)
			}
		}
		if found {
			hits = append(hits, h)
			next = int(h.to)
			done = next
		}
		i = next
	}
	return hits
}

// nextAnchor returns the first place from i on where something may be found: a
// digit, a colon, an @, or the first byte of such a sign beyond ASCII. −1 is none.
func nextAnchor(text []byte, i int) int {
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		low := w &^ highBits
		// 0 to 9 and the colon stand side by side.
		m := (low + (0x80-'0')*ones) &^ (low + (0x7f-':')*ones)
		m |= ^((low ^ '@'*ones) + 0x7f*ones)
		m &^= w
		m &= highBits
		if w&highBits != 0 {
			m |= (equalBytes(w, 0xd9) | equalBytes(w, 0xdb) | equalBytes(w, 0xe0) | equalBytes(w, 0xef)) & highBits
		}
		if m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= ':', c == '@', c == 0xd9, c == 0xdb, c == 0xe0, c == 0xef:
			return i
		}
	}
	return -1
}

// equalBytes returns a word whose high bits tell which bytes of w are c.
func equalBytes(w uint64, c byte) uint64 {
	x := w ^ uint64(c)*ones
	return ^(x&^highBits + 0x7f*ones | x)
}

// digitAt returns the value of the digit at text[i], and its size in bytes; 0 is no digit.
func digitAt(text []byte, i int) (d byte, size int) {
	c := text[i]
	if c < utf8.RuneSelf {
		if d = c - '0'; d <= 9 {
			return d, 1
		}
		return 0, 0
	}
	if i+1 >= len(text) {
		return 0, 0
	}
	switch b := text[i+1]; c {
	case 0xd9: // U+0660
		if d = b - 0xa0; d <= 9 {
			return d, 2
		}
	case 0xdb: // U+06F0
		if d = b - 0xb0; d <= 9 {
			return d, 2
		}
	case 0xe0, 0xef:
		if i+2 >= len(text) {
			return 0, 0
		}
		last := text[i+2]
		switch {
		case c == 0xe0 && (b == 0xa5 || b == 0xa7): // U+0966, U+09E6
			d = last - 0xa6
		case c == 0xe0 && b == 0xb9, c == 0xef && b == 0xbc: // U+0E50, U+FF10
			d = last - 0x90
		default:
			return 0, 0
		}
		if d <= 9 {
			return d, 3
		}
	}
	return 0, 0
}

// isWideAt reports whether b begins with the full-width @.
func isWideAt(b []byte) bool { return len(b) > 2 && b[1] == 0xbc && b[2] == 0xa0 }

func isAlnum(c byte) bool { return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' }

func isHex(c byte) bool { return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'f' }

// wordBefore reports whether a letter, mark or number ends right before i, of a script
// whose words are parted by blanks: in the others a number begins anywhere.
func wordBefore(text []byte, i, done int) bool {
	if i <= done {
		return false
	}
	if c := text[i-1]; c < utf8.RuneSelf {
		return isAlnum(c)
	}
	r, _ := utf8.DecodeLastRune(text[done:i])
	return isWord(r) && !unparted(r)
}

// wordAfter reports whether a letter, mark or number begins at i.
func wordAfter(text []byte, i int) bool {
	if i >= len(text) {
		return false
	}
	if c := text[i]; c < utf8.RuneSelf {
		return isAlnum(c)
	}
	r, _ := utf8.DecodeRune(text[i:])
	return isWord(r) && !unparted(r)
}

func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return isAlnum(byte(r))
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r))
}

// mailSigns are the signs besides letters and digits that a local part has in texts.
const mailSigns = "._%+-'&~!#$^"

var isMailSign = func() (t [utf8.RuneSelf]bool) {
	for c := range t {
		t[c] = isAlnum(byte(c))
	}
	for i := range len(mailSigns) {
		t[mailSigns[i]] = true
	}
	return t
}()

const (
	mostLocal  = 256 // bytes: the 64 characters of RFC 5321, of four bytes each
	mostDomain = 1020
)

// email looks for an address around the @ of so many bytes at text[at].
func (s scanner) email(text []byte, at, size, done int) (h textHit, found bool) {
	if !s.wants(patternEmail) {
		return h, false
	}
	from := localPart(text, at, max(done, at-mostLocal))
	if from == at {
		return h, false
	}
	to := mailDomain(text, at+size)
	return textHit{from: int32(from), to: int32(to), what: patternEmail}, to > 0
}

// localPart returns where the local part before text[at] begins, not before least.
func localPart(text []byte, at, least int) int {
	if at-1 > least && text[at-1] == '"' {
		for i := at - 2; i >= least && text[i] >= ' '; i-- {
			if text[i] == '"' && (i == least || text[i-1] != '\\') {
				return i
			}
		}
	}
	i := at
	for i > least {
		c := text[i-1]
		if c < utf8.RuneSelf {
			if !isMailSign[c] {
				break
			}
			i--
			continue
		}
		r, size := utf8.DecodeLastRune(text[least:i])
		if !isWord(r) && !isInvisible(r) {
			break
		}
		i -= size
	}
	// Signs at the start are quotes and bullets, and what has no width belongs to no address.
	for i < at {
		r, size := utf8.DecodeRune(text[i:])
		if isWord(r) || r == '_' {
			break
		}
		i += size
	}
	return i
}

// isInvisible reports whether a character has no width, as those that come along when
// an address is copied from a page: soft hyphen, zero-width space and joiners.
func isInvisible(r rune) bool {
	return r == 0xad || r >= 0x200b && r <= 0x200f || r >= 0x2060 && r <= 0x2064 || r == 0xfeff
}

// mailDomain returns where the domain at text[i] ends, or 0 if none is there.
func mailDomain(text []byte, i int) int {
	if i < len(text) && text[i] == '[' {
		for j := i + 1; j < len(text) && j < i+48; j++ {
			if c := text[j]; c == ']' {
				return j + 1
			} else if !isAlnum(c) && c != ':' && c != '.' {
				break
			}
		}
		return 0
	}
	most := min(len(text), i+mostDomain)
	labels, end := 0, 0
	for {
		start, letters, chars := i, false, 0
		for i < most {
			c := text[i]
			if c < utf8.RuneSelf {
				if !isAlnum(c) && c != '-' {
					break
				}
				letters = letters || c > '9'
				i++
			} else {
				r, size := utf8.DecodeRune(text[i:])
				if !isWord(r) && !isInvisible(r) {
					break
				}
				letters = letters || isWord(r)
				i += size
			}
			chars++
		}
		stop := i
		for stop > start {
			r, size := utf8.DecodeLastRune(text[start:stop])
			if r != '-' && !isInvisible(r) {
				break
			}
			stop -= size
			chars--
		}
		if stop == start {
			return end
		}
		if labels++; labels > 1 && letters && chars > 1 {
			end = stop
		}
		if stop < i || i+1 >= most || text[i] != '.' {
			return end
		}
		i++
	}
}

// colon looks for what has a colon at text[at].
func (s scanner) colon(text []byte, at, done int) (h textHit, found bool) {
	if s.wants(patternURL) && at+3 < len(text) && text[at+1] == '/' && text[at+2] == '/' {
		if from, to := urlAround(text, at, done); to > 0 {
			return textHit{from: int32(from), to: int32(to), what: patternURL}, true
		}
	}
	if s.want&(1<<patternIP|1<<patternMAC) == 0 {
		return h, false
	}
	from := at
	for from > done && at-from < 4 && isHex(text[from-1]) {
		from--
	}
	if wordBefore(text, from, done) || from > done && (text[from-1] == ':' || text[from-1] == '.') {
		return h, false
	}
	if s.wants(patternMAC) && at-from == 2 {
		if to := macAt(text, from); to > 0 {
			return textHit{from: int32(from), to: int32(to), what: patternMAC}, true
		}
	}
	if s.wants(patternIP) {
		if to := ipv6At(text, from); to > 0 {
			return textHit{from: int32(from), to: int32(to), what: patternIP}, true
		}
	}
	return h, false
}

const mostScheme = 24

// urlAround returns the bounds of the URL whose :// stands at text[at]; to is 0 if
// it has no scheme.
func urlAround(text []byte, at, done int) (from, to int) {
	from = at
	for from > done && at-from < mostScheme {
		if c := text[from-1]; !isAlnum(c) && c != '+' && c != '-' && c != '.' {
			break
		}
		from--
	}
	for from < at && text[from]|0x20 < 'a' {
		from++
	}
	if from == at {
		return 0, 0
	}
	to = at + 3
	open := 0
scan:
	for to < len(text) {
		c := text[to]
		switch {
		case c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"' || c == '`' || c == '{' || c == '}' || c == '|' || c == '\\' || c == '^':
			break scan
		case c == '(':
			open++
		case c == ')':
			if open == 0 {
				break scan
			}
			open--
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(text[to:])
			if r == utf8.RuneError || !isWord(r) {
				break scan
			}
			to += size
			continue
		}
		to++
	}
	for to > at+3 {
		switch text[to-1] {
		case '.', ',', ';', ':', '!', '?', '\'', '*', ']':
			to--
			continue
		}
		return from, to
	}
	return 0, 0
}

// macAt returns where the address of six pairs at text[i] ends, or 0.
func macAt(text []byte, i int) int {
	const size = 17
	if i+size > len(text) {
		return 0
	}
	sep := text[i+2]
	if sep != ':' && sep != '-' {
		return 0
	}
	for j := range size {
		if c := text[i+j]; j%3 == 2 && c != sep || j%3 != 2 && !isHex(c) {
			return 0
		}
	}
	if i += size; i < len(text) && (text[i] == sep || wordAfter(text, i)) {
		return 0
	}
	return i
}

// hyphenMAC returns the bounds of a MAC address with hyphens around the digit at
// text[at]; to is 0 if there is none. With colons it is found by them.
func hyphenMAC(text []byte, at, done int) (from, to int) {
	from = at
	for from > done && at-from < 17 && (isHex(text[from-1]) || text[from-1] == '-') {
		from--
	}
	if from+2 >= len(text) || text[from+2] != '-' || wordBefore(text, from, done) {
		return 0, 0
	}
	return from, macAt(text, from)
}

// ipv6At returns where the address at text[i] ends, or 0. One that is :: alone says
// nothing, and is none.
func ipv6At(text []byte, start int) int {
	i, groups, gap, digits := start, 0, false, false
	if i+1 < len(text) && text[i] == ':' {
		if text[i+1] != ':' {
			return 0
		}
		gap = true
		i += 2
	}
	for groups < 8 {
		from := i
		for i < len(text) && i-from < 5 && isHex(text[i]) {
			digits = digits || text[i] <= '9'
			i++
		}
		if i == from {
			break // behind ::
		}
		if i < len(text) && text[i] == '.' && groups <= 6 {
			if to := ipv4At(text, from); to > 0 {
				groups += 2
				i, digits = to, true
				break
			}
		}
		if i-from > 4 {
			return 0
		}
		groups++
		if i+1 >= len(text) || text[i] != ':' {
			break
		}
		if text[i+1] == ':' {
			if gap {
				return 0
			}
			gap = true
			i += 2
			continue
		}
		if !isHex(text[i+1]) {
			break
		}
		if groups == 8 {
			return 0
		}
		i++
	}
	if groups == 0 || gap && groups > 7 || !gap && groups != 8 || !digits {
		return 0
	}
	if wordAfter(text, i) || i+1 < len(text) && text[i] == ':' && isHex(text[i+1]) {
		return 0
	}
	return i
}

// ipv4At returns where four numbers up to 255 with dots between end, or 0.
func ipv4At(text []byte, i int) int {
	for n := range 4 {
		v, from := 0, i
		for i < len(text) && i-from < 4 && text[i]-'0' <= 9 {
			v = v*10 + int(text[i]-'0')
			i++
		}
		if i == from || i-from > 3 || v > 255 {
			return 0
		}
		if n < 3 {
			if i >= len(text) || text[i] != '.' {
				return 0
			}
			i++
		}
	}
	return i
}
