package connectortest

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Cut says what a proxy does about a statement.
type Cut uint8

// What a proxy does: nothing, or it resets the connection before the server has the
// statement, or when the server has done it and its answer has not reached the client.
const (
	CutNothing Cut = iota
	CutBefore
	CutAfter
)

// Proxy stands between a client and a server. Reset cuts all connections through it with
// a TCP reset, in the middle of whatever they do; of MySQL's protocol OnStatement cuts one
// connection at a statement.
type Proxy struct {
	listener net.Listener
	server   string

	mu        sync.Mutex
	conns     map[net.Conn]bool
	statement func(text string) Cut
	over      bool
	wg        sync.WaitGroup
}

// NewProxy returns a proxy before the server of a URL, and the URL through it. It ends
// with the test.
func NewProxy(tb testing.TB, dsn string) (p *Proxy, through string) {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal("the DSN is not a URL")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p = &Proxy{listener: l, server: u.Host, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	tb.Cleanup(func() {
		p.mu.Lock()
		p.over = true
		p.mu.Unlock()
		l.Close()
		p.Reset()
		p.wg.Wait()
	})
	u.Host = l.Addr().String()
	return p, u.String()
}

// OnStatement has ask asked about each statement that a client sends from now on, in
// MySQL's protocol and without TLS. It may be called from several connections at once. nil
// asks no more.
func (p *Proxy) OnStatement(ask func(text string) Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statement = ask
}

func (p *Proxy) ask(text string) Cut {
	p.mu.Lock()
	ask := p.statement
	p.mu.Unlock()
	if ask == nil {
		return CutNothing
	}
	return ask(text)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client] = true
		p.conns[server] = true
		over := p.over
		p.mu.Unlock()
		t := &tap{proxy: p, client: client, server: server}
		pipe := func(to io.Writer, from net.Conn) {
			io.Copy(to, from)
			client.Close()
			server.Close()
			p.mu.Lock()
			delete(p.conns, client)
			delete(p.conns, server)
			p.mu.Unlock()
		}
		p.wg.Go(func() { pipe((*answers)(t), server) })
		p.wg.Go(func() { pipe(t, client) })
		if over {
			client.Close()
			server.Close()
		}
	}
}

// Reset cuts every connection with a reset, at both ends.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		reset(c)
	}
}

func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}

// tap passes on what a client sends, and looks for statements in it.
type tap struct {
	proxy          *Proxy
	client, server net.Conn

	packet []byte // what is there of the packet that has begun

	mu     sync.Mutex
	infile bool // the client sends rows, and no statements
	doomed bool // the connection is cut at the server's next answer
}

// Write passes on what the client sends. A packet of MySQL's protocol has a header of four
// bytes, three of them its length, and one its number: a statement begins a conversation,
// and is number 0. Rows that a statement has asked for are numbered behind it, around the
// end of a byte, and end with an empty packet ("MySQL Packets" and "LOCAL INFILE Request" of
// the protocol's documentation).
func (t *tap) Write(b []byte) (int, error) {
	t.proxy.mu.Lock()
	watched := t.proxy.statement != nil
	t.proxy.mu.Unlock()
	if !watched && len(t.packet) == 0 {
		return t.server.Write(b)
	}
	t.packet = append(t.packet, b...)
	for len(t.packet) >= 4 {
		size := 4 + int(t.packet[0]) + int(t.packet[1])<<8 + int(t.packet[2])<<16
		if len(t.packet) < size {
			break
		}
		cut := t.look(t.packet[3], t.packet[4:size])
		if cut == CutBefore {
			reset(t.client)
			reset(t.server)
			return 0, net.ErrClosed
		}
		if cut == CutAfter {
			t.mu.Lock()
			t.doomed = true
			t.mu.Unlock()
		}
		if _, err := t.server.Write(t.packet[:size]); err != nil {
			return 0, err
		}
		t.packet = t.packet[size:]
	}
	if len(t.packet) == 0 {
		t.packet = nil
	}
	return len(b), nil
}

const comQuery = 3

// look tells what to do about a packet.
func (t *tap) look(number byte, payload []byte) Cut {
	t.mu.Lock()
	infile := t.infile
	t.infile = infile && len(payload) > 0
	t.mu.Unlock()
	if infile {
		return CutNothing
	}
	if number != 0 || len(payload) == 0 || payload[0] != comQuery {
		return CutNothing
	}
	return t.proxy.ask(strings.ToValidUTF8(string(payload[1:]), "?"))
}

// answers passes on what the server answers, unless the connection is to be cut.
type answers tap

func (t *answers) Write(b []byte) (int, error) {
	// The server asks for the rows of a LOAD DATA by an answer of its own, behind which
	// nothing is done yet.
	asks := len(b) > 4 && b[3] == 1 && b[4] == 0xfb
	t.mu.Lock()
	doomed := t.doomed && !asks
	t.infile = t.infile || asks
	t.mu.Unlock()
	if doomed {
		reset(t.client)
		reset(t.server)
		return 0, net.ErrClosed
	}
	return t.client.Write(b)
}
