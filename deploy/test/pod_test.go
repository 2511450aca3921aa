package deploy_test

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

const (
	nonroot      = 65532 // the user of the image
	drainSeconds = 25
)

// podFaults says what is wrong with hookd's pod.
func (c *cluster) podFaults() (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	w, k := c.hookd()
	if k == nil {
		return []string{"there is not exactly one container hookd: the data file has one writer"}
	}
	if w.replicas == nil || *w.replicas != 1 || w.rolling {
		fault("%s may run two pods at once: the data file has one writer", w.name)
	}
	if w.set != nil && c.service(w.set.Spec.ServiceName) == nil {
		fault("%s: serviceName %q is no service", w.name, w.set.Spec.ServiceName)
	}
	spec := &w.template.Spec
	if grace := spec.TerminationGracePeriodSeconds; grace == nil || *grace < drainSeconds+5 {
		fault("%s is killed before it has drained", w.name)
	}
	if spec.EnableServiceLinks == nil || *spec.EnableServiceLinks {
		fault("%s: Kubernetes puts variables of services into the environment", w.name)
	}
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		fault("%s holds a token of Kubernetes, which it has no use for", w.name)
	}
	if name := spec.ServiceAccountName; name != "" && !slices.ContainsFunc(c.accounts, func(a *corev1.ServiceAccount) bool { return a.Name == name }) {
		fault("%s: account %q does not exist", w.name, name)
	}
	if sc := spec.SecurityContext; sc == nil || sc.FSGroup == nil || *sc.FSGroup != nonroot {
		fault("%s: the volumes do not belong to the group %d", w.name, nonroot)
	}
	for _, level := range c.namespaces {
		faults = append(faults, securityFaults(level, w)...)
	}
	faults = append(faults, privilegeFaults(*k)...)
	faults = append(faults, probeFaults(*k)...)
	faults = append(faults, c.volumeFaults(w)...)
	for _, k := range w.containers() {
		faults = append(faults, envFaults(k)...)
	}
	if !slices.ContainsFunc(spec.Containers, func(k corev1.Container) bool { return k.Name == "hookd" }) && !isSidecar(*k) {
		fault("hookd is an init container that has to end before the others start")
	}
	return faults
}

// securityFaults asks the admission controller's own rules, at the level that
// the namespace enforces: baseline if it names none.
func securityFaults(ns *corev1.Namespace, w workload) (faults []string) {
	level := psa.Level(ns.Labels[psa.EnforceLevelLabel])
	if level == "" {
		level = psa.LevelBaseline
	}
	rules, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	for _, r := range rules.EvaluatePod(psa.LevelVersion{Level: level, Version: psa.LatestVersion()}, &w.template.ObjectMeta, &w.template.Spec) {
		if !r.Allowed {
			faults = append(faults, fmt.Sprintf("%s is not %s: %s: %s", w.name, level, r.ForbiddenReason, r.ForbiddenDetail))
		}
	}
	return faults
}

// privilegeFaults looks at what the level of a namespace does not ask for, or
// not of this container alone.
func privilegeFaults(k corev1.Container) (faults []string) {
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Sprintf("container %s "+format, append([]any{k.Name}, args...)...))
	}
	sc := k.SecurityContext
	if sc == nil {
		fault("has no securityContext")
		return faults
	}
	if sc.RunAsNonRoot == nil || !*sc.RunAsNonRoot || sc.RunAsUser == nil || *sc.RunAsUser != nonroot {
		fault("does not run as %d", nonroot)
	}
	if sc.ReadOnlyRootFilesystem == nil || !*sc.ReadOnlyRootFilesystem {
		fault("may write to its image")
	}
	if sc.AllowPrivilegeEscalation == nil || *sc.AllowPrivilegeEscalation {
		fault("may gain privileges")
	}
	if sc.Capabilities == nil || !slices.Equal(sc.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(sc.Capabilities.Add) > 0 {
		fault("keeps capabilities")
	}
	if sc.SeccompProfile == nil || sc.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		fault("has no seccomp profile")
	}
	if k.Resources.Limits.Memory().IsZero() || k.Resources.Requests.Memory().IsZero() || k.Resources.Requests.Cpu().IsZero() {
		fault("does not say what it needs")
	}
	return faults
}

