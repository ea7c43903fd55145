package policies

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// Init writes a first policy for the catalog, complete and with comments: every
// table and every column is in it. What looks personal by its name gets a class;
// what is doubtful gets the class TODO, which does not compile until somebody has
// answered it. Foreign keys and partitions inherit, and stand there as comments.
// Equal catalogs give equal text. name names the policy.
//
// It reads names, types and comments only, and no row.
func Init(c *catalog.Catalog, name string) []byte {
	text, err := InitFrom(c, nil, name)
	if err != nil {
		panic("policies: init without samples: " + err.Error()) // nothing else fails
	}
	return text
}

// InitFrom is Init with a few values at hand, as Discover takes them: it proposes by
// them too, and the paths of documents. No value is in what it writes. The first
// error of samples ends it.
func InitFrom(c *catalog.Catalog, samples Samples, name string) ([]byte, error) {
	det, err := newDetector(c, samples)
	if err != nil {
		return nil, err
	}
	return initialise(newDraft(det, name, samples != nil), masking.Standard()), nil
}

func initialise(d *draft, reg *masking.Registry) []byte {
	c := d.catalog
	for {
		text, lines := d.write()
		// A class whose transform does not fit the column is a question too: what was
		// written is compiled, and what it complains about becomes a TODO.
		p, err := Parse("policy.yaml", text)
		if err != nil {
			panic("policies: init wrote what does not parse: " + err.Error())
		}
		_, err = Compile(p, c, masking.NewKey(), reg)
		errs, _ := err.(Errors)
		changed := false
		for _, e := range errs {
			entry := lines[e.Line]
			if e.Code == Invalid && entry != nil && entry.class != todo && entry.class != Public {
				entry.doubt, entry.class, changed = cmp.Or(entry.inside, entry.class)+" does not fit: "+strings.TrimPrefix(e.Message, e.At+": "), todo, true
			}
		}
		if !changed && !d.doubtHistories(p) {
			return text
		}
	}
}

// doubtHistories asks about columns that would be kept, and into which triggers or rules write
// what the policy masks elsewhere. It reports whether there is one.
func (d *draft) doubtHistories(p *Policy) (changed bool) {
	met := newCompiler(p, d.catalog)
	for _, step := range []func(){met.enter, met.tableRules, met.relate, met.inherit} {
		step()
	}
	own := func(col *column) *column { return d.graph.byID[col.table.t.ID].column(col.col.Name) }
	for _, h := range met.histories() {
		if h.col == nil {
			continue
		}
		e := d.entries[own(h.col)]
		if e == nil || e.class != Public {
			continue
		}
		e.doubt, e.class, changed = h.reason(), todo, true
		if len(h.from) == 1 && len(h.made) == 1 {
			from := d.source(own(h.from[0].column(h.made[0])))
			if from != nil && from.inside == "" && from.class != todo && from.class != Public {
				e.doubt, e.guess = "perhaps "+from.class+": "+e.doubt, from.class
			}
		}
	}
	return changed
}

// draft is a policy being written.
type draft struct {
	catalog *catalog.Catalog
	name    string
	sampled bool // values were looked at
	graph   *compiler
	entries map[*column]*entry // of the columns that are listed
}

// entry is the line of one column.
type entry struct {
	class string
	by    string // of a birth date: the column that identifies the person
	doubt string // why it is TODO
	guess string // of a TODO: the class that it may be
	// inside is the spelling of a transform of what has parts, in the place of a class,
	// and uses are the classes that it names.
	inside string
	uses   []string
}

func newDraft(det *detector, name string, sampled bool) *draft {
	if name == "" {
		name = "database"
	}
	d := &draft{catalog: det.graph.catalog, name: name, sampled: sampled, graph: det.graph, entries: map[*column]*entry{}}
	d.choose()
	return d
}

// choose finds the columns that need a line of their own, and classifies them.
func (d *draft) choose() {
	decided := map[*column]bool{}
	var open []*column
	for _, ts := range d.graph.tables {
		for _, col := range ts.columns {
			if !col.open() {
				continue
			}
			if len(col.edges) == 0 {
				d.entries[col], decided[col] = d.classify(col), true
			} else {
				open = append(open, col)
			}
		}
	}
	// The others inherit. In a cycle of keys somebody has to be the first.
	for len(open) > 0 {
		var left []*column
		for _, col := range open {
			if slices.ContainsFunc(col.edges, func(e edge) bool { return decided[e.to] }) {
				decided[col] = true
			} else {
				left = append(left, col)
			}
		}
		if len(left) == len(open) {
			first := left[0]
			d.entries[first], decided[first] = d.classify(first), true
			left = left[1:]
		}
		open = left
	}
	// A partitioned table's column has the class of what its partitions reference.
	for _, ts := range d.graph.tables {
		for _, col := range ts.columns {
			e := d.entries[col]
			if e == nil {
				continue
			}
			if ref := referencedBelow(ts, col.col.Name); ref != nil {
				if source := d.source(ref); source != nil && source != e {
					*e = *source
				}
			}
		}
	}
}

