package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/tasks"
)

// state is how far a build has come.
type state uint8

const (
	fresh    state = iota // no database yet
	open                  // being loaded
	finished              // keys and all that stands behind the rows are there
	sealed                // whole, and marked
	promoted              // is the target
	ended                 // dropped, or left where it was
)

// build is one database being built.
type build struct {
	*sink
	spec     connectors.BuildSpec
	defs     definitions
	database string        // being built
	slots    chan *session // a place per session allowed; nil where none is open yet
	inserts  atomic.Bool   // the server has begun to forbid LOAD DATA LOCAL
	unlogged bool          // keeps out of the server's binary log

	gone atomic.Bool // the server could not be had for as long as a build waits

	holderMu sync.Mutex      // one statement at a time
	holder   *session        // holds the target's lock
	taken    int64           // what holder is, or was, to the server
	asked    []int64         // sessions that were to hold the lock in its place, and were given up: they may have got it
	lost     atomic.Bool     // holder was lost once: the server may have crashed
	sealedAt time.Time       // of the mark that the seal has set
	life     context.Context // ends the pulse
	die      context.CancelFunc
	beating  sync.WaitGroup
	poolOnce sync.Once // the pool is closed

	// loading is held for reading while rows come into a table without transactions, for
	// writing while such tables are brought in line with the ledger.
	loading sync.RWMutex

	mu       sync.Mutex
	state    state
	done     map[string]bool // tables whose indexes are built
	indexed  map[string]bool // tables of which somebody has begun to build the indexes
	remade   bool            // of those that are not in done some may be, since the build is gone on with
	tried    bool            // Finish was called before
	plain    map[string]bool // tables without transactions
	counting map[string]gate // see loader.count
	doubt    bool            // process or server may have ended in the middle: see recover
	proved   bool            // what stands behind the rows was made, to prove that it can be
}

// newBuild returns a build of the spec, of which nothing is there yet.
func (s *sink) newBuild(spec connectors.BuildSpec) (*build, error) {
	defs, err := parseDefinitions(spec.Definitions)
	if err != nil {
		return nil, err
	}
	b := &build{sink: s, spec: spec, defs: defs, database: s.name(building, spec.Run), done: map[string]bool{}, indexed: map[string]bool{}, plain: map[string]bool{}, counting: map[string]gate{}}
	for _, t := range defs.Tables {
		if t.Engine != "" {
			b.plain[t.Name] = true
		}
	}
	b.life, b.die = context.WithCancel(context.Background())
	workers := spec.Workers
	if workers <= 0 {
		workers = s.workers
	}
	b.slots = make(chan *session, workers)
	for range workers {
		b.slots <- nil
	}
	return b, nil
}

func (b *build) markOf(state string) mark {
	h := sha256.New()
	for _, k := range slices.Sorted(maps.Keys(b.spec.Fingerprint)) {
		fmt.Fprintf(h, "%q=%q\n", k, b.spec.Fingerprint[k])
	}
	return mark{Target: b.target, Run: b.spec.Run, State: state, Fingerprint: hex.EncodeToString(h.Sum(nil)), At: time.Now().UTC().Truncate(time.Second), Unlogged: b.unlogged}
}

func (b *build) check(op string, want ...state) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Contains(want, b.state) {
		return &connectors.Error{Side: b.side, Op: op, Err: errors.New("the build has ended, or the order of its steps is another")}
	}
	return nil
}

// reach notes that a build has come from one state to the next. An Abort in between wins.
func (b *build) reach(from, to state) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == from {
		b.state = to
	}
}

// create makes the empty database, with the source's character set and collation, and the mark.
func (b *build) create(ctx context.Context) error {
	op := "create database " + word(b.database)
	b.mu.Lock()
	b.state = open // from here on there is something to drop
	b.mu.Unlock()
	if err := b.holder.exec(ctx, "CREATE DATABASE "+ident(b.database)+b.defs.charset()); err != nil {
		var e *connectors.Error
		if errors.As(err, &e) {
			switch numberOf(err) {
			case 1044, 1142:
				return b.lacksRights(op, b.database, "CREATE")
			case 1115, 1273, 1253:
				e.Kind = connectors.KindUnsupported
				e.Hint = fmt.Sprintf("the source's database has the character set %s and the collation %s, which the target's server does not know", b.defs.Charset, b.defs.Collation)
			}
		}
		return b.about(err, op)
	}
	if err := b.holder.exec(ctx, "CREATE TABLE "+within(b.database, markTable)+createMark); err != nil {
		return b.about(err, op)
	}
	return b.about(setMark(ctx, b.holder, b.database, b.markOf(stateBuilding)), op)
}

