package masking

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Documents and containers – JSON, XML, arrays, composites, ranges, hstores – are
// masked in three steps. A walker of its own goes through each value of the batch once
// and copies what stays, run by run, to the skeleton; what is to be masked it
// notes as a hit, with its place in the skeleton, and as an argument of a child.
// When the batch is walked, each child masks its arguments at once. Then the
// results are put into the skeleton at the places of their hits.

// child is a transform of values inside others.
type child struct {
	place     string // for errors: "path $.id", "element"
	column    Column
	transform Transform
}

// skeleton is the working space of one batch.
type skeleton struct {
	children []child
	row      int32  // that is walked
	out      []byte // what stays of all rows
	ends     []int  // of each row in it; or noValue, or sameValue
	hits     []hit
	args     []arguments // of each child
	results  []results
	next     []int // of the results, of each child
}

const (
	noValue   = -1 // NULL
	sameValue = -2 // the row's value stays as it is
)

// hit is a value that is masked.
type hit struct {
	at    int // in the skeleton
	row   int32
	child int32
	form  uint8 // how it is written; the walker's own
}

func (s *skeleton) reset(children []child) {
	s.children = children
	for len(s.args) < len(children) {
		s.args = append(s.args, arguments{})
		s.results = append(s.results, results{})
		s.next = append(s.next, 0)
	}
	for c := range children {
		s.args[c].kind = children[c].column.Kind
		s.args[c].reset()
		s.next[c] = 0
	}
}

// free forgets what it knew of values, and reports whether the space is worth
// keeping: one batch of huge values does not hold its space for good.
func (s *skeleton) free() bool {
	held := cap(s.out)
	for c := range s.args {
		s.args[c].reset()
		held += cap(s.args[c].text)
	}
	clear(s.out)
	s.children = nil
	s.out, s.ends, s.hits = s.out[:0], s.ends[:0], s.hits[:0]
	return held <= 16<<20
}

// hit notes that the next argument of a child stands here, and returns the child's
// arguments, to which the caller adds it.
func (s *skeleton) hit(child int, form uint8) *arguments {
	s.hits = append(s.hits, hit{at: len(s.out), row: s.row, child: int32(child), form: form})
	return &s.args[child]
}

// endRow ends the row's part of the skeleton.
func (s *skeleton) endRow() { s.ends = append(s.ends, len(s.out)) }

// nullRow and sameRow end a row whose part of the skeleton is empty: it becomes NULL, or
// stays as it is, and then is copied but once.
func (s *skeleton) nullRow() { s.ends = append(s.ends, noValue) }
func (s *skeleton) sameRow() { s.ends = append(s.ends, sameValue) }

// endWith ends the row with the rest of its value, whose part of the skeleton began at start.
func (s *skeleton) endWith(value []byte, from, start int) {
	if from == 0 && len(s.out) == start {
		s.sameRow()
		return
	}
	s.out = append(s.out, value[from:]...)
	s.endRow()
}

// undo takes back what was noted of a row since out had a length.
func (s *skeleton) undo(out int) {
	clear(s.out[out:])
	s.out = s.out[:out]
	for n := len(s.hits); n > 0 && s.hits[n-1].row == s.row; n-- {
		s.args[s.hits[n-1].child].undo()
		s.hits = s.hits[:n-1]
	}
}

// mask lets each child mask what was collected for it. Without an error the caller
// calls release.
func (s *skeleton) mask(mem memory.Allocator) error {
	for c := range s.children {
		a := &s.args[c]
		if a.n == 0 {
			continue
		}
		in := a.array()
		masked, err := s.children[c].transform.Apply(mem, in)
		in.Release()
		if err != nil {
			s.release()
			return s.at(c, err)
		}
		s.results[c] = resultsOf(a.kind, s.children[c].column.Bits, masked)
		if a.kind == Timestamp {
			s.results[c].forms = a.forms
		}
	}
	return nil
}

func (s *skeleton) release() {
	for c := range s.results {
		if r := &s.results[c]; r.array != nil {
			r.array.Release()
			*r = results{}
		}
	}
}

// at turns a child's argument in an error into the row that it stands in.
func (s *skeleton) at(child int, err error) error {
	var ve *ValueError
	if !errors.As(err, &ve) {
		return err
	}
	nth := ve.Row
	for _, h := range s.hits {
		if int(h.child) == child {
			if nth == 0 {
				return &ValueError{Row: int(h.row), Reason: s.children[child].place + ": " + ve.Reason, Help: ve.Help}
			}
			nth--
		}
	}
	panic("masking: a child's error is in no row of its own")
}

// complain says what is wrong with the length of v, or "".
func (l limits) complain(v []byte) string {
	if len(v) > l.chars && utf8.RuneCount(v) > l.chars {
		return fmt.Sprintf("is longer than the column allows (%d)", l.chars)
	}
	if len(v) > l.bytes {
		return fmt.Sprintf("has more bytes than the column allows (%d)", l.bytes)
	}
	return ""
}

// splicer writes a result of a child, the i-th, where the hit stands; it makes room by out.grow.
type splicer func(out *textBuilder, h *hit, r *results, i int)

// splice puts the masked values into the skeleton of values. what names a whole value, in errors.
func (s *skeleton) splice(mem memory.Allocator, values *texts, what string, most limits, write splicer) (arrow.Array, error) {
	if len(s.out) > math.MaxInt32 {
		panic("masking: more than 2 GiB in one batch")
	}
	size := len(s.out)
	for row, end := range s.ends {
		if end == sameValue {
			size += len(values.value(row))
		}
	}
	for c := range s.children {
		size += 2*len(s.args[c].text) + 24*s.args[c].n // an estimate
	}
	out := newTextBuilder(mem, len(s.ends), size)
	from, next := 0, 0
	for row, end := range s.ends {
		switch end {
		case noValue:
			out.null()
			continue
		case sameValue:
			out.add(values.value(row))
			continue
		}
		start := len(out.buf)
		for ; next < len(s.hits) && int(s.hits[next].row) == row; next++ {
			h := &s.hits[next]
			out.grow(h.at - from)
			out.buf = append(out.buf, s.out[from:h.at]...)
			from = h.at
			i := s.next[h.child]
			s.next[h.child]++
			write(out, h, &s.results[h.child], i)
		}
		out.grow(end - from)
		out.buf = append(out.buf, s.out[from:end]...)
		from = end
		if wrong := most.complain(out.buf[start:]); wrong != "" {
			out.drop()
			return nil, &ValueError{Row: row, Reason: "the masked " + what + " " + wrong, Help: "drop a part of it, or mask it by something shorter"}
		}
		out.end()
	}
	return out.finish(), nil
}
