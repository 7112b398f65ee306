package simulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/cxone/simulator"
)

// tenant is what the contract is checked against.
type tenant struct {
	client            *http.Client
	baseURL, tokenURL string
	id, secret        string
	configID          string
	bearer            string
	strict            bool // the simulator, which answers nothing but what it documents
	lastETag          string
}

func newSimulator(t *testing.T, options simulator.Options) *simulator.Simulator {
	t.Helper()
	options.ClientID, options.ClientSecret = clientID, clientSecret
	s, err := simulator.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func simulated(client *http.Client, baseURL string) *tenant {
	return &tenant{
		client: client, baseURL: baseURL, tokenURL: baseURL + "/oauth2/token",
		id: clientID, secret: clientSecret, configID: "dsk-contract", strict: true,
	}
}

func liveTenant(t *testing.T) *tenant {
	t.Helper()
	baseURL := strings.TrimSuffix(*live, "/")
	tokenURL := *liveTokenURL
	if tokenURL == "" {
		tokenURL = baseURL + "/oauth2/token"
	}
	id, secret := os.Getenv("CXONE_CLIENT_ID"), os.Getenv("CXONE_CLIENT_SECRET")
	if id == "" || secret == "" {
		t.Fatal("-live needs CXONE_CLIENT_ID and CXONE_CLIENT_SECRET in the environment")
	}
	client := &http.Client{Timeout: 30 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	return &tenant{
		client: client, baseURL: baseURL, tokenURL: tokenURL, id: id, secret: secret,
		configID: fmt.Sprintf("deskhand-contract-%d", time.Now().UnixNano()),
	}
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

// call sends what every call carries, and the given headers in place of it, to
// the collection's path and what is given of it.
func (c *tenant) call(t testing.TB, method, path string, header http.Header, body string) reply {
	t.Helper()
	got, err := c.try(t.Context(), method, path, header, body)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (c *tenant) try(ctx context.Context, method, path string, header http.Header, body string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.baseURL+"/api/v2/desktop/configurations"+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+c.bearer)
	request.Header.Set("X-Request-ID", "contract-"+strings.ToLower(method))
	request.Header.Set("User-Agent", "deskhand-contract")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	return send(c.client, request)
}

// maxRead is how much of an answer is read before it is given up.
const maxRead = 8 << 20

func send(client *http.Client, request *http.Request) (reply, error) {
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	got := reply{status: response.StatusCode, header: response.Header}
	got.body, err = io.ReadAll(io.LimitReader(response.Body, maxRead))
	return got, err
}

func (c *tenant) askToken(t testing.TB, secret string) reply {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"desktop:config:write desktop:config:read users:read"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(secret))
	got, err := send(c.client, request)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (c *tenant) token(t testing.TB) string {
	t.Helper()
	got := c.askToken(t, c.secret)
	var token struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal(got.body, &token); err != nil || got.status != http.StatusOK {
		t.Fatalf("token: status %d, %v", got.status, err)
	}
	if token.AccessToken == "" || !strings.EqualFold(token.TokenType, "bearer") || token.ExpiresIn <= 0 {
		t.Fatalf("token: type %q, expires in %d, empty: %t", token.TokenType, token.ExpiresIn, token.AccessToken == "")
	}
	return token.AccessToken
}

func (c *tenant) cleanUp(t *testing.T) {
	if c.strict {
		return
	}
	// The test's own context has ended by now.
	header := http.Header{"If-Match": {c.lastETag}}
	got, err := c.try(context.WithoutCancel(t.Context()), http.MethodDelete, "/"+url.PathEscape(c.configID), header, "")
	if err != nil || got.status >= 300 && got.status != http.StatusNotFound {
		t.Errorf("%s may be left in the tenant: its deletion answered %d, %v", c.configID, got.status, err)
	}
}
