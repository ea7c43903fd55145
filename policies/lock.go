package policies

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// lockVersion is the version of the format of lock files.
const lockVersion = 1

// maxLock bounds a lock file, in bytes.
const maxLock = 256 << 20

// Lock is a policy that has met a catalog, written down: what happens to each column,
// under which policy, catalog and transforms. Equal policies, catalogs and programs
// give equal bytes: it holds no time, no path, no row, and nothing of a key but its
// check value. Texts of the catalog that may quote data (CHECK constraints, indexes,
// triggers, defaults, views, functions, jobs, comments) are there as digests. The labels
// of enums are there as they are: what a transform makes has to be one of them, so that
// without them nobody could check a lock against its policy (see CheckDecisions).
type Lock struct {
	Format  int            `json:"sanitize_lock"` // 1
	Tool    string         `json:"tool"`          // the version of the program that wrote it
	Policy  LockedPolicy   `json:"policy"`
	Header  Header         `json:"header,omitzero"`
	Default LockedDefaults `json:"defaults"`
	Keys    []lockedKey    `json:"keys"`
	// KeyCheck is the check value of the key, if the key was at hand and is not ephemeral.
	KeyCheck     string              `json:"key_check,omitempty"`
	Classes      []lockedClass       `json:"classes"`
	Links        []lockedLink        `json:"links,omitempty"`
	Risk         []lockedRisk        `json:"risk,omitempty"`
	Edges        *lockedEdges        `json:"edge_cases,omitempty"`
	Environments *lockedEnvironments `json:"environments,omitempty"`
	Waivers      []lockedWaiver      `json:"waivers,omitempty"`
	Tables       []LockedTable       `json:"tables"`
	Masking      LockedMasking       `json:"masking"`
	Catalog      LockedCatalog       `json:"catalog"`
}

// LockedPolicy names the policy file that a lock was made of, and its bases.
type LockedPolicy struct {
	File    string   `json:"file"`   // without its folder
	Digest  string   `json:"digest"` // SHA-256 of the exact bytes, in hex
	Extends []Extend `json:"extends,omitempty"`
}

// LockedDefaults is Defaults in a lock.
type LockedDefaults struct {
	UnlistedColumn string `json:"unlisted_column"`
	UnlistedTable  string `json:"unlisted_table"`
	SchemaDrift    string `json:"schema_drift"`
	Line           int    `json:"line,omitempty"`
}

// LockedMasking is what shapes the output beside policy, key and catalog.
type LockedMasking struct {
	Transforms string            `json:"transforms"`       // name and version of each in use
	Pinned     map[string]string `json:"pinned,omitempty"` // by domain and transform: ranges, hashes of dictionaries and pools
}

// LockedCatalog is the catalog that a lock was made for.
type LockedCatalog struct {
	Fingerprint string           `json:"fingerprint"` // of the catalog itself (see catalog.Catalog.Fingerprint)
	Facts       *catalog.Catalog `json:"facts"`       // what drift is measured by
}

// LockedTable is what happens to one table.
type LockedTable struct {
	Table   string         `json:"table"`  // schema.table
	Name    string         `json:"name"`   // as a policy may call it
	Action  string         `json:"action"` // copy, drop, none
	Why     string         `json:"why"`
	Where   string         `json:"where,omitempty"` // file:line
	Rows    *lockedRows    `json:"rows,omitempty"`
	Columns []LockedColumn `json:"columns"`
}

// LockedColumn is what happens to one column.
type LockedColumn struct {
	Column string `json:"column"`
	Type   string `json:"type"`
	Action string `json:"action"` // keep, mask, computed, drop
	Class  string `json:"class,omitempty"`
	Kind   string `json:"kind,omitempty"` // of the class
	Do     string `json:"do,omitempty"`   // canonical spelling
	Domain string `json:"domain,omitempty"`
	Why    string `json:"why"`
	Where  string `json:"where,omitempty"` // file:line
}

type lockedKey struct {
	Name   string `json:"name"`
	From   string `json:"from"` // file, exec or ephemeral, and no more
	Scope  string `json:"scope"`
	Rotate string `json:"rotate,omitempty"`
	Line   int    `json:"line,omitempty"`
}

