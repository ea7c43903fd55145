package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Version is that of the JSON format. It changes when a reader of the former one would
// go wrong: fields may be added without it.
const Version = 1

// Report is everything that an audit has to say. Whoever makes one calls Finish, which
// sorts and counts; then it is immutable.
type Report struct {
	Version    int         `json:"version"`
	Tool       Tool        `json:"tool"`
	Date       string      `json:"date"` // of the audit: 2006-01-02
	Profiles   []string    `json:"profiles"`
	Policy     Policy      `json:"policy"`
	Catalog    *Catalog    `json:"catalog,omitempty"` // nil if none was at hand
	Run        *Run        `json:"run,omitempty"`     // nil if no manifest was at hand
	Counts     Counts      `json:"counts"`
	Findings   []Finding   `json:"findings"` // the gravest first
	Rules      []Rule      `json:"rules"`    // all that there are, in the order of their ids
	Classes    []Class     `json:"classes"`
	Inventory  []Column    `json:"inventory"` // every column of every table
	Signatures []Signature `json:"signatures"`
	Weakened   []Change    `json:"weakened"`
	// Compared says what the policy was compared with; empty if with nothing.
	Compared string `json:"compared,omitempty"`
}

// Tool is the program that wrote the report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Policy is what the policy says of itself.
type Policy struct {
	File       string   `json:"file"`
	Digest     string   `json:"digest"` // SHA-256 of the exact bytes, in hex
	Name       string   `json:"name,omitempty"`
	Revision   int64    `json:"revision,omitempty"`
	Owner      string   `json:"owner,omitempty"`
	Purpose    string   `json:"purpose,omitempty"`
	LegalBasis string   `json:"legal_basis,omitempty"`
	DPIA       string   `json:"dpia,omitempty"`
	Subjects   []string `json:"subjects,omitempty"`
	Recipients []string `json:"recipients,omitempty"`
	Profiles   []string `json:"profiles,omitempty"`
	ReviewBy   string   `json:"review_by,omitempty"`
	ReviewOn   string   `json:"review_on,omitempty"`
	Expires    string   `json:"review_expires,omitempty"`
	Extends    []string `json:"extends,omitempty"` // path#sha256:digest
	Keys       []Key    `json:"keys,omitempty"`
	TTL        string   `json:"ttl,omitempty"` // of a discovery database
	MaxTTL     string   `json:"max_ttl,omitempty"`
	Hosts      []string `json:"hosts,omitempty"`
}

// Key is a key by its name: nothing of the key itself.
type Key struct {
	Name   string `json:"name"`
	Source string `json:"source"` // file, exec, ephemeral
	Scope  string `json:"scope"`
	Rotate string `json:"rotate,omitempty"`
}

// Catalog is the picture of a database that the policy was held against.
type Catalog struct {
	Connector   string `json:"connector"`
	Server      string `json:"server,omitempty"`
	Fingerprint string `json:"fingerprint"`
	Tables      int    `json:"tables"`
	Columns     int    `json:"columns"`
}

// Run is what a manifest says of a run.
type Run struct {
	ID     string `json:"id"`
	Source string `json:"source"`
	Target string `json:"target"`
	// SnapshotAt is the moment of the data, by the clock of the source; empty if it is not known.
	SnapshotAt string   `json:"snapshot_at,omitempty"`
	Began      string   `json:"began"`             // the process that has finished it
	Resumed    *Resumed `json:"resumed,omitempty"` // nil if that process did all
	Rows       int64    `json:"rows"`              // of all processes
	Policy     string   `json:"policy"`            // the digest under which it ran
	Snapshot   string   `json:"snapshot,omitempty"`
}

// Resumed is what other processes had done of a run before the one that has finished it.
type Resumed struct {
	Began string `json:"began"` // the copy, by the clock of the target
	Rows  int64  `json:"rows"`
}

// moment says of when the data is.
func (r *Run) moment() string {
	if r.SnapshotAt == "" {
		return "not known: the run does not say when its snapshot was taken, which may be long before it began"
	}
	return r.SnapshotAt + ", by the clock of the source"
}

// processes says when the rows were copied, and by how many processes.
func (r *Run) processes() string {
	if r.Resumed == nil {
		return "by one process, which began at " + r.Began
	}
	return fmt.Sprintf("by more than one process: begun at %s (by the clock of the target) and cut short, with %s; gone on with at %s, by another, which finished it",
		r.Resumed.Began, plural(int(r.Resumed.Rows), "row"), r.Began)
}

// State is what became of a rule.
type State string

// The states. What could not be evaluated has not passed.
const (
	Passed        State = "passed"
	Failed        State = "findings"
	WaivedAll     State = "waived" // findings, all of them accepted
	NotEvaluated  State = "not evaluated"
	NotApplicable State = "not applicable" // belongs to a profile that is not asked for
)

// Rule is one rule of the audit, and what became of it.
type Rule struct {
	ID       string   `json:"id"`     // SAN-C01
	Family   string   `json:"family"` // Coverage
	Phase    string   `json:"phase"`  // P, S, R: what it needs, the policy alone, a catalog, a run
	Level    Level    `json:"level"`
	Title    string   `json:"title"`
	Meaning  string   `json:"meaning"`
	Fix      string   `json:"fix"`
	Clauses  []Clause `json:"clauses"`
	State    State    `json:"state"`
	Reason   string   `json:"reason,omitempty"` // why it was not evaluated, or only in part
	Findings int      `json:"findings"`         // without those that are waived
	Waived   int      `json:"waived"`
}

