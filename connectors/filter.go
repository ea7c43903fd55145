package connectors

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Filter says which rows of a table are copied. The zero Filter is all of them.
//
// Sample and Limit go by a keyed hash of the row's key, which does not depend on
// chunk, worker, order or night: the sample of tonight is that of last night, as far as
// the rows are. The hash is computed here and not at the server, so that the seed is in
// no statement, no parameter and no log.
//
// Whoever has the sample learns how large it is, and that its rows will be there
// tomorrow. Who else is in the table, or whether somebody whose key they know would be
// in the sample, they do not learn without the seed.
type Filter struct {
	// Where is a condition in the source's own SQL, evaluated under the snapshot.
	// Empty is none.
	Where string
	// Key names the columns whose text is hashed. Empty is the primary key, else the
	// first unique key without NULLs. Rows of one key are all kept or all left.
	Key []string
	// Sample is the share of rows to keep, above 0 and up to 1; 0 is all.
	Sample float64
	// Limit keeps so many of those rows, the ones with the least hashes; 0 is no limit.
	Limit int64
	// Seed is the key of the hash. Two tables with one seed and equal keys keep the same.
	Seed [32]byte
}

// Filterer is a Snapshot that can leave rows behind. Methods are safe for concurrent use.
type Filterer interface {
	// Filter returns a layout like the given one by which Read gives only the rows that
	// the filter lets through; Split is not concerned. It checks all of the filter, and
	// fails with KindFilter for one that cannot be: a condition that is not one
	// expression of the table, that might write or answer otherwise tomorrow, or a
	// sample of a table without a key. With a Limit it reads the keys of the table, and
	// of a partition those of all partitions: the limit is of the root's rows.
	Filter(ctx context.Context, layout *Layout, f Filter) (*Layout, error)
}

// FilterChecker is a Source that knows which filters its snapshots would take, without one of
// them. Methods are safe for concurrent use.
type FilterChecker interface {
	// CheckFilter returns the error that Filter would return for the table, which is no
	// partition, or nil. It asks by a short read-only session of its own, and reads no row:
	// the keys that a limit goes by are not read. Where it cannot ask, its error is of
	// another kind than KindFilter: KindUnavailable if the account may not read the table.
	CheckFilter(ctx context.Context, c *catalog.Catalog, table catalog.TableID, f Filter) error
}

// ResolveIn is Resolve for a table of a catalog. FilterCheckers begin with it.
func (f Filter) ResolveIn(c *catalog.Catalog, table catalog.TableID) (Filter, *catalog.Table, error) {
	t := c.Table(table)
	if t == nil {
		return f, nil, FilterError(table, errors.New("there is no such table"), "")
	}
	f, err := f.Resolve(t)
	return f, t, err
}

// Zero reports whether the filter lets every row through.
func (f Filter) Zero() bool { return f.Where == "" && !f.hashes() }

func (f Filter) hashes() bool { return f.Sample > 0 && f.Sample < 1 || f.Limit > 0 }

// Digest returns the SHA-256 of what the filter asks, without its seed.
func (f Filter) Digest() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %g %d", f.Where, f.Key, f.Sample, f.Limit))
}

// mostLimit bounds the hashes that a limit holds: 16 bytes each.
const mostLimit = 50_000_000

// Resolve checks the filter against the root of the table's partitions, or the table
// itself, and fills in Key where it is needed. Connectors call it from Filter.
func (f Filter) Resolve(root *catalog.Table) (Filter, error) {
	fail := func(hint, format string, args ...any) (Filter, error) {
		return f, FilterError(root.ID, fmt.Errorf(format, args...), hint)
	}
	switch {
	case !(f.Sample >= 0 && f.Sample <= 1): // not a number is neither
		return fail("", "a sample of %g is no share between 0 and 1", f.Sample)
	case f.Limit < 0 || f.Limit > mostLimit:
		return fail("", "a limit of %d is not between 1 and %d", f.Limit, mostLimit)
	case !f.hashes():
		return f, nil
	}
	if len(f.Key) == 0 {
		if root.PrimaryKey != nil {
			f.Key = root.PrimaryKey.Columns
		}
		for _, k := range root.Unique {
			if len(f.Key) == 0 && !k.Partial && !slices.ContainsFunc(k.Columns, func(name string) bool { c := root.Column(name); return c == nil || !c.NotNull }) {
				f.Key = k.Columns
			}
		}
	}
	if len(f.Key) == 0 {
		return fail("choose its rows by a condition, or give it a primary key", "it has no key without NULLs, by which a sample would be the same every night")
	}
	for _, name := range f.Key {
		if root.Column(name) == nil {
			return fail("", "there is no column %s", name)
		}
	}
	return f, nil
}