// charset is the clause of CREATE DATABASE and ALTER DATABASE that says so.
func (d definitions) charset() string {
	clause := ""
	if d.Charset != "" {
		clause += " CHARACTER SET " + d.Charset
	}
	if d.Collation != "" {
		clause += " COLLATE " + d.Collation
	}
	return clause
}

// table returns the definition of a table, or nil if it is not built.
func (d definitions) table(id catalog.TableID) *tableDefinition {
	if i := slices.IndexFunc(d.Tables, func(t tableDefinition) bool { return t.Name == id.Name }); i >= 0 {
		return &d.Tables[i]
	}
	return nil
}

// points reports whether the table is built with a foreign key: one may stay behind.
func (t tableDefinition) points(f catalog.ForeignKey) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(clause string) bool { return strings.HasPrefix(clause, "ADD CONSTRAINT "+ident(f.Name)+" ") })
}

// define makes the ledger and everything that rows need. What stands behind the rows is
// made too, and dropped again: what the server or the account refuses is said now.
func (b *build) define(ctx context.Context) error {
	op := "prepare database " + word(b.database)
	return b.with(ctx, op, func(s *session) error {
		for _, sql := range []string{
			// The SHA-256 of an id stands for it: an id may be longer than a key.
			"CREATE TABLE " + ident(ledgerTable) + " (chunk BINARY(32) PRIMARY KEY, id LONGBLOB NOT NULL, name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, `rows` BIGINT NOT NULL, bytes BIGINT NOT NULL, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE = InnoDB",
			"CREATE TABLE " + ident(restTable) + " (part VARCHAR(16) CHARACTER SET ascii NOT NULL, n INT NOT NULL, content LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, PRIMARY KEY (part, n)) ENGINE = InnoDB",
		} {
			if err := s.exec(ctx, sql); err != nil {
				return b.about(err, op)
			}
		}
		for _, o := range b.defs.First {
			if err := makeObject(ctx, s, o); err != nil {
				return err
			}
		}
		for _, t := range b.defs.Tables {
			if err := s.exec(ctx, t.Create); err != nil {
				return definitionError(err, "create table "+word(t.Name))
			}
		}
		if err := b.prove(ctx, s, true); err != nil {
			return err
		}
		if err := b.derive(ctx, s); err != nil {
			return err
		}
		return b.about(b.keepSpec(ctx, s), op) // the last one: from here on the build can be gone on with
	})
}

// receiptSQL returns the statement that notes a chunk in the ledger. A chunk that is there
// already breaks the ledger's key.
func receiptSQL(r connectors.Receipt) string {
	sum := sha256.Sum256([]byte(r.Chunk))
	return fmt.Sprintf("INSERT INTO %s (chunk, id, name, `rows`, bytes) VALUES (0x%x, 0x%x, %s, %d, %d)",
		ident(ledgerTable), sum, r.Chunk, literal(r.Table.Name), r.Rows, r.Bytes)
}

// Receipts reads the ledger.
func (b *build) Receipts(ctx context.Context) (all []connectors.Receipt, err error) {
	if err := b.check("read the ledger", open, finished); err != nil {
		return nil, err
	}
	if err := b.hold(ctx); err != nil { // which notices that the server has crashed
		return nil, err
	}
	if err := b.recover(ctx, false); err != nil {
		return nil, err
	}
	err = b.holdAgain(ctx, func(s *session) (err error) {
		all, err = readReceipts(ctx, s, b.database)
		return b.about(err, "read the ledger")
	})
	return all, err
}

func readReceipts(ctx context.Context, s *session, database string) (all []connectors.Receipt, err error) {
	err = s.query(ctx, "SELECT id, name, `rows`, bytes FROM "+within(database, ledgerTable)+" ORDER BY id", func(r row) error {
		all = append(all, connectors.Receipt{Chunk: r.text(0), Table: catalog.TableID{Name: r.text(1)}, Rows: r.number(2), Bytes: r.number(3)})
		return nil
	})
	return all, err
}

