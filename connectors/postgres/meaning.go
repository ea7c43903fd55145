package postgres

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// pgTypes are the types that tables use, with what gives them a meaning.
type pgTypes struct {
	byID       map[uint32]*pgType
	collations map[uint32]catalog.Equality // of those that call different bytes equal
	plainCase  bool                        // the database knows the cases of a to z only
}

// pgType is a row of pg_type, as far as it matters to us.
type pgType struct {
	oid, base uint32
	name      string
	kind      string // typtype: b base, c composite, d domain, e enum, r range, m multirange
	mod       int32
	notNull   bool
	noBinary  bool     // lacks a binary form, or one that another server understands
	parts     []uint32 // types that a value of this type holds values of
	element   uint32   // of an array, a range or a multirange; 0 if none
	collation uint32   // of a range's bounds
	fields    []attribute
	labels    []string
	textOnly  int8 // 0 not known yet, 1 yes, −1 no
}

// attribute is one attribute of a composite type.
type attribute struct {
	name, typeName string
	oid, collation uint32
	mod            int32
}

func readTypes(ctx context.Context, conn *pgx.Conn, ids []uint32) (*pgTypes, error) {
	types := &pgTypes{byID: map[uint32]*pgType{}, collations: map[uint32]catalog.Equality{}}
	var composite []uint32
	err := each(ctx, conn, "types", []any{ids}, func(row pgx.CollectableRow) error {
		t := &pgType{}
		var parts []int64
		if err := row.Scan(&t.oid, &t.name, &t.kind, &t.base, &t.mod, &t.notNull, &t.noBinary, &t.element, &t.collation, &parts, &t.labels); err != nil {
			return err
		}
		for _, id := range parts {
			t.parts = append(t.parts, uint32(id))
		}
		// In another encoding than UTF-8 each document would be given a declaration of it.
		t.noBinary = t.noBinary || t.oid == oidXML && ownEncoding(conn) != "" || slices.Contains(byName, t.oid) || slices.Contains(notEmpty, t.oid) || t.oid >= firstUserOID && slices.Contains(lateBinary, t.name)
		types.byID[t.oid] = t
		if t.kind == "c" {
			composite = append(composite, t.oid)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(composite) > 0 {
		err := each(ctx, conn, "attributes", []any{composite}, func(row pgx.CollectableRow) error {
			var of uint32
			var a attribute
			if err := row.Scan(&of, &a.name, &a.oid, &a.mod, &a.typeName, &a.collation); err != nil {
				return err
			}
			types.byID[of].fields = append(types.byID[of].fields, a)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	err = each(ctx, conn, "collations", nil, func(row pgx.CollectableRow) error {
		var id uint32
		var provider, locale, rules string
		if err := row.Scan(&id, &provider, &locale, &rules); err != nil {
			return err
		}
		types.collations[id] = catalog.FoldUnknown
		if provider == "i" && rules == "" {
			types.collations[id] = equalityOf(locale)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if major, _ := serverMajor(conn); !takesForeignIDs.in(major) {
		types.noForeignIDs()
	}
	for _, id := range slices.Sorted(maps.Keys(types.byID)) {
		types.textOnly(id)
	}
	return types, nil
}

// plainLanguages have no letters of their own in the tables of collation: what
// they call equal is what the root calls equal.
var plainLanguages = []string{"", "und", "root", "de", "en", "fr", "ga", "id", "it", "nl", "pt"}

// equalityOf reads what a nondeterministic ICU collation calls equal from its
// locale: und-u-ks-level2, or the older und@colStrength=secondary. Equivalent forms are equal
// at every strength. What has another attribute, or a language with letters of its own, we do
// not follow.
func equalityOf(locale string) catalog.Equality {
	language, strength := strings.ToLower(locale), "tertiary"
	if language == "" {
		return catalog.FoldUnknown
	}
	if name, keywords, old := strings.Cut(language, "@"); old {
		language, strength = name, ""
		word, value, _ := strings.Cut(keywords, "=")
		if word == "colstrength" {
			strength = value
		}
	} else if name, keywords, found := strings.Cut(language, "-u-"); found {
		language, strength = name, ""
		if value, is := strings.CutPrefix(keywords, "ks-"); is {
			strength = value
		}
	}
	language, _, _ = strings.Cut(strings.ReplaceAll(language, "_", "-"), "-") // en-US
	switch {
	case language == "th", language == "ja": // to which blanks, or long vowels and wide forms, are nothing
	case strength == "level1", strength == "primary":
		if slices.Contains(plainLanguages, language) {
			return catalog.FoldForms | catalog.FoldCase | catalog.FoldAccents
		}
	case strength == "level2", strength == "secondary":
		// Other languages move letters about, and three of them the cases of i.
		if language != "tr" && language != "az" && language != "lt" {
			return catalog.FoldForms | catalog.FoldCase
		}
	case strength == "level3", strength == "tertiary", strength == "level4", strength == "quaternary":
		return catalog.FoldForms
	}
	return catalog.FoldUnknown
}

// lateBinary lists types of extensions that got a binary form later than the oldest
// version that we know (ltree in 13): the target's may still lack it.
var lateBinary = []string{"ltree", "lquery", "ltxtquery"}

// noForeignIDs keeps binary forms from servers that would refuse them: an array
// and a composite name the types in them by id, and before PostgreSQL 14 the
// server wants its own ids there, even of types that users define.
func (s *pgTypes) noForeignIDs() {
	for _, t := range s.byID {
		for _, part := range t.parts {
			if t.kind != "d" && t.kind != "r" && part >= firstUserOID {
				t.noBinary = true
			}
		}
	}
}

// foreign reports whether the binary form of a type is one that no server before PostgreSQL 14
// takes from another.
func (s *pgTypes) foreign(id uint32) bool {
	t := s.byID[id]
	if t == nil {
		return false
	}
	own := t.kind != "d" && t.kind != "r" && slices.ContainsFunc(t.parts, func(part uint32) bool { return part >= firstUserOID })
	return own || t.oid >= firstUserOID && t.name == "cube" || slices.ContainsFunc(t.parts, s.foreign)
}

// holds reports whether values of a type are, or have in them, values of another.
func (s *pgTypes) holds(id, other uint32) bool {
	t := s.byID[id]
	return id == other || t != nil && slices.ContainsFunc(t.parts, func(part uint32) bool { return s.holds(part, other) })
}

// textOnly reports whether a value of the type, or a value inside it, has no
// binary form of use. An array of such a type has a binary function of its own, which fails.
func (s *pgTypes) textOnly(id uint32) bool {
	t := s.byID[id]
	if t == nil {
		return false
	}
	if t.textOnly == 0 {
		t.textOnly = -1 // a type cannot hold itself; this only ends a loop
		if t.noBinary {
			t.textOnly = 1
		}
		for _, part := range t.parts {
			if s.textOnly(part) {
				t.textOnly = 1
			}
		}
	}
	return t.textOnly == 1
}

// foldCase is what a function of the database that folds the case makes equal.
func (s *pgTypes) foldCase() catalog.Equality {
	if s.plainCase {
		return catalog.FoldASCII
	}
	return catalog.FoldCase
}

// meaning resolves domains and gives the meaning of a type: that of a column, an
// element or an attribute, whose modifier and collation are given.
func (s *pgTypes) meaning(id uint32, mod int32, collation uint32) (_ catalog.Type, notNull bool) {
	only := s.textOnly(id)
	t := s.byID[id]
	for t != nil && t.kind == "d" {
		notNull = notNull || t.notNull
		mod = t.mod
		id = t.base
		t = s.byID[id]
	}
	if t == nil {
		return catalog.Type{TextOnly: only}, notNull
	}
	m, ok := builtin[id]
	switch {
	case ok:
	case t.kind == "e":
		m = catalog.Type{Kind: catalog.Text, Labels: t.labels}
	case t.kind == "b" && t.name == "citext":
		// An extension's type has another id in each database; its form on the
		// wire is that of text.
		m = catalog.Type{Kind: catalog.Text, Equality: s.foldCase()}
	case t.kind == "b" && t.name == "hstore":
		m = catalog.Type{Kind: catalog.Hstore, Element: &catalog.Type{Name: "text", Kind: catalog.Text}}
	case t.element != 0:
		m = catalog.Type{Kind: catalog.Array}
		if t.kind != "b" {
			// The bounds are compared by a collation of the type's own.
			m.Kind, mod, collation = catalog.Range, -1, t.collation
		}
		element, _ := s.meaning(t.element, mod, collation)
		element.Name = s.name(t.element)
		m.Element = &element
	case t.kind == "c":
		m = catalog.Type{Kind: catalog.Composite, Fields: make([]catalog.Field, len(t.fields))}
		for i, a := range t.fields {
			m.Fields[i].Name = a.name
			m.Fields[i].Type, _ = s.meaning(a.oid, a.mod, a.collation)
			m.Fields[i].Type.Name = a.typeName
		}
	}
	if m.Kind == catalog.Text && m.Labels == nil {
		m.Equality |= s.collations[collation]
	}
	if id < firstUserOID {
		m.OID = id // others differ between databases with the same definitions
	}
	m.TextOnly = only
	return modified(m, mod), notNull
}

// name returns the name of a type that stands within another.
func (s *pgTypes) name(id uint32) string {
	if t := s.byID[id]; t != nil {
		return t.name
	}
	return ""
}
