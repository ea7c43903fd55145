// Command peers measures sanitize beside the tools that do the same work or a part of it,
// in one run. The script run starts it, with two servers. `peers pipe copy` and `peers pipe
// keys` are the reference: an unmasked pipe, as a process of its own, so that its
// processor time is counted as that of the others.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// connections is how many every contender may have on each side.
const connections = 2

// sourceDatabase and targetDatabase are their names at the two servers.
const (
	sourceDatabase = "shop"
	targetDatabase = "shop_copy"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	b, err := newBench()
	if err != nil {
		return err
	}
	switch strings.Join(args, " ") {
	case "":
		return b.all(ctx)
	case "maria":
		b.engine = mariaEngine
		return b.all(ctx)
	case "maria pipe copy":
		return mariaPipe(ctx, b.source.mariaDSN(sourceDatabase), b.target.mariaDSN(targetDatabase))
	case "maria pipe keys":
		return mariaKeys(ctx, b.target)
	case "scale":
		return b.scale(ctx)
	case "levers":
		return b.measureLevers(ctx)
	case "pipe copy":
		return pipeTables(ctx, b.source.dsn(sourceDatabase), b.target.dsn(targetDatabase))
	case "pipe keys":
		return pipeKeys(ctx, b.target.dsn(targetDatabase))
	}
	return errors.New("usage: peers [maria | levers | scale | pipe copy | pipe keys]; start it by benchmarks/peers/run")
}

// tableBytes asks how large the tables are, without indexes.
const tableBytes = "SELECT sum(pg_table_size(oid))::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"

// engine is what differs between the families of servers.
type engine struct {
	name       string
	target     string // by which it is started
	size       string // of the tables, without indexes: a query
	version    string // a query
	setting    string // what the two servers differ in: a query
	log        string // bytes that the server has written to its log: a query
	make       func(ctx context.Context, b *bench) error
	contenders func(b *bench, key, sanitize, self string) ([]contender, error)
	settle     func(ctx context.Context, s server) error // writes what is left to be written
	create     string
	drop       string
	aims       []aim
}

var postgresEngine = &engine{
	name: "PostgreSQL", target: "make peers", size: tableBytes, version: "SHOW server_version",
	setting:    "SELECT 'wal_level = ' || current_setting('wal_level')",
	log:        "SELECT (pg_current_wal_lsn() - '0/0')::text",
	make:       func(ctx context.Context, b *bench) error { return makeShop(ctx, b.source.dsn(sourceDatabase), b.gb) },
	contenders: (*bench).postgresContenders,
	settle:     func(ctx context.Context, s server) error { return s.exec(ctx, "", "CHECKPOINT") },
	create:     "CREATE DATABASE %s", drop: "DROP DATABASE IF EXISTS %s WITH (FORCE)",
	aims: aims,
}

// bench is one measurement.
type bench struct {
	engine         *engine
	source, target server
	work           string  // folder for what the contenders write
	pg             string  // folder of PostgreSQL's programs
	gb             float64 // asked for
	bytes          int64   // of the tables, as they came out
	rounds         int
	only           []string
	shape          string // of the source
	began          time.Time
}

func newBench() (*bench, error) {
	b := &bench{engine: postgresEngine, work: os.Getenv("PEERS_WORK"), pg: os.Getenv("PGBIN"), began: time.Now()}
	var errs []error
	number := func(name string) int {
		n, err := strconv.Atoi(os.Getenv(name))
		errs = append(errs, err)
		return n
	}
	b.source = server{port: os.Getenv("PEERS_SOURCE_PORT"), pid: number("PEERS_SOURCE_PID"), maria: os.Getenv("PEERS_MARIA") != ""}
	b.target = server{port: os.Getenv("PEERS_TARGET_PORT"), pid: number("PEERS_TARGET_PID"), maria: os.Getenv("PEERS_MARIA") != ""}
	var err error
	b.gb, err = strconv.ParseFloat(cmp.Or(os.Getenv("PEERS_GB"), "3.8"), 64)
	errs = append(errs, err)
	b.rounds, err = strconv.Atoi(cmp.Or(os.Getenv("ROUNDS"), "1"))
	errs = append(errs, err)
	if only := os.Getenv("PEERS_ONLY"); only != "" {
		b.only = strings.Split(only, ",")
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("start it by benchmarks/peers/run: %w", err)
	}
	return b, nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "peers: %4.0fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// all makes the shop, runs the contenders in turn, and writes the report.
func (b *bench) all(ctx context.Context) error {
	b.say("fills a shop of %.1f GB", b.gb)
	if err := b.source.exec(ctx, "", fmt.Sprintf(b.engine.create, sourceDatabase)); err != nil {
		return err
	}
	if err := b.engine.make(ctx, b); err != nil {
		return err
	}
	var err error
	if b.bytes, err = b.source.number(ctx, sourceDatabase, b.engine.size); err != nil {
		return err
	}
	if b.shape, err = b.source.shape(ctx, sourceDatabase); err != nil {
		return err
	}
	b.say("%.2f GB: %s", float64(b.bytes)/1e9, b.shape)

	list, err := b.contenders()
	if err != nil {
		return err
	}
	results := map[string][]result{}
	for round := range b.rounds {
		// Whoever comes first changes from round to round.
		turn := round % len(list)
		for _, c := range slices.Concat(list[turn:], list[:turn]) {
			r, err := b.measure(ctx, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			results[c.name] = append(results[c.name], r)
			b.say("%-22s %6.1f s wall, servers %5.1f s, client %5.1f s, peak %3.0f MB", c.name, r.wall().Seconds(), r.servers().Seconds(), r.client().Seconds(), float64(r.peak())/1e6)
		}
	}
	version, err := b.source.query(ctx, "", b.engine.version)
	if err != nil {
		return err
	}
	setting := ""
	if b.engine.setting != "" {
		if setting, err = b.target.query(ctx, "", b.engine.setting); err != nil {
			return err
		}
	}
	rep := report{engine: b.engine, setting: setting, bytes: b.bytes, shape: b.shape, cores: runtime.NumCPU(), rounds: b.rounds, version: version, at: b.began.UTC(), took: time.Since(b.began)}
	for _, c := range list {
		rep.rows = append(rep.rows, middle(c, results[c.name]))
	}
	text := rep.String()
	out := cmp.Or(os.Getenv("PEERS_OUT"), "benchmarks/results/peers.md")
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(out, []byte(text), 0o644); err != nil {
		return err
	}
	fmt.Print(text)
	return nil
}