// Clause is a reference to a part of a standard. It quotes nothing.
type Clause struct {
	Standard string `json:"standard"` // GDPR
	Ref      string `json:"ref"`      // 30(1)(c)
}

// String returns the standard and the reference.
func (c Clause) String() string { return c.Standard + " " + c.Ref }

// ClauseText spells the rule's clauses: GDPR 5(2), 30(1)(c); PCI DSS 6.5.4.
func (r Rule) ClauseText() string {
	var b strings.Builder
	last := ""
	for _, c := range r.Clauses {
		switch {
		case c.Standard == last:
			b.WriteString(", " + c.Ref)
		case last == "":
			b.WriteString(c.String())
		default:
			b.WriteString("; " + c.String())
		}
		last = c.Standard
	}
	return b.String()
}

// Class is a data class, as the record of processing lists it.
type Class struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Do      string `json:"do"`
	Doc     string `json:"doc,omitempty"`
	Where   string `json:"where,omitempty"` // file:line
	Columns int    `json:"columns"`         // that are of the class
}

// Column is a line of the inventory.
type Column struct {
	Table      string `json:"table"`
	Column     string `json:"column"`
	Type       string `json:"type,omitempty"`
	Class      string `json:"class,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Action     string `json:"action"` // keep, mask, computed, drop, undecided
	Do         string `json:"do,omitempty"`
	Guarantees string `json:"guarantees,omitempty"` // in words
	Why        string `json:"why,omitempty"`
	Where      string `json:"where,omitempty"` // file:line
}

// Signature is one signature of the policy, and whether it holds.
type Signature struct {
	By    string `json:"by"`
	Kind  string `json:"kind,omitempty"` // DSSE, SSH
	On    string `json:"on,omitempty"`
	Valid bool   `json:"valid"`
	Note  string `json:"note,omitempty"` // why it does not hold
}

// Change is one difference from the revision that was compared.
type Change struct {
	At       string `json:"at"`
	Strength string `json:"strength"` // WEAKER, STRONGER, CHANGED
	Words    string `json:"words"`
}

// Counts counts findings.
type Counts struct {
	Critical     int `json:"critical"`
	High         int `json:"high"`
	Medium       int `json:"medium"`
	Low          int `json:"low"`
	Waived       int `json:"waived"` // and in none of the levels
	Passed       int `json:"rules_passed"`
	NotEvaluated int `json:"rules_not_evaluated"`
}

// Of returns the number of findings of a level that no waiver accepts.
func (c Counts) Of(l Level) int {
	switch l {
	case Critical:
		return c.Critical
	case High:
		return c.High
	case Medium:
		return c.Medium
	}
	return c.Low
}

// Finish puts the findings into their order and counts them.
func (r *Report) Finish() {
	r.Version = Version
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		waived := func(f Finding) int {
			if f.Waived != nil {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(waived(a), waived(b)), cmp.Compare(a.Level.rank(), b.Level.rank()), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Message, b.Message))
	})
	slices.SortStableFunc(r.Rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	r.Counts = Counts{}
	open, waived := map[string]int{}, map[string]int{}
	for _, f := range r.Findings {
		if f.Waived != nil {
			r.Counts.Waived++
			waived[f.Rule]++
			continue
		}
		open[f.Rule]++
		switch f.Level {
		case Critical:
			r.Counts.Critical++
		case High:
			r.Counts.High++
		case Medium:
			r.Counts.Medium++
		default:
			r.Counts.Low++
		}
	}
	for i := range r.Rules {
		rule := &r.Rules[i]
		rule.Findings, rule.Waived = open[rule.ID], waived[rule.ID]
		switch {
		case rule.Findings > 0:
			rule.State = Failed
		case rule.Waived > 0:
			rule.State = WaivedAll
		}
		switch rule.State {
		case Passed:
			r.Counts.Passed++
		case NotEvaluated:
			r.Counts.NotEvaluated++
		}
	}
}

// Open returns how many findings that no waiver accepts are of at least the level.
func (r *Report) Open(least Level) int {
	n := 0
	for _, l := range Levels() {
		if l.AtLeast(least) {
			n += r.Counts.Of(l)
		}
	}
	return n
}

// Rule returns the rule of that id; the zero Rule if there is none.
func (r *Report) Rule(id string) Rule {
	for _, rule := range r.Rules {
		if rule.ID == id {
			return rule
		}
	}
	return Rule{ID: id}
}

// of returns the findings of a rule.
func (r *Report) of(id string) (found []Finding) {
	for _, f := range r.Findings {
		if f.Rule == id {
			found = append(found, f)
		}
	}
	return found
}

// Summary says in one line what was found.
func (r *Report) Summary() string {
	var words []string
	total := 0
	for _, l := range Levels() {
		if n := r.Counts.Of(l); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, l))
			total += n
		}
	}
	text := "no findings"
	if total > 0 {
		text = plural(total, "finding") + ": " + strings.Join(words, ", ")
	}
	if r.Counts.Waived > 0 {
		text += fmt.Sprintf("; %d waived", r.Counts.Waived)
	}
	return text + fmt.Sprintf("; of %s %d passed and %d could not be evaluated", plural(len(r.Rules), "rule"), r.Counts.Passed, r.Counts.NotEvaluated)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// place spells where a finding is: file:line:column.
func (f Finding) place() string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d:%d", f.File, f.Line, max(f.Column, 1))
}

// subject spells what a finding is about, with its part.
func (f Finding) subject() string {
	switch {
	case f.Part == "":
		return f.Object
	case f.Object == "":
		return f.Part
	}
	return f.Object + " " + f.Part
}
