package mysql

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	driverpkg "github.com/go-sql-driver/mysql"
)

// A server sends a row as packets of up to 16 MiB, each with a header: three bytes of length,
// least first, and its number ("MySQL Packets" of the protocol's documentation). The driver
// puts the packets of a large row together by copying, which takes three times the row's
// memory. So a reader's connection follows the headers: it takes the large values out of a
// wide row before the driver sees it, straight into memory of their size, and leaves empty
// ones in their places. All other packets are handed on as they are.

const (
	longestPacket = 1<<24 - 1
	wireBuffer    = 32 << 10

	nullValue    = 0xfb   // in a row, where the length of a value would be
	compressed   = 0x0020 // what an end can do
	byTLS        = 0x0800
	noMarks      = 1 << 24 // CLIENT_DEPRECATE_EOF
	requestBytes = 4 + 32  // of a request for TLS: header, and what the answer to the greeting begins with
)

var errPacket = errors.New("what came from the server is no packet of a row, or a damaged one")

// wire is the connection of a reader, between the driver and the network. The driver reads
// and writes on one goroutine, and may close it on another.
type wire struct {
	net.Conn // to the server
	turn     *turn

	carried net.Conn    // what packets come by: Conn, or what stands over it
	opening bool        // nobody is logged in yet
	asks    uint32      // what the server is asked for beside what the driver asks: it knows of neither
	marks   bool        // a packet marks where the columns of an answer end
	tls     *tls.Config // if asked for
	failure error       // of TLS: the driver does not pass it on

	// in[r:ok] may be handed out, in[ok:w] has been read. left is what of a packet is still
	// to come at ok.
	in       []byte
	r, ok, w int
	left     int
	last     bool   // the wide row ends with its packet
	short    []byte // what is left of a wide row: is handed out next
	split    []byte // a packet that was not in one piece
	shift    byte   // by how much the server's numbers of packets are ahead of the driver's

	once sync.Once
	gone chan struct{}
}

// wired has a driver connect by a wire whose wide rows go through a gate, if there is one; else
// it returns nil.
func (c *config) wired(ctx context.Context, cc *driverpkg.Config, g gate) (*wire, error) {
	if g == nil {
		return nil, nil
	}
	w, secure, err := dialWire(ctx, cc, c.compress, g)
	if err != nil {
		return nil, err
	}
	if err := cc.Apply(driverpkg.EnableCompression(false)); err != nil {
		return nil, w.failed(err)
	}
	cc.TLS = nil
	cc.DialFunc = func(context.Context, string, string) (net.Conn, error) { return w, nil }
	if secure {
		cc.Net = "unix" // by which the driver sends a password as it does by TLS
	}
	return w, nil
}

// failed closes the connection by which the driver could not log in, and returns why.
func (w *wire) failed(err error) error {
	if w == nil {
		return err
	}
	w.Close()
	if w.failure != nil {
		return w.failure
	}
	return err
}

// dialWire connects to the server. secure tells whether packets will come by TLS: the
// connection begins that itself, when the driver logs in, and compression then.
func dialWire(ctx context.Context, cc *driverpkg.Config, compress bool, g gate) (w *wire, secure bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, cc.Timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, cc.Net, cc.Addr)
	if err != nil {
		return nil, false, err
	}
	w = &wire{Conn: conn, carried: conn, turn: &turn{gate: g}, opening: true, tls: cc.TLS, in: make([]byte, wireBuffer), gone: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	offers, err := w.greeted()
	if err == nil && cc.TLS != nil {
		if offers&byTLS != 0 {
			w.asks |= byTLS
		} else if !cc.AllowFallbackToPlaintext {
			err = driverpkg.ErrNoTLS
		}
	}
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, false, err
	}
	if compress {
		w.asks |= offers & compressed
	}
	return w, w.asks&byTLS != 0, nil
}

