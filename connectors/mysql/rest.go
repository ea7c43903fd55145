package mysql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
)

// The parts of the table restTable.
const (
	partMade    = "made"    // the objects to make in the target: object
	partCharset = "charset" // the target's clause of ALTER DATABASE: string
	partNew     = "new"     // the build's tables when the promotion began: string
	partOld     = "old"     // the target's: string
	partGiven   = "given"   // the target, if it was there, empty and without a mark: string
	partTrigger = "trigger" // triggers of the target that were dropped: object
)

// storeRest writes a part of what a promotion needs, in place of what is there, in one
// transaction.
func storeRest[T any](ctx context.Context, s *session, database, part string, all []T) error {
	statements := []string{"DELETE FROM " + within(database, restTable) + " WHERE part = " + literal(part)}
	for n, one := range all {
		text, err := json.Marshal(one)
		if err != nil {
			panic("mysql: rest: " + err.Error()) // plain data always encodes
		}
		statements = append(statements, fmt.Sprintf("INSERT INTO %s VALUES (%s, %d, %s)", within(database, restTable), literal(part), n, literal(string(text))))
	}
	return s.transaction(ctx, statements...)
}

func loadRest[T any](ctx context.Context, s *session, database, part string) (all []T, err error) {
	err = s.query(ctx, "SELECT content FROM "+within(database, restTable)+" WHERE part = "+literal(part)+" ORDER BY n", func(r row) error {
		var one T
		if err := json.Unmarshal([]byte(r.text(0)), &one); err != nil {
			return &connectors.Error{Side: s.side, Op: "read " + word(restTable), Err: errors.New("it does not hold what a run has written")}
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

// makeObject makes an object under the settings that its words need, in the session's
// database.
func makeObject(ctx context.Context, s *session, o object) error {
	op := "create " + o.Kind + " " + word(o.Name)
	set := "SET SESSION sql_mode = " + literal(modeFor(o.Mode, s.server))
	if o.Charset != "" {
		client := o.Charset
		if !ascii(o.Create) && !strings.HasPrefix(client, "utf8") {
			client = "utf8mb4" // in which the words are sent
		}
		set += ", character_set_client = " + client
	}
	if c := collationFor(o.Collation, s.server); c != "" {
		set += ", collation_connection = " + c
	}
	if o.Zone != "" {
		set += ", time_zone = " + literal(o.Zone)
	}
	err := s.exec(ctx, set)
	if err == nil {
		err = s.exec(ctx, o.Create)
	}
	if e := s.exec(ctx, "SET NAMES utf8mb4, SESSION sql_mode = '"+buildMode+"', SESSION time_zone = '+00:00'"); err == nil {
		err = e
	}
	return definitionError(err, op)
}

// definitionError says what was made, and what a person can do where the server refuses it.
func definitionError(err error, op string) error {
	var e *connectors.Error
	if !errors.As(err, &e) {
		return err
	}
	e.Op = op
	switch numberOf(err) {
	case 1418, 1419:
		e.Kind = connectors.KindUnavailable
		e.Hint = "SET GLOBAL log_bin_trust_function_creators = 1 at the target's server, or run as an account that may change all settings there"
	case 1227, 1370, 1142, 1044:
		e.Hint = "the account lacks a right at the target's server: GRANT ALL PRIVILEGES on the target and on what is built beside it"
	case 1115, 1273, 1286, 1231, 1193:
		e.Kind = connectors.KindUnsupported
		e.Hint = "the target's server does not know a character set, a collation, an engine or a mode that the source has"
	case 1298:
		e.Kind = connectors.KindUnavailable
		e.Hint = "the target's server does not know the time zone: load its tables there by mysql_tzinfo_to_sql (MariaDB: mariadb-tzinfo-to-sql)"
	case 3750:
		e.Kind = connectors.KindUnsupported
		e.Hint = "the target's server asks for a primary key in every table, and the account may not switch that off: SET GLOBAL sql_require_primary_key = OFF"
	}
	return err
}

// prove makes all that stands behind the rows in the build, and drops it again. Before the
// indexes are there a view may ask for one in vain; early, that is no failure.
func (b *build) prove(ctx context.Context, s *session, early bool) error {
	if err := dropRest(ctx, s, b.database); err != nil {
		return err
	}
	for _, o := range b.defs.Rest {
		if o.Kind == "event" {
			o.Create = idle(o) // it must not act in a build
		}
		if err := makeObject(ctx, s, o); err != nil {
			if n := numberOf(err); early && (n == 1176 || n == 1146 || n == 1356) {
				continue
			}
			return err
		}
	}
	return dropRest(ctx, s, b.database)
}

// idle returns the words of an event, disabled.
func idle(o object) string {
	all := quotingOf(o.Mode).tokens(o.Create)
	for i, w := range all {
		if w.is("EVENT") {
			return replaced(o.Create, disabled(all[i+1:]))
		}
	}
	return o.Create
}

// beforeInsert matches the head of a trigger that may compute a column of a new row.
var beforeInsert = regexp.MustCompile(`(?is)\bBEFORE\s+INSERT\s+ON\b.*\bFOR\s+EACH\s+ROW\b`)

// derive makes the triggers that compute what does not travel, before the rows come.
func (b *build) derive(ctx context.Context, s *session) error {
	made := map[string]bool{}
	for _, d := range b.spec.Derived {
		i := slices.IndexFunc(b.defs.Rest, func(o object) bool {
			return o.Kind == "trigger" && o.Name == d.Trigger && o.Table == d.Column.Table.Name && beforeInsert.MatchString(o.Create)
		})
		if i < 0 {
			return &connectors.Error{Kind: connectors.KindUnsupported, Side: b.side, Op: "derive " + word(d.Column.Table.Name) + "." + word(d.Column.Column),
				Err:  errors.New("the trigger " + word(d.Trigger) + " is not made at the target, or does not act before a row is inserted"),
				Hint: `null the column with {"null": true}`}
		}
		if !made[d.Trigger] {
			made[d.Trigger] = true
			if err := makeObject(ctx, s, b.defs.Rest[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropRest drops all triggers, events, views and routines of a database.
func dropRest(ctx context.Context, s *session, database string) error {
	for _, list := range []struct{ kind, sql string }{
		{"TRIGGER", "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = "},
		{"EVENT", "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = "},
		{"VIEW", "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = "},
		{"PACKAGE BODY", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PACKAGE BODY' AND ROUTINE_SCHEMA = "},
		{"PACKAGE", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PACKAGE' AND ROUTINE_SCHEMA = "},
		{"PROCEDURE", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PROCEDURE' AND ROUTINE_SCHEMA = "},
		{"FUNCTION", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA = "},
	} {
		var names []string
		err := s.query(ctx, list.sql+literal(database), func(r row) error {
			names = append(names, r.text(0))
			return nil
		})
		if err != nil {
			return err
		}
		// MariaDB 10.11 speaks of packages in this mode only.
		oracle := len(names) > 0 && strings.HasPrefix(list.kind, "PACKAGE")
		if oracle {
			if err := s.exec(ctx, "SET SESSION sql_mode = 'ORACLE'"); err != nil {
				return err
			}
		}
		for _, n := range names {
			if err = s.exec(ctx, "DROP "+list.kind+" IF EXISTS "+within(database, n)); err != nil {
				err = definitionError(err, "drop "+strings.ToLower(list.kind)+" "+word(n))
				break
			}
		}
		if oracle {
			if e := s.exec(ctx, "SET SESSION sql_mode = '"+buildMode+"'"); err == nil {
				err = e
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
