package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/postgres"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/policies"
)

// scale measures how a run grows: with bytes, with tables, with partitions, with rows.
// Its figures go to a page of their own. A copy that lacks a row is an error.
func (b *bench) scale(ctx context.Context) error {
	var page strings.Builder
	fmt.Fprintf(&page, "# Scale\n\nMade by `make scale`, %s UTC, %d connections on each side, source and target on the same machine.\n\n", b.began.UTC().Format("2006-01-02 15:04"), connections)
	if _, err := b.contenders(); err != nil { // the key and the policies
		return err
	}
	for _, part := range []func(context.Context, *strings.Builder) error{b.sizes, b.manyTables, b.partitions, b.narrow} {
		if err := part(ctx, &page); err != nil {
			return err
		}
	}
	out := cmp.Or(os.Getenv("SCALE_OUT"), "benchmarks/results/scale.md")
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	fmt.Print(page.String())
	return os.WriteFile(out, []byte(page.String()), 0o644)
}

// source makes a database anew, which the caller fills.
func (b *bench) sourceAnew(ctx context.Context) error {
	return b.source.exec(ctx, "postgres", "DROP DATABASE IF EXISTS "+sourceDatabase, "CREATE DATABASE "+sourceDatabase)
}

// copyMasked runs the program and compares how many rows arrived.
func (b *bench) copyMasked(ctx context.Context, policy string, rows int64) (p part, s *pipeline.Summary, err error) {
	if err := b.clear(ctx); err != nil {
		return p, nil, err
	}
	for _, s := range []server{b.source, b.target} {
		if err := s.exec(ctx, "postgres", "CHECKPOINT"); err != nil {
			return p, nil, err
		}
	}
	p, stdout, err := b.step(ctx, step{name: "run", args: []string{filepath.Join(b.work, "sanitize"), "run", "--policy", policy, "--workers", fmt.Sprint(connections),
		"--pg-bin", b.pg, "--quiet", "--json", "--from", b.source.url(sourceDatabase), "--to", b.target.url(targetDatabase)}, env: b.keyEnv()})
	if err != nil {
		return p, nil, err
	}
	if err := json.Unmarshal(stdout, &s); err != nil {
		return p, nil, fmt.Errorf("read the summary: %w", err)
	}
	if s.Rows != rows {
		return p, nil, fmt.Errorf("%d rows arrived, of %d", s.Rows, rows)
	}
	return p, s, nil
}

func (b *bench) keyEnv() []string { return []string{"PEERS_KEY=" + filepath.Join(b.work, "peers.key")} }

// policy writes a policy for the tables that the lines name.
func (b *bench) policy(name, lines string) (string, error) {
	head, _, _ := strings.Cut(mask3, "tables:")
	path := filepath.Join(b.work, name+".yaml")
	return path, os.WriteFile(path, []byte(head+"tables:\n"+lines), 0o600)
}

// sizes copies shops of several sizes: time is to grow with them, memory is not.
func (b *bench) sizes(ctx context.Context, page *strings.Builder) error {
	fmt.Fprintf(page, "## Bytes\n\nThe shop, 3 masked columns. Time is to grow in a line (s per GB stays), memory not at all.\n\n| GB | wall s | s per GB | client CPU s per GB | peak MB |\n|---|---|---|---|---|\n")
	for _, text := range strings.Fields(cmp.Or(os.Getenv("SCALE_GB"), "0.25 1 4")) {
		size, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("SCALE_GB: %w", err)
		}
		b.say("a shop of %s GB", text)
		if err := b.sourceAnew(ctx); err != nil {
			return err
		}
		if err := makeShop(ctx, b.source.dsn(sourceDatabase), size); err != nil {
			return err
		}
		counts := make([]string, len(tables))
		for i, t := range tables {
			counts[i] = "(SELECT count(*) FROM " + t + ")"
		}
		rows, err := b.source.number(ctx, sourceDatabase, "SELECT ("+strings.Join(counts, " + ")+")::text")
		if err != nil {
			return err
		}
		bytes, err := b.source.number(ctx, sourceDatabase, tableBytes)
		if err != nil {
			return err
		}
		p, _, err := b.copyMasked(ctx, filepath.Join(b.work, "mask3.yaml"), rows)
		if err != nil {
			return err
		}
		gb := float64(bytes) / 1e9
		b.say("%.2f GB: %.1f s, peak %.0f MB", gb, p.wall.Seconds(), float64(p.peak)/1e6)
		fmt.Fprintf(page, "| %.2f | %.1f | %.1f | %.2f | %.0f |\n", gb, p.wall.Seconds(), p.wall.Seconds()/gb, p.client.Seconds()/gb, float64(p.peak)/1e6)
	}
	return nil
}

