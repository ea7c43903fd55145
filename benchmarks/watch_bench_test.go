package benchmarks

import (
	"context"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/postgres"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
)

// BenchmarkGovernor copies the data set with the governor and without it, in turns, both
// servers and the program on the same processors: the pressure is our own, and it must
// not be taken for anybody else's. The ratio is that of the data phases.
func BenchmarkGovernor(b *testing.B) {
	from, to := connectortest.PostgresPair(b)
	source := from.Database(b)
	fill(b, source)
	var with, without time.Duration
	slowed := 0
	for i := 0; b.Loop(); i++ {
		for j := range 2 {
			governed := (i+j)%2 == 0
			took, n := copyGoverned(b, source, to.DSN(to.Name(b)), governed)
			if slowed += n; governed {
				with += took
			} else {
				without += took
			}
		}
	}
	b.ReportMetric(with.Seconds()/without.Seconds(), "ratio")
	b.ReportMetric(float64(slowed), "slowed")
}

func copyGoverned(tb testing.TB, source, target string, governed bool) (data time.Duration, slowed int) {
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
			return masking.NewPlan(map[masking.TableName]*masking.TablePlan{{Schema: "public", Name: "bench"}: plan(tb, 3)}), nil, nil
		},
		Options: pipeline.Options{Workers: copyWorkers, Limits: pipeline.Limits{Ungoverned: !governed}},
	}
	summary, err := run.Do(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	return summary.PhaseTook(pipeline.Copy), summary.Watch.Slowed
}
