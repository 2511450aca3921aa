package webhook

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// inner are the networks that are not the public internet's and that netip
// has no name for (RFC 6890, RFC 6598, RFC 8215, RFC 6052).
var inner = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"),
}

// gate lets connections through to the public internet and to the networks it
// is given.
type gate []netip.Prefix

// control is a net.Dialer's: it sees the address that is about to be dialled,
// which no later answer of a name server can change.
func (g gate) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("refused to connect: %q is no address", address)
	}
	return g.check(ap.Addr().Unmap().WithZone(""))
}

func (g gate) check(a netip.Addr) error {
	if slices.ContainsFunc(g, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return nil
	}
	what := ""
	switch {
	case a.IsLoopback():
		what = "a loopback address"
	case a.IsLinkLocalUnicast():
		what = "a link-local address"
	case a.IsPrivate():
		what = "a private address"
	case a.IsMulticast(), a.IsUnspecified(), slices.ContainsFunc(inner, func(p netip.Prefix) bool { return p.Contains(a) }):
		what = "an address of special use"
	default:
		return nil
	}
	return fmt.Errorf("refused to connect to %s: it is %s; if that is meant, name its network under allow", a, what)
}
