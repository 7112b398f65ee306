package manifest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// typical is a repository of that many desktops, resting on shared files in the
// way that people write them.
func typical(count int) files {
	repository := files{
		"desktops/standard/_tier.yaml": "layout:\n  gridColumns: 8\n  primaryWorkspace: voice\n",
		"desktops/_base/pci.yaml":      "complianceBanners:\n  - {title: PCI-DSS Notice, message: Use tokenized values only., acknowledgementRequired: true}\n",
	}
	for i := range count {
		repository[fmt.Sprintf("desktops/standard/team-%05d.yaml", i)] = fmt.Sprintf(`configId: dsk-team-%05d
extends: ../_base/pci.yaml
region: EMEA
labels: {wave: canary}
targetResolutions: [1366x768]
layout:
  gridColumns: 12
  widgetOrder: [contact-summary, call-controls, screen-pop, notes, compliance]
shortcuts:
  - {label: Transfer, action: transfer, target: "queue:team-%05d", keys: Control+Alt+1}
  - {label: Hold, action: hold, target: "", keys: Control+Alt+2}
browserCompatibility:
  supportedBrowsers: [chrome, edge]
  minimumVersions: {chrome: "114", edge: "114"}
theme: {foreground: "#202124", background: "#ffffff", accent: "#0b57d0"}
`, i, i)
	}
	return repository
}

func TestLoadCostsWhatChanged(t *testing.T) {
	t.Parallel()
	repository := typical(20)
	repository["desktops/premium/other.yaml"] = "configId: other\nextends: ../_base/none.yaml\n"
	repository["desktops/_base/unused.yaml"] = "region: EMEA\n"
	repository["desktops/policy.yaml"] = "threshold: 80\n"
	loader := manifest.NewLoader(manifest.Options{Root: "./desktops/"})
	const all = 21
	steps := []struct {
		name   string
		change func()
		want   manifest.Stats
	}{
		{"first", func() {}, manifest.Stats{Resolved: all, Read: all + 4}},
		{"nothing", func() {}, manifest.Stats{Reused: all}},
		{"one desktop", func() { repository["desktops/standard/team-00003.yaml"] += "extra: {a: 1}\n" }, manifest.Stats{Resolved: 1, Reused: all - 1, Read: 1}},
		{"a shared file", func() { repository["desktops/_base/pci.yaml"] = "theme: {}\n" }, manifest.Stats{Resolved: 20, Reused: 1, Read: 21}},
		{"a shared file that nobody uses", func() { repository["desktops/_base/unused.yaml"] = "region: APAC\n" }, manifest.Stats{Reused: all, Read: 1}},
		{"the policy", func() { repository["desktops/policy.yaml"] = "threshold: 70\n" }, manifest.Stats{Reused: all, Read: 1}},
		{"a missing file comes", func() { repository["desktops/_base/none.yaml"] = "region: EMEA\n" }, manifest.Stats{Resolved: 1, Reused: all - 1, Read: 2}},
		{"and goes", func() { delete(repository, "desktops/_base/none.yaml") }, manifest.Stats{Resolved: 1, Reused: all - 1, Read: 1}},
		{"new defaults", func() { repository["desktops/premium/_tier.yaml"] = "region: EMEA\n" }, manifest.Stats{Resolved: 1, Reused: all - 1, Read: 2}},
		{"defaults removed", func() { delete(repository, "desktops/standard/_tier.yaml") }, manifest.Stats{Resolved: 20, Reused: 1, Read: 20}},
		{"a desktop removed", func() { delete(repository, "desktops/standard/team-00007.yaml") }, manifest.Stats{Reused: all - 1}},
		{"another place", func() { repository["README.yaml"] = "[" }, manifest.Stats{Reused: all - 1}},
	}
	for _, step := range steps {
		step.change()
		repository.load(t, loader)
		if got := loader.Stats(); got != step.want {
			t.Errorf("%s: %+v, want %+v", step.name, got, step.want)
		}
	}
}

func TestFingerprintNamesContents(t *testing.T) {
	t.Parallel()
	repository := typical(2)
	loader := manifest.NewLoader(manifest.Options{Root: "desktops"})
	first := repository.load(t, loader)
	again := repository.load(t, manifest.NewLoader(manifest.Options{Root: "desktops"}))
	if first.Desktops[0].Fingerprint != again.Desktops[0].Fingerprint {
		t.Error("two loads of the same files have two fingerprints")
	}
	if first.Desktops[0].Fingerprint == first.Desktops[1].Fingerprint {
		t.Error("two desktops have one fingerprint")
	}
	repository["desktops/_base/pci.yaml"] += "# changed\n"
	if changed := repository.load(t, loader); changed.Desktops[0].Fingerprint == first.Desktops[0].Fingerprint {
		t.Error("a change of a shared file leaves the fingerprint")
	}
}

