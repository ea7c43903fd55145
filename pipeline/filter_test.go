package pipeline_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/pipeline/pipelinetest"
)

func filtering(r *pipeline.Run, id catalog.TableID, f connectors.Filter) *pipeline.Run {
	r.Filters = func(c *catalog.Catalog) (map[catalog.TableID]connectors.Filter, error) {
		return map[catalog.TableID]connectors.Filter{id: f}, nil
	}
	return r
}

func TestFiltersLeaveRowsBehind(t *testing.T) {
	s := newShop(t)
	var first []string
	for _, chunk := range []int64{8 << 10, 1 << 20} {
		r := filtering(s.run(&pipelinetest.Chaos{}), pipelinetest.Orders, connectors.Filter{Sample: 0.5, Limit: 100, Seed: [32]byte{1}})
		r.Options.ChunkBytes = chunk
		summary, err := r.Do(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if summary.Rows != users+100 || summary.Fingerprint["rows"] == "" {
			t.Errorf("%d rows, fingerprint %q", summary.Rows, summary.Fingerprint["rows"])
		}
		got := s.content()[pipelinetest.Orders]
		if first == nil {
			first = got
		}
		if len(got) != 100 || !slices.Equal(got, first) {
			t.Errorf("chunks of %d bytes: %d rows, or others than before", chunk, len(got))
		}
	}
	summary, err := s.run(nil).Do(t.Context())
	if err != nil || summary.Fingerprint["rows"] != "" {
		t.Errorf("without filters: fingerprint %v, %v", summary.Fingerprint, err)
	}
}

// A key to a row that was left behind does not hold, and the error says where to look.
func TestFilterThatBreaksForeignKeys(t *testing.T) {
	s := newShop(t)
	_, err := filtering(s.run(nil), pipelinetest.Users, connectors.Filter{Limit: 10}).Do(t.Context())
	if kind, _ := connectors.KindOf(err); kind != connectors.KindIntegrity || !strings.Contains(err.Error(), "rows were left behind of "+pipelinetest.Users.String()) {
		t.Errorf("%v", err)
	}
	if !strings.Contains(connectors.Hint(err), "choose the rows of the tables that point there") {
		t.Errorf("hint %q", connectors.Hint(err))
	}
	if s.content() != nil {
		t.Error("a target was left")
	}
}

func TestFilterThatCannotBe(t *testing.T) {
	s := newShop(t)
	for what, r := range map[string]*pipeline.Run{
		"a condition where there are none": filtering(s.run(nil), pipelinetest.Orders, connectors.Filter{Where: "id = 1"}),
		"an empty table, and no key":       filtering(s.run(nil), pipelinetest.Empty, connectors.Filter{Sample: 0.5}),
		"no such table":                    filtering(s.run(nil), catalog.TableID{Name: "nobody"}, connectors.Filter{Limit: 1}),
	} {
		_, err := r.Do(t.Context())
		if kind, _ := connectors.KindOf(err); kind != connectors.KindFilter {
			t.Errorf("%s: %v", what, err)
		}
		if s.content() != nil {
			t.Errorf("%s: a target was left", what)
		}
	}
}
