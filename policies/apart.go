package policies

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// apart is what keeps the rows of a table apart: a unique key, a unique index over
// expressions, or an exclusion constraint. No two rows answer to all of its parts.
type apart struct {
	name       string
	parts      []aspect
	nullsEqual bool
	partial    bool
	rule       *catalog.Rule // nil of a key
}

// aspect is one thing that an apart compares.
type aspect struct {
	catalog.Part
	col   *column        // nil for an expression of which it is not known what it tells apart
	under masking.Column // what the part calls equal, as the column's equality
	nulls bool           // NULL is equal to '', and to another NULL
}

// aparts returns all that keeps the table's rows apart.
func (t *table) aparts() (all []apart) {
	for _, k := range t.t.UniqueKeys() {
		all = append(all, t.apartBy(k))
	}
	for i := range t.t.Rules {
		r := &t.t.Rules[i]
		a := apart{name: r.Name, nullsEqual: r.NullsEqual, partial: len(r.Condition) > 0, rule: r}
		for _, p := range r.Parts {
			a.parts = append(a.parts, t.aspect(p))
		}
		all = append(all, a)
	}
	return all
}

// apartBy is a unique key as an apart.
func (t *table) apartBy(k catalog.Key) apart {
	a := apart{name: k.Name, nullsEqual: k.NullsEqual, partial: k.Partial}
	for _, name := range k.Columns {
		a.parts = append(a.parts, t.aspect(catalog.Part{Column: name}))
	}
	return a
}

func (t *table) aspect(p catalog.Part) aspect {
	c := aspect{Part: p, col: t.column(p.Column)}
	if c.col != nil {
		c.under = columnOf(c.col.col.Type)
		if c.under.Kind == masking.Text {
			c.under.Equality |= equalityOf(p.Equality)
		}
	} else if p.Column == "" {
		t.understand(&c)
	}
	return c
}

func (a apart) word() string {
	if a.rule != nil {
		return ruleWord(*a.rule)
	}
	return "unique key"
}

// columns are those of its parts that compare by equality.
func (a apart) columns() (names []string) {
	for _, p := range a.parts {
		if p.col != nil && p.Operator == "" {
			names = append(names, p.col.col.Name)
		}
	}
	return names
}

// sameParts reports whether two aparts, perhaps of two tables, compare the same.
func (a apart) sameParts(b apart) bool {
	return (a.rule == nil) == (b.rule == nil) && a.partial == b.partial && a.nullsEqual == b.nullsEqual &&
		slices.EqualFunc(a.parts, b.parts, func(p, q aspect) bool { return reflect.DeepEqual(p.Part, q.Part) })
}

// ofParent reports whether the table that this one is a partition of is copied and is kept apart
// by the same: what is to be said of that is said there.
func (c *compiler) ofParent(ts *table, a apart) bool {
	parent := c.partitioned(ts)
	return parent != nil && c.byID[parent.ID].copied() && slices.ContainsFunc(c.byID[parent.ID].aparts(), a.sameParts)
}

var (
	digestOfText = regexp.MustCompile(`(?i)^(?:md5|sha1|sha224|sha256|sha384|sha512|sha2?|digest|encode|unhex)\s*\((.*?)(?:,\s*(?:'\w[\w-]*'(?:::\w+)?|\d+)\s*)?\)$`)
	castOfDigest = regexp.MustCompile(`^(.*)::(?:uuid|bytea)$`)
	castOfText   = regexp.MustCompile(`^(.*)::(?:text|character varying)$`)
	emptyForNull = regexp.MustCompile(`(?i)^(?:coalesce|ifnull)\s*\((.*?),\s*''(?:::(?:text|character varying|[\w"]+\.citext|citext))?\s*\)$`)
)

