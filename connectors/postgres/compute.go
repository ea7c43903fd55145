package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Views, triggers and CHECKs compute by settings of their session: where a day begins, how a text
// is read as a date and a date printed, by whose words a text is searched. A copy is computed by those
// of the source's database. Those of the account that reads it have no say.

// readSession reads the settings by which the source computes, and notes those that it cannot know.
func (p *picture) readSession(ctx context.Context, conn *pgx.Conn) error {
	var own []string
	err := each(ctx, conn, "session", nil, func(row pgx.CollectableRow) error {
		var kv [2]string
		var hidden bool
		err := row.Scan(&kv[0], &kv[1], &hidden)
		p.session = append(p.session, kv)
		if hidden {
			own = append(own, kv[0])
		}
		return err
	})
	if err != nil || len(own) == 0 {
		return err
	}
	var may bool
	if err := conn.QueryRow(ctx, query("may_read_files")).Scan(&may); err != nil {
		return fmt.Errorf("read the server's settings: %w", err)
	}
	if may {
		err := each(ctx, conn, "file_settings", []any{own}, func(row pgx.CollectableRow) error {
			var name, value string
			err := row.Scan(&name, &value)
			i := slices.IndexFunc(p.session, func(kv [2]string) bool { return kv[0] == name })
			p.session[i][1] = value
			own = slices.DeleteFunc(own, func(n string) bool { return n == name })
			return err
		})
		if err != nil {
			return err
		}
	}
	account := conn.Config().User
	for _, name := range own {
		p.add(archiveID{}, catalog.Object{Kind: "account setting", Name: account + "." + name, Fate: catalog.Noted,
			Reason: "hides the server's own from this account: views and CHECKs of the copy are computed by it; put the setting on the database, or take it off the account"})
	}
	return nil
}

// compute makes a session compute as the source's do: by the settings of these names, or by all. What
// the target's server refuses is said once, and not tried again.
func (b *build) compute(ctx context.Context, conn *pgx.Conn, names ...string) error {
	var settings [][2]string
	b.mu.Lock()
	for _, kv := range b.defs.Session {
		if !b.refused[kv[0]] && (len(names) == 0 || slices.Contains(names, kv[0])) {
			settings = append(settings, kv)
		}
	}
	b.mu.Unlock()
	if len(settings) == 0 {
		return nil
	}
	refused, err := refusing(setAll(ctx, conn, settings...))
	if refused { // at least one of them
		for _, kv := range settings {
			if refused, err = refusing(setAll(ctx, conn, kv)); refused {
				b.refuses(kv[0])
			}
			if err != nil {
				break
			}
		}
	}
	return failDefinition(ctx, b.side, "set a session of "+word(b.name), err)
}

// setAll makes settings of a session.
func setAll(ctx context.Context, conn *pgx.Conn, settings ...[2]string) error {
	var calls []string
	for _, kv := range settings {
		calls = append(calls, "pg_catalog.set_config("+literal(kv[0])+", "+literal(kv[1])+", false)")
	}
	_, err := conn.PgConn().Exec(ctx, "SELECT "+strings.Join(calls, ", ")).ReadAll()
	return err
}

// refusing tells an error by which the server refuses a setting from all others.
func refusing(err error) (refused bool, _ error) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && !broken(err) {
		return true, nil
	}
	return false, err
}

// refuses notes that the target's server does not take a setting.
func (b *build) refuses(name string) {
	b.mu.Lock()
	known := b.refused[name]
	b.refused[name] = true
	b.mu.Unlock()
	if !known {
		b.warn(fmt.Sprintf("the target's server does not know the source's %s: what depends on it, as days do on the time zone and amounts on the locale, is computed without it", name))
	}
}

// readAsWritten is what text is loaded under: it was printed by the settings of the source's
// sessions (config.go), and an amount of money is read by its locale alone. So a CHECK or a trigger of
// a table that travels as text prints amounts by it, too: that is the exception to the above. The
// style of intervals stays as it is: in each of them one of the style postgres is read alike, for it
// has a sign where one could be in doubt. Of dates, which have all digits of their year and stand in
// its place, the style means nothing.
const readAsWritten = `SET LOCAL lc_monetary = 'C'; `