// take takes a session in the build, which give gives back. At most spec.Workers are out
// at once; it waits for one.
func (b *build) take(ctx context.Context, op string) (*session, error) {
	b.mu.Lock()
	state := b.state
	b.mu.Unlock()
	if state != open && state != finished {
		return nil, b.check(op, open)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	var held *session
	select {
	case held = <-b.slots:
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: wait for a free session: %w", op, ctx.Err())
	}
	if held != nil {
		return held, nil
	}
	held, err := b.enter(ctx)
	if err != nil {
		b.slots <- nil
		return nil, err
	}
	return held, nil
}

// give gives a session back. One that is not ok, since its connection broke or nobody
// knows what it is in the middle of, is closed, and another takes its place.
func (b *build) give(held *session, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !ok || b.state != open && b.state != finished {
		held.close()
		held = nil
	}
	b.slots <- held // never waits: there is a place for each session
}

// with runs f on a session in the build.
func (b *build) with(ctx context.Context, op string, f func(*session) error) error {
	held, err := b.take(ctx, op)
	if err != nil {
		return err
	}
	err = f(held)
	b.give(held, err == nil)
	return err
}

// again is with for what may be done twice: if its session is lost in the middle, it is
// done anew on another. Every session of the build may have been lost, so it goes on until
// one lives; where none can be had, that is the error.
func (b *build) again(ctx context.Context, op string, f func(*session) error) error {
	for try := 0; ; try++ {
		held, err := b.take(ctx, op)
		if err != nil {
			return err
		}
		err = f(held)
		b.give(held, err == nil)
		if !lost(err) || ctx.Err() != nil || try == cap(b.slots) {
			return err
		}
	}
}

// holdAgain is withHolder for what may be done twice, in the same way.
func (b *build) holdAgain(ctx context.Context, f func(*session) error) error {
	err := b.withHolder(ctx, f)
	if lost(err) && ctx.Err() == nil {
		err = b.withHolder(ctx, f)
	}
	return err
}

// poolTimeout bounds how long closing the pool waits for sessions in use.
const poolTimeout = 5 * time.Second

// closePool closes the sessions in the build, once. Those that are still in use after a
// while are closed when they are given back.
func (b *build) closePool() {
	b.poolOnce.Do(func() {
		timeout := time.After(poolTimeout)
		for range cap(b.slots) {
			select {
			case held := <-b.slots:
				held.close()
			case <-timeout:
				return
			}
		}
	})
}

// Seal counts the rows of every table, stores what the promotion has to make, and sets the
// mark. The promotion drops the ledger.
func (b *build) Seal(ctx context.Context, rows map[catalog.TableID]int64) error {
	op := "seal " + b.display(b.target)
	if err := b.check(op, finished); err != nil {
		return err
	}
	var receipts []connectors.Receipt
	err := b.holdAgain(ctx, func(s *session) (err error) {
		receipts, err = readReceipts(ctx, s, b.database)
		return b.about(err, op)
	})
	if err != nil {
		return err
	}
	faults, err := b.count(ctx, op, rows, receipts)
	if err != nil {
		return err
	}
	missing, err := b.compareKeys(ctx, op)
	if err != nil {
		return err
	}
	faults = append(faults, missing...)
	if len(faults) > 0 && b.lost.Load() {
		// A server that does not wait for its disk at each commit loses the last ones.
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Op: op, Hint: "run again",
			Err: errors.New("the session that holds the target was lost: its server may have crashed, and has lost what it had committed: " + some(faults))}
	}
	if len(faults) > 0 {
		return &connectors.Error{Kind: connectors.KindIntegrity, Side: b.side, Op: op, Err: errors.New(some(faults))}
	}
	err = b.holdAgain(ctx, func(s *session) error {
		if err := storeRest(ctx, s, b.database, partMade, b.defs.Rest); err != nil {
			return err
		}
		if err := storeRest(ctx, s, b.database, partCharset, []string{b.defs.charset()}); err != nil {
			return err
		}
		m := b.markOf(stateSealed)
		b.sealedAt = m.At
		return b.setSealed(ctx, s, m)
	})
	if err != nil {
		return b.about(err, op)
	}
	b.reach(finished, sealed)
	return nil
}

