package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A dictionary whose file the target's server does not have is called that, with the file's name.
func TestMissingDictionary(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TEXT SEARCH DICTIONARY ours (TEMPLATE = simple, STOPWORDS = english)",
		// As if the source's server had the file.
		"UPDATE pg_ts_dict SET dictinitoption = 'stopwords = ''our_words''' WHERE dictname = 'ours'")
	err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to)
	wants(t, err, connectors.KindUnavailable, connectors.SinkSide, "text search dictionary public.ours", "our_words.stop", "F0000", "tsearch_data", "at the target's server")
}

// What no row is in reach of says what the server said; where rows are, it does not.
func TestConfigurationErrors(t *testing.T) {
	for code, words := range map[string][2]string{
		"F0000": {`could not open dictionary file "x.dict": No such file or directory`, "configuration file error"},
		"0LP01": {"grant options can only be granted to roles", "right that cannot be given"},
	} {
		pg := &pgconn.PgError{Code: code, Message: words[0]}
		wants(t, failDefinition(t.Context(), connectors.SinkSide, "make it", pg), connectors.KindUnavailable, connectors.SinkSide, words[0])
		err := fail(t.Context(), connectors.SinkSide, "load it", pg)
		wants(t, err, connectors.KindUnavailable, connectors.SinkSide, words[1])
		if strings.Contains(err.Error(), words[0]) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
