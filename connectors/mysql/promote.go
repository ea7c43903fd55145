package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
)

// promotion makes a sealed build the target. No database can be renamed, so its tables
// move, all in one statement; and what cannot move is made anew. Each step can be done
// again, by whatever process: the marks tell where it stopped.
//
//	begun   the build's mark says promoting; what is to be made lies in restTable
//	moved   RENAME TABLE: the target's tables to the former database, the build's to the
//	        target, marks and restTable with them; so the target's mark says promoting
//	settled views, routines, events and triggers of the target are the new ones
//	ready   the target's mark says so; former database and build are dropped
//
// A server older than MySQL 8.0 or MariaDB 10.6 that crashes within RENAME TABLE may have
// done a part of it (MariaDB's manual, "Atomic DDL"). Then a table of the build that is
// still there has not moved, and one of the target that is none of the build's new ones
// is a former one: so what remains can be told.
type promotion struct {
	*sink
	run      string
	build    string // the database that was built
	old      string // takes the former tables
	unlogged bool
	sealed   time.Time // of the build's mark; zero if another process has sealed it
	conn     *session  // holds the target's lock
	moved    bool      // the tables are the new ones
	doubt    bool      // the statement that moves them was sent, and its answer was lost
	bare     bool      // the target has lost triggers
}

// errStopped is the end of a process as tests play it: nothing is put right.
type errStopped struct{ error }

func (e errStopped) Unwrap() error { return e.error }

// step is called before each step.
func (p *promotion) step(name string) error {
	if p.between == nil {
		return nil
	}
	if err := p.between(name); err != nil {
		return errStopped{err}
	}
	return nil
}

// promotePatience is how long a promotion waits in all for those who use the target's
// tables, and promoteGrace how long it lets them end by themselves. Tests set them.
var (
	promotePatience = time.Minute
	promoteGrace    = 2 * time.Second
)

// Promote makes the build the target. When the tables have moved it goes on after ctx has
// ended, for promotePatience.
func (b *build) Promote(ctx context.Context) error {
	op := "promote " + b.display(b.target)
	if err := b.check(op, sealed); err != nil {
		return err
	}
	b.closePool()
	p := &promotion{sink: b.sink, run: b.spec.Run, build: b.database, old: b.name(former, b.spec.Run), unlogged: b.unlogged, sealed: b.sealedAt}
	late, cancel := after(ctx, promotePatience)
	defer cancel()
	try := func(conn *session) error {
		p.conn = conn
		m, ours, err := readMark(late, conn, p.build)
		if err != nil {
			return err
		}
		if ours && m.State == stateSealed {
			list, err := b.neighbours(ctx, conn)
			if err != nil {
				return err
			}
			if err := b.guard(list); err != nil {
				return err // somebody made it while we were building
			}
			if err := p.begin(ctx, m, find(list, b.target)); err != nil {
				return err
			}
		}
		return p.goOn(ctx, late)
	}
	err := b.withHolder(ctx, try)
	if connectors.Retryable(err) && ctx.Err() == nil {
		err = b.withHolder(ctx, try) // if the connection broke, nobody knows after what
	}
	if ctx.Err() != nil && (p.doubt || p.moved && connectors.Retryable(err)) {
		err = b.withHolder(late, try)
	}
	if err == nil || p.moved {
		b.reach(sealed, promoted) // the next run ends what is not settled
	}
	switch {
	case err == nil || errors.As(err, new(errStopped)):
		return err
	case p.moved:
		return p.halfway(err)
	}
	return b.takeBack(p, ctx.Err() != nil, err)
}

// takeBack undoes what a promotion that has failed did to its target.
func (b *build) takeBack(p *promotion, interrupted bool, err error) error {
	clean, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	undone := b.withHolder(clean, func(conn *session) error {
		p.conn = conn
		return p.undo(clean, true)
	})
	switch {
	case !p.doubt && !p.bare:
		return errors.Join(err, undone)
	case interrupted && undone != nil:
		return p.halfway(undone) // of which the interrupt is no cause
	default:
		return p.halfway(errors.Join(err, undone))
	}
}

// begin notes that the tables are about to move. there is the target, or nil.
func (p *promotion) begin(ctx context.Context, m mark, there *neighbour) error {
	if err := p.step("begin"); err != nil {
		return err
	}
	if err := p.conn.exec(ctx, "DROP TABLE IF EXISTS "+within(p.build, ledgerTable)); err != nil {
		return err
	}
	var old, given []string
	if there != nil {
		if there.free {
			given = []string{p.target}
		}
		tables, _, err := listTables(ctx, p.conn, p.target)
		if err != nil {
			return err
		}
		old = tables
	}
	tables, _, err := listTables(ctx, p.conn, p.build)
	if err != nil {
		return err
	}
	if err := storeRest(ctx, p.conn, p.build, partOld, old); err != nil {
		return err
	}
	if err := storeRest(ctx, p.conn, p.build, partNew, tables); err != nil {
		return err
	}
	if err := storeRest(ctx, p.conn, p.build, partGiven, given); err != nil {
		return err
	}
	m.State = statePromoting
	return setMark(ctx, p.conn, p.build, m)
}

