package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// What becomes of an archive by what was decided about the objects.

// stop says of an object that no copy can be made, for the sake of what it needs.
func (p *picture) stop(kind, name, cause string) {
	i := slices.IndexFunc(p.objects, func(o catalog.Object) bool { return o.Kind == kind && o.Name == name })
	if i < 0 {
		i = p.add(archiveID{}, catalog.Object{Kind: kind, Name: name})
	}
	o := &p.objects[i]
	switch {
	case o.Fate != catalog.Stops:
		o.Fate, o.Reason, o.Causes = catalog.Stops, needs(cause), []string{cause}
	case !slices.Contains(o.Causes, cause):
		o.Causes = append(o.Causes, cause)
	}
}

// needs says that an object stays for another's sake.
func needs(ref string) string {
	kind, name, _ := strings.Cut(ref, ":")
	return "needs " + kind + " " + name + ", which stays behind"
}

// keep takes back what was decided about the objects that somebody asks for.
func (p *picture) keep(names []string) error {
	kept, err := p.Catalog.Keep(names)
	var ke *catalog.KeepError
	if errors.As(err, &ke) {
		return &connectors.Error{Kind: connectors.KindUsage, Side: connectors.SourceSide, Op: fmt.Sprintf("keep %q", ke.Name), Err: errors.New(ke.Reason), Hint: ke.Help}
	}
	if err != nil {
		return err
	}
	p.Catalog = kept
	return nil
}

// fates are the fates of the picture's objects, by their keys in the server's catalogs and
// by kind and name.
type fates struct {
	byKey  map[archiveID]catalog.Fate
	byName map[string]catalog.Fate
}

func (p *picture) fates() fates {
	f := fates{map[archiveID]catalog.Fate{}, map[string]catalog.Fate{}}
	for i, o := range p.Objects {
		if at := p.keyOf(i); at.oid != 0 {
			f.byKey[at] = o.Fate
		}
		f.byName[o.Kind+":"+o.Name] = o.Fate
	}
	return f
}

// apply changes the items of an archive by what was decided: what stays is left, what is
// neutralised gets other SQL.
func (p *picture) apply(a *archive) error {
	f := p.fates()
	if err := connectors.Stopped(p.Catalog); err != nil {
		return err
	}
	for _, it := range a.items {
		it.Denying = p.denying[it.at]
		fate, known := f.byKey[it.at]
		switch it.Kind {
		case "INDEX":
			if f.byName["index:"+it.Schema+"."+it.Name] == catalog.Stays {
				fate, known = catalog.Stays, true
			}
		case "DEFAULT", "CONSTRAINT", "CHECK CONSTRAINT":
			if p.partStays(it, f) {
				fate, known = catalog.Stays, true
			}
		case "COMMENT":
			if p.partStays(it, f) {
				it.left = true
			}
			continue
		case "FUNCTION", "PROCEDURE":
			if err := p.cutSettingsOf(it, f); err != nil {
				return err
			}
		case "DOMAIN":
			p.cutDomain(it, f)
		case "TABLE":
			id := catalog.TableID{Schema: it.Schema, Name: it.Name}
			if err := p.cutTable(it, id, f); err != nil {
				return err
			}
			continue
		}
		switch {
		case it.Kind == "PUBLICATION TABLE" || it.Kind == "PUBLICATION TABLES IN SCHEMA":
			// They come after their publication, and belong to it.
			it.left = !slices.ContainsFunc(it.deps, func(id int) bool { d := a.byID[id]; return d != nil && d.Kind == "PUBLICATION" && !d.left })
			continue
		case stay[it.Kind]:
			it.left = !known || !fate.Along()
			continue
		}
		if !known {
			continue
		}
		switch fate {
		case catalog.Stays:
			it.left = true
		case catalog.Neutralised:
			if sql := cmp.Or(p.neutral[it.at], it.Denying); sql != "" {
				it.SQL, it.free = sql, true
			}
		}
	}
	return nil
}
