package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies/report"
)

// Audit holds every rule against a policy and what evidence there is. The policy need
// not compile: what stops it comes back as findings. Waivers of the policy are applied.
// The report is finished, except for its Tool; it depends on nothing beside the
// arguments.
func Audit(p *Policy, e Evidence, reg *masking.Registry) *report.Report {
	s := newPass(p, e, reg)
	r := &report.Report{Date: s.Today.Format(time.DateOnly), Profiles: s.Profiles, Policy: s.facts()}
	evaluated := map[string]bool{}
	for _, a := range Analyzers() {
		rule := a.Rule()
		rule.State = report.Passed
		reason := ""
		if a.needs != nil {
			reason = a.needs(s)
		}
		switch {
		case a.profile != "" && !slices.ContainsFunc(strings.Fields(a.profile), s.profiled):
			rule.State, rule.Reason = report.NotApplicable, "belongs to a profile that is not claimed: "+strings.ReplaceAll(a.profile, " ", ", ")
		case reason != "":
			rule.State, rule.Reason = report.NotEvaluated, reason
		default:
			evaluated[a.ID] = true
			if a.partly != nil {
				rule.Reason = a.partly(s)
			}
			for _, f := range a.run(s) {
				f.Rule = a.ID
				if f.Level == "" {
					f.Level = a.Level
				}
				r.Findings = append(r.Findings, f)
			}
		}
		r.Rules = append(r.Rules, rule)
	}
	r.Findings = append(r.Findings, s.applyWaivers(r.Findings, evaluated)...)
	s.describe(r)
	r.Finish()
	return r
}

// applyWaivers marks the findings that a waiver accepts, and returns what SAN-P06 holds
// against the waivers.
func (s *Pass) applyWaivers(findings []report.Finding, evaluated map[string]bool) (found []report.Finding) {
	rule := FindAnalyzer("SAN-P06")
	for _, w := range s.Policy.Waivers {
		complain := func(help, format string, args ...any) {
			f := s.find(w.From, w.At, w.Object, help, format, args...)
			f.Rule, f.Level, f.Part = rule.ID, rule.Level, w.Rule
			found = append(found, f)
		}
		var missing []string
		for _, field := range []struct{ name, value string }{{"because", w.Because}, {"by", w.By}, {"expires", w.Expires}} {
			if strings.TrimSpace(field.value) == "" {
				missing = append(missing, field.name)
			}
		}
		name := w.Rule
		if w.Object != "" {
			name += " at " + w.Object
		}
		a := FindAnalyzer(w.Rule)
		until, err := time.Parse(time.DateOnly, w.Expires)
		switch {
		case a == nil || a.ID != w.Rule:
			complain("see the rules with: sanitize explain", "the waiver names %s, and there is no such rule", clip(w.Rule))
		case w.Rule == rule.ID:
			complain("complete, renew or remove the waiver that it is about", "a waiver cannot waive the rule about waivers")
		case missing != nil:
			complain("add "+strings.Join(missing, ", "), "the waiver of %s has no %s", name, strings.Join(missing, ", "))
		case err != nil:
			complain("write a day like 2027-01-31", "the waiver of %s does not end on a day", name)
		case s.Today.After(until):
			complain("look at the finding again; renew the waiver, or remove it", "the waiver of %s expired on %s", name, w.Expires)
		default:
			// A waiver of a base accepts what stands in the base. Whoever writes a line that
			// needs one signs for it.
			matched, foreign := false, false
			for i := range findings {
				f := &findings[i]
				if f.Rule != w.Rule || !s.sameObject(f.Object, w.Object) {
					continue
				}
				if w.From != nil && f.File != w.From.File {
					foreign = true
					continue
				}
				matched = true
				if f.Waived == nil {
					f.Waived = &report.Waived{Because: w.Because, By: w.By, Expires: w.Expires}
					if w.From != nil {
						f.Waived.From = w.From.File
					}
				}
			}
			// A rule that could not be evaluated tells nothing of its waivers.
			switch {
			case matched || !evaluated[w.Rule]:
			case foreign:
				complain("if it is to be accepted, waive it in the file that has the line", "the waiver of %s stands in a base, and accepts nothing that another file does", name)
			case w.Rule == weakening && needsRevision(s) != "" && s.known(w.Object):
				// It may be about the revision that was signed last, which is not at hand.
			default:
				complain("remove it, or correct what it names", "the waiver of %s matches no finding", name)
			}
		}
	}
	return found
}

// sameObject compares what a finding and a waiver name. A schema that may be left out in
// the policy may be left out here.
func (s *Pass) sameObject(object, waived string) bool {
	if object == waived {
		return true
	}
	if s.Catalog == nil || s.Catalog.DefaultSchema == "" {
		return false
	}
	return object == s.Catalog.DefaultSchema+"."+waived
}