// greeted reads the server's greeting, which the driver will read too, and returns what the
// server offers ("Protocol::HandshakeV10" of the protocol's documentation).
func (w *wire) greeted() (offers uint32, err error) {
	if err := w.need(4); err != nil {
		return 0, err
	}
	size := packetSize(w.in[w.r:])
	if size > len(w.in)-4 {
		return 0, errPacket
	}
	if err := w.need(4 + size); err != nil {
		return 0, err
	}
	body := w.in[w.r+4 : w.r+4+size]
	w.look()
	if size == 0 || body[0] == 0xff { // an error: the driver tells
		return byTLS, nil
	}
	// A version, the server's in text, a session's number, eight bytes and one, and then
	// what the server can do.
	at := 1 + bytes.IndexByte(body[1:], 0) + 1 + 4 + 8 + 1
	if len(body) < at+2 {
		return 0, errPacket
	}
	return uint32(binary.LittleEndian.Uint16(body[at:])), nil
}

func packetSize(head []byte) int { return int(head[0]) | int(head[1])<<8 | int(head[2])<<16 }

// Close implements net.Conn. It does not wait for who reads.
func (w *wire) Close() error {
	w.once.Do(func() { close(w.gone) })
	return w.Conn.Close()
}

// Write implements net.Conn. The driver writes whole packets.
func (w *wire) Write(p []byte) (int, error) {
	if len(p) < 4 {
		return 0, errPacket
	}
	switch {
	case !w.opening:
		w.shift = 0 // a statement counts from 0
	case p[3] == 0: // the first of them
		w.opening, w.shift = false, 0
		if w.asks&compressed != 0 {
			w.carried = &squeezed{Conn: w.carried, from: bufio.NewReader(w.carried)}
		}
	case p[3] == 1:
		if w.failure = w.answer(bytes.Clone(p)); w.failure != nil {
			return 0, w.failure
		}
		return len(p), nil
	default:
		p = bytes.Clone(p)
		p[3] += w.shift
	}
	return w.carried.Write(p)
}

