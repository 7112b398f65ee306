package reconciler

import "math"

// Rules are a tenant's choices where the comparison leaves one.
type Rules struct {
	Drift       DriftPolicy
	Conflict    ConflictPolicy
	Prune       Prune
	Adopt       bool          // apply git's values to a configuration met for the first time
	OnInvalid   InvalidPolicy // what a refused desktop does to the others of its commit
	Concurrency int           // writes and reads at once, at least 1
	MaxAttempts int           // merges of one change after lost races, at least 1
	// Force lifts the limit of Prune once.
	Force bool
}

// DriftPolicy says what happens to a value that was changed in CXone by hand.
type DriftPolicy string

// The drift policies.
const (
	DriftReport DriftPolicy = "report" // keep it and tell
	DriftRevert DriftPolicy = "revert" // reset it, once it is on record
)

// ConflictPolicy says who wins where git and a hand changed the same value.
type ConflictPolicy string

// The conflict policies.
const (
	ConflictGit  ConflictPolicy = "git"  // git wins; the other value is on record first
	ConflictHold ConflictPolicy = "hold" // nothing is written until somebody decides
)

// InvalidPolicy says what a refused desktop does to the others of its commit.
type InvalidPolicy string

// The policies for refused desktops.
const (
	InvalidSkip InvalidPolicy = "skip" // the others go on
	InvalidHold InvalidPolicy = "hold" // the others wait
)

// Prune says what happens to a desktop that git no longer defines.
type Prune struct {
	Policy PrunePolicy
	// The most desktops that one commit may delete: Count, or where that is 0,
	// Percent of those managed; at least 1.
	Count   int
	Percent float64
}

// PrunePolicy is report or delete.
type PrunePolicy string

// The prune policies.
const (
	PruneReport PrunePolicy = "report"
	PruneDelete PrunePolicy = "delete"
)

// limit is the most deletions allowed with so many desktops managed.
func (p Prune) limit(managed int) int {
	if p.Count > 0 {
		return p.Count
	}
	return max(1, int(math.Floor(float64(managed)*p.Percent/100)))
}

// DefaultRules are the safe choices: tell about drift, let git win conflicts,
// delete nothing.
func DefaultRules() Rules {
	return Rules{
		Drift:       DriftReport,
		Conflict:    ConflictGit,
		Prune:       Prune{Policy: PruneReport, Percent: 10},
		Adopt:       true,
		OnInvalid:   InvalidSkip,
		Concurrency: 8,
		MaxAttempts: 5,
	}
}
