package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand"
)

var (
	// ErrNoLetter: there is no dead letter with that id.
	ErrNoLetter = errors.New("there is no such dead letter")
	// ErrStopped: the sink answered 410 Gone and gets no events.
	ErrStopped = errors.New("the sink is stopped")
)

// Stop says why a sink gets no more events.
type Stop struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
	// Endpoint tells the URL that was stopped from others.
	Endpoint string `json:"endpoint"`
}

// Status is where the delivery to a sink stands.
type Status struct {
	Name    string `json:"name"`
	Read    uint64 `json:"read"`    // the Seq up to which the journal was read
	Waiting int    `json:"waiting"` // events read and not delivered
	Failing int    `json:"failing"` // those of them that were tried in vain
	Stop    *Stop  `json:"stop,omitempty"`
}

// Letter is an event that was given up.
type Letter struct {
	ID       string             `json:"id"` // of the event, and of its record
	Event    deskhand.EventType `json:"event"`
	Tenant   deskhand.Tenant    `json:"tenant"`
	ConfigID string             `json:"configId"`
	Time     time.Time          `json:"time"`
	First    time.Time          `json:"first"` // attempt
	Attempts int                `json:"attempts"`
	Error    string             `json:"error"` // of the last attempt
}

// Status returns where the delivery stands.
func (n *Notifier) Status() Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	status := Status{Name: n.sink.Name, Read: n.read, Waiting: n.queue.size()}
	for _, line := range n.queue {
		for _, one := range line {
			if one.Attempts > 0 {
				status.Failing++
			}
		}
	}
	if n.stop != nil {
		stop := *n.stop
		status.Stop = &stop
	}
	return status
}

// List returns the dead letters, oldest first.
func (n *Notifier) List(ctx context.Context) ([]Letter, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var letters []Letter
	_, _, err := n.store.LoadReader(ctx, n.reader(), func(key string, value []byte) error {
		if !strings.HasPrefix(key, prefixDead) {
			return nil
		}
		dead, err := decodeDelivery(value)
		if err != nil {
			return fmt.Errorf("decode %s: %w", key, err)
		}
		letters = append(letters, Letter{
			ID:       dead.Record.ID,
			Event:    dead.Record.Event,
			Tenant:   dead.Record.Tenant,
			ConfigID: dead.Record.ConfigID,
			Time:     dead.Record.Time,
			First:    dead.First,
			Attempts: dead.Attempts,
			Error:    dead.Error,
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the dead letters of %q: %w", n.sink.Name, err)
	}
	return letters, nil
}

// Replay puts a dead letter back in the queue, with three days of its own. The
// error wraps ErrNoLetter, or ErrStopped while the sink is stopped.
func (n *Notifier) Replay(ctx context.Context, id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stop != nil {
		return fmt.Errorf("send %s again to %q: %w (%s)", id, n.sink.Name, ErrStopped, n.stop.Reason)
	}
	var letter []byte
	_, _, err := n.store.LoadReader(ctx, n.reader(), func(key string, value []byte) error {
		if key == prefixDead+id {
			letter = bytes.Clone(value)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("send %s again to %q: %w", id, n.sink.Name, err)
	}
	if letter == nil {
		return fmt.Errorf("send %s again to %q: %w", id, n.sink.Name, ErrNoLetter)
	}
	dead, err := decodeDelivery(letter)
	if err != nil {
		return fmt.Errorf("decode dead letter %s: %w", id, err)
	}
	again := &delivery{Seq: dead.Seq, Record: dead.Record, Hash: dead.Hash}
	n.queue.add(again)
	n.unsaved[prefixDead+id] = nil
	n.changed()
	if err := n.save(ctx); err != nil {
		n.queue.remove(again)
		delete(n.unsaved, prefixDead+id)
		return fmt.Errorf("send %s again to %q: %w", id, n.sink.Name, err)
	}
	signal(n.wake)
	return nil
}

// Resume lets a stopped sink have events again, from where it was stopped.
func (n *Notifier) Resume(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stop == nil {
		return nil
	}
	n.resume()
	if err := n.save(ctx); err != nil {
		return fmt.Errorf("resume %q: %w", n.sink.Name, err)
	}
	return nil
}

func (n *Notifier) resume() {
	n.stop = nil
	n.unsaved[keyStopped] = nil
	n.changed()
	signal(n.room)
	signal(n.wake)
}

// halt stops the sink. What waits stays, in case it is resumed.
func (n *Notifier) halt(now time.Time, reason error) {
	n.stop = &Stop{Time: now, Reason: reason.Error(), Endpoint: fingerprint(n.sink.URL)}
	text, err := json.Marshal(n.stop)
	if err != nil {
		n.logger.Error().Err(err).Msg("the stop cannot be kept")
		return
	}
	n.unsaved[keyStopped] = text
	n.saveAt = now
	n.logger.Error().Err(reason).Msg("the sink is stopped: it wants no more events; give it another url, or remove it")
}

// bury makes a dead letter of a delivery.
func (n *Notifier) bury(one *delivery) {
	n.drop(one)
	n.meter.DeadLettered(n.sink.Name)
	text, err := json.Marshal(one)
	if err != nil {
		n.logger.Error().Err(err).Msg("a dead letter cannot be kept")
		return
	}
	n.unsaved[prefixDead+one.Record.ID] = text
	n.saveAt = time.Now()
}
