// Command docker starts a database server in a container, for tests on a machine that has
// none: docker KIND PASSWORD, where the kind is postgres, mariadb or mysql. It writes the
// server's URL to standard output, and ends the container when its standard input ends, as
// it does when the test dies.
//
// It is a program of its own because the library of containers takes longer to start than
// all the rest of the program under test, which tests start hundreds of times.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/testcontainers/testcontainers-go"
	tcpostgres "github.com/testcontainers/testcontainers-go/modules/postgres"
	"github.com/testcontainers/testcontainers-go/wait"
)

func main() {
	kinds := map[string]start{"postgres": postgres, "mariadb": mariadb, "mysql": mysql}
	if len(os.Args) != 3 || kinds[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: docker postgres|mariadb|mysql PASSWORD")
		os.Exit(2)
	}
	if err := serve(kinds[os.Args[1]], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// start starts a container, and returns it even where an error says that it is not ready,
// and the URL of its server without a database.
type start func(ctx context.Context, password string) (testcontainers.Container, *url.URL, error)

func postgres(ctx context.Context, password string) (testcontainers.Container, *url.URL, error) {
	c, err := tcpostgres.Run(ctx, "postgres:17", tcpostgres.WithUsername("postgres"), tcpostgres.WithPassword(password),
		tcpostgres.BasicWaitStrategies())
	if err != nil {
		return c, nil, err
	}
	dsn, err := c.ConnectionString(ctx, "sslmode=disable")
	if err != nil {
		return c, nil, err
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return c, nil, err
	}
	u.Path = ""
	return c, u, nil
}

func mariadb(ctx context.Context, password string) (testcontainers.Container, *url.URL, error) {
	return mysqlFamily(ctx, "mariadb:11.8", "MARIADB_ROOT_PASSWORD", password)
}

func mysql(ctx context.Context, password string) (testcontainers.Container, *url.URL, error) {
	return mysqlFamily(ctx, "mysql:8.4", "MYSQL_ROOT_PASSWORD", password)
}

// mysqlFamily starts a server with what the tests need: a log of changes row by row, and
// files that a client sends. While an image makes its data folder its server takes no
// connections by TCP, so one that listens is ready.
func mysqlFamily(ctx context.Context, image, passwordVariable, password string) (testcontainers.Container, *url.URL, error) {
	const port = "3306/tcp"
	c, err := testcontainers.Run(ctx, image, testcontainers.WithEnv(map[string]string{passwordVariable: password}),
		testcontainers.WithExposedPorts(port), testcontainers.WithWaitStrategy(wait.ForListeningPort(port)),
		testcontainers.WithCmd("--log-bin=binlog", "--server-id=1", "--loose-binlog-format=ROW", "--local-infile=1",
			"--character-set-server=utf8mb4", "--skip-name-resolve", "--max-connections=200", "--max-allowed-packet=64M"))
	if err != nil {
		return c, nil, err
	}
	host, err := c.PortEndpoint(ctx, port, "")
	if err != nil {
		return c, nil, err
	}
	return c, &url.URL{Scheme: "mysql", User: url.UserPassword("root", password), Host: host}, nil
}

func serve(run start, password string) (err error) {
	// The library panics on some machines that have no Docker at all.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return err
	}
	defer provider.Close()
	if err := provider.Health(ctx); err != nil {
		return err
	}
	c, u, err := run(ctx, password)
	defer func() { err = errors.Join(err, testcontainers.TerminateContainer(c)) }()
	if err != nil {
		return err
	}
	fmt.Println(u)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
