package connectors_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func TestRedactURL(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://ann:s3cret@host:5432/shop?sslmode=require": "postgres://ann:xxxxx@host:5432/shop?sslmode=require",
		"postgres://ann@host/shop":                             "postgres://ann@host/shop",
		"postgres://ann:s3cr%40et@host/shop":                   "postgres://ann:xxxxx@host/shop",
		"postgres://ann:s3@cret@host/shop":                     "postgres://ann:xxxxx@host/shop",
		"postgres://ann:s3/cret@host/shop":                     "postgres://ann:xxxxx@host/shop",
		"postgres://ann:12/s3cret@host/shop":                   "postgres://ann:xxxxx@host/shop",
		"postgres://ann:1?s3cret@host/shop":                    "postgres://ann:xxxxx@host/shop",
		"postgres://ann:1#s3cret@host/shop":                    "postgres://ann:xxxxx@host/shop",
		"postgres://ann:a@b/s3cret@host/shop":                  "postgres://ann:xxxxx@host/shop",
		"postgres://ann:s3cret%zz@host/shop":                   "postgres://ann:xxxxx@host/shop",
		"postgres://host/shop?user=ann&password=s3cret&x=1":    "postgres://host/shop?user=ann&password=xxxxx&x=1",
		"postgres://host/shop?sslpassword=s3cret":              "postgres://host/shop?sslpassword=xxxxx",
		"host=h password=s3cret dbname=shop":                   "host=h password=xxxxx dbname=shop",
		"host=h PASSWORD = 's3 cr\\'et' dbname=shop":           "host=h PASSWORD=xxxxx dbname=shop",
		"host=h password=\"s3 cret\" dbname=shop":              "host=h password=xxxxx dbname=shop",
		"service=shop":        "service=shop",
		"sqlite:/tmp/shop.db": "sqlite:/tmp/shop.db",
	} {
		got := connectors.RedactURL(dsn)
		if got != want {
			t.Errorf("%s becomes %s, want %s", dsn, got, want)
		}
		if connectors.RedactURL(got) != got {
			t.Errorf("%s becomes %s the second time", got, connectors.RedactURL(got))
		}
	}
}

func FuzzRedactURL(f *testing.F) {
	f.Add("ann", "s3cret", "host/shop")
	f.Add("a", "/@:?#%", "h")
	f.Add("0", "\n", "0")
	f.Fuzz(func(t *testing.T, user, password, rest string) {
		const secret = "S3CRETX"
		if strings.ContainsAny(user, ":@/?#") || strings.Contains(user+rest, secret) || strings.ContainsAny(rest, "@") {
			return
		}
		if got := connectors.RedactURL("postgres://" + user + ":" + password + secret + "@" + rest); strings.Contains(got, secret) {
			t.Errorf("the password of %q is in %q", user+":"+password+secret+"@"+rest, got)
		}
	})
}

type named struct {
	connectors.Connector
	name string
}

func (n named) Name() string            { return n.name }
func (n named) Accepts(dsn string) bool { return strings.HasPrefix(dsn, n.name+":") }

func TestRegistryFindsByConnectionString(t *testing.T) {
	r := connectors.NewRegistry(named{name: "a"}, named{name: "b"})
	if c, err := r.Find("b:x"); err != nil || c.Name() != "b" {
		t.Errorf("%v, %v", c, err)
	}
	_, err := r.Find("c://ann:s3cret@host")
	if kind, _ := connectors.KindOf(err); kind != connectors.KindUsage || strings.Contains(err.Error(), "s3cret") || connectors.Hint(err) == "" {
		t.Errorf("kind %d, hint %q: %v", kind, connectors.Hint(err), err)
	}
	if !strings.Contains(err.Error(), "a, b") {
		t.Errorf("the connectors are not named: %v", err)
	}
	if _, err := new(connectors.Registry).Find("x"); err == nil {
		t.Error("an empty registry finds a connector")
	}
}

type hinted struct{ error }

func (hinted) Hint() string { return "from afar" }

func TestErrorsAreAskedByBehaviour(t *testing.T) {
	inner := &connectors.Error{Kind: connectors.KindBusy, Side: connectors.SinkSide, Op: "build shop", Err: context.Canceled, Hint: "wait", Retry: true}
	for what, err := range map[string]error{
		"plain": inner, "wrapped": fmt.Errorf("run: %w", inner), "joined": errors.Join(errors.New("first"), inner),
	} {
		kind, side := connectors.KindOf(err)
		if kind != connectors.KindBusy || side != connectors.SinkSide || connectors.Hint(err) != "wait" || !connectors.Retryable(err) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: kind %d, side %d, hint %q, retryable %t", what, kind, side, connectors.Hint(err), connectors.Retryable(err))
		}
	}
	if got := inner.Error(); got != "build shop: context canceled" {
		t.Errorf("error %q", got)
	}
	if got := (&connectors.Error{Op: "build shop"}).Error(); got != "build shop" {
		t.Errorf("error without a cause %q", got)
	}
	outer := &connectors.Error{Kind: connectors.KindIntegrity, Op: "seal", Err: hinted{errors.New("cause")}}
	if kind, _ := connectors.KindOf(outer); kind != connectors.KindIntegrity || connectors.Hint(outer) != "from afar" {
		t.Errorf("hint %q", connectors.Hint(outer))
	}
	if kind, side := connectors.KindOf(errors.New("x")); kind != connectors.KindOther || side != connectors.NoSide || connectors.Hint(nil) != "" || connectors.Retryable(nil) {
		t.Error("an error of nobody's has a kind, a hint, or may be tried again")
	}
}

