package mysql

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/tasks"
)

// TableLoaded makes the secondary indexes and unique keys of a table, by one statement
// that reads its rows once.
func (b *build) TableLoaded(ctx context.Context, id catalog.TableID) error {
	op := "build the indexes of " + word(id.Name)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if err := b.check(op, open, finished); err != nil {
		return err
	}
	t := b.defs.table(id)
	if t == nil {
		if known := b.spec.Catalog.Table(id); known != nil && !known.StoresRows() {
			return nil // it stays behind
		}
		return &connectors.Error{Side: b.side, Op: op, Err: errors.New("no such table")}
	}
	return b.indexes(ctx, op, *t)
}

func (b *build) indexes(ctx context.Context, op string, t tableDefinition) error {
	b.mu.Lock()
	done, tried := b.done[t.Name], b.remade || b.indexed[t.Name]
	b.done[t.Name], b.indexed[t.Name] = true, true
	b.mu.Unlock()
	if done || len(t.Indexes) == 0 {
		return nil
	}
	steps := inSteps(t.Indexes)
	made, sent := 0, -1
	err := b.again(ctx, op, func(s *session) error {
		for _, sql := range b.tuning() {
			if err := s.exec(ctx, sql); err != nil {
				return err
			}
		}
		for ; made < len(steps); made++ {
			twice := sent == made || tried
			sent = made
			_, err := s.run(ctx, "ALTER TABLE "+ident(t.Name)+" "+strings.Join(steps[made], ", "))
			if twice && numberOf(err) == 1061 {
				err = nil // it is there, and its answer was lost: a statement makes all of its keys or none
			}
			if err != nil {
				return b.keyError(ctx, op, t.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		b.mu.Lock()
		delete(b.done, t.Name)
		b.mu.Unlock()
	}
	return err
}

// fullText matches a clause that makes a full-text index.
var fullText = regexp.MustCompile(`(?i)^\s*ADD\s+FULLTEXT\b`)

// inSteps divides the clauses that make a table's indexes into statements: all at once,
// but each full-text index by itself. InnoDB makes one of them at a time; asked for two,
// it copies the whole table (MySQL's manual, 17.12.1 Online DDL Operations).
func inSteps(clauses []string) (steps [][]string) {
	var plain []string
	for _, c := range clauses {
		if fullText.MatchString(c) {
			steps = append(steps, []string{c})
		} else {
			plain = append(plain, c)
		}
	}
	if len(plain) > 0 {
		steps = append(steps, plain)
	}
	return steps
}

// keyError is the error of a statement that makes keys: it names the table and the key,
// and holds no value.
func (b *build) keyError(ctx context.Context, op, name string, err error) error {
	failed := fail(ctx, b.side, op, err)
	var e *connectors.Error
	if errors.As(failed, &e) && e.Violation != nil {
		e.Violation.Table = catalog.TableID{Name: name}
		if e.Violation.Constraint != "" {
			e.Op = "make key " + word(e.Violation.Constraint) + " of " + word(name)
		}
	}
	return failed
}

// tuning returns what makes a session build indexes faster.
func (b *build) tuning() []string {
	if !b.server.has(ddlThreads) {
		return nil
	}
	// Three indexes of 1.6 million rows take a fourth less of the processor than with the
	// usual 1 MiB; with 64 MiB they take more again, since a run that is sorted does not fit
	// the processor's cache (MySQL's manual, 17.12.4 Configuring Parallel Threads for Online
	// DDL Operations).
	return []string{"SET SESSION innodb_ddl_buffer_size = 16777216"}
}

// Finish makes what needs all rows: indexes that nobody asked for yet, statistics, foreign
// keys, which are validated, the positions of sequences; and what stands behind the
// rows, to prove that it can be made.
func (b *build) Finish(ctx context.Context) error {
	op := "finish " + b.display(b.target)
	if err := b.check(op, open, finished); err != nil {
		return err
	}
	if err := b.hold(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	again := b.remade || b.tried
	b.tried = true
	b.mu.Unlock()
	var index, analyze []tasks.Task
	for _, t := range b.defs.Tables {
		index = append(index, tasks.Task{Do: func(ctx context.Context) error {
			return b.indexes(ctx, "build the indexes of "+word(t.Name), t)
		}})
		analyze = append(analyze, tasks.Task{Do: func(ctx context.Context) error { return b.analyze(ctx, t.Name) }})
	}
	for _, list := range [][]tasks.Task{index, b.addKeys(again), analyze, b.validateKeys()} {
		if err := b.parallel(ctx, list); err != nil {
			return err
		}
	}
	err := b.again(ctx, op, func(s *session) error {
		if err := b.sequences(ctx, s); err != nil {
			return err
		}
		b.mu.Lock()
		b.proved = true
		b.mu.Unlock()
		return b.prove(ctx, s, false)
	})
	if err != nil {
		return err
	}
	b.reach(open, finished)
	return nil
}

// addKeys returns what adds the foreign keys: one statement per table. With
// foreign_key_checks off, as it is in all sessions of a build, it looks at no row. It locks
// the table and those that it points to: tables that share one are done one after the other.
// again tells that they may have been made before.
func (b *build) addKeys(again bool) (list []tasks.Task) {
	for _, t := range b.defs.Tables {
		if len(t.ForeignKeys) == 0 {
			continue
		}
		locks := []string{t.Name}
		if known := b.spec.Catalog.Table(catalog.TableID{Name: t.Name}); known != nil {
			for _, f := range known.ForeignKeys {
				locks = append(locks, f.References.Name)
			}
		}
		op := "make the foreign keys of " + word(t.Name)
		list = append(list, tasks.Task{Locks: locks, Do: func(ctx context.Context) error {
			sent := again
			return b.again(ctx, op, func(s *session) error {
				twice := sent
				sent = true
				_, err := s.run(ctx, "ALTER TABLE "+ident(t.Name)+" "+strings.Join(t.ForeignKeys, ", "))
				if twice && keyIsThere(err) {
					return nil // as with indexes
				}
				if numberOf(err) == 6125 {
					failed := failDefinition(ctx, b.side, op, err)
					var e *connectors.Error
					if errors.As(failed, &e) {
						e.Kind = connectors.KindUnsupported
						e.Hint = "a foreign key points to columns that are not unique; the account may not switch restrict_fk_on_non_standard_key off: SET GLOBAL restrict_fk_on_non_standard_key = OFF at the target's server"
					}
					return failed
				}
				return failDefinition(ctx, b.side, op, err)
			})
		}})
	}
	return list
}

// keyIsThere reports whether a foreign key could not be made since there is one of its name.
func keyIsThere(err error) bool {
	var me *driverpkg.MySQLError
	if !errors.As(err, &me) {
		return false
	}
	return me.Number == 1826 || me.Number == 1005 && strings.Contains(me.Message, "errno: 121")
}

// validateKeys returns what looks for rows that a foreign key does not allow. The server
// does so only while it adds a key, and then copies the table row by row.
func (b *build) validateKeys() (list []tasks.Task) {
	for _, t := range b.spec.Catalog.Tables {
		d := b.defs.table(t.ID)
		if d == nil {
			continue
		}
		for _, f := range t.ForeignKeys {
			if !f.Validated || !d.points(f) {
				continue // nobody vouches for it at the source either, or it stays behind
			}
			list = append(list, tasks.Task{Do: func(ctx context.Context) error { return b.validate(ctx, t.ID, f) }})
		}
	}
	return list
}

func (b *build) validate(ctx context.Context, id catalog.TableID, f catalog.ForeignKey) error {
	op := fmt.Sprintf("validate foreign key %s of %s", word(f.Name), word(id.Name))
	return b.again(ctx, op, func(s *session) error {
		few, err := b.repeats(ctx, s, id, f)
		if err != nil {
			return b.about(err, op)
		}
		found, err := s.number(ctx, orphanSQL(id, f, few))
		if err != nil {
			return b.about(err, op)
		}
		if found != 0 {
			return &connectors.Error{Kind: connectors.KindIntegrity, Side: b.side, Op: op,
				Err:       fmt.Errorf("rows of %s point to no row of %s", word(id.Name), word(f.References.Name)),
				Hint:      "a server does not look at rows that come while foreign_key_checks is off: see whether the source holds",
				Violation: &connectors.Violation{Table: id, Constraint: f.Name, Columns: f.Columns()}}
		}
		return nil
	})
}

// repeatsFrom is how many rows of a table have the same value of a foreign key, on average,
// from which its values are looked for rather than its rows. The server jumps from one
// value of an index to the next: of 1.6 million rows with a thousand values it then takes
// 10 ms instead of 300, but half as long again where nearly every row has its own.
const repeatsFrom = 16

// repeats reports whether a table has few values of a foreign key, by the statistics that
// have just been gathered.
func (b *build) repeats(ctx context.Context, s *session, id catalog.TableID, f catalog.ForeignKey) (bool, error) {
	if len(f.Pairs) > 1 {
		return false, nil
	}
	few, err := s.number(ctx, fmt.Sprintf(`SELECT COALESCE(MIN(i.CARDINALITY) * %d < MAX(t.TABLE_ROWS), 0) FROM information_schema.STATISTICS i
		JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = i.TABLE_SCHEMA AND t.TABLE_NAME = i.TABLE_NAME
		WHERE i.TABLE_SCHEMA = %s AND i.TABLE_NAME = %s AND i.COLUMN_NAME = %s AND i.SEQ_IN_INDEX = 1 AND i.SUB_PART IS NULL`,
		repeatsFrom, literal(b.database), literal(id.Name), literal(f.Pairs[0].Column)))
	return few != 0, err
}

// orphanSQL returns 1 if a row points to none. A row with a NULL in the key points to
// nothing, and is right (MySQL's manual, 15.1.20.5 FOREIGN KEY Constraints: MATCH SIMPLE).
func orphanSQL(id catalog.TableID, f catalog.ForeignKey, few bool) string {
	var join, where []string
	for _, p := range f.Pairs {
		join = append(join, "p."+ident(p.References)+" = c."+ident(p.Column))
		where = append(where, "c."+ident(p.Column)+" IS NOT NULL")
	}
	rows := ident(id.Name)
	if few {
		rows = fmt.Sprintf("(SELECT DISTINCT %s FROM %s)", idents(f.Columns()), rows)
	}
	return fmt.Sprintf("SELECT 1 FROM %s c LEFT JOIN %s p ON %s WHERE %s AND p.%s IS NULL LIMIT 1",
		rows, ident(f.References.Name), strings.Join(join, " AND "), strings.Join(where, " AND "), ident(f.Pairs[0].References))
}

// analyze gathers the optimiser's statistics of a table.
func (b *build) analyze(ctx context.Context, name string) error {
	op := "analyze " + word(name)
	return b.again(ctx, op, func(s *session) error {
		err := s.query(ctx, "ANALYZE NO_WRITE_TO_BINLOG TABLE "+ident(name), func(r row) error {
			if len(r) > 3 && strings.EqualFold(r.text(2), "error") {
				return &connectors.Error{Side: b.side, Op: op, Err: errors.New("the server cannot gather the statistics of the table")}
			}
			return nil
		})
		return b.about(err, op)
	})
}

// sequences puts each sequence past the largest value of the column that it fills, masked
// values included, and never before its position at the source; but for one that cycles and has
// been at its end: that stays where it was.
func (b *build) sequences(ctx context.Context, s *session) error {
	at, err := b.counters(ctx, s)
	if err != nil {
		return err
	}
	for _, q := range b.spec.Definitions.Sequences {
		var err error
		op := "set sequence " + word(q.ID.Name)
		switch {
		case slices.ContainsFunc(b.defs.First, func(o object) bool { return o.Kind == "sequence" && o.Name == q.ID.Name }):
			err = b.setSequence(ctx, s, q)
		case b.defs.table(q.ID) != nil:
			// An AUTO_INCREMENT: InnoDB itself never goes back behind the largest value.
			op = "set the next " + word(q.Fills[0].Column) + " of " + word(q.ID.Name)
			next := max(q.Last, 1)
			if q.Called && next < math.MaxInt64 {
				next++
			}
			if at[q.ID.Name] >= next {
				continue
			}
			err = s.exec(ctx, fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", ident(q.ID.Name), next))
		}
		if err != nil {
			return b.about(err, op)
		}
	}
	return nil
}

// counters returns the next AUTO_INCREMENT of each table that has one.
func (b *build) counters(ctx context.Context, s *session) (map[string]int64, error) {
	at := map[string]int64{}
	err := s.query(ctx, "SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES WHERE AUTO_INCREMENT IS NOT NULL AND TABLE_SCHEMA = "+literal(b.database), func(r row) error {
		at[r.text(0)] = r.number(1)
		return nil
	})
	return at, b.about(err, "read the positions of the tables")
}

// setSequence sets a sequence of MariaDB.
func (b *build) setSequence(ctx context.Context, s *session, q connectors.Sequence) error {
	last, called := q.Last, 0
	if q.Called {
		called = 1
	}
	edge := "MAX"
	if q.Increment < 0 {
		edge = "MIN"
	}
	for _, c := range q.Fills {
		if b.defs.table(c.Table) == nil {
			continue
		}
		// Past what it cannot give it need not be.
		err := s.query(ctx, fmt.Sprintf("SELECT %[1]s(%[2]s) FROM %[3]s WHERE %[2]s BETWEEN %[4]d AND %[5]d", edge, ident(c.Column), ident(c.Table.Name), q.Min, q.Max), func(r row) error {
			found := r.number(0)
			if !r.null(0) && (q.Increment >= 0 && found >= last || q.Increment < 0 && found <= last) {
				if q.Cycles && q.AtEnd(found) {
					return nil // it has been round: it meets its values again wherever it stands
				}
				last, called = found, 1
				if q.AtEnd(last) {
					b.warn(fmt.Sprintf("sequence %s is at its end: %s.%s holds the last value that it can give", word(q.ID.Name), word(c.Table.Name), word(c.Column)))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	// NULL is the answer where it is as far already.
	_, err := s.number(ctx, fmt.Sprintf("SELECT SETVAL(%s, %d, %d)", ident(q.ID.Name), last, called))
	return err
}

// parallel does tasks on as many sessions as there are.
func (b *build) parallel(ctx context.Context, list []tasks.Task) error {
	return tasks.Run(ctx, cap(b.slots), list)
}
