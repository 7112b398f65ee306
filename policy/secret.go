package policy

import (
	"regexp"
	"slices"
	"strings"
)

// The patterns of what must not be in a text that agents see.
var (
	// A run of 13 to 19 digits, in groups or not, that begins with 2 to 6, as the
	// numbers of the large card schemes do.
	cardPattern = regexp.MustCompile(`\b[2-6](?:[ -]?[0-9]){12,18}\b`)

	// A name that says "credential", then its value.
	credentialPattern = regexp.MustCompile(
		`(?i)\b(?:pass(?:word|wd|phrase|code)?|pwd|secret|(?:api|access|private|client)?[ _-]?(?:key|token|secret)|bearer)[ \t]*([:=])[ \t]*["']?([^\s"']{4,})["']?([^\r\n]*)`)

	// Keys and tokens that say by their form what they are.
	tokenPattern = regexp.MustCompile(
		`-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[0-9A-Za-z]{36}\b|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+|(?i:\bbearer )[\w.~+/-]{20,}`)
)

// shortestCard is the number of digits that cardPattern needs.
const shortestCard = 13

// The patterns are slow, and nearly no text has what they cannot match without.

func mayHoldCard(text string) bool {
	digits := 0
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			digits++
		}
	}
	return digits >= shortestCard
}

func mayHoldToken(text string) bool {
	return holdsAny(strings.ToLower(text), "-----begin", "akia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "eyj", "bearer ")
}

// mayHoldCredential lets the long s through, which is an s where case is ignored.
func mayHoldCredential(text string) bool {
	return strings.ContainsAny(text, ":=") &&
		holdsAny(strings.ToLower(text), "pass", "pwd", "secret", "key", "token", "bearer", "ſ")
}

func holdsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// secretIn says what kind of secret a text seems to hold, "" for none. It never
// repeats the secret.
func secretIn(text string) string {
	if mayHoldCard(text) && slices.ContainsFunc(cardPattern.FindAllString(text, -1), luhn) {
		return "a card number"
	}
	if mayHoldToken(text) && tokenPattern.MatchString(text) {
		return "a key or token"
	}
	if !mayHoldCredential(text) {
		return ""
	}
	for _, found := range credentialPattern.FindAllStringSubmatch(text, -1) {
		sign, value, rest := found[1], found[2], found[3]
		// "password: never ask for it" is advice; "password: hunter2" is not.
		if sign == "=" || strings.TrimSpace(rest) == "" || strings.ContainsAny(value, "0123456789!@#$%^&*_") {
			return "a credential"
		}
	}
	return ""
}

// redact takes out of a message what must not be repeated: messages quote values
// of definitions.
func redact(message string) string {
	const removed = "[removed]"
	if mayHoldCard(message) {
		message = cardPattern.ReplaceAllStringFunc(message, func(candidate string) string {
			if luhn(candidate) {
				return removed
			}
			return candidate
		})
	}
	if mayHoldToken(message) {
		message = tokenPattern.ReplaceAllString(message, removed)
	}
	if secretIn(message) != "" {
		message = credentialPattern.ReplaceAllString(message, removed)
	}
	return message
}

// luhn reports whether the digits of text pass the check of ISO/IEC 7812-1,
// annex B.
func luhn(text string) bool {
	sum, double := 0, false
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] < '0' || text[i] > '9' {
			continue
		}
		digit := int(text[i] - '0')
		if double {
			digit *= 2
			if digit > 9 {
				digit -= 9
			}
		}
		sum += digit
		double = !double
	}
	return sum%10 == 0
}
