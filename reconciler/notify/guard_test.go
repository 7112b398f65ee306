package notify

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address                   string
		public, private, loopback bool // allowed for https, with allowPrivate, for http
	}{
		{address: "93.184.215.14:443", public: true, private: true},
		{address: "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:443", public: true, private: true},
		{address: "127.0.0.1:443", private: true, loopback: true},
		{address: "[::1]:443", private: true, loopback: true},
		{address: "[::ffff:127.0.0.1]:443", private: true, loopback: true},
		{address: "10.1.2.3:443", private: true},
		{address: "172.16.0.1:443", private: true},
		{address: "192.168.1.1:443", private: true},
		{address: "[::ffff:192.168.1.1]:443", private: true},
		{address: "[fd00::1]:443", private: true},
		{address: "169.254.169.254:80", private: true},
		{address: "[fe80::1%eth0]:443", private: true},
		{address: "100.64.0.1:443", private: true},
		{address: "0.0.0.0:443", private: true},
		{address: "[::]:443", private: true},
		{address: "[64:ff9b::a00:1]:443", private: true},
		{address: "[2002:a00:1::]:443", private: true},
		{address: "255.255.255.255:443", private: true},
		{address: "no address"},
	} {
		if err := checkAddress(test.address, false, false); (err == nil) != test.public {
			t.Errorf("%s: got %v", test.address, err)
		}
		if err := checkAddress(test.address, true, false); (err == nil) != test.private {
			t.Errorf("%s with allowPrivate: got %v", test.address, err)
		}
		if err := checkAddress(test.address, true, true); (err == nil) != test.loopback {
			t.Errorf("%s over http: got %v", test.address, err)
		}
	}
}

func TestTheGuardStandsBehindTheName(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	for _, allow := range []bool{false, true} {
		transport := guardedTransport(allow, false)
		t.Cleanup(transport.CloseIdleConnections)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err == nil {
			_ = response.Body.Close()
		}
		if refused := errors.Is(err, ErrPrivateAddress); refused == allow {
			t.Errorf("allowed %t: got %v", allow, err)
		}
	}
}
