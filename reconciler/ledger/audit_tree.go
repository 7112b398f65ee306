package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/deskhand/deskhand"
)

// The folders of an audit branch.
const (
	folderLive    = "live"    // what CXone holds, one document a desktop
	folderState   = "state"   // what else deskhand knows of the desktop
	folderRecords = "records" // one file for each batch, by day
)

// desktopState is a file in the state folder: a Managed without its live document.
type desktopState struct {
	ConfigID string            `json:"configId"`
	File     string            `json:"file"`
	Tier     deskhand.Tier     `json:"tier"`
	Base     deskhand.Document `json:"base,omitzero"`
	// BaseIsLive stands for a Base that equals the live document.
	BaseIsLive bool           `json:"baseIsLive,omitempty"`
	ETag       deskhand.ETag  `json:"etag"`
	State      deskhand.State `json:"state"`
	Since      time.Time      `json:"since"`
	Commit     string         `json:"commit"`
	Reported   string         `json:"reported,omitempty"`
	Error      string         `json:"error,omitempty"`
	Echo       deskhand.Echo  `json:"echo,omitzero"`
	Record     string         `json:"record"` // the id of the desktop's newest record
	RecordHash string         `json:"recordHash"`
}

func stateOf(managed deskhand.Managed, record, hash string) desktopState {
	state := desktopState{
		ConfigID:   managed.ConfigID,
		File:       managed.File,
		Tier:       managed.Tier,
		Base:       managed.Base,
		ETag:       managed.ETag,
		State:      managed.State,
		Since:      managed.Since,
		Commit:     managed.Commit,
		Reported:   managed.Reported,
		Error:      managed.Error,
		Echo:       managed.Echo,
		Record:     record,
		RecordHash: hash,
	}
	if managed.Base == managed.Live {
		state.Base, state.BaseIsLive = deskhand.Document{}, true
	}
	return state
}

func (s desktopState) managed(live deskhand.Document) deskhand.Managed {
	managed := deskhand.Managed{
		ConfigID: s.ConfigID,
		File:     s.File,
		Tier:     s.Tier,
		Base:     s.Base,
		Live:     live,
		ETag:     s.ETag,
		State:    s.State,
		Since:    s.Since,
		Commit:   s.Commit,
		Reported: s.Reported,
		Error:    s.Error,
		Echo:     s.Echo,
	}
	if s.BaseIsLive {
		managed.Base = live
	}
	return managed
}

// files are what the batch's commit changes; nil content deletes.
func (b batch) files() (map[string][]byte, error) {
	first := b.entries[0].Record
	files := map[string][]byte{
		dayFolder(first) + "/" + first.ID + ".jsonl": append(bytes.Join(b.lines, []byte("\n")), '\n'),
	}
	for _, entry := range b.entries {
		if entry.Removed {
			files[livePath(entry.Record.ConfigID)] = nil
			files[statePath(entry.Record.ConfigID)] = nil
			continue
		}
		if entry.Managed == nil {
			continue
		}
		managed := *entry.Managed
		live, err := indented(managed.Live)
		if err != nil {
			return nil, fmt.Errorf("lay out the document of %s: %w", managed.ConfigID, err)
		}
		state, err := json.Marshal(stateOf(managed, entry.Record.ID, entry.Hash))
		if err != nil {
			return nil, fmt.Errorf("encode the state of %s: %w", managed.ConfigID, err)
		}
		sorted, err := deskhand.ParseDocument(state)
		if err != nil {
			return nil, fmt.Errorf("encode the state of %s: %w", managed.ConfigID, err)
		}
		laidOut, err := indented(sorted)
		if err != nil {
			return nil, fmt.Errorf("lay out the state of %s: %w", managed.ConfigID, err)
		}
		files[livePath(managed.ConfigID)] = live
		files[statePath(managed.ConfigID)] = laidOut
	}
	return files, nil
}

// indented spreads the document over lines, so that git shows what changed in it.
// No document has no content.
func indented(document deskhand.Document) ([]byte, error) {
	if document.IsZero() {
		return nil, nil
	}
	var text bytes.Buffer
	if err := json.Indent(&text, []byte(document.String()), "", "  "); err != nil {
		return nil, err
	}
	text.WriteByte('\n')
	return text.Bytes(), nil
}

// dayFolder is the folder of the record's day in UTC.
func dayFolder(record deskhand.Record) string {
	return folderRecords + record.Time.UTC().Format("/2006/01/02")
}

func livePath(configID string) string  { return folderLive + "/" + fileNameOf(configID) }
func statePath(configID string) string { return folderState + "/" + fileNameOf(configID) }

// fileNameOf percent-encodes everything but letters, digits, and - _ . ~ inside the
// name, so that no id leaves its folder or hides.
func fileNameOf(configID string) string {
	name := strings.ReplaceAll(url.QueryEscape(configID), "+", "%20")
	if rest, dotted := strings.CutPrefix(name, "."); dotted {
		name = "%2E" + rest
	}
	return name + ".json"
}
