package deploy_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const kubernetes = "../kubernetes/"

// strict decodes the kinds of Kubernetes that hookd's manifests use. A field
// that the kind does not have is an error, and so is any other kind.
var strict = func() runtime.Decoder {
	s := runtime.NewScheme()
	utilruntime.Must(corev1.AddToScheme(s))
	utilruntime.Must(appsv1.AddToScheme(s))
	utilruntime.Must(networkingv1.AddToScheme(s))
	utilruntime.Must(policyv1.AddToScheme(s))
	return serializer.NewCodecFactory(s, serializer.EnableStrict).UniversalDeserializer()
}()

// A cluster is what applying one kustomization leaves in a namespace.
type cluster struct {
	configMaps []*corev1.ConfigMap
	services   []*corev1.Service
	accounts   []*corev1.ServiceAccount
	claims     []*corev1.PersistentVolumeClaim
	namespaces []*corev1.Namespace
	workloads  []workload
	budgets    []*policyv1.PodDisruptionBudget
	policies   []*networkingv1.NetworkPolicy
	ingresses  []*networkingv1.Ingress
}

// A workload is a StatefulSet or a Deployment.
type workload struct {
	name     string
	replicas *int32
	template *corev1.PodTemplateSpec
	claims   []corev1.PersistentVolumeClaim
	set      *appsv1.StatefulSet // nil if it is a Deployment
	rolling  bool                // a Deployment that starts the new pod before the old one ends
}

// apply builds a kustomization and decodes what comes out.
func apply(t *testing.T, name string) *cluster {
	t.Helper()
	return applyFrom(t, filesys.MakeFsOnDisk(), kubernetes+name)
}

func applyFrom(t *testing.T, fs filesys.FileSystem, name string) *cluster {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fs, name)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{}
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		o, _, err := strict.Decode(text, nil, nil)
		if err != nil {
			t.Fatalf("%s: %s: %v", name, r.CurId(), err)
		}
		c.add(t, o)
	}
	return c
}

func (c *cluster) add(t *testing.T, o runtime.Object) {
	t.Helper()
	switch o := o.(type) {
	case *corev1.ConfigMap:
		c.configMaps = append(c.configMaps, o)
	case *corev1.Service:
		c.services = append(c.services, o)
	case *corev1.ServiceAccount:
		c.accounts = append(c.accounts, o)
	case *corev1.PersistentVolumeClaim:
		c.claims = append(c.claims, o)
	case *corev1.Namespace:
		c.namespaces = append(c.namespaces, o)
	case *appsv1.StatefulSet:
		c.workloads = append(c.workloads, workload{
			name: o.Name, replicas: o.Spec.Replicas, template: &o.Spec.Template, claims: o.Spec.VolumeClaimTemplates, set: o,
		})
	case *appsv1.Deployment:
		c.workloads = append(c.workloads, workload{
			name: o.Name, replicas: o.Spec.Replicas, template: &o.Spec.Template,
			rolling: o.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType,
		})
	case *policyv1.PodDisruptionBudget:
		c.budgets = append(c.budgets, o)
	case *networkingv1.NetworkPolicy:
		c.policies = append(c.policies, o)
	case *networkingv1.Ingress:
		c.ingresses = append(c.ingresses, o)
	default:
		t.Fatalf("%T: nothing here looks at such an object", o)
	}
}

func TestUnknownFieldsAreErrors(t *testing.T) {
	for _, text := range []string{
		"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1, targetprot: 2}]}",
		"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: ClusterIP, type: NodePort}",
		"apiVersion: v2\nkind: Service\nmetadata: {name: a}",
	} {
		if _, _, err := strict.Decode([]byte(text), nil, nil); err == nil {
			t.Errorf("accepted:\n%s", text)
		}
	}
}
