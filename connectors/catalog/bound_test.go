package catalog

import (
	"strings"
	"testing"
)

// A file may be of any size; what is held of it may not.
func TestReadIsBounded(t *testing.T) {
	endless := endless{}
	if _, err := read(endless, 1<<20); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Error(err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
