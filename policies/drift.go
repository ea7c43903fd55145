package policies

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// DriftChange is one way in which a catalog differs from the one that a lock was made for.
type DriftChange struct {
	At   string `json:"at"`   // schema.table or schema.table.column
	What string `json:"what"` // "column added, text"
	Help string `json:"help"` // the line to add or to take out
	// Harmless is set if no value can come through by it that the lock did not foresee:
	// schema_drift: warn lets it pass.
	Harmless bool `json:"harmless"`
}

// String returns "at: what".
func (d DriftChange) String() string { return d.At + ": " + d.What }

// CheckLock compares the policy and the catalog of a run with the lock. An error is of
// type Errors, whose Drift method reports true: the policy is another one or decides
// otherwise than the lock says, or the catalog has drifted. With `schema_drift: warn` harmless changes come back as
// warnings in its place; all others stay errors.
func CheckLock(p *Policy, l *Lock, c *catalog.Catalog) (warnings []string, err error) {
	if err := l.CheckDecisions(p, masking.Standard()); err != nil {
		return nil, err
	}
	var errs Errors
	for _, d := range l.Drift(p, c) {
		switch {
		case d.Harmless && p.Defaults.SchemaDrift == "warn":
			warnings = append(warnings, d.String()+" since the lock was made: harmless, and let through by schema_drift: warn")
		default:
			help := d.Help
			if d.Harmless {
				help = "harmless: make the lock anew, or write schema_drift: warn under defaults"
			}
			errs = append(errs, Diagnostic{File: p.File, At: d.At, Code: Drift, Message: d.String() + " since the lock was made", Help: help})
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return warnings, nil
}

// CheckPolicy complains if the lock was made of another policy: of one other byte, or of
// other bases. It needs no catalog. The error is of type Errors, and a drift.
func (l *Lock) CheckPolicy(p *Policy) error {
	fail := func(format string, args ...any) error {
		return Errors{{File: p.File, Code: Drift, Message: fmt.Sprintf(format, args...), Help: "see what changed with: sanitize diff LOCK " + p.File + "; then make the lock anew with: sanitize lock " + p.File}}
	}
	if l.Policy.Digest != p.Digest {
		return fail("the policy (sha256 %.12s…) is not the one that the lock was made of (%s, sha256 %.12s…)", p.Digest, clip(l.Policy.File), l.Policy.Digest)
	}
	var was, is []string
	for _, e := range l.Policy.Extends {
		was = append(was, e.Path+"#"+e.Digest)
	}
	for _, e := range p.Extends {
		is = append(is, e.Path+"#"+e.digest())
	}
	if !slices.Equal(was, is) {
		return fail("the policy extends other bases than when the lock was made")
	}
	return nil
}

// CheckRun returns warnings about what shapes the output beside policy and catalog, and
// is not what it was when the lock was made: the key, a transform's version, a
// dictionary. Yesterday's pseudonyms then do not join today's.
func (l *Lock) CheckRun(fingerprint map[string]string) (warnings []string) {
	if check := fingerprint["key"]; l.KeyCheck != "" && check != "" && check != l.KeyCheck {
		warnings = append(warnings, "the key is not the one of the lock: pseudonyms do not join those that were made with it")
	}
	if now := fingerprint["masking"]; now != l.Masking.Transforms {
		warnings = append(warnings, fmt.Sprintf("transforms were %s when the lock was made, and are %s", l.Masking.Transforms, now))
	}
	for name, now := range fingerprint {
		domain, pinned := strings.CutPrefix(name, "pinned ")
		was, known := l.Masking.Pinned[domain]
		if pinned && known && was != now && was != atRun && now != atRun && !strings.Contains(was, atRun) {
			warnings = append(warnings, fmt.Sprintf("%s was pinned to %s when the lock was made, and is to %s", domain, was, now))
		}
	}
	slices.Sort(warnings)
	return warnings
}

// Drift lists how the catalog differs from the lock's, in the order of the tables. The
// policy is asked for the lines to add.
func (l *Lock) Drift(p *Policy, c *catalog.Catalog) []DriftChange {
	d := &drift{was: l.Catalog.Facts, is: asRead(facts(c)), lock: l}
	// The real catalog finds the lines: its texts are not digests.
	d.lines = newCompiler(p, c)
	d.lines.reg = masking.Standard()
	d.lines.enter()
	d.lines.tableRules()
	d.lines.relate()
	d.lines.inherit()
	if d.was.Connector != d.is.Connector {
		d.add("database", false, "the lock was made for another one", "was of %s, is of %s", d.was.Connector, d.is.Connector)
	}
	if d.was.Encoding != d.is.Encoding || d.was.Charset != d.is.Charset {
		d.add("database", false, relock, "encoding was %s, is %s", d.was.Encoding, d.is.Encoding)
	}
	for _, id := range tablesOf(d.was, d.is) {
		old, now := d.was.Table(id), d.is.Table(id)
		switch {
		case old == nil:
			if root, harmless := d.partition(c, id); harmless {
				d.add(id.String(), true, relock, "partition of %s added", root.ID)
				d.partitions = append(d.partitions, id)
				continue
			}
			d.add(id.String(), false, d.tableToAdd(now), "table added, %d columns", len(now.Columns))
		case now == nil:
			if root, harmless := d.partition(d.was, id); harmless {
				d.add(id.String(), true, relock, "partition of %s removed", root.ID)
				d.partitions = append(d.partitions, id)
				continue
			}
			d.add(id.String(), false, d.lineToRemove(id), "table removed")
		default:
			d.table(old, now)
		}
	}
	d.objects()
	return d.changes
}

// objects compares what there is beside tables. A view or a function is in the copy as it
// is, with what somebody wrote into it, and a job or a trigger may carry values elsewhere.
func (d *drift) objects() {
	type name struct{ kind, name string }
	byName := func(all []catalog.Object) map[name][]catalog.Object {
		m := map[name][]catalog.Object{}
		for _, o := range all {
			n := name{o.Kind, o.Name}
			m[n] = append(m[n], o)
		}
		return m
	}
	definitions := func(all []catalog.Object) (texts []string) {
		for _, o := range all {
			texts = append(texts, o.Definition)
		}
		return texts
	}
	was, is := byName(d.was.Objects), byName(d.is.Objects)
	names := slices.AppendSeq(slices.Collect(maps.Keys(was)), maps.Keys(is))
	slices.SortFunc(names, func(a, b name) int { return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name)) })
	for _, n := range slices.Compact(names) {
		// Who may do what at the source is left there.
		harmless := n.kind == "role" || n.kind == "user mapping"
		at := cmp.Or(n.name, "database")
		switch {
		case d.ofPartition(n.kind, n.name, is[n]):
		case was[n] == nil:
			d.add(at, harmless, relock, "%s added", n.kind)
		case is[n] == nil:
			d.add(at, harmless, relock, "%s removed", n.kind)
		case !slices.Equal(definitions(was[n]), definitions(is[n])):
			d.add(at, harmless, relock, "definition of the %s changed", n.kind)
		case !reflect.DeepEqual(was[n], is[n]):
			d.add(at, harmless || commentsGone(was[n], is[n]), relock, "comment of the %s changed", n.kind)
		}
	}
}

