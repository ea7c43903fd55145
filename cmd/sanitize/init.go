package main

import (
	"cmp"
	"net/url"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/policies"
)

func newInit(u *ui) *cobra.Command {
	var (
		o    sourceOptions
		name string
	)
	cmd := command{
		use:   "init --from SOURCE [--name NAME]\ninit --catalog FILE [--name NAME]",
		short: "write a first policy for the source to standard output",
		long: `Init reads the source's catalog, no rows, and writes a policy that lists every
column. Names that look personal get the class of that sort of data; what is
doubtful gets the class TODO, which stops a run until somebody has answered it.`,
		example: "  sanitize init --from postgres://reader@prod/shop > shop.yaml",
		exits:   []int{exitDone, exitFailed, exitUsage, exitSource},
		run: func(cmd *cobra.Command, _ []string) error {
			c, err := o.catalog(cmd, u)
			if err != nil {
				return err
			}
			if name == "" {
				name = databaseName(cmp.Or(o.path(), o.from))
			}
			return u.Data(string(policies.Init(c, name)))
		},
	}.build(u)
	o.bind(cmd.Flags())
	cmd.Flags().StringVar(&name, "name", "", "`NAME` of the policy (default: the database's)")
	return cmd
}

// databaseName takes a name for the policy from a connection string: its last
// part, if that is a plain word, and nothing that could be a secret.
func databaseName(dsn string) string {
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		dsn = u.Path
		if dsn == "" {
			dsn = u.Opaque
		}
	} else if _, db, ok := strings.Cut(dsn, "dbname="); ok {
		dsn, _, _ = strings.Cut(db, " ")
	} else if _, service, ok := strings.Cut(dsn, "service="); ok {
		dsn, _, _ = strings.Cut(service, " ")
	} else if strings.Contains(dsn, "=") {
		return "database"
	}
	name := path.Base(strings.ReplaceAll(dsn, `\`, "/"))
	name, _, _ = strings.Cut(name, ".")
	for _, r := range name {
		if r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return "database"
		}
	}
	if name == "" {
		return "database"
	}
	return name
}
