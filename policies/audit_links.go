package policies

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies/report"
)

var linkRules = []*Analyzer{
	{
		ID: "SAN-L01", Phase: "S", Level: report.High, Clauses: "ISO 27001: A.8.33",
		Title:   "both ends of a relation are masked alike",
		Meaning: "Where the ends differ the copy does not join, or does not load at all.",
		Fix:     "Give both ends one class, or null the referencing column.",
		needs:   needsCatalog,
		run:     func(s *Pass) []report.Finding { return s.fromDiagnostics(s.met.contradictions) },
	},
	{
		ID: "SAN-L02", Phase: "R", Level: report.Critical, Clauses: "WP216: 2.2.1",
		Title:   "no relation that nobody declared is masked on one side only",
		Meaning: "A column that repeats another's values, and is kept, gives back what the other hides.",
		Fix:     "Declare the relation under links.",
		needs:   untold("the overlap of values between columns"),
	},
	{
		ID: "SAN-L03", Phase: "S", Level: report.High, Clauses: "ISO 27001: A.8.33",
		Title:   "unique columns stay unique",
		Meaning: "Two values that come out equal break the key, and the load with it.",
		Fix:     "Use a bijection, or a mask with enough output bits, as the finding says.",
		needs:   needsCatalog,
		run:     func(s *Pass) []report.Finding { return s.fromDiagnostics(s.met.collisions) },
	},
	{
		ID: "SAN-L04", Phase: "S", Level: report.Critical, Clauses: "GDPR: 25",
		Title:   "no copy of a masked column is kept elsewhere",
		Meaning: "A history table, a search vector or a copied name beside an order gives back what its original hides.",
		Fix:     "Give the copy the class of the original, or link them.",
		needs:   needsCatalog,
		run:     copies,
	},
	{
		ID: "SAN-L05", Phase: "S", Level: report.Medium, Clauses: "WP216: 2.2.1; HIPAA: 164.514(b)(2)(i)(R)",
		Title:   "rows of people do not join back to production",
		Meaning: "A key, an external id or a slug of production that is kept names the row there.",
		Fix:     "Give the column a class that does {pseudonym: id}, {pseudonym: uuid} or {token: base32}. Rows keep their order: in a table that only grows, counting them leads back to a serial key, unless rows are left behind.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			primary := func(v *view) bool {
				key := v.c.table.t.PrimaryKey
				return key != nil && len(key.Columns) == 1 && key.Columns[0] == v.name
			}
			for _, v := range s.wrong(func(v *view) bool {
				return v.kept() && s.identifies(v.c.table) && (primary(v) || external(v))
			}) {
				if primary(v) {
					found = append(found, s.find(nil, v.at, v.object, "give it a class of kind pseudonym", "%s is the key of rows that hold direct identifiers, and kept", v.title()))
				} else {
					found = append(found, s.find(nil, v.at, v.object, "give it a class that does {token: base32}", "%s names the row in production or elsewhere, and is kept", v.title()))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-L06", Phase: "S", Level: report.Medium, Clauses: "ISO 27001: A.8.33",
		Title:   "transforms fit types, lengths and constraints",
		Meaning: "A value that a CHECK, a length or a collation does not take stops the load.",
		Fix:     "Use a transform that fits, as the finding says, or one that keeps the form.",
		needs:   needsCatalog,
		run: func(s *Pass) []report.Finding {
			found := s.fromDiagnostics(s.met.unfit)
			for i := range found {
				found[i].Level = report.High // it does not compile
			}
			return append(found, s.checks()...)
		},
	},
}

// identifies reports whether each row of the table is about one person: it has a
// column of a direct identifier of its own.
func (s *Pass) identifies(ts *table) bool {
	return ts.copied() && slices.ContainsFunc(ts.columns, func(col *column) bool {
		if col.decision == nil || !col.explicit {
			return false
		}
		c := s.Policy.Class(col.decision.class)
		return c != nil && c.Kind == "direct"
	})
}

// references reports whether the table points at rows of people: by a column that
// shares the decision of a pseudonym, or of a direct identifier.
func (s *Pass) references(ts *table) bool {
	return ts.copied() && slices.ContainsFunc(ts.columns, func(col *column) bool {
		if col.decision == nil || col.decision.keep || col.explicit {
			return false
		}
		c := s.Policy.Class(col.decision.class)
		return c != nil && (c.Kind == "direct" || c.Kind == "pseudonym")
	})
}

// external reports columns that name the row for others: external_id, slug, uuid.
func external(v *view) bool {
	words := tokens(v.name)
	if len(words) == 0 {
		return false
	}
	switch last := lastOf(words); {
	case last == "slug" || last == "uuid" || last == "guid":
		return true
	case last == "id" || last == "ref" || last == "number" || last == "no" || last == "key":
		return slices.ContainsFunc(words[:len(words)-1], func(w string) bool {
			return slices.Contains([]string{"external", "ext", "legacy", "remote", "stripe", "salesforce", "crm", "hubspot", "erp", "sap", "membership", "customer", "patient", "employee", "member"}, w)
		}) && v.c.col.Type.Kind == catalog.Text
	}
	return false
}

// copyWords are what tables that repeat others are called.
var copyWords = words(`history audit log archive archived backup bak old copy versions version shadow snapshot deleted tmp temp staging`)

// copies finds kept columns that repeat a masked one.
func copies(s *Pass) (found []report.Finding) {
	masked := map[string][]*view{} // by table and name: customer email
	for _, v := range s.columns {
		if v.masked() && v.explicit && slices.Contains([]string{"direct", "special", "pci", "secret"}, v.kind) {
			key := strings.Join(append([]string{noun(v.c.table.t.ID.Name)}, tokens(v.name)...), " ")
			masked[key] = append(masked[key], v)
		}
	}
	vector := func(v *view) bool {
		return isVector(v.c.col.Type) && v.c.table.textsMasked() &&
			!slices.ContainsFunc(s.met.keptDerived, func(d Diagnostic) bool { return d.At == v.object })
	}
	for _, v := range s.wrong(func(v *view) bool { return v.kept() && (repeats(v, masked) != nil || vector(v)) }) {
		if original := repeats(v, masked); original != nil {
			found = append(found, s.find(nil, v.at, v.object, "give it the class "+original.class, "%s is kept, and repeats %s, which is masked as %s", v.title(), original.object, original.class))
			continue
		}
		found = append(found, s.find(nil, v.at, v.object, `give it a class that does {"null": true}`, "%s is kept, and holds the words of texts that are masked beside it", v.title()))
	}
	found = append(found, s.fromDiagnostics(s.met.keptDerived)...)
	return append(found, s.writers()...)
}

// repeats returns the masked column that a kept one repeats: customer_email of orders is
// the email of customers, as is the email of customers_history.
func repeats(v *view, masked map[string][]*view) *view {
	name := tokens(v.name)
	same := func(o *view) bool {
		return o.c.table != v.c.table && kindOf(o.c.col.Type) == kindOf(v.c.col.Type)
	}
	if len(name) > 1 {
		key := strings.Join(append([]string{singular(name[0])}, name[1:]...), " ")
		if i := slices.IndexFunc(masked[key], same); i >= 0 {
			return masked[key][i]
		}
	}
	table := tokens(v.c.table.t.ID.Name)
	rest := slices.DeleteFunc(slices.Clone(table), func(w string) bool { return copyWords[w] })
	if len(rest) == len(table) || len(rest) == 0 {
		return nil
	}
	key := strings.Join(append([]string{singular(lastOf(rest))}, name...), " ")
	if i := slices.IndexFunc(masked[key], same); i >= 0 {
		return masked[key][i]
	}
	return nil
}

// writers finds what triggers write elsewhere.
func (s *Pass) writers() (found []report.Finding) {
	for _, h := range s.met.histories() {
		help := "mask it as what is written there, or drop the table"
		if h.col == nil {
			help = "look at what it writes, and mask that as it is masked here"
		}
		f := s.find(nil, h.at(), h.object(), help, "%s %s", h.object(), h)
		f.Part = h.part()
		if h.col == nil {
			f.Level = report.Medium // nobody can tell
		}
		found = append(found, f)
	}
	return found
}

var (
	harmlessCheck = regexp.MustCompile(`(?i)^\W*(check)?\W*("?[\w$]+"?\W+is\s+not\s+null|(char_length|character_length|length|octet_length)\b[^']*)\W*$`)
	literal       = regexp.MustCompile(`'[^']*'|\d`)
)

// checks finds CHECK constraints that read a masked column and compare it with something
// that the transform does not know.
func (s *Pass) checks() (found []report.Finding) {
	for _, v := range s.columns {
		if !v.masked() || !v.explicit || v.do.Name == "null" {
			continue
		}
		for _, check := range v.c.table.t.Checks {
			if !slices.Contains(check.Reads, v.name) || harmlessCheck.MatchString(check.Text) || !literal.MatchString(check.Text) {
				continue
			}
			if positive.MatchString(check.Text) && v.bind != nil && v.bind.Guarantees.KeepsFormat {
				continue // the sign stays
			}
			f := s.find(nil, v.at, v.object, "compare the constraint with what the transform makes, or try it with sanitize plan", "%s is masked by %s, and the constraint %s reads it", v.object, v.do, check.Name)
			f.Part = check.Name
			found = append(found, f)
		}
	}
	return found
}

// positive is a CHECK that a number is above zero, or not below it.
var positive = regexp.MustCompile(`(?i)^\W*(check)?\W*"?[\w$]+"?\W*(::\w+)?\W*>=?\W*0(\.0+)?\W*(::\w+)?\W*$`)

// noun is what the rows of a table are: customer of old_customers.
func noun(table string) string { return singular(lastOf(tokens(table))) }