// manyTables plans and copies 5,000 tables of ten rows.
func (b *bench) manyTables(ctx context.Context, page *strings.Builder) error {
	const n = 5000
	b.say("%d tables of ten rows", n)
	if err := b.sourceAnew(ctx); err != nil {
		return err
	}
	var statements []string
	var lines strings.Builder
	for i := range n {
		statements = append(statements, fmt.Sprintf(`CREATE TABLE t%04d (id int PRIMARY KEY, email text UNIQUE, name text, at timestamptz DEFAULT now());
INSERT INTO t%04[1]d SELECT i, 'person' || i || '@mail.example', 'Ada Lovelace' FROM generate_series(1, 10) i`, i))
		fmt.Fprintf(&lines, "  t%04d: {columns: {email: email, name: name}, keep: [id, at]}\n", i)
	}
	if err := onTwo(ctx, b.source.dsn(sourceDatabase), statements); err != nil {
		return err
	}
	policy, err := b.policy("many", lines.String())
	if err != nil {
		return err
	}
	plan, _, err := b.step(ctx, step{name: "plan", args: []string{filepath.Join(b.work, "sanitize"), "plan", "--policy", policy, "--pg-bin", b.pg, "--from", b.source.url(sourceDatabase)}, env: b.keyEnv()})
	if err != nil {
		return err
	}
	p, s, err := b.copyMasked(ctx, policy, 10*n)
	if err != nil {
		return err
	}
	catalog := s.PhaseTook(pipeline.Open) + s.PhaseTook(pipeline.Compile)
	b.say("planned in %.1f s, copied in %.1f s", plan.wall.Seconds(), p.wall.Seconds())
	fmt.Fprintf(page, "\n## Tables\n\n%d tables of ten rows, each with two keys: `plan` (catalog and policy) takes %.1f s, to be at most 10; a run %.1f s, of which\nsnapshot, catalog and policy %.1f, definitions and empty tables %.1f, rows and indexes %.1f, the rest %.1f; peak %.0f MB.\n",
		n, plan.wall.Seconds(), p.wall.Seconds(), catalog.Seconds(), s.PhaseTook(pipeline.Prepare).Seconds(), s.PhaseTook(pipeline.Copy).Seconds(),
		(s.PhaseTook(pipeline.Finish) + s.PhaseTook(pipeline.Seal) + s.PhaseTook(pipeline.Promote)).Seconds(), float64(p.peak)/1e6)
	return nil
}

// partitions copies a table of 500 partitions.
func (b *bench) partitions(ctx context.Context, page *strings.Builder) error {
	const n, each = 500, 2000
	b.say("%d partitions", n)
	if err := b.sourceAnew(ctx); err != nil {
		return err
	}
	statements := []string{"CREATE TABLE days (id bigint, at date NOT NULL, email text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); CREATE INDEX ON days (email)"}
	for i := range n {
		statements = append(statements, fmt.Sprintf("CREATE TABLE day%03d PARTITION OF days FOR VALUES FROM (date '2024-01-01' + %[1]d) TO (date '2024-01-01' + %[1]d + 1)", i))
	}
	statements = append(statements, fmt.Sprintf("INSERT INTO days SELECT i, date '2024-01-01' + (i %% %d), 'person' || i || '@mail.example' FROM generate_series(1, %d) i", n, n*each), "ANALYZE")
	for _, s := range statements {
		if err := b.source.exec(ctx, sourceDatabase, s); err != nil {
			return err
		}
	}
	policy, err := b.policy("days", "  days: {columns: {email: email}, keep: [id, at]}\n")
	if err != nil {
		return err
	}
	p, _, err := b.copyMasked(ctx, policy, n*each)
	if err != nil {
		return err
	}
	b.say("copied in %.1f s", p.wall.Seconds())
	fmt.Fprintf(page, "\n## Partitions\n\n%d partitions of %d rows, two indexes on the root: %.1f s, peak %.0f MB.\n", n, each, p.wall.Seconds(), float64(p.peak)/1e6)
	return nil
}

