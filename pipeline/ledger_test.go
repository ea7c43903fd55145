package pipeline

import (
	"context"
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func TestFingerprintNamesThePartThatDiffers(t *testing.T) {
	f := Fingerprint{"policy": "a", "key": "k", "snapshot": "1"}
	g := Fingerprint{"policy": "a", "key": "l", "catalog": "c", "snapshot": "1"}
	if got := f.Differences(g); !slices.Equal(got, []string{"catalog", "key"}) {
		t.Errorf("differences %q, want catalog and key", got)
	}
	if f.Digest() == g.Digest() || f.Digest() != (Fingerprint{"snapshot": "1", "key": "k", "policy": "a"}).Digest() {
		t.Error("the digest depends on the order of the parts, or not on the parts")
	}
	if (Fingerprint{"a": "b=1:c"}).Digest() == (Fingerprint{"a": "b", "c": ""}).Digest() {
		t.Error("two fingerprints with one digest")
	}
}

type fixedReceipts []connectors.Receipt

func (f fixedReceipts) Receipts(context.Context) ([]connectors.Receipt, error) { return f, nil }

func TestLedgerCountsAChunkOnce(t *testing.T) {
	table := catalog.TableID{Name: "t"}
	first := connectors.Receipt{Chunk: "t/0", Table: table, Rows: 3, Bytes: 30}
	l, err := OpenLedger(t.Context(), fixedReceipts{first})
	if err != nil {
		t.Fatal(err)
	}
	if _, done := l.Lookup("t/1"); done {
		t.Error("a chunk that nobody committed is in the ledger")
	}
	l.Record(first)
	l.Record(connectors.Receipt{Chunk: "t/1", Table: table, Rows: 4, Bytes: 40})
	if got, want := l.Totals()[table], (TableSummary{Table: table, Rows: 7, Bytes: 70, Chunks: 2}); got != want {
		t.Errorf("totals %+v, want %+v", got, want)
	}
}
