package policies

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies/report"
)

var keyRules = []*Analyzer{
	{
		ID: "SAN-K01", Phase: "P", Level: report.Critical, Clauses: "GDPR: 4(5); PCI DSS: 3.6, 3.7",
		Title:   "no key stands in the policy, a flag or the environment",
		Meaning: "Who can read the policy or the list of processes can then turn pseudonyms back, or make them.",
		Fix:     "Take the key from a file that only its owner reads, or from a command that asks a store.",
		run: func(s *Pass) (found []report.Finding) {
			for _, k := range s.Policy.Keys {
				command, isExec := strings.CutPrefix(k.From, "exec:")
				switch {
				case isExec && printsItself(command):
					found = append(found, s.find(nil, k.At, k.Name, "let the command ask a store of secrets", "the command of key %s prints what stands in it, or in the environment", k.Name))
				case !isExec && !strings.HasPrefix(k.From, "file:") && k.From != "ephemeral":
					found = append(found, s.find(nil, k.At, k.Name, "write from: file:PATH", "key %s comes from neither a file nor a command", k.Name))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-K02", Phase: "R", Level: report.Critical, Clauses: "EDPB: draft on pseudonymisation",
		Title:   "the key has 256 random bits",
		Meaning: "A key that is a word can be guessed, and with it every pseudonym.",
		Fix:     "Make keys with sanitize keys new.",
		needs:   never("needs the key, which an audit does not read; see sanitize keys check"),
	},
	{
		ID: "SAN-K03", Phase: "R", Level: report.High, Clauses: "EDPB: domain of pseudonymisation; WP216: 2.2.1",
		Title:   "no key serves two scopes or recipients",
		Meaning: "Two copies under one key can be joined, though their recipients were kept apart.",
		Fix:     "Make a key for each scope.",
		needs: need(func(s *Pass) bool { return len(s.Policy.Keys) < 2 },
			"needs the check values of the keys of other runs; the policy has one key"),
		partly: never("of the keys of this policy; those of other runs were not at hand"),
		run: func(s *Pass) (found []report.Finding) {
			for i, k := range s.Policy.Keys {
				for _, other := range s.Policy.Keys[:i] {
					if k.From == other.From && k.From != "ephemeral" && k.Scope != other.Scope {
						found = append(found, s.find(nil, k.At, k.Name, "make a key for each scope", "keys %s and %s are the same key, in two scopes", other.Name, k.Name))
					}
				}
			}
			return found
		},
	},
	{
		ID: "SAN-K04", Phase: "P/R", Level: report.Medium, Clauses: "PCI DSS: 3.7.4",
		Title:   "keys are changed from time to time",
		Meaning: "A key that never changes joins all copies that ever were, and one loss opens them all.",
		Fix:     "Declare the period: rotate: 90d.",
		partly:  never("whether a period is declared; how old the key is was not at hand"),
		run: func(s *Pass) (found []report.Finding) {
			for _, k := range s.Policy.Keys {
				if k.Rotate == "" && k.From != "ephemeral" {
					found = append(found, s.find(nil, k.At, k.Name, "add rotate: 90d", "key %s has no period of rotation", k.Name))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-K05", Phase: "R", Level: report.Critical, Clauses: "GDPR: 32(1)(d); EDPB: draft on pseudonymisation",
		Title:   "another key gives another copy",
		Meaning: "A mask that does not change with the key is one that anybody can compute.",
		Fix:     "Report it: the laws of the transforms' tests forbid it.",
		needs:   untold("probe rows under two keys"),
	},
	{
		ID: "SAN-K06", Phase: "R", Level: report.Critical, Clauses: "GDPR: 4(5)",
		Title:   "only its owner reads the key, and the target does not hold it",
		Meaning: "A key beside the copy gives back what the copy hides.",
		Fix:     "Keep the key file at mode 0600, on another machine than the copy.",
		needs:   never("needs the machine of the run; a run refuses a key file that others may read"),
	},
	{
		ID: "SAN-K07", Phase: "P", Level: report.Medium, Clauses: "WP216: 2.2.1",
		Title:   "keys of different things are in different domains",
		Meaning: "Ids that no key or link ties together are masked alike under one class, so that rows of two tables can be joined by number.",
		Fix:     "Give each sort of thing a class of its own, or declare the link.",
		needs:   needsCatalog,
		run:     sharedDomains,
	},
}

// expanded is what a shell would put in its place.
var expanded = regexp.MustCompile(`\$\{?[A-Za-z_]`)

// Programs that print their own words or the environment, wherever in a command they
// stand, and those that run a text which stands in the command.
var (
	printers = words(`echo printf printenv env`)
	shells   = words(`sh ash bash dash fish ksh mksh zsh csh tcsh python python3 perl ruby node awk`)
)

// printsItself reports whether a command prints what stands in it, or a variable: then
// whoever reads the policy, or the list of processes, has the key.
func printsItself(command string) bool {
	if expanded.MatchString(command) {
		return true
	}
	all := strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t\n'\"`;|&()", r) })
	shell := false
	for _, w := range all {
		name := path.Base(w)
		switch {
		case printers[name]:
			return true
		case shells[name]:
			shell = true
		case shell && inlineScript.MatchString(w):
			return true
		}
	}
	return false
}

// inlineScript is the flag before a script that stands in the command: -c, -ec, -e.
var inlineScript = regexp.MustCompile(`^-[a-z]*[ce][a-z]*$`)

// sharedDomains finds classes of pseudonyms that are used on several primary or unique
// keys which nothing ties together.
func sharedDomains(s *Pass) (found []report.Finding) {
	ends := map[string][]*view{}
	groups := map[string]map[*group]bool{}
	for _, v := range s.columns {
		if !v.masked() || v.kind != "pseudonym" || v.c.group == nil || !v.explicit {
			continue
		}
		unique := slices.ContainsFunc(v.c.table.t.UniqueKeys(), func(k catalog.Key) bool { return len(k.Columns) == 1 && k.Columns[0] == v.name })
		if !unique || groups[v.class][v.c.group] {
			continue
		}
		if groups[v.class] == nil {
			groups[v.class] = map[*group]bool{}
		}
		groups[v.class][v.c.group] = true
		ends[v.class] = append(ends[v.class], v)
	}
	for _, c := range s.Policy.Classes {
		if list := ends[c.Name]; len(list) > 1 {
			names := make([]string, len(list))
			for i, v := range list {
				names[i] = v.object
			}
			found = append(found, s.find(c.From, c.At, c.Name, "give each a class of its own, or link them", "class %s masks keys that nothing ties together, all in one domain: %s", c.Name, strings.Join(clipList(names, 6), ", ")))
		}
	}
	return found
}
