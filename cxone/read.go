package cxone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/deskhand/deskhand"
)

// seen is what one GET showed.
type seen struct {
	deskhand.Observed
	// tag is the ETag as the server sent it, "" where it sent none. Observed
	// then has one made of the content.
	tag deskhand.ETag
}

// Get reads a configuration. Where known is its ETag already, the answer is
// NotModified and has no document; where there is no such configuration, the
// answer does not Exist and there is no error. An empty requestID is made up.
//
// Errors are *Error and wrap ErrUnauthorized, ErrForbidden, ErrUnavailable, or
// the context's error.
func (c *Client) Get(ctx context.Context, requestID, configID string, known deskhand.ETag) (deskhand.Observed, deskhand.Request, error) {
	op := c.begin(requestID, configID)
	live, err := c.readPatiently(ctx, ctx, op, known)
	return live.Observed, op.request(), err
}

// readPatiently reads until there is an answer. The waits between attempts end
// with waiting, the requests with ctx.
func (c *Client) readPatiently(waiting, ctx context.Context, op *operation, known deskhand.ETag) (live seen, err error) {
	err = c.retry(waiting, func() error {
		live, err = c.read(ctx, op, known)
		return err
	})
	return live, err
}

// read makes one attempt.
func (c *Client) read(ctx context.Context, op *operation, known deskhand.ETag) (seen, error) {
	const method = http.MethodGet
	address, err := c.address(op.configID)
	if err != nil {
		return seen{}, op.fail(method, 0, err, "correct the configId")
	}
	header := http.Header{}
	if known != "" && !madeOfContent(known) {
		header.Set("If-None-Match", string(known))
	}
	got, err := c.exchange(ctx, op, method, address, header, nil)
	if err != nil {
		return seen{}, err
	}
	switch got.status {
	case http.StatusOK:
		return c.parse(op, method, got, known)
	case http.StatusNotModified:
		if known == "" {
			break
		}
		return seen{Observed: deskhand.Observed{Exists: true, ETag: known, NotModified: true}, tag: known}, nil
	case http.StatusNotFound, http.StatusGone:
		return seen{}, nil
	}
	return seen{}, c.refusal(op, method, got)
}

// parse reads a configuration out of a success.
func (c *Client) parse(op *operation, method string, got answer, known deskhand.ETag) (seen, error) {
	document, err := deskhand.ParseDocument(got.body)
	if err != nil {
		return seen{}, c.unreadable(op, method, got, err)
	}
	document = document.Without(c.serverManaged...)
	live := seen{tag: got.etag(), Observed: deskhand.Observed{Exists: true, ETag: got.etag(), Document: document}}
	switch {
	case c.compareContent:
		live.ETag = contentTag(document)
	case live.tag == "":
		live.ETag = contentTag(document)
		if method == http.MethodGet { // after a write, a GET is asked first
			c.tellMissingTag(op)
		}
	case live.tag.Weak():
		c.tellWeakTag(op)
	}
	if known != "" && live.ETag == known && madeOfContent(known) {
		live.NotModified, live.Document = true, deskhand.Document{}
	}
	return live, nil
}

// A tag made of the content stands in for an ETag where the API has none. It is
// never sent.
const contentTagPrefix = `"sha256-`

func contentTag(document deskhand.Document) deskhand.ETag {
	sum := sha256.Sum256([]byte(document.String()))
	return deskhand.ETag(contentTagPrefix + hex.EncodeToString(sum[:]) + `"`)
}

func madeOfContent(tag deskhand.ETag) bool {
	return strings.HasPrefix(string(tag), contentTagPrefix) && len(tag) == len(contentTagPrefix)+2*sha256.Size+1
}

// is reports whether the configuration is in the state that the tag stands for.
func (s seen) is(tag deskhand.ETag) bool {
	if !s.Exists {
		return false
	}
	if madeOfContent(tag) && contentTag(s.Document) == tag {
		return true
	}
	// The weak comparison of RFC 9110 section 8.8.3.2: here it decides whether
	// to go on, not whether the server may write.
	return s.tag != "" && strings.TrimPrefix(string(s.tag), "W/") == strings.TrimPrefix(string(tag), "W/")
}
