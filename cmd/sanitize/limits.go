package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/postgres"
	"github.com/sanitize-db/sanitize/pipeline"
)

// limitOptions are the flags by which a run spares its source.
type limitOptions struct {
	snapshotAge time.Duration
	sessions    int
	beside      int // sessions of theirs that another process of ours has
	rate        size
	ungoverned  bool
}

func (o *limitOptions) bind(flags *pflag.FlagSet) {
	flags.DurationVar(&o.snapshotAge, "max-snapshot-age", 0, "`TIME` after which a snapshot is given up, and the run with it (default: no limit)")
	o.bindSessions(flags)
	flags.Var(&o.rate, "max-rate", "`SIZE` a second to read from the source, all workers together (default: no limit)")
	flags.BoolVar(&o.ungoverned, "no-governor", false, "read on at full speed when the source answers slowly")
}

func (o *limitOptions) bindSessions(flags *pflag.FlagSet) {
	flags.IntVar(&o.sessions, "max-source-connections", 0, fmt.Sprintf("`N` sessions at the source at any moment, of every kind: at least %d (default: workers and %d)", postgres.LeastSessions, postgres.LeastSessions))
}

// check refuses what cannot be, and lowers the number of workers to what the sessions allow.
func (o *limitOptions) check(cmd *cobra.Command, workers *int) error {
	if cmd.Flags().Changed("max-snapshot-age") && o.snapshotAge <= 0 {
		return usage(cmd, "--max-snapshot-age must be above 0")
	}
	if !cmd.Flags().Changed("max-source-connections") {
		return nil
	}
	if least := postgres.LeastSessions + o.beside; o.sessions < least {
		return usage(cmd, "--max-source-connections must be at least %d here: those that hold the snapshot, one that watches it, the others read", least)
	}
	if most := o.sessions - o.beside - postgres.LeastSessions + 1; *workers == 0 || *workers > most {
		*workers = min(most, max(*workers, pipeline.DefaultWorkers()))
	}
	return nil
}

// connector adds what a connector is to keep to.
func (o *limitOptions) connector(opts connectors.Options) connectors.Options {
	opts.Sessions = max(o.sessions-o.beside, 0)
	return opts
}

// run returns what the run is to keep to.
func (o *limitOptions) run() pipeline.Limits {
	return pipeline.Limits{SnapshotAge: o.snapshotAge, Rate: int64(o.rate), Ungoverned: o.ungoverned}
}

// What of a snapshot is worth a word: less is every day's.
const (
	notableHeld = 100_000
	notableLag  = 64 << 20
	notableWait = 30 * time.Second
)

// vitalWords says how the source fares, as far as that is notable.
func vitalWords(held, lagBytes *int64, lag, replay *time.Duration) []string {
	var words []string
	if held != nil && *held >= notableHeld {
		words = append(words, "clean-up of dead rows held back by "+plural(*held, "transaction"))
	}
	switch {
	case lagBytes != nil && *lagBytes >= notableLag && lag != nil:
		words = append(words, fmt.Sprintf("standby %s and %s behind", volume(*lagBytes), duration(*lag)))
	case lagBytes != nil && *lagBytes >= notableLag:
		words = append(words, fmt.Sprintf("standby %s behind", volume(*lagBytes)))
	case lag != nil && *lag >= notableWait:
		words = append(words, fmt.Sprintf("standby %s behind", duration(*lag)))
	}
	if replay != nil && *replay >= notableWait {
		words = append(words, "source "+duration(*replay)+" behind its primary")
	}
	return words
}

// watchWords is what the progress says of the source at one moment.
func watchWords(w pipeline.Watch) []string {
	words := vitalWords(w.Held, w.LagBytes, w.Lag, w.Replay)
	if w.Share > 0 && w.Share < 1 {
		words = append(words, fmt.Sprintf("slowed to %.0f %%: the source answers in %s", 100*w.Share, duration(w.Latency)))
	}
	return words
}

// watchText is what a summary says of the source; "" if there is nothing to say.
func watchText(w *pipeline.WatchSummary) []string {
	if w == nil {
		return nil
	}
	words := []string{duration(w.SnapshotAge) + " old"}
	words = append(words, vitalWords(w.Held, w.LagBytes, w.Lag, w.Replay)...)
	if w.Slowed > 0 {
		words = append(words, fmt.Sprintf("slowed %s, the slowest answer of the source took %s", plural(int64(w.Slowed), "time"), duration(w.Latency)))
	}
	return words
}

// Watched implements pipeline.Observer.
func (p *progress) Watched(w pipeline.Watch) {
	p.mu.Lock()
	was := p.watch.Share
	p.watch = w
	if w.Age != nil {
		// The snapshot may be older than this run.
		if opened := p.now().Add(-*w.Age); opened.Before(p.snapshot.Add(-time.Second)) {
			p.snapshot = opened
		}
	}
	p.mu.Unlock()
	switch {
	case w.Share < 1 && (was == 0 || was == 1):
		before := ""
		if w.Usual > 0 { // it may never have answered
			before = ", before in " + duration(w.Usual)
		}
		p.u.Warn(fmt.Sprintf("the source answers in %s%s: reading slower until it has recovered", duration(w.Latency), before))
	case w.Share == 1 && was > 0 && was < 1:
		p.u.Say("the source has recovered: reading at full speed")
	}
}
