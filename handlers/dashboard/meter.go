package dashboard

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// A meter counts by key, anew each minute.
type meter struct {
	most int

	mu    sync.Mutex
	since time.Time
	count map[string]int
}

// over counts one and reports whether that is more than there may be.
func (m *meter) over(key string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := now.Sub(m.since); d >= time.Minute || d < 0 || m.count == nil {
		m.since, m.count = now, map[string]int{}
	}
	m.count[key]++
	return m.count[key] > m.most
}

// remote is whom a connection comes from, without regard to headers that
// anybody could write. Whoever has one address of IPv6 has its whole /64.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}
