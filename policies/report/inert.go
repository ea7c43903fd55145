package report

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Inert spells out every character of a text that would do something in place of being
// shown: control characters, line ends among them, escape sequences, and those that turn
// the direction of writing. Names of tables and columns are written by whoever may
// create one, and must not be able to forge a line of a report.
func Inert(s string) string { return inert(s, false) }

// inert is Inert; lines lets line ends and tabs through.
func inert(s string, lines bool) string {
	shows := func(r rune) bool {
		return unicode.IsPrint(r) && r != utf8.RuneError || unicode.In(r, unicode.Mn, unicode.Zs) || lines && (r == '\n' || r == '\t')
	}
	if strings.IndexFunc(s, func(r rune) bool { return !shows(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case shows(r):
			b.WriteString(s[i : i+n])
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	return b.String()
}

// InertCopy returns a copy of v in which every text of exported fields, lists and maps is
// Inert; excerpts, which are lines, stay lines. v is left as it is, and may not lead back
// to itself.
func InertCopy[T any](v T) T {
	out := reflect.New(reflect.TypeFor[T]()).Elem()
	out.Set(reflect.ValueOf(&v).Elem())
	makeInert(out, false)
	return out.Interface().(T)
}

// makeInert changes a value in place, after copying what it shares with others.
func makeInert(v reflect.Value, lines bool) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(inert(v.String(), lines))
	case reflect.Pointer:
		if !v.IsNil() {
			fresh := reflect.New(v.Type().Elem())
			fresh.Elem().Set(v.Elem())
			makeInert(fresh.Elem(), lines)
			v.Set(fresh)
		}
	case reflect.Slice:
		if !v.IsNil() {
			fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(fresh, v)
			for i := range fresh.Len() {
				makeInert(fresh.Index(i), lines)
			}
			v.Set(fresh)
		}
	case reflect.Map:
		if !v.IsNil() {
			fresh := reflect.MakeMapWithSize(v.Type(), v.Len())
			for it := v.MapRange(); it.Next(); {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				key.Set(it.Key())
				value.Set(it.Value())
				makeInert(key, lines)
				makeInert(value, lines)
				fresh.SetMapIndex(key, value)
			}
			v.Set(fresh)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				makeInert(v.Field(i), f.Name == "Excerpt")
			}
		}
	}
}
