package policies

import (
	"fmt"
	"slices"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// meeting is a policy that has met a catalog as Compile lets them meet, but to the end:
// what does not fit is kept by the stage that found it, and the rest is decided all the
// same, so that an audit can speak of a policy that does not compile.
type meeting struct {
	*compiler
	names          Errors // what the policy names and the catalog lacks, or cannot be decided about
	openColumns    Errors // columns that nobody decided about, and tables that are not listed
	contradictions Errors // relations whose ends differ, and rows that would point to nothing
	keptDerived    Errors // columns that are kept and hold what is masked beside them
	unfit          Errors // transforms that a column does not take
	collisions     Errors // unique keys that would not stay unique
}

// meet lets them meet. The key shapes no finding; values of columns are not read.
func meet(p *Policy, c *catalog.Catalog, key *masking.Key, reg *masking.Registry) *meeting {
	m := &meeting{compiler: newCompiler(p, c)}
	m.key, m.reg = key, reg
	stage := func(found *Errors, steps ...func()) {
		m.errs = nil
		for _, step := range steps {
			step()
		}
		*found = m.errs.sorted()
	}
	stage(&m.names, m.enter, m.tableRules, m.relate, m.inherit)
	stage(&m.openColumns, m.undecided)
	var declarations Errors // links to other databases, rows, risk, edge cases
	stage(&declarations, m.linkedAbroad, m.filters, m.declared)
	m.names = append(m.names, declarations...).sorted()
	stage(&m.contradictions, m.compiler.contradictions, m.droppedReferences, m.halfNulled)
	stage(&m.keptDerived, m.keptDerivations)
	stage(&m.unfit, m.group, m.derivations, m.bind)
	stage(&m.collisions, m.strengthen, m.uniqueKeys, m.uniqueRules)
	byID := map[string]*column{}
	for _, ts := range m.tables {
		for _, col := range ts.columns {
			byID[col.id().String()] = col
		}
	}
	// A file that a transform names is not the auditor's to have.
	m.unfit = slices.DeleteFunc(m.unfit, func(d Diagnostic) bool {
		col := byID[d.At]
		return col != nil && !col.bound && col.decision != nil && col.decision.do.Name == "password"
	})
	// Some transforms see for themselves that they would not keep a column unique.
	m.unfit = slices.DeleteFunc(m.unfit, func(d Diagnostic) bool {
		col := byID[d.At]
		if col == nil || col.bound || col.decision == nil || !col.group.unique {
			return false
		}
		plain := m.maskingColumn(col)
		plain.Unique = false
		if _, err := reg.Bind(key, plain, m.finalSpec(col), m.row(col)); err != nil {
			return false
		}
		m.collisions = append(m.collisions, d)
		return true
	})
	m.collisions = m.collisions.sorted()
	return m
}

// view is a column of the meeting for the rules.
func (m *meeting) view(col *column) *view {
	v := &view{object: col.id().String(), table: col.table.t.ID.String(), name: col.col.Name, rule: col.table.rule, c: col,
		copied: col.table.copied() && !col.col.Generation.Computed(), explicit: col.explicit}
	d := col.decision
	if d == nil || !v.copied {
		return v
	}
	v.decided, v.class, v.do, v.at = true, d.class, d.do, d.at
	if c := m.p.Class(d.class); c != nil {
		v.kind = c.Kind
	} else if d.class == Public {
		v.kind = "not_personal"
	}
	if col.bound {
		v.bind = &col.binding
	}
	return v
}

// Step is one step of the way by which a column got its transform.
type Step struct {
	What  string `json:"what"`
	Where string `json:"where,omitempty"` // file:line; empty where no line of a policy says it
}

// Explanation is the whole way by which a column got its transform.
type Explanation struct {
	Column     string             `json:"column"` // schema.table.column
	Type       string             `json:"type"`
	Action     string             `json:"action"` // keep, mask, computed, drop, undecided
	Class      string             `json:"class,omitempty"`
	Kind       string             `json:"kind,omitempty"`
	Do         string             `json:"do,omitempty"`
	Domain     string             `json:"domain,omitempty"`
	Steps      []Step             `json:"steps"`
	Guarantees masking.Guarantees `json:"guarantees,omitzero"`
	Promises   string             `json:"promises,omitempty"` // the guarantees in words
	Warnings   []string           `json:"warnings,omitempty"`
	Problems   []string           `json:"problems,omitempty"` // why it does not compile
}

// Explain tells how a column of the catalog gets its transform: its own line, or the
// keys, links and parents that lead to the line that decides; the class, and where that
// is defined; the domain; what the transform guarantees. The policy need not compile.
// The error says that there is no such column, and what is near.
func Explain(p *Policy, c *catalog.Catalog, name string, reg *masking.Registry) (*Explanation, error) {
	m := meet(p, c, masking.NewKey(), reg)
	t, found, problem, help := m.findEnd(name)
	if found == nil {
		return nil, Errors{{File: p.File, At: name, Code: Drift, Message: fmt.Sprintf("%s %s", clip(name), problem), Help: help}}
	}
	col := m.byID[t.ID].column(found.Name)
	v := m.view(col)
	e := &Explanation{Column: v.object, Type: col.col.Type.Name, Action: m.action(col), Class: v.class, Kind: v.kind}
	if v.decided {
		e.Do = v.do.String()
	}
	step := func(where, format string, args ...any) {
		e.Steps = append(e.Steps, Step{What: fmt.Sprintf(format, args...), Where: where})
	}
	switch {
	case e.Action == "computed":
		step("", "the database computes it from other columns: it is never copied, and there is nothing to decide")
		return e, nil
	case e.Action == "drop":
		step(m.where(col.table.at), "no rows of %s are copied: %s", col.table.t.ID, col.table.why)
		return e, nil
	case e.Action == "undecided":
		step("", "no line lists it, and no key, link or parent leads to a column that is decided: a run stops here")
	default:
		for _, hop := range m.chain(col) {
			step(hop.Where, "%s", hop.What)
		}
		m.explainClass(v, step)
	}
	if v.bind != nil {
		e.Domain, e.Guarantees, e.Promises, e.Warnings = m.domain(col), v.bind.Guarantees, guaranteeWords(v.bind.Guarantees), v.bind.Warnings
		source := p.Keys[0]
		step(m.where(source.At), "the domain %s, of the key %s: the same value masks alike wherever this domain is used", e.Domain, source.Name)
		step("", "the transform is %s", e.Promises)
	}
	for _, errs := range []Errors{m.names, m.openColumns, m.contradictions, m.keptDerived, m.unfit, m.collisions} {
		for _, d := range errs {
			if d.At == e.Column {
				e.Problems = append(e.Problems, d.Message)
			}
		}
	}
	return e, nil
}

// explainClass adds the steps from the deciding line to the transform.
func (m *meeting) explainClass(v *view, step func(where, format string, args ...any)) {
	c := m.p.Class(v.class)
	switch {
	case c == nil && v.do.Name == "keep":
		step("", "class %s, the class of keep lists: the values arrive as they are", Public)
	case c == nil:
		step(m.where(v.at), "the transform stands in the line itself: %s", v.do)
	default:
		where, base := m.where(c.At), ""
		if c.From != nil {
			where, base = fmt.Sprintf("%s:%d", c.From.File, c.At.Line), " of the base policy"
		}
		step(where, "class %s%s, of kind %s: do %s", c.Name, base, c.Kind, c.Do)
		if c.Do.String() != v.do.String() {
			step(m.where(v.at), "the line deviates from the class: do %s%s", v.do, m.because(v))
		}
	}
}

// because is the reason that the deciding line gives, if it gives one.
func (m *meeting) because(v *view) string {
	for _, t := range m.p.Tables {
		for _, r := range t.Columns {
			if r.At == v.at && r.Because != "" {
				return ", because " + r.Because
			}
		}
	}
	return ""
}

// action is what happens to a column, in the words of a plan.
func (m *meeting) action(col *column) string {
	switch {
	case col.col.Generation.Computed():
		return "computed"
	case !col.table.copied():
		return "drop"
	case col.decision == nil:
		return "undecided"
	case col.decision.keep:
		return "keep"
	case col.decision.derive:
		return deriveWord
	}
	return "mask"
}

// chain is the way from a column to the line that decides about it: over the fewest
// edges whose ends share the decision, keys before links before parents.
func (m *meeting) chain(col *column) []Step {
	type reach struct {
		col  *column
		from *reach
		step Step
	}
	seen := map[*column]bool{col: true}
	queue := []*reach{{col: col}}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if at.col.explicit {
			steps := []Step{{What: fmt.Sprintf("the line of %s decides", at.col.id()), Where: m.where(at.col.decision.at)}}
			for r := at; r.from != nil; r = r.from {
				steps = append(steps, r.step)
			}
			slices.Reverse(steps)
			return steps
		}
		for kind := byForeignKey; kind <= byParent; kind++ {
			for _, e := range at.col.edges {
				if e.kind != kind || seen[e.to] || e.to.decision != col.decision {
					continue
				}
				seen[e.to] = true
				queue = append(queue, &reach{col: e.to, from: at, step: m.hop(at.col, e)})
			}
		}
	}
	return nil // a decision has a line
}

// hop says how an edge leads from a column to the next.
func (m *meeting) hop(from *column, e edge) Step {
	s := Step{What: fmt.Sprintf("%s has no line of its own and follows its %s", from.id(), e.words(from))}
	switch e.kind {
	case byForeignKey:
		if e.name != "" {
			s.What += " (" + e.name + ")"
		}
	case byLink:
		s.Where = m.where(e.at)
	}
	return s
}
