package benchmarks

import (
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
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
			summary := copyMasked(b, source, to.DSN(to.Name(b)), 3, pipeline.Limits{Ungoverned: !governed})
			took := summary.PhaseTook(pipeline.Copy)
			if slowed += summary.Watch.Slowed; governed {
				with += took
			} else {
				without += took
			}
		}
	}
	b.ReportMetric(with.Seconds()/without.Seconds(), "ratio")
	b.ReportMetric(float64(slowed), "slowed")
}