// count compares, for every table, the rows that were read with those in the ledger and
// those in the table.
func (b *build) count(ctx context.Context, op string, want map[catalog.TableID]int64, receipts []connectors.Receipt) (faults []string, err error) {
	ledger := map[string]int64{}
	for _, r := range receipts {
		ledger[r.Table.Name] += r.Rows
	}
	var mu sync.Mutex
	var list []tasks.Task
	built := map[catalog.TableID]bool{}
	for _, t := range b.defs.Tables {
		id := catalog.TableID{Name: t.Name}
		built[id] = true
		if known := b.spec.Catalog.Table(id); known == nil || !known.StoresRows() {
			continue
		}
		list = append(list, tasks.Task{Do: func(ctx context.Context) error {
			return b.again(ctx, op, func(s *session) error {
				have, err := s.number(ctx, "SELECT COUNT(*) FROM "+ident(t.Name))
				if err == nil && (have != want[id] || have != ledger[t.Name]) {
					mu.Lock()
					defer mu.Unlock()
					fault := fmt.Sprintf("table %s: %d rows read, %d in the ledger, %d in the table", word(t.Name), want[id], ledger[t.Name], have)
					if t.Engine != "" {
						fault += " (" + t.Engine + " has no transactions: a server that ends may lose what it has taken)"
					}
					faults = append(faults, fault)
				}
				return b.about(err, "count the rows of "+word(t.Name))
			})
		}})
	}
	for id := range want {
		if !built[id] {
			faults = append(faults, fmt.Sprintf("rows were read of %s, which was not built", word(id.Name)))
		}
	}
	err = b.parallel(ctx, list)
	slices.Sort(faults)
	return faults, err
}

// compareKeys compares the keys of the build with those of the source's catalog: all are
// there. It returns what is missing.
func (b *build) compareKeys(ctx context.Context, op string) (faults []string, err error) {
	there := map[[2]string]bool{}
	fold := func(s string) string { return strings.ToLower(s) } // names of keys have no case
	err = b.again(ctx, op, func(s *session) error {
		clear(there)
		return s.query(ctx, "SELECT TABLE_NAME, CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = "+literal(b.database), func(r row) error {
			there[[2]string{fold(r.text(0)), fold(r.text(1))}] = true
			return nil
		})
	})
	if err != nil {
		return nil, b.about(err, op)
	}
	for _, t := range b.spec.Catalog.Tables {
		d := b.defs.table(t.ID)
		if d == nil {
			continue
		}
		need := func(what, name string) {
			if !there[[2]string{fold(t.ID.Name), fold(name)}] {
				faults = append(faults, fmt.Sprintf("%s %s of %s is missing", what, word(name), word(t.ID.Name)))
			}
		}
		if t.PrimaryKey != nil {
			need("key", "PRIMARY")
		}
		for _, k := range t.Unique {
			need("key", k.Name)
		}
		for _, f := range t.ForeignKeys {
			if d.points(f) {
				need("foreign key", f.Name)
			}
		}
	}
	return faults, nil
}

// closeSessions ends every session of the build. What was built stays.
func (b *build) closeSessions() {
	b.mu.Lock()
	if b.state != promoted {
		b.state = ended
	}
	b.mu.Unlock()
	b.stopPulse()
	b.closePool()
	b.holderMu.Lock()
	holder := b.holder
	b.holder = nil
	b.holderMu.Unlock()
	if holder != nil {
		b.release(holder)
	}
}

// Abort removes the build, unless it has been promoted, and gives the target free.
func (b *build) Abort() error {
	b.mu.Lock()
	was := b.state
	if was == ended {
		b.mu.Unlock()
		b.closeSessions()
		return nil
	}
	b.mu.Unlock()
	if was == promoted || was == fresh {
		b.closeSessions()
		return nil
	}
	defer b.closeSessions()
	b.stopPulse()
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	err := b.withHolder(ctx, func(s *session) error {
		b.mu.Lock()
		b.state = ended
		b.mu.Unlock()
		b.closePool()
		return b.drop(ctx, s, b.database)
	})
	if kind, _ := connectors.KindOf(err); kind == connectors.KindBusy {
		return nil // another run has the target, and with it what was built
	}
	return err
}
