package main

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"
)

var (
	//go:embed maria.sql
	mariaTables string
	//go:embed maria_keys.sql
	mariaKeysSQL string
)

// Names of the contenders that the aims speak of.
const (
	mysqlDump = "mysqldump into mysql"
	myDumper  = "mydumper + myloader"
)

var mariaEngine = &engine{
	name: "MariaDB", target: "make peers-mysql", size: "SELECT CAST(SUM(data_length) AS CHAR) FROM information_schema.tables WHERE table_schema = '" + sourceDatabase + "'", version: "SELECT VERSION()",
	log:        "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'INNODB_OS_LOG_WRITTEN'",
	make:       makeMaria,
	contenders: (*bench).mariaContenders,
	settle:     settleMaria,
	create:     "CREATE DATABASE %s", drop: "DROP DATABASE IF EXISTS %s",
	aims: []aim{
		{"data phase / raw pipe's", 1.15, func(r report, ours row) (float64, bool) {
			raw := r.row(rawPipe)
			if raw == nil {
				return 0, false
			}
			return over(ours.data, raw.data)
		}, "%.2f"},
		{"whole run / mysqldump into mysql", 0.45, whole(mysqlDump), "%.2f"},
		{"whole run / mydumper + myloader", 0.9, whole(myDumper), "%.2f"},
		aims[len(aims)-1], // memory
	},
}

func (s server) mariaConfig(database string) *mysql.Config {
	c := mysql.NewConfig()
	c.User, c.Passwd = "root", os.Getenv("MYSQL_PWD")
	c.Net, c.Addr, c.DBName = "tcp", "127.0.0.1:"+s.port, database
	c.MaxAllowedPacket = 0
	return c
}

func (s server) mariaDSN(database string) string { return s.mariaConfig(database).FormatDSN() }

func (s server) mariaExec(ctx context.Context, database string, statements ...string) error {
	db, err := sql.Open("mysql", s.mariaDSN(database))
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, sql := range statements {
		if _, err := conn.ExecContext(ctx, sql); err != nil {
			return fmt.Errorf("%.80s: %w", sql, err)
		}
	}
	return nil
}

func (s server) mariaQuery(ctx context.Context, database, query string) (value string, err error) {
	db, err := sql.Open("mysql", s.mariaDSN(database))
	if err != nil {
		return "", err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, query).Scan(&value)
	return value, err
}

func (s server) mariaShape(ctx context.Context, database string) (string, error) {
	var rows []string
	for _, t := range tables {
		rows = append(rows, fmt.Sprintf("CONCAT('%s ', (SELECT COUNT(*) FROM %s))", t, t))
	}
	return s.mariaQuery(ctx, database, "SELECT CONCAT_WS(', ', "+strings.Join(rows, ", ")+`,
CONCAT('indexes ', (SELECT COUNT(DISTINCT table_name, index_name) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name NOT LIKE '\_%')),
CONCAT('foreign keys ', (SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE())))`)
}

