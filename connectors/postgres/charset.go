package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Of a database whose encoding is not UTF8, rows are read and loaded in its own: the copy has the
// same, and a way over UTF-8 would change what is kept, for in some encodings two characters have one
// in Unicode, and some bytes have none. Only what is decoded becomes UTF-8, and what becomes of
// it the encoding of the database again.

// charset turns texts in an encoding into UTF-8 and back. Every character of the encoding has one of
// its own: what the server gives it and would take back, or else one for private use.
type charset struct {
	name  string
	forms []form
	high  [utf8.RuneSelf]rune // of the encodings by single bytes, from 0x80 on
	runes map[uint32]rune     // of the others, by their bytes
	codes map[rune]uint32
}

// form is how characters of so many bytes look: the first and the last value of each of them.
type form [][2]byte

var (
	oneByte  = []form{{{0x80, 0xff}}}
	euc      = form{{0xa1, 0xfe}, {0xa1, 0xfe}}
	japanese = []form{euc, {{0x8e, 0x8e}, {0xa1, 0xdf}}, {{0x8f, 0x8f}, {0xa1, 0xfe}, {0xa1, 0xfe}}}
	// manyBytes are the encodings of servers in which a character has several bytes. UTF8 has a name
	// of its own for each, and of MULE_INTERNAL no server has a table.
	manyBytes = map[string][]form{"EUC_CN": {euc}, "EUC_KR": {euc}, "EUC_JP": japanese, "EUC_JIS_2004": japanese,
		"EUC_TW": {euc, {{0x8e, 0x8e}, {0xa1, 0xa7}, {0xa1, 0xfe}, {0xa1, 0xfe}}}}
)

// firstPrivate is where the characters begin that are for private use in the last planes of Unicode.
const firstPrivate = 0xf0000

// ownEncoding returns the encoding of a session's database, or "" where rows travel in it anyway: a
// database in SQL_ASCII takes and gives any bytes.
func ownEncoding(conn *pgx.Conn) string {
	switch name := conn.PgConn().ParameterStatus("server_encoding"); name {
	case "UTF8", "SQL_ASCII", "MULE_INTERNAL":
		return ""
	default:
		return name
	}
}

// readCharset asks the server how it turns its encoding into UTF-8; nil where there is nothing to turn.
func (s *source) readCharset(ctx context.Context, conn *pgx.Conn) (*charset, error) {
	name := ownEncoding(conn)
	if name == "" {
		return nil, nil
	}
	cs := &charset{name: name, forms: manyBytes[name]}
	if cs.forms == nil {
		cs.forms = oneByte
	}
	var series []string
	for _, f := range cs.forms {
		series = append(series, f.series())
	}
	var all string
	_, err := conn.PgConn().Exec(ctx, "BEGIN READ ONLY; "+strings.ReplaceAll(query("charset"), "$codes", strings.Join(series, " UNION ALL "))).ReadAll()
	if state := stateOf(err); state == "42704" || state == "42501" {
		s.warn(fmt.Sprintf("this account may not use plpgsql at the source, to ask how the server reads %s: rows travel as UTF-8, which some of its characters do not survive, and others end the run", name))
		_, err = conn.Exec(ctx, "ROLLBACK")
		return nil, err
	}
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT pg_catalog.current_setting('sanitize.charset')").Scan(&all)
	}
	if err == nil {
		_, err = conn.Exec(ctx, "ROLLBACK")
	}
	if err == nil {
		err = cs.fill(strings.Split(all, ","))
	}
	if err != nil {
		return nil, fmt.Errorf("read the characters of %s: %w", name, err)
	}
	return cs, nil
}

// series returns the query for all bytes of a form, in the order of each.
func (f form) series() string {
	var bytes, from, order []string
	for i, b := range f {
		bytes = append(bytes, fmt.Sprintf("pg_catalog.to_hex(b%d)", i))
		from = append(from, fmt.Sprintf("pg_catalog.generate_series(%d, %d) b%d", b[0], b[1], i))
		order = append(order, fmt.Sprintf("b%d", i))
	}
	return fmt.Sprintf("(SELECT pg_catalog.decode(%s, 'hex') FROM %s ORDER BY %s)", strings.Join(bytes, " || "), strings.Join(from, ", "), strings.Join(order, ", "))
}

