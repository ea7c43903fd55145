package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/policies"
)

func newSchema(u *ui) *cobra.Command {
	var (
		o        sourceOptions
		builtin  string
		builtins bool
	)
	cmd := command{
		use:   "schema [--for SOURCE | --builtin NAME | --builtins]",
		short: "print the JSON Schema of a policy, for completion in editors",
		long: `Schema prints the JSON Schema (draft 2020-12) of the policy's language. An editor
that knows it completes fields, words and transforms, and marks what is wrong;
let the first line of the policy name the file:

  # yaml-language-server: $schema=./policy.schema.json

With --for the schema also knows the tables and columns of a source, with their
types and the classes that their names speak for. It reads no rows.

The built-in policies are what others extend, pinned by their digests: --builtins
prints them as extends names them, a line each, and --builtin prints one.`,
		example: `  sanitize schema > policy.schema.json
  sanitize schema --for postgres://reader@prod/shop > policy.schema.json
  sanitize schema --builtins
  sanitize schema --builtin eu-pii`,
		exits: catalogExits(),
		run: func(cmd *cobra.Command, _ []string) error {
			asked := 0
			for _, given := range []bool{o.from != "", builtin != "", builtins} {
				if given {
					asked++
				}
			}
			switch {
			case asked > 1:
				return usage(cmd, "--for, --builtin and --builtins are three questions: ask one")
			case builtins:
				var b strings.Builder
				for _, name := range policies.Builtins() {
					fmt.Fprintln(&b, policies.Pin(name))
				}
				return u.Data(b.String())
			case builtin != "":
				_, text, err := policies.Builtin(strings.TrimPrefix(builtin, "builtin/"))
				if err != nil {
					return &usageError{reason: err.Error(), help: "see them with: sanitize schema --builtins"}
				}
				return u.Data(string(text))
			case o.from != "":
				c, err := o.catalog(cmd, u)
				if err != nil {
					return err
				}
				return u.Data(string(policies.SchemaFor(c)))
			}
			return u.Data(string(policies.Schema()))
		},
	}.build(u)
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&o.from, "for", "", "`SOURCE` whose tables and columns the schema knows: a connection string")
	cmd.Flags().StringVar(&builtin, "builtin", "", "print the built-in policy of that `NAME`")
	cmd.Flags().BoolVar(&builtins, "builtins", false, "print what extends says to build on each built-in policy")
	o.connectOptions.bind(cmd.Flags())
	return cmd
}
