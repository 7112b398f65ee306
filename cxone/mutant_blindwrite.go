//go:build mutant_blindwrite

package cxone

import (
	"net/http"

	"github.com/deskhand/deskhand"
)

// ifMatch is the mistake of writing over whatever is there. The reconciler's
// model must catch it.
func ifMatch(deskhand.ETag) http.Header {
	return http.Header{"If-Match": {"*"}}
}
