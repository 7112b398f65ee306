package policy

import (
	"encoding/json"

	"github.com/deskhand/deskhand"
)

// view is a desktop in the words of the file format: the payload as it will be
// sent, and what the definition says about itself. It is also what the
// variable desktop of a repository's own rules holds, under the JSON names.
//
// A value of the wrong type is left out; the schema has told of it.
type view struct {
	File              string            `json:"file"`
	Tier              string            `json:"tier"` // by the folder
	ConfigID          string            `json:"configId"`
	Region            string            `json:"region"`
	Labels            map[string]string `json:"labels"`
	TargetResolutions []string          `json:"targetResolutions"`
	LicenseTier       string            `json:"licenseTier"`
	Layout            layout            `json:"layout"`
	Shortcuts         []shortcut        `json:"shortcuts"`
	ComplianceBanners []banner          `json:"complianceBanners"`
	Browsers          browsers          `json:"browserCompatibility"`
	Theme             theme             `json:"theme"`
	Extra             map[string]any    `json:"extra"`
}

type layout struct {
	GridColumns      int      `json:"gridColumns"`
	WidgetOrder      []string `json:"widgetOrder"`
	PrimaryWorkspace string   `json:"primaryWorkspace"`
}

type shortcut struct {
	Label  string `json:"label"`
	Action string `json:"action"`
	Target string `json:"target"`
	Keys   string `json:"keys"`
}

type banner struct {
	Title                   string `json:"title"`
	Message                 string `json:"message"`
	AcknowledgementRequired bool   `json:"acknowledgementRequired"`
	DisplayRegion           string `json:"displayRegion"`
	Foreground              string `json:"foreground"`
	Background              string `json:"background"`
}

type browsers struct {
	Supported       []string          `json:"supportedBrowsers"`
	MinimumVersions map[string]string `json:"minimumVersions"`
}

type colours struct {
	Foreground string `json:"foreground"`
	Background string `json:"background"`
	Accent     string `json:"accent"`
}

type theme struct {
	Foreground string             `json:"foreground"`
	Background string             `json:"background"`
	Accent     string             `json:"accent"`
	Widgets    map[string]colours `json:"widgets"`
}

// newView reads the payload from document and the rest from the definition.
func newView(desktop deskhand.Desktop, document deskhand.Document) view {
	var seen view
	// Unmarshal goes on after a value of the wrong type, and a Document is
	// never broken JSON, so the errors tell nothing that the schema does not.
	_ = json.Unmarshal([]byte(document.String()), &seen)
	var about struct {
		ConfigID          string            `json:"configId"`
		Region            string            `json:"region"`
		Labels            map[string]string `json:"labels"`
		TargetResolutions []string          `json:"targetResolutions"`
		Extra             map[string]any    `json:"extra"`
	}
	_ = json.Unmarshal([]byte(desktop.Definition.String()), &about)
	seen.File, seen.Tier = desktop.File, string(desktop.Tier)
	seen.ConfigID, seen.Region, seen.Labels = about.ConfigID, about.Region, about.Labels
	seen.TargetResolutions, seen.Extra = about.TargetResolutions, about.Extra
	return seen
}
