package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

const heavyPolicy = `version: 1
keys: {discovery: {from: "file:crowd.key"}}
classes:
  free_text: {kind: free_text, do: {shape: text}}
  public: {kind: not_personal, do: keep}
tables:
  kept: {keep: [id, v]}
  masked: {columns: {v: free_text}, keep: [id]}
  printed: {columns: {v: free_text}, keep: [id, acl]}
`

// peakMemory watches a process until it ends and returns the most memory that it had
// resident, in bytes. Only Linux tells.
func peakMemory(t *testing.T, p *process) (peak int64, code int) {
	t.Helper()
	done := make(chan int, 1)
	go func() { done <- p.wait(t) }()
	for {
		peak = max(peak, highWater(t, p))
		select {
		case code := <-done:
			return peak, code
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// highWater returns the most memory that a process has had resident until now, in bytes; 0 if it
// has ended. Only Linux tells.
func highWater(t *testing.T, p *process) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	return 0
}

// Values of 100 MB, kept and masked, in binary and as text, and rows of 1,600 columns:
// two workers at once, and never more than 256 MB of memory. Behind each of 100 MB comes one of
// 50, for which there is no room beside what the first has taken.
func TestMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Log("DID NOT RUN: only Linux tells the memory of a process")
		return
	}
	s := connectortest.Postgres(t)
	source, name := s.Database(t), s.Name(t)
	var wide, masks, keeps []string
	for i := range 1600 {
		wide = append(wide, fmt.Sprintf("c%d varchar(20)", i))
		if i%4 == 0 {
			masks = append(masks, fmt.Sprintf("c%d: free_text", i))
		} else {
			keeps = append(keeps, fmt.Sprintf("c%d", i))
		}
	}
	s.Exec(t, source,
		"CREATE TABLE kept (id integer, v text)", "CREATE TABLE masked (id integer, v text)", "CREATE TABLE printed (id integer, v text, acl aclitem)",
		`INSERT INTO masked SELECT i, repeat('Anna Quillfeather, 12 Mill Lane. ', 3030303 / i) FROM generate_series(1, 2) i`,
		`INSERT INTO kept SELECT id, v FROM masked`,
		`INSERT INTO printed SELECT 1, repeat(E'Anna\t', 7000000)`,
		// The source keeps them compressed, which is little; the target need not try.
		"ALTER TABLE masked ALTER v SET STORAGE EXTERNAL", "ALTER TABLE kept ALTER v SET STORAGE EXTERNAL", "ALTER TABLE printed ALTER v SET STORAGE EXTERNAL",
		"CREATE TABLE broad ("+strings.Join(wide, ", ")+")",
		"INSERT INTO broad (c0, c1, c1599) SELECT 'Anna', i, 'Ben' FROM generate_series(1, 3000) i")
	policy := heavyPolicy + "  broad:\n    columns: {" + strings.Join(masks, ", ") + "}\n    keep: [" + strings.Join(keeps, ", ") + "]\n"
	p := start(t, "run", "--policy", writePolicy(t, []byte(policy)), "--from", source, "--to", s.DSN(name), "--workers", "2", "--quiet")
	peak, code := peakMemory(t, p)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, p.stderr.String())
	}
	t.Logf("%d MB at most", peak/1e6)
	if peak == 0 || peak > 256e6 {
		t.Errorf("%d MB resident at most, want 256", peak/1e6)
	}
	// The target is checked by lengths, which it knows without the values: 300 MB of digests would
	// take longer than the run.
	for query, want := range map[string]string{
		"SELECT count(*) || ' ' || sum(octet_length(v)) || ' ' || max(left(v, 5)) FROM kept":                   "2 149999982 Anna ",
		"SELECT count(*) || ' ' || sum(octet_length(v)) || ' ' || (max(left(v, 33)) LIKE 'Anna%') FROM masked": "2 149999982 false",
		"SELECT length(v) || ' ' || (length(replace(v, E'\\t', '')) - length(v)) FROM printed":                 "35000000 -7000000",
		"SELECT count(*) || ' ' || count(*) FILTER (WHERE c0 <> 'Anna') || ' ' || max(c1599) FROM broad":       "3000 3000 Ben",
	} {
		if got := s.Value(t, s.DSN(name), query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}
