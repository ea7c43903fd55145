package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

type sink struct {
	config config

	mu     sync.Mutex
	closed bool
	builds []*build
}

func (s *sink) Properties() connectors.Properties { return properties("SQLite") }

func (s *sink) Identity(context.Context) (connectors.Identity, error) {
	return identity(s.config.path)
}

// Begin locks the target, looks at what stands there, and makes the empty build.
func (s *sink) Begin(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	target := s.config.path
	op := "build " + target
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	defs, err := parseDefinitions(spec.Definitions)
	if err != nil {
		return nil, err
	}
	if !validRun(spec.Run) {
		return nil, sinkError(connectors.KindUsage, op, errors.New("the id of a run is 1 to 16 letters and digits"))
	}
	if len(spec.Derived) > 0 {
		return nil, sinkError(connectors.KindUnsupported, op, errors.New("no trigger can fill a column here, and "+spec.Derived[0].Column.String()+" is to be derived"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, sinkError(connectors.KindUnavailable, op, errors.New("the sink is closed"))
	}
	held, err := acquire(target + ".lock")
	if errors.Is(err, errHeld) {
		return nil, &connectors.Error{
			Kind: connectors.KindBusy, Side: connectors.SinkSide, Op: op, Err: err,
			Hint: "wait until it has ended; its lock is " + target + ".lock",
		}
	}
	if err != nil {
		return nil, unwritable(op, target, err)
	}
	b := &build{sink: s, lock: held, file: buildingName(target, spec.Run), spec: spec, defs: defs, writer: make(chan struct{}, 1)}
	if err := b.begin(ctx); err != nil {
		b.Abort()
		return nil, err
	}
	s.builds = append(s.builds, b)
	return b, nil
}

// Close ends the sessions and locks of open builds as the end of the process
// would: their files stay, and the next Begin removes them.
func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, b := range s.builds {
		errs = append(errs, b.leave())
	}
	s.builds = nil
	return errors.Join(errs...)
}

// state is how far a build has come.
type state int

const (
	building state = iota
	finished
	sealed
	promoted
	ended
)

// build is the file being made. One session writes it; writer holds one token,
// which is that session.
type build struct {
	sink    *sink
	lock    *lock
	file    string
	made    bool // there is a file to remove
	spec    connectors.BuildSpec
	defs    definitions
	session *session
	writer  chan struct{}

	mu    sync.Mutex
	state state
}

func (b *build) begin(ctx context.Context) error {
	if err := checkTarget(ctx, b.sink.config.path); err != nil {
		return err
	}
	if err := removeLeftovers(b.sink.config.path); err != nil {
		return unwritable("build "+b.sink.config.path, b.sink.config.path, err)
	}
	if err := makeFile(b.file); err != nil {
		return unwritable("build "+b.sink.config.path, b.sink.config.path, err)
	}
	b.made = true
	// Nothing here has to survive a crash before Promote syncs the whole file;
	// the journal, in memory, is for the rollback of a chunk. Keys are checked
	// when all rows are there.
	session, err := open(ctx, b.file, readWrite, connectors.SinkSide,
		"locking_mode = EXCLUSIVE", "journal_mode = MEMORY", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -65536")
	if err != nil {
		return err
	}
	b.session = session
	b.writer <- struct{}{}
	return b.defs.createTables(ctx, b.session, b.spec.Fingerprint)
}

// take waits for the writing session.
func (b *build) take(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	select {
	case <-b.writer:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
}

func (b *build) give() { b.writer <- struct{}{} }

func (b *build) check(op string, want state) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != want {
		return sinkError(connectors.KindOther, op, errors.New("the build has ended, or the order of its steps is another"))
	}
	return nil
}

// step runs a step of the build with the writing session.
func (b *build) step(ctx context.Context, op string, from, to state, do func() error) error {
	if err := b.check(op, from); err != nil {
		return err
	}
	if err := b.take(ctx, op); err != nil {
		return err
	}
	defer b.give()
	if err := do(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == from { // an Abort in between wins
		b.state = to
	}
	return nil
}

func (b *build) Receipts(ctx context.Context) ([]connectors.Receipt, error) {
	var all []connectors.Receipt
	err := b.step(ctx, "read the ledger", building, building, func() error {
		return b.session.query(ctx, "SELECT chunk, name, rows, bytes FROM "+ledgerTable+" ORDER BY chunk", nil, func(v []driver.Value) error {
			all = append(all, connectors.Receipt{
				Chunk: text(v[0]), Table: catalog.TableID{Name: text(v[1])}, Rows: v[2].(int64), Bytes: v[3].(int64),
			})
			return nil
		})
	})
	return all, err
}

func (b *build) TableLoaded(ctx context.Context, id catalog.TableID) error {
	return b.step(ctx, "index "+id.String(), building, building, func() error {
		return b.defs.createIndexes(ctx, b.session, id.Name)
	})
}

func (b *build) Finish(ctx context.Context) error {
	return b.step(ctx, "finish "+b.sink.config.path, building, finished, func() error {
		if err := b.checkForeignKeys(ctx); err != nil {
			return err
		}
		return b.defs.createRest(ctx, b.session, b.spec.Definitions.Sequences)
	})
}

// checkForeignKeys validates every foreign key and names the first that fails.
func (b *build) checkForeignKeys(ctx context.Context) error {
	loaded, _, err := readCatalog(ctx, b.session, "")
	if err != nil {
		return err
	}
	for _, t := range loaded.Tables {
		if len(t.ForeignKeys) == 0 {
			continue
		}
		violated := map[int64]int64{}
		err := b.session.query(ctx, "SELECT fkid, count(*) FROM pragma_foreign_key_check(?) GROUP BY fkid", bind(t.ID.Name), func(v []driver.Value) error {
			violated[v[0].(int64)] = v[1].(int64)
			return nil
		})
		if err != nil {
			if mismatch(err) {
				b.sink.config.warn(fmt.Sprintf("a foreign key of %s points to columns that are not unique; SQLite cannot check it, here as in the source", t.ID))
				continue
			}
			return err
		}
		for i, k := range t.ForeignKeys {
			// Ids count from the last key to the first.
			if n := violated[int64(len(t.ForeignKeys)-1-i)]; n > 0 {
				return &connectors.Error{
					Kind: connectors.KindIntegrity, Side: connectors.SinkSide,
					Op:   fmt.Sprintf("validate foreign key %s of %s", k.Name, t.ID),
					Err:  fmt.Errorf("%d rows point to no row of %s", n, k.References),
					Hint: "SQLite enforces foreign keys only where a program asks for it: see whether the source holds by PRAGMA foreign_key_check",
				}
			}
		}
	}
	return nil
}

func mismatch(err error) bool {
	var e *connectors.Error
	return errors.As(err, &e) && e.Err != nil && strings.HasPrefix(e.Err.Error(), "foreign key mismatch")
}

func (b *build) Seal(ctx context.Context, want map[catalog.TableID]int64) error {
	op := "seal " + b.sink.config.path
	return b.step(ctx, op, finished, sealed, func() error {
		if err := b.count(ctx, op, want); err != nil {
			return err
		}
		for _, statement := range []string{
			"DROP TABLE " + ledgerTable,
			"DROP TABLE " + fingerprintTable,
			fmt.Sprintf("PRAGMA application_id = %d", mark),
		} {
			if err := b.session.exec(ctx, statement); err != nil {
				return err
			}
		}
		sound, err := b.session.word(ctx, "PRAGMA quick_check(1)")
		if err != nil {
			return err
		}
		if sound != "ok" {
			return sinkError(connectors.KindIntegrity, op, errors.New("SQLite's quick_check finds the file unsound"))
		}
		return nil
	})
}

// count compares, for every table, the rows that were read with those in the
// ledger and those in the file.
func (b *build) count(ctx context.Context, op string, want map[catalog.TableID]int64) error {
	ledger := map[string]int64{}
	err := b.session.query(ctx, "SELECT name, sum(rows) FROM "+ledgerTable+" GROUP BY name", nil, func(v []driver.Value) error {
		ledger[text(v[0])] = v[1].(int64)
		return nil
	})
	if err != nil {
		return err
	}
	built := map[catalog.TableID]bool{}
	for _, o := range b.defs.Objects {
		if o.Type != "table" {
			continue
		}
		id := catalog.TableID{Name: o.Name}
		built[id] = true
		if b.spec.Catalog != nil && b.spec.Catalog.Table(id) == nil {
			continue // derived: no rows were copied
		}
		have, err := b.session.number(ctx, "SELECT count(*) FROM "+quote(o.Name))
		if err != nil {
			return err
		}
		if have != want[id] || have != ledger[o.Name] {
			return sinkError(connectors.KindIntegrity, op, fmt.Errorf("table %s: %d rows read, %d in the ledger, %d in the table", id, want[id], ledger[o.Name], have))
		}
	}
	for id := range want {
		if !built[id] {
			return sinkError(connectors.KindIntegrity, op, fmt.Errorf("rows were read of %s, which was not built", id))
		}
	}
	return nil
}

func (b *build) Promote(ctx context.Context) error {
	op := "promote " + b.sink.config.path
	return b.step(ctx, op, sealed, promoted, func() error {
		if err := b.session.close(); err != nil {
			return sinkError(connectors.KindOther, op, errors.New("the build cannot be closed"))
		}
		return promote(ctx, b.file, b.sink.config.path)
	})
}

// end ends the build, and hands over its lock to the first who asks. done tells
// whether the build has been promoted.
func (b *build) end() (held *lock, done bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	done = b.state == promoted
	if !done {
		b.state = ended
	}
	held, b.lock = b.lock, nil
	return held, done
}

// Abort waits for the session's statement in flight, if any, then removes the file.
func (b *build) Abort() error {
	held, done := b.end()
	if held == nil {
		return nil
	}
	var errs []error
	if b.session != nil {
		errs = append(errs, b.session.close())
	}
	if b.made && !done {
		errs = append(errs, removeFile(b.file))
	}
	if err := held.release(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return sinkError(connectors.KindOther, "abort the build of "+b.sink.config.path, plain(err))
	}
	return nil
}

// leave is what the end of a process does to a build.
func (b *build) leave() error {
	held, done := b.end()
	if held == nil {
		return nil
	}
	err := b.session.close()
	if done {
		if e := held.release(); !errors.Is(e, os.ErrNotExist) {
			return errors.Join(err, e)
		}
		return err
	}
	return errors.Join(err, held.drop())
}