type lockedClass struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Do   string `json:"do"`
	From string `json:"from,omitempty"` // the base that defines it
	Line int    `json:"line,omitempty"`
}

type lockedLink struct {
	Columns []string `json:"columns"`
	Line    int      `json:"line,omitempty"`
}

type lockedRisk struct {
	RiskRule
	Line int `json:"line,omitempty"`
}

type lockedEdges struct {
	EdgeCases
	Line int `json:"line,omitempty"`
}

type lockedEnvironments struct {
	TTL         string   `json:"ttl,omitempty"` // as 24h0m0s
	MaxTTL      string   `json:"max_ttl,omitempty"`
	MaxPerOwner int      `json:"max_per_owner,omitempty"`
	Hosts       []string `json:"hosts,omitempty"`
	Line        int      `json:"line,omitempty"`
}

type lockedWaiver struct {
	Waiver
	Line int `json:"line,omitempty"`
}

type lockedRows struct {
	Where  string  `json:"where,omitempty"`
	Sample float64 `json:"sample,omitempty"`
	Limit  int64   `json:"limit,omitempty"`
	Line   int     `json:"line,omitempty"`
}

// MakeLock compiles the policy against the catalog and writes down what was decided. key
// may be nil: a lock shows nothing of a key but its check value, which is then left out,
// as it is of an ephemeral key. tool is the program's version. Errors are those of
// Compile.
func MakeLock(p *Policy, c *catalog.Catalog, key *masking.Key, reg *masking.Registry, tool string) (*Lock, error) {
	l := &Lock{Format: lockVersion, Tool: tool, Header: p.Header,
		Policy:  LockedPolicy{File: filepath.Base(p.File), Digest: p.Digest},
		Default: LockedDefaults{p.Defaults.UnlistedColumn, p.Defaults.UnlistedTable, p.Defaults.SchemaDrift, p.Defaults.at.Line},
		Catalog: LockedCatalog{c.Fingerprint(), facts(c)},
	}
	if key == nil {
		key = masking.NewKey() // what is decided does not depend on it
	} else if p.Keys[0].From != "ephemeral" {
		l.KeyCheck = key.Check()
	}
	compiled, err := Compile(p, c, key, reg)
	if err != nil {
		return nil, err
	}
	for _, e := range p.Extends {
		l.Policy.Extends = append(l.Policy.Extends, Extend{Path: e.Path, Digest: e.digest()})
	}
	l.sections(p)
	l.decisions(p, c, compiled)
	for name, value := range compiled.Fingerprint {
		if name == "masking" {
			l.Masking.Transforms = value
		} else if domain, pinned := strings.CutPrefix(name, "pinned "); pinned {
			if l.Masking.Pinned == nil {
				l.Masking.Pinned = map[string]string{}
			}
			l.Masking.Pinned[domain] = value
		}
	}
	return l, nil
}

// digest is all of a base's digest, of which the policy may spell the beginning.
func (e Extend) digest() string {
	if e.Policy != nil {
		return e.Policy.Digest
	}
	return e.Digest
}

// sections writes down what is not about single columns.
func (l *Lock) sections(p *Policy) {
	l.Keys, l.Classes = []lockedKey{}, []lockedClass{}
	for _, k := range p.Keys {
		l.Keys = append(l.Keys, lockedKey{k.Name, k.sort(), k.Scope, k.Rotate, k.At.Line})
	}
	for _, c := range p.Classes {
		from := ""
		if c.From != nil {
			from = filepath.Base(c.From.File)
		}
		l.Classes = append(l.Classes, lockedClass{c.Name, c.Kind, c.Do.String(), from, c.At.Line})
	}
	for _, k := range p.Links {
		link := lockedLink{Line: k.At.Line}
		for _, end := range k.Columns {
			link.Columns = append(link.Columns, end.Name)
		}
		l.Links = append(l.Links, link)
	}
	for _, r := range p.Risk {
		l.Risk = append(l.Risk, lockedRisk{r, r.At.Line})
	}
	if e := p.Edges; e.Keep != nil || e.PerColumn != 0 {
		l.Edges = &lockedEdges{e, e.At.Line}
	}
	if e := p.Limits; e.TTL != 0 || e.MaxTTL != 0 || e.MaxPerOwner != 0 || e.Hosts != nil {
		l.Environments = &lockedEnvironments{durationText(e.TTL), durationText(e.MaxTTL), e.MaxPerOwner, e.Hosts, e.At.Line}
	}
	for _, w := range p.Waivers {
		l.Waivers = append(l.Waivers, lockedWaiver{w, w.At.Line})
	}
}

