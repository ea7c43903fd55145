package catalog

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// deepest bounds how far a catalog file nests: composites of composites do not.
const deepest = 64

// checkShape compares a document with the fields of a catalog file: encoding/json
// alone would take a field twice, in another case, or null for anything, and would not
// say where.
func checkShape(b []byte) error {
	s := &shape{b: b, d: json.NewDecoder(bytes.NewReader(b)), fields: map[reflect.Type]map[string]reflect.Type{}}
	s.d.UseNumber()
	if err := s.value(reflect.TypeFor[file](), "", 0); err != nil {
		return err
	}
	if !s.version {
		return &FileError{At: "version", Reason: "it is missing", Help: "name a file that sanitize inspect wrote"}
	}
	if _, err := s.d.Token(); err != io.EOF {
		return s.fail("", "something follows the catalog")
	}
	return nil
}

type shape struct {
	b       []byte
	d       *json.Decoder
	fields  map[reflect.Type]map[string]reflect.Type
	version bool // has been read, and is ours
}

func (s *shape) fail(at, format string, args ...any) error {
	offset := min(int(s.d.InputOffset()), len(s.b))
	return &FileError{Line: 1 + bytes.Count(s.b[:offset], []byte("\n")), At: at, Reason: fmt.Sprintf(format, args...), Help: remake}
}

func (s *shape) token(at string) (json.Token, error) {
	t, err := s.d.Token()
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, s.fail(at, "the file ends too early")
	}
	if err != nil {
		return nil, s.fail(at, "it is not JSON")
	}
	return t, nil
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// value reads one value of a type.
func (s *shape) value(t reflect.Type, at string, depth int) error {
	if depth > deepest {
		return s.fail(at, "it nests deeper than %d levels", deepest)
	}
	token, err := s.token(at)
	if err != nil {
		return err
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch token := token.(type) {
	case json.Delim:
		switch {
		case token == '{' && t.Kind() == reflect.Struct:
			return s.object(t, at, depth)
		case token == '[' && t.Kind() == reflect.Slice:
			for i := 0; s.d.More(); i++ {
				if err := s.value(t.Elem(), fmt.Sprintf("%s[%d]", at, i), depth+1); err != nil {
					return err
				}
			}
			_, err := s.token(at)
			return err
		}
	case nil:
		if t.Kind() == reflect.Slice {
			return nil
		}
	case string:
		if t.Kind() == reflect.String || reflect.PointerTo(t).Implements(textType) {
			return nil
		}
	case bool:
		if t.Kind() == reflect.Bool {
			return nil
		}
	case json.Number:
		if at == "version" {
			// It stands first: a file of another version is not blamed for its fields.
			if s.version = string(token) == fmt.Sprint(FileVersion); !s.version {
				return s.fail(at, "it is %.20s; this program reads %d", token, FileVersion)
			}
		}
		if !reflect.PointerTo(t).Implements(textType) && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 {
			return nil
		}
	}
	return s.fail(at, "it is not %s", sort(t))
}

// sort names what a value has to be.
func sort(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Struct:
		return "an object"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String || reflect.PointerTo(t).Implements(textType):
		return "a text"
	}
	return "a whole number"
}

// object reads the fields of an object that has begun.
func (s *shape) object(t reflect.Type, at string, depth int) error {
	known := s.fieldsOf(t)
	seen := map[string]bool{}
	for s.d.More() {
		token, err := s.token(at)
		if err != nil {
			return err
		}
		name, _ := token.(string)
		field, ok := known[name]
		if !ok {
			return s.fail(at, "there is no field %.40q", name)
		}
		if seen[name] {
			return s.fail(at, "the field %q stands twice", name)
		}
		seen[name] = true
		if err := s.value(field, strings.TrimPrefix(at+"."+name, "."), depth+1); err != nil {
			return err
		}
	}
	_, err := s.token(at)
	return err
}

// fieldsOf returns the fields of a struct by their names in JSON.
func (s *shape) fieldsOf(t reflect.Type) map[string]reflect.Type {
	if known := s.fields[t]; known != nil {
		return known
	}
	known := map[string]reflect.Type{}
	s.fields[t] = known
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			known[name] = f.Type
		}
	}
	return known
}
