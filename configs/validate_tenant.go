package configs

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand"
)

var (
	// properName is what a name can be that becomes part of a branch, a metric
	// and an event source.
	properName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	// dnsLabels is one or more labels of a host name.
	dnsLabels = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)
)

func (v *validator) tenants(tenants []Tenant) {
	if len(tenants) == 0 {
		v.add("tenants", "there is none", "add one, with name, subdomain, clientID and clientSecret")
	}
	named := map[string]string{}
	for i, tenant := range tenants {
		at := fmt.Sprintf("tenants[%d]", i)
		v.name(at+".name", string(tenant.Name), named)
		v.location(at, tenant)
		v.signIn(at, tenant)
		v.api(at, tenant)
		v.pressure(at, tenant)
		v.folder(at+".path", tenant.Path)
		v.choice(at+".drift.policy", tenant.Drift.Policy)
		v.interval(at+".drift.interval", tenant.Drift.Interval)
		v.choice(at+".conflict", tenant.Conflict)
		v.choice(at+".prune.policy", tenant.Prune.Policy)
		if limit := tenant.Prune.Max; limit.Percent < 0 || limit.Percent > 100 || limit.Count < 0 {
			v.add(at+".prune.max", "it is out of range", "write a share such as 10%, or a number such as 5")
		}
		v.choice(at+".onInvalid", tenant.OnInvalid)
	}
}

// name checks a name and that it is the first of its kind.
func (v *validator) name(at, name string, named map[string]string) {
	switch first, taken := named[name]; {
	case !v.required(at, name, "give it a short name, such as acme"):
	case !properName.MatchString(name):
		v.add(at, fmt.Sprintf("%q is not a proper name", name), "use at most 63 lower-case letters, digits and hyphens")
	case taken:
		v.add(at, fmt.Sprintf("%q is taken by %s", name, first), "give each a name of its own")
	default:
		named[name] = parent(at)
	}
}

func (v *validator) location(at string, t Tenant) {
	switch {
	case t.Subdomain == "" && t.BaseURL == "":
		v.add(at, "it has neither subdomain nor baseURL", "set subdomain to the first part of the tenant's address at nicecxone.com")
	case t.Subdomain != "" && t.BaseURL != "":
		v.add(at+".baseURL", "subdomain is set too", "keep one of them")
	case t.BaseURL != "":
		if base := v.web(at+".baseURL", t.BaseURL); base != nil && base.RawQuery != "" {
			v.add(at+".baseURL", "it holds a query (?)", "remove it")
		}
	case !dnsLabels.MatchString(t.Subdomain):
		v.add(at+".subdomain", fmt.Sprintf("%q is not part of a host name", t.Subdomain), "write acme for https://acme.api.nicecxone.com, or set baseURL")
	}
	if t.TokenURL != "" {
		v.web(at+".tokenURL", t.TokenURL)
	}
}

func (v *validator) signIn(at string, t Tenant) {
	const hint = "write {env: NAME} or {file: PATH}"
	v.choice(at+".grant", t.Grant)
	v.choice(at+".authStyle", t.AuthStyle)
	needed := map[string]Secret{"clientID": t.ClientID, "clientSecret": t.ClientSecret}
	if t.Grant == GrantPassword {
		needed["accessKey.id"], needed["accessKey.secret"] = t.AccessKey.ID, t.AccessKey.Secret
	} else if !t.AccessKey.ID.IsZero() || !t.AccessKey.Secret.IsZero() {
		v.add(at+".accessKey", "only the grant password uses it", "set grant: password, or remove it")
	}
	for _, key := range slices.Sorted(maps.Keys(needed)) {
		if needed[key].IsZero() {
			v.add(at+"."+key, "it is required", hint)
		}
	}
	for i, scope := range t.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\r\n\"\\") {
			v.add(fmt.Sprintf("%s.scopes[%d]", at, i), "it is not a scope", "write one scope an entry")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.TokenParams)) {
		if slices.Contains(ownTokenParams(), name) {
			v.add(at+".tokenParams."+name, "deskhand sets this parameter itself", "use clientID, clientSecret, accessKey, grant or scopes")
		}
	}
}

func ownTokenParams() []string {
	return []string{"client_id", "client_secret", "grant_type", "password", "scope", "username"}
}

func (v *validator) api(at string, t Tenant) {
	template := t.ResourcePath
	if !strings.HasPrefix(template, "/") || !strings.HasSuffix(template, "/{id}") ||
		strings.Count(template, "{") != 1 || strings.ContainsAny(template, "?#") {
		v.add(at+".resourcePath", fmt.Sprintf("%q is not a path of configurations", template), "begin it with / and end it with /{id}")
	}
	for i, field := range t.ServerManaged {
		if field == "" {
			v.add(fmt.Sprintf("%s.serverManaged[%d]", at, i), "it is empty", "name a field of the configuration, or remove it")
		}
	}
	for i, status := range t.ConflictStatuses {
		if status < 400 || status > 499 || slices.Contains([]int{401, 403, 404, 429}, status) {
			v.add(fmt.Sprintf("%s.conflictStatuses[%d]", at, i), fmt.Sprintf("%d cannot mean a conflict", status), "write statuses such as 409, 412, 428")
		}
	}
	v.choice(at+".concurrencyMode", t.ConcurrencyMode)
}

func (v *validator) pressure(at string, t Tenant) {
	v.between(at+".concurrency", t.Concurrency, 1, 64)
	v.between(at+".maxAttempts", t.MaxAttempts, 1, 100)
	if t.RequestsPerSecond < 0 {
		v.add(at+".requestsPerSecond", "it is negative", "write the ceiling, or 0 for none")
	}
	if t.Timeout < minInterval || t.Timeout > 10*time.Minute {
		v.add(at+".timeout", fmt.Sprintf("%s is out of range", t.Timeout), "write a duration from 100ms to 10m")
	}
}

func (v *validator) notify(sinks []Sink) {
	named := map[string]string{}
	for i, sink := range sinks {
		at := fmt.Sprintf("notify[%d]", i)
		v.name(at+".name", sink.Name, named)
		if v.required(at+".url", sink.URL, "write where events are to be posted") {
			v.sinkURL(at+".url", sink)
		}
		v.choice(at+".format", sink.Format)
		if len(sink.Events) == 0 {
			v.add(at+".events", "it is empty", `write ["*"] for all events, or remove the line`)
		}
		for j, pattern := range sink.Events {
			v.eventPattern(fmt.Sprintf("%s.events[%d]", at, j), pattern)
		}
	}
}

func (v *validator) sinkURL(at string, sink Sink) {
	address := v.web(at, sink.URL)
	if address != nil && loopback(address.Hostname()) && !sink.AllowPrivate {
		v.add(at, "it is a loopback address", "set allowPrivate: true beside it if that is meant")
	}
}

// eventPattern refuses a pattern that no event can match, by its whole type or
// its last word.
func (v *validator) eventPattern(at, pattern string) {
	var words []string
	for _, event := range deskhand.EventTypes() {
		word := string(event)[strings.LastIndexByte(string(event), '.')+1:]
		whole, _ := path.Match(pattern, string(event))
		short, _ := path.Match(pattern, word)
		if whole || short {
			return
		}
		words = append(words, word)
	}
	v.add(at, fmt.Sprintf("%q matches no event", pattern), hintForValue(pattern, words))
}
