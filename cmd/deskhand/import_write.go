package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
	"github.com/deskhand/deskhand/policy"
)

const tierDefaults = "_tier.yaml"

// imported is what import wrote, and the shape of import -o json.
type imported struct {
	Files    []string           `json:"files"` // as the user would write them, sorted
	Notes    []string           `json:"notes"` // what cannot stay as CXone has it
	Findings []deskhand.Finding `json:"findings"`
	desktops int
}

// importing makes definitions of live desktops in a folder of definitions.
type importing struct {
	reviewer *policy.Reviewer
	tree     tree
	live     map[string]deskhand.Document
	existing map[string]string // configId → file
	taken    map[string]bool   // files that may not be used for another desktop
	wanted   map[string]want   // by file
	notes    []string
}

// want is the desktop that a file is to define.
type want struct {
	configID string
	tier     deskhand.Tier
	fields   map[string]any
	payload  deskhand.Document
}

// importInto writes definitions of the live desktops below dir, all or none.
func importInto(ctx context.Context, reviewer *policy.Reviewer, dir string, live map[string]deskhand.Document, tiers map[string]string, force bool) (imported, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return imported{}, fmt.Errorf("make the folder of definitions: %w", err)
	}
	i := &importing{
		reviewer: reviewer, tree: tree{root: filepath.ToSlash(dir)}, live: live,
		existing: map[string]string{}, taken: map[string]bool{}, wanted: map[string]want{},
	}
	if err := i.survey(ctx, force); err != nil {
		return imported{}, err
	}
	if err := i.place(tiers); err != nil {
		return imported{}, err
	}
	if err := i.compose(); err != nil {
		return imported{}, err
	}
	review, err := i.prove(ctx)
	if err != nil {
		return imported{}, err
	}
	made := imported{Files: []string{}, Notes: []string{}, Findings: []deskhand.Finding{}, desktops: len(i.wanted)}
	for _, desktop := range review.Desktops {
		if _, isImported := i.wanted[desktop.File]; !isImported {
			continue
		}
		for _, edit := range desktop.Edits {
			i.notes = append(i.notes, fmt.Sprintf("%s: the first apply changes %s in CXone: %s", desktop.ConfigID, edit.Path, edit.Why))
		}
		for _, finding := range desktop.Findings {
			finding.File = i.tree.path(finding.File)
			made.Findings = append(made.Findings, finding)
		}
	}
	made.Notes = append(made.Notes, i.notes...)
	files := workTree{dir}
	for _, file := range slices.Sorted(maps.Keys(i.tree.standIns)) {
		if err := files.write(file, i.tree.standIns[file]); err != nil {
			return imported{}, fmt.Errorf("write %s: %w", i.tree.path(file), err)
		}
		made.Files = append(made.Files, i.tree.path(file))
	}
	return made, nil
}

// survey finds out what the folder defines already.
func (i *importing) survey(ctx context.Context, force bool) error {
	files, err := i.tree.list()
	if err != nil {
		return err
	}
	for _, entry := range files.entries {
		i.taken[entry.Path] = true
	}
	snapshot, err := manifest.NewLoader(manifest.Options{}).Load(ctx, files.entries, files.read)
	if err != nil {
		return err
	}
	for _, desktop := range snapshot.Desktops {
		i.existing[desktop.ConfigID] = desktop.File
	}
	for _, unreadable := range snapshot.Unreadable {
		i.existing[unreadable.ConfigID] = unreadable.File
	}
	if force {
		return nil
	}
	for _, configID := range slices.Sorted(maps.Keys(i.live)) {
		if file, isDefined := i.existing[configID]; isDefined {
			return withHint(fmt.Errorf("%s is defined by %s; nothing was written", configID, i.tree.path(file)),
				"overwrite such files with --force, or name the desktops to import")
		}
	}
	return nil
}

// place gives each desktop its tier and its file.
func (i *importing) place(tiers map[string]string) error {
	for configID := range tiers {
		if _, isRead := i.live[configID]; !isRead {
			return fmt.Errorf("--tier-of names %s, which is not imported", configID)
		}
	}
	for _, configID := range slices.Sorted(maps.Keys(i.live)) {
		payload := i.live[configID]
		named, isNamed := tiers[configID]
		if !isNamed {
			named, _ = payload.Fields()["licenseTier"].(string)
		}
		tier := deskhand.Tier(named)
		if !slices.Contains(deskhand.Tiers(), tier) {
			return withHint(fmt.Errorf("the licenseTier of %s is %q, which is none of %s; nothing was written", configID, named, strings.Join(tierNames(), ", ")),
				"name its tier with --tier-of "+configID+"=TIER")
		}
		fields, left := manifest.Define(configID, tier, payload)
		for _, at := range left {
			i.notes = append(i.notes, fmt.Sprintf("%s: a definition cannot say %s; what CXone has there stays as it is", configID, at))
		}
		file, isDefined := i.existing[configID]
		switch {
		case !isDefined:
			file = i.freeFile(tier, configID)
		case !strings.HasPrefix(file, string(tier)+"/"):
			return withHint(fmt.Errorf("%s is %s in CXone and defined by %s; nothing was written", configID, tier, i.tree.path(file)), "move that file first")
		}
		i.taken[file] = true
		i.wanted[file] = want{configID: configID, tier: tier, fields: fields, payload: without(payload, left, tier)}
	}
	return nil
}

