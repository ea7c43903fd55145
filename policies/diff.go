package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies/report"
)

// ruleWeakening is the rule that holds an unsigned weakening against a policy.
const ruleWeakening = "SAN-P08"

// Difference is one way in which a policy protects otherwise than before.
type Difference struct {
	Strength Strength `json:"strength"`
	// Section is the part of the policy: policy, extends, defaults, keys, classes, tables,
	// columns, links, risk, edge_cases, environments or waivers.
	Section string `json:"section"`
	// At is what differs: public.customers.email, class email, environments.ttl. A path
	// of a document stands behind its column: public.customers.prefs $.theme.
	At     string `json:"at"`
	What   string `json:"what"` // in words
	Before Side   `json:"before"`
	Now    Side   `json:"now"`
	// Waived is set if a waiver of the new policy accepts that it got weaker.
	Waived *report.Waived `json:"waived,omitempty"`

	objects []string       // by which a waiver may name it
	accepts *report.Waived // of a waiver of weakenings: what it would say
}

// Side is what one of two policies says.
type Side struct {
	Text  string `json:"text,omitempty"`  // empty if it says nothing
	Where string `json:"where,omitempty"` // file:line
}

// Differences is what differs between two policies.
type Differences struct {
	// Resolved tells whether the decisions about columns were compared, with what
	// keys, links and parents hand on; else only lines were.
	Resolved bool `json:"resolved"`
	// Loose is how many lines name a table or a column that the catalog does not have.
	// They were compared as lines; it is 0 unless Resolved.
	Loose int          `json:"loose"`
	All   []Difference `json:"differences"` // the weaker first, then the stronger, then what changed; each in the policy's order
}

// Count returns how many differences are of the strength, waived ones not among them.
func (d *Differences) Count(s Strength) (n int) {
	for _, x := range d.All {
		if x.Strength == s && x.Waived == nil {
			n++
		}
	}
	return n
}

// Waived returns how many weakenings a waiver accepts.
func (d *Differences) Waived() (n int) {
	for _, x := range d.All {
		if x.Waived != nil {
			n++
		}
	}
	return n
}

// Diff says what protects less, more or otherwise in now than in before. Columns are
// compared by what is decided about each if both documents know that, else line by
// line. A waiver {rule: SAN-P08, at: OBJECT} of now that holds on the day of today accepts a
// weakening: OBJECT is what Difference.At says, or the class that a column had before.
// Such a waiver, if before does not have it, is itself a weakening that no other waiver
// accepts: whoever changes a policy cannot also be the one who accepts the change.
// See Differences.AcceptWaivers.
func Diff(before, now *Document, today time.Time) *Differences {
	d := &differ{a: before, b: now}
	d.sections()
	d.classes()
	resolved, loose := before.Resolved() && now.Resolved(), 0
	if resolved {
		d.decisions()
		loose = d.looseLines()
	} else {
		d.tableLines()
	}
	d.links()
	d.rest()
	out := &Differences{Resolved: resolved, Loose: loose, All: []Difference{}}
	for _, s := range []Strength{Weaker, Stronger, Changed} {
		for _, x := range d.found {
			if x.Strength != s {
				continue
			}
			if s == Weaker && x.accepts == nil {
				x.Waived = waives(now.policy, x.objects, today)
			}
			out.All = append(out.All, x)
		}
	}
	return out
}

// waives returns the waiver of the policy that accepts a weakening of one of the objects.
func waives(p *Policy, objects []string, today time.Time) *report.Waived {
	for _, w := range p.Waivers {
		if w.Rule == ruleWeakening && w.Object != "" && slices.Contains(objects, w.Object) && w.fault(today) == "" {
			return w.waived()
		}
	}
	return nil
}

// mostAccepted is how many days a weakening can be accepted for: one that nobody looks
// at again is no exception any more.
const mostAccepted = 366

// fault says why a waiver of a weakening does not hold on the day of today, or "".
func (w Waiver) fault(today time.Time) string {
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	switch {
	case w.Expires < day(today):
		return "has expired on " + w.Expires
	case w.Expires > day(today.AddDate(0, 0, mostAccepted)):
		return fmt.Sprintf("holds until %s: a weakening is accepted for %d days at most", w.Expires, mostAccepted)
	}
	return ""
}

