package mysql

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"testing"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// asked is a connection of a reader whose server answers with these bytes.
type asked struct {
	net.Conn
	io.Reader
	sent   bytes.Buffer
	closed bool
}

func (a *asked) Read(p []byte) (int, error)  { return a.Reader.Read(p) }
func (a *asked) Write(p []byte) (int, error) { return a.sent.Write(p) }
func (a *asked) Close() error {
	a.closed = true
	return nil
}

// answered asks a statement whose answer is these packets.
func answered(ctx context.Context, marks bool, payloads ...[]byte) (*asked, texts, error) {
	var in []byte
	for i, p := range payloads {
		in, _ = appendPackets(in, byte(i+1), p)
	}
	conn := &asked{Reader: bytes.NewReader(in)}
	w := newStream(conn)
	w.Conn, w.carried, w.marks = conn, conn, marks
	found, err := w.ask(ctx, "SELECT a")
	return conn, found, err
}

var (
	columnA       = append(rowOf([]byte("def"), []byte("d"), []byte("t"), []byte("t"), []byte("a")), make([]byte, 14)...)
	endMark       = []byte{0xfe, 0, 0, 2, 0}
	noRightAnswer = append([]byte{0xff, 0x76, 0x04, '#', '4', '2', '0', '0', '0'}, "denied"...)
	noRight       = &driverpkg.MySQLError{Number: 1142, SQLState: [5]byte{'4', '2', '0', '0', '0'}, Message: "denied"}
)

// Rows come as the server tells them, whether it marks the end of the columns or not, and
// whether their packets fit the buffer or not.
func TestAnswer(t *testing.T) {
	long := bytes.Repeat([]byte("long "), wireBuffer)
	rows := [][]byte{[]byte("1"), nil, {}, long, []byte("\xfe"), bytes.Repeat([]byte("m"), 0xfb)}
	for _, marks := range []bool{false, true} {
		payloads := [][]byte{{1}, columnA}
		if !marks {
			payloads[0] = []byte{1, 1} // as MariaDB says that columns follow
		} else {
			payloads = append(payloads, endMark)
		}
		for _, r := range rows {
			payloads = append(payloads, rowOf(r))
		}
		conn, found, err := answered(t.Context(), marks, append(payloads, endMark)...)
		if err != nil {
			t.Fatal(err)
		}
		if want := "\x09\x00\x00\x00\x03SELECT a"; conn.sent.String() != want || !slices.Equal(found.columns(), []string{"a"}) {
			t.Errorf("%q is sent, columns %q", conn.sent.String(), found.columns())
		}
		into := make([][]byte, 1)
		for i, want := range rows {
			if err := found.next(into); err != nil || !bytes.Equal(into[0], want) || (into[0] == nil) != (want == nil) {
				t.Errorf("row %d: %d bytes, %v", i, len(into[0]), err)
			}
		}
		for range 2 {
			if err := found.next(into); err != io.EOF {
				t.Errorf("behind the last row: %v", err)
			}
		}
		if err := found.close(); err != nil || conn.closed {
			t.Errorf("the session is of no use any more: %v", err)
		}
	}
}

// What the server tells instead of rows, or of more rows, is its error, and leaves the session
// usable. What is no answer ends it.
func TestAnswerFails(t *testing.T) {
	head := [][]byte{{1}, columnA}
	for name, c := range map[string]struct {
		payloads [][]byte
		want     error
		useless  bool
	}{
		"refused":         {[][]byte{noRightAnswer}, noRight, false},
		"in the middle":   {append(slices.Clone(head), rowOf([]byte("1")), noRightAnswer), noRight, false},
		"no rows":         {[][]byte{{0, 0, 0, 2, 0, 0, 0}}, errPacket, true},
		"a file":          {[][]byte{append([]byte{0xfb}, "/etc/passwd"...)}, errPacket, true},
		"no column":       {[][]byte{{1}, {3, 'd'}}, errPacket, true},
		"a row too short": {append(slices.Clone(head), []byte{2, '1'}), errPacket, true},
		"a row too long":  {append(slices.Clone(head), rowOf([]byte("1"), []byte("2"))), errPacket, true},
		"nothing":         {nil, driverpkg.ErrInvalidConn, true},
		"no end":          {head, driverpkg.ErrInvalidConn, true},
	} {
		conn, found, err := answered(t.Context(), false, c.payloads...)
		into := make([][]byte, 1)
		for err == nil {
			err = found.next(into)
		}
		var server *driverpkg.MySQLError
		if errors.As(c.want, &server) {
			var got *driverpkg.MySQLError
			if !errors.As(err, &got) || *got != *server {
				t.Errorf("%s: %v", name, err)
			}
		} else if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if conn.closed != c.useless {
			t.Errorf("%s: closed is %t", name, conn.closed)
		}
	}
	in, _ := appendPackets(nil, 1, []byte{1})
	in, _ = appendPackets(in, 3, columnA)
	conn := &asked{Reader: bytes.NewReader(in)}
	w := newStream(conn)
	w.Conn, w.carried = conn, conn
	if _, err := w.ask(t.Context(), "SELECT a"); !errors.Is(err, errPacket) || !conn.closed {
		t.Errorf("a packet is missing: %v", err)
	}
}

