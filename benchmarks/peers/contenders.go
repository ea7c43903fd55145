package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sanitize-db/sanitize/pipeline"
)

// contender is one way to copy the shop. Its steps are commands, one after the other.
type contender struct {
	name   string
	note   string // what a reader has to know to compare
	create bool   // the target's database has to be there
	ours   bool
	steps  []step
}

type step struct {
	name string
	args []string
	env  []string
}

// Names of the contenders that the aims speak of.
const (
	rawPipe   = "raw pipe"
	pgDump    = "pg_dump + pg_restore"
	pgCopyDB  = "pgcopydb"
	greenmask = "greenmask"
	pgStream  = "pgstream"
	ours3     = "sanitize, 3 masked"
	ours12    = "sanitize, 12 masked"
)

var (
	//go:embed mask3.yaml
	mask3 string
	//go:embed mask12.yaml
	mask12 string
	//go:embed greenmask.yaml
	greenmaskYAML string
	//go:embed pgstream.yaml
	pgstreamYAML string
)

// contenders returns who takes part, in the order of the first round.
func (b *bench) contenders() ([]contender, error) {
	key := filepath.Join(b.work, "peers.key")
	sanitize := filepath.Join(b.work, "sanitize")
	if out, err := exec.Command(sanitize, "keys", "new", key).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make a key: %w: %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	list, err := b.engine.contenders(b, key, sanitize, self)
	if err != nil {
		return nil, err
	}
	if b.only != nil {
		list = slices.DeleteFunc(list, func(c contender) bool {
			return !slices.ContainsFunc(b.only, func(o string) bool { return o != "" && strings.HasPrefix(c.name, o) })
		})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("PEERS_ONLY names nobody")
	}
	return list, nil
}

