package masking

import (
	"bytes"
	"unicode/utf8"
)

// xmlName returns the length of the name that text begins with, or 0. Of characters
// beyond ASCII every one passes: they are compared and copied, no more.
func xmlName(text []byte) int {
	n := 0
	for n < len(text) {
		c := text[n]
		letter := c|0x20-'a' < 26 || c == '_' || c == ':' || c >= utf8.RuneSelf
		if !letter && (n == 0 || c-'0' > 9 && c != '-' && c != '.') {
			break
		}
		n++
	}
	return n
}

// xmlPlain are the characters of ASCII that stand for themselves in text and in attributes.
var xmlPlain = func() (t byteSet) {
	for c := byte(' '); c < 0x80; c++ {
		t[c] = c != '<' && c != '&' && c != ']' && c != '"' && c != '\''
	}
	return t
}()

// xmlChar returns the length of the character that text begins with, or 0 if XML has none such.
func xmlChar(text []byte) int {
	c := text[0]
	if c < utf8.RuneSelf {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return 0
		}
		return 1
	}
	r, size := utf8.DecodeRune(text)
	if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
		return 0
	}
	return size
}

// xmlReference reads the reference that text begins with: &amp; or &#65; or &#x41;. Its length
// is 0 if it is none of XML.
func xmlReference(text []byte) (r rune, length int) {
	end := bytes.IndexByte(text[:min(len(text), 16)], ';')
	if end < 3 {
		return 0, 0
	}
	name := text[1:end]
	switch string(name) {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	}
	if name[0] != '#' {
		return 0, 0
	}
	base, digits := rune(10), name[1:]
	if digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	if len(digits) == 0 {
		return 0, 0
	}
	for _, c := range digits {
		d := hexValue[c]
		if d&notHex != 0 || rune(d&0xf) >= base {
			return 0, 0
		}
		if r = r*base + rune(d&0xf); r > utf8.MaxRune {
			return 0, 0
		}
	}
	if r < ' ' && r != '\t' && r != '\n' && r != '\r' || 0xD800 <= r && r < 0xE000 || r == 0xFFFE || r == 0xFFFF {
		return 0, 0
	}
	return r, end + 1
}

// appendXMLLines appends literal text with its line ends read: \r\n and \r are \n; in an
// attribute each is a blank, and so is a tab.
func appendXMLLines(dst, text []byte, attribute bool) []byte {
	if !attribute && bytes.IndexByte(text, '\r') < 0 {
		return append(dst, text...)
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\r' {
			if i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
			c = '\n'
		}
		if attribute && (c == '\n' || c == '\t') {
			c = ' '
		}
		dst = append(dst, c)
	}
	return dst
}

// xmlSize returns how long text can get when it is escaped: guessed high if it is
// short, counted if it is long.
func xmlSize(text []byte) int {
	const most = len("&quot;")
	if len(text) < 1024 {
		return most * len(text)
	}
	size := 0
	for _, c := range text {
		size++
		if !xmlPlain[c] {
			size += most - 1
		}
	}
	return size
}

// appendXML appends text with the escapes that XML wants, and U+FFFD for what XML has
// no character for. At most six bytes come of one.
func appendXML(dst, text []byte, attribute bool) []byte {
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if xmlPlain[c] && c != '>' {
			i++
			continue
		}
		size, escape := xmlChar(text[i:]), ""
		switch {
		case size == 0:
			size, escape = 1, "\ufffd"
			if c >= utf8.RuneSelf {
				_, size = utf8.DecodeRune(text[i:])
			}
		case c == '&':
			escape = "&amp;"
		case c == '<':
			escape = "&lt;"
		case c == '>':
			escape = "&gt;"
		case c == '\r':
			escape = "&#13;"
		case attribute && c == '"':
			escape = "&quot;"
		case attribute && c == '\'':
			escape = "&#39;"
		case attribute && c == '\n':
			escape = "&#10;"
		case attribute && c == '\t':
			escape = "&#9;"
		}
		if escape != "" {
			dst = append(append(dst, text[from:i]...), escape...)
			from = i + size
		}
		i += size
	}
	return append(dst, text[from:]...)
}
