package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// example is the configuration that people begin with.
func example(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../hookd.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExampleIsAccepted(t *testing.T) {
	if out, code := run(t, nil, "config", "check", "--config", place(t, example(t))); code != 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// The check that the others rely on refuses what is wrong.
func TestWrongConfigurationExits78(t *testing.T) {
	text := example(t)
	for name, broken := range map[string]string{
		"unknown key": strings.Replace(text, "admin_listen:", "admin_lisen:", 1),
		"no mapping":  "listen",
		"not served":  strings.Replace(text, "kind: drone", "kind: jenkins", 1),
	} {
		if out, code := run(t, nil, "config", "check", "--config", place(t, broken)); code != 78 {
			t.Errorf("%s: exit code %d:\n%s", name, code, out)
		}
	}
	missing := place(t, text)
	if err := os.RemoveAll(filepath.Join(filepath.Dir(missing), "run")); err != nil {
		t.Fatal(err)
	}
	if out, code := run(t, nil, "config", "check", "--config", missing); code != 78 || strings.Count(out, "cannot read the secret file") != 3 {
		t.Errorf("without secrets: exit code %d:\n%s", code, out)
	}
}

// A "#" without exactly one space behind it hides a setting with its default,
// so that making it live changes nothing.
func TestExampleCommentsAreTheDefaults(t *testing.T) {
	setting := regexp.MustCompile(`(?m)^#([^ \n].*|  .*)$`)
	text := example(t)
	live := setting.ReplaceAllString(text, "$1")
	// public_url has no default.
	live = strings.Replace(live, "public_url: https://hookd.example.com\n", "", 1)
	for _, section := range []string{"\nlog:\n", "\n    poll:", "\nsync:\n", "\nretention:\n"} {
		if !strings.Contains(live, section) {
			t.Fatalf("no section %q in:\n%s", section, live)
		}
	}
	origin := regexp.MustCompile(` +#.*`)
	show := func(text string) string {
		name := place(t, text)
		out, code := run(t, nil, "config", "show", "--config", name)
		if code != 0 {
			t.Fatalf("exit code %d:\n%s", code, out)
		}
		out = strings.ReplaceAll(out, strings.TrimSuffix(name, "/hookd.yaml"), "")
		return origin.ReplaceAllString(out, "")
	}
	if diff := cmp.Diff(show(text), show(live)); diff != "" {
		t.Errorf("as it is (-), with the comments live (+):\n%s", diff)
	}
}

// An example that keeps silent about a setting hides it.
func TestExampleNamesEverySetting(t *testing.T) {
	text := example(t)
	out, code := run(t, nil, "config", "show", "--config", place(t, text))
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	keys := regexp.MustCompile(`(?m)^[ -]*([a-z_]+):`).FindAllStringSubmatch(out, -1)
	if len(keys) < 30 {
		t.Fatalf("config show names %d settings:\n%s", len(keys), out)
	}
	for _, k := range keys {
		if !strings.Contains(text, k[1]+":") {
			t.Errorf("the example does not name %s", k[1])
		}
	}
}

// configText is the hookd.yaml of a cluster.
func configText(t *testing.T, c *cluster) string {
	t.Helper()
	if len(c.configMaps) != 1 || c.configMaps[0].Data["hookd.yaml"] == "" {
		t.Fatalf("%d ConfigMaps", len(c.configMaps))
	}
	return c.configMaps[0].Data["hookd.yaml"]
}

// The overlays' configuration passes the check of the binary, in the
// environment that Kubernetes may make beside these services.
func TestOverlaysConfigurationIsAccepted(t *testing.T) {
	for _, name := range overlays {
		c := apply(t, name)
		if out, code := run(t, serviceLinks(c), "config", "check", "--config", place(t, configText(t, c))); code != 0 {
			t.Errorf("%s: exit code %d:\n%s", name, code, out)
		}
	}
}

// serviceLinks are the variables that a pod gets if its template does not
// forbid them.
func serviceLinks(c *cluster) []string {
	var env []string
	for _, s := range c.services {
		name := strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
		env = append(env, name+"_SERVICE_HOST=10.0.0.1", name+"_PORT=tcp://10.0.0.1:8080", name+"_SERVICE_PORT=8080",
			name+"_PORT_8080_TCP=tcp://10.0.0.1:8080", name+"_PORT_8080_TCP_ADDR=10.0.0.1")
	}
	return env
}

// What the configuration names has to be where the pod mounts it.
func TestOverlaysConfigurationFitsThePod(t *testing.T) {
	for _, name := range overlays {
		c := apply(t, name)
		text := configText(t, c)
		_, k := c.hookd()
		mounted := func(path string, readOnly bool) bool {
			return slices.ContainsFunc(k.VolumeMounts, func(m corev1.VolumeMount) bool {
				return m.ReadOnly == readOnly && (path == m.MountPath || strings.HasPrefix(path, m.MountPath+"/"))
			})
		}
		paths := secretPaths(text)
		if len(paths) < 3 {
			t.Errorf("%s: only %d secrets come from files", name, len(paths))
		}
		for _, path := range paths {
			if !mounted(path, true) {
				t.Errorf("%s: nothing is mounted at %s", name, path)
			}
		}
		if dir := value(text, "data_dir"); !mounted(dir, false) {
			t.Errorf("%s: data_dir %q is not on a volume", name, dir)
		}
		if !mounted("/etc/hookd/hookd.yaml", true) {
			t.Errorf("%s: hookd.yaml is not where hookd looks for it", name)
		}
		for i, key := range []string{"listen", "admin_listen"} {
			if want := []string{":8080", ":8081"}[i]; value(text, key) != want {
				t.Errorf("%s: %s is %q, but the container's port is %s", name, key, value(text, key), want)
			}
		}
	}
	for ci, port := range map[string]string{"drone": "80", "woodpecker": "8000"} {
		url := regexp.MustCompile(`http://127\.0\.0\.1:` + port + `\b`)
		if !url.MatchString(configText(t, apply(t, "sidecar-"+ci))) {
			t.Errorf("the sidecar does not speak to %s over loopback", ci)
		}
	}
}

// value returns the text of a key at the top level of a configuration.
func value(text, key string) string {
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, key+": "); ok {
			v, _, _ = strings.Cut(v, " #")
			return strings.TrimSpace(v)
		}
	}
	return ""
}
