package cxone

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// transport is the one that speaks HTTP.
func (o Options) transport() (http.RoundTripper, error) {
	if o.Transport != nil {
		if o.CAFile != "" {
			return nil, errors.New("caFile: a Transport of one's own has its own certificates")
		}
		return o.Transport, nil
	}
	roots, err := trusted(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("caFile: %w", err)
	}
	const idleConnections = 64 // no worker should have to dial again
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           idleConnections,
		MaxIdleConnsPerHost:    idleConnections,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}, nil
}

// trusted are the certificates in the file, and no others; nil, which means the
// system's, without a file.
func trusted(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	certificates, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return pool, nil
}
