package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// overlays are what people apply.
var overlays = []string{"standalone", "sidecar-drone", "sidecar-woodpecker"}

func (c *cluster) faults() []string { return append(c.podFaults(), c.netFaults()...) }

func TestOverlaysHaveNoFaults(t *testing.T) {
	for _, name := range overlays {
		for _, f := range apply(t, name).faults() {
			t.Errorf("%s: %s", name, f)
		}
	}
}

// The inspection itself is examined: each of these breaks one thing.
func TestInspectionFindsWhatIsWrong(t *testing.T) {
	two, yes, no := int32(2), true, false
	short, root := int64(10), int64(0)
	pod := func(do func(*corev1.PodSpec)) func(*cluster) {
		return func(c *cluster) { w, _ := c.hookd(); do(&w.template.Spec) }
	}
	container := func(do func(*corev1.Container)) func(*cluster) {
		return func(c *cluster) { _, k := c.hookd(); do(k) }
	}
	for want, brk := range map[string]func(*cluster){
		"may run two pods at once":            func(c *cluster) { c.workloads[0].replicas = &two },
		"not exactly one container":           func(c *cluster) { c.workloads = append(c.workloads, c.workloads[0]) },
		"is no service":                       func(c *cluster) { c.workloads[0].set.Spec.ServiceName = "other" },
		"killed before it has drained":        pod(func(p *corev1.PodSpec) { p.TerminationGracePeriodSeconds = &short }),
		"variables of services":               pod(func(p *corev1.PodSpec) { p.EnableServiceLinks = &yes }),
		"token of Kubernetes":                 pod(func(p *corev1.PodSpec) { p.AutomountServiceAccountToken = nil }),
		`account "other" does not exist`:      pod(func(p *corev1.PodSpec) { p.ServiceAccountName = "other" }),
		"do not belong to the group":          pod(func(p *corev1.PodSpec) { p.SecurityContext.FSGroup = &root }),
		"host namespaces":                     pod(func(p *corev1.PodSpec) { p.HostNetwork = true }),
		"there is no ConfigMap":               func(c *cluster) { c.configMaps[0].Name = "hookd" },
		"others may read the secrets":         pod(func(p *corev1.PodSpec) { p.Volumes[1].Secret.DefaultMode = nil }),
		"nobody mounts volume":                pod(func(p *corev1.PodSpec) { p.Volumes = append(p.Volumes, p.Volumes[0]); p.Volumes[3].Name = "x" }),
		"has no securityContext":              container(func(k *corev1.Container) { k.SecurityContext = nil }),
		"does not run as 65532":               container(func(k *corev1.Container) { k.SecurityContext.RunAsUser = &root }),
		"may write to its image":              container(func(k *corev1.Container) { k.SecurityContext.ReadOnlyRootFilesystem = &no }),
		"may gain privileges":                 container(func(k *corev1.Container) { k.SecurityContext.AllowPrivilegeEscalation = nil }),
		"keeps capabilities":                  container(func(k *corev1.Container) { k.SecurityContext.Capabilities.Drop = nil }),
		"has no seccomp profile":              container(func(k *corev1.Container) { k.SecurityContext.SeccompProfile = nil }),
		"does not say what it needs":          container(func(k *corev1.Container) { k.Resources.Limits = nil }),
		"has no startup probe":                container(func(k *corev1.Container) { k.StartupProbe = nil }),
		"liveness probe asks /readyz":         container(func(k *corev1.Container) { k.LivenessProbe.HTTPGet.Path = "/readyz" }),
		"readiness probe asks port hooks":     container(func(k *corev1.Container) { k.ReadinessProbe.HTTPGet.Port = intstr.FromString("hooks") }),
		"liveness probe asks port 80,":        container(func(k *corev1.Container) { k.LivenessProbe.HTTPGet.Port = intstr.FromInt32(80) }),
		"which is no volume":                  container(func(k *corev1.Container) { k.VolumeMounts[0].Name = "x" }),
		"in a wrong way":                      container(func(k *corev1.Container) { k.VolumeMounts[0].SubPath = "x" }),
		"DRONE_RPC_SECRET is given by value":  container(func(k *corev1.Container) { k.Env = append(k.Env, corev1.EnvVar{Name: "DRONE_RPC_SECRET", Value: "x"}) }),
		"service hookd selects 0 workloads":   func(c *cluster) { c.service("hookd").Spec.Selector = map[string]string{"a": "b"} },
		"no container has port 1":             func(c *cluster) { c.service("hookd").Spec.Ports[0].TargetPort = intstr.FromInt32(1) },
		"publishes the admin port":            func(c *cluster) { c.service("hookd-admin").Spec.Type = corev1.ServiceTypeNodePort },
		"nothing publishes the webhooks":      func(c *cluster) { c.ingresses = nil },
		"publishes whatever is asked for":     func(c *cluster) { c.ingresses[0].Spec.DefaultBackend = &networkingv1.IngressBackend{} },
		"takes secrets without TLS":           func(c *cluster) { c.ingresses[0].Spec.TLS = nil },
		"ingress hookd publishes /":           func(c *cluster) { c.ingresses[0].Spec.Rules[0].HTTP.Paths[0].Path = "/" },
		"ingress hookd leads to port 0":       func(c *cluster) { c.services = c.services[1:] },
		"policy hookd does not select":        func(c *cluster) { c.policies[0].Spec.PodSelector.MatchLabels = map[string]string{"a": "b"} },
		"anybody reaches port 8081":           func(c *cluster) { c.policies[0].Spec.Ingress[1].From = nil },
		"anybody reaches port 8080":           func(c *cluster) { c.policies = nil },
		"nobody reaches port 8080":            func(c *cluster) { c.policies[0].Spec.Ingress = c.policies[0].Spec.Ingress[1:] },
		"there are 0 disruption budgets":      func(c *cluster) { c.budgets = nil },
		"keeps nodes from being drained":      func(c *cluster) { c.budgets[0].Spec.MinAvailable = c.budgets[0].Spec.MaxUnavailable },
		"the budget does not select":          func(c *cluster) { c.budgets[0].Spec.Selector.MatchLabels["a"] = "b" },
		"is not restricted":                   container(func(k *corev1.Container) { k.SecurityContext.RunAsNonRoot = nil }),
		"is of a kind that nothing here look": pod(func(p *corev1.PodSpec) { p.Volumes[0].VolumeSource = corev1.VolumeSource{} }),
	} {
		c := apply(t, "standalone")
		brk(c)
		if got := strings.Join(c.faults(), "\n"); !strings.Contains(got, want) {
			t.Errorf("want a fault %q, got:\n%s", want, got)
		}
	}
}

