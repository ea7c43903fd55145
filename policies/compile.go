package policies

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// Compiled is a policy that has met a catalog: the plan, and what was decided
// about every column, for people.
type Compiled struct {
	Plan   *masking.Plan   `json:"-"`
	Tables []TableDecision `json:"tables"` // in the catalog's order
	// Warnings are about columns: "schema.table.column: …".
	Warnings []string `json:"warnings,omitempty"`
	// InClear names the definitions that come as they are though a value may stand in
	// them that belongs to a column which is not kept.
	InClear []catalog.Object `json:"-"`
	// Fingerprint is everything that shapes the output, part by part, so that
	// whoever compares two can name the part that differs.
	Fingerprint map[string]string `json:"fingerprint"`
}

// TableDecision is what happens to one table.
type TableDecision struct {
	Table   catalog.TableID  `json:"table"`
	Action  string           `json:"action"`          // copy, drop (structure without rows), none (has no rows of its own)
	Where   string           `json:"where,omitempty"` // file:line
	Why     string           `json:"why"`
	Rows    string           `json:"rows,omitempty"` // which are copied, in words; empty is all
	Filter  *RowFilter       `json:"-"`              // the same for a connector; nil is all
	Columns []ColumnDecision `json:"columns"`
}

// ColumnDecision is what happens to one column.
type ColumnDecision struct {
	Column     string             `json:"column"`
	Type       string             `json:"type"`
	Action     string             `json:"action"` // keep, mask, derive, computed, drop
	Class      string             `json:"class,omitempty"`
	Do         string             `json:"do,omitempty"`     // canonical spelling
	Domain     string             `json:"domain,omitempty"` // of a mask
	Why        string             `json:"why"`
	Where      string             `json:"where,omitempty"` // file:line
	Guarantees masking.Guarantees `json:"guarantees,omitzero"`
	Warnings   []string           `json:"warnings,omitempty"`
	Linked     []string           `json:"linked,omitempty"` // columns of other databases
	// AtRun is set if the output is made of the column's values and these were not at
	// hand: a run makes the transform anew.
	AtRun bool `json:"at_run,omitempty"`
}

// Compile decides about every column of the catalog and binds the transforms. It
// reports all that is wrong, as Errors, rather than the first. An error of Rows comes
// back as it is. The result depends on nothing beside the arguments, and the files
// that the policy names.
func Compile(p *Policy, c *catalog.Catalog, key *masking.Key, reg *masking.Registry, options ...Option) (*Compiled, error) {
	if key == nil {
		return nil, Errors{p.diagnose(KeyProblem, p.Keys[0].At, "", "", "there is no key to compile with")}
	}
	s := newCompiler(p, c)
	s.key, s.reg = key, reg
	for _, o := range options {
		o(s)
	}
	s.enter()
	s.tableRules()
	s.relate()
	s.inherit()
	s.undecided()
	s.linkedAbroad()
	s.filters()
	s.declared()
	s.contradictions()
	s.droppedReferences()
	s.halfNulled()
	s.derivations()
	s.keptDerivations()
	s.group()
	s.bind()
	if s.broken != nil {
		return nil, s.broken
	}
	s.strengthen()
	s.uniqueKeys()
	s.uniqueRules()
	s.computedKeys()
	s.keysOfPartitions()
	if s.broken != nil {
		return nil, s.broken
	}
	if len(s.errs) > 0 {
		return nil, s.errs.sorted()
	}
	return s.compiled()
}

// compiler is one Compile on its way.
type compiler struct {
	p        *Policy
	catalog  *catalog.Catalog
	key      *masking.Key
	reg      *masking.Registry
	guesser  *guesser
	tables   []*table // in the catalog's order
	byID     map[catalog.TableID]*table
	named    map[string]*catalog.Table   // by the names that Find takes as exact
	rows     Rows                        // nil if no values are at hand
	bits     map[joined]int              // of the narrowest integers; nil until asked for
	equal    map[string]masking.Equality // what text columns call equal, by alikeKey; nil until asked for
	routines *routines                   // of the catalog; nil until asked for
	broken   error                       // of rows
	answers  map[asked]twins             // of rows, to what was asked
	folders  map[folds]folder            // of groups; nil until asked for
	refused  map[Position]bool           // lines whose columns have twins
	ofKeys   lots                        // what is to be said of the keys of partitions
	errs     Errors
	warnings []string
}

