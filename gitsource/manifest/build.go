package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand"
)

// isPayload reports whether the key is sent to CXone as it stands.
func isPayload(name string) bool {
	switch name {
	case "licenseTier", "layout", "shortcuts", "complianceBanners", "browserCompatibility", "theme":
		return true
	}
	return false
}

func isKnown(name string) bool { return slices.Contains(definitionKeys(), name) }

// build makes the desktop of its merged definition.
func build(desktop deskhand.Desktop, definition *value, names *interner) (deskhand.Desktop, error) {
	members := make(map[string]deskhand.Value, len(definition.fields)+1)
	for name, field := range definition.fields {
		var err error
		if members[name], err = field.canonical(); err != nil {
			return deskhand.Desktop{}, err
		}
	}
	if definition.fields["licenseTier"] == nil {
		var err error
		if members["licenseTier"], err = deskhand.NewValue(string(desktop.Tier)); err != nil {
			return deskhand.Desktop{}, err
		}
	}
	labels := members["labels"]
	origins := definition.origins(make([]deskhand.Origin, 0, definition.count()+1), "", names)
	desktop.Definition = deskhand.NewObject(members)

	maps.DeleteFunc(members, func(name string, _ deskhand.Value) bool { return !isPayload(name) })
	if region := definition.text("region"); region != "" {
		banners, filled, err := fillRegion(definition.fields["complianceBanners"], region, names)
		if err != nil {
			return deskhand.Desktop{}, err
		}
		if len(filled) > 0 {
			members["complianceBanners"] = banners
		}
		for _, banner := range filled {
			origins = append(origins, deskhand.Origin{Path: banner, Position: definition.fields["region"].at})
		}
	}
	if extra := definition.fields["extra"]; extra != nil {
		for name, member := range extra.fields {
			var err error
			if members[name], err = member.canonical(); err != nil {
				return deskhand.Desktop{}, err
			}
		}
	}
	desktop.Document = deskhand.NewObject(members)
	desktop.ConfigID = configID(definition)
	desktop.Labels = names.labels(definition.fields["labels"], labels)
	desktop.Origins = deskhand.NewOrigins(slices.Clip(origins))
	return desktop, nil
}

// fillRegion returns the banners with displayRegion wherever it is missing, and
// where it was.
func fillRegion(banners *value, region string, names *interner) (deskhand.Value, []deskhand.Pointer, error) {
	if banners == nil || banners.kind != listKind {
		return deskhand.Value{}, nil, nil
	}
	var filled []deskhand.Pointer
	list := make([]any, len(banners.items))
	for i, item := range banners.items {
		list[i] = item.decoded()
		banner, isObject := list[i].(map[string]any)
		if !isObject || banner["displayRegion"] != nil {
			continue
		}
		banner["displayRegion"] = region
		at := names.child("/complianceBanners", strconv.Itoa(i))
		filled = append(filled, names.child(at, "displayRegion"))
	}
	text, err := deskhand.NewValue(list)
	return text, filled, err
}

// configID is the definition's id. A number is taken as it is written: the
// schema refuses it, but the desktop must not be taken for deleted.
func configID(definition *value) string {
	field := definition.fields["configId"]
	if field == nil {
		return ""
	}
	switch id := field.scalar.(type) {
	case string:
		return id
	case json.Number:
		return id.String()
	default:
		return ""
	}
}

// reservedExtra finds members of extra that have a key of their own: passed
// through unseen, they would escape every rule.
func reservedExtra(definition *value) []deskhand.Finding {
	extra := definition.fields["extra"]
	if extra == nil {
		return nil
	}
	var findings []deskhand.Finding
	for name, member := range extra.fields {
		if !isKnown(name) {
			continue
		}
		f := finding("extra/reserved", member.at, fmt.Sprintf("extra must not hold %s, which is a key of its own", name),
			fmt.Sprintf("move %s to the top level of the definition", name))
		f.ConfigID = configID(definition)
		findings = append(findings, f)
	}
	return findings
}

// unknownTier tells where a definition outside a tier's folder should be.
func (p *pass) unknownTier(own *source) deskhand.Finding {
	inside, _ := cutRoot(p.tree.root, own.path)
	folder, _, nested := strings.Cut(inside, "/")
	message := "the definition is in no tier's folder"
	if nested {
		message = fmt.Sprintf("the folder %s is no tier", path.Join(p.tree.root, folder))
	}
	var tiers []string
	for _, tier := range deskhand.Tiers() {
		tiers = append(tiers, path.Join(p.tree.root, string(tier))+"/")
	}
	f := fileFinding("tier/unknown", own.path, message,
		"move it to "+strings.Join(tiers, ", ")+", or begin its name with _ if it is no desktop")
	f.ConfigID = own.configID
	return f
}
