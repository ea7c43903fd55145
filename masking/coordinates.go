package masking

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// coordinatesFactory makes {coordinates: …}: a place moves by a keyed direction
// and distance, or to the corner of its cell of a grid.
//
// A place that moves lands evenly over a ring around it, from about a sixth of the
// radius to nine tenths of it, so that it is never nearer than a tenth nor
// farther than the whole when it has been rounded to the column's decimal places.
// Equal places move alike. So the average of a place's appearances tells nothing
// more than one of them; and whoever knows a place by its neighbours on a map
// (a lone house in a forest) still knows it: the radius has to hold many.
//
// Latitude and longitude in two columns move together if both are masked with the
// same radius in one domain, each naming the other.
type coordinatesFactory struct{}

func (coordinatesFactory) Describe() Description {
	latitude, longitude := Column{Name: "latitude", Kind: Numeric, Precision: 8, Scale: 5}, Column{Name: "longitude", Kind: Numeric, Precision: 8, Scale: 5}
	spec := func(variant, other string) Spec {
		return Spec{Name: "coordinates", Variant: variant, Params: map[string]any{"with": other, "within": int64(2000)}}
	}
	north, east := []string{"52.51627", "-33.85678", "0.00000"}, []string{"13.37770", "151.21530", "179.99999"}
	return Description{
		Name:     "coordinates",
		Version:  1,
		Summary:  "Moves places by a keyed direction and distance within a radius, or to the corner of their grid cell.",
		Kinds:    []Kind{Float, Numeric, Text, Point},
		Variants: []string{"latitude", "longitude", "point", "pair"},
		Params: []Param{
			{Name: "with", Summary: "of latitude and longitude: the column of the other", Type: "column"},
			{Name: "within", Summary: "the most metres that a place moves, 1 to 100000", Type: "float"},
			{Name: "grid", Summary: "the width of a cell in degrees, in the place of within: a place moves to its south-west corner", Type: "float"},
		},
		Samples: []Sample{
			{Spec: spec("latitude", "longitude"), Column: latitude, Values: north, Beside: []SampleColumn{{Column: longitude, Spec: spec("longitude", "latitude"), Values: east}}},
			{Spec: spec("longitude", "latitude"), Column: longitude, Values: east, Beside: []SampleColumn{{Column: latitude, Spec: spec("latitude", "longitude"), Values: north}}},
			{Spec: Spec{Variant: "point", Params: map[string]any{"within": int64(500)}}, Column: Column{Kind: Point}, Values: []string{"(13.3777,52.51627)", "(151.2153,-33.85678)", "(-180,90)"}},
			{Spec: Spec{Variant: "pair", Params: map[string]any{"grid": 0.1}}, Column: Column{Kind: Text}, Values: []string{"52.51627, 13.37770", "-33.85678,151.21530", ""}},
		},
	}
}

const (
	mostMeters       = 100_000
	millimetresRound = 6_371_008_800 // the earth's mean radius
	millimetresNano  = 111_195_080   // a degree of a great circle
	nanoPlaces       = 9
	floatPlaces      = 7 // decimal places of a float that has been moved: a centimetre
)

