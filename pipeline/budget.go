package pipeline

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// budget bounds the bytes of all batches in flight. A batch's size is known only
// once it has been read, so a job first takes a share for a usual batch and then,
// for a larger one, swaps it for as much as that needs. Nobody waits here while
// holding a share: two jobs with huge rows pass one after the other. A connector may
// make a job wait in the midst of a batch, until another job's huge row is through;
// so no batch ever needs the usual shares of the other workers, who may all wait so.
type budget struct {
	sem  *semaphore.Weighted
	most int64 // of one batch
}

// usualBatch is what a batch takes at first: its wire bytes, the decoded and the
// masked columns, and the message being sent.
const usualBatch = 4 << 20

func newBudget(total int64, workers int) *budget {
	total = max(total, usualBatch)
	return &budget{sem: semaphore.NewWeighted(total), most: max(total-int64(workers-1)*usualBatch, usualBatch)}
}

// take waits for the share of a usual batch and returns it.
func (b *budget) take(ctx context.Context) (int64, error) {
	if err := b.sem.Acquire(ctx, usualBatch); err != nil {
		return 0, err
	}
	return usualBatch, nil
}

// fit swaps a share for one that a batch of size bytes needs: twice its size,
// or all that others leave if that is less. It returns the share held afterwards, which is 0 on an error.
func (b *budget) fit(ctx context.Context, share, size int64) (int64, error) {
	need := min(2*size, b.most)
	if need <= share {
		return share, nil
	}
	b.sem.Release(share)
	if err := b.sem.Acquire(ctx, need); err != nil {
		return 0, err
	}
	return need, nil
}

// give returns a share.
func (b *budget) give(share int64) {
	if share > 0 {
		b.sem.Release(share)
	}
}
