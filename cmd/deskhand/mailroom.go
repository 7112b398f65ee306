package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/deskhand/deskhand/reconciler/metrics"
	"github.com/deskhand/deskhand/reconciler/notify"
	"github.com/deskhand/deskhand/reconciler/statuspage"
)

// mailroom is the delivery to all sinks, as people steer it.
type mailroom []*notify.Notifier

// openMailroom opens the deliveries in the journal of a daemon that does not run.
func openMailroom(config configs.Config) (room mailroom, closeAll func() error, err error) {
	log := zerolog.Nop()
	journal, err := ledger.Open(config.DataDir, ledger.Options{Actor: actor(), Logger: log})
	if err != nil {
		return nil, nil, err
	}
	s := &station{config: config, log: log, ledger: journal, metrics: metrics.New(buildVersion())}
	for _, sink := range config.Notify {
		notifier, err := s.openSink(sink)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("notify %s: %w", sink.Name, err), journal.Close())
		}
		room = append(room, notifier)
	}
	return room, journal.Close, nil
}

// Sinks implements statuspage.Events.
func (m mailroom) Sinks(ctx context.Context) ([]statuspage.Sink, error) {
	sinks := make([]statuspage.Sink, 0, len(m))
	for _, notifier := range m {
		status := notifier.Status()
		sink := statuspage.Sink{
			Name: status.Name, Waiting: status.Waiting, Failing: status.Failing, DeadLetters: []statuspage.DeadLetter{},
		}
		if status.Stop != nil {
			sink.Stopped = status.Stop.Reason
		}
		letters, err := notifier.List(ctx)
		if err != nil {
			return nil, err
		}
		for _, letter := range letters {
			sink.DeadLetters = append(sink.DeadLetters, statuspage.DeadLetter{
				ID: letter.ID, Event: letter.Event, Tenant: letter.Tenant, ConfigID: letter.ConfigID,
				Time: letter.Time, Attempts: letter.Attempts, Error: letter.Error,
			})
		}
		sinks = append(sinks, sink)
	}
	return sinks, nil
}

// Resend implements statuspage.Events: a letter is sent again to each sink that
// gave it up.
func (m mailroom) Resend(ctx context.Context, id string) error {
	isFound := false
	for _, notifier := range m {
		letters, err := notifier.List(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(letters, func(letter notify.Letter) bool { return letter.ID == id }) {
			continue
		}
		isFound = true
		if err := notifier.Replay(ctx, id); err != nil {
			return err
		}
	}
	if !isFound {
		return fmt.Errorf("dead letter %s: %w", id, statuspage.ErrNotFound)
	}
	return nil
}

// Resume implements statuspage.Events.
func (m mailroom) Resume(ctx context.Context, sink string) error {
	for _, notifier := range m {
		if notifier.Status().Name == sink {
			return notifier.Resume(ctx)
		}
	}
	return fmt.Errorf("sink %s: %w", sink, statuspage.ErrNotFound)
}
