package mysql

import (
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
)

// Every value arrives as it was, in small rows and in large ones.
func TestFramesOfRows(t *testing.T) {
	large := bytes.Repeat([]byte("large \x00"), 500_000)
	rows := [][][]byte{
		{nil, {}, []byte("a\x00\xff"), bytes.Repeat([]byte("m"), 0xfa), bytes.Repeat([]byte("m"), 0xfb)},
		{bytes.Repeat([]byte("m"), 1<<16-1), bytes.Repeat([]byte("m"), 1<<16), nil, {}, {1}},
		{large, nil, bytes.Repeat(large, 6), {}, []byte("é")},
		{nil, nil, nil, nil, nil},
	}
	for range 20_000 { // more than one frame
		rows = append(rows, [][]byte{[]byte("1"), []byte("b"), nil, nil, nil})
	}
	var wire bytes.Buffer
	f := newFrames(&wire)
	f.begin(answerRows)
	for _, r := range rows {
		if err := f.addRow(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.flushRows(); err != nil {
		t.Fatal(err)
	}
	var rest []byte
	into := make([][]byte, 5)
	for i, want := range rows {
		if len(rest) == 0 {
			kind, content, err := f.read(nil)
			if err != nil || kind != answerRows {
				t.Fatalf("row %d: frame %d, %v", i, kind, err)
			}
			rest = content
		}
		var err error
		if rest, err = takeRow(rest, into); err != nil {
			t.Fatalf("row %d: %v", i, err)
		}
		for c := range want {
			if !reflect.DeepEqual(into[c], want[c]) {
				t.Fatalf("row %d, column %d: %d bytes are not as they were", i, c, len(want[c]))
			}
		}
	}
	if _, _, err := f.read(nil); len(rest) > 0 || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes and %v behind the last row", len(rest), err)
	}
}

// An error is the same on both sides, as far as anybody asks.
func TestFramesOfFailures(t *testing.T) {
	ours := &connectors.Error{Kind: connectors.KindSnapshot, Side: connectors.SourceSide, Op: "o", Err: errors.New("e"), Hint: "h", Retry: true}
	for _, want := range []error{
		&driverpkg.MySQLError{Number: 1142, SQLState: [5]byte{'4', '2', '0', '0', '0'}, Message: "denied \xff"},
		driver.ErrBadConn, driverpkg.ErrPktTooLarge, errors.New("other"), ours,
	} {
		var wire bytes.Buffer
		f := newFrames(&wire)
		if err := f.writeFailure(want); err != nil {
			t.Fatal(err)
		}
		kind, content, err := f.read(nil)
		if err != nil || kind != answerFailed {
			t.Fatalf("frame %d, %v", kind, err)
		}
		if got := takeFailure(content); !reflect.DeepEqual(got, want) {
			t.Errorf("%#v, want %#v", got, want)
		}
	}
}

// Damaged frames are errors, whatever lengths they tell.
func FuzzFrames(f *testing.F) {
	frame := func(kind frameKind, length uint32, content ...byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte{byte(kind)}, length), content...)
	}
	f.Add(frame(answerRows, 3, nullValue, 1, '2'), uint8(2))
	f.Add(frame(answerRows, math.MaxUint32, nullValue), uint8(1))
	f.Add(frame(answerRows, 9, binary.LittleEndian.AppendUint64([]byte{0xfe}, math.MaxUint64)...), uint8(1))
	f.Add(frame(answerRows, 2, 0xff, 0), uint8(1))
	f.Add(frame(answerColumns, 3, 1, 1, 'a'), uint8(0))
	f.Add(frame(answerAffected, 2, 2, 4), uint8(0))
	f.Add(frame(answerFailed, 2, failedServer, 1), uint8(0))
	f.Fuzz(func(t *testing.T, wire []byte, columns uint8) {
		r := newFrames(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(wire), io.Discard})
		for {
			kind, content, err := r.read(nil)
			if err != nil {
				break
			}
			if cap(content) > trustedBytes+len(wire) {
				t.Fatalf("room for %d bytes, of %d that came", cap(content), len(wire))
			}
			switch kind {
			case answerColumns:
				takeColumns(content)
			case answerAffected:
				takeAffected(content)
			case answerFailed:
				if takeFailure(content) == nil {
					t.Fatal("a failure without an error")
				}
			case answerRows:
				into := make([][]byte, max(1, int(columns)))
				for len(content) > 0 {
					if content, err = takeRow(content, into); err != nil {
						break
					}
				}
			}
		}
	})
}