// sort is where a key comes from, without the place: file, exec or ephemeral.
func (k KeySource) sort() string {
	sort, _, _ := strings.Cut(k.From, ":")
	return sort
}

func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// decisions writes down what happens to each table and column.
func (l *Lock) decisions(p *Policy, c *catalog.Catalog, compiled *Compiled) {
	rows := map[catalog.TableID]*RowsRule{}
	for _, rule := range p.Tables {
		if t, _, _ := findTable(c, rule.Name); t != nil {
			rows[t.ID] = rule.Rows
		}
	}
	l.Tables = []LockedTable{}
	for _, td := range compiled.Tables {
		t := LockedTable{Table: td.Table.String(), Name: c.Display(td.Table), Action: td.Action, Why: td.Why, Where: baseOf(td.Where), Columns: []LockedColumn{}}
		if r := rows[td.Table]; r != nil {
			t.Rows = &lockedRows{r.Where, r.Sample, r.Limit, r.At.Line}
		}
		for _, cd := range td.Columns {
			col := LockedColumn{Column: cd.Column, Type: cd.Type, Action: cd.Action, Class: cd.Class, Do: cd.Do, Domain: cd.Domain, Why: cd.Why, Where: baseOf(cd.Where)}
			if class := p.Class(cd.Class); class != nil {
				col.Kind = class.Kind
			}
			t.Columns = append(t.Columns, col)
		}
		l.Tables = append(l.Tables, t)
	}
}

func baseOf(where string) string {
	if where == "" {
		return ""
	}
	return base(where)
}

// Marshal returns the text of the lock file.
func (l *Lock) Marshal() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		panic("policies: lock: " + err.Error()) // plain data always encodes
	}
	return b.Bytes()
}

// IsLock reports whether text looks like a lock file, whole or broken.
func IsLock(text []byte) bool {
	head := text[:min(len(text), 200)]
	return bytes.HasPrefix(bytes.TrimLeft(head, " \r\n\t"), []byte("{")) && bytes.Contains(head, []byte(`"sanitize_lock"`))
}

