// Package ledger remembers what deskhand is about to do, what became of it, and
// where every desktop stands, so that no crash loses a write or records one twice.
//
// A Ledger is one bbolt file. Its journal numbers every record; readers (the
// audit branch of each tenant, each webhook sink) follow it at their own pace,
// each with a durable cursor. An Auditor is the reader that writes the audit
// branch.
package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/rs/zerolog"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

var (
	// ErrClosed: the ledger was closed before the call could be done.
	ErrClosed = errors.New("the ledger is closed")
	// ErrNoIntent: the intent to be settled is not open; it was settled before.
	ErrNoIntent = errors.New("there is no such open intent")
	// ErrNotEmpty: the ledger already knows the tenant.
	ErrNotEmpty = errors.New("the tenant is not empty")
)

const (
	fileName    = "ledger.db"
	lockTimeout = time.Second
)

// Options are what a Ledger puts into its records.
type Options struct {
	Actor  deskhand.Actor
	Now    func() time.Time // time.Now where nil
	Logger zerolog.Logger
}

// Ledger is the durable journal of one data directory. It is safe for concurrent
// use.
type Ledger struct {
	path   string
	db     *bbolt.DB
	actor  deskhand.Actor
	ids    *identifiers
	now    func() time.Time
	logger zerolog.Logger

	writes  chan *write
	closing chan struct{}
	written chan struct{} // closed once the writer has ended
	close   func() error

	mu    sync.Mutex
	tail  uint64
	grown chan struct{} // closed when tail moves, and then replaced
}

// Open opens the ledger in dir, which is made where it does not exist.
// The error wraps deskhand.ErrLocked while another process holds it.
func Open(dir string, options Options) (*Ledger, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory %s: %w (name a directory that deskhand may write as dataDir)", dir, err)
	}
	path := filepath.Join(dir, fileName)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:        lockTimeout,
		FreelistType:   bbolt.FreelistMapType,
		NoFreelistSync: true, // it is rebuilt on open, and each commit writes less
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("open %s: %w; stop it, or give this one a dataDir of its own", path, deskhand.ErrLocked)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("open the ledger: %w (name a directory that deskhand may write as dataDir)", err)
	case err != nil:
		return nil, fmt.Errorf("open the ledger %s: %w (move the file away to start anew from the audit branch)", path, err)
	}
	l := &Ledger{
		path:    path,
		db:      db,
		actor:   options.Actor,
		now:     options.Now,
		logger:  options.Logger,
		writes:  make(chan *write),
		closing: make(chan struct{}),
		written: make(chan struct{}),
		grown:   make(chan struct{}),
	}
	if l.now == nil {
		l.now = time.Now
	}
	if err := l.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the ledger %s: %w", path, err), db.Close())
	}
	l.close = sync.OnceValue(func() error {
		close(l.closing)
		<-l.written
		if err := db.Close(); err != nil {
			return fmt.Errorf("close the ledger: %w", err)
		}
		return nil
	})
	go l.writeAll()
	return l, nil
}

// Close ends the ledger after the writes under way. Whoever waits gets ErrClosed.
func (l *Ledger) Close() error { return l.close() }

// prepare makes the buckets and reads where the journal ends.
func (l *Ledger) prepare() error {
	return l.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketJournal, bucketCursors, bucketReaders, bucketTenants} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		l.tail = tx.Bucket(bucketJournal).Sequence()
		last, err := newestEntry(tx)
		if err != nil {
			return err
		}
		l.ids = newIdentifiers(last.Record.ID)
		return nil
	})
}
