package deskhand

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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
	text, err := appendValue(make([]byte, 0, typicalSize(value)), value)
	if err != nil {
		return "", err
	}
	return string(text), nil
}

// typicalSize guesses, in bytes, how much text a value makes.
func typicalSize(value any) int {
	switch value := value.(type) {
	case map[string]any:
		return 64 * len(value)
	case []any:
		return 64 * len(value)
	case string:
		return len(value) + len(`""`)
	default:
		return 8
	}
}

func appendValue(text []byte, value any) ([]byte, error) {
	switch value := value.(type) {
	case map[string]any:
		return appendObject(text, value)
	case []any:
		return appendArray(text, value)
	case string:
		return appendString(text, value), nil
	case bool:
		return strconv.AppendBool(text, value), nil
	case nil:
		return append(text, "null"...), nil
	case json.Number:
		return appendNumber(text, value)
	case int:
		return appendNumber(text, json.Number(strconv.Itoa(value)))
	case int64:
		return appendNumber(text, json.Number(strconv.FormatInt(value, 10)))
	case uint64:
		return appendNumber(text, json.Number(strconv.FormatUint(value, 10)))
	case float64:
		literal, err := json.Marshal(value) // refuses NaN and the infinities
		if err != nil {
			return nil, err
		}
		return appendNumber(text, json.Number(literal))
	default:
		return nil, fmt.Errorf("a %T is not JSON", value)
	}
}

func appendObject(text []byte, fields map[string]any) ([]byte, error) {
	text = append(text, '{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			text = append(text, ',')
		}
		var err error
		if text, err = appendValue(append(appendString(text, name), ':'), fields[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return append(text, '}'), nil
}

func appendArray(text []byte, items []any) ([]byte, error) {
	text = append(text, '[')
	for i, item := range items {
		if i > 0 {
			text = append(text, ',')
		}
		var err error
		if text, err = appendValue(text, item); err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
	}
	return append(text, ']'), nil
}

// appendString leaves what needs escapes to encoding/json, which knows them.
func appendString(text []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendEscaped(text, value)
		}
	}
	return append(append(append(text, '"'), value...), '"')
}

func appendEscaped(text []byte, value string) []byte {
	buffer := bytes.NewBuffer(text)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // every string has an encoding
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

func appendNumber(text []byte, number json.Number) ([]byte, error) {
	if number == "" {
		return append(text, '0'), nil // as encoding/json has it
	}
	if !isNumber(string(number)) {
		return nil, fmt.Errorf("%q is no JSON number", string(number))
	}
	return append(text, canonicalNumber(number)...), nil
}

// isNumber reports whether the text is a JSON number, with nothing around it.
func isNumber(literal string) bool {
	first, last := literal[0], literal[len(literal)-1]
	return (first == '-' || isDigit(first)) && isDigit(last) && json.Valid([]byte(literal))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

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
