package pipeline

import (
	"errors"
	"fmt"
)

// ErrInterrupted is the cause of a run that was asked to stop.
var ErrInterrupted = errors.New("interrupted")

// PhaseError tells in which phase a run failed.
type PhaseError struct {
	Phase Phase
	Err   error
}

// Error returns "phase: cause".
func (e *PhaseError) Error() string { return fmt.Sprintf("%s: %v", e.Phase, e.Err) }

// Unwrap returns the cause.
func (e *PhaseError) Unwrap() error { return e.Err }