// newCompiler returns a compiler that can decide by the policy's lines. To bind transforms
// it needs a key and a registry as well.
func newCompiler(p *Policy, c *catalog.Catalog) *compiler {
	return &compiler{p: p, catalog: c, byID: map[catalog.TableID]*table{}, named: map[string]*catalog.Table{}, guesser: newGuesser(c)}
}

// table is a table on its way to a decision.
type table struct {
	t        *catalog.Table
	rule     *TableRule // nil if the policy does not name it
	listed   bool       // by name, or through a parent
	drop     bool
	why      string
	at       Position
	columns  []*column
	children []*table
	filter   *RowFilter // nil copies all rows
	chosen   *table     // whose line the filter is; nil if nobody's
}

// column is a column on its way to a decision.
type column struct {
	table    *table
	col      *catalog.Column
	decision *decision // nil as long as nobody has decided
	explicit bool      // decided by its own line
	why      string
	todo     Position // of the line that leaves it to do
	refused  bool     // its line makes no sense, and has been complained about
	edges    []edge
	abroad   []string // columns of other databases that links name
	group    *group
	final    *masking.Spec // see finalSpec; nil until it is asked for
	binding  masking.Binding
	bound    bool
	atRun    bool   // the binding lacks the values that it is made of
	trigger  string // that computes it anew, if it is derived
}

// decision is what is to happen to a column, and to those that inherit it.
type decision struct {
	keep   bool
	derive bool // computed anew by a trigger of the target
	class  string
	do     Do
	spec   masking.Spec
	domain string
	at     Position
}

// nulls reports whether the decision sets every value to NULL.
func (d *decision) nulls() bool { return !d.keep && d.do.Name == "null" }

func (t *table) column(name string) *column {
	for _, c := range t.columns {
		if c.col.Name == name {
			return c
		}
	}
	return nil
}

// id names the column for people.
func (c *column) id() catalog.ColumnID {
	return catalog.ColumnID{Table: c.table.t.ID, Column: c.col.Name}
}

// open reports whether there is anything to decide about the column.
func (c *column) open() bool {
	return !c.col.Generation.Computed() && c.table.t.Kind != catalog.Foreign && !c.refused
}

// copied reports whether rows of the table, or of its partitions, are copied.
func (t *table) copied() bool { return !t.drop && t.t.Kind != catalog.Foreign }

func (c *compiler) fail(code Code, pos Position, at, help, format string, args ...any) {
	c.errs = append(c.errs, c.p.diagnose(code, pos, at, help, format, args...))
}

func (c *compiler) where(pos Position) string {
	if pos.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", c.p.File, pos.Line)
}

// enter makes the tables and columns.
func (c *compiler) enter() {
	for _, t := range c.catalog.Tables {
		ts := &table{t: t}
		for i := range t.Columns {
			ts.columns = append(ts.columns, &column{table: ts, col: &t.Columns[i]})
		}
		c.tables = append(c.tables, ts)
		c.byID[t.ID] = ts
		for _, name := range []string{t.ID.String(), c.catalog.Display(t.ID)} {
			if c.named[name] == nil {
				c.named[name] = t
			}
		}
	}
	for _, ts := range c.tables {
		for _, id := range ts.t.Parents {
			if parent := c.byID[id]; parent != nil {
				parent.children = append(parent.children, ts)
			}
		}
	}
}