func (coordinatesFactory) Bind(req Request) (Binding, error) {
	col, variant := req.Column, req.Spec.Variant.(string)
	if err := refuseLabels("coordinates", col); err != nil {
		return Binding{}, err
	}
	both := variant == "point" || variant == "pair"
	if both != (col.Kind == Point || col.Kind == Text && both) {
		return Binding{}, &BindError{Reason: fmt.Sprintf("coordinates: %s cannot mask a column of kind %s", variant, col.Kind), Help: "latitude and longitude take numbers, point and pair take points and texts"}
	}
	with, _ := req.Spec.Params["with"].(string)
	t := &coordinates{prf: newPRF(req.Key.For("coordinates")), kind: col.Kind, maxChars: room(col), both: both, latitude: variant == "latitude" || variant == "pair"}
	t.own = coordinateColumn{col.Kind, 64, t.latitude}
	if col.Bits == 32 {
		t.own.bits = 32
	}
	if col.Kind == Numeric && col.Precision > 0 {
		t.whole, t.places = max(col.Precision-col.Scale, 1), max(col.Scale, 0)
	}
	b := Binding{Guarantees: numberGuarantees}
	within, moves := req.Spec.Params["within"]
	grid, cells := req.Spec.Params["grid"]
	switch {
	case moves == cells:
		return Binding{}, &BindError{Reason: "coordinates takes within or grid, one of the two", Help: "write within: 1000 for metres, or grid: 0.01 for degrees"}
	case cells:
		n, ok := numberOf(grid)
		units, fine := n.units(nanoPlaces)
		if !ok || !fine || units < 1 || units > 90*nano {
			return Binding{}, &BindError{Reason: "grid is not a number of degrees up to 90 with at most 9 decimal places", Help: "write grid: 0.01"}
		}
		if _, _, cut := n.at(col.Scale, nil); t.whole > 0 && cut {
			return Binding{}, &BindError{Reason: fmt.Sprintf("a grid of %s degrees does not fit the column's %d decimal places", n.append(nil, 0), t.places), Help: "write a wider grid"}
		}
		if isStep(n, col) {
			return Binding{}, &BindError{Reason: fmt.Sprintf("a grid of %s degrees leaves the places of the column as they are", n.append(nil, 0)), Help: "write a wider grid"}
		}
		t.grid = units
		b.Transform, b.Pinned = t, fmt.Sprintf("grid of %d nanodegrees", units)
		return b, nil
	}
	n, ok := numberOf(within)
	millimetres, fine := n.units(3)
	if !ok || !fine || millimetres < 1000 || millimetres > mostMeters*1000 {
		return Binding{}, &BindError{Reason: fmt.Sprintf("within is not a number of metres from 1 to %d", mostMeters), Help: "write within: 1000"}
	}
	for unit := int64(millimetresNano); unit*10 > millimetres; unit /= 10 {
		t.needed++
	}
	if has := t.places; t.whole > 0 && has < t.needed || col.Kind == Float && col.Bits == 32 && t.needed > 4 {
		return Binding{}, &BindError{Reason: fmt.Sprintf("a place that moves within %d m needs %d decimal places, which the column lacks", millimetres/1000, t.needed), Help: "write a wider within, or use grid"}
	}
	// Nine tenths: the rest is for rounding.
	t.radius = mulDiv(uint64(millimetres)*9/10, 1<<fixedBits, millimetresRound)
	b.Pinned = fmt.Sprintf("within %d mm", millimetres)
	if both {
		b.Transform = t
		return b, nil
	}
	if err := t.pair(req, with, &b); err != nil {
		return Binding{}, err
	}
	b.Group = coordinatePair{t}
	b.Inputs, b.Outputs = []string{with, col.Name}, []string{col.Name}
	return b, nil
}

// pair finds the column of the other coordinate.
func (t *coordinates) pair(req Request, with string, b *Binding) error {
	bad := func(reason string) error {
		return &BindError{Reason: reason, Help: "write {coordinates: latitude, with: longitude_column, within: 1000}, and the like for the other column; for one column alone use grid"}
	}
	switch {
	case with == "":
		return bad("coordinates within a radius needs the column of the other coordinate")
	case req.Row == nil || req.Row.Column == nil:
		return bad("coordinates with another column works only on a column of a table")
	case with == req.Column.Name:
		return bad("coordinates with the column itself")
	}
	col, found := req.Row.Column(with)
	if !found {
		return bad(fmt.Sprintf("there is no column %q for the other coordinate", with))
	}
	switch col.Kind {
	case Float, Numeric, Text:
	default:
		return bad(fmt.Sprintf("column %q is of kind %s, which holds no coordinate", with, col.Kind))
	}
	t.other = coordinateColumn{col.Kind, col.Bits, !t.latitude}
	for _, p := range req.Row.Peers {
		if p.Column.Name != with || p.Spec.Name != "coordinates" {
			continue
		}
		if p.Spec.Variant == req.Spec.Variant {
			return bad(fmt.Sprintf("column %q is a %s too", with, req.Spec.Variant))
		}
		a, _ := numberOf(p.Spec.Params["within"])
		c, _ := numberOf(req.Spec.Params["within"])
		if p.Spec.Params["within"] == nil || a.compare(c) != 0 || p.Spec.Domain != req.Spec.Domain {
			return &BindError{
				Reason: fmt.Sprintf("column %q moves by another radius or in another domain: the two would part", with),
				Help:   "give both columns the same class, with a do of its own for one of them, and the same within",
			}
		}
		return nil
	}
	if len(req.Row.Peers) > 0 {
		b.Warnings = append(b.Warnings, fmt.Sprintf("column %s, the other coordinate, does not move along: half of the place stays where it is", with))
	}
	return nil
}

// coordinateColumn reads one coordinate.
type coordinateColumn struct {
	kind     Kind
	bits     int
	latitude bool
}

