package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// lever is one way to load and build order_lines, the table that holds most rows.
type lever struct {
	name     string
	unlogged bool // made UNLOGGED, and LOGGED when the keys stand
	frozen   bool
	parts    int    // chunks of pages, loaded by two connections
	settings string // of the sessions that build
}

var levers = []lever{
	{"chunks of 48 MB", false, false, 0, "maintenance_work_mem=64MB"},
	{"whole", false, false, 1, "maintenance_work_mem=64MB"},
	{"whole, frozen", false, true, 1, "maintenance_work_mem=64MB"},
	{"whole, frozen, no helpers", false, true, 1, "maintenance_work_mem=64MB max_parallel_maintenance_workers=0"},
	{"whole, frozen, no helpers, 256 MB to sort", false, true, 1, "maintenance_work_mem=256MB max_parallel_maintenance_workers=0"},
	{"whole, frozen, no helpers, 16 MB to sort", false, true, 1, "maintenance_work_mem=16MB max_parallel_maintenance_workers=0"},
	{"the same, commits not waited for", false, true, 1, "maintenance_work_mem=16MB max_parallel_maintenance_workers=0 synchronous_commit=off"},
	{"the same, unlogged and then logged", true, true, 1, "maintenance_work_mem=16MB max_parallel_maintenance_workers=0"},
}

// measureLevers loads one table in several ways, and tells what each costs the target's
// server. It is how the connector's ways were chosen.
func (b *bench) measureLevers(ctx context.Context) error {
	if err := b.sourceAnew(ctx); err != nil {
		return err
	}
	b.say("fills a shop of %.1f GB", b.gb)
	if err := makeShop(ctx, b.source.dsn(sourceDatabase), b.gb); err != nil {
		return err
	}
	pages, err := b.source.number(ctx, sourceDatabase, "SELECT (pg_relation_size('order_lines') / 8192)::text")
	if err != nil {
		return err
	}
	var page strings.Builder
	fmt.Fprintf(&page, "# Levers\n\nMade by `benchmarks/peers/run levers`, %s UTC: order_lines, %.2f GB, into an empty table, then its three indexes by two connections.\nProcessor time of the target's server, checkpoint and log included.\n\n"+
		"| | load CPU s | load wall s | indexes CPU s | indexes wall s | log MB |\n|---|---|---|---|---|---|\n",
		b.began.UTC().Format("2006-01-02 15:04"), float64(pages)*8192/1e9)
	var indexes []string
	for _, s := range stages()[0] {
		if strings.Contains(s, " ON order_lines ") {
			indexes = append(indexes, s)
		}
	}
	for _, l := range levers {
		if err := b.target.exec(ctx, "postgres", "DROP DATABASE IF EXISTS "+targetDatabase, "CREATE DATABASE "+targetDatabase, "CHECKPOINT"); err != nil {
			return err
		}
		start, err := b.target.query(ctx, "postgres", "SELECT pg_current_wal_lsn()::text")
		if err != nil {
			return err
		}
		if err := onTwo(ctx, b.target.dsn(targetDatabase), []string{tablesSQL}); err != nil {
			return err
		}
		if l.unlogged {
			if err := b.target.exec(ctx, targetDatabase, "ALTER TABLE order_lines SET UNLOGGED"); err != nil {
				return err
			}
		}
		load, loadWall, err := b.clock(func() error { return b.loadLines(ctx, l, pages) })
		if err != nil {
			return err
		}
		build, buildWall, err := b.clock(func() error {
			options := "-c " + strings.Join(strings.Fields(l.settings), " -c ")
			if err := onTwo(ctx, b.target.dsn(targetDatabase)+" options='"+options+"'", indexes); err != nil || !l.unlogged {
				return err
			}
			return b.target.exec(ctx, targetDatabase, "ALTER TABLE order_lines SET LOGGED")
		})
		if err != nil {
			return err
		}
		log, err := b.target.query(ctx, "postgres", "SELECT round(pg_wal_lsn_diff(pg_current_wal_lsn(), '"+start+"') / 1e6)::text")
		if err != nil {
			return err
		}
		b.say("%s: %.1f + %.1f s of processor time", l.name, load.Seconds(), build.Seconds())
		fmt.Fprintf(&page, "| %s | %.1f | %.1f | %.1f | %.1f | %s |\n", l.name, load.Seconds(), loadWall.Seconds(), build.Seconds(), buildWall.Seconds(), log)
	}
	out := cmp.Or(os.Getenv("PEERS_OUT"), "benchmarks/results/levers.md")
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	fmt.Print(page.String())
	return os.WriteFile(out, []byte(page.String()), 0o644)
}

// clock returns what the target's server and the wall say of f.
func (b *bench) clock(f func() error) (cpu, wall time.Duration, err error) {
	_, before, err := b.cpu()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := f(); err != nil {
		return 0, 0, err
	}
	wall = time.Since(began)
	_, after, err := b.cpu()
	return after - before, wall, err
}

// loadLines pipes order_lines as the lever says.
func (b *bench) loadLines(ctx context.Context, l lever, pages int64) error {
	step := pages
	if l.parts == 0 {
		step = 48 << 20 / 8192
	}
	var ranges []string
	for lo := int64(0); lo < pages; lo += step {
		ranges = append(ranges, fmt.Sprintf("COPY (SELECT * FROM order_lines WHERE ctid >= '(%d,0)' AND ctid < '(%d,0)') TO STDOUT (FORMAT binary)", lo, lo+step))
	}
	if len(ranges) == 1 {
		ranges[0] = "COPY order_lines TO STDOUT (FORMAT binary)"
	}
	next := make(chan string, len(ranges))
	for _, r := range ranges {
		next <- r
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for range min(connections, len(ranges)) {
		g.Go(func() error {
			from, err := pgconn.Connect(ctx, b.source.dsn(sourceDatabase))
			if err != nil {
				return err
			}
			defer from.Close(context.WithoutCancel(ctx))
			to, err := pgconn.Connect(ctx, b.target.dsn(targetDatabase))
			if err != nil {
				return err
			}
			defer to.Close(context.WithoutCancel(ctx))
			for sql := range next {
				if err := pipe(ctx, from, to, "order_lines", sql, l.frozen); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}