func (w Waiver) waived() *report.Waived {
	return &report.Waived{Because: w.Because, By: w.By, Expires: w.Expires}
}

// AcceptWaivers takes the waivers of weakenings that came with the change as accepted:
// somebody who may has looked at them.
func (d *Differences) AcceptWaivers() {
	for i := range d.All {
		if x := &d.All[i]; x.Strength == Weaker && x.accepts != nil {
			x.Waived = x.accepts
		}
	}
}

// differ is one Diff on its way.
type differ struct {
	a, b  *Document
	found []Difference
}

func (d *differ) add(s Strength, section, at, what string, before, now Side, objects ...string) {
	if s != Same {
		d.found = append(d.found, Difference{Strength: s, Section: section, At: at, What: what, Before: before, Now: now, objects: append(objects, at)})
	}
}

// before and now are sides with places in the two files.
func (d *differ) before(text string, pos Position) Side { return Side{text, d.a.where(pos)} }
func (d *differ) now(text string, pos Position) Side    { return Side{text, d.b.where(pos)} }

// where is file:line of a place in a document. The lines of a lock are those of the
// policy that it was made of.
func (d *Document) where(pos Position) string { return d.policy.whereOf(pos) }

// classes compares the classes by name. What uses a class is compared by itself.
func (d *differ) classes() {
	a, b := d.a.policy, d.b.policy
	for _, was := range a.Classes {
		at := "class " + was.Name
		before := Side{classText(was), was.where(a)}
		is := b.Class(was.Name)
		if is == nil {
			d.add(Changed, "classes", at, "class removed", before, Side{}, was.Name)
			continue
		}
		now := Side{classText(is), is.where(b)}
		if s := compareKind(was.Kind, is.Kind); s != Same {
			d.add(s, "classes", at, fmt.Sprintf("kind %s → %s: %s", was.Kind, is.Kind, auditWords(s)), before, now, was.Name)
		}
		x, y := a.spec(was.Name, was.Do), b.spec(is.Name, is.Do)
		d.compare("classes", at, x, y, before, now, was.Name)
	}
	for _, is := range b.Classes {
		if a.Class(is.Name) == nil {
			d.add(Changed, "classes", "class "+is.Name, "class added", Side{}, Side{classText(is), is.where(b)}, is.Name)
		}
	}
}

func classText(c *Class) string { return fmt.Sprintf("{kind: %s, do: %s}", c.Kind, c.Do) }

func auditWords(s Strength) string {
	switch s {
	case Weaker:
		return "the audit asks less of it"
	case Stronger:
		return "the audit asks more of it"
	}
	return "the audit asks something else of it"
}

// compare reports how two transforms differ, a document path by path.
func (d *differ) compare(section, at string, x, y masking.Spec, before, now Side, objects ...string) {
	s := compareSpec(x, y)
	if s == Same {
		return
	}
	if isDocument(x) || isDocument(y) {
		parts, ok := partsOf(x, y)
		reported := false
		for _, p := range parts {
			if c := compareSpec(p.before, p.now); ok && c != Same {
				d.compare(section, at+" "+p.path, p.before, p.now,
					Side{specText(p.before), before.Where}, Side{specText(p.now), now.Where}, append(slices.Clone(objects), at)...)
				reported = true
			}
		}
		if reported {
			return
		}
	}
	d.add(s, section, at, changeWords(x, y, s), before, now, objects...)
}

// specText is what a part of a value becomes, in words.
func specText(s masking.Spec) string {
	switch s.Name {
	case "keep":
		return "kept"
	case "drop":
		return "dropped"
	}
	return "masked by " + DoOf(s).String()
}

// changeWords says what a change does to whoever is protected.
func changeWords(before, now masking.Spec, s Strength) string {
	a, b := rankOf(before), rankOf(now)
	left := [...]string{"values arrive in clear", "a part or the neighbourhood of each value arrives", "the key gives the values back",
		"only what is equal shows", "only that there is a value shows", "nothing but the place of a value is left", "nothing is left"}
	switch {
	case isDocument(before) || isDocument(now) || a < 0 || b < 0:
		return "other parts are masked, or otherwise"
	case a != b && wordOfSpec(before) == wordOfSpec(now):
		return fmt.Sprintf("masked otherwise: %s", left[b])
	case a != b:
		return fmt.Sprintf("%s → %s: %s", wordOfSpec(before), wordOfSpec(now), left[b])
	case s == Weaker:
		return "more of each value is left"
	case s == Stronger:
		return "less of each value is left"
	case sameMask(before, now):
		return "another domain: what was masked before does not join"
	}
	return "another mask, neither weaker nor stronger"
}

