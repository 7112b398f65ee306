package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/deskhand/deskhand"
	"github.com/rs/zerolog"
)

// Branch is the git side of an audit branch. Each method is safe for concurrent
// use.
type Branch interface {
	// Commit puts one commit on the tip and returns its SHA once it is on disk.
	// Nil content deletes. The error wraps deskhand.ErrMoved where the tip is not
	// where this writer left it.
	Commit(ctx context.Context, files map[string][]byte, message string, at time.Time) (string, error)
	// Read visits the files at the tip under the folder, sorted by path. A branch
	// that does not exist has none.
	Read(ctx context.Context, folder string, visit func(path string, content []byte) error) error
	// Sync pushes, fast-forward only. The error wraps deskhand.ErrMoved where the
	// remote branch is not where this writer left it.
	Sync(ctx context.Context) error
}

// Resetter is a Branch that has a copy of its own, which Reset makes equal to the
// remote one.
type Resetter interface {
	Reset(ctx context.Context) error
}

const (
	// linger is how long a first entry waits for others to share its commit.
	linger = 500 * time.Millisecond
	// drainTime bounds what is done for the branch after the daemon was stopped.
	drainTime = 10 * time.Second
	// maxMoves bounds how often a single write starts anew for other writers.
	maxMoves = 3
	// readAtOnce is how many entries are held at a time.
	readAtOnce = 512
)

// Auditor writes the records of one tenant to its audit branch. The ledger's
// cursor of that name stands behind what is pushed, so that entries stay in the
// journal until no loss of the local disk or of a race can lose them.
type Auditor struct {
	// Moved, where set before Run, is told each time that another writer was at
	// work on the branch.
	Moved func(error)

	ledger   *Ledger
	tenant   deskhand.Tenant
	branch   Branch
	logger   zerolog.Logger
	unpushed chan struct{} // holds one signal while there is something to push

	turn chan struct{} // holds one token while somebody writes the branch
	// The rest is touched only by whoever has the turn.
	current  bool            // position and present are true of the branch
	foreign  bool            // the branch must be Reset before it is read
	moves    int             // how often the branch moved
	position uint64          // the entries up to here are on the local branch
	reached  uint64          // the highest position ever
	pushed   uint64          // the cursor as last set
	present  map[string]bool // ids of records beyond position that are there already
}

// NewAuditor returns the writer of the tenant's branch. There must be one for
// each branch.
func NewAuditor(l *Ledger, tenant deskhand.Tenant, branch Branch, logger zerolog.Logger) *Auditor {
	return &Auditor{
		ledger:   l,
		tenant:   tenant,
		branch:   branch,
		logger:   logger.With().Str("tenant", string(tenant)).Logger(),
		unpushed: make(chan struct{}, 1),
		turn:     make(chan struct{}, 1),
	}
}

// Cursor is the name of the auditor's cursor, for Trim.
func (a *Auditor) Cursor() string { return "audit/" + string(a.tenant) }

// Run follows the journal until the context ends, and then writes and pushes what
// is left, for at most ten seconds. What fails is logged and tried again.
func (a *Auditor) Run(ctx context.Context) error {
	running, stop := context.WithCancel(ctx)
	var pushing sync.WaitGroup
	pushing.Go(func() { a.pushAll(running) })
	err := a.follow(running)
	stop()
	pushing.Wait()
	if errors.Is(err, ErrClosed) {
		return fmt.Errorf("follow the journal for the audit branch of %s: %w", a.tenant, err)
	}

	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := a.Flush(drain); err != nil {
		return fmt.Errorf("%w (the rest is written at the next start)", err)
	}
	if err := a.push(drain); err != nil {
		return fmt.Errorf("push the audit branch of %s: %w (it is pushed at the next start)", a.tenant, err)
	}
	return nil
}

// Flush returns once every entry that the tenant has in the journal by now is
// committed on the local branch, though not necessarily pushed.
func (a *Auditor) Flush(ctx context.Context) error {
	return a.writeThrough(ctx, a.ledger.Tail())
}

func (a *Auditor) follow(ctx context.Context) error {
	retry := newRetry()
	position := uint64(0)
	for {
		if err := a.ledger.Wait(ctx, position); err != nil {
			return err
		}
		if err := pause(ctx, linger); err != nil {
			return err
		}
		tail := a.ledger.Tail()
		if err := a.writeThrough(ctx, tail); err != nil {
			delay := retry.NextBackOff()
			a.logger.Warn().Err(err).Dur("retryIn", delay).Msg("the audit branch cannot be written")
			if err := pause(ctx, delay); err != nil {
				return err
			}
			continue
		}
		position = tail
		retry.Reset()
	}
}

