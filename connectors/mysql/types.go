package mysql

import (
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// columnFacts is what a reader and a loader need of a column beside its catalog.Type.
type columnFacts struct {
	charset   string // the server's name of its character set, "" for none
	dataType  string // DATA_TYPE of information_schema, in lower case: varchar
	unsigned  bool
	collation string
}

// described is a column as information_schema.COLUMNS describes it.
type described struct {
	columnFacts
	columnType       string // with its size and signs: varchar(20), int unsigned
	length           int64  // of texts in characters, of bytes in bytes
	precision, scale int64
	labels           []string // of enum and set
	json             bool     // MariaDB's: a longtext with a check
}

// widths are the bits of the integer types; see MySQL's manual, "Integer Types" (13.1.2).
var widths = map[string]int{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64}

// typeOf returns what a column's type means to us. Unsigned integers of N bits are
// integers of N+1, and at most 64: what is above 2^63−1 can be kept, and not masked. Types
// that a transform has no form for (times of a day, bits, geometry, vectors, and types
// that are not known) are opaque.
func typeOf(d described) catalog.Type {
	t := catalog.Type{Name: d.columnType}
	switch d.dataType {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint":
		t.Kind, t.Bits = catalog.Int, widths[d.dataType]
		if d.unsigned {
			t.Bits = min(t.Bits+1, 64)
		}
	case "year":
		t.Kind, t.Bits = catalog.Int, 16
	case "bit":
		if d.precision == 1 {
			t.Kind = catalog.Bool
		}
	case "decimal", "numeric":
		t.Kind, t.Precision, t.Scale = catalog.Numeric, int(d.precision), int(d.scale)
	case "float":
		t.Kind, t.Bits = catalog.Float, 32
	case "double", "real":
		t.Kind, t.Bits = catalog.Float, 64
	case "date":
		t.Kind = catalog.Date
	case "datetime", "timestamp":
		t.Kind = catalog.Timestamp
	case "char", "varchar":
		t.Kind, t.Length = catalog.Text, int(d.length)
	case "tinytext", "text", "mediumtext":
		t.Kind, t.MaxBytes = catalog.Text, int(blobs[d.dataType])
	case "longtext":
		t.Kind = catalog.Text
	case "enum", "set":
		t.Kind, t.Labels = catalog.Text, d.labels
	case "binary", "varbinary":
		t.Kind, t.Length = catalog.Bytes, int(d.length)
	case "tinyblob", "blob", "mediumblob":
		t.Kind, t.Length = catalog.Bytes, int(blobs[d.dataType])
	case "longblob":
		t.Kind = catalog.Bytes
	case "json":
		t.Kind = catalog.JSON
	case "uuid":
		t.Kind = catalog.UUID
	case "inet4", "inet6":
		t.Kind = catalog.IP
	}
	if d.json {
		t = catalog.Type{Name: d.columnType, Kind: catalog.JSON}
	}
	if t.Kind == catalog.Text {
		t.Charset = charsetOf(d.charset)
		t.Equality = equalityOf(d.collation)
		if d.dataType == "char" {
			t.Equality |= catalog.PadSpace // blanks at the end are not even given back
		}
	}
	return t
}

// blobs are the most bytes of the types that have a fixed bound; see MySQL's manual, "Data
// Type Storage Requirements" (13.7). The largest is as good as none.
var blobs = map[string]int64{"tinytext": 1<<8 - 1, "text": 1<<16 - 1, "mediumtext": 1<<24 - 1, "tinyblob": 1<<8 - 1, "blob": 1<<16 - 1, "mediumblob": 1<<24 - 1}

// charsetOf returns what a character set can hold. latin1 is Windows' 1252 here, of which
// catalog.Latin1 is the sure part. What is not known better is ASCII.
func charsetOf(name string) catalog.Charset {
	switch name {
	case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030":
		return catalog.Unicode
	case "utf8", "utf8mb3", "ucs2":
		return catalog.BMP
	case "latin1":
		return catalog.Latin1
	}
	return catalog.ASCII
}

// equalityOf returns what a collation calls equal, beside equal bytes. The words of a
// collation's name say it (MySQL's manual, "Collation Naming Conventions" 12.3.1), and the
// sets below say what they do not; both were tried on servers, letter by letter.
//
// An _ci without _ai or _as makes no difference by marks as a rule. Some tailored ones make
// a difference between a few letters of their language (å and a in Swedish), which is
// taken for none: values that mask alike are then fewer than they could be, and never differ
// where the server sees equals.
func equalityOf(collation string) (e catalog.Equality) {
	words := strings.Split(collation, "_")
	has := func(list ...string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return slices.Contains(words, w) })
	}
	if collation == "" || collation == "binary" {
		return 0
	}
	if !has("0900", "nopad") {
		e = catalog.PadSpace
	}
	general := unicodeSets[words[0]] && has("general")
	// All others of these sets follow the Unicode Collation Algorithm: its versions 4, 5.2, 9 and 14.
	uca := unicodeSets[words[0]] && !has("bin", "general", "tolower") || words[0] == "uca1400" || collation == "gb18030_unicode_520_ci"
	// cs is also how Czech begins: utf8mb4_cs_0900_ai_ci.
	sensitive := strings.HasSuffix(collation, "_cs") || strings.HasSuffix(collation, "_cs_ks")
	switch {
	case has("bin"):
	case sensitive && !has("ai"):
	case collation == "latin1_danish_ci", has("german2", "danish") && has("utf8", "utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32", "uca1400") && !has("as"),
		has("german2") && has("latin1"), has("pb", "da", "nb", "nn") && has("ai"):
		e |= catalog.FoldUnknown // å is aa, ö is oe
	case sensitive && uca && !has("ai"): // to case and to marks, and not to forms
		e |= catalog.FoldForms
	case sensitive: // to case, and not to marks
		e |= catalog.FoldAccents
	case has("as", "w2", "tolower"):
		e |= catalog.FoldCase
	case slices.Contains(asciiOnly, words[0]):
		e |= catalog.FoldASCII
	case slices.Contains(markless, words[0]), has("general") && slices.Contains(markless, words[0]+"_general"), collation == "cp1257_lithuanian_ci", collation == "gb18030_chinese_ci":
		e |= catalog.FoldCase
	default:
		e |= catalog.FoldCase | catalog.FoldAccents
	}
	switch {
	case general:
		e |= catalog.FoldAstral | catalog.FoldSharpS
	case !uca && e&catalog.FoldAccents != 0:
		e |= catalog.FoldSharpS // of a byte, or of two, as most of them have it
	case uca && !has("0900", "520", "uca1400"):
		e |= catalog.FoldForms | catalog.FoldAstral
	case uca:
		e |= catalog.FoldForms
	}
	if has("swedish", "sv") && e&catalog.FoldAccents != 0 {
		e |= catalog.FoldSwedish
	}
	return e
}

// unicodeSets are the character sets of Unicode.
var unicodeSets = map[string]bool{"utf8": true, "utf8mb3": true, "utf8mb4": true, "ucs2": true, "utf16": true, "utf16le": true, "utf32": true}

// asciiOnly lists the character sets whose _ci collations know the cases of a to z alone.
var asciiOnly = []string{"ascii", "big5", "cp932", "sjis", "euckr", "ujis", "eucjpms", "gb2312", "gbk", "hp8", "tis620", "hebrew", "armscii8", "geostd8"}

// markless lists the character sets, and collations, that keep letters with marks apart.
var markless = []string{"cp1251", "koi8r", "koi8u", "cp866", "cp1256", "latin1_general", "cp850_general", "latin7_general"}