// ParseLock reads a lock file, strictly: what is not byte for byte the text that the
// program writes was changed by somebody, and is refused. file names it in errors.
func ParseLock(file string, text []byte) (*Lock, error) {
	bad := func(help, format string, args ...any) (*Lock, error) {
		return nil, Errors{{File: file, Code: Syntax, Message: fmt.Sprintf(format, args...), Help: help}}
	}
	const again = "make it anew with: sanitize lock POLICY"
	switch {
	case len(text) > maxLock:
		return bad("", "the lock has more than %d MiB", maxLock>>20)
	case !IsLock(text):
		return bad(again, "this is no lock file")
	}
	var head struct {
		Format int `json:"sanitize_lock"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return bad(again, "the lock is not whole: %s", jsonProblem(err))
	}
	if head.Format != lockVersion {
		return bad(again+", or use the program that wrote it", "version %d of the format of locks is not known", head.Format)
	}
	l := &Lock{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(l); err != nil {
		return bad(again, "the lock cannot be read: %s", jsonProblem(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return bad(again, "something follows the lock")
	}
	if l.Catalog.Facts == nil {
		return bad(again, "the lock has no catalog")
	}
	if !bytes.Equal(l.Marshal(), text) {
		return bad(again, "the lock is not the text that sanitize lock writes: somebody has changed it, or its line ends")
	}
	if _, err := l.document(file, ""); err != nil {
		return bad(again, "%v", err)
	}
	return l, nil
}

// jsonProblem says what is wrong, without the contents.
func jsonProblem(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return "the field " + wrong.Field + " is of another type"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// ParseDocument reads a policy or a lock for Diff. A policy is resolved against the
// catalog, if there is one; a lock knows its own.
func ParseDocument(file string, content []byte, c *catalog.Catalog) (*Document, error) {
	if !IsLock(content) {
		p, err := Parse(file, content)
		if err != nil {
			return nil, err
		}
		return Resolve(p, c), nil
	}
	l, err := ParseLock(file, content)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	return l.document(file, hex.EncodeToString(sum[:]))
}

// document is the lock as Diff compares it.
func (l *Lock) document(name, digest string) (*Document, error) {
	p := &Policy{File: l.Policy.File, Digest: l.Policy.Digest, Version: 1, Header: l.Header, Extends: l.Policy.Extends,
		Defaults: Defaults{UnlistedColumn: l.Default.UnlistedColumn, UnlistedTable: l.Default.UnlistedTable, SchemaDrift: l.Default.SchemaDrift,
			at: Position{Line: l.Default.Line}}}
	for _, k := range l.Keys {
		p.Keys = append(p.Keys, KeySource{Name: k.Name, From: k.From, Scope: k.Scope, Rotate: k.Rotate, At: Position{Line: k.Line}})
	}
	if len(p.Keys) == 0 {
		return nil, errors.New("the lock has no keys")
	}
	for _, c := range l.Classes {
		do, err := parseDo(c.Do)
		if err != nil {
			return nil, fmt.Errorf("class %s: %w", clip(c.Name), err)
		}
		class := &Class{Name: c.Name, Kind: c.Kind, Do: do, At: Position{Line: c.Line}}
		if c.From != "" {
			class.From = &Policy{File: c.From}
		}
		p.Classes = append(p.Classes, class)
	}
	for _, k := range l.Links {
		link := Link{At: Position{Line: k.Line}}
		for _, name := range k.Columns {
			link.Columns = append(link.Columns, LinkEnd{Name: name})
		}
		p.Links = append(p.Links, link)
	}
	for _, r := range l.Risk {
		r.RiskRule.At.Line = r.Line
		p.Risk = append(p.Risk, r.RiskRule)
	}
	if e := l.Edges; e != nil {
		p.Edges = e.EdgeCases
		p.Edges.At.Line = e.Line
	}
	if e := l.Environments; e != nil {
		ttl, err := parseDuration(e.TTL)
		most, err2 := parseDuration(e.MaxTTL)
		if err != nil || err2 != nil {
			return nil, errors.New("environments has a duration that is none")
		}
		p.Limits = Environments{TTL: ttl, MaxTTL: most, MaxPerOwner: e.MaxPerOwner, Hosts: e.Hosts, At: Position{Line: e.Line}}
	}
	for _, w := range l.Waivers {
		w.Waiver.At.Line = w.Line
		p.Waivers = append(p.Waivers, w.Waiver)
	}
	d := &Document{Name: name, Digest: digest, Lock: l, policy: p, tables: []resolvedTable{}}
	check := &reader{p: p}
	for _, c := range p.Classes {
		check.checkPaths(c.Do)
	}
	if len(check.errs) == 0 {
		check.checkCycles()
	}
	if len(check.errs) > 0 {
		return nil, errors.New(check.errs[0].Message)
	}
	for _, t := range l.Tables {
		r := resolvedTable{id: t.Table, short: t.Name, action: t.Action, why: t.Why, where: t.Where}
		if t.Rows != nil {
			r.rows = &RowsRule{Where: t.Rows.Where, Sample: t.Rows.Sample, Limit: t.Rows.Limit, At: Position{Line: t.Rows.Line}}
		}
		for _, c := range t.Columns {
			col := resolvedColumn{name: c.Column, action: c.Action, class: c.Class, kind: c.Kind, why: c.Why, where: c.Where}
			if c.Do != "" {
				do, err := parseDo(c.Do)
				if err != nil {
					return nil, fmt.Errorf("%s.%s: %w", clip(t.Table), clip(c.Column), err)
				}
				check.checkPaths(do)
				if len(check.errs) > 0 {
					return nil, fmt.Errorf("%s.%s: %s", clip(t.Table), clip(c.Column), check.errs[0].Message)
				}
				col.do, col.spec = do, p.spec(c.Class, do)
			}
			r.columns = append(r.columns, col)
		}
		d.tables = append(d.tables, r)
	}
	return d, nil
}

func parseDuration(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	return time.ParseDuration(s)
}

// parseDo reads the canonical spelling of a transform.
func parseDo(text string) (Do, error) {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil || len(n.Content) != 1 {
		return Do{}, errors.New("its do cannot be read")
	}
	p := &Policy{lines: strings.Split(text, "\n")}
	r := &reader{p: p, spelled: true}
	r.strict(n.Content[0], 0)
	if len(r.errs) == 0 {
		if d, ok := r.do(n.Content[0], "a lock"); ok && len(r.errs) == 0 && d.String() == text {
			return d, nil
		}
	}
	return Do{}, errors.New("its do is not spelled as sanitize lock spells it")
}

// facts is the part of a catalog that drift is measured by: no estimates, and texts that
// may quote data as digests. Equal definitions give equal facts.
func facts(c *catalog.Catalog) *catalog.Catalog {
	tables := make([]*catalog.Table, 0, len(c.Tables))
	for _, t := range c.Tables {
		f := *t
		f.Rows, f.Bytes, f.Bounds = 0, 0, ""
		f.Comment = digestOf(t.Comment)
		f.Columns = slices.Clone(t.Columns)
		for i := range f.Columns {
			col := &f.Columns[i]
			col.Type = withoutIDs(col.Type)
			col.Comment, col.Default, col.Computation = digestOf(col.Comment), digestOf(col.Default), digestOf(col.Computation)
		}
		f.Checks, f.Indexes, f.Triggers = digests(t.Checks), digests(t.Indexes), digests(t.Triggers)
		for i, d := range f.Triggers {
			// What derives a column by the names of others quotes no data, and a lock has to
			// be understood by itself.
			if at := slices.IndexFunc(t.Triggers, func(o catalog.Definition) bool { return o.Name == d.Name }); at >= 0 && plainFiller(t.Triggers[at]) {
				f.Triggers[i].Text = t.Triggers[at].Text
			}
		}
		tables = append(tables, &f)
	}
	f := catalog.New(c.Connector, "", c.DefaultSchema, tables, objectDigests(c.Objects))
	f.Encoding, f.Charset = c.Encoding, c.Charset
	return f
}

// objectDigests are the views, functions, jobs and so on, in an order of their own. Of
// large objects a catalog tells the number, which changes with the rows.
func objectDigests(all []catalog.Object) (out []catalog.Object) {
	for _, o := range all {
		if slices.Contains(unlocked, o.Kind) {
			continue
		}
		if o.Kind == "large objects" {
			o.Name = ""
		}
		out = append(out, catalog.Object{Kind: o.Kind, Name: o.Name, Definition: digestOf(o.Definition), Comment: digestOf(o.Comment)})
	}
	slices.SortFunc(out, func(a, b catalog.Object) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.Definition, b.Definition), strings.Compare(a.Comment, b.Comment))
	})
	return out
}

// unlocked are kinds of objects that a catalog counts, or says twice: they change by
// themselves, or with what they are about.
var unlocked = []string{"grants", "default privileges", "security labels", "foreign table", "database setting", "function setting", "procedure setting", "extension rows", "extension member", "default", "constraint", "index", "partition key", "database rights", "language rights", "rights", "role setting", "account setting", "tablespace", "column", "computed column"}

// withoutIDs is a type without the numbers that differ between two servers.
func withoutIDs(t catalog.Type) catalog.Type {
	t.OID = 0
	if t.Element != nil {
		e := withoutIDs(*t.Element)
		t.Element = &e
	}
	t.Fields = slices.Clone(t.Fields)
	for i := range t.Fields {
		t.Fields[i].Type = withoutIDs(t.Fields[i].Type)
	}
	return t
}

func digests(all []catalog.Definition) []catalog.Definition {
	all = slices.Clone(all)
	for i := range all {
		all[i].Text = digestOf(all[i].Text)
	}
	slices.SortFunc(all, func(a, b catalog.Definition) int { return strings.Compare(a.Name+"\x00"+a.Text, b.Name+"\x00"+b.Text) })
	return all
}

// digestOf is a text as its digest; nothing stays nothing.
func digestOf(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:8])
}
