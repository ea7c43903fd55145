// Command docker starts a PostgreSQL server in a container, for tests on a machine that
// has none: docker PASSWORD. It writes the server's URL to standard output, and ends the
// container when its standard input ends, as it does when the test dies.
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
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: docker PASSWORD")
		os.Exit(2)
	}
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(password string) (err error) {
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
	c, err := tcpostgres.Run(ctx, "postgres:17", tcpostgres.WithUsername("postgres"), tcpostgres.WithPassword(password),
		tcpostgres.BasicWaitStrategies())
	defer func() { err = errors.Join(err, testcontainers.TerminateContainer(c)) }()
	if err != nil {
		return err
	}
	dsn, err := c.ConnectionString(ctx, "sslmode=disable")
	if err != nil {
		return err
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return err
	}
	u.Path = ""
	fmt.Println(u)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