// goOn does what remains. Until the tables move it ends with ctx, from there on with late.
func (p *promotion) goOn(ctx, late context.Context) error {
	op := "promote " + p.display(p.target)
	// As long as the build has its mark, the tables have not moved. The run's id does not
	// tell: the former copy may be one of a run called the same.
	_, waits, err := readMark(late, p.conn, p.build)
	if err != nil {
		return err
	}
	at, is, err := readMark(late, p.conn, p.target)
	if err != nil {
		return err
	}
	p.doubt = false
	if !waits && (!is || at.Run != p.run || !p.sealed.IsZero() && !at.At.Equal(p.sealed)) {
		return &connectors.Error{Kind: connectors.KindBusy, Side: p.side, Op: op, Err: errors.New("the build is not there any more")}
	}
	if p.moved = !waits; !p.moved {
		stop, err := p.terminator(ctx, promoteGrace, false, []string{p.target, p.build}, p.conn)
		if err != nil {
			return err
		}
		err = p.move(ctx, late)
		if who := stop(); err != nil {
			return p.blocked(err, op, who)
		}
		p.moved = true
	}
	if waits || at.State == statePromoting {
		s, err := p.inside(late, p.target)
		if err != nil {
			return err
		}
		defer s.close()
		stop, err := p.terminator(late, promoteGrace, false, []string{p.target}, p.conn, s)
		if err != nil {
			return err
		}
		err = p.settle(late, s)
		if who := stop(); err != nil {
			return p.blocked(err, op, who)
		}
	}
	return p.end(late)
}

// halfway is the error of a promotion that has not got to its end, and whose target is not
// as it was.
func (p *promotion) halfway(err error) error {
	kind, _ := connectors.KindOf(err)
	cause := err.Error()
	if errors.Is(err, context.Canceled) {
		kind, cause = connectors.KindUnavailable, "it was interrupted, and not done in the time from there on"
	}
	what := "the tables are the new ones, and what stands behind them is not there yet"
	switch {
	case p.moved:
	case p.doubt:
		what = "whether the tables are the new ones is not known"
	default:
		what = "triggers of the target are gone, and could not be made again"
	}
	hint := connectors.Hint(err)
	if hint == "" {
		hint = "run again: the next run mends it"
	}
	// The cause is passed on as text: an interrupt would say that the target is as it was.
	return &connectors.Error{Kind: kind, Side: p.side, Op: "promote " + p.display(p.target), Err: fmt.Errorf("%s: %s", what, cause), Hint: hint, Changed: true}
}

// blocked says who holds the target's tables, if that is why something failed.
func (p *promotion) blocked(err error, op string, who []string) error {
	var e *connectors.Error
	if numberOf(err) != 1205 || !errors.As(err, &e) {
		return err
	}
	e.Kind, e.Op, e.Retry = connectors.KindUnavailable, op, false
	e.Err = errors.New("sessions hold tables of the target, and could not be ended")
	e.Hint = "end them and run again, or run as an account that may see and end all sessions (PROCESS, and CONNECTION_ADMIN or SUPER)"
	if len(who) > 0 {
		e.Err = errors.New("sessions hold tables of the target, and could not be ended: " + strings.Join(who, ", "))
	}
	return err
}

// undo puts the target back to what it was, as long as its tables have not moved.
func (p *promotion) undo(ctx context.Context, sealAgain bool) error {
	m, ours, err := readMark(ctx, p.conn, p.build)
	if err != nil || !ours || m.State != statePromoting {
		return err
	}
	if list, err := p.list(ctx); err != nil || list != p.build {
		return err // a part of the tables has moved, and the rest will
	}
	p.doubt = false
	kept, err := loadRest[object](ctx, p.conn, p.build, partTrigger)
	if err != nil {
		return err
	}
	if len(kept) > 0 {
		if err := p.putBack(ctx, kept); err != nil {
			return err
		}
		if err := storeRest[object](ctx, p.conn, p.build, partTrigger, nil); err != nil {
			return err
		}
	}
	p.bare = false
	if !sealAgain {
		return nil
	}
	m.State = stateSealed
	if err := setMark(ctx, p.conn, p.build, m); err != nil {
		return err
	}
	old, err := loadRest[string](ctx, p.conn, p.build, partOld)
	if err != nil {
		return err
	}
	given, err := loadRest[string](ctx, p.conn, p.build, partGiven)
	if err != nil {
		return err
	}
	empty := []string{p.old}
	if len(old) == 0 && len(given) == 0 {
		empty = append(empty, p.target)
	}
	for _, name := range empty {
		err := p.dropEmpty(ctx, name)
		if err != nil {
			return err
		}
	}
	return nil
}

