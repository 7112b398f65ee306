package cxone

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
)

// Client speaks to one tenant. It is safe for concurrent use, and shares
// nothing with other clients: one tenant's trouble never slows another.
type Client struct {
	tenant           deskhand.Tenant
	resource         string // the URL of a configuration, with {id}
	collection       string // the URL of all configurations
	serverManaged    []string
	conflictStatuses []int
	scopes           []string
	compareContent   bool // the API has no ETags: compare what a GET shows
	maxAttempts      uint
	timeout          time.Duration

	http      *http.Client
	transport http.RoundTripper // the innermost
	auth      *authorization
	notice    func(deskhand.EventType, Trouble)
	logger    zerolog.Logger

	weakTags, missingTags sync.Once // each is told once
}

// New makes the client of one tenant. An error names the setting that is wrong,
// in the spelling of the daemon's configuration.
func New(options Options) (*Client, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, fmt.Errorf("tenant %s: %w", options.Tenant, err)
	}
	transport, err := options.transport()
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", options.Tenant, err)
	}
	resource := strings.TrimSuffix(options.BaseURL, "/") + options.ResourcePath
	collection, _, _ := strings.Cut(resource, "/"+idPlaceholder)
	auth := newLayers(options, transport)
	return &Client{
		tenant:           options.Tenant,
		resource:         resource,
		collection:       collection,
		serverManaged:    options.ServerManaged,
		conflictStatuses: options.ConflictStatuses,
		scopes:           options.Scopes,
		compareContent:   options.Concurrency == ConcurrencyReadCompareWrite,
		maxAttempts:      uint(options.MaxAttempts),
		timeout:          options.Timeout,
		http:             &http.Client{Transport: auth, CheckRedirect: refuseForeignRedirect},
		transport:        transport,
		auth:             auth,
		notice:           options.Notice,
		logger:           options.Logger,
	}, nil
}

// newLayers puts the layers of a call together, innermost first, and returns the
// outermost. A token request enters below it, at the identity.
func newLayers(options Options, transport http.RoundTripper) *authorization {
	wire := &wire{next: transport, timeout: options.Timeout, observe: options.Observe}
	breaker := newBreaker(wire, string(options.Tenant))
	health := &health{next: breaker, notice: options.Notice}
	throttle := newThrottle(health, options.RequestsPerSecond)
	identity := &identity{next: throttle, userAgent: options.UserAgent}
	return newAuthorization(identity, options)
}

// Close closes idle connections. Calls may still be made afterwards.
func (c *Client) Close() {
	if transport, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		transport.CloseIdleConnections()
	}
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) etag() deskhand.ETag { return deskhand.ETag(a.header.Get("ETag")) }

func (a answer) succeeded() bool { return a.status >= 200 && a.status < 300 }

// exchange sends one request. An error is an *Error about what kept an answer
// from coming; an answer of any status is none.
func (c *Client) exchange(ctx context.Context, op *operation, method, address string, header http.Header, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(op.attach(ctx), method, address, bodyReader(body))
	if err != nil {
		return answer{}, op.fail(method, 0, fmt.Errorf("make the request: %w", err), "")
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, c.noAnswer(ctx, op, method, err)
	}
	defer func() { _ = response.Body.Close() }()
	// The wire has read the body and bounded it; this only copies.
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return answer{}, c.noAnswer(ctx, op, method, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: text}, nil
}

func bodyReader(body []byte) io.Reader {
	if body == nil {
		return nil
	}
	return strings.NewReader(string(body))
}

// address is the URL of one configuration. The error wraps ErrRejected.
func (c *Client) address(configID string) (string, error) {
	switch configID {
	case "":
		return "", fmt.Errorf("%w: its configId is empty", deskhand.ErrRejected)
	case ".", "..": // a server would take them for steps in the path
		return "", fmt.Errorf("%w: its configId %q cannot be part of a URL", deskhand.ErrRejected, configID)
	}
	return strings.Replace(c.resource, idPlaceholder, url.PathEscape(configID), 1), nil
}
