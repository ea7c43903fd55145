package policies

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// policyFields are the fields of the file, and baseFields those of one that others
// build on: it says how data is masked, and knows no database.
var (
	policyFields = []string{"version", "policy", "extends", "defaults", "keys", "classes", "tables", "links", "risk", "edge_cases", "environments", "waivers"}
	baseFields   = []string{"version", "policy", "extends", "defaults", "classes", "risk", "edge_cases", "environments", "waivers"}
)

// policy reads the whole file.
func (r *reader) policy(root *yaml.Node) {
	p := r.p
	p.Defaults = Defaults{UnlistedColumn: "fail", UnlistedTable: "fail", SchemaDrift: "fail"}
	if root.Kind != yaml.MappingNode {
		r.fail(root, "it begins with: version: 1", "a policy must be a mapping, not %s", describe(root))
		return
	}
	what, known := "a policy", policyFields
	if r.base {
		what, known = "a policy that others extend", baseFields
	}
	sections := map[string]*yaml.Node{}
	for _, f := range r.mapping(root, what) {
		if !slices.Contains(known, f.name) {
			r.unknown(f, what, known...)
			continue
		}
		sections[f.name] = f.value
	}
	r.version(root, sections["version"])
	if n := sections["policy"]; n != nil {
		r.header(n)
	}
	// What a policy builds on comes first, then what it accepts: both decide about the rest.
	if n := sections["extends"]; n != nil && !r.extends(n) {
		return
	}
	if n := sections["waivers"]; n != nil {
		p.Waivers = append(p.Waivers, r.waivers(n)...)
	}
	if n := sections["defaults"]; n != nil {
		r.defaults(n)
	}
	if n := sections["risk"]; n != nil {
		r.extendRisk(r.risk(n))
	}
	if n := sections["edge_cases"]; n != nil {
		own := r.edgeCases(n)
		own.take(p.Edges)
		p.Edges = own
	}
	if n := sections["environments"]; n != nil {
		r.extendEnvironments(r.environments(n))
	} else {
		r.checkEnvironments()
	}
	// Keys before classes, classes before tables: each names the former.
	switch n := sections["keys"]; {
	case n != nil:
		r.keys(n)
	case !r.base:
		r.fail(root, `for example: keys: {discovery: {from: "file:discovery.key"}}`, "the policy has no keys")
	}
	n := sections["classes"]
	if n == nil {
		n = &yaml.Node{Kind: yaml.MappingNode}
	}
	r.classes(n)
	switch n := sections["tables"]; {
	case n != nil:
		p.tablesAt = at(n)
		r.tables(n)
	case !r.base:
		r.fail(root, "write a first one with: sanitize init --from SOURCE", "the policy has no tables")
	}
	if n := sections["links"]; n != nil {
		r.links(n)
	}
}

func (r *reader) version(root, n *yaml.Node) {
	switch {
	case n == nil:
		r.fail(root, "the first line is: version: 1", "the policy has no version")
	case n.Kind != yaml.ScalarNode || n.Tag != "!!int":
		r.fail(n, "write: version: 1", "version must be a number, not %s", describe(n))
	case n.Value != "1":
		r.fail(n, "this program reads version 1", "version %s of the policy's format is not known", clip(n.Value))
	default:
		r.p.Version = 1
	}
}

func (r *reader) header(n *yaml.Node) {
	h := &r.p.Header
	texts := map[string]*string{"name": &h.Name, "owner": &h.Owner, "purpose": &h.Purpose, "legal_basis": &h.LegalBasis, "dpia": &h.DPIA}
	lists := map[string]*[]string{"subjects": &h.Subjects, "recipients": &h.Recipients, "profiles": &h.Profiles}
	for _, f := range r.mapping(n, "policy") {
		switch {
		case texts[f.name] != nil:
			*texts[f.name], _ = r.text(f.value, "policy."+f.name)
		case lists[f.name] != nil:
			*lists[f.name] = r.texts(f.value, "policy."+f.name)
		case f.name == "revision":
			v, err := strconv.ParseInt(f.value.Value, 10, 64)
			if f.value.Kind != yaml.ScalarNode || f.value.Tag != "!!int" || err != nil || v < 1 {
				r.fail(f.value, "", "policy.revision must be a whole number from 1")
				continue
			}
			h.Revision = v
		case f.name == "review":
			r.review(f.value)
		default:
			r.unknown(f, "policy", headerFields...)
		}
	}
}

