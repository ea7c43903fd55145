package main

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The policies of a change under review: the second protects less, the third more.
const (
	ciPolicy = `version: 1
policy: {name: shop, revision: 1, owner: data@shop.example, purpose: tests}
keys: {discovery: {from: ephemeral}}
classes:
  name: {kind: direct, do: {fake: person_name}}
tables:
  people: {columns: {name: name}, keep: [id]}
`
)

var (
	ciWeaker   = strings.Replace(ciPolicy, "columns: {name: name}, keep: [id]", "keep: [id, name]", 1)
	ciStronger = strings.Replace(ciPolicy, "{fake: person_name}", `{"null": true}`, 1)
)

// ciRepository is a git repository whose first commit has the policy, and whose folder
// has a change of it.
type ciRepository struct {
	dir, base string
	env       []string
}

func newCIRepository(t *testing.T, before, now string) *ciRepository {
	t.Helper()
	r := &ciRepository{dir: t.TempDir()}
	r.env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@shop.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@shop.example")
	r.run(t, 0, "git", "init", "-q")
	r.write(t, "README", "a shop\n")
	if before != "" {
		r.write(t, "data masks/shop.yaml", before)
	}
	r.run(t, 0, "git", "add", "-A")
	r.run(t, 0, "git", "commit", "-q", "-m", "first")
	r.base = strings.TrimSpace(r.run(t, 0, "git", "rev-parse", "HEAD"))
	r.write(t, "data masks/shop.yaml", now)
	return r
}

func (r *ciRepository) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs a program in the repository, which must end with that exit code, and returns
// all that it said.
func (r *ciRepository) run(t *testing.T, code int, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("%s: %v", name, err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%s %v: exit code %d, want %d\n%s", name, args, got, code, out)
	}
	return string(out)
}

// clean checks that nothing was left in the repository.
func (r *ciRepository) clean(t *testing.T) {
	t.Helper()
	if left := r.run(t, 0, "git", "status", "--porcelain", "--ignored"); strings.TrimSpace(left) != `M "data masks/shop.yaml"` && strings.TrimSpace(left) != `?? "data masks/"` {
		t.Errorf("left in the repository: %q", left)
	}
	if trees := r.run(t, 0, "git", "worktree", "list"); strings.Count(trees, "\n") != 1 {
		t.Errorf("left a work tree: %s", trees)
	}
}

func ciFile(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(repository(t), "cmd", "ci", filepath.FromSlash(name))
}

