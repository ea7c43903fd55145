package benchmarks

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/postgres"
)

// hotPath is the in-memory stage of a PostgreSQL copy, on one core: binary COPY
// bytes in, decoded, masked, encoded, binary COPY bytes out.
type hotPath struct {
	stream []byte // header, rows, trailer
	rows   int
	layout *connectors.Layout
	apply  func(*connectors.Batch) error
}

func newHotPath(tb testing.TB, rows, masked int) *hotPath {
	tb.Helper()
	wire, _ := Rows(rows)
	tp := plan(tb, masked)
	layout, err := connectors.NewLayout(Table(), postgres.Binary, tp.Decoded())
	if err != nil {
		tb.Fatal(err)
	}
	h := &hotPath{rows: rows, layout: layout}
	h.stream = append(h.stream, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	h.stream = append(append(h.stream, wire...), 0xff, 0xff)
	mem := memory.NewGoAllocator()
	h.apply = func(b *connectors.Batch) error {
		if len(b.Decoded) == 0 {
			return nil
		}
		out, err := tp.Apply(mem, b.Decoded)
		if err != nil {
			return err
		}
		return b.Replace(out)
	}
	return h
}

// run takes all rows through once.
func (h *hotPath) run() error {
	decoder, err := postgres.NewDecoder(h.layout, bytes.NewReader(h.stream))
	if err != nil {
		return err
	}
	encoder := postgres.NewEncoder(h.layout, io.Discard)
	for {
		b, err := decoder.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := h.apply(b); err != nil {
			return err
		}
		if err := encoder.Encode(b); err != nil {
			return err
		}
		b.Release()
	}
	if encoder.Rows() != int64(h.rows) {
		return fmt.Errorf("%d rows came out, of %d", encoder.Rows(), h.rows)
	}
	return encoder.Close()
}

// parseAndCopy is the reference: it steps over every field of every row, and
// copies the row. Nothing that moves rows can do less.
func parseAndCopy(wire, out []byte) int {
	rows, n := 0, 0
	for pos := 0; pos < len(wire); rows++ {
		start := pos
		fields := int(binary.BigEndian.Uint16(wire[pos:]))
		pos += 2
		for range fields {
			size := int32(binary.BigEndian.Uint32(wire[pos:]))
			if pos += 4; size > 0 {
				pos += int(size)
			}
		}
		if n+pos-start > len(out) {
			n = 0 // a buffer that is sent and used again
		}
		n += copy(out[n:], wire[start:pos])
	}
	return rows
}

// hotRows is 8 MB of rows: more than the cache holds, as on the way from a socket.
const hotRows = 25_600

func BenchmarkHotPath(b *testing.B) {
	wire, _ := Rows(hotRows)
	out := make([]byte, 1<<20)
	b.Run("parse and copy", func(b *testing.B) {
		b.SetBytes(int64(len(wire)))
		for b.Loop() {
			parseAndCopy(wire, out)
		}
		b.ReportMetric(float64(b.N)*hotRows/b.Elapsed().Seconds(), "rows/s")
	})
	for _, masked := range []int{0, 3, 10} {
		b.Run(fmt.Sprintf("masked=%d", masked), func(b *testing.B) {
			h := newHotPath(b, hotRows, masked)
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				if err := h.run(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*hotRows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// budgets are what the hot path must keep: its speed as a share of parse-and-copy
// in the same run, or in MB/s of processor time where a machine copies memory unusually
// fast; and its allocations per row, of which there is none but those per batch.
var budgets = []struct {
	masked int
	ratio  float64
	speed  float64
	allocs float64
}{
	{masked: 0, ratio: 0.9, speed: 5_000, allocs: 0.05},
	{masked: 3, ratio: 0.10, speed: 600, allocs: 0.1},
	{masked: 10, ratio: 0.03, speed: 175, allocs: 0.2},
}

// BenchmarkHotPathBudget fails on what does not depend on the machine's mood: an
// allocation per row, or a speed below the recorded budget in the median of
// rounds in which reference and subject take turns.
//
// Time is the process's CPU time, the collector's included: others on the machine
// do not count.
//
// Run it by `make bench-check`; it takes its rounds once, whatever -benchtime says.
func BenchmarkHotPathBudget(b *testing.B) {
	if b.N > 1 {
		return
	}
	wire, _ := Rows(hotRows)
	out := make([]byte, 1<<20)
	for _, budget := range budgets {
		h := newHotPath(b, hotRows, budget.masked)
		if err := h.run(); err != nil { // warms pools and tables
			b.Fatal(err)
		}
		var ratios, speeds []float64
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const rounds = 15
		for range rounds {
			began := cpuTime(b)
			parseAndCopy(wire, out)
			reference := cpuTime(b) - began
			began = cpuTime(b)
			if err := h.run(); err != nil {
				b.Fatal(err)
			}
			took := cpuTime(b) - began
			ratios = append(ratios, reference.Seconds()/took.Seconds())
			speeds = append(speeds, float64(len(wire))/1e6/took.Seconds())
		}
		runtime.ReadMemStats(&after)
		slices.Sort(ratios)
		slices.Sort(speeds)
		ratio, speed := ratios[rounds/2], speeds[rounds/2]
		allocs := float64(after.Mallocs-before.Mallocs) / (rounds * hotRows)
		b.Logf("%2d of %d masked: %6.0f MB/s, %.3f of parse-and-copy (budget %.2f), %.3f allocations a row",
			budget.masked, Columns, speed, ratio, budget.ratio, allocs)
		if ratio < budget.ratio && speed < budget.speed {
			b.Errorf("%d masked: %.3f of parse-and-copy and %.0f MB/s, below the budget of %.2f or %.0f MB/s",
				budget.masked, ratio, speed, budget.ratio, budget.speed)
		}
		if allocs > budget.allocs {
			b.Errorf("%d masked: %.3f allocations a row, above the budget of %.2f", budget.masked, allocs, budget.allocs)
		}
	}
}

// cpuTime returns the processor time that this process has used.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