func table() *catalog.Table {
	column := func(name string, g catalog.Generation) catalog.Column {
		return catalog.Column{Name: name, Type: catalog.Type{Kind: catalog.Int}, Generation: g}
	}
	return &catalog.Table{ID: catalog.TableID{Schema: "s", Name: "t"}, Columns: []catalog.Column{
		column("a", ""), column("computed", catalog.Stored), column("b", catalog.IdentityAlways), column("virtual", catalog.Virtual), column("c", ""),
	}}
}

func TestLayoutLeavesComputedColumnsOut(t *testing.T) {
	l, err := connectors.NewLayout(table(), "f", []string{"c", "b", "b"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range l.Columns {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"a", "b", "c"}) || !slices.Equal(l.Decoded, []int{1, 2}) {
		t.Errorf("columns %q, decoded %v", names, l.Decoded)
	}
	for _, name := range []string{"computed", "virtual", "nobody"} {
		if _, err := connectors.NewLayout(table(), "f", []string{name}); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "s.t") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func numbers(mem memory.Allocator, values ...int64) arrow.Array {
	b := array.NewInt64Builder(mem)
	defer b.Release()
	b.AppendValues(values, nil)
	return b.NewArray()
}

func TestBatchOwnsItsArrays(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	freed := 0
	b := connectors.NewBatch(2, make([]byte, 100), make([]connectors.Field, 4), []arrow.Array{numbers(mem, 1, 2), numbers(mem, 3, 4)}, func(b *connectors.Batch) {
		freed++
		if len(b.Wire) != 100 {
			t.Error("the wire is gone before it is freed")
		}
	})
	if b.Size() <= 100 {
		t.Errorf("size %d", b.Size())
	}
	one, short := numbers(mem, 5, 6), numbers(mem, 7)
	if b.Replace([]arrow.Array{one}) == nil {
		t.Error("one array replaces two")
	}
	if b.Replace([]arrow.Array{one, short}) == nil {
		t.Error("an array of another length replaces one")
	}
	short.Release()
	// A refused array is still its caller's.
	if err := b.Replace([]arrow.Array{one, numbers(mem, 8, 9)}); err != nil {
		t.Fatal(err)
	}
	if got := b.Decoded[0].(*array.Int64).Value(1); got != 6 {
		t.Errorf("value %d", got)
	}
	b.Release()
	if freed != 1 {
		t.Errorf("freed %d times", freed)
	}
	defer func() {
		if recover() == nil {
			t.Error("a second release does not panic")
		}
	}()
	b.Release()
}

func TestIdentity(t *testing.T) {
	a := connectors.Identity{Server: "s", Database: "d", Display: "here"}
	if !a.Same(connectors.Identity{Server: "s", Database: "d", Display: "there"}) {
		t.Error("two names of one database")
	}
	if a.Same(connectors.Identity{Server: "s", Database: "e"}) || a.Same(connectors.Identity{Server: "t", Database: "d"}) {
		t.Error("two databases are one")
	}
	if unknown := (connectors.Identity{Database: "d"}); unknown.Same(unknown) {
		t.Error("servers that do not tell are one")
	}
}

// The last value of a sequence is the one behind which there is no other.
func TestSequenceAtEnd(t *testing.T) {
	for _, c := range []struct {
		increment, min, max, value int64
		want                       bool
	}{
		{1, 1, 100, 100, true}, {1, 1, 100, 99, false}, {7, 1, 100, 99, true}, {7, 1, 100, 93, false},
		{-1, -100, -1, -100, true}, {-1, -100, -1, -99, false}, {-7, -100, -1, -96, true}, {-7, -100, -1, -93, false},
		{1, 1, math.MaxInt64, math.MaxInt64, true}, {1, math.MinInt64, math.MaxInt64, math.MinInt64, false},
		{-1, math.MinInt64, math.MaxInt64, math.MaxInt64, false}, {math.MinInt64, math.MinInt64, 0, 0, false}, {math.MinInt64, math.MinInt64, 0, -1, true},
	} {
		s := connectors.Sequence{Increment: c.increment, Min: c.min, Max: c.max}
		if got := s.AtEnd(c.value); got != c.want {
			t.Errorf("%d by %d within %d and %d: %t", c.value, c.increment, c.min, c.max, got)
		}
	}
}
