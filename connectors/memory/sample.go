package memory

import (
	"context"
	"errors"
	"strconv"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Sample implements connectors.Sampler: rows at even distances.
func (s *source) Sample(ctx context.Context, t *catalog.Table, rows int, see func(row [][]byte) error) error {
	op := "sample " + t.ID.String()
	if err := s.check(ctx, op); err != nil {
		return err
	}
	s.db.mu.Lock()
	held := s.db.tables[t.ID]
	var all [][]byte
	if held != nil {
		all = held.rows[:len(held.rows):len(held.rows)]
	}
	s.db.mu.Unlock()
	if held == nil || !t.StoresRows() {
		return sourceError(connectors.KindOther, op, errors.New("there is no such table, or it stores no rows itself"))
	}
	n := min(max(rows, 0), len(all))
	row := make([][]byte, len(held.def.Columns))
	for i := range n {
		if err := s.check(ctx, op); err != nil {
			return err
		}
		for j, v := range held.full(all[i*len(all)/n]) {
			row[j] = connectors.CutSample(textOf(v))
		}
		if err := see(row); err != nil {
			return err
		}
	}
	return nil
}

// textOf returns a value as text, nil for what has none.
func textOf(v any) []byte {
	switch v := v.(type) {
	case int64:
		return strconv.AppendInt(nil, v, 10)
	case float64:
		return strconv.AppendFloat(nil, v, 'g', -1, 64)
	case string:
		return append([]byte{}, v...)
	}
	return nil
}