func (r *reader) review(n *yaml.Node) {
	v := &r.p.Header.Review
	for _, f := range r.mapping(n, "policy.review") {
		switch f.name {
		case "by":
			v.By, _ = r.text(f.value, "policy.review.by")
		case "on":
			v.On = r.date(f.value, "policy.review.on")
		case "expires":
			v.Expires = r.date(f.value, "policy.review.expires")
		default:
			r.unknown(f, "policy.review", reviewFields...)
		}
	}
	if v.On != "" && v.Expires != "" && v.Expires < v.On {
		r.fail(n, "", "policy.review expires before it begins")
	}
}

func (r *reader) date(n *yaml.Node, what string) string {
	if n.Kind == yaml.ScalarNode {
		if _, err := time.Parse(time.DateOnly, n.Value); err == nil {
			return n.Value
		}
	}
	r.fail(n, "", "%s must be a date like 2026-01-31", what)
	return ""
}

// defaultWords are what each default can be. There is none that lets data pass.
var defaultWords = map[string][]string{
	"unlisted_column": {"fail"},
	"unlisted_table":  {"fail", "skip"},
	"schema_drift":    {"fail", "warn"},
}

func (r *reader) defaults(n *yaml.Node) {
	d := &r.p.Defaults
	for _, f := range r.mapping(n, "defaults") {
		what := "defaults." + f.name
		switch {
		case defaultWords[f.name] == nil:
			r.unknown(f, "defaults", defaultFields...)
		case f.name == "unlisted_column" && (f.value.Value == "keep" || f.value.Value == "mask"):
			r.fail(f.value, "list the columns: keep is a word that somebody has to write for each", "defaults.unlisted_column can only be fail")
		default:
			word, ok := r.oneOf(f.value, what, defaultWords[f.name]...)
			if !ok {
				continue
			}
			if _, said := d.said[f.name]; said && d.word(f.name) == "fail" && word != "fail" {
				r.weaker(at(f.value), what, "%s is weaker than in what the policy builds on: fail there, %s here", what, word)
			}
			d.say(f.name, word, at(f.key))
			if f.name == "unlisted_table" {
				d.at = at(f.key)
			}
		}
	}
}

var rotation = regexp.MustCompile(rotatePattern)

func (r *reader) keys(n *yaml.Node) {
	entries := r.mapping(n, "keys")
	if n.Kind == yaml.MappingNode && len(entries) == 0 {
		r.fail(n, `for example: discovery: {from: "file:discovery.key"}`, "keys is empty")
	}
	if len(entries) > 1 {
		r.fail(entries[1].key, "", "keys has %d keys; this version takes one for each policy", len(entries))
	}
	for _, e := range entries {
		// The entry's name is not repeated before it is known to be a plain word.
		if !keyWord.MatchString(e.name) {
			r.fail(e.key, "lower-case letters, digits, - and _; at most 32", "the name of a key is not a plain word")
			continue
		}
		k := KeySource{Name: e.name, Scope: e.name, At: at(e.key)}
		from := false
		for _, f := range r.mapping(e.value, "keys."+e.name) {
			switch f.name {
			case "from":
				from = true
				k.From = r.keySource(f.value, "keys."+e.name+".from")
			case "scope":
				if s, ok := r.word(f.value, "keys."+e.name+".scope"); ok {
					k.Scope = s
				}
			case "rotate":
				s, ok := r.text(f.value, "keys."+e.name+".rotate")
				if ok && !rotation.MatchString(s) {
					r.fail(f.value, "days, weeks, months or years: 90d, 12w, 6m, 1y", "keys.%s.rotate is not a period", e.name)
				}
				k.Rotate = s
			default:
				r.unknown(f, "a key", keyFields...)
			}
		}
		if !from && e.value.Kind == yaml.MappingNode {
			r.fail(e.key, `for example: from: "file:discovery.key"`, "keys.%s has no from", e.name)
		}
		r.p.Keys = append(r.p.Keys, k)
	}
}

