package simulator

import (
	"encoding/json"
	"fmt"
	"slices"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/deskhand/deskhand"
)

// editor is who edits by hand, in CXone's own user interface.
const editor = "admin@cxone"

// Configuration is what the tenant holds under the id, the fields that CXone
// manages left out of the document.
func (s *Simulator) Configuration(id string) (deskhand.Observed, bool) {
	s.store.Lock()
	defer s.store.Unlock()
	c, exists := s.store.get(id)
	return deskhand.Observed{Exists: exists, ETag: c.etag, Document: c.document}, exists
}

// Raw is the configuration as CXone serves it.
func (s *Simulator) Raw(id string) (json.RawMessage, bool) {
	s.store.Lock()
	defer s.store.Unlock()
	c, exists := s.store.get(id)
	if !exists {
		return nil, false
	}
	return c.body(), true
}

// IDs are the ids of all configurations, sorted.
func (s *Simulator) IDs() []string {
	s.store.Lock()
	defer s.store.Unlock()
	return slices.Clone(s.store.ids)
}

// Edit changes a configuration by hand: the result is a new version with a new
// ETag. The change must not call the simulator.
func (s *Simulator) Edit(id string, change func(fields map[string]any)) error {
	return s.edit(id, func(document deskhand.Document) (deskhand.Document, error) {
		fields := document.Fields()
		change(fields)
		return deskhand.NewDocument(fields)
	})
}

func (s *Simulator) edit(id string, change func(deskhand.Document) (deskhand.Document, error)) error {
	s.store.Lock()
	defer s.store.Unlock()
	c, exists := s.store.get(id)
	if !exists {
		return fmt.Errorf("edit %s: there is no such configuration", id)
	}
	document, err := change(c.document)
	if err != nil {
		return fmt.Errorf("edit %s: %w", id, err)
	}
	s.store.put(id, own(document), s.options.Now(), editor)
	s.changed()
	return nil
}

// Put creates or replaces a configuration by hand. Fields that are not JSON are a
// mistake in the calling program, and so a panic.
func (s *Simulator) Put(id string, fields map[string]any) {
	document, err := deskhand.NewDocument(fields)
	if err != nil {
		panic(fmt.Sprintf("simulator: put %s: %v", id, err))
	}
	s.put(id, document)
}

func (s *Simulator) put(id string, document deskhand.Document) configuration {
	s.store.Lock()
	defer s.store.Unlock()
	c := s.store.put(id, own(document), s.options.Now(), editor)
	s.changed()
	return c
}

// Remove deletes a configuration by hand, if there is one.
func (s *Simulator) Remove(id string) {
	s.store.Lock()
	defer s.store.Unlock()
	s.store.remove(id)
	s.changed()
}

// mergePatch applies an RFC 7396 merge patch.
func mergePatch(document, patch deskhand.Document) (deskhand.Document, error) {
	merged, err := jsonpatch.MergePatch([]byte(document.String()), []byte(patch.String()))
	if err != nil {
		return deskhand.Document{}, fmt.Errorf("merge patch: %w", err)
	}
	return deskhand.ParseDocument(merged)
}
