package catalog

import "strings"

// Names reports whether code speaks of a name, as a word of its own and in any case.
func Names(code, name string) bool {
	lower, name := strings.ToLower(code), strings.ToLower(name)
	for from := 0; name != ""; {
		i := strings.Index(lower[from:], name)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(name)
		if (i == 0 || !inWord(lower[i-1])) && (end == len(lower) || !inWord(lower[end])) {
			return true
		}
		from = i + 1
	}
	return false
}

// inWord reports whether a byte is part of a name that stands without quotes.
func inWord(b byte) bool {
	return b == '_' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// Words are the names and keywords of code, in small letters, in their order.
func Words(code string) []string {
	return strings.FieldsFunc(strings.ToLower(code), func(r rune) bool { return r < 0x80 && !inWord(byte(r)) })
}