// TestLoadAfterLoadIsLoad compares a loader that saw every step with one that
// sees only the last.
func TestLoadAfterLoadIsLoad(t *testing.T) {
	t.Parallel()
	paths := []string{
		"_tier.yaml", "standard/_tier.yaml", "standard/team/_tier.yaml", "_base/a.yaml", "_base/b.yaml",
		"standard/one.yaml", "standard/team/two.yaml", "premium/three.yaml", "policy.yaml", "loose.yaml",
	}
	contents := []string{
		"region: EMEA\n", "region: null\ntheme: {accent: a}\n", "theme: {accent: null, background: b}\n", "theme: x\n",
		"extends: /x\n", "[", "configId: id\n", "-> region: EMEA\n",
		"configId: one\nextends: [../_base/a.yaml, ../_base/b.yaml]\n", "configId: two\nextends: ../../_base/b.yaml\ntheme: {accent: c}\n",
		"extends: a.yaml\nlabels: {a: b}\n", "extends: b.yaml\nextra: {a: 1}\n", "extends: ../premium/three.yaml\n",
	}
	rapid.Check(t, func(t *rapid.T) {
		repository := files{}
		loader := manifest.NewLoader(manifest.Options{})
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			for _, path := range rapid.SliceOfN(rapid.SampledFrom(paths), 1, 5).Draw(t, "paths") {
				if content := rapid.SampledFrom(append(contents, "")).Draw(t, path); content != "" {
					repository[path] = content
				} else {
					delete(repository, path)
				}
			}
			got, err := loader.Load(t.Context(), repository.entries(), repository.read)
			if err != nil {
				t.Fatal(err)
			}
			want, err := manifest.NewLoader(manifest.Options{}).Load(t.Context(), repository.entries(), repository.read)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(deskhand.Document{})); diff != "" {
				t.Fatalf("(-fresh +kept):\n%s", diff)
			}
			held := map[string]bool{}
			for _, desktop := range got.Desktops {
				held[desktop.File] = true
			}
			for _, unreadable := range got.Unreadable {
				if held[unreadable.File] || !deskhand.HasErrors(got.Findings) {
					t.Fatalf("%s is unreadable without an error, or readable too", unreadable.File)
				}
				held[unreadable.File] = true
			}
			for path := range repository {
				if strings.Contains(path, "/") && !strings.Contains(path, "_") && !held[path] {
					t.Fatalf("%s is neither a desktop nor unreadable", path)
				}
			}
		}
	})
}

// TestMergeIsRFC7396 compares with another implementation of merge patches. That
// one also takes away the nulls of objects inside lists, where the RFC replaces a
// list as it is, so there are none.
func TestMergeIsRFC7396(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		layers := rapid.SliceOfN(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), jsonPatch(3), 0, 3), 1, 4).Draw(t, "layers")
		repository := files{}
		want := []byte("{}")
		var extends []string
		for i, layer := range layers {
			patch, err := json.Marshal(layer)
			if err != nil {
				t.Fatal(err)
			}
			if want, err = jsonpatch.MergePatch(want, patch); err != nil {
				t.Fatal(err)
			}
			// JSON is YAML.
			name := fmt.Sprintf("_base/%d.yaml", i)
			repository[name] = fmt.Sprintf(`{"extra": %s}`, patch)
			extends = append(extends, "../"+name)
		}
		list, err := json.Marshal(extends)
		if err != nil {
			t.Fatal(err)
		}
		repository["standard/x.yaml"] = fmt.Sprintf(`{"configId": "x", "extends": %s}`, list)
		snapshot, err := manifest.NewLoader(manifest.Options{}).Load(t.Context(), repository.entries(), repository.read)
		if err != nil || len(snapshot.Findings) > 0 {
			t.Fatal(err, snapshot.Findings)
		}
		wanted, err := deskhand.ParseDocument(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := deskhand.NewDocument(snapshot.Desktops[0].Definition.Fields()["extra"].(map[string]any))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wanted.String(), got.String()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func jsonPatch(depth int) *rapid.Generator[any] {
	scalar := rapid.SampledFrom([]any{nil, 1, "x", true, []any{}, []any{"a", nil, map[string]any{"n": 1}}})
	if depth == 0 {
		return scalar
	}
	object := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), jsonPatch(depth-1), 0, 3)
	return rapid.OneOf(scalar, rapid.Map(object, func(m map[string]any) any { return m }))
}

