package report

import (
	"fmt"
	"strings"
)

// Paint colours words of the text report; nil leaves them plain.
type Paint func(level Level, words string) string

// Text writes the report for a terminal: the findings by rule, each with its place, an
// excerpt and what to do; then what could not be evaluated, and a summary line.
func (r *Report) Text(paint Paint) string {
	if paint == nil {
		paint = func(_ Level, words string) string { return words }
	}
	r = InertCopy(r)
	var b strings.Builder
	last := ""
	for _, f := range r.Findings {
		if f.Waived != nil {
			continue
		}
		rule := r.Rule(f.Rule)
		if f.Rule != last {
			fmt.Fprintf(&b, "%s  %s\n", paint(f.Level, fmt.Sprintf("%s %s", f.Rule, f.Level)), rule.Title)
			if rule.Meaning != "" {
				fmt.Fprintf(&b, "  %s\n", rule.Meaning)
			}
			if clauses := rule.ClauseText(); clauses != "" {
				fmt.Fprintf(&b, "  evidence for %s\n", clauses)
			}
			b.WriteString("\n")
			last = f.Rule
		}
		fmt.Fprintf(&b, "  %s: %s\n", f.place(), f.Message)
		if f.Excerpt != "" {
			for line := range strings.SplitSeq(f.Excerpt, "\n") {
				fmt.Fprintf(&b, "  %s\n", line)
			}
		}
		if help := f.Help; help != "" {
			fmt.Fprintf(&b, "  hint: %s\n", help)
		}
		b.WriteString("\n")
	}
	r.waivedText(&b)
	r.openText(&b)
	b.WriteString(r.Summary() + "\n")
	return b.String()
}

// waivedText lists what a waiver accepts.
func (r *Report) waivedText(b *strings.Builder) {
	if r.Counts.Waived == 0 {
		return
	}
	b.WriteString("waived\n")
	for _, f := range r.Findings {
		if w := f.Waived; w != nil {
			fmt.Fprintf(b, "  %s %s  %s\n    by %s until %s: %s\n", f.Rule, f.Level, f.Message, w.by(), w.Expires, w.Because)
		}
	}
	b.WriteString("\n")
}

// openText lists what could not be evaluated, grouped by the reason.
func (r *Report) openText(b *strings.Builder) {
	groups := r.notEvaluated()
	if len(groups) == 0 {
		return
	}
	b.WriteString("not evaluated\n")
	for _, g := range groups {
		fmt.Fprintf(b, "  %s\n", g.Reason)
		ids := make([]string, len(g.Rules))
		for i, rule := range g.Rules {
			ids[i] = rule.ID
		}
		const inLine = 10
		for len(ids) > 0 {
			n := min(inLine, len(ids))
			fmt.Fprintf(b, "    %s\n", strings.Join(ids[:n], " "))
			ids = ids[n:]
		}
	}
	b.WriteString("\n")
}

// openRules are rules that could not be evaluated for one reason.
type openRules struct {
	Reason string
	Rules  []Rule
}

// notEvaluated groups the rules that could not be evaluated, in the order of the ids.
func (r *Report) notEvaluated() (groups []openRules) {
	at := map[string]int{}
	for _, rule := range r.Rules {
		if rule.State != NotEvaluated {
			continue
		}
		reason, _, _ := strings.Cut(rule.Reason, ": ")
		if !strings.HasSuffix(reason, "does not tell") {
			reason = rule.Reason // what would tell belongs to it
		}
		i, found := at[reason]
		if !found {
			i = len(groups)
			at[reason] = i
			groups = append(groups, openRules{Reason: reason})
		}
		groups[i].Rules = append(groups[i].Rules, rule)
	}
	return groups
}