// keySource checks what a key is said to come from, without ever repeating it.
func (r *reader) keySource(n *yaml.Node, what string) string {
	const sources = "a key comes from file:PATH, readable by its owner only, from exec:COMMAND, or is ephemeral; make a file with: sanitize keys new FILE"
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		r.failAt(KeyProblem, at(n), sources, "%s must be a text, not %s", what, describe(n))
		return ""
	}
	kind, rest, _ := strings.Cut(n.Value, ":")
	switch {
	case n.Value == "ephemeral":
		return n.Value
	case kind == "file" && rest != "":
		if bad := badVariable(rest); bad {
			r.failAt(KeyProblem, at(n), "write ${NAME}", "%s names an environment variable in a way that is not understood", what)
			return ""
		}
		return n.Value
	case kind == "exec":
		words, problem := commandWords(rest)
		switch {
		case problem != "":
			r.failAt(KeyProblem, at(n), "the command is run as it stands, without a shell; a word with blanks stands in quotes", "%s: the command %s", what, problem)
		case slices.ContainsFunc(words, badVariable):
			r.failAt(KeyProblem, at(n), "write ${NAME}", "%s names an environment variable in a way that is not understood", what)
		default:
			return n.Value
		}
	case kind == "env" || strings.HasPrefix(n.Value, "$"):
		r.failAt(KeyProblem, at(n), sources, "%s: a key is not taken from an environment variable, which every child process and crash report can see", what)
	default:
		r.failAt(KeyProblem, at(n), sources, "%s is no source of keys; a key itself never stands in a policy", what)
	}
	return ""
}

func (r *reader) classes(n *yaml.Node) {
	fields := r.mapping(n, "classes")
	r.atMost(n, len(fields), maxClasses, "classes")
	for _, f := range fields[:min(len(fields), maxClasses)] {
		if f.name == todo || f.name == "keep" || f.name == "drop" {
			r.fail(f.key, "", "%s is a word of the language and cannot name a class", f.name)
			continue
		}
		if !keyWord.MatchString(f.name) {
			r.fail(f.key, "lower-case letters, digits, - and _; at most 32", "%q cannot name a class", clip(f.name))
			continue
		}
		c := &Class{Name: f.name, At: at(f.key)}
		what := "class " + f.name
		hasKind, hasDo := false, false
		for _, g := range r.mapping(f.value, what) {
			switch g.name {
			case "kind":
				hasKind = true
				c.Kind, _ = r.oneOf(g.value, "the kind of "+what, Kinds()...)
			case "do":
				hasDo = true
				if d, ok := r.do(g.value, what); ok {
					c.Do = d
				}
			case "doc":
				c.Doc, _ = r.text(g.value, "the doc of "+what)
			default:
				r.unknown(g, what, classFields...)
			}
		}
		if f.name == Public && hasDo && c.Do.Name != "" && c.Do.Name != "keep" {
			// It is the class of the keep lists: they would say keep and do something else.
			r.fail(f.key, "give the class another name", "class %s is what keep lists record, and can only do keep", Public)
		}
		if f.value.Kind == yaml.MappingNode {
			if !hasKind {
				r.fail(f.key, "one of "+strings.Join(Kinds(), ", "), "%s has no kind", what)
			}
			if !hasDo {
				r.fail(f.key, "for example: do: {shape: text}", "%s has no do", what)
			}
		}
		r.redefine(c)
	}
	r.conflicts()
	// Paths may name any class, also one further down.
	before := len(r.errs)
	for _, c := range r.p.Classes {
		r.in = c.From
		r.checkPaths(c.Do)
	}
	r.in = nil
	if len(r.errs) == before {
		r.checkCycles()
	}
	if len(r.errs) == before {
		r.weakerClasses()
	}
}

