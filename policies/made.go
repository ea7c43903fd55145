package policies

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// refuseMadeOf refuses a column that is kept, and that a trigger makes of one masked column
// alone, with nothing lost: whoever has it has the other, or finds it by trying.
func (c *compiler) refuseMadeOf(ts *table, col *column) {
	if ts.tellsLittle(col) {
		return
	}
	for _, d := range ownTriggers(c.catalog, ts.t) {
		if firesAfter.MatchString(firing(d)) {
			continue
		}
		for _, a := range assigned(c.code(d)) {
			if a.column != col.col.Name {
				continue
			}
			of, same, types := madeOf(a.to)
			if of == col.col.Name || len(ts.maskedOf([]string{of})) == 0 || losesBy(types, ts.column(of).col.Type, col.col.Type) {
				continue
			}
			help := `give it a class with {"null": true}`
			if same && !ts.column(of).decision.derive {
				help += ", or the class of " + of
			}
			if do := c.deriveBy(ts.t, d); do != "" {
				help += ", or one with " + do + ", by which the copy computes it anew"
			}
			c.fail(Invalid, col.decision.at, col.id().String(), help,
				"%s is kept, and the trigger %s makes it of %s alone, which is masked", col.id(), d.Name, of)
			return
		}
	}
}

var (
	onlyNew = regexp.MustCompile(`(?i)^new\s*\.\s*` + sqlName + `$`)
	// losesNothing are calls that leave a value as it is, spell it otherwise, or hash it.
	losesNothing = regexp.MustCompile(`(?is)^(?:[\w"]+\s*\.\s*)?(lower|upper|[lrb]?trim|initcap|reverse|unaccent|normalize|coalesce|ifnull|nullif|concat|cast` +
		`|md5|sha|sha[12]|sha224|sha256|sha384|sha512|digest|hmac|crypt|hashtext|hashtextextended|encode|decode|convert_to|convert_from|hex|unhex|to_base64|from_base64|quote_literal|to_jsonb?|text)?\s*(\(.*\))$`)
	castAs = regexp.MustCompile(`(?is)\s+as\s+([\w\s.]+(?:\([\d\s,]*\))?[\w\s]*)$`)
	// castText is a literal, emptied, with its type.
	castText = regexp.MustCompile(`''\s*::\s*[\w.]+`)
)

// madeOf returns the column of the row of which an expression is made alone, by nothing that
// loses any of it but the types that it is cast to, or ""; whether it is that column itself;
// and those types.
func madeOf(to string) (column string, same bool, types []string) {
	to = castText.ReplaceAllLiteralString(withoutLiterals(to), "''")
	types = catalog.Casts(to)
	to = strings.TrimSpace(catalog.WithoutCasts(to))
	if len(to) > 7 && strings.EqualFold(to[:7], "select ") {
		to = to[7:]
	}
	for same = true; ; {
		to = strings.TrimSpace(to)
		if m := onlyNew.FindStringSubmatch(to); m != nil {
			return unquoted(m[1]), same, types
		}
		m := losesNothing.FindStringSubmatch(to)
		if m == nil {
			return "", false, nil
		}
		cast := strings.EqualFold(m[1], "cast")
		same = same && (cast || m[1] == "")
		to = ""
		for _, a := range argumentsOf(m[2]) {
			if as := castAs.FindStringSubmatch(a); cast && as != nil {
				a, types = strings.TrimSuffix(a, as[0]), append(types, as[1])
			}
			switch {
			case !strings.ContainsFunc(a, unicode.IsLetter):
			case to != "":
				return "", false, nil
			default:
				to = a
			}
		}
	}
}

var (
	// typeParts are the first word of a type's name, and the first and the second number of
	// what stands in parentheses behind it.
	typeParts = regexp.MustCompile(`^"?(\w+)[^(]*(?:\(\s*(\d+)\s*(?:,\s*(\d+))?)?`)
	wholeType = regexp.MustCompile(`^(?:int|int[248]|integer|bigint|smallint|mediumint|tinyint|signed|unsigned)$`)
)

// tellingLength is how many characters of a text tell of whom it is, or all of a digest.
const tellingLength = 32

// losesBy reports whether a value of a type loses most of what it tells, or a part of it that
// a mask may take as well, where it is cast to types, and put into a column of another one.
func losesBy(types []string, from, into catalog.Type) bool {
	if into.Kind != catalog.Text {
		types = append(types, into.Name)
	}
	return slices.ContainsFunc(types, func(name string) bool { return coarser(name, from) })
}

// coarser reports whether a type of that name is shorter or coarser than another one.
func coarser(name string, from catalog.Type) bool {
	m := typeParts.FindStringSubmatch(strings.ToLower(strings.TrimSpace(name)))
	if m == nil {
		return false
	}
	length, _ := strconv.Atoi(m[2])
	scale, _ := strconv.Atoi(m[3])
	number := from.Kind == catalog.Float || from.Kind == catalog.Numeric && (from.Scale > 0 || from.Precision == 0)
	switch word := m[1]; {
	case word == "bool" || word == "boolean":
		return true
	case word == "char" || word == "character" || word == "varchar" || word == "nchar" || word == "bpchar" || word == "binary":
		return length > 0 && length < tellingLength && (from.Length == 0 || length < from.Length)
	case word == "date" || word == "time" || word == "timetz" || word == "year":
		return from.Kind == catalog.Timestamp || from.Kind == catalog.TimestampTZ || word == "year" && from.Kind == catalog.Date
	case wholeType.MatchString(word):
		return number
	case word == "numeric" || word == "decimal" || word == "dec":
		return number && length > 0 && scale < max(from.Scale, 1)
	}
	return false
}

// argumentsOf takes apart what stands in the parentheses with which words begin and end, or
// returns nil if these are two pairs.
func argumentsOf(words string) (arguments []string) {
	depth, from := 0, 1
	for i, r := range words {
		switch r {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				if i+1 < len(words) {
					return nil
				}
				return append(arguments, words[from:i])
			}
		case ',':
			if depth == 1 {
				arguments, from = append(arguments, words[from:i]), i+1
			}
		}
	}
	return nil
}