// answer sends the driver's answer to the greeting. TLS begins before it, by a packet that the
// driver does not know of.
func (w *wire) answer(p []byte) error {
	if len(p) < requestBytes || w.r != w.w { // nothing may come before TLS that would be taken for a part of it
		return errPacket
	}
	asks := binary.LittleEndian.Uint32(p[4:]) | w.asks
	w.marks = asks&noMarks == 0
	binary.LittleEndian.PutUint32(p[4:], asks)
	if w.asks&byTLS != 0 {
		request := bytes.Clone(p[:requestBytes])
		request[0], request[1], request[2] = requestBytes-4, 0, 0
		if _, err := w.Conn.Write(request); err != nil {
			return err
		}
		c := tls.Client(w.Conn, w.tls)
		if err := c.Handshake(); err != nil {
			return err
		}
		w.carried, w.shift = c, 1
		p[3] += w.shift
	}
	_, err := w.carried.Write(p)
	return err
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (n int, err error) {
	for {
		switch {
		case len(w.short) > 0:
			n = copy(p, w.short)
			w.short = w.short[n:]
			return n, nil
		case w.r < w.ok:
			n = copy(p, w.in[w.r:w.ok])
			w.r += n
			return n, nil
		case w.left >= len(w.in) && len(p) >= len(w.in): // the rest of a long packet, past the buffer
			n, err = w.carried.Read(p[:min(len(p), w.left)])
			w.left -= n
			return n, err
		}
		if err := w.more(); err != nil {
			return 0, err
		}
	}
}

// more sees to it that there is something to hand out, or soon will be.
func (w *wire) more() error {
	if w.left == 0 && w.w-w.r >= 4 { // a wide row, where look has stopped
		if w.turn.columns == 0 {
			w.open()
			w.look()
			return nil
		}
		return w.wide()
	}
	if err := w.need(w.w - w.r + 1); err != nil {
		return err
	}
	w.look()
	return nil
}

// need reads until n bytes are there, of which nobody has been told.
func (w *wire) need(n int) error {
	if w.w-w.r >= n {
		return nil
	}
	w.w = copy(w.in, w.in[w.r:w.w])
	w.r, w.ok = 0, 0
	for w.w < n {
		m, err := w.carried.Read(w.in[w.w:])
		w.w += m
		if err != nil && w.w < n {
			return err
		}
	}
	return nil
}

// look finds how much of what is there may be handed out: all before a wide row.
func (w *wire) look() {
	for w.ok < w.w {
		if w.left == 0 {
			if w.w-w.ok < 4 || packetSize(w.in[w.ok:]) >= wideBytes {
				return
			}
			w.open()
		}
		n := min(w.left, w.w-w.ok)
		w.ok += n
		w.left -= n
	}
}

// open lets a packet be handed out, from its head on.
func (w *wire) open() {
	w.in[w.ok+3] -= w.shift
	w.left = 4 + packetSize(w.in[w.ok:])
}

// wide reads a wide row, and makes a short one of it.
func (w *wire) wide() error {
	number := w.in[w.r+3] - w.shift
	w.shift-- // of the packets, one is left
	short := make([]byte, 4, 4+apartBytes)
	if err := w.head(); err != nil {
		return err
	}
	if w.turn.columns < 0 {
		short = append(short, nullValue)
		for !w.last || w.left > 0 {
			if err := w.skip(); err != nil {
				return err
			}
		}
	} else {
		if err := w.turn.enter(w.gone); err != nil {
			return err
		}
		w.turn.apart = make([][]byte, w.turn.columns)
		for i := range w.turn.apart {
			var err error
			if short, err = w.value(short, i); err != nil {
				return err
			}
		}
		if w.left == 0 && !w.last { // its length was a multiple of a packet's
			if err := w.head(); err != nil {
				return err
			}
		}
		if w.left > 0 || !w.last {
			return errPacket
		}
	}
	n := len(short) - 4
	short[0], short[1], short[2], short[3] = byte(n), byte(n>>8), byte(n>>16), number
	w.short, w.ok = short, w.r
	w.look()
	return nil
}

// head reads the header of a packet of a wide row.
func (w *wire) head() error {
	if err := w.need(4); err != nil {
		return err
	}
	w.left = packetSize(w.in[w.r:])
	w.last = w.left < longestPacket
	w.shift++
	w.r += 4
	return nil
}

// value reads a value of a wide row. A small one is appended to what is left of the row, a
// large one is kept apart.
func (w *wire) value(short []byte, column int) ([]byte, error) {
	var head [9]byte
	if err := w.take(head[:1]); err != nil {
		return nil, err
	}
	more := 0 // bytes of the length
	switch head[0] {
	case nullValue:
		return append(short, nullValue), nil
	case 0xfc:
		more = 2
	case 0xfd:
		more = 3
	case 0xfe:
		more = 8
	case 0xff:
		return nil, errPacket
	}
	if err := w.take(head[1 : 1+more]); err != nil {
		return nil, err
	}
	n := uint64(head[0])
	if more > 0 {
		n = binary.LittleEndian.Uint64(head[1:])
	}
	switch {
	case n > longestFrame, w.last && n > uint64(w.left):
		return nil, errPacket
	case n <= apartBytes:
		at := len(short) + 1 + more
		short = append(append(short, head[:1+more]...), make([]byte, n)...)
		return short, w.take(short[at:])
	}
	v := w.turn.room(int(n))
	w.turn.apart[column] = v
	return append(short, 0), w.take(v)
}

// take reads the next bytes of a wide row, from as many packets as they are in.
func (w *wire) take(p []byte) error {
	for len(p) > 0 {
		if w.left == 0 {
			if w.last {
				return errPacket
			}
			if err := w.head(); err != nil {
				return err
			}
			continue
		}
		n := min(len(p), w.left)
		if err := w.full(p[:n]); err != nil {
			return err
		}
		w.left -= n
		p = p[n:]
	}
	return nil
}

// full fills p with what comes next: what is there already, and then straight from the network.
func (w *wire) full(p []byte) error {
	n := copy(p, w.in[w.r:w.w])
	w.r += n
	p = p[n:]
	if len(p) >= len(w.in) {
		_, err := io.ReadFull(w.carried, p)
		return err
	}
	if err := w.need(len(p)); err != nil {
		return err
	}
	w.r += copy(p, w.in[w.r:w.w])
	return nil
}

// skip drops some of what is left of a wide row.
func (w *wire) skip() error {
	if w.left == 0 {
		return w.head()
	}
	if err := w.need(1); err != nil {
		return err
	}
	n := min(w.left, w.w-w.r)
	w.r += n
	w.left -= n
	return nil
}
