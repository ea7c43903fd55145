package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Roles belong to a server, and a run makes none. Everything of a copy belongs to the
// account that makes it; what speaks of other roles is fitted to those that the target's
// server has, before a row is copied.

const (
	classOfPolicies  = 3256 // pg_policy
	classOfDatabases = 1262 // pg_database
)

// readPolicyRoles notes the roles that policies are for.
func (a *archive) readPolicyRoles(ctx context.Context, conn *pgx.Conn) error {
	return each(ctx, conn, "policy_roles", nil, func(row pgx.CollectableRow) error {
		var oid uint32
		var roles, spelled []string
		if err := row.Scan(&oid, &roles, &spelled); err != nil {
			return err
		}
		for _, it := range a.items {
			if it.at == (archiveID{classOfPolicies, oid}) {
				it.Roles, it.Spelled = roles, spelled
			}
		}
		return nil
	})
}

// readGrants reads the rights on what comes along, if somebody asks for them: an entry each. Asked
// or not, a copy does not open to everybody what runs with the rights of its owner and was closed.
func (s *snapshot) readGrants(ctx context.Context, conn *pgx.Conn) (entries []entry, err error) {
	f := s.picture.fates()
	asked := slices.ContainsFunc(s.picture.Objects, func(o catalog.Object) bool { return o.Kind == catalog.Grants && o.Fate.Along() })
	if !asked && !s.picture.closes {
		return nil, nil
	}
	err = each(ctx, conn, "grants", nil, func(row pgx.CollectableRow) error {
		var at archiveID
		var role, sql string
		var step int
		var closes bool
		if err := row.Scan(&at.class, &at.oid, &role, &sql, &step, &closes); err != nil {
			return err
		}
		if f.byKey[at] == catalog.Stays || !asked && !closes {
			return nil
		}
		e := entry{Kind: "ACL", Name: sql, SQL: sql, Phase: phaseRest}
		if at.class == classOfDatabases {
			e.Name, e.Phase = strings.Replace(sql, " %I ", " ", 1), phaseOpen
		}
		if role != "" {
			e.Roles = []string{role}
		}
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

// fitRoles takes out of a build what is for roles that the target's server does not have,
// and says so. A nightly run does not fail for a role: a policy of row security that permits and is
// left behind lets nobody see more, since row security stays on and denies what no policy
// allows; and one that restricts is for everybody then, since the members of a role that is not
// there may be.
func (b *build) fitRoles(ctx context.Context) error {
	if !slices.ContainsFunc(b.defs.After, func(e entry) bool { return len(e.Roles) > 0 }) {
		return nil
	}
	here := map[string]bool{}
	rows, err := b.admin.Query(ctx, "SELECT rolname::text FROM pg_catalog.pg_roles")
	if err != nil {
		return failDefinition(ctx, b.side, "read the roles of the target's server", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return failDefinition(ctx, b.side, "read the roles of the target's server", err)
	}
	for _, n := range names {
		here[n] = true
	}
	lost := map[string]int{} // rights of a role that is not there
	var after, gone []entry
	for _, e := range b.defs.After {
		missing := slices.DeleteFunc(slices.Clone(e.Roles), func(r string) bool { return here[r] })
		if len(missing) == 0 {
			after = append(after, e)
			continue
		}
		if e.Kind == "ACL" {
			lost[missing[0]]++
			continue
		}
		fitted, ok := fitPolicy(e, here)
		if e.Denying != "" {
			how := "restricts all roles"
			if !ok {
				e.SQL, how = e.Denying, "refuses every row to all roles"
				fitted, _ = fitPolicy(e, here)
			}
			b.notes(catalog.Object{Kind: "policy", Name: policyName(e, b.spec.Catalog), Fate: catalog.Noted, Reason: how + ": it is for roles that the target's server does not have"})
			b.warn(fmt.Sprintf("%s %s: the target's server has no role %s, whose members may have accounts there", e, how, list(missing)))
			after = append(after, fitted)
			continue
		}
		if ok {
			b.warn(fmt.Sprintf("%s is for fewer roles: the target's server has no role %s", e, list(missing)))
			after = append(after, fitted)
			continue
		}
		gone = append(gone, e)
		b.leaves("policy", policyName(e, b.spec.Catalog), "is for roles that the target's server does not have")
		b.warn(fmt.Sprintf("%s stays behind: the target's server has no role %s; row security stays on, and shows the rows to those alone whom another policy lets see them", e, list(missing)))
	}
	var roles []string
	for r := range lost {
		roles = append(roles, r)
	}
	slices.Sort(roles)
	for _, r := range roles {
		b.leaves("rights", "of role "+word(r), "are for a role that the target's server does not have")
		b.warn(fmt.Sprintf("%d rights of role %s stay behind: the target's server has no such role", lost[r], word(r)))
	}
	b.defs.After = slices.DeleteFunc(after, func(e entry) bool {
		of, isComment := strings.CutPrefix(e.SQL, "COMMENT ON POLICY ")
		of, _, _ = strings.Cut(of, " IS ")
		return isComment && slices.ContainsFunc(gone, func(p entry) bool { return strings.HasPrefix(p.SQL, "CREATE POLICY "+of) })
	})
	return nil
}

// refusesRows is what is said of a policy that restricts and cannot come along.
const refusesRows = "; since it restricts, it refuses every row unless it is kept"

// deny makes of the policies of row security that restrict, and would stay behind, ones that let nobody
// through: without them rows would be open. Of those that permit, none opens a row by staying behind.
func (p *picture) deny(ctx context.Context, conn *pgx.Conn) error {
	if !slices.ContainsFunc(p.objects, func(o catalog.Object) bool { return o.Kind == "policy" }) {
		return nil
	}
	p.denying = map[archiveID]string{}
	err := each(ctx, conn, "restrictive", nil, func(row pgx.CollectableRow) error {
		at := archiveID{class: classOfPolicies}
		var sql string
		err := row.Scan(&at.oid, &sql)
		p.denying[at] = sql
		return err
	})
	for i := range p.objects {
		o := &p.objects[i]
		if p.denying[p.keyOf(i)] != "" && o.Fate == catalog.Stays {
			o.Fate, o.Reason = catalog.Neutralised, o.Reason+refusesRows
		}
	}
	return err
}

// fitPublic takes out of a build the rights on the schema public that the server would not give or take:
// before PostgreSQL 15 it belongs to a superuser, and the server only warns of what it does not do for
// others. What is tried is rolled back.
func (b *build) fitPublic(ctx context.Context, held *session) error {
	var after []entry
	for _, e := range b.defs.After {
		if e.Kind != "ACL" || !strings.Contains(e.SQL, " ON SCHEMA public ") {
			after = append(after, e)
			continue
		}
		unmoved := held.conn.PgConn().CustomData()
		delete(unmoved, unmovedKey)
		err := held.exec(ctx, "BEGIN; SET LOCAL client_min_messages = warning; "+e.SQL+"; ROLLBACK")
		refused := stateOf(err) == "42501"
		if refused {
			err = held.exec(ctx, "ROLLBACK")
		}
		if err != nil {
			return err
		}
		if _, said := unmoved[unmovedKey]; !said && !refused {
			after = append(after, e)
			continue
		}
		b.leaves("rights", e.SQL, "are for the owner to give and to take, which the target's account is not")
		b.warn("rights on the schema public stay as the target's server has them, for only its owner may change them: " + e.SQL)
	}
	b.defs.After = after
	return nil
}

// unmovedKey is where a connection keeps that a GRANT or REVOKE has done nothing, or not all.
const unmovedKey = "sanitize.unmoved"

// noteRights notes what the server says of rights that it does not give or take.
func noteRights(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.Code == "01006" || n.Code == "01007" {
		conn.CustomData()[unmovedKey] = true
	}
}

// policyName is the name that the catalog has for a policy, which a dump calls "table policy".
func policyName(e entry, c *catalog.Catalog) string {
	for _, o := range c.Objects {
		for _, t := range c.Tables {
			if name, of := strings.CutPrefix(e.Name, t.ID.Name+" "); of && o.Kind == "policy" && t.ID.Schema == e.Schema && o.Name == t.ID.String()+"."+name {
				return o.Name
			}
		}
	}
	return e.Schema + "." + e.Name
}

// leaves notes, in what the source has said of fates, that the target's server takes
// something no further: summaries say what has become of it.
func (b *build) leaves(kind, name, reason string) {
	b.notes(catalog.Object{Kind: kind, Name: name, Fate: catalog.Stays, Reason: reason})
}

// notes notes the fates that objects have at the target. What is noted of one that has a fate
// already is said beside it, once.
func (b *build) notes(objects ...catalog.Object) {
	d := b.spec.Definitions
	d.LeftBehind = slices.Clone(d.LeftBehind)
	at := map[[2]string]int{}
	for i, o := range d.LeftBehind {
		at[[2]string{o.Kind, o.Name}] = i
	}
	for _, o := range objects {
		i, known := at[[2]string{o.Kind, o.Name}]
		switch {
		case !known:
			at[[2]string{o.Kind, o.Name}] = len(d.LeftBehind)
			d.LeftBehind = append(d.LeftBehind, o)
		case o.Fate != catalog.Noted:
			d.LeftBehind[i] = o
		case !strings.Contains(d.LeftBehind[i].Reason, o.Reason):
			d.LeftBehind[i].Reason += "; and " + o.Reason
		}
	}
}

// fitPolicy returns a policy for those of its roles that are here; ok is false if none is. One that
// restricts is for all roles.
func fitPolicy(e entry, here map[string]bool) (fitted entry, ok bool) {
	var left []string
	for i, r := range e.Roles {
		if here[r] {
			left = append(left, e.Spelled[i])
		}
	}
	to := strings.Join(left, ", ")
	switch {
	case e.Denying != "":
		to = "PUBLIC"
	case to == "":
		return e, false
	}
	// pg_dump writes the roles in an order of its own: TO a, b.
	for at := 0; ; {
		i := strings.Index(e.SQL[at:], " TO ")
		if i < 0 {
			return e, false
		}
		at += i + len(" TO ")
		if strings.Count(e.SQL[:at], `"`)%2 > 0 {
			continue // within the name of the policy, or of its table
		}
		rest, n := e.SQL[at:], 0
		for more := true; more; {
			more = false
			for _, role := range e.Spelled {
				if after, is := strings.CutPrefix(rest, role); is && (after == "" || strings.ContainsRune(", ;\n", rune(after[0]))) {
					rest, n, more = after, n+1, true
					if after, is := strings.CutPrefix(rest, ", "); is {
						rest = after
					} else {
						more = false
					}
					break
				}
			}
		}
		if n == len(e.Spelled) {
			e.SQL = e.SQL[:at] + to + rest
			return e, true
		}
	}
}

// fit fits the definitions to the target's server and to the run, before anything is made.
func (b *build) fit(ctx context.Context) error {
	if err := b.fitVersion(ctx); err != nil {
		return err
	}
	if err := b.fitDerived(); err != nil {
		return err
	}
	if err := b.fitSuper(ctx); err != nil {
		return err
	}
	if err := b.fitLast(ctx); err != nil {
		return err
	}
	b.fitOrder()
	return b.fitRoles(ctx)
}

// fitLast asks whether the account may make the event triggers that somebody keeps: they
// are made last, and a run must not fail there. A server of a provider that gives nobody a
// superuser has rules of its own, and roles by which to know it.
func (b *build) fitLast(ctx context.Context) error {
	i := slices.IndexFunc(b.defs.After, func(e entry) bool { return e.Kind == "EVENT TRIGGER" })
	if i < 0 {
		return nil
	}
	op := "make " + b.defs.After[i].String()
	a, err := b.readAccount(ctx)
	if err != nil {
		return failDefinition(ctx, b.side, op, err)
	}
	if !a.super && !a.provided {
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Op: op, Err: errors.New("only a superuser may make event triggers, and " + word(b.account) + " is none"),
			Hint: "connect as a superuser of the target's server, or leave --keep-object out for event triggers"}
	}
	return nil
}

// fitDerived moves the triggers that compute columns anew before the rows: COPY fires
// them, and what they make of the masked values is what is stored.
func (b *build) fitDerived() error {
	for _, d := range b.spec.Derived {
		unsupported := func(why, hint string) error {
			return &connectors.Error{Kind: connectors.KindUnsupported, Side: b.side, Op: "derive " + words(d.Column.Table) + "." + word(d.Column.Column),
				Err: errors.New(why), Hint: hint}
		}
		found := false
		// A trigger of a partitioned table stands there, and its partitions share it.
		for t := b.spec.Catalog.Table(d.Column.Table); t != nil && !found; t = b.spec.Catalog.Table(t.Parents[0]) {
			for _, list := range []*[]entry{&b.defs.Before, &b.defs.After} {
				i := slices.IndexFunc(*list, func(e entry) bool {
					return e.Kind == "TRIGGER" && e.Schema == t.ID.Schema && e.Name == t.ID.Name+" "+d.Trigger
				})
				if i < 0 {
					continue
				}
				e := (*list)[i]
				if strings.Contains(e.SQL, " DISABLE TRIGGER ") || strings.Contains(e.SQL, " ENABLE REPLICA TRIGGER ") {
					return unsupported("the trigger "+word(d.Trigger)+" is disabled, and would compute nothing", `null the column with {"null": true}`)
				}
				if list == &b.defs.After {
					b.defs.After = slices.Delete(b.defs.After, i, i+1)
					b.defs.Before = append(b.defs.Before, e)
				}
				found = true
				break
			}
			if !t.IsPartition || len(t.Parents) == 0 {
				break
			}
		}
		if !found {
			return unsupported("the trigger "+word(d.Trigger)+" is not made at the target", `null the column with {"null": true}, or keep what the trigger calls by --keep-object`)
		}
	}
	return nil
}
