package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deskhand/deskhand"
)

// cloudEvent is a CloudEvents 1.0 event in structured JSON.
type cloudEvent struct {
	SpecVersion     string             `json:"specversion"`
	ID              string             `json:"id"`
	Source          string             `json:"source"`
	Type            deskhand.EventType `json:"type"`
	Subject         string             `json:"subject,omitempty"`
	Time            time.Time          `json:"time"`
	DataContentType string             `json:"datacontenttype"`
	Data            eventData          `json:"data"`
}

type eventData struct {
	Commit     deskhand.RecordCommit `json:"commit"`
	ConfigID   string                `json:"configId"`
	File       string                `json:"file"`
	Tier       deskhand.Tier         `json:"tier"`
	State      deskhand.State        `json:"state"`
	Outcome    deskhand.OutcomeKind  `json:"outcome"`
	Trigger    deskhand.Trigger      `json:"trigger"`
	Changes    []deskhand.Edit       `json:"changes"`
	Drift      []deskhand.Edit       `json:"drift"`
	ETag       deskhand.ETagChange   `json:"etag"`
	LatencyMs  int64                 `json:"latencyMs"`
	Attempts   int                   `json:"attempts"`
	RequestID  string                `json:"requestId"`
	Policy     deskhand.PolicyResult `json:"policy"`
	Why        string                `json:"why"`
	Error      string                `json:"error"`
	RecordHash string                `json:"recordHash"`
}

// plainEvent is for receivers that know no CloudEvents.
type plainEvent struct {
	Event   string       `json:"event"`
	Payload plainPayload `json:"payload"`
}

type plainPayload struct {
	ConfigID  string          `json:"configId"`
	LatencyMs int64           `json:"latencyMs"`
	Audit     deskhand.Record `json:"audit"`
}

// body is the request that the delivery sends, the same at each attempt.
func (d *delivery) body(format string) (body []byte, contentType string, err error) {
	record := d.Record
	var event any
	if format == FormatPlain {
		contentType = "application/json"
		event = plainEvent{
			Event: shortName(record.Event),
			Payload: plainPayload{
				ConfigID:  record.ConfigID,
				LatencyMs: record.Request.LatencyMs,
				Audit:     record,
			},
		}
	} else {
		contentType = "application/cloudevents+json"
		event = cloudEvent{
			SpecVersion:     "1.0",
			ID:              record.ID,
			Source:          "deskhand/" + string(record.Tenant),
			Type:            record.Event,
			Subject:         record.ConfigID,
			Time:            record.Time,
			DataContentType: "application/json",
			Data:            dataOf(record, d.Hash),
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // authors are written Name <email>
	if err := encoder.Encode(event); err != nil {
		return nil, "", fmt.Errorf("encode event %s: %w", record.ID, err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), contentType, nil
}

func dataOf(record deskhand.Record, hash string) eventData {
	drift := record.Drift
	if drift == nil {
		drift = []deskhand.Edit{}
	}
	return eventData{
		Commit:     record.Commit,
		ConfigID:   record.ConfigID,
		File:       record.File,
		Tier:       record.Tier,
		State:      record.State,
		Outcome:    record.Outcome,
		Trigger:    record.Trigger,
		Changes:    record.Changes,
		Drift:      drift,
		ETag:       record.ETag,
		LatencyMs:  record.Request.LatencyMs,
		Attempts:   record.Request.Attempts,
		RequestID:  record.Request.ID,
		Policy:     record.Policy,
		Why:        record.Why,
		Error:      record.Error,
		RecordHash: hash,
	}
}
