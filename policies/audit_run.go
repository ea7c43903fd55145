package policies

import (
	"fmt"
	"slices"

	"github.com/sanitize-db/sanitize/policies/report"
)

var runRules = []*Analyzer{
	{
		ID: "SAN-R01", Phase: "R", Level: report.Critical, Clauses: "SOC 2: CC8.1",
		Title:   "the run went by this policy",
		Meaning: "A copy that was made under other bytes was masked by something that nobody reads here.",
		Fix:     "Run again with this file, or audit the file that the run went by.",
		needs:   needsFingerprint("policy"),
		run: func(s *Pass) []report.Finding {
			if ran := s.Manifest.Fingerprint["policy"]; ran != s.Policy.Digest {
				return one(s.evidence(s.Manifest.Run, "run again with this file", "run %s went by the policy %s, and this one is %s", s.Manifest.Run, short(ran), short(s.Policy.Digest)))
			}
			return nil
		},
	},
	{
		ID: "SAN-R02", Phase: "R", Level: report.High, Clauses: "GDPR: 32(1)(d)",
		Title:   "the run saw the catalog that was approved",
		Meaning: "Tables and columns that came in between were decided about by nobody who looked.",
		Fix:     "Audit the policy with the catalog of today, and run again.",
		needs: func(s *Pass) string {
			if reason := needsFingerprint("catalog")(s); reason != "" {
				return reason
			}
			if s.approvedCatalog() == "" {
				return needsCatalog(s)
			}
			return ""
		},
		run: func(s *Pass) []report.Finding {
			if saw, approved := s.Manifest.Fingerprint["catalog"], s.approvedCatalog(); saw != approved {
				return one(s.evidence(s.Manifest.Run, "audit with the catalog of today, and run again", "run %s saw the catalog %s, and the one at hand is %s", s.Manifest.Run, short(saw), short(approved)))
			}
			return nil
		},
	},
	{
		ID: "SAN-R03", Phase: "R", Level: report.Critical, Clauses: "GDPR: 32(1)(d)",
		Title:   "masked columns hold no more of their old values than chance explains",
		Meaning: "A transform that lets values through is one that was not applied.",
		Fix:     "Look at the column's transform, and run again.",
		needs:   untold("the measured share of retained values"),
	},
	{
		ID: "SAN-R04", Phase: "R", Level: report.Critical, Clauses: "GDPR: 32(1)(d)",
		Title:   "no value of a sensitive column is found anywhere in the target",
		Meaning: "The one test that does not trust the policy: what was secret is searched for in all that came out.",
		Fix:     "Mask the column in which it was found.",
		needs:   untold("a search of the target"),
	},
	{
		ID: "SAN-R05", Phase: "R", Level: report.Critical, Clauses: "PCI DSS: 6.5.5",
		Title:   "no live card number is in the target",
		Meaning: "A number that passes the check and is of no test range may be charged.",
		Fix:     "Mask the column in which it was found by {fake: pan}.",
		needs:   untold("a search of the target"),
	},
	{
		ID: "SAN-R06", Phase: "R", Level: report.High, Clauses: "ISO 27001: A.8.33",
		Title:   "the detector finds in the target nothing that the policy did not make",
		Meaning: "Personal data in a column that was thought public shows in its values.",
		Fix:     "Give the column a class.",
		needs:   untold("a scan of the target"),
	},
	{
		ID: "SAN-R07", Phase: "R", Level: report.High, Clauses: "ISO 27001: A.8.33",
		Title:   "the copy is whole",
		Meaning: "Tables or rows that are missing, or that were not to be there, make the copy another than the policy describes.",
		Fix:     "Run again; a run that ends with exit code 0 has validated every key.",
		needs:   needsManifest,
		partly: func(s *Pass) string {
			if s.Catalog == nil {
				return "by the manifest's own counts; which tables were to be copied needs a catalog"
			}
			return ""
		},
		run: wholeCopy,
	},
	{
		ID: "SAN-R08", Phase: "R", Level: report.Medium, Clauses: "ISO 27001: A.8.33",
		Title:   "edge cases are still there",
		Meaning: "A copy without its longest name and its leap day tests less than production does.",
		Fix:     "List the sorts of edge cases that tests need.",
		needs:   untold("the measured edge cases of a run"),
	},
	{
		ID: "SAN-R09", Phase: "R", Level: report.Medium, Clauses: "SOC 2: CC8.1",
		Title:   "the same snapshot, policy and key give the same copy",
		Meaning: "What cannot be made again cannot be checked again.",
		Fix:     "Report it: the laws of the transforms' tests forbid it.",
		needs:   untold("the digests of two runs of one snapshot"),
	},
	{
		ID: "SAN-R10", Phase: "R", Level: report.Medium, Clauses: "ISO 27001: A.8.31",
		Title:   "the source was read in one consistent snapshot",
		Meaning: "Rows of two moments do not fit together, and a session that may write can harm production.",
		Fix:     "Run again; sessions of sanitize are read-only and see one moment.",
		needs:   needsManifest,
		run: func(s *Pass) []report.Finding {
			if m := s.Manifest; m.Snapshot == "" {
				return one(s.evidence(m.Run, "run again", "run %s names no snapshot", m.Run))
			}
			return nil
		},
	},
	{
		ID: "SAN-R11", Phase: "R", Level: report.Critical, Clauses: "ISO 27001: A.8.15; PCI DSS: 3.5.1.1",
		Title:   "no value of the source is in logs, errors, metrics or temporary files",
		Meaning: "A log is kept longer than a copy, and read by more people.",
		Fix:     "Report it: errors give coordinates, never contents.",
		needs:   untold("a search of the run's logs"),
	},
	{
		ID: "SAN-R12", Phase: "R", Level: report.High, Clauses: "SOC 2: CC8.1",
		Title:   "the run's attestation is signed, and the signature holds",
		Meaning: "A manifest that anybody can write proves nothing.",
		Fix:     "Sign the manifest where the run takes place.",
		needs:   untold("a signature over the manifest"),
	},
	{
		ID: "SAN-R13", Phase: "P", Level: report.High, Clauses: "GDPR: 32(1)(a); PCI DSS: 4.2.1",
		Title:   "connections are local, or encrypted and to a verified server",
		Meaning: "On the way from production the rows are not masked yet.",
		Fix:     "Connect with sslmode=verify-full, or through a local socket.",
		needs: func(s *Pass) string {
			if reason := needsManifest(s); reason != "" {
				return reason
			}
			for _, reason := range []string{unplaced("source", s.Manifest.Source), unplaced("target", s.Manifest.Target)} {
				if reason != "" {
					return reason
				}
			}
			from, _ := siteOf(s.Manifest.Source)
			to, _ := siteOf(s.Manifest.Target)
			if !onThisMachine(from.host) || !onThisMachine(to.host) {
				return untold("how connections to other machines are encrypted")(s)
			}
			return ""
		},
		run: func(*Pass) []report.Finding { return nil }, // both ends are on the run's machine
	},
}

