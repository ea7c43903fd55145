package connectortest

import (
	"context"
	"net"
	"os"
	"sync"

	"github.com/sanitize-db/sanitize/connectors"
)

// Holders is where the snapshots of a test are lent: Dial is an Options.Holder. The zero
// value lends none.
type Holders struct {
	mu      sync.Mutex
	lenders map[string]connectors.Lender
}

// Hold has a snapshot found by its token, if it is one that has to be lent.
func (h *Holders) Hold(s connectors.Snapshot) {
	l, ok := s.(connectors.Lender)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lenders == nil {
		h.lenders = map[string]connectors.Lender{}
	}
	h.lenders[s.Token()] = l
}

// Dial returns a connection that the holder of a snapshot serves at its other end.
func (h *Holders) Dial(ctx context.Context, _ connectors.Identity, token string) (net.Conn, error) {
	h.mu.Lock()
	lender := h.lenders[token]
	h.mu.Unlock()
	if lender == nil {
		return nil, os.ErrNotExist
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	served, err := l.Accept()
	if err != nil {
		conn.Close()
		return nil, err
	}
	go lender.Lend(served) // until the other end is closed
	return conn, nil
}
