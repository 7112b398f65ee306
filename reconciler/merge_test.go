package reconciler

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
)

// anyDocument draws documents from few names and values, so that three of them
// often agree, and now and then have a shape that nobody expects.
func anyDocument() *rapid.Generator[deskhand.Document] {
	scalar := rapid.SampledFrom([]any{"a", "b", true, nil, 1, 2})
	entry := func(rt *rapid.T, label any) any {
		entry := map[string]any{"label": label}
		for _, name := range []string{"target", "memo"} {
			if rapid.Bool().Draw(rt, "has "+name) {
				entry[name] = scalar.Draw(rt, name)
			}
		}
		return entry
	}
	entries := rapid.Custom(func(rt *rapid.T) []any {
		labels := rapid.Permutation([]any{"A", "B", "C"}).Draw(rt, "labels")
		labels = labels[:rapid.IntRange(0, len(labels)).Draw(rt, "entries")]
		if rapid.IntRange(0, 9).Draw(rt, "odd") == 0 {
			labels = append(labels, rapid.SampledFrom([]any{"A", 7}).Draw(rt, "label")) // no key, then
		}
		array := []any{}
		for _, label := range labels {
			array = append(array, entry(rt, label))
		}
		return array
	})
	object := rapid.MapOfN(rapid.SampledFrom([]string{"x", "y", "z"}), scalar, 0, 3)
	return rapid.Custom(func(rt *rapid.T) deskhand.Document {
		fields := map[string]any{}
		for _, member := range []struct {
			name  string
			usual int
		}{{"layout", 3}, {"shortcuts", 4}} {
			name, kind := member.name, rapid.IntRange(0, 6).Draw(rt, member.name)
			if kind > 2 {
				kind = member.usual
			}
			switch kind {
			case 0: // absent
			case 1:
				fields[name] = scalar.Draw(rt, name)
			case 4:
				fields[name] = entries.Draw(rt, name)
			default:
				fields[name] = object.Draw(rt, name)
			}
		}
		document, err := deskhand.NewDocument(fields)
		if err != nil {
			rt.Fatal(err)
		}
		return document
	})
}

// TestMergeLaws holds the merge of any three documents to what every such merge
// has to keep.
func TestMergeLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		b, d, l := anyDocument().Draw(rt, "base"), anyDocument().Draw(rt, "desired"), anyDocument().Draw(rt, "live")
		checkMergeLaws(rt, b, d, l)
	})
}

// FuzzMergeLaws is TestMergeLaws over whatever JSON there is.
func FuzzMergeLaws(f *testing.F) {
	f.Add(`{"a":1}`, `{"a":2}`, `{"a":1,"b":[]}`)
	f.Add(`{"shortcuts":[{"label":"A"},{"label":"B"}]}`, `{"shortcuts":[{"label":"B"}]}`, `{"shortcuts":[{"label":"B"},{"label":"A","x":1}]}`)
	f.Add(`{"shortcuts":[{"label":"A"},{"label":"A"}]}`, `{"shortcuts":{}}`, `{"shortcuts":null}`)
	f.Add(`{}`, `{"complianceBanners":[{"title":""}]}`, `{"complianceBanners":[{"title":7}]}`)
	f.Fuzz(func(t *testing.T, base, desired, live string) {
		var documents [3]deskhand.Document
		for i, text := range []string{base, desired, live} {
			document, err := deskhand.ParseDocument([]byte(text))
			if err != nil {
				return
			}
			documents[i] = document
		}
		checkMergeLaws(t, documents[0], documents[1], documents[2])
	})
}

func checkMergeLaws(t interface {
	Errorf(format string, args ...any)
}, b, d, l deskhand.Document) {
	of := func(base, desired, live deskhand.Document, choice choices) merged {
		return merge(base.Fields(), desired.Fields(), live.Fields(), choice)
	}
	law := func(name string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s (-want +got):\n%s\nbase: %s\ndesired: %s\nlive: %s", name, cmp.Diff(want, got), b, d, l)
		}
	}
	law("where all agree there is nothing to decide", len(of(b, b, b, choices{}).decisions), 0)
	law("where git and CXone agree, that stays", of(b, d, d, choices{}).fields, d.Fields())
	law("where only CXone changed, it is kept", of(b, b, l, choices{}).fields, l.Fields())
	law("where only git changed, git's comes", of(b, d, b, choices{}).fields, d.Fields())

	for _, choice := range []choices{{}, {revertDrift: true}, {takeover: true}} {
		base := b
		if choice.takeover {
			base = deskhand.Document{}
		}
		once := of(base, d, l, choice)
		after, err := deskhand.NewDocument(once.fields)
		if err != nil {
			t.Errorf("the merge is no document: %v", err)
			return
		}
		again := of(base, d, after, choice)
		law("a merge is final", again.fields, once.fields)
		law("after it nothing is pending", again.has(decidedPending, decidedConflict, decidedTakeover), false)
		// What was written is the base of the next comparison.
		settled := of(d, d, after, choices{revertDrift: choice.revertDrift})
		if choice.revertDrift || choice.takeover {
			law("after it nothing has drifted", len(settled.decisions), 0)
		}
		if once.has(decidedPending) {
			law("what was sent is found to be applied", wasApplied(deskhand.Change{
				Op: deskhand.OpUpdate, IfMatch: `"1"`, Before: l, After: after,
			}, deskhand.Observed{Exists: true, ETag: `"2"`, Document: after}), true)
			law("what was not sent is not", wasApplied(deskhand.Change{
				Op: deskhand.OpUpdate, IfMatch: `"1"`, Before: l, After: after,
			}, deskhand.Observed{Exists: true, ETag: `"2"`, Document: l}), l == after)
		}
	}
}