var environmentRules = []*Analyzer{
	{
		ID: "SAN-E01", Phase: "P/R", Level: report.Critical, Clauses: "PCI DSS: 6.5.3; ISO 27001: A.8.31",
		Title:   "the target is where targets may be, and not where production is",
		Meaning: "A copy on production's server shares its accounts, its backups and its fate.",
		Fix:     "List the hosts under environments: {hosts: […]}, and build the copy there.",
		needs: func(s *Pass) string {
			if reason := needsManifest(s); reason != "" {
				return reason
			}
			return unplaced("target", s.Manifest.Target)
		},
		partly: func(s *Pass) string { return unplaced("source", s.Manifest.Source) },
		run: func(s *Pass) (found []report.Finding) {
			m := s.Manifest
			to, _ := siteOf(m.Target)
			if from, known := siteOf(m.Source); known && from.server == to.server {
				f := s.evidence(m.Run, "build the copy on another server", "source and target of run %s are on one server, %s", m.Run, to.server)
				f.Part = "server"
				found = append(found, f)
			}
			if onThisMachine(to.host) && len(s.Policy.Limits.Hosts) == 0 {
				return found // the machine of the run, where no list says otherwise
			}
			if !s.Policy.Limits.Names(to.host) {
				f := s.find(nil, s.Policy.Limits.At, m.Run, "build the copy on a host of the list, or add it to environments.hosts", "the target of run %s is on %s, which is not on the list of hosts", m.Run, to.host)
				f.Part = "host"
				found = append(found, f)
			}
			return found
		},
	},
	{
		ID: "SAN-E02", Phase: "R", Level: report.High, Clauses: "GDPR: 5(1)(e); SOC 2: C1.2",
		Title:   "no environment has outlived its time",
		Meaning: "A copy past its end is one that nobody needs and anybody may find.",
		Fix:     "Remove it, or extend it within max_ttl.",
		needs:   never("needs the register of environments, which this version does not keep"),
	},
	{
		ID: "SAN-E03", Phase: "R", Level: report.Medium, Clauses: "SOC 2: CC6",
		Title:   "each environment has an owner",
		Meaning: "What nobody owns nobody removes.",
		Fix:     "Name the owner when the environment is made.",
		needs:   never("needs the register of environments, which this version does not keep"),
	},
	{
		ID: "SAN-E04", Phase: "R", Level: report.Medium, Clauses: "ISO 27001: A.8.10; SOC 2: C1.2",
		Title:   "what was removed left a record",
		Meaning: "A removal that nobody recorded cannot be shown.",
		Fix:     "Remove environments through the program, which records it.",
		needs:   never("needs the register of environments, which this version does not keep"),
	},
	{
		ID: "SAN-E05", Phase: "R", Level: report.Medium, Clauses: "ISO 27001: A.8.3",
		Title:   "not everybody can read the copy",
		Meaning: "A grant to all makes every account of the server a reader of pseudonymised personal data.",
		Fix:     "Grant reading to the role of the testers only.",
		needs:   untold("the target's grants"),
	},
}

