package cxone

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzDetail(f *testing.F) {
	for _, seed := range []string{
		`{"error":{"code":"no","message":"two\nlines"}}`,
		`{"error":"invalid_client","error_description":"bad secret canary"}`,
		`{"title":"Bad","detail":"worse","errors":[{"field":"a","message":"b"}]}`,
		`[[[["x"]]]]`, `"text"`, `<html>`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		redact := func(text string) string { return strings.ReplaceAll(text, "canary", "") }
		told := detail(body, redact)
		if len(told) > maxDetail+len("…") || strings.ContainsAny(told, "\n\r\x00") || !utf8.ValidString(told) {
			t.Errorf("%q became %q", body, told)
		}
	})
}

func TestDetail(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`{"error":{"code":"etag_mismatch","message":"It is\nversion 3 now."}}`: "etag_mismatch: It is version 3 now.",
		`{"error":"invalid_client","error_description":"Unknown client."}`:     "invalid_client: Unknown client.",
		`{"title":"Bad Request","detail":"gridColumns is 13"}`:                 "Bad Request: gridColumns is 13",
		`{"errors":[{"field":"a","message":"b"},{"field":"c"}]}`:               "a: b: c",
		`<html>Sorry</html>`: "",
	}
	for body, want := range tests {
		if got := detail([]byte(body), func(text string) string { return text }); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}
