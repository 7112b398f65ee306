package cxone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
)

// How a client asks for its token.
const (
	GrantClientCredentials = "client_credentials"
	GrantPassword          = "password" // with an access key as user name and password

	AuthStyleHeader = "header" // client id and secret by HTTP Basic
	AuthStyleParams = "params" // client id and secret in the form
)

// How a client makes sure that a write meets the state that it was made for.
const (
	ConcurrencyETag             = "etag"
	ConcurrencyReadCompareWrite = "read-compare-write" // for an API without ETags
)

// Options say where a tenant's CXone is and how to speak to it. Tenant,
// Credentials, and one of Subdomain and BaseURL are needed; the rest has
// defaults.
type Options struct {
	Tenant    deskhand.Tenant
	Subdomain string // makes the default of BaseURL
	BaseURL   string // default https://{subdomain}.api.nicecxone.com
	TokenURL  string // default {baseURL}/oauth2/token
	// Credentials is asked at each token request, so that a changed secret is
	// seen.
	Credentials func(context.Context) (Credentials, error)
	Grant       string            // default GrantClientCredentials
	AuthStyle   string            // default AuthStyleHeader
	TokenParams map[string]string // more parameters of the token request
	Scopes      []string          // default DefaultScopes

	ResourcePath     string   // with {id}; default DefaultResourcePath
	ServerManaged    []string // default DefaultServerManaged
	ConflictStatuses []int    // default DefaultConflictStatuses
	Concurrency      string   // default ConcurrencyETag

	RequestsPerSecond float64       // the ceiling; 0 for none
	MaxAttempts       int           // of one operation; default 5
	Timeout           time.Duration // of one HTTP request, body included; default 30 s
	CAFile            string        // PEM certificates to trust instead of the system's
	UserAgent         string        // default deskhand
	// Transport replaces the innermost layer, in tests.
	Transport http.RoundTripper

	// Observe is called once for each HTTP request, the token's included.
	Observe func(Call)
	// Notice tells of trouble: EventDegraded and EventRecovered, and with no
	// event type what an operator should know once. It must not block.
	Notice func(deskhand.EventType, Trouble)
	Logger zerolog.Logger
}

// Credentials are a client's, and for GrantPassword an access key's too.
type Credentials struct {
	ClientID, ClientSecret       string
	AccessKeyID, AccessKeySecret string
}

// Call is one HTTP request as it went over the wire.
type Call struct {
	Method         string
	Token          bool // a token request
	Status         int  // 0 where no answer came
	Duration       time.Duration
	Sent, Received int64 // bytes of the bodies, unpacked
}

// Trouble is what a Notice tells about.
type Trouble struct {
	Since      time.Time // when the failing began; zero for a warning
	RequestIDs []string  // the last that failed, at most 10, for a support case
	Message    string
}

// DefaultResourcePath is where CXone keeps one configuration.
const DefaultResourcePath = "/api/v2/desktop/configurations/" + idPlaceholder

const idPlaceholder = "{id}"

const (
	defaultMaxAttempts = 5
	defaultTimeout     = 30 * time.Second
)

// DefaultScopes are the OAuth scopes that deskhand needs.
func DefaultScopes() []string {
	return []string{"desktop:config:write", "desktop:config:read", "users:read"}
}

// DefaultServerManaged are the top-level fields that CXone sets by itself.
func DefaultServerManaged() []string {
	return []string{"id", "version", "updatedAt", "updatedBy", "metadata", "_links"}
}

// DefaultConflictStatuses are the answers to a write whose precondition failed.
func DefaultConflictStatuses() []int {
	return []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired}
}

func (o Options) withDefaults() Options {
	if o.BaseURL == "" && o.Subdomain != "" {
		o.BaseURL = "https://" + o.Subdomain + ".api.nicecxone.com"
	}
	o.BaseURL = strings.TrimSuffix(o.BaseURL, "/")
	o.TokenURL = cmp.Or(o.TokenURL, o.BaseURL+"/oauth2/token")
	o.Grant = cmp.Or(o.Grant, GrantClientCredentials)
	o.AuthStyle = cmp.Or(o.AuthStyle, AuthStyleHeader)
	o.ResourcePath = cmp.Or(o.ResourcePath, DefaultResourcePath)
	o.Concurrency = cmp.Or(o.Concurrency, ConcurrencyETag)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, defaultMaxAttempts)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.UserAgent = cmp.Or(o.UserAgent, "deskhand")
	if o.Scopes == nil {
		o.Scopes = DefaultScopes()
	}
	if o.ServerManaged == nil {
		o.ServerManaged = DefaultServerManaged()
	}
	if o.ConflictStatuses == nil {
		o.ConflictStatuses = DefaultConflictStatuses()
	}
	if o.Observe == nil {
		o.Observe = func(Call) {}
	}
	if o.Notice == nil {
		o.Notice = func(deskhand.EventType, Trouble) {}
	}
	return o
}

