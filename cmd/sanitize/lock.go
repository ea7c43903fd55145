package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies"
)

func newLock(u *ui) *cobra.Command {
	var (
		o       sourceOptions
		out     string
		withKey bool
	)
	cmd := command{
		use:   "lock POLICY --from SOURCE [--with-key] [--out FILE]\nlock POLICY --catalog FILE [--with-key] [--out FILE]",
		short: "write down what the policy decides about each column of a catalog",
		long: `Lock compiles the policy against a catalog and writes a lock file to standard
output: what happens to each column, the digests of the policy and its bases,
the catalog's fingerprint and what drift is measured by, the versions of the
transforms and the hashes of dictionaries and pools. It reads no rows; the same
policy, catalog and program give the same bytes. Texts of the database that may
quote data (views, functions, jobs, defaults, comments) are in it as digests, and
the labels of enums as they are.

A lock that stands beside its policy, shop.lock beside shop.yaml, is obeyed by
every run: a policy or a database that is not the one of the lock is refused.
If the key's file is at hand its check value is written down, and nothing else of
it. A command that the policy names for its key is run only with --with-key, which
also insists on the key.`,
		example: `  sanitize lock shop.yaml --from postgres://reader@prod/shop --out shop.lock
  sanitize lock shop.yaml --catalog shop.catalog.json > shop.lock`,
		exits: catalogExits(exitDrift),
		args:  []string{"POLICY"},
		run: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			p, err := readPolicy(args[0])
			if err != nil {
				return err
			}
			c, err := o.catalog(cmd, u)
			if err != nil {
				return err
			}
			var key *masking.Key // a lock is made where the key is not, as well
			switch {
			case withKey:
				if key, err = policyKey(p); err != nil {
					return err
				}
			case strings.HasPrefix(p.Keys[0].From, "exec:"):
				// Whoever looks at the policy of another has not agreed to run it.
				u.Say("the key's command is not run: the lock tells nothing of the key (--with-key runs it)")
			default:
				if key, err = p.Key(); err != nil {
					key = nil
					u.Say("the key is not at hand: the lock tells nothing of it")
				}
			}
			l, err := policies.MakeLock(p, c, key, masking.Standard(), currentVersion().Version)
			if err != nil {
				return err
			}
			if out == "" {
				return u.Data(string(l.Marshal()))
			}
			if err := writeWhole(out, l.Marshal(), 0o644); err != nil {
				return err
			}
			u.Say("wrote %s", out)
			return nil
		},
	}.build(u)
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&withKey, "with-key", false, "insist on the key, and run the command that the policy names for it")
	cmd.Flags().StringVar(&out, "out", "", "`FILE` to write (default: standard output)")
	return cmd
}

// writeWhole writes a file aside and renames it, so that nobody sees half of it.
func writeWhole(path string, content []byte, mode os.FileMode) error {
	f, err := newAside(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.write(content, mode)
}

// aside is a file beside the place where it will stand.
type aside struct {
	path string
	file *os.File
}

// newAside makes one, empty. The caller writes or removes it.
func newAside(path string) (*aside, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	return &aside{path, f}, nil
}

// write writes the file and puts it in its place, once. If it fails nothing is left of it.
func (a *aside) write(content []byte, mode os.FileMode) (err error) {
	defer func() {
		if err != nil {
			os.Remove(a.file.Name())
			err = fmt.Errorf("write %s: %w", a.path, err)
		}
	}()
	_, err = a.file.Write(content)
	if err == nil {
		err = a.file.Chmod(mode)
	}
	if err == nil {
		err = a.file.Sync()
	}
	if cerr := a.file.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(a.file.Name(), a.path)
	}
	return err
}

// remove removes a file that was not written. There is nobody whom its errors would help.
func (a *aside) remove() {
	a.file.Close()
	os.Remove(a.file.Name())
}

// besidePolicy is where the lock of a policy stands if nobody says otherwise:
// shop.lock beside shop.yaml.
func besidePolicy(policy string) string {
	return strings.TrimSuffix(policy, filepath.Ext(policy)) + ".lock"
}

// findLock is the lock beside a policy, or beside what a symbolic link to it stands for:
// another name is no way around a lock. It is empty if there is none.
func findLock(policy string) string {
	files := []string{policy}
	if target, err := filepath.EvalSymlinks(policy); err == nil {
		files = append(files, target)
	}
	for _, file := range files {
		path := besidePolicy(file)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}

// loadLock reads the lock of a run: the file that was named, or the one beside the
// policy, if there is one. Without either it returns nil. The lock is of the policy's
// very bytes and says what they decide, or an error says so.
func loadLock(named string, p *policies.Policy) (lock *policies.Lock, path string, text []byte, err error) {
	path = named
	if named == "" {
		if path = findLock(p.File); path == "" {
			return nil, "", nil, nil
		}
	}
	if text, err = readPolicyFile(path); err != nil {
		return nil, "", nil, err
	}
	if lock, err = policies.ParseLock(path, text); err != nil {
		return nil, "", nil, err
	}
	return lock, path, text, lock.CheckDecisions(p, masking.Standard())
}

// checkBeside complains if a lock does not say what the policy decides that it names,
// where that one stands beside it. Where it does not, it warns: people see no more than
// what the lock tells. To sign a lock, the policy has to be the lock's, and the program's
// transforms too; a signature may be older than the policy.
func checkBeside(u *ui, path string, text []byte, toSign bool) error {
	lock, err := policies.ParseLock(path, text)
	if err != nil {
		return err
	}
	name := lock.Policy.File
	if name == "" || filepath.Base(name) != name {
		return &policyError{fmt.Errorf("%s names no policy", path)}
	}
	file := filepath.Join(filepath.Dir(path), name)
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		u.Warn(fmt.Sprintf("%s is not beside the lock: whether the lock says what it decides was not checked", file))
		return nil
	}
	p, err := readPolicy(file)
	if err != nil {
		return err
	}
	if err := lock.CheckPolicy(p); err != nil && !toSign {
		u.Warn(fmt.Sprintf("%s has changed since the lock was made: whether the lock says what it decided was not checked", file))
		return nil
	}
	if err := lock.CheckDecisions(p, masking.Standard()); err != nil || !toSign {
		return err
	}
	return lock.CheckMasking(p, masking.Standard())
}
