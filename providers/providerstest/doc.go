// Package providerstest holds what drivers of forges are examined with: the
// contract suites RunHook and RunForge, and simulated forges that speak the
// real wire formats, with faults that can be switched on.
//
// The simulators take no *testing.T: the demo runs on them too, and the linker
// then drops the suites. What they do was measured on real forges or read in their source; each rule says
// which ("measured" means observed on Gitea 1.25.4, a path names its source).
package providerstest
