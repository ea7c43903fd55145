package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// fewTables is how many tables of the inventory are open from the start.
const fewTables = 12

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"state": stateWords, "shade": stateShade, "action": actionShade, "weaker": changeShade,
}).Parse(pageText))

// HTML returns the report as one page that loads nothing and runs nothing: no script,
// and a content security policy that allows the page's own style alone. Parts open and
// close by the browser itself, so that all of it can be reached by keyboard.
func (r *Report) HTML() ([]byte, error) {
	r = InertCopy(r)
	sum := sha256.Sum256([]byte(pageStyle))
	data := struct {
		R         *Report
		Name      string
		Policy    string // the content security policy
		Style     template.CSS
		Verdict   string
		Tiles     []tile
		Groups    []pageGroup
		Standards []pageStandard
		Tables    []pageTable
		Few       bool
		Facts     []fact
	}{
		R: r, Name: name(r.Policy), Style: template.CSS(pageStyle), //nolint:gosec // our own file
		Policy:  fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; form-action 'none'", base64.StdEncoding.EncodeToString(sum[:])),
		Verdict: capital(r.Summary()) + ".", Tiles: r.tiles(), Groups: r.groups(), Standards: r.standards(), Tables: r.tables(), Facts: r.facts(),
	}
	data.Few = len(data.Tables) <= fewTables
	var b bytes.Buffer
	if err := page.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return b.Bytes(), nil
}

// tile is a number at the head of the page.
type tile struct {
	Number int
	Words  string
	Class  string
}

func (r *Report) tiles() (tiles []tile) {
	for _, l := range Levels() {
		t := tile{r.Counts.Of(l), string(l), string(l)}
		if t.Number == 0 {
			t.Class = "zero"
		}
		tiles = append(tiles, t)
	}
	return append(tiles, tile{r.Counts.Waived, "waived", "zero"}, tile{r.Counts.Passed, "rules passed", "passed"}, tile{r.Counts.NotEvaluated, "not evaluated", "zero"})
}

// pageGroup is the findings of one rule.
type pageGroup struct {
	Rule     Rule
	Level    Level
	Count    string
	Findings []pageFinding
}

type pageFinding struct {
	Finding
	Place string
}

func (r *Report) groups() (groups []pageGroup) {
	at := map[string]int{}
	for _, f := range r.Findings {
		i, found := at[f.Rule]
		if !found {
			i = len(groups)
			at[f.Rule] = i
			groups = append(groups, pageGroup{Rule: r.Rule(f.Rule), Level: f.Level})
		}
		groups[i].Findings = append(groups[i].Findings, pageFinding{f, f.place()})
	}
	for i := range groups {
		g := &groups[i]
		g.Count = plural(g.Rule.Findings, "finding")
		if g.Rule.Waived > 0 {
			g.Count += fmt.Sprintf(", %d waived", g.Rule.Waived)
		}
	}
	return groups
}

// pageStandard is the clauses of one standard.
type pageStandard struct {
	Name     string
	Count    string
	Findings int
	Clauses  []pageClause
}

type pageClause struct {
	Ref   string
	Rules []Rule
}

