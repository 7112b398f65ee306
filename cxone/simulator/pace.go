package simulator

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace is how fast the tenant answers, and how many requests.
type pace struct {
	mu      sync.Mutex
	latency time.Duration
	limiter *rate.Limiter // nil for no limit
}

// SetPace replaces Options.Latency and Options.RateLimit from now on. It refuses
// negative values.
func (s *Simulator) SetPace(latency time.Duration, requestsPerSecond int) error {
	if latency < 0 || requestsPerSecond < 0 {
		return errors.New("set pace: latency and rate limit can't be negative")
	}
	var limiter *rate.Limiter
	if requestsPerSecond > 0 {
		limiter = rate.NewLimiter(rate.Limit(requestsPerSecond), requestsPerSecond)
	}
	s.pace.mu.Lock()
	defer s.pace.mu.Unlock()
	s.pace.latency, s.pace.limiter = latency, limiter
	return nil
}

func (p *pace) current() (time.Duration, *rate.Limiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latency, p.limiter
}

// meterOut counts the request against the limit, and refuses what is over it.
func (s *Simulator) meterOut(x *exchange) (refused answer, ok bool) {
	_, limiter := s.pace.current()
	if limiter == nil || x.target == TargetToken {
		return answer{}, false
	}
	now := s.options.Now()
	if limiter.AllowN(now, 1) {
		return answer{}, false
	}
	refused = x.refuse(http.StatusTooManyRequests, "rate_limited", fmt.Sprintf("more than %d requests a second", limiter.Burst()))
	refused.header.Set("Retry-After", "1")
	return refused, true
}

// showLimit sets the RateLimit headers that many gateways send, those of
// draft-ietf-httpapi-ratelimit-headers before its seventh version.
func (s *Simulator) showLimit(x *exchange, header http.Header) {
	_, limiter := s.pace.current()
	if limiter == nil || x.target == TargetToken {
		return
	}
	left := max(0, math.Floor(limiter.TokensAt(s.options.Now())))
	full := math.Ceil((float64(limiter.Burst()) - left) / float64(limiter.Limit()))
	header["Ratelimit-Limit"] = []string{strconv.Itoa(limiter.Burst())}
	header["Ratelimit-Remaining"] = []string{strconv.Itoa(int(left))}
	header["Ratelimit-Reset"] = []string{strconv.Itoa(int(full))} // seconds
}