// asRead is a catalog as it comes out of a file: what is empty is nil.
func asRead(c *catalog.Catalog) *catalog.Catalog {
	text, err := json.Marshal(c)
	read := &catalog.Catalog{}
	if err == nil {
		err = json.Unmarshal(text, read)
	}
	if err != nil {
		panic("policies: drift: " + err.Error()) // plain data always encodes
	}
	return read
}

const relock = "look at it, and make the lock anew with: sanitize lock"

// drift is one comparison on its way.
type drift struct {
	was, is *catalog.Catalog // facts
	lock    *Lock
	lines   *compiler
	changes []DriftChange

	partitions []catalog.TableID // that came or went without harm
}

func (d *drift) add(at string, harmless bool, help, format string, args ...any) {
	d.changes = append(d.changes, DriftChange{At: at, What: fmt.Sprintf(format, args...), Help: help, Harmless: harmless})
}

func tablesOf(a, b *catalog.Catalog) (ids []catalog.TableID) {
	for _, c := range []*catalog.Catalog{a, b} {
		for _, t := range c.Tables {
			ids = append(ids, t.ID)
		}
	}
	slices.SortFunc(ids, catalog.TableID.Compare)
	return slices.Compact(ids)
}

func (d *drift) table(old, now *catalog.Table) {
	at := now.ID.String()
	if old.Kind != now.Kind {
		d.add(at, false, relock, "was a %s, is a %s", old.Kind, now.Kind)
	}
	for _, c := range old.Columns {
		if now.Column(c.Name) == nil {
			d.add(at+"."+c.Name, false, d.columnToRemove(now.ID, c.Name), "column removed")
		}
	}
	for i := range now.Columns {
		c := &now.Columns[i]
		if was := old.Column(c.Name); was == nil {
			d.add(at+"."+c.Name, false, d.columnToAdd(now.ID, c.Name), "column added, %s", c.Type.Name)
		} else {
			d.column(at+"."+c.Name, was, c)
		}
	}
	if !reflect.DeepEqual(old.PrimaryKey, now.PrimaryKey) {
		d.add(at, false, relock, "primary key changed")
	}
	compareNamed(d, at, "unique key", old.Unique, now.Unique, func(k catalog.Key) string { return k.Name }, neverHarmless)
	compareNamed(d, at, "unique rule", old.Rules, now.Rules, func(r catalog.Rule) string { return r.Name }, neverHarmless)
	d.foreignKeys(old, now)
	byName := func(x catalog.Definition) string { return x.Name }
	compareNamed(d, at, "check", old.Checks, now.Checks, byName, harmlessGone)
	compareNamed(d, at, "index", old.Indexes, now.Indexes, byName, harmlessGone)
	compareNamed(d, at, "trigger", old.Triggers, now.Triggers, byName, neverHarmless)
	if !slices.Equal(old.Parents, now.Parents) || !slices.Equal(old.PartitionKey, now.PartitionKey) || old.IsPartition != now.IsPartition {
		d.add(at, false, relock, "parents or partition key changed")
	}
	if old.Comment != now.Comment {
		d.add(at, now.Comment == "", relock, "comment %s", changeWord(old.Comment, now.Comment))
	}
}

