package mysql

import (
	"bufio"
	"compress/zlib"
	"errors"
	"io"
	"net"
)

// squeezed is a connection by compressed packets, which packets are in, or parts of them. A
// header has three bytes of length, a number, and three bytes with the length before it was
// compressed, which are 0 if it was not ("Compressed Packet" of the protocol's
// documentation). What is sent is statements: short, and not compressed.
type squeezed struct {
	net.Conn
	from   *bufio.Reader // Conn
	body   io.LimitedReader
	zip    io.ReadCloser
	plain  io.Reader // body, or zip over it; nil between packets
	number byte
}

func (s *squeezed) Read(p []byte) (int, error) {
	for {
		if s.plain != nil {
			n, err := s.plain.Read(p)
			if n > 0 && errors.Is(err, io.EOF) {
				err = nil // of this packet, not of the connection: the next read finds it again
			}
			if n > 0 || err != nil && !errors.Is(err, io.EOF) {
				return n, err
			}
			if s.body.N > 0 {
				return 0, errPacket
			}
			s.plain = nil
		}
		var head [7]byte
		if _, err := io.ReadFull(s.from, head[:]); err != nil {
			return 0, err
		}
		s.number = head[3] + 1
		s.body = io.LimitedReader{R: s.from, N: int64(packetSize(head[:]))}
		if packetSize(head[4:]) == 0 {
			s.plain = &s.body
			continue
		}
		var err error
		if s.zip == nil {
			s.zip, err = zlib.NewReader(&s.body)
		} else {
			err = s.zip.(zlib.Resetter).Reset(&s.body, nil)
		}
		if err != nil {
			return 0, err
		}
		s.plain = s.zip
	}
}

func (s *squeezed) Write(p []byte) (n int, err error) {
	if len(p) >= 4 && p[3] == 0 { // a statement begins
		s.number = 0
	}
	for n < len(p) {
		part := p[n:min(len(p), n+longestPacket)]
		k := len(part)
		if _, err := s.Conn.Write(append([]byte{byte(k), byte(k >> 8), byte(k >> 16), s.number, 0, 0, 0}, part...)); err != nil {
			return n, err
		}
		s.number++
		n += k
	}
	return n, nil
}
