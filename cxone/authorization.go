package cxone

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// renewBefore is how long before its expiry a token is replaced.
const renewBefore = 30 * time.Second

// authorization gives each request a bearer token. It keeps one, renews it
// early, and asks for it once however many requests wait. A 401 renews it once
// and repeats the request; a second 401 is the operation's to report.
type authorization struct {
	next    http.RoundTripper
	tokens  tokenRequest
	timeout time.Duration
	flight  singleflight.Group

	mu       sync.Mutex
	token    *oauth2.Token // nil when there is none, or it was refused
	renewAt  time.Time     // zero for a token without expiry
	used     Credentials   // of the last token request
	earlier  string        // the token before, which an answer may still quote
	refusal  *tokenError   // of the credentials used, while it holds
	heldBack time.Time     // until when the refused credentials are not sent again
}

func newAuthorization(next http.RoundTripper, options Options) *authorization {
	return &authorization{
		next:    next,
		tokens:  newTokenRequest(next, options),
		timeout: options.Timeout,
	}
}

func (l *authorization) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := l.current(request.Context())
	if err != nil {
		return nil, err
	}
	response, err := l.send(request, token)
	if err != nil || response.StatusCode != http.StatusUnauthorized {
		return response, err
	}
	l.forget(token)
	token, err = l.current(request.Context())
	if err != nil {
		return nil, err
	}
	return l.send(request, token)
}

func (l *authorization) send(request *http.Request, token *oauth2.Token) (*http.Response, error) {
	request = request.Clone(request.Context())
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, err
		}
		request.Body = body
	}
	token.SetAuthHeader(request)
	return l.next.RoundTrip(request)
}

// current returns a token that is good for a while, the cached one if it is.
func (l *authorization) current(ctx context.Context) (*oauth2.Token, error) {
	if token := l.cached(); token != nil {
		return token, nil
	}
	fetched := l.flight.DoChan("", func() (any, error) {
		if token := l.cached(); token != nil { // another flight landed meanwhile
			return token, nil
		}
		// All waiters depend on it, so it outlives the one who began it, and
		// it may have to sit out a pause.
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), longestPause+l.timeout)
		defer stop()
		return l.fetch(ctx)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-fetched:
		token, _ := result.Val.(*oauth2.Token)
		return token, result.Err
	}
}

func (l *authorization) cached() *oauth2.Token {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token == nil || !l.renewAt.IsZero() && !time.Now().Before(l.renewAt) {
		return nil
	}
	return l.token
}

// forget drops the token unless it has been replaced already.
func (l *authorization) forget(refused *oauth2.Token) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token == refused {
		l.token, l.earlier = nil, refused.AccessToken
	}
}

// fetch asks for a token. Credentials that were refused are not sent again for
// a while: a thousand desktops must not lock a client out.
func (l *authorization) fetch(ctx context.Context) (*oauth2.Token, error) {
	const holdBack = 30 * time.Second
	credentials, err := l.tokens.credentials(ctx)
	if err != nil {
		return nil, &tokenError{text: "read the credentials: " + oneLine(err.Error()), cause: err, denied: true}
	}
	l.mu.Lock()
	if l.refusal != nil && credentials == l.used && time.Now().Before(l.heldBack) {
		defer l.mu.Unlock()
		return nil, l.refusal
	}
	l.used, l.refusal = credentials, nil
	l.mu.Unlock()

	token, failure := l.tokens.send(ctx, credentials, l.redact)
	if failure != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if failure.denied {
			l.refusal, l.heldBack = failure, time.Now().Add(holdBack)
		}
		return nil, failure
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token != nil {
		l.earlier = l.token.AccessToken
	}
	l.token, l.renewAt = token, time.Time{}
	if !token.Expiry.IsZero() {
		// A token that lives for less than a minute is used for half its life.
		early := min(renewBefore, time.Until(token.Expiry)/2)
		l.renewAt = token.Expiry.Add(-early)
	}
	return token, nil
}

func (l *authorization) clientID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.used.ClientID, "not given")
}

// redact takes secrets out of a text that came from outside.
func (l *authorization) redact(text string) string {
	l.mu.Lock()
	secrets := []string{l.used.ClientSecret, l.used.AccessKeySecret, l.earlier}
	if l.token != nil {
		secrets = append(secrets, l.token.AccessToken)
	}
	l.mu.Unlock()
	for _, secret := range secrets {
		for _, spelling := range []string{secret, url.QueryEscape(secret)} {
			if spelling != "" {
				text = strings.ReplaceAll(text, spelling, "[secret]")
			}
		}
	}
	return text
}
