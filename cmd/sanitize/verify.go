package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// signatureOptions are the flags of whatever asks for signatures.
type signatureOptions struct {
	allowed   string
	signature string
	threshold int
}

func (o *signatureOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.allowed, "allowed", "", "`FILE` with the public keys of those who may sign")
	flags.StringVar(&o.signature, "signature", "", "`FILE` with the signatures (default: beside what is signed, with .sig)")
	flags.IntVar(&o.threshold, "threshold", 1, "`N` different signers who have to have signed")
}

func (o *signatureOptions) check(cmd *cobra.Command) error {
	switch {
	case o.allowed == "":
		return usage(cmd, "--allowed is missing: the file with the public keys of those who may sign")
	case o.threshold < 1:
		return usage(cmd, "--threshold must be at least 1")
	}
	return nil
}

// signers checks the signatures of a file; path is where they stand. Whether they are
// enough is said by the error.
func (o *signatureOptions) signers(content []byte, path string) ([]policies.Signer, error) {
	text, err := readAll(o.allowed, 4<<20)
	if err != nil {
		return nil, &policyError{fmt.Errorf("allowed signers: %w", err)}
	}
	allowed, err := policies.ParseAllowedSigners(o.allowed, text)
	if err != nil {
		return nil, &policyError{err}
	}
	signature, err := readAll(path, mostPolicyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &policyError{&policies.SignatureError{Reason: fmt.Sprintf("there is no signature: %s does not exist", path),
			Help: "have it signed with: sanitize sign FILE --key KEY"}}
	}
	if err != nil {
		return nil, &policyError{fmt.Errorf("signature: %w", err)}
	}
	signers, err := policies.Signatures(content, signature, allowed)
	if err != nil {
		return nil, &policyError{fmt.Errorf("%s: %w", path, err)}
	}
	if err := policies.Approve(signers, o.threshold); err != nil {
		return signers, &policyError{fmt.Errorf("%s: %w", path, err)}
	}
	return signers, nil
}

// require complains unless the policy, or the lock that was made of its very bytes,
// carries the signatures that are asked for; with lockItself the lock has to. It reads the policy anew, and refuses one
// that has changed since it was read.
func (o *signatureOptions) require(p *policies.Policy, lockPath string, lockText []byte, lockItself bool) ([]policies.Signer, error) {
	content, err := readPolicyFile(p.File)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != p.Digest {
		return nil, &policyError{fmt.Errorf("policy %s has changed while it was read", p.File)}
	}
	if lockItself {
		// A signature of the policy alone would let anybody make the lock anew.
		return o.signers(lockText, cmp.Or(o.signature, lockPath+".sig"))
	}
	path := cmp.Or(o.signature, p.File+".sig")
	signers, err := o.signers(content, path)
	if err == nil || lockText == nil {
		return signers, err
	}
	if o.signature == "" {
		path = lockPath + ".sig"
		if _, missing := os.Lstat(path); missing != nil {
			return signers, err // it is the policy that people sign first
		}
	}
	return o.signers(lockText, path)
}

// verifyReport is what `sanitize verify-signature --json` prints.
type verifyReport struct {
	File      string            `json:"file"`
	SHA256    string            `json:"sha256"`
	Type      string            `json:"type"`
	Threshold int               `json:"threshold"`
	Verified  bool              `json:"verified"`
	Signers   []policies.Signer `json:"signers"`
}

func newVerifySignature(u *ui) *cobra.Command {
	var (
		o      signatureOptions
		asJSON bool
	)
	cmd := command{
		use:   "verify-signature FILE --allowed FILE [--signature FILE.sig] [--threshold N]",
		short: "check the signatures of a policy or a lock",
		long: `Verify-signature checks the signatures beside a policy or a lock: over its exact
bytes, by keys that the file of allowed signers names. It takes DSSE envelopes
that sanitize sign makes, and what ssh-keygen -Y sign -n sanitize writes, several
of those one after the other. Two signatures of one signer count once. A lock
also has to say what the policy beside it decides, if that is still the lock's.

A line of the allowed signers is NAME ssh-ed25519 AAAA…, as ssh-keygen has it; a
public key in PEM may stand there too, with the name in a comment above.`,
		example: `  sanitize verify-signature shop.yaml --allowed allowed-signers --threshold 2`,
		exits:   []int{exitDone, exitFailed, exitUsage, exitPolicy, exitDrift},
		args:    []string{"FILE"},
		run: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			content, err := readPolicyFile(args[0])
			if err != nil {
				return err
			}
			path := o.signature
			if path == "" {
				path = args[0] + ".sig"
			}
			signers, err := o.signers(content, path)
			if signers == nil {
				return err
			}
			if err == nil && policies.IsLock(content) {
				err = checkBeside(u, args[0], content, false)
			}
			if asJSON {
				sum := sha256.Sum256(content)
				return cmp.Or(err, u.JSON(verifyReport{args[0], hex.EncodeToString(sum[:]), policies.PayloadType(content), o.threshold, err == nil, signers}))
			}
			var t table
			for _, s := range report.InertCopy(signers) {
				if s.Valid {
					t.Row(paint(u.colorOut, "valid", green), s.Name, s.Key, s.Format)
				} else {
					t.Row(paint(u.colorOut, "refused", red), s.Name, s.Key, s.Format, s.Reason)
				}
			}
			if derr := u.Data(printable(t.String())); derr != nil {
				return derr
			}
			return err
		},
	}.build(u)
	cmd.Flags().SortFlags = false
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
