package postgres

import (
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
	if e.Kind == "EXTENSION" {
		return b.makeExtension(ctx, held, e)
	}
	return held.exec(ctx, e.SQL)
}

// makeExtension makes an extension in the source's version, where the target's server has it, and what
// it has made there as it is at the source.
func (b *build) makeExtension(ctx context.Context, held *session, e entry) error {
	at := slices.IndexFunc(b.defs.Extensions, func(x extension) bool { return x.Name == e.Name })
	if at < 0 {
		return held.exec(ctx, e.SQL)
	}
	source := b.defs.Extensions[at]
	made, err := b.makeVersion(ctx, held, e, source.Version)
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
	if here := found[0].Version; here != source.Version {
		b.otherVersions = append(b.otherVersions, fmt.Sprintf("%s is %s at the source, %s in the copy", e.Name, source.Version, here))
		reason := fmt.Sprintf("is version %s at the source, and %s in the copy, whose server does not make %[1]s", source.Version, here)
		b.notes(catalog.Object{Kind: "extension", Name: e.Name, Fate: catalog.Noted, Reason: reason})
		b.warn("extension " + word(e.Name) + " " + reason)
	}
	return b.compareMembers(ctx, held, source, found[0])
}

// makeVersion makes an extension in a version that the server has, and would not make by itself. It
// reports whether it has: what the server refuses of an old version it may take of its own.
func (b *build) makeVersion(ctx context.Context, held *session, e entry, version string) (made bool, err error) {
	sql, single := oneStatement(e.SQL)
	if !single {
		return false, nil
	}
	var asks bool
	err = held.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = $1 AND default_version <> $2)
		AND EXISTS (SELECT FROM pg_catalog.pg_available_extension_versions WHERE name = $1 AND version = $2)`, e.Name, version).Scan(&asks)
	if err != nil || !asks {
		return false, err
	}
	err = held.exec(ctx, sql+" VERSION "+literal(version))
	if stateOf(err) != "" && !broken(err) && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// blame says of an error of a definition, which has no hint, what differs between both ends.
func (b *build) blame(ctx context.Context, failed, err error, e entry) {
	var ours *connectors.Error
	if !errors.As(failed, &ours) || ctx.Err() != nil {
		return
	}
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