// checkClass reports whether the class exists, and complains if not.
func (r *reader) checkClass(name string, pos Position) bool {
	if r.p.Class(name) != nil {
		return true
	}
	if r.full() {
		return false
	}
	names := make([]string, 0, len(r.p.Classes))
	for _, c := range r.p.Classes {
		names = append(names, c.Name)
	}
	help := "add it to classes"
	if near := nearest(name, names); near != "" {
		help = "did you mean " + near + "?"
	}
	switch name {
	case "keep":
		help = "a column is kept by the table's list: keep: [NAME]"
	case "drop":
		help = `a column stays; to empty it give it a class that does {"null": true}`
	}
	r.failAt(Invalid, pos, help, "there is no class %q", clip(name))
	return false
}

func (r *reader) tables(n *yaml.Node) {
	for _, f := range r.mapping(n, "tables") {
		t := &TableRule{Name: f.name, At: at(f.key)}
		what := "table " + clip(f.name)
		r.p.Tables = append(r.p.Tables, t)
		if f.value.Kind == yaml.ScalarNode {
			switch {
			case f.value.Tag == "!!str" && f.value.Value == "drop":
				t.Drop = true
			case f.value.Tag == "!!null":
				r.fail(f.key, "write {} if foreign keys decide about all its columns", "%s has nothing", what)
			default:
				r.fail(f.value, "write drop, or list its columns", "%s must be drop, or a mapping", what)
			}
			continue
		}
		listed := map[string]int{}
		for _, g := range r.mapping(f.value, what) {
			switch g.name {
			case "columns":
				for _, h := range r.mapping(g.value, "columns of "+what) {
					t.Columns = append(t.Columns, r.column(h, clip(f.name)+"."+clip(h.name)))
				}
			case "keep":
				for _, item := range r.list(g.value, "keep of "+what) {
					if s, ok := r.text(item, "a column of keep"); ok {
						t.Keep = append(t.Keep, ColumnRule{Name: s, Class: Public, At: at(item)})
					}
				}
			case "rows":
				t.Rows = r.rows(g.value, what)
			default:
				r.unknown(g, what, tableFields...)
			}
		}
		for _, c := range slices.Concat(t.Columns, t.Keep) {
			if line, twice := listed[c.Name]; twice {
				r.failAt(Invalid, c.At, "decide once", "column %s of %s is listed twice; the first is in line %d", clip(c.Name), what, line)
				continue
			}
			listed[c.Name] = c.At.Line
		}
	}
}

// column reads the short form, a class, or the long one.
func (r *reader) column(f field, what string) ColumnRule {
	c := ColumnRule{Name: f.name, At: at(f.key)}
	if f.value.Kind == yaml.MappingNode {
		return r.longForm(f.value, c, what, true)
	}
	class, ok := r.text(f.value, "the class of "+what)
	if ok && class != todo && !r.checkClass(class, at(f.value)) {
		return c
	}
	c.Class = class
	return c
}