// each hands over all characters of a form, in the same order.
func (f form) each(do func(code uint32)) {
	var step func(i int, code uint32)
	step = func(i int, code uint32) {
		if i == len(f) {
			do(code)
			return
		}
		for b := int(f[i][0]); b <= int(f[i][1]); b++ {
			step(i+1, code<<8|uint32(b))
		}
	}
	step(0, 0)
}

// fill takes what the server makes of each character: UTF-8 in hexadecimal, or nothing.
func (cs *charset) fill(all []string) error {
	cs.runes, cs.codes = map[uint32]rune{}, map[rune]uint32{}
	i := 0
	var err error
	for _, f := range cs.forms {
		f.each(func(code uint32) {
			r := rune(firstPrivate + i)
			if i < len(all) {
				text, e := hex.DecodeString(all[i])
				if e != nil {
					err = e
				}
				if known, n := utf8.DecodeRune(text); n > 0 && n == len(text) && (known != utf8.RuneError || n > 1) {
					r = known
				}
			}
			i++
			cs.codes[r] = code
			if len(f) == 1 {
				cs.high[code-utf8.RuneSelf] = r
			} else {
				cs.runes[code] = r
			}
		})
	}
	if err == nil && (i != len(all) || i != len(cs.codes)) {
		err = fmt.Errorf("%d characters are asked for, %d found", i, len(all))
	}
	return err
}

var errCharset = errors.New("it has a character that the database's encoding does not have")

// isASCII reports whether a text is the same in every encoding.
func isASCII(v []byte) bool {
	for _, b := range v {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendUTF8 appends a text in the encoding as UTF-8.
func (cs *charset) appendUTF8(dst, text []byte) ([]byte, error) {
	for len(text) > 0 {
		lead := text[0]
		switch {
		case lead < utf8.RuneSelf:
			dst, text = append(dst, lead), text[1:]
			continue
		case len(cs.runes) == 0:
			dst, text = utf8.AppendRune(dst, cs.high[lead-utf8.RuneSelf]), text[1:]
			continue
		}
		n := cs.length(lead)
		if n > len(text) {
			return dst, errValue
		}
		code := uint32(0)
		for _, b := range text[:n] {
			code = code<<8 | uint32(b)
		}
		r, known := cs.runes[code]
		if !known {
			return dst, errValue
		}
		dst, text = utf8.AppendRune(dst, r), text[n:]
	}
	return dst, nil
}

// length returns how many bytes a character has that begins so.
func (cs *charset) length(lead byte) int {
	for _, f := range cs.forms[1:] {
		if f[0][0] == lead {
			return len(f)
		}
	}
	return len(cs.forms[0])
}

// spelling writes a character that the encoding does not have in letters that it has; nil where
// there is no way.
type spelling func(dst []byte, r rune) []byte

// spellingOf returns how the documents of a kind spell a character: where one of them had such a
// character, it was spelt.
func spellingOf(k catalog.Kind) spelling {
	switch k {
	case catalog.JSON:
		return func(dst []byte, r rune) []byte {
			if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
				return fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
			}
			return fmt.Appendf(dst, `\u%04x`, r)
		}
	case catalog.XML:
		return func(dst []byte, r rune) []byte { return fmt.Appendf(dst, "&#%d;", r) }
	}
	return nil
}

// appendOwn appends a text in UTF-8 in the encoding.
func (cs *charset) appendOwn(dst, text []byte, spell spelling) ([]byte, error) {
	for len(text) > 0 {
		if text[0] < utf8.RuneSelf {
			dst, text = append(dst, text[0]), text[1:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		code, known := cs.codes[r]
		text = text[n:]
		switch {
		case n == 1 || !known && spell == nil:
			return dst, errCharset
		case !known:
			dst = spell(dst, r)
			continue
		}
		for shift := 24; shift >= 0; shift -= 8 {
			if b := byte(code >> shift); b != 0 {
				dst = append(dst, b)
			}
		}
	}
	return dst, nil
}

// words is appendUTF8 for what the server says, of which as much is read as can be.
func (cs *charset) words(text string) string {
	if cs == nil {
		return text
	}
	said, _ := cs.appendUTF8(nil, []byte(text))
	return string(said)
}

// around lets a statement that copies rows give or take them in the encoding. The statement itself,
// with its names, has been read when the encoding is set.
func (cs *charset) around(sql string) string {
	if cs == nil {
		return sql
	}
	return "SET LOCAL client_encoding = " + literal(cs.name) + "; " + sql + "; SET LOCAL client_encoding = 'UTF8'"
}
