package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/policies/report"
)

// mostReview is how long a review may hold.
const mostReview = 365 * 24 * time.Hour

// one returns a list of one finding.
func one(f report.Finding) []report.Finding { return []report.Finding{f} }

var governance = []*Analyzer{
	{
		ID: "SAN-P01", Phase: "P", Level: report.Medium, Clauses: "GDPR: 5(2), 30(1)(a)-(d)",
		Title:   "owner, purpose, subjects and recipients are named",
		Meaning: "Without them nobody can say who answers for the copy, what it is for, whose data it holds and who gets it.",
		Fix:     "Fill in owner, purpose, subjects and recipients in the policy's header.",
		run: func(s *Pass) []report.Finding {
			h := s.Policy.Header
			var missing []string
			for _, f := range []struct {
				name  string
				empty bool
			}{{"owner", h.Owner == ""}, {"purpose", h.Purpose == ""}, {"subjects", len(h.Subjects) == 0}, {"recipients", len(h.Recipients) == 0}} {
				if f.empty {
					missing = append(missing, f.name)
				}
			}
			if missing == nil {
				return nil
			}
			return one(s.find(nil, s.header(), "", "under policy add: "+strings.Join(missing, ", "), "the policy's header has no %s", strings.Join(missing, ", ")))
		},
	},
	{
		ID: "SAN-P02", Phase: "P", Level: report.Medium, Clauses: "GDPR: 6(1), 6(4); NIST 800-53: PM-25c",
		Title:   "the legal basis is recorded",
		Meaning: "Data that was collected for one purpose is used for another here, which wants a basis or a test of compatibility.",
		Fix:     "Write the basis, or the outcome of the compatibility test, as legal_basis in the header.",
		run: func(s *Pass) []report.Finding {
			if s.Policy.Header.LegalBasis != "" {
				return nil
			}
			return one(s.find(nil, s.header(), "", "under policy add: legal_basis", "the policy's header has no legal_basis"))
		},
	},
	{
		ID: "SAN-P03", Phase: "P", Level: report.High, Clauses: "GDPR: 24; PCI DSS: 6.5.4; SOC 2: CC8.1",
		Title:   "an approver other than the last author has signed this file",
		Meaning: "A change that nobody else approved can take the protection out of the policy.",
		Fix:     "Let a second person read the file and sign its exact bytes with sanitize sign.",
		needs:   needsSignatures,
		run: func(s *Pass) []report.Finding {
			var why []string
			for _, sig := range s.Approval.Signatures {
				switch {
				case !sig.Valid:
					why = append(why, fmt.Sprintf("the one by %s does not hold", sig.By))
				case s.Approval.Author != "" && sig.By == s.Approval.Author:
					why = append(why, fmt.Sprintf("%s is the last author", sig.By))
				default:
					return nil
				}
			}
			if why == nil {
				why = []string{"there is none"}
			}
			return one(s.find(nil, s.header(), "", "sanitize sign "+s.Policy.File, "no valid signature of an approver over this file: %s", strings.Join(why, "; ")))
		},
	},
	{
		ID: "SAN-P04", Phase: "P", Level: report.High, Clauses: "GDPR: 24(1), 32(1)(d); NIST 800-53: PM-25d",
		Title:   "the review holds, and for at most 365 days",
		Meaning: "Schemas, law and attacks change, and a policy that nobody looks at again protects yesterday's data.",
		Fix:     "Review the policy and write review: {by, on, expires}, with at most 365 days between the dates.",
		run:     review,
	},
	{
		ID: "SAN-P05", Phase: "P", Level: report.Medium, Clauses: "GDPR: 35",
		Title:   "an impact assessment is named where special categories are processed",
		Meaning: "Health, belief, origin and the like, on a large scale, want an assessment before they are processed.",
		Fix:     "Name the assessment as dpia in the header.",
		run: func(s *Pass) []report.Finding {
			if s.Policy.Header.DPIA != "" {
				return nil
			}
			for _, t := range s.settings {
				if t.kind == "special" {
					return one(s.find(t.from, t.at, "", "under policy add: dpia", "%s is of kind special, and the header names no dpia", t.title()))
				}
			}
			return nil
		},
	},
	{
		ID: "SAN-P06", Phase: "P", Level: report.High, Clauses: "GDPR: 5(2)",
		Title:   "each waiver has a reason, an approver and a day in the future, and still matches something",
		Meaning: "A waiver that nobody owns, or that has outlived its matter, hides the next finding of that name.",
		Fix:     "Complete, renew or remove the waiver.",
		run:     func(*Pass) []report.Finding { return nil }, // applyWaivers finds them: it needs all other findings
	},
	{
		ID: "SAN-P07", Phase: "P", Level: report.Medium, Clauses: "ISO 27001: A.8.9; SLSA: dependency pinning",
		Title:   "what the policy extends is pinned by its digest",
		Meaning: "A base that can change without this file changing makes the approved policy another one.",
		Fix:     "Write the base as PATH#sha256:DIGEST, with all 64 digits.",
		run: func(s *Pass) (found []report.Finding) {
			for _, pin := range s.Policy.pins() {
				if n := len(pin.Digest); n < wholePin {
					found = append(found, s.find(pin.in, pin.At, pin.Path, "write "+pin.Path+"#sha256:"+pin.digest(),
						"%s is pinned by %d of the 64 digits of its digest, which another file can be made to share", pin.Path, n))
				}
			}
			return found
		},
	},
	{
		ID: "SAN-P08", Phase: "P", Level: report.High, Clauses: "GDPR: 32(1)(d); SOC 2: CC8.1",
		Title:   "nothing is weaker than in the revision that was signed last",
		Meaning: "A column that was masked and is kept now, a lower k or a longer life are changes that an approver has to see.",
		Fix:     "Read sanitize diff, and have the weaker revision signed, or take the change back.",
		needs: func(s *Pass) string {
			if len(s.Policy.Extends) > 0 {
				return ""
			}
			return needsRevision(s)
		},
		partly: func(s *Pass) string {
			if needsRevision(s) != "" {
				return "compared with the bases alone; the revision that was signed last was not at hand"
			}
			return ""
		},
		run: func(s *Pass) (found []report.Finding) {
			found = s.weakerThanBases()
			if needsRevision(s) != "" {
				return found
			}
			if slices.ContainsFunc(s.Approval.Signatures, func(sig report.Signature) bool { return sig.Valid && sig.By != s.Approval.Author }) {
				return found // the weaker revision is signed itself
			}
			for _, c := range s.Approval.Weakened {
				if c.Strength != Weaker.String() {
					continue
				}
				f := s.find(nil, s.lineOf(c.At), c.At, "have the revision signed, or take the change back", "%s: %s (compared with %s)", c.At, c.Words, s.Approval.Compared)
				found = append(found, f)
			}
			return found
		},
	},
	{
		ID: "SAN-P09", Phase: "P", Level: report.High, Clauses: "GDPR: 5(1)(e), 30(1)(f); ISO 27001: A.8.10; SOC 2: C1.2",
		Title:   "discovery databases have an end",
		Meaning: "A copy that nobody removes outlives its purpose, and each day is one on which it can leak.",
		Fix:     "Write environments: {ttl, max_ttl}, the former at most the latter.",
		run: func(s *Pass) []report.Finding {
			l := s.Policy.Limits
			switch {
			case l.TTL <= 0:
				return one(s.find(nil, l.At, "", "add environments: {ttl: 24h, max_ttl: 7d}", "the policy does not say how long a discovery database may live"))
			case l.MaxTTL > 0 && l.TTL > l.MaxTTL:
				return one(s.find(nil, l.At, "", "lower ttl, or raise max_ttl and say why", "ttl is %s, above max_ttl of %s", period(l.TTL), period(l.MaxTTL)))
			}
			return nil
		},
	},
	{
		ID: "SAN-P10", Phase: "P", Level: report.High, Clauses: "HIPAA: 164.514(b)(2); PCI DSS: 3", profile: "hipaa pci",
		Title:   "the profiles that are claimed have a class for each of their sorts of data",
		Meaning: "A profile that is claimed promises that each sort of data it names is looked for; one without a class cannot be found.",
		Fix:     "Extend the profile's built-in base, or add the classes that are missing.",
		run:     profiles,
	},
}

