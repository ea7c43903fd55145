package pipeline

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInterrupted is the cause of a run that was asked to stop.
var ErrInterrupted = errors.New("interrupted")

// PhaseError tells in which phase a run failed.
type PhaseError struct {
	Phase Phase
	Err   error
	// Kept is set when the build was left aside, so that Run.Resume can go on with it.
	Kept bool
}

// Error returns "phase: cause", or the cause alone where it begins with the phase.
func (e *PhaseError) Error() string {
	if cause := e.Err.Error(); strings.HasPrefix(cause, string(e.Phase)+" ") {
		return cause
	}
	return fmt.Sprintf("%s: %v", e.Phase, e.Err)
}

// Unwrap returns the cause.
func (e *PhaseError) Unwrap() error { return e.Err }

// CleanupError is what a run that failed could not put away. It is joined to the cause.
type CleanupError struct {
	What string // that may still be there
	Err  error
}

// Error returns what may still be there, and why.
func (e *CleanupError) Error() string { return fmt.Sprintf("%s may still be there: %v", e.What, e.Err) }

// Unwrap returns the cause.
func (e *CleanupError) Unwrap() error { return e.Err }

// Hint returns what becomes of it.
func (e *CleanupError) Hint() string { return "the next run removes it" }
