package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// readAtOnce is how many entries are taken from the journal at a time.
const readAtOnce = 64

// Run delivers until the context ends. What is under way then is cut off, and sent
// again by the next Run.
func (n *Notifier) Run(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { n.readAll(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(n.dispatch(ctx, &work))
		select {
		case <-timer.C:
		case <-n.wake:
		case <-ctx.Done():
		}
	}
	work.Wait()
	n.client.CloseIdleConnections()

	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.save(last); err != nil {
		return fmt.Errorf("webhook sink %q: %w (some events will be sent twice)", n.sink.Name, err)
	}
	return nil
}

// readAll takes events from the journal as long as there is room for them.
func (n *Notifier) readAll(ctx context.Context) {
	retry := backoff.NewExponentialBackOff()
	for ctx.Err() == nil {
		after, hasRoom := n.readable()
		if !hasRoom {
			select {
			case <-n.room:
			case <-ctx.Done():
			}
			continue
		}
		if err := n.readMore(ctx, after); err != nil {
			if ctx.Err() == nil {
				n.logger.Error().Err(err).Msg("the journal cannot be read")
			}
			select {
			case <-time.After(retry.NextBackOff()):
			case <-ctx.Done():
			}
			continue
		}
		retry.Reset()
	}
}

func (n *Notifier) readable() (after uint64, hasRoom bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.read, n.stop == nil && n.queue.size() < maxWaiting
}

var errNoEntries = errors.New("there is no entry where there should be one")

func (n *Notifier) readMore(ctx context.Context, after uint64) error {
	if err := n.feed.Wait(ctx, after); err != nil {
		return err
	}
	entries, err := n.feed.Entries(ctx, after, readAtOnce)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return errNoEntries
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, entry := range entries {
		n.read = entry.Seq
		if n.sink.wants(entry.Record.Event) {
			n.queue.add(&delivery{Seq: entry.Seq, Record: entry.Record, Hash: entry.Hash})
		}
	}
	n.changed()
	signal(n.wake)
	return nil
}

// dispatch starts what is due, saves when it is time to, and says how long nothing
// else is to be done.
func (n *Notifier) dispatch(ctx context.Context, work *sync.WaitGroup) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if !n.saveAt.IsZero() && !now.Before(n.saveAt) {
		if err := n.save(ctx); err != nil && ctx.Err() == nil {
			n.logger.Error().Err(err).Msg("what was sent cannot be kept; a restart would send it again")
			n.saveAt = now.Add(saveInterval)
		}
	}
	idle := time.Hour
	if !n.saveAt.IsZero() {
		idle = n.saveAt.Sub(now)
	}
	if n.stop != nil {
		return idle
	}
	if now.Before(n.heldUntil) {
		return min(idle, n.heldUntil.Sub(now))
	}
	for n.inFlight < maxInFlight {
		one := n.queue.due(now)
		if one == nil {
			break
		}
		one.inFlight = true
		n.inFlight++
		work.Go(func() { n.deliver(ctx, one) })
	}
	if next, waits := n.queue.nextDue(); waits && n.inFlight < maxInFlight {
		idle = min(idle, next.Sub(now))
	}
	return idle
}

// deliver makes one attempt and notes what became of it.
func (n *Notifier) deliver(ctx context.Context, one *delivery) {
	got := n.attempt(ctx, one)
	n.mu.Lock()
	defer n.mu.Unlock()
	defer signal(n.wake)
	one.inFlight = false
	n.inFlight--
	if got.err != nil && ctx.Err() != nil {
		return // cut off, which says nothing about the sink
	}
	n.meter.Delivered(n.sink.Name, got.err)
	now := time.Now()
	n.changed()
	log := n.logger.With().Str("event", one.Record.ID).Str("configId", one.Record.ConfigID).Logger()
	switch {
	case got.err == nil:
		n.drop(one)
		log.Debug().Int("attempts", one.Attempts+1).Msg("delivered")
	case got.gone:
		one.failed(now, got.err.Error(), 0)
		one.Next = now // if the sink is ever resumed
		n.halt(now, got.err)
	case one.failed(now, got.err.Error(), got.retryAfter):
		if got.busy {
			n.heldUntil = now.Add(got.retryAfter)
		}
		log.Warn().Err(got.err).Int("attempts", one.Attempts).Time("next", one.Next).Msg("not delivered")
	default:
		n.bury(one)
		log.Error().Err(got.err).Int("attempts", one.Attempts).Msg("given up; the event is a dead letter")
	}
}

// drop takes the delivery out of the queue.
func (n *Notifier) drop(one *delivery) {
	n.queue.remove(one)
	if one.stored {
		n.unsaved[prefixWaiting+one.Record.ID] = nil
	}
	signal(n.room)
}

// changed makes sure that a save is due.
func (n *Notifier) changed() {
	if n.saveAt.IsZero() {
		n.saveAt = time.Now().Add(saveInterval)
	}
}

// save makes the store hold what has been read and is not delivered. The caller
// holds the lock.
func (n *Notifier) save(ctx context.Context) error {
	values := maps.Clone(n.unsaved)
	var waiting []*delivery
	for _, line := range n.queue {
		for _, one := range line {
			if one.saved {
				continue
			}
			text, err := json.Marshal(one)
			if err != nil {
				return fmt.Errorf("encode event %s: %w", one.Record.ID, err)
			}
			values[prefixWaiting+one.Record.ID] = text
			waiting = append(waiting, one)
		}
	}
	if err := n.store.SaveReader(ctx, n.reader(), n.read, values); err != nil {
		return err
	}
	for _, one := range waiting {
		one.stored, one.saved = true, true
	}
	clear(n.unsaved)
	n.saveAt = time.Time{}
	return nil
}

// signal leaves one signal in a channel that holds one.
func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}
