package ledger

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/gowebpki/jcs"
	"github.com/oklog/ulid/v2"
)

// HashRecord is the SHA-256, in hexadecimal, of the record in its RFC 8785 form.
func HashRecord(record deskhand.Record) (string, error) {
	text, err := canonicalRecord(record)
	if err != nil {
		return "", err
	}
	return hashText(text), nil
}

func hashText(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// canonicalRecord is the record in its RFC 8785 form, in one line.
func canonicalRecord(record deskhand.Record) ([]byte, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode record %s: %w", record.ID, err)
	}
	canonical, err := jcs.Transform(text)
	if err != nil {
		return nil, fmt.Errorf("canonicalise record %s: %w", record.ID, err)
	}
	return bytes.TrimRight(canonical, "\n"), nil
}

// normalised gives the record the one shape that it keeps through JSON: lists are
// never null, and every number survives RFC 8785.
func normalised(record deskhand.Record) deskhand.Record {
	record.Changes = interoperable(emptyForNil(record.Changes))
	if len(record.Drift) > 0 {
		record.Drift = interoperable(record.Drift)
	}
	record.Request.Statuses = emptyForNil(record.Request.Statuses)
	record.Policy.Findings = emptyForNil(record.Policy.Findings)
	record.Policy.ChecksPassed = emptyForNil(record.Policy.ChecksPassed)
	return record
}

func emptyForNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// interoperable writes numbers that a float64 cannot hold as strings, as RFC 8785
// appendix D asks: its form would round them, and an audit must not.
func interoperable(edits []deskhand.Edit) []deskhand.Edit {
	safe := make([]deskhand.Edit, len(edits))
	for i, edit := range edits {
		edit.Before = interoperableValue(edit.Before)
		edit.After = interoperableValue(edit.After)
		safe[i] = edit
	}
	return safe
}

func interoperableValue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		safe := make(map[string]any, len(value))
		for name, member := range value {
			safe[name] = interoperableValue(member)
		}
		return safe
	case []any:
		safe := make([]any, len(value))
		for i, element := range value {
			safe[i] = interoperableValue(element)
		}
		return safe
	case json.Number:
		if !fitsFloat(value) {
			return value.String()
		}
		return value
	default:
		return value
	}
}

// fitsFloat compares the spelling of the number with that of the nearest float64:
// documents spell numbers in one way, and keep every digit.
func fitsFloat(number json.Number) bool {
	nearest, err := strconv.ParseFloat(number.String(), 64)
	if err != nil {
		return false
	}
	exact, exactErr := deskhand.NewDocument(map[string]any{"": number})
	rounded, roundedErr := deskhand.NewDocument(map[string]any{"": nearest})
	return exactErr == nil && roundedErr == nil && exact == rounded
}

// identifiers makes ULIDs that only ever grow, even where the clock is set back
// or the process starts again. It is not safe for concurrent use.
type identifiers struct {
	last    uint64 // milliseconds
	entropy *ulid.MonotonicEntropy
}

// newIdentifiers goes on after the given ULID; "" is none.
func newIdentifiers(after string) *identifiers {
	ids := &identifiers{entropy: ulid.Monotonic(rand.Reader, 0)}
	if id, err := ulid.ParseStrict(after); err == nil {
		ids.last = id.Time() + 1
	}
	return ids
}

func (i *identifiers) next(now time.Time) (string, error) {
	i.last = max(i.last, ulid.Timestamp(now))
	id, err := ulid.New(i.last, i.entropy)
	if err != nil {
		return "", fmt.Errorf("make a record id: %w", err)
	}
	return id.String(), nil
}
