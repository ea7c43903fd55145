package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
)

// A holder is this program in another process, which holds the snapshot of a run. It has
// a session and a process group of its own, so that what ends the run, a Ctrl-C or a
// kill, does not end it.
//
// The run writes to its standard input: first a handing, with the connection string,
// which no process list shows; then word by word how the run goes. The holder answers
// on standard output with one holding. It ends
//
//   - when its time is over, or its snapshot is lost;
//   - on the word release;
//   - when the run ends without having said building, or after sealed: then there may be nothing to resume;
//   - when another process of the same account, that has resumed the run, says release to
//     its socket; or has said sealed there, and its connection ends without building.
//
// Where no session can see the instant of another (connectors.Lender), the holder also lends
// its sessions by that socket: to the run itself, and to those that resume it.
type handing struct {
	From        string        `json:"from"`
	LockTimeout time.Duration `json:"lock_timeout"`
	For         time.Duration `json:"for"`
	Workers     int           `json:"workers"`
	Sessions    int           `json:"sessions,omitempty"` // at the source, the run's own included; 0 is no bound
}

// holding is what a holder answers: a snapshot, and the path of its socket or why it has
// none; or an error.
type holding struct {
	holdReport
	Socket string `json:"socket,omitempty"`
	Deaf   string `json:"deaf,omitempty"`
	// Warnings are the source's of how the snapshot was opened, where a run that joins it
	// opens nothing that could warn.
	Warnings []string     `json:"warnings,omitempty"`
	Error    *holderError `json:"error,omitempty"`
}

// holderError is an error on its way from one process to the other.
type holderError struct {
	Kind  connectors.Kind `json:"kind"`
	Side  connectors.Side `json:"side"`
	Text  string          `json:"text"`
	Hint  string          `json:"hint,omitempty"`
	Usage bool            `json:"usage,omitempty"`
}

// The words.
const (
	wordBuilding = "building"
	wordSealed   = "sealed"
	wordRelease  = "release"
	wordBorrow   = "borrow" // to the socket: what follows is the connector's
)

// holderTimeout bounds how long a holder may take to end.
const holderTimeout = 10 * time.Second

// holder is the run's end.
type holder struct {
	holding
	pid   int
	input io.WriteCloser
	ended <-chan struct{}
	began time.Time
}

// startHolder starts a holder and waits for its snapshot. The caller ends or leaves it.
func startHolder(ctx context.Context, h handing) (*holder, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("hold the snapshot: %w", err)
	}
	// No context: the holder outlives the run. Its standard error leads nowhere, since who
	// waits for the end of the run's would wait for the holder's too.
	cmd := &exec.Cmd{Path: exe, Args: []string{os.Args[0], "hold", "--handed"}, SysProcAttr: detached()}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("hold the snapshot: %w", err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("hold the snapshot: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("hold the snapshot: start %s: %w", filepath.Base(exe), err)
	}
	ended := make(chan struct{})
	x := &holder{pid: cmd.Process.Pid, input: input, ended: ended, began: time.Now()}
	answer := make(chan error, 1)
	go func() {
		err := json.NewEncoder(input).Encode(h)
		if err == nil {
			err = json.NewDecoder(output).Decode(&x.holding)
		}
		answer <- err
		cmd.Wait()
		close(ended)
	}()
	select {
	case err = <-answer:
	case <-ctx.Done():
		x.leave() // it has heard of no build, and ends
		return nil, ctx.Err()
	}
	switch e := x.Error; {
	case err != nil:
		x.leave()
		return nil, fmt.Errorf("hold the snapshot: the process that should has ended: %w", err)
	case e == nil:
		return x, nil
	case e.Usage:
		x.leave()
		return nil, &usageError{reason: e.Text, help: e.Hint}
	default:
		x.leave()
		return nil, &connectors.Error{Kind: e.Kind, Side: e.Side, Op: "hold the snapshot", Err: errors.New(e.Text), Hint: e.Hint}
	}
}

// building tells that there is something to resume from now on.
func (h *holder) building() { fmt.Fprintln(h.input, wordBuilding) }

// sealed tells that there may be nothing to resume any more: a run that is killed from now on
// takes the holder with it, since nobody would come to end it.
func (h *holder) sealed() { fmt.Fprintln(h.input, wordSealed) }

