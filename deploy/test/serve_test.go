package deploy_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// A server is `hookd serve` as a process.
type server struct {
	cmd           *exec.Cmd
	config        string
	listen, admin string         // addresses
	logs          chan logRecord // closed when the process has ended
}

type logRecord struct{ Msg, Listen, Admin string }

// serve starts hookd with the sidecar's configuration, on ports that are free.
// Neither the forge nor Drone is there: the configuration's names are replaced
// by an address that refuses.
func serve(t *testing.T) *server {
	t.Helper()
	s := &server{config: place(t, configText(t, apply(t, "sidecar-drone"))), logs: make(chan logRecord, 1000)}
	s.cmd = exec.Command(hookdBinary(t), "serve", "--config", s.config)
	s.cmd.Dir = t.TempDir()
	s.cmd.Env = cleanEnv("HOOKD_LISTEN=127.0.0.1:0", "HOOKD_ADMIN_LISTEN=127.0.0.1:0",
		"HOOKD_PROVIDER_GIT_URL=http://127.0.0.1:1", "HOOKD_TARGET_DRONE_URL=http://127.0.0.1:1")
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // fails if it has ended, which is fine
	go func() {
		defer close(s.logs)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			var r logRecord
			if json.Unmarshal(lines.Bytes(), &r) == nil {
				s.logs <- r
			}
		}
	}()
	r := s.await(t, "hookd is ready")
	s.listen, s.admin = "http://"+r.Listen, "http://"+r.Admin
	return s
}

// await returns the next record of a message.
func (s *server) await(t *testing.T, msg string) logRecord {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case r, ok := <-s.logs:
			if !ok {
				t.Fatalf("hookd ended without saying %q", msg)
			}
			if r.Msg == msg {
				return r
			}
		case <-limit:
			t.Fatalf("hookd has not said %q for a minute", msg)
		}
	}
}

// stop sends a signal and returns the exit code.
func (s *server) stop(t *testing.T, sig syscall.Signal) int {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	for range s.logs { // until it has ended
	}
	_ = s.cmd.Wait() // the exit code says it
	return s.cmd.ProcessState.ExitCode()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// Drone is started when the sidecar is ready, so the sidecar must not wait for
// Drone. The probes ask what is asked here.
func TestSidecarIsReadyBeforeDrone(t *testing.T) {
	s := serve(t)
	for url, want := range map[string]int{
		s.admin + "/readyz": 200, s.admin + "/livez": 200, s.listen + "/livez": 200,
		// The webhooks' port serves nothing that the ingress should not publish.
		s.listen + "/readyz": 404, s.listen + "/metrics": 404, s.listen + "/api/v1/users": 404,
	} {
		if code, body := get(t, url); code != want {
			t.Errorf("%s: %d, want %d\n%s", url, code, want, body)
		}
	}
	if out, code := run(t, []string{"HOOKD_ADMIN=" + s.admin}, "healthcheck"); code != 0 {
		t.Errorf("healthcheck: exit code %d:\n%s", code, out)
	}
	begun := time.Now()
	if code := s.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
	if took := time.Since(begun); took > drainSeconds*time.Second {
		t.Errorf("SIGTERM: hookd took %s to end, and would be killed", took)
	}
	if out, code := run(t, []string{"HOOKD_ADMIN=" + s.admin}, "healthcheck"); code != 1 {
		t.Errorf("healthcheck of nobody: exit code %d:\n%s", code, out)
	}
}

// A label or a value that no series has is an alert that never fires.
func TestAlertsGoByLabelsOfHookd(t *testing.T) {
	s := serve(t)
	_, text := get(t, s.admin+"/metrics")
	series := map[string][]map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(hookd_[a-z_]+)(?:\{(.*)\})? `).FindAllStringSubmatch(text, -1) {
		of := map[string]string{}
		for _, kv := range regexp.MustCompile(`([a-z_]+)="([^"]*)"`).FindAllStringSubmatch(m[2], -1) {
			of[kv[1]] = kv[2]
		}
		series[m[1]] = append(series[m[1]], of)
	}
	looked := 0
	for _, r := range alerts(t) {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
		if err != nil {
			t.Fatal(err)
		}
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			if v, ok := n.(*parser.VectorSelector); ok {
				looked++
				if !slices.ContainsFunc(series[v.Name], func(of map[string]string) bool { return selects(v.LabelMatchers, of) }) {
					t.Errorf("%s: of %d series, none is %s", r.Alert, len(series[v.Name]), v)
				}
			}
			return nil
		})
		for _, m := range regexp.MustCompile(`by \(([a-z]+)\) \([a-z]*\(?(hookd_[a-z_]+)`).FindAllStringSubmatch(r.Expr, -1) {
			if !slices.ContainsFunc(series[m[2]], func(of map[string]string) bool { return of[m[1]] != "" }) {
				t.Errorf("%s: %s has no label %s", r.Alert, m[2], m[1])
			}
		}
	}
	if looked < 15 {
		t.Errorf("the rules select %d times", looked)
	}
	if code := s.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func selects(by []*labels.Matcher, of map[string]string) bool {
	return !slices.ContainsFunc(by, func(m *labels.Matcher) bool {
		return m.Name != model.MetricNameLabel && !m.Matches(of[m.Name])
	})
}

// The unit's ExecReload must not take hookd down, whatever is in the file.
func TestReloadKeepsRunning(t *testing.T) {
	s := serve(t)
	reload := func(says string) {
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.await(t, says)
		if code, _ := get(t, s.admin+"/readyz"); code != 200 {
			t.Errorf("/readyz after %q: %d", says, code)
		}
	}
	reload("reloaded: secrets, tokens and the log level are those of now")
	if err := os.WriteFile(s.config, []byte("providers: none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reload("reload: the old configuration stays")
	if code := s.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
