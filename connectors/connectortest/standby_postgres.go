package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby starts a streaming standby of a server that was started from binaries, and
// returns it when it has all that the server has now. It ends with the test. Made by
// hand, since not every folder of binaries has pg_basebackup: the files are copied
// between the two calls that make an online backup of them (chapter 25.3 of the manual).
func (s *PostgresServer) Standby(tb testing.TB) *PostgresServer {
	tb.Helper()
	if s.data == "" {
		tb.Fatal("connectortest: a standby needs a server that was started here, from binaries")
	}
	standby, err := s.standby()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := standby.Close(); err != nil {
			tb.Error(err)
		}
	})
	at := s.Value(tb, s.DSN("postgres"), "SELECT pg_current_wal_lsn()")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if standby.Value(tb, standby.DSN("postgres"), "SELECT pg_last_wal_replay_lsn() >= '"+at+"'") == "t" {
			return standby
		}
		if time.Now().After(deadline) {
			tb.Fatal("connectortest: the standby does not catch up")
		}
	}
}

func (s *PostgresServer) standby() (_ *PostgresServer, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	start, stop := "SELECT pg_backup_start('standby', true)", "SELECT labelfile FROM pg_backup_stop(false)"
	var version int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return nil, err
	}
	if version < 150000 {
		start, stop = "SELECT pg_start_backup('standby', true, false)", "SELECT labelfile FROM pg_stop_backup(false, false)"
	}
	account, err := serverAccount("postgres", "nobody")
	if err != nil {
		return nil, err
	}
	dir, err := serverFolder("sanitize-standby-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	data := filepath.Join(dir, "data")
	if _, err := conn.Exec(ctx, start); err != nil {
		return nil, err
	}
	if err := copyCluster(data, s.data); err != nil {
		return nil, err
	}
	var label string
	if err := conn.QueryRow(ctx, stop).Scan(&label); err != nil {
		return nil, err
	}
	password, _ := s.base.User.Password()
	settings := fmt.Sprintf("primary_conninfo = 'host=%s port=%s user=%s password=%s'\nhot_standby = on\nallow_in_place_tablespaces = on\n", s.base.Hostname(), s.base.Port(), s.base.User.Username(), password)
	for name, text := range map[string]string{"backup_label": label, "standby.signal": "", "postgresql.auto.conf": settings} {
		if err := os.WriteFile(filepath.Join(data, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	if account != nil {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, int(account.Uid), int(account.Gid)))
		})
		if err != nil {
			return nil, err
		}
	}
	return runPostgres(s.bin, dir, data, account)
}

// copyCluster copies a data folder that is in use, without what belongs to the
// running server and without the log, which the standby fetches. What vanishes
// meanwhile the log knows of.
func copyCluster(to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		top, _, _ := strings.Cut(rel, string(filepath.Separator))
		if !entry.Type().IsRegular() || top == "pg_wal" || top == "pg_replslot" || strings.HasPrefix(rel, "postmaster.") {
			return nil
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
}
