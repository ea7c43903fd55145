package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

const (
	// sampleTimeout bounds the sample of one table, in milliseconds: production waits
	// for nobody's curiosity.
	sampleTimeout = 30_000
	// smallTable is how many pages are read from the first on, and not spread.
	smallTable = 128
	// fewestPages keeps a sample of wide rows from being one page's.
	fewestPages = 16
)

// Sample implements connectors.Sampler. A large table is sampled page by page, the same
// pages while it does not grow.
func (s *source) Sample(ctx context.Context, t *catalog.Table, rows int, see func(row [][]byte) error) error {
	op := "sample " + words(t.ID)
	if !t.StoresRows() {
		return &connectors.Error{Side: s.side, Op: op, Err: fmt.Errorf("a %s table stores no rows", t.Kind)}
	}
	if rows <= 0 {
		return ctx.Err()
	}
	conn, err := s.takeSampler(ctx, op)
	if err != nil {
		return err
	}
	var seen error
	err = s.sample(ctx, conn, t, rows, func(row [][]byte) error {
		seen = see(row)
		return seen
	})
	if err == nil {
		_, err = conn.Exec(ctx, "ROLLBACK")
	}
	if err != nil {
		closeConn(conn) // with it go its transaction and its locks
		conn = nil
	}
	s.giveSampler(conn)
	if seen != nil {
		return seen
	}
	return fail(ctx, s.side, op, err)
}

func (s *source) sample(ctx context.Context, conn *pgx.Conn, t *catalog.Table, rows int, see func([][]byte) error) error {
	if _, err := conn.PgConn().Exec(ctx, fmt.Sprintf("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = %d", sampleTimeout)).ReadAll(); err != nil {
		return err
	}
	var pages int64
	var heap bool
	if err := conn.QueryRow(ctx, query("pages"), t.ID.Schema, t.ID.Name).Scan(&pages, &heap); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			return errors.New("there is no such table any more")
		}
		return err
	}
	share := 0.0
	if heap {
		share = sampleShare(t, pages, rows)
	}
	printed, err := readNames(ctx, conn, "printed", t.ID.Schema, t.ID.Name)
	if err != nil {
		return err
	}
	n, err := s.sampleRows(ctx, conn, sampleSQL(t, printed, share, rows), see)
	if err == nil && n == 0 && share > 0 {
		// The pages that were drawn are empty: rows stand elsewhere, if anywhere.
		_, err = s.sampleRows(ctx, conn, sampleSQL(t, printed, 0, rows), see)
	}
	return err
}

func (s *source) sampleRows(ctx context.Context, conn *pgx.Conn, sql string, see func([][]byte) error) (n int, err error) {
	result := conn.PgConn().ExecParams(ctx, sql, nil, nil, nil, nil)
	for result.NextRow() {
		n++
		row := result.Values()
		for i, v := range row {
			row[i] = connectors.CutSample(v)
		}
		if err := see(row); err != nil {
			return n, err
		}
	}
	_, err = result.Close()
	return n, err
}

// sampleShare returns how much of a table's pages to draw, in percent; 0 for a table
// that is read from its first page on.
func sampleShare(t *catalog.Table, pages int64, rows int) float64 {
	if pages <= smallTable {
		return 0
	}
	density := 1.0
	if t.Rows > 0 {
		density = max(1, float64(t.Rows)/float64(pages))
	}
	// Half as many again, since a page is drawn or not by chance.
	want := max(fewestPages, 1.5*float64(rows)/density)
	if share := 100 * want / float64(pages); share < 100 {
		return share
	}
	return 0
}

// sampleSQL returns the query for some rows of a table, as text. What has no text is NULL.
func sampleSQL(t *catalog.Table, printed []string, share float64, rows int) string {
	var columns []string
	for _, c := range t.Columns {
		if holdsBytes(c.Type) || c.Generation == catalog.Virtual {
			columns = append(columns, "NULL::text")
			continue
		}
		// In characters: the rest of a longer value need not travel.
		columns = append(columns, fmt.Sprintf("pg_catalog.left(%s, %d)", textSQL(c.Name, printed), connectors.SampleBytes))
	}
	from := table(t.ID)
	if share > 0 {
		from += " TABLESAMPLE SYSTEM (" + strconv.FormatFloat(share, 'f', -1, 64) + ") REPEATABLE (1)"
	}
	return fmt.Sprintf("SELECT %s FROM ONLY %s LIMIT %d", strings.Join(columns, ", "), from, rows)
}

func holdsBytes(t catalog.Type) bool {
	return t.Kind == catalog.Bytes || t.Element != nil && holdsBytes(*t.Element)
}

// takeSampler takes the one session for samples; giveSampler gives it back, or nil where
// it is of no use any more.
func (s *source) takeSampler(ctx context.Context, op string) (*pgx.Conn, error) {
	var conn *pgx.Conn
	select {
	case conn = <-s.sampler:
	case <-ctx.Done():
		return nil, &connectors.Error{Side: s.side, Op: op, Err: ctx.Err()}
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		s.giveSampler(conn)
		return nil, &connectors.Error{Side: s.side, Op: op, Err: errors.New("the source is closed")}
	}
	if conn != nil {
		return conn, nil
	}
	conn, err := s.connect(ctx, "")
	if err != nil {
		s.giveSampler(nil)
	}
	return conn, err
}

func (s *source) giveSampler(conn *pgx.Conn) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		closeConn(conn)
		conn = nil
	}
	s.sampler <- conn // never waits: there is a place for the one
}