// Who closes rows reads what is left of them, and who cancels ends the session.
func TestAnswerClosed(t *testing.T) {
	payloads := [][]byte{{1}, columnA}
	for range 1000 {
		payloads = append(payloads, rowOf(make([]byte, 1000)))
	}
	conn, found, err := answered(t.Context(), false, append(payloads, endMark)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := found.close(); err != nil || conn.closed {
		t.Errorf("close: %v", err)
	}
	if n, _ := conn.Reader.Read(make([]byte, 1)); n > 0 {
		t.Error("rows are left on the connection")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if conn, _, err = answered(ctx, false, append(payloads, endMark)...); !errors.Is(err, context.Canceled) || conn.closed || conn.sent.Len() > 0 {
		t.Errorf("who has given up before: %v, %d bytes are sent", err, conn.sent.Len())
	}
}

// Whatever comes, it is rows or an error.
func FuzzAnswer(f *testing.F) {
	whole := func(payloads ...[]byte) (in []byte) {
		for i, p := range payloads {
			in, _ = appendPackets(in, byte(i+1), p)
		}
		return in
	}
	f.Add(whole([]byte{1}, columnA, rowOf([]byte("1")), endMark), false)
	f.Add(whole([]byte{1}, columnA, endMark, rowOf(nil), noRightAnswer), true)
	f.Add(whole([]byte{0xfc, 0, 1}), true)
	f.Add(whole([]byte{1}, columnA, []byte{0xfd, 0xff, 0xff, 0xff}), false)
	f.Fuzz(func(t *testing.T, in []byte, marks bool) {
		conn := &asked{Reader: bytes.NewReader(in)}
		w := newStream(conn)
		w.Conn, w.carried, w.marks = conn, conn, marks
		found, err := w.ask(t.Context(), "SELECT a")
		if err != nil {
			return
		}
		into := make([][]byte, len(found.columns()))
		for err == nil {
			err = found.next(into)
			w.turn.end()
		}
		if found.close(); found.next(into) == nil {
			t.Error("a row comes behind the end")
		}
	})
}

// An error that a server tells unasked, as it ends a session, is that error, whatever number
// its packet has; and a long row leaves no memory behind.
func TestAnswerCutShort(t *testing.T) {
	var in []byte
	for i, p := range [][]byte{{1}, columnA, rowOf(make([]byte, 2*keptBuffer))} {
		in, _ = appendPackets(in, byte(i+1), p)
	}
	in, _ = appendPackets(in, 0, noRightAnswer)
	conn := &asked{Reader: bytes.NewReader(in)}
	w := newStream(conn)
	w.Conn, w.carried = conn, conn
	found, err := w.ask(t.Context(), "SELECT a")
	if err != nil {
		t.Fatal(err)
	}
	into := make([][]byte, 1)
	if err := found.next(into); err != nil || len(into[0]) != 2*keptBuffer {
		t.Fatal(err)
	}
	if err := found.next(into); numberOf(err) != noRight.Number || !conn.closed {
		t.Errorf("%v, closed is %t", err, conn.closed)
	}
	if cap(w.split) > keptBuffer {
		t.Errorf("%d bytes are held", cap(w.split))
	}
}

// An account whose password the driver cannot send by a connection of ours reads all the same,
// a holder's rows too.
func TestReadByTheDriver(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		if s.Flavor() != "mysql" {
			return // MariaDB has no such accounts
		}
		database := s.Database(t)
		s.Exec(t, database, "CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, f FLOAT, d DOUBLE, n INT ZEROFILL, v VARCHAR(20))",
			"INSERT INTO t VALUES (1, 0.1, 1e300, 7, 'é'), (18446744073709551615, NULL, -0.0, NULL, '')")
		name := s.Name(t)
		s.Exec(t, "", "CREATE USER '"+name+"'@'%' IDENTIFIED WITH sha256_password BY 'only-for-tests'", "GRANT ALL ON *.* TO '"+name+"'@'%'")
		t.Cleanup(func() { s.Exec(t, "", "DROP USER '"+name+"'@'%'") })
		dsn, err := url.Parse(s.DSN(database))
		if err != nil {
			t.Fatal(err)
		}
		dsn.User = url.UserPassword(name, "only-for-tests")
		dsn.RawQuery = "ssl-mode=required"
		to := s.Name(t)
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, dsn.String(), s.DSN(to)); err != nil {
			t.Fatal(err)
		}
		const all = "SELECT GROUP_CONCAT(CONCAT_WS('|', id, f, d, n, v) ORDER BY id) FROM t"
		if got, want := s.Value(t, to, all), s.Value(t, database, all); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		_, joined := lent(t, dsn.String(), 1)
		layout, err := joined.Layout(catalog.TableID{Name: "t"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		chunks, err := joined.Split(t.Context(), catalog.TableID{Name: "t"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		r, err := joined.Read(t.Context(), chunks[0], layout)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if batch, err := r.Next(t.Context()); err != nil || batch.Rows != 2 {
			t.Errorf("%v", err)
		} else {
			batch.Release()
		}
	})
}
