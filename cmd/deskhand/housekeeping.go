package main

import (
	"context"
	"time"
)

const (
	houseInterval = time.Minute
	// journalKept is how long delivered records stay in the journal, so that
	// events can be listed and sent again. The audit branch keeps them for good.
	journalKept = 30 * 24 * time.Hour
)

// keepHouse shows how far the journal's readers are, and drops what all of them
// are long through with.
func (s *station) keepHouse(ctx context.Context) error {
	tick := time.NewTicker(houseInterval)
	defer tick.Stop()
	for {
		cursors := map[string]uint64{}
		var names []string
		for _, tenant := range s.tenants {
			names = append(names, tenant.auditor.Cursor())
		}
		for _, notifier := range s.notifiers {
			if name, isReading := notifier.Cursor(); isReading {
				names = append(names, name)
			}
		}
		for _, name := range names {
			seq, err := s.ledger.Cursor(name)
			if err != nil {
				s.log.Error().Err(err).Msg("read a cursor of the journal")
				continue
			}
			cursors[name] = seq
		}
		s.metrics.Journal(s.ledger.Tail(), cursors)
		if err := s.ledger.Trim(ctx, journalKept, names); err != nil && ctx.Err() == nil {
			s.log.Error().Err(err).Msg("trim the journal")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
