package cxone

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand"
)

// Listed is one configuration of a list.
type Listed struct {
	ConfigID string
	// Observed has an ETag only where the list shows it.
	deskhand.Observed
}

const (
	pageSize = 100
	maxPages = 1000
)

// List reads all configurations, a hundred at a time. Where the tenant has no
// list the error wraps errors.ErrUnsupported, and the configurations have to be
// read by id. A configuration that comes or goes meanwhile may be missed.
func (c *Client) List(ctx context.Context) ([]Listed, error) {
	op := c.begin("", "")
	var all []Listed
	known := map[string]bool{}
	for range maxPages {
		var got page
		err := c.retry(ctx, func() (err error) {
			got, err = c.page(ctx, op, len(all))
			return err
		})
		if err != nil {
			return nil, err
		}
		before := len(all)
		for _, item := range got.Items {
			listed, err := c.listed(item)
			if err != nil {
				return nil, op.fail(http.MethodGet, http.StatusOK, fmt.Errorf("%w: %w", deskhand.ErrUnavailable, err), hintBaseURL)
			}
			if !known[listed.ConfigID] { // pages overlap when something goes meanwhile
				known[listed.ConfigID] = true
				all = append(all, listed)
			}
		}
		// A server may cap the page below what was asked for, so a short page is
		// the last only where no total says otherwise.
		last := len(got.Items) < pageSize && got.Total == 0 || got.Total > 0 && len(all) >= got.Total
		if last || len(all) == before {
			return all, nil
		}
	}
	return nil, op.fail(http.MethodGet, http.StatusOK,
		fmt.Errorf("%w: the list is longer than %d pages", deskhand.ErrUnavailable, maxPages), hintBaseURL)
}

// page is CXone's: {"items": [{"id": …, "etag": …, …}], "total": N}.
type page struct {
	Items []json.RawMessage `json:"items"`
	Total int               `json:"total"`
}

func (c *Client) page(ctx context.Context, op *operation, skip int) (page, error) {
	const method = http.MethodGet
	query := url.Values{"skip": {strconv.Itoa(skip)}, "top": {strconv.Itoa(pageSize)}}
	got, err := c.exchange(ctx, op, method, c.collection+"?"+query.Encode(), nil, nil)
	if err != nil {
		return page{}, err
	}
	switch got.status {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return page{}, op.fail(method, got.status,
			fmt.Errorf("this tenant has no list of configurations: %w", errors.ErrUnsupported), "go by configId")
	default:
		return page{}, c.refusal(op, method, got)
	}
	var parsed page
	if err := json.Unmarshal(got.body, &parsed); err != nil {
		return page{}, c.unreadable(op, method, got, err)
	}
	if parsed.Items == nil {
		return page{}, c.unreadable(op, method, got, errors.New("it has no items"))
	}
	return parsed, nil
}

func (c *Client) listed(item json.RawMessage) (Listed, error) {
	var head struct {
		ID   string        `json:"id"`
		ETag deskhand.ETag `json:"etag"`
	}
	if err := json.NewDecoder(bytes.NewReader(item)).Decode(&head); err != nil {
		return Listed{}, fmt.Errorf("read an item of the list: %w", err)
	}
	if head.ID == "" {
		return Listed{}, errors.New("an item of the list has no id")
	}
	document, err := deskhand.ParseDocument(item)
	if err != nil {
		return Listed{}, fmt.Errorf("read item %q of the list: %w", head.ID, err)
	}
	document = document.Without(c.serverManaged...).Without("id", "etag")
	switch {
	case c.compareContent:
		head.ETag = contentTag(document)
	case head.ETag != "" && !strings.HasSuffix(string(head.ETag), `"`):
		head.ETag = `"` + head.ETag + `"` // as the header spells it
	}
	return Listed{
		ConfigID: head.ID,
		Observed: deskhand.Observed{Exists: true, ETag: head.ETag, Document: document},
	}, nil
}
