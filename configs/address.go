package configs

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// Local reports whether the source is a repository on this machine's disk.
func (s Source) Local() bool { return localRepository(s.URL) }

// Local reports whether the audit branch is in another repository of its own on
// this machine's disk.
func (a Audit) Local() bool { return localRepository(a.URL) }

// scpLike is git's short way of writing an ssh URL, host:path. One letter
// before the colon is a drive of Windows.
var scpLike = regexp.MustCompile(`^([^/@]+@[^/:]+|[^/:]{2,}):`)

func localRepository(address string) bool {
	return address != "" && !strings.Contains(address, "://") && !scpLike.MatchString(address)
}

// repository checks the address of a git repository.
func (v *validator) repository(path, address string) {
	switch scheme, _, isURL := strings.Cut(address, "://"); {
	case localRepository(address):
	case !isURL || strings.HasPrefix(scheme, "ssh") || scheme == "git+ssh":
		v.add(path, "ssh is not available in this version", "use an https URL with source.auth, or a local path")
	case scheme == "file":
		v.add(path, "a file URL is not understood", "write the path alone, without file://")
	default:
		v.web(path, address)
	}
}

// web checks a URL that credentials or records are sent to, and returns it, or
// nil where it is none.
func (v *validator) web(path, address string) *url.URL {
	const hint = "write it like https://host/path"
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Host == "" || parsed.Hostname() == "":
		v.add(path, "it is not a URL", hint) // the parser's error would repeat a password
	case parsed.User != nil:
		v.add(path, "it holds credentials", "take them out of the URL and use the settings for them")
	case parsed.Fragment != "":
		v.add(path, "it holds a fragment (#)", "remove it")
	case parsed.Scheme == "http" && !loopback(parsed.Hostname()):
		v.add(path, "http would send credentials unencrypted", "use https; http is only for loopback addresses")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		v.add(path, "it is not an https URL", hint)
	default:
		return parsed
	}
	return nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}
