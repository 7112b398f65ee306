package gitsource

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/objfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/memory"
)

// go-git does not fsync what it stores. An audit that says it is on record must
// survive a power cut, so objects are written here: to a temporary file, fsync, and
// only then under their names, with the formats left to go-git.

// writeLoose stores each object in a file of its own.
func writeLoose(gitDir string, objects []plumbing.EncodedObject) error {
	dirs := map[string]bool{}
	for _, object := range objects {
		name := object.Hash().String()
		path := filepath.Join(gitDir, "objects", name[:2], name[2:])
		if _, err := os.Stat(path); err == nil {
			continue
		}
		dir := filepath.Dir(path)
		if err := os.Mkdir(dir, 0o755); err == nil {
			dirs[filepath.Dir(dir)] = true
		} else if !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("write object %s: %w", name, err)
		}
		dirs[dir] = true
		err := writeDurably(path, filepath.Join(gitDir, "objects", "tmp_obj_*"), func(file *os.File) error {
			return encodeLoose(file, object)
		})
		if err != nil {
			return fmt.Errorf("write object %s: %w", name, err)
		}
	}
	for dir := range dirs {
		if err := syncDir(dir); err != nil {
			return fmt.Errorf("write objects: %w", err)
		}
	}
	return nil
}

func encodeLoose(file io.Writer, object plumbing.EncodedObject) error {
	content, err := object.Reader()
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	writer := objfile.NewWriter(file)
	if err := writer.WriteHeader(object.Type(), object.Size()); err != nil {
		return err
	}
	_, err = io.Copy(writer, content)
	return errors.Join(err, writer.Close())
}

// writePack stores all objects in one pack.
func writePack(gitDir string, objects []plumbing.EncodedObject) error {
	source := memory.NewStorage()
	hashes := make([]plumbing.Hash, 0, len(objects))
	for _, object := range objects {
		hash, err := source.SetEncodedObject(object)
		if err != nil {
			return fmt.Errorf("write pack: %w", err)
		}
		hashes = append(hashes, hash)
	}
	dir := filepath.Join(gitDir, "objects", "pack")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	pack, err := os.CreateTemp(dir, "tmp_pack_*")
	if err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	defer func() { _ = os.Remove(pack.Name()) }() // gone already once it has its name
	index := new(idxfile.Writer)
	checksum, err := encodePack(pack, source, hashes, index)
	if err := errors.Join(err, finish(pack)); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}

	// go-git looks for packs and then wants their index, so that comes first.
	name := filepath.Join(dir, "pack-"+checksum.String())
	err = writeDurably(name+".idx", filepath.Join(dir, "tmp_idx_*"), func(file *os.File) error {
		built, err := index.Index()
		if err != nil {
			return err
		}
		_, err = idxfile.NewEncoder(file).Encode(built)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the pack's index: %w", err)
	}
	if err := os.Rename(pack.Name(), name+".pack"); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	return syncDir(dir)
}

func encodePack(file io.ReadWriteSeeker, source *memory.Storage, hashes []plumbing.Hash, index *idxfile.Writer) (plumbing.Hash, error) {
	if _, err := packfile.NewEncoder(file, source, false).Encode(hashes, 0); err != nil {
		return plumbing.ZeroHash, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return plumbing.ZeroHash, err
	}
	parser, err := packfile.NewParser(packfile.NewScanner(file), index)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return parser.Parse()
}

// writeDurably has write fill a temporary file and gives it its name once it is on disk.
func writeDurably(path, pattern string, write func(*os.File) error) error {
	file, err := os.CreateTemp(filepath.Dir(pattern), filepath.Base(pattern))
	if err != nil {
		return err
	}
	err = write(file)
	if err = errors.Join(err, finish(file)); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// finish makes a file durable and, as git does with objects, read-only.
func finish(file *os.File) error {
	return errors.Join(file.Sync(), file.Chmod(0o444), file.Close())
}
