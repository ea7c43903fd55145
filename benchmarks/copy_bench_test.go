package benchmarks

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/postgres"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
)

// copyRows is how many rows of the data set travel between the servers: about 320 MB.
const copyRows = 1_000_000

// copyWorkers is the number of connections on each side, for us and for the reference.
const copyWorkers = 2

// BenchmarkCopy copies the data set from one real PostgreSQL server to another,
// alternating with the reference: the same table through an unmasked binary COPY
// pipe with the same number of connections and the same chunks. The ratio of the data phases is what
// is judged; the time of one run says nothing.
func BenchmarkCopy(b *testing.B) {
	from, to := connectortest.PostgresPair(b)
	source := from.Database(b)
	fill(b, source)
	for _, masked := range []int{0, 3, 10} {
		b.Run(fmt.Sprintf("masked=%d", masked), func(b *testing.B) {
			var ours, pipe time.Duration
			for i := 0; b.Loop(); i++ {
				// Whoever comes second meets the pages that the first has left to be
				// written; so they take turns in coming first.
				if i%2 == 0 {
					pipe += rawPipe(b, source, to.Database(b))
				}
				ours += copyMasked(b, source, to.DSN(to.Name(b)), masked, pipeline.Limits{}).PhaseTook(pipeline.Copy)
				if i%2 == 1 {
					pipe += rawPipe(b, source, to.Database(b))
				}
			}
			n := float64(b.N)
			b.ReportMetric(ours.Seconds()/pipe.Seconds(), "ratio")
			b.ReportMetric(copyRows*n/ours.Seconds(), "rows/s")
			b.ReportMetric(copyRows*n*RowBytes/1e6/ours.Seconds(), "MB/s")
		})
	}
}

// fill creates the table of the data set and loads its rows.
func fill(tb testing.TB, dsn string) {
	tb.Helper()
	ctx := tb.Context()
	conn, err := pgconn.Connect(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, DDL).ReadAll(); err != nil {
		tb.Fatal(err)
	}
	const part = 100_000 // rows repeat after that many, which no part of the path can tell
	wire, _ := Rows(part)
	r, w := io.Pipe()
	go func() {
		_, err := w.Write(append([]byte("PGCOPY\n\xff\r\n\x00"), make([]byte, 8)...))
		for i := 0; i < copyRows/part && err == nil; i++ {
			_, err = w.Write(wire)
		}
		if err == nil {
			_, err = w.Write([]byte{0xff, 0xff})
		}
		w.CloseWithError(err)
	}()
	if _, err := conn.CopyFrom(ctx, r, "COPY bench FROM STDIN (FORMAT binary)"); err != nil {
		tb.Fatal(err)
	}
	for _, statement := range []string{"VACUUM (ANALYZE, FREEZE) bench", "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, statement).ReadAll(); err != nil {
			tb.Fatal(err)
		}
	}
}

// rawPipe copies the table unmasked, by ranges of pages, and returns how long that took.
func rawPipe(tb testing.TB, source, target string) time.Duration {
	tb.Helper()
	ctx := tb.Context()
	admin, err := pgconn.Connect(ctx, target)
	if err != nil {
		tb.Fatal(err)
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, DDL).ReadAll(); err != nil {
		tb.Fatal(err)
	}
	reader, err := pgconn.Connect(ctx, source)
	if err != nil {
		tb.Fatal(err)
	}
	result, err := reader.Exec(ctx, "SELECT pg_relation_size('bench') / 8192").ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	reader.Close(ctx)
	pages, err := strconv.Atoi(string(result[0].Rows[0][0]))
	if err != nil {
		tb.Fatal(err)
	}

	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	step := pages/(2*copyWorkers) + 1
	next := make(chan int, 2*copyWorkers)
	for lo := 0; lo < pages; lo += step {
		next <- lo
	}
	close(next)
	for range copyWorkers {
		g.Go(func() error {
			from, err := pgconn.Connect(ctx, source)
			if err != nil {
				return err
			}
			defer from.Close(ctx)
			to, err := pgconn.Connect(ctx, target)
			if err != nil {
				return err
			}
			defer to.Close(ctx)
			for lo := range next {
				if err := pipeOne(ctx, from, to, lo, lo+step); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		tb.Fatal(err)
	}
	return time.Since(began)
}

func pipeOne(ctx context.Context, from, to *pgconn.PgConn, lo, hi int) error {
	r, w := io.Pipe()
	go func() {
		// The driver writes row by row, and each write to the pipe waits for its
		// reader: without a buffer the reference would be slower than it has to be.
		buffered := bufio.NewWriterSize(w, 128<<10)
		_, err := from.CopyTo(ctx, buffered, fmt.Sprintf(
			"COPY (SELECT * FROM bench WHERE ctid >= '(%d,0)' AND ctid < '(%d,0)') TO STDOUT (FORMAT binary)", lo, hi))
		if err == nil {
			err = buffered.Flush()
		}
		w.CloseWithError(err)
	}()
	_, err := to.CopyFrom(ctx, r, "COPY bench FROM STDIN (FORMAT binary)")
	return err
}

// copyMasked runs the product with the first n masks and returns what it says of it.
func copyMasked(tb testing.TB, source, target string, n int, limits pipeline.Limits) *pipeline.Summary {
	tb.Helper()
	ctx := tb.Context()
	options := connectors.Options{Workers: copyWorkers}
	from, err := postgres.Connector{}.OpenSource(ctx, source, options)
	if err != nil {
		tb.Fatal(err)
	}
	defer from.Close()
	to, err := postgres.Connector{}.OpenSink(ctx, target, options)
	if err != nil {
		tb.Fatal(err)
	}
	defer to.Close()
	run := pipeline.Run{
		Source: from, Sink: to,
		Compile: func(context.Context, connectors.Snapshot) (*masking.Plan, pipeline.Fingerprint, error) {
			tp := plan(tb, n)
			return masking.NewPlan(map[masking.TableName]*masking.TablePlan{{Schema: "public", Name: "bench"}: tp}), nil, nil
		},
		Options: pipeline.Options{Workers: copyWorkers, Limits: limits},
	}
	summary, err := run.Do(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	if summary.Rows != copyRows {
		tb.Fatalf("%d rows arrived, of %d", summary.Rows, copyRows)
	}
	return summary
}