// validate finds every wrong setting, not just the first.
func (o Options) validate() error {
	return errors.Join(
		o.validateURLs(),
		oneOf("grant", o.Grant, GrantClientCredentials, GrantPassword),
		oneOf("authStyle", o.AuthStyle, AuthStyleHeader, AuthStyleParams),
		oneOf("concurrencyMode", o.Concurrency, ConcurrencyETag, ConcurrencyReadCompareWrite),
		o.validateTokenParams(),
		o.validateNumbers(),
	)
}

func (o Options) validateURLs() error {
	if o.Credentials == nil {
		return errors.New("clientID: there are no credentials; give clientID and clientSecret")
	}
	if o.BaseURL == "" {
		return errors.New("baseURL: give it, or the subdomain that it follows from")
	}
	var resource error
	if !strings.HasPrefix(o.ResourcePath, "/") || !strings.HasSuffix(o.ResourcePath, "/"+idPlaceholder) ||
		strings.Count(o.ResourcePath, "{") != 1 || strings.ContainsAny(o.ResourcePath, "?#") {
		resource = fmt.Errorf("resourcePath: %q is no path that ends with /{id}, such as %s", o.ResourcePath, DefaultResourcePath)
	}
	var query error
	if strings.Contains(o.BaseURL, "?") {
		query = errors.New("baseURL: a query is refused; paths are appended to it")
	}
	return errors.Join(validateURL("baseURL", o.BaseURL), query, validateURL("tokenURL", o.TokenURL), resource)
}

// validateURL lets credentials travel only where nobody listens: by TLS, or
// within this machine. The URL itself may hold a password and is not repeated.
func validateURL(setting, address string) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return fmt.Errorf("%s: it is no URL; write https://host", setting)
	}
	switch {
	case parsed.User != nil:
		return fmt.Errorf("%s: a user or password in a URL is refused; use clientID and clientSecret", setting)
	case parsed.Fragment != "":
		return fmt.Errorf("%s: a fragment (#) is refused", setting)
	case parsed.Scheme == "https", parsed.Scheme == "http" && isLoopback(parsed.Hostname()):
		return nil
	}
	return fmt.Errorf("%s: %s://%s is refused; use https (http is for loopback only)", setting, parsed.Scheme, parsed.Host)
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func (o Options) validateTokenParams() error {
	reserved := []string{"grant_type", "client_id", "client_secret", "scope", "username", "password"}
	for name := range o.TokenParams {
		if slices.Contains(reserved, name) {
			return fmt.Errorf("tokenParams: %s has a setting of its own (clientID, clientSecret, accessKey, grant, scopes)", name)
		}
	}
	return nil
}

func (o Options) validateNumbers() error {
	var problems []error
	if o.RequestsPerSecond < 0 {
		problems = append(problems, fmt.Errorf("requestsPerSecond: %v is negative; 0 means no ceiling", o.RequestsPerSecond))
	}
	if o.MaxAttempts < 1 {
		problems = append(problems, fmt.Errorf("maxAttempts: %d is less than 1", o.MaxAttempts))
	}
	if o.Timeout < 0 {
		problems = append(problems, fmt.Errorf("timeout: %v is negative", o.Timeout))
	}
	for _, status := range o.ConflictStatuses {
		if status < 400 || status > 499 || slices.Contains(claimedStatuses(), status) {
			problems = append(problems, fmt.Errorf("conflictStatuses: %d cannot mean a conflict; write statuses such as 409, 412, 428", status))
		}
	}
	return errors.Join(problems...)
}

// claimedStatuses are the client errors that mean something else to a write.
func claimedStatuses() []int {
	return []int{
		http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusRequestTimeout, http.StatusGone, http.StatusTooManyRequests,
	}
}

func oneOf(setting, value string, known ...string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("%s: %q is unknown (known: %s)", setting, value, strings.Join(known, ", "))
}
