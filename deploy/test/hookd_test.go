package deploy_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// built is the binary under test, as the image has it.
var built struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir) // a temporary folder; nothing is lost if it stays
	}
	os.Exit(code)
}

// hookdBinary builds hookd once and returns its path.
func hookdBinary(t *testing.T) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "hookd-deploy-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-trimpath", "-o", built.dir, "./cmd/hookd")
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "hookd")
}

// cleanEnv is the environment of this process without hookd's variables.
func cleanEnv(more ...string) []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "HOOKD_") {
			env = append(env, kv)
		}
	}
	return append(env, more...)
}

// run runs hookd to its end and returns what it wrote and its exit code.
func run(t *testing.T, env []string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), hookdBinary(t), args...)
	cmd.Env, cmd.Dir = cleanEnv(env...), t.TempDir()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// secretPath finds the places of secrets in a configuration.
var secretPath = regexp.MustCompile(`/run/(?:secrets|credentials)/[a-zA-Z0-9./-]+`)

// secretPaths lists what a configuration reads of live settings.
func secretPaths(text string) []string {
	var live strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			live.WriteString(line)
		}
	}
	return secretPath.FindAllString(live.String(), -1)
}

// place writes a configuration whose secrets lie below a temporary folder, and
// makes up those that are files. It returns the configuration's path.
func place(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range secretPaths(text) {
		if strings.HasSuffix(path, "-users") {
			continue // the folder of tokens, which may be missing
		}
		name := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("not-a-secret-but-long-enough\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(dir, "hookd.yaml")
	text = secretPath.ReplaceAllStringFunc(text, func(p string) string { return filepath.Join(dir, p) })
	text = strings.ReplaceAll(text, "/var/lib/", dir+"/var/lib/")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
