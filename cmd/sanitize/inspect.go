package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies/report"
)

// sourceOptions are the flags of the commands that only read a catalog: of a source,
// or of a file that inspect wrote, so that nobody needs access to production.
type sourceOptions struct {
	connectOptions
	from, file string
	json       bool
}

func (o *sourceOptions) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.from, "from", "", "`SOURCE` to read: a connection string, or a catalog file FILE.json")
	flags.StringVar(&o.file, "catalog", "", "`FILE` that inspect wrote, in place of a source")
	o.connectOptions.bind(flags)
}

func (o *sourceOptions) check(cmd *cobra.Command) error {
	switch {
	case o.from == "" && o.file == "":
		return usage(cmd, "--from or --catalog is missing")
	case o.from != "" && o.file != "":
		return usage(cmd, "--from and --catalog name two catalogs: give one of them")
	}
	if o.lockTimeout <= 0 {
		return usage(cmd, "--lock-timeout must be above 0")
	}
	return nil
}

// path returns the catalog file that is to be read, or "" for a source. A connection
// string is no path: it has a scheme, or keywords and values.
func (o *sourceOptions) path() string {
	if o.file == "" && strings.EqualFold(filepath.Ext(o.from), ".json") && !strings.ContainsAny(o.from, "=?") && !strings.Contains(o.from, "://") {
		return o.from
	}
	return o.file
}

// catalog reads the catalog of the source or the file.
func (o *sourceOptions) catalog(cmd *cobra.Command, u *ui) (c *catalog.Catalog, err error) {
	err = o.reading(cmd, u, func(_ connectors.Source, read *catalog.Catalog) error {
		c = read
		return nil
	})
	return c, err
}

// reading reads the catalog of the source or the file, and passes it on with the source, which
// is nil of a file, and is closed afterwards.
func (o *sourceOptions) reading(cmd *cobra.Command, u *ui, do func(connectors.Source, *catalog.Catalog) error) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	if path := o.path(); path != "" {
		c, err := catalog.Load(path)
		if err != nil {
			return err
		}
		if len(o.leave) > 0 {
			return usage(cmd, "--leave-extension needs the source: a file does not tell what would have to stay with it")
		}
		if c, err = c.Keep(o.kept()); err != nil {
			return err
		}
		return do(nil, c)
	}
	source, err := openSource(cmd.Context(), o.from, o.options(u))
	if err != nil {
		return err
	}
	defer source.Close() // read-only: what it says adds nothing
	c, err := source.Catalog(cmd.Context())
	if err != nil {
		return err
	}
	return do(source, c)
}

func newInspect(u *ui) *cobra.Command {
	var (
		o    sourceOptions
		text bool
	)
	cmd := command{
		use:   "inspect --from SOURCE [--json | --text]",
		short: "print the source's catalog, or write it as a file",
		long: `Inspect shows what the program sees of a database: tables, columns with their
types, keys with their pairs of columns, and other objects. It reads no rows.

To a terminal it prints text. To a file or a pipe it writes the catalog as JSON,
with the words of constraints, triggers, views and functions: a catalog file,
which other commands take by --catalog in place of a source. What has the
form of a password in them is blotted out; read it before you give it away.
--json and --text choose.`,
		example: `  sanitize inspect --from postgres://reader@prod/shop
  sanitize inspect --from postgres://reader@prod/shop > shop.catalog.json
  sanitize plan --policy shop.yaml --catalog shop.catalog.json`,
		exits: catalogExits(),
		run: func(cmd *cobra.Command, _ []string) error {
			if o.json && text {
				return usage(cmd, "--json and --text exclude each other")
			}
			c, err := o.catalog(cmd, u)
			if err != nil {
				return err
			}
			if o.json || !text && !u.terminal {
				return c.Write(u.out)
			}
			return u.Data(printable(catalogText(u, report.InertCopy(c))))
		},
	}.build(u)
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON, to a terminal as well")
	cmd.Flags().BoolVar(&text, "text", false, "print text, to a file or a pipe as well")
	return cmd
}

// catalogText shows a catalog to people.
func catalogText(u *ui, c *catalog.Catalog) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s\n", c.Connector, c.Server, plural(int64(len(c.Tables)), "table"))
	for _, t := range c.Tables {
		fmt.Fprintf(&b, "\n%s  %s%s\n", paint(u.colorOut, t.ID.String(), bold), t.Kind, estimate(t))
		var rows table
		for _, col := range t.Columns {
			rows.Row("  "+col.Name, col.Type.Name, strings.Join(columnWords(col), ", "))
		}
		b.WriteString(rows.String())
		if t.PrimaryKey != nil {
			fmt.Fprintf(&b, "  primary key (%s)\n", strings.Join(t.PrimaryKey.Columns, ", "))
		}
		for _, k := range t.Unique {
			partial := ""
			if k.Partial {
				partial = " for some rows"
			}
			fmt.Fprintf(&b, "  unique %s (%s)%s\n", k.Name, strings.Join(k.Columns, ", "), partial)
		}
		for _, k := range t.ForeignKeys {
			var pairs []string
			for _, p := range k.Pairs {
				pairs = append(pairs, p.Column+" → "+p.References)
			}
			fmt.Fprintf(&b, "  foreign key %s to %s (%s)\n", k.Name, k.References, strings.Join(pairs, ", "))
		}
		if len(t.Parents) > 0 {
			what := "inherits"
			if t.IsPartition {
				what = "partition of"
			}
			var parents []string
			for _, p := range t.Parents {
				parents = append(parents, p.String())
			}
			fmt.Fprintf(&b, "  %s %s\n", what, strings.Join(parents, ", "))
		}
		if len(t.PartitionKey) > 0 {
			fmt.Fprintf(&b, "  partitioned by (%s)\n", strings.Join(t.PartitionKey, ", "))
		}
	}
	if len(c.Objects) > 0 {
		fmt.Fprintf(&b, "\n%s\n", paint(u.colorOut, "other objects", bold))
		for _, line := range leftBehind(c.Objects) {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	return b.String()
}

// estimate says how large a table is, as far as its statistics tell: a table that
// was never analysed has none, and is not empty for that.
func estimate(t *catalog.Table) string {
	if t.Rows <= 0 && t.Bytes <= 0 {
		return ""
	}
	return fmt.Sprintf(", about %s, %s", plural(t.Rows, "row"), volume(t.Bytes))
}

func columnWords(c catalog.Column) []string {
	var words []string
	if c.NotNull {
		words = append(words, "not null")
	}
	if c.Generation != catalog.Plain {
		words = append(words, string(c.Generation))
	}
	if c.Collation != "" {
		words = append(words, "collation "+c.Collation)
	}
	if len(c.Type.Labels) > 0 {
		words = append(words, "one of "+strings.Join(c.Type.Labels, ", "))
	}
	return words
}
