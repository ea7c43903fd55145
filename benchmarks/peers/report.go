package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/pipeline"
)

// report is what came out, as a page of Markdown.
type report struct {
	engine  *engine
	setting string // of the target
	bytes   int64
	shape   string
	cores   int
	rounds  int
	version string
	at      time.Time
	took    time.Duration
	rows    []row
}

// row is a contender's median round.
type row struct {
	name, note             string
	wall, data, keys       time.Duration // data: the rows are in; keys: all that comes after; 0 if one cannot tell
	source, target, client time.Duration
	peak, log              int64
	phases                 []pipeline.PhaseTime
}

// middle returns the round with the median wall time.
func middle(c contender, rounds []result) row {
	rounds = slices.Clone(rounds)
	slices.SortFunc(rounds, func(a, b result) int { return cmp.Compare(a.wall(), b.wall()) })
	r := rounds[(len(rounds)-1)/2]
	out := row{name: c.name, note: c.note, wall: r.wall(), client: r.client(), peak: r.peak(), log: r.log,
		source: r.sum(func(p part) time.Duration { return p.source }), target: r.sum(func(p part) time.Duration { return p.target })}
	switch {
	case r.summary != nil:
		out.data, out.phases = r.summary.Loaded, r.summary.Phases
		out.keys = r.summary.PhaseTook(pipeline.Copy) - out.data + r.summary.PhaseTook(pipeline.Finish)
	case len(r.parts) == 2 && c.name == rawPipe:
		out.data, out.keys = r.parts[0].wall, r.parts[1].wall
	}
	return out
}

func (r report) row(name string) *row {
	for i := range r.rows {
		if r.rows[i].name == name {
			return &r.rows[i]
		}
	}
	return nil
}

// floor is the wall time that the servers' own work takes at best.
func (r report) floor() time.Duration {
	raw := r.row(rawPipe)
	if raw == nil {
		return 0
	}
	return (raw.source + raw.target) / time.Duration(r.cores)
}

// aim is one thing that is aimed at: a figure of ours and the most that it should be.
type aim struct {
	text   string
	most   float64
	figure func(report, row) (float64, bool)
	format string
}

// over returns the ratio of two times.
func over(a, b time.Duration) (float64, bool) {
	if a <= 0 || b <= 0 {
		return 0, false
	}
	return a.Seconds() / b.Seconds(), true
}

// whole compares the whole run with that of a peer.
func whole(name string) func(report, row) (float64, bool) {
	return func(r report, ours row) (float64, bool) {
		peer := r.row(name)
		if peer == nil {
			return 0, false
		}
		return over(ours.wall, peer.wall)
	}
}

var aims = []aim{
	{"data phase / raw pipe's", 1.10, func(r report, ours row) (float64, bool) {
		raw := r.row(rawPipe)
		if raw == nil {
			return 0, false
		}
		return over(ours.data, raw.data)
	}, "%.2f"},
	{"whole run / pg_dump + pg_restore", 0.70, whole(pgDump), "%.2f"},
	{"whole run / pgcopydb clone", 0.75, whole(pgCopyDB), "%.2f"},
	{"whole run / Greenmask's dump and restore", 0.35, whole(greenmask), "%.2f"},
	{"whole run / the servers' own work on all cores", 1.15, func(r report, ours row) (float64, bool) { return over(ours.wall, r.floor()) }, "%.2f"},
	{"client CPU / raw pipe's", 2, func(r report, ours row) (float64, bool) {
		raw := r.row(rawPipe)
		if raw == nil {
			return 0, false
		}
		return over(ours.client, raw.client)
	}, "%.2f"},
	{"peak memory, MB", 256, func(_ report, ours row) (float64, bool) { return float64(ours.peak) / 1e6, ours.peak > 0 }, "%.0f"},
}

// String returns the page.
func (r report) String() string {
	var b strings.Builder
	gb := float64(r.bytes) / 1e9
	fmt.Fprintf(&b, "# Beside other tools\n\nMade by `%s`: %.2f GB of tables (%s), %s %s, source and target on the same %d cores, %s, %s UTC, %.0f s in all.\n\n",
		r.engine.target, gb, r.shape, r.engine.name, r.version, r.cores, plural(r.rounds, "round"), r.at.Format("2006-01-02 15:04"), r.took.Seconds())
	if r.setting != "" {
		fmt.Fprintf(&b, "The target has `%s`.\n\n", r.setting)
	}
	b.WriteString("| | wall s | of raw pipe | data s | keys s | source CPU s | target CPU s | target's log MB | client CPU s | per GB | peak MB |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	raw := r.row(rawPipe)
	for _, c := range r.rows {
		ratio := "–"
		if raw != nil {
			ratio = fmt.Sprintf("%.2f", c.wall.Seconds()/raw.wall.Seconds())
		}
		fmt.Fprintf(&b, "| %s | %.1f | %s | %s | %s | %.1f | %.1f | %.0f | %.1f | %.2f | %.0f |\n", c.name, c.wall.Seconds(), ratio,
			seconds(c.data), seconds(c.keys), c.source.Seconds(), c.target.Seconds(), float64(c.log)/1e6, c.client.Seconds(), c.client.Seconds()/gb, float64(c.peak)/1e6)
	}
	b.WriteString("\n")
	for _, c := range r.rows {
		fmt.Fprintf(&b, "- %s: %s\n", c.name, c.note)
		if len(c.phases) > 0 {
			var phases []string
			for _, p := range c.phases {
				phases = append(phases, fmt.Sprintf("%s %.1f", p.Phase, p.Took.Seconds()))
			}
			fmt.Fprintf(&b, "  (%s s)\n", strings.Join(phases, " · "))
		}
	}
	if raw != nil {
		fmt.Fprintf(&b, "\nThe servers' own work is that of the raw pipe: %.1f s of processor time, %.1f s on %d cores.\n", (raw.source + raw.target).Seconds(), r.floor().Seconds(), r.cores)
	}
	b.WriteString("\n| aim | at most |")
	var ours []row
	for _, name := range []string{ours3, ours12} {
		if c := r.row(name); c != nil {
			ours = append(ours, *c)
			b.WriteString(" " + strings.TrimPrefix(name, "sanitize, ") + " |")
		}
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(ours)) + "\n")
	for _, a := range r.engine.aims {
		fmt.Fprintf(&b, "| %s | "+a.format+" |", a.text, a.most)
		for _, c := range ours {
			b.WriteString(" " + a.judge(r, c) + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// judge returns a figure of ours, and says when it is above the aim.
func (a aim) judge(r report, ours row) string {
	figure, ok := a.figure(r, ours)
	switch {
	case !ok:
		return "not measured"
	case figure > a.most:
		return fmt.Sprintf("**"+a.format+"**, missed", figure)
	}
	return fmt.Sprintf(a.format, figure)
}

func seconds(d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", d.Seconds())
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
