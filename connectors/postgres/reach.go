package postgres

import (
	"slices"
	"strings"
)

// The reasons for which code is not let into a copy, as what it would do there.
const (
	reachesServer  = "would connect to another server"
	reachesWeb     = "would send requests to other servers"
	reachesProgram = "would run a program on the server's machine"
	reachesFile    = "would read or write files of the server's machine"
	reachesLater   = "would schedule work that acts by itself"
	setsPassword   = "sets a password"
	loadsLibrary   = "would load a library into the server"
	makesUntrusted = "makes code in a language that may do anything on the server's machine"
	runsGiven      = "would run a text that it is given as a query"
)

// reachers are functions that reach out of the database, by name. Names that begin with
// dblink reach out as well, and all that is called in a schema of reachingSchemas.
var reachers = map[string]string{
	"http": reachesWeb, "http_get": reachesWeb, "http_post": reachesWeb, "http_put": reachesWeb, "http_patch": reachesWeb,
	"http_delete": reachesWeb, "http_head": reachesWeb, "http_request": reachesWeb,
	"citus_add_node": reachesServer, "master_add_node": reachesServer, "run_command_on_workers": reachesServer, "run_command_on_all_nodes": reachesServer,
	"run_command_on_shards": reachesServer, "run_command_on_placements": reachesServer, "oracle_execute": reachesServer, "oracle_diag": reachesServer, "pg_background_launch": reachesLater,
	"pg_read_file": reachesFile, "pg_read_binary_file": reachesFile, "pg_ls_dir": reachesFile, "pg_stat_file": reachesFile, "pg_ls_logdir": reachesFile, "pg_ls_waldir": reachesFile,
	"pg_ls_tmpdir": reachesFile, "pg_ls_archive_statusdir": reachesFile, "pg_ls_logicalsnapdir": reachesFile, "pg_ls_logicalmapdir": reachesFile, "pg_ls_replslotdir": reachesFile, "pg_ls_summariesdir": reachesFile,
	"pg_file_write": reachesFile, "pg_file_rename": reachesFile, "pg_file_unlink": reachesFile, "pg_file_read": reachesFile, "lo_import": reachesFile, "lo_export": reachesFile,
}

// reachingSchemas are schemas that belong to extensions which reach out or schedule.
var reachingSchemas = map[string]string{
	"amqp": reachesServer, "duckdb": reachesFile, "net": reachesWeb, "aws_s3": reachesWeb, "aws_lambda": reachesWeb, "azure_storage": reachesWeb, "utl_http": reachesWeb, "utl_smtp": reachesWeb, "utl_tcp": reachesServer,
	"utl_file": reachesFile, "cron": reachesLater, "dbms_job": reachesLater, "dbms_scheduler": reachesLater, "timetable": reachesLater,
}

// queues are tables out of which something else works: who writes there has it done.
var queues = map[string]string{
	"cron.job": reachesLater, "pgagent.pga_job": reachesLater, "pgagent.pga_jobstep": reachesLater, "pgagent.pga_schedule": reachesLater,
	"timetable.chain": reachesLater, "timetable.task": reachesLater, "net.http_request_queue": reachesWeb,
}

// needles are pieces of which one stands in all code that reaches finds: most code
// has none, and is not taken apart.
var needles = []string{"dblink", "http", "oracle_", "pg_read", "pg_ls", "pg_stat_file", "pg_file", "lo_import", "lo_export", "background", "net.", "\"net\"", "aws_", "azure_", "utl_",
	"amqp", "duckdb", "_add_node", "run_command_on", "cron", "pgagent", "dbms_", "timetable", "copy", "subscription", "server", "mapping", "foreign", "password", "system", "load"}

func suspicious(code string) bool {
	code = strings.ToLower(code)
	if strings.Count(code, "language") > 1 { // a function says its own once
		return true
	}
	return slices.ContainsFunc(needles, func(n string) bool { return strings.Contains(code, n) })
}

