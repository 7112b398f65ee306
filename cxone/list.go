package cxone

import (
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
	var all []Listed
	err := c.eachListed(ctx, func(one listItem) error {
		document, err := c.document(one)
		if err != nil {
			return err
		}
		tag, err := c.tag(one)
		all = append(all, Listed{
			ConfigID: one.ID, Observed: deskhand.Observed{Exists: true, ETag: tag, Document: document},
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// ETags is List less the documents: the ETag of each configuration by its id, ""
// where the list shows none. It holds one page at a time.
func (c *Client) ETags(ctx context.Context) (map[string]deskhand.ETag, error) {
	tags := map[string]deskhand.ETag{}
	err := c.eachListed(ctx, func(one listItem) (err error) {
		tags[one.ID], err = c.tag(one)
		return err
	})
	if err != nil {
		return nil, err
	}
	return tags, nil
}

// eachListed visits each configuration of the list once.
func (c *Client) eachListed(ctx context.Context, visit func(listItem) error) error {
	op := c.begin("", "")
	known := map[string]bool{}
	for range maxPages {
		var got page
		err := c.retry(ctx, func() (err error) {
			got, err = c.page(ctx, op, len(known))
			return err
		})
		if err != nil {
			return err
		}
		before := len(known)
		for _, text := range got.Items {
			item, err := parseItem(text)
			if err == nil && !known[item.ID] { // pages overlap when something goes meanwhile
				known[item.ID] = true
				err = visit(item)
			}
			if err != nil {
				return op.fail(http.MethodGet, http.StatusOK, fmt.Errorf("%w: %w", deskhand.ErrUnavailable, err), hintBaseURL)
			}
		}
		// A server may cap the page below what was asked for, so a short page is
		// the last only where no total says otherwise.
		last := len(got.Items) < pageSize && got.Total == 0 || got.Total > 0 && len(known) >= got.Total
		if last || len(known) == before {
			return nil
		}
	}
	return op.fail(http.MethodGet, http.StatusOK,
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

// listItem is an item of the list as it was sent.
type listItem struct {
	ID   string        `json:"id"`
	ETag deskhand.ETag `json:"etag"`
	text json.RawMessage
}

func parseItem(text json.RawMessage) (listItem, error) {
	item := listItem{text: text}
	if err := json.Unmarshal(text, &item); err != nil {
		return listItem{}, fmt.Errorf("read an item of the list: %w", err)
	}
	if item.ID == "" {
		return listItem{}, errors.New("an item of the list has no id")
	}
	return item, nil
}

func (c *Client) document(item listItem) (deskhand.Document, error) {
	document, err := deskhand.ParseDocument(item.text)
	if err != nil {
		return deskhand.Document{}, fmt.Errorf("read item %q of the list: %w", item.ID, err)
	}
	return document.Without(c.serverManaged...).Without("id", "etag"), nil
}

// tag is the item's ETag as the header of a GET spells it.
func (c *Client) tag(item listItem) (deskhand.ETag, error) {
	if c.compareContent {
		document, err := c.document(item)
		return contentTag(document), err
	}
	if item.ETag != "" && !strings.HasSuffix(string(item.ETag), `"`) {
		return `"` + item.ETag + `"`, nil
	}
	return item.ETag, nil
}
