package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// The parts of SARIF 2.1.0 (OASIS, errata 01) that an audit fills.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		ColumnKind  string            `json:"columnKind"`
		BaseIDs     map[string]any    `json:"originalUriBaseIds"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		Properties  map[string]any    `json:"properties,omitempty"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifRule struct {
		ID            string         `json:"id"`
		Name          string         `json:"name"`
		Short         sarifText      `json:"shortDescription"`
		Full          sarifText      `json:"fullDescription"`
		Help          sarifText      `json:"help"`
		Configuration map[string]any `json:"defaultConfiguration"`
		Properties    map[string]any `json:"properties"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level      string            `json:"level"`
		Message    sarifText         `json:"message"`
		Associated map[string]string `json:"associatedRule"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

// sarifLevel is a level in SARIF's words, and its number for those who sort by
// properties.security-severity.
func sarifLevel(l Level) (word, severity string) {
	switch l {
	case Critical:
		return "error", "9.5"
	case High:
		return "error", "8.0"
	case Medium:
		return "warning", "5.0"
	}
	return "note", "2.0"
}

// SARIF returns the report as SARIF 2.1.0: a rule for each of the audit's, with its
// help and clauses; a result for each finding, whose fingerprint is made of rule, object
// and part, so that it outlives a moved line; a suppression for each waiver; and a
// notification for each rule that was not evaluated.
func (r *Report) SARIF() ([]byte, error) {
	run := sarifRun{
		Tool:       sarifTool{Driver: sarifDriver{Name: r.Tool.Name, Version: r.Tool.Version, Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		BaseIDs:    map[string]any{"POLICYROOT": map[string]any{"description": sarifText{Text: "the folder in which the audit was started"}}},
		Results:    []sarifResult{},
		Properties: map[string]any{"policyDigest": r.Policy.Digest, "date": r.Date},
	}
	index := map[string]int{}
	invocation := sarifInvocation{Successful: true}
	for i, rule := range r.Rules {
		index[rule.ID] = i
		word, severity := sarifLevel(rule.Level)
		clauses := rule.ClauseText()
		tags := []string{"security", "privacy"}
		for _, c := range rule.Clauses {
			tags = append(tags, c.String())
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.ID, Name: pascal(rule.Title),
			Short: sarifText{Text: rule.Title}, Full: sarifText{Text: rule.Meaning},
			Help: sarifText{
				Text:     fmt.Sprintf("%s\n\n%s\n\nEvidence for %s.", rule.Meaning, rule.Fix, clauses),
				Markdown: fmt.Sprintf("%s\n\n**What to do.** %s\n\nEvidence for %s.", rule.Meaning, rule.Fix, clauses),
			},
			Configuration: map[string]any{"level": word},
			Properties:    map[string]any{"security-severity": severity, "precision": "high", "tags": tags, "phase": rule.Phase},
		})
		if rule.State == NotEvaluated {
			invocation.Notifications = append(invocation.Notifications, sarifNotification{Level: "note",
				Message: sarifText{Text: rule.ID + " was not evaluated: " + rule.Reason}, Associated: map[string]string{"id": rule.ID}})
		}
	}
	run.Invocations = []sarifInvocation{invocation}
	twins := map[string]int{}
	for _, f := range r.Findings {
		word, _ := sarifLevel(f.Level)
		message := f.Message
		if f.Help != "" {
			message += ". " + capital(f.Help)
		}
		print := fingerprint(f)
		twins[print]++
		res := sarifResult{
			RuleID: f.Rule, RuleIndex: index[f.Rule], Level: word, Message: sarifText{Text: message + "."},
			Fingerprints: map[string]string{"sanitizeFinding/v1": fmt.Sprintf("%s:%d", print, twins[print])},
			Suppressions: []sarifSuppression{},
		}
		if f.File != "" {
			p := &sarifPhysical{Artifact: artifact(f.File)}
			if f.Line > 0 {
				p.Region = &sarifRegion{Line: f.Line, Column: f.Column}
			} else {
				p.Region = &sarifRegion{Line: 1} // who shows results beside a file wants a line
			}
			res.Locations = append(res.Locations, sarifLocation{Physical: p})
		}
		if s := f.subject(); s != "" {
			if len(res.Locations) == 0 {
				res.Locations = append(res.Locations, sarifLocation{})
			}
			res.Locations[0].Logical = []sarifLogical{{Name: s}}
		}
		if res.Locations == nil {
			res.Locations = []sarifLocation{}
		}
		if w := f.Waived; w != nil {
			res.Suppressions = append(res.Suppressions, sarifSuppression{Kind: "inSource", Status: "accepted",
				Justification: fmt.Sprintf("%s (by %s, until %s)", w.Because, w.by(), w.Expires)})
		}
		run.Results = append(run.Results, res)
	}
	return indented(sarifLog{Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// fingerprint names a finding whatever line it stands in and however it is worded.
func fingerprint(f Finding) string {
	sum := sha256.Sum256([]byte(f.Rule + "\x00" + f.Object + "\x00" + f.Part))
	return hex.EncodeToString(sum[:16])
}

// artifact is a file as a URI: relative to the folder of the audit where it can be.
func artifact(file string) sarifArtifact {
	slashed := filepath.ToSlash(file)
	if filepath.IsAbs(file) {
		if !strings.HasPrefix(slashed, "/") {
			slashed = "/" + slashed
		}
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: slashed}).String()}
	}
	uri := (&url.URL{Path: filepath.ToSlash(filepath.Clean(file))}).EscapedPath()
	if first, _, _ := strings.Cut(uri, "/"); strings.Contains(first, ":") {
		uri = "./" + uri // else it would have a scheme
	}
	return sarifArtifact{URI: uri, Base: "POLICYROOT"}
}

// pascal makes a name of a title: OwnerPurposeSubjects.
func pascal(title string) string {
	var b strings.Builder
	up := true
	for _, r := range title {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			if up && r >= 'a' && r <= 'z' {
				r -= 'a' - 'A'
			}
			b.WriteRune(r)
			up = false
		case r == '\'' || r == '’':
		default:
			up = true
		}
	}
	return b.String()
}

// capital returns s with its first letter in upper case.
func capital(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
