package cxone_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/cxone/simulator"
)

// overSockets makes a client of the server with the real transport.
func overSockets(t *testing.T, base string, adjust ...func(*cxone.Options)) *cxone.Client {
	t.Helper()
	options := cxone.Options{
		Tenant: "acme", BaseURL: base, MaxAttempts: 2,
		Credentials: func(context.Context) (cxone.Credentials, error) {
			return cxone.Credentials{ClientID: "acme-client", ClientSecret: secret}, nil
		},
	}
	for _, change := range adjust {
		change(&options)
	}
	client, err := cxone.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	sim, err := simulator.New(simulator.Options{ClientID: "acme-client", ClientSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(sim)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake that fails
	server.StartTLS()
	t.Cleanup(server.Close)

	stranger := overSockets(t, server.URL)
	_, request, err := stranger.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfAbsent())
	if !errors.Is(err, deskhand.ErrUnavailable) || !strings.Contains(err.Error(), "caFile") {
		t.Errorf("an unknown authority: got error %v, want one that names caFile", err)
	}
	equal(t, "requests", request.Attempts, 0)

	file := filepath.Join(t.TempDir(), "ca.pem")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	friend := overSockets(t, server.URL, func(o *cxone.Options) { o.CAFile = file })
	live, _, err := friend.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfAbsent())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the answer", live.Document, document(t, after))
	equal(t, "blind writes", sim.Violations(), nil)
}

// A redirect within the host is followed with method and body, and none goes
// elsewhere with the token.
func TestRedirects(t *testing.T) {
	t.Parallel()
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		t.Errorf("a %s reached another host", request.Method)
	}))
	t.Cleanup(thief.Close)
	var target string
	var status int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var body bytes.Buffer
		body.ReadFrom(http.MaxBytesReader(w, request.Body, 1<<20)) //nolint:errcheck // compared below
		w.Header().Set("Content-Type", "application/json")
		switch {
		case request.URL.Path == "/oauth2/token":
			w.Write([]byte(`{"access_token":"t","expires_in":3600}`)) //nolint:errcheck // a test's server
		case strings.HasPrefix(request.URL.Path, "/moved"):
			if request.Method != http.MethodPut || request.Header.Get("Authorization") == "" || request.Header.Get("If-None-Match") != "*" {
				t.Errorf("%s %v was redirected", request.Method, request.Header)
			}
			w.Header().Set("ETag", `"1"`)
			w.Write(body.Bytes()) //nolint:errcheck // a test's server
		default:
			http.Redirect(w, request, target, status)
		}
	}))
	t.Cleanup(server.Close)
	client := overSockets(t, server.URL)

	target, status = "/moved", http.StatusTemporaryRedirect
	if _, _, err := client.Put(t.Context(), "", voice, document(t, after), deskhand.IfAbsent()); err != nil {
		t.Errorf("within the host: %v", err)
	}
	for _, status = range []int{301, 302, 303, 307, 308} {
		target = thief.URL + "/moved"
		if _, _, err := client.Put(t.Context(), "", voice, document(t, after), deskhand.IfAbsent()); !errors.Is(err, deskhand.ErrUnavailable) {
			t.Errorf("%d to another host: got error %v", status, err)
		}
	}
	for _, status = range []int{301, 302, 303} { // these would make a GET of the PUT
		target = "/moved"
		if _, _, err := client.Put(t.Context(), "", voice, document(t, after), deskhand.IfAbsent()); !errors.Is(err, deskhand.ErrUnavailable) {
			t.Errorf("%d within the host: got error %v", status, err)
		}
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if request.URL.Path == "/oauth2/token" {
			w.Write([]byte(`{"access_token":"t"}`)) //nolint:errcheck // a test's server
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", `"1"`)
		packed := gzip.NewWriter(w)
		packed.Write([]byte(before)) //nolint:errcheck // a test's server
		packed.Close()
	}))
	t.Cleanup(server.Close)
	live, _, err := overSockets(t, server.URL).Get(t.Context(), "", voice, "")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the answer", live.Document, document(t, before))
}
