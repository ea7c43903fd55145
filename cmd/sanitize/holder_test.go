package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors"
)

// A run of cron's and a resume by hand find each other: nothing of the environment says
// where the sockets are, and nobody else can enter there.
func TestHolderFolder(t *testing.T) {
	base := holderBase
	t.Cleanup(func() { holderBase = base })
	dir, err := os.MkdirTemp("/tmp", "holder") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	holderBase = dir
	source := connectors.Identity{Server: "s", Database: "d", Display: "here"}
	t.Setenv("XDG_RUNTIME_DIR", "")
	l, err := listen(source, "token")
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{})
	go answer(l, func() { close(told) }, nil)
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	if !releaseHolder(source, "token") {
		t.Fatal("the holder was not found")
	}
	<-told
	if releaseHolder(source, "another") {
		t.Error("a holder of another snapshot has heard")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if releaseHolder(source, "token") {
		t.Error("a holder that has ended has heard")
	}

	// A socket that nobody listens to is of a holder that was killed, or of one that starts.
	for age, there := range map[time.Duration]bool{-time.Hour: true, time.Hour: false} {
		name := filepath.Join(filepath.Dir(l.Addr().String()), "left.sock")
		left, err := net.ListenUnix("unix", &net.UnixAddr{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		left.SetUnlinkOnClose(false)
		left.Close()
		if err := os.Chtimes(name, time.Now().Add(-age), time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
		next, err := listen(source, "next")
		if err != nil {
			t.Fatal(err)
		}
		next.Close()
		if _, err := os.Lstat(name); (err == nil) != there {
			t.Errorf("of %s ago: %v", age, err)
		}
		os.Remove(name)
	}

	folder, err := holderFolder()
	if err != nil || filepath.Dir(folder) != dir {
		t.Fatalf("folder %s, %v", folder, err)
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(source, "token"); err == nil || !strings.Contains(err.Error(), "of this account alone") || !strings.Contains(connectors.Hint(err), "chmod 700") {
		t.Errorf("a folder that others may enter: %v", err)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), folder); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(source, "token"); err == nil {
		t.Error("a link that somebody else may have made is followed")
	}
}

// Only what has an end that means something is read.
func TestHasEnd(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, c := range []struct {
		name string
		file *os.File
		want bool
	}{{"a pipe", r, true}, {"a socket", socket, true}, {os.DevNull, null, false}, {"a terminal", terminal, false}, {"a file", file, false}} {
		if got := hasEnd(c.file); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}

// The hint to resume is a command for the shell, by the same rules as the run: what resume
// takes of the run's flags, save the connection strings, which may hold passwords.
func TestResumeHint(t *testing.T) {
	for _, c := range []struct{ args, want []string }{
		{
			[]string{"--policy", "my shop's.yaml", "--from", "postgres://u:secret@h/a", "--to=postgres://u:secret@h/b", "--hold-snapshot=2h", "--chunk-size", "8KiB",
				"--grants", "--keep-object", "publication:news", "--keep-object", "event trigger:audit", "--leave-extension", "bloom"},
			[]string{`--policy 'my shop'\''s.yaml'`, "--keep-object publication:news --keep-object 'event trigger:audit'", "--leave-extension bloom", "--grants"},
		},
		{
			[]string{"--snapshot", "00000003-1", "--policy", "p.yaml", "--require-signature", "--allowed", "signers", "--threshold=2", "--signature", "p.sig", "--lock", "p.lock", "--require-lock",
				"--memory", "64 mib", "--max-rate", "500MB", "--workers", "3", "--lock-timeout", "1m", "--max-snapshot-age", "90m", "--max-source-connections", "9", "--no-governor=false",
				"--pg-bin", "/opt/pg bin", "--json", "--quiet"},
			[]string{"--policy p.yaml", "--workers 3", "--memory 64MiB", "--lock p.lock", "--require-lock", "--require-signature", "--allowed signers", "--signature p.sig", "--threshold 2",
				"--pg-bin '/opt/pg bin'", "--lock-timeout 1m0s", "--max-snapshot-age 1h30m0s", "--max-source-connections 9", "--max-rate 500000000", "--no-governor=false", "--json", "--quiet"},
		},
	} {
		var r runOptions
		flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
		r.bind(flags)
		if err := flags.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		want := "go on with: sanitize resume " + strings.Join(c.want, " ") + ", and --from and --to as before (while x)"
		if got := (&keptError{run: &r, when: "while x"}).Hint(); got != want {
			t.Errorf("hint\n%s, want\n%s", got, want)
		}
	}
}
