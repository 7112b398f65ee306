package simulator

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// errBroken is what a client without a socket gets where one with a socket would
// see its connection reset.
var errBroken = fmt.Errorf("simulator: the connection broke: %w", io.ErrUnexpectedEOF)

// RoundTripper reaches the simulator without a socket, whatever the host of the
// request, so that it works where time is fake. Like http.Transport it ends when
// the request's context does, and unzips what the caller did not ask to be zipped.
func (s *Simulator) RoundTripper() http.RoundTripper { return roundTripper{handler: s} }

type roundTripper struct{ handler http.Handler }

func (t roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	body, pipe := io.Pipe()
	response := &memoryResponse{request: request, header: http.Header{}, body: body, pipe: pipe, started: make(chan *http.Response, 1)}
	done := make(chan struct{})
	go t.serve(ctx, request, response, done)
	select {
	case started := <-response.started:
		return started, nil
	case <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// The handler is through: either it broke off, or its answer is here.
	select {
	case started := <-response.started:
		return started, nil
	default:
		return nil, errBroken
	}
}

// serve runs the handler as a server would.
func (t roundTripper) serve(ctx context.Context, request *http.Request, response *memoryResponse, done chan<- struct{}) {
	incoming := request.Clone(ctx)
	incoming.RequestURI = request.URL.RequestURI()
	incoming.RemoteAddr = "127.0.0.1:0"
	if incoming.Host == "" {
		incoming.Host = request.URL.Host
	}
	if incoming.Body == nil {
		incoming.Body = http.NoBody
	}
	abort := context.AfterFunc(ctx, func() { response.pipe.CloseWithError(ctx.Err()) })
	defer func() {
		abort()
		end := io.EOF
		if cause := recover(); cause != nil {
			if err, isError := cause.(error); !isError || !errors.Is(err, http.ErrAbortHandler) {
				panic(cause)
			}
			end = errBroken
		}
		incoming.Body.Close()
		response.pipe.CloseWithError(end)
		close(done)
	}()
	t.handler.ServeHTTP(response, incoming)
	response.WriteHeader(http.StatusOK) // for a handler that wrote nothing
}

// memoryResponse is an http.ResponseWriter whose response is read elsewhere.
type memoryResponse struct {
	request *http.Request
	header  http.Header
	body    *io.PipeReader
	pipe    *io.PipeWriter
	once    sync.Once
	started chan *http.Response
}

// Header implements http.ResponseWriter.
func (r *memoryResponse) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter: the response starts.
func (r *memoryResponse) WriteHeader(status int) {
	r.once.Do(func() {
		response := &http.Response{
			Status:     strconv.Itoa(status) + " " + http.StatusText(status),
			StatusCode: status,
			Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header:        r.header.Clone(),
			Body:          r.body,
			ContentLength: -1,
			Request:       r.request,
		}
		if length, err := strconv.ParseInt(r.header.Get("Content-Length"), 10, 64); err == nil {
			response.ContentLength = length
		}
		if status == http.StatusNoContent || status == http.StatusNotModified {
			response.Body, response.ContentLength = http.NoBody, 0
		}
		if r.header.Get("Content-Encoding") == "gzip" && r.request.Header.Get("Accept-Encoding") == "" {
			response.Body = &unzipped{zipped: r.body}
			response.Header.Del("Content-Encoding")
			response.ContentLength, response.Uncompressed = -1, true
		}
		r.started <- response
	})
}

// Write implements http.ResponseWriter. It waits for the reader.
func (r *memoryResponse) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if len(p) == 0 {
		return 0, nil
	}
	return r.pipe.Write(p)
}

// FlushError lets http.ResponseController flush; nothing is ever held back.
func (r *memoryResponse) FlushError() error { return nil }

// unzipped unzips as it is read, because the header is not there before.
type unzipped struct {
	zipped io.ReadCloser
	plain  *gzip.Reader
}

func (u *unzipped) Read(p []byte) (int, error) {
	if u.plain == nil {
		plain, err := gzip.NewReader(u.zipped)
		if err != nil {
			return 0, fmt.Errorf("unzip: %w", err)
		}
		u.plain = plain
	}
	return u.plain.Read(p)
}

func (u *unzipped) Close() error {
	if u.plain == nil {
		return u.zipped.Close()
	}
	return errors.Join(u.plain.Close(), u.zipped.Close())
}
