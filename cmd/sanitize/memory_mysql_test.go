package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// What TestMemory is for PostgreSQL, with values that two workers have at once: by LOAD DATA and
// by INSERT, and through a process that lends the snapshot, which is bounded too.
func TestMemoryMySQL(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Log("DID NOT RUN: only Linux tells the memory of a process")
		return
	}
	mysqlMemory(t, connectortest.MySQL(t))
}

const mysqlHeavyPolicy = `version: 1
keys: {discovery: {from: "file:crowd.key"}}
classes:
  free_text: {kind: free_text, do: {shape: text}}
  public: {kind: not_personal, do: keep}
tables:
  masked: {columns: {v: free_text, w: free_text}, keep: [id]}
  mixed: {columns: {v: free_text}, keep: [id, small, b]}
`

func mysqlMemory(t *testing.T, s *connectortest.MySQLServer) {
	dir, err := os.MkdirTemp("/tmp", "sockets") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv(socketsVariable, dir)
	set := func(name, value string) {
		before := s.Value(t, "", "SELECT @@GLOBAL."+name)
		s.Exec(t, "", "SET GLOBAL "+name+" = "+value)
		t.Cleanup(func() { s.Exec(t, "", "SET GLOBAL "+name+" = "+before) })
	}
	source, name := s.Database(t), s.Name(t)
	// Of the last table the loads hold a counter to their end, where MariaDB is as it comes.
	s.Exec(t, source,
		"CREATE TABLE masked (id INT PRIMARY KEY, v LONGTEXT COLLATE utf8mb4_unicode_ci, w LONGTEXT COLLATE utf8mb4_bin)",
		"INSERT INTO masked VALUES (1, REPEAT('José Quillfeather, 12 Mill Lane. ', 1300000), NULL), (2, NULL, REPEAT('Anna Quillfeather, 12 Mill Lane. ', 1300000))",
		"CREATE TABLE mixed (id INT PRIMARY KEY AUTO_INCREMENT, small VARCHAR(500), b LONGBLOB, v LONGTEXT COLLATE utf8mb4_bin)",
		"INSERT INTO mixed (id, small) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT 100 * i, REPEAT('s', 500) FROM n",
		`INSERT INTO mixed SELECT 100 * i + 1, '', REPEAT('\\', 5000000), REPEAT('Anna\t', 1500000) FROM (SELECT 100 AS i UNION ALL SELECT 400 UNION ALL SELECT 700 UNION ALL SELECT 899) n`)
	policy := writePolicy(t, []byte(mysqlHeavyPolicy))
	bounded := func(who string, peak int64) {
		t.Helper()
		t.Logf("%s: %d MB at most", who, peak/1e6)
		if peak == 0 || peak > 256e6 {
			t.Errorf("%s: %d MB resident at most, want 256", who, peak/1e6)
		}
	}
	run := func(who string, more ...string) {
		t.Helper()
		p := start(t, append([]string{"run", "--policy", policy, "--from", s.DSN(source), "--to", s.DSN(name), "--workers", "2", "--chunk-size", "1MiB", "--quiet"}, more...)...)
		peak, code := peakMemory(t, p)
		if code != 0 {
			t.Fatalf("%s: exit code %d\n%s", who, code, p.stderr.String())
		}
		bounded(who, peak)
		for query, want := range map[string]string{
			"SELECT CONCAT(COUNT(*), ' ', SUM(CHAR_LENGTH(COALESCE(v, w))), ' ', MAX(v LIKE 'José%'), ' ', MAX(w LIKE 'Anna%')) FROM masked": "2 85800000 0 0",
			`SELECT CONCAT(COUNT(*), ' ', SUM(LENGTH(v)), ' ', SUM(LENGTH(b)), ' ', MAX(LEFT(b, 2)), ' ', MAX(v LIKE 'Anna%')) FROM mixed`:   `904 30000000 20000000 \\ 0`,
		} {
			if got := s.Value(t, name, query); got != want {
				t.Errorf("%s: %s: %s, want %s", who, query, got, want)
			}
		}
	}

	holder := prepare("hold", "--from", s.DSN(source), "--json", "--workers", "2")
	holder.cmd.Stdout = nil
	output, err := holder.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	input, err := holder.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	holder.run(t)
	var held holdReport
	if err := json.NewDecoder(output).Decode(&held); err != nil {
		t.Fatal(err)
	}
	run("a run that has joined", "--snapshot", held.Snapshot)
	bounded("the one that lends", highWater(t, holder))
	if err := input.Close(); err != nil {
		t.Fatal(err)
	}
	if code := holder.wait(t); code != exitDone || !strings.Contains(holder.stderr.String(), "gave the snapshot back") {
		t.Errorf("exit code %d: %s", code, holder.stderr.String())
	}

	set("local_infile", "0")
	run("a run by INSERT")
}
