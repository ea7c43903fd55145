package masking

import (
	"testing"
)

// BenchmarkTransform reports what one value costs in a batch of 1,024, each case
// of the laws: ns/op is nanoseconds per value.
func BenchmarkTransform(b *testing.B) {
	for _, c := range lawCases {
		b.Run(c.name, func(b *testing.B) {
			const rows = 1024
			values, subjects := c.take(0, rows)
			bytes := 0
			for _, v := range values {
				if s, isText := v.(string); isText {
					bytes += len(s)
				} else {
					bytes += 8
				}
			}
			run := c.runner(b, c.bind(b, fixedKey(b), "d"), values, subjects)
			b.SetBytes(int64(bytes / rows))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += rows {
				run()
			}
		})
	}
}
