package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/policies"
)

// The exit codes. A script may rely on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPolicy      = 3
	exitDrift       = 4
	exitIntegrity   = 6
	exitSource      = 10
	exitTarget      = 11
	exitSnapshot    = 12
	exitBusy        = 75
	exitInterrupted = 130
)

// exitMeanings is what the help texts say about each code.
var exitMeanings = []struct {
	code    int
	meaning string
}{
	{exitDone, "done; of a run: loaded, validated and verified"},
	{exitFailed, "findings at or above --fail-on, or a failure that no other code names"},
	{exitUsage, "usage, source and target are the same database, or the policy does not allow the target's host"},
	{exitPolicy, "the policy, its key or a catalog file cannot be used, or a signature is missing"},
	{exitDrift, "an undecided column, or the database has drifted from the policy; nothing was written"},
	{exitIntegrity, "the data cannot be copied whole and masked; the build was destroyed"},
	{exitSource, "the source is unavailable"},
	{exitTarget, "the target is unavailable, or is not ours to replace"},
	{exitSnapshot, "the snapshot was lost or is too old, or what was left belongs to another run"},
	{exitBusy, "another run holds the target"},
	{exitInterrupted, "interrupted; of a run: unless it says otherwise the target is as it was, and with a held snapshot it can be resumed"},
}

// exitCode is the one place where a failure becomes an exit code.
func exitCode(err error) int {
	var (
		usage       *usageError
		policy      *policyError
		diagnostics policies.Errors
		key         *masking.KeyError
		file        *catalog.FileError
		resume      *pipeline.ResumeError
		keep        *catalog.KeepError
	)
	kind, side := connectors.KindOf(err)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, pipeline.ErrInterrupted), errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &keep):
		return exitUsage
	case errors.As(err, &diagnostics) && diagnostics.Drift():
		return exitDrift
	case errors.As(err, &diagnostics), errors.As(err, &key), errors.As(err, &policy), errors.As(err, &file):
		return exitPolicy // a catalog file too: no source was asked
	case kind == connectors.KindFilter:
		return exitPolicy
	case kind == connectors.KindUsage:
		return exitUsage
	case kind == connectors.KindGuard && side == connectors.NoSide:
		// The pipeline's own guard: the command line names one database twice.
		return exitUsage
	case kind == connectors.KindGuard:
		return exitTarget
	case kind == connectors.KindBusy:
		return exitBusy
	case errors.As(err, &resume), kind == connectors.KindSnapshot:
		return exitSnapshot
	case kind == connectors.KindIntegrity, kind == connectors.KindUnsupported:
		return exitIntegrity
	case kind == connectors.KindUnavailable && side == connectors.SourceSide:
		return exitSource
	case kind == connectors.KindUnavailable && side == connectors.SinkSide:
		return exitTarget
	default:
		return exitFailed
	}
}

// errInterrupted is the end of a command that was asked to end, and is no run.
var errInterrupted = errors.New("interrupted")

// catalogExits are the codes of a command that reads a catalog, of a source or a file, and
// those that it has beside them.
func catalogExits(more ...int) []int {
	return append([]int{exitDone, exitFailed, exitUsage, exitPolicy, exitIntegrity, exitSource}, more...)
}

// exitHelp returns the lines of a help text for the given codes; all codes if none is given.
func exitHelp(codes ...int) string {
	var b strings.Builder
	for _, e := range exitMeanings {
		if len(codes) == 0 || slices.Contains(codes, e.code) {
			fmt.Fprintf(&b, "  %3d  %s\n", e.code, e.meaning)
		}
	}
	return b.String()
}

// usageError is a command line that makes no sense.
type usageError struct {
	reason, help string
}

// Error returns the reason.
func (e *usageError) Error() string { return e.reason }

// Hint returns what to write instead.
func (e *usageError) Hint() string { return e.help }

// policyError is a policy file, or a key file, that cannot be read.
type policyError struct{ err error }

// Error returns the cause.
func (e *policyError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *policyError) Unwrap() error { return e.err }
