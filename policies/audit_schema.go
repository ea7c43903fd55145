package policies

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies/report"
)

var sideChannels = []*Analyzer{
	{
		ID: "SAN-S01", Phase: "S", Level: report.High, Clauses: "GDPR: 25",
		Title:   "no personal data stands in the definitions",
		Meaning: "A CHECK, a default, an index, a comment or a function's text is copied as it is, with the address or the password that somebody wrote into it.",
		Fix:     "Take the literal out of the definition at the source.",
		needs:   needsCatalog,
		run:     literals,
	},
	{
		ID: "SAN-S02", Phase: "R", Level: report.High, Clauses: "GDPR: 32(1)(d)",
		Title:   "the optimiser's statistics stay behind",
		Meaning: "Most common values and histograms hold values of the source as they are.",
		Fix:     "Let the target make its own statistics, as a run of sanitize does.",
		needs:   untold("a look at the target's statistics"),
	},
	{
		ID: "SAN-S03", Phase: "S", Level: report.Critical, Clauses: "ISO 27001: A.8.31; PCI DSS: 6.5.3",
		Title:   "nothing in the copy acts on production",
		Meaning: "A function or a view that is copied and speaks to another server does so from the copy too.",
		Fix:     "Drop the object from the copy, or let it look up a server that the copy does not know.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, d := range s.definitions() {
				if m := reachesOut.FindString(d.text); m != "" {
					found = append(found, s.defined(d, "let it look up a server that the copy does not know, or remove it there", "%s %s is copied and calls %s: it reaches other servers from the copy", d.kind, d.object, strings.ToLower(strings.Trim(m, " ("))))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-S04", Phase: "R", Level: report.Critical, Clauses: "ISO 27001: A.8.10",
		Title:   "the target was built aside, not masked in place",
		Meaning: "What is overwritten in place lives on in dead rows, logs and free pages.",
		Fix:     "Copy to another database, as a run of sanitize does.",
		needs:   needsManifest,
		run: func(s *Pass) []report.Finding {
			if m := s.Manifest; m.Source == m.Target {
				return one(s.evidence(m.Run, "copy to another database", "source and target of run %s are the same database", m.Run))
			}
			return nil
		},
	},
	{
		ID: "SAN-S05", Phase: "S", Level: report.High, Clauses: "ISO 27001: A.5.17",
		Title:   "no password of a role is copied",
		Meaning: "A function or a job that sets a role's password carries it into the copy.",
		Fix:     "Take the password out of the definition at the source.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, d := range s.definitions() {
				if setsPassword.MatchString(d.text) {
					found = append(found, s.defined(d, "take it out of the definition", "%s %s is copied, and a password stands in it", d.kind, d.object))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-S06", Phase: "S", Level: report.High, Clauses: "GDPR: 5(1)(c)",
		Title:   "logs, sessions and queues are copied without rows",
		Meaning: "They repeat what other tables hold, in texts that no class was written for, and no test needs them.",
		Fix:     "Write TABLE: drop; the structure is copied all the same.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, ts := range s.met.tables {
				if !ts.copied() || !ts.listed || ts.t.IsPartition || ts.rule == nil || !logLike(ts.t) {
					continue
				}
				found = append(found, s.find(nil, ts.at, ts.t.ID.String(), "write "+spell(s.Catalog.Display(ts.t.ID))+": drop", "%s looks like a log, and its rows are copied", ts.t.ID))
			}
			return found
		},
	},
	{
		ID: "SAN-S07", Phase: "S", Level: report.Low, Clauses: "WP216: 2.2.3",
		Title:   "sequences do not tell how many people there are",
		Meaning: "Where the numbers of people are kept, the next number tells how many there have been.",
		Fix:     "Give the key a class that does {pseudonym: id}.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, v := range s.columns {
				serial := v.c.col.Generation == catalog.IdentityAlways || v.c.col.Generation == catalog.IdentityByDefault || strings.Contains(v.c.col.Default, "nextval(")
				switch {
				case !v.explicit || !serial || !s.identifies(v.c.table):
				case v.kept():
					found = append(found, s.find(nil, v.at, v.object, "give it a class that does {pseudonym: id}", "%s is numbered by a sequence, and kept", v.object))
				case v.masked() && v.c.col.Type.Kind == catalog.Text: // that of a number is set past the masked ones
					found = append(found, s.find(nil, v.at, v.object, "set the sequence anew in the copy, or waive the rule",
						"%s is masked, and its default draws from a sequence that goes on in the copy where it stands", v.object))
				}
			}
			return found
		},
	},
}

// reachesOut is what speaks to other servers, or runs programs, from within a database.
var reachesOut = regexp.MustCompile(`(?i)\b(dblink(_connect|_exec|_send_query)?\s*\(|http_(get|post|put|delete|patch)\s*\(|net\.http_(get|post|delete)\s*\(|aws_lambda\.invoke\s*\(|aws_s3\.\w+\s*\(|cron\.schedule\w*\s*\(|to\s+program\s+'|from\s+program\s+'|pg_read_(server_)?file\s*\(|lo_export\s*\(|load_extension\s*\(|sys_exec\s*\()`)

var setsPassword = regexp.MustCompile(`(?i)(\b(encrypted\s+)?password\s+'[^']|\bpassword\s*=\s*[^\s']|\bidentified\s+by\s+'[^'])`)

// definition is a text of the catalog that is copied.
type definition struct {
	kind   string // function, view, default …
	object string // as a finding names it
	text   string
}

