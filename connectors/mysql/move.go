package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
)

// listTables lists the tables of a database, sequences among them, and its views.
func listTables(ctx context.Context, s *session, database string) (tables, views []string, err error) {
	err = s.query(ctx, "SHOW FULL TABLES FROM "+ident(database), func(r row) error {
		if r.text(1) == "VIEW" {
			views = append(views, r.text(0))
		} else {
			tables = append(tables, r.text(0))
		}
		return nil
	})
	return tables, views, err
}

// same returns a name as the server compares it with others.
func (s *sink) same(name string) string {
	if s.folds {
		return strings.ToLower(name)
	}
	return name
}

func (s *sink) has(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return s.same(n) == s.same(name) })
}

// wait bounds how long the session waits for a lock. 0 puts it back to what it was.
func (p *promotion) wait(ctx context.Context, d time.Duration) error {
	seconds := int(d / time.Second)
	if d == 0 {
		seconds = 3600
	}
	return p.conn.exec(ctx, fmt.Sprintf("SET SESSION lock_wait_timeout = %d", max(1, seconds)))
}

// move moves the tables. What it does before ends with ctx; see rename.
func (p *promotion) move(ctx, late context.Context) error {
	if err := p.wait(ctx, promotePatience); err != nil {
		return err
	}
	if err := p.step("make databases"); err != nil {
		return err
	}
	list, err := p.list(ctx)
	if err != nil {
		return err
	}
	charset, err := loadRest[string](ctx, p.conn, list, partCharset)
	if err != nil {
		return err
	}
	for _, sql := range []string{
		"CREATE DATABASE IF NOT EXISTS " + ident(p.old),
		"CREATE DATABASE IF NOT EXISTS " + ident(p.target) + strings.Join(charset, ""),
	} {
		if err := p.conn.exec(ctx, sql); err != nil {
			return err
		}
	}
	renames, err := p.renames(ctx, list)
	if err != nil {
		return err
	}
	if err := p.dropTriggers(ctx, list); err != nil {
		return err
	}
	if err := p.step("rename"); err != nil {
		return err
	}
	return p.rename(ctx, late, renames)
}

// list returns the database in which restTable is: the target, if that has moved already.
func (p *promotion) list(ctx context.Context) (string, error) {
	moved, err := p.conn.number(ctx, "SELECT COUNT(*) = 0 FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+literal(p.build)+" AND TABLE_NAME = "+literal(restTable))
	if moved != 0 {
		return p.target, err
	}
	return p.build, err
}

// renames lists what moves: former tables out of the target, new ones into it, each mark
// behind the others. A view of the target that has the name of a new table gets another
// name: no view can leave its database, and all that are there are dropped soon after.
func (p *promotion) renames(ctx context.Context, list string) (all []string, err error) {
	have, views, err := listTables(ctx, p.conn, p.target)
	if err != nil {
		return nil, err
	}
	coming, _, err := listTables(ctx, p.conn, p.build)
	if err != nil {
		return nil, err
	}
	old, err := loadRest[string](ctx, p.conn, list, partOld)
	if err != nil {
		return nil, err
	}
	fresh, err := loadRest[string](ctx, p.conn, list, partNew)
	if err != nil {
		return nil, err
	}
	_, marked, err := readMark(ctx, p.conn, p.target)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, v := range views {
		if p.has(coming, v) {
			aside := ""
			for aside == "" || p.has(views, aside) {
				n++
				aside = fmt.Sprintf("_sanitize_view_%d", n)
			}
			all = append(all, within(p.target, v)+" TO "+within(p.target, aside))
		}
	}
	last := func(name string) int { // the mark stands behind all others, the list before it
		return slices.Index([]string{restTable, markTable}, p.same(name))
	}
	order := func(a, b string) int { return last(a) - last(b) }
	slices.SortStableFunc(have, order)
	slices.SortStableFunc(coming, order)
	for _, t := range have {
		if !p.has(coming, t) && p.has(fresh, t) {
			continue // has moved
		}
		if !marked && !p.has(old, t) {
			return nil, &connectors.Error{Kind: connectors.KindGuard, Side: p.side, Op: "replace " + p.display(p.target),
				Err:  fmt.Errorf("the table %s was made in it since the promotion was begun: it may be somebody's work", word(t)),
				Hint: "move it elsewhere, or name another target"}
		}
		all = append(all, within(p.target, t)+" TO "+within(p.old, t))
	}
	for _, t := range coming {
		all = append(all, within(p.build, t)+" TO "+within(p.target, t))
	}
	return all, nil
}

// dropTriggers drops the triggers of the target, with which a table cannot leave its
// database, and keeps their words until the tables have moved.
func (p *promotion) dropTriggers(ctx context.Context, list string) error {
	kept, err := loadRest[object](ctx, p.conn, list, partTrigger)
	if err != nil {
		return err
	}
	var names []string
	err = p.conn.query(ctx, "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = "+literal(p.target)+
		" ORDER BY EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER", func(r row) error {
		names = append(names, r.text(0))
		return nil
	})
	if err != nil || len(names) == 0 {
		return err
	}
	for _, n := range names {
		o := object{Kind: "trigger", Name: n}
		// Trigger, sql_mode, statement, character_set_client, collation_connection …
		err := p.conn.query(ctx, "SHOW CREATE TRIGGER "+within(p.target, n), func(r row) error {
			o.Mode, o.Create, o.Charset, o.Collation = r.text(1), r.text(2), r.text(3), r.text(4)
			return nil
		})
		if err != nil {
			return err
		}
		kept = slices.DeleteFunc(kept, func(k object) bool { return k.Name == n })
		kept = append(kept, o)
	}
	if err := storeRest(ctx, p.conn, list, partTrigger, kept); err != nil {
		return err
	}
	p.bare = true
	for _, n := range names {
		if err := p.step("drop trigger " + n); err != nil {
			return err
		}
		if err := p.conn.exec(ctx, "DROP TRIGGER IF EXISTS "+within(p.target, n)); err != nil {
			return err
		}
	}
	return nil
}
