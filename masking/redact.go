package masking

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// redactFactory makes {redact: [email, phone, …, known_names], else:
// keep|shape|lorem}: what a text holds of other classes is masked as these classes
// are, and else says what becomes of the rest.
//
// # The patterns
//
// Each pattern finds its hits by their form alone (see scanner). A hit is masked by
// the transform that the policy gives the class of that name, in that class's
// domain: so ann@corp.example in a note becomes exactly what it becomes in the
// column of addresses. Which spellings are one value (ANN@corp.example, 030/12 34)
// is the class's own business. A pattern that the policy has no class for is masked
// by fake, in the domain of the redacted column. A mask that is NULL takes the hit
// away.
//
// # The row's own values
//
// known_names finds what stands in the other masked columns of the same row, and
// puts their masks in its place (see nameFinder). It needs a row: inside a
// document it is refused.
//
// # The rest
//
// keep leaves it; shape masks letters and digits as {shape: text} does, by the whole
// value; lorem puts other words there, as {lorem: words} does. There is no default:
// a policy that lets text pass says so.
//
// A hit may become longer. What is then longer than the column is cut at its end,
// between two characters: of what was there nothing comes back by that.
//
// Bytes that are not UTF-8 are no part of a hit. They stay with keep, and become
// other signs else.
type redactFactory struct{}

func (redactFactory) Describe() Description {
	return Description{
		Name:    "redact",
		Version: 1,
		Summary: "Finds emails, phone and card numbers, other patterns and the row's own masked values in a text, and masks each as its class; else says what becomes of the rest.",
		Kinds:   []Kind{Text},
		Value:   "a list of " + patternList,
		Params:  []Param{{Name: "else", Summary: "what becomes of the rest: keep, shape (letters for letters, digits for digits) or lorem (other words)", Type: "string", Required: true}},
		Samples: []Sample{{
			Spec:   Spec{Variant: []any{"email", "phone", "known_names"}, Params: map[string]any{"else": "keep"}},
			Column: Column{Name: "note", Kind: Text},
			Values: []string{"Ann Smith (ann@corp.example) asks for a refund.", "SMITH called from +1 212 555 0123", "No answer on 2024-02-29."},
			Beside: []SampleColumn{{
				Column: Column{Name: "name", Kind: Text},
				Spec:   Spec{Name: "fake", Variant: "person_name"},
				Values: []string{"Ann Smith", "John Smith", "Ann Smith"},
			}},
		}},
	}
}

// redactRest is what becomes of what no hit is.
type redactRest uint8

const (
	restKeep redactRest = iota
	restShape
	restLorem
)

// defaultMasks are the variants of fake that mask a pattern without a class.
var defaultMasks = patternNames

func (redactFactory) Bind(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("redact", col); err != nil {
		return Binding{}, err
	}
	if err := refuseUnique("redact", col, "{token: hex} or {token: base32}"); err != nil {
		return Binding{}, err
	}
	t := &redactTransform{charset: col.Charset, maxChars: col.MaxChars, maxBytes: col.MaxBytes}
	b := Binding{Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true}}
	var pinned []string
	switch rest := req.Spec.Params["else"]; rest {
	case "keep":
		b.Warnings = append(b.Warnings, "else: keep: what no pattern finds comes through as it is")
	case "shape":
		t.rest, t.shape = restShape, newShape(req.Key, "redact shape")
		t.shape.within(col.Charset)
		t.shape.charset = Unicode // writeRest narrows each gap: the hits stand by the bytes of the original
		pinned = append(pinned, "rest by "+shapePinned())
	case "lorem":
		t.rest, t.lorem = restLorem, newLorem(req.Key, "redact lorem")
		pinned = append(pinned, "rest by "+loremPinned)
	default:
		return Binding{}, &BindError{Reason: fmt.Sprintf("redact: else cannot be %v", rest), Help: "else is keep, shape or lorem"}
	}
	list, isList := req.Spec.Variant.([]any)
	if !isList || len(list) == 0 {
		return Binding{}, &BindError{Reason: "redact names no pattern", Help: "write a list: {redact: [email, phone], else: shape}; there are " + patternList}
	}
	names := false
	for _, entry := range list {
		name, _ := entry.(string)
		p, known := textPatternOf(name)
		switch {
		case name == "known_names" && !names:
			names = true
			continue
		case name == "known_names" || known && t.scan.wants(p):
			return Binding{}, &BindError{Reason: fmt.Sprintf("redact names the pattern %s twice", name), Help: "leave one out"}
		case !known:
			return Binding{}, &BindError{Reason: fmt.Sprintf("redact has no pattern %v", entry), Help: "the patterns are " + patternList}
		}
		t.scan.want |= 1 << p
		pin, err := t.bindPattern(req, p, &b)
		if err != nil {
			return Binding{}, err
		}
		pinned = append(pinned, pin)
	}
	if names {
		pin, err := t.bindNames(req, &b)
		if err != nil {
			return Binding{}, err
		}
		pinned = append(pinned, pin...)
	}
	b.Pinned = strings.Join(pinned, "; ")
	if t.names == nil {
		b.Transform = t
		return b, nil
	}
	b.Group = redactGroup{t}
	b.Inputs, b.Outputs = t.names.inputs, []string{col.Name}
	return b, nil
}

