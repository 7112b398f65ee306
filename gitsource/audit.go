package gitsource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
)

// maxAuditFile bounds one file of the audit branch.
const maxAuditFile = 64 << 20

// AuditOptions say where an audit branch is.
type AuditOptions struct {
	URL    string // as in Options; a local repository is written in place
	Branch string // short, such as deskhand/audit/acme
	Dir    string // where commits for a remote repository are kept until pushed, and after
	Auth   Auth
	CAFile string
	// Name and Email are the committer's; "" for deskhand and deskhand@localhost.
	Name, Email string
	Timeout     time.Duration // as in Options
	Logger      zerolog.Logger
}

// AuditBranch is one branch that only deskhand writes, commit upon commit. It is
// safe for concurrent use; a Sync in the background does not hold up a Commit.
type AuditBranch struct {
	branch    string
	place     location
	committer deskhand.Person
	store     *store
	remote    *remote // nil for a local repository
	logger    zerolog.Logger
	// writer is held by who moves the branch or asks for its tip.
	writer gate
	tip    plumbing.Hash // where this writer left the branch; zero where there is none
	// network is held through a Sync or Reset; it is taken before writer.
	network gate
}

// OpenAudit opens an audit branch, which need not exist yet. With a remote
// repository it fetches once; that this fails is only an error while nothing of
// the branch is on disk.
func OpenAudit(ctx context.Context, options AuditOptions) (*AuditBranch, error) {
	if err := validBranch(options.Branch); err != nil {
		return nil, fmt.Errorf("open the audit branch: %w", err)
	}
	place, err := locate(options.URL)
	if err != nil {
		return nil, fmt.Errorf("open the audit branch: %w", err)
	}
	b := &AuditBranch{
		branch: options.Branch,
		place:  place,
		committer: deskhand.Person{
			Name:  cmp.Or(options.Name, "deskhand"),
			Email: cmp.Or(options.Email, "deskhand@localhost"),
		},
		logger:  options.Logger,
		writer:  newGate(),
		network: newGate(),
	}
	open := b.openLocal
	if !place.local() {
		open = func(ctx context.Context) error { return b.openRemote(ctx, options) }
	}
	if err := open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the audit branch %s of %s: %w", b.branch, place, err), b.Close())
	}
	return b, nil
}

// Commit adds one commit to the tip: files by their slash-separated paths, nil
// content deletes. It is on disk when Commit returns. The error wraps
// deskhand.ErrMoved where another writer moved the branch; Reset comes next then.
func (b *AuditBranch) Commit(ctx context.Context, files map[string][]byte, message string, at time.Time) (string, error) {
	if err := b.writer.lock(ctx); err != nil {
		return "", err
	}
	defer b.writer.unlock()
	hash, err := b.commit(ctx, files, message, at)
	if err != nil {
		return "", fmt.Errorf("commit to the audit branch %s of %s: %w", b.branch, b.place, err)
	}
	return hash.String(), nil
}

func (b *AuditBranch) commit(ctx context.Context, files map[string][]byte, message string, at time.Time) (plumbing.Hash, error) {
	changes, err := newFolderChange(files)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	base, err := b.treeOf(ctx, b.tip)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	batch := &objectBatch{store: b.store, hashes: map[plumbing.Hash]bool{}}
	tree, err := batch.applyRoot(ctx, base, changes)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	signature := object.Signature{Name: oneLine(b.committer.Name), Email: oneLine(b.committer.Email), When: at.UTC()}
	commit := &object.Commit{
		Author:    signature,
		Committer: signature,
		Message:   strings.TrimRight(strings.ReplaceAll(message, "\x00", ""), "\n") + "\n",
		TreeHash:  tree,
	}
	if !b.tip.IsZero() {
		commit.ParentHashes = []plumbing.Hash{b.tip}
	}
	hash, err := batch.add(commit)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if err := batch.write(ctx); err != nil {
		return plumbing.ZeroHash, err
	}
	if err := b.store.moveRef(ctx, b.ref(), b.tip, hash); err != nil {
		return plumbing.ZeroHash, err
	}
	b.tip = hash
	return hash, nil
}

// oneLine keeps a name from breaking out of git's Name <email> time.
func oneLine(name string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("<", " ", ">", " ", "\x00", " ").Replace(name)), " ")
}