// needsFingerprint asks for a part of a manifest's fingerprint.
func needsFingerprint(part string) func(*Pass) string {
	return func(s *Pass) string {
		if reason := needsManifest(s); reason != "" {
			return reason
		}
		if s.Manifest.Fingerprint[part] == "" {
			return "the manifest has no fingerprint of the " + part
		}
		return ""
	}
}

// approvedCatalog is the fingerprint of the catalog that was locked, or else of the one
// at hand.
func (s *Pass) approvedCatalog() string {
	if s.Approval != nil && s.Approval.Catalog != "" {
		return s.Approval.Catalog
	}
	if s.Catalog != nil {
		return s.Catalog.Fingerprint()
	}
	return ""
}

// evidence makes a finding about a run.
func (s *Pass) evidence(object, help, format string, args ...any) report.Finding {
	return s.find(nil, Position{}, object, help, format, args...)
}

// short is the beginning of a digest.
func short(digest string) string {
	if len(digest) > 12 {
		return digest[:12] + "…"
	}
	return digest
}

// whole compares what was copied with what was to be.
func wholeCopy(s *Pass) (found []report.Finding) {
	m := s.Manifest
	sum := int64(0)
	for _, t := range m.Tables {
		sum += t.Rows
		if t.Dropped && t.Rows > 0 {
			found = append(found, s.evidence(t.Table.String(), "run again", "%s was to stay without rows, and has %s", t.Table, plural(int(t.Rows), "row")))
		}
	}
	if sum != m.Rows {
		f := s.evidence(m.Run, "the manifest was changed, or is not whole", "run %s counts %d rows in all, and %d in its tables", m.Run, m.Rows, sum)
		f.Part = "rows"
		found = append(found, f)
	}
	if s.met == nil {
		return found
	}
	for _, ts := range s.met.tables {
		if !ts.t.StoresRows() || !ts.listed {
			continue
		}
		i := slices.IndexFunc(m.Tables, func(t ManifestTable) bool { return t.Table == ts.t.ID })
		switch {
		case i < 0:
			found = append(found, s.find(nil, ts.at, ts.t.ID.String(), "run again", "run %s knows no table %s", m.Run, ts.t.ID))
		case ts.drop && !m.Tables[i].Dropped:
			found = append(found, s.find(nil, ts.at, ts.t.ID.String(), "run again", "%s is dropped, and run %s copied its rows", ts.t.ID, m.Run))
		}
	}
	return found
}

// unplaced says that the manifest does not tell where one end of the run is; "" if it does.
func unplaced(end, display string) string {
	if _, known := siteOf(display); known {
		return ""
	}
	return fmt.Sprintf("the manifest calls the %s %s, which is no host with a port and no path: where it is cannot be told", end, clip(display))
}
