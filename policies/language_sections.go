package policies

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The fields of each section. The reader and the JSON Schema both go by them.
var (
	headerFields      = []string{"name", "revision", "owner", "purpose", "legal_basis", "dpia", "subjects", "recipients", "review", "profiles"}
	reviewFields      = []string{"by", "on", "expires"}
	defaultFields     = []string{"unlisted_column", "unlisted_table", "schema_drift"}
	keyFields         = []string{"from", "scope", "rotate"}
	classFields       = []string{"kind", "do", "doc"}
	tableFields       = []string{"rows", "columns", "keep"}
	rowsFields        = []string{"where", "limit", "sample", "with"}
	partFields        = []string{"class", "do", "because"}
	columnFields      = append(append(slices.Clone(partFields), "key", "each", "malformed"), documents...)
	riskFields        = []string{"table", "quasi", "k"}
	edgeFields        = []string{"keep", "per_column"}
	environmentFields = []string{"ttl", "max_ttl", "max_per_owner", "hosts"}
	waiverFields      = []string{"rule", "at", "because", "by", "expires"}
)

// The spellings of what is written as a text. The JSON Schema has them too.
const (
	wordPattern     = `^[a-z][a-z0-9_-]{0,31}$`
	rotatePattern   = `^[1-9][0-9]{0,3}[dwmy]$`
	durationPattern = `^[1-9][0-9]{0,4}[hdw]$`
	rulePattern     = `^SAN-[A-Z][0-9]{2}$`
	hostPattern     = `^[A-Za-z0-9*_:-]+(\.[A-Za-z0-9*_:-]+)*$`
	samplePattern   = `^(100|[0-9]{1,2}(\.[0-9]{1,6})?)%$`
	extendPattern   = `^[^#]+#sha256:[0-9a-f]{10,64}$`
)

// The greatest numbers that a policy takes.
const (
	mostK         = 1_000_000
	mostPerColumn = 10_000
	mostPerOwner  = 1_000_000
)

var (
	durations = regexp.MustCompile(durationPattern)
	ruleIDs   = regexp.MustCompile(rulePattern)
	hostNames = regexp.MustCompile(hostPattern)
	samples   = regexp.MustCompile(samplePattern)
)

// count returns a whole number from least to most.
func (r *reader) count(n *yaml.Node, what string, least, most int64) (int64, bool) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!int" && decimalInt.MatchString(n.Value) {
		if v, err := strconv.ParseInt(n.Value, 10, 64); err == nil && v >= least && v <= most {
			return v, true
		}
	}
	r.fail(n, "", "%s must be a whole number from %d to %d", what, least, most)
	return 0, false
}

// duration returns a time that is written in hours, days or weeks.
func (r *reader) duration(n *yaml.Node, what string) (time.Duration, bool) {
	s, ok := r.text(n, what)
	if !ok {
		return 0, false
	}
	if !durations.MatchString(s) {
		r.fail(n, "hours, days or weeks: 24h, 7d, 2w", "%s is not a duration", what)
		return 0, false
	}
	number, _ := strconv.Atoi(s[:len(s)-1]) // at most five digits
	unit := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[s[len(s)-1]]
	return time.Duration(number) * unit, true
}

// spellDuration is how a policy writes a time.
func spellDuration(d time.Duration) string {
	hours := int64(d / time.Hour)
	if hours%24 == 0 && hours > 24 {
		return strconv.FormatInt(hours/24, 10) + "d"
	}
	return strconv.FormatInt(hours, 10) + "h"
}

// risk reads the rules about combinations of quasi-identifiers.
func (r *reader) risk(n *yaml.Node) (rules []RiskRule) {
	items := r.list(n, "risk")
	r.atMost(n, len(items), maxRisk, "risk")
	for _, item := range items[:min(len(items), maxRisk)] {
		rule, before := RiskRule{At: at(item)}, len(r.errs)
		for _, f := range r.mapping(item, "a rule of risk") {
			switch f.name {
			case "table":
				rule.Table, _ = r.text(f.value, "the table of a rule of risk")
			case "quasi":
				rule.Quasi = r.texts(f.value, "the quasi of a rule of risk")
			case "k":
				k, _ := r.count(f.value, "the k of a rule of risk", 2, mostK)
				rule.K = int(k)
			default:
				r.unknown(f, "a rule of risk", riskFields...)
			}
		}
		if len(r.errs) == before && (rule.Table == "" || len(rule.Quasi) == 0 || rule.K == 0) {
			r.fail(item, "for example: {table: customers, quasi: [born_on, postcode], k: 5}", "a rule of risk needs table, quasi and k")
		}
		if len(r.errs) == before {
			rules = append(rules, rule)
		}
	}
	return rules
}

// edgeCases reads which sorts of values must be left.
func (r *reader) edgeCases(n *yaml.Node) EdgeCases {
	e := EdgeCases{At: at(n)}
	for _, f := range r.mapping(n, "edge_cases") {
		switch f.name {
		case "keep":
			for _, item := range r.list(f.value, "edge_cases.keep") {
				word, ok := r.oneOf(item, "an item of edge_cases.keep", EdgeKinds()...)
				switch {
				case ok && slices.Contains(e.Keep, word):
					r.fail(item, "", "%q stands in edge_cases.keep for the second time", word)
				case ok:
					e.Keep = append(e.Keep, word)
				}
			}
		case "per_column":
			v, _ := r.count(f.value, "edge_cases.per_column", 1, mostPerColumn)
			e.PerColumn = int(v)
		default:
			r.unknown(f, "edge_cases", edgeFields...)
		}
	}
	return e
}

