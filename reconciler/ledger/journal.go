package ledger

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/deskhand/deskhand"
	"go.etcd.io/bbolt"
)

// Tail is the Seq of the newest entry, 0 where there was never one.
func (l *Ledger) Tail() uint64 {
	tail, _ := l.growth()
	return tail
}

func (l *Ledger) growth() (tail uint64, grown <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail, l.grown
}

// Entries lists at most limit entries with a Seq greater than after, in order.
// There is always one while Tail is greater than after.
func (l *Ledger) Entries(ctx context.Context, after uint64, limit int) ([]deskhand.Entry, error) {
	var entries []deskhand.Entry
	err := l.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(bucketJournal).Cursor()
		for key, text := cursor.Seek(seqKey(after + 1)); key != nil && len(entries) < limit; key, text = cursor.Next() {
			var entry deskhand.Entry
			if err := decode(text, &entry); err != nil {
				return fmt.Errorf("decode entry %d: %w", seqOf(key), err)
			}
			entries = append(entries, entry)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal after %d: %w", after, err)
	}
	return entries, nil
}

// Wait returns once an entry with a Seq greater than after exists, or with the
// context's error, or ErrClosed.
func (l *Ledger) Wait(ctx context.Context, after uint64) error {
	for {
		tail, grown := l.growth()
		if tail > after {
			return nil
		}
		select {
		case <-grown:
		case <-l.closing:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func newestEntry(tx *bbolt.Tx) (deskhand.Entry, error) {
	key, text := tx.Bucket(bucketJournal).Cursor().Last()
	if key == nil {
		return deskhand.Entry{}, nil
	}
	var entry deskhand.Entry
	if err := decode(text, &entry); err != nil {
		return deskhand.Entry{}, fmt.Errorf("decode entry %d: %w", seqOf(key), err)
	}
	return entry, nil
}

// Cursor is the Seq up to which the named reader is done, 0 where it never began.
func (l *Ledger) Cursor(name string) (uint64, error) {
	var seq uint64
	err := l.db.View(func(tx *bbolt.Tx) error {
		seq = seqOf(tx.Bucket(bucketCursors).Get([]byte(name)))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read cursor %s: %w", name, err)
	}
	return seq, nil
}

// SetCursor keeps the Seq up to which the named reader is done. A cursor never
// goes back: a lower Seq changes nothing.
func (l *Ledger) SetCursor(name string, seq uint64) error {
	return l.setCursor(context.Background(), name, seq)
}

func (l *Ledger) setCursor(ctx context.Context, name string, seq uint64) error {
	err := l.update(ctx, func(tx *bbolt.Tx) error {
		return advance(tx, name, seq)
	})
	if err != nil {
		return fmt.Errorf("set cursor %s to %d: %w", name, seq, err)
	}
	return nil
}

func advance(tx *bbolt.Tx, name string, seq uint64) error {
	cursors, key := tx.Bucket(bucketCursors), []byte(name)
	if old := cursors.Get(key); old != nil && seqOf(old) >= seq {
		return nil
	}
	return cursors.Put(key, seqKey(seq))
}

// LoadReader returns the cursor of the named reader, and calls visit with each
// value that it saved, in the order of the keys. A reader that never saved is not
// known. The value is valid only during the visit.
func (l *Ledger) LoadReader(ctx context.Context, name string, visit func(key string, value []byte) error) (cursor uint64, known bool, err error) {
	err = l.db.View(func(tx *bbolt.Tx) error {
		position := tx.Bucket(bucketCursors).Get([]byte(name))
		cursor, known = seqOf(position), position != nil
		values := tx.Bucket(bucketReaders).Bucket([]byte(name))
		if values == nil {
			return nil
		}
		return values.ForEach(func(key, value []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return visit(string(key), value)
		})
	})
	if err != nil {
		return 0, false, fmt.Errorf("load reader %s: %w", name, err)
	}
	return cursor, known, nil
}

// SaveReader keeps the cursor and the values of the named reader in one
// transaction; a nil value deletes its key. The cursor never goes back.
func (l *Ledger) SaveReader(ctx context.Context, name string, cursor uint64, values map[string][]byte) error {
	err := l.update(ctx, func(tx *bbolt.Tx) error {
		if err := advance(tx, name, cursor); err != nil {
			return err
		}
		bucket, err := tx.Bucket(bucketReaders).CreateBucketIfNotExists([]byte(name))
		if err != nil {
			return err
		}
		for key, value := range values {
			if value == nil {
				err = bucket.Delete([]byte(key))
			} else {
				err = bucket.Put([]byte(key), value)
			}
			if err != nil {
				return fmt.Errorf("value %s: %w", key, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save reader %s: %w", name, err)
	}
	return nil
}

// trimmedAtOnce bounds how long a trim keeps other writers waiting.
const trimmedAtOnce = 500

// Trim drops the entries that are older than keep and that every named cursor has
// passed. The newest entry always stays.
func (l *Ledger) Trim(ctx context.Context, keep time.Duration, cursors []string) error {
	through := uint64(math.MaxUint64)
	for _, name := range cursors {
		seq, err := l.Cursor(name)
		if err != nil {
			return fmt.Errorf("trim the journal: %w", err)
		}
		through = min(through, seq)
	}
	before := l.now().Add(-keep)
	total := 0
	for {
		dropped := 0
		err := l.update(ctx, func(tx *bbolt.Tx) error {
			var err error
			dropped, err = trim(tx, before, min(through, tx.Bucket(bucketJournal).Sequence()-1))
			return err
		})
		if err != nil {
			return fmt.Errorf("trim the journal: %w", err)
		}
		total += dropped
		if dropped < trimmedAtOnce {
			break
		}
	}
	if total > 0 {
		l.logger.Info().Int("entries", total).Time("before", before).Msg("trimmed the journal")
	}
	return nil
}

func trim(tx *bbolt.Tx, before time.Time, through uint64) (dropped int, err error) {
	entries := tx.Bucket(bucketJournal)
	var expired [][]byte
	cursor := entries.Cursor()
	for key, text := cursor.First(); key != nil && len(expired) < trimmedAtOnce; key, text = cursor.Next() {
		var entry struct {
			Record struct {
				Time time.Time `json:"time"`
			} `json:"record"`
		}
		if err := decode(text, &entry); err != nil {
			return 0, fmt.Errorf("decode entry %d: %w", seqOf(key), err)
		}
		if seqOf(key) > through || !entry.Record.Time.Before(before) {
			break
		}
		expired = append(expired, bytes.Clone(key))
	}
	for _, key := range expired {
		if err := entries.Delete(key); err != nil {
			return 0, fmt.Errorf("drop entry %d: %w", seqOf(key), err)
		}
	}
	return len(expired), nil
}
