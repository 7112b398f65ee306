package cxone

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds an answer in bytes, after it is unpacked.
const maxBody = 4 << 20

var errOversize = errors.New("the answer is longer than 4 MiB")

// lostAnswerError means that a request went out, or began to, and no whole
// answer came back.
type lostAnswerError struct{ err error }

func (e *lostAnswerError) Error() string { return e.err.Error() }
func (e *lostAnswerError) Unwrap() error { return e.err }

// wire sends a request and reads the whole answer, within a time and a size. A
// write that went out is given its time even when the caller has gone: cutting
// it off would leave its outcome unknown.
type wire struct {
	next    http.RoundTripper
	timeout time.Duration
	observe func(Call)
}

func (l *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if request.Method == http.MethodPut || request.Method == http.MethodDelete {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, stop := context.WithTimeoutCause(ctx, l.timeout, fmt.Errorf("no answer within %v", l.timeout))
	defer stop()

	call := Call{Method: request.Method, Sent: max(request.ContentLength, 0)}
	started := time.Now()
	response, err := l.next.RoundTrip(request.WithContext(ctx))
	if err == nil {
		call.Received, err = readWhole(response)
	}
	call.Duration = time.Since(started)
	if err == nil {
		call.Status = response.StatusCode
	}
	if op := operationOf(request); op != nil {
		op.statuses = append(op.statuses, call.Status)
		call.Token = op.token
	}
	l.observe(call)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, &lostAnswerError{err}
	}
	return response, nil
}

// readWhole puts the unpacked body in place of the one on the network, and
// returns its length.
func readWhole(response *http.Response) (int64, error) {
	defer func() { _ = response.Body.Close() }()
	var body io.Reader = response.Body
	// http.Transport unpacks what it asked for; this is for a server that packs
	// unasked.
	if strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") && response.ContentLength != 0 {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return 0, fmt.Errorf("unpack the answer: %w", err)
		}
		body = unpacked
		response.Header.Del("Content-Encoding")
	}
	var text bytes.Buffer
	if length := response.ContentLength; length > 0 && length <= maxBody {
		text.Grow(int(length) + bytes.MinRead)
	}
	length, err := text.ReadFrom(io.LimitReader(body, maxBody+1))
	if err != nil {
		return length, fmt.Errorf("read the answer: %w", err)
	}
	if length > maxBody {
		return length, errOversize
	}
	response.Body = io.NopCloser(&text)
	response.ContentLength = length
	return length, nil
}
