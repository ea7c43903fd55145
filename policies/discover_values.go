package policies

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// The bounds of what the detector looks at, whatever samples gives it.
const (
	maxSampleRows  = 10_000   // of one table
	maxValueBytes  = 4 << 10  // of one value; the rest is not looked at
	maxSampleBytes = 16 << 20 // of one table
	fewValues      = 20       // of a column with fewer no share is said
	hardlyAny      = 0.05
)

// evidence counts what the sampled values of one column are. It keeps no value: what
// is different is counted by a hash, whose seed is of this process.
type evidence struct {
	seen     int // neither NULL nor empty
	is       []int
	chars    int
	words    int
	long     int // of at least 4 words
	distinct map[uint64]struct{}
	contacts int // with an address or a number in the middle of a text
	hashes   int
	random   int
	json     int
	decimals int // within ±180, with four decimal places and more
	years    map[int]int
	document *documentPaths
}

// errEnough ends a sample.
var errEnough = errors.New("policies: enough rows")

var hashSeed = maphash.MakeSeed()

// sample reads the samples of each table that stores rows.
func (g *guesser) sample(c *catalog.Catalog, samples Samples) error {
	g.seen = map[*catalog.Table][]evidence{}
	for _, t := range c.Tables {
		if !t.StoresRows() || len(t.Columns) == 0 {
			continue
		}
		all := make([]evidence, len(t.Columns))
		rows, bytes := 0, 0
		err := samples(t, func(row [][]byte) error {
			if len(row) != len(t.Columns) {
				return fmt.Errorf("sample %s: %d values for %d columns", t.ID, len(row), len(t.Columns))
			}
			for i, v := range row {
				if len(v) > maxValueBytes {
					v = v[:maxValueBytes]
				}
				bytes += len(v)
				all[i].look(&t.Columns[i], v)
			}
			if rows++; rows >= maxSampleRows || bytes >= maxSampleBytes {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		g.seen[t] = all
	}
	// A partitioned table has the values of its partitions, as far as their columns agree.
	for _, t := range c.Tables {
		for _, id := range t.Parents {
			parent := c.Table(id)
			if parent == nil || parent.StoresRows() || !t.IsPartition || g.seen[parent] != nil {
				continue
			}
			all := make([]evidence, len(parent.Columns))
			for i := range parent.Columns {
				for j := range t.Columns {
					if t.Columns[j].Name == parent.Columns[i].Name {
						all[i] = g.seen[t][j]
					}
				}
			}
			g.seen[parent] = all
		}
	}
	return nil
}

// look takes one value into account.
func (e *evidence) look(c *catalog.Column, v []byte) {
	if len(v) == 0 || c.Type.Kind == catalog.Bytes || !utf8.Valid(v) {
		if len(v) < maxValueBytes || c.Type.Kind == catalog.Bytes {
			return
		}
		v = []byte(strings.ToValidUTF8(string(v), "")) // cut within a character
	}
	s := strings.TrimSpace(string(v))
	if s == "" {
		return
	}
	e.seen++
	if e.distinct == nil {
		e.distinct = map[uint64]struct{}{}
		e.is = make([]int, len(recognisers))
		e.years = map[int]int{}
	}
	e.distinct[maphash.String(hashSeed, s)] = struct{}{}
	e.chars += utf8.RuneCountInString(s)
	n := len(strings.Fields(s))
	e.words += n
	if n >= 4 {
		e.long++
	}
	if year, isDay := yearOf(s); isDay {
		e.years[year]++
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if _, places, found := strings.Cut(s, "."); found && len(places) >= 4 && math.Abs(f) <= 180 {
			e.decimals++
		}
	}
	if temporal(c.Type) || c.Type.Kind == catalog.Bool || c.Type.Kind == catalog.Opaque {
		return
	}
	if first := s[0]; first == '{' || first == '[' {
		if c.Type.Kind == catalog.JSON || c.Type.Kind == catalog.Text && (json.Valid([]byte(s)) || len(v) == maxValueBytes) {
			e.json++
			if e.document == nil {
				e.document = newDocumentPaths()
			}
			e.document.look([]byte(s))
			return
		}
	}
	for i := range recognisers {
		if recognisers[i].is(s) {
			e.is[i]++
		}
	}
	switch {
	case formHash.MatchString(s):
		e.hashes++
	case n == 1 && len(s) >= 20 && entropy(s) > 3.8 && !formUUID.MatchString(s) && strings.ContainsAny(s, "0123456789") && !strings.ContainsAny(s, "@/.: "):
		e.random++
	}
	if n >= 3 && (hasEmail(s) || hasPhone(s)) {
		e.contacts++
	}
}

// yearOf reads the year of a day as databases print it: 1987-05-04, perhaps with a time.
func yearOf(s string) (int, bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' || !allDigits(s[:4]) || !plausibleDay(s[5:7], s[8:10]) {
		return 0, false
	}
	year, _ := strconv.Atoi(s[:4])
	return year, true
}

// entropy is Shannon's, of the bytes of a value, in bits.
func entropy(s string) float64 {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	h := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			h -= p * math.Log2(p)
		}
	}
	return h
}

func (e *evidence) share(n int) float64 { return float64(n) / float64(max(e.seen, 1)) }

// portion says a share so that no single row can be told from it.
func (e *evidence) portion(n int) string {
	share := e.share(n)
	switch {
	case e.seen < fewValues && share >= 0.5:
		return "most of the sampled values"
	case e.seen < fewValues:
		return "some of the sampled values"
	case share >= 0.975:
		return "nearly all of the sampled values"
	case share < 0.075:
		return "some of the sampled values"
	}
	return fmt.Sprintf("%d %% of the sampled values", int(math.Round(share*20))*5)
}