// What a row has for a coordinate.
const (
	noCoordinate   = iota // NULL, blank
	staysAsItIs           // NaN, an infinity: no place
	atPlace               // nanodegrees
	notOnTheGlobe         // an error
	notACoordinate        // likewise
)

// coordinates moves places, in one column of both coordinates or in one of two.
type coordinates struct {
	prf      *prf
	kind     Kind
	maxChars int
	both     bool
	latitude bool // is what the column holds, or what it holds first

	grid   int64  // nanodegrees; 0 if places move within the radius
	radius uint64 // of the ring, in radians as a fraction of 2⁶⁰
	needed int    // decimal places without which the radius is nothing
	whole  int    // digits before the point of a Numeric; 0 is no limit
	places int    // and behind it

	own, other coordinateColumn
}

// spot is one place and what its row is.
type spot struct {
	latitude, longitude int64 // nanodegrees
	what                uint8
	// scales of what is written: of the first coordinate, and of a second.
	scale, second int
	// begin and end of the two numbers in a text.
	at [4]int
}

// move moves the places of the lanes that have one. Messages are the coordinates.
func (t *coordinates) move(s *scratch, rows []spot, halves *[lanes]bool) {
	if t.grid > 0 {
		for i := range rows {
			p := &rows[i]
			p.latitude = max(t.grid*floorDiv(p.latitude, t.grid), -90*nano)
			p.longitude = max(t.grid*floorDiv(p.longitude, t.grid), -180*nano)
		}
		return
	}
	s.text = s.text[:0]
	for i := range rows {
		s.msg[i] = nil
		p := &rows[i]
		if p.what != atPlace {
			continue
		}
		if p.longitude == -180*nano {
			p.longitude = 180 * nano
		}
		if p.latitude == 90*nano || p.latitude == -90*nano {
			p.longitude = 0 // a pole has every longitude
		}
		from := len(s.text)
		s.text = binary.LittleEndian.AppendUint64(s.text, uint64(p.latitude))
		s.text = binary.LittleEndian.AppendUint64(s.text, uint64(p.longitude))
		if halves != nil && halves[i] {
			s.text = append(s.text, 1) // the other coordinate is missing, which is not 0
		}
		s.msg[i] = s.text[from:len(s.text):len(s.text)]
	}
	t.prf.sums(s, len(rows))
	for i := range rows {
		p := &rows[i]
		if p.what != atPlace {
			continue
		}
		east, north := t.draw(&s.block[i])
		angle, eastward := travel(p.latitude<<angleBits, east, north)
		p.latitude = (angle + 1<<(angleBits-1)) >> angleBits
		p.longitude += (eastward + 1<<(angleBits-1)) >> angleBits
		switch {
		case p.longitude > 180*nano:
			p.longitude -= 360 * nano
		case p.longitude < -180*nano:
			p.longitude += 360 * nano
		}
	}
}

// draw returns a point that is evenly drawn from the ring: of points of the square
// around it, the first that lies in it. A block has two; what follows are
// encryptions of the block with 1, 2, … added by exclusive or.
func (t *coordinates) draw(block *[16]byte) (east, north fixed) {
	seed := binary.LittleEndian.Uint64(block[:8])
	rest := binary.LittleEndian.Uint64(block[8:])
	for n := uint64(1); ; n++ {
		for i := 0; i < 16; i += 8 {
			x := int64(int32(binary.LittleEndian.Uint32(block[i:])))
			y := int64(int32(binary.LittleEndian.Uint32(block[i+4:])))
			if square := uint64(x*x) + uint64(y*y); square <= 1<<62 && square >= 1<<62/25 {
				return t.part(x), t.part(y)
			}
		}
		binary.LittleEndian.PutUint64(block[:8], seed^n)
		binary.LittleEndian.PutUint64(block[8:], rest)
		t.prf.block.Encrypt(block[:], block[:])
	}
}

// part returns x/2³¹ of the radius.
func (t *coordinates) part(x int64) fixed {
	high, low := bits.Mul64(magnitude(x), t.radius)
	m := int64(high<<33 | low>>31)
	if x < 0 {
		return -m
	}
	return m
}

// nanodegrees returns the value of a coordinate, without what is finer.
func (c coordinateColumn) nanodegrees(n number, space []byte) (v int64, grown []byte, what uint8) {
	n, grown, _ = n.at(nanoPlaces, space)
	m, short := n.size()
	limit := uint64(180 * nano)
	if c.latitude {
		limit = 90 * nano
	}
	if !short || m > limit {
		return 0, grown, notOnTheGlobe
	}
	if n.negative {
		return -int64(m), grown, atPlace
	}
	return int64(m), grown, atPlace
}

