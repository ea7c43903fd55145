package connectortest

import (
	"bufio"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// dockerProgram is the program that starts a server in a container.
const dockerProgram = "github.com/sanitize-db/sanitize/connectors/connectortest/servers/docker"

// startDocker starts a server of a kind in a container: postgres, mariadb or mysql. It
// returns its URL without a database, and what ends it. It ends with this process too.
func startDocker(kind, password string) (*url.URL, func() error, error) {
	// Nobody should wait for the program to be built where there is no Docker.
	_, noClient := exec.LookPath("docker")
	_, noSocket := os.Stat("/var/run/docker.sock")
	if os.Getenv("DOCKER_HOST") == "" && noClient != nil && noSocket != nil {
		return nil, nil, errors.New("no DOCKER_HOST, no docker in PATH, no /var/run/docker.sock")
	}
	cmd := exec.Command("go", "run", dockerProgram, kind, password)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for the test, whose end it notices
	logs := &tail{limit: 64 << 10}
	cmd.Stderr = logs
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil { // it has ended
		return nil, nil, errors.Join(cmd.Wait(), fmt.Errorf("%s", logs))
	}
	end := func() error {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("%w\n%s", err, logs)
		}
		return nil
	}
	u, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		return nil, nil, errors.Join(errors.New("the program that starts the container writes no URL"), end())
	}
	return u, end, nil
}

// startDockerPostgres starts a server in a container, which ends with this process.
func startDockerPostgres() (*PostgresServer, error) {
	u, end, err := startDocker("postgres", postgresPassword)
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{base: *u, clean: end}
	if err := s.ping(30 * time.Second); err != nil {
		return nil, errors.Join(err, end())
	}
	return s, nil
}
