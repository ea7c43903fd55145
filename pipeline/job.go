package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/masking"
)

// job is what the chunks of one table share. It is safe for concurrent use.
type job struct {
	snapshot connectors.Snapshot
	build    connectors.Build
	layout   *connectors.Layout
	plan     *masking.TablePlan
	budget   *budget
	mem      memory.Allocator
}

// during says what was done when an error came up, which the connector may have said already.
func during(op string, err error) error {
	if rest, said := strings.CutPrefix(err.Error(), op); said && rest != "" && (rest[0] == ':' || rest[0] == ',') {
		return err
	}
	return fmt.Errorf("%s: %w", op, err)
}

// movedEvery is how many bytes of a chunk are written between two words to the observer:
// many times a second, and far too seldom to cost anything.
const movedEvery = 8 << 20

// run copies one chunk: read, mask, load, commit. Nothing of it remains when it fails.
func (j *job) run(ctx context.Context, chunk connectors.Chunk, obs Observer) (receipt connectors.Receipt, err error) {
	reader, err := j.snapshot.Read(ctx, chunk, j.layout)
	if err != nil {
		return receipt, during("read "+chunk.ID, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	loader, err := j.build.Load(ctx, chunk, j.layout)
	if err != nil {
		return receipt, during("load "+chunk.ID, err)
	}
	defer func() { err = errors.Join(err, loader.Abort()) }()

	var rows, bytes, said int64
	obs.ChunkMoved(chunk, 0, 0)
	for {
		n, size, err := j.batch(ctx, chunk, reader, loader, rows)
		if err == io.EOF {
			break
		}
		if err != nil {
			return receipt, err
		}
		rows += int64(n)
		if bytes += size; bytes-said >= movedEvery {
			said = bytes
			obs.ChunkMoved(chunk, rows, bytes)
		}
	}
	receipt, err = loader.Commit(ctx)
	if err != nil {
		return receipt, fmt.Errorf("commit %s: %w", chunk.ID, err)
	}
	if receipt.Rows != rows {
		return receipt, &connectors.Error{
			Kind: connectors.KindIntegrity,
			Op:   "commit " + chunk.ID,
			Err:  fmt.Errorf("%d rows were read and %d were loaded", rows, receipt.Rows),
		}
	}
	return receipt, nil
}

// batch takes one batch from the reader through the mask to the loader.
// before is how many rows of the chunk came earlier. It returns the batch's rows and
// bytes, and io.EOF after the last.
func (j *job) batch(ctx context.Context, chunk connectors.Chunk, reader connectors.Batches, loader connectors.Loader, before int64) (rows int, bytes int64, err error) {
	share, err := j.budget.take(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { j.budget.give(share) }()
	b, err := reader.Next(ctx)
	if err != nil {
		if err == io.EOF {
			return 0, 0, err
		}
		return 0, 0, during("read "+chunk.ID, err)
	}
	defer b.Release()
	if share, err = j.budget.fit(ctx, share, b.Size()); err != nil {
		return 0, 0, err
	}
	if len(b.Decoded) > 0 {
		masked, err := j.plan.Apply(j.mem, b.Decoded)
		if err != nil {
			return 0, 0, j.maskError(chunk, before, err)
		}
		if err := b.Replace(masked); err != nil {
			panic("pipeline: " + err.Error()) // a transform broke its contract
		}
	}
	if err := loader.Write(ctx, b); err != nil {
		return 0, 0, during("load "+chunk.ID, err)
	}
	return b.Rows, int64(len(b.Wire)), nil
}

// maskError gives a value error the coordinates that the transform cannot know.
func (j *job) maskError(chunk connectors.Chunk, before int64, err error) error {
	var ve *masking.ValueError
	if !errors.As(err, &ve) {
		return fmt.Errorf("mask %s: chunk %d: %w", j.layout.Table.ID, chunk.Index, err)
	}
	return &connectors.Error{
		Kind: connectors.KindUnsupported,
		Side: connectors.SourceSide,
		Op:   fmt.Sprintf("mask %s.%s: chunk %d, row %d", j.layout.Table.ID, ve.Column, chunk.Index, before+int64(ve.Row)),
		Err:  errors.New(ve.Reason),
		Hint: ve.Help,
	}
}

// attempts runs a chunk until it is committed, the error may not be retried, or
// the tries are used up.
func (j *job) attempts(ctx context.Context, chunk connectors.Chunk, ledger *Ledger, o *Options, obs Observer, retried func()) error {
	for attempt := 1; ; attempt++ {
		if _, done := ledger.Lookup(chunk.ID); done {
			return nil
		}
		began := time.Now()
		receipt, err := j.run(ctx, chunk, obs)
		if err == nil {
			ledger.Record(receipt)
			obs.ChunkLoaded(chunk.Table, chunk.ID, receipt.Rows, receipt.Bytes, time.Since(began))
			return nil
		}
		if attempt > o.Retries || !connectors.Retryable(err) || ctx.Err() != nil {
			return &spentError{err}
		}
		retried()
		obs.ChunkRetried(chunk.ID, attempt, err)
		select {
		case <-time.After(o.RetryWait << (attempt - 1)):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
		// The commit may have got through before the connection broke.
		if rerr := ledger.Refresh(ctx); rerr != nil && !connectors.Retryable(rerr) {
			return errors.Join(err, rerr)
		}
	}
}
