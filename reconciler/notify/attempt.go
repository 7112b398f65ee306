package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	// maxAnswer is how much of an answer is read, so that its connection can be
	// used again.
	maxAnswer = 64 << 10
	// maxRetryAfter bounds what a sink may ask for.
	maxRetryAfter = 24 * time.Hour
)

// answer is what became of one attempt.
type answer struct {
	err        error // nil once the sink has taken the event
	gone       bool  // the sink wants no more events
	busy       bool  // the sink as a whole asks for silence, not this event alone
	retryAfter time.Duration
}

// attempt sends the event once.
func (n *Notifier) attempt(ctx context.Context, one *delivery) answer {
	request, err := n.request(ctx, one)
	if err != nil {
		return answer{err: err}
	}
	response, err := n.client.Do(request)
	if err != nil {
		return answer{err: fmt.Errorf("post to %s: %w", n.host(), withoutURL(err))}
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // its content says nothing
		_ = response.Body.Close()
	}()
	if response.StatusCode/100 == 2 {
		return answer{}
	}
	status := response.StatusCode
	return answer{
		err:        fmt.Errorf("post to %s: answered %d %s", n.host(), status, http.StatusText(status)),
		gone:       status == http.StatusGone,
		busy:       status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable,
		retryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now()),
	}
}

func (n *Notifier) request(ctx context.Context, one *delivery) (*http.Request, error) {
	body, contentType, err := one.body(n.sink.Format)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request to %s: %w", n.host(), withoutURL(err))
	}
	now := time.Now()
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", n.userAgent)
	request.Header.Set(standardwebhooks.HeaderWebhookID, one.Record.ID)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	signature, err := n.sign(ctx, one.Record.ID, now, body)
	if err != nil {
		return nil, err
	}
	if signature != "" {
		request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	}
	return request, nil
}

// sign is "" where the sink has no secret.
func (n *Notifier) sign(ctx context.Context, id string, now time.Time, body []byte) (string, error) {
	if n.sink.Secret == nil {
		return "", nil
	}
	secret, err := n.sink.Secret(ctx)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	if secret == "" {
		return "", nil
	}
	newSigner := standardwebhooks.NewWebhook
	if !strings.HasPrefix(secret, "whsec_") {
		newSigner = func(raw string) (*standardwebhooks.Webhook, error) {
			return standardwebhooks.NewWebhookRaw([]byte(raw))
		}
	}
	signer, err := newSigner(secret)
	if err != nil {
		return "", errors.New("the secret begins with whsec_ but is not base64 after it; copy it again from the receiver")
	}
	signature, err := signer.Sign(id, now, body)
	if err != nil {
		return "", fmt.Errorf("sign event %s: %w", id, err)
	}
	return signature, nil
}

// host is as much of the URL as may be shown: the rest may hold a token.
func (n *Notifier) host() string { return n.endpoint.Scheme + "://" + n.endpoint.Host }

func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// retryAfter reads the header as seconds or as a date (RFC 9110 section 10.2.3);
// 0 is none.
func retryAfter(header string, now time.Time) time.Duration {
	var delay time.Duration
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		delay = time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		delay = date.Sub(now)
	}
	return min(max(delay, 0), maxRetryAfter)
}