// known reports whether an object is one of the policy's columns or classes.
func (s *Pass) known(object string) bool {
	return s.Policy.Class(object) != nil || slices.ContainsFunc(s.columns, func(v *view) bool { return s.sameObject(v.object, object) })
}

// facts is what the policy says of itself.
func (s *Pass) facts() report.Policy {
	p := s.Policy
	h := p.Header
	f := report.Policy{File: p.File, Digest: p.Digest, Name: h.Name, Revision: h.Revision, Owner: h.Owner, Purpose: h.Purpose, LegalBasis: h.LegalBasis,
		DPIA: h.DPIA, Subjects: h.Subjects, Recipients: h.Recipients, Profiles: h.Profiles, ReviewBy: h.Review.By, ReviewOn: h.Review.On, Expires: h.Review.Expires,
		Hosts: p.Limits.Hosts}
	if p.Limits.TTL > 0 {
		f.TTL = period(p.Limits.TTL)
	}
	if p.Limits.MaxTTL > 0 {
		f.MaxTTL = period(p.Limits.MaxTTL)
	}
	for _, e := range p.Extends {
		f.Extends = append(f.Extends, e.Path+"#sha256:"+e.Digest)
	}
	for _, k := range p.Keys {
		source, _, _ := strings.Cut(k.From, ":")
		if !slices.Contains([]string{"file", "exec", "ephemeral"}, source) {
			source = "unknown" // whatever stands there is not repeated
		}
		f.Keys = append(f.Keys, report.Key{Name: k.Name, Source: source, Scope: k.Scope, Rotate: k.Rotate})
	}
	return f
}

// describe fills in what a report shows beside findings.
func (s *Pass) describe(r *report.Report) {
	if c := s.Catalog; c != nil {
		r.Catalog = &report.Catalog{Connector: c.Connector, Server: c.Server, Fingerprint: c.Fingerprint(), Tables: len(c.Tables)}
		for _, t := range c.Tables {
			r.Catalog.Columns += len(t.Columns)
		}
	}
	if m := s.Manifest; m != nil {
		r.Run = m.facts()
	}
	if a := s.Approval; a != nil {
		r.Signatures, r.Weakened, r.Compared = a.Signatures, a.Weakened, a.Compared
	}
	used := map[string]int{}
	for _, v := range s.columns {
		r.Inventory = append(r.Inventory, s.inventory(v))
		if v.decided && v.copied {
			used[v.class]++
		}
	}
	for _, c := range s.Policy.Classes {
		from := s.Policy
		if c.From != nil {
			from = c.From
		}
		r.Classes = append(r.Classes, report.Class{Name: c.Name, Kind: c.Kind, Do: c.Do.String(), Doc: c.Doc, Where: fmt.Sprintf("%s:%d", from.File, c.At.Line), Columns: used[c.Name]})
	}
}

// inventory is a column's line of the inventory.
func (s *Pass) inventory(v *view) report.Column {
	out := report.Column{Table: v.table, Column: v.name, Class: v.class, Kind: v.kind}
	where := func(pos Position) string {
		if pos.Line == 0 {
			return ""
		}
		return fmt.Sprintf("%s:%d", s.Policy.File, pos.Line)
	}
	if v.c != nil {
		out.Type, out.Action, out.Why = v.c.col.Type.Name, s.met.action(v.c), v.c.why
	} else {
		out.Action, out.Why = "mask", "listed"
		switch {
		case !v.copied:
			out.Action = "drop"
		case !v.decided:
			out.Action, out.Class = "undecided", ""
		case v.do.Name == "keep":
			out.Action = "keep"
		}
	}
	switch out.Action {
	case "drop":
		out.Class, out.Kind = "", ""
		if v.c != nil {
			out.Why, out.Where = v.c.table.why, where(v.c.table.at)
		}
	case "computed":
		out.Why = "computed by the database"
	case "keep", "mask", deriveWord:
		out.Do, out.Where = v.do.String(), where(v.at)
	}
	if v.bind != nil {
		out.Guarantees = guaranteeWords(v.bind.Guarantees)
	}
	return out
}

// guaranteeWords says what a transform promises of a column.
func guaranteeWords(g masking.Guarantees) string {
	var list []string
	for _, w := range []struct {
		holds bool
		words string
	}{
		{g.Deterministic, "deterministic"}, {g.Injective, "injective"}, {g.Reversible, "reversible with the key"}, {g.KeepsFormat, "keeps the format"},
		{g.KeepsLength, "keeps the length"}, {g.KeepsNull, "keeps NULL"}, {g.KeepsEmpty, "keeps what is empty"},
	} {
		if w.holds {
			list = append(list, w.words)
		}
	}
	if !g.Injective && g.OutputBits > 0 {
		list = append(list, fmt.Sprintf("%.0f bits", g.OutputBits))
	}
	return strings.Join(list, ", ")
}