func wordOfSpec(s masking.Spec) string {
	switch s.Name {
	case "keep", "drop", deriveWord:
		return s.Name
	}
	return "mask"
}

// decisions compares what is decided about each column, inherited or listed.
func (d *differ) decisions() {
	was := map[string]*resolvedTable{}
	for i := range d.a.tables {
		was[d.a.tables[i].id] = &d.a.tables[i]
	}
	is := map[string]*resolvedTable{}
	for i := range d.b.tables {
		t := &d.b.tables[i]
		is[t.id] = t
		old := was[t.id]
		if old == nil {
			old = &resolvedTable{id: t.id, short: t.short, action: "absent", why: "not there"}
		}
		d.tableDecision(old, t)
	}
	for i := range d.a.tables {
		if t := &d.a.tables[i]; is[t.id] == nil {
			d.add(Changed, "tables", t.id, "the table is gone", Side{t.words(), t.where}, Side{}, t.short)
		}
	}
}

// words says what happens to a table.
func (t *resolvedTable) words() string {
	switch t.action {
	case "copy":
		return "rows are copied"
	case "drop":
		return "rows stay behind"
	case "none":
		return t.why
	case "absent":
		return ""
	}
	return "undecided: " + t.why
}

func (d *differ) tableDecision(old, now *resolvedTable) {
	before, after := Side{old.words(), old.where}, Side{now.words(), now.where}
	copied := func(t *resolvedTable) bool { return t.action == "copy" || t.action == "none" }
	switch {
	case old.action == now.action:
	case old.action == "drop" && copied(now):
		d.add(Weaker, "tables", now.id, "rows that stayed behind are copied", before, after, now.short)
	case copied(old) && now.action == "drop":
		d.add(Stronger, "tables", now.id, "rows stay behind", before, after, now.short)
	case old.action == "absent":
		d.add(Changed, "tables", now.id, "a new table", before, after, now.short)
	default:
		d.add(Changed, "tables", now.id, "decided otherwise", before, after, now.short)
	}
	if copied(old) && copied(now) {
		d.rows(now.id, now.short, old.rows, now.rows)
	}
	was := map[string]resolvedColumn{}
	for _, c := range old.columns {
		was[c.name] = c
	}
	for _, c := range now.columns {
		o, known := was[c.name]
		if !known {
			o = resolvedColumn{name: c.name, action: "absent"}
		}
		delete(was, c.name)
		if old.action == "drop" && now.action == "drop" || old.action == "absent" && !c.decided() {
			continue // said of the table
		}
		d.columnDecision(now.id+"."+c.name, now.short+"."+c.name, o, c)
	}
	for _, c := range old.columns {
		if _, gone := was[c.name]; gone && c.action != "drop" {
			d.add(Changed, "columns", now.id+"."+c.name, "the column is gone", c.side(), Side{}, now.short+"."+c.name)
		}
	}
}

// side says what happens to a column, and why.
func (c resolvedColumn) side() Side {
	var text string
	switch c.action {
	case "keep":
		text = "kept as " + c.class
	case "mask":
		text = fmt.Sprintf("masked as %s by %s", c.class, c.do)
	case deriveWord:
		text = fmt.Sprintf("%s as %s", c.do, c.class)
	case "drop":
		text = "not copied"
	case "absent":
		return Side{}
	default:
		return Side{c.action + ": " + c.why, c.where}
	}
	if c.why != "" && c.why != "listed" {
		text += " (" + c.why + ")"
	}
	return Side{text, c.where}
}