// watch calls lost, once, if the holder ends before stop is called: its time was over, it
// has lost the snapshot, or somebody has killed it. What a killed one leaves is removed.
// The caller calls stop, once, which reports whether it has ended.
func (h *holder) watch(lost func()) (stop func() bool) {
	over, said := make(chan struct{}), make(chan bool, 1)
	go func() {
		select {
		case <-h.ended:
		case <-over:
		}
		select {
		case <-h.ended:
			if h.Socket != "" {
				os.Remove(h.Socket)
			}
			lost()
			said <- true
		default:
			said <- false
		}
	}()
	return func() bool {
		// A process that ends closes its pipe a moment before its parent is told.
		if _, err := fmt.Fprintln(h.input); err != nil {
			select {
			case <-h.ended:
			case <-time.After(holderTimeout):
			}
		}
		close(over)
		return <-said
	}
}

// leave lets go of the holder.
func (h *holder) leave() { h.input.Close() }

// release ends the holder, and waits until it has ended.
func (h *holder) release() {
	fmt.Fprintln(h.input, wordRelease)
	h.leave()
	select {
	case <-h.ended:
	case <-time.After(holderTimeout):
	}
}

// holdForRun is the holder's end.
func holdForRun(ctx context.Context, u *ui, stdin io.Reader) error {
	ctx, stop := ends(ctx)
	defer stop()
	input := bufio.NewReader(stdin)
	var task handing
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &task)
	}
	if err != nil {
		return errors.New("hold: --handed is for sanitize itself")
	}
	told := make(chan struct{})
	tell := sync.OnceFunc(func() { close(told) })
	go hear(input, tell)
	opening, opened := context.WithCancel(ctx)
	defer opened()
	go func() { // who is not waited for any more waits for no lock
		select {
		case <-told:
			opened()
		case <-opening.Done():
		}
	}()
	var heard warnings
	opts := connectors.Options{Workers: task.Workers, Sessions: task.Sessions, LockTimeout: int(task.LockTimeout.Milliseconds()), Holder: reachHolder, Warn: heard.add}
	h, err := openHeld(opening, task.From, opts, task.For)
	failed := func(err error) error {
		kind, side := connectors.KindOf(err)
		var misused *usageError
		u.JSON(holding{Error: &holderError{Kind: kind, Side: side, Text: connectors.RedactURL(err.Error()), Hint: connectors.Hint(err), Usage: errors.As(err, &misused)}})
		return err
	}
	if err != nil {
		return failed(err)
	}
	defer h.close()
	answered := holding{holdReport: h.report}
	if h.lender() != nil {
		answered.Warnings = heard.list()
	}
	switch l, err := h.listen(tell); {
	case err == nil:
		defer l.Close() // removes it
		answered.Socket = l.Addr().String()
	case h.lender() != nil:
		return failed(err)
	default: // only the run itself can tell then, and the time
		answered.Deaf = err.Error()
	}
	if err := u.JSON(answered); err != nil {
		return err
	}
	os.Stdout.Close() // the run has its answer
	_, err = h.wait(ctx, told)
	return err
}

// hear calls tell once the run has said that the snapshot may go, or has ended without there being
// anything to resume.
func hear(run io.Reader, tell func()) {
	building := false
	for words := bufio.NewScanner(run); words.Scan(); {
		switch words.Text() {
		case wordBuilding:
			building = true
		case wordSealed:
			building = false
		case wordRelease:
			tell()
			return
		}
	}
	if !building {
		tell()
	}
}

// warnings are what a connector warns of, each once. It may do so from several goroutines.
type warnings struct {
	mu  sync.Mutex
	all []string
}

func (w *warnings) add(message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.all, message) {
		w.all = append(w.all, message)
	}
}

func (w *warnings) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// lender returns what lends the snapshot's sessions, or nil where others can join it without.
func (h *heldSnapshot) lender() connectors.Lender {
	l, _ := h.snapshot.(connectors.Lender)
	return l
}

// listen opens the socket of a holder, and serves it until the caller closes it. A nil tell
// is one of a holder that nobody else may end.
func (h *heldSnapshot) listen(tell func()) (net.Listener, error) {
	l, err := listen(h.identity, h.report.Snapshot)
	if err != nil {
		return nil, err
	}
	go answer(l, tell, h.lender())
	return l, nil
}

