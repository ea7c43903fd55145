package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies"
)

// process is one sanitize, as a person starts it.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

// start starts sanitize in a process of its own. It is killed when the test ends.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := prepare(args...)
	p.run(t)
	return p
}

// prepare is a start that is to come.
func prepare(args ...string) *process {
	p := &process{cmd: exec.Command("sanitize", args...)} // testscript.Main has put it in PATH
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	return p
}

func (p *process) run(t *testing.T) {
	t.Helper()
	connectortest.ClosePostgresSessions() // nobody but the program is in its databases
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
}

// wait waits for the end and returns the exit code, which the command's help lists, −1 after
// a signal.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	code := p.cmd.ProcessState.ExitCode()
	if code >= 0 {
		if err := unlisted(p.cmd.Args[1:], code); err != nil {
			t.Error(err)
		}
	}
	return code
}

// sanitize runs to the end, which must be a good one, and returns standard output.
func sanitize(t *testing.T, args ...string) string {
	t.Helper()
	p := start(t, args...)
	if code := p.wait(t); code != 0 {
		t.Fatalf("sanitize %s: exit code %d\n%s", args[0], code, p.stderr.String())
	}
	return p.stdout.String()
}

// testKey is the key of these tests: a fixed one, so that a name that is
// chosen for one person and is another's by chance (it happens) does not come and go.
func testKey(t *testing.T) *masking.Key {
	t.Helper()
	b := make([]byte, masking.KeySize)
	for i := range b {
		b[i] = byte(i)
	}
	key, err := masking.KeyFromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// policyFile copies one of testdata/policies to a folder of the test's, with the
// key that it asks for beside it.
func policyFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository(t), "testdata", "policies", name))
	if err != nil {
		t.Fatal(err)
	}
	return writePolicy(t, text)
}

func writePolicy(t *testing.T, text []byte) string {
	t.Helper()
	// A credential would need the environment, which tests that run beside each other share.
	text = bytes.ReplaceAll(text, []byte("file:${CREDENTIALS_DIRECTORY}/"), []byte("file:"))
	path := filepath.Join(t.TempDir(), "policy.yaml")
	p, err := policies.Parse(path, text)
	if err != nil {
		t.Fatal(err)
	}
	file, ok := strings.CutPrefix(p.Keys[0].From, "file:")
	if !ok || strings.Contains(file, "$") || filepath.IsAbs(file) {
		t.Fatal("the key must be a file beside the policy, or a credential")
	}
	keyPath := filepath.Join(filepath.Dir(path), file)
	if err := os.MkdirAll(filepath.Dir(keyPath), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyPath, testKey(t).Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// eventually waits until a condition holds, for a minute at most.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("waited a minute for: %s", what)
}

// Who reads the talk may go away in the middle, as head does: the run goes on to its end. Nobody
// is told that data are not read: who went away knows.
func TestReadersThatGoAway(t *testing.T) {
	unread := func() *os.File {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		t.Cleanup(func() { w.Close() })
		return w
	}
	p := prepare("demo")
	p.cmd.Dir, p.cmd.Stderr = t.TempDir(), unread()
	p.run(t)
	if code := p.wait(t); code != 0 {
		t.Errorf("a run whose talk nobody reads ends with %d", code)
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	sanitize(t, "demo")
	made, err := filepath.Glob(filepath.Join(dir, "sanitize-demo-*", "shop.yaml"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%q, %v", made, err)
	}
	dir = filepath.Dir(made[0])
	p = prepare("run", "--policy", made[0], "--from", "sqlite:"+filepath.Join(dir, "production.db"), "--to", "sqlite:"+filepath.Join(dir, "again.db"), "--json", "--quiet")
	p.cmd.Stdout = unread()
	p.run(t)
	if code := p.wait(t); code != 1 || !strings.Contains(p.stderr.String(), "the target has been promoted, and nobody reads its summary") {
		t.Errorf("a run whose summary nobody reads ends with %d and says %q", code, p.stderr.String())
	}
	p = prepare("version")
	p.cmd.Stdout = unread()
	p.run(t)
	if code := p.wait(t); code != 1 || p.stderr.Len() > 0 {
		t.Errorf("a command whose data nobody reads ends with %d and says %q", code, p.stderr.String())
	}
}
