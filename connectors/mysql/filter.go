package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// choice is what Filter has prepared for a layout: which of the table's rows to read.
type choice struct {
	filter connectors.Filter // with its key
	most   *connectors.RowHash
}

// Filter implements connectors.Filterer. A condition is read as elsewhere: names in double
// quotes or backticks, || for texts put together, no escapes in literals.
func (s *snapshot) Filter(ctx context.Context, layout *connectors.Layout, f connectors.Filter) (*connectors.Layout, error) {
	t := layout.Table
	f, err := f.Resolve(t)
	if err != nil {
		return nil, err
	}
	if f.Zero() {
		return layout, nil
	}
	if f.Where != "" {
		if f.Where, err = s.checkWhere(ctx, t, f.Where); err != nil {
			return nil, err
		}
	}
	chosen := &choice{filter: f}
	if f.Limit > 0 {
		if chosen.most, err = s.lowest(ctx, t, chosen); err != nil {
			return nil, err
		}
	}
	filtered := *layout
	filtered.Rows = chosen
	return &filtered, nil
}

// lowest finds the hash up to which a limit lets rows through.
func (s *snapshot) lowest(ctx context.Context, t *catalog.Table, c *choice) (*connectors.RowHash, error) {
	lowest := connectors.NewLowest(c.filter.Limit)
	chooser := c.filter.Chooser(nil)
	layout, err := s.Layout(t.ID, nil)
	if err != nil {
		return nil, err
	}
	bare := *layout
	bare.Columns = nil
	sql, _ := s.readSQL(&bare, "", "", c)
	err = s.asReader(ctx, "choose the rows of "+t.ID.String(), func(r *session) error {
		return r.query(ctx, sql, func(v row) error {
			if h := chooser.Hash(keyOf(v)...); chooser.Keeps(h) {
				lowest.Add(h)
			}
			return nil
		})
	})
	return lowest.Most(), err
}

// asReader runs do with a reader's session.
func (s *snapshot) asReader(ctx context.Context, op string, do func(*session) error) error {
	r, err := s.take(ctx, op)
	if err != nil {
		return err
	}
	if _, err = r.run(ctx, "SAVEPOINT chunk"); err == nil {
		err = do(r)
		if _, undone := r.run(ctx, "ROLLBACK TO SAVEPOINT chunk"); err == nil {
			err = undone
		}
	}
	err = failDefinition(ctx, connectors.SourceSide, op, err)
	s.give(r, ctx.Err() == nil && !broken(err) && !connectors.Retryable(err))
	return err
}

// moody are the functions that may answer otherwise the next time, or have effects.
var moody = []string{"rand", "uuid", "uuid_short", "sys_guid", "random_bytes", "sleep", "benchmark", "get_lock", "release_lock", "release_all_locks", "is_free_lock", "is_used_lock",
	"last_insert_id", "connection_id", "row_count", "found_rows", "load_file", "nextval", "lastval", "setval", "master_pos_wait", "source_pos_wait", "master_gtid_wait",
	"wait_for_executed_gtid_set", "sysdate", "user", "current_user", "session_user", "system_user", "current_role"}

// checkWhere returns the condition in the server's words: a backslash in a literal, which
// is one elsewhere, begins an escape here.
func (s *snapshot) checkWhere(ctx context.Context, t *catalog.Table, where string) (string, error) {
	fail := func(err error, hint string) (string, error) {
		return "", connectors.FilterError(t.ID, fmt.Errorf("its condition cannot be used: %w", err), hint)
	}
	// # would begin a comment and @ a variable.
	parsed, err := connectors.ParseCondition(where, "?@#[]\\")
	if err != nil {
		return fail(err, "write it as what would stand behind WHERE, with literals in single quotes")
	}
	for _, call := range parsed.Calls {
		if slices.Contains(moody, strings.ToLower(call)) {
			return "", connectors.FilterError(t.ID, fmt.Errorf("its condition calls %s, which may answer otherwise the next time or have effects", call), "")
		}
	}
	var b strings.Builder
	for i, plain := range parsed.Plain {
		b.WriteString(plain)
		if i < len(parsed.Quote) {
			q := parsed.Quote[i]
			if q[0] == '\'' {
				q = strings.ReplaceAll(q, `\`, `\\`)
			}
			b.WriteString(q)
		}
	}
	where = b.String()
	err = s.asReader(ctx, "choose the rows of "+t.ID.String(), func(r *session) error {
		return r.query(ctx, "EXPLAIN SELECT 1 FROM "+table(s.source.database, t.ID)+" WHERE "+(&choice{filter: connectors.Filter{Where: where}}).condition(),
			func(row) error { return nil })
	})
	var e *connectors.Error
	if errors.As(err, &e) && ctx.Err() == nil && !e.Retry {
		return fail(e.Err, "write it as what would stand behind WHERE")
	}
	return where, err
}

// condition returns the condition in parentheses, on lines of its own, or "".
func (c *choice) condition() string {
	if c == nil || c.filter.Where == "" {
		return ""
	}
	return "(\n" + c.filter.Where + "\n)"
}

// keys returns the columns by whose text rows are chosen.
func (c *choice) keys() []string {
	if c == nil || c.filter.Chooser(nil) == nil {
		return nil
	}
	return c.filter.Key
}

// keeper returns the function that says whether a row stays, or nil if all do. The text
// of its keys stands behind its columns.
func (c *choice) keeper(columns int) func([]driver.Value) bool {
	if len(c.keys()) == 0 {
		return nil
	}
	chooser := c.filter.Chooser(c.most)
	return func(v []driver.Value) bool { return chooser.Keeps(chooser.Hash(keyOf(v[columns:])...)) }
}

func keyOf(values []driver.Value) [][]byte {
	key := make([][]byte, len(values))
	for i, v := range values {
		key[i], _ = v.([]byte)
	}
	return key
}

// hashed is a key's text as every database has it: in UTF-8.
func hashed(column string) string { return "CONVERT(" + ident(column) + " USING utf8mb4)" }
