package cxone

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	firstBackoff   = 250 * time.Millisecond // the mean; full jitter makes it 0 to twice that
	longestBackoff = 20 * time.Second
	leastBackoff   = 20 * time.Millisecond
)

// retry repeats an attempt while its *Error says that another may succeed, at
// most maxAttempts times in all. When ctx ends, so does the wait, at once.
func (c *Client) retry(ctx context.Context, attempt func() error) error {
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		last = attempt()
		return struct{}{}, verdict(last)
	}, backoff.WithBackOff(newFullJitter()), backoff.WithMaxTries(c.maxAttempts), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return nil
	}
	var failed *Error
	if cause := ended(ctx); cause != nil && errors.As(last, &failed) && failed.again {
		given := *failed
		given.Err, given.Hint = cause, ""
		return &given
	}
	return last
}

// verdict tells the loop what to do after an attempt.
func verdict(err error) error {
	var failed *Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &failed) || !failed.again:
		return backoff.Permanent(err)
	case failed.wait > 0:
		return &backoff.RetryAfterError{Duration: failed.wait}
	}
	return err
}

// fullJitter waits for a random part of an exponentially growing time, but
// never for none.
type fullJitter struct{ *backoff.ExponentialBackOff }

func newFullJitter() fullJitter {
	return fullJitter{&backoff.ExponentialBackOff{
		InitialInterval:     firstBackoff,
		RandomizationFactor: 1,
		Multiplier:          2,
		MaxInterval:         longestBackoff,
	}}
}

func (b fullJitter) NextBackOff() time.Duration {
	return max(b.ExponentialBackOff.NextBackOff(), leastBackoff)
}
