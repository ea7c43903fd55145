package mysql

import (
	"fmt"
	"slices"
	"strings"
)

// refusal is an object that a server cannot make as it is.
type refusal struct {
	Object string // table film, column film.vector
	Reason string
	Hint   string
}

// need is something in a definition that not every server has: in words, and the first
// version of each family that has it; 0 is none. See MySQL's manual, "What Is New in MySQL
// 8.0", and MariaDB's, "Incompatibilities and Feature Differences".
type need struct {
	what           string
	mysql, mariadb int
}

var (
	needs0900        = need{"a collation of Unicode 9", 80000, 110405}
	needsUCA1400     = need{"a collation of Unicode 14", 0, 101001}
	needsNoPad       = need{"a collation that does not pad", 0, 100202}
	needsUTF8MB3     = need{"a collation by its name of utf8mb3", 80030, 100601}
	needsGB18030     = need{"the character set gb18030", 50704, 0}
	needsVector      = need{"a vector", 90000, 110701}
	needsVectorKey   = need{"a vector index", 0, 110701}
	needsUUID        = need{"the type uuid", 0, 100700}
	needsINET6       = need{"the type inet6", 0, 100500}
	needsINET4       = need{"the type inet4", 0, 101000}
	needsJSON        = need{"the type json", 50708, 100207}
	needsCollection  = need{"the type geomcollection", 80000, 0}
	needsSRID        = need{"a column's reference system", 80003, 0}
	needsInvisible   = need{"an invisible column", 80023, 100303}
	needsExpression  = need{"an expression as default", 80013, 100201}
	needsBareDefault = need{"a default that is a call or a long text", 0, 100201}
	needsFunctional  = need{"an index over an expression", 80013, 0}
	needsDescending  = need{"a descending index", 80000, 100801}
	needsUnseen      = need{"an invisible index", 80000, 0}
	needsIgnored     = need{"an ignored index", 0, 100600}
	needsCheck       = need{"a CHECK", 80016, 100201}
	// MySQL 5.7 turns them into question marks when it adds an index, and drops them then.
	needsBeyondASCII = need{"a way to keep characters beyond ASCII in a computed column", 80000, 100000}
	needsUnenforced  = need{"a CHECK that is not enforced", 80016, 0}
	needsVersioning  = need{"system versioning or a period", 0, 100304}
	needsOverlaps    = need{"a key without overlaps", 0, 100503}
	needsDefaultPart = need{"a partition for all other values", 0, 100202}
	needsSequence    = need{"a sequence", 0, 100300}
	needsPackage     = need{"a package or the syntax of Oracle", 0, 100305}
	needsPlainPack   = need{"a package outside the syntax of Oracle", 0, 110400}
	needsParameter   = need{"a default of a parameter", 0, 110800}
	needsAggregate   = need{"an aggregate function of its own", 0, 100303}
	needsCompression = need{"the table option COMPRESSION", 50708, 0}
	needsAttribute   = need{"an attribute for the storage engine", 80021, 0}
	needsExtend      = need{"the table option AUTOEXTEND_SIZE", 80023, 0}
	needsOwnOption   = need{"an option of MariaDB's storage engines", 0, 100500}
	needsWith        = need{"a common table expression", 80001, 100201}
	needsWindow      = need{"a window function", 80002, 100200}
	needsLanguage    = need{"a routine in another language than SQL", 90000, 0}
)

// engineNeeds are the storage engines that one family has.
var engineNeeds = map[string]need{
	"ARIA": {"the storage engine Aria", 0, 100500}, "MROONGA": {"the storage engine Mroonga", 0, 100500}, "COLUMNSTORE": {"the storage engine ColumnStore", 0, 100500},
	"NDBCLUSTER": {"the storage engine NDB", 50700, 0}, "NDB": {"the storage engine NDB", 50700, 0},
}

// typeNeeds are the types that not every server has.
var typeNeeds = map[string]need{"VECTOR": needsVector, "UUID": needsUUID, "INET6": needsINET6, "INET4": needsINET4, "JSON": needsJSON, "GEOMCOLLECTION": needsCollection}

// met reports whether a server has what is needed.
func (n need) met(s server) bool {
	first := n.mysql
	if s.mariadb {
		first = n.mariadb
	}
	return first > 0 && s.version >= first
}

// hint says which servers have it.
func (n need) hint() string {
	var all []string
	for _, f := range []server{{version: n.mysql}, {mariadb: true, version: n.mariadb}} {
		if f.version > 0 {
			all = append(all, f.String())
		}
	}
	return "copy to a server that has it, from " + strings.Join(all, " or ") + " on; or change it at the source"
}

