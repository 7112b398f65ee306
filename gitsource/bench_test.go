package gitsource_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/go-git/go-git/v5"

	"github.com/deskhand/deskhand/gitsource"
)

func benchmarkBranch(b *testing.B, files int) *gitsource.AuditBranch {
	b.Helper()
	// A bare repository is all that an audit branch needs.
	dir := filepath.Join(b.TempDir(), "audit.git")
	if _, err := git.PlainInit(dir, true); err != nil {
		b.Fatal(err)
	}
	branch, err := gitsource.OpenAudit(b.Context(), gitsource.AuditOptions{URL: dir, Branch: auditBranch})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = branch.Close() })
	if _, err := branch.Commit(b.Context(), documents(files), "all", noon); err != nil {
		b.Fatal(err)
	}
	return branch
}

func documents(n int) map[string][]byte {
	files := make(map[string][]byte, n)
	for i := range n {
		files[fmt.Sprintf("live/dsk-%05d.json", i)] = fmt.Appendf(nil, "{\n  \"configId\": \"dsk-%05d\"\n}\n", i)
	}
	return files
}

func BenchmarkAuditCommitOneOf10000(b *testing.B) {
	branch := benchmarkBranch(b, 10_000)
	for i := 0; b.Loop(); i++ {
		if _, err := branch.Commit(b.Context(), text("live/dsk-00042.json", fmt.Sprint(i)), "one", noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuditCommit1000New(b *testing.B) {
	branch := benchmarkBranch(b, 1)
	for i := 0; b.Loop(); i++ {
		files := map[string][]byte{}
		for name, content := range documents(1000) {
			files[fmt.Sprintf("batch%d/%s", i, name)] = append(content, fmt.Sprint(i)...)
		}
		if _, err := branch.Commit(b.Context(), files, "many", noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSnapshotOneOf10000 is what a commit that changes one of many desktops costs.
func BenchmarkSnapshotOneOf10000(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "source.git")
	if _, err := git.PlainInit(dir, true); err != nil {
		b.Fatal(err)
	}
	writer, err := gitsource.OpenAudit(b.Context(), gitsource.AuditOptions{URL: dir, Branch: "main"})
	if err != nil {
		b.Fatal(err)
	}
	repository, err := gitsource.Open(b.Context(), gitsource.Options{URL: dir, Branch: "main"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = writer.Close(), repository.Close() })
	files := map[string][]byte{}
	for i := range 10_000 {
		files[fmt.Sprintf("standard/team%02d/d%d.yaml", i%100, i)] = []byte(definition(fmt.Sprintf("dsk-%d", i)))
	}
	tree := repository.Tenant("acme", "")
	read := func(files map[string][]byte) {
		if _, err := writer.Commit(b.Context(), files, "more", noon); err != nil {
			b.Fatal(err)
		}
		commit, err := repository.Head(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		defer b.StopTimer()
		if _, err := tree.Snapshot(b.Context(), commit); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	read(files)
	b.ResetTimer()
	for i := range b.N {
		read(text("standard/team42/d42.yaml", definition(fmt.Sprintf("dsk-x%d", i))))
	}
}
