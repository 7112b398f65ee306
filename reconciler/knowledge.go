package reconciler

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/deskhand/deskhand"
)

// knowledge is the memory of what was agreed, kept in step with the journal so
// that a pass over ten thousand desktops reads no disk.
type knowledge struct {
	mutex    sync.Mutex
	isLoaded bool
	desktops map[string]deskhand.Managed
}

// managed is a copy of what is known, read from the journal the first time.
func (r *Reconciler) managed(ctx context.Context) (map[string]deskhand.Managed, error) {
	r.known.mutex.Lock()
	defer r.known.mutex.Unlock()
	if !r.known.isLoaded {
		list, err := r.parts.Memory.Managed(ctx, r.tenant)
		if err != nil {
			return nil, fmt.Errorf("read what was agreed before: %w", err)
		}
		r.known.desktops = make(map[string]deskhand.Managed, len(list))
		for _, desktop := range list {
			r.known.desktops[desktop.ConfigID] = sharingText(desktop)
		}
		r.known.isLoaded = true
	}
	return maps.Clone(r.known.desktops), nil
}

// Forget makes the next pass read the journal again: another writer was there.
func (r *Reconciler) Forget() {
	r.known.mutex.Lock()
	defer r.known.mutex.Unlock()
	r.known.isLoaded = false
}

func (r *Reconciler) knownOf(configID string) deskhand.Managed {
	r.known.mutex.Lock()
	defer r.known.mutex.Unlock()
	return r.known.desktops[configID]
}

// settle makes settlements durable, and knowledge follow them.
func (r *Reconciler) settle(ctx context.Context, settlements []deskhand.Settlement) error {
	if len(settlements) == 0 {
		return nil
	}
	// What was done must be recorded, whoever waits for the pass to end.
	if err := r.parts.Journal.Settle(context.WithoutCancel(ctx), r.tenant, settlements); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	r.known.mutex.Lock()
	defer r.known.mutex.Unlock()
	if r.known.desktops == nil {
		return nil
	}
	for _, settlement := range settlements {
		if settlement.Managed == nil {
			continue
		}
		if settlement.Forget {
			delete(r.known.desktops, settlement.Managed.ConfigID)
			continue
		}
		r.known.desktops[settlement.Managed.ConfigID] = sharingText(*settlement.Managed)
	}
	return nil
}

// sharingText lets equal documents share their memory.
func sharingText(desktop deskhand.Managed) deskhand.Managed {
	if desktop.Live == desktop.Base {
		desktop.Live = desktop.Base
	}
	return desktop
}
