package connectors

// WireFormat names how rows travel in Batch.Wire.
type WireFormat string

// Properties are facts about a connector and the server behind it.
type Properties struct {
	Connector string // postgres, sqlite, memory
	Server    string // version, for people
	// Formats lists the wire formats that a source writes or a sink reads, best first.
	Formats []WireFormat
	// JoinableSnapshot: another process can join a snapshot by its token.
	JoinableSnapshot bool
	// ParallelReads, ParallelLoads: more than one chunk at a time is of use.
	ParallelReads bool
	ParallelLoads bool
	// WholeLoads: a sink loads a table cheaper that comes as one chunk, or of which
	// a long first chunk comes before the others.
	WholeLoads bool
	// LoadsWait: loads of one table may wait for each other, so that a sink is better given
	// chunks of different tables at once.
	LoadsWait bool
}
