package manifest

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/deskhand/deskhand"
)

// maxSources bounds how many files one desktop may be merged from.
const maxSources = 100

// source is one file by itself, parsed.
type source struct {
	path, hash string
	value      *value // without extends; nil where the file is broken
	extends    []target
	configID   string // as far as it can be told, even of a broken file
	findings   []deskhand.Finding
}

// target is what an extends names, relative to the file that says so.
type target struct {
	name string
	at   deskhand.Position
}

// chain is the list of files that a desktop is merged from, in the order in
// which they are applied. A file may be in it twice, because a list of patches
// cannot be merged into one patch: {a: null} and then {a: {b: 1}} is neither.
type chain struct {
	sources  []*source
	parts    []part // each file once, the missing ones included
	faulty   []*source
	missing  []missing
	findings []deskhand.Finding
	overlong bool // there are more than maxSources, and the rest is left out
}

// missing is a file that an extends names and that is not there. It becomes a
// finding with each load, because the hint depends on what files there are.
type missing struct {
	name     string
	at       deskhand.Position
	configID string // of the file that says so
}

// rest notes that the desktop has to be resolved anew when the file changes.
func (c *chain) rest(on part) {
	if !slices.Contains(c.parts, on) {
		c.parts = append(c.parts, on)
	}
}

// extend appends the named file to the chain, after all that it extends. The
// trail are the files that led here.
func (p *pass) extend(c *chain, name string, trail []*source) error {
	source, err := p.source(name)
	if err != nil {
		return err
	}
	return p.extendSource(c, source, trail)
}

func (p *pass) extendSource(c *chain, file *source, trail []*source) error {
	c.rest(part{file.path, file.hash})
	if len(file.findings) > 0 {
		if !slices.Contains(c.faulty, file) {
			c.faulty = append(c.faulty, file)
		}
		return nil
	}
	trail = append(slices.Clip(trail), file)
	for _, target := range file.extends {
		name, problem := p.target(file, target)
		if name != "" {
			c.rest(part{name, p.hash(name)})
		}
		if problem != nil {
			c.findings = append(c.findings, *problem)
			continue
		}
		if _, exists := p.tree.entries[name]; !exists {
			c.missing = append(c.missing, missing{name: name, at: target.at, configID: file.configID})
			continue
		}
		if i := slices.IndexFunc(trail, func(led *source) bool { return led.path == name }); i >= 0 {
			c.findings = append(c.findings, cycleFinding(trail[i:]))
			continue
		}
		if len(c.sources)+len(trail) > maxSources {
			c.findings = append(c.findings, limitFinding(trail[0].extends[0].at))
			c.overlong = true
			return nil
		}
		if err := p.extend(c, name, trail); err != nil || c.overlong {
			return err
		}
	}
	c.sources = append(c.sources, file)
	return nil
}

// target is the path of the file that an extends names, "" for one outside. The
// problem is nil or what is wrong with it.
func (p *pass) target(from *source, target target) (name string, problem *deskhand.Finding) {
	report := func(rule, message, hint string) *deskhand.Finding {
		f := finding(rule, target.at, message, hint)
		f.ConfigID = from.configID
		return &f
	}
	if path.IsAbs(target.name) {
		return "", report("extends/outside", fmt.Sprintf("extends: %s is an absolute path", target.name),
			"write the path relative to this file, such as ../_base/pci.yaml")
	}
	name = path.Join(path.Dir(from.path), target.name)
	if _, below := cutRoot(p.tree.root, name); !below || name == ".." || strings.HasPrefix(name, "../") {
		return "", report("extends/outside", fmt.Sprintf("extends: %s leads out of %s", target.name, p.tree.place()),
			"move the file inside, to _base for example")
	}
	if p.tree.entries[name].Symlink {
		return name, report("file/symlink", fmt.Sprintf("extends: %s is a symbolic link, and links are not followed", name),
			"extend the file that the link leads to")
	}
	return name, nil
}

func (t *tree) place() string {
	if t.root == "" {
		return "the repository"
	}
	return t.root
}

