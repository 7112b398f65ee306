package policy

import (
	"maps"

	"github.com/deskhand/deskhand"
)

// Mask returns decoded JSON with each text replaced that seems to hold a card
// number or a credential, as the rule banner/secret finds them. Path is where the
// value stands: a text under a name such as apiKey is one.
func Mask(path deskhand.Pointer, value any) any {
	switch value := value.(type) {
	case map[string]any:
		masked := maps.Clone(value)
		for name, member := range value {
			masked[name] = Mask(path.Child(name), member)
		}
		return masked
	case []any:
		masked := make([]any, len(value))
		for i, element := range value {
			masked[i] = Mask(path, element)
		}
		return masked
	case string:
		return maskText(path, value)
	default:
		return value
	}
}

func maskText(path deskhand.Pointer, text string) string {
	what := secretIn(text)
	if tokens := path.Tokens(); what == "" && len(tokens) > 0 {
		what = secretIn(tokens[len(tokens)-1] + "=" + text)
	}
	if what == "" {
		return text
	}
	return "[masked: " + what + "]"
}
