package connectors

// Hosted is a Connector that tells where a connection string leads before anything is
// connected to, so that a target on the wrong host is never reached.
type Hosted interface {
	// Hosts returns the name or address of every host that may be connected to, as it is
	// written in the connection string, or in the file or the environment that this
	// goes by. Names are not resolved. What is on this machine without a network, as
	// a socket or a file, is Local.
	Hosts(dsn string) ([]string, error)
}

// Local is the host of what is reached without a network.
const Local = "localhost"
