package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"
)

const unitFile = "../systemd/hookd.service"

// A service is a unit: section.key to its values, in their order.
type service map[string][]string

func readUnit(t *testing.T) service {
	t.Helper()
	f, err := os.Open(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	options, err := unit.DeserializeOptions(f)
	if err != nil {
		t.Fatal(err)
	}
	s := service{}
	for _, o := range options {
		s[o.Section+"."+o.Name] = append(s[o.Section+"."+o.Name], o.Value)
	}
	return s
}

func TestUnitFitsTheProgram(t *testing.T) {
	s := readUnit(t)
	for key, want := range map[string]string{
		// hookd does not notify: with Type=notify it would be killed at its start.
		"Service.Type":                     "exec",
		"Service.ExecStart":                "/usr/local/bin/hookd serve --config /etc/hookd/hookd.yaml",
		"Service.ExecReload":               "/bin/kill -HUP $MAINPID",
		"Service.Restart":                  "on-failure",
		"Service.RestartPreventExitStatus": "78",
		"Service.TimeoutStopSec":           "35s",
		"Service.DynamicUser":              "yes",
		"Service.StateDirectory":           "hookd hookd-users",
		"Service.StateDirectoryMode":       "0700",
		"Install.WantedBy":                 "multi-user.target",
	} {
		if !slices.Equal(s[key], []string{want}) {
			t.Errorf("%s is %q, want %q", key, s[key], want)
		}
	}
	for key := range s {
		if strings.Contains(key, "Environment") {
			t.Errorf("%s: what stands in the environment can be read by whoever may read /proc", key)
		}
	}
}

func TestUnitIsHardened(t *testing.T) {
	s := readUnit(t)
	for _, key := range []string{
		"LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "PrivateTmp", "PrivateUsers",
		"ProtectClock", "ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
		"ProtectKernelTunables", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "RemoveIPC",
	} {
		if !slices.Equal(s["Service."+key], []string{"yes"}) {
			t.Errorf("%s is %q", key, s["Service."+key])
		}
	}
	for key, want := range map[string][]string{
		"CapabilityBoundingSet": {""}, "AmbientCapabilities": {""}, "UMask": {"0077"},
		"ProtectSystem": {"strict"}, "SystemCallArchitectures": {"native"},
		"SystemCallFilter": {"@system-service", "~@privileged @resources"},
	} {
		if !slices.Equal(s["Service."+key], want) {
			t.Errorf("%s is %q, want %q", key, s["Service."+key], want)
		}
	}
}

// Every credential is used, and every secret of the example is a credential.
func TestExampleUsesTheUnitsCredentials(t *testing.T) {
	var loaded, used []string
	for _, c := range readUnit(t)["Service.LoadCredential"] {
		name, from, _ := strings.Cut(c, ":")
		loaded = append(loaded, "/run/credentials/hookd.service/"+name)
		if !filepath.IsAbs(from) {
			t.Errorf("credential %s comes from %q", name, from)
		}
	}
	text := example(t)
	used = secretPaths(text)
	slices.Sort(loaded)
	slices.Sort(used)
	if len(used) == 0 || !slices.Equal(loaded, used) {
		t.Errorf("the unit loads %q, the example reads %q", loaded, used)
	}
	for dir, line := range map[string]string{"hookd": "data_dir: /var/lib/", "hookd-users": "token_dir: /var/lib/"} {
		if !strings.Contains(text, line+dir+"\n") {
			t.Errorf("the example does not use the state folder %s", dir)
		}
	}
}

// systemd itself reads the unit where it is installed: it knows every
// directive, and grades the hardening from 0 (tight) to 100.
func TestSystemdAcceptsTheUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("systemd-analyze is not installed")
	}
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	place := func(text string) string {
		name := filepath.Join(t.TempDir(), "hookd.service")
		// It wants the program to be there.
		text = strings.ReplaceAll(text, "/usr/local/bin/hookd", hookdBinary(t))
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	verify := func(text string) string {
		out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", place(text)).CombinedOutput()
		if err != nil {
			return string(out) + err.Error()
		}
		return string(out)
	}
	if out := verify(string(text)); strings.Contains(out, "hookd.service") {
		t.Error(out)
	}
	if out := verify(strings.Replace(string(text), "ProtectClock=yes", "ProtectClocks=yes", 1)); !strings.Contains(out, "ProtectClocks") {
		t.Errorf("an unknown directive is not noticed: %q", out)
	}
	grade := func(text string) ([]byte, error) {
		return exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", "--threshold=15", place(text)).CombinedOutput()
	}
	if out, err := grade(string(text)); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := grade(strings.Replace(string(text), "CapabilityBoundingSet=\n", "", 1)); err == nil {
		t.Errorf("a unit with all capabilities passes:\n%s", out)
	}
}
