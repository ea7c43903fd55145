package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Promote renames the target out of the way and the build into its place, in one
// transaction: at every instant there is one whole copy under the name.
func (b *build) Promote(ctx context.Context) error {
	op := "promote " + b.display(b.target)
	b.mu.Lock()
	state := b.state
	b.mu.Unlock()
	if state != sealed {
		return &connectors.Error{Side: b.side, Op: op, Err: errors.New("the build is not sealed")}
	}
	b.closePool()
	sent := false // what renames
	promote := func(admin *pgx.Conn) error { return b.promote(ctx, op, admin, &sent) }
	err := b.again(ctx, func(int) (bool, error) { return true, b.withAdmin(ctx, promote) })
	if err == nil {
		b.dropFormer(ctx)
		return b.stillThere(ctx, op)
	}
	if !sent {
		return err
	}
	// An answer that was not waited for, or got lost, may have been that it is done.
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	done := false
	unknown := b.withAdmin(sure, func(admin *pgx.Conn) (err error) {
		done, err = b.arrived(sure, admin)
		return err
	})
	switch {
	case done:
		b.dropFormer(sure)
		return b.stillThere(sure, op)
	case unknown != nil:
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Op: op, Changed: true,
			Err:  fmt.Errorf("whether it is done cannot be asked: %w", unknown),
			Hint: "the target is the former copy or the new one, each of them whole: the comment on the database says of which run; the next run removes what is left"}
	}
	return err
}

// stillThere says of a promotion that got through whether a crash of the server has emptied
// unlogged tables of the copy since: the one that may have cost the session that promoted it.
func (b *build) stillThere(ctx context.Context, op string) error {
	if len(b.unlogged) == 0 || !b.admin.IsClosed() && !b.made.doubted() {
		return nil // no crash spares a session
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience+cleanupTimeout)
	defer cancel()
	conn, err := b.patiently(ctx, func(ctx context.Context) (*pgx.Conn, error) { return b.connect(ctx, b.target) })
	if err == nil {
		defer closeConn(conn)
		err = b.stillWhole(ctx, conn, op, b.rows)
	}
	if err == nil {
		return nil
	}
	names := slices.SortedFunc(maps.Keys(b.unlogged), catalog.TableID.Compare)
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Op: op, Changed: true, Hint: "run again",
		Err: fmt.Errorf("the copy is in the target's place, but for the rows of unlogged tables (%s): %w", listTables(names), err)}
}

// insistence is how often a step that was cut short by a lost connection is tried again.
const insistence = 3

// again does what is harmless to repeat again where a lost connection has cut it short, unless it says
// that it did not reach the server: for that it has been waited already.
func (b *build) again(ctx context.Context, do func(try int) (reached bool, err error)) error {
	for try := 0; ; try++ {
		reached, err := do(try)
		if !connectors.Retryable(err) || !reached || try == insistence || ctx.Err() != nil {
			return err
		}
	}
}

// arrived reports whether the build is the target by now, and notes it.
func (b *build) arrived(ctx context.Context, admin *pgx.Conn) (bool, error) {
	list, err := b.neighbours(ctx, admin)
	return err == nil && b.arrivedAmong(list), err
}

func (b *build) arrivedAmong(list []neighbour) bool {
	if !slices.ContainsFunc(list, b.landed) || slices.ContainsFunc(list, func(n neighbour) bool { return n.name == b.name }) {
		return false
	}
	old := b.formerName()
	b.nowPromoted(slices.ContainsFunc(list, func(n neighbour) bool { return n.name == old }))
	return true
}

// nowPromoted notes that the build is the target, and whether a former copy is there still.
func (b *build) nowPromoted(replaced bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state, b.replaced = promoted, replaced
}

// dropFormer drops the former copy, if there is one.
func (b *build) dropFormer(ctx context.Context) {
	if !b.replaced {
		return
	}
	old := b.formerName()
	b.relieve(ctx, old) // with two copies the disk is as full as it gets
	err := b.again(ctx, func(int) (reached bool, err error) {
		err = b.withAdmin(ctx, func(admin *pgx.Conn) error {
			reached = true
			return b.drop(ctx, admin, old)
		})
		return reached, err
	})
	if err != nil {
		// The promotion has succeeded all the same; the next run tries again.
		b.warn(fmt.Sprintf("the former copy %s is still there: %v", old, err))
	}
}

// formerName returns what the former copy is called until it is dropped.
func (b *build) formerName() string { return stem(b.target) + former + b.spec.Run }

