package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// What a target's owner has said of the database itself, beside what runs make of it, holds for
// the copy that takes its place: a night that opened again what he has closed would do harm.

// lists are the settings whose value is a list of names, each quoted by itself where it is stored
// (GUC_LIST_QUOTE in the server's guc.c).
var lists = []string{"local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"}

// said is one thing that is said of a database: see queries/said.sql.
type said struct {
	kind, role, text string
	grant            bool // a right that may be given on
}

func readSaid(ctx context.Context, conn *pgx.Conn, database string) (list []said, err error) {
	err = each(ctx, conn, "said", []any{database}, func(row pgx.CollectableRow) error {
		var s said
		err := row.Scan(&s.kind, &s.role, &s.text, &s.grant)
		list = append(list, s)
		return err
	})
	return list, err
}

// setting returns the name of a setting.
func (s said) setting() string {
	name, _, _ := strings.Cut(s.text, "=")
	return strings.ToLower(name)
}

// digests returns what a run has made itself of rights and settings, so that the next one can tell
// it from what the owner has: a digest of the rights, and of each setting.
func digests(run string, list []said) (own []string) {
	digest := func(parts ...any) string {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", run, parts))
		return hex.EncodeToString(sum[:6])
	}
	rights := []any{"rights"}
	for _, s := range list {
		switch s.kind {
		case "rights", "right":
			rights = append(rights, s.kind, s.role, s.text, s.grant)
		case "setting":
			own = append(own, digest(s.kind, s.role, s.text))
		}
	}
	return append(own, digest(rights...))
}

// follow gives the build what the owner has said of the copy that it replaces, and returns which rights:
// none is given before the build is the target. It reports as well whether nobody may connect to the former
// copy: to say that of the build too would keep out the run itself, which may have to look at it again.
// What cannot be had is said, and stops nothing.
func (b *build) follow(ctx context.Context, admin *pgx.Conn, was mark) (rights []wish, closed bool, err error) {
	op := "read what was said of " + b.display(b.target)
	former, err := readSaid(ctx, admin, b.target)
	if err != nil {
		return nil, false, failDefinition(ctx, b.side, op, err)
	}
	next, err := readSaid(ctx, admin, b.name)
	if err != nil {
		return nil, false, failDefinition(ctx, b.side, op, err)
	}
	for _, w := range wishes(ident(b.name), was, former, next) {
		if w.right {
			rights = append(rights, w)
			continue
		}
		if _, err := admin.PgConn().Exec(ctx, w.sql).ReadAll(); err != nil {
			if err := b.loses(ctx, admin, w, err, "ROLLBACK"); err != nil {
				return nil, false, err
			}
		}
	}
	return rights, slices.ContainsFunc(former, func(s said) bool { return s.kind == "closed" }), nil
}

// loses warns of a wish that is refused, and takes back what of it was begun.
func (b *build) loses(ctx context.Context, admin *pgx.Conn, w wish, err error, rollback string) error {
	refused := fail(ctx, b.side, "make it", err) // the server's own words may quote a value
	if ctx.Err() != nil || admin.IsClosed() {
		return refused
	}
	b.warn(fmt.Sprintf("the target loses what was said of it, %s: %v", w.what, refused))
	_, err = admin.Exec(ctx, rollback)
	return failDefinition(ctx, b.side, "prepare database "+word(b.name), err)
}

// wish is something to be said of a database, in words and in SQL.
type wish struct {
	what, sql string
	right     bool
}

// wishes returns what is to be said of the next copy. A run that noted nothing of its own made no
// rights and no settings of roles; which of the settings of the database it made nobody can tell.
func wishes(database string, was mark, former, next []said) (list []wish) {
	own := func(s ...said) bool {
		made := digests(was.Run, s)
		return slices.Contains(was.Own, made[0])
	}
	rights := func(of []said) (all []said) {
		for _, s := range of {
			if s.kind == "rights" || s.kind == "right" {
				all = append(all, s)
			}
		}
		return all
	}
	alter := "ALTER DATABASE " + database
	if theirs := rights(former); len(theirs) > 0 && !own(theirs...) {
		revoked := []string{"PUBLIC"}
		for _, s := range next {
			if s.kind == "right" && s.role != "" && !slices.Contains(revoked, ident(s.role)) {
				revoked = append(revoked, ident(s.role))
			}
		}
		list = append(list, wish{"its rights", "REVOKE ALL ON DATABASE " + database + " FROM " + strings.Join(revoked, ", "), true})
		for _, s := range theirs {
			if s.kind != "right" {
				continue
			}
			to, option := "PUBLIC", ""
			if s.role != "" {
				to = ident(s.role)
			}
			if s.grant {
				option = " WITH GRANT OPTION"
			}
			list = append(list, wish{"rights of " + to, "GRANT " + s.text + " ON DATABASE " + database + " TO " + to + option, true})
		}
	}
	for _, s := range former {
		switch s.kind {
		case "limit":
			list = append(list, wish{"its connection limit", alter + " CONNECTION LIMIT " + s.text, false})
		case "template":
			list = append(list, wish{"that it is a template", alter + " IS_TEMPLATE true", false})
		case "setting":
			there := slices.ContainsFunc(next, func(n said) bool { return n.kind == s.kind && n.role == s.role && n.setting() == s.setting() })
			if there || own(s) || was.Own == nil && s.role == "" {
				continue
			}
			of, what := alter, "setting "+s.setting()
			if s.role != "" {
				of, what = "ALTER ROLE "+ident(s.role)+" IN DATABASE "+database, what+" for "+word(s.role)
			}
			name, value, _ := strings.Cut(s.text, "=")
			list = append(list, wish{what, settingSQL(of, name, value, !slices.Contains(lists, s.setting())), false})
		}
	}
	return list
}