// file writes a file that a contender reads.
func (b *bench) file(name, text string) (string, error) {
	path := filepath.Join(b.work, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

func (b *bench) postgresContenders(key, sanitize, self string) ([]contender, error) {
	jobs := fmt.Sprint(connections)
	dump := filepath.Join(b.work, "dump")
	list := []contender{
		{name: rawPipe, note: "unmasked; each table whole, frozen; then indexes, keys and ANALYZE", create: true, steps: []step{
			{name: "copy", args: []string{self, "pipe", "copy"}},
			{name: "keys", args: []string{self, "pipe", "keys"}},
		}},
		{name: pgDump, note: "unmasked; `-Fd -j2 -Z0`; no ANALYZE", create: true, steps: []step{
			{name: "dump", args: []string{b.pg + "/pg_dump", "-Fd", "-j", jobs, "-Z0", "-f", dump, "-d", b.source.dsn(sourceDatabase)}},
			{name: "restore", args: []string{b.pg + "/pg_restore", "-j", jobs, "--exit-on-error", "-d", b.target.dsn(targetDatabase), dump}},
		}},
	}
	if path, err := exec.LookPath("pgcopydb"); err == nil {
		list = append(list, contender{name: pgCopyDB, note: "unmasked; `clone` as it is by default, which ends each table with VACUUM ANALYZE", create: true, steps: []step{
			{name: "clone", args: []string{path, "clone", "--table-jobs", jobs, "--index-jobs", jobs, "--no-owner", "--no-acl", "--dir", filepath.Join(b.work, "pgcopydb"),
				"--source", b.source.urlWithPassword(sourceDatabase), "--target", b.target.urlWithPassword(targetDatabase)}, env: []string{"PATH=" + b.pg + ":" + os.Getenv("PATH")}},
		}})
	}
	fill := strings.NewReplacer("${PG}", b.pg, "${WORK}", b.work, "${JOBS}", jobs,
		"${SOURCE}", b.source.dsn(sourceDatabase), "${TARGET}", b.target.dsn(targetDatabase),
		"${SOURCE_URL}", b.source.urlWithPassword(sourceDatabase), "${TARGET_URL}", b.target.urlWithPassword(targetDatabase))
	if path := os.Getenv("GREENMASK"); path != "" {
		config, err := b.file("greenmask.yaml", fill.Replace(greenmaskYAML))
		if err != nil {
			return nil, err
		}
		list = append(list, contender{name: greenmask, note: "12 masked; dump and restore; no ANALYZE", create: true, steps: []step{
			{name: "dump", args: []string{path, "--config", config, "dump"}},
			{name: "restore", args: []string{path, "--config", config, "restore", "latest"}},
		}})
	}
	if path := os.Getenv("PGSTREAM"); path != "" {
		config, err := b.file("pgstream.yaml", fill.Replace(pgstreamYAML))
		if err != nil {
			return nil, err
		}
		list = append(list, contender{name: pgStream, note: "12 masked; `snapshot`", create: true, steps: []step{
			{name: "snapshot", args: []string{path, "snapshot", "--config", config}, env: []string{"PATH=" + b.pg + ":" + os.Getenv("PATH")}},
		}})
	}
	for _, o := range []struct{ name, policy, file string }{{ours3, mask3, "mask3.yaml"}, {ours12, mask12, "mask12.yaml"}} {
		policy, err := b.file(o.file, o.policy)
		if err != nil {
			return nil, err
		}
		list = append(list, contender{name: o.name, note: "verified; with ANALYZE", ours: true, steps: []step{
			{name: "run", args: []string{sanitize, "run", "--policy", policy, "--workers", jobs, "--pg-bin", b.pg, "--quiet", "--json",
				"--from", b.source.url(sourceDatabase), "--to", b.target.url(targetDatabase)}, env: []string{"PEERS_KEY=" + key}},
		}})
	}
	return list, nil
}

// part is what one step has cost.
type part struct {
	name           string
	wall           time.Duration
	source, target time.Duration // processor time of the servers
	client         time.Duration // of the command and its children
	peak           int64         // bytes of memory of the largest process of it
}

// result is what a contender has cost.
type result struct {
	parts   []part
	log     int64             // bytes that the target has written to its log
	summary *pipeline.Summary // of ours
}

func (r result) sum(f func(part) time.Duration) (d time.Duration) {
	for _, p := range r.parts {
		d += f(p)
	}
	return d
}

func (r result) wall() time.Duration { return r.sum(func(p part) time.Duration { return p.wall }) }
func (r result) servers() time.Duration {
	return r.sum(func(p part) time.Duration { return p.source + p.target })
}
func (r result) client() time.Duration {
	return r.sum(func(p part) time.Duration { return p.client })
}
func (r result) peak() (n int64) {
	for _, p := range r.parts {
		n = max(n, p.peak)
	}
	return n
}

// measure runs a contender into an empty target, and looks at what came out. Nobody pays
// for what the one before has left to be written: both servers make a checkpoint first.
func (b *bench) measure(ctx context.Context, c contender) (r result, err error) {
	if err := b.clear(ctx); err != nil {
		return r, err
	}
	if c.create {
		if err := b.target.exec(ctx, "", fmt.Sprintf(b.engine.create, targetDatabase)); err != nil {
			return r, err
		}
	}
	for _, s := range []server{b.source, b.target} {
		if err := b.engine.settle(ctx, s); err != nil {
			return r, err
		}
	}
	log, err := b.target.number(ctx, "", b.engine.log)
	if err != nil {
		return r, err
	}
	for _, s := range c.steps {
		p, stdout, err := b.step(ctx, s)
		if err != nil {
			return r, err
		}
		r.parts = append(r.parts, p)
		if c.ours {
			if err := json.Unmarshal(stdout, &r.summary); err != nil {
				return r, fmt.Errorf("read the summary: %w", err)
			}
		}
	}
	if r.log, err = b.target.number(ctx, "", b.engine.log); err != nil {
		return r, err
	}
	r.log -= log
	shape, err := b.target.shape(ctx, targetDatabase)
	if err != nil {
		return r, err
	}
	if shape != b.shape {
		return r, fmt.Errorf("it did not copy everything:\n  there: %s\n  here:  %s", b.shape, shape)
	}
	return r, b.clear(ctx)
}

// clear drops the target and what the contender has left in files.
func (b *bench) clear(ctx context.Context) error {
	for _, name := range []string{"dump", "greenmask", "pgcopydb"} {
		if err := os.RemoveAll(filepath.Join(b.work, name)); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(b.work, "greenmask"), 0o700); err != nil {
		return err
	}
	return b.target.exec(ctx, "", fmt.Sprintf(b.engine.drop, targetDatabase))
}

func (b *bench) step(ctx context.Context, s step) (p part, stdout []byte, err error) {
	p.name = s.name
	source, target, err := b.cpu()
	if err != nil {
		return p, nil, err
	}
	var out, talk bytes.Buffer
	cmd := exec.CommandContext(ctx, s.args[0], s.args[1:]...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdout, cmd.Stderr = &out, &talk
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return p, nil, fmt.Errorf("%s: %w\n%s", s.name, err, tail(cmp.Or(talk.String(), out.String())))
	}
	p.wall = time.Since(began)
	source2, target2, err := b.cpu()
	if err != nil {
		return p, nil, err
	}
	p.source, p.target = source2-source, target2-target
	p.client = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	// wait4(2): of the command and of the children that it has waited for, in KiB.
	p.peak = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	return p, out.Bytes(), nil
}

// cpu reads both servers' clocks, when the backends of whoever has just gone are gone too.
func (b *bench) cpu() (source, target time.Duration, err error) {
	time.Sleep(300 * time.Millisecond)
	if source, err = b.source.cpu(); err == nil {
		target, err = b.target.cpu()
	}
	return source, target, err
}

// tail returns the end of what a command has said.
func tail(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
