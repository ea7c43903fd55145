package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
)

// mark is the application id (https://www.sqlite.org/fileformat2.html, 1.3.13)
// of every file that we have built: "SNZ1".
const mark = 0x534E5A31

// buildingName is the file in which a run builds.
func buildingName(target, run string) string { return target + ".building-" + run }

// companions are the files that SQLite keeps beside a database.
var companions = []string{"-journal", "-wal", "-shm"}

// resolve returns the file that a path means, which need not exist, through
// all symbolic links: renaming over a link would replace the link.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		folder, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", plain(err)
		}
		return filepath.Join(folder, filepath.Base(path)), nil
	}
	if err != nil {
		return "", plain(err)
	}
	return real, nil
}

// identity names a file by device and inode, so that two links to it are one.
func identity(path string) (connectors.Identity, error) {
	real, err := resolve(path)
	if err != nil {
		return connectors.Identity{}, fmt.Errorf("identify %s: %w", path, err)
	}
	id := connectors.Identity{Server: "sqlite files", Database: real, Display: path}
	if info, err := os.Stat(real); err == nil {
		if unique := fileID(info); unique != "" {
			id.Database = unique
		}
	}
	return id, nil
}

// checkFolder fails unless files can be made beside the target.
func checkFolder(path string) error {
	folder := filepath.Dir(path)
	op := "open " + path
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		err = errors.New(folder + " is no folder")
	}
	if err != nil {
		return &connectors.Error{
			Kind: connectors.KindUnavailable, Side: connectors.SinkSide, Op: op, Err: fmt.Errorf("folder %s: %w", folder, plain(err)),
			Hint: "make the folder first: mkdir -p " + folder,
		}
	}
	return nil
}

// unwritable is the error of a folder in which nothing can be made.
func unwritable(op, path string, err error) error {
	return &connectors.Error{
		Kind: connectors.KindUnavailable, Side: connectors.SinkSide, Op: op, Err: plain(err),
		Hint: "this account has to be able to make files in " + filepath.Dir(path),
	}
}

// checkTarget fails with KindGuard unless the target is free or ours.
func checkTarget(ctx context.Context, path string) error {
	op := "build " + path
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unwritable(op, path, err)
	}
	guard := &connectors.Error{
		Kind: connectors.KindGuard, Side: connectors.SinkSide, Op: op,
		Hint: "name a target that does not exist, or move this file away",
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		guard.Err = errors.New("the target exists and is not a database that a run has built")
		return guard
	}
	// By SQLite, not by reading the file: closing a file of its own would drop
	// the locks of every session that this process has on it.
	s, err := open(ctx, path, readOnly, connectors.SinkSide, "busy_timeout = 5000")
	if err != nil {
		return err
	}
	defer s.close()
	id, err := s.number(ctx, "PRAGMA application_id")
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	if err != nil {
		guard.Err = fmt.Errorf("the target exists and cannot be read as a database that a run has built: %w", err)
		return guard
	}
	if id != mark {
		guard.Err = errors.New("the target exists and does not carry our mark")
		return guard
	}
	return nil
}

// makeFile makes an empty file that nobody but its owner may read: SQLite by itself would
// let all read what the umask does not keep from them. What SQLite makes beside a database
// has the mode of the database.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// removeFile removes a database file with its companions.
func removeFile(path string) error {
	var errs []error
	for _, suffix := range append([]string{""}, companions...) {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// removeLeftovers removes the builds of killed runs. The caller holds the target.
func removeLeftovers(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	prefix := buildingName(filepath.Base(path), "")
	for _, e := range entries {
		run, is := strings.CutPrefix(e.Name(), prefix)
		for _, suffix := range companions {
			run = strings.TrimSuffix(run, suffix)
		}
		if is && !e.IsDir() && validRun(run) {
			if err := os.Remove(filepath.Join(filepath.Dir(path), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// validRun reports whether a run's id is one: it becomes part of a file name.
func validRun(run string) bool {
	if run == "" || len(run) > 16 {
		return false
	}
	return !slices.ContainsFunc([]byte(run), func(c byte) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
}

// promote renames a finished build over the target: file to disk, rename,
// folder to disk.
//
// While it does, no session may write to the former file: a journal that a
// writer leaves would be applied to the new one. So the former is locked as for
// writing, with its WAL brought in and gone, before its name goes. Readers read
// on in the former file.
func promote(ctx context.Context, build, target string) error {
	op := "promote " + target
	if err := syncFile(build); err != nil {
		return sinkError(connectors.KindOther, op, plain(err))
	}
	info, err := os.Stat(target)
	if errors.Is(err, fs.ErrNotExist) {
		// What stands beside a file that is gone would be taken for the new one's.
		for _, suffix := range companions {
			if err := os.Remove(target + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return sinkError(connectors.KindOther, op, plain(err))
			}
		}
		return replace(op, build, target)
	}
	if err != nil {
		return sinkError(connectors.KindOther, op, plain(err))
	}
	if err := os.Chmod(build, info.Mode().Perm()); err != nil {
		return sinkError(connectors.KindOther, op, plain(err))
	}
	former, err := open(ctx, target, readWrite, connectors.SinkSide, "busy_timeout = 5000")
	if err != nil {
		return err
	}
	defer former.close()
	if err := former.lockForGood(ctx, target); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		former.close() // there, a file that is open keeps its name
	}
	return replace(op, build, target)
}

// lockForGood takes a file from every other writer, in rollback-journal mode: a
// file in WAL mode is turned into it, which needs that nobody else has it open.
func (s *session) lockForGood(ctx context.Context, path string) error {
	journal, err := s.word(ctx, "PRAGMA journal_mode = DELETE")
	if err == nil && journal != "delete" {
		err = errors.New("another program has the file open in WAL mode")
	}
	if err == nil {
		err = s.exec(ctx, "BEGIN IMMEDIATE")
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("promote %s: %w", path, ctx.Err())
	}
	return &connectors.Error{
		Kind: connectors.KindBusy, Side: connectors.SinkSide, Op: "promote " + path, Err: err,
		Hint: "close the programs that read or write the former copy, and start again",
	}
}

// replace puts build in the place of target, in one step.
func replace(op, build, target string) error {
	if err := os.Rename(build, target); err != nil {
		return sinkError(connectors.KindOther, op, plain(err))
	}
	// The rename has been done: what follows makes it survive a power cut.
	if err := syncFolder(filepath.Dir(target)); err != nil {
		return sinkError(connectors.KindOther, op+": sync its folder", plain(err))
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