// TestManyDesktopsStaySmall is not parallel, because it measures the heap.
func TestManyDesktopsStaySmall(t *testing.T) {
	const count, most = 2000, 6 << 10
	repository := typical(count)
	entries := repository.entries()
	loader := manifest.NewLoader(manifest.Options{Root: "desktops"})
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before := heap()
	snapshot, err := loader.Load(t.Context(), entries, repository.read)
	if err != nil || len(snapshot.Desktops) != count {
		t.Fatal(len(snapshot.Desktops), err)
	}
	each := (heap() - before) / count
	t.Logf("%d bytes for each desktop", each)
	if each > most {
		t.Errorf("%d bytes for each desktop, at most %d", each, most)
	}
	runtime.KeepAlive(loader)
	runtime.KeepAlive(snapshot)
}

func BenchmarkLoadFirst(b *testing.B) {
	repository := typical(10_000)
	entries := repository.entries()
	for b.Loop() {
		if _, err := manifest.NewLoader(manifest.Options{Root: "desktops"}).Load(b.Context(), entries, repository.read); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseFloor is the least that a first load can cost.
func BenchmarkParseFloor(b *testing.B) {
	repository := typical(10_000)
	entries := repository.entries()
	for b.Loop() {
		var group errgroup.Group
		group.SetLimit(runtime.GOMAXPROCS(0))
		for _, entry := range entries {
			group.Go(func() error {
				var node yaml.Node
				return yaml.Unmarshal([]byte(repository[entry.Path]), &node)
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoadOneOfTenThousand(b *testing.B) {
	repository := typical(10_000)
	entries := repository.entries()
	loader := manifest.NewLoader(manifest.Options{Root: "desktops"})
	if _, err := loader.Load(b.Context(), entries, repository.read); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		at := slices.IndexFunc(entries, func(e manifest.Entry) bool { return strings.HasSuffix(e.Path, "team-05000.yaml") })
		entries[at].Hash = fmt.Sprint(i)
		if _, err := loader.Load(b.Context(), entries, repository.read); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzLoad looks for texts that make the loader panic, hang or grow.
func FuzzLoad(f *testing.F) {
	for _, content := range slices.Sorted(maps.Values(broken())) {
		if len(content) < 1<<10 {
			f.Add([]byte(content))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		repository := files{"standard/_tier.yaml": "region: EMEA\n", "standard/a.yaml": string(content)}
		if strings.HasPrefix(string(content), "-> ") {
			return
		}
		snapshot := repository.load(t, manifest.NewLoader(manifest.Options{}))
		if len(snapshot.Desktops)+len(snapshot.Unreadable) != 1 {
			t.Fatalf("%d desktops, %d unreadable", len(snapshot.Desktops), len(snapshot.Unreadable))
		}
		for _, desktop := range snapshot.Desktops {
			text, err := manifest.Marshal(desktop.Definition.Fields())
			if err != nil {
				t.Fatal(err)
			}
			repository["standard/a.yaml"] = string(text)
			again := only(t, repository.load(t, manifest.NewLoader(manifest.Options{})))
			if again.Definition != desktop.Definition {
				t.Fatalf("%s\nbecame %s", desktop.Definition, again.Definition)
			}
		}
	})
}

// FuzzApply looks for an edit that changes what it does not name.
func FuzzApply(f *testing.F) {
	f.Add(definition, "/layout/gridColumns", "8", false)
	f.Add(definition, "/shortcuts/0", "{}", false)
	f.Add("a: &x {k: 1}\nb: {<<: *x}\n", "/b/k", "null", true)
	f.Fuzz(func(t *testing.T, content, path, value string, remove bool) {
		var decoded any
		if json.Unmarshal([]byte(value), &decoded) != nil {
			return
		}
		got, err := manifest.Apply([]byte(content), []manifest.Edit{{Path: deskhand.Pointer(path), Value: decoded, Remove: remove}})
		if (err == nil) == (got == nil) {
			t.Fatalf("%q, %v", got, err)
		}
	})
}