// commentsGone reports whether objects of one name differ in that comments are gone. What a
// new one says comes along to the copy.
func commentsGone(old, now []catalog.Object) bool {
	for i := range now {
		if now[i].Comment != "" && now[i].Comment != old[i].Comment {
			return false
		}
	}
	return true
}

func changeWord(old, now string) string {
	switch {
	case old == "":
		return "added"
	case now == "":
		return "removed"
	}
	return "changed"
}

// column compares what one column is. A text that may be longer than before, and a NULL
// that can no longer be, bring no value that the lock did not foresee.
func (d *drift) column(at string, old, now *catalog.Column) {
	if !reflect.DeepEqual(old.Type, now.Type) {
		switch {
		case widened(old.Type, now.Type):
			d.add(at, true, relock, "widened from %s to %s", old.Type.Name, now.Type.Name)
		case old.Type.Name == now.Type.Name:
			d.add(at, false, relock, "definition of type %s changed", now.Type.Name)
		default:
			d.add(at, false, "look whether its line still holds, and make the lock anew with: sanitize lock", "type was %s, is %s", old.Type.Name, now.Type.Name)
		}
	}
	if old.NotNull != now.NotNull {
		words := map[bool]string{true: "NOT NULL", false: "nullable"}
		d.add(at, now.NotNull, relock, "was %s, is %s", words[old.NotNull], words[now.NotNull])
	}
	if old.Generation != now.Generation {
		d.add(at, false, relock, "generation was %q, is %q", old.Generation, now.Generation)
	}
	if old.Default != now.Default {
		d.add(at, false, relock, "default %s", changeWord(old.Default, now.Default))
	}
	if old.Computation != now.Computation {
		d.add(at, false, relock, "is computed otherwise")
	}
	if old.Collation != now.Collation {
		d.add(at, false, relock, "collation was %q, is %q", old.Collation, now.Collation)
	}
	if old.Comment != now.Comment {
		d.add(at, now.Comment == "", relock, "comment %s", changeWord(old.Comment, now.Comment))
	}
}