// verdict is what the values alone say.
func (e *evidence) verdict(v *reading, c *catalog.Column) (guess, bool) {
	if e.seen < 3 {
		return guess{}, false
	}
	kind := c.Type.Kind
	for i, r := range recognisers {
		least := r.least
		if e.seen < fewValues {
			least = max(least, 0.6)
		}
		number := kind == catalog.Int || kind == catalog.Numeric
		if kind == catalog.Float || number && (r.class != "government_id" && r.class != "card" || len(e.distinct) < fewValues) {
			continue
		}
		if r.class == "special" && len(e.distinct) < 2 || r.class == "postcode" && !v.address && !v.person {
			continue
		}
		if e.share(e.is[i]) >= least && !e.consecutive(r.class) {
			return of(r.class, r.score, "%s are %s", e.portion(e.is[i]), r.words), true
		}
	}
	if temporal(c.Type) || kind == catalog.Text {
		if e.bornThen() {
			score := 0.55
			if v.person || v.contact {
				score = 0.8
			}
			if v.thing && !v.person {
				score = 0.3
			}
			return of("birth_date", score, "the years of the sampled days are spread as those of births are"), true
		}
	}
	switch kind {
	case catalog.Float, catalog.Numeric:
		if e.share(e.decimals) >= 0.9 && len(e.distinct) > 2 {
			return of("coordinates", 0.55, "%s look like coordinates", e.portion(e.decimals)), true
		}
	case catalog.Text:
		switch {
		case e.share(e.json) >= 0.6:
			return guess{data: document, score: 0.65, reason: e.portion(e.json) + " are JSON documents"}, true
		case e.share(e.hashes+e.random) >= 0.8 && e.share(len(e.distinct)) > 0.9:
			return unsure("secret", 0.6, "%s are long and random, as hashes and tokens are", e.portion(e.hashes+e.random)), true
		case e.share(e.contacts) > 0.02 && e.share(e.long) > 0.2:
			return of(freeText, 0.85, "texts, some with addresses or telephone numbers in them"), true
		case e.share(e.long) >= 0.5 && e.share(len(e.distinct)) >= 0.5 && e.chars >= 25*e.seen:
			score := 0.65
			if v.thing && !v.person {
				score = 0.45
			}
			return of(freeText, score, "%s are sentences, each of its own", e.portion(e.long)), true
		}
	}
	return guess{}, false
}

// consecutive reports whether numbers of one length that all differ are too few kinds
// of value to be trusted by a check digit. It only doubts columns of very few values.
func (e *evidence) consecutive(class string) bool {
	return (class == "government_id" || class == "card") && len(e.distinct) < 5
}

// bornThen reports whether days are spread over the decades as births are: nearly all
// from 1915 to 2015, over 20 years at least, the middle before 2005.
func (e *evidence) bornThen() bool {
	days, born := 0, 0
	first, last := 9999, 0
	for year, n := range e.years {
		days += n
		if year >= 1915 && year <= 2015 {
			born += n
		}
		if n*50 >= days { // without what is rare
			first, last = min(first, year), max(last, year)
		}
	}
	if days < 8 || e.share(days) < 0.9 || float64(born) < 0.95*float64(days) || len(e.distinct) < 8 {
		return false
	}
	early := 0
	for year, n := range e.years {
		if year < 2005 {
			early += n
		}
	}
	return last-first >= 20 && early*2 >= days
}

// byValues weighs what the values say against what the name says.
func (g *guesser) byValues(t *catalog.Table, c *catalog.Column, found guess) guess {
	e := g.evidence(t, c)
	if e == nil {
		return found
	}
	v := g.view(t)
	told, any := e.verdict(v, c)
	switch {
	case any && told.data == found.data && found.personal():
		found.score, found.sure, found.class = max(found.score, told.score), true, told.class
		found.reason += "; " + told.reason
		if found.data == document {
			found.sure = false
		}
		return found
	case any && found.personal() && found.score >= 0.8:
		return e.contradict(found) // the name says more than values that look like something else
	case any && found.class != personID && found.class != personUUID && found.class != personKey && told.score > found.score:
		if found.personal() && found.class != "" {
			told.reason += "; " + found.reason
		}
		return told
	case found.class == "" && found.personal() && e.seen >= 2*fewValues && len(e.distinct) <= 10 && e.words <= e.seen*3/2:
		found.data, found.score = "", 0.3
		found.reason = "few different words, in a table of people, by a name that tells nothing"
		return found
	}
	return e.contradict(found)
}

// checked are the classes whose values the recognisers know nearly all of, with the words for them.
var checked = map[string]string{"email": "addresses of email", "iban": "valid IBANs", "ip": "internet addresses", "mac": "hardware addresses"}

// contradict lowers the score of a name whose values are something else. It stays
// personal: a name is a promise, and a sample is not all.
func (e *evidence) contradict(found guess) guess {
	what := checked[found.data]
	if what == "" || e.seen < fewValues {
		return found
	}
	n := 0
	for i, r := range recognisers {
		if r.class == found.data {
			n += e.is[i]
		}
	}
	if e.share(n) < hardlyAny {
		found.score, found.sure = max(doubtful, found.score-0.35), false
		found.reason += "; but hardly any of the sampled values are " + what
	}
	return found
}

func (g *guesser) evidence(t *catalog.Table, c *catalog.Column) *evidence {
	all := g.seen[t]
	for i := range all {
		if &t.Columns[i] == c {
			return &all[i]
		}
	}
	return nil
}
