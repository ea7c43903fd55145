package mysql

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

var (
	_ connectors.Resumer = (*sink)(nil)
	_ connectors.Keeper  = (*build)(nil)
)

// What stands in restTable until a build is sealed, for a run that goes on with it:
//
//	definitions  BuildSpec.Definitions, as JSON, compressed, in pieces
//	chunks       BuildSpec.Chunks, in the same way
//	fingerprint  BuildSpec.Fingerprint
//	began        when all that rows need had been made, by the server's clock: the last one
const (
	partDefinitions = "definitions"
	partChunks      = "chunks"
	partFingerprint = "fingerprint"
	partBegan       = "began"
)

// pieceBytes is how long a piece is at most: the server takes a statement with it.
const pieceBytes = 256 << 10

// keepSpec stores what a run that goes on with the build needs.
func (b *build) keepSpec(ctx context.Context, s *session) error {
	most := int(min(pieceBytes, max(s.packet/2, 512)))
	for _, part := range []struct {
		name    string
		content any
	}{{partDefinitions, b.spec.Definitions}, {partChunks, b.spec.Chunks}} {
		packed, err := pack(part.content)
		if err != nil {
			return err
		}
		var pieces []string
		for ; len(packed) > most; packed = packed[most:] {
			pieces = append(pieces, packed[:most])
		}
		if err := storeRest(ctx, s, b.database, part.name, append(pieces, packed)); err != nil {
			return err
		}
	}
	if err := storeRest(ctx, s, b.database, partFingerprint, []map[string]string{b.spec.Fingerprint}); err != nil {
		return err
	}
	now, err := s.word(ctx, "SELECT UTC_TIMESTAMP(6)")
	if err != nil {
		return err
	}
	return storeRest(ctx, s, b.database, partBegan, []string{now})
}

// setSealed removes it again and sets the mark, in one transaction: whoever is cut in the
// middle of a seal leaves a build that can be gone on with, or a sealed one.
func (b *build) setSealed(ctx context.Context, s *session, m mark) error {
	return s.transaction(ctx, fmt.Sprintf("DELETE FROM %s WHERE part IN ('%s', '%s', '%s', '%s')", within(b.database, restTable), partBegan, partDefinitions, partChunks, partFingerprint),
		markSQL(b.database, m))
}

func pack(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(text); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}

func unpack(pieces []string, into any) error {
	packed, err := base64.StdEncoding.DecodeString(strings.Join(pieces, ""))
	if err != nil {
		return err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// clockLayout is how the server prints a time with its microseconds.
const clockLayout = "2006-01-02 15:04:05.000000"

// Keep leaves the build as it is.
func (b *build) Keep() error {
	b.closeSessions()
	return nil
}

// Unfinished finds what the last run has left of a build.
func (s *sink) Unfinished(ctx context.Context) (*connectors.Unfinished, error) {
	op := "look for a build of " + s.display(s.target)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	conn, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	defer s.release(conn)
	// Of a process that was killed a moment ago the server may not know yet.
	if err := s.take(ctx, conn, 1); err != nil {
		return nil, err
	}
	list, err := s.neighbours(ctx, conn)
	if err != nil {
		return nil, err
	}
	var last *neighbour
	for i, n := range list {
		if n.ours && n.mark.Target == s.target && n.mark.State == stateBuilding && n.name == s.name(building, n.mark.Run) && (last == nil || n.mark.At.After(last.mark.At)) {
			last = &list[i]
		}
	}
	if last == nil {
		return nil, nil
	}
	u, err := readUnfinished(ctx, conn, *last)
	if numberOf(err) == 1146 { // cut before rows could be loaded, or while it was sealed
		return nil, nil
	}
	return u, s.about(err, op)
}

// readUnfinished reads the ledger of a build and what stands beside it. It returns nil if
// that is not there yet, or no longer.
func readUnfinished(ctx context.Context, conn *session, n neighbour) (*connectors.Unfinished, error) {
	began, err := loadRest[string](ctx, conn, n.name, partBegan)
	if err != nil || len(began) == 0 {
		return nil, err
	}
	u := &connectors.Unfinished{Run: n.mark.Run, Definitions: &connectors.Definitions{}}
	unread := func(what string, err error) error {
		return &connectors.Error{Side: conn.side, Op: "read the ledger of " + word(n.name), Err: fmt.Errorf("the %s beside it cannot be read: %w", what, err), Hint: "run again: the next run removes it"}
	}
	if u.Began, err = time.Parse(clockLayout, began[0]); err != nil {
		return nil, unread("time", err)
	}
	for part, into := range map[string]any{partDefinitions: u.Definitions, partChunks: &u.Chunks} {
		pieces, err := loadRest[string](ctx, conn, n.name, part)
		if err != nil {
			return nil, err
		}
		if err := unpack(pieces, into); err != nil {
			return nil, unread(part, err)
		}
	}
	prints, err := loadRest[map[string]string](ctx, conn, n.name, partFingerprint)
	if err != nil {
		return nil, err
	}
	for _, u.Fingerprint = range prints {
	}
	last, err := conn.word(ctx, "SELECT CONCAT(MAX(at)) FROM "+within(n.name, ledgerTable))
	if err != nil {
		return nil, err
	}
	if last != "" {
		if u.Last, err = time.Parse(clockLayout, last); err != nil {
			return nil, unread("times", err)
		}
	}
	u.Receipts, err = readReceipts(ctx, conn, n.name)
	return u, err
}

// Resume takes the target and opens a build that was left.
func (s *sink) Resume(ctx context.Context, spec connectors.BuildSpec) (_ connectors.Build, err error) {
	op := "resume a build of " + s.display(s.target)
	b, err := s.prepareBuild(ctx, op, spec)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.Keep() // it stays as it was found
		}
	}()
	if err := b.claim(ctx, false); err != nil {
		return nil, err
	}
	m, ours, err := readMark(ctx, b.holder, b.database)
	if err != nil {
		return nil, err
	}
	if !ours || m.Target != s.target || m.Run != spec.Run || m.State != stateBuilding {
		return nil, &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: op, Err: errors.New("it is not there any more"), Hint: "run again"}
	}
	if m.Unlogged != b.unlogged { // it goes where it was begun
		b.unlogged = m.Unlogged
		if err := b.unlog(ctx, b.holder); err != nil {
			return nil, err
		}
		if !b.unlogged {
			if err := b.holder.exec(ctx, "SET SESSION sql_log_bin = 1"); err != nil {
				return nil, err
			}
		}
	}
	if err := s.clear(ctx, b.holder, b.database); err != nil {
		return nil, err
	}
	if err := b.fit(ctx); err != nil {
		return nil, err
	}
	// A statement of the process that left it may still be running.
	if err := b.emptied(ctx); err != nil {
		return nil, s.about(err, op)
	}
	b.mu.Lock()
	b.state = open
	b.mu.Unlock()
	b.doubt, b.proved = true, true
	if err := b.recover(ctx, true); err != nil {
		return nil, err
	}
	b.live()
	return b, nil
}

