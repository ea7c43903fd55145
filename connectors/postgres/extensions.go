package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// makeBefore makes what rows need.
func (b *build) makeBefore(ctx context.Context, held *session, e entry) error {
	switch e.Kind {
	case "EXTENSION":
		return b.makeExtension(ctx, held, e)
	case keptRows:
		return b.makeKept(ctx, held, e)
	}
	return held.exec(ctx, e.SQL)
}

// makeExtension makes an extension, and what it has made there as it is at the source. Where the target's
// server has the source's version beside its own, the source's comes first between servers of one version:
// results are the same, and definitions may need what later versions have no more. Another server
// may not bear what was written for older ones, and its own comes first. If a definition is refused,
// Begin tries the other.
func (b *build) makeExtension(ctx context.Context, held *session, e entry) error {
	at := slices.IndexFunc(b.defs.Extensions, func(x extension) bool { return x.Name == e.Name })
	if at < 0 {
		return held.exec(ctx, e.SQL)
	}
	source := b.defs.Extensions[at]
	both, err := b.hasVersions(ctx, held, e, source.Version)
	made := false
	if err == nil && both && b.sameVersion() != b.turned[e.Name] {
		made, err = b.makeVersion(ctx, held, e, source.Version)
		both = made
	}
	if err == nil && !made {
		err = held.exec(ctx, e.SQL)
	}
	if err != nil {
		return err
	}
	found, err := readExtensions(ctx, held.conn, []string{e.Name})
	if err != nil || len(found) != 1 {
		return err
	}
	if both {
		b.choices, b.unlike = append(b.choices, source), true
	}
	if here := found[0].Version; here != source.Version {
		b.noteVersion(e.Name, source.Version, here, both)
	}
	return b.compareMembers(ctx, held, source, found[0])
}

// sameVersion reports whether both ends are servers of one version.
func (b *build) sameVersion() bool { return versionOf(b.spec.Catalog.Server) == b.major }

// noteVersion says of an extension which version came, and warns if it had to.
func (b *build) noteVersion(name, source, here string, both bool) {
	b.unlike = true
	reason := fmt.Sprintf("is version %s at the source, and %s in the copy, ", source, here)
	if both {
		reason += "as its server makes it by itself"
	} else {
		reason += "whose server does not make " + source
		b.otherVersions = append(b.otherVersions, fmt.Sprintf("%s is %s at the source, %s in the copy", name, source, here))
		b.warn("extension " + word(name) + " " + reason)
	}
	b.notes(catalog.Object{Kind: "extension", Name: name, Fate: catalog.Noted, Reason: reason})
}

// hasVersions reports whether the server has a version of an extension, and would make another by itself.
func (b *build) hasVersions(ctx context.Context, held *session, e entry, version string) (both bool, err error) {
	if _, single := oneStatement(e.SQL); !single {
		return false, nil
	}
	err = held.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = $1 AND default_version <> $2)
		AND EXISTS (SELECT FROM pg_catalog.pg_available_extension_versions WHERE name = $1 AND version = $2)`, e.Name, version).Scan(&both)
	return both, err
}

// makeVersion makes an extension in a version. It reports whether it has: what the server refuses of an
// old version it may take of its own.
func (b *build) makeVersion(ctx context.Context, held *session, e entry, version string) (made bool, err error) {
	sql, _ := oneStatement(e.SQL)
	err = held.exec(ctx, sql+" VERSION "+literal(version))
	if stateOf(err) != "" && !broken(err) && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// turnVersions notes which extensions to make in the other version, when a definition was refused: those
// that it names, or else all. It reports whether any is new among them.
func (b *build) turnVersions(turned map[string]bool) (again bool) {
	if b.refusal == nil {
		return false
	}
	var named []extension
	for _, x := range b.choices {
		if slices.ContainsFunc(x.Members, func(m member) bool { return m.namedIn(b.refusal.SQL) }) {
			named = append(named, x)
		}
	}
	for _, list := range [][]extension{named, b.choices} {
		for _, x := range list {
			again = again || !turned[x.Name]
			turned[x.Name] = true
		}
		if again {
			break
		}
	}
	return again
}

// blame says of an error of a definition, which has no hint, what differs between both ends.
func (b *build) blame(ctx context.Context, failed, err error, e entry) {
	var ours *connectors.Error
	if !errors.As(failed, &ours) || ctx.Err() != nil {
		return
	}
	b.saying.Lock()
	b.refusal = cmp.Or(b.refusal, &e)
	b.saying.Unlock()
	if hint := b.hintUnmade(e); hint != "" && slices.Contains(absentStates, stateOf(err)) {
		ours.Hint = hint
		return
	}
	switch {
	case ours.Hint != "":
	case stateOf(err) == "42P17" && strings.Contains(strings.ToLower(err.Error()), "immutable"):
		ours.Hint = "a function there is IMMUTABLE at the source and not in the copy, perhaps one of an extension that was altered: connect as a superuser of the target's server, who may alter it again," +
			" or, at the source, use a function of your own that is IMMUTABLE and calls it"
	default:
		b.blameVersion(ctx, failed)
		if len(b.otherVersions) > 0 {
			ours.Kind = connectors.KindUnsupported
			hint := list(b.otherVersions) + ": at the source, change what needs the older version and ALTER EXTENSION … UPDATE, or use a target's server that has that version"
			ours.Hint = strings.TrimPrefix(ours.Hint+"; or it is an extension: "+hint, "; or it is an extension: ")
		}
	}
}
