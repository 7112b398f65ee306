package gitsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// The sizes over which an object is refused before it is read.
const (
	maxCommitSize = 1 << 20
	maxTreeSize   = 32 << 20
	cacheSize     = cache.MiByte
	maxOpenPacks  = 32
)

// errDamaged means that an object that must be there cannot be read.
var errDamaged = errors.New("an object is missing or damaged")

// errTooLarge means that an object is larger than its reader allows.
var errTooLarge = errors.New("the object is too large")

// gate is a mutex that can be waited for under a context.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

func (g gate) lock(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g gate) unlock() { <-g }

// store is the objects and refs of one git directory. It is the one owner of
// go-git's storage there, which is used only while the gate is held.
type store struct {
	dir     string
	gate    gate
	cache   cache.Object // outlives a reopening: objects never change
	storage *filesystem.Storage
}

func openStore(dir string) (*store, error) {
	s := &store{dir: dir, gate: newGate(), cache: cache.NewObjectLRU(cacheSize)}
	s.open()
	config, err := s.storage.Config()
	if err != nil {
		return nil, fmt.Errorf("read its config: %w", err)
	}
	extensions := config.Raw.Section("extensions")
	if format := extensions.Option("objectFormat"); format != "" && !strings.EqualFold(format, "sha1") {
		return nil, fmt.Errorf("its objects are named by %s; only SHA-1 repositories can be read", format)
	}
	if format := extensions.Option("refStorage"); format != "" && !strings.EqualFold(format, "files") {
		return nil, fmt.Errorf("its refs are stored as %s; run git refs migrate --ref-format=files", format)
	}
	return s, nil
}

func (s *store) open() {
	s.storage = filesystem.NewStorageWithOptions(osfs.New(s.dir), s.cache, filesystem.Options{
		MaxOpenDescriptors: maxOpenPacks,
		AlternatesFS:       osfs.New(string(filepath.Separator)),
	})
}

func (s *store) close() error { return s.storage.Close() }

// exclusive runs f as the only user of the storage.
func (s *store) exclusive(ctx context.Context, f func(*filesystem.Storage) error) error {
	if err := s.gate.lock(ctx); err != nil {
		return err
	}
	defer s.gate.unlock()
	return f(s.storage)
}

// read is exclusive for an f that only reads. go-git learns which packs there
// are once, and git may repack at any time, so what fails is tried anew on a fresh
// storage; the pauses are for a pack that is just being put in place.
func (s *store) read(ctx context.Context, f func(*filesystem.Storage) error) error {
	pauses := []time.Duration{0, 5 * time.Millisecond, 50 * time.Millisecond}
	return s.exclusive(ctx, func(*filesystem.Storage) error {
		err := f(s.storage)
		for _, pause := range pauses {
			if err == nil || errors.Is(err, errTooLarge) {
				return err
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			_ = s.storage.Close() // only descriptors for reading
			s.open()
			err = f(s.storage)
		}
		return err
	})
}

// object reads one object that is known to exist.
func (s *store) object(ctx context.Context, kind plumbing.ObjectType, hash plumbing.Hash, limit int64) (plumbing.EncodedObject, error) {
	var found plumbing.EncodedObject
	err := s.read(ctx, func(storage *filesystem.Storage) error {
		size, err := storage.EncodedObjectSize(hash)
		if err == nil && size > limit {
			return fmt.Errorf("%w: %d bytes, at most %d are read", errTooLarge, size, limit)
		}
		found, err = storage.EncodedObject(kind, hash) // also looks in alternates, where the size is not to be had
		if err == nil && found.Size() > limit {
			return fmt.Errorf("%w: %d bytes, at most %d are read", errTooLarge, found.Size(), limit)
		}
		return err
	})
	if err != nil && ctx.Err() == nil && !errors.Is(err, errTooLarge) {
		err = fmt.Errorf("%w (%w); run git fsck there", errDamaged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, hash, err)
	}
	return found, nil
}

func (s *store) commit(ctx context.Context, hash plumbing.Hash) (*object.Commit, error) {
	encoded, err := s.object(ctx, plumbing.CommitObject, hash, maxCommitSize)
	if err != nil {
		return nil, err
	}
	commit := new(object.Commit)
	if err := commit.Decode(encoded); err != nil {
		return nil, fmt.Errorf("read commit %s: %w: %w", hash, errDamaged, err)
	}
	return commit, nil
}

// tree is the entries of a folder in git's order.
func (s *store) tree(ctx context.Context, hash plumbing.Hash) ([]object.TreeEntry, error) {
	encoded, err := s.object(ctx, plumbing.TreeObject, hash, maxTreeSize)
	if err != nil {
		return nil, err
	}
	tree := new(object.Tree)
	if err := tree.Decode(encoded); err != nil {
		return nil, fmt.Errorf("read tree %s: %w: %w", hash, errDamaged, err)
	}
	return tree.Entries, nil
}

func (s *store) blob(ctx context.Context, hash plumbing.Hash, limit int64) ([]byte, error) {
	encoded, err := s.object(ctx, plumbing.BlobObject, hash, limit)
	if err != nil {
		return nil, err
	}
	reader, err := encoded.Reader()
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w: %w", hash, errDamaged, err)
	}
	defer func() { _ = reader.Close() }()
	content := make([]byte, encoded.Size())
	if _, err := io.ReadFull(reader, content); err != nil {
		return nil, fmt.Errorf("read blob %s: %w: %w", hash, errDamaged, err)
	}
	return content, nil
}

// ref is what a ref points to now, zero where there is none.
func (s *store) ref(ctx context.Context, name plumbing.ReferenceName) (hash plumbing.Hash, err error) {
	err = s.exclusive(ctx, func(storage *filesystem.Storage) error {
		hash, err = refNow(storage, name)
		return err
	})
	return hash, err
}

func refNow(storage *filesystem.Storage, name plumbing.ReferenceName) (plumbing.Hash, error) {
	const symbolicLinks = 5 // as many as git follows
	for range symbolicLinks {
		ref, err := storage.Reference(name)
		if errors.Is(err, plumbing.ErrReferenceNotFound) {
			return plumbing.ZeroHash, nil
		}
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if ref.Type() == plumbing.HashReference {
			return ref.Hash(), nil
		}
		name = ref.Target()
	}
	return plumbing.ZeroHash, fmt.Errorf("too many symbolic refs lead to %s", name)
}

// branches are the short names of the local branches, sorted.
func (s *store) branches(ctx context.Context) (names []string, err error) {
	err = s.read(ctx, func(storage *filesystem.Storage) error {
		names = nil
		refs, err := storage.IterReferences()
		if err != nil {
			return err
		}
		return refs.ForEach(func(ref *plumbing.Reference) error {
			if ref.Name().IsBranch() {
				names = append(names, ref.Name().Short())
			}
			return nil
		})
	})
	slices.Sort(names)
	return slices.Compact(names), err
}

// readSmall reads one of git's own small files.
func readSmall(path string) ([]byte, error) {
	const limit = 64 << 10
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && len(content) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return content, err
}
