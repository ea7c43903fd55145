package mysql

import (
	"bufio"
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
)

// What passes between the process that holds a snapshot and one that has joined it is
// frames: a byte that tells the kind, four bytes with the length of the content, least
// first, and the content. One end asks, the other answers:
//
//	about        version                 → answer about
//	ping                                 → answer pong
//	definitions  objects to keep         → answer connectors.Definitions
//	split        table, bytes of a chunk → answer []connectors.Chunk
//	range        connectors.Chunk        → answer chunkRange
//	lease                                → answer: the connection has a reader to itself now
//	exec         statement               → affected
//	query        statement               → columns, rows…, end
//
// Any of them may be answered by failed; so may a query whose rows have begun. Questions
// and answers are JSON, statements are text, and rows are as a server tells them (texts.go).
type frameKind byte

const (
	askAbout frameKind = iota + 1
	askPing
	askDefinitions
	askSplit
	askRange
	askLease
	askExec
	askQuery

	answerJSON
	answerAffected // two integers: rows, and the id of the last one
	answerColumns  // how many, and their names
	answerRows     // whole rows
	answerEnd
	answerFailed
)

// framesVersion is that of the frames: both ends have to speak the same.
const framesVersion = 2

const (
	// rowsBytes is about how many bytes of rows go into one frame.
	rowsBytes = 128 << 10
	// largeValue is from where on a row has a frame of its own, and a value is written past
	// the buffer.
	largeValue = 64 << 10
	// keptBuffer is how large a buffer may be that is kept for the next frame.
	keptBuffer = 1 << 20
	// trustedBytes is how much of a frame must have come before room is made for all of it:
	// a length alone proves nothing.
	trustedBytes = 4 << 20
	// longestFrame bounds a frame. A server sends no row above max_allowed_packet, which is
	// at most 1 GiB; here its values have a few bytes more.
	longestFrame = 1<<31 - 1
)

var errFrame = errors.New("what came from the other process is no frame, or a damaged one")

// frames is one end of a connection. Reading and writing may go on at the same time, each
// on one goroutine.
type frames struct {
	r       *bufio.Reader
	w       io.Writer
	content []byte // of the last frame that was read
	head    [5]byte
	out     []byte // the frame that is being made, with room for its head
}

func newFrames(conn io.ReadWriter) *frames {
	return &frames{r: bufio.NewReaderSize(conn, 4<<10), w: conn}
}

// read returns the next frame. Its content is good until the next call. For one of rows that
// is as large as a wide row, wide is asked first, if there is one.
func (f *frames) read(wide func(bytes int) error) (frameKind, []byte, error) {
	if _, err := io.ReadFull(f.r, f.head[:]); err != nil {
		return 0, nil, err
	}
	kind, n := frameKind(f.head[0]), int64(binary.LittleEndian.Uint32(f.head[1:]))
	if kind < askAbout || kind > answerFailed || n > longestFrame {
		return 0, nil, errFrame
	}
	if cap(f.content) > keptBuffer {
		f.content = nil
	}
	if kind == answerRows && n >= wideBytes && wide != nil {
		if err := wide(int(n)); err != nil {
			return 0, nil, err
		}
	}
	for have := int64(0); ; {
		most := n
		if have < trustedBytes {
			most = min(n, max(have, trustedBytes))
		}
		if int64(cap(f.content)) < most {
			f.content = append(make([]byte, 0, most), f.content[:have]...)
		}
		f.content = f.content[:most]
		if _, err := io.ReadFull(f.r, f.content[have:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, nil, err
		}
		if have = most; have == n {
			return kind, f.content, nil
		}
	}
}

// write writes a frame.
func (f *frames) write(kind frameKind, content []byte) error {
	if len(content) > longestFrame {
		return fmt.Errorf("%w: %d bytes", errFrame, len(content))
	}
	f.begin(kind)
	f.out = append(f.out, content...)
	return f.flush()
}

func (f *frames) writeJSON(kind frameKind, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		panic("mysql: frames: " + err.Error()) // plain data always encodes
	}
	return f.write(kind, text)
}

// begin begins a frame in the buffer.
func (f *frames) begin(kind frameKind) { f.out = append(f.out[:0], byte(kind), 0, 0, 0, 0) }

// flush writes the frame that is in the buffer.
func (f *frames) flush() error {
	binary.LittleEndian.PutUint32(f.out[1:], uint32(len(f.out)-len(f.head)))
	return f.drain()
}

// drain writes what is in the buffer.
func (f *frames) drain() error {
	_, err := f.w.Write(f.out)
	if f.out = f.out[:0]; cap(f.out) > keptBuffer {
		f.out = nil
	}
	return err
}

// addRow adds a row to the frame of rows that is in the buffer, and writes that when it is
// full. The caller has begun one, and flushes the last one.
func (f *frames) addRow(values [][]byte) error {
	length := 0
	for _, v := range values {
		length += len(v)
	}
	if length > largeValue {
		return f.addLarge(values)
	}
	for _, v := range values {
		f.out = appendText(f.out, v)
	}
	if len(f.out) < rowsBytes {
		return nil
	}
	if err := f.flush(); err != nil {
		return err
	}
	f.begin(answerRows)
	return nil
}

