package cxone_test

import (
	"context"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/cxone"
)

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		adjust func(*cxone.Options)
		want   string // the setting
	}{
		"no credentials":        {func(o *cxone.Options) { o.Credentials = nil }, "clientID"},
		"no address":            {func(o *cxone.Options) { o.Subdomain = "" }, "baseURL"},
		"without TLS":           {func(o *cxone.Options) { o.BaseURL = "http://cxone.example" }, "baseURL"},
		"other scheme":          {func(o *cxone.Options) { o.BaseURL = "ftp://127.0.0.1" }, "baseURL"},
		"no host":               {func(o *cxone.Options) { o.BaseURL = "https:///x" }, "baseURL"},
		"password in the URL":   {func(o *cxone.Options) { o.BaseURL = "https://me:canary@cxone.example" }, "baseURL"},
		"unparsable password":   {func(o *cxone.Options) { o.BaseURL = "https://me:canary@%zz" }, "baseURL"},
		"query":                 {func(o *cxone.Options) { o.BaseURL = "https://cxone.example?x=1" }, "baseURL"},
		"token without TLS":     {func(o *cxone.Options) { o.TokenURL = "http://10.0.0.1/token" }, "tokenURL"},
		"grant":                 {func(o *cxone.Options) { o.Grant = "implicit" }, "grant"},
		"auth style":            {func(o *cxone.Options) { o.AuthStyle = "cookie" }, "authStyle"},
		"mode":                  {func(o *cxone.Options) { o.Concurrency = "none" }, "concurrencyMode"},
		"no {id}":               {func(o *cxone.Options) { o.ResourcePath = "/api/x" }, "resourcePath"},
		"two {id}":              {func(o *cxone.Options) { o.ResourcePath = "/{id}/{id}" }, "resourcePath"},
		"reserved parameter":    {func(o *cxone.Options) { o.TokenParams = map[string]string{"scope": "x"} }, "tokenParams"},
		"negative rate":         {func(o *cxone.Options) { o.RequestsPerSecond = -1 }, "requestsPerSecond"},
		"negative attempts":     {func(o *cxone.Options) { o.MaxAttempts = -1 }, "maxAttempts"},
		"negative timeout":      {func(o *cxone.Options) { o.Timeout = -1 }, "timeout"},
		"conflict is a success": {func(o *cxone.Options) { o.ConflictStatuses = []int{200} }, "conflictStatuses"},
		"conflict is a 429":     {func(o *cxone.Options) { o.ConflictStatuses = []int{409, 429} }, "conflictStatuses"},
		"path after {id}":       {func(o *cxone.Options) { o.ResourcePath = "/{id}/x" }, "resourcePath"},
		"no such CA file":       {func(o *cxone.Options) { o.CAFile = "no-such.pem" }, "caFile"},
		"CA file without PEM":   {func(o *cxone.Options) { o.CAFile = "options_test.go" }, "caFile"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := cxone.Options{
				Tenant: "acme", Subdomain: "acme",
				Credentials: func(context.Context) (cxone.Credentials, error) { return cxone.Credentials{}, nil },
			}
			test.adjust(&options)
			_, err := cxone.New(options)
			if err == nil || !strings.Contains(err.Error(), test.want+":") {
				t.Fatalf("got error %v, want one that names %s", err, test.want)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}

func TestLoopbackNeedsNoTLS(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://127.0.0.1:9000", "http://[::1]:9000/", "http://localhost:9000/cxone"} {
		_, err := cxone.New(cxone.Options{
			Tenant: "acme", BaseURL: base,
			Credentials: func(context.Context) (cxone.Credentials, error) { return cxone.Credentials{}, nil },
		})
		if err != nil {
			t.Errorf("%s: %v", base, err)
		}
	}
}
