package webhook

import (
	"encoding/base64"
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestGateLetsThroughWhatIsPublic(t *testing.T) {
	for _, open := range []string{"1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"} {
		if err := gate(nil).control("tcp", net.JoinHostPort(open, "443"), nil); err != nil {
			t.Errorf("%s: %v", open, err)
		}
	}
	for _, shut := range []string{
		"127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
		"100.64.0.1", "fe80::1", "fe80::1%eth0", "fd00::1", "224.0.0.1", "ff02::1", "255.255.255.255",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.0.8", "198.18.0.1",
	} {
		if err := gate(nil).control("tcp", net.JoinHostPort(shut, "443"), nil); err == nil {
			t.Errorf("%s is let through", shut)
		}
	}
	g := gate{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")}
	for _, allowed := range []string{"10.1.2.3", "::ffff:10.1.2.3", "fe80::1%eth0"} {
		if err := g.control("tcp", net.JoinHostPort(allowed, "80"), nil); err != nil {
			t.Errorf("%s: %v", allowed, err)
		}
	}
	if err := g.control("unix", "/run/docker.sock", nil); err == nil {
		t.Error("what is no address is let through")
	}
}

// The example of the specification's own libraries (github.com/standard-webhooks).
func TestSignatureIsThatOfStandardWebhooks(t *testing.T) {
	key, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if key, err := ParseSecret("0123456789abcdef"); err != nil || string(key) != "0123456789abcdef" {
		t.Errorf("%q %v", key, err)
	}
	if _, err := ParseSecret("whsec_" + base64.RawStdEncoding.EncodeToString([]byte("0123456789abcdefg"))); err == nil {
		t.Error("base64 that is cut short is accepted")
	}
}
