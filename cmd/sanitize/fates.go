package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// bindFates binds the flags that change what comes along beside the rows.
func (o *connectOptions) bindFates(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.keep, "keep-object", nil, "`KIND:NAME` of an object that comes along though it would stay behind; may be repeated")
	flags.StringArrayVar(&o.leave, "leave-extension", nil, "`NAME` of an extension of PostgreSQL that stays behind, with what needs it; may be repeated")
	flags.BoolVar(&o.grants, "grants", false, "copy the rights of the roles that the target's server has too")
}

// fatesOf lists what does not simply come along: the catalog's objects, and definitions in
// which values of columns stand that the policy does not keep.
func fatesOf(c *catalog.Catalog, compiled *policies.Compiled) []catalog.Object {
	return withClear(c.Fates(), compiled)
}

// withClear adds what the policy makes worth a note to what a connector says of objects.
func withClear(objects []catalog.Object, compiled *policies.Compiled) []catalog.Object {
	all := slices.Concat(objects, compiled.InClear)
	slices.SortStableFunc(all, func(a, b catalog.Object) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	return all
}

// fateLine is objects of one kind, with one fate for one reason.
type fateLine struct {
	fate         catalog.Fate
	kind, reason string
	names        []string
}

// mostNames is how many objects a line names; the others are counted.
const mostNames = 5

// String returns kind, names and reason: "publication a, b: would send rows to other servers".
func (l fateLine) String() string {
	names, more := l.names, ""
	if len(names) > mostNames {
		more = fmt.Sprintf(" and %d more", len(names)-mostNames)
		names = names[:mostNames]
	}
	s := l.kind + " " + strings.Join(names, ", ") + more
	if l.reason != "" {
		s += ": " + l.reason
	}
	return s
}

// fateOrder is the order in which people read of the fates.
var fateOrder = []catalog.Fate{catalog.Stops, catalog.Stays, catalog.Neutralised, catalog.Noted}

// fateLines groups objects by fate, kind and reason, in the order in which they come.
func fateLines(objects []catalog.Object) (lines []fateLine) {
	for _, fate := range fateOrder {
		first := len(lines)
		for _, o := range objects {
			if o.Fate != fate {
				continue
			}
			at := slices.IndexFunc(lines[first:], func(l fateLine) bool { return l.kind == o.Kind && l.reason == o.Reason })
			if at < 0 {
				lines, at = append(lines, fateLine{fate: fate, kind: o.Kind, reason: o.Reason}), len(lines)-first
			}
			lines[first+at].names = append(lines[first+at].names, o.Name)
		}
	}
	return lines
}

// fateRows adds the lines to a table, each fate named once. Of more than most lines it
// counts the rest; 0 is all.
func fateRows(t *table, objects []catalog.Object, most int) {
	lines := fateLines(report.InertCopy(objects))
	last := catalog.Fate("none")
	for i, l := range lines {
		if most > 0 && i == most && len(lines) > most+1 {
			t.Row("", fmt.Sprintf("… and %s more: sanitize plan shows all", plural(int64(len(lines)-i), "line")))
			return
		}
		label := ""
		if l.fate != last {
			label, last = "  "+string(l.fate), l.fate
		}
		t.Row(label, l.String())
	}
}

// mostFates is how many lines of fates a run prints before it copies.
const mostFates = 12

// tellFates says, before a row is copied, what will not come along as it is.
func tellFates(u *ui, objects []catalog.Object) {
	if len(objects) == 0 {
		return
	}
	var t table
	fateRows(&t, objects, mostFates)
	u.Tell("sanitize: what does not come along as it is:\n" + t.String())
}

// fatesText shows the fates in a plan for people.
func fatesText(u *ui, objects []catalog.Object) string {
	if len(objects) == 0 {
		return ""
	}
	var t table
	fateRows(&t, objects, 0)
	return "\n" + paint(u.colorOut, "beside the tables", bold) + "\n" + t.String()
}
