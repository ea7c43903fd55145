package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// While it is built, a database lets nobody in but the run's account and superusers: a session of
// somebody else would keep it from being promoted, or dropped, and before PostgreSQL 15 could make
// tables in its schema public. It is opened in the transaction in which it becomes the target.

// shutSQL returns what closes the build. Where the account takes a role when it connects, the build
// belongs to that, and whoever connects is let in by name.
func (b *build) shutSQL(ctx context.Context, admin *pgx.Conn) (string, error) {
	sql := "REVOKE ALL ON DATABASE " + ident(b.name) + " FROM PUBLIC"
	takes, err := takesRole(ctx, admin)
	if takes {
		sql += "; GRANT CONNECT ON DATABASE " + ident(b.name) + " TO SESSION_USER"
	}
	return sql, err
}

// takesRole reports whether the account acts as another role than that which connects.
func takesRole(ctx context.Context, conn *pgx.Conn) (takes bool, err error) {
	err = conn.QueryRow(ctx, "SELECT session_user <> current_user").Scan(&takes)
	return takes, err
}

// openingSQL returns what gives a closed build the rights that a run gives by itself: those of the
// source's database if they come along, or else those that a new database has.
func (b *build) openingSQL(ctx context.Context, admin *pgx.Conn) (string, error) {
	var all []string
	takes, err := takesRole(ctx, admin)
	if takes {
		all = append(all, "REVOKE ALL ON DATABASE "+ident(b.name)+" FROM SESSION_USER")
	}
	alike := true // to a new database
	for _, e := range b.defs.After {
		if e.Phase == phaseOpen {
			all, alike = append(all, strings.Replace(e.SQL, " ON DATABASE %I ", " ON DATABASE "+ident(b.name)+" ", 1)), false
		}
	}
	if alike {
		all = append(all, "GRANT CONNECT, TEMPORARY ON DATABASE "+ident(b.name)+" TO PUBLIC")
	}
	return strings.Join(all, "; "), err
}

// openUp begins the transaction in which the build becomes the target, and gives it the rights that its
// owner wishes, or else those that a run gives. Who waits for its end is let in when that is done.
func (b *build) openUp(ctx context.Context, admin *pgx.Conn, wished []wish) error {
	sql := inTransaction
	if len(wished) == 0 {
		opening, err := b.openingSQL(ctx, admin)
		if err != nil {
			return err
		}
		sql += opening
	}
	if _, err := admin.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		return err
	}
	for _, w := range wished {
		if _, err := admin.PgConn().Exec(ctx, "SAVEPOINT wish; "+w.sql+"; RELEASE wish").ReadAll(); err != nil {
			if err := b.loses(ctx, admin, w, err, "ROLLBACK TO wish"); err != nil {
				return err
			}
		}
	}
	return nil
}

// readOwn reads what a run makes itself of rights and settings. The build is opened to nobody for it.
func (b *build) readOwn(ctx context.Context, admin *pgx.Conn) (own []said, err error) {
	opening, err := b.openingSQL(ctx, admin)
	if err == nil {
		_, err = admin.PgConn().Exec(ctx, "BEGIN; "+opening).ReadAll()
	}
	if err == nil {
		own, err = readSaid(ctx, admin, b.name)
	}
	if err == nil {
		_, err = admin.Exec(ctx, "ROLLBACK")
	}
	undo(ctx, admin, err)
	return own, err
}
