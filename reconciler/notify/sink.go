package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// The formats of an event.
const (
	FormatCloudEvents = "cloudevents"
	FormatPlain       = "plain"
)

// check returns where the sink's events go. Its errors do not repeat the URL,
// which may hold a token.
func (s *Sink) check() (*url.URL, error) {
	if s.Name == "" {
		return nil, errors.New("it has no name")
	}
	s.Format = cmp.Or(s.Format, FormatCloudEvents)
	if s.Format != FormatCloudEvents && s.Format != FormatPlain {
		return nil, fmt.Errorf("unknown format %q (known: %s, %s)", s.Format, FormatCloudEvents, FormatPlain)
	}
	for _, glob := range s.Events {
		if err := checkGlob(glob); err != nil {
			return nil, err
		}
	}
	endpoint, err := url.Parse(s.URL)
	if err != nil || endpoint.Host == "" {
		return nil, errors.New("its url is no absolute URL; write https://host/path")
	}
	if endpoint.User != nil {
		return nil, errors.New("its url holds credentials; sign the events with a secret instead")
	}
	switch endpoint.Scheme {
	case "https":
		return endpoint, nil
	case "http":
		if s.AllowPrivate && isLoopback(endpoint.Hostname()) {
			return endpoint, nil
		}
		return nil, errors.New("its url is http; use https (http is for loopback, with allowPrivate: true)")
	default:
		return nil, fmt.Errorf("its url has the scheme %q; use https", endpoint.Scheme)
	}
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

func checkGlob(glob string) error {
	if _, err := path.Match(glob, ""); err != nil {
		return fmt.Errorf("events: %q is no glob: %w", glob, err)
	}
	if !slices.ContainsFunc(deskhand.EventTypes(), func(event deskhand.EventType) bool { return globMatches(glob, event) }) {
		return fmt.Errorf("events: %q matches no event (known: %s)", glob, knownEvents())
	}
	return nil
}

func knownEvents() string {
	names := make([]string, 0, len(deskhand.EventTypes()))
	for _, event := range deskhand.EventTypes() {
		names = append(names, shortName(event))
	}
	return strings.Join(names, ", ")
}

// wants reports whether the sink subscribes to the event.
func (s *Sink) wants(event deskhand.EventType) bool {
	return len(s.Events) == 0 ||
		slices.ContainsFunc(s.Events, func(glob string) bool { return globMatches(glob, event) })
}

func globMatches(glob string, event deskhand.EventType) bool {
	full, _ := path.Match(glob, string(event)) // New checked the syntax
	short, _ := path.Match(glob, shortName(event))
	return full || short
}

// shortName is what follows the last dot of the event's type.
func shortName(event deskhand.EventType) string {
	return string(event[strings.LastIndexByte(string(event), '.')+1:])
}

// fingerprint tells URLs apart without keeping the tokens that they may hold.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