// settleMaria waits until the server has written its dirty pages.
func settleMaria(ctx context.Context, s server) error {
	if err := s.mariaExec(ctx, "", "SET GLOBAL innodb_max_dirty_pages_pct = 0, GLOBAL innodb_max_dirty_pages_pct_lwm = 0"); err != nil {
		return err
	}
	for range 600 {
		n, err := s.mariaQuery(ctx, "", "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'INNODB_BUFFER_POOL_PAGES_DIRTY'")
		if err != nil {
			return err
		}
		if dirty, _ := strconv.Atoi(n); dirty < 100 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return s.mariaExec(ctx, "", "SET GLOBAL innodb_max_dirty_pages_pct = 90, GLOBAL innodb_max_dirty_pages_pct_lwm = 0")
}

// mariaFills returns the statements of fills in MariaDB's words, in which a row's number is
// seq.
func mariaFills(gb float64) []string {
	rows := map[string]int64{"countries": 250}
	for t, n := range perGB {
		rows[t] = max(int64(float64(n)*gb), 1000)
	}
	pick := func(list, seed string) string {
		words := strings.Fields(list)
		return fmt.Sprintf("ELT(1 + (%s) %% %d, '%s')", seed, len(words), strings.Join(words, "','"))
	}
	const given = "Ada Grace Alan Barbara Edsger Frances Donald Radia Ken Shafi Niklaus Lynn"
	const family = "Lovelace Hopper Turing Liskov Dijkstra Allen Knuth Perlman Thompson Goldwasser Wirth Conway Kaya Wang"
	const street = "Harbour Station Church Mill Victoria Garden Bridge Market Castle Orchard"
	first, last := pick(given, "seq * 7919"), pick(family, "seq DIV 13 + seq")
	name := "CONCAT(" + first + ", ' ', " + last + ")"
	mail := "CONCAT(LOWER(" + first + "), '.', LOWER(" + last + "), seq, '@mail.example')"
	road := "CONCAT(" + pick(street, "seq * 31") + ", ' Street ', 1 + seq % 220)"
	text := func(n int, seed string) string {
		return fmt.Sprintf("SUBSTR('%s', 1 + %s %% 120, %d)", words, seed, n)
	}
	when := "'2020-01-01 00:00:00' + INTERVAL seq * 41 SECOND"
	one := func(of, prime string) string { return fmt.Sprintf("1 + seq * %s %% %d", prime, rows[of]) }
	columns := map[string]string{
		"countries": "seq, CONCAT('C', seq), CONCAT('Country ', seq)",
		"products":  "seq, CONCAT('SKU-', LPAD(seq, 9, '0')), " + text(24, "seq * 7") + ", (seq % 9000) / 100, " + text(118, "seq * 3"),
		"customers": "seq, 1 + seq % 250, " + mail + ", " + first + ", " + last + ", CONCAT('+49 30 ', LPAD(seq * 104729 % 10000000, 7, '0')), " + road + ", " +
			pick("Lisbon Utrecht Gdansk Tampere Bergen Leipzig Toulouse Bologna Aarhus Graz", "seq") + ", LPAD(seq * 7919 % 100000, 5, '0'), " +
			"'1940-01-01' + INTERVAL seq * 17 % 25000 DAY, " + when,
		"orders": "seq, " + one("customers", "7919") + ", CONCAT('O-', LPAD(seq * 48271 % 2147483647, 10, '0')), " + pick("new paid packed shipped delivered returned", "seq") +
			", (seq % 90000) / 100, " + when + ", " + name + ", " + road + ", " + text(52, "seq"),
		"order_lines": fmt.Sprintf("seq, 1 + (seq - 1) DIV 3 %% %d, %s, (seq - 1) DIV (3 * %d) * 3 + (seq - 1) %% 3 + 1, 1 + seq %% 9, (seq %% 9000) / 100, %s, %s, %s",
			rows["orders"], one("products", "104729"), rows["orders"], name, mail, text(28, "seq")),
		"events": "seq, " + one("customers", "15485863") + ", " + when + ", CONCAT('10.', seq DIV 65536 % 256, '.', seq DIV 256 % 256, '.', seq % 256), " +
			"JSON_OBJECT('page', CONCAT('/products/', seq % 20000), 'seconds', seq % 600, 'agent', " + text(60, "seq * 11") + ", 'cart', JSON_ARRAY(seq % 97, seq % 89))",
	}
	var list []string
	for _, t := range tables {
		list = append(list, fmt.Sprintf("INSERT INTO %s SELECT %s FROM seq_1_to_%d", t, columns[t], rows[t]))
	}
	return list
}

func statementsOf(text string) (list []string) {
	for s := range strings.SplitSeq(text, ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

func makeMaria(ctx context.Context, b *bench) error {
	if err := b.source.mariaExec(ctx, sourceDatabase, statementsOf(mariaTables)...); err != nil {
		return err
	}
	if err := mariaOnTwo(ctx, b.source, sourceDatabase, mariaFills(b.gb)); err != nil {
		return err
	}
	return mariaStages(ctx, b.source, sourceDatabase)
}

// mariaStages makes indexes, keys and statistics, on as many connections as there are.
func mariaStages(ctx context.Context, s server, database string) error {
	for stage := range strings.SplitSeq(mariaKeysSQL, "\n\n") {
		var statements []string
		for line := range strings.Lines(stage) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
				statements = append(statements, line)
			}
		}
		if err := mariaOnTwo(ctx, s, database, statements); err != nil {
			return err
		}
	}
	return nil
}

func mariaKeys(ctx context.Context, target server) error {
	return mariaStages(ctx, target, targetDatabase)
}

func mariaOnTwo(ctx context.Context, s server, database string, statements []string) error {
	next := make(chan string, len(statements))
	for _, s := range statements {
		next <- s
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for range min(connections, len(statements)) {
		g.Go(func() error {
			for sql := range next {
				if err := s.mariaExec(ctx, database, "SET SESSION foreign_key_checks = 0", sql); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// mariaPipe copies the tables unmasked: a scan piped into LOAD DATA, each table whole and in
// the order of its primary key, the longest first, on as many connections as the others.
func mariaPipe(ctx context.Context, source, target string) error {
	open := func(dsn string) (driver.Conn, error) {
		c, err := mysql.ParseDSN(dsn)
		if err != nil {
			return nil, err
		}
		made, err := mysql.NewConnector(c)
		if err != nil {
			return nil, err
		}
		return made.Connect(ctx)
	}
	first, err := open(target)
	if err != nil {
		return err
	}
	for _, sql := range statementsOf(mariaTables) {
		if _, err := first.(driver.ExecerContext).ExecContext(ctx, sql, nil); err != nil {
			return err
		}
	}
	first.Close()
	next := make(chan string, len(tables))
	for _, t := range tables {
		next <- t
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for range connections {
		g.Go(func() error {
			from, err := open(source)
			if err != nil {
				return err
			}
			defer from.Close()
			to, err := open(target)
			if err != nil {
				return err
			}
			defer to.Close()
			for t := range next {
				if err := mariaPipeTable(ctx, from, to, t); err != nil {
					return fmt.Errorf("copy %s: %w", t, err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func mariaPipeTable(ctx context.Context, from, to driver.Conn, table string) error {
	r, w := io.Pipe()
	mysql.RegisterReaderHandler(table, func() io.Reader { return r })
	defer mysql.DeregisterReaderHandler(table)
	var wg sync.WaitGroup
	wg.Go(func() {
		buffered := bufio.NewWriterSize(w, 256<<10)
		err := mariaScan(ctx, from, table, buffered)
		if err == nil {
			err = buffered.Flush()
		}
		w.CloseWithError(err)
	})
	exec := func(sql string) error {
		_, err := to.(driver.ExecerContext).ExecContext(ctx, sql, nil)
		return err
	}
	err := exec("SET foreign_key_checks = 0")
	if err == nil {
		err = exec("LOAD DATA LOCAL INFILE 'Reader::" + table + "' INTO TABLE " + table + " CHARACTER SET binary")
	}
	r.CloseWithError(errors.Join(err, io.ErrClosedPipe))
	wg.Wait()
	return err
}

// mariaScan writes a table as LOAD DATA reads it.
func mariaScan(ctx context.Context, from driver.Conn, table string, w *bufio.Writer) error {
	rows, err := from.(driver.QueryerContext).QueryContext(ctx, "SELECT * FROM "+table+" FORCE INDEX (PRIMARY)", nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	values := make([]driver.Value, len(rows.Columns()))
	var line []byte
	for {
		if err := rows.Next(values); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		line = line[:0]
		for i, v := range values {
			if i > 0 {
				line = append(line, '\t')
			}
			switch v := v.(type) {
			case nil:
				line = append(line, `\N`...)
			case int64:
				line = strconv.AppendInt(line, v, 10)
			case []byte:
				for _, b := range v {
					switch b {
					case '\t', '\n', '\\':
						line = append(line, '\\')
					}
					line = append(line, b)
				}
			default:
				return fmt.Errorf("a column of %T", v)
			}
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
}

func (b *bench) mariaContenders(key, sanitize, self string) ([]contender, error) {
	jobs := strconv.Itoa(connections)
	list := []contender{{name: rawPipe, note: "unmasked; a scan piped into LOAD DATA, each table whole; then indexes, keys without a check, ANALYZE", create: true, steps: []step{
		{name: "copy", args: []string{self, "maria", "pipe", "copy"}},
		{name: "keys", args: []string{self, "maria", "pipe", "keys"}},
	}}}
	program := func(names ...string) string {
		for _, n := range names {
			if path, err := exec.LookPath(n); err == nil {
				return path
			}
		}
		return ""
	}
	if dump, client := program("mariadb-dump", "mysqldump"), program("mariadb", "mysql"); dump != "" && client != "" {
		pipe := fmt.Sprintf("set -e; '%s' -h 127.0.0.1 -P %s -u root --single-transaction --quick %s | '%s' -h 127.0.0.1 -P %s -u root --max-allowed-packet=64M %s",
			dump, b.source.port, sourceDatabase, client, b.target.port, targetDatabase)
		list = append(list, contender{name: mysqlDump, note: "unmasked; `--single-transaction --quick`; no ANALYZE", create: true, steps: []step{{name: "pipe", args: []string{"/bin/bash", "-o", "pipefail", "-c", pipe}}}})
	}
	if dumper, loader := program("mydumper"), program("myloader"); dumper != "" && loader != "" {
		dir := filepath.Join(b.work, "dump")
		options, err := b.file("mydumper.cnf", "[client]\npassword="+os.Getenv("MYSQL_PWD")+"\n")
		if err != nil {
			return nil, err
		}
		list = append(list, contender{name: myDumper, note: "unmasked; `-t 2`, rows in files of 500,000; no ANALYZE", create: true, steps: []step{
			{name: "dump", args: []string{dumper, "--defaults-file", options, "-h", "127.0.0.1", "-P", b.source.port, "-u", "root", "-t", jobs, "-r", "500000", "-B", sourceDatabase, "-o", dir}},
			{name: "load", args: []string{loader, "--defaults-file", options, "-h", "127.0.0.1", "-P", b.target.port, "-u", "root", "-t", jobs, "-s", sourceDatabase, "-B", targetDatabase, "-d", dir}},
		}})
	}
	for _, o := range []struct{ name, policy, file string }{{ours3, mask3, "mask3.yaml"}, {ours12, mask12, "mask12.yaml"}} {
		policy, err := b.file(o.file, o.policy)
		if err != nil {
			return nil, err
		}
		list = append(list, contender{name: o.name, note: "verified; with ANALYZE", ours: true, steps: []step{
			{name: "run", args: []string{sanitize, "run", "--policy", policy, "--workers", jobs, "--quiet", "--json",
				"--from", "mysql://root@127.0.0.1:" + b.source.port + "/" + sourceDatabase, "--to", "mysql://root@127.0.0.1:" + b.target.port + "/" + targetDatabase}, env: []string{"PEERS_KEY=" + key}},
		}})
	}
	return list, nil
}