func (b *build) promote(ctx context.Context, op string, admin *pgx.Conn, sent *bool) error {
	list, err := b.neighbours(ctx, admin)
	if err != nil || b.arrivedAmong(list) {
		return err
	}
	if b.made.doubted() && len(b.unlogged) > 0 {
		conn, err := b.connect(ctx, b.name)
		if err != nil {
			return err
		}
		err = b.stillWhole(ctx, conn, op, b.rows)
		closeConn(conn)
		if err != nil {
			return err
		}
	}
	exists, was, closed := false, mark{}, false
	for _, n := range list {
		if n.name == b.target {
			exists, was = true, n.mark
		}
	}
	if err := b.guardAmong(list); err != nil {
		return err // somebody made it while we were building
	}
	var rights []wish
	if exists {
		if rights, closed, err = b.follow(ctx, admin, was); err != nil {
			return err
		}
	}
	rename := "ALTER DATABASE " + ident(b.name) + " RENAME TO " + ident(b.target)
	if exists {
		rename = "ALTER DATABASE " + ident(b.target) + " RENAME TO " + ident(b.formerName()) + "; " + rename
	}
	if closed {
		rename += "; ALTER DATABASE " + ident(b.target) + " ALLOW_CONNECTIONS false"
	}
	// The former copy is disposable, and so are the sessions in it. While the
	// rename waits for them to go it holds a lock that keeps new ones out; so
	// another session ends them meanwhile.
	stop, err := b.terminator(ctx, b.target, b.name)
	if err != nil {
		return err
	}
	// Both ends of the step are on the disk before a run says that it is done.
	if err = b.openUp(ctx, admin, rights); err == nil {
		*sent = true
		_, err = admin.PgConn().Exec(ctx, rename+"; COMMIT").ReadAll()
	}
	undo(ctx, admin, err)
	refusal := stop()
	if err != nil {
		failed := failDefinition(ctx, b.side, op, err)
		var e *connectors.Error
		if errors.As(failed, &e) && stateOf(err) == "55006" {
			e.Kind, e.Hint = connectors.KindUnavailable, "sessions in the target could not be ended; end them and run again"
			if keeps, hint, err := b.inTheWay(ctx, admin); err == nil && keeps != "" {
				e.Hint = keeps + " is in the way: " + hint + "; then run again"
			}
			if refusal != nil {
				e.Err = errors.Join(e.Err, wrap(context.Background(), b.side, "end sessions", refusal, spoken))
			}
		}
		return failed
	}
	b.nowPromoted(exists)
	return nil
}

// inTheWay says what will keep the target or the build from being renamed, if it stays, and what a person can do:
// "" if nothing does that the account could not end itself.
func (b *build) inTheWay(ctx context.Context, conn *pgx.Conn) (keeps, hint string, err error) {
	var who, what []string
	err = each(ctx, conn, "in_the_way", []any{[]string{b.target, b.name}}, func(row pgx.CollectableRow) error {
		var kind, name string
		var super bool
		if err := row.Scan(&kind, &name, &super); err != nil {
			return err
		}
		does := "GRANT pg_signal_backend TO " + word(b.account)
		switch {
		case kind == "transaction":
			who, does = append(who, "the prepared transaction "+word(name)), "in the target, COMMIT or ROLLBACK PREPARED "+literal(name)
		case super:
			who, does = append(who, "a session of the superuser "+word(name)), "let "+word(name)+" end it"
		default:
			who = append(who, "a session of "+word(name))
		}
		if !slices.Contains(what, does) {
			what = append(what, does)
		}
		return nil
	})
	return list(who), strings.Join(what, "; "), failDefinition(ctx, b.side, "see who is in "+b.display(b.target), err)
}

// foresee warns of what is in the way of the promotion already.
func (b *build) foresee(ctx context.Context) error {
	keeps, hint, err := b.inTheWay(ctx, b.admin)
	if err == nil && keeps != "" {
		b.warn(fmt.Sprintf("%s cannot be replaced as long as %s is there: %s", b.target, keeps, hint))
	}
	return err
}

// terminator ends the sessions in the databases again and again, until stopped.
// The function that it returns stops it and tells what went wrong last, if anything.
func (b *build) terminator(ctx context.Context, databases ...string) (stop func() error, err error) {
	conn, err := b.sink.admin(ctx)
	if err != nil {
		return nil, err
	}
	round := func() (err error) {
		for _, name := range databases {
			if _, e := b.terminate(ctx, conn, name, nil, false); e != nil {
				err = e
			}
		}
		return err
	}
	last := round()
	quit, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				last = round()
			}
		}
	}()
	return func() error {
		close(quit)
		<-finished
		closeConn(conn)
		return last
	}, nil
}
