//go:build !mutant_blindwrite

package cxone

import (
	"net/http"

	"github.com/deskhand/deskhand"
)

// ifMatch lets a write happen while the configuration has exactly that ETag.
func ifMatch(tag deskhand.ETag) http.Header {
	return http.Header{"If-Match": {string(tag)}}
}
