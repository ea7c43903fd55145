package policies

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies/report"
)

// fewest is the number of values of a domain below which a consistent mask is open to an
// attack by frequencies.
const fewest = 10_000

var strength = []*Analyzer{
	{
		ID: "SAN-T01", Phase: "P", Level: report.Critical, Clauses: "EDPB: draft on pseudonymisation; ENISA: pseudonymisation techniques; PCI DSS: 3.5.1.1",
		Title:   "an identifier is masked under a key",
		Meaning: "A cut or a group is the same for everybody: who guesses a value can compute its mask and find the row.",
		Fix:     "Use a keyed transform (pseudonym, token, fake), or null the column.",
		run: func(s *Pass) (found []report.Finding) {
			for _, t := range s.settings {
				if (t.kind == "direct" || t.kind == "pseudonym") && coarse[t.do.Name] {
					found = append(found, s.about(t, "use {token: base32}, {pseudonym: id} or a fake", "%s is of kind %s, and %s needs no key: anybody can compute it", t.title(), t.kind, t.do))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-T02", Phase: "S/R", Level: report.High, Clauses: "WP216: 4; NIST IR 8053: 3",
		Title:   "no consistent mask stands on a small domain",
		Meaning: "Where there are few values, how often each occurs tells which is which, whatever the key.",
		Fix:     "Null the column, make it coarser, or shuffle it.",
		needs:   needsCatalog,
		partly:  never("by types and ranges; how often each value occurs was not read"),
		run: func(s *Pass) (found []report.Finding) {
			said := map[Position]bool{}
			for _, v := range s.columns {
				if !v.masked() || v.bind == nil || said[v.at] || !slices.Contains([]string{"pseudonym", "direct", "quasi", "special", "pci"}, v.kind) {
					continue
				}
				if blank[v.do.Name] || coarse[v.do.Name] || compound[v.do.Name] || !v.bind.Guarantees.Deterministic || v.do.Params["by"] != nil || v.do.Params["of"] != nil {
					continue
				}
				if n := domainSize(v); n > 0 && n < fewest {
					said[v.at] = true
					found = append(found, s.find(nil, v.at, v.object, `null it, or use {shuffle: column} or {generalize: …}`,
						"%s (%s) has at most %s, and %s masks equal ones alike", v.object, v.c.col.Type.Name, plural(int(n), "value"), v.do))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-T03", Phase: "P", Level: report.High, Clauses: "GDPR: 4(5)",
		Title:   "no identifier is masked so that the key gives it back",
		Meaning: "Who has the key and the copy has the originals; a key that stands for a row only (kind pseudonym) needs that, a name or a card does not.",
		Fix:     "Use a transform that cannot be turned back, or an ephemeral key.",
		run: func(s *Pass) (found []report.Finding) {
			if len(s.Policy.Keys) > 0 && !slices.ContainsFunc(s.Policy.Keys, func(k KeySource) bool { return k.From != "ephemeral" }) {
				return nil // the key is gone when the run is over
			}
			for _, t := range s.settings {
				if !slices.Contains([]string{"direct", "special", "pci"}, t.kind) || t.do.Name == "keep" || blank[t.do.Name] || compound[t.do.Name] {
					continue
				}
				if g, bound := s.guarantees(t); bound && g.Reversible {
					found = append(found, s.about(t, "use {token: base32}, a fake, or a key that is ephemeral", "%s is of kind %s, and with the key %s can be turned back", t.title(), t.kind, t.do))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-T04", Phase: "P", Level: report.High, Clauses: "PCI DSS: 3.4.1; HIPAA: 164.514(b)(2)(i)(B), 164.514(b)(2)(i)(C)",
		Title:   "no more of a value is left than may be",
		Meaning: "The first digits of a card, a postcode, a day or a network narrow a person down to a few.",
		Fix:     "Leave less: a card's test number, three digits of a postcode, the year of a date.",
		run:     tooMuchLeft,
	},
	{
		ID: "SAN-T05", Phase: "P", Level: report.Critical, Clauses: "PCI DSS: 3.5.1",
		Title:   "a card number is not hashed here and truncated there",
		Meaning: "The cut number leaves so few candidates that its keyed twin can be matched to one.",
		Fix:     "Mask all card numbers in one way.",
		run: func(s *Pass) []report.Finding {
			var cut, hashed *setting
			for _, t := range s.settings {
				if t.kind != "pci" {
					continue
				}
				switch t.do.Name {
				case "prefix", "truncate":
					cut = t
				case "token", "pseudonym":
					hashed = t
				}
			}
			if cut == nil || hashed == nil {
				return nil
			}
			return one(s.about(cut, "mask all card numbers in one way", "%s leaves the first digits of card numbers, and %s holds keyed ones", cut.title(), hashed.title()))
		},
	},
	{
		ID: "SAN-T06", Phase: "P/R", Level: report.High, Clauses: "PCI DSS: 6.5.5; GDPR: 5(1)(f)",
		Title:   "masked addresses, numbers and cards are nobody's",
		Meaning: "A test that sends mail, rings or charges reaches whoever owns the number that came out.",
		Fix:     "Use {fake: email}, {fake: phone, range: reserved} and {fake: pan, test_bin: true}.",
		partly:  never("by the transforms; what a target holds is for a scan of it"),
		run:     live,
	},
	{
		ID: "SAN-T07", Phase: "P", Level: report.Medium, Clauses: "WP216: 3.1.1",
		Title:   "shifts differ from subject to subject, and noise is wide enough",
		Meaning: "With one shift for all, who knows one true date knows them all; noise of a few per cent leaves the value where it was.",
		Fix:     "Name the subject by: COLUMN; let noise be 5 % at least, and shifts a week.",
		run: func(s *Pass) (found []report.Finding) {
			for _, t := range s.settings {
				switch {
				case t.do.Name == "shift_days" && t.do.Params["by"] == nil:
					found = append(found, s.about(t, "name the subject: {shift_days: N, by: COLUMN}", "%s shifts all dates alike: who knows one true date knows them all", t.title()))
				case t.do.Name == "shift_days" && number(t.do.Variant) < 7:
					found = append(found, s.about(t, "shift by a week at least", "%s shifts dates by less than a week", t.title()))
				case t.do.Name == "noise" && percent(t.do.Variant) < 5:
					found = append(found, s.about(t, "use 5 % at least", "%s adds noise of %s, which leaves values where they were", t.title(), spell(t.do.Variant)))
				}
			}
			for _, v := range s.wrong(missesSubjects) {
				found = append(found, s.find(nil, v.at, v.object, "name a subject that every row has, or null the column", "%s moves by %s, which may be NULL: who knows one true value of the rows without it knows them all",
					v.title(), clip(fmt.Sprint(v.do.Params["by"]))))
			}
			return found
		},
	},
	{
		ID: "SAN-T08", Phase: "R", Level: report.Medium, Clauses: "WP216: 3.1.2",
		Title:   "no shuffle of few rows",
		Meaning: "Among a few rows a shuffled value often stays where it was, and everybody's is known to be one of a few.",
		Fix:     "Use another transform for small tables.",
		needs:   needsBoth,
		run: func(s *Pass) (found []report.Finding) {
			for _, v := range s.columns {
				if !v.masked() || v.do.Name != "shuffle" {
					continue
				}
				if n, known := s.Manifest.rows(v.c.table.t.ID); known && n < 100 {
					found = append(found, s.find(nil, v.at, v.object, "use another transform", "%s was shuffled among %s", v.object, plural(int(n), "row")))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-T09", Phase: "R", Level: report.Low, Clauses: "WP216: 2.2.1",
		Title:   "whether a special category is there at all does not show",
		Meaning: "A transform that leaves NULL alone tells who has a diagnosis, though not which.",
		Fix:     `Use {"null": true} or a constant, or waive it with why the presence tells nothing.`,
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, v := range s.columns {
				if v.masked() && v.explicit && v.kind == "special" && v.bind != nil && v.bind.Guarantees.KeepsNull && v.do.Name != "null" && !v.c.col.NotNull {
					found = append(found, s.find(nil, v.at, v.object, `use {"null": true} if presence tells something`, "%s stays NULL where it is NULL: who has a value shows", v.object))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-T10", Phase: "P", Level: report.Medium, Clauses: "ISO 27001: A.8.25",
		Title:   "no step depends on chance, on the network or on a program that is not pinned",
		Meaning: "What runs beside the transforms is not covered by the policy's digest, and may give another copy tomorrow.",
		Fix:     "Choose rows by sample instead of chance, and name commands by their full path.",
		run: func(s *Pass) (found []report.Finding) {
			for _, t := range s.Policy.Tables {
				if t.Rows == nil {
					continue
				}
				if w := chance(t.Rows.Where); w != "" {
					found = append(found, s.find(nil, t.Rows.At, t.Name, "use sample: 20%, which chooses the same rows every night", "rows of %s are chosen by %s", t.Name, w))
				}
			}
			for _, k := range s.Policy.Keys {
				command, isExec := strings.CutPrefix(k.From, "exec:")
				if program, _, _ := strings.Cut(strings.TrimSpace(command), " "); isExec && !strings.HasPrefix(program, "/") {
					found = append(found, s.find(nil, k.At, k.Name, "name the program by its full path", "the command of key %s is looked for in PATH", k.Name))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-T11", Phase: "P", Level: report.High, Clauses: "HIPAA: 164.514(b)(2)(i)(C)", profile: "hipaa",
		Title:   "ages above 89 are one group",
		Meaning: "The oldest are few, and their age or year of birth points at them.",
		Fix:     "Use {top_code: 90} for ages, and {bottom_code: …} or null for dates of birth.",
		run: func(s *Pass) (found []report.Finding) {
			for _, t := range s.settings {
				w := t.words()
				age, birth := w["age"], intersects(w, quasiWords["birth"])
				switch {
				case blank[t.do.Name] || compound[t.do.Name] || t.do.Name == "generalize" || t.kind == "not_personal" && t.do.Name != "keep":
				case age && !(t.do.Name == "top_code" && number(t.do.Variant) <= 90):
					found = append(found, s.about(t, "use {top_code: 90}", "%s leaves ages above 89", t.title()))
				case birth && !age && t.do.Name != "bottom_code":
					found = append(found, s.about(t, "null it, or use {bottom_code: DATE}", "%s leaves years of birth that tell ages above 89", t.title()))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-T12", Phase: "R", Level: report.Low, Clauses: "WP216: 2.2.1",
		Title:   "a direct identifier does not keep its length",
		Meaning: "An unusual length singles a name out, however its letters are replaced.",
		Fix:     "Use a fake, which has a length of its own.",
		needs:   needsCatalog,
		run: func(s *Pass) (found []report.Finding) {
			for _, t := range s.settings {
				if t.kind != "direct" || t.do.Name == "keep" || blank[t.do.Name] || digitsOnly(t) {
					continue
				}
				if g, bound := s.guarantees(t); bound && g.KeepsLength {
					found = append(found, s.about(t, "use a fake", "%s keeps the exact length by %s", t.title(), t.do))
				}
			}
			return found
		},
	},
}

// digitsOnly reports numbers of a fixed form, whose length tells nothing.
func digitsOnly(t *setting) bool {
	return t.do.Name == "fake" && slices.Contains([]any{"phone", "account", "ssn", "national_id", "iban", "pan", "postcode", "mac", "ip"}, t.do.Variant)
}

func intersects(a, b map[string]bool) bool {
	for w := range a {
		if b[w] {
			return true
		}
	}
	return false
}

// number is a parameter as a number; infinity if it is none.
func number(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return math.Inf(1)
}

// percent is noise as a percentage; infinity if it is an amount.
func percent(v any) float64 {
	text, isText := v.(string)
	if !isText || !strings.HasSuffix(text, "%") {
		return math.Inf(1)
	}
	var p float64
	if _, err := fmt.Sscanf(text, "%g%%", &p); err != nil {
		return math.Inf(1)
	}
	return p
}

// domainSize is how many values the column can have, as far as its type and the
// transform's range tell; 0 if many or unknown.
func domainSize(v *view) float64 {
	t := v.c.col.Type
	size := 0.0
	switch {
	case len(t.Labels) > 0:
		size = float64(len(t.Labels))
	case t.Kind == catalog.Bool:
		size = 2
	case t.Kind == catalog.Numeric && t.Precision > 0 && t.Precision <= 3:
		size = math.Pow10(t.Precision)
	case t.Kind == catalog.Text && t.Length > 0 && t.Length <= 2:
		size = math.Pow(36, float64(t.Length))
	}
	if r, isList := v.do.Params["range"].([]any); isList && len(r) == 2 {
		if n := number(r[1]) - number(r[0]) + 1; n > 0 && (size == 0 || n < size) {
			size = n
		}
	}
	if math.IsInf(size, 0) || math.IsNaN(size) {
		return 0
	}
	return size
}

// tooMuchLeft finds transforms that leave more of a value than may be.
func tooMuchLeft(s *Pass) (found []report.Finding) {
	hipaa := s.profiled("hipaa")
	for _, t := range s.settings {
		if t.kind == "not_personal" || t.kind == "" {
			continue
		}
		w, n := t.words(), number(t.do.Variant)
		post := intersects(w, quasiWords["postcode"])
		date := intersects(w, quasiWords["birth"]) || w["date"]
		cut := t.do.Name == "prefix" || t.do.Name == "truncate"
		switch {
		case t.kind == "pci" && cut && n > 8:
			found = append(found, s.about(t, "use {fake: pan}", "%s leaves %v digits of a card number", t.title(), t.do.Variant))
		case t.kind == "pci" && t.do.Name == "fake" && t.do.Params["test_bin"] == false:
			found = append(found, s.about(t, "use test_bin: true", "%s leaves the issuer's digits of real cards", t.title()))
		case post && cut && n > 3, post && number(t.do.Params["keep"]) != math.Inf(1) && number(t.do.Params["keep"]) > 3:
			found = append(found, s.about(t, "leave three characters at most", "%s leaves more than three characters of a postcode", t.title()))
		case intersects(w, quasiWords["phone"]) && cut && n > 3:
			found = append(found, s.about(t, "use {fake: phone, range: reserved}", "%s leaves the first %v digits of phone numbers", t.title(), t.do.Variant))
		case t.do.Name == "fake" && t.do.Variant == "ip" && number(t.do.Params["keep"]) != math.Inf(1) && number(t.do.Params["keep"]) > 16:
			found = append(found, s.about(t, "keep 16 bits at most, or use range: reserved", "%s leaves %v bits of an address", t.title(), t.do.Params["keep"]))
		case t.do.Name == "truncate_to" && (t.do.Variant == "hour" || t.do.Variant == "day") && date && t.kind == "quasi":
			found = append(found, s.about(t, "truncate to the month or the year", "%s leaves the day", t.title()))
		case hipaa && t.do.Name == "truncate_to" && (t.do.Variant == "week" || t.do.Variant == "month" || t.do.Variant == "quarter"):
			found = append(found, s.about(t, "truncate to the year", "%s leaves more of a date than the year", t.title()))
		case hipaa && t.do.Name == "shift_days":
			found = append(found, s.about(t, "truncate to the year, or have an expert determine it (164.514(b)(1))", "%s moves dates by days, and leaves more than the year", t.title()))
		}
	}
	return found
}

// live finds masks that may belong to somebody.
func live(s *Pass) (found []report.Finding) {
	for _, t := range s.settings {
		if t.kind == "not_personal" || t.kind == "" || t.kind == "free_text" || t.do.Name == "keep" {
			continue
		}
		w, variant := t.words(), t.do.Variant
		formKept := t.do.Name == "shape"
		switch {
		case (t.do.Name == "fake" || t.do.Name == "person") && (variant == "email" || variant == "url" || variant == "host"):
			if domain, isText := t.do.Params["domain"].(string); isText && !reserved(domain) {
				found = append(found, s.about(t, "use a domain under example.com, example.test or .test", "%s makes addresses at %s, which may be somebody's", t.title(), domain))
			}
		case t.do.Name == "fake" && variant == "phone" && t.do.Params["range"] != "reserved":
			found = append(found, s.about(t, "write {fake: phone, range: reserved}", "%s makes phone numbers that may ring", t.title()))
		case t.do.Name == "fake" && variant == "pan" && t.do.Params["test_bin"] == false:
			found = append(found, s.about(t, "write {fake: pan, test_bin: true}", "%s makes card numbers that may be somebody's", t.title()))
		case formKept && (w["email"] || w["mail"]):
			found = append(found, s.about(t, "use {fake: email}", "%s makes addresses whose domain may be somebody's", t.title()))
		case formKept && intersects(w, quasiWords["phone"]):
			found = append(found, s.about(t, "use {fake: phone, range: reserved}", "%s makes phone numbers that may ring", t.title()))
		case formKept && t.kind == "pci":
			found = append(found, s.about(t, "use {fake: pan}", "%s makes card numbers that may be somebody's", t.title()))
		}
	}
	return found
}

// reserved reports domains that nobody can register (RFC 2606, RFC 6761).
func reserved(domain string) bool {
	domain = "." + strings.ToLower(strings.Trim(domain, "."))
	for _, end := range []string{".test", ".example", ".invalid", ".localhost", ".example.com", ".example.net", ".example.org"} {
		if strings.HasSuffix(domain, end) {
			return true
		}
	}
	return false
}

// chance returns what in a condition depends on chance or on another server, or "".
func chance(where string) string {
	lower := strings.ToLower(where)
	for _, w := range []string{"random()", "rand()", "newid()", "uuid()", "gen_random_uuid()", "tablesample", "dblink", "http_get", "pg_read_file", "load_file", "pg_sleep"} {
		if strings.Contains(strings.ReplaceAll(lower, " ", ""), w) {
			return w
		}
	}
	return ""
}

// missesSubjects reports whether a column is masked by a subject that rows may lack, and moves
// by the subject alone.
func missesSubjects(v *view) bool {
	by, given := v.do.Params["by"].(string)
	if !given || !v.masked() || v.c == nil || v.do.Name != "shift_days" && v.do.Name != "noise" {
		return false
	}
	col, _, _ := findColumn(v.c.table.t, by)
	return col != nil && !col.NotNull
}
