// Package deskhand holds the words that every other package speaks: what a git
// repository asks of the agent desktops of NICE CXone tenants, what a tenant
// holds, and what was done about the difference.
//
// The package is nouns only: it imports nothing but the standard library and
// does no I/O. Values are plain data, safe to copy and, once built, not changed.
package deskhand

import (
	"fmt"
	"strings"
)

// Tenant is the name of one CXone tenant, as the daemon's configuration gives it.
type Tenant string

// Tier is the licence tier of a desktop, and the name of the folder that holds
// its definition.
type Tier string

// The tiers that CXone sells, from the smallest to the largest.
const (
	TierStandard    Tier = "standard"
	TierPremium     Tier = "premium"
	TierOmnichannel Tier = "omnichannel"
	TierEnterprise  Tier = "enterprise"
)

// Tiers lists the known tiers, smallest first.
func Tiers() []Tier {
	return []Tier{TierStandard, TierPremium, TierOmnichannel, TierEnterprise}
}

// ParseTier returns the tier of that name, or an error that lists the known ones.
func ParseTier(name string) (Tier, error) {
	switch tier := Tier(name); tier {
	case TierStandard, TierPremium, TierOmnichannel, TierEnterprise:
		return tier, nil
	}
	names := make([]string, 0, len(Tiers()))
	for _, tier := range Tiers() {
		names = append(names, string(tier))
	}
	return "", fmt.Errorf("unknown tier %q (known: %s)", name, strings.Join(names, ", "))
}