// finding says what is missing, and hints at the shared file most like it.
func (m missing) finding(t *tree) deskhand.Finding {
	best, distance := "", len(m.name)/2
	for _, name := range t.shared {
		if len(name) >= len(m.name)+distance || len(m.name) >= len(name)+distance {
			continue // further away than the best, so not worth the work
		}
		if d := levenshtein.ComputeDistance(name, m.name); d < distance && path.Base(name) != defaultsName {
			best, distance = name, d
		}
	}
	hint := "paths are relative to the file that says extends; create the file or mend the path"
	if best != "" {
		hint = fmt.Sprintf("did you mean %s?", relative(path.Dir(m.at.File), best))
	}
	f := finding("extends/missing", m.at, fmt.Sprintf("extends: %s does not exist", m.name), hint)
	f.ConfigID = m.configID
	return f
}

// relative writes the path as seen from a folder; both are clean and slash-separated.
func relative(folder, name string) string {
	up := ""
	for folder != "." && !strings.HasPrefix(name, folder+"/") {
		folder = path.Dir(folder)
		up += "../"
	}
	return up + strings.TrimPrefix(name, folder+"/")
}

// cycleFinding prints the whole cycle. It begins at the file whose name sorts
// first, so that the same cycle is the same finding wherever it was entered.
func cycleFinding(cycle []*source) deskhand.Finding {
	first := 0
	for i, source := range cycle {
		if source.path < cycle[first].path {
			first = i
		}
	}
	cycle = slices.Concat(cycle[first:], cycle[:first])
	var names strings.Builder
	for _, source := range cycle {
		names.WriteString(source.path + " → ")
	}
	names.WriteString(cycle[0].path)
	next := cycle[1%len(cycle)].path
	at := deskhand.Position{File: cycle[0].path}
	for _, target := range cycle[0].extends {
		if path.Join(path.Dir(cycle[0].path), target.name) == next {
			at = target.at
			break
		}
	}
	return finding("extends/cycle", at, "extends runs in a circle: "+names.String(), "remove one of these extends")
}

func limitFinding(at deskhand.Position) deskhand.Finding {
	return finding("extends/limit", at, fmt.Sprintf("a desktop is merged from more than %d files", maxSources),
		"extend fewer files")
}

// source is the file, parsed once however many desktops rest on it.
func (p *pass) source(name string) (*source, error) {
	p.mu.Lock()
	known := p.sources[name]
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	made, err := p.open(name)
	if err != nil {
		return nil, err
	}
	if made.value != nil {
		if err := made.value.prepare(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.sources[name]; known != nil {
		return known, nil // another goroutine was faster
	}
	p.sources[name] = made
	return made, nil
}

// open reads and parses a file. What is wrong with it is in the source's findings.
func (p *pass) open(name string) (*source, error) {
	entry := p.tree.entries[name]
	made := &source{path: name, hash: entry.Hash}
	if entry.Symlink {
		made.findings = []deskhand.Finding{symlinkFinding(name)}
		return made, nil
	}
	content, err := p.content(entry)
	if errors.Is(err, ErrTooLarge) {
		made.findings = []deskhand.Finding{tooLargeFinding(name, p.maxFileSize)}
		return made, nil
	}
	if err != nil {
		return nil, err
	}
	made.value, made.findings = parse(name, content)
	if made.value == nil {
		made.configID = scanConfigID(content)
	} else {
		made.configID = configID(made.value)
		made.takeExtends() // before the value is shared
	}
	for i := range made.findings {
		made.findings[i].ConfigID = made.configID
	}
	return made, nil
}

// takeExtends moves extends from the value to where it is followed.
func (s *source) takeExtends() {
	said := s.value.fields["extends"]
	if said == nil {
		return
	}
	delete(s.value.fields, "extends")
	items := []*value{said}
	if said.kind == listKind {
		items = said.items
	}
	if len(items) > maxSources {
		s.findings = append(s.findings, limitFinding(said.at))
		return
	}
	for _, item := range items {
		name, isText := item.scalar.(string)
		switch {
		case item == said && said.isNull():
		case !isText || name == "":
			s.findings = append(s.findings, finding("yaml/type", item.at, "extends takes a path or a list of paths",
				"write extends: ../_base/pci.yaml"))
		default:
			s.extends = append(s.extends, target{name: name, at: item.at})
		}
	}
}