// definitions lists the texts that are copied with the structure.
func (s *Pass) definitions() (all []definition) {
	add := func(kind, object, text string) {
		if text != "" {
			all = append(all, definition{kind, object, text})
		}
	}
	for _, ts := range s.met.tables {
		t, id := ts.t, ts.t.ID.String()
		add("comment on", id, t.Comment)
		add("partition bounds of", id, t.Bounds)
		for i := range t.Columns {
			c := &t.Columns[i]
			add("default of", id+"."+c.Name, c.Default)
			add("computation of", id+"."+c.Name, c.Computation)
			add("comment on", id+"."+c.Name, c.Comment)
			add("enum of", id+"."+c.Name, strings.Join(c.Type.Labels, "\n"))
		}
		for _, d := range t.Checks {
			add("constraint", id+"."+d.Name, d.Text)
		}
		for _, d := range t.Indexes {
			add("index", id+"."+d.Name, d.Text)
		}
		for _, d := range t.Triggers {
			add("trigger", id+"."+d.Name, d.Text)
		}
	}
	for _, o := range s.Catalog.Objects {
		if away(o.Kind) || o.Fate == catalog.Stays || o.Fate == catalog.Neutralised {
			continue
		}
		add(o.Kind, o.Name, o.Definition)
		add("comment on", o.Name, o.Comment)
	}
	return all
}

// away reports the kinds of objects that a run leaves behind, and those who may log in.
func away(kind string) bool {
	switch kind {
	case "subscription", "publication", "event trigger", "event", "foreign server", "foreign data wrapper", "user mapping", "job", "cron job", "role":
		return true
	}
	return false
}

// defined makes a finding about a definition. It never shows the text.
func (s *Pass) defined(d definition, help, format string, args ...any) report.Finding {
	f := s.find(nil, Position{}, d.object, help, format, args...)
	f.Part = d.kind
	return f
}

var (
	emailLiteral = regexp.MustCompile(`[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})`)
	phoneLiteral = regexp.MustCompile(`(?:^|[^\d.])\+[1-9]\d{0,2}[ .()/-]?\d[\d .()/-]{6,14}\d`)
	ibanLiteral  = regexp.MustCompile(`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b`)
	cardLiteral  = regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`)
	ssnLiteral   = regexp.MustCompile(`\b\d{3}-\d{2}-\d{4}\b`)
)

// literals finds personal data in the texts of the catalog, and says of what sort it is.
func literals(s *Pass) (found []report.Finding) {
	for _, d := range s.definitions() {
		sort := ""
		switch {
		case slices.ContainsFunc(emailLiteral.FindAllStringSubmatch(d.text, -1), func(m []string) bool { return !reserved(m[1]) }):
			sort = "an email address"
		case slices.ContainsFunc(ibanLiteral.FindAllString(d.text, -1), validIBAN):
			sort = "an account number"
		case slices.ContainsFunc(cardLiteral.FindAllString(d.text, -1), validCard):
			sort = "a card number"
		case phoneLiteral.MatchString(d.text):
			sort = "a phone number"
		case ssnLiteral.MatchString(d.text):
			sort = "a social security number"
		case d.kind == "comment on" && slices.ContainsFunc(passwordNote.FindAllStringSubmatch(d.text, -1), func(m []string) bool { return strings.ContainsAny(m[1], "0123456789") }):
			sort = "a password"
		}
		if sort != "" {
			found = append(found, s.defined(d, "take it out of the definition at the source", "the %s %s holds %s, and is copied as it is", d.kind, d.object, sort))
		}
	}
	return found
}

// passwordNote is a password in people's words: password is X, pwd: X, api_key=X. What
// follows counts if it has a digit, as words that speak of passwords have not.
var passwordNote = regexp.MustCompile(`(?i)(?:pass(?:word|wort|phrase|code)?|pwd|secret|token|api[ _-]?key|kennwort|contraseña|mot de passe)\s*(?:is\s+|ist\s+|[:=]\s*)['"]?([^\s'"]{5,})`)

// validIBAN checks the two digits of an IBAN.
func validIBAN(text string) bool { return isMod97(strings.ReplaceAll(text, " ", "")) }

// validCard checks the last digit of a card number, and that it begins as one does.
func validCard(text string) bool {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(text)
	return digits[0] >= '3' && digits[0] <= '6' && isLuhn(digits)
}

// logLike reports tables of logs, sessions, queues and versions: by their names, and by
// a column that holds what such tables hold.
func logLike(t *catalog.Table) bool {
	has := func(names ...string) bool {
		return slices.ContainsFunc(t.Columns, func(c catalog.Column) bool {
			return slices.ContainsFunc(tokens(c.Name), func(w string) bool { return slices.Contains(names, w) })
		})
	}
	words := tokens(t.ID.Name)
	if len(words) == 0 {
		return false
	}
	switch last := lastOf(words); {
	case last == "log" || last == "logs" || last == "outbox" || words[0] == "audit" || last == "audit" || last == "audits" || last == "changelog":
		return true
	case last == "queue" || last == "history":
		return has("payload", "body", "message", "data", "old", "new", "before", "after", "details", "request", "email", "recipient")
	case last == "session" || last == "sessions":
		return has("token", "data", "payload", "ip", "agent", "cookie", "key")
	case last == "job" || last == "jobs":
		return has("payload", "handler", "args", "arguments", "queue", "attempts")
	case last == "version" || last == "versions":
		return has("object", "changes", "whodunnit", "diff", "snapshot")
	}
	return false
}