// probeFaults compares the probes with what hookd serves where: /livez on both
// ports, /readyz on the admin port alone.
func probeFaults(k corev1.Container) (faults []string) {
	for name, p := range map[string]*corev1.Probe{"startup": k.StartupProbe, "liveness": k.LivenessProbe, "readiness": k.ReadinessProbe} {
		want := "/readyz"
		if name == "liveness" {
			want = "/livez"
		}
		switch {
		case p == nil || p.HTTPGet == nil:
			faults = append(faults, fmt.Sprintf("container %s has no %s probe", k.Name, name))
		case p.HTTPGet.Path != want:
			faults = append(faults, fmt.Sprintf("container %s: %s probe asks %s", k.Name, name, p.HTTPGet.Path))
		default:
			if n := port(k, p.HTTPGet.Port); n != 8081 && (want != "/livez" || n != 8080) {
				faults = append(faults, fmt.Sprintf("container %s: %s probe asks port %s, which does not serve %s", k.Name, name, p.HTTPGet.Port.String(), want))
			}
		}
	}
	return faults
}

// volumeFaults follows every mount of the pod to what is mounted.
func (c *cluster) volumeFaults(w workload) (faults []string) {
	fault := func(format string, args ...any) {
		faults = append(faults, w.name+": "+fmt.Sprintf(format, args...))
	}
	volumes := map[string]bool{}
	for _, claim := range w.claims {
		volumes[claim.Name] = true
	}
	for _, v := range w.template.Spec.Volumes {
		volumes[v.Name] = true
		switch {
		case v.ConfigMap != nil:
			if !slices.ContainsFunc(c.configMaps, func(m *corev1.ConfigMap) bool { return m.Name == v.ConfigMap.Name }) {
				fault("volume %s: there is no ConfigMap %s", v.Name, v.ConfigMap.Name)
			}
		case v.PersistentVolumeClaim != nil:
			if !slices.ContainsFunc(c.claims, func(p *corev1.PersistentVolumeClaim) bool { return p.Name == v.PersistentVolumeClaim.ClaimName }) {
				fault("volume %s: there is no claim %s", v.Name, v.PersistentVolumeClaim.ClaimName)
			}
		case v.Secret != nil:
			if m := v.Secret.DefaultMode; m == nil || *m != 0o440 {
				fault("volume %s: others may read the secrets, or hookd may not", v.Name)
			}
		default:
			fault("volume %s is of a kind that nothing here looks at", v.Name)
		}
	}
	used := map[string]bool{}
	for _, k := range slices.Concat(w.template.Spec.InitContainers, w.template.Spec.Containers) {
		for _, m := range k.VolumeMounts {
			used[m.Name] = true
			if !volumes[m.Name] {
				fault("container %s mounts %s, which is no volume", k.Name, m.Name)
			}
			// A file mounted by subPath never changes with its Secret.
			if m.SubPath != "" || !path.IsAbs(m.MountPath) {
				fault("container %s mounts %s in a wrong way", k.Name, m.Name)
			}
		}
	}
	for name := range volumes {
		if !used[name] {
			fault("nobody mounts volume %s", name)
		}
	}
	return faults
}

// envFaults finds secrets that stand in the manifest, and in `kubectl describe`.
func envFaults(k corev1.Container) (faults []string) {
	for _, e := range k.Env {
		name := strings.TrimSuffix(e.Name, "_FILE")
		for _, word := range []string{"SECRET", "TOKEN", "PASSWORD", "KEY", "DATASOURCE"} {
			if strings.Contains(name, word) && name == e.Name && e.Value != "" {
				faults = append(faults, fmt.Sprintf("container %s: %s is given by value", k.Name, e.Name))
				break
			}
		}
	}
	return faults
}
