package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/tasks"
)

// buildState is where a build is in its life.
type buildState uint8

const (
	fresh       buildState = iota // no database yet
	open                          // being loaded
	sealed                        // whole, and marked
	promoted                      // is the target
	aborted                       // dropped
	closedState                   // left where it was, by Sink.Close
)

// build is one database being built.
type build struct {
	*sink
	spec   connectors.BuildSpec
	defs   definitions
	name   string        // of the database
	ledger string        // schema of the ledger in it
	slots  chan *session // a place per session allowed; nil where none is open yet

	adminMu  sync.Mutex      // one statement at a time
	admin    *pgx.Conn       // holds the target's lock
	taken    backend         // what admin is, or was, to the server
	replaced bool            // the former copy is there still
	life     context.Context // ends the pulse
	die      context.CancelFunc
	beating  sync.WaitGroup

	loads    loads        // what has been loaded
	wanted   atomic.Int64 // sessions in use, and waited for
	queue    queue        // of indexes that wait for a session
	entering sync.RWMutex // held for reading while a session is opened, and noted in ours
	cut      atomic.Bool  // a session was lost: the server may still run what it was told last
	poolOnce sync.Once    // the pool is closed
	whole    atomic.Bool  // all that rows need is there

	mu      sync.Mutex
	state   buildState
	routed  map[string]bool // roots through which rows are loaded
	done    map[string]bool // tables whose indexes are built, or being built
	ours    map[uint32]bool // the server's processes of the sessions
	refused map[string]bool // settings of the source that the server does not take
	// indexed has the tables whose indexes are there, and on which nothing else hangs;
	// analyzed those, and the materialized views, whose statistics have been gathered;
	// refreshed the views that have been filled, unfilled those that cannot be. A crash of the
	// server may undo each.
	indexed, analyzed, refreshed, unfilled map[catalog.TableID]bool

	ahead  tasks.Locks    // on tables, of what is done before Finish
	behind func() *behind // what the definitions say of each table, once they are settled

	made      made
	saying    sync.Mutex // of what is said while it begins: who warns may hold mu
	beginning bool       // warnings wait
	warnings  []string   // that wait
	failed    error      // why it has not begun

	// unmade are members of extensions that are not made here, and otherVersions the extensions of which
	// the server does not have the source's version, in words. Of those in choices it has that and its own,
	// and turned names those that are made in the one that comes second.
	unmade        []unmade
	otherVersions []string
	choices       []extension
	turned        map[string]bool
	refusal       *entry         // the first definition that was refused
	unlike        bool           // an extension is not what it is at the source, or not in the version that the server makes
	mappings      []func() error // change text search configurations of extensions, when all dictionaries are there
	// unlogged has, by their root, the tables whose rows a crash of the server may take away.
	unlogged map[catalog.TableID][]catalog.TableID
	rows     map[catalog.TableID]int64 // that the sealed build has
}

func (b *build) mark(state string) mark {
	h := sha256.New()
	for _, k := range slices.Sorted(maps.Keys(b.spec.Fingerprint)) {
		fmt.Fprintf(h, "%q=%q\n", k, b.spec.Fingerprint[k])
	}
	return mark{Target: b.target, Run: b.spec.Run, State: state, Fingerprint: hex.EncodeToString(h.Sum(nil)), At: time.Now().UTC().Truncate(time.Second)}
}

func (b *build) setMark(ctx context.Context, admin *pgx.Conn, state string, own ...string) error {
	m := b.mark(state)
	m.Own = own
	return durably(ctx, admin, markSQL(b.name, m))
}

func markSQL(database string, m mark) string {
	return "COMMENT ON DATABASE " + ident(database) + " IS " + literal(m.String())
}

// inTransaction begins a transaction whose commit waits for the disk.
const inTransaction = "BEGIN; SET LOCAL synchronous_commit = on; "

// durable returns statements as one transaction whose commit waits for the disk, and so for all
// that was committed before it, in whatever database: those of the build itself do not wait.
func durable(sql string) string {
	return inTransaction + sql + "; COMMIT"
}

// durably runs statements like that on a session that outlives their failure.
func durably(ctx context.Context, conn *pgx.Conn, sql string) error {
	_, err := conn.PgConn().Exec(ctx, durable(sql)).ReadAll()
	undo(ctx, conn, err)
	return err
}

// undo ends a transaction that has failed, on a session that outlives it.
func undo(ctx context.Context, conn *pgx.Conn, err error) {
	if err != nil && !conn.IsClosed() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		conn.Exec(clean, "ROLLBACK")
	}
}