// referencedBelow returns what the column of that name references in a table below ts.
func referencedBelow(ts *table, name string) *column {
	for _, child := range ts.children {
		if col := child.column(name); col != nil {
			for _, e := range col.edges {
				if e.kind == byForeignKey {
					return e.to
				}
			}
		}
		if ref := referencedBelow(child, name); ref != nil {
			return ref
		}
	}
	return nil
}

// source returns the entry that decides about a column: its own, or the first that
// its keys and parents lead to.
func (d *draft) source(col *column) *entry {
	seen := map[*column]bool{col: true}
	for queue := []*column{col}; len(queue) > 0; queue = queue[1:] {
		if e := d.entries[queue[0]]; e != nil {
			return e
		}
		for _, e := range queue[0].edges {
			if !seen[e.to] {
				seen[e.to] = true
				queue = append(queue, e.to)
			}
		}
	}
	return nil
}

func (d *draft) classify(col *column) *entry {
	if knownFiller(d.catalog, col.table.t, col.col.Name) != nil {
		return &entry{class: derived}
	}
	g := d.graph.guesser.guess(col.table.t, col.col)
	if e := d.inside(col, g); e != nil {
		return e
	}
	switch {
	case g.sure && g.class == "birth_date":
		return &entry{class: g.class, by: subject(col)}
	case g.sure:
		return &entry{class: g.class}
	case col.col.Type.Kind == catalog.Opaque && g.class == freeText:
		// It is not kept silently beside the texts that it is made of, and cannot be masked.
		return &entry{class: todo, doubt: "not NULL, and " + g.reason + ": drop the table's rows, or keep it if that text is kept"}
	case g.class == Public:
		return &entry{class: todo, doubt: "perhaps keep: " + g.reason}
	case g.class != "":
		return &entry{class: todo, doubt: "perhaps " + g.class + ": " + g.reason, guess: g.class}
	case col.col.Type.Kind == catalog.JSON:
		return &entry{class: todo, doubt: `a document: {json: {$.PATH: CLASS, "*": drop}}`}
	case col.col.Type.Kind == catalog.XML:
		return &entry{class: todo, doubt: `a document: {xml: {/PATH: CLASS, "*": drop}}`}
	case g.personal():
		return &entry{class: todo, doubt: "perhaps " + g.data + ": " + g.reason, guess: g.data}
	}
	return &entry{class: todo, doubt: "its name tells nothing"}
}

// subject returns the key by whose value a person's dates shift, or "".
func subject(col *column) string {
	pk := col.table.t.PrimaryKey
	if pk == nil || len(pk.Columns) != 1 || !aboutPeople(col.table.t) {
		return ""
	}
	return pk.Columns[0]
}

// paper collects lines and remembers what stands on them.
type paper struct {
	text  strings.Builder
	lines map[int]*entry
	n     int
}

func (w *paper) line(format string, args ...any) {
	fmt.Fprintf(&w.text, format, args...)
	w.text.WriteString("\n")
	w.n++
}

// write writes the policy, and returns which line is whose.
func (d *draft) write() ([]byte, map[int]*entry) {
	w := &paper{lines: map[int]*entry{}}
	questions := 0
	used := map[string]bool{Public: true}
	for _, e := range d.entries {
		if e.class == todo {
			questions++
			// The classes that answer most questions stand ready, and the guess.
			used[freeText], used[suppressed] = true, true
			if e.guess != "" {
				used[e.guess] = true
			}
		} else {
			for _, class := range append(e.uses, e.class) {
				used[class] = true
			}
		}
	}
	if d.sampled {
		w.line("# A first policy, made from a catalog and from a few values of each column; none of them is in it.")
		w.line("# Read every line: what is masked, and what is kept. Names and samples tell much, and not all.")
	} else {
		w.line("# A first policy, made from the names and types of a catalog; no row was read.")
		w.line("# Read every line: what is masked, and what is kept. A name tells much, and not all.")
	}
	switch questions {
	case 0:
		w.line("# There is no open question.")
	case 1:
		w.line("# One column is %s: give it a class, or move it to the keep list of its table.", todo)
	default:
		w.line("# %d columns are %s: give each a class, or move it to the keep list of its table.", questions, todo)
	}
	w.line("version: 1")
	w.line("policy:")
	w.line("  name: %s", spell(d.name))
	w.line("  revision: 1")
	w.line("defaults: {unlisted_column: fail, unlisted_table: fail, schema_drift: fail}")
	w.line("keys:")
	w.line("  # Make the file with: sanitize keys new discovery.key")
	w.line("  discovery: {from: \"file:discovery.key\"}")
	w.line("classes:")
	width := 0
	for name := range maps.Keys(used) {
		width = max(width, len(name))
	}
	for _, class := range standardClasses {
		if used[class.Name] {
			w.line("  %-*s {kind: %s, do: %s}", width+1, class.Name+":", class.Kind, class.Do)
		}
	}
	if len(d.graph.tables) == 0 {
		w.line("tables: {}")
		return []byte(w.text.String()), w.lines
	}
	w.line("tables:")
	listed := 0
	for _, ts := range d.graph.tables {
		if d.table(w, ts) {
			listed++
		}
	}
	if listed == 0 {
		w.line("  {}")
	}
	return []byte(w.text.String()), w.lines
}

