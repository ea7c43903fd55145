package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// choice is what Filter has prepared for a layout: which of the table's rows to read.
type choice struct {
	filter connectors.Filter // with its key
	as     string            // the name of the root, by which a condition calls the table
	where  string            // the condition as it runs; empty is none
	by     *asking           // how the condition is asked; nil is as everything else
	most   *connectors.RowHash
	// printed names the columns whose text the output function of their type gives; of the others a cast does.
	printed []string
}

// Filter implements connectors.Filterer.
func (s *snapshot) Filter(ctx context.Context, layout *connectors.Layout, f connectors.Filter) (*connectors.Layout, error) {
	root := s.picture.Root(layout.Table)
	f, err := f.Resolve(root)
	if err != nil {
		return nil, err
	}
	if f.Zero() {
		return layout, nil
	}
	rows := &choice{filter: f, as: root.ID.Name}
	held, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	if f.Where != "" {
		rows.by = s.askingBy(s.picture.session)
		rows.where, err = s.checkWhere(ctx, held.conn, layout.Table.ID, root, f.Where, rows.by, func() (string, error) { return s.chosen.now(ctx, s) })
	}
	if err == nil && rows.hashed() {
		rows.printed, err = readNames(ctx, held.conn, "printed", root.ID.Schema, root.ID.Name)
		err = failDefinition(ctx, s.side, "choose the rows of "+words(root.ID), err)
	}
	if err != nil {
		held.bad = true // the transaction is aborted: its snapshot is of no use
	}
	s.release(held)
	if err != nil {
		return nil, err
	}
	if f.Limit > 0 {
		if rows.most, err = s.chosen.most(ctx, s, root, rows); err != nil {
			return nil, err
		}
	}
	filtered := *layout
	filtered.Rows = rows
	return &filtered, nil
}

// CheckFilter implements connectors.FilterChecker. A partition is asked, as it would be read.
func (s *source) CheckFilter(ctx context.Context, c *catalog.Catalog, id catalog.TableID, f connectors.Filter) error {
	f, root, err := f.ResolveIn(c, id)
	if err != nil || f.Where == "" {
		return err
	}
	at := slices.IndexFunc(c.Tables, func(t *catalog.Table) bool { return t.StoresRows() && c.Root(t) == root })
	if at < 0 {
		return nil // a table without partitions is not read
	}
	op := "choose the rows of " + words(id)
	conn, err := s.takeSampler(ctx, op)
	if err != nil {
		return err
	}
	if err = s.askWhere(ctx, conn, c.Tables[at].ID, root, f.Where); err == nil {
		_, err = conn.Exec(ctx, "ROLLBACK")
	}
	if err != nil {
		closeConn(conn) // with it go its transaction and its locks
		conn = nil
	}
	s.giveSampler(conn)
	return failDefinition(ctx, s.side, op, err)
}

// askWhere begins a transaction, and asks the server about a condition. That it may not ask for
// the table at all is no fault of the condition's.
func (s *source) askWhere(ctx context.Context, conn *pgx.Conn, id catalog.TableID, root *catalog.Table, where string) error {
	begin := fmt.Sprintf("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = %d; EXPLAIN SELECT FROM ONLY %s", sampleTimeout, table(id))
	if _, err := conn.PgConn().Exec(ctx, begin).ReadAll(); err != nil {
		return err
	}
	session := &picture{}
	if err := session.readSession(ctx, conn); err != nil {
		return err
	}
	_, err := s.checkWhere(ctx, conn, id, root, where, s.askingBy(session.session), func() (now string, err error) {
		err = conn.QueryRow(ctx, clockSQL).Scan(&now)
		return now, err
	})
	return err
}

// checkWhere returns the condition as it runs, or why it cannot be. now returns the time of the
// snapshot.
func (c *config) checkWhere(ctx context.Context, conn *pgx.Conn, id catalog.TableID, root *catalog.Table, where string, by *asking, now func() (string, error)) (string, error) {
	parsed, err := connectors.ParseCondition(where, "`")
	if err != nil {
		return "", connectors.FilterError(root.ID, fmt.Errorf("its condition cannot be used: %w", err), "write it as what would stand behind WHERE")
	}
	var calls []string
	for _, name := range parsed.Calls {
		if !strings.Contains(name, ".") {
			name = "pg_catalog." + name // the search path is empty
		}
		calls = append(calls, name)
	}
	volatile, err := readNames(ctx, conn, "volatile", calls)
	op := "choose the rows of " + words(root.ID)
	if err != nil {
		return "", failDefinition(ctx, c.side, op, err)
	}
	for i := range volatile {
		volatile[i] = strings.TrimPrefix(volatile[i], "pg_catalog.")
	}
	if len(volatile) > 0 {
		return "", connectors.FilterError(root.ID, fmt.Errorf("its condition calls %s, which may answer otherwise the next time or have effects", list(volatile)),
			"use functions that are STABLE or IMMUTABLE")
	}
	clock, err := now()
	if err != nil {
		return "", failDefinition(ctx, c.side, op, err)
	}
	rows := &choice{as: root.ID.Name, where: pinned(parsed, clock)}
	if by != nil {
		if _, err := conn.PgConn().Exec(ctx, by.begin).ReadAll(); err != nil {
			return "", failDefinition(ctx, c.side, op, err)
		}
	}
	words, err := explain(ctx, conn, "SELECT FROM "+rows.from(id)+rows.and(""))
	if by != nil && err == nil {
		_, err = conn.PgConn().Exec(ctx, by.end).ReadAll()
	}
	failed := failDefinition(ctx, c.side, op, err)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && !connectors.Retryable(failed) && ctx.Err() == nil {
		return "", connectors.FilterError(root.ID, fmt.Errorf("its condition cannot be used: %w", words(pg)),
			"write it as what would stand behind WHERE; functions and tables beside the system's own are named with their schema")
	}
	return rows.where, failed
}

