package policies

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/masking"
)

// commandTime is how long a command may take to print a key: a person may have to
// touch a token.
const commandTime = 30 * time.Second

// commandWords cuts a command into words, as they stand between blanks. Quotes of
// either sort hold a word together; nothing else has a meaning. There is no shell: what
// a variable holds is never cut, expanded or run.
func commandWords(s string) (words []string, problem string) {
	var word strings.Builder
	inside := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ':
			if inside {
				words = append(words, word.String())
				word.Reset()
				inside = false
			}
		case '\'', '"':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return nil, "has a quote that is not closed"
			}
			word.WriteString(s[i+1 : i+1+end])
			i += end + 1
			inside = true
		default:
			word.WriteByte(c)
			inside = true
		}
	}
	if inside {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, "is empty"
	}
	return words, ""
}

// commandKey runs a command in the folder of the policy and reads the key file that it
// prints. The command has no standard input; what it says on standard error is dropped,
// since a program that fails may well repeat a secret there. No error shows the command's
// words or anything of its output.
func commandKey(folder string, words []string, limit time.Duration) (*masking.Key, error) {
	fail := func(help, format string, args ...any) error {
		return &masking.KeyError{Reason: fmt.Sprintf(format, args...), Help: help}
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out := &bounded{most: mostFile}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Stdout = folder, out
	// A child of the command may hold the pipe open after its end.
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case out.full:
		return nil, fail("it has to print a key file, as sanitize keys new FILE writes it", "the command prints more than a key file")
	case ctx.Err() != nil:
		return nil, fail("run it by hand: does it wait for somebody?", "the command did not end within %v", limit)
	case errors.As(err, &exit):
		return nil, fail("run it by hand to see what it says", "the command failed (%v)", exit.ProcessState)
	case err != nil:
		// The error of a start repeats the program's name, which may be anything.
		return nil, fail("give its path, or a name that is found in PATH; it is run without a shell", "the command cannot be run")
	}
	key, err := masking.ParseKey(out.buf.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the output of the command: %w", err)
	}
	return key, nil
}

// bounded takes so many bytes and then fails. The buffer is no embedded one: that would
// read on by itself.
type bounded struct {
	buf  bytes.Buffer
	most int
	full bool
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > b.most {
		b.full = true
		return 0, errors.New("too much output")
	}
	return b.buf.Write(p)
}
