package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Settings that functions and procedures have of their own (CREATE FUNCTION … SET name TO value).
// One of them may be a secret, as one of the database may.

// naming are settings that name what the server has, and are part of what a function does: with which
// rights, and where.
var naming = []string{"role", "default_tablespace", "temp_tablespaces", "default_table_access_method"}

// addSettings adds those settings of functions that are not known to be harmless, and takes them out of
// the functions' words.
func (p *picture) addSettings(ctx context.Context, conn *pgx.Conn) error {
	p.settings = map[archiveID][]string{}
	return each(ctx, conn, "function_settings", nil, func(row pgx.CollectableRow) error {
		at, name := archiveID{class: classOfFunctions}, ""
		if err := row.Scan(&at.oid, &name); err != nil {
			return err
		}
		i := slices.Index(p.at, at)
		if i < 0 || harmless[strings.ToLower(name)] || slices.Contains(naming, strings.ToLower(name)) { // of an extension, or no secret
			return nil
		}
		o := &p.objects[i]
		kind, called := settingOf(*o, name)
		o.Definition, _ = cutSetting(o.Definition, name)
		p.settings[at] = append(p.settings[at], name)
		p.add(archiveID{}, catalog.Object{Kind: kind, Name: called})
		return nil
	})
}

// settingOf returns kind and name of a setting of a function.
func settingOf(function catalog.Object, setting string) (kind, name string) {
	return function.Kind + " setting", function.Name + " " + setting
}

// cutSettingsOf takes the settings out of a function that stay behind.
func (p *picture) cutSettingsOf(it *item, f fates) error {
	for _, own := range p.settings[it.at] {
		kind, name := settingOf(p.Objects[slices.Index(p.at, it.at)], own)
		if f.byName[kind+":"+name] != catalog.Stays {
			continue
		}
		sql, found := cutSetting(it.SQL, own)
		if !found {
			return &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SourceSide, Op: "leave " + kind + " " + name + " behind",
				Err: errors.New("it cannot be taken out of the " + strings.TrimSuffix(kind, " setting")), Hint: "reset it at the source (ALTER … RESET " + settingName(own) + "), or keep it: --keep-object '" + kind + ":" + name + "'"}
		}
		it.SQL = sql
	}
	return nil
}

// setting is what a function sets while it runs, as a line of its words says it.
type setting struct {
	name       string
	start, end int // of the line, outside of literals: a value may have many
}

// settingsIn returns what a function sets, by its words as pg_dump or the server writes them.
func settingsIn(function string) (all []setting) {
	for i := 0; i < len(function); {
		start := i
		for i < len(function) && function[i] != '\n' {
			i = afterPiece(function, i)
		}
		i = min(i+1, len(function))
		line := strings.TrimLeft(function[start:i], " ")
		if strings.HasPrefix(line, "AS ") || strings.HasPrefix(line, "BEGIN ATOMIC") {
			break // its body
		}
		given, ok := strings.CutPrefix(line, "SET ")
		if !ok {
			continue
		}
		name, _, ok := strings.Cut(given, " TO ")
		if strings.HasPrefix(given, `"`) {
			end := min(afterQuote(given, 0, '"', false), len(given))
			name, ok = strings.ReplaceAll(strings.Trim(given[:end], `"`), `""`, `"`), strings.HasPrefix(given[end:], " TO ")
		}
		if ok {
			all = append(all, setting{name, start, i})
		}
	}
	return all
}

// cutSetting takes a setting out of the words of a function.
func cutSetting(function, name string) (without string, found bool) {
	for _, s := range settingsIn(function) {
		if s.name == name {
			return function[:s.start] + function[s.end:], true
		}
	}
	return function, false
}
