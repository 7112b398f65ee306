package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// maxEntries bounds what Dir lists: a folder with more files is no repository of
// definitions but, say, the root of a disk.
const maxEntries = 200_000

// maxListing bounds, in bytes, what Dir holds.
const maxListing = 512 << 20

// Dir lists the YAML files and the symbolic links of a folder on disk, with
// paths from that folder, and returns the function that reads one, for Load.
// Links are not followed, and names that begin with a dot are left out. Each
// file is read once, when it is listed, so that its hash is that of the content
// that is handed out; of a file over DefaultMaxFileSize only the size counts.
func Dir(root string) ([]Entry, func(Entry) ([]byte, error), error) {
	folder, err := os.OpenRoot(root)
	if err != nil {
		return nil, nil, fmt.Errorf("open the folder of definitions: %w", err)
	}
	defer func() { _ = folder.Close() }() // nothing was written
	listing := &listing{folder: folder, contents: map[string][]byte{}}
	if err := fs.WalkDir(folder.FS(), ".", listing.visit); err != nil {
		return nil, nil, fmt.Errorf("list %s: %w", root, err)
	}
	if err := listing.readAll(); err != nil {
		return nil, nil, fmt.Errorf("list %s: %w", root, err)
	}
	return listing.entries, listing.read, nil
}

type listing struct {
	folder  *os.Root
	entries []Entry

	mutex    sync.Mutex        // guards what follows
	contents map[string][]byte // by path; nil where the file is too large
	size     int
}

func (l *listing) visit(name string, file fs.DirEntry, err error) error {
	hidden := name != "." && strings.HasPrefix(path.Base(name), ".")
	extension := path.Ext(name)
	isLink := err == nil && file.Type()&fs.ModeSymlink != 0
	switch {
	case err != nil:
		return err
	case file.IsDir() && hidden:
		return fs.SkipDir
	case file.IsDir(), hidden, !isLink && extension != ".yaml" && extension != ".yml":
		return nil
	case len(l.entries) >= maxEntries:
		return fmt.Errorf("there are more than %d files; name the folder that holds the tiers", maxEntries)
	case isLink:
		l.entries = append(l.entries, Entry{Path: name, Hash: "link", Symlink: true})
		return nil
	case !file.Type().IsRegular():
		return fmt.Errorf("%s is no regular file; remove it", name)
	}
	l.entries = append(l.entries, Entry{Path: name})
	return nil
}

// readAll reads and hashes what is listed, on every processor.
func (l *listing) readAll() error {
	var group errgroup.Group
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for i := int(next.Add(1)) - 1; i < len(l.entries); i = int(next.Add(1)) - 1 {
				if l.entries[i].Symlink {
					continue
				}
				if err := l.add(&l.entries[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (l *listing) add(entry *Entry) error {
	file, err := l.folder.Open(entry.Path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // nothing was written
	content, err := io.ReadAll(io.LimitReader(file, DefaultMaxFileSize+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", entry.Path, err)
	}
	sum := sha256.Sum256(content)
	entry.Hash = hex.EncodeToString(sum[:])
	if len(content) > DefaultMaxFileSize {
		content = nil
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.size += len(content); l.size > maxListing {
		return fmt.Errorf("the YAML files are larger than %d bytes together; name the folder that holds the tiers", maxListing)
	}
	l.contents[entry.Path] = content
	return nil
}

func (l *listing) read(entry Entry) ([]byte, error) {
	content, listed := l.contents[entry.Path]
	switch {
	case !listed:
		return nil, fs.ErrNotExist
	case content == nil:
		return nil, ErrTooLarge
	}
	return content, nil
}
