package main

import (
	"errors"
	"io/fs"
	"os"
)

// An override is a setting given by a flag.
type override struct {
	flag, path, text string
}

// configPlaces are searched when neither --config nor HOOKD_CONFIG is given.
var configPlaces = []string{"hookd.yaml", "/etc/hookd/hookd.yaml"}

// loadConfig reads the configuration and checks all of it. The error is a
// *faults that lists everything that is wrong.
func loadConfig(path string, env environ, over ...override) (*config, error) {
	c, f := readConfig(path, env, over...)
	if c != nil {
		c.check(f)
	}
	if len(f.list) > 0 {
		return nil, f.sorted()
	}
	return c, nil
}

// readConfig reads the layers without looking at what the values mean, and
// without touching a secret file: enough for a command that only has to find
// the server. The config is nil if the file cannot be parsed.
func readConfig(path string, env environ, over ...override) (*config, *faults) {
	c, f := defaults(), &faults{}
	name, text, err := findConfig(path, env)
	if err != nil {
		f.add(origin{File: name}, "cannot read the configuration: %v", errors.Unwrap(err))
		return nil, f
	}
	if name != "" {
		c.source = newSource(name, text)
		f.source = c.source
		if !c.readYAML(f) {
			return nil, f
		}
	}
	c.readEnv(env, f)
	settings := c.table().settings
	for _, o := range over {
		for _, s := range settings {
			if s.path == o.path {
				c.putText(s, s.path, o.text, origin{Flag: o.flag}, f)
			}
		}
	}
	return c, f
}

// findConfig returns the configuration file that was named or found; no name
// means that there is none, and the environment has to do.
func findConfig(path string, env environ) (name string, text []byte, err error) {
	if path == "" {
		path = env.get("HOOKD_CONFIG")
	}
	if path != "" {
		text, err = os.ReadFile(path)
		return path, text, err
	}
	for _, name := range configPlaces {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return name, text, err
	}
	return "", nil, nil
}
