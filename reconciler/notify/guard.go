package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// ErrPrivateAddress: the sink's name resolves to an address that a webhook must
// not reach.
var ErrPrivateAddress = errors.New("webhooks may not reach this address")

// guardedTransport checks each address after its name is resolved, as it dials, so
// that no name and no second answer of a DNS server gets around it.
func guardedTransport(allowPrivate, loopbackOnly bool) *http.Transport {
	dialer := &net.Dialer{
		Timeout: 10 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return checkAddress(address, allowPrivate, loopbackOnly)
		},
	}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    maxInFlight,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if allowPrivate {
		// Through a proxy, the address that is dialled is the proxy's own.
		transport.Proxy = http.ProxyFromEnvironment
	}
	return transport
}

// checkAddress judges an address and port that is about to be dialled.
func checkAddress(address string, allowPrivate, loopbackOnly bool) error {
	endpoint, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q", ErrPrivateAddress, address)
	}
	ip := endpoint.Addr().Unmap().WithZone("")
	switch {
	case loopbackOnly && !ip.IsLoopback():
		return fmt.Errorf("%w: %s is not loopback, and the url is http; use https", ErrPrivateAddress, ip)
	case allowPrivate:
		return nil
	case !ip.IsGlobalUnicast(), ip.IsPrivate(), isSpecial(ip):
		return fmt.Errorf("%w: %s is not public; set allowPrivate: true on the sink if that is meant", ErrPrivateAddress, ip)
	default:
		return nil
	}
}

// isSpecial reports addresses that are public by form but lead inside, or nowhere
// (IANA special-purpose address registries).
func isSpecial(ip netip.Addr) bool {
	return slices.ContainsFunc([]string{
		"0.0.0.0/8",
		"100.64.0.0/10", // shared by carriers, and by clusters
		"192.0.0.0/24",
		"198.18.0.0/15",
		"240.0.0.0/4",
		"64:ff9b::/96", // IPv4 inside IPv6, as are the next three
		"64:ff9b:1::/48",
		"2001::/32",
		"2002::/16",
		"fec0::/10",
	}, func(block string) bool { return netip.MustParsePrefix(block).Contains(ip) })
}
