package mysql

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Of texts in a server's latin1, which is Windows' 1252, most have ASCII only: they are turned
// into UTF-8 and back on this side, where that costs next to nothing. In a query each value
// costs the source a conversion, and in LOAD DATA the target a variable of the session.

// windows are the characters from 0x80 to 0x9f (Unicode's mapping CP1252.TXT). What it leaves
// free, the server takes for a control.
var windows = [...]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
}

const firstWindows, lastWindows = 0x80, 0x9f

// latin1 reports whether the column's texts are converted here. Long ones are converted by the
// server, in whose answer they are taken for what they need in memory.
func (f columnFacts) latin1() bool { return f.charset == "latin1" && shortText(f.dataType) }

func shortText(word string) bool { return word == "char" || word == "varchar" || word == "tinytext" }

// inLatin1 reports whether a collation is one of latin1.
func inLatin1(collation string) bool { return strings.HasPrefix(collation, "latin1_") }

// appendUTF8 appends a text that is in latin1, or nothing if it is the same in UTF-8.
func appendUTF8(dst, text []byte) []byte {
	from := 0
	for i, b := range text {
		if b < utf8.RuneSelf {
			continue
		}
		r := rune(b)
		if b <= lastWindows {
			r = windows[b-firstWindows]
		}
		dst = utf8.AppendRune(append(dst, text[from:i]...), r)
		from = i + 1
	}
	if from == 0 {
		return dst
	}
	return append(dst, text[from:]...)
}

// appendLatin1 appends a text that is in UTF-8, or nothing if it is the same in latin1. It
// reports whether latin1 has all of it.
func appendLatin1(dst, text []byte) ([]byte, bool) {
	from := 0
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		b := byte(r)
		if r <= lastWindows || r > 0xff {
			at := slices.Index(windows[:], r)
			if at < 0 {
				return dst, false
			}
			b = byte(firstWindows + at)
		}
		dst = append(append(dst, text[from:i]...), b)
		i += n
		from = i
	}
	if from == 0 {
		return dst, true
	}
	return append(dst, text[from:]...), true
}