// longForm reads {class, do, key, because}, and for a column {json}, {xml}, {fields} and
// {each}.
func (r *reader) longForm(n *yaml.Node, c ColumnRule, what string, column bool) ColumnRule {
	known := partFields
	if column {
		known = columnFields
	}
	var because, malformed *yaml.Node
	hasClass, hasDocument := false, false
	for _, f := range r.mapping(n, what) {
		if !slices.Contains(known, f.name) {
			r.unknown(f, what, known...)
			continue
		}
		switch f.name {
		case "class":
			hasClass = true
			if s, ok := r.text(f.value, "the class of "+what); ok && (!column || s == todo || r.checkClass(s, at(f.value))) {
				c.Class = s
			}
		case "do":
			if c.Do != nil {
				r.fail(f.key, "", "%s has both do and %s", what, c.Do.Name)
				continue
			}
			if d, ok := r.do(f.value, what); ok {
				if column {
					r.checkPathsLater(d) // those of a path are checked with the whole
				}
				c.Do = &d
			}
			because = f.key
		case "json", "xml", "fields", "each":
			hasDocument = true
			if c.Do != nil {
				r.fail(f.key, "", "%s has both do and %s", what, f.name)
				continue
			}
			d, ok := Do{Name: f.name, At: at(f.key)}, false
			if f.name == "each" {
				if d.Inner, ok = r.inner(f.value, what); ok && d.Inner.Class == "" {
					// The column has no class whose domain the elements could have.
					r.fail(f.value, "write each: CLASS, or give the column a class", "each of %s has no class", what)
					ok = false
				}
			} else {
				d.Paths, ok = r.paths(f.name, f.value, what)
			}
			if ok {
				c.Do = &d
				r.checkPathsLater(d)
			}
		case "key":
			if s, ok := r.word(f.value, "the key of "+what); ok {
				c.Key = s
				if !slices.ContainsFunc(r.p.Keys, func(k KeySource) bool { return k.Name == s }) {
					r.fail(f.value, "", "there is no key %s", s)
				}
			}
		case "malformed":
			malformed = f.value
		case "because":
			c.Because, _ = r.text(f.value, "because of "+what)
		}
	}
	switch {
	case malformed == nil:
	case c.Do == nil || !hasDocument || c.Do.Name != "json" && c.Do.Name != "xml":
		r.fail(malformed, "", "%s: malformed belongs to json or xml", what)
	case malformed.Tag == "!!null":
		r.fail(malformed, `quote it: malformed: "null"`, "malformed of %s has no value", what)
	default:
		if v, ok := r.value(malformed, "malformed of "+what); ok {
			c.Do.Params = map[string]any{"malformed": v}
		}
	}
	if because != nil && c.Because == "" && !r.spelled {
		r.failAt(Invalid, Position{because.Line, because.Column}, "add because: \"…\"", "%s deviates from its class and gives no reason", what)
	}
	if !hasClass && !hasDocument {
		r.fail(n, "add class: NAME", "%s has no class", what)
	}
	return c
}

// checkPathsLater checks the paths of a column's own document: by then all
// classes are known. Those of a class are checked when the classes have been read.
func (r *reader) checkPathsLater(d Do) {
	if r.p.tablesAt != (Position{}) {
		r.checkPaths(d)
	}
}

func (r *reader) links(n *yaml.Node) {
	for _, item := range r.list(n, "links") {
		l, local := Link{At: at(item)}, 0
		for _, end := range r.list(item, "a link") {
			s, ok := r.text(end, "an end of a link")
			if !ok {
				continue
			}
			engine, rest, colon := strings.Cut(s, ":")
			foreign := colon && keyWord.MatchString(engine)
			switch {
			case foreign && strings.Count(rest, ".") < 2:
				r.fail(end, "write engine:database.table.column", "%s names no column of another database", strconv.Quote(clip(s)))
				continue
			case !strings.Contains(s, "."):
				r.fail(end, "write table.column", "%s names no column", strconv.Quote(clip(s)))
				continue
			case !foreign:
				local++
			}
			l.Columns = append(l.Columns, LinkEnd{Name: s, Foreign: foreign, At: at(end)})
		}
		switch {
		case item.Kind != yaml.SequenceNode:
		case len(item.Content) < 2:
			r.fail(item, "for example: [customers.email, newsletter.address]", "a link joins at least two columns")
		case local == 0 && len(l.Columns) == len(item.Content):
			r.fail(item, "name a column of this database too", "a link has no end in this database")
		}
		r.p.Links = append(r.p.Links, l)
	}
}
