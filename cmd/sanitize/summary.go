package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/pipeline"
)

// longestTables is how many tables a summary names; the others are counted.
const longestTables = 12

// checkSummary refuses a name that no summary can have.
func (o *runOptions) checkSummary(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("summary") {
		return nil
	}
	if o.summary == "" {
		return usage(cmd, "--summary is empty: it takes the name of a file")
	}
	if err := regular(o.summary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usage(cmd, "--summary: %v", err)
	}
	return nil
}

// summaryFile makes the file that takes the summary, empty and aside: that it cannot be is
// known before anything is read of the source. It is nil if none is asked for.
func (o *runOptions) summaryFile() (*aside, error) {
	if o.summary == "" {
		return nil, nil
	}
	file, err := newAside(o.summary)
	if err != nil {
		var path *fs.PathError // which is not the one that was named
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, &usageError{reason: fmt.Sprintf("--summary %s cannot be written: %v", o.summary, err),
			help: "name a file in a folder that is there and may be written to"}
	}
	return file, nil
}

// report says what a run has done: to people, to the file of --summary, if it is not nil, and to
// standard output.
func (o *runOptions) report(u *ui, s *pipeline.Summary, file *aside) error {
	text := summaryText(u, s)
	u.Tell(text)
	unsaid := &unsaidError{}
	if file != nil {
		var b bytes.Buffer
		writeJSON(&b, s) // a summary can be written as JSON, and a buffer does not fail
		unsaid.file, unsaid.filed = file.path, file.write(b.Bytes(), 0o644)
	}
	if o.json {
		unsaid.json, unsaid.printed = true, u.JSON(s)
	}
	if unsaid.filed == nil && unsaid.printed == nil {
		return nil
	}
	if u.quiet {
		u.print(text) // else nobody might ever know
	}
	return unsaid
}

// unsaidError is a run of which all is done, except to say so everywhere where that was asked
// for. It is no error of standard output, of which nothing would be said where nobody reads that.
type unsaidError struct {
	file           string // that was asked for; "" if none was
	json           bool   // standard output was asked for
	filed, printed error  // why there is no summary; nil if there is, or was not asked for
}

// Error says what has been done, and what has not.
func (e *unsaidError) Error() string {
	switch {
	case e.file != "" && e.filed == nil:
		return fmt.Sprintf("the target has been promoted and its summary is in %s, but not on standard output: %v", e.file, e.printed)
	case e.json && e.printed == nil:
		return fmt.Sprintf("the target has been promoted and its summary is on standard output, but not in %s: %v", e.file, e.filed)
	case e.file == "" && errors.Is(e.printed, errUnread):
		return "the target has been promoted, and nobody reads its summary"
	}
	return fmt.Sprintf("the target has been promoted, but its summary is lost: %v", errors.Join(e.filed, e.printed))
}

// Hint names the other way.
func (e *unsaidError) Hint() string {
	if e.file != "" {
		return ""
	}
	return "--summary FILE writes it to a file, which is made before anything is read of the source"
}

// summaryText says to people what a run did.
func summaryText(u *ui, s *pipeline.Summary) string {
	var b strings.Builder
	now := s.Rows
	if s.Resumed != nil {
		now -= s.Resumed.Rows
	}
	fmt.Fprintf(&b, "%s%s, %s, %s in %s (copied at %s rows/s)\n", u.paint("sanitize: done: ", green),
		plural(int64(len(s.Tables)), "table"), plural(s.Rows, "row"), volume(s.Bytes), duration(s.Took), count(rate(now, s.Loaded)))
	var t table
	if r := s.Resumed; r != nil {
		t.Row("  resumed", fmt.Sprintf("%s of %s had been loaded since %s", plural(int64(r.Chunks), "chunk"), plural(r.Rows, "row"), timeOfDay(r.Began)))
	}
	t.Row("  source", s.Source)
	t.Row("  target", s.Target)
	var phases []string
	for _, p := range s.Phases {
		phases = append(phases, fmt.Sprintf("%s %s", p.Phase, duration(p.Took)))
	}
	t.Row("  phases", strings.Join(phases, " · "))
	if i := s.Instant; i != nil {
		t.Row("  instant", instantText(*i))
	}
	words := watchText(s.Watch)
	if !s.SnapshotAt.IsZero() {
		words = slices.Insert(words, 0, "taken "+timeOfDay(s.SnapshotAt))
	}
	if len(words) > 0 {
		t.Row("  snapshot", strings.Join(words, " · "))
	}
	if s.Retries > 0 {
		t.Row("  retries", plural(int64(s.Retries), "chunk"))
	}
	fateRows(&t, s.LeftBehind, 0)
	b.WriteString(t.String())
	b.WriteString(tablesText(s.Tables))
	return b.String()
}

// instantText says how the readers of a snapshot came to see one instant.
func instantText(i connectors.Instant) string {
	words := []string{fmt.Sprintf("%s for %s", i.Way, plural(int64(i.Readers), "reader"))}
	if i.Locked > 0 {
		words = append(words, "locked "+duration(i.Locked))
	}
	if i.Position != "" {
		words = append(words, "at "+i.Position)
	}
	return strings.Join(words, " · ")
}

func tablesText(tables []pipeline.TableSummary) string {
	longest := slices.Clone(tables)
	slices.SortStableFunc(longest, func(a, b pipeline.TableSummary) int { return cmp.Compare(b.Rows, a.Rows) })
	var t table
	for i, s := range longest {
		if i == longestTables && len(longest) > longestTables+1 {
			t.Row(fmt.Sprintf("  … and %s more", plural(int64(len(longest)-i), "table")))
			break
		}
		what := plural(s.Rows, "row")
		if s.Dropped {
			what = "structure only: the policy drops its rows"
		}
		t.Row("  "+s.Table.String(), what)
	}
	return t.String()
}

// leftBehind groups the objects that stay at the source by kind, one line each.
func leftBehind(objects []catalog.Object) []string {
	byKind := map[string][]string{}
	var kinds []string
	for _, o := range objects {
		if byKind[o.Kind] == nil {
			kinds = append(kinds, o.Kind)
		}
		byKind[o.Kind] = append(byKind[o.Kind], o.Name)
	}
	slices.Sort(kinds)
	var lines []string
	for _, k := range kinds {
		names := byKind[k]
		more := ""
		if len(names) > 5 {
			more = fmt.Sprintf(" and %d more", len(names)-5)
			names = names[:5]
		}
		lines = append(lines, k+" "+strings.Join(names, ", ")+more)
	}
	return lines
}
