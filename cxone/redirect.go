package cxone

import (
	"errors"
	"net/http"
)

var errForeignRedirect = errors.New("the answer is a redirect that is not followed: to another host, by another method, or in a circle")

// refuseForeignRedirect follows a redirect only within the same scheme and
// host, so that no credential goes elsewhere, and only with the same method,
// because a PUT that 302 turned into a GET would look like a success.
func refuseForeignRedirect(next *http.Request, via []*http.Request) error {
	const longestChain = 3
	first := via[0]
	if len(via) > longestChain || next.Method != first.Method ||
		next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host {
		return errForeignRedirect
	}
	return nil
}