// Read visits the file or, sorted by path, the files below the folder at prefix, as
// of the tip; "" is all. A branch that does not exist has none. It stops at the
// first error of visit and returns it.
func (b *AuditBranch) Read(ctx context.Context, prefix string, visit func(path string, content []byte) error) error {
	tip, err := b.known(ctx)
	if err != nil {
		return err
	}
	prefix = strings.Trim(prefix, "/")
	entry, found, err := b.find(ctx, tip, prefix)
	if err == nil && found {
		err = b.visit(ctx, prefix, entry, visit)
	}
	if err != nil {
		return fmt.Errorf("read the audit branch %s of %s: %w", b.branch, b.place, err)
	}
	return nil
}

func (b *AuditBranch) visit(ctx context.Context, path string, entry object.TreeEntry, visit func(string, []byte) error) error {
	if entry.Mode != filemode.Dir {
		content, err := b.store.blob(ctx, entry.Hash, maxAuditFile)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return visit(path, content)
	}
	entries, err := b.store.tree(ctx, entry.Hash)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, child := range entries {
		childPath := strings.TrimPrefix(path+"/"+child.Name, "/")
		if child.Mode == filemode.Submodule {
			continue
		}
		if err := b.visit(ctx, childPath, child, visit); err != nil {
			return err
		}
	}
	return nil
}

// AuditCommit is a commit of the audit branch with the whole of its message.
type AuditCommit struct {
	deskhand.Commit
	Message string
}

// Log lists the newest n commits, or all where n is 0, newest first; with a path
// only those that changed the file or folder there.
func (b *AuditBranch) Log(ctx context.Context, n int, path string) ([]AuditCommit, error) {
	tip, err := b.known(ctx)
	if err != nil {
		return nil, err
	}
	path = strings.Trim(path, "/")
	var log []AuditCommit
	for hash := tip; !hash.IsZero() && (n <= 0 || len(log) < n); {
		commit, err := b.store.commit(ctx, hash)
		if err != nil {
			return nil, fmt.Errorf("read the audit branch %s of %s: %w", b.branch, b.place, err)
		}
		parent := firstParent(commit)
		touched := path == ""
		if !touched {
			if touched, err = b.differs(ctx, hash, parent, path); err != nil {
				return nil, fmt.Errorf("read the audit branch %s of %s: %w", b.branch, b.place, err)
			}
		}
		if touched {
			log = append(log, AuditCommit{Commit: describe(commit, b.branch), Message: commit.Message})
		}
		hash = parent
	}
	return log, nil
}

func (b *AuditBranch) differs(ctx context.Context, a, z plumbing.Hash, path string) (bool, error) {
	before, _, err := b.find(ctx, a, path)
	if err != nil {
		return false, err
	}
	after, _, err := b.find(ctx, z, path)
	return before.Hash != after.Hash, err
}

// known is the commit that the branch is at, as far as this writer knows.
func (b *AuditBranch) known(ctx context.Context) (plumbing.Hash, error) {
	if err := b.writer.lock(ctx); err != nil {
		return plumbing.ZeroHash, err
	}
	defer b.writer.unlock()
	return b.tip, nil
}

// Close releases the files and connections. What is not pushed yet stays on disk.
func (b *AuditBranch) Close() error {
	if b.remote != nil {
		b.remote.close()
	}
	if b.store == nil {
		return nil
	}
	return b.store.close()
}

func (b *AuditBranch) ref() plumbing.ReferenceName { return plumbing.NewBranchReferenceName(b.branch) }

func (b *AuditBranch) treeOf(ctx context.Context, commit plumbing.Hash) (plumbing.Hash, error) {
	if commit.IsZero() {
		return plumbing.ZeroHash, nil
	}
	read, err := b.store.commit(ctx, commit)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return read.TreeHash, nil
}

// find is the entry at a path of a commit; "" is its root.
func (b *AuditBranch) find(ctx context.Context, commit plumbing.Hash, path string) (object.TreeEntry, bool, error) {
	root, err := b.treeOf(ctx, commit)
	if err != nil || root.IsZero() {
		return object.TreeEntry{}, false, err
	}
	return b.store.find(ctx, root, path)
}

// find walks down from a tree; "" and "." are the tree itself.
func (s *store) find(ctx context.Context, root plumbing.Hash, path string) (object.TreeEntry, bool, error) {
	entry := object.TreeEntry{Mode: filemode.Dir, Hash: root}
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		if entry.Mode != filemode.Dir {
			return object.TreeEntry{}, false, nil
		}
		entries, err := s.tree(ctx, entry.Hash)
		if err != nil {
			return object.TreeEntry{}, false, err
		}
		i := slices.IndexFunc(entries, func(e object.TreeEntry) bool { return e.Name == name })
		if i < 0 {
			return object.TreeEntry{}, false, nil
		}
		entry = entries[i]
	}
	return entry, true, nil
}
