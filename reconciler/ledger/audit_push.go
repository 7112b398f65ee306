package ledger

import (
	"context"
	"errors"

	"github.com/deskhand/deskhand"
)

// pushAll pushes what is committed, with patience and beside everything else,
// until the context ends.
func (a *Auditor) pushAll(ctx context.Context) {
	retry := newRetry()
	for {
		select {
		case <-a.unpushed:
		case <-ctx.Done():
			return
		}
		for {
			err := a.push(ctx)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return // Run pushes once more at the end
			}
			delay := retry.NextBackOff()
			a.logger.Warn().Err(err).Dur("retryIn", delay).Msg("the audit branch cannot be pushed")
			if pause(ctx, delay) != nil {
				return
			}
		}
		retry.Reset()
	}
}

// push makes the remote branch hold what the local one does, and moves the cursor.
func (a *Auditor) push(ctx context.Context) error {
	position, moves, err := a.mark(ctx)
	if err != nil {
		return err
	}
	if err := a.branch.Sync(ctx); err != nil {
		if errors.Is(err, deskhand.ErrMoved) {
			return errors.Join(err, a.recover(ctx, err))
		}
		return err
	}
	return a.passed(ctx, position, moves)
}

// mark brings the local branch to where it once was, and says how far that is.
func (a *Auditor) mark(ctx context.Context) (position uint64, moves int, err error) {
	var reached uint64
	if err := a.inTurn(ctx, func() { reached = a.reached }); err != nil {
		return 0, 0, err
	}
	if err := a.writeThrough(ctx, reached); err != nil {
		return 0, 0, err
	}
	err = a.inTurn(ctx, func() { position, moves = a.position, a.moves })
	return position, moves, err
}

// recover takes over what another writer pushed and writes on top of it.
func (a *Auditor) recover(ctx context.Context, moved error) error {
	var reached uint64
	if err := a.inTurn(ctx, func() { a.abandon(); reached = a.reached }); err != nil {
		return err
	}
	a.tellMoved(moved)
	return a.writeThrough(ctx, reached)
}

// passed moves the cursor, unless the branch moved since position was read: then
// what was pushed may not be what was marked.
func (a *Auditor) passed(ctx context.Context, position uint64, moves int) error {
	var err error
	turnErr := a.inTurn(ctx, func() {
		if moves != a.moves || position <= a.pushed {
			return
		}
		if err = a.ledger.setCursor(ctx, a.Cursor(), position); err == nil {
			a.pushed = position
		}
	})
	return errors.Join(turnErr, err)
}