// write returns a coordinate with at least so many decimal places, as written before.
func (t *coordinates) write(v int64, scale int, space []byte) (number, []byte) {
	places := nanoPlaces
	switch {
	case t.grid == 0:
		places = min(max(scale, t.needed), nanoPlaces)
	case t.whole > 0:
		places = min(t.places, nanoPlaces)
	}
	unit := pow10[nanoPlaces-places]
	m := (magnitude(v) + unit/2) / unit
	if t.whole > 0 && t.whole < 3 { // numeric(8,6) holds no longitude of 100 degrees
		m = min(m, pow10[t.whole+places]-1)
	}
	n, space := sized(v < 0, m, places, space)
	if t.grid > 0 {
		n = n.canonical()
	}
	return n, space
}

// coordinatePair moves one of two columns: [other, own] → [own].
type coordinatePair struct{ *coordinates }

func (t coordinatePair) ApplyGroup(mem memory.Allocator, in []arrow.Array) ([]arrow.Array, error) {
	out, err := t.apply(mem, in[1], in[0])
	if err != nil {
		return nil, err
	}
	return []arrow.Array{out}, nil
}

func (t *coordinates) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	return t.apply(mem, in, nil)
}

// coordinateReader reads the coordinates of an array.
type coordinateReader struct {
	coordinateColumn
	array  arrow.Array
	texts  texts
	floats []float64
}

func (c coordinateColumn) reader(in arrow.Array) coordinateReader {
	r := coordinateReader{coordinateColumn: c, array: in}
	switch a := in.(type) {
	case *array.Null:
	case *array.Float64:
		r.floats = a.Float64Values()
	default:
		r.texts = textsOf(in)
	}
	return r
}

// read returns the coordinate of a row in nanodegrees.
func (r *coordinateReader) read(ns *numberScratch, row int) (v int64, scale int, what uint8) {
	if r.floats != nil {
		if r.array.IsNull(row) {
			return 0, 0, noCoordinate
		}
		f := r.floats[row]
		switch {
		case math.IsNaN(f) || math.IsInf(f, 0):
			return 0, 0, staysAsItIs
		case f > 180 || f < -180 || r.latitude && (f > 90 || f < -90):
			return 0, 0, notOnTheGlobe
		}
		// The conversion keeps the product from being fused with anything.
		return int64(math.RoundToEven(float64(f * nano))), floatPlaces, atPlace
	}
	if r.texts.array == nil || r.texts.null(row) {
		return 0, 0, noCoordinate
	}
	return r.parse(ns, r.texts.value(row))
}

func (c coordinateColumn) parse(ns *numberScratch, text []byte) (v int64, scale int, what uint8) {
	var n number
	var ok bool
	if n, ns.space, ok = parseNumber(ns.space[:0], text); !ok {
		switch {
		case blank(text):
			return 0, 0, noCoordinate
		case notFinite(text):
			return 0, 0, staysAsItIs
		}
		return 0, 0, notACoordinate
	}
	v, ns.space, what = c.nanodegrees(n, ns.space)
	return v, n.scale, what
}

func (t *coordinates) apply(mem memory.Allocator, in, other arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	ns := getNumberScratch()
	defer ns.free()
	own := t.own.reader(in)
	var beside coordinateReader
	if other != nil {
		beside = t.other.reader(other)
	}
	var texts *textBuilder
	var floats fixedBuilder[float64]
	drop := func() { floats.drop() }
	if own.floats != nil {
		floats = newFixedBuilder[float64](mem, in)
	} else {
		texts = newTextBuilder(mem, in.Len(), own.texts.size())
		drop = texts.drop
	}
	var places [lanes]spot
	var halves [lanes]bool
	for base := 0; base < in.Len(); base += lanes {
		rows := min(lanes, in.Len()-base)
		for i := range rows {
			p := &places[i]
			*p = spot{}
			if t.both {
				t.readBoth(ns, p, &own.texts, base+i)
			} else {
				var mine, theirs int64
				mine, p.scale, p.what = own.read(ns, base+i)
				halves[i] = true
				if p.what == atPlace && other != nil {
					what := uint8(0)
					theirs, _, what = beside.read(ns, base+i)
					halves[i] = what != atPlace
				}
				if p.latitude, p.longitude = mine, theirs; !t.latitude {
					p.latitude, p.longitude = theirs, mine
				}
			}
			if p.what >= notOnTheGlobe {
				drop()
				return nil, noPlace(base+i, p.what)
			}
		}
		if t.both {
			t.move(ns.scratch, places[:rows], nil)
		} else {
			t.move(ns.scratch, places[:rows], &halves)
		}
		for i := range rows {
			p := &places[i]
			switch {
			case texts != nil:
				if err := t.appendText(texts, ns, p, &own.texts, base+i); err != nil {
					drop()
					return nil, err
				}
			case p.what == atPlace:
				v := p.longitude
				if t.latitude {
					v = p.latitude
				}
				n, space := t.write(v, p.scale, ns.space[:0])
				ns.text = n.append(ns.text[:0], 0)
				ns.space = space
				floats.values[base+i] = nearestFloat(ns.text, t.own.bits)
			case p.what == staysAsItIs:
				floats.values[base+i] = own.floats[base+i]
			default:
				floats.values[base+i] = 0
			}
		}
	}
	if texts != nil {
		return texts.finish(), nil
	}
	return floats.finish(), nil
}