// FilterError is the error of a filter that cannot be.
func FilterError(table catalog.TableID, err error, hint string) error {
	return &Error{Kind: KindFilter, Side: SourceSide, Op: "choose the rows of " + table.String(), Err: err, Hint: hint}
}

// RowHash is the hash of a row's key.
type RowHash [16]byte

// Chooser decides by hashes which rows stay. It is for one goroutine.
type Chooser struct {
	mac   hash.Hash
	below uint64 // of the first eight bytes; with share
	share bool
	most  *RowHash // the greatest hash that a limit lets through; nil without
	size  [4]byte
	sum   [sha256.Size]byte
}

// Chooser returns the filter's, or nil if it chooses no rows by their hash. most is
// what a Lowest has found for its limit, or nil.
func (f Filter) Chooser(most *RowHash) *Chooser {
	if !f.hashes() {
		return nil
	}
	c := &Chooser{mac: hmac.New(sha256.New, f.Seed[:]), most: most}
	if c.share = f.Sample > 0 && f.Sample < 1; c.share {
		c.below = uint64(f.Sample * (1 << 63) * 2)
	}
	return c
}

// Hash returns the hash of a key's values, which are not NULL.
func (c *Chooser) Hash(key ...[]byte) (h RowHash) {
	c.mac.Reset()
	for _, v := range key {
		binary.BigEndian.PutUint32(c.size[:], uint32(len(v)))
		c.mac.Write(c.size[:])
		c.mac.Write(v)
	}
	copy(h[:], c.mac.Sum(c.sum[:0]))
	return h
}

// Keeps reports whether a row with that hash stays.
func (c *Chooser) Keeps(h RowHash) bool {
	if c.share && binary.BigEndian.Uint64(h[:]) >= c.below {
		return false
	}
	return c.most == nil || slices.Compare(h[:], c.most[:]) <= 0
}

// Lowest finds the hash up to which a limit lets rows through: it is shown the hashes
// of all that are to be had. It is for one goroutine.
type Lowest struct {
	n    int64
	heap []RowHash // the greatest first
}

// NewLowest returns a Lowest for the n least hashes.
func NewLowest(n int64) *Lowest { return &Lowest{n: n} }

// Add shows it the hash of a row.
func (l *Lowest) Add(h RowHash) {
	if int64(len(l.heap)) < l.n {
		l.heap = append(l.heap, h)
		for i := len(l.heap) - 1; i > 0; {
			up := (i - 1) / 2
			if slices.Compare(l.heap[up][:], l.heap[i][:]) >= 0 {
				break
			}
			l.heap[up], l.heap[i] = l.heap[i], l.heap[up]
			i = up
		}
		return
	}
	if slices.Compare(h[:], l.heap[0][:]) >= 0 {
		return
	}
	l.heap[0] = h
	for i := 0; ; {
		down := 2*i + 1
		if down >= len(l.heap) {
			return
		}
		if r := down + 1; r < len(l.heap) && slices.Compare(l.heap[r][:], l.heap[down][:]) > 0 {
			down = r
		}
		if slices.Compare(l.heap[i][:], l.heap[down][:]) >= 0 {
			return
		}
		l.heap[i], l.heap[down] = l.heap[down], l.heap[i]
		i = down
	}
}

// Most returns the greatest of the n least hashes, or nil if there are not more than n.
func (l *Lowest) Most() *RowHash {
	if int64(len(l.heap)) < l.n {
		return nil
	}
	h := l.heap[0]
	return &h
}

