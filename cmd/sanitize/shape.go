package main

import (
	"strings"
	"unicode"
)

// shapeOf shows what a value looks like without saying it: upper-case letters
// become A, other letters a, digits 9, symbols *, and what separates them stays.
func shapeOf(v any) string {
	text, ok := textOf(v)
	if !ok {
		return "NULL"
	}
	if text == "" {
		return "(empty)"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsUpper(r), unicode.IsTitle(r):
			return 'A'
		case unicode.IsLetter(r):
			return 'a'
		case unicode.IsMark(r):
			return -1
		case unicode.IsDigit(r):
			return '9'
		case unicode.IsSpace(r):
			return ' '
		case r < unicode.MaxASCII && unicode.IsPrint(r):
			return r
		default:
			return '*'
		}
	}, text)
}

// shown shows a masked value as it is, on one line.
func shown(v any) string {
	text, ok := textOf(v)
	switch {
	case !ok:
		return "NULL"
	case text == "":
		return "(empty)"
	}
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\t' || r == '\r' }), " ")
}
