package mysql

import (
	"context"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
)

var _ connectors.Watcher = (*snapshot)(nil)

// watchTimeout bounds a question of the watch. Tests set it.
var watchTimeout = 10 * time.Second

// watch is the session by which a snapshot is watched. It is opened by the first question,
// and again when it was lost.
type watch struct {
	mu      sync.Mutex
	session *session
	blind   bool // the account may not see the engine's counters
	deaf    bool // nor how far a replica is behind
}

// ask runs do with the watching session, and gives up when the source does not answer.
func (s *snapshot) ask(ctx context.Context, do func(context.Context, *session) error) error {
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	asked, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	if w.session == nil {
		r, err := s.source.session(asked)
		if err != nil {
			return s.unanswered(ctx, asked, err)
		}
		w.session = r
	}
	err := do(asked, w.session)
	if broken(err) || connectors.Retryable(err) || asked.Err() != nil {
		w.session.close()
		w.session = nil
	}
	return s.unanswered(ctx, asked, err)
}

// unanswered turns the error of a question that the source has had its time for.
func (s *snapshot) unanswered(ctx, asked context.Context, err error) error {
	if err == nil || asked.Err() == nil || ctx.Err() != nil {
		return err
	}
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: connectors.SourceSide, Op: "watch " + s.source.display(s.source.database), Err: connectors.ErrUnanswered}
}

// Vitals implements connectors.Watcher. Held is the length of InnoDB's history list: what
// purge cannot remove while the snapshot is open (MySQL's manual, "Purge Configuration").
func (s *snapshot) Vitals(ctx context.Context) (v connectors.Vitals, err error) {
	age := time.Since(s.opened)
	v.Age = &age
	err = s.ask(ctx, func(ctx context.Context, r *session) error {
		if !s.watch.blind {
			n := int64(-1)
			err := r.query(ctx, "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'", func(x row) error {
				n = x.number(0)
				return nil
			})
			switch {
			case denied(err):
				s.watch.blind = true
			case err != nil:
				return err
			case n >= 0:
				v.Held = &n
			}
		}
		if s.watch.deaf {
			return nil
		}
		show := "SHOW SLAVE STATUS"
		if r.server.has(replicaStatus) {
			show = "SHOW REPLICA STATUS"
		}
		err := r.table(ctx, show, func(columns []string, x row) error {
			for i, name := range columns {
				if (name == "Seconds_Behind_Source" || name == "Seconds_Behind_Master") && !x.null(i) {
					behind := time.Duration(x.number(i)) * time.Second
					v.Replay = &behind
				}
			}
			return nil
		})
		if denied(err) {
			s.watch.deaf = true
			return nil
		}
		return err
	})
	return v, err
}

// Latency implements connectors.Watcher.
func (s *snapshot) Latency(ctx context.Context) (took time.Duration, err error) {
	err = s.ask(ctx, func(ctx context.Context, r *session) error {
		from := time.Now()
		_, err := r.run(ctx, "DO 1")
		took = time.Since(from)
		return failDefinition(ctx, connectors.SourceSide, "ask the source", err)
	})
	return took, err
}