// bindPattern binds what masks the hits of a pattern.
func (t *redactTransform) bindPattern(req Request, p pattern, b *Binding) (pinned string, err error) {
	name := patternNames[p]
	spec, given := req.Spec.Classes[name]
	if !given {
		spec = Spec{Name: "fake", Variant: defaultMasks[p], Domain: req.Spec.Domain}
	}
	col := Column{Table: req.Column.Table, Name: req.Column.Name + " " + name, Kind: Text, Charset: req.Column.Charset, Rows: req.Column.Rows}
	child, err := req.Bind(col, spec)
	var complaint *BindError
	switch {
	case errors.As(err, &complaint):
		return "", &BindError{Reason: fmt.Sprintf("redact, pattern %s: %s", name, complaint.Reason), Help: complaint.Help}
	case err != nil:
		return "", fmt.Errorf("redact, pattern %s: %w", name, err)
	case child.Transform == nil:
		return "", &BindError{
			Reason: fmt.Sprintf("redact, pattern %s: its class masks several columns together, and a hit in a text stands alone", name),
			Help:   fmt.Sprintf("give the class %s a transform of one column, such as fake, and the columns the other", name),
		}
	}
	t.masks[p] = child.Transform
	b.Guarantees.Deterministic = b.Guarantees.Deterministic && child.Guarantees.Deterministic
	for _, w := range child.Warnings {
		b.Warnings = append(b.Warnings, fmt.Sprintf("pattern %s: %s", name, w))
	}
	return strings.TrimSpace(name + " " + child.Pinned), nil
}

// redactTransform masks a batch at a time: it finds all hits, masks those of each
// pattern as one array, and then writes the texts.
type redactTransform struct {
	scan  scanner
	masks [patterns]Transform
	rest  redactRest
	shape *shapeTransform // of restShape
	lorem *loremTransform // of restLorem
	names *knownNames     // nil if they are not wanted, or there are none

	charset            Charset
	maxChars, maxBytes int // 0 is no limit
}

// redactGroup is a redactTransform that reads other columns of the row.
type redactGroup struct{ *redactTransform }

type redactScratch struct {
	found, hits []textHit // by the patterns, and with the names
	ends        []int32   // where the hits of each row end
	run         digitRun
	finder      nameFinder
	stream      loremStream
}

var redactScratches = sync.Pool{New: func() any { return new(redactScratch) }}

func (s *redactScratch) free() {
	s.found, s.hits, s.ends = s.found[:0], s.hits[:0], s.ends[:0]
	s.run = digitRun{}
	s.finder.forget()
	redactScratches.Put(s)
}

func (t *redactTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	return t.apply(mem, in, nil)
}

// ApplyGroup takes the texts, and the columns that known names stand in.
func (t redactGroup) ApplyGroup(mem memory.Allocator, in []arrow.Array) ([]arrow.Array, error) {
	out, err := t.apply(mem, in[0], in)
	if err != nil {
		return nil, err
	}
	return []arrow.Array{out}, nil
}

