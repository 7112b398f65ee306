package cxone

import (
	"context"
	"errors"
	"net/http"

	"github.com/deskhand/deskhand"
)

// preconditionHeader is what makes the server refuse a write that meets another
// state than pre.
//
// A strong ETag goes out as it is. A weak one never matches If-Match (RFC 9110
// section 13.1.1), and one made of the content means nothing to the server: a
// GET then has to prove the state first. If it brings a strong ETag, that goes
// out. If not, the write goes without one, right behind the GET; an edit that
// falls between the two is overwritten, and only the next comparison sees it.
func (c *Client) preconditionHeader(ctx context.Context, op *operation, method string, pre deskhand.Precondition) (http.Header, error) {
	if pre.Absent() {
		return c.absentHeader(ctx, op, method)
	}
	tag := pre.ETag()
	if !c.compareContent && !tag.Weak() && !madeOfContent(tag) {
		return ifMatch(tag), nil
	}
	live, err := c.read(ctx, op, "")
	if err != nil {
		return nil, unsent(err)
	}
	if !live.is(tag) {
		return nil, op.fail(method, 0, deskhand.ErrPrecondition, hintMerge)
	}
	if live.tag != "" && !live.tag.Weak() {
		return ifMatch(live.tag), nil
	}
	return http.Header{}, nil
}

// absentHeader makes sure of a create. An API that has no ETags may not know
// If-None-Match either, so it is asked first.
func (c *Client) absentHeader(ctx context.Context, op *operation, method string) (http.Header, error) {
	if c.compareContent {
		live, err := c.read(ctx, op, "")
		if err != nil {
			return nil, unsent(err)
		}
		if live.Exists {
			return nil, op.fail(method, 0, deskhand.ErrPrecondition, hintMerge)
		}
	}
	return http.Header{"If-None-Match": {"*"}}, nil
}

// unsent marks the error of a read before the write: nothing was written.
func unsent(err error) error {
	var failed *Error
	if errors.As(err, &failed) {
		failed.lost = false
	}
	return err
}

func (c *Client) tellWeakTag(op *operation) {
	c.weakTags.Do(func() {
		c.warn(op, "CXone sends weak ETags, which cannot guard a write; each write is compared with a GET right before it")
	})
}

func (c *Client) tellMissingTag(op *operation) {
	c.missingTags.Do(func() {
		c.warn(op, "CXone sends no ETag; each write is compared with a GET right before it (if this tenant never sends one, set concurrencyMode: read-compare-write)")
	})
}

func (c *Client) warn(op *operation, message string) {
	c.logger.Warn().Str("tenant", string(c.tenant)).Str("requestId", op.requestID).Msg(message)
	c.notice("", Trouble{RequestIDs: []string{op.requestID}, Message: message})
}