// answer serves the socket of a holder.
func answer(l net.Listener, tell func(), lender connectors.Lender) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() { // it ends with the connection, or with the snapshot
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(holderTimeout))
			switch word := readWord(conn); {
			case word == wordRelease && tell != nil:
				fmt.Fprintln(conn, wordRelease)
				tell()
			case word == wordSealed && tell != nil:
				fmt.Fprintln(conn, wordSealed)
				conn.SetDeadline(time.Time{})
				if readWord(conn) != wordBuilding {
					tell()
				}
			case word == wordBorrow && lender != nil:
				conn.SetDeadline(time.Time{})
				lender.Lend(conn)
			}
		}()
	}
}

// readWord reads a line, and nothing of what follows it; "" if there is none.
func readWord(r io.Reader) string {
	var word []byte
	for letter := make([]byte, 1); len(word) < 16; word = append(word, letter[0]) {
		if _, err := io.ReadFull(r, letter); err != nil {
			return ""
		}
		if letter[0] == '\n' {
			return strings.TrimSpace(string(word))
		}
	}
	return ""
}

// dialHolder connects to the process of this account, on this machine, that lends a snapshot.
func dialHolder(ctx context.Context, source connectors.Identity, token string) (net.Conn, error) {
	dir, err := holderFolder()
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: holderTimeout}
	conn, err := dialer.DialContext(ctx, "unix", filepath.Join(dir, socketName(source, token)))
	if err != nil {
		return nil, errors.New("no process of this account answers for its token")
	}
	if _, err := fmt.Fprintln(conn, wordBorrow); err != nil {
		conn.Close()
		return nil, errors.New("the process that did has ended")
	}
	return conn, nil
}

// tellHolder says a word to the holder of a snapshot, if there is one on this machine. It
// returns the connection when it has been heard, which the caller closes, and nil if not.
func tellHolder(source connectors.Identity, token, word string) net.Conn {
	dir, err := holderFolder()
	if err != nil || token == "" {
		return nil
	}
	name := filepath.Join(dir, socketName(source, token))
	conn, err := net.DialTimeout("unix", name, holderTimeout)
	if err != nil {
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			os.Remove(name) // a killed holder has left it, if it is there
		}
		return nil
	}
	conn.SetDeadline(time.Now().Add(holderTimeout))
	if _, err := fmt.Fprintln(conn, word); err != nil || readWord(conn) != word {
		conn.Close()
		return nil
	}
	return conn
}

// releaseHolder tells a holder that nobody needs its snapshot any more. It reports whether
// one has heard.
func releaseHolder(source connectors.Identity, token string) bool {
	conn := tellHolder(source, token, wordRelease)
	if conn == nil {
		return false
	}
	conn.Close()
	return true
}

// socketName is by what a holder is found: the database and the token, neither of which
// can be read from it.
func socketName(source connectors.Identity, token string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", source.Server, source.Database, token))
	return hex.EncodeToString(sum[:10]) + ".sock"
}

// listen opens the socket of a holder. What killed ones have left a while ago is removed first.
func listen(source connectors.Identity, token string) (net.Listener, error) {
	dir, err := holderFolder()
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.sock"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		// That of a holder which starts just now may not be listened to yet.
		if info, err := os.Lstat(name); err != nil || time.Since(info.ModTime()) < time.Second/10 {
			continue
		}
		if conn, err := net.DialTimeout("unix", name, time.Second); err == nil {
			conn.Close()
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			os.Remove(name)
		}
	}
	return net.Listen("unix", filepath.Join(dir, socketName(source, token)))
}

// holderFolder is where the sockets stand: a folder that only this account can enter. It
// is one for all processes of the account, whatever their environment: a resume may be
// started by hand, and the run by cron. It is short, as the path of a socket has to be.
func holderFolder() (string, error) {
	dir := filepath.Join(holderBase, fmt.Sprintf("sanitize-%d", os.Getuid()))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || !oursAlone(info) {
		return "", &folderError{dir}
	}
	return dir, nil
}

// folderError is the place of the sockets, which others could get at.
type folderError struct{ dir string }

// Error says what it is not.
func (e *folderError) Error() string { return e.dir + " is not a folder of this account alone" }

// Hint says how it becomes one.
func (e *folderError) Hint() string {
	return "if it is yours, chmod 700 " + e.dir + "; else have it removed: sanitize makes it anew"
}
