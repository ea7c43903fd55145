package main

import (
	"fmt"

	"github.com/sanitize-db/sanitize/policies"
)

// refuseRows stops a run whose policy leaves rows out, as long as no connector can: what
// a policy leaves out must not arrive.
func refuseRows(c *policies.Compiled) error {
	for _, td := range c.Tables {
		if td.Filter != nil {
			return &policyError{fmt.Errorf("%s: rows of %s (%v): a run of this version copies all rows of a table or none", td.Where, td.Table, td.Filter)}
		}
	}
	return nil
}
