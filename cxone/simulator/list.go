package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// pageSize is how many configurations a page has, unless fewer are asked for.
const pageSize = 100

// list serves one page of all configurations, by id.
func (s *Simulator) list(x *exchange) answer {
	if x.request.Method != http.MethodGet {
		return x.notAllowed(http.MethodGet)
	}
	if refused, ok := s.authorize(x, scopeRead); !ok {
		return refused
	}
	query := x.request.URL.Query()
	skip, err := count(query, "skip", 0)
	if err != nil {
		return x.refuse(http.StatusBadRequest, "invalid_query", err.Error())
	}
	top, err := count(query, "top", pageSize)
	if err != nil {
		return x.refuse(http.StatusBadRequest, "invalid_query", err.Error())
	}
	top = min(top, pageSize)

	page, total := s.page(skip, top)
	body := []byte(`{"items":[`)
	for i, c := range page {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, x.item(c)...)
	}
	body = fmt.Appendf(body, `],"total":%d,"skip":%d,"top":%d}`, total, skip, top)
	return withJSON(http.StatusOK, body)
}

func (s *Simulator) page(skip, top int) (page []configuration, total int) {
	s.store.Lock()
	defer s.store.Unlock()
	total = len(s.store.ids)
	from := min(skip, total)
	for _, id := range s.store.ids[from:min(from+top, total)] {
		page = append(page, s.store.byID[id])
	}
	return page, total
}

// item is the configuration with its tag as one more member, the last, so that it
// wins over a field of the same name.
func (x *exchange) item(c configuration) []byte {
	body := c.body()
	tag := x.tag(c)
	if tag == "" {
		return body
	}
	return fmt.Appendf(body[:len(body)-1], `,"etag":%s}`, mustJSON(tag))
}

func count(query url.Values, name string, without int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return without, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 0 {
		return 0, fmt.Errorf("%s is not a count", name)
	}
	return number, nil
}