// understand finds the column of an expression that tells values apart as the column itself does,
// as a coalesce to the empty text, or as their bytes do, whose digest it is: md5(url).
func (t *table) understand(c *aspect) {
	expression := strings.TrimSpace(c.Expression)
	strip := func(r *regexp.Regexp) bool {
		m := r.FindStringSubmatch(expression)
		if m != nil {
			expression = strings.TrimSpace(m[1])
		}
		return m != nil
	}
	var digest, empty, cast, needed bool
	for {
		switch {
		case strip(inBrackets):
		case strip(castOfText):
			cast = true
		case strip(digestOfText):
			digest = true
		case !digest && strip(castOfDigest): // a text as bytea is not its bytes
			needed = true
		case strip(emptyForNull):
			empty = true
		default:
			if digest || !needed {
				t.understood(c, unquoted(expression), digest, empty, cast)
			}
			return
		}
	}
}

// understood takes the column that is left of an expression, if the rest tells its values apart.
func (t *table) understood(c *aspect, name string, digest, empty, cast bool) {
	col := t.column(name)
	if col == nil || !slices.Equal(c.Reads, []string{name}) || c.Operator != "" || !digest && !empty {
		return
	}
	under := columnOf(col.col.Type)
	switch {
	case under.Kind == masking.Text && (digest || !cast || under.Equality == 0):
	case !empty && (under.Kind == masking.Int || under.Kind == masking.UUID || under.Kind == masking.Bytes):
	default:
		return // 1.0 and 1.00 are one number, and two texts
	}
	if digest {
		under.Equality = 0
	}
	c.col, c.under, c.nulls = col, under, empty
}

// doubtKind is why rows that are apart may not be so once they are masked, least first.
type doubtKind uint8

const (
	certain   doubtKind = iota
	moving              // all dates move alike, save at the ends of time
	alikeMore           // the masks call more values equal than the part does
	unknown             // nobody knows what an expression makes of masks
	unordered           // the masks do not keep what an operator asks
	lossy               // different values get one mask
)

// doubt is a masked column by which two rows may come out equal that were apart.
type doubt struct {
	kind  doubtKind
	col   *column
	part  aspect
	folds masking.Equality // what makes no difference to the masks, and does to the part
}

// doubt returns the gravest doubt about an apart; its kind is certain if there is none. An unfit
// or undecided column has been complained about already.
func (t *table) doubt(a apart) (worst doubt) {
	for _, p := range a.parts {
		if p.col != nil && p.col.decision != nil && p.col.decision.nulls() && !a.nullsEqual && !p.nulls {
			return doubt{} // a row without the value answers to nothing
		}
	}
	for _, p := range a.parts {
		if d := t.doubtOf(a, p); d.kind > worst.kind {
			worst = d
		}
	}
	if worst.kind != certain && t.carried(a) {
		return doubt{}
	}
	return worst
}

func (t *table) doubtOf(a apart, p aspect) doubt {
	col := p.col
	if col == nil {
		masked := t.maskedAmong(p.Reads)
		switch {
		case masked == nil || p.Column != "":
			return doubt{}
		case p.Operator != "" && t.allMoveAlike(a, p.Reads):
			return doubt{kind: moving, col: masked, part: p}
		}
		return doubt{kind: unknown, col: masked, part: p}
	}
	d := doubt{col: col, part: p}
	switch d.folds = finer(p.under, col.group.limits); {
	case col.decision == nil || col.decision.keep || !col.bound:
		return doubt{}
	case p.Operator == "<>" && col.binding.Group == nil:
		return doubt{} // rows that are equal in the rest were equal in this, and are
	case p.Operator != "" && t.movesAlike(a, col):
		d.kind = moving
	case p.Operator != "":
		d.kind = unordered
	case !t.distinct(col) && t.movesAlike(a, col):
		d.kind = moving
	case !t.distinct(col):
		d.kind = lossy
	case p.nulls && !col.binding.Guarantees.KeepsEmpty:
		d.kind = unknown
	case d.folds != 0:
		d.kind = alikeMore
	}
	return d
}

// distinct reports whether different values of a masked column have different masks.
func (t *table) distinct(col *column) bool {
	return col.bound && col.binding.Guarantees.Unique(t.rows())
}

