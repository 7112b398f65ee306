package gitsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/rs/zerolog"
)

const (
	remoteName = "origin"
	// markerName is the file that says that a folder is a mirror of deskhand's, may
	// be deleted, and of which repository.
	markerName = "deskhand-mirror"
	// maxPacks is the number over which git itself would repack (gc.autoPackLimit).
	// Each fetch leaves one, and go-git looks through them all.
	maxPacks = 50
)

func trackingName(branch string) plumbing.ReferenceName {
	return plumbing.NewRemoteReferenceName(remoteName, branch)
}

// mirror is a bare repository that follows one branch of a remote one. It holds
// nothing that cannot be fetched again.
type mirror struct {
	dir    string
	branch string
	remote *remote
	store  *store
	logger zerolog.Logger
	// fetched is told of each fetch.
	fetched func(error)
	// network is held through a whole refresh, so that there is one at a time;
	// the store stays open to readers.
	network gate
}

// openMirror opens the mirror in dir. It makes it anew where there is none, where
// it is one of another repository, or where it cannot be opened.
func openMirror(dir, branch string, remote *remote, logger zerolog.Logger) (*mirror, error) {
	store, err := openMirrorStore(dir, branch, remote.place)
	if errors.Is(err, errNotMirror) {
		return nil, err
	}
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			logger.Warn().Err(err).Str("dir", dir).Msg("the git mirror is not usable and is made anew")
		}
		if err := initMirror(dir, branch, remote.place, trackingName(branch)); err != nil {
			return nil, fmt.Errorf("make the mirror of %s: %w", remote.place, err)
		}
		if store, err = openStore(dir); err != nil {
			return nil, fmt.Errorf("open the mirror of %s: %w", remote.place, err)
		}
	}
	return &mirror{dir: dir, branch: branch, remote: remote, store: store, logger: logger, network: newGate(), fetched: func(error) {}}, nil
}

// errNotMirror keeps a folder with somebody else's files from being deleted.
var errNotMirror = errors.New("the folder for the git mirror holds other files; name an empty one")

func openMirrorStore(dir, branch string, place location) (*store, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	marker, err := readSmall(filepath.Join(dir, markerName))
	switch {
	case len(entries) == 0:
		return nil, os.ErrNotExist
	case err != nil:
		return nil, fmt.Errorf("%w: %s", errNotMirror, dir)
	case string(marker) != markerText(branch, place):
		return nil, fmt.Errorf("it mirrors %s", strings.TrimSpace(string(marker)))
	}
	removeLeftovers(dir)
	return openStore(dir)
}

func markerText(branch string, place location) string { return place.text + " " + branch + "\n" }

// initMirror replaces what is at dir by an empty mirror. HEAD~1 is to mean there
// what it means in a clone.
func initMirror(dir, branch string, place location, head plumbing.ReferenceName) error {
	if dir == "" {
		return errors.New("no folder is set for it")
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, markerName), []byte(markerText(branch, place)), 0o600); err != nil {
		return err
	}
	repository, err := git.PlainInit(dir, true)
	if err != nil {
		return err
	}
	return repository.Storer.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, head))
}

// removeLeftovers deletes what an interrupted fetch left behind; the age spares
// what another process is fetching right now.
func removeLeftovers(dir string) {
	leftovers, _ := filepath.Glob(filepath.Join(dir, "objects", "pack", "tmp_*")) // the pattern is well-formed
	for _, path := range leftovers {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(path) // tried again at the next start
		}
	}
}