// addLarge writes a row as a frame of its own, its large values from where they are.
func (f *frames) addLarge(values [][]byte) error {
	if err := f.flushRows(); err != nil {
		return err
	}
	length := 0
	for _, v := range values {
		head := [9]byte{}
		length += len(v) + 1
		if v != nil {
			length += len(appendLength(head[:0], len(v))) - 1
		}
	}
	if length > longestFrame {
		return fmt.Errorf("%w: %d bytes", errFrame, length)
	}
	f.begin(answerRows)
	binary.LittleEndian.PutUint32(f.out[1:], uint32(length))
	for _, v := range values {
		if len(v) <= largeValue {
			if f.out = appendText(f.out, v); len(f.out) >= rowsBytes {
				if err := f.drain(); err != nil {
					return err
				}
			}
			continue
		}
		f.out = appendLength(f.out, len(v))
		if err := f.drain(); err != nil {
			return err
		}
		if _, err := f.w.Write(v); err != nil {
			return err
		}
	}
	if len(f.out) > 0 {
		if err := f.drain(); err != nil {
			return err
		}
	}
	f.begin(answerRows)
	return nil
}

// flushRows writes the frame of rows in the buffer, if there is a row in it.
func (f *frames) flushRows() error {
	if len(f.out) <= len(f.head) {
		return nil
	}
	return f.flush()
}

// writeColumns tells the names of an answer's columns.
func (f *frames) writeColumns(names []string) error {
	f.begin(answerColumns)
	f.out = binary.AppendUvarint(f.out, uint64(len(names)))
	for _, n := range names {
		f.out = append(appendLength(f.out, len(n)), n...)
	}
	return f.flush()
}

func takeColumns(from []byte) (names []string, err error) {
	n, used := binary.Uvarint(from)
	if used <= 0 || n == 0 || n > uint64(len(from)) {
		return nil, errFrame
	}
	from = from[used:]
	for range n {
		var name []byte
		if name, from, err = takeText(from); err != nil {
			return nil, err
		}
		names = append(names, string(name))
	}
	if len(from) > 0 {
		return nil, errFrame
	}
	return names, nil
}

// How a failure is told: a byte for its sort, and what it holds.
const (
	failedOther  byte = iota // a text
	failedServer             // of the server: number, state, message
	failedLost               // the session was lost
	failedLarge              // the statement was too large
	failedOurs               // an ourError
)

// ourError is a connectors.Error on its way from one process to the other.
type ourError struct {
	Kind  connectors.Kind
	Op    string
	Text  string
	Hint  string
	Retry bool
}

// writeFailure tells an error.
func (f *frames) writeFailure(err error) error {
	var server *driverpkg.MySQLError
	var ours *connectors.Error
	f.begin(answerFailed)
	switch {
	case errors.As(err, &ours):
		text := ""
		if ours.Err != nil {
			text = ours.Err.Error()
		}
		told, err := json.Marshal(ourError{Kind: ours.Kind, Op: ours.Op, Text: text, Hint: ours.Hint, Retry: ours.Retry})
		if err != nil {
			panic("mysql: frames: " + err.Error()) // plain data always encodes
		}
		f.out = append(append(f.out, failedOurs), told...)
	case errors.As(err, &server):
		f.out = binary.LittleEndian.AppendUint16(append(f.out, failedServer), server.Number)
		f.out = append(append(f.out, server.SQLState[:]...), server.Message...)
	case errors.Is(err, driverpkg.ErrPktTooLarge):
		f.out = append(f.out, failedLarge)
	case broken(err):
		f.out = append(f.out, failedLost)
	default:
		f.out = append(append(f.out, failedOther), err.Error()...)
	}
	return f.flush()
}

// takeFailure returns the error that was told, as it was where it came from.
func takeFailure(from []byte) error {
	if len(from) == 0 {
		return errFrame
	}
	switch sort, text := from[0], from[1:]; sort {
	case failedOther:
		return errors.New(string(text))
	case failedServer:
		if len(text) < 7 {
			return errFrame
		}
		e := &driverpkg.MySQLError{Number: binary.LittleEndian.Uint16(text), Message: string(text[7:])}
		copy(e.SQLState[:], text[2:7])
		return e
	case failedLost:
		return driver.ErrBadConn
	case failedLarge:
		return driverpkg.ErrPktTooLarge
	case failedOurs:
		var told ourError
		if json.Unmarshal(text, &told) != nil {
			return errFrame
		}
		e := &connectors.Error{Kind: told.Kind, Side: connectors.SourceSide, Op: told.Op, Hint: told.Hint, Retry: told.Retry}
		if told.Text != "" {
			e.Err = errors.New(told.Text)
		}
		return e
	}
	return errFrame
}
