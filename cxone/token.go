package cxone

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// tokenError is a token request that brought no token.
type tokenError struct {
	status int
	text   string
	detail string
	cause  error // nil where it could hold a secret

	denied bool // the credentials were refused; another attempt is no use
	again  bool
	wait   time.Duration
}

func (e *tokenError) Error() string { return "get a token: " + e.text }
func (e *tokenError) Unwrap() error { return e.cause }

// tokenRequest knows how a tenant gives tokens out (RFC 6749 sections 4.3, 4.4).
type tokenRequest struct {
	http        *http.Client
	credentials func(context.Context) (Credentials, error)
	url         string
	grant       string
	style       oauth2.AuthStyle
	parameters  map[string]string
	scopes      []string
}

func newTokenRequest(next http.RoundTripper, options Options) tokenRequest {
	style := oauth2.AuthStyleInHeader
	if options.AuthStyle == AuthStyleParams {
		style = oauth2.AuthStyleInParams
	}
	return tokenRequest{
		http:        &http.Client{Transport: next, CheckRedirect: refuseForeignRedirect},
		credentials: options.Credentials,
		url:         options.TokenURL,
		grant:       options.Grant,
		style:       style,
		parameters:  options.TokenParams,
		scopes:      options.Scopes,
	}
}

func (r tokenRequest) send(ctx context.Context, credentials Credentials, redact func(string) string) (*oauth2.Token, *tokenError) {
	parameters := url.Values{}
	for name, value := range r.parameters {
		parameters.Set(name, value)
	}
	if r.grant == GrantPassword {
		parameters.Set("grant_type", "password")
		parameters.Set("username", credentials.AccessKeyID)
		parameters.Set("password", credentials.AccessKeySecret)
	}
	config := clientcredentials.Config{
		ClientID:       credentials.ClientID,
		ClientSecret:   credentials.ClientSecret,
		TokenURL:       r.url,
		Scopes:         r.scopes,
		EndpointParams: parameters,
		AuthStyle:      r.style,
	}
	// An operation of its own: its request id is not that of the configuration
	// whose request happened to need the token.
	op := &operation{requestID: ulid.Make().String(), token: true}
	ctx = context.WithValue(op.attach(ctx), oauth2.HTTPClient, r.http)
	token, err := config.Token(ctx)
	if err != nil {
		return nil, explainToken(err, redact)
	}
	return token, nil
}

// explainToken keeps the body of the answer out of the error: it may quote what
// was sent.
func explainToken(err error, redact func(string) string) *tokenError {
	var answered *oauth2.RetrieveError
	if !errors.As(err, &answered) {
		var (
			open     *openError
			insecure *tls.CertificateVerificationError
		)
		failure := &tokenError{again: true}
		switch {
		case errors.As(err, &insecure):
			failure.text, failure.cause, failure.again = insecure.Error(), insecure, false
		case errors.As(err, &open):
			failure.text, failure.wait = open.Error(), open.left
		case errors.Is(err, errForeignRedirect):
			failure.text, failure.again = errForeignRedirect.Error(), false
		case errors.Is(err, errOversize):
			failure.text, failure.again = errOversize.Error(), false
		default:
			failure.text = oneLine(redact(err.Error()))
		}
		return failure
	}
	status := answered.Response.StatusCode
	failure := &tokenError{
		status: status,
		text:   fmt.Sprintf("the token endpoint answered %d", status),
		detail: detail(answered.Body, redact),
	}
	switch {
	case status == http.StatusTooManyRequests, status >= 500:
		failure.again = true
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		failure.text += ", so it is no token endpoint"
	default:
		failure.denied = true
	}
	return failure
}
