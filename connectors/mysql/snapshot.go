package mysql

import (
	"context"

	"github.com/sanitize-db/sanitize/connectors"
)

func openSource(ctx context.Context, dsn string, opts connectors.Options) (connectors.Source, error) {
	return nil, nil
}
func openSink(ctx context.Context, dsn string, opts connectors.Options) (connectors.Sink, error) {
	return nil, nil
}
