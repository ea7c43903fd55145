package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/masking"
)

func newKeys(u *ui) *cobra.Command {
	cmd := command{
		use:   "keys COMMAND",
		short: "make and check key files",
		long: `A key file holds the 256 bits from which every pseudonym is made. Whoever has it
can undo what can be undone, and guess the rest: keep it as you keep production's
passwords. The same key gives the same pseudonyms tonight as last night.`,
		example: "  sanitize keys new discovery.key\n  sanitize keys check discovery.key",
		exits:   []int{exitDone, exitFailed, exitUsage, exitPolicy},
		run: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, "a command is missing: new, check or new-signing")
		},
	}.build(u)
	cmd.AddCommand(newKeysNew(u), newKeysCheck(u), newKeysNewSigning(u))
	return cmd
}

func newKeysNew(u *ui) *cobra.Command {
	return command{
		use:   "new FILE",
		short: "write a fresh key to a file",
		long: `New writes a fresh random key to a file that only its owner can read (mode 0600),
and prints the key's check value to standard error. It never overwrites a file.`,
		example: "  sanitize keys new discovery.key",
		exits:   []int{exitDone, exitFailed, exitUsage},
		args:    []string{"FILE"},
		run: func(_ *cobra.Command, args []string) error {
			key := masking.NewKey()
			if err := writeNew(args[0], key.Marshal()); err != nil {
				return err
			}
			u.Say("wrote %s, check value %s", args[0], key.Check())
			return nil
		},
	}.build(u)
}

// writeNew writes a file that must not exist yet, readable by its owner only,
// and makes it durable: a key that is lost after its first run takes last
// night's pseudonyms with it.
func writeNew(path string, content []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return &usageError{reason: fmt.Sprintf("%s exists, and is not overwritten", path), help: "choose another name"}
	case err != nil:
		return fmt.Errorf("create key file: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(path) // half a key is of no use
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	defer dir.Close()
	if err = dir.Sync(); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}

func newKeysCheck(u *ui) *cobra.Command {
	var asJSON bool
	cmd := command{
		use:   "check FILE [--json]",
		short: "say whether a key file can be used, and print its check value",
		long: `Check reads a key file as a run would: it must be readable by its owner only and
undamaged. The check value tells keys apart and gives nothing of the key away.`,
		example: "  sanitize keys check discovery.key",
		exits:   []int{exitDone, exitFailed, exitUsage, exitPolicy},
		args:    []string{"FILE"},
		run: func(_ *cobra.Command, args []string) error {
			key, err := masking.LoadKey(args[0])
			if err != nil {
				return &policyError{err}
			}
			if asJSON {
				return u.JSON(struct {
					File  string `json:"file"`
					Check string `json:"check"`
				}{args[0], key.Check()})
			}
			return u.Data(key.Check() + "\n")
		},
	}.build(u)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
