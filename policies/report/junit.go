package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// JUnit returns the report as the XML that build servers read: a suite for each
// family, a case for each rule. Findings of at least the level failOn fail their case;
// lesser ones stand in its output; what was not evaluated is skipped, with the reason.
func (r *Report) JUnit(failOn Level) ([]byte, error) {
	type message struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
	type testCase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		File    string   `xml:"file,attr,omitempty"`
		Failure *message `xml:"failure,omitempty"`
		Skipped *message `xml:"skipped,omitempty"`
		Out     string   `xml:"system-out,omitempty"`
	}
	type suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Cases    []testCase `xml:"testcase"`
	}
	type suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Suites   []*suite `xml:"testsuite"`
	}
	all := suites{Name: "sanitize audit " + printable(r.Policy.File)}
	byFamily := map[string]*suite{}
	for _, rule := range r.Rules {
		s := byFamily[rule.Family]
		if s == nil {
			s = &suite{Name: rule.Family}
			byFamily[rule.Family] = s
			all.Suites = append(all.Suites, s)
		}
		c := testCase{Name: rule.ID + " " + rule.Title, Class: "sanitize." + strings.ReplaceAll(rule.Family, " ", "")}
		var failed, other strings.Builder
		failures := 0
		for _, f := range r.of(rule.ID) {
			line := fmt.Sprintf("%s: %s", f.place(), f.Message)
			switch {
			case f.Waived != nil:
				fmt.Fprintf(&other, "waived by %s until %s: %s\n", f.Waived.by(), f.Waived.Expires, line)
			case f.Level.AtLeast(failOn):
				failures++
				c.File = f.File
				failed.WriteString(line + "\n")
			default:
				fmt.Fprintf(&other, "%s: %s\n", f.Level, line)
			}
		}
		if failures > 0 {
			c.Failure = &message{Message: plural(failures, "finding"), Type: string(rule.Level), Text: printable(failed.String())}
			s.Failures++
		}
		if rule.State == NotEvaluated || rule.State == NotApplicable {
			c.Skipped = &message{Message: fmt.Sprintf("%s: %s", rule.State, rule.Reason)}
			s.Skipped++
		}
		c.Out = printable(other.String())
		s.Tests++
		s.Cases = append(s.Cases, c)
	}
	for _, s := range all.Suites {
		all.Tests, all.Failures, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Skipped+s.Skipped
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	b.WriteString("\n")
	return b.Bytes(), nil
}

// printable leaves out what no XML may hold: control characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			return '�'
		}
		return r
	}, s)
}
