// Package memory is a database in memory: a real source and a real sink, for
// tests and examples. It keeps the whole contract of package connectors:
// snapshots (by copy on write), transactions, a ledger, a mark, builds aside,
// atomic promotion, one run per target.
//
//	shop := memory.New("shop")
//	err := shop.Create(&catalog.Table{…})
//	err = shop.Insert(catalog.TableID{Name: "users"}, memory.Row{int64(1), "ann@shop.example"})
//	source, err := shop.Server().OpenSource(ctx, shop.DSN(), connectors.Options{})
//	sink, err := shop.Server().OpenSink(ctx, "memory:discovery", connectors.Options{})
package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

const scheme = "memory:"

// Server holds databases by name, and is the connector to them: a connection
// string is memory:NAME. Its methods are safe for concurrent use.
type Server struct {
	id string

	mu        sync.Mutex
	databases map[string]*Database
	held      map[string]*build // by the name of the target
	left      map[string]*build // the last build of each target that was begun and not ended
}

var servers atomic.Int64

// NewServer returns a server without databases.
func NewServer() *Server {
	return &Server{id: fmt.Sprintf("memory-%d", servers.Add(1)), databases: map[string]*Database{}, held: map[string]*build{}, left: map[string]*build{}}
}

// New returns an empty database on a server of its own.
func New(name string) *Database {
	db, err := NewServer().Create(name)
	if err != nil {
		panic("memory: a new server has a database already")
	}
	return db
}

// Create makes an empty database. It fails if the name is taken.
func (s *Server) Create(name string) (*Database, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.databases[name] != nil {
		return nil, fmt.Errorf("memory: create database %s: it exists", name)
	}
	db := newDatabase(s, name)
	s.databases[name] = db
	return db, nil
}

// Database returns the database of that name, or nil.
func (s *Server) Database(name string) *Database {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.databases[name]
}

// Drop removes a database, if it exists. Snapshots of it live on.
func (s *Server) Drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.databases, name)
}

// Names returns the names of all databases, sorted. Those being built are named
// TARGET.building-RUN.
func (s *Server) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for n := range s.databases {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Name returns memory.
func (s *Server) Name() string { return "memory" }

// Accepts reports whether dsn is memory:NAME.
func (s *Server) Accepts(dsn string) bool { return strings.HasPrefix(dsn, scheme) }

// Redact returns dsn: there is nothing secret in it.
func (s *Server) Redact(dsn string) string { return dsn }

// OpenSource opens the database that dsn names as a source.
func (s *Server) OpenSource(ctx context.Context, dsn string, _ connectors.Options) (connectors.Source, error) {
	name, err := s.open(ctx, dsn, connectors.SourceSide)
	if err != nil {
		return nil, err
	}
	db := s.Database(name)
	if db == nil {
		return nil, &connectors.Error{
			Kind: connectors.KindUnavailable, Side: connectors.SourceSide,
			Op: "connect to " + dsn, Err: errors.New("there is no such database"),
			Hint: "create it on the same memory.Server",
		}
	}
	return &source{db: db}, nil
}

// OpenSink opens the database that dsn names, or will name, as a sink.
func (s *Server) OpenSink(ctx context.Context, dsn string, _ connectors.Options) (connectors.Sink, error) {
	name, err := s.open(ctx, dsn, connectors.SinkSide)
	if err != nil {
		return nil, err
	}
	return &sink{server: s, name: name}, nil
}

func (s *Server) open(ctx context.Context, dsn string, side connectors.Side) (name string, err error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("connect to %s: %w", dsn, err)
	}
	name, ok := strings.CutPrefix(dsn, scheme)
	if !ok || name == "" {
		return "", &connectors.Error{
			Kind: connectors.KindUsage, Side: side,
			Op: "connect to " + connectors.RedactURL(dsn), Err: errors.New("a connection string of memory is memory:NAME"),
		}
	}
	return name, nil
}

func (s *Server) identity(name string) connectors.Identity {
	return connectors.Identity{Server: s.id, Database: name, Display: scheme + name}
}

func properties() connectors.Properties {
	return connectors.Properties{
		Connector: "memory", Server: "memory 1", Formats: []connectors.WireFormat{rows.Format},
		JoinableSnapshot: true, ParallelReads: true, ParallelLoads: true,
	}
}