// tableRules finds what the policy's names mean, and decides about whole tables.
func (c *compiler) tableRules() {
	for _, rule := range c.p.Tables {
		t, problem, help := c.findTable(rule.Name)
		if t == nil {
			c.fail(Drift, rule.At, rule.Name, help, "table %s %s", clip(rule.Name), problem)
			continue
		}
		ts := c.byID[t.ID]
		if ts.rule != nil {
			c.fail(Invalid, rule.At, t.ID.String(), "decide once", "table %s is listed twice; the first is in line %d", t.ID, ts.rule.At.Line)
			continue
		}
		ts.rule, ts.listed, ts.at, ts.why = rule, true, rule.At, "listed"
		if t.Kind == catalog.Foreign {
			c.warnings = append(c.warnings, t.ID.String()+": is a foreign table; its rows are on another server and are not copied")
		}
		if rule.Drop {
			ts.drop, ts.why = true, "rows stay behind"
			continue
		}
		c.columnRules(ts, rule)
	}
	visited := map[*table]bool{}
	for _, ts := range c.tables {
		c.unlisted(ts, visited)
		if ts.rule == nil && ts.listed && !ts.drop && ts.t.Kind == catalog.Foreign {
			c.warnings = append(c.warnings, ts.t.ID.String()+": is a foreign table; its rows are on another server and are missing in "+ts.t.Parents[0].String())
		}
	}
}

// unlisted decides about a table that the policy does not name: as about the table
// that it is a partition of, or inherits from; else by the default.
func (c *compiler) unlisted(ts *table, visited map[*table]bool) {
	if visited[ts] {
		return
	}
	visited[ts] = true
	if ts.rule != nil {
		return
	}
	for _, id := range ts.t.Parents {
		parent := c.byID[id]
		if parent == nil {
			continue
		}
		c.unlisted(parent, visited)
		if parent.listed {
			ts.listed, ts.drop, ts.at = true, parent.drop, parent.at
			ts.why = "inherits from " + id.String()
			if ts.t.IsPartition {
				ts.why = "partition of " + id.String()
			}
			return
		}
	}
	if ts.t.Kind == catalog.Foreign {
		return
	}
	if c.p.Defaults.UnlistedTable == "skip" {
		ts.listed, ts.drop, ts.at = true, true, c.p.Defaults.at
		ts.why = "not listed: only the structure is copied"
	}
}

// columnRules takes the lines of one table.
func (c *compiler) columnRules(ts *table, rule *TableRule) {
	for _, r := range slices.Concat(rule.Columns, rule.Keep) {
		found, problem, help := findColumn(ts.t, r.Name)
		if found == nil {
			c.fail(Drift, r.At, ts.t.ID.String()+"."+r.Name, help, "column %s of %s %s", clip(r.Name), ts.t.ID, problem)
			continue
		}
		col := ts.column(found.Name)
		id := col.id().String()
		switch {
		case found.Generation.Computed():
			c.fail(Invalid, r.At, id, "take the line out; decide about the columns that it is computed from", "%s is computed by the database: there is nothing to decide", id)
			continue
		case col.decision != nil || col.todo != (Position{}):
			c.fail(Invalid, r.At, id, "decide once", "column %s is listed twice", id)
			continue
		case r.Class == todo:
			col.todo = r.At
			continue
		}
		if d := c.decide(r, id); d != nil {
			col.decision, col.explicit, col.why = d, true, "listed"
		} else {
			col.refused = true
		}
	}
}

// decide makes a decision of a column's line.
func (c *compiler) decide(r ColumnRule, id string) *decision {
	d := &decision{class: r.Class, at: r.At, do: Do{Name: "keep"}}
	class := c.p.Class(r.Class)
	switch {
	case r.Do != nil:
		d.do = *r.Do
	case class != nil:
		d.do = class.Do
	}
	switch d.do.Name {
	case "keep":
		d.keep = true
		return d
	case deriveWord:
		d.derive = true
		return d
	case "drop":
		c.fail(Invalid, r.At, id, `to empty it write {"null": true}`, "%s: drop is for the paths of a document and for tables, not for a column", id)
		return nil
	}
	if d.class == "" {
		d.class = d.do.Name
	}
	d.spec = c.p.spec(d.class, d.do)
	d.domain = d.spec.Domain
	return d
}