// compatible lists what a server cannot make of a database that comes from another one: what
// one family has and the other lacks, and what an older version lacks. Where both are of one
// family and the target is no older, there is nothing but what it does not keep itself.
func compatible(from, to server, d definitions) []refusal {
	var all []refusal
	if from.mariadb == to.mariadb && to.version >= from.version {
		if needsBeyondASCII.met(to) {
			return nil
		}
		for _, t := range d.Tables {
			if slices.Contains(tableNeeds(t), needsBeyondASCII) {
				all = refuse(all, to, "table "+t.Name, needsBeyondASCII)
			}
		}
		return all
	}
	for _, n := range collationNeeds(d.Collation) {
		all = refuse(all, to, "database "+d.Database, n)
	}
	for _, t := range d.Tables {
		for _, n := range tableNeeds(t) {
			all = refuse(all, to, "table "+t.Name, n)
		}
	}
	for _, o := range slices.Concat(d.First, d.Rest) {
		for _, n := range objectNeeds(o) {
			all = refuse(all, to, o.Kind+" "+o.Name, n)
		}
	}
	return all
}

func refuse(all []refusal, to server, object string, n need) []refusal {
	r := refusal{Object: object, Reason: fmt.Sprintf("has %s, which %s lacks", n.what, to), Hint: n.hint()}
	if n.met(to) || slices.Contains(all, r) {
		return all
	}
	return append(all, r)
}

// collationNeeds reads the name of a collation or a character set.
func collationNeeds(name string) (all []need) {
	name = strings.ToLower(name)
	switch {
	case strings.Contains(name, "_0900_"):
		all = append(all, needs0900)
	case strings.Contains(name, "uca1400"):
		all = append(all, needsUCA1400)
	case strings.Contains(name, "_nopad_"):
		all = append(all, needsNoPad)
	case strings.HasPrefix(name, "utf8mb3_"):
		all = append(all, needsUTF8MB3)
	}
	if strings.HasPrefix(name, "gb18030") {
		all = append(all, needsGB18030)
	}
	return all
}

// collationsIn reads the collations that words name.
func collationsIn(all []token) (found []need) {
	for i, w := range all {
		if i > 0 && w.names() && (all[i-1].is("COLLATE") || all[i-1].is("SET") || all[i-1].is("CHARSET") || all[i-1].is("=") && i > 1 && (all[i-2].is("COLLATE") || all[i-2].is("CHARSET"))) {
			found = append(found, collationNeeds(w.text)...)
		}
	}
	return found
}

func tableNeeds(t tableDefinition) (all []need) {
	made, ok := parseTable(t.Create)
	if !ok {
		return nil
	}
	parts := made.parts
	for _, clause := range t.Indexes {
		text := strings.TrimPrefix(clause, "ADD ")
		if words := (quoting{}).tokens(text); len(words) > 0 {
			parts = append(parts, parsePart(text, words))
		}
	}
	for _, p := range parts {
		all = append(all, partNeeds(p)...)
	}
	words := quoting{}.tokens(made.options + "\n" + made.partitions)
	all = append(all, collationsIn(words)...)
	for i, w := range words {
		value := i+2 < len(words) && words[i+1].is("=")
		switch {
		case value && w.is("ENGINE"):
			if n, is := engineNeeds[strings.ToUpper(words[i+2].text)]; is {
				all = append(all, n)
			}
		case w.is("SYSTEM") && i+1 < len(words) && words[i+1].is("VERSIONING"), w.is("SYSTEM_TIME"):
			all = append(all, needsVersioning)
		case w.is("DEFAULT") && i > 1 && words[i-2].is("PARTITION"):
			all = append(all, needsDefaultPart)
		case value && w.is("COMPRESSION"):
			all = append(all, needsCompression)
		case value && w.is("AUTOEXTEND_SIZE"):
			all = append(all, needsExtend)
		case value && (w.is("ENGINE_ATTRIBUTE") || w.is("SECONDARY_ENGINE_ATTRIBUTE")):
			all = append(all, needsAttribute)
		case value && w.sort == nameToken, value && w.is("PAGE_CHECKSUM"), value && w.is("TRANSACTIONAL"):
			all = append(all, needsOwnOption)
		}
	}
	return all
}

// partNeeds reads a part of a table.
func partNeeds(p tablePart) (all []need) {
	words := p.tokens
	switch p.piece {
	case columnPiece:
		if len(words) < 2 {
			return nil
		}
		all = collationsIn(words)
		kind := strings.ToUpper(words[1].text)
		if n, is := typeNeeds[kind]; is {
			all = append(all, n)
		}
		c := p.column()
		if c.invisible {
			all = append(all, needsInvisible)
		}
		if c.check != "" {
			all = append(all, needsCheck)
		}
		if !ascii(c.computed) {
			all = append(all, needsBeyondASCII)
		}
		if strings.HasPrefix(c.computed, "ROW ") {
			all = append(all, needsVersioning)
		}
		if d := (quoting{}).tokens(c.fallback); len(d) > 0 {
			long := strings.HasSuffix(kind, "TEXT") || strings.HasSuffix(kind, "BLOB")
			call := d[0].sort == wordToken && len(d) > 1 && d[1].is("(") && !slices.ContainsFunc([]string{"CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"}, d[0].is)
			switch {
			case d[0].is("("):
				all = append(all, needsExpression)
			case call, long:
				all = append(all, needsBareDefault)
			}
		}
		for i, w := range words {
			if w.is("SRID") && i > 0 && words[i-1].sort == opensToken {
				all = append(all, needsSRID)
			}
		}
	case checkPiece:
		all = append(all, needsCheck)
		if slices.ContainsFunc(words, func(w token) bool { return w.is("ENFORCED") }) {
			all = append(all, needsUnenforced)
		}
	case otherPiece:
		if slices.ContainsFunc(words, func(w token) bool { return w.is("PERIOD") }) {
			all = append(all, needsVersioning)
		}
	case primaryPiece, uniquePiece, indexPiece:
		if words[0].is("VECTOR") {
			all = append(all, needsVectorKey)
		}
		for _, k := range p.keys {
			switch {
			case k.overlaps:
				all = append(all, needsOverlaps)
			case k.descending:
				all = append(all, needsDescending)
			}
			if k.column == "" {
				all = append(all, needsFunctional)
			}
		}
		for i, w := range words {
			switch {
			case w.is("INVISIBLE") && i > 0 && words[i-1].sort == opensToken:
				all = append(all, needsUnseen)
			case w.is("IGNORED"):
				all = append(all, needsIgnored)
			}
		}
	}
	return all
}

