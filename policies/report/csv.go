package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
)

// CSV returns the inventory of columns as RFC 4180 writes it, with a line of headings
// and CRLF at the end of each line. A cell that a spreadsheet would take for a formula
// begins with an apostrophe.
func (r *Report) CSV() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{{"table", "column", "type", "class", "kind", "action", "transform", "guarantees", "why", "where"}}
	for _, c := range InertCopy(r.Inventory) {
		rows = append(rows, []string{c.Table, c.Column, c.Type, c.Class, c.Kind, c.Action, c.Do, c.Guarantees, c.Why, c.Where})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = harmless(row[i])
		}
		if err := w.Write(row); err != nil {
			return nil, fmt.Errorf("write report: %w", err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// harmless keeps a spreadsheet from running a cell: names of columns are written by
// whoever may create one. Blanks before the sign do not save a cell.
func harmless(cell string) string {
	if s := strings.TrimLeft(cell, " \t\r\n"); s != "" && strings.ContainsRune("=+-@|＝＋－＠", []rune(s)[0]) || strings.HasPrefix(cell, "\t") || strings.HasPrefix(cell, "\r") {
		return "'" + cell
	}
	return cell
}
