package gitsource

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"
)

// roundTrip stands for a server.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// slowBody hands out one byte after each pause, and ends with the request.
type slowBody struct {
	request *http.Request
	pauses  []time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.pauses) == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(b.pauses[0]):
		b.pauses = b.pauses[1:]
		return copy(p, "x"), nil
	case <-b.request.Context().Done():
		return 0, b.request.Context().Err()
	}
}

func (b *slowBody) Close() error { return nil }

func TestPatienceIsWithSlowServersAndNotWithSilentOnes(t *testing.T) {
	t.Parallel()
	const silence = 30 * time.Second
	tests := map[string]struct {
		answer time.Duration
		pauses []time.Duration
		want   string
		err    error
	}{
		"slow":           {29 * time.Second, []time.Duration{29 * time.Second, 29 * time.Second, 29 * time.Second}, "xxx", nil},
		"no answer":      {time.Hour, nil, "", errSilent},
		"half a body":    {time.Second, []time.Duration{time.Second, time.Hour}, "x", errSilent},
		"no body at all": {time.Second, []time.Duration{time.Hour}, "", errSilent},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := roundTrip(func(request *http.Request) (*http.Response, error) {
					select {
					case <-time.After(test.answer):
					case <-request.Context().Done():
						return nil, request.Context().Err()
					}
					return &http.Response{StatusCode: http.StatusOK, Body: &slowBody{request: request, pauses: test.pauses}}, nil
				})
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				response, err := patientTransport{next: server, silence: silence}.RoundTrip(request)
				var got []byte
				if err == nil {
					got, err = io.ReadAll(response.Body)
					if err := response.Body.Close(); err != nil {
						t.Error(err)
					}
				}
				if string(got) != test.want || !errors.Is(err, test.err) {
					t.Errorf("got %q and %v, not %q and %v", got, err, test.want, test.err)
				}
			})
		})
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	endless := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(zeros{})}, nil
	})
	response, err := patientTransport{next: endless, silence: time.Minute}.RoundTrip(
		&http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	n, err := io.Copy(io.Discard, response.Body)
	if tooLarge := new(http.MaxBytesError); !errors.As(err, &tooLarge) || n != maxListing {
		t.Errorf("read %d bytes and then %v", n, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestSubject(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"":                     "",
		"one\n":                "one",
		"one\ntwo\n\nthree":    "one two",
		"\n\n  one \t two\n\n": "one two",
	} {
		if got := subject(message); got != want {
			t.Errorf("the subject of %q is %q, not %q", message, got, want)
		}
	}
}

// FuzzLocate: no text makes it panic, and no password comes back out of it.
func FuzzLocate(f *testing.F) {
	for _, seed := range []string{"", ".", "https://a:hunter2@b/c", "http://[::1]:80/x", "git@h:p", "file:///", "https://%zz", "://"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		place, err := locate(text)
		if err == nil && !place.local() && place.url.Host == "" {
			t.Errorf("%q is remote and has no host", text)
		}
	})
}
