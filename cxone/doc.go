// Package cxone speaks to one CXone tenant: it reads, writes, deletes and lists
// desktop configurations, and never writes without an exact precondition.
//
// A call goes through layers, each an http.RoundTripper in a file of its own and
// put together in newLayers:
//
//	redirects → authorization → identity → throttle → health → breaker → wire
//
// Above them the operations (Get, Put, Delete, List) decide what may be sent
// again: a read always, a write only after a GET has shown that its lost
// predecessor was not applied.
package cxone