// bind binds every masked column to its transform.
func (c *compiler) bind() {
	type complaint struct {
		at     Position
		reason string
	}
	said := map[complaint]bool{}
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, col := range ts.columns {
			d := col.decision
			if d == nil || d.keep || d.derive || !col.open() {
				continue
			}
			reason, help := c.bindColumn(col)
			if reason == "" {
				col.bound = true
				continue
			}
			// What does not fit at the end of a chain does not fit all along it:
			// said once for each line of the policy.
			if k := (complaint{d.at, reason}); !said[k] {
				said[k] = true
				inherited := ""
				if !col.explicit {
					inherited = " (" + col.why + ")"
				}
				c.fail(Invalid, d.at, col.id().String(), help, "%s%s: %s", col.id(), inherited, reason)
			}
		}
	}
}

func (c *compiler) bindColumn(col *column) (reason, help string) {
	d := col.decision
	if d.nulls() && col.col.NotNull {
		return "the column is NOT NULL and cannot be set to NULL", "give it a class that writes a value, such as {constant: X}"
	}
	if a, b, differ := col.group.mixed(d.spec.Name); differ {
		return fmt.Sprintf("the columns that its keys and links tie together are of kind %s and %s, which %s does not mask alike", a, b, d.spec.Name),
			"keep them all, or change the type at the source"
	}
	const byRow = "%s masks by another column of the row, and the two ends of a key or link stand in different rows"
	const byValue = "use a transform that looks at the value alone"
	if c.readsRow(d.spec) && col.inKey() {
		return fmt.Sprintf(byRow, d.do), byValue
	}
	if by := c.unread(col); by != nil {
		return fmt.Sprintf("%s goes by %s, which is %s: no transform reads it", d.do, by.col.Name, by.computedWords()),
			"go by a column that is copied, such as the key of its subject"
	}
	b, err := c.reg.Bind(c.key, c.maskingColumn(col), c.finalSpec(col), c.row(col))
	if err != nil {
		var hinted interface{ Hint() string }
		if errors.As(err, &hinted) {
			help = hinted.Hint()
		}
		if m := col.group.unknown; m != nil && m.col.Collation != "" {
			return fmt.Sprintf("%v (%s has the collation %s)", err, m.id(), m.col.Collation), help
		}
		return err.Error(), help
	}
	if b.Transform == nil && b.Group == nil {
		panic("policies: transform " + d.spec.Name + " has bound to nothing") // a factory's contract
	}
	// A transform may choose the other column itself.
	if b.Group != nil && col.inKey() && slices.ContainsFunc(b.Inputs, func(name string) bool { return name != col.col.Name }) {
		return fmt.Sprintf(byRow, d.do), byValue
	}
	col.binding = b
	for _, w := range b.Warnings {
		if col.explicit {
			c.warn(col, w)
		}
	}
	if col.atRun {
		c.warn(col, "is masked by values of the column, which a plan does not read: a run makes the transform anew")
	}
	if slices.ContainsFunc(col.table.t.Unique, func(k catalog.Key) bool { return k.Partial && slices.Contains(k.Columns, col.col.Name) }) {
		c.warn(col, "is masked and stands in a unique index that holds for some rows only: if its condition reads a masked column, other rows may fall under it")
	}
	if col.explicit && !b.Unread && beyondInt(col.col) && !col.inKey() {
		c.warn(col, "is unsigned: a value above 9223372036854775807, if there is one, ends a run, for no transform of numbers reads it")
	}
	if col.explicit && slices.Contains(col.table.t.PartitionKey, col.col.Name) {
		c.warn(col, "is masked and decides in which partition a row stands: rows move between partitions")
	}
	return "", ""
}

func (c *compiler) warn(col *column, text string) {
	c.warnings = append(c.warnings, col.id().String()+": "+text)
}

// beyondInt reports whether a column of integers may hold some that ours do not: those of
// MySQL without a sign. A column that counts by itself does not get there.
func beyondInt(c *catalog.Column) bool {
	name := strings.ToLower(c.Type.Name)
	return c.Type.Kind == catalog.Int && strings.HasPrefix(name, "bigint") && strings.Contains(name, "unsigned") && c.Generation == catalog.Plain
}

