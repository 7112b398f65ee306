package policy

import (
	"fmt"

	"github.com/deskhand/deskhand"
)

// contrastRules are about colours that everybody can tell apart.
func contrastRules() []Rule {
	return []Rule{
		{
			ID:       "contrast/text",
			Severity: deskhand.SeverityError,
			What:     "Text has a contrast of at least 4.5:1 with its background, in the theme, each widget and each banner. It is computed, translucent text composited, and never rounded up. A colour that cannot be computed is a finding.",
			Why:      "Text below that cannot be read by people with moderately low vision: WCAG 2.1 Success Criterion 1.4.3, Contrast (Minimum), level AA.",
			Mend:     "Use a darker colour on a light background, or a lighter one on a dark background.",
			Good: `# desktops/standard/voice.yaml
theme: {foreground: "#202124", background: "#ffffff"}
`,
			Bad: `# desktops/standard/voice.yaml
theme: {foreground: "#777777", background: "#ffffff"}
`,
			check: contrastText,
		},
		{
			ID:       "contrast/non-text",
			Severity: deskhand.SeverityError,
			What:     "The accent colour has a contrast of at least 3:1 with the background, in the theme and each widget.",
			Why:      "The accent marks controls and their state, which have to be seen: WCAG 2.1 Success Criterion 1.4.11, Non-text Contrast, level AA.",
			Mend:     "Use an accent further from the background.",
			Good: `# desktops/standard/voice.yaml
theme: {foreground: "#202124", background: "#ffffff", accent: "#0b57d0"}
`,
			Bad: `# desktops/standard/voice.yaml
theme: {foreground: "#202124", background: "#ffffff", accent: "#aaaaaa"}
`,
			check: contrastNonText,
		},
	}
}

// colourPair is a colour and what it is seen on.
type colourPair struct {
	at     deskhand.Pointer // of the colour, or of its holder where it is inherited
	what   string
	fg, bg string
}

func contrastText(on subject) []fault {
	pairs := []colourPair{{at: "/theme/foreground", what: "text", fg: on.Theme.Foreground, bg: on.Theme.Background}}
	for _, name := range sortedKeys(on.Theme.Widgets) {
		own := on.Theme.Widgets[name]
		if own.Foreground == "" && own.Background == "" {
			continue // judged with the theme
		}
		at := deskhand.Pointer("/theme/widgets").Child(name)
		pairs = append(pairs, colourPair{
			at: ownColour(at, "foreground", own.Foreground), what: "text of " + shorten(name),
			fg: orElse(own.Foreground, on.Theme.Foreground), bg: orElse(own.Background, on.Theme.Background),
		})
	}
	for i, notice := range on.ComplianceBanners {
		if notice.Foreground == "" && notice.Background == "" {
			continue
		}
		at := deskhand.Pointer("/complianceBanners").Index(i)
		pairs = append(pairs, colourPair{
			at: ownColour(at, "foreground", notice.Foreground), what: fmt.Sprintf("text of the banner %q", shorten(notice.Title)),
			fg: orElse(notice.Foreground, on.Theme.Foreground), bg: orElse(notice.Background, on.Theme.Background),
		})
	}
	return judgePairs(pairs, minTextContrast)
}

func contrastNonText(on subject) []fault {
	var pairs []colourPair
	if on.Theme.Accent != "" {
		pairs = append(pairs, colourPair{at: "/theme/accent", what: "accent", fg: on.Theme.Accent, bg: on.Theme.Background})
	}
	for _, name := range sortedKeys(on.Theme.Widgets) {
		own := on.Theme.Widgets[name]
		accent := orElse(own.Accent, on.Theme.Accent)
		if accent == "" || own.Accent == "" && own.Background == "" {
			continue
		}
		at := deskhand.Pointer("/theme/widgets").Child(name)
		pairs = append(pairs, colourPair{
			at: ownColour(at, "accent", own.Accent), what: "accent of " + shorten(name),
			fg: accent, bg: orElse(own.Background, on.Theme.Background),
		})
	}
	return judgePairs(pairs, minNonTextContrast)
}

// judgePairs finds the pairs that contrast too little, or cannot be judged.
func judgePairs(pairs []colourPair, least float64) []fault {
	var faults []fault
	for _, pair := range pairs {
		if pair.fg == "" && pair.bg == "" {
			continue // CXone's own colours
		}
		if pair.fg == "" || pair.bg == "" {
			faults = append(faults, fault{
				at: pair.at, severity: deskhand.SeverityWarning,
				message: fmt.Sprintf("the contrast of the %s cannot be computed: only one of the two colours is set", pair.what),
				hint:    "set foreground and background together",
			})
			continue
		}
		ratio, err := ratioOf(pair)
		switch {
		case err != nil:
			faults = append(faults, fault{
				at: pair.at, message: fmt.Sprintf("the contrast of the %s cannot be computed: %v", pair.what, err),
				hint: "write an opaque background and colours such as #202124",
			})
		case ratio < least:
			faults = append(faults, fault{
				at: pair.at,
				message: fmt.Sprintf("the contrast of the %s is %s, %s on %s; at least %g:1 is needed",
					pair.what, formatRatio(ratio), shorten(pair.fg), shorten(pair.bg), least),
				hint: "make the two colours more different in lightness",
			})
		}
	}
	return faults
}

func ratioOf(pair colourPair) (float64, error) {
	fg, err := parseColor(pair.fg)
	if err != nil {
		return 0, err
	}
	bg, err := parseColor(pair.bg)
	if err != nil {
		return 0, err
	}
	return contrastRatio(fg, bg)
}

// ownColour points at the colour where the holder sets one, else at the holder.
func ownColour(holder deskhand.Pointer, name, value string) deskhand.Pointer {
	if value == "" {
		return holder
	}
	return holder.Child(name)
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
