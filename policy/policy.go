// Package policy judges desktops before they are sent: by the schema of
// definitions, by a table of rules that policy.yaml weighs, and by the
// repository's own rules in CEL. It also optimises what it can mend by itself.
//
// Rules and optimisers are rows of tables, and each is a pure function of one
// desktop and the settings that hold for it.
package policy

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand"
)

// Options are what a Reviewer is made of.
type Options struct {
	DesktopSchema []byte // JSON Schema; its $defs/complete judges a resolved definition
	PolicySchema  []byte // JSON Schema of policy.yaml
	Defaults      []byte // the policy.yaml that lies under every other
	// Now tells which waivers have expired; time.Now where nil.
	Now func() time.Time
}

// Reviewer reviews snapshots and keeps what it found, so that a review costs
// what changed since the last one. It is safe for concurrent use.
type Reviewer struct {
	judge judge // with no rulebook
	files policyReader
	now   func() time.Time

	mutex   sync.Mutex
	tenants map[deskhand.Tenant]*memory
	stats   Stats
}

// Stats tells what the last review did.
type Stats struct {
	Reviewed int // desktops judged
	Reused   int // desktops whose findings still stood
}

// memory is what is kept of one tenant between two reviews.
type memory struct {
	mutex    sync.Mutex // held through a review of the tenant
	policy   [sha256.Size]byte
	read     bool // policy and the rest are set
	book     *rulebook
	findings []deskhand.Finding // about policy.yaml
	expired  string             // the waivers that had expired
	reviewed map[string]deskhand.Reviewed
}

// New compiles the schemas and reads the defaults.
func New(options Options) (*Reviewer, error) {
	desktopShape, err := newShape(options.DesktopSchema, "/$defs/complete")
	if err != nil {
		return nil, fmt.Errorf("the schema of definitions: %w", err)
	}
	policyShape, err := newShape(options.PolicySchema, "")
	if err != nil {
		return nil, fmt.Errorf("the schema of policies: %w", err)
	}
	compiler, err := newExpressionCompiler()
	if err != nil {
		return nil, err
	}
	reserved, err := loadReserved()
	if err != nil {
		return nil, fmt.Errorf("the reserved keys: %w", err)
	}
	files := policyReader{schema: policyShape, compiler: compiler, rules: map[string]Rule{}}
	for _, rule := range Rules() {
		files.rules[rule.ID] = rule
	}
	defaults, _, broken := parseYAML("policy-defaults.yaml", options.Defaults)
	if broken != nil {
		return nil, fmt.Errorf("the default policy: line %d: %w", broken.line, broken)
	}
	files.defaults = defaults
	_, findings := files.read(&deskhand.File{Path: "policy-defaults.yaml", Content: options.Defaults})
	if len(findings) > 0 {
		return nil, fmt.Errorf("the default policy: %w", errors.New(findings[0].String()))
	}
	now := options.Now
	if now == nil {
		now = time.Now
	}
	return &Reviewer{
		judge:   judge{rules: Rules(), optimisers: optimisers(), schema: desktopShape, reserved: reserved},
		files:   files,
		now:     now,
		tenants: map[deskhand.Tenant]*memory{},
	}, nil
}

// Stats tells what the last finished review did.
func (r *Reviewer) Stats() Stats {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.stats
}

// Review judges every desktop of the snapshot. A policy.yaml that is wrong is
// told in the findings of the review, and the last good one of the tenant, or
// the defaults, stays in force. The error is the context's.
func (r *Reviewer) Review(ctx context.Context, snapshot deskhand.Snapshot) (deskhand.Review, error) {
	kept := r.memoryOf(snapshot.Tenant)
	kept.mutex.Lock()
	defer kept.mutex.Unlock()

	r.readPolicy(kept, snapshot.Policy)
	now := r.now()
	expired, expiredKey := kept.book.expired(now)
	if expiredKey != kept.expired {
		kept.expired, kept.reviewed = expiredKey, nil
	}
	desktops, reused, err := r.reviewDesktops(ctx, kept, snapshot.Desktops, now)
	if err != nil {
		return deskhand.Review{}, fmt.Errorf("review desktops: %w", err)
	}

	kept.keep(desktops)
	refuseDuplicates(desktops, snapshot.Unreadable)
	r.mutex.Lock()
	r.stats = Stats{Reviewed: len(desktops) - reused, Reused: reused}
	r.mutex.Unlock()

	review := deskhand.Review{Desktops: desktops}
	review.Findings = append(review.Findings, snapshot.Findings...)
	review.Findings = append(review.Findings, kept.findings...)
	review.Findings = append(review.Findings, expired...)
	deskhand.SortFindings(review.Findings)
	return review, nil
}

// keep remembers the verdicts. Those on definitions that are gone stay until they
// are a quarter of all, so that one changed desktop of many costs one.
func (m *memory) keep(desktops []deskhand.Reviewed) {
	if m.reviewed == nil || len(m.reviewed) > len(desktops)+len(desktops)/4 {
		m.reviewed = make(map[string]deskhand.Reviewed, len(desktops))
	}
	for _, reviewed := range desktops {
		if _, isKept := m.reviewed[reviewed.Fingerprint]; !isKept && reviewed.Fingerprint != "" {
			m.reviewed[reviewed.Fingerprint] = reviewed
		}
	}
}

func (r *Reviewer) memoryOf(tenant deskhand.Tenant) *memory {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	kept, known := r.tenants[tenant]
	if !known {
		kept = &memory{}
		r.tenants[tenant] = kept
	}
	return kept
}

// readPolicy reads the file where it is not the one read last.
func (r *Reviewer) readPolicy(kept *memory, file *deskhand.File) {
	var sum [sha256.Size]byte
	if file != nil {
		sum = sha256.Sum256(append([]byte(file.Path+"\n"), file.Content...))
	}
	if kept.read && kept.policy == sum {
		return
	}
	book, findings := r.files.read(file)
	if book == nil && kept.book == nil {
		book, _ = r.files.read(nil)
	}
	if book != nil {
		kept.book, kept.reviewed, kept.expired = book, nil, ""
	}
	kept.policy, kept.findings, kept.read = sum, findings, true
}

// reviewDesktops judges those that are not the same as last time, in parallel.
func (r *Reviewer) reviewDesktops(ctx context.Context, kept *memory, desktops []deskhand.Desktop, now time.Time) ([]deskhand.Reviewed, int, error) {
	judge := r.judge
	judge.book, judge.now = kept.book, now
	reviewed := make([]deskhand.Reviewed, len(desktops))
	var changed []int
	for i, desktop := range desktops {
		if known, found := kept.reviewed[desktop.Fingerprint]; found && desktop.Fingerprint != "" {
			reviewed[i] = known
			continue
		}
		changed = append(changed, i)
	}
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(changed)) {
		group.Go(func() error {
			seen := newMemo()
			for n := next.Add(1); n <= int64(len(changed)); n = next.Add(1) {
				i := changed[n-1]
				var err error
				if reviewed[i], err = judge.review(ctx, desktops[i], seen); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, 0, err
	}
	return reviewed, len(desktops) - len(changed), nil
}