// putBack makes those triggers of the target again that are gone.
func (p *promotion) putBack(ctx context.Context, kept []object) error {
	s, err := p.inside(ctx, p.target)
	if err != nil {
		return err
	}
	defer s.close()
	stop, err := p.terminator(ctx, promoteGrace, false, []string{p.target}, p.conn, s)
	if err != nil {
		return err
	}
	defer stop()
	for _, o := range kept {
		there, err := s.number(ctx, "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = "+literal(p.target)+" AND TRIGGER_NAME = "+literal(o.Name))
		if err == nil && there == 0 {
			err = makeObject(ctx, s, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropEmpty drops a database if nothing is in it.
func (p *promotion) dropEmpty(ctx context.Context, name string) error {
	empty, err := p.leftover(ctx, p.conn, neighbour{name: name})
	if err != nil || !empty {
		return err
	}
	return p.conn.exec(ctx, "DROP DATABASE IF EXISTS "+ident(name))
}

// inside opens a session in a database.
func (p *promotion) inside(ctx context.Context, database string) (*session, error) {
	s, err := p.connect(ctx, database)
	if err != nil {
		return nil, err
	}
	set := []string{fmt.Sprintf("SET SESSION lock_wait_timeout = %d", max(1, int(promotePatience/time.Second)))}
	if p.unlogged {
		set = append(set, "SET SESSION sql_log_bin = 0")
	}
	for _, sql := range set {
		if err == nil {
			err = s.exec(ctx, sql)
		}
	}
	if err == nil {
		err = equip(ctx, s)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// settle makes what cannot move, in place of what the former copy had of it, and sets the
// mark. The session is one in the target.
func (p *promotion) settle(ctx context.Context, s *session) error {
	if err := p.step("drop the former rest"); err != nil {
		return err
	}
	if err := dropRest(ctx, s, p.target); err != nil {
		return err
	}
	charset, err := loadRest[string](ctx, s, p.target, partCharset)
	if err != nil {
		return err
	}
	if clause := strings.Join(charset, ""); clause != "" {
		if err := s.exec(ctx, "ALTER DATABASE "+ident(p.target)+clause); err != nil {
			return err
		}
	}
	if err := p.step("sequences"); err != nil {
		return err
	}
	if err := p.callSequences(ctx, s); err != nil {
		return err
	}
	rest, err := loadRest[object](ctx, s, p.target, partMade)
	if err != nil {
		return err
	}
	for _, o := range rest {
		if err := p.step(o.Kind + " " + o.Name); err != nil {
			return err
		}
		if err := makeObject(ctx, s, o); err != nil {
			return err
		}
	}
	return p.ready(ctx)
}

// ready sets the mark of a target that is whole.
func (p *promotion) ready(ctx context.Context) error {
	if err := p.step("mark"); err != nil {
		return err
	}
	m, _, err := readMark(ctx, p.conn, p.target)
	if err != nil {
		return err
	}
	m.State = stateReady
	return setMark(ctx, p.conn, p.target, m)
}

// callSequences lets defaults call the sequences of the target. MariaDB stores such a
// default with the database in which it was made.
func (p *promotion) callSequences(ctx context.Context, s *session) error {
	if !p.server.mariadb {
		return nil
	}
	var sqls []string
	from := ident(p.build) + "."
	err := s.query(ctx, "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "+literal(p.target)+
		" AND COLUMN_DEFAULT LIKE '%val(%'", func(r row) error {
		if text := r.text(2); strings.Contains(text, from) {
			sqls = append(sqls, fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT (%s)", ident(r.text(0)), ident(r.text(1)), strings.ReplaceAll(text, from, "")))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, sql := range sqls {
		if err := s.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// end removes what the promotion has left, once the target's mark says ready. That it
// cannot is no failure of the run: the next one tries again.
func (p *promotion) end(ctx context.Context) error {
	if err := p.step("drop the list"); err != nil {
		return err
	}
	if err := p.conn.exec(ctx, "DROP TABLE IF EXISTS "+within(p.target, restTable)); err != nil {
		p.warn(fmt.Sprintf("the table %s is still in the target: %v", restTable, err))
	}
	for _, name := range []string{p.old, p.build} {
		if err := p.step("drop " + name); err != nil {
			return err
		}
		if err := p.drop(ctx, p.conn, name); err != nil {
			p.warn(fmt.Sprintf("the database %s is still there: %v", name, err))
		}
	}
	if ctx.Err() != nil {
		return nil // an interrupt has left it no time for all of that
	}
	return p.wait(ctx, 0)
}
