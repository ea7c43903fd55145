package masking

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// subjectColumn is the column that names whom a row is about. What is drawn by
// it is the same in all of the subject's rows, in whatever table.
type subjectColumn struct {
	name     string
	kind     Kind
	equality Equality
}

// bindSubjectColumn finds the column that a parameter of a transform names.
func bindSubjectColumn(req Request, param, name string) (subjectColumn, Column, error) {
	bad := func(reason string) (subjectColumn, Column, error) {
		return subjectColumn{}, Column{}, &BindError{Reason: reason, Help: param + ": names a column of the same table that holds the subject's key"}
	}
	transform := req.Spec.Name
	if req.Row == nil || req.Row.Column == nil {
		return bad(transform + " goes by another column, and works only on a column of a table")
	}
	if name == req.Column.Name {
		return bad(transform + " by the column itself")
	}
	col, found := req.Row.Column(name)
	if !found {
		return bad(fmt.Sprintf("there is no column %q for %s to go by", name, transform))
	}
	switch col.Kind {
	case Int, Text, UUID, Bytes:
	default:
		return bad(fmt.Sprintf("column %q is of kind %s, which names no subject", name, col.Kind))
	}
	if err := refuseUnknownEquality(transform+" by "+name, col); err != nil {
		return subjectColumn{}, Column{}, err
	}
	return subjectColumn{name: name, kind: col.Kind, equality: col.Equality}, col, nil
}

// subjectKeys reads the subjects of a batch.
type subjectKeys struct {
	column  subjectColumn
	array   arrow.Array
	none    bool // all of them are NULL
	texts   texts
	numbers []int64
}

func (c subjectColumn) keys(in arrow.Array) subjectKeys {
	k := subjectKeys{column: c, array: in}
	switch _, null := in.(*array.Null); {
	case null:
		k.none = true
	case c.kind == Int:
		k.numbers = ints(in)
	default:
		k.texts = textsOf(in)
	}
	return k
}

func (k *subjectKeys) null(i int) bool { return k.none || k.array.IsNull(i) }

// message makes the message of a lane of row i, whose subject is not NULL: the
// eight bytes of an integer, or the canonical form of a text.
func (k *subjectKeys) message(s *scratch, lane, i int) {
	if k.column.kind == Int {
		binary.LittleEndian.PutUint64(s.word[lane][:], uint64(k.numbers[i]))
		s.msg[lane] = s.word[lane][:]
		return
	}
	s.msg[lane] = k.texts.value(i)
	if k.column.kind == Text {
		s.msg[lane] = s.canonical(s.msg[lane], k.column.equality)
	}
}