// action is the part of action.yml that runners read.
type action struct {
	Name, Description string
	Inputs, Outputs   map[string]struct {
		Description string
		Required    bool
		Default     *string
		Value       string
	}
	Runs struct {
		Using string
		Steps []struct {
			ID, Name, Shell, Run, Uses, If string
			Env, With                      map[string]string
		}
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// The action has the keys that a runner asks for, names no input or step that there is
// not, and puts nothing from outside into the text of a script.
func TestGitHubAction(t *testing.T) {
	var a action
	readYAML(t, ciFile(t, "github/action.yml"), &a)
	if a.Name == "" || a.Description == "" || a.Runs.Using != "composite" || len(a.Runs.Steps) == 0 {
		t.Fatalf("not a composite action: %+v", a)
	}
	ids := map[string]bool{}
	var texts []string
	for name, in := range a.Inputs {
		if in.Description == "" || in.Required == (in.Default != nil) {
			t.Errorf("input %s: described, and either required or with a default: %+v", name, in)
		}
	}
	for _, s := range a.Runs.Steps {
		ids[s.ID] = true
		if (s.Run == "") == (s.Uses == "") || s.Run != "" && s.Shell != "bash" || s.Name == "" {
			t.Errorf("step %q runs a script in bash, or uses an action", s.Name)
		}
		if expression.MatchString(s.Run) {
			t.Errorf("step %q has an expression in its script: whoever names a branch could run commands", s.Name)
		}
		if s.Uses != "" && !regexp.MustCompile(`^[a-z-]+/[a-z/-]+@v\d+$`).MatchString(s.Uses) {
			t.Errorf("step %q uses %q without a version", s.Name, s.Uses)
		}
		texts = append(texts, s.If)
		for _, m := range []map[string]string{s.Env, s.With} {
			for _, v := range m {
				texts = append(texts, v)
			}
		}
	}
	for _, o := range a.Outputs {
		texts = append(texts, o.Value)
	}
	named := 0
	for _, text := range texts {
		for _, m := range regexp.MustCompile(`(inputs|steps)\.([a-z-]+)`).FindAllStringSubmatch(text, -1) {
			named++
			if _, known := a.Inputs[m[2]]; m[1] == "inputs" && !known || m[1] == "steps" && !ids[m[2]] {
				t.Errorf("%s.%s does not exist", m[1], m[2])
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d inputs and steps are named", named)
	}
}

// The scripts of the action, as a runner runs them, on a change in a repository.
func TestGitHubSteps(t *testing.T) {
	t.Parallel()
	var a action
	readYAML(t, ciFile(t, "github/action.yml"), &a)
	script := func(id string) string {
		for _, s := range a.Runs.Steps {
			if s.ID == id || s.Name == id {
				return s.Run
			}
		}
		t.Fatalf("no step %s", id)
		return ""
	}
	temp := t.TempDir()
	built := newCIRepository(t, "", ciPolicy)
	built.env = append(built.env, "RUNNER_TEMP="+temp, "GITHUB_ACTION_PATH="+ciFile(t, "github"))
	// As the other tests are built, so that the compiler's cache has it already.
	build := strings.Replace(script("build"), "CGO_ENABLED=0 go build -trimpath ", "go build ", 1)
	if build == script("build") {
		t.Fatal("the program is built otherwise")
	}
	if out := built.run(t, 0, "bash", "-eo", "pipefail", "-c", build); !strings.Contains(out, "policy format 1") {
		t.Fatalf("the program was not built: %s", out)
	}
	for _, c := range []struct {
		name, before, now, failOn string
		code                      int // of diff
		want                      string
	}{
		{"weaker", ciPolicy, ciWeaker, "weaker", 1, "| `people.name` | mask → keep: values arrive in clear |"},
		{"weaker, and nothing fails", ciPolicy, ciWeaker, "", 0, "**Weaker**"},
		{"stronger", ciPolicy, ciStronger, "weaker", 0, "**Stronger**"},
		{"new", "", ciPolicy, "weaker", 0, "The policy is new"},
		{"broken", ciPolicy, "version: 1\ntabels: {}\n", "weaker", 3, ""},
	} {
		r := newCIRepository(t, c.before, c.now)
		output, summary := filepath.Join(t.TempDir(), "output"), filepath.Join(t.TempDir(), "summary")
		r.env = append(r.env, "RUNNER_TEMP="+temp, "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary,
			"POLICY=data masks/shop.yaml", "CATALOG=", "ACCEPT_WAIVERS=false", "BASE="+r.base, "FAIL_ON=high", "FAIL_ON_DIFF="+c.failOn)
		said := r.run(t, 0, "bash", "-eo", "pipefail", "-c", script("diff"))
		if got := outputs(t, output); got["code"] != fmt.Sprint(c.code) || got["comment"] != filepath.Join(temp, "sanitize", "diff.md") {
			t.Errorf("%s: outputs %v; it said %s", c.name, got, said)
		} else if text := string(read(t, summary)); !strings.Contains(text, c.want) || text != string(read(t, got["comment"])) {
			t.Errorf("%s: the summary is\n%s", c.name, text)
		}
		r.clean(t)
		r.env = append(r.env, "AUDIT=0", fmt.Sprintf("DIFF=%d", c.code))
		if said := r.run(t, min(c.code, 1), "bash", "-eo", "pipefail", "-c", script("Verdict")); c.code > 0 && !strings.Contains(said, fmt.Sprintf("::error::sanitize diff ended with exit code %d", c.code)) {
			t.Errorf("%s: the verdict says %q", c.name, said)
		}
	}
	// The audit's step ends well whatever is found, and hands its exit code to the verdict.
	r := newCIRepository(t, ciPolicy, ciPolicy)
	output := filepath.Join(t.TempDir(), "output")
	r.env = append(r.env, "RUNNER_TEMP="+temp, "GITHUB_OUTPUT="+output, "POLICY=data masks/shop.yaml", "CATALOG=", "FAIL_ON=low")
	r.run(t, 0, "bash", "-eo", "pipefail", "-c", script("audit"))
	cmd := exec.Command(filepath.Join(temp, "sanitize", "sanitize"), "audit", "data masks/shop.yaml", "--format", "sarif", "--output", filepath.Join(t.TempDir(), "audit.sarif"), "--fail-on", "low")
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if got := outputs(t, output); got["code"] != fmt.Sprint(cmd.ProcessState.ExitCode()) {
		t.Errorf("the audit ends with %d, and the step says %v\n%s", cmd.ProcessState.ExitCode(), got, out)
	}
	r.env = append(r.env, "AUDIT=1", "DIFF=")
	r.run(t, 1, "bash", "-eo", "pipefail", "-c", script("Verdict"))
	r.env = append(r.env, "AUDIT=0", "DIFF=")
	r.run(t, 0, "bash", "-eo", "pipefail", "-c", script("Verdict"))
}

// outputs reads what a step has written to GITHUB_OUTPUT.
func outputs(t *testing.T, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, line := range strings.Split(string(read(t, path)), "\n") {
		if name, value, found := strings.Cut(line, "="); found {
			all[name] = value
		}
	}
	return all
}

// The job of GitLab, with the same commands as the action.
func TestGitLabJob(t *testing.T) {
	var file struct {
		Variables map[string]string
		Job       struct {
			Stage, Image string
			Rules        []map[string]string
			Variables    map[string]string
			Before       []string `yaml:"before_script"`
			Script       []string
			Artifacts    struct {
				When  string
				Paths []string
			}
		} `yaml:"sanitize-policy"`
	}
	readYAML(t, ciFile(t, "gitlab/sanitize.gitlab-ci.yml"), &file)
	job := file.Job
	if job.Stage == "" || job.Image == "" || len(job.Rules) < 2 || len(job.Before) != 1 || len(job.Script) != 1 ||
		job.Artifacts.When != "always" || !slices.Equal(job.Artifacts.Paths, []string{"sanitize-report/"}) || job.Variables["GIT_DEPTH"] != "0" {
		t.Fatalf("the job lacks a key: %+v", job)
	}
	for _, m := range regexp.MustCompile(`SANITIZE_[A-Z_]+`).FindAllString(job.Script[0]+job.Before[0], -1) {
		if _, known := file.Variables[m]; !known {
			t.Errorf("the variable %s has no default", m)
		}
	}
	var a action
	readYAML(t, ciFile(t, "github/action.yml"), &a)
	commands := regexp.MustCompile(`set -- .*`)
	rename := strings.NewReplacer("SANITIZE_", "")
	var ours, theirs []string
	for _, s := range a.Runs.Steps {
		ours = append(ours, commands.FindAllString(s.Run, -1)...)
	}
	for _, c := range commands.FindAllString(job.Script[0], -1) {
		theirs = append(theirs, rename.Replace(c))
	}
	if len(ours) != 5 || !slices.Equal(ours, theirs) {
		t.Errorf("the action runs\n%s\nand the job\n%s", strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
	}
	for _, c := range []struct {
		now  string
		diff int
	}{{ciWeaker, 1}, {ciStronger, 0}} {
		r := newCIRepository(t, ciPolicy, c.now)
		r.env = append(r.env, "SANITIZE_POLICY=data masks/shop.yaml", "SANITIZE_CATALOG=", "SANITIZE_FAIL_ON=critical", "SANITIZE_FAIL_ON_DIFF=weaker", "SANITIZE_ACCEPT_WAIVERS=false", "CI_MERGE_REQUEST_DIFF_BASE_SHA="+r.base)
		// Runners run a job's lines under set -e. What the audit finds is another matter.
		text := strings.Replace(job.Script[0], `if [ "$audit" != 0 ]`, `if [ 0 != 0 ]`, 1)
		if text == job.Script[0] {
			t.Fatal("the script has no verdict on the audit")
		}
		said := r.run(t, c.diff, "bash", "-eo", "pipefail", "-c", job.Before[0]+text)
		if !strings.Contains(said, "### What the policy protects") || strings.Contains(said, "sanitize diff ended with exit code 1") != (c.diff == 1) {
			t.Errorf("the job says\n%s", said)
		}
		if report := string(read(t, filepath.Join(r.dir, "sanitize-report", "diff.md"))); !strings.Contains(said, report) {
			t.Errorf("the report is\n%s", report)
		}
	}
}

// A change that takes a key out of the catalog beside the policy hides nothing by it:
// the catalog of the base commit counts too.
func TestCICatalogOfTheSameChange(t *testing.T) {
	var file struct {
		Job struct{ Script []string } `yaml:"sanitize-policy"`
	}
	readYAML(t, ciFile(t, "gitlab/sanitize.gitlab-ci.yml"), &file)
	const policy = "version: 1\nkeys: {discovery: {from: ephemeral}}\nclasses: {id: {kind: pseudonym, do: {pseudonym: id}}}\ntables:\n  people: {columns: {id: id}}\n  visits: "
	text := func(tables string) string {
		path := filepath.Join(t.TempDir(), "shop.db")
		db, err := sql.Open("sqlite", "file:"+path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(tables); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("sanitize", "inspect", "--from", "sqlite:"+path).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	full := text("CREATE TABLE people (id INTEGER PRIMARY KEY); CREATE TABLE visits (person_id INTEGER REFERENCES people (id))")
	less := text("CREATE TABLE people (id INTEGER PRIMARY KEY); CREATE TABLE visits (person_id INTEGER)")
	const catalog = "data masks/shop.catalog.json"
	r := newCIRepository(t, policy+"{}\n", policy+"{}\n")
	r.write(t, catalog, full)
	r.run(t, 0, "git", "add", "-A")
	r.run(t, 0, "git", "commit", "-q", "-m", "a catalog")
	r.base = strings.TrimSpace(r.run(t, 0, "git", "rev-parse", "HEAD"))
	r.write(t, catalog, less)
	r.write(t, "data masks/shop.yaml", policy+"{keep: [person_id]}\n")
	const weaker = "`visits.person_id` | mask → keep: values arrive in clear"
	plain := slices.Clone(r.env)
	r.env = append(r.env, "SANITIZE_POLICY=data masks/shop.yaml", "SANITIZE_CATALOG="+catalog, "SANITIZE_FAIL_ON=critical", "SANITIZE_FAIL_ON_DIFF=weaker",
		"SANITIZE_ACCEPT_WAIVERS=false", "CI_MERGE_REQUEST_DIFF_BASE_SHA="+r.base)
	script := strings.Replace(file.Job.Script[0], `if [ "$audit" != 0 ]`, `if [ 0 != 0 ]`, 1)
	if said := r.run(t, 1, "bash", "-eo", "pipefail", "-c", script); !strings.Contains(said, "#### By the catalog as it was") || !strings.Contains(said, weaker) {
		t.Errorf("the job says\n%s", said)
	}
	// The hook likewise.
	r.env = append(plain, "SANITIZE_AUDIT=no")
	r.run(t, 0, "git", "add", "-A")
	if said := r.run(t, 1, "sh", ciFile(t, "pre-commit")); !strings.Contains(said, "WEAKER    visits.person_id") {
		t.Errorf("the hook says\n%s", said)
	}
}

// The hook, under the strictest shell that is there: as git runs it, and as the
// pre-commit tool does. What counts is what is about to be committed.
func TestPreCommitHook(t *testing.T) {
	t.Parallel()
	hook := ciFile(t, "pre-commit")
	if info, err := os.Stat(hook); err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Fatalf("the hook cannot be run: %v", err)
	}
	r := newCIRepository(t, ciPolicy, ciStronger)
	copyFile(t, hook, filepath.Join(r.dir, ".git", "hooks", "pre-commit"))
	if err := os.Chmod(filepath.Join(r.dir, ".git", "hooks", "pre-commit"), 0o755); err != nil {
		t.Fatal(err)
	}
	audited := len(r.env)
	r.env = append(r.env, "SANITIZE_AUDIT=no")
	commit := func(code int) string {
		t.Helper()
		r.run(t, 0, "git", "add", "-A")
		return r.run(t, code, "git", "commit", "-q", "-m", "a change")
	}
	commit(0)
	r.write(t, "data masks/shop.yaml", ciWeaker)
	said := commit(1)
	if !strings.Contains(said, "WEAKER    people.name") || !strings.Contains(said, "the commit is refused") {
		t.Errorf("the hook says\n%s", said)
	}
	// The folder may be weaker than what is committed, and the other way round.
	r.write(t, "data masks/shop.yaml", ciStronger+"# a comment\n")
	r.run(t, 0, "git", "add", "-A")
	r.write(t, "data masks/shop.yaml", ciWeaker)
	r.run(t, 0, "git", "commit", "-q", "-m", "what is staged is fine")
	r.run(t, 0, "git", "add", "-A")
	r.write(t, "data masks/shop.yaml", ciStronger)
	r.run(t, 1, "git", "commit", "-q", "-m", "what is staged is weaker")
	// The pre-commit tool names the files; what is no policy is passed over.
	r.write(t, "other.yaml", "version: 1\nservices: {}\n")
	r.run(t, 0, "git", "add", "other.yaml")
	if said := r.run(t, 0, "sh", hook, "other.yaml", "README"); said != "" {
		t.Errorf("of files that are no policies the hook says %q", said)
	}
	r.run(t, 1, "sh", hook, "other.yaml", "data masks/shop.yaml")
	r.run(t, 0, "git", "commit", "-q", "--no-verify", "-m", "accepted")
	// The first commit of a repository has nothing to be compared with.
	fresh := &ciRepository{dir: t.TempDir(), env: r.env}
	fresh.run(t, 0, "git", "init", "-q")
	fresh.write(t, "shop.yaml", ciWeaker)
	fresh.run(t, 0, "git", "add", "-A")
	fresh.run(t, 0, "sh", hook)
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "tmp.*", "now")); err != nil || len(left) > 0 {
		t.Errorf("the hook left %v", left)
	}
	// With the audit, the hook refuses what the audit refuses.
	r.env = append(slices.Clone(r.env[:audited]), "SANITIZE_AUDIT=low")
	p := start(t, "audit", filepath.Join(r.dir, "data masks", "shop.yaml"), "--fail-on", "low")
	r.run(t, min(p.wait(t), 1), "sh", hook, "data masks/shop.yaml")
}
