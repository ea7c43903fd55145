package main

import (
	"cmp"
	"net/url"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies"
)

func newInit(u *ui) *cobra.Command {
	var (
		o    sampleOptions
		name string
	)
	cmd := command{
		use:   "init --from SOURCE [--name NAME] [--samples N]\ninit --catalog FILE [--name NAME]",
		short: "write a first policy for the source to standard output",
		long: `Init reads the source's catalog and writes a policy that lists every column. What
looks personal gets the class of that sort of data; what is doubtful gets the class
TODO, with the reason, which stops a run until somebody has answered it. It goes by
names, types and comments and reads no row; with --samples it looks at N rows of
each table too, and proposes the paths of documents. No value is in the policy.`,
		example: `  sanitize init --from postgres://reader@prod/shop > shop.yaml
  sanitize init --from sqlite:shop.db --samples 200 > shop.yaml`,
		exits: catalogExits(),
		run: func(cmd *cobra.Command, _ []string) error {
			return o.read(cmd, u, func(c *catalog.Catalog, samples policies.Samples) error {
				if name == "" {
					name = databaseName(cmp.Or(o.path(), o.from))
				}
				text, err := policies.InitFrom(c, samples, name)
				if err != nil {
					return err
				}
				return u.Data(string(text))
			})
		},
	}.build(u)
	o.bind(cmd.Flags())
	cmd.Flags().IntVar(&o.samples, "samples", 0, "`N` rows of each table to look at; 0 for none")
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
