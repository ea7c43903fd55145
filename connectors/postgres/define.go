package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// define makes everything that rows need, and the ledger.
func (b *build) define(ctx context.Context) error {
	for _, kv := range b.defs.Settings {
		name, value, _ := strings.Cut(kv, "=")
		// The configuration may be the database's own, that is not there yet.
		sql := settingSQL("ALTER DATABASE "+ident(b.name), name, value, strings.EqualFold(name, "default_text_search_config"))
		if _, err := b.admin.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			refused := fail(ctx, b.side, "set it", err) // the server's own words may quote the value
			b.warn(fmt.Sprintf("the database setting %s stays behind: %v", name, refused))
			b.leaves("database setting", name, fmt.Sprintf("is refused by the target: %v", refused))
			if _, err := b.admin.Exec(ctx, "ROLLBACK"); err != nil {
				return failDefinition(ctx, b.side, "prepare database "+word(b.name), err)
			}
		}
	}
	return b.with(ctx, func(held *session) error {
		if err := b.dropPublic(ctx, held); err != nil {
			return failDefinition(ctx, b.side, "prepare database "+word(b.name), err)
		}
		if err := b.fitPublic(ctx, held); err != nil {
			return failDefinition(ctx, b.side, "prepare database "+word(b.name), err)
		}
		l := ident(b.ledger)
		prepare := append([]string{"CREATE SCHEMA " + l}, ledgerSQL(l)...)
		for _, k := range slices.Sorted(maps.Keys(b.spec.Fingerprint)) {
			prepare = append(prepare, fmt.Sprintf("INSERT INTO %s.fingerprint VALUES (%s, %s)", l, literal(k), literal(b.spec.Fingerprint[k])))
		}
		kept, err := b.keepSQL()
		if err != nil {
			return &connectors.Error{Side: b.side, Op: "prepare database " + word(b.name), Err: err}
		}
		for _, sql := range append(prepare, kept...) {
			if err := held.exec(ctx, sql); err != nil {
				return failDefinition(ctx, b.side, "prepare database "+word(b.name), err)
			}
		}
		// Amounts of money stand in definitions as the source's database prints them.
		if err := b.compute(ctx, held.conn, "lc_monetary"); err != nil {
			return err
		}
		for _, e := range b.defs.Before {
			if err := b.makeBefore(ctx, held, e); b.lets(e, err) {
				b.leaves("comment", e.Name, "is for the owner to make, which the target's account is not")
			} else if err != nil {
				return b.definitionError(ctx, e, err)
			}
		}
		for _, change := range b.mappings {
			if err := change(); err != nil {
				return err
			}
		}
		if err := b.refuseKeys(ctx, held); err != nil {
			return err
		}
		if err := b.defined(ctx, held); err != nil {
			return err
		}
		if err := b.readUnlogged(ctx, held.conn); err != nil {
			return err
		}
		b.whole.Store(true)
		return b.compute(ctx, held.conn)
	})
}

// dropPublic drops the schema public, which every database is made with, if the source has none. Before
// PostgreSQL 15 it belongs to a superuser.
func (b *build) dropPublic(ctx context.Context, held *session) error {
	if !b.defs.NoPublic {
		return nil
	}
	err := held.exec(ctx, "DROP SCHEMA IF EXISTS public")
	if stateOf(err) == "42501" {
		b.notes(catalog.Object{Kind: "schema", Name: "public", Fate: catalog.Noted, Reason: "is in the copy, for only its owner may drop it there"})
		return nil
	}
	return err
}

// lets reports whether the build lets a definition be that the server refuses: what is said of an
// object that is somebody else's, as the schema public is before PostgreSQL 15, and an extension that
// a provider makes by an account of its own.
func (b *build) lets(e entry, err error) bool {
	return e.Kind == "COMMENT" && (e.Name == "SCHEMA public" || strings.HasPrefix(e.Name, "EXTENSION ")) && stateOf(err) == "42501"
}

// settingSQL returns what makes a setting of a database or a role, as ALTER … says. The value as it
// is stored is not the value as SQL would write it, of a list; so it is set here, as it is stored,
// and taken from here, which the server refuses to whom it does not let set it. Of what is no list
// it may be written as it is: the value may mean something in another database only.
func settingSQL(alter, name, value string, written bool) string {
	if written {
		return alter + " SET " + settingName(name) + " TO " + literal(value)
	}
	return fmt.Sprintf("BEGIN; SELECT pg_catalog.set_config(%s, %s, true); %s SET %s FROM CURRENT; COMMIT", literal(name), literal(value), alter, settingName(name))
}

// settingName quotes the parts of a setting's name: plpgsql.extra_errors.
func settingName(name string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = ident(parts[i])
	}
	return strings.Join(parts, ".")
}

func (b *build) definitionError(ctx context.Context, e entry, err error) error {
	failed := failDefinition(ctx, b.side, "make "+e.String(), err)
	var ce *connectors.Error
	if errors.As(failed, &ce) && ctx.Err() == nil {
		switch state := stateOf(err); {
		case e.Kind == "EXTENSION" && (state == "0A000" || state == "58P01" || state == "22023"):
			ce.Kind = connectors.KindUnavailable
			ce.Hint = "install the extension at the target's server (Debian: apt-get install postgresql-contrib, or the extension's own package), or " + leaveIt(e)
		case e.Kind == "EXTENSION" && state == "55000":
			ce.Kind = connectors.KindUnavailable
			ce.Hint = "the target's server has not loaded it: name it in shared_preload_libraries there and start the server anew, or " + leaveIt(e)
		case e.Kind == "EXTENSION" && state == "42501":
			ce.Hint = "the account may not create this extension: connect as a superuser of the target's server, or " + leaveIt(e)
		case state == "42704" && ce.Hint == "" && strings.Contains(err.Error(), "role \""):
			ce.Hint = "if a role is missing: CREATE ROLE it at the target's server"
		case e.Kind != "EXTENSION" && state != "42501" && refused(err):
			b.blame(ctx, failed, err, e)
		}
	}
	return failed
}

func leaveIt(extension entry) string {
	return "leave it behind: --leave-extension " + word(extension.Name)
}
