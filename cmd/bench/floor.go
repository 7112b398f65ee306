package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"gopkg.in/yaml.v3"
)

// floor is a bare net/http client that does only the requests that a job cannot
// do without.
type floor struct {
	base    string
	token   string
	client  *http.Client
	limiter *rate.Limiter
}

func newFloor(ctx context.Context, base string) (*floor, error) {
	f := &floor{base: base, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {clientSecret},
		"scope": {"desktop:config:write desktop:config:read users:read"},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil {
		return nil, err
	}
	f.token = token.AccessToken
	return f, nil
}

// each runs work for 0 to n-1 with so many workers and returns how long that took.
func (f *floor) each(ctx context.Context, n, workers int, work func(ctx context.Context, i int) error) (time.Duration, error) {
	var (
		group  sync.WaitGroup
		queue  = make(chan int)
		failed = make(chan error, workers)
	)
	started := time.Now()
	for range workers {
		group.Go(func() {
			for i := range queue {
				if f.limiter != nil {
					_ = f.limiter.Wait(ctx)
				}
				if err := work(ctx, i); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
		})
	}
	for i := range n {
		queue <- i
	}
	close(queue)
	group.Wait()
	took := time.Since(started)
	select {
	case err := <-failed:
		return took, err
	default:
		return took, nil
	}
}

// do sends one request and returns the ETag of the answer.
func (f *floor) do(ctx context.Context, method, path string, body []byte, header, value string) (status int, etag string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, f.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+f.token)
	request.Header.Set("X-Request-ID", "floor")
	request.Header.Set("Content-Type", "application/json")
	if header != "" {
		request.Header.Set(header, value)
	}
	answer, err := f.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, answer.Header.Get("ETag"), err
}

func resource(i int) string {
	return fmt.Sprintf("/api/v2/desktop/configurations/floor-%05d", i)
}

const parseFloorVerb = "parse-floor"

// parseFloor parses every YAML file below a folder and keeps nothing: the floor
// of validate. It runs in a process of its own, as validate does.
func parseFloor(folder string) error {
	return filepath.WalkDir(folder, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".yaml" {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var node yaml.Node
		return yaml.Unmarshal(content, &node)
	})
}
