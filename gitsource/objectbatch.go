package gitsource

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// folderChange is what is to become of one folder: files by name, nil for
// deleted ones, and changes of the folders in it.
type folderChange struct {
	files   map[string][]byte
	folders map[string]*folderChange
}

func newFolderChange(files map[string][]byte) (*folderChange, error) {
	root := new(folderChange)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := validPath(path); err != nil {
			return nil, err
		}
		if len(files[path]) > maxAuditFile {
			return nil, fmt.Errorf("%s is larger than %d bytes", path, maxAuditFile)
		}
		if err := root.set(strings.Split(path, "/"), files[path]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return root, nil
}

// validPath refuses what git fsck would.
func validPath(path string) error {
	if !fs.ValidPath(path) || path == "." || strings.ContainsAny(path, "\x00\\") {
		return fmt.Errorf("%q is no path for a file of a git tree", path)
	}
	for name := range strings.SplitSeq(path, "/") {
		if strings.EqualFold(name, ".git") {
			return fmt.Errorf("%q is no path for a file of a git tree", path)
		}
	}
	return nil
}

func (c *folderChange) set(names []string, content []byte) error {
	name := names[0]
	if len(names) == 1 {
		if c.files == nil {
			c.files = map[string][]byte{}
		}
		c.files[name] = content
		return nil
	}
	if file, isFile := c.files[name]; isFile && file != nil {
		return fmt.Errorf("%s is to be a file and a folder", name)
	}
	if c.folders == nil {
		c.folders = map[string]*folderChange{}
	}
	if c.folders[name] == nil {
		c.folders[name] = new(folderChange)
	}
	return c.folders[name].set(names[1:], content)
}

// objectBatch collects new objects, to be written together.
type objectBatch struct {
	store   *store
	objects []plumbing.EncodedObject
	hashes  map[plumbing.Hash]bool // of objects: a pack must not hold one twice
}

// encoder is a commit or tree of go-git.
type encoder interface {
	Encode(plumbing.EncodedObject) error
}

func (b *objectBatch) add(value encoder) (plumbing.Hash, error) {
	encoded := new(plumbing.MemoryObject)
	if err := value.Encode(encoded); err != nil {
		return plumbing.ZeroHash, err
	}
	return b.keep(encoded), nil
}

func (b *objectBatch) addBlob(content []byte) (plumbing.Hash, error) {
	encoded := new(plumbing.MemoryObject)
	encoded.SetType(plumbing.BlobObject)
	if _, err := encoded.Write(content); err != nil {
		return plumbing.ZeroHash, err
	}
	return b.keep(encoded), nil
}

func (b *objectBatch) keep(encoded plumbing.EncodedObject) plumbing.Hash {
	hash := encoded.Hash()
	if !b.hashes[hash] {
		b.hashes[hash] = true
		b.objects = append(b.objects, encoded)
	}
	return hash
}

// applyRoot is apply for a commit's tree, which, unlike others, may be empty.
func (b *objectBatch) applyRoot(ctx context.Context, base plumbing.Hash, change *folderChange) (plumbing.Hash, error) {
	tree, err := b.apply(ctx, base, change)
	if err == nil && tree.IsZero() {
		return b.add(new(object.Tree))
	}
	return tree, err
}

// apply makes the tree that base becomes by the change. Zero stands for an empty
// tree, which git does not keep. Folders that do not change are not read.
func (b *objectBatch) apply(ctx context.Context, base plumbing.Hash, change *folderChange) (plumbing.Hash, error) {
	var before []object.TreeEntry
	if !base.IsZero() {
		var err error
		if before, err = b.store.tree(ctx, base); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	entries := make([]object.TreeEntry, 0, len(before)+len(change.files)+len(change.folders))
	folders := map[string]plumbing.Hash{} // those to change, as they are
	for _, entry := range before {
		_, changesFile := change.files[entry.Name]
		_, changesFolder := change.folders[entry.Name]
		if changesFolder && entry.Mode == filemode.Dir {
			folders[entry.Name] = entry.Hash
		}
		if !changesFile && !changesFolder {
			entries = append(entries, entry)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(change.files)) {
		content := change.files[name]
		if content == nil {
			continue
		}
		hash, err := b.addBlob(content)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		entries = append(entries, object.TreeEntry{Name: name, Mode: filemode.Regular, Hash: hash})
	}
	for _, name := range slices.Sorted(maps.Keys(change.folders)) {
		hash, err := b.apply(ctx, folders[name], change.folders[name])
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if !hash.IsZero() {
			entries = append(entries, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash})
		}
	}
	if len(entries) == 0 {
		return plumbing.ZeroHash, nil
	}
	sort.Sort(object.TreeEntrySorter(entries))
	if slices.EqualFunc(entries, before, func(a, b object.TreeEntry) bool { return a == b }) {
		return base, nil
	}
	return b.add(&object.Tree{Entries: entries})
}

// looseLimit is the number of objects from which git too would keep a pack
// (transfer.unpackLimit).
const looseLimit = 100

// write makes the objects durable: few as files of their own, many in one pack,
// which costs two fsyncs instead of one for each.
func (b *objectBatch) write(ctx context.Context) error {
	return b.store.exclusive(ctx, func(storage *filesystem.Storage) error {
		if len(b.objects) >= looseLimit {
			defer storage.Reindex()
			return writePack(b.store.dir, b.objects)
		}
		return writeLoose(b.store.dir, b.objects)
	})
}