// create makes the empty database, with the source's encoding and collation. Nobody gets in before
// it is closed to all but the run's account.
func (b *build) create(ctx context.Context) error {
	op := "create database " + word(b.name)
	sql, err := b.createSQL()
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.state = open // from here on there is something to drop
	b.mu.Unlock()
	if _, err := b.admin.Exec(ctx, sql); err != nil {
		failed := failDefinition(ctx, b.side, op, err)
		var e *connectors.Error
		if errors.As(failed, &e) {
			switch stateOf(err) {
			case "42501":
				e.Hint = "ALTER ROLE " + word(b.account) + " CREATEDB"
			case "25006":
				e.Kind, e.Hint = connectors.KindUnavailable, "the target's server is a standby, or takes no writes: name its primary"
			case "42809", "22023", "42704":
				e.Kind = connectors.KindUnsupported
				e.Hint = b.hintLocale(stateOf(err))
			}
		}
		return failed
	}
	shut, err := b.shutSQL(ctx, b.admin)
	if err == nil {
		err = durably(ctx, b.admin, shut+"; ALTER DATABASE "+ident(b.name)+" ALLOW_CONNECTIONS true; "+markSQL(b.name, b.mark(stateBuilding)))
	}
	return failDefinition(ctx, b.side, op, err)
}

// ofWindows finds the name of a locale of Windows: German_Germany.1252, Chinese (Simplified)_China.936.
var ofWindows = regexp.MustCompile(`^[A-Z][a-z]+[ _(].*\.\d{3,5}$`)

// hintLocale says what is wrong with the locale of a database that the server does not make.
func (b *build) hintLocale(state string) string {
	d := b.defs
	has := fmt.Sprintf("the source's database has LC_COLLATE %s, LC_CTYPE %s: ", d.Collate, d.CType)
	switch {
	case ofWindows.MatchString(d.Collate) || ofWindows.MatchString(d.CType):
		return has + "such locales are there on Windows alone; use a target's server there, or make the source's database anew with a locale that both have, as C"
	case d.Encoding == "SQL_ASCII" && state == "22023":
		return has + "with the encoding SQL_ASCII a superuser alone may make such a database; connect as one, or make the source's anew with the locale C"
	}
	return has + "install that locale at the target's server"
}

func (b *build) createSQL() (string, error) {
	d := b.defs
	sql := fmt.Sprintf("CREATE DATABASE %s TEMPLATE template0 ENCODING %s LC_COLLATE %s LC_CTYPE %s",
		ident(b.name), literal(d.Encoding), literal(d.Collate), literal(d.CType))
	lacks := func(f feature) (string, error) {
		return "", b.lacks("create database "+word(b.name), lack{f, "the source's database"})
	}
	switch d.Provider {
	case "i":
		if !icuDatabases.in(b.major) {
			return lacks(icuDatabases)
		}
		sql += " LOCALE_PROVIDER icu ICU_LOCALE " + literal(d.Locale)
		if d.Rules != "" {
			if !icuRules.in(b.major) {
				return lacks(icuRules)
			}
			sql += " ICU_RULES " + literal(d.Rules)
		}
	case "b":
		if !builtinDatabases.in(b.major) {
			return lacks(builtinDatabases)
		}
		if d.Locale == "PG_UNICODE_FAST" && !fastDatabases.in(b.major) {
			return lacks(fastDatabases)
		}
		sql += " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + literal(d.Locale)
	default:
		if namesProviders.in(b.major) {
			sql += " LOCALE_PROVIDER libc"
		}
	}
	return sql + fmt.Sprintf(" ALLOW_CONNECTIONS false CONNECTION LIMIT %d", buildLimit), nil
}

// with runs f on a session in the build.
func (b *build) with(ctx context.Context, f func(*session) error) error {
	held, err := b.session(ctx)
	if err != nil {
		return err
	}
	defer b.release(held)
	return f(held)
}

// TableLoaded builds the indexes and unique keys of a table. Those of a partition
// into which rows may still be routed from elsewhere wait for Finish.
func (b *build) TableLoaded(ctx context.Context, id catalog.TableID) error {
	t := b.spec.Catalog.Table(id)
	if t == nil {
		return &connectors.Error{Side: b.side, Op: "build the indexes of " + words(id), Err: errors.New("no such table")}
	}
	b.mu.Lock()
	wait := b.routed[words(b.spec.Catalog.Root(t).ID)]
	b.mu.Unlock()
	if wait {
		return nil
	}
	return b.indexes(ctx, id)
}

