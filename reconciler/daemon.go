package reconciler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
)

// Branch tells which commit is to be live. An unchanged branch costs one
// question.
type Branch interface {
	Head(ctx context.Context) (deskhand.Commit, error)
}

// Daemon follows a branch and hands each commit to every tenant.
type Daemon struct {
	Branch   Branch
	Interval time.Duration // between two polls
	// Moved has a token when the branch may have moved; Kicked when a person
	// asks for a full pass. Either may be nil.
	Moved  <-chan struct{}
	Kicked <-chan struct{}
	Loops  []*Loop
	Logger zerolog.Logger

	mutex     sync.Mutex
	sourceErr error
}

// Run goes on until ctx ends, and returns once every tenant has finished and
// recorded its writes. It returns an error at the start only, if there is no
// commit to start from.
func (d *Daemon) Run(ctx context.Context) error {
	head, err := d.Branch.Head(ctx)
	if errors.Is(err, deskhand.ErrNoCommit) {
		return err
	}
	var loops sync.WaitGroup
	for _, loop := range d.Loops {
		loops.Go(func() { loop.Run(ctx) })
	}
	d.follow(ctx, head, err)
	loops.Wait()
	return nil
}

func (d *Daemon) follow(ctx context.Context, head deskhand.Commit, err error) {
	poll := time.NewTicker(d.Interval)
	defer poll.Stop()
	var last string
	trigger := deskhand.TriggerPoll
	for {
		d.note(err)
		isKicked := trigger == deskhand.TriggerManual
		if err == nil && (head.SHA != last || isKicked) {
			for _, loop := range d.Loops {
				loop.Submit(Pass{Commit: head, Trigger: trigger, Full: isKicked || last == ""})
			}
			last = head.SHA
		}
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
			trigger = deskhand.TriggerPoll
		case <-d.Moved:
			trigger = deskhand.TriggerWatch
		case <-d.Kicked:
			trigger = deskhand.TriggerManual
		}
		head, err = d.Branch.Head(ctx)
	}
}

func (d *Daemon) note(err error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch {
	case errors.Is(err, context.Canceled):
		return
	case err != nil:
		d.Logger.Error().Err(err).Msg("the branch could not be read; the last commit stays in force")
	case d.sourceErr != nil:
		d.Logger.Info().Msg("the branch can be read again")
	}
	d.sourceErr = err
}

// Ready is nil once every tenant came to the end of a full pass, and otherwise
// says what is waited for.
func (d *Daemon) Ready() error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	var waiting error
	for _, loop := range d.Loops {
		if loop.reconciler.IsReady() {
			continue
		}
		reason := "the first full reconcile is not done"
		if problem := loop.reconciler.Problem(); problem != "" {
			reason = problem
		}
		waiting = errors.Join(waiting, fmt.Errorf("tenant %s: %s", loop.reconciler.tenant, reason))
	}
	if waiting != nil && d.sourceErr != nil {
		waiting = errors.Join(d.sourceErr, waiting)
	}
	return waiting
}

// Status is where every tenant stands.
func (d *Daemon) Status() deskhand.Status {
	status := deskhand.Status{Tenants: make([]deskhand.TenantStatus, 0, len(d.Loops))}
	for _, loop := range d.Loops {
		status.Tenants = append(status.Tenants, loop.reconciler.Status())
	}
	return status
}
