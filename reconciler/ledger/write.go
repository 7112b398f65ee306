package ledger

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"
)

// maxJoined bounds how many callers share one transaction.
const maxJoined = 256

// write is what one caller wants done in a transaction.
type write struct {
	apply func(*bbolt.Tx) error
	done  chan error
}

// update runs apply in a transaction and returns once that is on disk. Callers
// that arrive while the disk is busy share the next transaction, so that many
// workers wait for one fsync; unlike bbolt's Batch, nobody waits for company.
//
// apply may run more than once and must change nothing but the transaction. Once
// accepted, a write is not abandoned: its caller must know what became of it.
func (l *Ledger) update(ctx context.Context, apply func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	own := &write{apply: apply, done: make(chan error, 1)}
	select {
	case l.writes <- own:
		return <-own.done
	case <-l.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeAll is the one writer. It ends when the ledger closes.
func (l *Ledger) writeAll() {
	defer close(l.written)
	for {
		select {
		case first := <-l.writes:
			l.commit(l.join(first))
		case <-l.closing:
			return
		}
	}
}

// join takes whoever else is waiting by now.
func (l *Ledger) join(first *write) []*write {
	joined := []*write{first}
	for len(joined) < maxJoined {
		select {
		case next := <-l.writes:
			joined = append(joined, next)
		default:
			return joined
		}
	}
	return joined
}

// commit does the joined writes in one transaction. A write that is refused gets
// its error, and the others are done again without it.
func (l *Ledger) commit(joined []*write) {
	for len(joined) > 0 {
		refused := -1
		var tail uint64
		err := l.db.Update(func(tx *bbolt.Tx) error {
			for i, one := range joined {
				if err := one.apply(tx); err != nil {
					refused = i
					return err
				}
			}
			tail = tx.Bucket(bucketJournal).Sequence()
			return nil
		})
		if refused >= 0 {
			joined[refused].done <- err
			joined = append(joined[:refused:refused], joined[refused+1:]...)
			continue
		}
		if err != nil {
			err = fmt.Errorf("write %s: %w", l.path, err)
			l.logger.Error().Err(err).Int("writes", len(joined)).Msg("the ledger cannot be written")
		} else {
			l.publish(tail)
		}
		for _, one := range joined {
			one.done <- err
		}
		return
	}
}

// publish wakes whoever waits for the journal to grow.
func (l *Ledger) publish(tail uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if tail > l.tail {
		l.tail = tail
		close(l.grown)
		l.grown = make(chan struct{})
	}
}