// table writes one table, and reports whether it is more than a comment.
func (d *draft) table(w *paper, ts *table) bool {
	name := spell(d.catalog.Display(ts.t.ID))
	if ts.t.Kind == catalog.Foreign {
		w.line("  # %s: a foreign table; its rows are on another server and stay there", name)
		return false
	}
	own := slices.ContainsFunc(ts.columns, func(c *column) bool { return d.entries[c] != nil })
	parent := d.listedParent(ts)
	if parent != nil && !own {
		if ts.t.IsPartition {
			w.line("  # %s: a partition of %s", name, comment(parent.t.ID.String()))
		} else {
			w.line("  # %s: inherits from %s", name, comment(parent.t.ID.String()))
		}
		return false
	}
	if !own {
		d.inherited(w, ts, "  ")
		w.line("  %s: {}", name)
		return true
	}
	w.line("  %s:", name)
	d.inherited(w, ts, "    ")
	var masked, kept []*column
	for _, col := range ts.columns {
		switch e := d.entries[col]; {
		case e == nil:
		case e.class == Public:
			kept = append(kept, col)
		default:
			masked = append(masked, col)
		}
	}
	if len(masked) > 0 {
		w.line("    columns:")
		for _, col := range masked {
			d.column(w, col)
		}
	}
	d.keep(w, kept)
	return true
}

// listedParent returns a parent that the policy lists.
func (d *draft) listedParent(ts *table) *table {
	for _, id := range ts.t.Parents {
		if p := d.graph.byID[id]; p != nil && p.t.Kind != catalog.Foreign {
			return p
		}
	}
	return nil
}

// inherited writes a comment for each column that needs no line.
func (d *draft) inherited(w *paper, ts *table, indent string) {
	for _, col := range ts.columns {
		switch {
		case col.col.Generation.Computed():
			w.line("%s# %s: computed by the database", indent, comment(col.col.Name))
		case d.entries[col] == nil && len(col.edges) > 0 && col.edges[0].kind == byForeignKey:
			w.line("%s# %s: %s", indent, comment(col.col.Name), comment(col.edges[0].words(col)))
		}
	}
}

func (d *draft) column(w *paper, col *column) {
	e := d.entries[col]
	w.lines[w.n+1] = e
	name, kind := spell(col.col.Name), comment(col.col.Type.Name)
	switch {
	case e.class == todo:
		w.line("      %s: %s # %s; %s", name, todo, kind, comment(e.doubt))
	case e.inside != "":
		w.line("      %s: %s # %s", name, e.inside, kind)
	case e.by != "":
		class, _ := standardClass(e.class)
		do := class.Do
		do.Params = maps.Clone(do.Params)
		do.Params["by"] = e.by
		w.line("      %s: {class: %s, do: %s, because: \"one shift for each person\"} # %s", name, e.class, do, kind)
	default:
		w.line("      %s: %s # %s", name, e.class, kind)
	}
}

// keep writes the keep list, in lines of a readable length.
func (d *draft) keep(w *paper, kept []*column) {
	const most = 100
	if len(kept) == 0 {
		return
	}
	line := "    keep: ["
	for i, col := range kept {
		word := spell(col.col.Name)
		if i < len(kept)-1 {
			word += ","
		} else {
			word += "]"
		}
		if len(line)+1+len(word) > most && !strings.HasSuffix(line, "[") {
			w.line("%s", line)
			line = "      "
		}
		if !strings.HasSuffix(line, "[") && !strings.HasSuffix(line, "  ") {
			line += " "
		}
		line += word
	}
	w.line("%s", line)
}

// comment makes a name fit for a comment: one line, nothing invisible.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || forbidden(r) {
			return '?'
		}
		return r
	}, s)
}
