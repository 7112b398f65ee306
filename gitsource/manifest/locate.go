package manifest

import (
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/deskhand/deskhand"
)

// Locate is where an edit of the payload's value at path belongs: always the
// desktop's own file, because what it rests on is shared with other desktops.
// A list that another file sets must be stated as a whole to override it, so for
// a path inside one the edit's Path is the list's. Value is left to the caller.
func Locate(desktop deskhand.Desktop, path deskhand.Pointer) Edit {
	return locate(desktop, desktop.Definition.Fields(), path)
}

func locate(desktop deskhand.Desktop, definition any, path deskhand.Pointer) Edit {
	tokens := path.Tokens()
	if len(tokens) > 0 && !isPayload(tokens[0]) {
		tokens = slices.Insert(tokens, 0, "extra")
	}
	var at deskhand.Pointer
	for _, token := range tokens {
		if list, isList := definition.([]any); isList {
			if position, known := desktop.Origins.At(at); known && position.File != desktop.File {
				break
			}
			definition = nil
			if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(list) {
				definition = list[i]
			}
		} else {
			fields, _ := definition.(map[string]any)
			definition = fields[token]
		}
		at = at.Child(token)
	}
	return Edit{File: desktop.File, Path: at}
}

// Edits are the edits of the desktop's own file after which its payload is the
// wanted one, for Apply. A value that the desktop inherits and is to lose becomes
// null there. A region that the definition fills in is not written out.
func Edits(desktop deskhand.Desktop, want deskhand.Document) []Edit {
	e := editor{desktop: desktop, definition: desktop.Definition.Fields()}
	e.inherits = slices.ContainsFunc(desktop.Origins, func(o deskhand.Origin) bool {
		return o.Position.File != desktop.File
	})
	e.compare(desktop.Document.Fields(), want.Fields(), "")
	return e.edits
}

type editor struct {
	desktop    deskhand.Desktop
	definition map[string]any
	inherits   bool // the desktop rests on other files
	edits      []Edit
}

func (e *editor) compare(have, want map[string]any, at deskhand.Pointer) {
	names := slices.Collect(maps.Keys(want))
	for name := range have {
		if _, stays := want[name]; !stays {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, byRank)
	for _, name := range names {
		path := at.Child(name)
		before, existed := have[name]
		after, stays := want[name]
		beforeFields, wasObject := before.(map[string]any)
		afterFields, isObject := after.(map[string]any)
		switch {
		case existed && stays && reflect.DeepEqual(before, after):
		case wasObject && isObject && len(afterFields) > 0:
			e.compare(beforeFields, afterFields, path)
		default:
			e.set(path, after, !stays)
		}
	}
}

func (e *editor) set(path deskhand.Pointer, value any, remove bool) {
	edit := locate(e.desktop, e.definition, path)
	if path == "/complianceBanners" {
		value = e.withoutFilledRegion(value)
	}
	edit.Value = value
	edit.Remove = remove && !e.inherits
	e.edits = append(e.edits, edit)
}

// withoutFilledRegion takes the displayRegion away that the definition's region
// fills in, but not where the definition states it.
func (e *editor) withoutFilledRegion(value any) any {
	region, _ := e.definition["region"].(string)
	banners, isList := value.([]any)
	if region == "" || !isList {
		return value
	}
	stated := map[string]bool{} // by title
	defined, _ := e.definition["complianceBanners"].([]any)
	for _, item := range defined {
		banner, _ := item.(map[string]any)
		title, _ := banner["title"].(string)
		stated[title] = banner["displayRegion"] != nil
	}
	banners = slices.Clone(banners)
	for i, item := range banners {
		banner, isObject := item.(map[string]any)
		title, _ := banner["title"].(string)
		if isObject && banner["displayRegion"] == region && !stated[title] {
			banner = maps.Clone(banner)
			delete(banner, "displayRegion")
			banners[i] = banner
		}
	}
	return banners
}
