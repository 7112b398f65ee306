package manifest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand"
)

// pass is one Load under way.
type pass struct {
	tree        *tree
	maxFileSize int
	names       []*interner
	read        func(Entry) ([]byte, error)
	previous    map[string]*resolved
	changes     changes

	reading sync.Mutex // held while read runs, because git access has one owner
	mu      sync.Mutex // guards sources
	sources map[string]*source

	resolved   map[string]*resolved
	findings   []deskhand.Finding // about files that no desktop needs to rest on
	missing    []missing          // likewise
	policy     *deskhand.File
	policyHash string
	stats      Stats
}

// resolved is a desktop and what it rests on.
type resolved struct {
	parts    []part   // every file it was made of, and those it missed
	defaults []string // the _tier.yaml files among them, shared by the folder
	desktop  deskhand.Desktop
	readable bool
	faulty   []*source          // the files whose findings keep it from being read
	missing  []missing          // likewise, the files that are not there
	findings []deskhand.Finding // its own
}

// part is a file that a desktop rests on; the hash is "" while it is missing.
type part struct{ path, hash string }

func newPass(l *Loader, tree *tree, read func(Entry) ([]byte, error)) *pass {
	p := &pass{
		tree:        tree,
		maxFileSize: l.maxFileSize,
		names:       l.names,
		read:        read,
		previous:    l.resolved,
		changes:     compare(l.entries, tree.entries),
		sources:     make(map[string]*source, len(l.sources)),
		resolved:    make(map[string]*resolved, len(tree.desktops)),
		policy:      l.policy,
		policyHash:  l.policyHash,
	}
	for name, source := range l.sources {
		if !p.changes.paths[name] {
			p.sources[name] = source
		}
	}
	return p
}

// changes are the files that came, went or changed since the load before.
type changes struct {
	paths    map[string]bool
	defaults bool // a _tier.yaml came or went
}

func compare(before, after map[string]Entry) changes {
	found := changes{paths: map[string]bool{}}
	add := func(name string, moved bool) {
		found.paths[name] = true
		found.defaults = found.defaults || moved && path.Base(name) == defaultsName
	}
	kept := 0
	for name, entry := range after {
		known, existed := before[name]
		if existed {
			kept++
		}
		if known.Hash != entry.Hash || known.Symlink != entry.Symlink {
			add(name, !existed)
		}
	}
	if kept == len(before) {
		return found
	}
	for name := range before {
		if _, exists := after[name]; !exists {
			add(name, true)
		}
	}
	return found
}

// hash is the file's hash in this listing, "" where it is missing.
func (p *pass) hash(name string) string { return p.tree.entries[name].Hash }

func (p *pass) run(ctx context.Context) error {
	if err := p.readPolicy(); err != nil {
		return err
	}
	if err := p.checkShared(ctx); err != nil {
		return err
	}
	var stale []string
	for _, name := range p.tree.desktops {
		if before := p.previous[name]; before != nil && p.unchanged(name, before) {
			p.resolved[name] = before
			p.stats.Reused++
			continue
		}
		stale = append(stale, name)
	}
	return p.resolveAll(ctx, stale)
}

// unchanged reports whether the desktop would be resolved to what it was.
func (p *pass) unchanged(name string, before *resolved) bool {
	for _, part := range before.parts {
		if p.changes.paths[part.path] {
			return false
		}
	}
	return !p.changes.defaults || slices.Equal(before.defaults, p.tree.defaultsOf(path.Dir(name)))
}

func (p *pass) readPolicy() error {
	entry := p.tree.policy
	if entry.isZero() {
		p.policy, p.policyHash = nil, ""
		return nil
	}
	if p.policy != nil && p.policyHash == entry.Hash {
		return nil
	}
	content, err := p.content(entry)
	if errors.Is(err, ErrTooLarge) {
		// What was read before stays in force.
		p.findings = append(p.findings, tooLargeFinding(entry.Path, p.maxFileSize))
		return nil
	}
	if err != nil {
		return err
	}
	p.policy, p.policyHash = &deskhand.File{Path: entry.Path, Content: content}, entry.Hash
	return nil
}

// checkShared reports what is wrong with the files that begin with _, whether a
// desktop rests on them or not.
func (p *pass) checkShared(ctx context.Context) error {
	for _, name := range p.tree.shared {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("load definitions: %w", err)
		}
		var chain chain
		if err := p.extend(&chain, name, nil); err != nil {
			return err
		}
		for _, source := range chain.faulty {
			p.findings = append(p.findings, source.findings...)
		}
		p.missing = append(p.missing, chain.missing...)
		p.findings = append(p.findings, chain.findings...)
	}
	return nil
}

// resolveAll resolves the named desktops on every processor.
func (p *pass) resolveAll(ctx context.Context, names []string) error {
	for _, name := range names {
		p.tree.defaultsOf(path.Dir(name)) // fills the table while one goroutine has it
	}
	made := make([]*resolved, len(names))
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for _, own := range p.names {
		group.Go(func() error {
			for i := int(next.Add(1)) - 1; i < len(names); i = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return fmt.Errorf("load definitions: %w", err)
				}
				var err error
				if made[i], err = p.resolve(names[i], own); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, name := range names {
		p.resolved[name] = made[i]
	}
	p.stats.Resolved = len(names)
	return nil
}

// resolve merges what the desktop rests on, the defaults of its folders first.
func (p *pass) resolve(name string, names *interner) (*resolved, error) {
	defaults := p.tree.defaultsOf(path.Dir(name))
	var chain chain
	for _, file := range defaults {
		if err := p.extend(&chain, file, nil); err != nil {
			return nil, err
		}
	}
	own, err := p.open(name)
	if err != nil {
		return nil, err
	}
	if err := p.extendSource(&chain, own, nil); err != nil {
		return nil, err
	}
	made := &resolved{parts: chain.parts, defaults: defaults, faulty: chain.faulty, missing: chain.missing, findings: chain.findings}
	made.desktop = deskhand.Desktop{File: name, ConfigID: own.configID, Tier: p.tree.tier(name)}
	if made.desktop.Tier == "" {
		made.findings = append(made.findings, p.unknownTier(own))
	}
	if len(made.findings)+len(made.missing)+len(made.faulty) > 0 {
		return made, nil
	}
	var definition *value
	for _, source := range chain.sources {
		definition = merge(definition, source.value)
	}
	if reserved := reservedExtra(definition); len(reserved) > 0 {
		made.findings = reserved
		return made, nil
	}
	desktop, err := build(made.desktop, definition, names)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(desktop.Definition.String()) > p.maxFileSize {
		made.findings = append(made.findings, fileFinding("file/size", name,
			fmt.Sprintf("the definition with all that it rests on is larger than %d bytes", p.maxFileSize),
			"a definition is a few kilobytes; extend less"))
		return made, nil
	}
	desktop.Fingerprint = fingerprint(name, chain.parts)
	made.desktop, made.readable = desktop, true
	return made, nil
}

// content reads a file; it returns ErrTooLarge, wrapped, for one over the limit.
func (p *pass) content(entry Entry) ([]byte, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	p.stats.Read++
	content, err := p.read(entry)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", entry.Path, err)
	}
	if len(content) > p.maxFileSize {
		return nil, fmt.Errorf("read %s: %w", entry.Path, ErrTooLarge)
	}
	return content, nil
}

// fingerprint names a desktop's file and the contents of all that it rests on.
func fingerprint(name string, parts []part) string {
	text := []byte(name)
	for _, part := range parts {
		text = append(append(text, 0), part.path...)
		text = append(append(text, 0), part.hash...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
