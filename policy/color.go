package policy

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lucasb-eyer/go-colorful"
	"golang.org/x/image/colornames"
)

// rgba is a colour of the sRGB space. Each channel, alpha included, is 0 to 1,
// and the colours are not multiplied by alpha. Channels keep their fractions:
// rounding them to 8 bits would move a contrast ratio.
type rgba struct {
	r, g, b, a float64
}

// errColor means that a text is no colour whose value is known without a
// browser: a misspelling, or var(), currentColor, a gradient.
var errColor = errors.New("not a colour that can be computed")

// longestColor bounds what is looked at; the longest sensible colour has some
// forty characters.
const longestColor = 128

// parseColor reads the colours of CSS Color Module Level 4 that have a value of
// their own in sRGB: names, transparent, #rgb, #rgba, #rrggbb, #rrggbbaa, and
// rgb(), rgba(), hsl() and hsla() with commas or with spaces. Values out of
// range are clamped, as browsers do. The error wraps errColor.
func parseColor(css string) (rgba, error) {
	color, err := parseColorText(css)
	if err != nil {
		if len(css) > longestColor {
			css = css[:longestColor] + "…"
		}
		return rgba{}, fmt.Errorf("%q is %w: %w", css, errColor, err)
	}
	return color, nil
}

func parseColorText(css string) (rgba, error) {
	if len(css) > longestColor {
		return rgba{}, fmt.Errorf("it is longer than %d characters", longestColor)
	}
	text := strings.Trim(css, " \t\r\n\f")
	if strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) {
		return rgba{}, errors.New("colours are written in ASCII")
	}
	text = strings.ToLower(text)

	if digits, isHex := strings.CutPrefix(text, "#"); isHex {
		return parseHex(digits)
	}
	if name, arguments, isFunction := strings.Cut(text, "("); isFunction {
		return parseColorFunction(name, arguments)
	}
	return parseColorName(text)
}

func parseColorName(name string) (rgba, error) {
	switch name {
	case "transparent":
		return rgba{}, nil
	case "rebeccapurple": // newer than the SVG 1.1 names of package colornames
		return fromBytes(0x66, 0x33, 0x99, 0xff), nil
	case "currentcolor", "inherit", "initial", "unset", "revert":
		return rgba{}, errors.New("its value depends on the page; write the colour itself")
	case "":
		return rgba{}, errors.New("it is empty")
	}
	color, known := colornames.Map[name]
	if !known {
		return rgba{}, errors.New("no CSS colour has this name")
	}
	return fromBytes(color.R, color.G, color.B, color.A), nil
}

func parseHex(digits string) (rgba, error) {
	if len(digits) == 3 || len(digits) == 4 {
		doubled := make([]byte, 0, 2*len(digits))
		for i := range len(digits) {
			doubled = append(doubled, digits[i], digits[i])
		}
		digits = string(doubled)
	}
	if len(digits) == 6 {
		digits += "ff"
	}
	channels, err := hex.DecodeString(digits)
	if err != nil || len(channels) != 4 {
		return rgba{}, errors.New("# takes 3, 4, 6 or 8 hexadecimal digits")
	}
	return fromBytes(channels[0], channels[1], channels[2], channels[3]), nil
}

func fromBytes(r, g, b, a byte) rgba {
	return rgba{r: float64(r) / 255, g: float64(g) / 255, b: float64(b) / 255, a: float64(a) / 255}
}

// parseColorFunction reads what follows the opening parenthesis of name.
func parseColorFunction(name, arguments string) (rgba, error) {
	arguments, closed := strings.CutSuffix(arguments, ")")
	if !closed {
		return rgba{}, errors.New("the closing parenthesis is missing")
	}
	switch name {
	case "rgb", "rgba":
		return parseRGB(arguments)
	case "hsl", "hsla":
		return parseHSL(arguments)
	case "var":
		return rgba{}, errors.New("a custom property's value depends on the page; write the colour itself")
	default:
		return rgba{}, fmt.Errorf("%s() has no single colour of sRGB; write rgb() or #rrggbb", name)
	}
}

