package policy

import (
	"github.com/deskhand/deskhand"
)

// severityOff in a policy turns a rule off.
const severityOff deskhand.Severity = "off"

// settings are the rulings in force for one desktop: the defaults, the profile,
// policy.yaml and the overrides that match it, laid over each other.
type settings struct {
	Threshold       int                           `json:"threshold"`
	Severities      map[string]deskhand.Severity  `json:"severities"`
	Weights         map[string]int                `json:"weights"`
	Tiers           map[deskhand.Tier]entitlement `json:"tiers"`
	RequiredBanners map[string][]requiredBanner   `json:"requiredBanners"` // by region, "*" for every one
	Layout          layoutSettings                `json:"settings"`
}

type entitlement struct {
	Workspaces   []string `json:"workspaces"`
	Actions      []string `json:"actions"`
	SystemRoutes bool     `json:"systemRoutes"`
}

type requiredBanner struct {
	Title                   string `json:"title"`
	AcknowledgementRequired bool   `json:"acknowledgementRequired"`
}

// layoutSettings are what the width of a column and of a widget is computed of.
type layoutSettings struct {
	MinColumnWidth    float64                  `json:"minColumnWidth"` // CSS px
	DeviceScale       float64                  `json:"deviceScale"`    // physical pixels for one CSS px
	BrowserChrome     float64                  `json:"browserChrome"`  // CSS px beside the grid
	TargetResolutions []string                 `json:"targetResolutions"`
	Widgets           map[string]widgetSetting `json:"widgets"`
}

type widgetSetting struct {
	Columns  int     `json:"columns"`
	MinWidth float64 `json:"minWidth"` // CSS px
}

// severity is what a rule's findings weigh; off where the rule does not hold.
func (s *settings) severity(rule Rule) deskhand.Severity {
	if set, isSet := s.Severities[rule.ID]; isSet {
		return set
	}
	return rule.Severity
}

// weight is what a failure of the rule takes off the score.
func (s *settings) weight(rule Rule) int {
	if set, isSet := s.Weights[rule.ID]; isSet {
		return set
	}
	return rule.Weight
}
