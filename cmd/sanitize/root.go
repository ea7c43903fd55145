package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors"
)

// command is what every command of the program says of itself, so that all help
// texts are built alike: what it does, an example that works, the flags, the exit codes.
type command struct {
	use     string
	short   string
	long    string
	example string
	exits   []int
	args    []string // names of the arguments that are required
	// optional is the name of one more argument that may follow, or "".
	optional string
	run      func(cmd *cobra.Command, args []string) error
}

const exitsAnnotation = "exits"

// build makes the cobra command.
func (c command) build(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:           c.use,
		Short:         c.short,
		Long:          c.long,
		Example:       c.example,
		RunE:          c.run,
		SilenceErrors: true,
		SilenceUsage:  true,
		Annotations:   map[string]string{exitsAnnotation: exitHelp(c.exits...)},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < len(c.args) {
				return usage(cmd, "%s is missing", c.args[len(args)])
			}
			most := len(c.args)
			if c.optional != "" {
				most++
			}
			if len(args) > most {
				return unexpected(cmd, args[most])
			}
			return nil
		},
		DisableFlagsInUseLine: true,
	}
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) { u.Data(help(cmd)) })
	cmd.SetFlagErrorFunc(flagError)
	return cmd
}

// flagError says what is wrong with a flag. It names the flag alone, where pflag repeats
// what is written behind it: that may be a connection string, or a password, as mysql takes
// one by -pPASSWORD.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		bare    *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			name = name[1:]
		}
		e := &usageError{reason: "there is no flag " + connectors.RedactURL(name), help: seeHelp(cmd)}
		if name == "-p" || name == "--password" {
			e.help = "a password belongs in ~/.pgpass or in MYSQL_PWD; " + e.help
		}
		return e
	case errors.As(err, &bare):
		return usage(cmd, "--%s needs a value", bare.GetFlag().Name)
	case errors.As(err, &invalid):
		return usage(cmd, "--%s%s", invalid.GetFlag().Name, valueWords(invalid))
	}
	return usage(cmd, "a flag is written --name, or --name=value")
}

// valueWords says what the value of a flag has to be.
func valueWords(e *pflag.InvalidValueError) string {
	switch e.GetFlag().Value.Type() {
	case "bool":
		return " takes nothing, or =true or =false"
	case "int":
		return " takes a whole number"
	case "duration":
		return " takes a time like 90s or 2h"
	}
	return ": " + e.Unwrap().Error() // ours, or of a list in quotes: neither repeats the value
}

// usage returns a usageError that points to the command's help.
func usage(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{reason: fmt.Sprintf(format, args...), help: seeHelp(cmd)}
}

func seeHelp(cmd *cobra.Command) string { return "see: " + cmd.CommandPath() + " --help" }

// unexpected complains about an argument. People pass connection strings where
// none belong, so it is shown without a password.
func unexpected(cmd *cobra.Command, arg string) error {
	arg = connectors.RedactURL(arg)
	if cmd.HasSubCommands() {
		e := &usageError{reason: fmt.Sprintf("there is no command %q", arg), help: seeHelp(cmd)}
		if near := cmd.SuggestionsFor(arg); len(near) > 0 {
			e.help = fmt.Sprintf("is it %s %s?", cmd.CommandPath(), near[0])
		}
		return e
	}
	return usage(cmd, "unexpected argument %q", arg)
}

// help returns the help text of a command.
func help(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage:\n", strings.TrimSpace(cmd.Long))
	for _, line := range strings.Split(cmd.Use, "\n") {
		if cmd.HasParent() {
			line = cmd.Parent().CommandPath() + " " + line
		}
		fmt.Fprintf(&b, "  %s\n", line)
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		var t table
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				t.Row("  "+c.Name(), c.Short)
			}
		}
		b.WriteString(t.String())
	}
	if flags := flagHelp(cmd.Flags()); flags != "" {
		b.WriteString("\nFlags:\n" + flags)
	}
	b.WriteString("\nExit codes:\n" + cmd.Annotations[exitsAnnotation])
	fmt.Fprintf(&b, "\nExample:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	return b.String()
}

func flagHelp(flags *pflag.FlagSet) string {
	var t table
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name, about := pflag.UnquoteUsage(f)
		if name != "" && f.NoOptDefVal != "" {
			name = "[=" + name + "]" // a value that follows a blank would be an argument
		} else {
			name = " " + name
		}
		t.Row("  --"+f.Name+name, about)
	})
	return t.String()
}

// newRoot returns the command line.
func newRoot(u *ui) *cobra.Command {
	var o runOptions
	root := command{
		use: "sanitize --policy POLICY --from SOURCE --to TARGET\nsanitize COMMAND",
		long: `sanitize takes a consistent snapshot of a production database, masks it by a
policy while it streams, and puts the result into a discovery database.

SOURCE and TARGET are connection strings: postgres://user@host/database,
service=NAME, mysql://user@host/database, mariadb://user@host/database, or
sqlite:path/to/file.db. The target is replaced as a whole, in one step, after
everything has been loaded and verified; a run that fails leaves it as it was. Without a command, --policy, --from and --to mean run.`,
		example: `  sanitize demo
  sanitize keys new discovery.key
  sanitize init --from postgres://reader@prod/shop > shop.yaml
  sanitize plan --policy shop.yaml --from postgres://reader@prod/shop
  sanitize --policy shop.yaml --from postgres://reader@prod/shop --to postgres://owner@test/shop_discovery`,
		run: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().NFlag() == 0 {
				return &usageError{reason: "nothing to do", help: "see: sanitize --help, or begin with: sanitize demo"}
			}
			return runCopy(cmd, u, &o)
		},
	}.build(u)
	o.bind(root.Flags())
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true, Use: "help [COMMAND]", SilenceErrors: true, SilenceUsage: true,
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unexpected(root, strings.Join(args, " "))
			}
			return u.Data(help(cmd))
		}})
	root.AddCommand(
		newRun(u), newResume(u), newHold(u), newPlan(u), newInit(u), newDiscover(u), newInspect(u), newSchema(u), newTransforms(u),
		newAudit(u), newExplain(u), newDiff(u), newLock(u), newSign(u), newVerifySignature(u),
		newKeys(u), newDemo(u), newVersion(u),
	)
	return root
}
