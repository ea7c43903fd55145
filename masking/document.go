package masking

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// document is what becomes of the values of a document, by the paths that lead to
// them. It is immutable.
type document struct {
	root      *pathNode
	rest      *pathRule // of *
	children  []child
	most      limits
	malformed malformed
	charset   Charset
}

// malformed is what becomes of a document that cannot be read.
type malformed uint8

const (
	malformedFails malformed = iota
	malformedNull            // the column becomes NULL
	malformedDrops           // the document is dropped whole
)

// malformedOf reads the parameter malformed.
func malformedOf(name string, req Request) (malformed, error) {
	switch v := req.Spec.Params["malformed"]; v {
	case nil, "fail":
		return malformedFails, nil
	case "null":
		if req.Column.NotNull {
			return 0, &BindError{Reason: "a malformed document cannot become NULL: the column is NOT NULL", Help: "write malformed: drop"}
		}
		return malformedNull, nil
	case "drop":
		return malformedDrops, nil
	default:
		return 0, &BindError{Reason: fmt.Sprintf("%s: malformed is none of fail, null, drop", name), Help: `write malformed: fail, malformed: "null", or malformed: drop`}
	}
}

// pathRule is what becomes of the values at one path. It is immutable.
type pathRule struct {
	action pathAction
	// The children that mask strings and the rest, numbers that are whole, other
	// numbers, booleans, dates, and dates with a time; -1 is none.
	text, integer, number, boolean, date, instant int

	anywhere bool // the rule of *
}

func newPathRule(action pathAction) *pathRule {
	return &pathRule{action: action, text: -1, integer: -1, number: -1, boolean: -1, date: -1, instant: -1}
}

type pathAction uint8

const (
	ruleDrop pathAction = iota
	ruleKeep
	ruleMask
)

var dropRule = newPathRule(ruleDrop)

// documentBinding makes a document.
type documentBinding struct {
	document
	req    Request
	name   string // of the transform
	b      Binding
	pinned []string
}

// bindDocument binds the paths of a transform of documents. parse reads a path but
// that of *; attributes is pathSet's.
func bindDocument(name string, req Request, parse func(string) ([]pathKey, error), attributes bool) (*documentBinding, error) {
	if err := refuseLabels(name, req.Column); err != nil {
		return nil, err
	}
	d := &documentBinding{req: req, name: name, b: Binding{Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true}}}
	d.most, d.charset = limitsOf(req.Column), req.Column.Charset
	var err error
	if d.malformed, err = malformedOf(name, req); err != nil {
		return nil, err
	}
	paths := pathSet{attributes: attributes}
	for _, p := range req.Spec.Paths {
		var keys []pathKey
		if p.Path != "*" {
			if keys, err = parse(p.Path); err != nil {
				return nil, err
			}
		}
		rule, err := d.bind(p)
		if err != nil {
			return nil, err
		}
		if p.Path == "*" {
			if d.rest != nil {
				return nil, &BindError{Reason: "the path * stands twice"}
			}
			rule.anywhere = true
			d.rest = rule
			continue
		}
		if rule.action != ruleDrop && slices.ContainsFunc(keys, func(k pathKey) bool { return k.step == toAny || k.step == toDeep }) {
			d.b.Warnings = append(d.b.Warnings, "path "+p.Path+": members that it does not name"+keepTheirNames)
		}
		if err := paths.add(p.Path, keys, rule); err != nil {
			return nil, err
		}
	}
	if d.rest == nil {
		return nil, &BindError{Reason: name + " does not say what becomes of the paths that it does not name", Help: `add the path "*": drop`}
	}
	if d.root, err = paths.root(); err != nil {
		return nil, err
	}
	d.b.Pinned = strings.Join(d.pinned, "; ")
	return d, nil
}

const keepTheirNames = " keep their names, which may tell as much as their values"

