package configs

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Limit is a number of things, or a share of them all.
type Limit struct {
	Percent float64 // 0 to 100; used where it is not 0
	Count   int
}

var errLimit = errors.New("neither a share nor a number")

// ParseLimit reads 10% or 25.
func ParseLimit(text string) (Limit, error) {
	if share, isShare := strings.CutSuffix(text, "%"); isShare {
		percent, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || math.IsNaN(percent) || percent <= 0 || percent > 100 {
			return Limit{}, errLimit
		}
		return Limit{Percent: percent}, nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 0 {
		return Limit{}, errLimit
	}
	return Limit{Count: count}, nil
}

// Of is how many of total the limit allows: a share is rounded down, and at
// least 1, so that a small tenant can prune at all.
func (l Limit) Of(total int) int {
	if l.Percent == 0 {
		return l.Count
	}
	return max(1, int(float64(total)*l.Percent/100))
}

// String prints the limit as ParseLimit reads it.
func (l Limit) String() string {
	if l.Percent == 0 {
		return strconv.Itoa(l.Count)
	}
	return strconv.FormatFloat(l.Percent, 'f', -1, 64) + "%"
}
