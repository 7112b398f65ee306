// Package manifest turns the YAML files of a configuration repository into
// desktops whose every value knows the line that set it, and edits those files
// in place without touching a byte that an edit does not name.
//
// The format is described in docs/definition.md. The package does no I/O of its
// own except in Dir: a Loader is given the list of files and a way to read one.
package manifest

import (
	"context"
	"errors"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// DefaultMaxFileSize is the size in bytes over which a file is refused, and the
// size over which a resolved definition is.
const DefaultMaxFileSize = 1 << 20

// ErrTooLarge may be wrapped by the read function of Load for a file over the
// limit, so that it need not read what will be refused. It becomes a finding.
var ErrTooLarge = errors.New("the file is too large")

// Entry is one file of a tree, as git lists it.
type Entry struct {
	Path       string // slash-separated, from the root of the repository
	Hash       string // of the content: equal hashes mean equal contents; never ""
	Symlink    bool
	Executable bool
}

// Options say which files a Loader reads.
type Options struct {
	// Root is the folder that holds the tiers' folders, slash-separated, from
	// the root of the repository; "" or "." is the repository itself.
	Root string
	// MaxFileSize is in bytes; 0 means DefaultMaxFileSize.
	MaxFileSize int
}

// Stats tell what the last Load had to do.
type Stats struct {
	Resolved int // desktops resolved anew, the unreadable ones included
	Reused   int // desktops taken over from the load before
	Read     int // files read
}

// Loader resolves the desktops of one tenant. It keeps what it resolved, so that
// a later Load costs what changed. One goroutine may use it at a time.
type Loader struct {
	root        string
	maxFileSize int
	entries     map[string]Entry     // by path: the last listing
	sources     map[string]*source   // by path: the files that others rest on
	resolved    map[string]*resolved // by path: the desktops
	policy      *deskhand.File
	policyHash  string
	names       []*interner // one for each worker
	stats       Stats
}

// NewLoader makes a Loader that has resolved nothing yet.
func NewLoader(options Options) *Loader {
	root := strings.Trim(path.Clean("/"+options.Root), "/")
	if options.MaxFileSize <= 0 {
		options.MaxFileSize = DefaultMaxFileSize
	}
	names := make([]*interner, runtime.GOMAXPROCS(0))
	for i := range names {
		names[i] = newInterner()
	}
	return &Loader{
		root:        root,
		maxFileSize: options.MaxFileSize,
		sources:     map[string]*source{},
		resolved:    map[string]*resolved{},
		names:       names,
	}
}

// Stats tells what the last Load had to do.
func (l *Loader) Stats() Stats { return l.stats }

// Load resolves every desktop below the root. The entries are all files of the
// repository each time, in any order; those outside the root are ignored. Load
// fills Desktops, Unreadable, Findings and Policy of the snapshot; Tenant and
// Commit are the caller's.
//
// What is wrong with a file is a finding. The error is about the reading itself:
// that of read, unless it wraps ErrTooLarge, or that of the context. After an
// error the next Load begins where the last successful one ended.
//
// Load calls read from several goroutines, but never from two at once.
func (l *Loader) Load(ctx context.Context, entries []Entry, read func(Entry) ([]byte, error)) (deskhand.Snapshot, error) {
	pass := newPass(l, newTree(l.root, entries), read)
	if err := pass.run(ctx); err != nil {
		return deskhand.Snapshot{}, err
	}
	l.entries = pass.tree.entries
	l.sources, l.resolved, l.stats = pass.sources, pass.resolved, pass.stats
	l.policy, l.policyHash = pass.policy, pass.policyHash
	return pass.snapshot(), nil
}

// snapshot gathers what the pass found, each finding once.
func (p *pass) snapshot() deskhand.Snapshot {
	snapshot := deskhand.Snapshot{
		Desktops: make([]deskhand.Desktop, 0, len(p.tree.desktops)),
		Policy:   p.policy,
	}
	absent := map[missing]bool{}
	for _, missing := range p.missing {
		absent[missing] = true
	}
	seen := map[deskhand.Finding]bool{}
	report := func(findings []deskhand.Finding) {
		for _, finding := range findings {
			if !seen[finding] {
				seen[finding] = true
				snapshot.Findings = append(snapshot.Findings, finding)
			}
		}
	}
	report(p.tree.findings)
	report(p.findings)
	for _, name := range p.tree.desktops {
		resolved := p.resolved[name]
		for _, source := range resolved.faulty {
			report(source.findings)
		}
		report(resolved.findings)
		for _, missing := range resolved.missing {
			absent[missing] = true
		}
		if resolved.readable {
			snapshot.Desktops = append(snapshot.Desktops, resolved.desktop)
			continue
		}
		snapshot.Unreadable = append(snapshot.Unreadable,
			deskhand.Unreadable{File: name, ConfigID: resolved.desktop.ConfigID})
	}
	for missing := range absent {
		report([]deskhand.Finding{missing.finding(p.tree)})
	}
	for _, link := range p.tree.links {
		snapshot.Unreadable = append(snapshot.Unreadable, deskhand.Unreadable{File: link})
	}
	slices.SortFunc(snapshot.Unreadable, func(a, b deskhand.Unreadable) int {
		return strings.Compare(a.File, b.File)
	})
	deskhand.SortFindings(snapshot.Findings)
	return snapshot
}