func (b *build) indexes(ctx context.Context, id catalog.TableID) error {
	b.mu.Lock()
	done := b.done[words(id)]
	b.done[words(id)] = true
	b.mu.Unlock()
	if done {
		return nil
	}
	err := b.makeIndexes(ctx, id, b.behind().indexes[id])
	if err == nil {
		err = b.goAhead(ctx, id)
	}
	if err != nil {
		b.mu.Lock()
		delete(b.done, words(id))
		b.mu.Unlock()
	}
	return err
}

// run runs entries that stand behind the rows. Each is noted in the ledger in the same
// transaction, so that none is made twice.
func (b *build) run(ctx context.Context, held *session, entries ...entry) error {
	for _, e := range entries {
		if err := b.make(ctx, held, e); err != nil {
			switch e.Kind {
			case "TRIGGER", "RULE", "POLICY", "ROW SECURITY", "STATISTICS", "ACL":
				return b.unlessLost(ctx, held, b.definitionError(ctx, e, err)) // looks at no row
			}
			failed := hintPath(fail(ctx, b.side, "make "+e.String(), err), err)
			return b.unlessLost(ctx, held, b.computingEntry(b.hintLent(failed, err, e), err, e))
		}
	}
	return nil
}

// unlessLost returns an error of an entry, unless rows or entries that were committed are not
// there any more: a crash of the server may have cost the last of them, and what needs them is not
// at fault.
func (b *build) unlessLost(ctx context.Context, held *session, failed error) error {
	if connectors.Retryable(failed) || ctx.Err() != nil || held.conn.IsClosed() {
		return failed
	}
	// What others commit meanwhile is there, and not yet known.
	chunks, keys := b.loads.known(), b.made.known()
	receipts, err := readLedger(ctx, held.conn, b.ledger)
	if err != nil {
		return failed
	}
	entries, err := b.readMade(ctx, held.conn)
	if err != nil {
		return failed
	}
	for _, r := range receipts {
		delete(chunks, r.Chunk)
	}
	for _, key := range entries {
		delete(keys, key)
	}
	if len(chunks) == 0 && len(keys) == 0 {
		return failed
	}
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Op: "build " + word(b.name), Retry: true,
		Err: errors.New("the target's server has lost its last commits"), Hint: "run again"}
}

// hintPath says of a failure what it mostly comes from if a function is not found, or what it reads.
// Everything is made without a search path, as by pg_restore, since a function that is called by
// accident would run with all the rights of the run's account.
func hintPath(failed, err error) error {
	var e *connectors.Error
	if errors.As(failed, &e) && e.Hint == "" && slices.Contains(absentStates, stateOf(err)) {
		e.Hint = "a function that it calls may name something without its schema: at the source, ALTER FUNCTION … SET search_path = public"
	}
	return failed
}

// Finish makes what needs all rows, in this order: indexes that had to wait,
// those of partitioned tables, foreign keys, statistics and the positions of
// sequences, triggers and rules, materialised views, and what looks into these.
func (b *build) Finish(ctx context.Context) error {
	var list []tasks.Task
	seen := map[catalog.TableID]bool{}
	for _, e := range b.defs.After {
		if e.Phase == phaseTable && !seen[*e.Table] {
			seen[*e.Table] = true
			list = append(list, tasks.Task{Do: func(ctx context.Context) error { return b.indexes(ctx, *e.Table) }})
		}
	}
	if err := b.parallel(ctx, list); err != nil {
		return err
	}
	if err := b.phase(ctx, phaseAttach); err != nil {
		return err
	}
	if err := b.phase(ctx, phaseExtended); err != nil {
		return err
	}
	if err := b.keys(ctx); err != nil {
		return err
	}
	if err := b.phase(ctx, phaseRest); err != nil {
		return err
	}
	if err := b.refreshAll(ctx); err != nil {
		return err
	}
	if err := b.phase(ctx, phaseFilled); err != nil {
		return err
	}
	if err := b.parallel(ctx, b.analyzing(append(b.lookingIntoViews(), b.defs.Views...))); err != nil {
		return err
	}
	return b.settle(ctx)
}

// settle puts all that has been made on the disk, and then asks whether the server has
// crashed before it got there: what such a crash has cost is made again.
func (b *build) settle(ctx context.Context) error {
	op := "put " + word(b.name) + " on the disk"
	// An update, since a transaction that writes nothing waits for nothing.
	sql := durable("UPDATE " + ident(b.ledger) + ".state SET defined = defined")
	if err := b.with(ctx, func(held *session) error { return held.exec(ctx, sql) }); err != nil {
		return failDefinition(ctx, b.side, op, err)
	}
	if err := b.hold(ctx); err != nil {
		return failDefinition(ctx, b.side, op, err)
	}
	if b.made.doubted() {
		return b.crashedError(op, true)
	}
	return nil
}