// explain asks whether a query can be run, and how to put what the server says to it. It is read
// first, which calls no function of people; to plan it calls those that are stable or immutable, and
// then nothing is said as it comes but which right is missing: compiled code leaves no trace in an error.
func explain(ctx context.Context, conn *pgx.Conn, sql string) (words func(*pgconn.PgError) *condition, err error) {
	// The extended protocol takes one statement and no more.
	if _, err = conn.PgConn().Prepare(ctx, "", sql, nil); err != nil {
		return spoken, err
	}
	_, err = conn.PgConn().ExecParams(ctx, "EXPLAIN "+sql, nil, nil, nil, nil).Close()
	return func(pg *pgconn.PgError) *condition {
		if pg.File == "aclchk.c" {
			return spoken(pg)
		}
		return bare(pg)
	}, err
}

// clockSQL asks for the time of a transaction.
const clockSQL = "SELECT pg_catalog.now()::text"

// clocks are the words for the time of a transaction. Each reader has a transaction of
// its own, so each would have another time.
var clocks = regexp.MustCompile(`(?i)\b(?:(?:pg_catalog\s*\.\s*)?(?:now|transaction_timestamp|statement_timestamp)\s*\(\s*\)|current_timestamp\b|localtimestamp\b|current_date\b)`)

// pinned gives a condition the time of the snapshot.
func pinned(c *connectors.Condition, now string) string {
	at := "(timestamptz " + literal(now) + ")"
	return c.Text(func(plain string) string {
		return clocks.ReplaceAllStringFunc(plain, func(word string) string {
			switch strings.ToLower(word) {
			case "current_date":
				return at + "::date"
			case "localtimestamp":
				return at + "::timestamp"
			}
			return at
		})
	})
}

// from returns the table, by the name that the condition may call it.
func (c *choice) from(id catalog.TableID) string {
	if c == nil {
		return "ONLY " + table(id)
	}
	return "ONLY " + table(id) + " AS " + ident(c.as)
}

// and returns the WHERE clause of the condition and another one. Lines of its own keep
// the condition apart from what surrounds it.
func (c *choice) and(other string) string {
	switch {
	case c == nil || c.where == "":
		if other == "" {
			return ""
		}
		return " WHERE " + other
	case other == "":
		return " WHERE (\n" + c.where + "\n)"
	}
	return " WHERE " + other + " AND (\n" + c.where + "\n)"
}

// keysSQL returns the query for places and keys of rows that stand behind FROM.
func (c *choice) keysSQL(from string) string {
	columns := "ctid::text"
	for _, k := range c.filter.Key {
		columns += ", " + textSQL(k, c.printed)
	}
	return "SELECT " + columns + " FROM " + from
}

// textSQL returns the text of a column: of those that are printed by their type's output function, of
// others by the server's own cast, which drops the blanks of a character(n). A cast that somebody has made would run
// with this account's rights, and might give another value.
func textSQL(column string, printed []string) string {
	if slices.Contains(printed, column) {
		return printedSQL(column)
	}
	return ident(column) + "::text"
}

// printedSQL returns the text that the output function of its type gives of a column. Only num_nulls
// takes a composite value of NULLs for a value.
func printedSQL(column string) string {
	return fmt.Sprintf("CASE WHEN pg_catalog.num_nulls(%[1]s) = 0 THEN pg_catalog.format('%%s', %[1]s) END", ident(column))
}

