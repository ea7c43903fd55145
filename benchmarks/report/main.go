// Command report writes the table of transforms into benchmarks/README.md. It
// reads what `go test -bench BenchmarkVariants` prints, several counts of it, from
// its standard input; `make bench-report` runs both.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The table stands between these two lines of the page.
const (
	begin = "<!-- transforms: made by make bench-report -->"
	end   = "<!-- transforms: end -->"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go test -bench BenchmarkVariants … | report PAGE.md")
		os.Exit(2)
	}
	if err := run(os.Stdin, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, page string) error {
	r, err := read(in)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	text, err := replace(old, r.table())
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, text, 0o644)
}

// results are the figures of one run: nanoseconds per value, a list of counts for
// each way of each variant.
type results struct {
	facts    []string // what the test binary says of the machine
	variants []string // in the order in which they came
	figures  map[string]map[string][]float64
}

// read reads the lines of Go's benchmark format. One that failed has printed
// FAIL, and its figures are worth nothing.
func read(in io.Reader) (*results, error) {
	r := &results{figures: map[string]map[string][]float64{}}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "FAIL") || strings.HasPrefix(line, "--- FAIL") || strings.HasPrefix(line, "panic:") {
			return nil, fmt.Errorf("the benchmarks failed: %s", line)
		}
		for _, fact := range []string{"goos: ", "goarch: ", "cpu: "} {
			if v, is := strings.CutPrefix(line, fact); is && !slices.Contains(r.facts, strings.TrimSpace(v)) {
				r.facts = append(r.facts, strings.TrimSpace(v))
			}
		}
		name, ok := strings.CutPrefix(line, "BenchmarkVariants/")
		if !ok {
			continue
		}
		fields := strings.Fields(name)
		if len(fields) < 4 || fields[3] != "ns/op" {
			continue
		}
		ns, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number of nanoseconds", fields[2])
		}
		path := fields[0]
		if i := strings.LastIndexByte(path, '-'); i > 0 { // the number of processors
			if _, err := strconv.Atoi(path[i+1:]); err == nil {
				path = path[:i]
			}
		}
		variant, way, ok := strings.Cut(path, "/")
		if !ok {
			continue
		}
		variant = strings.ReplaceAll(variant, "_", " ")
		if r.figures[variant] == nil {
			r.figures[variant] = map[string][]float64{}
			r.variants = append(r.variants, variant)
		}
		r.figures[variant][way] = append(r.figures[variant][way], ns)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(r.variants) == 0 {
		return nil, fmt.Errorf("there are no figures of BenchmarkVariants in the input")
	}
	return r, nil
}

// table returns the table, medians of each figure and the ratio of otherwise to batched.
func (r *results) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, medians of %d counts of one run.\n\n", strings.Join(r.facts, ", "), r.counts())
	b.WriteString("| transform | batched | one by one | otherwise | ratio |\n|---|---|---|---|---|\n")
	for _, v := range r.variants {
		f := r.figures[v]
		batched := median(f["batched"])
		for way, counts := range f {
			if name, is := strings.CutPrefix(way, "otherwise="); is {
				fmt.Fprintf(&b, "| %s | %s | %s | %s, %s | %s |\n", v, nanoseconds(batched), nanoseconds(median(f["single"])),
					nanoseconds(median(counts)), name, ratio(median(counts)/batched))
			}
		}
	}
	return b.String()
}

// counts returns how often the figures were taken.
func (r *results) counts() int { return len(r.figures[r.variants[0]]["batched"]) }

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func nanoseconds(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if v < 10 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func ratio(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if v < 10 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// replace puts the table between the two marks of the page.
func replace(page []byte, table string) ([]byte, error) {
	before, rest, ok := bytes.Cut(page, []byte(begin+"\n"))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return nil, fmt.Errorf("the lines %q and %q are missing", begin, end)
	}
	return slices.Concat(before, []byte(begin+"\n"+table+end), after), nil
}
