package connectors

import (
	"errors"
	"fmt"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Kind tells a caller what sort of failure it has before it.
type Kind uint8

// The kinds.
const (
	KindOther       Kind = iota
	KindUnavailable      // cannot be reached, refuses the account, lacks a right or a program
	KindUnsupported      // holds something that cannot be copied
	KindGuard            // the target is not ours to replace
	KindBusy             // another run holds the target
	KindIntegrity        // what was built is not whole
	KindSnapshot         // the snapshot is lost
	KindUsage            // a connection string that makes no sense
	KindFilter           // the policy's choice of rows cannot be
)

// Side tells which end of a run an error comes from.
type Side uint8

// The sides.
const (
	NoSide Side = iota
	SourceSide
	SinkSide
)

// Error is a failure with coordinates and, if a person can mend it, a hint.
type Error struct {
	Kind Kind
	Side Side
	Op   string // what was done to what: "lock public.users"
	Err  error  // cause; may be nil
	Hint string // what a person can do; may be empty
	// Retry is set when the chunk may be tried again.
	Retry bool
	// Changed is set when the target is not as it was: a promotion has begun to put the
	// copy in its place, and has not got to its end. The next run ends it.
	Changed bool
	// Violation is what a row would have broken, where the server names it.
	Violation *Violation
}

// Violation is a rule of the database that a row does not keep. It names, and holds no value.
type Violation struct {
	Table      catalog.TableID // or materialized view, as far as the server names it
	Constraint string          // a CHECK, a unique key or index, an exclusion constraint, a foreign key; empty for a NOT NULL, where no partition takes the row, and of a view
	Columns    []string        // of the table, as far as the server names them
	Type       string          // the domain to which the constraint belongs, or ""
	Partition  bool            // no partition takes the row
	Computed   bool            // a value of the row makes an expression fail, rather than a rule that it does not keep
}

// ViolationOf returns the violation in err's chain, or nil.
func ViolationOf(err error) *Violation {
	for err != nil {
		if e, ok := err.(*Error); ok && e.Violation != nil {
			return e.Violation
		}
		switch u := err.(type) {
		case interface{ Unwrap() error }:
			err = u.Unwrap()
		case interface{ Unwrap() []error }:
			for _, sub := range u.Unwrap() {
				if v := ViolationOf(sub); v != nil {
					return v
				}
			}
			return nil
		default:
			return nil
		}
	}
	return nil
}

// Error returns "op: cause".
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Op
	}
	return fmt.Sprintf("%s: %v", e.Op, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind and side of the outermost Error in err's chain.
func KindOf(err error) (Kind, Side) {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind, e.Side
	}
	return KindOther, NoSide
}

// Hint returns the first hint in err's chain, or "". Errors of other packages
// take part by a method Hint() string.
func Hint(err error) string {
	for err != nil {
		switch e := err.(type) {
		case *Error:
			if e.Hint != "" {
				return e.Hint
			}
		case interface{ Hint() string }:
			if h := e.Hint(); h != "" {
				return h
			}
		}
		switch u := err.(type) {
		case interface{ Unwrap() error }:
			err = u.Unwrap()
		case interface{ Unwrap() []error }:
			for _, sub := range u.Unwrap() {
				if h := Hint(sub); h != "" {
					return h
				}
			}
			return ""
		default:
			return ""
		}
	}
	return ""
}

// Retryable reports whether the whole chunk may be tried again: a lost
// connection, a deadlock, a serialization failure.
func Retryable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Retry
}

// Changed reports whether the target is not as it was, or may not be: see Error.Changed.
func Changed(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Changed
}
