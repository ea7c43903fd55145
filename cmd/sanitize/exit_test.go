package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/policies"
)

// The codes of the design, as a run would meet them: wrapped in a phase.
func TestExitCode(t *testing.T) {
	db := func(kind connectors.Kind, side connectors.Side) error {
		return &connectors.Error{Kind: kind, Side: side, Op: "do"}
	}
	undecided := policies.Errors{{Code: policies.Undecided}, {Code: policies.Drift}}
	invalid := append(policies.Errors{{Code: policies.Invalid}}, undecided...)
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"done", nil, 0},
		{"anything else", errors.New("x"), 1},
		{"usage", &usageError{reason: "x"}, 2},
		{"a connection string that nobody knows", db(connectors.KindUsage, connectors.NoSide), 2},
		{"source and target are the same", db(connectors.KindGuard, connectors.NoSide), 2},
		{"invalid policy", invalid, 3},
		{"a key of 31 bytes", &policyError{&masking.KeyError{Reason: "x"}}, 3},
		{"a policy that cannot be read", &policyError{errors.New("x")}, 3},
		{"a choice of rows that cannot be", db(connectors.KindFilter, connectors.SourceSide), 3},
		{"undecided", undecided, 4},
		{"undecided, as Load and Compile wrap it", &policyError{undecided}, 4},
		{"broken foreign key", db(connectors.KindIntegrity, connectors.SinkSide), 6},
		{"a value that cannot be masked", db(connectors.KindUnsupported, connectors.SourceSide), 6},
		{"no source", db(connectors.KindUnavailable, connectors.SourceSide), 10},
		{"no catalog file", &catalog.FileError{Reason: "x"}, 3},
		{"no target", db(connectors.KindUnavailable, connectors.SinkSide), 11},
		{"not ours", db(connectors.KindGuard, connectors.SinkSide), 11},
		{"lost snapshot", db(connectors.KindSnapshot, connectors.SourceSide), 12},
		{"busy", db(connectors.KindBusy, connectors.SinkSide), 75},
		{"interrupted", pipeline.ErrInterrupted, 130},
		{"interrupted, and a session that broke of it", errors.Join(pipeline.ErrInterrupted, db(connectors.KindUnavailable, connectors.SinkSide)), 130},
		{"cancelled before the run", context.Canceled, 130},
	} {
		for _, err := range []error{c.err, &pipeline.PhaseError{Phase: pipeline.Copy, Err: fmt.Errorf("wrapped: %w", c.err)}} {
			if c.err == nil && err != nil {
				continue
			}
			if got := exitCode(err); got != c.want {
				t.Errorf("%s (%T): exit code %d, want %d", c.name, err, got, c.want)
			}
		}
	}
}

// Every code that can be returned is explained.
func TestExitHelp(t *testing.T) {
	all := exitHelp()
	if got, want := strings.Count(all, "\n"), len(exitMeanings); got != want {
		t.Errorf("%d lines for %d codes", got, want)
	}
	if got := exitHelp(exitBusy); !strings.Contains(got, "75") || strings.Count(got, "\n") != 1 {
		t.Errorf("help of one code: %q", got)
	}
}

// unlisted complains of an exit code that the help of its command does not list. The scripts
// and the processes of all tests are held to it.
func unlisted(args []string, code int) error {
	cmd, _, err := newRoot(&ui{}).Find(args)
	if err != nil {
		return nil // no command, and so no help of one
	}
	exits, ok := cmd.Annotations[exitsAnnotation]
	if ok && !strings.Contains("\n"+exits, fmt.Sprintf("\n  %3d  ", code)) {
		return fmt.Errorf("exit code %d is not in the help of %s", code, cmd.CommandPath())
	}
	return nil
}

func TestUnlisted(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		want bool
	}{
		{"--policy p --from a --to b", exitBusy, true}, {"run --policy p", exitBusy, true}, {"keys check f", exitPolicy, true}, {"no-such-command", exitUsage, true},
		{"keys check f", exitBusy, false}, {"version", exitSource, false}, {"inspect --from x", exitInterrupted, false}, {"version", 7, false},
	} {
		if err := unlisted(strings.Fields(c.args), c.code); (err == nil) != c.want {
			t.Errorf("%s, %d: %v", c.args, c.code, err)
		}
	}
}
