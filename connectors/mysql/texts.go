package mysql

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	driverpkg "github.com/go-sql-driver/mysql"
)

// A server tells a row's values as texts, one after the other, each with its length first
// ("Text Resultset Row" of the protocol's documentation). The driver makes a value of its own
// of each, in memory that has to be collected. What a snapshot reads is as many rows as
// production has, so a reader takes them from its connection's packets as they are, between
// two statements of the driver's. So do rows travel to a process that has joined a snapshot.

// texts are the rows of an answer. They are for one goroutine.
type texts interface {
	columns() []string
	// next reads a row, nil where a value is NULL. It is good until the next call; of a wide
	// one the reader's turn is held. Behind the last row it is io.EOF.
	next(into [][]byte) error
	// close ends the answer, also one that is at its end. It reads what is left, if the session
	// is to be of use afterwards.
	close() error
}

// asker runs a statement and returns its rows. Cancelling the context ends the session.
type asker interface {
	ask(ctx context.Context, statement string) (texts, error)
}

var (
	_ asker = (*wire)(nil)
	_ asker = (*borrowed)(nil)
	_ asker = driven{}
)

// takeText reads a value, and returns what follows it. It stays where it is.
func takeText(from []byte) (text, rest []byte, err error) {
	if len(from) > 0 && from[0] < nullValue {
		end := 1 + int(from[0])
		if end > len(from) {
			return nil, nil, errPacket
		}
		return from[1:end:end], from[end:], nil
	}
	n, used, err := takeLength(from)
	if err != nil || n > uint64(len(from)-used) {
		return nil, nil, errPacket
	}
	if used == 0 {
		return nil, from[1:], nil
	}
	end := used + int(n)
	return from[used:end:end], from[end:], nil
}

// takeLength reads a length, and returns how many bytes it takes: 0 where a NULL stands.
func takeLength(from []byte) (n uint64, used int, err error) {
	if len(from) == 0 {
		return 0, 0, errPacket
	}
	switch from[0] {
	case nullValue:
		return 0, 0, nil
	case 0xfc:
		used = 3
	case 0xfd:
		used = 4
	case 0xfe:
		used = 9
	case 0xff:
		return 0, 0, errPacket
	default:
		return uint64(from[0]), 1, nil
	}
	if len(from) < used {
		return 0, 0, errPacket
	}
	var bytes [8]byte
	copy(bytes[:], from[1:used])
	return binary.LittleEndian.Uint64(bytes[:]), used, nil
}

// appendText appends a value as takeText reads it.
func appendText(dst, text []byte) []byte {
	if text == nil {
		return append(dst, nullValue)
	}
	return append(appendLength(dst, len(text)), text...)
}

func appendLength(dst []byte, n int) []byte {
	switch {
	case n < nullValue:
		return append(dst, byte(n))
	case n < 1<<16:
		return append(dst, 0xfc, byte(n), byte(n>>8))
	case n < 1<<24:
		return append(dst, 0xfd, byte(n), byte(n>>8), byte(n>>16))
	}
	return binary.LittleEndian.AppendUint64(append(dst, 0xfe), uint64(n))
}

// takeRow reads the values of a row, and returns what follows it.
func takeRow(from []byte, into [][]byte) (rest []byte, err error) {
	for i := range into {
		if into[i], from, err = takeText(from); err != nil {
			return nil, err
		}
	}
	return from, nil
}

// answer is what a server answers to a statement of a reader. Wide rows go through the
// reader's gate.
type answer struct {
	wire   *wire
	ctx    context.Context
	stop   func() bool
	names  []string
	number byte  // of the next packet
	err    error // why there are no more rows
}

// ask implements asker.
func (w *wire) ask(ctx context.Context, statement string) (texts, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	const query = 3 // COM_QUERY
	n := 1 + len(statement)
	if n >= longestPacket {
		return nil, driverpkg.ErrPktTooLarge
	}
	a := &answer{wire: w, ctx: ctx, number: 1}
	a.stop = context.AfterFunc(ctx, func() { w.Close() })
	packet := append(make([]byte, 0, 4+n), byte(n), byte(n>>8), byte(n>>16), 0, query)
	if _, err := w.Write(append(packet, statement...)); err != nil {
		return nil, a.ended(a.lost(err))
	}
	if err := a.head(); err != nil {
		return nil, a.ended(err)
	}
	w.turn.expect(len(a.names))
	return a, nil
}

// head reads what comes before the rows: how many columns there are, and what they are.
func (a *answer) head() error {
	p, err := a.packet()
	if err != nil {
		return err
	}
	n, _, err := takeLength(p) // behind it MariaDB says that columns follow
	if err != nil || n == 0 || n > 1<<16 {
		a.wire.Close()
		return errPacket // of no rows, or a file that is asked for
	}
	for range n {
		p, err := a.packet()
		if err != nil {
			return err
		}
		// The catalog, the database, the table by two names, and the column.
		var name []byte
		for range 5 {
			if name, p, err = takeText(p); err != nil {
				a.wire.Close()
				return err
			}
		}
		a.names = append(a.names, string(name))
	}
	if !a.wire.marks {
		return nil
	}
	_, err = a.packet() // marks the end of the columns
	return err
}

func (a *answer) columns() []string { return a.names }

func (a *answer) next(into [][]byte) error {
	if a.err != nil {
		return a.err
	}
	p, err := a.packet()
	switch {
	case err != nil:
		return a.ended(err)
	case p[0] == 0xfe: // no value is so long that its row begins with it: it has been taken apart
		return a.ended(io.EOF)
	}
	if p, err = takeRow(p, into); err != nil || len(p) > 0 {
		a.wire.Close()
		return a.ended(errPacket)
	}
	if a.wire.turn.held {
		a.wire.turn.put(into)
	}
	return nil
}

