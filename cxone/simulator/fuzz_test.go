package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/cxone/simulator"
)

// Whatever is asked, the answer is JSON or empty, and a blind write never writes.
func FuzzRequest(f *testing.F) {
	s, err := simulator.New(simulator.Options{ClientID: clientID, ClientSecret: clientSecret})
	if err != nil {
		f.Fatal(err)
	}
	c := client(f, s, false)
	f.Add("PUT", "/api/v2/desktop/configurations/a", `{"b":1}`, "", "*", "application/json")
	f.Add("PUT", "/api/v2/desktop/configurations/a", `{}`, "*", "", "application/json")
	f.Add("DELETE", "/api/v2/desktop/configurations/%2e%2e", ``, `"1-0", W/"2-0"`, "", "")
	f.Add("GET", "/api/v2/desktop/configurations?skip=-1&top=%zz", ``, "", ",,", "")
	f.Add("POST", "/oauth2/token", `grant_type=%zz&client_id`, "", "", "application/x-www-form-urlencoded")
	f.Fuzz(func(t *testing.T, method, target, body, ifMatch, ifNoneMatch, contentType string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || strings.ContainsAny(method, " \r\n") {
			return
		}
		request := &http.Request{Method: method, URL: u, Host: "cxone.test", Header: http.Header{
			"Authorization": {"Bearer " + c.bearer},
			"If-Match":      {ifMatch},
			"If-None-Match": {ifNoneMatch},
			"Content-Type":  {contentType},
		}, Body: io.NopCloser(strings.NewReader(body))}
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, request)
		if text := recorder.Body.Bytes(); len(text) > 0 && !json.Valid(text) {
			t.Errorf("not JSON: %q", text)
		}
		blind := ifMatch == "*" || ifMatch == "" && ifNoneMatch != "*"
		if blind && recorder.Code < 400 && (method == http.MethodPut || method == http.MethodDelete) {
			t.Errorf("a blind %s was answered with %d", method, recorder.Code)
		}
	})
}
