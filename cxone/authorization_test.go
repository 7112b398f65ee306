package cxone_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/cxone/simulator"
)

func TestOneTokenForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := tenantOf(t, simulator.Options{Latency: 20 * time.Millisecond})
		s.holds(t, voice, fieldsBefore())
		readTogether := func() {
			var readers sync.WaitGroup
			for range 20 {
				readers.Go(func() {
					if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
						t.Error(err)
					}
				})
			}
			readers.Wait()
		}
		readTogether()
		equal(t, "tokens at first", s.tokens(), 1)

		s.Inject(simulator.Fault{Kind: simulator.FaultTokenExpired, Next: 1})
		readTogether()
		equal(t, "tokens after a 401 for all", s.tokens(), 2)
	})
}

func TestTokenRenewal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ lifetime, used time.Duration }{
		"an hour":    {time.Hour, time.Hour - 30*time.Second},
		"20 seconds": {20 * time.Second, 10 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := tenantOf(t, simulator.Options{TokenLifetime: test.lifetime})
				read := func() {
					if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
						t.Error(err)
					}
				}
				read()
				time.Sleep(test.used - time.Millisecond)
				read()
				equal(t, "tokens before", s.tokens(), 1)
				time.Sleep(time.Millisecond)
				read()
				equal(t, "tokens after", s.tokens(), 2)
				equal(t, "refusals", s.Counts().Get(http.MethodGet, 401), 0)
			})
		})
	}
}

// A caller who leaves takes no token away from the others.
func TestTokenOutlivesItsFirstCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := tenantOf(t, simulator.Options{Latency: time.Second})
		first, leave := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		readers.Go(func() {
			if _, _, err := s.client.Get(first, "", voice, ""); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who left got error %v", err)
			}
		})
		synctest.Wait()
		readers.Go(func() {
			if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		leave()
		readers.Wait()
		equal(t, "tokens", s.tokens(), 1)
	})
}

func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		given := "wrong-" + secret
		s := newTenant(t, func(o *cxone.Options) {
			o.Credentials = func(context.Context) (cxone.Credentials, error) {
				return cxone.Credentials{ClientID: "acme-client", ClientSecret: given}, nil
			}
		})
		for range 100 {
			_, _, err := s.client.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfAbsent())
			if !errors.Is(err, deskhand.ErrUnauthorized) {
				t.Fatalf("got error %v, want %v", err, deskhand.ErrUnauthorized)
			}
			for _, want := range []string{"acme-client", "desktop:config:write desktop:config:read users:read", voice, requestID} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %s", err, want)
				}
			}
		}
		equal(t, "token requests with refused credentials", s.tokens(), 1)

		given = secret // the file was corrected
		if _, _, err := s.client.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfAbsent()); err != nil {
			t.Error(err)
		}
	})
}

func TestTokenEndpointTrouble(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault simulator.Fault
		want  error
	}{
		"503 once":      {simulator.Fault{Kind: simulator.FaultStatus, Status: 503, Next: 1}, nil},
		"dropped once":  {simulator.Fault{Kind: simulator.FaultDropped, Next: 1}, nil},
		"503":           {simulator.Fault{Kind: simulator.FaultStatus, Status: 503}, deskhand.ErrUnavailable},
		"HTML":          {simulator.Fault{Kind: simulator.FaultHTML}, deskhand.ErrUnavailable},
		"endless":       {simulator.Fault{Kind: simulator.FaultEndlessBody}, deskhand.ErrUnavailable},
		"404":           {simulator.Fault{Kind: simulator.FaultStatus, Status: 404}, deskhand.ErrUnavailable},
		"another host":  {simulator.Fault{Kind: simulator.FaultRedirect, Location: "https://evil.example/"}, deskhand.ErrUnavailable},
		"400":           {simulator.Fault{Kind: simulator.FaultStatus, Status: 400}, deskhand.ErrUnauthorized},
		"429 for a bit": {simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "3", Next: 1}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTenant(t)
				test.fault.Target = simulator.TargetToken
				s.Inject(test.fault)
				_, request, err := s.client.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfAbsent())
				if !errors.Is(err, test.want) {
					t.Fatalf("got error %v, want %v", err, test.want)
				}
				if test.want != nil {
					equal(t, "requests with no token", request.Attempts, 0)
				}
			})
		})
	}
}