// ended lets nothing more come.
func (a *answer) ended(err error) error {
	a.stop()
	a.wire.turn.expect(0)
	if cap(a.wire.split) > keptBuffer {
		a.wire.split = nil
	}
	a.err = err
	return err
}

// lost is the error of a connection that has failed.
func (a *answer) lost(err error) error {
	a.wire.Close()
	switch {
	case a.ctx.Err() != nil:
		return a.ctx.Err()
	case errors.Is(err, errPacket):
		return err
	}
	return driverpkg.ErrInvalidConn
}

// packet reads a packet's content, which has a byte at least. An error that the server tells
// instead is that error.
func (a *answer) packet() ([]byte, error) {
	number, p, err := a.wire.packet()
	if err != nil {
		return nil, a.lost(err)
	}
	if len(p) == 0 || len(p) == longestPacket || number != a.number && p[0] != 0xff {
		a.wire.Close()
		return nil, errPacket
	}
	if p[0] == 0xff {
		if number != a.number { // it is no answer: the server ends the session, or somebody between
			a.wire.Close()
		}
		return nil, serverError(p)
	}
	a.number++
	return p, nil
}

// serverError returns the error of a packet: a number, a state behind a #, and words ("ERR_Packet"
// of the protocol's documentation).
func serverError(p []byte) error {
	if len(p) < 3 {
		return errPacket
	}
	e := &driverpkg.MySQLError{Number: binary.LittleEndian.Uint16(p[1:])}
	p = p[3:]
	if len(p) >= 6 && p[0] == '#' {
		copy(e.SQLState[:], p[1:])
		p = p[6:]
	}
	e.Message = string(p)
	return e
}

func (a *answer) close() error {
	if a.err == nil {
		a.wire.turn.expect(-1)
		a.wire.turn.end()
	}
	for a.err == nil {
		switch p, err := a.packet(); {
		case err != nil:
			a.ended(err)
		case p[0] == 0xfe:
			a.ended(io.EOF)
		}
	}
	if errors.Is(a.err, io.EOF) {
		return nil
	}
	return a.err
}

// packet returns the number and the content of the next packet. It is good until the next
// call.
func (w *wire) packet() (number byte, content []byte, err error) {
	if len(w.short) == 0 && w.ok-w.r >= 4 { // it is there as a whole, as a rule
		if end := w.r + 4 + packetSize(w.in[w.r:]); end <= w.ok {
			p := w.in[w.r:end]
			w.r = end
			return p[3], p[4:], nil
		}
	}
	var head [4]byte
	if _, err := io.ReadFull(w, head[:]); err != nil {
		return 0, nil, err
	}
	n := packetSize(head[:])
	if cap(w.split) < n || n <= keptBuffer && cap(w.split) > keptBuffer {
		w.split = make([]byte, n)
	}
	w.split = w.split[:n]
	_, err = io.ReadFull(w, w.split)
	return head[3], w.split, err
}

// driven asks by the driver, where no wire stands between it and the server: see reader.
type driven struct{ conn driver.QueryerContext }

func (d driven) ask(ctx context.Context, statement string) (texts, error) {
	rows, err := d.conn.QueryContext(ctx, statement, nil)
	if err != nil {
		return nil, err
	}
	return &drivenRows{rows: rows, row: make([]driver.Value, len(rows.Columns()))}, nil
}

// drivenRows are the driver's rows, of which numbers are written as texts again.
type drivenRows struct {
	rows    driver.Rows
	row     []driver.Value
	numbers []byte
}

func (d *drivenRows) columns() []string { return d.rows.Columns() }
func (d *drivenRows) close() error      { return d.rows.Close() }

func (d *drivenRows) next(into [][]byte) error {
	if err := d.rows.Next(d.row); err != nil {
		return err
	}
	d.numbers = slices.Grow(d.numbers[:0], 32*len(d.row)) // no number is longer
	for i, v := range d.row {
		from := len(d.numbers)
		switch v := v.(type) {
		case nil:
			into[i] = nil
			continue
		case []byte:
			into[i] = v
			continue
		case int64:
			d.numbers = strconv.AppendInt(d.numbers, v, 10)
		case uint64:
			d.numbers = strconv.AppendUint(d.numbers, v, 10)
		case float64:
			d.numbers = strconv.AppendFloat(d.numbers, v, 'g', -1, 64)
		case float32:
			d.numbers = strconv.AppendFloat(d.numbers, float64(v), 'g', -1, 32)
		default:
			return fmt.Errorf("the driver gives a %T", v)
		}
		into[i] = d.numbers[from:len(d.numbers):len(d.numbers)]
	}
	return nil
}

// valued is texts as a driver has rows.
type valued struct {
	texts
	turn *turn
	row  [][]byte
}

var _ driver.Rows = (*valued)(nil)

// Columns implements driver.Rows.
func (v *valued) Columns() []string { return v.columns() }

// Close implements driver.Rows.
func (v *valued) Close() error { return v.close() }

// Next implements driver.Rows. Values are texts, whatever their types are.
func (v *valued) Next(into []driver.Value) error {
	if len(v.row) != len(into) {
		v.row = make([][]byte, len(into))
	}
	if err := v.next(v.row); err != nil {
		return err
	}
	v.turn.end() // it is not kept
	for i, text := range v.row {
		into[i] = nil
		if text != nil {
			into[i] = text
		}
	}
	return nil
}
