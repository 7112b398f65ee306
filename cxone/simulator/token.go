package simulator

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The scopes that reading and writing need.
const (
	scopeRead  = "desktop:config:read"
	scopeWrite = "desktop:config:write"
)

// tokens are the bearer tokens that are good.
type tokens struct {
	now func() time.Time

	mu   sync.Mutex
	good map[string]grant
}

type grant struct {
	scopes  []string
	expires time.Time
}

func newTokens(now func() time.Time) *tokens {
	return &tokens{now: now, good: map[string]grant{}}
}

func (t *tokens) issue(scopes []string, lifetime time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	maps.DeleteFunc(t.good, func(_ string, g grant) bool { return !now.Before(g.expires) })
	token := rand.Text()
	t.good[token] = grant{scopes: scopes, expires: now.Add(lifetime)}
	return token
}

func (t *tokens) check(token string) (grant, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, known := t.good[token]
	return g, known && t.now().Before(g.expires)
}

// revoke ends all tokens issued so far.
func (t *tokens) revoke() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.good)
}

// issueToken serves the token endpoint of RFC 6749 sections 4.3 and 4.4.
func (s *Simulator) issueToken(x *exchange) answer {
	if x.request.Method != http.MethodPost {
		return x.notAllowed(http.MethodPost)
	}
	if mediaType, _, err := mime.ParseMediaType(x.request.Header.Get("Content-Type")); err != nil || mediaType != "application/x-www-form-urlencoded" {
		return tokenError(http.StatusBadRequest, "invalid_request", "send application/x-www-form-urlencoded")
	}
	form, err := url.ParseQuery(string(x.body))
	if err != nil {
		return tokenError(http.StatusBadRequest, "invalid_request", "the form can't be read")
	}
	id, secret, inHeader := clientCredentials(x.request, form)
	if !s.isClient(id, secret) {
		refused := tokenError(http.StatusUnauthorized, "invalid_client", "the client id or the client secret is wrong")
		if inHeader {
			refused.header.Set("WWW-Authenticate", `Basic realm="cxone"`)
		}
		return refused
	}

	switch grantType := form.Get("grant_type"); grantType {
	case "client_credentials":
	case "password":
		if s.options.AccessKeyID == "" {
			return tokenError(http.StatusBadRequest, "unauthorized_client", "this tenant has no access key")
		}
		if !same(form.Get("username"), s.options.AccessKeyID) || !same(form.Get("password"), s.options.AccessKeySecret) {
			return tokenError(http.StatusBadRequest, "invalid_grant", "the access key is wrong")
		}
	default:
		return tokenError(http.StatusBadRequest, "unsupported_grant_type", "use client_credentials or password")
	}

	scopes := s.grantable(form.Get("scope"))
	if len(scopes) == 0 {
		return tokenError(http.StatusBadRequest, "invalid_scope", "the client may have none of these scopes")
	}
	token := s.tokens.issue(scopes, s.options.TokenLifetime)
	s.traffic.token()
	a := withJSON(http.StatusOK, mustJSON(map[string]any{
		"access_token": token,
		"token_type":   "Bearer",
		"expires_in":   int(s.options.TokenLifetime / time.Second),
		"scope":        strings.Join(scopes, " "),
	}))
	a.header.Set("Cache-Control", "no-store")
	return a
}

// tokenError is an error in the shape of RFC 6749 section 5.2.
func tokenError(status int, code, description string) answer {
	a := withJSON(status, mustJSON(map[string]string{"error": code, "error_description": description}))
	a.header.Set("Cache-Control", "no-store")
	return a
}

// clientCredentials reads them from the Basic header, where they are encoded like
// a form (RFC 6749 section 2.3.1), or else from the form.
func clientCredentials(r *http.Request, form url.Values) (id, secret string, inHeader bool) {
	user, password, found := r.BasicAuth()
	if !found {
		return form.Get("client_id"), form.Get("client_secret"), false
	}
	id, idErr := url.QueryUnescape(user)
	secret, secretErr := url.QueryUnescape(password)
	if idErr != nil || secretErr != nil {
		return user, password, true
	}
	return id, secret, true
}

func (s *Simulator) isClient(id, secret string) bool {
	sameID, sameSecret := same(id, s.options.ClientID), same(secret, s.options.ClientSecret)
	return sameID && sameSecret
}

// same takes as long for a near miss as for a far one.
func same(given, wanted string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(wanted))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// grantable are the scopes asked for that the client may have; all if it asks for none.
func (s *Simulator) grantable(asked string) []string {
	wanted := strings.Fields(asked)
	if len(wanted) == 0 {
		return s.options.Scopes
	}
	return slices.DeleteFunc(wanted, func(scope string) bool { return !slices.Contains(s.options.Scopes, scope) })
}

// authorize lets a call pass whose token has the scope.
func (s *Simulator) authorize(x *exchange, scope string) (refused answer, ok bool) {
	token, _ := bearer(x.request)
	g, good := s.tokens.check(token)
	if !good {
		refused = x.refuse(http.StatusUnauthorized, "unauthorized", "the bearer token is missing, unknown or expired")
		refused.header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		return refused, false
	}
	if !slices.Contains(g.scopes, scope) {
		refused = x.refuse(http.StatusForbidden, "insufficient_scope", fmt.Sprintf("the token lacks the scope %s", scope))
		refused.header.Set("WWW-Authenticate", fmt.Sprintf(`Bearer error="insufficient_scope", scope="%s"`, scope))
		return refused, false
	}
	return answer{}, true
}

func bearer(r *http.Request) (token string, given bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return token, token != ""
}
