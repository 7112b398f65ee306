package cxone

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// burstShare of a second's requests may go out at once. The limiter runs
	// slower than the ceiling by as much, so that no second holds more than it.
	burstShare = 0.01
	cut        = 0.5 // multiplicative decrease, at a 429
	regain     = 0.1 // additive increase: of the rate before the cut, a second
	slowest    = rate.Limit(0.2)
)

// throttle holds the whole tenant back when CXone asks for it, and adapts its
// rate: additive increase, multiplicative decrease, up to the ceiling.
type throttle struct {
	next    http.RoundTripper
	ceiling rate.Limit // rate.Inf for none
	limiter *rate.Limiter

	mu          sync.Mutex
	pausedUntil time.Time
	cutAt       time.Time
	step        rate.Limit // regained in a second
	sent        meter
}

func newThrottle(next http.RoundTripper, requestsPerSecond float64) *throttle {
	ceiling := rate.Inf
	if requestsPerSecond > 0 {
		ceiling = rate.Limit(requestsPerSecond * (1 - burstShare))
	}
	return &throttle{next: next, ceiling: ceiling, limiter: rate.NewLimiter(ceiling, burstOf(ceiling))}
}

func burstOf(limit rate.Limit) int {
	if limit == rate.Inf {
		return 1
	}
	return max(1, int(limit*burstShare))
}

func (l *throttle) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := l.wait(request); err != nil {
		return nil, err
	}
	sent := time.Now()
	if !isToken(request) {
		l.mu.Lock()
		l.sent.add(sent)
		l.mu.Unlock()
	}
	response, err := l.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	l.learn(sent, response, isToken(request))
	return response, nil
}

// wait returns when the tenant is not paused and the rate allows a request. A
// token is needed now and then only, and by all: it takes no turn.
func (l *throttle) wait(request *http.Request) error {
	ctx := request.Context()
	for {
		if !isToken(request) {
			if err := l.limiter.Wait(ctx); err != nil {
				return err
			}
		}
		left := l.pauseLeft()
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C: // those who waited go on at the limiter's pace
		}
	}
}

func (l *throttle) pauseLeft() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.pausedUntil)
}

func (l *throttle) learn(sent time.Time, response *http.Response, token bool) {
	now := time.Now()
	after, said := retryAfter(response.Header, now)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case response.StatusCode == http.StatusTooManyRequests:
		if !said {
			after = time.Second
		}
		if !token {
			l.slowDown(sent, now)
		}
		l.pause(now, after)
	case response.StatusCode == http.StatusServiceUnavailable && said:
		l.pause(now, after)
	case response.StatusCode < 500 && !token:
		l.speedUp()
		if reset, exhausted := exhaustedUntil(response.Header, now); exhausted {
			l.pause(now, reset)
		}
	}
}

func (l *throttle) pause(now time.Time, length time.Duration) {
	// A little later than asked for, so that clients do not come back as one.
	if spread := min(length/10, time.Second); spread > 0 {
		length += time.Duration(rand.Int64N(int64(spread))) //nolint:gosec // no secret
	}
	if until := now.Add(length); until.After(l.pausedUntil) {
		l.pausedUntil = until
	}
}

// slowDown cuts the rate once for each burst of 429s: those to requests that
// were sent before the last cut say nothing about the rate since.
func (l *throttle) slowDown(sent, now time.Time) {
	if sent.Before(l.cutAt) {
		return
	}
	l.cutAt = now
	before := min(l.limiter.Limit(), rate.Limit(l.sent.perSecond(now)))
	l.step = max(before*regain, slowest)
	l.setLimit(max(before*cut, slowest))
}

// speedUp spreads one step over the answers of a second.
func (l *throttle) speedUp() {
	if limit := l.limiter.Limit(); limit < l.ceiling {
		l.setLimit(min(limit+l.step/limit, l.ceiling))
	}
}

func (l *throttle) setLimit(limit rate.Limit) {
	l.limiter.SetLimit(limit)
	l.limiter.SetBurst(burstOf(limit))
}

// meter counts events by the second.
type meter struct {
	start time.Time
	count int
	last  float64 // of the second before
}

func (m *meter) add(now time.Time) {
	if elapsed := now.Sub(m.start); elapsed >= time.Second {
		m.last = float64(m.count) / elapsed.Seconds()
		m.start, m.count = now, 0
	}
	m.count++
}

func (m *meter) perSecond(now time.Time) float64 {
	const shortest = 0.1 // seconds; less says nothing
	return max(m.last, float64(m.count)/max(now.Sub(m.start).Seconds(), shortest))
}
