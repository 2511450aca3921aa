package main

import (
	"maps"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// A ciServer is a simulated CI server, as far as a demo needs one.
type ciServer interface {
	AdminToken() string
	LogIn(login, token, forgeToken string) error
	Shows(login string) []string
	Break(kind targettest.Fault, on string)
	Heal()
	Close()
}

// A demoCI is a ciServer and what differs between them. Its kind is also its
// target's name.
type demoCI struct {
	ciServer
	kind  string
	title string
	url   string

	// activate lets a new repository show at all, as somebody who administers it
	// would; nil where nobody has to.
	activate func(providers.Repo)
}

var demoServers = map[string]func(*world) *demoCI{"drone": demoDrone, "woodpecker": demoWoodpecker}

func ciNames() []string { return slices.Sorted(maps.Keys(demoServers)) }

func demoDrone(w *world) *demoCI {
	w.drone = targettest.StartDrone(targettest.DroneOptions{ForgeURL: w.forge.URL(), Forge: w.forge.dialect, AdminToken: newKey()})
	return &demoCI{ciServer: w.drone, kind: "drone", title: "Drone", url: w.drone.URL}
}

func demoWoodpecker(w *world) *demoCI {
	s := targettest.StartWoodpecker(targettest.WoodpeckerOptions{ForgeURL: w.forge.URL(), Forge: w.forge.dialect, AdminToken: newKey()})
	return &demoCI{
		ciServer: s, kind: "woodpecker", title: "Woodpecker", url: s.URL,
		activate: func(r providers.Repo) { s.Adopt(r.ID, r.Path, "") },
	}
}
