package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies/report"
)

// Analyzer is one rule of the audit. Its id is stable for good: waivers, fingerprints
// and reviewers' notes quote it.
type Analyzer struct {
	ID      string       // SAN-C01; the letter is the family
	Phase   string       // what it needs: P the policy alone, S a catalog, R a run, E environments
	Level   report.Level // of its findings, where they do not say otherwise
	Clauses string       // references: "GDPR: 5(2), 30(1)(c); PCI DSS: 6.5.4"
	Title   string       // what it tests, in a few words
	Meaning string       // one sentence: why it matters
	Fix     string       // one sentence: what to do
	// needs says why the rule cannot be evaluated with what the Pass holds; "" if it can.
	needs func(*Pass) string
	// partly says what of the rule is not evaluated though the rest is; nil is nothing.
	partly func(*Pass) string
	// profile names the profiles that the rule belongs to, parted by blanks; empty is all.
	profile string
	// run returns what the rule holds against the pass. Nil is a rule that no evidence of
	// this version can answer; needs then says why.
	run func(*Pass) []report.Finding
}

// families are the names of the families, by the letter of the id.
var families = map[byte]string{'P': "Governance", 'C': "Coverage", 'T': "Transform strength", 'K': "Keys",
	'L': "Links and copies", 'S': "Schema side channels", 'Q': "Quasi-identifiers", 'R': "Run evidence", 'E': "Environments"}

// Family returns the name of the rule's family.
func (a *Analyzer) Family() string { return families[a.ID[len("SAN-")]] }

// References returns the clauses one by one.
func (a *Analyzer) References() (refs []report.Clause) {
	for part := range strings.SplitSeq(a.Clauses, "; ") {
		standard, list, _ := strings.Cut(part, ": ")
		for ref := range strings.SplitSeq(list, ", ") {
			refs = append(refs, report.Clause{Standard: standard, Ref: ref})
		}
	}
	return refs
}

// Rule describes the rule for a report.
func (a *Analyzer) Rule() report.Rule {
	return report.Rule{ID: a.ID, Family: a.Family(), Phase: a.Phase, Level: a.Level, Title: a.Title, Meaning: a.Meaning, Fix: a.Fix, Clauses: a.References()}
}

