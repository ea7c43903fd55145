package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// readDefinitions reads the words of what tables define beside columns and keys.
func readDefinitions(ctx context.Context, conn *pgx.Conn, ids []uint32, byOID map[uint32]*catalog.Table) error {
	return each(ctx, conn, "definitions", []any{ids}, func(row pgx.CollectableRow) error {
		var kind string
		var oid uint32
		var d catalog.Definition
		if err := row.Scan(&kind, &oid, &d.Name, &d.Text, &d.Function, &d.Disabled, &d.Reads); err != nil {
			return err
		}
		if len(d.Reads) == 0 {
			d.Reads = nil
		}
		switch t := byOID[oid]; kind {
		case "check":
			t.Checks = append(t.Checks, d)
		case "index":
			t.Indexes = append(t.Indexes, d)
		case "trigger":
			t.Triggers = append(t.Triggers, d)
		}
		return nil
	})
}

// readObjects reads what a database holds beside tables.
func (p *picture) readObjects(ctx context.Context, conn *pgx.Conn) error {
	reads := map[string][]catalog.ColumnID{}
	err := each(ctx, conn, "view_reads", nil, func(row pgx.CollectableRow) error {
		var name string
		var c catalog.ColumnID
		err := row.Scan(&name, &c.Table.Schema, &c.Table.Name, &c.Column)
		reads[name] = append(reads[name], c)
		return err
	})
	if err != nil {
		return err
	}
	err = each(ctx, conn, "objects", nil, func(row pgx.CollectableRow) error {
		var o catalog.Object
		var at archiveID
		var beside string
		if err := row.Scan(&o.Kind, &o.Name, &o.Definition, &o.Comment, &beside, &at.class, &at.oid); err != nil {
			return err
		}
		switch o.Kind {
		case "view", "materialized view", "rule":
			o.Reads = reads[o.Name]
		}
		if i := p.add(at, o); beside != "" {
			p.beside[i] = beside
		}
		return nil
	})
	if err != nil {
		return err
	}
	jobs, err := readJobs(ctx, conn)
	p.objects = append(p.objects, jobs...)
	return err
}

// readJobs reads the jobs of pg_cron and pgAgent, where they are and this account may
// see them. Both keep them in tables of their own.
func readJobs(ctx context.Context, conn *pgx.Conn) (jobs []catalog.Object, err error) {
	for _, scheduler := range []struct{ query, tables string }{
		{"jobs_cron", "{cron.job}"},
		{"jobs_agent", "{pgagent.pga_job,pgagent.pga_jobstep}"},
	} {
		var readable bool
		if err := conn.QueryRow(ctx, query("readable"), scheduler.tables).Scan(&readable); err != nil {
			return nil, fmt.Errorf("read jobs: %w", err)
		}
		if !readable {
			continue
		}
		err := each(ctx, conn, scheduler.query, nil, func(row pgx.CollectableRow) error {
			o := catalog.Object{Kind: "job"}
			err := row.Scan(&o.Name, &o.Definition)
			jobs = append(jobs, o)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return jobs, nil
}
