package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is one of the two. The password is in PGPASSWORD, where every tool finds it.
type server struct {
	port  string
	pid   int  // of the postmaster, or of mariadbd
	maria bool // what it is: MariaDB, whose password is in MYSQL_PWD
}

func (s server) dsn(database string) string {
	database = cmp.Or(database, "postgres")
	return fmt.Sprintf("host=127.0.0.1 port=%s user=postgres dbname=%s sslmode=disable", s.port, database)
}

func (s server) url(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%s/%s?sslmode=disable", s.port, database)
}

// urlWithPassword is for tools that do not look into the environment.
func (s server) urlWithPassword(database string) string {
	return strings.Replace(s.url(database), "postgres@", "postgres:"+os.Getenv("PGPASSWORD")+"@", 1)
}

// exec runs statements in a database; "" is none of the shop's.
func (s server) exec(ctx context.Context, database string, statements ...string) error {
	if s.maria {
		return s.mariaExec(ctx, database, statements...)
	}
	conn, err := pgx.Connect(ctx, s.dsn(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// query returns the only value of the only row, as text.
func (s server) query(ctx context.Context, database, sql string) (value string, err error) {
	if s.maria {
		return s.mariaQuery(ctx, database, sql)
	}
	conn, err := pgx.Connect(ctx, s.dsn(database))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, sql).Scan(&value)
	return value, err
}

// number returns the only value of the only row, an integer.
func (s server) number(ctx context.Context, database, sql string) (int64, error) {
	text, err := s.query(ctx, database, sql)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// shape says what a database holds: the rows of each table, the indexes, and the keys that are valid.
func (s server) shape(ctx context.Context, database string) (string, error) {
	if s.maria {
		return s.mariaShape(ctx, database)
	}
	var rows []string
	for _, t := range tables {
		rows = append(rows, fmt.Sprintf("'%s ' || (SELECT count(*) FROM public.%s)", t, t))
	}
	return s.query(ctx, database, "SELECT concat_ws(', ', "+strings.Join(rows, ", ")+`,
'indexes ' || (SELECT count(*) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE c.relnamespace = 'public'::regnamespace AND indisvalid),
'keys ' || (SELECT count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f') AND convalidated))`)
}

// ticks is how many clock ticks /proc counts in a second; Linux has said 100 for ever.
const ticks = 100

// cpu returns the processor time of the server: of the postmaster, of the children that it
// has buried, and of those that live. Nothing may end meanwhile.
func (s server) cpu() (time.Duration, error) {
	sum, _, err := stat(s.pid)
	if err != nil {
		return 0, err
	}
	others, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, dir := range others {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if n, parent, err := stat(pid); err == nil && parent == s.pid {
			sum += n
		}
	}
	return time.Duration(sum) * time.Second / ticks, nil
}

// stat returns the ticks of a process and of its buried children, and its parent (proc(5)).
func stat(pid int) (sum int64, parent int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The name of the program stands in brackets, and may hold anything.
	text := string(b)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return 0, 0, errors.New("/proc has another form than proc(5) says")
	}
	parent, err = strconv.Atoi(fields[1])
	for _, f := range fields[11:15] {
		n, e := strconv.ParseInt(f, 10, 64)
		err = errors.Join(err, e)
		sum += n
	}
	return sum, parent, err
}
