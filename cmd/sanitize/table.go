package main

import "strings"

// table lines up rows of cells for people. The last cell of a row is not padded.
type table struct {
	rows [][]string
}

// Row adds a row. An empty row is a blank line.
func (t *table) Row(cells ...string) { t.rows = append(t.rows, cells) }

// String returns the rows, each column as wide as its widest cell, two blanks apart.
func (t *table) String() string {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i < len(row)-1 {
				widths[i] = max(widths[i], cells(c))
			}
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, c := range row {
			line.WriteString(c)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-cells(c)+2))
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}
