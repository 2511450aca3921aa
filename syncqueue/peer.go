package syncqueue

import (
	"fmt"
	"strings"
)

// A Peer is the forge or CI server that a job asks. Peers have workers, lanes
// and turns of their own, so that one that hangs delays nobody else's jobs. Just
// one of the names is set.
type Peer struct{ Provider, Target string }

// Peer is whom j asks: a publish job its target, any other its provider.
func (j Job) Peer() Peer {
	if j.Kind == KindPublish {
		return Peer{Target: j.Target}
	}
	return Peer{Provider: j.Provider}
}

const (
	providerPeer = "provider/"
	targetPeer   = "target/"
)

func (p Peer) String() string {
	if p.Target != "" {
		return targetPeer + p.Target
	}
	return providerPeer + p.Provider
}

// MarshalText lets a peer be the key of a JSON object.
func (p Peer) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Peer) UnmarshalText(b []byte) error {
	if name, ok := strings.CutPrefix(string(b), providerPeer); ok {
		*p = Peer{Provider: name}
		return nil
	}
	if name, ok := strings.CutPrefix(string(b), targetPeer); ok {
		*p = Peer{Target: name}
		return nil
	}
	return fmt.Errorf("syncqueue: %q is no peer", b)
}

// Compare orders peers: providers before targets, by name.
func (p Peer) Compare(q Peer) int { return strings.Compare(p.String(), q.String()) }
