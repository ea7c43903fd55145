package policies

import (
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies/report"
)

var quasiRules = []*Analyzer{
	{
		ID: "SAN-Q01", Phase: "S", Level: report.High, Clauses: "WP216: 2.2.1; HIPAA: 164.514(b)(1)",
		Title:   "no three quasi-identifiers of a person are kept together",
		Meaning: "Birth date, sex and postcode, each harmless, together single most people out.",
		Fix:     "Make one of them coarser, until two are left as they are.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, ts := range s.met.tables {
				if !s.identifies(ts) && !aboutPeople(ts.t) || !ts.copied() {
					continue
				}
				sorts := map[string]bool{}
				var kept []*view
				for _, col := range ts.columns {
					v := s.objects[col.id().String()]
					if !v.kept() || v.c.col.Generation.Computed() {
						continue
					}
					if sort := quasiSort(v); sort != "" {
						sorts[sort] = true
						kept = append(kept, v)
					}
				}
				if len(sorts) < 3 {
					continue
				}
				names := make([]string, len(kept))
				for i, v := range kept {
					names[i] = v.name
				}
				for _, v := range kept {
					found = append(found, s.find(nil, v.at, v.object, "make it coarser, or waive it", "%s is kept on a person together with %s", v.object, strings.Join(slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == v.name }), ", ")))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-Q02", Phase: "R", Level: report.High, Clauses: "WP216: 3.2.1; NIST 800-188: 4.3",
		Title:   "each combination of quasi-identifiers occurs often enough",
		Meaning: "A combination that occurs once is a person.",
		Fix:     "Make the quasi-identifiers coarser until k is reached.",
		needs:   untold("the measured k of a run"),
	},
	{
		ID: "SAN-Q03", Phase: "R", Level: report.Medium, Clauses: "WP216: 3.2.2",
		Title:   "the sensitive values of a group differ",
		Meaning: "Where all of a group share a diagnosis, being of the group tells it.",
		Fix:     "Make the groups larger, or the sensitive column coarser.",
		needs:   untold("the measured diversity of a run"),
	},
	{
		ID: "SAN-Q04", Phase: "R", Level: report.Medium, Clauses: "NIST 800-188: 4.3",
		Title:   "tables of people have a hundred rows at least",
		Meaning: "Among a few, somebody who knows them finds each.",
		Fix:     "Mask all quasi-identifiers of such a table, or leave its rows behind.",
		needs:   needsBoth,
		run: func(s *Pass) (found []report.Finding) {
			for _, ts := range s.met.tables {
				if !s.identifies(ts) {
					continue
				}
				keeps := slices.ContainsFunc(ts.columns, func(col *column) bool {
					v := s.objects[col.id().String()]
					return v.kept() && (quasiSort(v) != "" || v.kind == "quasi")
				})
				if n, known := s.Manifest.rows(ts.t.ID); known && n > 0 && n < 100 && keeps {
					found = append(found, s.find(nil, ts.at, ts.t.ID.String(), "mask its quasi-identifiers, or write drop", "%s holds %s of people, with quasi-identifiers that are kept", ts.t.ID, plural(int(n), "row")))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-Q05", Phase: "R", Level: report.Medium, Clauses: "WP216: 2.2.1",
		Title:   "no unique extreme is kept",
		Meaning: "The highest salary is one person's.",
		Fix:     "Use {top_code: X} and {bottom_code: X}.",
		needs:   untold("the extremes of a run's columns"),
	},
	{
		ID: "SAN-Q06", Phase: "P", Level: report.Medium, Clauses: "WP216: 2.2.2",
		Title:   "times of what people did are not kept to the second",
		Meaning: "A time to the second finds the row in a web server's log, and the person with it.",
		Fix:     "Use {truncate_to: day}, or {shift_days: N, by: the subject}.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, v := range s.columns {
				k := catalog.Opaque
				if v.c != nil {
					k = v.c.col.Type.Kind
				}
				if !v.kept() || !v.explicit || k != catalog.Timestamp && k != catalog.TimestampTZ || bookkeeping(v.name) || !s.references(v.c.table) {
					continue
				}
				found = append(found, s.find(nil, v.at, v.object, "give it a class that does {truncate_to: day}", "%s tells to the second when somebody did something, and is kept", v.object))
			}
			return found
		},
	},
}

// bookkeeping reports times that rows are stamped with, rather than people's doings.
func bookkeeping(name string) bool {
	words := tokens(name)
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"created", "updated", "modified", "inserted", "deleted", "changed", "update", "create", "expires", "expiry", "valid", "sync", "synced", "imported", "last"}, w)
	})
}

// quasiSort is the sort of quasi-identifier that a column is, or "".
func quasiSort(v *view) string {
	words := map[string]bool{}
	for _, w := range tokens(v.name) {
		words[w] = true
	}
	if v.c.col.Type.Kind == catalog.Bool && !words["sex"] && !words["male"] && !words["female"] {
		return ""
	}
	for _, sort := range []struct {
		name  string
		words map[string]bool
	}{
		{"birth", quasiWords["birth"]}, {"age", quasiWords["age"]}, {"sex", quasiWords["sex"]}, {"postcode", quasiWords["postcode"]}, {"place", quasiWords["place"]}, {"nation", quasiWords["nation"]},
		{"job", quasiWords["job"]}, {"family", quasiWords["family"]}, {"education", quasiWords["education"]}, {"income", quasiWords["income"]}, {"origin", quasiWords["origin"]},
	} {
		if !intersects(words, sort.words) {
			continue
		}
		if words["at"] || words["id"] && v.c.col.Type.Kind == catalog.Int || words["currency"] || words["verified"] {
			return ""
		}
		if sort.name == "age" {
			return "birth"
		}
		return sort.name
	}
	return ""
}

// quasiWords are what quasi-identifiers are called, and numbers of phones.
var quasiWords = map[string]map[string]bool{
	"birth": words(`dob birth birthday birthdate born dateofbirth geburtsdatum`), "phone": words(`phone phones telephone tel mobile cell cellphone fax msisdn phonenumber`),
	"postcode": words(`postcode postalcode zip zipcode plz`), "place": words(`city town district suburb county village neighborhood latitude longitude lat lng lon location`),
	"age": words(`age`), "sex": words(`sex gender male female`), "nation": words(`nationality country citizenship`),
	"job": words(`job occupation profession jobtitle employer department`), "family": words(`marital children dependents household`),
	"education": words(`education degree school university`), "income": words(`income salary wage`), "origin": words(`ethnicity race religion language`),
}
