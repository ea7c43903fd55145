package mysql

import (
	"context"

	"github.com/sanitize-db/sanitize/connectors"
)

func openSource(ctx context.Context, dsn string, opts connectors.Options) (connectors.Source, error) {
	return nil, nil
}

func (b *build) Load(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Loader, error) {
	return nil, nil
}
