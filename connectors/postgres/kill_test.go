package postgres

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// TestKilled kills a process with SIGKILL at stages of its run. Whatever it was
// doing, the former target is whole, and the next run succeeds and leaves nothing.
func TestKilled(t *testing.T) {
	if os.Getenv("KILLED_STAGE") != "" {
		runUntil(t, os.Getenv("KILLED_FROM"), os.Getenv("KILLED_TO"), os.Getenv("KILLED_STAGE"))
		return
	}
	connectortest.NoRaces(t) // what matters happens in other processes
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t AS SELECT i AS id, repeat('x', 200) AS pad FROM generate_series(1, 20000) i", "ALTER TABLE t ADD PRIMARY KEY (id)")
	name := a.Name(t)
	to := a.DSN(name)
	if err := copyAll(t, from, to, "first", nil); err != nil {
		t.Fatal(err)
	}
	a.Exec(t, from, "UPDATE t SET pad = 'newer' WHERE id = 1")
	for _, stage := range []string{"begun", "loading", "loaded", "finished", "sealed"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "KILLED_STAGE="+stage, "KILLED_FROM="+from, "KILLED_TO="+to)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		reached := false
		for !reached && lines.Scan() {
			reached = lines.Text() == "reached "+stage
		}
		cmd.Process.Kill()
		cmd.Wait()
		if !reached {
			t.Fatalf("%s: the process ended before", stage)
		}
		if got := a.Value(t, to, "SELECT count(*) || ' ' || count(*) FILTER (WHERE pad = 'newer') FROM t"); got != "20000 0" {
			t.Errorf("%s: the former target holds %s", stage, got)
		}
		if n := a.Value(t, a.DSN("postgres"), "SELECT count(*) FROM pg_database WHERE starts_with(datname, "+literal(name)+")"); n != "2" {
			t.Errorf("%s: %s databases, want the former target and the leftover", stage, n)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		// The server may need a moment to notice that the process is gone.
		err := copyAll(t, from, to, "last", nil)
		if kind, _ := connectors.KindOf(err); err != nil && kind == connectors.KindBusy && time.Now().Before(deadline) {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if got := a.Value(t, to, "SELECT count(*) || ' ' || count(*) FILTER (WHERE pad = 'newer') FROM t"); got != "20000 1" {
		t.Errorf("the new target holds %s", got)
	}
	if names := a.Value(t, a.DSN("postgres"), "SELECT string_agg(datname, ' ') FROM pg_database WHERE starts_with(datname, "+literal(name)+")"); names != name {
		t.Errorf("left over: %s", strings.TrimPrefix(names, name))
	}
}

// runUntil runs a copy to a stage, says so, and waits to be killed.
func runUntil(t *testing.T, from, to, stage string) {
	reach := func(s string) {
		if s == stage {
			fmt.Println("reached " + s)
			time.Sleep(time.Minute)
		}
	}
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sink, err := Connector{}.OpenSink(t.Context(), to, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b connectors.Build
	for range 100 {
		b, err = sink.Begin(t.Context(), connectors.BuildSpec{Run: "k" + stage, Catalog: snap.Catalog(), Definitions: defs})
		if kind, _ := connectors.KindOf(err); err == nil || kind != connectors.KindBusy {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	reach("begun")
	tab := snap.Catalog().Tables[0]
	layout, err := snap.Layout(tab.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := snap.Split(t.Context(), tab.ID, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[catalog.TableID]int64{}
	for _, c := range chunks {
		n, err := copyChunk(t.Context(), snap, b, c, layout)
		if err != nil {
			t.Fatal(err)
		}
		rows[tab.ID] += n
		if stage == "loading" {
			in, err := snap.Read(t.Context(), chunks[1], layout)
			if err != nil {
				t.Fatal(err)
			}
			out, err := b.Load(t.Context(), chunks[1], layout)
			if err != nil {
				t.Fatal(err)
			}
			batch, err := in.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := out.Write(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			reach(stage)
		}
	}
	reach("loaded")
	if err := b.TableLoaded(t.Context(), tab.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	reach("finished")
	if err := b.Seal(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	reach("sealed")
}