// weakerThanBases finds what does less than in a base that it builds on. The reader lets
// it pass only with a waiver, which the report then shows.
func (s *Pass) weakerThanBases() (found []report.Finding) {
	for _, w := range s.Policy.Weakened {
		found = append(found, s.find(w.From, w.At, w.Object, "do what the base does, or waive it", "%s", w.Message))
	}
	return found
}

// header is the place of the policy's header, as far as one can point to it.
func (s *Pass) header() Position {
	for i, line := range s.Policy.lines {
		if strings.HasPrefix(line, "policy:") {
			return Position{Line: i + 1, Column: 1}
		}
	}
	return Position{}
}

// lineOf is the line that decides about a column, or about a class.
func (s *Pass) lineOf(object string) Position {
	if v := s.objects[object]; v != nil {
		return v.at
	}
	if c := s.Policy.Class(object); c != nil && c.From == nil {
		return c.At
	}
	return Position{}
}

func review(s *Pass) []report.Finding {
	r := s.Policy.Header.Review
	at := s.header()
	for i, line := range s.Policy.lines {
		if strings.HasPrefix(strings.TrimSpace(line), "review:") {
			at = Position{Line: i + 1, Column: len(line) - len(strings.TrimLeft(line, " ")) + 1}
			break
		}
	}
	on, noStart := time.Parse(time.DateOnly, r.On)
	expires, noEnd := time.Parse(time.DateOnly, r.Expires)
	switch {
	case r.By == "" || noStart != nil:
		return one(s.find(nil, at, "", "under policy add: review: {by: NAME, on: 2026-01-31, expires: 2026-07-31}", "nobody is named who has reviewed the policy, and when"))
	case noEnd != nil:
		return one(s.find(nil, at, "", "add expires", "the review of %s does not say until when it holds", r.On))
	case s.Today.After(expires):
		return one(s.find(nil, at, "", "review the policy again", "the review expired on %s", r.Expires))
	case on.After(s.Today):
		return one(s.find(nil, at, "", "write the day on which it was reviewed", "the review is of %s, which is to come", r.On))
	case expires.Sub(on) > mostReview:
		return one(s.find(nil, at, "", "let it expire 365 days after the review at most", "the review holds for %d days", int(expires.Sub(on).Hours()/24)))
	}
	return nil
}

