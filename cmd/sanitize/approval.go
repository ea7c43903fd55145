package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// approval gathers what an audit may know of the approved revision: the signatures
// beside the policy, if it is told who may sign, and how policy and catalog differ from
// the lock. Without either it is nil.
func (o *auditOptions) approval(p *policies.Policy, e policies.Evidence) (*policies.Approval, error) {
	a := &policies.Approval{Unchecked: o.signatures.allowed == "", Author: o.author}
	if !a.Unchecked {
		signatures, err := o.signed(p)
		if err != nil {
			return nil, err
		}
		a.Signatures = signatures
	}
	lock, path, text, err := o.approvedLock(p)
	if err != nil {
		return nil, err
	}
	if lock == nil {
		if a.Unchecked {
			return nil, nil
		}
		return a, nil
	}
	a.Compared, a.Catalog = path, lock.Catalog.Fingerprint
	before, err := policies.ParseDocument(path, text, e.Catalog)
	if err != nil {
		return nil, err
	}
	c := e.Catalog
	if c == nil {
		c = lock.Catalog.Facts
	} else {
		for _, d := range lock.Drift(p, c) {
			a.Changes = append(a.Changes, catalog.Change{At: d.At, What: d.What})
		}
	}
	for _, d := range policies.Diff(before, policies.Resolve(p, c), e.Today).All {
		if d.Waived == nil {
			a.Weakened = append(a.Weakened, report.Change{At: d.At, Strength: d.Strength.String(), Words: d.What})
		}
	}
	return a, nil
}

// approvedLock reads the lock that was named, or the one beside the policy. Unlike a
// run's it may be of another revision: the audit says how they differ.
func (o *auditOptions) approvedLock(p *policies.Policy) (*policies.Lock, string, []byte, error) {
	path := o.lock
	if path == "" {
		if path = findLock(p.File); path == "" {
			return nil, "", nil, nil
		}
	}
	text, err := readPolicyFile(path)
	if err != nil {
		return nil, "", nil, err
	}
	lock, err := policies.ParseLock(path, text)
	if err == nil && lock.Policy.Digest == p.Digest {
		// What a forged lock says must not be taken for the approved revision.
		err = lock.CheckDecisions(p, masking.Standard())
	}
	return lock, path, text, err
}

// signed returns the signatures beside the policy, each with whether it holds. That
// there are none is for the rules to say.
func (o *auditOptions) signed(p *policies.Policy) ([]report.Signature, error) {
	content, err := readPolicyFile(p.File)
	if err != nil {
		return nil, err
	}
	path := o.signatures.signature
	if path == "" {
		path = p.File + ".sig"
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	signers, err := o.signatures.signers(content, path)
	if signers == nil && err != nil {
		return nil, err
	}
	var all []report.Signature
	for _, s := range signers {
		all = append(all, report.Signature{By: cmp.Or(s.Name, s.Key), Kind: strings.ToUpper(s.Format), Valid: s.Valid, Note: s.Reason})
	}
	return all, nil
}