// narrow copies one table of many narrow rows, and looks at how even its chunks are.
func (b *bench) narrow(ctx context.Context, page *strings.Builder) error {
	rows, err := strconv.ParseInt(cmp.Or(os.Getenv("SCALE_ROWS"), "5000000"), 10, 64)
	if err != nil {
		return fmt.Errorf("SCALE_ROWS: %w", err)
	}
	b.say("%d narrow rows", rows)
	if err := b.sourceAnew(ctx); err != nil {
		return err
	}
	fill := []string{}
	for lo := int64(1); lo <= rows; lo += 1_000_000 {
		fill = append(fill, fmt.Sprintf("INSERT INTO readings SELECT i, i %% 1000, i %% 77 FROM generate_series(%d::bigint, %d) i", lo, min(lo+999_999, rows)))
	}
	for _, stage := range [][]string{{"CREATE TABLE readings (id bigint NOT NULL, sensor int NOT NULL, value int NOT NULL)"}, fill, {"VACUUM (FREEZE, ANALYZE) readings"}} {
		if err := onTwo(ctx, b.source.dsn(sourceDatabase), stage); err != nil {
			return err
		}
	}
	if err := b.clear(ctx); err != nil {
		return err
	}
	bytes, err := b.source.number(ctx, sourceDatabase, tableBytes)
	if err != nil {
		return err
	}
	path, err := b.policy("narrow", "  readings: {keep: [id, sensor, value]}\n")
	if err != nil {
		return err
	}
	// About forty chunks, as large as the connector makes them by itself if there are enough rows.
	chunk := min(48<<20, bytes/40)
	observer := &durations{}
	took, err := b.inProcess(ctx, path, chunk, rows, observer)
	if err != nil {
		return err
	}
	d := observer.took
	slices.Sort(d)
	median, longest := d[len(d)/2], d[len(d)-1]
	b.say("copied in %.1f s, longest chunk %.2f × the median", took.Seconds(), longest.Seconds()/median.Seconds())
	fmt.Fprintf(page, "\n## Rows\n\nOne table of %.1f million rows of three columns, %.2f GB: %.1f s, %.2f million rows/s, in %d chunks of at most %.0f MB; the median chunk\ntook %.0f ms, the longest %.0f ms: %.2f times the median.\n",
		float64(rows)/1e6, float64(bytes)/1e9, took.Seconds(), float64(rows)/1e6/took.Seconds(), len(d), float64(chunk)/1e6, median.Seconds()*1e3, longest.Seconds()*1e3, longest.Seconds()/median.Seconds())
	return nil
}

// durations notes how long each chunk took.
type durations struct {
	pipeline.Silence
	mu   sync.Mutex
	took []time.Duration
}

// ChunkLoaded implements pipeline.Observer.
func (d *durations) ChunkLoaded(_ catalog.TableID, _ string, _, _ int64, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.took = append(d.took, took)
}

// inProcess runs the pipeline here, where an observer can look at it.
func (b *bench) inProcess(ctx context.Context, path string, chunk, rows int64, observer pipeline.Observer) (took time.Duration, err error) {
	if err := os.Setenv("PEERS_KEY", filepath.Join(b.work, "peers.key")); err != nil {
		return 0, err
	}
	policy, err := policies.Load(path)
	if err != nil {
		return 0, err
	}
	key, err := policy.Key()
	if err != nil {
		return 0, err
	}
	options := connectors.Options{Workers: connections}
	from, err := postgres.Connector{}.OpenSource(ctx, b.source.url(sourceDatabase), options)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := postgres.Connector{}.OpenSink(ctx, b.target.url(targetDatabase), options)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	run := pipeline.Run{
		Source: from, Sink: to, Observer: observer,
		Compile: func(_ context.Context, s connectors.Snapshot) (*masking.Plan, pipeline.Fingerprint, error) {
			compiled, err := policies.Compile(policy, s.Catalog(), key, masking.Standard())
			if err != nil {
				return nil, nil, err
			}
			return compiled.Plan, nil, nil
		},
		Options: pipeline.Options{Workers: connections, ChunkBytes: chunk},
	}
	summary, err := run.Do(ctx)
	if err != nil {
		return 0, err
	}
	if summary.Rows != rows {
		return 0, fmt.Errorf("%d rows arrived, of %d", summary.Rows, rows)
	}
	return summary.Took, nil
}
