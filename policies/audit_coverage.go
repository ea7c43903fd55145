package policies

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies/report"
)

// sensitiveKinds are the kinds of data that nobody may see in a copy.
var sensitiveKinds = []string{"direct", "special", "pci", "secret"}

var coverage = []*Analyzer{
	{
		ID: "SAN-C01", Phase: "S", Level: report.Critical, Clauses: "GDPR: 25(2), 30(1)(c); ISO 27001: A.5.12",
		Title:   "every column has a class",
		Meaning: "A column that nobody decided about is one that nobody protects; it stops a run.",
		Fix:     "Add the line that the finding proposes, after looking at what the column holds.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, d := range s.met.openColumns {
				if v := s.objects[d.At]; v != nil && v.c.table.listed {
					found = append(found, s.fromDiagnostic(d))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-C02", Phase: "S", Level: report.Critical, Clauses: "GDPR: 25(2)",
		Title:   "every table that is copied is listed",
		Meaning: "A table that came after the last review is in no list, and with it all that it holds.",
		Fix:     "List the table with its columns, or as drop.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, ts := range s.met.tables {
				if ts.listed || ts.t.Kind == catalog.Foreign {
					continue
				}
				open := 0
				for _, col := range ts.columns {
					if col.decision == nil && col.open() {
						open++
					}
				}
				name := spell(s.Catalog.Display(ts.t.ID))
				f := s.find(nil, s.Policy.tablesAt, ts.t.ID.String(), fmt.Sprintf("under tables add: %s: {…}, or %s: drop", name, name),
					"table %s is not listed; of its %d columns %d are undecided", ts.t.ID, len(ts.columns), open)
				f.Excerpt = ""
				found = append(found, f)
			}
			return found
		},
	},
	{
		ID: "SAN-C03", Phase: "P", Level: report.Critical, Clauses: "GDPR: 25(2)",
		Title:   "no default lets data pass",
		Meaning: "Where the rest is kept, whatever is added tomorrow arrives as it is.",
		Fix:     "Let defaults fail, and let the rest of a document, \"*\", be dropped.",
		run: func(s *Pass) (found []report.Finding) {
			if d := s.Policy.Defaults; d.UnlistedColumn != "fail" {
				found = append(found, s.find(nil, d.at, "", "write unlisted_column: fail", "defaults.unlisted_column is %q", d.UnlistedColumn))
			} else if d.UnlistedTable != "fail" && d.UnlistedTable != "skip" {
				found = append(found, s.find(nil, d.at, "", "write unlisted_table: fail, or skip", "defaults.unlisted_table is %q", d.UnlistedTable))
			}
			for _, t := range s.settings {
				if strings.HasSuffix(t.part, "*") && t.do.Name == "keep" {
					found = append(found, s.about(t, `write "*": drop, and list the paths that are kept`, "%s keeps every path that is not listed", t.object))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-C04", Phase: "P", Level: report.Critical, Clauses: "GDPR: 32; NIST 800-53: PM-25b; ISO 27001: A.8.11",
		Title:   "nothing sensitive is kept",
		Meaning: "A direct identifier, a special category, a card number, a secret or what a pseudonym should stand for arrives in clear.",
		Fix:     "Give the class a transform, or the column another class; what has to stay needs a waiver.",
		run: func(s *Pass) (found []report.Finding) {
			for _, t := range s.settings {
				if t.do.Name != "keep" {
					continue
				}
				f := s.about(t, "give it a transform, or waive "+t.object+" with a reason", "%s is of kind %s and kept", t.title(), t.kind)
				switch {
				case slices.Contains(sensitiveKinds, t.kind):
					found = append(found, f)
				case t.kind == "pseudonym": // what is kept stands for nothing but itself
					f.Level = report.High
					found = append(found, f)
				}
			}
			return found
		},
	},
	{
		ID: "SAN-C05", Phase: "S/R", Level: report.High, Clauses: "GDPR: 4(1)",
		Title:   "the detector agrees that what is kept is nothing personal",
		Meaning: "The name and the type of a column, or a path of a document, speak of personal data, and the policy keeps it as less than that.",
		Fix:     "Look at the column; give it a class, or waive it with what it holds instead.",
		needs:   needsCatalog,
		partly:  never("by names and types; values were not read"),
		run: func(s *Pass) (found []report.Finding) {
			for _, v := range s.wrong(func(v *view) bool { return v.kept() && s.belittled(v) }) {
				class := s.suspect(v)
				called := ""
				if v.kind != "" && v.kind != "not_personal" {
					called = " as " + v.kind
				}
				found = append(found, s.find(nil, v.at, v.object, "give it the class "+class+", or waive it with what it holds instead", "%s is kept%s, and looks like %s", v.title(), called, class))
			}
			return append(found, s.pathsKept()...)
		},
	},
	{
		ID: "SAN-C06", Phase: "S", Level: report.High, Clauses: "ISO 27001: A.8.33",
		Title:   "what the policy names is there",
		Meaning: "A table or column that was renamed leaves a line that protects nothing, and a new name that no line protects.",
		Fix:     "Follow the rename, or take the line out.",
		needs: func(s *Pass) string {
			if s.Catalog == nil && namedTwice(s) != nil {
				return ""
			}
			return needsCatalog(s)
		},
		partly: func(s *Pass) string {
			if s.Catalog == nil {
				return "by the policy's names alone; whether they are there needs a catalog"
			}
			return ""
		},
		run: func(s *Pass) []report.Finding {
			if s.Catalog == nil {
				return namedTwice(s)
			}
			return s.fromDiagnostics(s.met.names)
		},
	},
	{
		ID: "SAN-C07", Phase: "S", Level: report.Medium, Clauses: "SOC 2: CC8.1",
		Title:   "types, lengths and nullability are those of the approval",
		Meaning: "A column that became longer, or of another type, may hold something else than what was reviewed.",
		Fix:     "Look at the columns, and lock the policy again.",
		needs:   needsLock,
		run: func(s *Pass) (found []report.Finding) {
			for _, c := range s.Approval.Changes {
				f := s.find(nil, s.lineOf(c.At), c.At, "look at it, and lock the policy again", "%s: %s since the approval", c.At, c.What)
				f.Part = c.What
				found = append(found, f)
			}
			return found
		},
	},
	{
		ID: "SAN-C08", Phase: "S", Level: report.High, Clauses: "HIPAA: 164.514(b)(2)(i)(R); WP216: 3",
		Title:   "free text is neither kept nor masked by patterns alone",
		Meaning: "People write anything into free text, and patterns find only what has a form.",
		Fix:     "Shape it, or redact it with else: shape or else: lorem.",
		needs:   needsCatalog,
		run:     freeTexts,
	},
	{
		ID: "SAN-C09", Phase: "P", Level: report.High, Clauses: "GDPR: 25(2)",
		Title:   "documents and arrays are decided part by part, with a rule for the rest",
		Meaning: "A document holds whatever an application put there, under keys that nobody has listed.",
		Fix:     "List the paths with their classes and \"*\": drop; mask an array by each: CLASS.",
		partly: func(s *Pass) string {
			if s.Catalog == nil {
				return "by path rules alone; which columns are documents needs a catalog"
			}
			return ""
		},
		run: documentsKept,
	},
	{
		ID: "SAN-C10", Phase: "S", Level: report.High, Clauses: "HIPAA: 164.514(b)(2)(i)(P), 164.514(b)(2)(i)(Q); GDPR: 9",
		Title:   "no binary value, large object or image is kept",
		Meaning: "A scan, a photograph or a fingerprint shows a person, and no rule can look inside.",
		Fix:     `Null the column, or give it a constant.`,
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, v := range s.wrong(func(v *view) bool { return v.kept() && binary(v.c.col.Type) }) {
				found = append(found, s.find(nil, v.at, v.object, `give it a class that does {"null": true}, or waive it with what it holds`, "%s (%s) is binary and kept", v.title(), v.c.col.Type.Name))
			}
			return found
		},
	},
	{
		ID: "SAN-C11", Phase: "P", Level: report.Critical, Clauses: "GDPR: 9, 32",
		Title:   "special categories are nulled or made coarse",
		Meaning: "A keyed or lifelike mask of a diagnosis keeps who shares it with whom, and how often it occurs.",
		Fix:     `Use {"null": true}, {constant: X}, {generalize: …} or another transform that makes values coarser.`,
		run: func(s *Pass) (found []report.Finding) {
			for _, t := range s.settings {
				if t.kind != "special" || t.do.Name == "keep" || blank[t.do.Name] || coarse[t.do.Name] || compound[t.do.Name] {
					continue
				}
				found = append(found, s.about(t, `use {"null": true}, or {generalize: …}`, "%s is of kind special, and %s keeps which rows are equal", t.title(), t.do))
			}
			return found
		},
	},
	{
		ID: "SAN-C12", Phase: "P", Level: report.Critical, Clauses: "ISO 27001: A.5.17, A.8.11",
		Title:   "credentials are replaced",
		Meaning: "A hash, a token or a seed that lives on opens a session or an account.",
		Fix:     `Use {constant: X}, {"null": true} or a known password; where it must be unique, {token: base32}.`,
		run: func(s *Pass) (found []report.Finding) {
			for _, t := range s.settings {
				if t.kind != "secret" || t.do.Name == "keep" || blank[t.do.Name] || t.do.Name == "token" || compound[t.do.Name] {
					continue
				}
				found = append(found, s.about(t, `use {constant: "!disabled"}, or {token: base32} where it must be unique`, "%s is of kind secret, and %s keeps something of it", t.title(), t.do))
			}
			return found
		},
	},
	{
		ID: "SAN-C13", Phase: "S/R", Level: report.Critical, Clauses: "PCI DSS: 3.3.1",
		Title:   "no CVV, track or PIN is stored",
		Meaning: "Sensitive authentication data may not be there at all after a payment, at the source as little as in a copy.",
		Fix:     `Remove it at the source; until then null it.`,
		needs:   needsCatalog,
		partly:  never("by names; whether there are values was not read"),
		run: func(s *Pass) (found []report.Finding) {
			for _, v := range s.columns {
				if !v.decided || !v.copied || blank[v.do.Name] || !cardSecret(v.name) || v.c.col.Type.Kind == catalog.Bool {
					continue
				}
				found = append(found, s.find(nil, v.at, v.object, `give it a class that does {"null": true}, and remove the column at the source`, "%s looks like sensitive authentication data, and its rows are copied", v.object))
			}
			return found
		},
	},
	{
		ID: "SAN-C14", Phase: "P", Level: report.Low, Clauses: "GDPR: 5(1)(c); NIST 800-53: SI-12(2)",
		Title:   "tables of people are not copied whole without need",
		Meaning: "A copy needs as many people as its purpose does, which is seldom all of them.",
		Fix:     "Give the tables rows: {where, sample or limit}, or waive the rule with the need.",
		run: func(s *Pass) []report.Finding {
			var whole []string
			seen := map[string]bool{}
			var at Position
			for _, v := range s.columns {
				if !v.masked() || v.kind != "direct" || !v.explicit || seen[v.table] {
					continue
				}
				seen[v.table] = true
				if v.rule == nil || v.rule.Rows == nil {
					whole = append(whole, v.table)
					if at == (Position{}) && v.rule != nil {
						at = v.rule.At
					}
				}
			}
			if whole == nil {
				return nil
			}
			return one(s.find(nil, at, "", "add rows: {sample: 10%} to the table where people begin", "every row of %s with direct identifiers is copied: %s", plural(len(whole), "table"), strings.Join(clipList(whole, 8), ", ")))
		},
	},
}

// namedTwice finds tables and columns that the policy names twice, in letters of another
// case: to most databases they are one, and one of the two lines is not obeyed.
func namedTwice(s *Pass) (found []report.Finding) {
	tables := map[string]Position{}
	for _, t := range s.Policy.Tables {
		if first, twice := tables[strings.ToLower(t.Name)]; twice {
			found = append(found, s.find(nil, t.At, t.Name, "decide once", "table %s is listed in line %d already, in letters of another case", t.Name, first.Line))
		} else {
			tables[strings.ToLower(t.Name)] = t.At
		}
		columns := map[string]Position{}
		for _, c := range slices.Concat(t.Columns, t.Keep) {
			if first, twice := columns[strings.ToLower(c.Name)]; twice {
				name := t.Name + "." + c.Name
				found = append(found, s.find(nil, c.At, name, "decide once", "%s is listed in line %d already, in letters of another case", name, first.Line))
			} else {
				columns[strings.ToLower(c.Name)] = c.At
			}
		}
	}
	return found
}

// What transforms leave of a value.
var (
	blank    = words(`null constant drop password`)
	coarse   = words(`generalize bucket top_code bottom_code truncate_to prefix truncate`)
	compound = words(`json xml fields each`) // their parts are settings of their own
)

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// fromDiagnostic makes a finding of a complaint of the compiler.
func (s *Pass) fromDiagnostic(d Diagnostic) report.Finding {
	return report.Finding{File: d.File, Line: d.Line, Column: d.Column, Object: d.At, Message: d.Message, Help: d.Help, Excerpt: d.Excerpt}
}

func (s *Pass) fromDiagnostics(errs Errors) (found []report.Finding) {
	for _, d := range errs {
		found = append(found, s.fromDiagnostic(d))
	}
	return found
}

// pathsKept finds what the detector says of the paths of documents that are kept.
func (s *Pass) pathsKept() (found []report.Finding) {
	doubts := map[*column][]pathDoubt{}
	for _, v := range s.wrong(func(v *view) bool {
		if v.masked() {
			doubts[v.c] = s.met.pathDoubts(v.c, Detected{})
		}
		return doubts[v.c] != nil
	}) {
		for _, d := range doubts[v.c] {
			f := s.find(d.from, d.at, v.object, "give it the class "+d.class+", or waive "+v.object+" with what it holds instead", "path %s of %s is kept, and looks like %s", d.path, v.object, d.class)
			f.Part = d.path
			found = append(found, f)
		}
	}
	return found
}

// binary reports whether values of the type are bytes, or lead to a large object.
func binary(t catalog.Type) bool {
	large := t.Kind == catalog.Opaque && (t.Name == "oid" || t.Name == "lo")
	return t.Kind == catalog.Bytes || large || t.Kind == catalog.Array && t.Element != nil && t.Element.Kind == catalog.Bytes
}

// belittled reports whether a column looks like more than the kind as which it is kept.
// Free text has a rule of its own, and so have the kinds that may not be kept at all.
func (s *Pass) belittled(v *view) bool {
	class := s.suspect(v)
	if class == "" || class == freeText || slices.Contains(sensitiveKinds, v.kind) {
		return false
	}
	if v.kind == "" || v.kind == "not_personal" {
		return true
	}
	standard, known := standardClass(class)
	return known && kindRank(standard.Kind) > kindRank(v.kind)
}

// suspect returns the class of personal data that a column looks like, or "".
func (s *Pass) suspect(v *view) string {
	g := s.met.guesser.guess(v.c.table.t, v.c.col)
	if !g.sure || g.class == Public || v.c.col.Type.Kind == catalog.Bool || len(v.c.col.Type.Labels) > 0 {
		return ""
	}
	return g.class
}

// freeTexts finds free text that is kept, or redacted with the rest kept.
func freeTexts(s *Pass) (found []report.Finding) {
	for _, t := range s.settings {
		switch {
		case t.kind == "free_text" && t.do.Name == "keep":
			found = append(found, s.about(t, "use {shape: text}", "%s is of kind free_text and kept", t.title()))
		case t.do.Name == "redact" && t.do.Params["else"] == "keep":
			found = append(found, s.about(t, "write else: shape", "%s is masked by patterns alone: what they do not find comes through", t.title()))
		}
	}
	for _, v := range s.wrong(func(v *view) bool {
		return v.kept() && v.kind != "free_text" && v.c.col.Type.Kind == catalog.Text && s.suspect(v) == freeText && s.nearPeople(v)
	}) {
		found = append(found, s.find(nil, v.at, v.object, "give it a class that does {shape: text}", "%s looks like free text and is kept", v.title()))
	}
	return found
}

// nearPeople reports whether rows of the column's table are about people: it holds or
// references something that is masked as an identifier. The description of a film is
// free text too, and nobody's.
func (s *Pass) nearPeople(v *view) bool {
	return slices.ContainsFunc(v.c.table.columns, func(o *column) bool {
		if o.decision == nil || o.decision.keep {
			return false
		}
		c := s.Policy.Class(o.decision.class)
		return c != nil && slices.Contains([]string{"direct", "pseudonym", "special", "quasi"}, c.Kind)
	})
}

// documentsKept finds documents and arrays that are kept, and rules without a rest.
func documentsKept(s *Pass) (found []report.Finding) {
	for _, v := range s.columns {
		if v.decided && v.copied && v.explicit && slices.Contains(documents, v.do.Name) && v.do.Name != "fields" &&
			!slices.ContainsFunc(v.do.Paths, func(p PathRule) bool { return p.Path == "*" }) {
			found = append(found, s.find(nil, v.at, v.object, `add "*": drop`, "%s has no rule for the paths that are not listed", v.object))
		}
	}
	for _, v := range s.wrong(func(v *view) bool { return v.c != nil && v.kept() && holdsText(v.c.col.Type) }) {
		t := v.c.col.Type
		found = append(found, s.find(nil, v.at, v.object, partsHelp(t), "%s (%s) is kept as a whole", v.title(), t.Name))
	}
	return found
}

// partsHelp says how a value is decided part by part.
func partsHelp(t catalog.Type) string {
	switch t.Kind {
	case catalog.JSON:
		return `write json: {$.PATH: CLASS, "*": drop}`
	case catalog.XML:
		return `write xml: {/PATH: CLASS, "*": drop}`
	case catalog.Array:
		return "write each: CLASS"
	}
	return `write fields: {NAME: CLASS, "*": drop}`
}

// holdsText reports whether a value of the type is made of parts that hold texts.
func holdsText(t catalog.Type) bool {
	switch t.Kind {
	case catalog.JSON, catalog.XML, catalog.Hstore:
		return true
	case catalog.Array:
		return t.Element != nil && (t.Element.Kind == catalog.Text && len(t.Element.Labels) == 0 || holdsText(*t.Element))
	case catalog.Composite:
		return slices.ContainsFunc(t.Fields, func(f catalog.Field) bool {
			return f.Type.Kind == catalog.Text && len(f.Type.Labels) == 0 || holdsText(f.Type)
		})
	}
	return false
}

var cardSecrets = regexp.MustCompile(`^(cvv2?|cvc2?|cav2|csc|cid2|track[12]?|pin)$`)

// cardSecret reports names of sensitive authentication data: cvv, track2_data,
// pin_block. A pin alone may be a postcode, a PIN of a card is named so.
func cardSecret(name string) bool {
	words := tokens(name)
	for i, w := range words {
		if !cardSecrets.MatchString(w) {
			continue
		}
		switch w {
		case "pin":
			if slices.Contains(words, "block") || slices.Contains(words, "card") || slices.Contains(words, "atm") {
				return true
			}
		case "track":
			if i+1 < len(words) && (words[i+1] == "data" || words[i+1] == "1" || words[i+1] == "2") {
				return true
			}
		default:
			return true
		}
	}
	return false
}
