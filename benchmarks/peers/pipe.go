package main

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// pipeTables copies the tables unmasked: COPY … TO STDOUT into COPY … FROM STDIN, binary,
// each table whole, so that it can be loaded frozen, the longest first. Nothing that
// copies rows between two servers can do less.
func pipeTables(ctx context.Context, source, target string) error {
	if err := onTwo(ctx, target, []string{tablesSQL}); err != nil {
		return err
	}
	next := make(chan string, len(tables))
	for _, t := range tables {
		next <- t
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for range connections {
		g.Go(func() error {
			from, err := pgconn.Connect(ctx, source)
			if err != nil {
				return err
			}
			defer from.Close(context.WithoutCancel(ctx))
			to, err := pgconn.Connect(ctx, target)
			if err != nil {
				return err
			}
			defer to.Close(context.WithoutCancel(ctx))
			for t := range next {
				if err := pipe(ctx, from, to, t, "COPY "+t+" TO STDOUT (FORMAT binary)", true); err != nil {
					return fmt.Errorf("copy %s: %w", t, err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// pipe copies what a statement reads into a table: frozen, into one that it empties first.
func pipe(ctx context.Context, from, to *pgconn.PgConn, table, read string, frozen bool) error {
	begin, options := "BEGIN", "FORMAT binary"
	if frozen {
		begin, options = "BEGIN; TRUNCATE "+table, "FORMAT binary, FREEZE"
	}
	if _, err := to.Exec(ctx, begin).ReadAll(); err != nil {
		return err
	}
	r, w := io.Pipe()
	go func() {
		// The driver writes row by row, and each write to the pipe waits for its
		// reader: without a buffer the reference would be slower than it has to be.
		buffered := bufio.NewWriterSize(w, 128<<10)
		_, err := from.CopyTo(ctx, buffered, read)
		if err == nil {
			err = buffered.Flush()
		}
		w.CloseWithError(err)
	}()
	_, err := to.CopyFrom(ctx, r, "COPY "+table+" FROM STDIN ("+options+")")
	r.CloseWithError(err)
	if err != nil {
		return err
	}
	_, err = to.Exec(ctx, "COMMIT").ReadAll()
	return err
}

// pipeKeys makes the indexes, the keys and the statistics, on as many connections.
func pipeKeys(ctx context.Context, target string) error {
	for _, stage := range stages() {
		if err := onTwo(ctx, target+" options='-c maintenance_work_mem=16MB'", stage); err != nil {
			return err
		}
	}
	return nil
}