// objectNeeds reads what stands beside tables. Its body is the server's to judge: it is made
// in the build, and a refusal is an error there.
// The collation of the session that it was made in is no part of it; see collationFor.
func objectNeeds(o object) (all []need) {
	words := quotingOf(o.Mode).tokens(o.Create)
	all = collationsIn(words)
	switch {
	case o.Kind == "sequence":
		all = append(all, needsSequence)
	case slices.Contains(strings.Split(o.Mode, ","), "ORACLE"):
		all = append(all, needsPackage)
	case strings.HasPrefix(o.Kind, "package"):
		all = append(all, needsPlainPack)
	}
	if o.Kind == "procedure" || o.Kind == "function" {
		all = append(all, parameterNeeds(words)...)
	}
	for i, w := range words {
		if w.is(lastWord(o.Kind)) {
			break
		}
		if w.is("AGGREGATE") && i > 0 {
			all = append(all, needsAggregate)
		}
	}
	for i, w := range words {
		if i+2 < len(words) && words[i+1].is("(") && words[i+2].sort == nameToken && (w.is("nextval") || w.is("lastval") || w.is("setval")) {
			all = append(all, needsSequence)
		}
		next := func(s string) bool { return i+1 < len(words) && words[i+1].is(s) }
		if w.is("WITH") && (next("RECURSIVE") || i+2 < len(words) && words[i+1].names() && (words[i+2].is("AS") || words[i+2].is("("))) {
			all = append(all, needsWith)
		}
		if w.is("OVER") && i > 0 && words[i-1].is(")") && (next("(") || i+1 < len(words) && words[i+1].names()) {
			all = append(all, needsWindow)
		}
		if w.is("LANGUAGE") && i+1 < len(words) && words[i+1].is("JAVASCRIPT") {
			all = append(all, needsLanguage)
		}
	}
	return all
}

// parameterNeeds reads the parameters of a routine: what is between its first parentheses.
func parameterNeeds(words []token) (all []need) {
	depth := 0
	for _, w := range words {
		switch {
		case w.is("("):
			depth++
		case w.is(")"):
			if depth--; depth == 0 {
				return all
			}
		case depth == 1 && w.is("DEFAULT"):
			all = append(all, needsParameter)
		}
	}
	return all
}

// modes are the words of sql_mode that not every server knows, and which do. Of the
// others all know all.
var modes = map[string]need{
	"NO_AUTO_CREATE_USER": {"", 50700, 100000}, "EMPTY_STRING_IS_NULL": {"", 0, 100300}, "SIMULTANEOUS_ASSIGNMENT": {"", 0, 100300}, "TIME_ROUND_FRACTIONAL": {"", 0, 100400},
	"TIME_TRUNCATE_FRACTIONAL": {"", 80001, 0}, "ORACLE": {"", 0, 100300}, "MSSQL": {"", 0, 100000}, "DB2": {"", 0, 100000}, "POSTGRESQL": {"", 0, 100000}, "MAXDB": {"", 0, 100000},
	"MYSQL323": {"", 0, 100000}, "MYSQL40": {"", 0, 100000}, "NO_KEY_OPTIONS": {"", 0, 100000}, "NO_TABLE_OPTIONS": {"", 0, 100000}, "NO_FIELD_OPTIONS": {"", 0, 100000},
	"IGNORE_BAD_TABLE_OPTIONS": {"", 0, 100000},
}

// modeFor returns a sql_mode with the words that a server knows. Those that it does not know
// say nothing about what a routine does there.
func modeFor(mode string, to server) string {
	var all []string
	for m := range strings.SplitSeq(mode, ",") {
		n, some := modes[m]
		if some && !n.met(to) || m == "NO_AUTO_CREATE_USER" && !to.mariadb && to.version >= 80000 {
			continue
		}
		all = append(all, m)
	}
	return strings.Join(all, ",")
}

// collationFor returns the collation of the session in which an object is made, or "" where
// the server does not have it: the usual one of the session then says how texts without one
// of their own are compared.
func collationFor(collation string, to server) string {
	if slices.ContainsFunc(collationNeeds(collation), func(n need) bool { return !n.met(to) }) {
		return ""
	}
	return collation
}