// without is the payload less what no definition says.
func without(payload deskhand.Document, left []deskhand.Pointer, tier deskhand.Tier) deskhand.Document {
	fields := payload.Fields()
	for _, at := range left {
		holder, tokens := fields, at.Tokens()
		for _, token := range tokens[:len(tokens)-1] {
			holder, _ = holder[token].(map[string]any)
		}
		delete(holder, tokens[len(tokens)-1])
	}
	if _, exists := fields["licenseTier"]; !exists {
		fields["licenseTier"] = string(tier)
	}
	stated, err := deskhand.NewDocument(fields)
	if err != nil {
		return payload // made of a document, so it is one
	}
	return stated
}

// freeFile is a file for the desktop that is not taken, whatever its id is made
// of, also where upper and lower case are the same.
func (i *importing) freeFile(tier deskhand.Tier, configID string) string {
	name := fileName(configID)
	for number := 1; ; number++ {
		file := path.Join(string(tier), name+".yaml")
		if number > 1 {
			file = path.Join(string(tier), name+"-"+strconv.Itoa(number)+".yaml")
		}
		if !i.taken[file] {
			return file
		}
	}
}

// longestFileName leaves room for the extension on every file system.
const longestFileName = 100

// fileName spells an id so that it names a definition on any file system.
func fileName(configID string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '-'
		}
	}, configID)
	name = strings.TrimLeft(name[:min(len(name), longestFileName)], "-_")
	if name == "" || name == "policy" {
		name = strings.TrimSuffix("desktop-"+name, "-")
	}
	return name
}

// compose writes the files' contents. A folder that holds no definitions yet gets
// what its desktops share; where others rest on the folder's defaults, nothing
// may be added to those.
func (i *importing) compose() error {
	i.tree.standIns = map[string][]byte{}
	write := func(file string, fields map[string]any) error {
		content, err := manifest.Marshal(fields)
		if err != nil {
			return fmt.Errorf("%s: %w", i.tree.path(file), err)
		}
		i.tree.standIns[file] = content
		return nil
	}
	for _, tier := range deskhand.Tiers() {
		var files []string
		var definitions []map[string]any
		for _, file := range slices.Sorted(maps.Keys(i.wanted)) {
			if i.wanted[file].tier == tier {
				files, definitions = append(files, file), append(definitions, i.wanted[file].fields)
			}
		}
		if i.isNew(tier) {
			shared, rest := manifest.Share(definitions)
			definitions = rest
			if len(shared) > 0 {
				if err := write(path.Join(string(tier), tierDefaults), shared); err != nil {
					return err
				}
			}
		}
		for n, file := range files {
			if err := write(file, definitions[n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// isNew reports whether the tier's folder held no files, nor those above it any
// defaults.
func (i *importing) isNew(tier deskhand.Tier) bool {
	for file := range i.taken {
		_, isWanted := i.wanted[file]
		if !isWanted && (file == tierDefaults || strings.HasPrefix(file, string(tier)+"/")) {
			return false
		}
	}
	for file := range i.wanted {
		if _, err := os.Stat(filepath.Join(filepath.FromSlash(i.tree.root), filepath.FromSlash(file))); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

// prove reads what is to be written as any command would, and makes each
// definition say what CXone has against the defaults of its folder.
func (i *importing) prove(ctx context.Context) (deskhand.Review, error) {
	if len(i.wanted) == 0 {
		return deskhand.Review{}, nil
	}
	snapshot, err := i.tree.load(ctx, manifest.NewLoader(manifest.Options{}))
	if err != nil {
		return deskhand.Review{}, err
	}
	isMended := false
	for _, desktop := range snapshot.Desktops {
		wanted, isImported := i.wanted[desktop.File]
		if !isImported || desktop.Document == wanted.payload {
			continue
		}
		content, err := manifest.Apply(i.tree.standIns[desktop.File], manifest.Edits(desktop, wanted.payload))
		if err != nil {
			return deskhand.Review{}, fmt.Errorf("%s: %w", i.tree.path(desktop.File), err)
		}
		i.tree.standIns[desktop.File], isMended = content, true
	}
	if isMended {
		if snapshot, err = i.tree.load(ctx, manifest.NewLoader(manifest.Options{})); err != nil {
			return deskhand.Review{}, err
		}
	}
	proven := 0
	for _, desktop := range snapshot.Desktops {
		wanted, isImported := i.wanted[desktop.File]
		if !isImported {
			continue
		}
		proven++
		if desktop.Document != wanted.payload {
			return deskhand.Review{}, withHint(fmt.Errorf("%s cannot say what CXone has, because of what it rests on", i.tree.path(desktop.File)),
				"import into an empty folder, and bring the two together by hand")
		}
	}
	if proven < len(i.wanted) {
		return deskhand.Review{}, fmt.Errorf("the definitions cannot be read again: %s", firstFinding(snapshot))
	}
	return i.reviewer.Review(ctx, snapshot)
}

func firstFinding(snapshot deskhand.Snapshot) string {
	if len(snapshot.Findings) == 0 {
		return "no finding says why"
	}
	return snapshot.Findings[0].String()
}
