package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// dockerfile parses the Dockerfile with BuildKit's own reader. What its linter
// says of single instructions is a failure.
func dockerfile(t *testing.T) []instructions.Stage {
	t.Helper()
	text, err := os.ReadFile("../docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range tree.Warnings {
		t.Errorf("%s: %s", w.Short, w.Detail)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, msg string, at []parser.Range) {
		t.Errorf("%v: %s: %s", at, rule, msg)
	}})
	stages, _, err := instructions.Parse(tree.AST, lint)
	if err != nil {
		t.Fatal(err)
	}
	return stages
}

// all returns the instructions of one type of a stage.
func all[C instructions.Command](s instructions.Stage) (out []C) {
	for _, c := range s.Commands {
		if c, ok := c.(C); ok {
			out = append(out, c)
		}
	}
	return out
}

func TestImageIsSmallAndNotRoot(t *testing.T) {
	stages := dockerfile(t)
	if len(stages) != 2 || stages[0].Name != "build" {
		t.Fatalf("%d stages", len(stages))
	}
	last := stages[1]
	if last.BaseName != "gcr.io/distroless/static-debian12:nonroot" {
		t.Errorf("the image is made from %s", last.BaseName)
	}
	if user := all[*instructions.UserCommand](last); len(user) != 1 || user[0].User != "65532:65532" {
		t.Errorf("USER %v", user)
	}
	if ports := all[*instructions.ExposeCommand](last); len(ports) != 1 || !slices.Equal(ports[0].Ports, []string{"8080", "8081"}) {
		t.Errorf("EXPOSE %v", ports)
	}
	if v := all[*instructions.VolumeCommand](last); len(v) != 1 || !slices.Equal(v[0].Volumes, []string{"/var/lib/hookd"}) {
		t.Errorf("VOLUME %v", v)
	}
	if n := len(all[*instructions.RunCommand](last)); n > 0 {
		t.Errorf("%d RUN in an image without a shell", n)
	}
	// A variable of the image would go before the file of whoever uses it.
	if env := all[*instructions.EnvCommand](last); len(env) > 0 {
		t.Errorf("ENV %v", env)
	}
	data := false
	for _, c := range all[*instructions.CopyCommand](last) {
		data = data || c.DestPath == "/var/lib/hookd" && c.Chown == "65532:65532"
	}
	if !data {
		t.Error("the data folder does not belong to the user")
	}
}

// The command lines of the image are those of the program: no shell takes
// them apart, and hookd knows them.
func TestImageRunsHookd(t *testing.T) {
	last := dockerfile(t)[1]
	entry, cmd, health := all[*instructions.EntrypointCommand](last), all[*instructions.CmdCommand](last), all[*instructions.HealthCheckCommand](last)
	if len(entry) != 1 || len(cmd) != 1 || len(health) != 1 {
		t.Fatalf("%d ENTRYPOINT, %d CMD, %d HEALTHCHECK", len(entry), len(cmd), len(health))
	}
	if entry[0].PrependShell || !slices.Equal(entry[0].CmdLine, []string{"/hookd"}) {
		t.Errorf("ENTRYPOINT %v", entry[0].CmdLine)
	}
	if cmd[0].PrependShell {
		t.Errorf("CMD %v needs a shell", cmd[0].CmdLine)
	}
	if test := health[0].Health.Test; !slices.Equal(test, []string{"CMD", "/hookd", "healthcheck"}) {
		t.Errorf("HEALTHCHECK %v", test)
	}
	for _, line := range [][]string{cmd[0].CmdLine, health[0].Health.Test[2:]} {
		if out, code := run(t, nil, append(slices.Clone(line), "--help")...); code != 0 {
			t.Errorf("hookd %v --help: exit code %d:\n%s", line, code, out)
		}
	}
}

func TestImageIsStatic(t *testing.T) {
	var build string
	for _, r := range all[*instructions.RunCommand](dockerfile(t)[0]) {
		build += strings.Join(r.CmdLine, " ")
	}
	for _, want := range []string{"CGO_ENABLED=0", "-trimpath", "./cmd/hookd"} {
		if !strings.Contains(build, want) {
			t.Errorf("no %s in %q", want, build)
		}
	}
}

// Everything that COPY takes from the context is there, and in git.
func TestImageIsMadeOfWhatIsThere(t *testing.T) {
	for _, s := range dockerfile(t) {
		for _, c := range all[*instructions.CopyCommand](s) {
			for _, path := range c.SourcePaths {
				if c.From != "" {
					continue
				}
				if _, err := os.Stat(root + "/" + path); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// The file in the image needs nothing but the environment beside it.
func TestContainerNeedsNoFile(t *testing.T) {
	text, err := os.ReadFile("../docker/hookd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	secrets := place(t, "a: /run/secrets/git-token\nb: /run/secrets/hook-secret\n")
	dir := strings.TrimSuffix(secrets, "hookd.yaml") + "run/secrets/"
	env := []string{
		"HOOKD_PROVIDER_GIT_KIND=gitea", "HOOKD_PROVIDER_GIT_URL=https://git.example.com", "HOOKD_PROVIDER_GIT_ORGS=acme",
		"HOOKD_PROVIDER_GIT_TOKEN_FILE=" + dir + "git-token", "HOOKD_PROVIDER_GIT_SECRET_FILE=" + dir + "hook-secret",
		"HOOKD_TARGET_DRONE_KIND=drone", "HOOKD_TARGET_DRONE_URL=https://drone.example.com", "HOOKD_TARGET_DRONE_TOKEN_DIR=" + dir,
	}
	name := place(t, string(text))
	if out, code := run(t, env, "config", "check", "--config", name); code != 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	for key, want := range map[string]string{"listen": ":8080", "admin_listen": ":8081", "data_dir": "/var/lib/hookd"} {
		if got := value(string(text), key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// The Go tool calls a version dirty when a tracked file is missing, so the
// context has to hold all of them.
func TestContextHoldsEveryTrackedFile(t *testing.T) {
	f, err := os.Open(root + "/.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	patterns, err := ignorefile.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	ls := exec.CommandContext(t.Context(), "git", "ls-files")
	ls.Dir = root
	out, err := ls.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := strings.Fields(string(out))
	if !slices.Contains(files, "go.mod") {
		t.Fatalf("git lists %d files", len(files))
	}
	for _, name := range append(files, ".git/HEAD") {
		if match, err := ignored.MatchesOrParentMatches(name); err != nil || match {
			t.Errorf("%s is not in the context (%v)", name, err)
		}
	}
	for _, name := range []string{"bin/hookd", "data/hookd.db", "cover.out", "storage/bolt/cpu.prof"} {
		if match, err := ignored.MatchesOrParentMatches(name); err != nil || !match {
			t.Errorf("%s is in the context (%v)", name, err)
		}
	}
}