// token is a piece of SQL or PL/pgSQL: a name, in lower case unless it was quoted; a
// literal, without its quotes; or one character of anything else.
type token struct {
	kind byte // n name, l literal, 0 otherwise
	text string
	body bool // a literal between dollars that is the body of a function
}

// unescaped takes the escapes out of E'…' that matter to code.
var unescaped = strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\n`, "\n", `\r`, "\n", `\t`, "\t", `''`, `'`)

// tokens takes code apart. Comments are left out.
func tokens(code string) (all []token) {
	for i := 0; i < len(code); {
		c := code[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			i++
		case strings.HasPrefix(code[i:], "--"):
			if n := strings.IndexByte(code[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(code)
			}
		case strings.HasPrefix(code[i:], "/*"):
			i = afterComment(code, i)
		case c == '\'':
			end := afterQuote(code, i, '\'', false)
			all = append(all, token{kind: 'l', text: strings.ReplaceAll(code[i+1:max(end-1, i+1)], "''", "'")})
			i = end
		case c == '"':
			end := afterQuote(code, i, '"', false)
			all = append(all, token{kind: 'n', text: strings.ReplaceAll(code[i+1:max(end-1, i+1)], `""`, `"`)})
			i = end
		case c == '$':
			tag := dollarTag(code[i:])
			if tag == "" {
				all = append(all, token{text: "$"})
				i++
				continue
			}
			rest := code[i+len(tag):]
			end := strings.Index(rest, tag)
			next := i + 2*len(tag) + end
			if end < 0 {
				end, next = len(rest), len(code)
			}
			name := strings.TrimRight(strings.Trim(tag, "$"), "x")
			all = append(all, token{kind: 'l', text: rest[:end], body: name == "function" || name == "procedure"})
			i = next
		case (c == 'e' || c == 'E') && i+1 < len(code) && code[i+1] == '\'':
			end := afterQuote(code, i+1, '\'', true)
			all = append(all, token{kind: 'l', text: unescaped.Replace(code[i+2 : max(end-1, i+2)])})
			i = end
		case isLetter(c):
			n := i
			for n < len(code) && (isLetter(code[n]) || isDigit(code[n]) || code[n] == '$') {
				n++
			}
			all = append(all, token{kind: 'n', text: strings.ToLower(code[i:n])})
			i = n
		default:
			all = append(all, token{text: code[i : i+1]})
			i++
		}
	}
	return all
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }

func afterComment(code string, i int) int {
	depth := 0
	for i < len(code) {
		switch {
		case strings.HasPrefix(code[i:], "/*"):
			depth, i = depth+1, i+2
		case strings.HasPrefix(code[i:], "*/"):
			if depth, i = depth-1, i+2; depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return i
}

// afterQuote returns where what begins with a quote at i has ended. A quote twice stands for one.
func afterQuote(code string, i int, quote byte, backslash bool) int {
	for i++; i < len(code); i++ {
		switch {
		case backslash && code[i] == '\\':
			i++
		case code[i] == quote && i+1 < len(code) && code[i+1] == quote:
			i++
		case code[i] == quote:
			return i + 1
		}
	}
	return len(code) + 1
}

// afterPiece returns where the piece of a script ends that begins at i: a literal, a name, a comment
// up to its last character, or one character of anything else. What does not end there ends behind
// the script.
func afterPiece(code string, i int) int {
	switch c := code[i]; {
	case strings.HasPrefix(code[i:], "--"):
		if n := strings.IndexByte(code[i:], '\n'); n >= 0 {
			return i + n
		}
		return len(code)
	case strings.HasPrefix(code[i:], "/*"):
		if end := afterComment(code, i); end < len(code) || strings.HasSuffix(code[i+2:], "*/") {
			return end
		}
		return len(code) + 1
	case c == '\'', c == '"':
		return afterQuote(code, i, c, false)
	case (c == 'e' || c == 'E') && i+1 < len(code) && code[i+1] == '\'':
		return afterQuote(code, i+1, '\'', true)
	case c == '$':
		tag := dollarTag(code[i:])
		if tag == "" {
			return i + 1
		}
		if n := strings.Index(code[i+len(tag):], tag); n >= 0 {
			return i + 2*len(tag) + n
		}
		return len(code) + 1
	case isLetter(c):
		for i++; i < len(code) && (isLetter(code[i]) || isDigit(code[i]) || code[i] == '$'); {
			i++
		}
		return i
	}
	return i + 1
}

// dollarTag returns the $tag$ at the beginning of s, or "".
func dollarTag(s string) string {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '$':
			return s[:i+1]
		case isLetter(c), isDigit(c) && i > 1:
		default:
			return ""
		}
	}
	return ""
}

// runsText are words after which a literal may be run as code.
var runsText = []string{"execute", "do", "query_to_xml", "query_to_xml_and_xmlschema", "cursor_to_xml", "ts_stat", "ts_rewrite", "connectby", "xpath_table"}

// runsLiteral reports whether a word is one of those: crosstab has one for each number of
// columns, and all of pgRouting takes its edges by a query.
func runsLiteral(word string) bool {
	return slices.Contains(runsText, word) || strings.HasPrefix(word, "crosstab") || strings.HasPrefix(word, "pgr_")
}

// reaches says why code must not be let into a copy: as what it would do, or "". own knows
// the functions of the database itself, by schema and name: they are looked at by themselves.
// Words in comments do not count, and those in literals only where literals may be run.
func reaches(code string, own map[string]bool) string {
	if !suspicious(code) {
		return ""
	}
	return reading{own: own}.reaches(tokens(code), 0)
}

// reading is how code is read: knowing the functions of the database, and as SQL or as
// another language.
type reading struct {
	own     map[string]bool
	foreign bool
}

// deepestLiteral bounds literals within literals.
const deepestLiteral = 4

func (r reading) reaches(all []token, depth int) string {
	runs := r.foreign || slices.ContainsFunc(all, func(t token) bool { return t.kind == 'n' && runsLiteral(t.text) })
	joined := 0 // up to where literals are part of a text that has been read
	for i, t := range all {
		why := ""
		switch {
		case t.kind == 'n':
			why = r.ofWord(all, i)
		case t.kind != 'l' || depth == deepestLiteral:
		case t.body && !slices.Contains(ofSQL, languageBefore(all, i)):
			why = reading{r.own, true}.ofText(t.text, depth+1)
		case t.body:
			why = r.ofText(t.text, depth+1)
		case runs:
			why = r.ofText(t.text, depth+1)
			if i >= joined {
				var text string
				if text, joined = pieced(all, i, r.joints()); why == "" && text != t.text {
					why = r.ofText(text, depth+1)
				}
			}
		}
		if why != "" {
			return why
		}
	}
	return ""
}

// ofWord says what the word at i would do.
func (r reading) ofWord(all []token, i int) string {
	word, schema := all[i].text, ""
	if i >= 2 && all[i-1] == (token{text: "."}) && all[i-2].kind == 'n' {
		schema = all[i-2].text
	}
	if calledAt(all, i) && !owns(r.own, schema, word) {
		switch {
		case strings.HasPrefix(word, "dblink"):
			return reachesServer
		case reachers[word] != "":
			return reachers[word]
		case reachingSchemas[schema] != "":
			return reachingSchemas[schema]
		}
	}
	if why := queues[schema+"."+word]; why != "" {
		return why
	}
	switch {
	case word == "copy" && r.foreign:
		return copiesInside(all[i+1:])
	case word == "copy" && beginsStatement(all, i):
		return copies(all[i+1:])
	case word == "create", word == "alter":
		return makes(all[i+1:])
	case word == "import" && isWord(all, i+1, "foreign"):
		return reachesServer
	case word == "load" && (r.foreign || beginsStatement(all, i)) && i+1 < len(all) && (all[i+1].kind == 'l' || all[i+1].isHole()):
		return loadsLibrary
	case word == "do" && (r.foreign || beginsStatement(all, i)):
		for k := i + 1; k <= i+2; k++ { // before its code or behind it
			if saysUntrusted(all, k) {
				return makesUntrusted
			}
		}
	}
	return ""
}

// isWord reports whether one of the words is at i.
func isWord(all []token, i int, words ...string) bool {
	return i < len(all) && all[i].kind == 'n' && slices.Contains(words, all[i].text)
}

// makes says what a CREATE or ALTER, whose word has been read, would do outside of the database.
func makes(rest []token) string {
	if isWord(rest, 0, "or") && len(rest) > 2 {
		rest = rest[2:]
	}
	switch {
	case isWord(rest, 0, "subscription", "server"), isWord(rest, 0, "user") && isWord(rest, 1, "mapping"), isWord(rest, 0, "foreign") && isWord(rest, 1, "table"):
		return reachesServer
	case isWord(rest, 0, "function", "procedure"):
		for k := 1; k < len(rest) && rest[k] != (token{text: ";"}); k++ {
			if saysUntrusted(rest, k) {
				return makesUntrusted
			}
		}
	case isWord(rest, 0, "system"):
		return "would change the server's settings"
	case isWord(rest, 0, "role", "user", "group"):
		for k := 0; k+1 < len(rest) && rest[k] != (token{text: ";"}); k++ {
			if isWord(rest, k, "password") && (rest[k+1].kind == 'l' || rest[k+1].isHole()) {
				return setsPassword
			}
		}
	}
	return ""
}

// saysUntrusted reports whether LANGUAGE is at i, and behind it a language that may do anything,
// or one that nobody knows yet.
func saysUntrusted(all []token, i int) bool {
	if !isWord(all, i, "language") || i+1 >= len(all) {
		return false
	}
	name := strings.ToLower(all[i+1].text)
	return all[i+1].isHole() || all[i+1].kind != 0 && (name == "c" || name == "internal" || extensions[name] == untrusted || strings.HasPrefix(name, "pl") && strings.HasSuffix(name, "u"))
}

// ofText is reaches for the text of a literal that may be run.
func (r reading) ofText(text string, depth int) string {
	if r.foreign {
		text = unquoted.Replace(text)
	}
	return r.reaches(tokens(text), depth)
}

// joints are the signs that join texts.
func (r reading) joints() []string {
	if r.foreign {
		return []string{"||", ".", "+"}
	}
	return []string{"||"}
}

// beginsStatement reports whether a statement may begin at a token, in SQL or PL/pgSQL.
func beginsStatement(all []token, i int) bool {
	if i == 0 {
		return true
	}
	switch before := all[i-1]; before.kind {
	case 0:
		return before.text == ";" || before.text == ">" // behind a label, too
	case 'n':
		return slices.Contains([]string{"begin", "then", "else", "loop"}, before.text)
	}
	return false
}

// copies says what a COPY, whose word has been read, would do outside of the database. Where
// no COPY goes on so, the word is another's: a column may have it.
func copies(rest []token) string {
	for i := 0; i < len(rest); i++ {
		switch t := rest[i]; {
		case t.kind == 'n' && (t.text == "from" || t.text == "to"):
			return copiesWith(rest[i+1:])
		case t.text == "(" && t.kind == 0:
			i = closing(rest, i)
		case t.kind == 'l', t.kind == 0 && t.text != ".":
			return ""
		}
	}
	return ""
}

// copiesWith says what a COPY would do, by what stands behind its FROM or TO.
func copiesWith(rest []token) string {
	switch {
	case len(rest) == 0:
	case rest[0].kind == 'n' && rest[0].text == "program":
		return reachesProgram
	case rest[0].kind == 'l' || rest[0].isHole():
		return reachesFile
	}
	return ""
}

// closing returns where the bracket closes that opens at i, or the end.
func closing(all []token, i int) int {
	for depth := 0; i < len(all); i++ {
		switch all[i] {
		case token{text: "("}:
			depth++
		case token{text: ")"}:
			depth--
		}
		if depth <= 0 {
			break
		}
	}
	return i
}

// tableWords are words behind which a name is that of a table, or of what is read, with a
// list of columns behind it.
var tableWords = []string{"into", "table", "exists", "references", "update", "copy", "as"}

// calledAt reports whether a function is called by the name at i.
func calledAt(all []token, i int) bool {
	return i+1 < len(all) && all[i+1] == token{text: "("} && !namesTable(all, i)
}

// namesTable reports whether the name at i, which may have a schema, can be no function's.
func namesTable(all []token, i int) bool {
	if i >= 2 && all[i-1] == (token{text: "."}) {
		i -= 2
	}
	return i >= 1 && all[i-1].kind == 'n' && slices.Contains(tableWords, all[i-1].text)
}

// owns reports whether a call is one of a function of the database itself. A bare name that
// the server has as well is the server's: pg_catalog comes first wherever names are looked up.
func owns(own map[string]bool, schema, name string) bool {
	if schema != "" {
		return own[schema+"."+name]
	}
	return own[name] && !inServer(name)
}

// inServer reports whether a function of reachers is one of pg_catalog, there or of adminpack.
func inServer(name string) bool {
	return reachers[name] == reachesFile
}

// mentions returns those qualified names (schema.name) that code calls or reads and that
// are asked for, in the order in which they stand. Code as the server prints it qualifies
// every name; in a body that somebody wrote a bare name counts as well.
func mentions(code string, asked func(name string) bool) []string {
	return mentionsIn(tokens(code), asked, false, 0)
}

// callsIn is mentions for an expression, which can read no view: a name without a bracket
// behind it is a type's, or a table's, that may be called like a function.
func callsIn(code string, asked func(name string) bool) []string {
	return mentionsIn(tokens(code), asked, true, 0)
}

func mentionsIn(all []token, asked func(name string) bool, callsOnly bool, depth int) (found []string) {
	for i, t := range all {
		called, bracketed := calledAt(all, i), i+1 < len(all) && all[i+1] == token{text: "("}
		switch {
		case t.kind == 'l' && t.body && depth < deepestLiteral:
			found = append(found, mentionsIn(tokens(t.text), asked, callsOnly, depth+1)...)
		case t.kind != 'n':
		case i >= 2 && all[i-1].kind == 0 && all[i-1].text == "." && all[i-2].kind == 'n':
			if full := all[i-2].text + "." + t.text; (called || !callsOnly && !bracketed) && asked(full) {
				found = append(found, full)
			}
		case depth > 0 && called && asked(t.text):
			found = append(found, t.text)
		}
	}
	return found
}

// functionNames are names of functions, each with its schema and without.
type functionNames map[string]bool

// calledIn reports whether an expression, as the server prints it, calls one of them.
func (n functionNames) calledIn(code string) bool {
	return len(n) > 0 && len(callsIn(code, func(name string) bool { return n[name] })) > 0
}

// sight is what code may look at: what it reads rows from, without schemas, and what it calls.
type sight struct{ reads, calls map[string]bool }

// sightOf returns what code looks at, literals in it included, as a function's body is one.
func sightOf(code string) sight {
	s := sight{map[string]bool{}, map[string]bool{}}
	s.look(tokens(code), 0)
	return s
}

func (s sight) look(all []token, depth int) {
	from := false // in a list of what is read from
	for i, t := range all {
		switch {
		case t.kind == 'l' && depth < deepestLiteral:
			s.look(tokens(t.text), depth+1)
		case t.kind == 0 && t.text == ";":
			from = false
		}
		if t.kind != 'n' {
			continue
		}
		if i+1 < len(all) && all[i+1].text == "(" {
			s.calls[t.text] = true
		}
		switch t.text {
		case "from", "join":
			from = true
			continue
		case "where", "group", "order", "having", "limit", "union", "loop", "into", "select":
			from = false
			continue
		}
		if i == 0 {
			continue
		}
		switch before := all[i-1]; {
		case before.kind == 'n' && (before.text == "from" || before.text == "join" || before.text == "only" || before.text == "table"):
		case before.kind == 0 && before.text == "," && from:
		default:
			continue
		}
		name := t.text
		if i+2 < len(all) && all[i+1].text == "." && all[i+2].kind == 'n' {
			name = all[i+2].text
		}
		s.reads[name] = true
	}
}
