package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the build (-ldflags "-X main.version=…"); otherwise the
// module's own version is told.
var version = ""

// versionInfo is what `sanitize version --json` prints.
type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a tree with changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Policy   int    `json:"policy_version"` // of the policy format
}

func currentVersion() versionInfo {
	v := versionInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Policy: 1}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if v.Version == "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func newVersion(u *ui) *cobra.Command {
	var asJSON bool
	cmd := command{
		use:     "version [--json]",
		short:   "print the version",
		long:    "Version prints the version of the program, of Go and of the policy format.",
		example: "  sanitize version --json",
		exits:   []int{exitDone, exitFailed, exitUsage},
		run: func(*cobra.Command, []string) error {
			v := currentVersion()
			if asJSON {
				return u.JSON(v)
			}
			return u.Data(fmt.Sprintf("sanitize %s %s %s, policy format %d\n", v.Version, v.Go, v.Platform, v.Policy))
		},
	}.build(u)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
