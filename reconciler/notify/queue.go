package notify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/deskhand/deskhand"
)

// maxAge is how long an event is tried from its first attempt on.
const maxAge = 3 * 24 * time.Hour

// delivery is one event on its way to the sink. It holds all that the event needs,
// so that the journal need not.
type delivery struct {
	Seq      uint64          `json:"seq"`
	Record   deskhand.Record `json:"record"`
	Hash     string          `json:"hash"`
	Attempts int             `json:"attempts"`
	First    time.Time       `json:"first,omitzero"` // attempt
	Next     time.Time       `json:"next,omitzero"`  // no attempt before
	Error    string          `json:"error,omitempty"`

	inFlight bool
	stored   bool // some version of it is in the store
	saved    bool // this version of it is in the store
}

func decodeDelivery(text []byte) (*delivery, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // the event must be the same at each attempt
	var one delivery
	if err := decoder.Decode(&one); err != nil {
		return nil, err
	}
	return &one, nil
}

// failed notes a failed attempt and plans the next one, which is not before
// retryAfter. It reports false where the event has had its time.
func (d *delivery) failed(now time.Time, reason string, retryAfter time.Duration) bool {
	if d.First.IsZero() {
		d.First = now
	}
	d.Attempts++
	d.Error = reason
	d.saved = false
	deadline := d.First.Add(maxAge)
	if !now.Before(deadline) {
		return false
	}
	d.Next = now.Add(max(retryDelay(d.Attempts), retryAfter))
	if d.Next.After(deadline) {
		d.Next = deadline // for a last attempt
	}
	return true
}

// retryDelay is how long to wait after so many attempts: from about five seconds,
// doubling, to about an hour, each half as much more or less.
func retryDelay(attempts int) time.Duration {
	intervals := backoff.ExponentialBackOff{
		InitialInterval:     5 * time.Second,
		RandomizationFactor: 0.5,
		Multiplier:          2,
		MaxInterval:         time.Hour,
	}
	delay := intervals.NextBackOff()
	for range min(attempts, 12) - 1 { // the interval grows no more after that
		delay = intervals.NextBackOff()
	}
	return delay
}

// desktop is what events are kept in order for.
type desktop struct {
	tenant   deskhand.Tenant
	configID string // "" for the platform's events
}

func (d *delivery) desktop() desktop {
	return desktop{tenant: d.Record.Tenant, configID: d.Record.ConfigID}
}

// queue holds the deliveries of each desktop in the order of the journal. Only the
// first of a desktop may be under way.
type queue map[desktop][]*delivery

func (q queue) add(one *delivery) {
	line := q[one.desktop()]
	place, _ := slices.BinarySearchFunc(line, one.Seq, func(d *delivery, seq uint64) int { return cmp.Compare(d.Seq, seq) })
	if place == 0 && len(line) > 0 && line[0].inFlight {
		place = 1 // a letter sent again does not overtake what is under way
	}
	q[one.desktop()] = slices.Insert(line, place, one)
}

func (q queue) remove(one *delivery) {
	key := one.desktop()
	line := slices.DeleteFunc(q[key], func(d *delivery) bool { return d == one })
	if len(line) == 0 {
		delete(q, key)
		return
	}
	q[key] = line
}

func (q queue) size() int {
	size := 0
	for _, line := range q {
		size += len(line)
	}
	return size
}

// due is the oldest delivery that may be sent now, or nil.
func (q queue) due(now time.Time) *delivery {
	var oldest *delivery
	for _, line := range q {
		head := line[0]
		if head.inFlight || head.Next.After(now) {
			continue
		}
		if oldest == nil || head.Seq < oldest.Seq {
			oldest = head
		}
	}
	return oldest
}

// nextDue is when the next delivery may be sent; false where none waits.
func (q queue) nextDue() (time.Time, bool) {
	var soonest time.Time
	found := false
	for _, line := range q {
		head := line[0]
		if !head.inFlight && (!found || head.Next.Before(soonest)) {
			soonest, found = head.Next, true
		}
	}
	return soonest, found
}
