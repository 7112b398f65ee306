package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	memoryInterval = 10 * time.Second
	// idleMemory is how many bytes the heap may hold without using them.
	idleMemory = 16 << 20
)

// keepLean gives memory back to the system after a burst: a first sync of
// thousands takes several times what holding them does, and the runtime would
// keep that for hours.
func keepLean(ctx context.Context) error {
	tick := time.NewTicker(memoryInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if memory.HeapIdle-memory.HeapReleased > idleMemory {
			debug.FreeOSMemory()
		}
	}
}
