package masking

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonNumber returns the length of the number that text begins with, or 0.
func jsonNumber(text []byte) int {
	i := 0
	digits := func() bool {
		start := i
		for i < len(text) && text[i]-'0' <= 9 {
			i++
		}
		return i > start
	}
	if i < len(text) && text[i] == '-' {
		i++
	}
	switch {
	case i < len(text) && text[i] == '0':
		i++
	case !digits():
		return 0
	}
	if i < len(text) && text[i] == '.' {
		if i++; !digits() {
			return 0
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}

// specialBytes marks, by its high bit, the first byte of a word that is a quote, a
// backslash or a control; what is marked above the first may be wrong.
func specialBytes(v uint64) uint64 {
	quote := v ^ '"'*ones
	backslash := v ^ '\\'*ones
	return ((quote-ones)&^quote | (backslash-ones)&^backslash | (v-' '*ones)&^v) & highBits
}

// escapeLength returns the length of the escape that text begins with, or 0.
func escapeLength(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(text) < 6 {
			return 0
		}
		for _, c := range text[2:6] {
			if hexValue[c]&notHex != 0 {
				return 0
			}
		}
		return 6
	}
	return 0
}

// appendUnescaped appends the text that a valid string stands for. A surrogate
// without its partner becomes U+FFFD.
func appendUnescaped(dst, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		s = s[i:]
		if s[1] != 'u' {
			dst = append(dst, unescaped[s[1]])
			s = s[2:]
			continue
		}
		r := hexRune(s)
		s = s[6:]
		if utf16.IsSurrogate(r) {
			second := rune(0)
			if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
				second = hexRune(s)
			}
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				s = s[6:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
}

var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func hexRune(s []byte) (r rune) {
	for _, c := range s[2:6] {
		r = r<<4 | rune(hexValue[c]&0xf)
	}
	return r
}

// jsonStringSize returns how long text can get as a string: guessed high if it is
// short, counted if it is long.
func jsonStringSize(text []byte) int {
	if len(text) < 1024 {
		return 6*len(text) + 2
	}
	size := 2
	for _, c := range text {
		switch {
		case c < ' ', c == '"', c == '\\':
			size += 6
		case c >= utf8.RuneSelf:
			size += 3 // it might not be UTF-8
		default:
			size++
		}
	}
	return size
}

// appendJSONString appends text as a string: with the escapes that JSON wants and no
// others, and U+FFFD for bytes that are not UTF-8. At most six bytes come of one.
func appendJSONString(dst, text []byte) []byte {
	dst = append(dst, '"')
	from, i := 0, 0
	for i < len(text) {
		if i+8 <= len(text) {
			v := binary.LittleEndian.Uint64(text[i:])
			if specialBytes(v)|v&highBits == 0 {
				i += 8
				continue
			}
		}
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, text[from:i]...)
				dst = append(dst, "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, text[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		from = i
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
}

// bareJSON reports whether text is a number or a boolean as it stands.
func bareJSON(text []byte) bool {
	return len(text) > 0 && (jsonNumber(text) == len(text) || string(text) == "true" || string(text) == "false")
}

// appendDecimal appends a number without its exponent, as a numeric is printed. An
// exponent beyond what 64-bit floats have is none that is written out.
func appendDecimal(dst, number []byte) (_ []byte, ok bool) {
	e := bytes.IndexAny(number, "eE")
	if e < 0 {
		return append(dst, number...), true
	}
	exponent := 0
	digits := number[e+1:]
	if digits[0] == '+' || digits[0] == '-' {
		digits = digits[1:]
	}
	for _, c := range digits {
		const most = 324
		if exponent = 10*exponent + int(c-'0'); exponent > most {
			return dst, false
		}
	}
	if number[e+1] == '-' {
		exponent = -exponent
	}
	whole, fraction := number[:e], []byte(nil)
	if point := bytes.IndexByte(whole, '.'); point >= 0 {
		whole, fraction = whole[:point], whole[point+1:]
	}
	if whole[0] == '-' {
		dst = append(dst, '-')
		whole = whole[1:]
	}
	point := len(whole) + exponent // of the digits, counted from the first
	if point <= 0 {
		dst = append(dst, '0', '.')
		for ; point < 0; point++ {
			dst = append(dst, '0')
		}
		return append(append(dst, whole...), fraction...), true
	}
	from := len(dst)
	for i := range max(point, len(whole)+len(fraction)) {
		if i == point {
			dst = append(dst, '.')
		}
		switch {
		case i < len(whole):
			dst = append(dst, whole[i])
		case i < len(whole)+len(fraction):
			dst = append(dst, fraction[i-len(whole)])
		default:
			dst = append(dst, '0')
		}
	}
	for len(dst) > from+1 && dst[from] == '0' && dst[from+1] != '.' { // 0.5e1
		dst = append(dst[:from], dst[from+1:]...)
	}
	return dst, true
}

// wholeNumber returns the integer that a number is: 42, -7, and 42.0, if it has 64
// bits. A string must spell it the one way that an integer is printed.
func wholeNumber(text []byte, strict bool) (v int64, ok bool) {
	i := bytes.IndexByte(text, '.')
	if i >= 0 {
		if strict || len(bytes.Trim(text[i+1:], "0")) > 0 {
			return 0, false
		}
		text = text[:i]
	}
	digits, negative := bytes.CutPrefix(text, []byte{'-'})
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var u uint64
	for _, c := range digits {
		if c-'0' > 9 {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	if strict && (digits[0] == '0' && (len(digits) > 1 || negative)) {
		return 0, false
	}
	switch {
	case negative && u <= 1<<63:
		return -int64(u), true
	case !negative && u < 1<<63:
		return int64(u), true
	}
	return 0, false
}

const secondsOfDay = 24 * 60 * 60

// parseDay returns the days from 1970-01-01 to the date that text begins with, if
// nothing but a time of day and a zone follows it (RFC 3339, ISO 8601).
func parseDay(text []byte) (day int32, ok bool) {
	const form = "0000-00-00"
	if len(text) < len(form) {
		return 0, false
	}
	for i, c := range []byte(form) {
		if d := text[i]; c == '-' && d != '-' || c == '0' && d-'0' > 9 {
			return 0, false
		}
	}
	if !timeOfDay(text[len(form):]) {
		return 0, false
	}
	n := func(from, to int) (v int) {
		for _, c := range text[from:to] {
			v = v*10 + int(c-'0')
		}
		return v
	}
	y, m, d := n(0, 4), time.Month(n(5, 7)), n(8, 10)
	date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if date.Year() != y || date.Month() != m || date.Day() != d {
		return 0, false
	}
	seconds := date.Unix()
	return int32(seconds / secondsOfDay), true
}

// timeOfDay reports whether text is empty, or T or a blank, a time and perhaps a zone:
// T10:00:00.123Z, " 10:00:00+02". It is kept with the date, so nothing else may pass for one.
func timeOfDay(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	marks := func(set string) bool {
		if len(text) == 0 || strings.IndexByte(set, text[0]) < 0 {
			return false
		}
		text = text[1:]
		return true
	}
	pair := func(most byte) bool {
		if len(text) < 2 || text[0]-'0' > 9 || text[1]-'0' > 9 || (text[0]-'0')*10+text[1]-'0' > most {
			return false
		}
		text = text[2:]
		return true
	}
	if !marks("Tt ") || !pair(24) || !marks(":") || !pair(59) {
		return false
	}
	if marks(":") {
		if !pair(60) {
			return false
		}
		if marks(".,") {
			const most = 9 // nanoseconds
			digits := 0
			for digits < len(text) && text[digits]-'0' <= 9 {
				digits++
			}
			if digits == 0 || digits > most {
				return false
			}
			text = text[digits:]
		}
	}
	if marks("Zz") {
		return len(text) == 0
	}
	if marks(" ") && len(text) == 0 {
		return false
	}
	if marks("+-") {
		if !pair(23) {
			return false
		}
		if colon := marks(":"); (colon || len(text) > 0) && !pair(59) {
			return false
		}
	}
	return len(text) == 0
}
