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
	return readView(desktop, document, nil)
}

// readView is newView for many desktops that share members.
func readView(desktop deskhand.Desktop, document deskhand.Document, seen *memo) view {
	read := view{File: desktop.File, Tier: string(desktop.Tier)}
	for name, value := range document.Members() {
		switch name {
		case "licenseTier":
			read.LicenseTier = recall(seen, askView, name, value, decodeMember[string])
		case "layout":
			read.Layout = recall(seen, askView, name, value, decodeMember[layout])
		case "shortcuts":
			read.Shortcuts = recall(seen, askView, name, value, decodeMember[[]shortcut])
		case "complianceBanners":
			read.ComplianceBanners = recall(seen, askView, name, value, decodeMember[[]banner])
		case "browserCompatibility":
			read.Browsers = recall(seen, askView, name, value, decodeMember[browsers])
		case "theme":
			read.Theme = recall(seen, askView, name, value, decodeMember[theme])
		}
	}
	for name, value := range desktop.Definition.Members() {
		switch name {
		case "configId":
			read.ConfigID = recall(seen, askView, name, value, decodeMember[string])
		case "region":
			read.Region = recall(seen, askView, name, value, decodeMember[string])
		case "labels":
			read.Labels = recall(seen, askView, name, value, decodeMember[map[string]string])
		case "targetResolutions":
			read.TargetResolutions = recall(seen, askView, name, value, decodeMember[[]string])
		case "extra":
			read.Extra = recall(seen, askView, name, value, decodeMember[map[string]any])
		}
	}
	return read
}

func decodeMember[T any](_ string, value deskhand.Value) T {
	var decoded T
	// Unmarshal goes on after a value of the wrong type, and a Value is never
	// broken JSON, so the error tells nothing that the schema does not.
	_ = json.Unmarshal([]byte(value.String()), &decoded)
	return decoded
}
