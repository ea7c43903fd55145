package postgres

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// The longest comes first whoever came first, and one who gives up holds up nobody.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queue
		if err := q.enter(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		gaveUp, giveUp := context.WithCancel(t.Context())
		var order []int64
		wait := func(ctx context.Context, weight int64) {
			go func() {
				if err := q.enter(ctx, weight); err != nil {
					if weight != 50 {
						t.Errorf("%d: %v", weight, err)
					}
					return
				}
				order = append(order, weight)
				q.leave()
			}()
			synctest.Wait()
		}
		wait(t.Context(), 10)
		wait(t.Context(), 40)
		wait(gaveUp, 50)
		wait(t.Context(), 20)
		giveUp()
		synctest.Wait()
		q.leave()
		synctest.Wait()
		if want := []int64{40, 20, 10}; !slices.Equal(order, want) {
			t.Errorf("they came in the order %v, want %v", order, want)
		}
		if q.taken || len(q.waiting) > 0 {
			t.Error("the queue is not empty at the end")
		}
	})
}
