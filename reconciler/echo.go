package reconciler

import "github.com/deskhand/deskhand"

// echoOf is what CXone made of the values that were just sent. Members that only
// CXone has, and entries of keyed arrays, are its own and no echo.
func echoOf(sent, got deskhand.Document) deskhand.Echo {
	if sent == got || sent.IsZero() || got.IsZero() {
		return deskhand.Echo{}
	}
	sentValues, gotValues, differ := echoed(nil, sent.Fields(), got.Fields())
	if !differ {
		return deskhand.Echo{}
	}
	var echo deskhand.Echo
	var err error
	if echo.Sent, err = deskhand.NewDocument(members(sentValues)); err != nil {
		return deskhand.Echo{} // parts of a document make one
	}
	if echo.Got, err = deskhand.NewDocument(members(gotValues)); err != nil {
		return deskhand.Echo{}
	}
	return echo
}

// echoed takes the parts of two values in which the second differs from the
// first: objects by member, everything else as a whole.
func echoed(path []string, sent, got any) (sentPart, gotPart any, differ bool) {
	if !isObject(sent) || !isObject(got) {
		got = within(path, sent, got)
		return sent, got, !equal(sent, got)
	}
	sentMembers, gotMembers := map[string]any{}, map[string]any{}
	for name, member := range members(sent) {
		was, is, differs := echoed(append(path, name), member, lookup(members(got), name))
		if !differs {
			continue
		}
		sentMembers[name] = was
		if is != absent {
			gotMembers[name] = is
		}
	}
	return sentMembers, gotMembers, len(sentMembers) > 0
}

// within is got less what sent has no place for.
func within(path []string, sent, got any) any {
	key, isKeyed := keyOf(path)
	switch {
	case isKeyed && mergeableEntries(key, absent, sent, got):
		inSent, inGot := keyed(key, sent), keyed(key, got)
		entries := []any{}
		for _, name := range inGot.order {
			if entry := inSent.at(name); entry != absent {
				entries = append(entries, within(append(path, name), entry, inGot.at(name)))
			}
		}
		return entries
	case isObject(sent) && isObject(got):
		fields := map[string]any{}
		for name, member := range members(sent) {
			if value := lookup(members(got), name); value != absent {
				fields[name] = within(append(path, name), member, value)
			}
		}
		return fields
	default:
		return got
	}
}

// unechoed is the live document with deskhand's own values where CXone still has
// what it made of them, so that its way of writing them is nobody's edit.
func unechoed(echo deskhand.Echo, live map[string]any) map[string]any {
	if echo == (deskhand.Echo{}) {
		return live
	}
	return merge(echo.Got.Fields(), echo.Sent.Fields(), live, choices{liveWins: true}).fields
}
