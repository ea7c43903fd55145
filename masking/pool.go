package masking

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// poolVariants is {fake: {gofakeit: FUNCTION}}: whatever one of gofakeit's
// generators makes, from a pool of its values that stands in the dictionary, since
// gofakeit itself promises no stable output. The pool's hash is pinned.
//
// The choice is keyed by the canonical value. A value never becomes itself; one that no
// pool value fits beside is refused when the transform is bound. Numbers are taken
// from pools of which every value is one that the column holds.
//
// gofakeit's values are not made to be nobody's: where there is a transform of
// the kind – email, phone, pan, first_name – that one is the mask.
var poolVariants = []fakeVariant{{"gofakeit", nil, bindPool, []Sample{
	{Spec: Spec{Variant: map[string]any{"gofakeit": "color"}}, Column: Column{Kind: Text}, Values: []string{"blue", "dark red", ""}},
	{Spec: Spec{Variant: map[string]any{"gofakeit": "int16"}}, Column: Column{Kind: Int, Bits: 32}, Values: []string{"1", "-7", "40000"}},
}}}

func bindPool(req Request) (Binding, error) {
	col := req.Column
	form, _ := req.Spec.Variant.(map[string]any)
	function, isText := form["gofakeit"].(string)
	if !isText {
		return Binding{}, &BindError{Reason: "fake gofakeit needs the name of one of gofakeit's functions", Help: "write {fake: {gofakeit: color}}"}
	}
	values, hash, known := dictionary.Pool(function)
	if !known {
		help := "gofakeit's functions are written as in its table, in small letters: color, carmodel, beername"
		if near := nearest(strings.ToLower(function), dictionary.Pools()); near != nil {
			help = "did you mean " + strings.Join(near, ", ") + "?"
		}
		return Binding{}, &BindError{Reason: fmt.Sprintf("there is no pool of gofakeit's function %q", function), Help: help}
	}
	name := "fake gofakeit " + strings.ToLower(function)
	if err := refuseLabels(name, col); err != nil {
		return Binding{}, err
	}
	if err := refuseUnique(name, col, "a pseudonym or a token"); err != nil {
		return Binding{}, err
	}
	b := Binding{
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     fmt.Sprintf("gofakeit's %s, %d values, SHA-256 %s, Unicode %s", strings.ToLower(function), len(values), hash, unicode.Version),
	}
	if col.Kind == Text {
		list, fits := textPool(values, col)
		if fits == 0 {
			return Binding{}, &BindError{Reason: fmt.Sprintf("none of the values of gofakeit's %s fits the column", function), Help: "the column is too short, or its character set too small: choose another function, or token"}
		}
		if fits < fewValues {
			b.Warnings = append(b.Warnings, fmt.Sprintf("%d different values fit the column, and frequencies re-identify", fits))
		}
		b.Transform = &choiceTransform{
			prf: newPRF(req.Key.For(name)), shape: newShape(req.Key, name+" shape"), chooser: poolChooser(list),
			equality: col.Equality, charset: col.Charset, fixed: poolASCII, limit: limitsOf(col),
		}
		return b, nil
	}
	t := &numberPool{prf: newPRF(req.Key.For(name)), kind: col.Kind}
	if !t.take(values, col) {
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("not all values of gofakeit's %s are numbers that the column holds", function),
			Help:   "choose a function that makes small numbers, as int8 or digit; or {number: permute}",
		}
	}
	if len(values) < fewValues {
		b.Warnings = append(b.Warnings, fmt.Sprintf("there are %d different values, and frequencies re-identify", len(values)))
	}
	b.Transform = t
	return b, nil
}

// nearest returns up to five of the names that a misspelled one may mean.
func nearest(name string, names []string) []string {
	type near struct {
		name     string
		distance int
	}
	var all []near
	for _, n := range names {
		d := distance(name, n)
		if len(name) >= 3 && strings.Contains(n, name) {
			d = min(d, 2)
		}
		if d <= 3 && d < len(name) {
			all = append(all, near{n, d})
		}
	}
	slices.SortStableFunc(all, func(a, b near) int { return a.distance - b.distance })
	var best []string
	for _, n := range all[:min(len(all), 5)] {
		best = append(best, n.name)
	}
	return best
}

// distance returns how many letters must be put in, left out or exchanged to make b
// of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// textPool returns the values that the column's character set holds, and how many
// of them fit its length.
func textPool(values []string, col Column) (list []phrase, fits int) {
	s := getScratch()
	defer s.free()
	limit := limitsOf(col)
	for _, v := range values {
		if strings.IndexFunc(v, func(r rune) bool { return !col.Charset.Holds(r) }) >= 0 || blank([]byte(v)) {
			continue
		}
		var ns nameScratch
		p := phrase{text: [3]string{v, v, v}, chars: utf8.RuneCountInString(v), bytes: len(v)}
		p.folded = string(canonicalPhrase(s, &ns, []byte(v), FoldCase))
		p.base = string(canonicalPhrase(s, &ns, []byte(v), FoldCase|FoldAccents))
		list = append(list, p)
		if p.chars <= limit.chars && p.bytes <= limit.bytes {
			fits++
		}
	}
	return list, fits
}

