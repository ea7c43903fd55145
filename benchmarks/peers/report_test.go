package main

import (
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/pipeline"
)

// The report judges by the raw pipe and the peers of the same run, and never passes what
// was not measured.
func TestReport(t *testing.T) {
	s := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
	one := func(wall, source, target, client float64, peak int64) part {
		return part{wall: s(wall), source: s(source), target: s(target), client: s(client), peak: peak}
	}
	raw := middle(contender{name: rawPipe}, []result{{log: 6400e6, parts: []part{one(20, 13, 20, 4, 20e6), one(18, 0, 30, 0, 10e6)}}})
	dump := middle(contender{name: pgDump}, []result{{parts: []part{one(20, 13, 0, 4, 9e6), one(40, 0, 60, 4, 9e6)}}})
	run := func(wall float64) result {
		return result{parts: []part{one(wall, 13, 50, 7, 100e6)}, summary: &pipeline.Summary{Loaded: s(21),
			Phases: []pipeline.PhaseTime{{Phase: pipeline.Copy, Took: s(30)}, {Phase: pipeline.Finish, Took: s(5)}}}}
	}
	good := middle(contender{name: ours3}, []result{run(70), run(36), run(35)})
	bad := middle(contender{name: ours12}, []result{run(48)})
	if good.wall != s(36) {
		t.Errorf("the median of three rounds is %v", good.wall)
	}
	text := report{engine: postgresEngine, bytes: 4e9, cores: 2, rounds: 3, rows: []row{raw, dump, good, bad}}.String()
	for _, line := range []string{
		"| raw pipe | 38.0 | 1.00 | 20.0 | 18.0 | 13.0 | 50.0 | 6400 | 4.0 | 1.00 | 20 |",
		"| pg_dump + pg_restore | 60.0 | 1.58 | – | – | 13.0 | 60.0 | 0 | 8.0 | 2.00 | 9 |",
		"| sanitize, 3 masked | 36.0 | 0.95 | 21.0 | 14.0 | 13.0 | 50.0 | 0 | 7.0 | 1.75 | 100 |",
		"63.0 s of processor time, 31.5 s on 2 cores",
		"| data phase / raw pipe's | 1.10 | 1.05 | 1.05 |",
		"| whole run / pg_dump + pg_restore | 0.70 | 0.60 | **0.80**, missed |",
		"| whole run / pgcopydb clone | 0.75 | not measured | not measured |",
		"| whole run / the servers' own work on all cores | 1.15 | 1.14 | **1.52**, missed |",
		"| client CPU / raw pipe's | 2.00 | 1.75 | 1.75 |",
		"| peak memory, MB | 256 | 100 | 100 |",
	} {
		if !strings.Contains(text, line+"\n") && !strings.Contains(text, line+".") {
			t.Errorf("the report lacks the line\n%s\n\n%s", line, text)
		}
	}
}

// What the pipe copies is what the shop has: a table that one list forgets would make
// the reference faster than it is.
func TestShop(t *testing.T) {
	for _, table := range tables {
		if !strings.Contains(tablesSQL, "CREATE TABLE "+table+" (") {
			t.Errorf("shop.sql does not make %s", table)
		}
		for _, policy := range []string{mask3, mask12} {
			if !strings.Contains(policy, "\n  "+table+":") {
				t.Errorf("a policy does not decide about %s", table)
			}
		}
	}
	if n := strings.Count(tablesSQL, "CREATE TABLE"); n != len(tables) {
		t.Errorf("shop.sql makes %d tables, %d are copied", n, len(tables))
	}
	list := stages()
	if len(list) != 4 {
		t.Fatalf("keys.sql has %d stages", len(list))
	}
	for i, of := range []string{"CREATE ", "ALTER TABLE ", "ALTER TABLE ", "ANALYZE "} {
		for _, statement := range list[i] {
			if !strings.HasPrefix(statement, of) || !strings.HasSuffix(statement, ";") {
				t.Errorf("stage %d of keys.sql: %q", i+1, statement)
			}
		}
	}
}