// emptied ends the sessions in the build's database, and waits until they are gone.
func (b *build) emptied(ctx context.Context) error {
	for until := time.Now().Add(cleanupTimeout); ; {
		users, err := b.users(ctx, b.holder, b.database, true)
		if err != nil || len(users) == 0 {
			return err
		}
		if time.Now().After(until) {
			return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Err: fmt.Errorf("%d sessions in it do not end", len(users)), Hint: "end them, or wait until they have ended, and resume again"}
		}
		for _, u := range users {
			b.holder.exec(ctx, fmt.Sprintf("KILL %d", u.id)) // it may have ended by itself
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// doubtful returns what recover has to do: whether the process or the server has ended in
// the middle, the tables without transactions that have to be looked at, and whether what
// stands behind the rows may have been left.
func (b *build) doubtful(loads bool) (doubt bool, names []string, proved bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.doubt {
		names = slices.Sorted(maps.Keys(b.plain))
	}
	return b.doubt, names, loads && b.proved
}

// recover brings the build in line with its ledger, where that is in doubt: its process or
// its server has ended in the middle. loads tells that rows come next: a trigger that was
// made behind the rows, to prove that it can be, would act on them, and is removed.
func (b *build) recover(ctx context.Context, loads bool) error {
	if doubt, _, proved := b.doubtful(loads); !doubt && !proved {
		return nil
	}
	// Nobody loads into a table without transactions meanwhile.
	b.loading.Lock()
	defer b.loading.Unlock()
	doubt, names, proved := b.doubtful(loads)
	b.mu.Lock()
	if doubt {
		clear(b.done)
		b.remade = true
		b.doubt = false // a session that is lost from now on is another doubt
	}
	b.mu.Unlock()
	op := "go on with " + word(b.database)
	err := b.again(ctx, op, func(s *session) error {
		if proved {
			if err := dropRest(ctx, s, b.database); err != nil {
				return err
			}
			if err := b.derive(ctx, s); err != nil {
				return err
			}
		}
		for _, name := range names {
			if err := b.refill(ctx, s, name); err != nil {
				return err
			}
		}
		return nil
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.doubt = b.doubt || doubt
		return err
	}
	b.proved = b.proved && !proved
	return nil
}

// refill empties a table without transactions and takes its chunk off the ledger, unless
// that is there and no row is missing or too many: all its rows are one chunk.
func (b *build) refill(ctx context.Context, s *session, name string) error {
	op := "empty " + word(name)
	var chunks, rows int64
	err := s.query(ctx, "SELECT COUNT(*), COALESCE(SUM(`rows`), 0) FROM "+ident(ledgerTable)+" WHERE name = "+literal(name), func(r row) error {
		chunks, rows = r.number(0), r.number(1)
		return nil
	})
	if err != nil {
		return b.about(err, op)
	}
	if chunks == 1 {
		// A table that a crash has damaged cannot be counted.
		if have, err := s.number(ctx, "SELECT COUNT(*) FROM "+ident(name)); err == nil && have == rows {
			return nil
		} else if lost(err) || ctx.Err() != nil {
			return b.about(err, op)
		}
	}
	if err := s.exec(ctx, "DELETE FROM "+ident(ledgerTable)+" WHERE name = "+literal(name)); err != nil {
		return b.about(err, op)
	}
	return b.about(b.empty(ctx, s, b.defs.table(catalog.TableID{Name: name})), op)
}

// empty empties a table without transactions. One of an engine that cannot do that (ARCHIVE)
// is made anew, if no trigger that computes a column would go with it.
func (b *build) empty(ctx context.Context, s *session, d *tableDefinition) error {
	err := s.exec(ctx, "TRUNCATE TABLE "+ident(d.Name))
	// It is not there where a session was lost behind the DROP.
	if n := numberOf(err); n != 1031 && n != 1146 || slices.ContainsFunc(b.spec.Derived, func(c connectors.Derived) bool { return c.Column.Table.Name == d.Name }) {
		return err
	}
	if err := s.exec(ctx, "DROP TABLE IF EXISTS "+ident(d.Name)); err != nil {
		return err
	}
	return s.exec(ctx, d.Create)
}
