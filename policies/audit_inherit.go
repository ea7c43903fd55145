package policies

import "slices"

// unrepeated returns those of wrong, which have the same thing wrong with them, that a
// reader has to be told of. A column that shares the decision of another is left out
// where the line that decides has been found already, or the column whose values it
// repeats by a key or as a partition: one line, one finding. Where the decision is right
// for its own column and wrong for this one, nothing else would say so.
func unrepeated(wrong []*column) (told []*column) {
	decided := map[*decision]bool{}
	bad := make(map[*column]bool, len(wrong))
	for _, col := range wrong {
		bad[col] = true
		if col.explicit {
			decided[col.decision] = true
		}
	}
	for _, col := range wrong {
		if col.explicit || !decided[col.decision] && !col.repeats(bad) {
			told = append(told, col)
		}
	}
	return told
}

// repeats reports whether keys and parents lead to a column of the same decision that is
// among the bad. Of several that lead to one another the first by name stands for all.
func (col *column) repeats(bad map[*column]bool) bool {
	for _, to := range col.upwards() {
		if bad[to] && (to.before(col) || !slices.Contains(to.upwards(), col)) {
			return true
		}
	}
	return false
}

// upwards returns the columns of the same decision to which keys and parents lead.
func (col *column) upwards() (all []*column) {
	seen := map[*column]bool{col: true}
	for queue := []*column{col}; len(queue) > 0; queue = queue[1:] {
		for _, e := range queue[0].edges {
			if e.kind != byLink && e.to.decision == col.decision && !seen[e.to] {
				seen[e.to] = true
				all, queue = append(all, e.to), append(queue, e.to)
			}
		}
	}
	return all
}

// wrong returns the columns that a test holds something against, in their order, each
// thing once: see unrepeated.
func (s *Pass) wrong(test func(*view) bool) (found []*view) {
	var columns []*column
	for _, v := range s.columns {
		if !test(v) {
			continue
		}
		found = append(found, v)
		if v.c != nil {
			columns = append(columns, v.c)
		}
	}
	told := map[*column]bool{}
	for _, col := range unrepeated(columns) {
		told[col] = true
	}
	return slices.DeleteFunc(found, func(v *view) bool { return v.c != nil && !told[v.c] })
}

// title names a column for a message, with the way by which it came to its decision if
// that is not a line of its own.
func (v *view) title() string {
	if v.explicit || v.c == nil || v.c.why == "" {
		return v.object
	}
	return v.object + " (" + v.c.why + ")"
}
