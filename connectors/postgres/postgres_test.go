package postgres

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// copyAll copies a database with nothing masked: what pipeline.Run does, in
// small. decoded names columns to decode all the same, by table.
func copyAll(t *testing.T, from, to, run string, decoded func(*catalog.Table) []string) (err error) {
	t.Helper()
	ctx := t.Context()
	warn := func(m string) { t.Log("warning:", m) }
	src, err := Connector{}.OpenSource(ctx, from, connectors.Options{Workers: 3, Warn: warn})
	if err != nil {
		return err
	}
	defer src.Close()
	snap, err := src.Open(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	return copySnapshot(t, ctx, snap, to, run, decoded)
}

func copySnapshot(t *testing.T, ctx context.Context, snap connectors.Snapshot, to, run string, decoded func(*catalog.Table) []string) (err error) {
	warn := func(m string) { t.Log("warning:", m) }
	defs, err := snap.Definitions(ctx)
	if err != nil {
		return err
	}
	sink, err := Connector{}.OpenSink(ctx, to, connectors.Options{Workers: 3, Warn: warn})
	if err != nil {
		return err
	}
	defer sink.Close()
	b, err := sink.Begin(ctx, connectors.BuildSpec{Run: run, Fingerprint: map[string]string{"policy": "none"},
		Catalog: snap.Catalog(), Definitions: defs, Workers: 3})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Abort()) }()

	var mu sync.Mutex
	rows := map[catalog.TableID]int64{}
	queue := make(chan *catalog.Table)
	var workers sync.WaitGroup
	var failures []error
	for range 3 {
		workers.Go(func() {
			for tab := range queue {
				n, err := copyTable(ctx, snap, b, tab, decoded)
				mu.Lock()
				rows[tab.ID] = n
				if err != nil {
					failures = append(failures, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, tab := range snap.Catalog().Tables {
		queue <- tab
	}
	close(queue)
	workers.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	if err := b.Finish(ctx); err != nil {
		return err
	}
	if err := b.Seal(ctx, rows); err != nil {
		return err
	}
	return b.Promote(ctx)
}

func copyTable(ctx context.Context, snap connectors.Snapshot, b connectors.Build, tab *catalog.Table, decoded func(*catalog.Table) []string) (rows int64, err error) {
	if tab.StoresRows() {
		var names []string
		if decoded != nil {
			names = decoded(tab)
		}
		layout, err := snap.Layout(tab.ID, names)
		if err != nil {
			return 0, err
		}
		chunks, err := snap.Split(ctx, tab.ID, 64<<10) // many chunks even of small tables
		if err != nil {
			return 0, err
		}
		for _, c := range chunks {
			n, err := copyChunk(ctx, snap, b, c, layout)
			if err != nil {
				return rows, err
			}
			rows += n
		}
	}
	if tab.Kind == catalog.Foreign {
		return rows, nil
	}
	return rows, b.TableLoaded(ctx, tab.ID)
}

func copyChunk(ctx context.Context, snap connectors.Snapshot, b connectors.Build, c connectors.Chunk, layout *connectors.Layout) (int64, error) {
	in, err := snap.Read(ctx, c, layout)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := b.Load(ctx, c, layout)
	if err != nil {
		return 0, err
	}
	defer out.Abort()
	for {
		batch, err := in.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		err = out.Write(ctx, batch)
		batch.Release()
		if err != nil {
			return 0, err
		}
	}
	receipt, err := out.Commit(ctx)
	return receipt.Rows, err
}

// everything decodes every column, which must come to the same as decoding none.
func everything(t *catalog.Table) (names []string) {
	for _, c := range t.Columns {
		if !c.Generation.Computed() {
			names = append(names, c.Name)
		}
	}
	return names
}

// beginBuild begins a build of all that a snapshot defines. It is gone when the test ends.
func beginBuild(t *testing.T, snap connectors.Snapshot, to string, workers int) connectors.Build {
	t.Helper()
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sink, err := Connector{}.OpenSink(t.Context(), to, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	b, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r", Catalog: snap.Catalog(), Definitions: defs, Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Abort() })
	return b
}
