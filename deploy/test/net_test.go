package deploy_test

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// netFaults says what is wrong with how hookd is reached.
func (c *cluster) netFaults() (faults []string) {
	w, k := c.hookd()
	if k == nil {
		return nil // podFaults says so
	}
	faults = append(faults, c.serviceFaults()...)
	faults = append(faults, c.ingressFaults()...)
	faults = append(faults, c.policyFaults(w)...)
	return append(faults, c.budgetFaults(w)...)
}

func (c *cluster) serviceFaults() (faults []string) {
	for _, s := range c.services {
		pods := c.selected(labels.SelectorFromSet(s.Spec.Selector))
		if len(pods) != 1 {
			faults = append(faults, fmt.Sprintf("service %s selects %d workloads", s.Name, len(pods)))
			continue
		}
		for _, p := range s.Spec.Ports {
			n := pods[0].port(p.TargetPort)
			if n == 0 {
				faults = append(faults, fmt.Sprintf("service %s: no container has port %s", s.Name, p.TargetPort.String()))
			}
			if n == 8081 && (s.Spec.Type != corev1.ServiceTypeClusterIP || len(s.Spec.Ports) > 1) {
				faults = append(faults, fmt.Sprintf("service %s publishes the admin port", s.Name))
			}
		}
	}
	return faults
}

// ingressFaults sees to it that the internet reaches the webhooks alone.
func (c *cluster) ingressFaults() (faults []string) {
	if len(c.ingresses) == 0 {
		return []string{"nothing publishes the webhooks"}
	}
	for _, in := range c.ingresses {
		if in.Spec.DefaultBackend != nil {
			faults = append(faults, "ingress "+in.Name+" publishes whatever is asked for")
		}
		if len(in.Spec.TLS) == 0 {
			faults = append(faults, "ingress "+in.Name+" takes secrets without TLS")
		}
		for _, rule := range in.Spec.Rules {
			for _, p := range rule.HTTP.Paths {
				if p.Path != "/hooks" || p.PathType == nil || *p.PathType != networkingv1.PathTypePrefix {
					faults = append(faults, "ingress "+in.Name+" publishes "+p.Path)
				}
				if n := c.behind(p.Backend.Service); n != 8080 {
					faults = append(faults, fmt.Sprintf("ingress %s leads to port %d", in.Name, n))
				}
			}
		}
	}
	return faults
}

// behind returns the container's port that a backend leads to, 0 if none.
func (c *cluster) behind(b *networkingv1.IngressServiceBackend) int32 {
	if b == nil {
		return 0
	}
	s := c.service(b.Name)
	if s == nil {
		return 0
	}
	for _, p := range s.Spec.Ports {
		if p.Name == b.Port.Name && p.Name != "" || p.Port == b.Port.Number {
			for _, w := range c.selected(labels.SelectorFromSet(s.Spec.Selector)) {
				return w.port(p.TargetPort)
			}
		}
	}
	return 0
}

// policyFaults asks of each port of hookd's pod who may reach it: policies add
// up, and a pod that none selects is open.
func (c *cluster) policyFaults(w workload) (faults []string) {
	type opening struct{ closed, peers, anybody bool }
	open := map[int32]opening{}
	for _, k := range w.containers() {
		for _, p := range k.Ports {
			open[p.ContainerPort] = opening{}
		}
	}
	for _, np := range c.policies {
		by, err := metav1.LabelSelectorAsSelector(&np.Spec.PodSelector)
		if err != nil || !by.Matches(labels.Set(w.template.Labels)) {
			faults = append(faults, fmt.Sprintf("policy %s does not select %s", np.Name, w.name))
			continue
		}
		for n, o := range open {
			o.closed = o.closed || slices.Contains(np.Spec.PolicyTypes, networkingv1.PolicyTypeIngress)
			for _, rule := range np.Spec.Ingress {
				if len(rule.Ports) == 0 || slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool {
					return p.Port != nil && w.port(*p.Port) == n
				}) {
					o.peers = o.peers || len(rule.From) > 0
					o.anybody = o.anybody || len(rule.From) == 0
				}
			}
			open[n] = o
		}
	}
	for n, o := range open {
		ours := n == 8080 || n == 8081
		switch {
		case !o.closed || ours && o.anybody:
			faults = append(faults, fmt.Sprintf("anybody reaches port %d", n))
		case !o.peers && !o.anybody:
			faults = append(faults, fmt.Sprintf("nobody reaches port %d", n))
		}
	}
	return faults
}

func (c *cluster) budgetFaults(w workload) (faults []string) {
	if len(c.budgets) != 1 {
		return []string{fmt.Sprintf("there are %d disruption budgets", len(c.budgets))}
	}
	b := c.budgets[0]
	if b.Spec.MinAvailable != nil || b.Spec.MaxUnavailable == nil || *b.Spec.MaxUnavailable != intstr.FromInt32(1) {
		faults = append(faults, "the budget keeps nodes from being drained")
	}
	if by, err := metav1.LabelSelectorAsSelector(b.Spec.Selector); err != nil || !by.Matches(labels.Set(w.template.Labels)) {
		faults = append(faults, "the budget does not select "+w.name)
	}
	return faults
}
