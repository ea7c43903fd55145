package postgres

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// A database in SQL_ASCII holds bytes, and its definitions may have some that are no
// UTF-8: in a comment, a default, the name of an index. JSON cannot hold these, and would
// replace them without a word.

// bytewise begins JSON in which each letter stands for one byte.
var bytewise = []byte("bytewise:")

// encodeJSON returns v as JSON that decodeJSON reads, with every byte of its texts.
func encodeJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil || !bytes.Contains(text, []byte(`\ufffd`)) {
		return text, err
	}
	text, err = json.Marshal(respelled(reflect.ValueOf(v), func(s string) string {
		letters := make([]rune, len(s))
		for i := range len(s) {
			letters[i] = rune(s[i])
		}
		return string(letters)
	}).Interface())
	return append(bytewise[:len(bytewise):len(bytewise)], text...), err
}

// decodeJSON reads what encodeJSON has written into what a pointer points to.
func decodeJSON(text []byte, into any) error {
	letters, spelled := bytes.CutPrefix(text, bytewise)
	if err := json.Unmarshal(letters, into); err != nil || !spelled {
		return err
	}
	to := reflect.ValueOf(into).Elem()
	to.Set(respelled(to, func(s string) string {
		b := make([]byte, 0, len(s))
		for _, r := range s {
			b = append(b, byte(r))
		}
		return string(b)
	}))
	return nil
}

// respelled returns a copy of plain data with all its texts spelled anew. What a struct
// does not export is as it was: JSON knows nothing of it.
func respelled(v reflect.Value, spell func(string) string) reflect.Value {
	to := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		to.SetString(spell(v.String()))
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return v
		}
		inner := respelled(v.Elem(), spell)
		if v.Kind() == reflect.Interface {
			to.Set(inner)
		} else {
			to.Set(reflect.New(v.Type().Elem()))
			to.Elem().Set(inner)
		}
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			return v
		}
		to.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			to.Index(i).Set(respelled(v.Index(i), spell))
		}
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		to.Set(reflect.MakeMap(v.Type()))
		for _, k := range v.MapKeys() {
			to.SetMapIndex(respelled(k, spell), respelled(v.MapIndex(k), spell))
		}
	case reflect.Struct:
		to.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				to.Field(i).Set(respelled(v.Field(i), spell))
			}
		}
	default:
		return v
	}
	return to
}