// writeThrough commits the tenant's entries up to target.
func (a *Auditor) writeThrough(ctx context.Context, target uint64) error {
	var moved, err error
	turnErr := a.inTurn(ctx, func() {
		for range maxMoves {
			if err = a.write(ctx, target); !errors.Is(err, deskhand.ErrMoved) {
				return
			}
			moved = err
			a.abandon()
		}
	})
	a.tellMoved(moved)
	if err := errors.Join(turnErr, err); err != nil {
		return fmt.Errorf("write the audit branch of %s: %w", a.tenant, err)
	}
	return nil
}

func (a *Auditor) write(ctx context.Context, target uint64) error {
	if err := a.resume(ctx); err != nil {
		return err
	}
	for a.position < target {
		entries, err := a.ledger.Entries(ctx, a.position, readAtOnce)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			break
		}
		for len(entries) > 0 {
			batch, length, err := cut(entries, a.tenant, a.present)
			if err != nil {
				return err
			}
			if err := a.commit(ctx, batch); err != nil {
				return err
			}
			a.position = entries[length-1].Seq
			entries = entries[length:]
		}
	}
	a.reached = max(a.reached, a.position)
	if a.position > a.pushed {
		a.signalPush() // if only for the cursor to pass what is of other tenants
	}
	return nil
}

func (a *Auditor) commit(ctx context.Context, batch batch) error {
	if len(batch.entries) == 0 {
		return nil
	}
	files, err := batch.files()
	if err != nil {
		return err
	}
	if _, err := a.branch.Commit(ctx, files, batch.message(), batch.time()); err != nil {
		a.current = false // the commit may have been made in spite of the error
		return fmt.Errorf("commit %d records: %w", len(batch.entries), err)
	}
	return nil
}

// resume finds out what the branch still lacks, after a start and after anything
// that puts that in doubt.
func (a *Auditor) resume(ctx context.Context) error {
	if a.current {
		return nil
	}
	if resetter, ok := a.branch.(Resetter); ok && a.foreign {
		if err := resetter.Reset(ctx); err != nil {
			return fmt.Errorf("take over what another writer pushed: %w", err)
		}
	}
	a.foreign = false
	cursor, err := a.ledger.Cursor(a.Cursor())
	if err != nil {
		return err
	}
	present, err := a.recorded(ctx, cursor)
	if err != nil {
		return err
	}
	a.position, a.pushed, a.present, a.current = cursor, cursor, present, true
	return nil
}

// recorded are the ids of the records on the branch from the days of the entries
// after the cursor.
func (a *Auditor) recorded(ctx context.Context, cursor uint64) (map[string]bool, error) {
	days := make(map[string]bool)
	for {
		entries, err := a.ledger.Entries(ctx, cursor, readAtOnce)
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			break
		}
		for _, entry := range entries {
			if entry.Record.Tenant == a.tenant {
				days[dayFolder(entry.Record)] = true
			}
			cursor = entry.Seq
		}
	}
	ids := make(map[string]bool)
	for day := range days {
		err := visitReadable(ctx, a.branch, day, func(line recordLine) error {
			ids[line.record.ID] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// abandon means that the branch is no longer what this writer took it for.
func (a *Auditor) abandon() {
	a.current, a.foreign = false, true
	a.moves++
}

func (a *Auditor) tellMoved(err error) {
	if err == nil {
		return
	}
	a.logger.Warn().Err(err).Msg("another writer is at work on the audit branch; run one deskhand for each tenant")
	if a.Moved != nil {
		a.Moved(err)
	}
}

func (a *Auditor) inTurn(ctx context.Context, do func()) error {
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.turn }()
	do()
	return nil
}

func (a *Auditor) signalPush() {
	select {
	case a.unpushed <- struct{}{}:
	default: // a push that will see this is due already
	}
}

// newRetry spaces attempts from half a second to five minutes apart.
func newRetry() *backoff.ExponentialBackOff {
	retry := backoff.NewExponentialBackOff()
	retry.MaxInterval = 5 * time.Minute
	return retry
}

func pause(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