// hashes hands over the place of each row of a table within a range that the condition lets
// through, and the hash of its key. The session is in the snapshot.
func (c *choice) hashes(ctx context.Context, conn *pgx.Conn, id catalog.TableID, within string, most *connectors.RowHash, keep func(tid []byte, h connectors.RowHash)) error {
	chooser := c.filter.Chooser(most)
	from, by := []string{c.from(id) + c.and(within)}, c.by
	if by != nil && by.prints { // a key is hashed as it is printed elsewhere
		var err error
		if from, err = c.met(ctx, conn, id, within); err != nil {
			return err
		}
		by = nil
	}
	for _, rows := range from {
		err := rowsOfAll(ctx, conn, by.around(c.keysSQL(rows)), func(row [][]byte) {
			if h := chooser.Hash(row[1:]...); chooser.Keeps(h) {
				keep(row[0], h)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// mostTIDs is how many rows one statement names by their places.
const mostTIDs = 50_000

// copyOut returns the statements that read a chunk, one after the other. Where rows are
// chosen by their keys, these are read first, and then only the rows that stay.
func (s *snapshot) copyOut(ctx context.Context, held *session, chunk connectors.Chunk, layout *connectors.Layout) ([]string, error) {
	rows, _ := layout.Rows.(*choice)
	within, err := s.within(ctx, chunk)
	if err != nil {
		return nil, err
	}
	var by *asking
	statements := []string{rows.from(chunk.Table) + rows.and(within)}
	switch {
	case rows.hashed() || rows.printsApart(layout):
		if statements, err = rows.places(ctx, held.conn, chunk.Table, within); err != nil {
			return nil, err
		}
	case rows != nil:
		by = rows.by
	}
	selected := s.selected(layout)
	for i, from := range statements {
		if err := s.charsFit(ctx, held, layout, by, from); err != nil {
			return nil, err
		}
		sql := copySelectSQL(selected, layout, from)
		if rows == nil && selected == columnList(layout.Columns) {
			sql = copyOutSQL(chunk, within, layout)
		}
		statements[i] = by.around(sql)
	}
	return statements, nil
}

// hashed reports whether rows are chosen by the hash of their keys.
func (c *choice) hashed() bool { return c != nil && c.filter.Chooser(nil) != nil }

// places returns, for the rows of a table within a range that stay by the hash of their
// keys, what stands behind FROM in statements that read them one after the other.
func (c *choice) places(ctx context.Context, conn *pgx.Conn, id catalog.TableID, within string) ([]string, error) {
	if !c.hashed() {
		return c.met(ctx, conn, id, within)
	}
	p := rowPlaces{of: id}
	err := c.hashes(ctx, conn, id, within, c.most, func(tid []byte, _ connectors.RowHash) { p.add(tid) })
	return p.all(), err
}

// limits are what the limits of a snapshot's tables come to, found once for all
// partitions of a root, and the time of the snapshot.
type limits struct {
	mu    sync.Mutex
	found map[string]*limit
	clock string
}

type limit struct {
	mu   sync.Mutex
	done bool
	most *connectors.RowHash
}

// most returns the greatest hash that the limit of a root's rows lets through.
func (l *limits) most(ctx context.Context, s *snapshot, root *catalog.Table, rows *choice) (*connectors.RowHash, error) {
	digest := rows.filter.Digest()
	name := words(root.ID) + string(digest[:]) + string(rows.filter.Seed[:])
	l.mu.Lock()
	if l.found == nil {
		l.found = map[string]*limit{}
	}
	one := l.found[name]
	if one == nil {
		one = &limit{}
		l.found[name] = one
	}
	l.mu.Unlock()
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.done {
		return one.most, nil
	}
	if err := s.readableOr(root, "leave the limit away, which is one of the rows of all partitions"); err != nil {
		return nil, err
	}
	held, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { s.release(held) }()
	lowest := connectors.NewLowest(rows.filter.Limit)
	for _, t := range s.picture.Tables {
		if !t.StoresRows() || s.picture.Root(t) != root {
			continue
		}
		if err := s.lowest(ctx, held, t.ID, rows, lowest); err != nil {
			held.bad = true // the transaction is aborted: its snapshot is of no use
			return nil, fail(ctx, s.side, "read the keys of "+words(t.ID), err)
		}
	}
	one.done, one.most = true, lowest.Most()
	return one.most, nil
}

// lowest adds the hashes of a table's rows. Where their places are held meanwhile, it is for a
// chunk, not for all of the table.
func (s *snapshot) lowest(ctx context.Context, held *session, id catalog.TableID, rows *choice, lowest *connectors.Lowest) error {
	chunks := []connectors.Chunk{{Table: id, Last: true}}
	if rows.by != nil && rows.by.prints {
		var err error
		if chunks, err = s.Split(ctx, id, 0); err != nil {
			return err
		}
	}
	for _, c := range chunks {
		within, err := s.within(ctx, c)
		if err == nil {
			err = rows.hashes(ctx, held.conn, id, within, nil, func(_ []byte, h connectors.RowHash) { lowest.Add(h) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// now returns the time of the snapshot.
func (l *limits) now(ctx context.Context, s *snapshot) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clock != "" {
		return l.clock, nil
	}
	err := s.holding(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, clockSQL).Scan(&l.clock)
	})
	return l.clock, err
}