func (b *build) crashedError(op string, retry bool) error {
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Op: op, Retry: retry,
		Err: errors.New("the session that holds the target was lost: its server may have crashed"), Hint: "run again"}
}

func (b *build) phase(ctx context.Context, p phase) error {
	var entries []entry
	for _, e := range b.defs.After {
		if e.Phase == p {
			entries = append(entries, e)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return b.ample(ctx, func(held *session) error { return b.run(ctx, held, entries...) })
}

func (b *build) root(id catalog.TableID) string {
	if t := b.spec.Catalog.Table(id); t != nil {
		id = b.spec.Catalog.Root(t).ID
	}
	return words(id)
}

// sequences puts each sequence past the largest value of the columns that it
// fills, masked values included, and never before its position at the source; but for one
// that cycles and has been at its end: that stays where it was.
func (b *build) sequences(ctx context.Context, conn *pgx.Conn) error {
	for _, q := range b.spec.Definitions.Sequences {
		op := "set sequence " + words(q.ID)
		last, called := q.Last, q.Called
		for _, c := range q.Fills {
			var found *int64
			err := conn.QueryRow(ctx, edgeSQL(q, c, b.typeOf(c))).Scan(&found)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return fail(ctx, b.side, op, err)
			}
			if found != nil && past(*found, last, called, q.Increment) {
				if q.Cycles && q.AtEnd(*found) {
					continue // it has been round: it meets its values again wherever it stands
				}
				last, called = *found, true
				if q.AtEnd(last) {
					b.warn(fmt.Sprintf("sequence %s is at its end: %s.%s holds the last value that it can give", words(q.ID), words(c.Table), word(c.Column)))
				}
			}
		}
		_, err := conn.Exec(ctx, fmt.Sprintf("SELECT pg_catalog.setval(%s::pg_catalog.regclass, %d, %t)", literal(table(q.ID)), last, called))
		if err != nil {
			return fail(ctx, b.side, op, err)
		}
	}
	return nil
}

// edgeSQL returns a query for the last of the values, of those that the sequence can give, in
// the column that it fills; NULL or no row if there is none. An edge that is asked for by
// itself, or within bounds of the column's own operators, is read from an index, where there is
// one: that of integers. Of other numbers all are looked at if the sequence cannot give the last.
func edgeSQL(q connectors.Sequence, c catalog.ColumnID, typeName string) string {
	edge, column, from := "max", ident(c.Column), table(c.Table)
	if q.Increment < 0 {
		edge = "min"
	}
	number := "::numeric"
	switch typeName {
	case "smallint", "integer", "bigint":
		return fmt.Sprintf("SELECT pg_catalog.%[1]s(%[2]s)::bigint FROM %[3]s WHERE %[2]s BETWEEN '%[4]d'::bigint AND '%[5]d'::bigint", edge, column, from, q.Min, q.Max)
	case "oid":
		number = "::bigint::numeric"
	case "real":
		number = "::double precision::numeric" // which keeps more than six digits
	}
	within := fmt.Sprintf("BETWEEN %d AND %d", q.Min, q.Max)
	return fmt.Sprintf("SELECT (CASE WHEN edge%[5]s %[4]s THEN edge%[5]s ELSE (SELECT pg_catalog.%[1]s(%[2]s%[5]s) FROM %[3]s WHERE %[2]s%[5]s %[4]s) END)::bigint"+
		" FROM (SELECT pg_catalog.%[1]s(%[2]s) AS edge FROM %[3]s) found WHERE edge IS NOT NULL", edge, column, from, within, number)
}

// typeOf returns the name of a column's type, "" if there is no such column.
func (b *build) typeOf(id catalog.ColumnID) string {
	if t := b.spec.Catalog.Table(id.Table); t != nil {
		for _, c := range t.Columns {
			if c.Name == id.Column {
				return c.Type.Name
			}
		}
	}
	return ""
}

// past reports whether a value is one that the sequence has not given out yet.
func past(value, last int64, called bool, increment int64) bool {
	switch {
	case value == last:
		return !called
	case increment < 0:
		return value < last
	}
	return value > last
}

// parallel does tasks on as many sessions as there are.
func (b *build) parallel(ctx context.Context, list []tasks.Task) error {
	return tasks.Run(ctx, cap(b.slots), list)
}

// closeSessions ends every session of the build. What was built stays.
func (b *build) closeSessions() {
	b.mu.Lock()
	if b.state != promoted && b.state != aborted {
		b.state = closedState
	}
	b.mu.Unlock()
	b.stopPulse()
	b.closePool()
	b.adminMu.Lock()
	admin := b.admin
	b.admin = nil
	b.adminMu.Unlock()
	b.giveBack(admin)
}
