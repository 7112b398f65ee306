package simulator

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/deskhand/deskhand"
)

const (
	maxStateFile = 1 << 30                // bytes
	saveDelay    = 100 * time.Millisecond // within which writes share one save
)

// state is the content of the state file.
type state struct {
	Configurations []savedConfiguration `json:"configurations"`
}

type savedConfiguration struct {
	ID        string            `json:"id"`
	Version   int               `json:"version"`
	UpdatedAt time.Time         `json:"updatedAt"`
	UpdatedBy string            `json:"updatedBy"`
	Fields    deskhand.Document `json:"fields"`
}

// saver writes the store to the state file, in its own goroutine.
type saver struct {
	path  string
	store *store

	dirty   chan struct{} // holds one: there is something to save
	closing chan struct{}
	closed  func() error // waits for the last save
}

// openState loads the state file into the store and keeps it written from then on.
func openState(path string, store *store) (*saver, error) {
	if err := loadState(path, store); err != nil {
		return nil, fmt.Errorf("load state file %s: %w; mend or remove it", path, err)
	}
	s := &saver{path: path, store: store, dirty: make(chan struct{}, 1), closing: make(chan struct{})}
	if err := s.save(); err != nil { // better now than when there is something to lose
		return nil, err
	}
	result := make(chan error, 1)
	go func() { result <- s.run() }()
	s.closed = sync.OnceValue(func() error {
		close(s.closing)
		return <-result
	})
	return s, nil
}

// wake has the store saved soon; it never waits.
func (s *saver) wake() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

func (s *saver) close() error { return s.closed() }

// run saves after writes, many at a time, and once more at the end. A save that
// failed is tried again with the next write; the last one's error is returned.
func (s *saver) run() error {
	for {
		select {
		case <-s.closing:
			return s.save()
		case <-s.dirty:
		}
		delay := time.NewTimer(saveDelay)
		select {
		case <-s.closing:
			delay.Stop()
			return s.save()
		case <-delay.C:
		}
		if err := s.save(); err != nil {
			s.wake()
		}
	}
}

// save replaces the file as a whole, so that no crash leaves half of it.
func (s *saver) save() error {
	s.store.Lock()
	all := s.store.all()
	s.store.Unlock()
	content := state{Configurations: make([]savedConfiguration, len(all))}
	for i, c := range all {
		content.Configurations[i] = savedConfiguration{ID: c.id, Version: c.version, UpdatedAt: c.updatedAt, UpdatedBy: c.updatedBy, Fields: c.document}
	}
	if err := replaceFile(s.path, append(mustJSON(content), '\n')); err != nil {
		return fmt.Errorf("save state file: %w", err)
	}
	return nil
}

func replaceFile(path string, content []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, writeErr := file.Write(content)
	if err := errors.Join(writeErr, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// loadState reads the file into the store; no file is an empty one.
func loadState(path string, store *store) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxStateFile+1))
	if err != nil {
		return err
	}
	if len(text) > maxStateFile {
		return fmt.Errorf("it is larger than %d bytes", maxStateFile)
	}
	var content state
	if err := decodeStrictly(text, &content); err != nil {
		return err
	}
	store.Lock()
	defer store.Unlock()
	for _, c := range content.Configurations {
		if _, exists := store.get(c.ID); exists || c.ID == "" || c.Version < 1 || c.Fields.IsZero() {
			return fmt.Errorf("the configuration %q is there twice or incomplete", c.ID)
		}
		store.load(newConfiguration(c.ID, c.Version, c.Fields, c.UpdatedAt, c.UpdatedBy))
	}
	return nil
}
