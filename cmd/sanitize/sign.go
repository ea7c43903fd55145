package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/policies"
)

func newSign(u *ui) *cobra.Command {
	var key, out string
	cmd := command{
		use:   "sign FILE --key KEY [--out FILE.sig]",
		short: "sign a policy or a lock",
		long: `Sign writes a detached signature over the exact bytes of a policy or a lock: a
DSSE envelope with an ed25519 signature. If the signature file is there already,
the signature is added to those of other signers; signatures of other bytes are
not added to. A lock is signed only if it says what the policy beside it decides.
KEY is a private ed25519 key in PEM (PKCS #8) that only its owner can read, as
sanitize keys new-signing or openssl genpkey -algorithm ed25519 makes it.

With a key of OpenSSH, in an agent or on a token as well, sign by
ssh-keygen -Y sign -n sanitize -f KEY FILE: verify-signature takes both.`,
		example: `  sanitize keys new-signing dpo.pem --name dpo@shop.example >> allowed-signers
  sanitize sign shop.yaml --key dpo.pem`,
		exits: []int{exitDone, exitFailed, exitUsage, exitPolicy, exitDrift},
		args:  []string{"FILE"},
		run: func(cmd *cobra.Command, args []string) error {
			if key == "" {
				return usage(cmd, "--key is missing")
			}
			if out == "" {
				out = args[0] + ".sig"
			}
			content, err := readPolicyFile(args[0])
			if err != nil {
				return err
			}
			// What does not even parse is nothing to put a name under, nor is a lock that
			// says what its policy does not.
			if policies.IsLock(content) {
				err = checkBeside(u, args[0], content, true)
			} else {
				_, err = policies.Parse(args[0], content)
			}
			if err != nil {
				return err
			}
			private, err := policies.LoadSigningKey(key)
			if err != nil {
				return &policyError{err}
			}
			former, err := os.ReadFile(out)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("read the signatures so far: %w", err)
			}
			envelope, err := policies.Sign(content, private, former)
			if err != nil {
				return &policyError{fmt.Errorf("%s: %w", out, err)}
			}
			if err := writeWhole(out, envelope, 0o644); err != nil {
				return err
			}
			u.Say("signed %s, signature in %s", args[0], out)
			return nil
		},
	}.build(u)
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&key, "key", "", "`FILE` with the private key")
	cmd.Flags().StringVar(&out, "out", "", "`FILE` of the signature (default: FILE.sig)")
	return cmd
}

func newKeysNewSigning(u *ui) *cobra.Command {
	var name string
	cmd := command{
		use:   "new-signing FILE --name NAME",
		short: "write a fresh key for signatures to a file",
		long: `New-signing writes a fresh private ed25519 key, in PEM, to a file that only its
owner can read (mode 0600), and prints the line of its public half for the file
of allowed signers. NAME is who signs, a mail address for example. It never
overwrites a file.`,
		example: "  sanitize keys new-signing dpo.pem --name dpo@shop.example >> allowed-signers",
		exits:   []int{exitDone, exitFailed, exitUsage},
		args:    []string{"FILE"},
		run: func(cmd *cobra.Command, args []string) error {
			if name == "" {
				return usage(cmd, "--name is missing")
			}
			private, public, err := policies.NewSigningKey(name)
			if err != nil {
				var e *policies.SignatureError
				if errors.As(err, &e) {
					return &usageError{reason: e.Reason, help: e.Help}
				}
				return err
			}
			if err := writeNew(args[0], private); err != nil {
				return err
			}
			u.Say("wrote %s", args[0])
			return u.Data(string(public))
		},
	}.build(u)
	cmd.Flags().StringVar(&name, "name", "", "`NAME` of who signs")
	return cmd
}

// readAll reads a regular file of at most so many bytes, and one more if there are more. A
// pipe that nobody writes to would block, and a device has no end.
func readAll(path string, most int64) ([]byte, error) {
	if err := regular(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read-only: what it says adds nothing
	return io.ReadAll(io.LimitReader(f, most+1))
}

// regular complains of what is no file with an end, before an open could block.
func regular(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	return err
}
