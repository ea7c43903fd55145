package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/pipeline"
)

const (
	// defaultHold is how long a snapshot is held if nobody says.
	defaultHold = time.Hour
	// longestHold bounds it: as long as a snapshot lives, the source cannot clean up
	// behind its writers.
	longestHold = 24 * time.Hour
	// holderAsks is how often a holder asks whether its snapshot lives.
	holderAsks = 5 * time.Second
)

// holdReport is what `sanitize hold --json` prints.
type holdReport struct {
	Snapshot string    `json:"snapshot"`
	Source   string    `json:"source"`
	Until    time.Time `json:"until"`
}

// errNoToken ends a hold that is interrupted while it opens its snapshot.
var errNoToken = fmt.Errorf("%w before there was a snapshot to hold: no token was printed", errInterrupted)

func newHold(u *ui) *cobra.Command {
	var (
		o      connectOptions
		from   string
		long   time.Duration
		asJSON bool
		handed bool
		limits limitOptions
	)
	cmd := command{
		use:   "hold --from SOURCE [--for TIME] [--json]",
		short: "hold a snapshot of the source, for runs that join it and can be resumed",
		long: `Hold opens one consistent snapshot of the source, prints its token to standard
output, and holds it, with the locks that keep its tables from being dropped or
rewritten. Runs join it by --snapshot TOKEN. A run that is interrupted or loses a
connection can then be resumed, also if its process was killed, and several runs
see the same instant.

MySQL and MariaDB know no way to join the instant of another session. There hold has
as many sessions as --workers says and lends them, to processes of the same account
on the same machine; runs end when it ends.

It ends, with exit code 0, when TIME is over (an hour, at most 24), on a signal, or
when its standard input, if that is a pipe, comes to its end; a terminal it leaves
alone. A signal before it has printed its token ends it with 130, so that who waits
for the token learns that there is none. While a snapshot is held the source cannot clean up behind its writers: hold
it no longer than it is needed. A run can do all this by itself: sanitize run
--hold-snapshot.`,
		example: `  mkfifo held
  sanitize hold --from service=prod --for 2h > held & read -r token < held
  sanitize run --snapshot "$token" --policy shop.yaml --from service=prod --to postgres://owner@test/shop_discovery
  kill $!`,
		exits: []int{exitDone, exitFailed, exitUsage, exitIntegrity, exitSource, exitSnapshot, exitInterrupted},
		run: func(cmd *cobra.Command, _ []string) error {
			limitMemory(0) // rows pass through it, where its sessions are lent
			if handed {
				return holdForRun(cmd.Context(), u, cmd.InOrStdin())
			}
			if from == "" {
				return usage(cmd, "--from is missing")
			}
			if o.lockTimeout <= 0 {
				return usage(cmd, "--lock-timeout must be above 0")
			}
			if err := checkHold(cmd, "--for", long); err != nil {
				return err
			}
			if o.workers < 0 || o.workers > 64 {
				return usage(cmd, "--workers must be between 1 and 64")
			}
			if err := limits.check(cmd, &o.workers); err != nil {
				return err
			}
			if o.workers == 0 {
				o.workers = pipeline.DefaultWorkers()
			}
			ctx, stop := ends(cmd.Context())
			defer stop()
			h, err := openHeld(ctx, from, limits.connector(o.options(u)), long)
			if err == nil {
				defer h.close()
			}
			if ctx.Err() != nil {
				return errNoToken
			}
			if err != nil {
				return err
			}
			if h.lender() != nil {
				l, err := h.listen(nil)
				if err != nil {
					return fmt.Errorf("hold: open the socket by which the snapshot is lent: %w", err)
				}
				defer l.Close() // removes it
			}
			if asJSON {
				err = u.JSON(h.report)
			} else {
				err = u.Data(h.report.Snapshot + "\n")
			}
			if err != nil {
				return err
			}
			u.Say("holds a snapshot of %s until %s", h.report.Source, timeOfDay(h.report.Until))
			var input io.Reader
			if f, ok := cmd.InOrStdin().(*os.File); !ok || hasEnd(f) {
				input = cmd.InOrStdin()
			}
			reason, err := h.wait(ctx, end(input))
			if err != nil {
				return err
			}
			u.Say("gave the snapshot back, %s old: %s", duration(h.age()), reason)
			return nil
		},
	}.build(u)
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&from, "from", "", "`SOURCE` to hold a snapshot of: a connection string")
	flags.DurationVar(&long, "for", defaultHold, "`TIME` after which it is given back, at most 24h (default: 1h)")
	flags.DurationVar(&o.lockTimeout, "lock-timeout", 10*time.Second, "`TIME` to wait for a lock at the source")
	flags.IntVar(&o.workers, "workers", 0, "`N` sessions of MySQL or MariaDB that are lent (default: the cores, at least 2 and at most 4)")
	limits.bindSessions(flags)
	flags.BoolVar(&asJSON, "json", false, "print JSON: the token, the source, and until when")
	flags.BoolVar(&handed, "handed", false, "")
	cobra.CheckErr(flags.MarkHidden("handed"))
	return cmd
}