func noPlace(row int, what uint8) error {
	if what == notOnTheGlobe {
		return &ValueError{Row: row, Reason: "beyond 90 degrees of latitude or 180 of longitude", Help: "are the two exchanged, or projected to metres? bucket and noise take any number"}
	}
	return &ValueError{Row: row, Reason: "not coordinates in decimal degrees", Help: "use shape or token for a column of mixed texts"}
}

// readBoth reads two numbers with a comma between them, with parentheses or without.
func (t *coordinates) readBoth(ns *numberScratch, p *spot, values *texts, row int) {
	if values.null(row) {
		return
	}
	v := values.value(row)
	if blank(v) {
		return
	}
	comma := bytes.IndexByte(v, ',')
	if p.what = notACoordinate; comma < 0 {
		return
	}
	trim := func(from, to int) (int, int) {
		for from < to && (v[from] == ' ' || v[from] == '(') {
			from++
		}
		for from < to && (v[to-1] == ' ' || v[to-1] == ')') {
			to--
		}
		return from, to
	}
	p.at[0], p.at[1] = trim(0, comma)
	p.at[2], p.at[3] = trim(comma+1, len(v))
	first, second := coordinateColumn{latitude: t.latitude}, coordinateColumn{latitude: !t.latitude}
	a, scaleA, whatA := first.parse(ns, v[p.at[0]:p.at[1]])
	b, scaleB, whatB := second.parse(ns, v[p.at[2]:p.at[3]])
	p.scale, p.second = scaleA, scaleB
	if p.latitude, p.longitude = a, b; !t.latitude {
		p.latitude, p.longitude = b, a
	}
	switch {
	case whatA == noCoordinate || whatB == noCoordinate || max(whatA, whatB) > atPlace:
		p.what = notACoordinate
		if whatA == notOnTheGlobe || whatB == notOnTheGlobe {
			p.what = notOnTheGlobe
		}
	case whatA == atPlace && whatB == atPlace:
		p.what = atPlace
	case whatA == staysAsItIs && whatB == staysAsItIs:
		p.what = staysAsItIs
	}
}

// appendText writes a row of texts.
func (t *coordinates) appendText(out *textBuilder, ns *numberScratch, p *spot, values *texts, row int) error {
	switch {
	case values.null(row):
		out.null()
		return nil
	case p.what != atPlace:
		out.add(values.value(row))
		return nil
	}
	first, second := p.latitude, p.longitude
	if !t.latitude {
		first, second = second, first
	}
	from := len(out.buf)
	a, space := t.write(first, p.scale, ns.space[:0])
	b, space := t.write(second, p.second, space)
	ns.space = space
	v := values.value(row)
	out.grow(len(v) + a.length(p.scale) + b.length(p.second))
	if !t.both {
		out.buf = a.append(out.buf, p.scale)
	} else {
		out.buf = append(out.buf, v[:p.at[0]]...)
		out.buf = a.append(out.buf, p.scale)
		out.buf = append(out.buf, v[p.at[1]:p.at[2]]...)
		out.buf = b.append(out.buf, p.second)
		out.buf = append(out.buf, v[p.at[3]:]...)
	}
	if t.kind == Text && len(out.buf)-from > t.maxChars {
		return &ValueError{Row: row, Reason: fmt.Sprintf("coordinates that masked have more than the %d characters of the column", t.maxChars), Help: "widen the column or within"}
	}
	out.end()
	return nil
}
