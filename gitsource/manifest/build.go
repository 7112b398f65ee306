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
func build(desktop deskhand.Desktop, definition *value, names interner) (deskhand.Desktop, error) {
	fields, _ := definition.decoded().(map[string]any)
	origins := definition.origins(make([]deskhand.Origin, 0, definition.count()+1), "", names)
	if _, given := fields["licenseTier"]; !given {
		fields["licenseTier"] = string(desktop.Tier)
	}
	payload := make(map[string]any, len(fields))
	for name, field := range fields {
		if isPayload(name) {
			payload[name] = field
		}
	}
	if region := definition.text("region"); region != "" {
		var filled []deskhand.Pointer
		payload["complianceBanners"], filled = fillRegion(payload["complianceBanners"], region, names)
		if payload["complianceBanners"] == nil {
			delete(payload, "complianceBanners")
		}
		for _, banner := range filled {
			origins = append(origins, deskhand.Origin{Path: banner, Position: definition.fields["region"].at})
		}
	}
	if extra, isObject := fields["extra"].(map[string]any); isObject {
		maps.Copy(payload, extra)
	}

	var err error
	if desktop.Definition, err = deskhand.NewDocument(fields); err != nil {
		return deskhand.Desktop{}, err
	}
	if desktop.Document, err = deskhand.NewDocument(payload); err != nil {
		return deskhand.Desktop{}, err
	}
	desktop.ConfigID = configID(definition)
	desktop.Labels = labels(definition.fields["labels"])
	desktop.Origins = deskhand.NewOrigins(slices.Clip(origins))
	return desktop, nil
}

// fillRegion returns the banners with displayRegion wherever it is missing, and
// where it was.
func fillRegion(banners any, region string, names interner) (any, []deskhand.Pointer) {
	list, isList := banners.([]any)
	if !isList {
		return banners, nil
	}
	var filled []deskhand.Pointer
	list = slices.Clone(list)
	for i, item := range list {
		banner, isObject := item.(map[string]any)
		if !isObject || banner["displayRegion"] != nil {
			continue
		}
		banner = maps.Clone(banner)
		banner["displayRegion"] = region
		list[i] = banner
		at := names.child("/complianceBanners", strconv.Itoa(i))
		filled = append(filled, names.child(at, "displayRegion"))
	}
	return list, filled
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

func labels(field *value) map[string]string {
	if field == nil || len(field.fields) == 0 {
		return nil
	}
	labels := make(map[string]string, len(field.fields))
	for name, member := range field.fields {
		if text, isText := member.scalar.(string); isText {
			labels[name] = text
		}
	}
	return labels
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
