package deploy_test

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// hookd returns the workload in whose pod hookd runs, and hookd's container.
// There is nothing to return if that is none, or more than one.
func (c *cluster) hookd() (workload, *corev1.Container) {
	var (
		w  workload
		k  *corev1.Container
		ns int
	)
	for _, x := range c.workloads {
		spec := &x.template.Spec
		for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
			for i := range list {
				if list[i].Name == "hookd" {
					w, k, ns = x, &list[i], ns+1
				}
			}
		}
	}
	if ns != 1 {
		return workload{}, nil
	}
	return w, k
}

// containers are all containers of a workload's pod that go on running.
func (w workload) containers() []corev1.Container {
	running := slices.Clone(w.template.Spec.Containers)
	for _, k := range w.template.Spec.InitContainers {
		if isSidecar(k) {
			running = append(running, k)
		}
	}
	return running
}

// A sidecar is an init container that is restarted always: the others start
// when it has, and it ends when they have.
func isSidecar(k corev1.Container) bool {
	return k.RestartPolicy != nil && *k.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// port returns the number of the port that a name or number means for k, 0 if
// k has none such.
func port(k corev1.Container, p intstr.IntOrString) int32 {
	for _, has := range k.Ports {
		if p.Type == intstr.String && has.Name == p.StrVal || p.Type == intstr.Int && has.ContainerPort == p.IntVal {
			return has.ContainerPort
		}
	}
	return 0
}

// port returns the number of a port of any container of the pod, 0 if there is
// none such.
func (w workload) port(p intstr.IntOrString) int32 {
	for _, k := range w.containers() {
		if n := port(k, p); n != 0 {
			return n
		}
	}
	return 0
}

// selected returns the workloads that a selector picks.
func (c *cluster) selected(by labels.Selector) []workload {
	var out []workload
	for _, w := range c.workloads {
		if !by.Empty() && by.Matches(labels.Set(w.template.Labels)) {
			out = append(out, w)
		}
	}
	return out
}

// service returns the service of a name, nil if there is none.
func (c *cluster) service(name string) *corev1.Service {
	for _, s := range c.services {
		if s.Name == name {
			return s
		}
	}
	return nil
}
