package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// browserRules are about where the desktop runs.
func browserRules() []Rule {
	return []Rule{
		{
			ID:       "browser/versions",
			Severity: deskhand.SeverityError,
			What:     "Supported browsers are known ones (chrome, edge, firefox, safari), each once and with a minimum version that is a version.",
			Why:      "A browser without a minimum is supported in any age, with its flaws; the reserved keys are looked up by these names, too.",
			Mend:     "Give each supported browser a minimum version, such as chrome: \"114\".",
			Good: `# desktops/standard/voice.yaml
browserCompatibility: {supportedBrowsers: [chrome, firefox], minimumVersions: {chrome: "114", firefox: "128.3"}}
`,
			Bad: `# desktops/standard/voice.yaml
browserCompatibility: {supportedBrowsers: [chrome, firefox], minimumVersions: {chrome: latest}}
`,
			check: browserVersions,
		},
	}
}

var versionPattern = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,6}){0,3}$`)

func browserNames() []string { return []string{"chrome", "edge", "firefox", "safari"} }

func browserVersions(on subject) []fault {
	const at = deskhand.Pointer("/browserCompatibility")
	var faults []fault
	for i, name := range on.Browsers.Supported {
		entry := at.Child("supportedBrowsers").Index(i)
		_, hasVersion := on.Browsers.MinimumVersions[name]
		switch {
		case !slices.Contains(browserNames(), name):
			faults = append(faults, unknownBrowser(entry, name))
		case slices.Index(on.Browsers.Supported, name) < i:
			faults = append(faults, fault{
				at: entry, message: fmt.Sprintf("the browser %s is in supportedBrowsers twice", name), hint: "remove one of them",
			})
		case !hasVersion:
			faults = append(faults, fault{
				at: entry, message: fmt.Sprintf("the browser %s has no minimum version", name),
				hint: fmt.Sprintf("add it to minimumVersions: {%s: \"114\"}", name),
			})
		}
	}
	for _, name := range sortedKeys(on.Browsers.MinimumVersions) {
		version := on.Browsers.MinimumVersions[name]
		entry := at.Child("minimumVersions").Child(name)
		switch {
		case !slices.Contains(browserNames(), name):
			faults = append(faults, unknownBrowser(entry, name))
		case !versionPattern.MatchString(version):
			faults = append(faults, fault{
				at: entry, message: fmt.Sprintf("%q is no version of %s", shorten(version), name),
				hint: "write numbers joined by dots, such as \"114\" or \"114.0.5735\"",
			})
		case !slices.Contains(on.Browsers.Supported, name):
			faults = append(faults, fault{
				at: entry, severity: deskhand.SeverityInfo,
				message: fmt.Sprintf("%s has a minimum version and is not supported", name),
				hint:    "add it to supportedBrowsers, or remove the version",
			})
		}
	}
	return faults
}

func unknownBrowser(at deskhand.Pointer, name string) fault {
	found := fault{
		at: at, message: fmt.Sprintf("unknown browser %q", shorten(name)),
		hint: "known browsers: " + strings.Join(browserNames(), ", "),
	}
	if near, isNear := nearest(name, browserNames()); isNear {
		found.hint = fmt.Sprintf("did you mean %q?", near)
	}
	return found
}
