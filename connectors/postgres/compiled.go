package postgres

import (
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// doing is what a function does beside what its words say.
type doing struct {
	language string // that may do anything, or ""
	definer  bool
	closed   bool   // one of these that PUBLIC may not call
	library  string // of a function in C
	symbol   string // of one that is compiled into the server
	spells   bool   // a type needs it to read and write its values
}

const unknownLibrary = "is compiled code of a library that nobody here knows, and may do anything on the server's machine"

// libraries lists those of PostgreSQL's own modules that reach nothing outside of the
// database. Functions of them without an extension are from before there were extensions.
var libraries = strings.Fields("_int autoinc bloom btree_gin btree_gist chkpass citext cube dict_int dict_xsyn earthdistance fuzzystrmatch hstore " +
	"insert_username int_aggregate intagg isn lo ltree moddatetime pgcrypto pgrowlocks pgstattuple pg_buffercache pg_freespacemap pg_stat_statements pg_trgm pgxml " +
	"plpgsql plperl pltcl refint seg sslinfo tablefunc tcn timetravel tsearch2 tsm_system_rows tsm_system_time unaccent uuid-ossp")

// compiled says why a compiled function is not let into a copy, or "".
func (d doing) compiled() string {
	if d.library == "" {
		// Under another name it is still what it is: CREATE FUNCTION f … AS 'pg_read_file'.
		symbol := strings.TrimPrefix(d.symbol, "be_")
		for name, why := range reachers {
			if inServer(name) && strings.HasPrefix(symbol, name) {
				return why
			}
		}
		return ""
	}
	name := strings.TrimSuffix(d.library[strings.LastIndexByte(d.library, '/')+1:], ".so")
	if why := extensions[name]; why != "" {
		return why
	}
	plain := strings.TrimPrefix(d.library, "$libdir/")
	if slices.Contains(libraries, strings.TrimSuffix(plain, ".so")) || strings.HasPrefix(plain, "postgis-") && !strings.Contains(plain, "/") {
		return ""
	}
	return unknownLibrary
}

// functionName returns the name of a function with and without its schema, in lower case.
func functionName(o catalog.Object) (name, bare string) {
	name, _, _ = strings.Cut(strings.ToLower(o.Name), "(")
	return name, name[strings.LastIndexByte(name, '.')+1:]
}

// behindName returns the words of a function behind its name, which is no call of it; of
// other objects all words.
func behindName(o catalog.Object) string {
	if o.Kind != "function" && o.Kind != "procedure" {
		return o.Definition
	}
	quoted := false
	for i, c := range []byte(o.Definition) {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '(' && !quoted:
			return o.Definition[i:]
		}
	}
	return ""
}

// parametersOf returns what stands in the brackets at the beginning of code.
func parametersOf(code string) string {
	if !strings.HasPrefix(code, "(") {
		return ""
	}
	depth := 0
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '\'', '"':
			i = afterQuote(code, i, c, false) - 1
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return code[:i+1]
			}
		}
	}
	return ""
}
