// Package gitsource reads the configuration repository, from git objects and
// never from a work tree, and keeps the audit branch.
//
// A local repository is opened in place; one behind http or https is mirrored in
// a bare repository of deskhand's own. go-git is not safe for concurrent use, reads
// included, so every access goes through the one store of its git directory.
package gitsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
)

// Options say where the configuration repository is.
type Options struct {
	URL    string // a local path or an http(s) URL without a password; http only on loopback
	Branch string // short, such as main
	Dir    string // where the mirror of a remote repository lives; deskhand's own
	Auth   Auth
	CAFile string // PEM certificates to trust besides the system's; "" for none
	// Timeout is how long a remote may stay silent; 0 for 30 seconds. It does
	// not bound a long fetch that keeps coming in.
	Timeout time.Duration
	// Fetched is told of each fetch from a remote repository, and how it ended;
	// nil for nobody.
	Fetched func(error)
	Logger  zerolog.Logger
}

// Repository is the configuration repository. It is safe for concurrent use.
type Repository struct {
	branch string
	place  location
	store  *store
	mirror *mirror // nil for a local repository
}

// Open opens a local repository (a work tree, a linked one, or a bare one), which is
// never written to, or the mirror of a remote one, which it makes where there is
// none yet. It does not go to the network; Head does.
func Open(_ context.Context, options Options) (*Repository, error) {
	if err := validBranch(options.Branch); err != nil {
		return nil, err
	}
	place, err := locate(options.URL)
	if err != nil {
		return nil, err
	}
	if place.local() {
		store, err := openStore(place.gitDir)
		if err != nil {
			return nil, fmt.Errorf("open the git repository %s: %w", place, err)
		}
		return &Repository{branch: options.Branch, place: place, store: store}, nil
	}
	remote, err := newRemote(place, options.Auth, options.CAFile, options.Timeout)
	if err != nil {
		return nil, err
	}
	mirror, err := openMirror(options.Dir, options.Branch, remote, options.Logger)
	if err != nil {
		remote.close()
		return nil, err
	}
	if options.Fetched != nil {
		mirror.fetched = options.Fetched
	}
	return &Repository{branch: options.Branch, place: place, store: mirror.store, mirror: mirror}, nil
}

// Head is the commit that the branch points to now. For a remote repository that
// is one listing of its refs, and a fetch only where the branch moved, be it by force.
//
// The error wraps deskhand.ErrNoCommit where the repository is empty or lacks the
// branch, and says for every other cause what to do about it.
func (r *Repository) Head(ctx context.Context) (deskhand.Commit, error) {
	name := plumbing.NewBranchReferenceName(r.branch)
	if r.mirror != nil {
		if err := r.mirror.refresh(ctx); err != nil {
			return deskhand.Commit{}, err
		}
		name = trackingName(r.branch)
	}
	tip, err := r.tip(ctx, name)
	if err != nil {
		return deskhand.Commit{}, err
	}
	commit, err := r.store.commit(ctx, tip)
	if err != nil {
		return deskhand.Commit{}, fmt.Errorf("read branch %s of %s: %w", r.branch, r.place, err)
	}
	return r.describe(commit), nil
}

// halfWritten is how long a ref that is listed and empty is read again: git
// renames a ref into place, but others write it there.
const halfWritten = time.Second

// tip is where the branch is.
func (r *Repository) tip(ctx context.Context, name plumbing.ReferenceName) (plumbing.Hash, error) {
	deadline := time.Now().Add(halfWritten)
	for {
		tip, err := r.store.ref(ctx, name)
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("read branch %s of %s: %w", r.branch, r.place, err)
		}
		if !tip.IsZero() {
			return tip, nil
		}
		branches, err := r.store.branches(ctx)
		isHalfWritten := errors.Is(err, dotgit.ErrEmptyRefFile) || slices.Contains(branches, r.branch)
		switch {
		case isHalfWritten && time.Now().Before(deadline):
		case err != nil:
			return plumbing.ZeroHash, fmt.Errorf("list the branches of %s: %w", r.place, err)
		default:
			return plumbing.ZeroHash, noBranch(r.place, r.branch, branches)
		}
		select {
		case <-ctx.Done():
			return plumbing.ZeroHash, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// Commit resolves a revision in git's syntax, such as HEAD~1, v1.2 or a SHA,
// among what is on disk. A shallow part of a SHA will do where it is unique.
func (r *Repository) Commit(ctx context.Context, rev string) (deskhand.Commit, error) {
	candidates := []string{rev}
	if r.mirror != nil {
		candidates = append(candidates, remoteName+"/"+rev)
	}
	for _, candidate := range candidates {
		hash, err := r.resolve(ctx, candidate)
		if err != nil && ctx.Err() != nil {
			return deskhand.Commit{}, err
		}
		if err != nil || hash.IsZero() {
			continue
		}
		commit, err := r.store.commit(ctx, hash)
		if err != nil {
			return deskhand.Commit{}, fmt.Errorf("read revision %q of %s: %w", rev, r.place, err)
		}
		return r.describe(commit), nil
	}
	return deskhand.Commit{}, fmt.Errorf("%w: %s has no revision %q; give a branch, a tag or a commit's SHA",
		deskhand.ErrNoCommit, r.place, rev)
}

func (r *Repository) resolve(ctx context.Context, rev string) (hash plumbing.Hash, err error) {
	err = r.store.read(ctx, func(storage *filesystem.Storage) error {
		repository, err := git.Open(storage, nil)
		if err != nil {
			return err
		}
		resolved, err := repository.ResolveRevision(plumbing.Revision(rev))
		if err != nil {
			return err
		}
		hash = *resolved
		return nil
	})
	return hash, err
}

// Close releases the files and connections. No other method may be running.
func (r *Repository) Close() error {
	if r.mirror != nil {
		r.mirror.remote.close()
	}
	return r.store.close()
}

func (r *Repository) describe(commit *object.Commit) deskhand.Commit {
	return describe(commit, r.branch)
}

func describe(commit *object.Commit, branch string) deskhand.Commit {
	return deskhand.Commit{
		SHA:       commit.Hash.String(),
		Ref:       branch,
		Author:    deskhand.Person{Name: commit.Author.Name, Email: commit.Author.Email},
		Committer: deskhand.Person{Name: commit.Committer.Name, Email: commit.Committer.Email},
		Time:      commit.Committer.When.UTC(),
		Subject:   subject(commit.Message),
	}
}

// subject is the first paragraph on one line, as git log prints it.
func subject(message string) string {
	paragraph, _, _ := strings.Cut(strings.TrimLeft(message, "\n"), "\n\n")
	return strings.Join(strings.Fields(paragraph), " ")
}

func validBranch(branch string) error {
	if branch == "" {
		return errors.New("no branch is set; set one, such as main")
	}
	if err := plumbing.NewBranchReferenceName(branch).Validate(); err != nil {
		return fmt.Errorf("%q is no name for a branch: %w; write it short, such as main", branch, err)
	}
	return nil
}

// noBranch says which branches there are instead.
func noBranch(place location, branch string, others []string) error {
	if len(others) == 0 {
		return fmt.Errorf("%w: %s is empty; commit to branch %s first", deskhand.ErrNoCommit, place, branch)
	}
	const most = 20
	listed := strings.Join(others[:min(len(others), most)], ", ")
	if len(others) > most {
		listed += fmt.Sprintf(" and %d more", len(others)-most)
	}
	return fmt.Errorf("%w: %s has no branch %s; it has: %s", deskhand.ErrNoCommit, place, branch, listed)
}