// widened reports whether two types differ in that the second holds longer texts.
func widened(old, now catalog.Type) bool {
	if old.Kind != now.Kind || old.Kind != catalog.Text && old.Kind != catalog.Bytes {
		return false
	}
	wider := func(a, b int) bool { return a == b || a != 0 && (b == 0 || b > a) }
	if !wider(old.Length, now.Length) || !wider(old.MaxBytes, now.MaxBytes) {
		return false
	}
	// varchar(20) and varchar(50): nothing else may differ, in particular not a domain.
	stem := func(name string) string { before, _, _ := strings.Cut(name, "("); return strings.TrimSpace(before) }
	unlimited := now.Length == 0 && now.MaxBytes == 0
	if stem(old.Name) != stem(now.Name) && !unlimited {
		return false
	}
	old.Name, old.Length, old.MaxBytes = now.Name, now.Length, now.MaxBytes
	return reflect.DeepEqual(old, now)
}

// foreignKeys compares the keys of a table. By a new one a column inherits what its line
// may contradict; by one that is gone it may have inherited.
func (d *drift) foreignKeys(old, now *catalog.Table) {
	at := now.ID.String()
	same := func(a, b catalog.ForeignKey) bool { return reflect.DeepEqual(a, b) }
	for _, k := range old.ForeignKeys {
		i := slices.IndexFunc(now.ForeignKeys, func(n catalog.ForeignKey) bool { return n.Name == k.Name })
		switch {
		case i < 0:
			d.add(at, false, d.decided(now.ID, columnsOf(k), "they inherit by it no more"), "foreign key %s removed", k.Name)
		case !same(k, now.ForeignKeys[i]) && !slices.ContainsFunc(now.ForeignKeys, func(n catalog.ForeignKey) bool { return same(k, n) }):
			d.add(at, false, relock, "foreign key %s changed", k.Name)
		}
	}
	for _, k := range now.ForeignKeys {
		if slices.ContainsFunc(old.ForeignKeys, func(o catalog.ForeignKey) bool { return o.Name == k.Name }) {
			continue
		}
		d.add(at, false, d.decided(now.ID, columnsOf(k), "they inherit the decision of "+k.References.String()),
			"foreign key %s added, (%s) to %s", k.Name, strings.Join(columnsOf(k), ", "), k.References)
	}
}

func columnsOf(k catalog.ForeignKey) (names []string) {
	for _, p := range k.Pairs {
		names = append(names, p.Column)
	}
	return names
}

// decided says which lines decide about columns now, or which to add.
func (d *drift) decided(id catalog.TableID, names []string, consequence string) string {
	for _, name := range names {
		col := d.find(id, name)
		switch {
		case col == nil || !col.open():
		case col.decision == nil:
			return d.columnToAdd(id, name)
		case col.explicit:
			return fmt.Sprintf("%s has a line of its own (%s): see that it still fits; then make the lock anew", name, d.lines.where(col.decision.at))
		}
	}
	return consequence + ": look at it with sanitize plan, and make the lock anew with: sanitize lock"
}

