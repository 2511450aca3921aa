// Package targettest examines drivers of CI servers, and simulates a CI server.
//
// Run, RunShowing and RunTold are the contracts that the drivers of package
// target pass, against a simulated or a real CI server: a Scene makes things true
// on the forge's side, a World also has users' credentials.
//
// Drone is a Drone 2.x that speaks the real paths and JSON and really reads a
// forge over HTTP. It reproduces what Drone does wrong, as hookd exists because
// of that. Each flaw cites its origin: "source" is a file and line of
// harness/harness, branch drone, at 2.28; "measured" was seen in a running
// Drone 2.28.1 beside Gitea 1.25.4.
package targettest