// period spells a time in days where it is whole days.
func period(d time.Duration) string {
	if day := 24 * time.Hour; d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}

// sort is a sort of data that a profile names, and the words of classes that are of it.
type sort struct{ name, words string }

// profileSorts are the sorts of data that profiles name: by their letters for HIPAA.
var profileSorts = map[string][]sort{
	"hipaa": {
		{"names (A)", "name names"}, {"places smaller than a state (B)", "street address place city postcode zip geographic"}, {"dates (C)", "birth date dates dob"},
		{"telephone numbers (D)", "phone telephone"}, {"fax numbers (E)", "fax phone"}, {"email addresses (F)", "email"}, {"social security numbers (G)", "ssn"},
		{"medical record numbers (H)", "mrn medical record patient"}, {"health plan numbers (I)", "plan beneficiary insurance member"}, {"account numbers (J)", "account"},
		{"certificates and licences (K)", "license licence certificate government"}, {"vehicles (L)", "vehicle plate vin"}, {"devices (M)", "device serial"},
		{"web addresses (N)", "url website"}, {"IP addresses (O)", "ip"}, {"biometric identifiers (P)", "biometric fingerprint voiceprint"},
		{"photographs (Q)", "photo picture image suppressed"}, {"other unique numbers (R)", "id key code uuid unique other"},
	},
	"pci": {
		{"card numbers", "pan card"}, {"cardholder names", "cardholder name holder"},
		{"sensitive authentication data (track, CVV, PIN)", "cvv cvc pin track authentication sad secret"},
	},
}

func profiles(s *Pass) (found []report.Finding) {
	for _, profile := range []string{"hipaa", "pci"} {
		if !s.profiled(profile) {
			continue
		}
		var missing []string
		for _, sort := range profileSorts[profile] {
			covered := slices.ContainsFunc(s.Policy.Classes, func(c *Class) bool {
				return slices.ContainsFunc(tokens(c.Name), func(w string) bool { return slices.Contains(strings.Fields(sort.words), w) })
			})
			if !covered {
				missing = append(missing, sort.name)
			}
		}
		if missing != nil {
			f := s.find(nil, s.header(), "", "add the classes, though no column of today may be of them", "profile %s is claimed, and no class is for %s", profile, strings.Join(missing, ", "))
			f.Part = profile
			found = append(found, f)
		}
	}
	return found
}
