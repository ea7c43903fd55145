package mysql

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A promotion whose tables have moved is brought to its end, whatever becomes of the run:
// until its views, triggers and routines are made the target is no whole copy. So an
// interrupt ends what comes before the statement that moves the tables, and that statement
// as long as it waits for others; what comes behind has some time left.

// after returns a context that ends so long after ctx has, or when it is let go of.
func after(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(d):
			cancel()
		case <-late.Done():
		}
	})
	return late, func() {
		stop()
		cancel()
	}
}

// rename sends the statement that moves the tables. If ctx ends meanwhile, the statement is
// ended at the server, and its own answer tells whether they have moved. Where that is not
// to be had, there is doubt.
func (p *promotion) rename(ctx, late context.Context, renames []string) error {
	id, err := p.conn.number(ctx, "SELECT CONNECTION_ID()")
	if err != nil {
		return err
	}
	waiting, answered := context.WithCancel(late)
	defer answered()
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		if !p.endStatement(late, waiting, id) {
			answered() // nobody waits for the answer any more
		}
	})
	p.doubt = true
	err = p.conn.exec(waiting, "RENAME TABLE "+strings.Join(renames, ", "))
	answered()
	interrupted := !stop()
	if interrupted {
		<-ended
	}
	p.doubt = err != nil && (numberOf(err) == 0 || broken(err))
	if !interrupted || p.doubt {
		return err
	}
	for range 3 {
		if e := p.conn.exec(late, "DO 0"); numberOf(e) != 1317 { // of a KILL QUERY that came when its statement was over
			break
		}
	}
	return p.conn.fail(ctx, "rename table", err) // the interrupt is why
}

// endStatement ends what a session is in the middle of, again and again until waiting ends:
// the first time the server may not have it yet. It reports whether it could.
func (p *promotion) endStatement(ctx, waiting context.Context, id int64) bool {
	conn, err := p.admin(waiting)
	if err != nil {
		return false
	}
	defer conn.close()
	for {
		if conn.exec(ctx, fmt.Sprintf("KILL QUERY %d", id)) != nil {
			return false
		}
		select {
		case <-waiting.Done():
			return true
		case <-time.After(firstRetry):
		}
	}
}
