package cxone_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/cxone/simulator"
)

// BenchmarkReadAndWrite reads and writes a configuration at 20 ms latency by 10
// workers: a bare loop that sends only the requests needed, and the client.
func BenchmarkReadAndWrite(b *testing.B) {
	sim, err := simulator.New(simulator.Options{ClientID: "acme-client", ClientSecret: secret, Latency: 20 * time.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(sim)
	b.Cleanup(server.Close)
	desired, err := deskhand.ParseDocument([]byte(after))
	if err != nil {
		b.Fatal(err)
	}

	b.Run("floor", func(b *testing.B) {
		transport := &http.Transport{MaxIdleConnsPerHost: 10}
		defer transport.CloseIdleConnections()
		bare := &http.Client{Transport: transport}
		config := clientcredentials.Config{ClientID: "acme-client", ClientSecret: secret, TokenURL: server.URL + "/oauth2/token"}
		token, err := config.Token(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		send := func(method, id string, etag deskhand.ETag, body io.Reader) deskhand.ETag {
			request, err := http.NewRequestWithContext(b.Context(), method, server.URL+"/api/v2/desktop/configurations/"+id, body)
			if err != nil {
				b.Error(err)
				return ""
			}
			token.SetAuthHeader(request)
			request.Header.Set("X-Request-ID", requestID)
			request.Header.Set("Content-Type", "application/json")
			if etag != "" {
				request.Header.Set("If-Match", string(etag))
			}
			answer, err := bare.Do(request)
			if err != nil {
				b.Error(err)
				return ""
			}
			defer func() { _ = answer.Body.Close() }()
			io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)) //nolint:errcheck // its status tells
			if answer.StatusCode != http.StatusOK {
				b.Errorf("%s: status %d", method, answer.StatusCode)
			}
			return deskhand.ETag(answer.Header.Get("ETag"))
		}
		byTenWorkers(b, sim, func(id string) {
			etag := send(http.MethodGet, id, "", nil)
			send(http.MethodPut, id, etag, bytes.NewReader([]byte(after)))
		})
	})
	b.Run("client", func(b *testing.B) {
		client, err := cxone.New(cxone.Options{
			Tenant: "acme", BaseURL: server.URL,
			Credentials: func(context.Context) (cxone.Credentials, error) {
				return cxone.Credentials{ClientID: "acme-client", ClientSecret: secret}, nil
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		byTenWorkers(b, sim, func(id string) {
			live, _, err := client.Get(b.Context(), requestID, id, "")
			if err != nil {
				b.Error(err)
				return
			}
			if _, _, err := client.Put(b.Context(), requestID, id, desired, deskhand.IfMatch(live.ETag)); err != nil {
				b.Error(err)
			}
		})
	})
}

func byTenWorkers(b *testing.B, sim *simulator.Simulator, work func(id string)) {
	b.Helper()
	for i := range b.N {
		sim.Put(fmt.Sprintf("dsk-%05d", i), map[string]any{"layout": map[string]any{"gridColumns": 12}})
	}
	ids := make(chan string)
	var workers sync.WaitGroup
	b.ResetTimer()
	for range 10 {
		workers.Go(func() {
			for id := range ids {
				work(id)
			}
		})
	}
	for i := range b.N {
		ids <- fmt.Sprintf("dsk-%05d", i)
	}
	close(ids)
	workers.Wait()
}
