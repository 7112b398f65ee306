package deskhand

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// canonicalJSON writes decoded JSON with sorted keys, no white space, and every
// number in one spelling, so that equal values have equal texts.
//
// The spelling of numbers is that of RFC 8785 (JCS) wherever a float64 can hold
// the number; beyond that it keeps all digits, where JCS would round: a field
// that deskhand does not own must go back to CXone as it came.
func canonicalJSON(value any) (string, error) {
	normal, err := canonicalNumbers(value)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(normal); err != nil {
		return "", err
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

func canonicalNumbers(value any) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		normal := make(map[string]any, len(value))
		for name, member := range value {
			canonical, err := canonicalNumbers(member)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			normal[name] = canonical
		}
		return normal, nil
	case []any:
		normal := make([]any, len(value))
		for i, element := range value {
			canonical, err := canonicalNumbers(element)
			if err != nil {
				return nil, fmt.Errorf("%d: %w", i, err)
			}
			normal[i] = canonical
		}
		return normal, nil
	case json.Number:
		return canonicalNumber(value), nil
	case int:
		return json.Number(strconv.Itoa(value)), nil
	case int64:
		return json.Number(strconv.FormatInt(value, 10)), nil
	case uint64:
		return json.Number(strconv.FormatUint(value, 10)), nil
	case float64:
		literal, err := json.Marshal(value) // refuses NaN and the infinities
		if err != nil {
			return nil, err
		}
		return canonicalNumber(json.Number(literal)), nil
	case string, bool, nil:
		return value, nil
	default:
		return nil, fmt.Errorf("a %T is not JSON", value)
	}
}

// The decimal exponents between which ECMAScript, and so RFC 8785, writes a
// number without an exponent.
const (
	smallestPlainExponent = -6
	largestPlainExponent  = 21
)

// canonicalNumber works on the decimal digits alone, so it neither rounds nor
// allocates by the size of the exponent.
func canonicalNumber(number json.Number) json.Number {
	literal := string(number)
	mantissa, exponentText, _ := strings.Cut(strings.ToLower(literal), "e")
	exponent := 0
	if exponentText != "" {
		parsed, err := strconv.Atoi(exponentText)
		if err != nil || parsed > 1<<20 || parsed < -1<<20 {
			return number
		}
		exponent = parsed
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	leading := len(digits) - len(strings.TrimLeft(digits, "0"))
	point := len(whole) - leading + exponent // the value is 0.digits × 10^point
	digits = strings.TrimRight(digits[leading:], "0")
	if digits == "" {
		return "0"
	}

	var text string
	switch {
	case point > largestPlainExponent || point <= smallestPlainExponent:
		text = digits[:1]
		if len(digits) > 1 {
			text += "." + digits[1:]
		}
		sign := "+"
		if point-1 < 0 {
			sign = ""
		}
		text += "e" + sign + strconv.Itoa(point-1)
	case point <= 0:
		text = "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		text = digits + strings.Repeat("0", point-len(digits))
	default:
		text = digits[:point] + "." + digits[point:]
	}
	if negative {
		text = "-" + text
	}
	return json.Number(text)
}