func TestTokenRequest(t *testing.T) {
	t.Parallel()
	credentials := cxone.Credentials{
		ClientID: "acme client", ClientSecret: secret,
		AccessKeyID: "key-id", AccessKeySecret: "key-" + secret,
	}
	tests := map[string]struct {
		adjust func(*cxone.Options)
		want   url.Values
		basic  bool
	}{
		"default": {
			adjust: func(*cxone.Options) {},
			want: url.Values{
				"grant_type": {"client_credentials"},
				"scope":      {"desktop:config:write desktop:config:read users:read"},
			},
			basic: true,
		},
		"in the form, with parameters": {
			adjust: func(o *cxone.Options) {
				o.AuthStyle, o.Scopes = cxone.AuthStyleParams, []string{"openid"}
				o.TokenParams = map[string]string{"audience": "desktop"}
			},
			want: url.Values{
				"grant_type": {"client_credentials"}, "scope": {"openid"}, "audience": {"desktop"},
				"client_id": {"acme client"}, "client_secret": {secret},
			},
		},
		"access key": {
			adjust: func(o *cxone.Options) { o.Grant, o.Scopes = cxone.GrantPassword, []string{"openid"} },
			want: url.Values{
				"grant_type": {"password"}, "scope": {"openid"}, "username": {"key-id"}, "password": {"key-" + secret},
			},
			basic: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var form url.Values
				var user, password string
				var basic bool
				s := newTenant(t, test.adjust, func(o *cxone.Options) {
					o.TokenURL = "https://login.example/token"
					o.Credentials = func(context.Context) (cxone.Credentials, error) { return credentials, nil }
				})
				s.wire.intercept = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
					if request.URL.Host != "login.example" {
						return nil, errors.New("this test ends here")
					}
					user, password, basic = request.BasicAuth()
					if err := request.ParseForm(); err != nil {
						t.Error(err)
					}
					form = request.PostForm
					return next.RoundTrip(request)
				}
				s.client.Get(t.Context(), requestID, voice, "") //nolint:errcheck // what was sent matters
				equal(t, "form", form, test.want)
				equal(t, "by HTTP Basic", basic, test.basic)
				if basic { // RFC 6749 section 2.3.1: each part is form-encoded first
					equal(t, "user", user, url.QueryEscape("acme client"))
					equal(t, "password", password, url.QueryEscape(secret))
				}
			})
		})
	}
}

// No secret reaches an error's text, even where the server quotes it.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const token = "canary-t0ken"
		quote := fmt.Sprintf(`{"error":{"code":"no","message":"you sent %s, %s, %s and %s %s"}}`,
			secret, url.QueryEscape(secret), token, strings.Repeat("x", 200), token)
		for _, tokenStatus := range []int{200, 400, 401, 500} {
			for _, status := range []int{200, 400, 401, 403, 404, 409, 418, 429, 500} {
				s := newTenant(t, func(o *cxone.Options) { o.MaxAttempts = 2 })
				s.wire.intercept = func(request *http.Request, _ http.RoundTripper) (*http.Response, error) {
					switch {
					case !strings.HasSuffix(request.URL.Path, "/token"):
						return response(request, status, quote), nil
					case tokenStatus == 200:
						return response(request, 200, `{"access_token":"`+token+`","expires_in":3600}`), nil
					}
					return response(request, tokenStatus, `{"error":"invalid_client","error_description":"`+secret+`"}`), nil
				}
				_, _, err := s.client.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfMatch(`"1"`))
				if tokenStatus == 200 && status == 200 {
					continue // the quote is the configuration, then
				}
				if err == nil {
					t.Errorf("token %d, answer %d: no error", tokenStatus, status)
					continue
				}
				for _, told := range append([]string{err.Error(), fmt.Sprintf("%+v", err)}, troubles(s)...) {
					if strings.Contains(told, "canary") {
						t.Errorf("token %d, answer %d: %s", tokenStatus, status, told)
					}
				}
			}
		}
	})
}

func troubles(s *tenant) []string {
	var texts []string
	for _, told := range s.told() {
		texts = append(texts, told.trouble.Message)
	}
	return texts
}
