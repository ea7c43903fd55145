package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// session takes a session in the build; release gives it back.
func (b *build) session(ctx context.Context) (*session, error) {
	b.mu.Lock()
	state := b.state
	b.mu.Unlock()
	if state != open {
		return nil, &connectors.Error{Side: b.side, Op: "use the build " + word(b.name), Err: errors.New("it is no longer open")}
	}
	var held *session
	b.wanted.Add(1)
	select {
	case held = <-b.slots:
	case <-ctx.Done():
		b.wanted.Add(-1)
		return nil, &connectors.Error{Side: b.side, Op: "wait for a free session", Err: ctx.Err()}
	}
	if held != nil {
		return held, nil
	}
	b.entering.RLock()
	defer b.entering.RUnlock()
	conn, err := b.enter(ctx)
	if err != nil {
		b.wanted.Add(-1)
		b.slots <- nil
		return nil, err
	}
	b.mu.Lock()
	b.ours[peerOf(conn).pid] = true
	b.mu.Unlock()
	return newSession(conn), nil
}

func (b *build) release(held *session) {
	b.wanted.Add(-1)
	if held.bad || held.conn.IsClosed() || held.conn.PgConn().TxStatus() != 'I' {
		b.mu.Lock()
		delete(b.ours, peerOf(held.conn).pid)
		b.mu.Unlock()
		b.cut.Store(true)
		held.close()
		held = nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != open {
		if held != nil {
			held.close()
		}
		held = nil
	}
	b.slots <- held // never waits: there is a place for each session
}

// freshen closes the sessions that nobody uses: where one connection was lost, the others were
// too, and each would cost a try.
func (b *build) freshen() {
	for range cap(b.slots) {
		select {
		case held := <-b.slots:
			if held != nil {
				b.wanted.Add(1) // as whoever takes it does
				held.bad = true
				b.release(held)
				continue
			}
			b.slots <- nil
		default:
			return
		}
	}
}

// into returns the table that a chunk's rows are loaded into: the partition that
// they come from, or the root above it when a column is decoded, and so may be
// masked, by which rows find their partition, or when they may find another at this server.
func (b *build) into(layout *connectors.Layout) (id catalog.TableID, routed bool) {
	t := b.spec.Catalog.Table(layout.Table.ID)
	if t == nil || !t.IsPartition {
		return layout.Table.ID, false
	}
	for up := t; up.IsPartition && len(up.Parents) > 0; {
		up = b.spec.Catalog.Table(up.Parents[0])
		if up == nil {
			return t.ID, false
		}
		if slices.Contains(b.defs.Scattered, up.ID) {
			return b.spec.Catalog.Root(t).ID, true
		}
		for _, i := range layout.Decoded {
			if slices.Contains(up.PartitionKey, layout.Columns[i].Name) {
				return b.spec.Catalog.Root(t).ID, true
			}
		}
	}
	return t.ID, false
}

// Load opens a loader: a transaction and a COPY in it.
func (b *build) Load(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Loader, error) {
	op := "load " + chunk.ID
	if layout == nil || layout.Table.ID != chunk.Table {
		return nil, &connectors.Error{Side: b.side, Op: op, Err: errors.New("the layout is of another table")}
	}
	if layout.Format != Binary && layout.Format != Text {
		return nil, &connectors.Error{Kind: connectors.KindUnsupported, Side: b.side, Op: op, Err: fmt.Errorf("the wire format %q is not one of PostgreSQL", layout.Format)}
	}
	held, err := b.session(ctx)
	if err != nil {
		return nil, err
	}
	id, routed := b.into(layout)
	if routed {
		b.mu.Lock()
		b.routed[words(id)] = true
		b.mu.Unlock()
	}
	l := &loader{build: b, held: held, chunk: chunk, layout: layout, w: copyWriter{s: held}}
	l.enc = NewEncoder(layout, &l.w)
	frozen, err := b.alone(ctx, held, chunk, routed)
	if err != nil {
		b.release(held)
		return nil, fail(ctx, b.side, op, err)
	}
	sql := copyInSQL(id, layout, frozen)
	if layout.Format == Text {
		sql = readAsWritten + sql
	}
	held.charset, _ = layout.Charset.(*charset)
	sql = held.charset.around(sql)
	if !frozen {
		sql = "BEGIN; " + sql
	}
	done := held.watch(ctx)
	err = held.startCopy(sql, 'G')
	if e := done(); e != nil {
		err = e
	}
	if err != nil {
		l.failed = true
		err = l.fail(ctx, err)
		l.Abort()
		return nil, err
	}
	return l, nil
}

type loader struct {
	build  *build
	held   *session
	chunk  connectors.Chunk
	layout *connectors.Layout
	w      copyWriter
	enc    *Encoder
	failed bool
	over   bool
}

// Write encodes a batch straight into the messages of the copy.
func (l *loader) Write(ctx context.Context, batch *connectors.Batch) error {
	if l.over || l.failed {
		return l.finished()
	}
	done := l.held.watch(ctx)
	err := l.enc.Encode(batch)
	if e := done(); e != nil {
		err = e
	}
	if err != nil {
		l.failed = true
		return l.fail(ctx, err)
	}
	return nil
}

// Commit ends the copy, and writes the ledger's row in the same transaction.
func (l *loader) Commit(ctx context.Context) (connectors.Receipt, error) {
	if l.over || l.failed {
		return connectors.Receipt{}, l.finished()
	}
	receipt, err := l.commit(ctx)
	if err != nil {
		l.failed = true
		err = l.fail(ctx, err)
		l.Abort()
		return connectors.Receipt{}, err
	}
	l.over = true
	l.build.loads.loaded(receipt)
	l.build.release(l.held)
	return receipt, nil
}

func (l *loader) commit(ctx context.Context) (receipt connectors.Receipt, err error) {
	done := l.held.watch(ctx)
	var rows int64
	err = l.enc.Close()
	if err == nil {
		rows, err = l.w.finish()
	}
	if e := done(); e != nil {
		err = e
	}
	if err != nil {
		return receipt, err
	}
	if rows != l.enc.Rows() {
		return receipt, &connectors.Error{Kind: connectors.KindIntegrity, Side: l.build.side, Op: "load " + l.chunk.ID,
			Err: fmt.Errorf("%d rows were sent, the server loaded %d", l.enc.Rows(), rows)}
	}
	receipt = connectors.Receipt{Chunk: l.chunk.ID, Table: l.chunk.Table, Rows: rows, Bytes: l.enc.Bytes()}
	// Both in one message: a server at the other end of a network is asked once.
	sql := fmt.Sprintf("INSERT INTO %s.ledger VALUES (%s, %s, %s, %d, %d); COMMIT", ident(l.build.ledger),
		literal(receipt.Chunk), literal(receipt.Table.Schema), literal(receipt.Table.Name), receipt.Rows, receipt.Bytes)
	if err := l.held.exec(ctx, sql); err != nil {
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "23505" && pg.SchemaName == l.build.ledger {
			// Perhaps by an attempt whose commit was under way when its connection broke:
			// who tries again asks the ledger first.
			return receipt, &connectors.Error{Kind: connectors.KindIntegrity, Side: l.build.side, Op: "load " + l.chunk.ID, Retry: true,
				Err: errors.New("the ledger holds this chunk already; nothing was loaded twice")}
		}
		return receipt, err
	}
	return receipt, nil
}

// Abort drops what was written. A session that still talks is kept for the next
// loader; one that does not is cut, which drops its transaction as well.
func (l *loader) Abort() error {
	if l.over {
		return nil
	}
	l.over = true
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	if l.held.bad {
		done := l.held.watch(ctx)
		if l.w.cancel() == nil {
			l.held.bad = false
		}
		done()
	}
	if !l.held.bad && !l.held.conn.IsClosed() {
		if err := l.held.exec(ctx, "ROLLBACK"); err != nil {
			l.held.bad = true
		}
	}
	l.build.release(l.held)
	return nil
}

func (l *loader) finished() error {
	return &connectors.Error{Side: l.build.side, Op: "load " + l.chunk.ID, Err: errors.New("the loader has failed or is at its end")}
}

// contextLine finds the row in the context of an error: "COPY t, line 3, column v".
// Other lines of it speak of lines too: "JSON data, line 1".
var contextLine = regexp.MustCompile(`(?m)^COPY .*?, line (\d+)(?:, column )?`)

// fail wraps an error of the copy, with the row and the column that the server
// names. Of its words only those go on: behind them it quotes the value.
func (l *loader) fail(ctx context.Context, err error) error {
	op := "load " + l.chunk.ID
	l.build.noteFull(err)
	var pg *pgconn.PgError
	column := ""
	if errors.As(err, &pg) {
		if m := contextLine.FindStringSubmatchIndex(pg.Where); m != nil {
			op += ", row " + pg.Where[m[2]:m[3]]
			rest := pg.Where[m[1]:]
			longest := ""
			for _, c := range l.layout.Columns {
				if after, ok := strings.CutPrefix(rest, c.Name); ok && len(c.Name) > len(longest) && (after == "" || after[0] == ':' || after[0] == '\n') {
					longest = c.Name
				}
			}
			if longest != "" {
				op += ", column " + word(longest)
				column = longest
			}
		}
	}
	failed := hintPath(hintNames(fail(ctx, l.build.side, op, err), err, l.layout.Table.Column(column)), err)
	failed = computingRow(l.build.hintNulls(failed, err, l.layout.Table), err, l.layout.Table, column)
	var e *connectors.Error
	if errors.As(failed, &e) && e.Violation != nil {
		if e.Violation.Table.Name == "" {
			e.Violation.Table = l.layout.Table.ID
		}
		if e.Violation.Columns == nil && column != "" {
			e.Violation.Columns = []string{column}
		}
	}
	if errors.As(failed, &e) && (errors.Is(err, errCharset) || errors.Is(err, errWidth) || errors.Is(err, errNumeric) || errors.Is(err, errArray)) {
		e.Kind = connectors.KindIntegrity
	}
	if errors.As(failed, &e) && errors.Is(err, errCharset) {
		e.Hint = "choose a mask that stays within the encoding, or null the column"
	}
	return failed
}

// Receipts returns the ledger. It looks at the same time whether the build is as this run
// has left it: see recover.
func (b *build) Receipts(ctx context.Context) (receipts []connectors.Receipt, err error) {
	err = b.again(ctx, func(int) (bool, error) {
		const op = "read the ledger"
		if err := b.hold(ctx); err != nil {
			return false, failDefinition(ctx, b.side, op, err)
		}
		receipts, err = b.readReceipts(ctx)
		return true, fail(ctx, b.side, op, err)
	})
	return receipts, err
}

func (b *build) readReceipts(ctx context.Context) (receipts []connectors.Receipt, err error) {
	err = b.with(ctx, func(held *session) error {
		if err := b.endLost(ctx, held); err != nil {
			return err
		}
		if err := b.recover(ctx, held); err != nil {
			return err
		}
		receipts, err = readLedger(ctx, held.conn, b.ledger)
		return err
	})
	for _, r := range receipts {
		b.loads.loaded(r)
	}
	return receipts, err
}

func readLedger(ctx context.Context, conn *pgx.Conn, schema string) ([]connectors.Receipt, error) {
	rows, err := conn.Query(ctx, "SELECT chunk, table_schema, table_name, rows, bytes FROM "+ident(schema)+".ledger ORDER BY chunk")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r connectors.Receipt, err error) {
		err = row.Scan(&r.Chunk, &r.Table.Schema, &r.Table.Name, &r.Rows, &r.Bytes)
		return r, err
	})
}

// poolTimeout bounds how long closing the pool waits for sessions in use.
const poolTimeout = 5 * time.Second

// closePool closes the sessions in the build, once. Those that are still in use
// after a while are closed by release.
func (b *build) closePool() {
	b.poolOnce.Do(func() {
		timeout := time.After(poolTimeout)
		for range cap(b.slots) {
			select {
			case held := <-b.slots:
				if held != nil {
					held.close()
				}
			case <-timeout:
				return
			}
		}
	})
}