// checkHold checks how long a snapshot is to be held.
func checkHold(cmd *cobra.Command, flag string, long time.Duration) error {
	if long < time.Second || long > longestHold {
		return usage(cmd, "%s must be between 1s and %.0fh: a snapshot that is held keeps the source from cleaning up", flag, longestHold.Hours())
	}
	return nil
}

// timeOfDay writes a time of the day, with its date unless that is today.
func timeOfDay(t time.Time) string { return moment(t, time.Now()) }

// moment is timeOfDay as it is now.
func moment(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) != now.Format(time.DateOnly) {
		return t.Format(time.DateTime)
	}
	return t.Format(time.TimeOnly)
}

// ends returns a context that a signal ends. A hangup that nohup has made harmless stays so.
func ends(ctx context.Context) (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signal.NotifyContext(ctx, signals...)
}

// hasEnd reports whether the end of a file that is standard input means anything. That of
// a pipe does. /dev/null, which a shell gives to what it runs in the background, is at its
// end from the beginning; and who reads a terminal from the background is stopped, with
// the snapshot, past all its time.
func hasEnd(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}

// end returns a channel that is closed at the end of the input; nil of none.
func end(input io.Reader) <-chan struct{} {
	if input == nil {
		return nil
	}
	done := make(chan struct{})
	go func() { // it ends with the input, or with the process
		defer close(done)
		io.Copy(io.Discard, input)
	}()
	return done
}

// heldSnapshot is a snapshot that is open for others to join.
type heldSnapshot struct {
	source   connectors.Source
	snapshot connectors.Snapshot
	identity connectors.Identity
	report   holdReport
	opened   time.Time
}

// openHeld opens a snapshot to be held for so long. The caller closes it.
func openHeld(ctx context.Context, from string, opts connectors.Options, long time.Duration) (_ *heldSnapshot, err error) {
	source, err := openSource(ctx, from, opts)
	if err != nil {
		return nil, err
	}
	h := &heldSnapshot{source: source}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	if err := joinable(source, "hold"); err != nil {
		return nil, err
	}
	if h.identity, err = source.Identity(ctx); err != nil {
		return nil, err
	}
	// While it waits for locks the source keeps for the snapshot what it will for as long as it is open.
	h.opened = time.Now()
	bounded, cancel := context.WithDeadline(ctx, h.opened.Add(long))
	defer cancel()
	if h.snapshot, err = source.Open(bounded); err != nil {
		if bounded.Err() != nil && ctx.Err() == nil {
			err = overdue(h.identity, long)
		}
		return nil, err
	}
	h.report = holdReport{Snapshot: h.snapshot.Token(), Source: h.identity.Display, Until: h.opened.Add(long)}
	return h, nil
}

// overdue is the error of a snapshot whose time was over before it was open.
func overdue(source connectors.Identity, long time.Duration) error {
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: connectors.SourceSide, Op: "open a snapshot of " + source.Display,
		Err:  fmt.Errorf("it took longer to open than the %s that it was to be held", duration(long)),
		Hint: "somebody may hold a lock: with a --lock-timeout that is shorter than that time the table is named"}
}

// joinable refuses a source whose snapshots nobody else can join.
func joinable(source connectors.Source, flag string) error {
	if p := source.Properties(); !p.JoinableSnapshot {
		return &usageError{reason: fmt.Sprintf("%s: a snapshot of %s ends with the process that opened it, and no other can join it", flag, p.Connector),
			help: "run without it: a run that fails leaves the target as it was, and the next one begins anew"}
	}
	return nil
}

// close ends the snapshot. There is nobody whom its errors would help.
func (h *heldSnapshot) close() {
	if h.snapshot != nil {
		h.snapshot.Close()
	}
	h.source.Close()
}

func (h *heldSnapshot) age() time.Duration { return time.Since(h.opened) }

// wait holds the snapshot until it is to end, and says why.
func (h *heldSnapshot) wait(ctx context.Context, told <-chan struct{}) (reason string, err error) {
	over := time.NewTimer(time.Until(h.report.Until))
	defer over.Stop()
	ask := time.NewTicker(holderAsks)
	defer ask.Stop()
	ctx, cancel := context.WithCancel(ctx)
	held, _ := h.snapshot.(connectors.Held)
	answers := make(chan error, 1)
	asked := held == nil // a server that stands still must not keep us from hearing the others
	defer func() {
		if cancel(); asked && held != nil {
			<-answers
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return "asked to by a signal", nil
		case <-told:
			return "nobody needs it any more", nil
		case <-over.C:
			return "its time is over", nil
		case <-ask.C:
			if !asked {
				asked = true
				go func() { answers <- held.Alive(ctx) }()
			}
		case err := <-answers:
			asked = false
			if err != nil && !errors.Is(err, context.Canceled) {
				return "", err
			}
		}
	}
}