// refresh brings the branch to where the remote has it.
func (m *mirror) refresh(ctx context.Context) error {
	if err := m.network.lock(ctx); err != nil {
		return err
	}
	defer m.network.unlock()

	listing, err := m.remote.list(ctx)
	if err != nil {
		return err
	}
	tip := listing.tip(m.branch)
	if tip.IsZero() {
		return noBranch(m.remote.place, m.branch, listing.branches())
	}
	known, err := m.store.ref(ctx, trackingName(m.branch))
	if err != nil || tip == known && !m.readable(ctx, tip) {
		return m.renew(ctx, listing, tip, "it is damaged")
	}
	if tip == known {
		return nil
	}
	if err := fetchBranch(ctx, m.store, listing, m.branch, known, tip, m.fetched); err != nil {
		return err
	}
	if !m.readable(ctx, tip) {
		return m.renew(ctx, listing, tip, "it is damaged")
	}
	if packs, _ := filepath.Glob(filepath.Join(m.dir, "objects", "pack", "*.pack")); len(packs) > maxPacks {
		return m.renew(ctx, listing, tip, "it has grown too many packs")
	}
	return nil
}

// repair fetches a mirror with damaged objects anew.
func (m *mirror) repair(ctx context.Context) error {
	if err := m.network.lock(ctx); err != nil {
		return err
	}
	defer m.network.unlock()
	listing, err := m.remote.list(ctx)
	if err != nil {
		return err
	}
	tip := listing.tip(m.branch)
	if tip.IsZero() {
		return noBranch(m.remote.place, m.branch, listing.branches())
	}
	return m.renew(ctx, listing, tip, "it is damaged")
}

// readable reports whether the commit and its folder can be read, which is little
// and yet what an interrupted fetch lacks.
func (m *mirror) readable(ctx context.Context, tip plumbing.Hash) bool {
	commit, err := m.store.commit(ctx, tip)
	if err != nil {
		return false
	}
	_, err = m.store.tree(ctx, commit.TreeHash)
	return err == nil
}

// renew fetches everything into a new mirror beside the old one, and only then
// puts it in its place.
func (m *mirror) renew(ctx context.Context, listing *listing, tip plumbing.Hash, why string) error {
	m.logger.Warn().Str("repository", m.remote.place.text).Str("why", why).Msg("fetching the git mirror anew")
	beside := m.dir + ".new"
	if err := initMirror(beside, m.branch, m.remote.place, trackingName(m.branch)); err != nil {
		return fmt.Errorf("make the mirror of %s anew: %w", m.remote.place, err)
	}
	fresh, err := openStore(beside)
	if err != nil {
		return fmt.Errorf("make the mirror of %s anew: %w", m.remote.place, err)
	}
	err = fetchBranch(ctx, fresh, listing, m.branch, plumbing.ZeroHash, tip, m.fetched)
	if err := errors.Join(err, fresh.close()); err != nil {
		return err
	}
	err = m.store.exclusive(ctx, func(storage *filesystem.Storage) error {
		defer m.store.open()
		_ = storage.Close() // only descriptors for reading
		if err := os.RemoveAll(m.dir); err != nil {
			return err
		}
		return os.Rename(beside, m.dir)
	})
	if err != nil {
		return fmt.Errorf("replace the mirror of %s: %w", m.remote.place, err)
	}
	return nil
}

// fetchBranch fetches the branch's tip and then moves the tracking ref. The remote
// is told of some commits from before, which is all it needs after a force-push too.
// fetched is told where anything had to be fetched.
func fetchBranch(ctx context.Context, s *store, listing *listing, branch string, known, tip plumbing.Hash, fetched func(error)) error {
	const mostHaves = 64
	var have []plumbing.Hash
	for hash := known; !hash.IsZero() && len(have) < mostHaves; {
		commit, err := s.commit(ctx, hash)
		if err != nil {
			break
		}
		have = append(have, hash)
		hash = firstParent(commit)
	}
	if err := s.exclusive(ctx, func(storage *filesystem.Storage) error { return storage.HasEncodedObject(tip) }); err != nil {
		err := listing.fetch(ctx, s, tip, have)
		fetched(err)
		if err != nil {
			return err
		}
	}
	if err := s.moveRef(ctx, trackingName(branch), known, tip); err != nil {
		return fmt.Errorf("record where %s is at %s: %w", branch, listing.remote.place, err)
	}
	return nil
}