func (t *redactTransform) apply(mem memory.Allocator, in arrow.Array, row []arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	s := redactScratches.Get().(*redactScratch)
	defer s.free()
	for i := range values.n {
		if !values.null(i) {
			s.found = t.scan.scan(s.found, &s.run, values.value(i))
		}
		s.ends = append(s.ends, int32(len(s.found)))
	}
	hits := s.found
	if row != nil {
		masks, err := t.names.mask(mem, row)
		if err != nil {
			return nil, err
		}
		defer masks.release()
		s.finder.charset = t.charset
		hits = s.addNames(t.names, &values, row, masks)
	}
	masked, err := t.maskHits(mem, &values, s, hits)
	if err != nil {
		return nil, err
	}
	defer masked.release()
	var shaped texts
	if t.rest == restShape {
		whole, err := t.shape.Apply(mem, in)
		if err != nil {
			return nil, err
		}
		defer whole.Release()
		shaped = textsOf(whole)
	}
	out := newTextBuilder(mem, values.n, bytesOf(&values)+masked.size+len(s.finder.masks))
	first := 0
	for i := range values.n {
		last := int(s.ends[i])
		if values.null(i) {
			out.null()
			continue
		}
		v := values.value(i)
		rest := v
		if t.rest == restShape {
			rest = shaped.value(i)
		}
		if t.rest == restLorem {
			s.stream.start(t.lorem, v)
		}
		start, at := len(out.buf), 0
		for _, h := range hits[first:last] {
			t.writeRest(out, rest[at:h.from], v[at:h.from], s)
			at = int(h.to)
			var mask []byte
			if h.what == knownName {
				mask = s.finder.masks[h.at:h.end]
			} else {
				mask = masked.of(h)
			}
			out.grow(len(mask))
			out.buf = append(out.buf, mask...)
		}
		t.writeRest(out, rest[at:], v[at:], s)
		if t.maxChars > 0 || t.maxBytes > 0 {
			fit := cutText(out.buf[start:], t.maxChars, t.maxBytes)
			out.buf = out.buf[:start+len(fit)]
		}
		out.end()
		first = last
	}
	return out.finish(), nil
}

// writeRest adds what lies between two hits, and was src.
func (t *redactTransform) writeRest(out *textBuilder, rest, src []byte, s *redactScratch) {
	out.grow(len(rest))
	if t.rest == restLorem {
		out.buf = s.stream.write(out.buf, rest)
		return
	}
	if t.rest == restShape && t.charset == ASCII {
		out.buf = t.shape.appendASCII(out.buf, rest)
		return
	}
	if t.rest == restShape {
		out.buf = t.charset.appendHeld(out.buf, rest, src)
		return
	}
	out.buf = append(out.buf, rest...)
}

// maskedHits are the masks of a batch's hits, an array for each pattern.
type maskedHits struct {
	arrays [patterns]arrow.Array
	texts  [patterns]texts
	size   int
}

func (m *maskedHits) release() {
	for _, a := range m.arrays {
		if a != nil {
			a.Release()
		}
	}
}

// addHit adds a hit as the column would hold it: an address without the characters
// that have no width.
func addHit(in *textBuilder, what pattern, hit []byte) {
	in.grow(len(hit))
	if what != patternEmail || isASCII(hit) {
		in.add(hit)
		return
	}
	for i := 0; i < len(hit); {
		r, size := utf8.DecodeRune(hit[i:])
		if !isInvisible(r) {
			in.buf = append(in.buf, hit[i:i+size]...)
		}
		i += size
	}
	in.end()
}

// of returns the mask of a hit of a pattern.
func (m *maskedHits) of(h textHit) []byte {
	t := &m.texts[h.what]
	if t.null(int(h.at)) {
		return nil
	}
	return t.value(int(h.at))
}

// maskHits masks the hits of each pattern as one array, and numbers them.
func (t *redactTransform) maskHits(mem memory.Allocator, values *texts, s *redactScratch, hits []textHit) (m maskedHits, err error) {
	var count, size [patterns]int
	for i := range hits {
		if h := &hits[i]; h.what != knownName {
			h.at = int32(count[h.what])
			count[h.what]++
			size[h.what] += int(h.to - h.from)
		}
	}
	var in [patterns]*textBuilder
	for p, n := range count {
		if n > 0 {
			in[p] = newTextBuilder(mem, n, size[p])
		}
	}
	first := 0
	for i := range values.n {
		last := int(s.ends[i])
		for _, h := range hits[first:last] {
			if h.what != knownName {
				addHit(in[h.what], h.what, values.value(i)[h.from:h.to])
			}
		}
		first = last
	}
	for p, b := range in {
		if b == nil {
			continue
		}
		a := b.finish()
		if err == nil {
			m.arrays[p], err = t.masks[p].Apply(mem, a)
		}
		a.Release()
		if err != nil {
			err = t.rowOf(err, pattern(p), s, hits)
			continue
		}
		m.texts[p] = textsOf(m.arrays[p])
		m.size += m.texts[p].size()
	}
	if err != nil {
		m.release()
	}
	return m, err
}

// rowOf gives the error of a hit the row that it stands in.
func (t *redactTransform) rowOf(err error, p pattern, s *redactScratch, hits []textHit) error {
	var ve *ValueError
	if !errors.As(err, &ve) || ve.Column != "" {
		return err
	}
	at := slices.IndexFunc(hits, func(h textHit) bool { return h.what == p && int(h.at) == ve.Row })
	row := slices.IndexFunc(s.ends, func(end int32) bool { return int(end) > at })
	return &ValueError{Row: row, Reason: fmt.Sprintf("%s in the text: %s", patternNames[p], ve.Reason), Help: ve.Help}
}