// standards turns the rules round: which clause has which evidence.
func (r *Report) standards() (all []pageStandard) {
	at, counted := map[string]int{}, map[string]bool{}
	for _, rule := range r.Rules {
		for _, c := range rule.Clauses {
			i, found := at[c.Standard]
			if !found {
				i = len(all)
				at[c.Standard] = i
				all = append(all, pageStandard{Name: c.Standard})
			}
			s := &all[i]
			j := slices.IndexFunc(s.Clauses, func(p pageClause) bool { return p.Ref == c.Ref })
			if j < 0 {
				j = len(s.Clauses)
				s.Clauses = append(s.Clauses, pageClause{Ref: c.Ref})
			}
			s.Clauses[j].Rules = append(s.Clauses[j].Rules, rule)
			if once := c.Standard + " " + rule.ID; !counted[once] {
				counted[once] = true
				s.Findings += rule.Findings
			}
		}
	}
	for i := range all {
		s := &all[i]
		slices.SortFunc(s.Clauses, func(a, b pageClause) int { return natural(a.Ref, b.Ref) })
		s.Count = plural(len(s.Clauses), "clause")
		if s.Findings > 0 {
			s.Count += ", " + plural(s.Findings, "finding")
		}
	}
	slices.SortFunc(all, func(a, b pageStandard) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// natural compares references so that 5(2) comes before 30(1).
func natural(a, b string) int {
	number := func(s string) (int, string) {
		n := 0
		for s != "" && s[0] >= '0' && s[0] <= '9' {
			n, s = n*10+int(s[0]-'0'), s[1:]
		}
		return n, s
	}
	for a != "" && b != "" {
		x, restA := number(a)
		y, restB := number(b)
		switch {
		case restA != a && restB != b:
			if x != y {
				return x - y
			}
			a, b = restA, restB
		case a[0] != b[0]:
			return int(a[0]) - int(b[0])
		default:
			a, b = a[1:], b[1:]
		}
	}
	return len(a) - len(b)
}

// pageTable is the columns of one table.
type pageTable struct {
	Name    string
	Count   string
	Columns []Column
}

func (r *Report) tables() (tables []pageTable) {
	for _, c := range r.Inventory {
		if n := len(tables); n == 0 || tables[n-1].Name != c.Table {
			tables = append(tables, pageTable{Name: c.Table})
		}
		t := &tables[len(tables)-1]
		t.Columns = append(t.Columns, c)
	}
	for i := range tables {
		counts := map[string]int{}
		for _, c := range tables[i].Columns {
			counts[c.Action]++
		}
		var words []string
		for _, action := range []string{"mask", "keep", "computed", "drop", "undecided"} {
			if counts[action] > 0 {
				words = append(words, fmt.Sprintf("%d %s", counts[action], action))
			}
		}
		tables[i].Count = strings.Join(words, ", ")
	}
	return tables
}

// fact is something that the policy says of itself.
type fact struct {
	What, Value string
	Mono        bool
}

func (r *Report) facts() []fact {
	p := r.Policy
	var keys []string
	for _, k := range p.Keys {
		words := fmt.Sprintf("%s: from %s, scope %s", k.Name, k.Source, k.Scope)
		if k.Rotate != "" {
			words += ", rotated every " + k.Rotate
		}
		keys = append(keys, words)
	}
	life := p.TTL
	if life != "" && p.MaxTTL != "" {
		life += ", at most " + p.MaxTTL
	}
	facts := []fact{
		{What: "Owner", Value: p.Owner}, {What: "Purpose", Value: p.Purpose}, {What: "Legal basis", Value: p.LegalBasis}, {What: "Impact assessment", Value: p.DPIA},
		{What: "Data subjects", Value: strings.Join(p.Subjects, ", ")}, {What: "Recipients", Value: strings.Join(p.Recipients, ", ")}, {What: "Review", Value: dates(p)},
		{What: "Profiles", Value: strings.Join(r.Profiles, ", ")}, {What: "Builds on", Value: strings.Join(p.Extends, ", "), Mono: true}, {What: "Keys", Value: strings.Join(keys, "; ")},
		{What: "Life of a copy", Value: life}, {What: "Hosts of targets", Value: strings.Join(p.Hosts, ", "), Mono: true}, {What: "Digest (SHA-256)", Value: p.Digest, Mono: true},
	}
	if c := r.Catalog; c != nil {
		facts = append(facts, fact{What: "Fingerprint of the catalog", Value: c.Fingerprint, Mono: true})
	}
	if run := r.Run; run != nil {
		facts = append(facts, fact{What: "Run", Value: fmt.Sprintf("%s, from %s to %s, %s", run.ID, run.Source, run.Target, plural(int(run.Rows), "row"))},
			fact{What: "Data of", Value: run.moment()}, fact{What: "Copied", Value: run.processes()})
	}
	return facts
}

// stateWords says what became of a rule.
func stateWords(r Rule) string {
	switch r.State {
	case Failed:
		return plural(r.Findings, "finding")
	case Passed:
		if r.Reason != "" {
			return "passed in part"
		}
	}
	return string(r.State)
}

// stateShade is the colour of a rule's outcome; never the only sign of it.
func stateShade(r Rule) string {
	switch r.State {
	case Failed:
		return string(r.Level)
	case Passed, WaivedAll:
		return "passed"
	}
	return "soft"
}

func actionShade(action string) string {
	switch action {
	case "mask":
		return "passed"
	case "keep":
		return "medium"
	case "undecided":
		return "critical"
	}
	return "soft"
}

func changeShade(strength string) string {
	switch strength {
	case "WEAKER":
		return "critical"
	case "STRONGER":
		return "passed"
	}
	return "soft"
}
