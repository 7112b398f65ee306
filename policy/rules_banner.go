package policy

import (
	"fmt"
	"slices"

	"github.com/deskhand/deskhand"
)

// bannerRules are about notices that have to be seen, and what must not be in
// them.
func bannerRules() []Rule {
	return []Rule{
		{
			ID:       "banner/required",
			Severity: deskhand.SeverityError,
			What:     "The desktop shows the banners that policy.yaml requires for its region, under requiredBanners.",
			Why:      "Some notices are a duty where the agents or their customers are, and this rule is how the repository says so.",
			Mend:     "Add the banner, or extend a _base file that has it.",
			Good: `# policy.yaml
requiredBanners:
  EMEA: [{title: PCI-DSS Notice, acknowledgementRequired: true}]
---
# desktops/standard/voice.yaml
region: EMEA
complianceBanners:
  - {title: PCI-DSS Notice, message: Use tokenized values only., acknowledgementRequired: true, displayRegion: EMEA}
`,
			Bad: `# policy.yaml
requiredBanners:
  EMEA: [{title: PCI-DSS Notice, acknowledgementRequired: true}]
---
# desktops/standard/voice.yaml
region: EMEA
complianceBanners: []
`,
			check: bannerRequired,
		},
		{
			ID:       "banner/region",
			Severity: deskhand.SeverityWarning,
			What:     "Every banner has a displayRegion, of its own or from the definition's region.",
			Why:      "A notice is a duty of a place. Without a region nobody can tell from the definition who is meant to see it.",
			Mend:     "Set region in the definition or in _tier.yaml, or displayRegion in the banner.",
			Good: `# desktops/standard/voice.yaml
complianceBanners:
  - {title: Recording, message: Calls are recorded., acknowledgementRequired: false, displayRegion: EMEA}
`,
			Bad: `# desktops/standard/voice.yaml
complianceBanners:
  - {title: Recording, message: Calls are recorded., acknowledgementRequired: false}
`,
			check: bannerRegion,
		},
		{
			ID:       "banner/secret",
			Severity: deskhand.SeverityError,
			What:     "No text of the desktop holds a card number (13 to 19 digits that pass the Luhn check) or a credential such as password=….",
			Why:      "Desktops are read by every agent, kept in git, and copied to the audit branch; a secret in one of them is out. PCI DSS 4.0, requirement 3.4.",
			Mend:     "Remove it from the file and, since git remembers, replace the credential itself.",
			Good: `# desktops/standard/voice.yaml
complianceBanners:
  - {title: Cards, message: Never type a card number into the notes., acknowledgementRequired: true, displayRegion: EMEA}
`,
			Bad: `# desktops/standard/voice.yaml
complianceBanners:
  - {title: Cards, message: Test with 4111 1111 1111 1111., acknowledgementRequired: true, displayRegion: EMEA}
`,
			check: bannerSecret,
		},
	}
}

// everyRegion in requiredBanners is for all desktops.
const everyRegion = "*"

func bannerRequired(on subject) []fault {
	regions := []string{everyRegion}
	if on.Region != "" {
		regions = append(regions, on.Region)
	}
	for _, notice := range on.ComplianceBanners {
		if notice.DisplayRegion != "" && !slices.Contains(regions, notice.DisplayRegion) {
			regions = append(regions, notice.DisplayRegion)
		}
	}
	var faults []fault
	for _, region := range regions {
		for _, required := range on.settings.RequiredBanners[region] {
			if found, missing := findRequired(on, region, required); missing {
				faults = append(faults, found)
			}
		}
	}
	return faults
}

func findRequired(on subject, region string, required requiredBanner) (fault, bool) {
	where := "everywhere"
	if region != everyRegion {
		where = "in " + region
	}
	i := slices.IndexFunc(on.ComplianceBanners, func(notice banner) bool { return notice.Title == required.Title })
	if i < 0 {
		return fault{
			at:      "/complianceBanners",
			message: fmt.Sprintf("the banner %q is required %s and is not there", required.Title, where),
			hint:    "add it to complianceBanners, or extend a file that has it",
		}, true
	}
	if required.AcknowledgementRequired && !on.ComplianceBanners[i].AcknowledgementRequired {
		return fault{
			at:      deskhand.Pointer("/complianceBanners").Index(i).Child("acknowledgementRequired"),
			message: fmt.Sprintf("the banner %q has to be acknowledged %s", required.Title, where),
			hint:    "set acknowledgementRequired: true",
		}, true
	}
	return fault{}, false
}

func bannerRegion(on subject) []fault {
	var faults []fault
	for i, notice := range on.ComplianceBanners {
		if notice.DisplayRegion == "" && on.Region == "" {
			faults = append(faults, fault{
				at:      deskhand.Pointer("/complianceBanners").Index(i),
				message: fmt.Sprintf("the banner %q has no displayRegion", shorten(notice.Title)),
				hint:    "set region for the whole desktop, or displayRegion in the banner",
			})
		}
	}
	return faults
}

func bannerSecret(on subject) []fault {
	var faults []fault
	for name, value := range on.definition.Members() {
		faults = append(faults, recall(on.seen, askSecret, name, value, secretsIn)...)
	}
	return faults
}

// secretsIn finds the texts of one member that hold a secret.
func secretsIn(name string, value deskhand.Value) []fault {
	var faults []fault
	eachText(deskhand.Pointer("").Child(name), value.Decode(), func(at deskhand.Pointer, text string) {
		if what := secretIn(text); what != "" {
			faults = append(faults, fault{
				at:      at,
				message: fmt.Sprintf("%s holds what looks like %s", nameOf(at), what),
				hint:    "remove it, and replace it where it is in use: git remembers it",
			})
		}
	})
	return faults
}

// eachText visits all texts of decoded JSON in a stable order.
func eachText(at deskhand.Pointer, value any, visit func(deskhand.Pointer, string)) {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range sortedKeys(value) {
			eachText(at.Child(key), value[key], visit)
		}
	case []any:
		for i, entry := range value {
			eachText(at.Index(i), entry, visit)
		}
	case string:
		visit(at, value)
	}
}