func (d *drift) find(id catalog.TableID, name string) *column {
	if ts := d.lines.byID[id]; ts != nil {
		return ts.column(name)
	}
	return nil
}

// columnToAdd is the line that decides about a new column.
func (d *drift) columnToAdd(id catalog.TableID, name string) string {
	col := d.find(id, name)
	switch {
	case col == nil:
		return relock
	case !col.open() || col.table.drop:
		return "there is nothing to decide about it: make the lock anew with: sanitize lock"
	case col.decision != nil:
		return fmt.Sprintf("decided already (%s): make the lock anew with: sanitize lock", col.why)
	}
	return d.lines.lineToAdd(col, d.classFor(col))
}

// classFor is the class that the detector proposes for a column, or CLASS.
func (d *drift) classFor(col *column) string {
	switch g := d.lines.guesser.guess(col.table.t, col.col); {
	case g.class != "":
		return g.class
	case col.col.Type.Kind == catalog.JSON:
		return `{json: {$.PATH: CLASS, "*": drop}}`
	}
	return "CLASS"
}

// tableToAdd is the entry that decides about a new table.
func (d *drift) tableToAdd(t *catalog.Table) string {
	ts := d.lines.byID[t.ID]
	name := spell(d.lines.catalog.Display(t.ID))
	if ts.listed {
		return fmt.Sprintf("decided already (%s): make the lock anew with: sanitize lock", ts.why)
	}
	var masked, kept []string
	for _, col := range ts.columns {
		if !col.open() || col.decision != nil {
			continue
		}
		switch class := d.classFor(col); class {
		case Public:
			kept = append(kept, spell(col.col.Name))
		default:
			masked = append(masked, spell(col.col.Name)+": "+class)
		}
	}
	var parts []string
	if masked != nil {
		parts = append(parts, "columns: {"+strings.Join(masked, ", ")+"}")
	}
	if kept != nil {
		parts = append(parts, "keep: ["+strings.Join(kept, ", ")+"]")
	}
	return fmt.Sprintf("under tables add: %s: {%s}, or %s: drop", name, strings.Join(parts, ", "), name)
}

// lineToRemove names the line of a table that is gone.
func (d *drift) lineToRemove(id catalog.TableID) string {
	for _, r := range d.lines.p.Tables {
		if t, _, _ := findTable(d.was, r.Name); t != nil && t.ID == id {
			return fmt.Sprintf("take its lines out of the policy (%s), or write its new name there", d.lines.where(r.At))
		}
	}
	return relock
}

// columnToRemove names the line of a column that is gone.
func (d *drift) columnToRemove(id catalog.TableID, name string) string {
	if ts := d.lines.byID[id]; ts != nil && ts.rule != nil {
		for _, r := range slices.Concat(ts.rule.Columns, ts.rule.Keep) {
			if r.Name == name || strings.EqualFold(r.Name, name) {
				return fmt.Sprintf("take its line out of the policy (%s), or write its new name there", d.lines.where(r.At))
			}
		}
	}
	return relock
}

// What of a sort of definitions is harmless.
const (
	neverHarmless = false
	harmlessGone  = true // one that is gone asks less of the rows
)

// compareNamed compares definitions by their names.
func compareNamed[T any](d *drift, at, what string, old, now []T, name func(T) string, removed bool) {
	byName := func(all []T) map[string][]T {
		m := map[string][]T{}
		for _, x := range all {
			m[name(x)] = append(m[name(x)], x) // SQLite lets two share a name
		}
		return m
	}
	was, is := byName(old), byName(now)
	var names []string
	for n := range was {
		names = append(names, n)
	}
	for n := range is {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		switch {
		case was[n] == nil:
			d.add(at, false, relock, "%s %s added", what, n)
		case is[n] == nil:
			d.add(at, removed, relock, "%s %s removed", what, n)
		case !reflect.DeepEqual(was[n], is[n]):
			d.add(at, false, relock, "%s %s changed", what, n)
		}
	}
}
