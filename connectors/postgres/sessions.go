package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/sanitize-db/sanitize/connectors"
)

// besideReaders is how many sessions a source has beside its readers: the one that holds
// the snapshot, and the one by which it is watched. pg_dump takes the place of a reader.
const besideReaders = 2

// LeastSessions is the least that Options.Sessions may be.
const LeastSessions = besideReaders + 1

// places bounds the sessions of a source. Whatever opens one takes a place, and the
// connection gives it back when it is closed, by whomever. Nil bounds nothing.
type places chan struct{}

// sessionKey marks the context of a connection that is a session. The driver also dials
// to cancel a statement, which must not wait: the server counts no session for it.
type sessionKey struct{}

// bound makes the configuration of a source keep to so many sessions; 0 is no bound.
func (c *config) bound(sessions int) error {
	if sessions <= 0 || c.side != connectors.SourceSide {
		return nil
	}
	if sessions < LeastSessions {
		return &connectors.Error{Kind: connectors.KindUsage, Side: c.side, Op: "bound the sessions at the source",
			Err: fmt.Errorf("%d are too few: one holds the snapshot, one watches it, and one reads", sessions)}
	}
	c.workers = min(c.workers, sessions-besideReaders)
	c.places = make(places, sessions)
	dial := c.conn.DialFunc
	c.conn.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if ctx.Value(sessionKey{}) == nil {
			return dial(ctx, network, addr)
		}
		release, err := c.places.take(ctx)
		if err != nil {
			return nil, err
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			release()
			return nil, err
		}
		return &placed{Conn: conn, release: release}, nil
	}
	return nil
}

// placed is a connection that gives its place back.
type placed struct {
	net.Conn
	release func()
}

func (p *placed) Close() error {
	err := p.Conn.Close()
	p.release()
	return err
}

// take waits for a place; release gives it back, and may be called twice.
func (p places) take(ctx context.Context) (release func(), err error) {
	if p == nil {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	select {
	case p <- struct{}{}:
		var once sync.Once
		return func() { once.Do(func() { <-p }) }, nil
	case <-ctx.Done():
		return nil, errors.New("all sessions that the run may have at the source are in use")
	}
}

// room makes place for a program that opens a session of its own, in place of a reader.
func (s *snapshot) room(ctx context.Context) (release func(), err error) {
	if s.places == nil {
		return func() {}, nil
	}
	select {
	case held := <-s.slots:
		if held != nil {
			held.close()
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	free, err := s.places.take(ctx)
	if err != nil {
		s.giveSlot()
		return nil, err
	}
	return func() {
		free()
		s.giveSlot()
	}, nil
}

func (s *snapshot) giveSlot() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.slots <- nil // never waits: there is a place for each session
	}
}

// asSession marks a context: what is dialled under it is a session.
func asSession(ctx context.Context) context.Context {
	return context.WithValue(ctx, sessionKey{}, true)
}

// gate lets one through at a time.
type gate chan struct{}

func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g gate) leave() { <-g }
