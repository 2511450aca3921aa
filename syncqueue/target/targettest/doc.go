// Package targettest examines drivers of CI servers, and simulates CI servers.
//
// Run, RunShowing and RunTold are the contracts that the drivers of package
// target pass, against a simulated or a real CI server: a Scene makes things true
// on the forge's side, a World also has users' credentials.
//
// Drone is a Drone 2.x, and Woodpecker a Woodpecker 3.x, that speak the real paths
// and JSON and really read a forge over HTTP. They reproduce what those do wrong,
// as hookd exists because of that. Each flaw cites its origin. "source" is a file
// of harness/harness, branch drone, at 2.28, or of woodpecker-ci/woodpecker at
// v3.17.0; "measured" was seen in a running Drone 2.28.1 or Woodpecker 3.17.0
// beside Gitea 1.25.4.
package targettest