// poolChooser chooses a value of a pool that fits and is not the value itself.
type poolChooser []phrase

func (l poolChooser) append(dst []byte, c *chosen) []byte {
	draw, i := c.draw[0], 0
	fits := func(p *phrase) bool {
		form := p.folded
		if c.base {
			form = p.base
		}
		return p.chars <= c.limit.chars && p.bytes <= c.limit.bytes && string(c.own) != form
	}
	for range tries {
		if i = below32(draw, len(l)); fits(&l[i]) {
			return append(dst, l[i].text[0]...)
		}
		draw = redraw(draw)
	}
	for range l {
		if i = (i + 1) % len(l); fits(&l[i]) {
			return append(dst, l[i].text[0]...)
		}
	}
	return dst // the value itself is the only one: its shape will do
}

// numberPool chooses numbers of a pool.
type numberPool struct {
	prf    *prf
	kind   Kind
	ints   []int64
	floats []float64
	texts  [][]byte
	forms  [][]byte // canonical forms of the texts
}

// take takes the values, or reports that one of them is no number of the column.
func (t *numberPool) take(values []string, col Column) bool {
	for _, v := range values {
		switch t.kind {
		case Int:
			n, err := strconv.ParseInt(v, 10, max(col.Bits, 1))
			if err != nil || col.Bits == 0 {
				return false
			}
			t.ints = append(t.ints, n)
		case Float:
			f, err := strconv.ParseFloat(v, 64)
			if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || col.Bits == 32 && math.Abs(f) > math.MaxFloat32 {
				return false
			}
			if col.Bits == 32 {
				f = float64(float32(f))
			}
			t.floats = append(t.floats, f)
		case Numeric:
			if !numericText([]byte(v)) {
				return false
			}
			whole, fraction, _ := strings.Cut(strings.TrimPrefix(v, "-"), ".")
			if col.Precision > 0 && (len(strings.TrimLeft(whole, "0")) > col.Precision-col.Scale || len(fraction) > col.Scale) {
				return false
			}
			t.texts = append(t.texts, []byte(v))
			t.forms = append(t.forms, appendCanonicalDecimal(nil, []byte(v)))
		}
	}
	return len(values) > 1
}

func (t *numberPool) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	s := getScratch()
	defer s.free()
	switch t.kind {
	case Int:
		b, values := newFixedBuilder[int64](mem, in), ints(in)
		poolFixed(s, t.prf, in, values, b.values, t.ints, func(v int64) uint64 { return uint64(v) })
		return b.finish(), nil
	case Float:
		b, values := newFixedBuilder[float64](mem, in), resultsOf(Float, 64, in).floats
		poolFixed(s, t.prf, in, values, b.values, t.floats, func(v float64) uint64 {
			switch {
			case v == 0:
				return 0 // −0 is 0
			case math.IsNaN(v):
				return math.Float64bits(math.NaN())
			}
			return math.Float64bits(v)
		})
		return b.finish(), nil
	}
	values := textsOf(in)
	b := newTextBuilder(mem, values.n, bytesOf(&values))
	var own [lanes][]byte
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		for i := range rows {
			s.msg[i] = nil
			if !values.null(base + i) {
				from := len(s.text)
				s.text = appendCanonicalDecimal(s.text, values.value(base+i))
				own[i] = s.text[from:len(s.text):len(s.text)]
				s.msg[i] = own[i]
			}
		}
		t.prf.sums(s, rows)
		for i := range rows {
			if values.null(base + i) {
				b.null()
				continue
			}
			at := pick(s.block[i][:4], len(t.texts))
			if bytes.Equal(t.forms[at], own[i]) {
				at = (at + 1) % len(t.texts)
			}
			b.add(t.texts[at])
		}
	}
	return b.finish(), nil
}

// poolFixed writes the choices for numbers of fixed width; 0 for NULL.
func poolFixed[T int64 | float64](s *scratch, p *prf, in arrow.Array, values, to, pool []T, word func(T) uint64) {
	for base := 0; base < len(values); base += lanes {
		rows := min(lanes, len(values)-base)
		for i := range rows {
			s.msg[i] = binary.LittleEndian.AppendUint64(s.word[i][:0], word(values[base+i]))
		}
		p.sums(s, rows)
		for i := range rows {
			to[base+i] = 0
			if in.IsNull(base + i) {
				continue
			}
			at := pick(s.block[i][:4], len(pool))
			if pool[at] == values[base+i] {
				at = (at + 1) % len(pool)
			}
			to[base+i] = pool[at]
		}
	}
}