// inKey reports whether a foreign key or a link ties the column to another.
func (c *column) inKey() bool {
	return slices.ContainsFunc(c.group.members, func(m *column) bool {
		return slices.ContainsFunc(m.edges, func(e edge) bool { return e.kind != byParent && e.to.group == c.group })
	})
}

// compiled puts the result together.
func (c *compiler) compiled() (*Compiled, error) {
	out := &Compiled{Warnings: c.warnings}
	plans := map[masking.TableName]*masking.TablePlan{}
	for _, ts := range c.tables {
		td := TableDecision{Table: ts.t.ID, Action: "copy", Where: c.where(ts.at), Why: ts.why}
		switch {
		case ts.t.Kind == catalog.Foreign:
			td.Action, td.Why = "none", "foreign table: its rows are on another server"
		case ts.drop:
			td.Action = "drop"
		case ts.t.Kind == catalog.Partitioned:
			td.Action, td.Why = "none", "its partitions store the rows"
		}
		if ts.filter != nil && ts.copied() {
			td.Rows, td.Filter = ts.filter.String(), ts.filter
			if ts.chosen != ts && !ts.t.IsPartition {
				td.Rows += ", as in " + ts.chosen.t.ID.String()
			}
		}
		columns := make([]masking.ColumnPlan, 0, len(ts.columns))
		for _, col := range ts.columns {
			cp, cd := c.columnPlan(col)
			columns = append(columns, cp)
			td.Columns = append(td.Columns, cd)
		}
		plan, err := masking.NewTablePlan(ts.t.ID.String(), !ts.copied(), columns)
		if err != nil {
			return nil, fmt.Errorf("compile %s: %w", c.p.File, err)
		}
		plans[masking.TableName{Schema: ts.t.ID.Schema, Name: ts.t.ID.Name}] = plan
		out.Tables = append(out.Tables, td)
	}
	out.Plan = masking.NewPlan(plans)
	out.InClear = c.inClear()
	out.Fingerprint = c.fingerprint()
	for _, h := range c.histories() {
		out.Warnings = append(out.Warnings, h.object()+": "+h.String())
	}
	out.Warnings = append(out.Warnings, c.assignedWarnings()...)
	out.Warnings = append(append(out.Warnings, c.keptWarnings()...), slices.Concat(c.moved(), c.castWarnings(), c.pinnedWarnings(), c.joinWarnings(), c.kindWarnings())...)
	return out, nil
}

func (c *compiler) columnPlan(col *column) (masking.ColumnPlan, ColumnDecision) {
	cp := masking.ColumnPlan{Name: col.col.Name}
	cd := ColumnDecision{Column: col.col.Name, Type: col.col.Type.Name}
	d := col.decision
	switch {
	case col.col.Generation.Computed():
		cp.Action = masking.Computed
		cd.Action, cd.Why = "computed", "computed by the database"
	case !col.table.copied():
		cd.Action, cd.Why, cd.Where = "drop", col.table.why, c.where(col.table.at)
		if col.table.t.Kind == catalog.Foreign {
			cd.Why = "foreign table"
		}
	case d == nil: // a mistake of ours, which NewTablePlan refuses
	case d.derive:
		cp.Action, cp.By = masking.Computed, col.trigger
		cd.Action, cd.Class, cd.Do = deriveWord, d.class, d.do.String()
		cd.Why, cd.Where = col.derivedWords(), c.where(d.at)
	case d.keep:
		cp.Action = masking.Keep
		cd.Action, cd.Class, cd.Do = "keep", d.class, d.do.String()
		cd.Why, cd.Where = col.why+c.linkWords(col), c.where(d.at)
		cd.Linked = col.abroad
	default:
		cp.Action, cp.Binding = masking.Mask, col.binding
		cd.Action, cd.Class, cd.Do, cd.Domain = "mask", d.class, d.do.String(), c.domain(col)
		cd.Why, cd.Where = col.why+c.linkWords(col), c.where(d.at)
		cd.Linked = col.abroad
		cd.AtRun = col.atRun
		cd.Guarantees, cd.Warnings = col.binding.Guarantees, col.binding.Warnings
	}
	return cp, cd
}