func (d *differ) columnDecision(at, short string, old, now resolvedColumn) {
	// Its old class may stand for it, and its new one not: a waiver of `public` would
	// accept whatever is made public. A table stands for its rows alone.
	objects := []string{short}
	if old.class != "" {
		objects = append(objects, old.class, "class "+old.class)
	}
	before, after := old.side(), now.side()
	add := func(s Strength, what string) { d.add(s, "columns", at, what, before, after, objects...) }
	decided := resolvedColumn.decided
	switch {
	case !decided(old) && !decided(now):
	case old.action == "drop" && decided(now):
		if now.action == "keep" {
			add(Weaker, "was not copied; values arrive in clear")
		} else {
			add(Weaker, "was not copied; masked values arrive")
		}
	case decided(old) && now.action == "drop":
		add(Stronger, "is no longer copied")
	case old.action == "no line" && now.action == "mask":
		add(Stronger, "a line masks it, whatever it would inherit")
	case old.action == "mask" && now.action == "no line":
		add(Weaker, "no line masks it any more: what it inherits may be kept")
	case !decided(old) && now.action == "keep":
		add(Changed, "new: values arrive in clear")
	case !decided(old):
		add(Changed, "new: masked")
	case !decided(now):
		add(Changed, "nothing decides about it any more")
	default:
		n := len(d.found)
		d.compare("columns", at, old.spec, now.spec, before, after, objects...)
		if s := compareKind(old.kind, now.kind); s != Same && old.kind != "" && now.kind != "" && old.class != now.class {
			add(s, fmt.Sprintf("class %s → %s, kind %s → %s: %s", old.class, now.class, old.kind, now.kind, auditWords(s)))
		} else if len(d.found) == n && old.class != now.class {
			add(Changed, fmt.Sprintf("class %s → %s", old.class, now.class))
		}
	}
}

// narrows reports whether the condition now is before and something more: `before AND x`,
// where no OR can stand between.
func narrows(before, now string) bool {
	more, adds := strings.CutPrefix(now, before)
	rest := strings.TrimLeft(more, " \t\n")
	words := strings.FieldsFunc(strings.ToLower(now), func(r rune) bool { return !unicode.IsLetter(r) && r != '_' })
	return adds && rest != more && strings.HasPrefix(strings.ToLower(rest), "and ") &&
		!slices.Contains(words, "or") && !slices.Contains(words, "xor") && !strings.ContainsAny(now, "|'\"`")
}

// rows compares the filters of a table.
func (d *differ) rows(at, short string, old, now *RowsRule) {
	if old == nil {
		old = &RowsRule{}
	}
	if now == nil {
		now = &RowsRule{}
	}
	add := func(s Strength, field, what, was, is string) {
		d.add(s, "tables", at+" rows."+field, what, d.before(was, old.At), d.now(is, now.At), at, short)
	}
	switch {
	case old.Where == now.Where:
	case now.Where == "":
		add(Weaker, "where", "all rows are copied", old.Where, "")
	case old.Where == "":
		add(Stronger, "where", "fewer rows are copied", "", now.Where)
	default:
		// Which of two conditions lets more rows through is the database's to say, unless
		// one only adds to the other: of any other change a person has to.
		s, what := Weaker, "other rows are copied, perhaps more"
		switch {
		case narrows(old.Where, now.Where):
			s, what = Stronger, "fewer rows are copied"
		case narrows(now.Where, old.Where):
			what = "more rows are copied"
		}
		add(s, "where", what, old.Where, now.Where)
	}
	part := func(f float64) float64 {
		if f == 0 {
			return 1
		}
		return f
	}
	percent := func(f float64) string { return fmt.Sprintf("%.4g%%", part(f)*100) }
	if s := byOrder(part(now.Sample), part(old.Sample)); s != Same {
		add(s, "sample", fmt.Sprintf("%s → %s of the rows", percent(old.Sample), percent(now.Sample)), percent(old.Sample), percent(now.Sample))
	}
	if old.Limit != now.Limit {
		s := byOrder(now.Limit, old.Limit)
		if old.Limit == 0 || now.Limit == 0 {
			s = s.reversed() // 0 is no limit
		}
		limit := func(n int64) string {
			if n == 0 {
				return "no limit"
			}
			return fmt.Sprintf("%d rows", n)
		}
		add(s, "limit", limit(old.Limit)+" → "+limit(now.Limit), limit(old.Limit), limit(now.Limit))
	}
}
