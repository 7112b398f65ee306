package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/deskhand/deskhand"
)

// configuration is one desktop configuration as the tenant holds it.
type configuration struct {
	id        string
	version   int // 1 when created
	document  deskhand.Document
	updatedAt time.Time
	updatedBy string
	etag      deskhand.ETag // "<version>-<8 hex digits of the body's SHA-256>"
}

// newConfiguration is a version of a configuration with its tag. The tag is that of all
// bytes served, so it stays true to RFC 9110's strong validators even where an id
// is deleted and made again.
func newConfiguration(id string, version int, document deskhand.Document, at time.Time, by string) configuration {
	c := configuration{id: id, version: version, document: document, updatedAt: at.UTC(), updatedBy: by}
	hash := sha256.Sum256(c.body())
	c.etag = deskhand.ETag(fmt.Sprintf(`"%d-%s"`, version, hex.EncodeToString(hash[:4])))
	return c
}

// body is the configuration as CXone serves it: the document and the fields that
// the server manages. Written by hand because a list has hundreds of them.
func (c configuration) body() []byte {
	text := c.document.String()
	body := make([]byte, 0, len(text)+160)
	body = append(body, `{"id":`...)
	body = append(body, mustJSON(c.id)...)
	body = append(body, `,"version":`...)
	body = strconv.AppendInt(body, int64(c.version), 10)
	body = append(body, `,"updatedAt":"`...)
	body = c.updatedAt.AppendFormat(body, time.RFC3339Nano)
	body = append(body, `","updatedBy":`...)
	body = append(body, mustJSON(c.updatedBy)...)
	if text != "{}" {
		body = append(body, ',')
	}
	return append(body, text[1:]...)
}

// store holds the configurations. Its methods expect the lock to be held, so that
// a precondition and the write under it are one step.
type store struct {
	sync.Mutex
	byID map[string]configuration
	ids  []string // sorted
}

func newStore() *store { return &store{byID: map[string]configuration{}} }

func (s *store) get(id string) (configuration, bool) {
	c, exists := s.byID[id]
	return c, exists
}

// put writes the next version.
func (s *store) put(id string, document deskhand.Document, at time.Time, by string) configuration {
	c := newConfiguration(id, s.byID[id].version+1, document, at, by)
	s.load(c)
	return c
}

// load takes a configuration in as it is.
func (s *store) load(c configuration) {
	if i, found := slices.BinarySearch(s.ids, c.id); !found {
		s.ids = slices.Insert(s.ids, i, c.id)
	}
	s.byID[c.id] = c
}

func (s *store) remove(id string) {
	if i, found := slices.BinarySearch(s.ids, id); found {
		s.ids = slices.Delete(s.ids, i, i+1)
		delete(s.byID, id)
	}
}

// all are the configurations by id.
func (s *store) all() []configuration {
	all := make([]configuration, len(s.ids))
	for i, id := range s.ids {
		all[i] = s.byID[id]
	}
	return all
}
