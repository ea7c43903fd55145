package masking

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// bindSubject returns the column that a parameter of a transform names: whom a row
// is about. What is drawn by it is the same in all of the subject's rows, in
// whatever table.
func bindSubject(req Request, param, name string) (Column, error) {
	transform := req.Spec.Name
	bad := func(reason string) (Column, error) {
		return Column{}, &BindError{Reason: reason, Help: param + ": names a column of the same table that holds the subject's key"}
	}
	if req.Row == nil || req.Row.Column == nil {
		return Column{}, &BindError{
			Reason: transform + " by a column works only on a column of a table",
			Help:   "leave " + param + " out: inside a document, an array or a range there is no row to look at",
		}
	}
	if name == req.Column.Name {
		return bad(transform + " by the column itself")
	}
	col, found := req.Row.Column(name)
	if !found {
		return bad(fmt.Sprintf("there is no column %q to go by", name))
	}
	switch col.Kind {
	case Int, Text, UUID, Bytes:
	default:
		return bad(fmt.Sprintf("column %q is of kind %s, which names no subject", name, col.Kind))
	}
	if col.Equality&FoldUnknown != 0 {
		return bad(fmt.Sprintf("column %q has a collation whose equality we cannot follow", name))
	}
	if col.Kind != Text {
		col.Equality = 0
	}
	return col, nil
}

// mayBeMissing says what rows share that have no subject, where there may be such.
func mayBeMissing(by Column, share, what string) []string {
	if by.NotNull {
		return nil
	}
	return []string{fmt.Sprintf("all rows in which %s is NULL %s: whoever knows one true %s of theirs knows them all", by.Name, share, what)}
}

// subjects reads the keys of subjects, whatever their kind.
type subjects struct {
	array   arrow.Array
	none    bool // all of them are NULL
	texts   texts
	numbers []int64
}

func subjectsOf(in arrow.Array, kind Kind) *subjects {
	_, none := in.(*array.Null)
	switch {
	case none:
		return &subjects{array: in, none: true}
	case kind == Int:
		return &subjects{array: in, numbers: ints(in)}
	}
	return &subjects{array: in, texts: textsOf(in)}
}

func (sub *subjects) null(i int) bool { return sub.none || sub.array.IsNull(i) }

// message makes the key of row i, which is not NULL, the message of a lane: the eight
// bytes of an integer, or the canonical form of a text.
func (sub *subjects) message(s *scratch, lane, i int, e Equality) {
	if sub.texts.array == nil {
		binary.LittleEndian.PutUint64(s.word[lane][:], uint64(sub.numbers[i]))
		s.msg[lane] = s.word[lane][:]
		return
	}
	s.msg[lane] = s.canonical(sub.texts.value(i), e)
}

// messages makes the keys of subjects the messages of the rows; that of NULL is empty.
func (sub *subjects) messages(s *scratch, base, rows int, e Equality) {
	s.text = s.text[:0]
	for i := range rows {
		s.msg[i] = nil
		if !sub.null(base + i) {
			sub.message(s, i, base+i, e)
		}
	}
}
