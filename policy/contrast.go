package policy

import (
	"errors"
	"math"
	"strconv"
)

// The least contrast ratios of WCAG 2.1 level AA. A ratio is compared as it is,
// never rounded: 4.4999 is not 4.5.
const (
	// minTextContrast: text, Success Criterion 1.4.3.
	minTextContrast = 4.5
	// minLargeTextContrast: text of 18 pt, or of 14 pt and bold, Success
	// Criterion 1.4.3.
	minLargeTextContrast = 3.0
	// minNonTextContrast: what identifies a control or its state, Success
	// Criterion 1.4.11.
	minNonTextContrast = 3.0
)

// errTranslucentBackground means that what lies behind a background decides its
// colour, and so the contrast on it.
var errTranslucentBackground = errors.New("the background is translucent, so its colour depends on what lies behind it; make it opaque")

// contrastRatio is the contrast ratio of WCAG 2.1, from 1 to 21, of fg as seen
// on bg. The error is errTranslucentBackground where bg is not opaque.
//
// https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
func contrastRatio(fg, bg rgba) (float64, error) {
	if bg.a < 1 {
		return 0, errTranslucentBackground
	}
	lighter, darker := fg.over(bg).luminance(), bg.luminance()
	if lighter < darker {
		lighter, darker = darker, lighter
	}
	return (lighter + 0.05) / (darker + 0.05), nil
}

// over is the colour seen where c lies on an opaque backdrop, blended in sRGB
// as browsers do (CSS Compositing 1, source-over).
func (c rgba) over(backdrop rgba) rgba {
	blend := func(source, behind float64) float64 { return source*c.a + behind*(1-c.a) }
	return rgba{r: blend(c.r, backdrop.r), g: blend(c.g, backdrop.g), b: blend(c.b, backdrop.b), a: 1}
}

// luminance is the relative luminance of an opaque colour, from 0 to 1. Its
// threshold is the one WCAG prints; sRGB's own, 0.04045, gives the same for all
// 8-bit colours.
//
// https://www.w3.org/TR/WCAG21/#dfn-relative-luminance
func (c rgba) luminance() float64 {
	linear := func(channel float64) float64 {
		if channel <= 0.03928 {
			return channel / 12.92
		}
		return math.Pow((channel+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// formatRatio prints a ratio as 4.47:1, cut after two digits, so that no ratio
// reads as if it met a threshold that it misses.
func formatRatio(ratio float64) string {
	hundredths := math.Floor(ratio * 100)
	if hundredths/100 > ratio { // the product was rounded up
		hundredths--
	}
	return strconv.FormatFloat(hundredths/100, 'f', 2, 64) + ":1"
}