// Condition is a condition in SQL that has been taken apart as far as it matters.
type Condition struct {
	Calls []string // names that an opening parenthesis follows, with their schema if it is written, in lower case unless quoted
	Names []string // names in quotes
	Plain []string // the pieces that are no quotes: pieces 0, 2, 4 … of the text
	Quote []string // the quotes between them
}

// ParseCondition refuses a text that could be more than one expression: one that
// closes a parenthesis which it did not open, ends the statement, comments out what
// follows it, or has parameters. The server has still to say whether it is SQL.
// refused lists further characters that may not stand outside quotes; without a backtick
// among them that quotes names too.
func ParseCondition(text, refused string) (*Condition, error) {
	c := &Condition{}
	ticks := strings.IndexByte(refused, '`') < 0
	var open []byte
	start := 0
	word := ""   // that has just ended, with nothing but blanks since
	schema := "" // that a dot has followed
	for i := 0; i < len(text); {
		b := text[i]
		switch {
		case b == 0:
			return nil, errors.New("it holds the byte 0")
		case b == '\'' || b == '"' || b == '`' && ticks:
			// E'…' has escapes by backslash, unlike other literals.
			escapes := b == '\'' && i > 0 && (text[i-1] == 'e' || text[i-1] == 'E') && (i == 1 || !wordByte(text[i-2]))
			end := quoteEnd(text, i, escapes)
			if end < 0 {
				return nil, errors.New("a quote in it does not end")
			}
			c.Plain, c.Quote = append(c.Plain, text[start:i]), append(c.Quote, text[i:end])
			word = ""
			if b != '\'' {
				name := strings.ReplaceAll(text[i+1:end-1], string([]byte{b, b}), string(b))
				c.Names = append(c.Names, name)
				word, schema = schema+name, ""
			}
			i, start = end, end
			continue
		case strings.HasPrefix(text[i:], "--") || strings.HasPrefix(text[i:], "/*"):
			return nil, errors.New("it holds a comment")
		case b == ';':
			return nil, errors.New("it holds a semicolon: a condition is one expression")
		case b == '$' || strings.IndexByte(refused, b) >= 0:
			return nil, fmt.Errorf("it holds %q outside quotes: a condition has no parameters, and literals stand in single quotes", string(b))
		case b == '(' || b == '[':
			if b == '(' && word != "" {
				c.Calls = append(c.Calls, word)
			}
			open = append(open, b)
			word = ""
		case b == ')' || b == ']':
			if len(open) == 0 || open[len(open)-1] != map[byte]byte{')': '(', ']': '['}[b] {
				return nil, fmt.Errorf("it closes with %q what it did not open", string(b))
			}
			open = open[:len(open)-1]
			word = ""
		case wordByte(b):
			from := i
			for i < len(text) && wordByte(text[i]) {
				i++
			}
			word, schema = schema+strings.ToLower(text[from:i]), ""
			continue
		case b == '.' && word != "":
			word, schema = "", word+"."
		case b == ' ' || b == '\t' || b == '\n' || b == '\r':
		default:
			word, schema = "", ""
		}
		i++
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("it does not close %q", string(open[len(open)-1]))
	}
	c.Plain = append(c.Plain, text[start:])
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("it is empty")
	}
	return c, nil
}

func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// quoteEnd returns where the quote that begins at i has ended, or −1.
func quoteEnd(text string, i int, escapes bool) int {
	for j := i + 1; j < len(text); j++ {
		switch {
		case text[j] == 0:
			return -1
		case escapes && text[j] == '\\':
			j++
		case text[j] == text[i]:
			if j+1 < len(text) && text[j+1] == text[i] {
				j++
				continue
			}
			return j + 1
		}
	}
	return -1
}

// Text puts the condition together again, with the pieces that are no quotes as change
// returns them.
func (c *Condition) Text(change func(plain string) string) string {
	var b strings.Builder
	for i, p := range c.Plain {
		b.WriteString(change(p))
		if i < len(c.Quote) {
			b.WriteString(c.Quote[i])
		}
	}
	return b.String()
}
