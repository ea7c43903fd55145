package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A value of "char" is a byte. In binary it travels as it is. As text, servers since 15 print one above
// 127 in octal digits, and those before as the byte itself, which is no text in UTF-8; neither reads
// the form of the other for what it is. So a table that travels as text has it in the form that the target reads, or
// is not read.

// bytesOfChars are columns that have a "char", or one in an array or a composite.
type bytesOfChars struct{ plain, within []catalog.Column }

func charsOf(layout *connectors.Layout) (c bytesOfChars) {
	if layout.Format != Text {
		return c
	}
	for _, col := range layout.Columns {
		switch {
		case col.Type.OID == oidChar:
			c.plain = append(c.plain, col)
		case hasChar(col.Type):
			c.within = append(c.within, col)
		}
	}
	return c
}

func hasChar(t catalog.Type) bool {
	if t.OID == oidChar || t.Element != nil && hasChar(*t.Element) {
		return true
	}
	for _, f := range t.Fields {
		if hasChar(f.Type) {
			return true
		}
	}
	return false
}

// oneByteText reports whether every byte is a text in the database.
func (s *snapshot) oneByteText() bool {
	return s.picture.Encoding == "SQL_ASCII" || s.charset != nil && len(s.charset.runes) == 0
}

// selected returns what is selected for the columns of a layout.
func (s *snapshot) selected(layout *connectors.Layout) string {
	plain := columnList(layout.Columns)
	target := int(s.target.Load())
	if len(charsOf(layout).plain) == 0 || target == 0 || octalChars.in(target) == octalChars.in(s.picture.major) {
		return plain
	}
	form := `CASE WHEN %[1]s::integer < 0 THEN '\' || ((256 + %[1]s::integer) / 64)::text || ((256 + %[1]s::integer) / 8 %% 8)::text || ((256 + %[1]s::integer) %% 8)::text ELSE %[1]s::text END`
	if !octalChars.in(target) {
		if !s.oneByteText() {
			return plain // of which charsFit lets none through that has two forms
		}
		form = `CASE WHEN %[1]s::integer < 0 THEN pg_catalog.chr(256 + %[1]s::integer) ELSE %[1]s::text END`
	}
	columns := make([]string, len(layout.Columns))
	for i, c := range layout.Columns {
		columns[i] = ident(c.Name)
		if c.Type.OID == oidChar {
			columns[i] = fmt.Sprintf(form, columns[i])
		}
	}
	return strings.Join(columns, ", ")
}

// charsFit refuses rows of which the target would read a "char" for another, or not at all. The rows stand behind FROM.
func (s *snapshot) charsFit(ctx context.Context, held *session, layout *connectors.Layout, by *asking, from string) error {
	target := int(s.target.Load())
	if target == 0 || octalChars.in(target) {
		return nil
	}
	chars := charsOf(layout)
	if s.oneByteText() {
		chars.plain = nil
	}
	if !octalChars.in(s.picture.major) {
		chars.within = nil // the target refuses the byte
	}
	for _, c := range append(chars.plain, chars.within...) {
		if slices.ContainsFunc(layout.Unread, func(i int) bool { return layout.Columns[i].Name == c.Name }) {
			continue // nobody looks at its values
		}
		is := ident(c.Name) + "::integer < 0"
		if c.Type.OID != oidChar {
			is = "pg_catalog.format('%s', " + ident(c.Name) + `) ~ '\\[23][0-7][0-7]'`
		}
		found := false
		err := rowsOfAll(ctx, held.conn, by.around("SELECT FROM (SELECT "+ident(c.Name)+" FROM "+from+") x WHERE "+is+" LIMIT 1"), func([][]byte) { found = true })
		if err != nil {
			return err
		}
		if found {
			return &connectors.Error{Kind: connectors.KindUnsupported, Side: s.side, Op: fmt.Sprintf("read %s, column %s", words(layout.Table.ID), word(c.Name)),
				Err:  errors.New(`it has a "char" above 127, and the table travels as text, in which no server before 15 takes one`),
				Hint: `null the column with {"null": true}, leave the row out by the policy, or use a target of version 15 or later`}
		}
	}
	return nil
}