// bind binds the transform of one path.
func (d *documentBinding) bind(p PathSpec) (*pathRule, error) {
	req, b := d.req, &d.b
	rule := newPathRule(ruleMask)
	if p.Spec.Name == "keep" || p.Spec.Name == "drop" {
		if p.Spec.Variant != nil || len(p.Spec.Params) > 0 || len(p.Spec.Paths) > 0 {
			return nil, &BindError{Reason: fmt.Sprintf("path %s: %s takes no parameters", p.Path, p.Spec.Name)}
		}
		rule.action = ruleDrop
		if p.Spec.Name == "keep" {
			rule.action = ruleKeep
			if p.Path == "*" {
				b.Warnings = append(b.Warnings, "all paths that are not named are kept, those of tomorrow too")
			}
		}
		return rule, nil
	}
	if p.Path == "*" {
		b.Warnings = append(b.Warnings, "members that no path names"+keepTheirNames)
	}
	var complaints []string
	var help string
	note := func(to *[]string, s string) {
		if !slices.Contains(*to, s) {
			*to = append(*to, s)
		}
	}
	try := func(col Column, slot *int) error {
		col.Table, col.Name, col.Charset = req.Column.Table, req.Column.Name+" "+p.Path, req.Column.Charset
		bound, err := req.Bind(col, p.Spec)
		var complaint *BindError
		switch {
		case errors.As(err, &complaint):
			if first := len(complaints) == 0; first || !strings.Contains(complaint.Reason, "cannot mask a column of kind") {
				note(&complaints, complaint.Reason)
				help = complaint.Help
			}
			return nil
		case err != nil:
			return fmt.Errorf("path %s: %w", p.Path, err)
		case bound.Transform == nil:
			note(&complaints, "it masks several columns together, and a path is one")
			return nil
		}
		*slot = len(d.children)
		d.children = append(d.children, child{place: "path " + p.Path, column: col, transform: bound.Transform})
		b.Guarantees.Deterministic = b.Guarantees.Deterministic && bound.Guarantees.Deterministic
		for _, w := range bound.Warnings {
			note(&b.Warnings, fmt.Sprintf("path %s: %s", p.Path, w))
		}
		if bound.Pinned != "" {
			note(&d.pinned, p.Path+" "+bound.Pinned)
		}
		return nil
	}
	for _, k := range []struct {
		col  Column
		slot *int
	}{
		{Column{Kind: Text, NarrowBits: req.Column.NarrowBits}, &rule.text},
		{Column{Kind: Int, Bits: 64, NarrowBits: req.Column.NarrowBits}, &rule.integer},
		{Column{Kind: Numeric}, &rule.number},
		{Column{Kind: Float, Bits: 64}, &rule.number},
		{Column{Kind: Bool}, &rule.boolean},
		{Column{Kind: Date}, &rule.date},
		{Column{Kind: Timestamp}, &rule.instant},
	} {
		if *k.slot >= 0 || rule.text >= 0 && k.slot != &rule.integer && k.slot != &rule.number {
			continue // texts and numbers are told apart before; all else is a text to it
		}
		if err := try(k.col, k.slot); err != nil {
			return nil, err
		}
	}
	if max(rule.text, rule.integer, rule.number, rule.boolean, rule.date, rule.instant) < 0 {
		return nil, &BindError{Reason: fmt.Sprintf("path %s: %s", p.Path, strings.Join(complaints, "; ")), Help: help}
	}
	return rule, nil
}

// walk walks every value into a skeleton; one walks a value that is not blank, notes
// what is masked, and ends the row. A document that is dropped whole leaves gone.
func (d *document) walk(s *skeleton, values *texts, gone string, one func(doc []byte) error) error {
	for i := range values.n {
		s.row = int32(i)
		if values.null(i) {
			s.nullRow()
			continue
		}
		v := values.value(i)
		if blank(v) {
			s.sameRow()
			continue
		}
		start := len(s.out)
		if err := one(v); err != nil {
			if d.malformed == malformedFails {
				return err
			}
			s.undo(start)
			if d.malformed == malformedNull {
				s.nullRow()
				continue
			}
			s.out = append(s.out, gone...)
			s.endRow()
		}
	}
	return nil
}

// typedValue is a text as the value of the child that masks it.
type typedValue struct {
	child   int
	kind    Kind
	text    []byte // of Text and Numeric
	rest    []byte // of the text, behind a Date that stands before a time of day
	number  int64  // of Int, Date and Timestamp
	float   float64
	boolean bool
	form    instantForm
}

// typed returns the value that a whole text is to the rule, or reports that the rule
// takes no such value. A number without its exponent is written to digits.
func (r *pathRule) typed(children []child, text []byte, digits *[]byte) (v typedValue, ok bool) {
	if r.text >= 0 {
		return typedValue{child: r.text, kind: Text, text: text}, true
	}
	if r.integer >= 0 {
		if v.number, ok = wholeNumber(text, true); ok {
			v.child, v.kind = r.integer, Int
			return v, true
		}
	}
	if r.number >= 0 && len(text) > 0 && jsonNumber(text) == len(text) {
		v.child, v.kind = r.number, children[r.number].column.Kind
		if v.kind == Float {
			v.float, ok = parseFloat(text)
		} else {
			*digits, ok = appendDecimal((*digits)[:0], text)
			v.text = *digits
		}
		return v, ok
	}
	if r.boolean >= 0 && (string(text) == "true" || string(text) == "false") {
		return typedValue{child: r.boolean, kind: Bool, boolean: text[0] == 't'}, true
	}
	const day = len("2006-01-02")
	if r.instant >= 0 && len(text) > day && text[4] == '-' && text[len(text)-1] != 'C' {
		if v.number, v.form, ok = parseInstant(text); ok {
			v.child, v.kind = r.instant, Timestamp
			return v, true
		}
	}
	if r.date >= 0 && (r.instant < 0 || len(text) == day) {
		if d, is := parseDay(text); is {
			return typedValue{child: r.date, kind: Date, number: int64(d), rest: text[day:]}, true
		}
	}
	return v, false
}

// addTo adds the value to the arguments of its child.
func (v *typedValue) addTo(a *arguments) {
	switch v.kind {
	case Int:
		a.addInt(v.number)
	case Timestamp:
		a.addInstant(v.number, v.form)
	case Date:
		a.addDay(int32(v.number))
	case Float:
		a.addFloat(v.float)
	case Bool:
		a.addBool(v.boolean)
	default:
		a.addText(v.text)
	}
}
