package manifest

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

const (
	defaultsName = "_tier.yaml"
	policyName   = "policy.yaml"
)

// tree is the listing of one load, sorted into what the files are for.
type tree struct {
	root     string
	entries  map[string]Entry // everything below the root, by path
	desktops []string         // sorted
	shared   []string         // YAML files that begin with _ or lie in such a folder, sorted
	links    []string         // symbolic links that may hide definitions
	policy   Entry            // the zero Entry where there is none
	findings []deskhand.Finding
	defaults map[string][]string // by folder: its _tier.yaml and those above it, outermost first
}

func newTree(root string, entries []Entry) *tree {
	t := &tree{
		root:     root,
		entries:  make(map[string]Entry, len(entries)),
		defaults: map[string][]string{},
	}
	for _, entry := range entries {
		inside, below := cutRoot(root, entry.Path)
		if !below {
			continue
		}
		t.entries[entry.Path] = entry
		t.sort(entry, inside)
	}
	slices.Sort(t.desktops)
	slices.Sort(t.shared)
	return t
}

// sort puts the entry, whose path below the root is inside, where it belongs.
func (t *tree) sort(entry Entry, inside string) {
	name := path.Base(inside)
	extension := path.Ext(name)
	isYAML := extension == ".yaml" || extension == ".yml"
	switch {
	case strings.HasPrefix(inside, ".") || strings.Contains(inside, "/."):
	case entry.Symlink && (isYAML || extension == ""):
		// A link without an extension may be a folder of definitions.
		t.findings = append(t.findings, symlinkFinding(entry.Path))
		if !isShared(inside) && inside != policyName {
			t.links = append(t.links, entry.Path)
		}
	case !isYAML:
	case inside == policyName:
		t.policy = entry
	case name == policyName || inside == "policy.yml":
		t.findings = append(t.findings, fileFinding("file/name", entry.Path,
			fmt.Sprintf("rules are read from %s only", path.Join(t.root, policyName)),
			"move the rules there, or give this file another name"))
	case name == "_tier.yml":
		t.findings = append(t.findings, fileFinding("file/name", entry.Path,
			"the defaults of a folder are read from "+defaultsName+" only",
			"rename the file to "+defaultsName))
	case isShared(inside):
		t.shared = append(t.shared, entry.Path)
	default:
		t.desktops = append(t.desktops, entry.Path)
	}
}

// cutRoot returns the part of the path below the root.
func cutRoot(root, name string) (inside string, below bool) {
	if root == "" {
		return name, true
	}
	return strings.CutPrefix(name, root+"/")
}

func isShared(inside string) bool {
	return strings.HasPrefix(inside, "_") || strings.Contains(inside, "/_")
}

// tier is the tier whose folder holds the file, "" for none.
func (t *tree) tier(name string) deskhand.Tier {
	inside, _ := cutRoot(t.root, name)
	folder, _, _ := strings.Cut(inside, "/")
	tier, err := deskhand.ParseTier(folder)
	if err != nil || folder == inside {
		return ""
	}
	return tier
}

// defaultsOf lists the _tier.yaml files that a file in the folder rests on.
func (t *tree) defaultsOf(folder string) []string {
	if folder == "." {
		folder = ""
	}
	if known, ok := t.defaults[folder]; ok {
		return known
	}
	var above []string
	if folder != t.root {
		above = t.defaultsOf(path.Dir(folder))
	}
	list := slices.Clip(above)
	if name := path.Join(folder, defaultsName); !t.entries[name].isZero() {
		list = append(list, name)
	}
	t.defaults[folder] = list
	return list
}

func (e Entry) isZero() bool { return e == Entry{} }