func TestInspectionFindsASidecarThatIsNone(t *testing.T) {
	c := apply(t, "sidecar-drone")
	_, k := c.hookd()
	k.RestartPolicy = nil
	if got := strings.Join(c.faults(), "\n"); !strings.Contains(got, "has to end before the others start") {
		t.Errorf("not found in:\n%s", got)
	}
}

// Overlays that each spell out the container drift apart, unless somebody
// looks.
func TestSidecarIsTheContainerOfTheBase(t *testing.T) {
	for ci, users := range map[string]string{"drone": "", "woodpecker": "woodpecker-users"} {
		alone, aside := apply(t, "standalone"), apply(t, "sidecar-"+ci)
		_, want := alone.hookd()
		_, got := aside.hookd()
		if !isSidecar(*got) || isSidecar(*want) {
			t.Errorf("%s: exactly the overlay's container has to be a sidecar", ci)
		}
		got.RestartPolicy = nil
		for i, m := range want.VolumeMounts {
			if users != "" && m.Name == "hookd-drone-users" {
				want.VolumeMounts[i].Name, want.VolumeMounts[i].MountPath = "hookd-"+users, "/run/secrets/"+users
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: base (-), sidecar (+):\n%s", ci, diff)
		}
	}
}

// Many run Drone as a Deployment: the patch fits that, too.
func TestSidecarFitsADeployment(t *testing.T) {
	fs := filesys.MakeFsInMemory()
	err := filepath.WalkDir(kubernetes, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Base(path) == "drone.yaml" {
			docs := strings.Split(string(text), "---\n")
			for i, doc := range docs {
				if strings.Contains(doc, "kind: StatefulSet") {
					docs[i] = droneDeployment
				}
			}
			text = []byte(strings.Join(docs, "---\n"))
		}
		rel, err := filepath.Rel(kubernetes, path)
		if err != nil {
			return err
		}
		return fs.WriteFile("/"+rel, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	c := applyFrom(t, fs, "/sidecar-drone")
	for _, f := range c.faults() {
		t.Error(f)
	}
	if w, k := c.hookd(); k == nil || w.set != nil || !isSidecar(*k) {
		t.Error("hookd is no sidecar of the Deployment")
	}
}

const droneDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: drone}
spec:
  replicas: 1
  strategy: {type: Recreate}
  selector: {matchLabels: {app.kubernetes.io/name: drone}}
  template:
    metadata: {labels: {app.kubernetes.io/name: drone}}
    spec:
      automountServiceAccountToken: false
      containers:
        - name: drone
          image: drone/drone:2
          ports: [{name: http, containerPort: 80}]
`

// The secrets are made by hand, so the README has to name every one.
func TestReadmeMakesEverySecret(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	for _, m := range regexp.MustCompile(`create secret generic ([a-z-]+)`).FindAllSubmatch(readme, -1) {
		made[string(m[1])] = true
	}
	for _, name := range overlays {
		w, _ := apply(t, name).hookd()
		for _, v := range w.template.Spec.Volumes {
			if v.Secret != nil && !made[v.Secret.SecretName] {
				t.Errorf("%s: nothing in the README makes the Secret %s", name, v.Secret.SecretName)
			}
		}
	}
}