// carried reports whether something else keeps every two rows apart, by no more columns, and goes
// on to do so once they are masked.
func (t *table) carried(a apart) bool {
	return slices.ContainsFunc(t.aparts(), func(other apart) bool {
		return !other.partial && other.name != a.name && t.carries(other, a)
	})
}

// carries reports whether masked rows that answer to all of a have answered to all of other: of
// each column other calls all equal that the masks do, and that a does.
func (t *table) carries(other, a apart) bool {
	return !slices.ContainsFunc(other.parts, func(o aspect) bool {
		at := slices.IndexFunc(a.parts, func(p aspect) bool { return p.col != nil && p.col == o.col && p.Operator == "" })
		if at < 0 || o.Operator != "" {
			return true
		}
		p, d := a.parts[at], o.col.decision
		switch {
		case d == nil || d.nulls() || p.nulls && !o.nulls:
			return true
		case a.nullsEqual && !other.nullsEqual && !o.nulls && !o.col.col.NotNull:
			return true // two NULLs differ for the one and are equal for the other
		case d.keep:
			return finer(o.under, p.under) != 0
		}
		return !t.distinct(o.col) || finer(o.under, o.col.group.limits) != 0 || finer(o.under, p.under) != 0
	})
}

// finer is what makes no difference to the values of one column and does to those of another.
func finer(col, than masking.Column) (more masking.Equality) {
	if col.Kind == masking.Text {
		own := col.Equality
		if own&masking.FoldCase != 0 {
			own |= masking.FoldASCII
		}
		more = than.Equality &^ own
	}
	if col.Element != nil && than.Element != nil {
		more |= finer(*col.Element, *than.Element)
	}
	for i := range min(len(col.Fields), len(than.Fields)) {
		more |= finer(col.Fields[i], than.Fields[i])
	}
	return more
}

// movesAlike reports whether the dates of a masked column all move by the same days in the rows
// that are equal in the other parts of a, so that what is equal stays so, and what overlaps.
func (t *table) movesAlike(a apart, col *column) bool {
	s := shiftOf(col)
	if s == nil {
		return false
	}
	by, given := s.Params["by"].(string)
	if !given {
		return true
	}
	found, _, _ := findColumn(t.t, by)
	return found != nil && slices.ContainsFunc(a.parts, func(p aspect) bool {
		return p.col != nil && p.col.col == found && p.Operator == "" && p.col.decision != nil && (p.col.decision.keep || t.distinct(p.col))
	})
}

// shiftOf is the shift by which a column's dates move, or nil if there is none, or one that looks
// at the date.
func shiftOf(col *column) *masking.Spec {
	if col.decision == nil || col.decision.keep || !col.bound {
		return nil
	}
	s := &col.decision.spec
	if s.Name == "each" && s.Inner != nil {
		s = s.Inner
	}
	if s.Name != "shift_days" || s.Params["within"] != nil {
		return nil
	}
	return s
}

// allMoveAlike reports whether all of the columns are dates that move by the same days.
func (t *table) allMoveAlike(a apart, names []string) bool {
	var first *masking.Spec
	for _, name := range names {
		col := t.column(name)
		if col == nil || !t.movesAlike(a, col) {
			return false
		}
		switch s := shiftOf(col); {
		case first == nil:
			first = s
		case !reflect.DeepEqual(first, s):
			return false
		}
	}
	return first != nil
}

// say warns of a doubt that is no error.
func (c *compiler) say(ts *table, a apart, d doubt) {
	const late = "if it does not, the run fails when its index is made"
	switch d.kind {
	case moving:
		c.warnKey(ts, d.col, a.word(), a.name, "stands in ", "moving", ": all its dates move alike, but for those within the days of a shift of the earliest and the latest that a shift makes, which may move the other way; if that breaks it, the run fails when its index is made")
	case unknown:
		c.warnKey(ts, d.col, a.word(), a.name, "is masked, and read by ", d.part.Expression, ", by the expression "+clip(d.part.Expression)+": whether that holds for masked values cannot be known, and "+late)
	case alikeMore:
		c.sayFolding(ts, a, d)
	}
}