func parseRGB(arguments string) (rgba, error) {
	components, err := splitComponents(arguments)
	if err != nil {
		return rgba{}, err
	}
	if components.commas && !sameUnits(components.color) {
		return rgba{}, errors.New("with commas, all channels are numbers or all are percentages")
	}
	var channels [3]float64
	for i, text := range components.color {
		if channels[i], err = parseQuantity(text, 255); err != nil {
			return rgba{}, err
		}
	}
	return rgba{r: clamp(channels[0]), g: clamp(channels[1]), b: clamp(channels[2]), a: components.alpha}, nil
}

func parseHSL(arguments string) (rgba, error) {
	components, err := splitComponents(arguments)
	if err != nil {
		return rgba{}, err
	}
	hue, err := parseHue(components.color[0])
	if err != nil {
		return rgba{}, err
	}
	var portions [2]float64
	for i, text := range components.color[1:] {
		if components.commas && !strings.HasSuffix(text, "%") {
			return rgba{}, errors.New("with commas, saturation and lightness are percentages")
		}
		if portions[i], err = parseQuantity(text, 100); err != nil {
			return rgba{}, err
		}
	}
	color := colorful.Hsl(hue, clamp(portions[0]), clamp(portions[1])).Clamped()
	return rgba{r: color.R, g: color.G, b: color.B, a: components.alpha}, nil
}

// components are the arguments of a colour function.
type components struct {
	color  [3]string
	alpha  float64
	commas bool // the legacy syntax, which is stricter about units
}

func splitComponents(arguments string) (components, error) {
	split := components{alpha: 1, commas: strings.Contains(arguments, ",")}
	var parts []string
	if split.commas {
		parts = strings.Split(arguments, ",")
	} else {
		colorText, alphaText, hasAlpha := strings.Cut(arguments, "/")
		parts = strings.Fields(colorText)
		if hasAlpha {
			if len(parts) != 3 {
				return components{}, errors.New("it takes three components before the slash")
			}
			parts = append(parts, alphaText)
		} else if len(parts) > 3 {
			return components{}, errors.New("without commas, alpha follows a slash")
		}
	}
	if len(parts) != 3 && len(parts) != 4 {
		return components{}, errors.New("it takes three components and an optional alpha")
	}
	for i, part := range parts {
		part = strings.TrimSpace(part)
		if part == "none" && !split.commas {
			part = "0" // CSS Color 4 section 4.4: a missing component renders as zero
		}
		if i < 3 {
			split.color[i] = part
			continue
		}
		alpha, err := parseQuantity(part, 1)
		if err != nil {
			return components{}, err
		}
		split.alpha = clamp(alpha)
	}
	return split, nil
}

func sameUnits(color [3]string) bool {
	percentages := 0
	for _, text := range color {
		if strings.HasSuffix(text, "%") {
			percentages++
		}
	}
	return percentages == 0 || percentages == len(color)
}

// parseQuantity reads a percentage, or a number of which whole makes 1.
func parseQuantity(text string, whole float64) (float64, error) {
	if percentage, isPercentage := strings.CutSuffix(text, "%"); isPercentage {
		text, whole = percentage, 100
	}
	number, err := parseNumber(text)
	return number / whole, err
}

// parseHue reads an angle; the result is 0 to 360 degrees.
func parseHue(text string) (float64, error) {
	degrees := 1.0
	for _, unit := range []struct {
		suffix  string
		degrees float64
	}{
		{"deg", 1}, {"grad", 360.0 / 400}, {"rad", 180 / math.Pi}, {"turn", 360}, // grad before rad: it ends the same
	} {
		if number, found := strings.CutSuffix(text, unit.suffix); found {
			text, degrees = number, unit.degrees
			break
		}
	}
	number, err := parseNumber(text)
	if err != nil {
		return 0, err
	}
	hue := math.Mod(number*degrees, 360)
	if math.IsNaN(hue) {
		return 0, errors.New("the hue is too large")
	}
	if hue < 0 {
		hue += 360
	}
	return hue, nil
}

// parseNumber reads a number as CSS writes it, which is stricter than Go.
func parseNumber(text string) (float64, error) {
	onlyGo := strings.Trim(text, "0123456789+-.e") != "" || strings.HasSuffix(text, ".") || strings.Contains(text, ".e")
	number, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil // an infinity, to be clamped
	}
	if onlyGo || err != nil {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return number, nil
}

func clamp(portion float64) float64 { return min(max(portion, 0), 1) }
