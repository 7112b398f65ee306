package statuspage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Limits that keep one slow client from costing anything.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = time.Minute
	maxHeader    = 16 << 10 // bytes
	// grace is how long requests in flight have to finish at a stop.
	grace = 5 * time.Second
)

// Serve answers on address (host:port) until ctx ends, and returns once the
// requests in flight have finished, or after a few seconds.
func Serve(ctx context.Context, address string, handler http.Handler) error {
	listener, err := Listen(ctx, address)
	if err != nil {
		return err
	}
	return ServeListener(ctx, listener, handler)
}

// Listen opens address (host:port; the port 0 takes a free one). Doing so
// before the daemon starts shows a wrong address at once.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: another program uses this port; stop it, or set http.listen to another one: %w", address, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen on %s: this user may not use this port; set http.listen to one above 1023: %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w; check http.listen", address, err)
	}
	return listener, nil
}

// ServeListener is Serve on an address that Listen has opened; it closes listener.
func ServeListener(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
	stopped := make(chan error, 1)
	release := context.AfterFunc(ctx, func() {
		// The stop must not be stopped by what made it happen.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		stopped <- server.Shutdown(ending)
	})
	err := server.Serve(listener)
	if release() { // ctx goes on, so the listener broke
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	}
	if err := <-stopped; err != nil {
		return errors.Join(fmt.Errorf("stop serving %s: %w", listener.Addr(), err), server.Close())
	}
	return nil
}
