package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

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
		if f.Where, err = s.source.checkWhere(ctx, t, f.Where, s.asReader); err != nil {
			return nil, err
		}
	}
	chosen := &rows.Choice{Filter: f}
	if f.Limit > 0 {
		if chosen.Most, err = s.lowest(ctx, t, chosen); err != nil {
			return nil, err
		}
	}
	filtered := *layout
	filtered.Rows = chosen
	return &filtered, nil
}

// lowest finds the hash up to which a limit lets rows through.
func (s *snapshot) lowest(ctx context.Context, t *catalog.Table, c *rows.Choice) (*connectors.RowHash, error) {
	lowest := connectors.NewLowest(c.Filter.Limit)
	chooser := c.Filter.Chooser(nil)
	layout, err := s.Layout(t.ID, nil)
	if err != nil {
		return nil, err
	}
	bare := *layout
	bare.Columns = nil
	sql, _ := s.readSQL(&bare, "", "", c)
	err = s.asReader(ctx, "choose the rows of "+t.ID.String(), func(r *session) error {
		return r.query(ctx, sql, func(v row) error {
			if h := chooser.Hash(rows.KeyOf(v)...); chooser.Keeps(h) {
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

// CheckFilter implements connectors.FilterChecker.
func (s *source) CheckFilter(ctx context.Context, c *catalog.Catalog, id catalog.TableID, f connectors.Filter) error {
	f, t, err := f.ResolveIn(c, id)
	if err != nil || f.Where == "" {
		return err
	}
	r, err := s.session(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.exec(ctx, readerSQL); err != nil {
		return err
	}
	// That it may not ask for the table at all is no fault of the condition's.
	if err := r.query(ctx, explainSQL(s.database, id, nil), func(row) error { return nil }); err != nil {
		return fmt.Errorf("choose the rows of %s: %w", id, err)
	}
	_, err = s.checkWhere(ctx, t, f.Where, func(ctx context.Context, op string, do func(*session) error) error {
		return failDefinition(ctx, connectors.SourceSide, op, do(r))
	})
	return err
}

// explainSQL asks how the chosen rows of a table would be read; nil chooses all.
func explainSQL(database string, id catalog.TableID, c *rows.Choice) string {
	sql := "EXPLAIN SELECT 1 FROM " + table(database, id)
	if c != nil {
		sql += " WHERE " + c.Condition()
	}
	return sql
}

// checkWhere returns the condition in the server's words: a backslash in a literal, which
// is one elsewhere, begins an escape here. asReader runs a function with a session that is
// set like a reader's.
func (s *source) checkWhere(ctx context.Context, t *catalog.Table, where string, asReader func(context.Context, string, func(*session) error) error) (string, error) {
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
	err = asReader(ctx, "choose the rows of "+t.ID.String(), func(r *session) error {
		return r.query(ctx, explainSQL(s.database, t.ID, &rows.Choice{Filter: connectors.Filter{Where: where}}), func(row) error { return nil })
	})
	var e *connectors.Error
	if errors.As(err, &e) && ctx.Err() == nil && !e.Retry {
		return fail(e.Err, "write it as what would stand behind WHERE")
	}
	return where, err
}

// hashed is a key's text as every database has it: in UTF-8.
func hashed(column string) string { return "CONVERT(" + ident(column) + " USING utf8mb4)" }
