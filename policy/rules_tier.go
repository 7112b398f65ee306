package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// tierRules are about what a licence pays for.
func tierRules() []Rule {
	return []Rule{
		{
			ID:       "tier/mismatch",
			Severity: deskhand.SeverityError,
			What:     "licenseTier is the name of the folder that the definition is in.",
			Why:      "The folder decides who reviews a desktop and what it may use; a definition that says otherwise is in the wrong place.",
			Mend:     "Remove licenseTier, which then is the folder's, or move the file.",
			Good: `# desktops/premium/voice.yaml
licenseTier: premium
`,
			Bad: `# desktops/standard/voice.yaml
licenseTier: premium
`,
			check: tierMismatch,
		},
		{
			ID:       "tier/entitlement",
			Severity: deskhand.SeverityError,
			What:     "The tier may use the primary workspace, the actions and the route targets of the desktop. A route to a target that begins with system needs the enterprise tier.",
			Why:      "A control that the licence does not cover is one that agents see and cannot use.",
			Mend:     "Use what the tier has, or move the desktop to a tier that has it. policy.yaml sets the entitlements under tiers.",
			Good: `# desktops/premium/blended.yaml
layout: {primaryWorkspace: blended}
`,
			Bad: `# desktops/standard/blended.yaml
layout: {primaryWorkspace: blended}
`,
			check: tierEntitlement,
		},
	}
}

func tierMismatch(on subject) []fault {
	switch {
	case on.Tier == "":
		return []fault{{
			message: "the file is in no tier's folder",
			hint:    "move it to one of " + strings.Join(tierNames(), ", "),
		}}
	case on.LicenseTier == "" || on.LicenseTier == on.Tier:
		return nil
	}
	return []fault{{
		at:      "/licenseTier",
		message: fmt.Sprintf("licenseTier is %s, the folder is %s", shorten(on.LicenseTier), on.Tier),
		hint:    fmt.Sprintf("remove licenseTier, or move the file to the folder %s", shorten(on.LicenseTier)),
	}}
}

func tierEntitlement(on subject) []fault {
	tier := deskhand.Tier(on.LicenseTier)
	may, known := on.settings.Tiers[tier]
	if !known {
		return nil // the schema tells
	}
	var faults []fault
	if workspace := on.Layout.PrimaryWorkspace; workspace != "" && !slices.Contains(may.Workspaces, workspace) {
		faults = append(faults, fault{
			at:      "/layout/primaryWorkspace",
			message: fmt.Sprintf("the tier %s has no workspace %s", tier, shorten(workspace)),
			hint: "use one of " + strings.Join(may.Workspaces, ", ") + tiersWith(on.settings, func(other entitlement) bool {
				return slices.Contains(other.Workspaces, workspace)
			}),
		})
	}
	for i, entry := range on.Shortcuts {
		at := deskhand.Pointer("/shortcuts").Index(i)
		if entry.Action != "" && !slices.Contains(may.Actions, entry.Action) {
			faults = append(faults, fault{
				at:      at.Child("action"),
				message: fmt.Sprintf("the tier %s has no action %s", tier, shorten(entry.Action)),
				hint: "use one of " + strings.Join(may.Actions, ", ") + tiersWith(on.settings, func(other entitlement) bool {
					return slices.Contains(other.Actions, entry.Action)
				}),
			})
		}
		if entry.routesToSystem() && !may.SystemRoutes {
			faults = append(faults, fault{
				at:      at.Child("target"),
				message: fmt.Sprintf("the tier %s has no routes to system targets", tier),
				hint: "route to a queue" + tiersWith(on.settings, func(other entitlement) bool {
					return other.SystemRoutes
				}),
			})
		}
	}
	return faults
}

// tiersWith ends a hint with the tiers that are entitled.
func tiersWith(with *settings, entitled func(entitlement) bool) string {
	var names []string
	for _, tier := range deskhand.Tiers() {
		if entitled(with.Tiers[tier]) {
			names = append(names, string(tier))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", or move the desktop to " + strings.Join(names, " or ")
}

func tierNames() []string {
	var names []string
	for _, tier := range deskhand.Tiers() {
		names = append(names, string(tier))
	}
	return names
}