// environments reads the bounds of the discovery databases.
func (r *reader) environments(n *yaml.Node) Environments {
	e := Environments{At: at(n)}
	for _, f := range r.mapping(n, "environments") {
		what := "environments." + f.name
		switch f.name {
		case "ttl":
			e.TTL, _ = r.duration(f.value, what)
		case "max_ttl":
			e.MaxTTL, _ = r.duration(f.value, what)
		case "max_per_owner":
			v, _ := r.count(f.value, what, 1, mostPerOwner)
			e.MaxPerOwner = int(v)
		case "hosts":
			for _, item := range r.list(f.value, what) {
				s, ok := r.text(item, "an item of "+what)
				switch {
				case !ok:
				case !hostNames.MatchString(s):
					r.fail(item, "a name alone, without port, path and scheme; * is any part of it without a dot: discovery-*.internal", "%s is no pattern of hosts", strconv.Quote(clip(s)))
				case slices.Contains(e.Hosts, s):
					r.fail(item, "", "%q stands in environments.hosts for the second time", clip(s))
				default:
					e.Hosts = append(e.Hosts, s)
				}
			}
			if f.value.Kind == yaml.SequenceNode && len(f.value.Content) == 0 {
				r.fail(f.value, "list the hosts, or take the line out: then any host will do", "environments.hosts is empty, and no target could be on any")
			}
		default:
			r.unknown(f, "environments", environmentFields...)
		}
	}
	return e
}

// waivers reads the findings that somebody has accepted.
func (r *reader) waivers(n *yaml.Node) (waivers []Waiver) {
	for _, item := range r.list(n, "waivers") {
		w, before := Waiver{At: at(item)}, len(r.errs)
		said := map[string]bool{}
		for _, f := range r.mapping(item, "a waiver") {
			said[f.name] = true
			switch f.name {
			case "rule":
				s, ok := r.text(f.value, "the rule of a waiver")
				if ok && !ruleIDs.MatchString(s) {
					r.fail(f.value, "a letter and two digits, as in SAN-Q01", "%s is no rule of the audit", strconv.Quote(clip(s)))
				}
				w.Rule = s
			case "at":
				w.Object, _ = r.text(f.value, "at of a waiver")
			case "because":
				w.Because, _ = r.text(f.value, "because of a waiver")
			case "by":
				w.By, _ = r.text(f.value, "by of a waiver")
			case "expires":
				w.Expires = r.date(f.value, "expires of a waiver")
			default:
				r.unknown(f, "a waiver", waiverFields...)
			}
		}
		if item.Kind == yaml.MappingNode {
			for _, name := range waiverFields {
				if name == "at" && w.Rule == ruleWeakening && strings.TrimSpace(w.Object) == "" {
					r.fail(item, "write at: table.column, a class, or what sanitize diff shows; each weakening wants a waiver of its own", "a waiver of %s does not say what it accepts", ruleWeakening)
				}
				if name != "at" && !said[name] {
					r.fail(item, `{rule: SAN-Q01, at: table.column, because: "…", by: somebody, expires: 2026-12-31}`, "a waiver has no %s", name)
				}
			}
		}
		if len(r.errs) == before {
			waivers = append(waivers, w)
		}
	}
	return waivers
}

// rows reads which rows of a table are copied.
func (r *reader) rows(n *yaml.Node, what string) *RowsRule {
	rule := &RowsRule{At: at(n)}
	fields := r.mapping(n, "rows of "+what)
	if n.Kind == yaml.MappingNode && len(fields) == 0 {
		r.fail(n, "take it out: without it all rows are copied; or {sample: 20%}", "rows of %s is empty", what)
	}
	for _, f := range fields {
		switch f.name {
		case "where":
			s, ok := r.text(f.value, "where of "+what)
			if ok {
				if problem := condition(s); problem != "" {
					r.fail(f.value, "one condition in the source's SQL, as it stands behind WHERE", "where of %s %s", what, problem)
				}
			}
			rule.Where = s
		case "limit":
			rule.Limit, _ = r.count(f.value, "limit of "+what, 1, 1<<53)
		case "sample":
			rule.Sample = r.sample(f.value, what)
		case "with":
			r.fail(f.key, "take it out; give the other tables a where of their own", "rows of %s: with needs subsetting, which is not there yet", what)
		default:
			r.unknown(f, "rows of "+what, rowsFields...)
		}
	}
	return rule
}

// sample reads a part of a whole: 20%, or 0.2.
func (r *reader) sample(n *yaml.Node, what string) float64 {
	if n.Kind == yaml.ScalarNode {
		s, scale := n.Value, 1.0
		good := n.Tag == "!!float" && decimalFloat.MatchString(s)
		if n.Tag == "!!str" && samples.MatchString(s) {
			s, scale, good = strings.TrimSuffix(s, "%"), 100, true
		}
		if good {
			if v, err := strconv.ParseFloat(s, 64); err == nil && v > 0 && v/scale <= 1 {
				return v / scale
			}
		}
	}
	r.fail(n, "write sample: 20%, or sample: 0.2", "sample of %s must be a part of the rows, above 0%% and up to 100%%", what)
	return 0
}

// condition says what keeps a text from being one condition of SQL: it would change
// the statement that it is put into. It knows no dialect and is no parser.
func condition(s string) string {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'' || c == '"' || c == '`':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return "has a quote that is not closed"
			}
			i += end + 1
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return "closes a parenthesis that it does not open"
			}
		case c == ';':
			return "holds a semicolon"
		case strings.HasPrefix(s[i:], "--") || strings.HasPrefix(s[i:], "/*"):
			return "holds a comment"
		}
	}
	if depth > 0 {
		return "opens a parenthesis that it does not close"
	}
	return ""
}