// Analyzers returns all rules of the audit, in the order of their ids.
func Analyzers() []*Analyzer {
	all := slices.Concat(governance, coverage, strength, keyRules, linkRules, sideChannels, quasiRules, runRules, environmentRules)
	slices.SortFunc(all, func(a, b *Analyzer) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// FindAnalyzer returns the rule of that id, in any case and with or without SAN-; nil if
// there is none.
func FindAnalyzer(id string) *Analyzer {
	id = "SAN-" + strings.TrimPrefix(strings.ToUpper(id), "SAN-")
	for _, a := range Analyzers() {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// Evidence is what an audit may have beside the policy. Each field may be missing; the
// rules that need it then say that they were not evaluated.
type Evidence struct {
	Catalog  *catalog.Catalog
	Manifest *Manifest
	// Approval is what is known of the revision that was signed last.
	Approval *Approval
	// Today is the day of the audit; the clock is never asked.
	Today time.Time
	// Profiles are those whose rules and thresholds apply; nil are those of the policy.
	Profiles []string
}

// Approval is what is known of the approved revision of a policy: the signatures of
// this file, and how the file and the catalog differ from what was locked.
type Approval struct {
	Signatures []report.Signature
	Unchecked  bool   // nobody has looked for signatures
	Author     string // who changed the policy last; empty if nobody knows
	Compared   string // names the revision that Weakened and Changes were compared with; empty if with none
	Weakened   []report.Change
	Catalog    string           // fingerprint of the locked catalog; empty if none is locked
	Changes    []catalog.Change // from the locked catalog to the one at hand
}

// Pass is one audit on its way: what the rules read.
type Pass struct {
	Policy *Policy
	Evidence
	reg      *masking.Registry
	key      *masking.Key // a throw-away: it shapes no finding
	met      *meeting     // nil without a catalog
	columns  []*view
	objects  map[string]*view
	settings []*setting
	probed   map[string]probe // by class and transform
}

// view is one column with what is decided about it: of the catalog if there is one,
// else of the policy's lines.
type view struct {
	object   string // schema.table.column, or as the policy spells it
	table    string
	name     string
	class    string
	kind     string // of the class; empty if there is none
	do       Do
	decided  bool
	explicit bool // by a line of its own
	copied   bool
	at       Position
	rule     *TableRule       // nil if the policy does not name the table
	c        *column          // nil without a catalog
	bind     *masking.Binding // nil where nothing is bound
}

// kept reports whether the values of the column arrive as they are.
func (v *view) kept() bool { return v.decided && v.copied && v.do.Name == "keep" }

// masked reports whether a transform stands between the column and the copy.
func (v *view) masked() bool { return v.decided && v.copied && v.do.Name != "keep" }

// setting is one place where a transform is chosen: a class, or a line that deviates
// from its class, or a path of a document.
type setting struct {
	object string  // the class, or the column
	part   string  // the path, if it is one
	from   *Policy // whose line it is
	at     Position
	class  string
	kind   string
	do     Do
	users  []*view
}

// words are the words of the class and of the columns that use the setting.
func (s *setting) words() map[string]bool {
	set := map[string]bool{}
	for _, w := range tokens(s.class) {
		set[w] = true
	}
	if s.part != "" {
		for _, w := range tokens(s.part) {
			set[w] = true
		}
		return set
	}
	for _, v := range s.users {
		for _, w := range tokens(v.name) {
			set[w] = true
		}
	}
	return set
}

// find makes a finding about a line of the policy, or of one of its bases.
func (s *Pass) find(from *Policy, at Position, object, help, format string, args ...any) report.Finding {
	if from == nil {
		from = s.Policy
	}
	return report.Finding{File: from.File, Line: at.Line, Column: at.Column, Object: object, Message: fmt.Sprintf(format, args...), Help: help, Excerpt: from.excerpt(at)}
}

// about makes a finding about a setting.
func (s *Pass) about(t *setting, help, format string, args ...any) report.Finding {
	f := s.find(t.from, t.at, t.object, help, format, args...)
	f.Part = t.part
	return f
}

// title spells a setting for a message: class email, column customers.email.
func (t *setting) title() string {
	switch {
	case t.part != "":
		return fmt.Sprintf("path %s of %s", t.part, t.object)
	case len(t.users) == 1 && t.users[0].object == t.object:
		return "column " + t.object
	}
	return "class " + t.object
}

// profiled reports whether a profile is asked for.
func (s *Pass) profiled(name string) bool {
	return slices.ContainsFunc(s.Profiles, func(p string) bool { return strings.EqualFold(p, name) })
}

// newPass reads everything once that several rules need.
func newPass(p *Policy, e Evidence, reg *masking.Registry) *Pass {
	s := &Pass{Policy: p, Evidence: e, reg: reg, key: masking.NewKey(), probed: map[string]probe{}}
	if s.Profiles == nil {
		s.Profiles = p.Header.Profiles
	}
	if e.Catalog != nil {
		s.met = meet(p, e.Catalog, s.key, reg)
		for _, ts := range s.met.tables {
			for _, col := range ts.columns {
				s.columns = append(s.columns, s.met.view(col))
			}
		}
	} else {
		for _, t := range p.Tables {
			for _, r := range slices.Concat(t.Columns, t.Keep) {
				s.columns = append(s.columns, lineView(p, t, r))
			}
		}
	}
	s.objects = make(map[string]*view, len(s.columns))
	for _, v := range s.columns {
		s.objects[v.object] = v
	}
	s.settings = s.collect()
	return s
}

// lineView is a column as its line alone tells it.
func lineView(p *Policy, t *TableRule, r ColumnRule) *view {
	v := &view{object: t.Name + "." + r.Name, table: t.Name, name: r.Name, class: r.Class, at: r.At, rule: t,
		copied: !t.Drop, explicit: true, decided: r.Class != todo, do: Do{Name: "keep"}}
	c := p.Class(r.Class)
	if c != nil {
		v.kind, v.do = c.Kind, c.Do
	}
	if r.Do != nil {
		v.do = *r.Do
	}
	return v
}

// collect finds the settings that the columns use: each class once, and each deviation.
func (s *Pass) collect() (all []*setting) {
	classes := map[string]*setting{}
	byClass := func(name string, v *view) *setting {
		t := classes[name]
		if t == nil {
			c := s.Policy.Class(name)
			if c == nil {
				return nil
			}
			t = &setting{object: name, from: c.From, at: c.At, class: name, kind: c.Kind, do: c.Do}
			classes[name] = t
			all = append(all, t)
			all = append(all, s.parts(name, "", c.From, c.Do, nil)...)
		}
		t.users = append(t.users, v)
		return t
	}
	own := map[Position]bool{}
	for _, v := range s.columns {
		if !v.decided || !v.copied {
			continue
		}
		c := s.Policy.Class(v.class)
		if c != nil && c.Do.String() == v.do.String() {
			byClass(v.class, v)
			continue
		}
		if v.class == Public && v.do.Name == "keep" && c == nil {
			continue // of a keep list
		}
		if own[v.at] {
			continue // inherited: said at its line
		}
		own[v.at] = true
		t := &setting{object: v.object, at: v.at, class: v.class, kind: v.kind, do: v.do, users: []*view{v}}
		all = append(all, t)
		all = append(all, s.parts(v.object, "", nil, v.do, v)...)
	}
	return all
}

// parts are the settings inside a document or an array. What names a class without a
// transform of its own is the class's affair.
func (s *Pass) parts(object, prefix string, from *Policy, d Do, v *view) (all []*setting) {
	add := func(path string, r PathRule) {
		t := &setting{object: object, part: prefix + path, from: from, at: r.At, class: r.Class}
		if v != nil {
			t.users = []*view{v}
		}
		c := s.Policy.Class(r.Class)
		switch {
		case r.Do != nil:
			t.do = *r.Do
			if c != nil {
				t.kind = c.Kind
			}
		case c != nil:
			t.kind, t.do = c.Kind, c.Do
		default:
			t.do = Do{Name: r.Class} // keep or drop
		}
		all = append(all, t)
		if r.Do != nil {
			all = append(all, s.parts(object, t.part+" ", from, *r.Do, v)...)
		}
	}
	for _, r := range d.Paths {
		add(r.Path, r)
	}
	if d.Inner != nil {
		add("each", *d.Inner)
	}
	return all
}

// guarantees returns what a setting's transform promises: as it is bound to the first of
// its columns, else to a column made up for it. It reports false if nothing binds.
func (s *Pass) guarantees(t *setting) (masking.Guarantees, bool) {
	for _, v := range t.users {
		if t.part == "" && v.bind != nil {
			return v.bind.Guarantees, true
		}
	}
	name := t.class + " " + t.do.String()
	if g, known := s.probed[name]; known {
		return g.Guarantees, g.bound
	}
	g := s.probe(t)
	s.probed[name] = g
	return g.Guarantees, g.bound
}

// probe is what a transform promises of a column made up for it.
type probe struct {
	masking.Guarantees
	bound bool
}

// probe binds a setting's transform to the first kind of column that takes it.
func (s *Pass) probe(t *setting) probe {
	spec := s.Policy.spec(t.class, t.do)
	for _, column := range []masking.Column{
		{Kind: masking.Text}, {Kind: masking.Int, Bits: 64, NarrowBits: 64}, {Kind: masking.UUID}, {Kind: masking.Date}, {Kind: masking.Timestamp},
		{Kind: masking.Numeric, Precision: 18, Scale: 2}, {Kind: masking.IP},
	} {
		column.Table, column.Name = "audit", "audit"
		if b, err := s.reg.Bind(s.key, column, spec, nil); err == nil {
			return probe{b.Guarantees, true}
		}
	}
	return probe{}
}

// need makes a needs function of a condition and a reason.
func need(missing func(*Pass) bool, reason string) func(*Pass) string {
	return func(s *Pass) string {
		if missing(s) {
			return reason
		}
		return ""
	}
}

// What rules need.
var (
	needsCatalog  = need(func(s *Pass) bool { return s.Catalog == nil }, "needs a catalog: --catalog FILE or --from SOURCE")
	needsManifest = need(func(s *Pass) bool { return s.Manifest == nil }, "needs the manifest of a run: --run FILE")
	needsBoth     = func(s *Pass) string {
		if reason := needsCatalog(s); reason != "" {
			return reason
		}
		return needsManifest(s)
	}
	needsSignatures = need(func(s *Pass) bool { return s.Approval == nil || s.Approval.Unchecked }, "needs the policy's signatures, and who may sign: --allowed FILE")
	needsLock       = need(func(s *Pass) bool { return s.Approval == nil || s.Approval.Catalog == "" }, "needs what was locked at the approval: sanitize lock")
	needsRevision   = need(func(s *Pass) bool { return s.Approval == nil || s.Approval.Compared == "" }, "needs the revision that was signed last, to compare with")
)

// untold is for what a manifest could tell, and that of this version does not.
func untold(what string) func(*Pass) string {
	return never("the manifest of this version does not tell: " + what)
}

// never is for what no evidence of this version can tell.
func never(reason string) func(*Pass) string { return func(*Pass) string { return reason } }

// Profiles returns the profiles that an audit can go by.
func Profiles() []string { return []string{"gdpr", "hipaa", "pci"} }
