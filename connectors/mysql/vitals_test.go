package mysql

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A server that stands still is given up after a while, in the middle of a session and at the
// login, and said not to have answered; a caller who is gone is told that he is.
func TestUnanswered(t *testing.T) {
	defer func(was time.Duration) { watchTimeout = was }(watchTimeout)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		watchTimeout = time.Minute
		u, err := url.Parse(s.DSN(s.Database(t)))
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = "ssl-mode=disabled"
		proxy, through := connectortest.NewProxy(t, u.String())
		view := opened(t, through, 1)
		if _, err := view.Latency(t.Context()); err != nil {
			t.Fatal(err)
		}
		var still sync.RWMutex
		proxy.OnStatement(func(string) connectortest.Cut {
			still.RLock()
			defer still.RUnlock()
			return connectortest.CutNothing
		})
		watchTimeout = 200 * time.Millisecond
		still.Lock()
		for _, what := range []string{"a question", "a login"} {
			if _, err := view.Latency(t.Context()); !errors.Is(err, connectors.ErrUnanswered) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := view.Vitals(t.Context()); !errors.Is(err, connectors.ErrUnanswered) {
			t.Errorf("vitals: %v", err)
		}
		soon, cancel := context.WithTimeout(t.Context(), watchTimeout/4)
		defer cancel()
		if _, err := view.Latency(soon); err == nil || errors.Is(err, connectors.ErrUnanswered) {
			t.Errorf("a caller who is gone: %v", err)
		}
		still.Unlock()
		watchTimeout = time.Minute
		if took, err := view.Latency(t.Context()); err != nil || took <= 0 {
			t.Errorf("afterwards: %s, %v", took, err)
		}
	})
}
