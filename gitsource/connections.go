package gitsource

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	defaultSilence    = 30 * time.Second
	handshakePatience = 10 * time.Second
	idleLifetime      = 90 * time.Second // longer than the usual interval between two polls
	// What a remote may send: a list of refs or a refusal, and a pack.
	maxListing = 64 << 20
	maxPack    = 1 << 30
)

// errSilent means that a remote sent nothing for too long.
var errSilent = errors.New("the server has gone silent")

// newConnections is a pool of connections of its own, to be closed with its owner.
func newConnections(caFile string) (*http.Transport, error) {
	connections := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		IdleConnTimeout:     idleLifetime,
		TLSHandshakeTimeout: handshakePatience,
	}
	if caFile == "" {
		return connections, nil
	}
	certificates, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the CA file: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("the CA file %s holds no PEM certificate", caFile)
	}
	connections.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return connections, nil
}

// patientTransport bounds how long an exchange may stand still and how much may
// come back, but not how long it may go on.
type patientTransport struct {
	next    http.RoundTripper
	silence time.Duration
}

func (t patientTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	watch := &watchdog{silence: t.silence, cancel: cancel}
	watch.timer = time.AfterFunc(t.silence, func() { cancel(fmt.Errorf("%w for %s", errSilent, t.silence)) })
	request = request.Clone(ctx)
	if request.Body != nil {
		request.Body = &watchedBody{ReadCloser: request.Body, watch: watch, ctx: ctx, sending: true}
	}
	response, err := t.next.RoundTrip(request)
	if err != nil {
		watch.stop()
		return nil, watch.cause(ctx, err)
	}
	watch.timer.Reset(t.silence)
	limit := int64(maxListing)
	if request.Method == http.MethodPost && response.StatusCode == http.StatusOK {
		limit = maxPack
	}
	response.Body = &watchedBody{ReadCloser: http.MaxBytesReader(nil, response.Body, limit), watch: watch, ctx: ctx}
	return response, nil
}

// watchdog cancels an exchange in which nothing moves.
type watchdog struct {
	timer   *time.Timer
	silence time.Duration
	cancel  context.CancelCauseFunc
}

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

func (w *watchdog) cause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	return err
}

// watchedBody is a body whose every byte is a sign of life.
type watchedBody struct {
	io.ReadCloser
	watch   *watchdog
	ctx     context.Context // of the one request that the body belongs to
	sending bool            // the exchange goes on after this body
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.watch.timer.Reset(b.watch.silence)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.watch.cause(b.ctx, err)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	err := b.ReadCloser.Close()
	if !b.sending {
		b.watch.stop()
	}
	return err
}
