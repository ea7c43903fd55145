package pipeline

import (
	"errors"
	"testing"
)

// An error says once what was done when it came up.
func TestDuring(t *testing.T) {
	for said, want := range map[string]string{
		"read public.t: lost":                "read public.t: lost",
		"read public.t, row 3: lost":         "read public.t, row 3: lost",
		"read public.t2: lost":               "read public.t: read public.t2: lost",
		"column v, row 3 of the batch: lost": "read public.t: column v, row 3 of the batch: lost",
	} {
		cause := errors.New(said)
		if got := during("read public.t", cause); got.Error() != want || !errors.Is(got, cause) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
