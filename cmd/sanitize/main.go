// Command sanitize takes a consistent snapshot of a production database, masks
// it by a policy while it streams, and loads it into a discovery database.
//
// # What goes where
//
// Standard output is data: a plan, a catalog, a policy, a summary as JSON.
// Standard error is talk: progress, warnings, the summary for people, and
// errors, as "sanitize: …" with "hint: …" beneath. Nothing is asked on the
// terminal, so a cron job and a person get the same run. A live display, and
// colour, go to a terminal only, and to none when TERM is dumb; NO_COLOR turns
// colour off.
//
// No cell value, key or password reaches either stream. The demo shows values
// before the mask as shapes.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// Who reads our talk may go before a run has ended: that must not kill it, with a build
	// aside and a snapshot held. Whoever has data to write is told instead.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	os.Exit(execute(context.Background(), os.Args[1:], newUI(os.Stdout, os.Stderr)))
}

// execute runs one command line and returns its exit code. The talk about a
// failure has been printed when it returns.
func execute(ctx context.Context, args []string, u *ui) int {
	root := newRoot(u)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	u.Fail(err)
	return exitCode(err)
}
