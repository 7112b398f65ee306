package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/gitsource/manifest"
	"github.com/deskhand/deskhand/reconciler"
)

// story is the product's first minute. Each chapter does something that happens
// in a contact center, and checks what became of it in the simulator itself.
type story struct {
	out    io.Writer
	color  bool
	world  *demoWorld
	daemon *reconciler.Daemon
	failed int
}

// The desktops that the story is about.
const (
	storyAdopted = "dsk-omni-emea"
	storyEdited  = "dsk-voice-emea"
	storyDrifted = "dsk-blended-amer"
	storyRaced   = "dsk-collections-emea"
	storyRefused = "dsk-voice-apac"

	storyPatience = 20 * time.Second
)

func (s *story) tell(ctx context.Context) error {
	chapters := []struct {
		title string
		tell  func(context.Context) error
	}{
		{"The first sync: what git defines goes live", s.firstSync},
		{"A commit goes live", s.commitGoesLive},
		{"Somebody edits CXone by hand", s.handEdit},
		{"A commit races with a hand edit", s.race},
		{"The refused desktop is mended", s.mend},
		{"What the auditor sees", s.audit},
	}
	for i, chapter := range chapters {
		s.say("\n%s", s.bold(fmt.Sprintf("%d. %s", i+1, chapter.title)))
		if err := chapter.tell(ctx); err != nil {
			return fmt.Errorf("chapter %d: %w", i+1, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	s.check(len(s.world.sim.Violations()) == 0, "every write in this story named the exact state that it replaced (no blind write)")
	s.check(s.world.sink.forgeries() == 0, "every event had a valid signature")
	if s.failed > 0 {
		return fmt.Errorf("%d steps of the story were not true", s.failed)
	}
	return nil
}

func (s *story) firstSync(ctx context.Context) error {
	total, refused := s.desktops(), 1
	s.await(ctx, "the first full reconcile is done", func() bool { return s.daemon.Ready() == nil })
	counts := s.world.sim.Counts()
	created := counts.Get(http.MethodPut, http.StatusCreated)
	s.check(created == total-refused-1, "%d desktops created in CXone, each with If-None-Match: *", created)
	s.check(counts.Get(http.MethodPut, http.StatusOK) == 0, "%s was there already and equal: adopted, not written", storyAdopted)
	s.await(ctx, "the service desk has an event for each", func() bool {
		return len(s.world.sink.of(string(deskhand.EventCreated), "")) == created && len(s.world.sink.of(string(deskhand.EventAdopted), "")) == 1
	})
	_, isLive := s.world.sim.Configuration(storyRefused)
	s.check(!isLive, "%s is refused by the policy and never reached CXone:", storyRefused)
	findings, err := s.findings(ctx)
	if err != nil {
		return err
	}
	for _, finding := range findings {
		s.say("      %s:%d:%d: %s", finding.File, finding.Line, finding.Column, finding.Message)
		s.say("      to mend it: %s", finding.Hint)
	}
	s.check(len(findings) > 0, "the finding names the file, the line and what to do")
	return nil
}

func (s *story) commitGoesLive(ctx context.Context) error {
	const file, target = "desktops/standard/voice-emea.yaml", "queue:emea-first-line"
	shortcuts := []any{map[string]any{"label": "Transfer", "action": "transfer", "target": target, "keys": "Control+Shift+1"}}
	err := s.world.edit(file, manifest.Edit{Path: "/shortcuts", Value: shortcuts})
	if err != nil {
		return err
	}
	before := len(s.about(storyEdited))
	if err := s.world.commit("Send EMEA voice transfers to the first line"); err != nil {
		return err
	}
	committed := time.Now()
	s.say("  Ada commits: transfers of %s go to %s", storyEdited, target)
	s.await(ctx, "CXone has it", func() bool { return strings.Contains(s.live(storyEdited), target) })
	var puts, reads int
	var live time.Time
	for _, request := range s.about(storyEdited)[before:] {
		switch {
		case request.Method == http.MethodPut:
			puts, live = puts+1, request.Time
		case request.Method == http.MethodGet && request.IfNoneMatch == "":
			reads++
		}
	}
	s.check(puts == 1 && reads == 0, "requests that it took: %d PUT, %d GET", puts, reads)
	s.say("  From commit to CXone: %d ms", max(0, live.Sub(committed)).Milliseconds())
	s.await(ctx, "the service desk has the event, tagged with the commit", func() bool {
		events := s.world.sink.of(string(deskhand.EventUpdated), storyEdited)
		return len(events) == 1 && events[0].Data.Commit.SHA != ""
	})
	return nil
}

func (s *story) handEdit(ctx context.Context) error {
	s.say("  A supervisor turns the layout of %s to 4 columns in CXone's own screens", storyDrifted)
	puts := s.world.sim.Counts().Method(http.MethodPut)
	if err := s.world.sim.Edit(storyDrifted, setColumns(4)); err != nil {
		return err
	}
	s.await(ctx, "the drift is reported to the service desk", func() bool {
		return len(s.world.sink.of(string(deskhand.EventDrifted), storyDrifted)) == 1
	})
	s.check(s.world.sim.Counts().Method(http.MethodPut) == puts, "nothing was written: drift is reported, not overwritten (drift: report)")
	s.check(strings.Contains(s.live(storyDrifted), `"gridColumns":4`), "agents keep the supervisor's layout until somebody decides")
	return nil
}

func setColumns(columns int) func(map[string]any) {
	return func(fields map[string]any) {
		if layout, isObject := fields["layout"].(map[string]any); isObject {
			layout["gridColumns"] = columns
		}
	}
}

func (s *story) race(ctx context.Context) error {
	const file, byHand = "desktops/premium/collections-emea.yaml", "Escalate"
	s.say("  Ada commits a new banner for %s; a supervisor adds a shortcut in the same moment", storyRaced)
	s.world.sim.Inject(simulator.Fault{
		Kind: simulator.FaultEditBefore, Method: http.MethodPut, ID: storyRaced, Next: 1,
		Edit: func(fields map[string]any) {
			shortcuts, _ := fields["shortcuts"].([]any)
			fields["shortcuts"] = append(shortcuts, map[string]any{"label": byHand, "action": "transfer", "target": "queue:supervisors"})
		},
	})
	banners := []any{
		map[string]any{
			"title": "PCI-DSS Notice", "message": "Never write down a card number. Use tokenized values only.", "acknowledgementRequired": true,
			"foreground": "#1a1a1a", "background": "#fff4ce",
		},
		map[string]any{"title": "Recording", "message": "Calls are recorded from the first word.", "acknowledgementRequired": true},
	}
	if err := s.world.edit(file, manifest.Edit{Path: "/complianceBanners", Value: banners}); err != nil {
		return err
	}
	if err := s.world.commit("Tell agents that calls are recorded"); err != nil {
		return err
	}
	s.await(ctx, "the commit's banner is live", func() bool { return strings.Contains(s.live(storyRaced), "from the first word") })
	s.check(strings.Contains(s.live(storyRaced), byHand), "and so is the supervisor's shortcut: both survived")
	lost := false
	for _, request := range s.about(storyRaced) {
		lost = lost || request.Method == http.MethodPut && request.Status == http.StatusPreconditionFailed
	}
	s.check(lost, "the first write came too late and CXone refused it (412); deskhand read, merged and wrote again")
	return nil
}

func (s *story) mend(ctx context.Context) error {
	const file = "desktops/standard/voice-apac.yaml"
	s.say("  Ada does what the finding says: primaryWorkspace: voice")
	if err := s.world.edit(file, manifest.Edit{Path: "/layout/primaryWorkspace", Value: "voice"}); err != nil {
		return err
	}
	if err := s.world.commit("Give APAC voice the workspace of its tier"); err != nil {
		return err
	}
	s.await(ctx, storyRefused+" is live", func() bool {
		_, isLive := s.world.sim.Configuration(storyRefused)
		return isLive
	})
	return nil
}

func (s *story) audit(ctx context.Context) error {
	tenant := s.world.config.Tenants[0].Name
	name := s.world.config.Audit.TenantBranch(tenant)
	var subjects []string
	s.await(ctx, "the branch "+name+" has all of it", func() bool {
		var err error
		subjects, err = s.auditLog(ctx, tenant)
		return err == nil && strings.Contains(strings.Join(subjects, "\n"), "created "+storyRefused)
	})
	s.say("  git log --oneline %s", name)
	for _, subject := range subjects {
		s.say("      %s", subject)
	}
	return nil
}

// auditLog reads the tenant's audit branch as it is now; a branch that is open
// shows what it held when it was opened.
func (s *story) auditLog(ctx context.Context, tenant deskhand.Tenant) ([]string, error) {
	branch, err := openAuditBranch(ctx, s.world.config, tenant, filepath.Join(s.world.config.DataDir, "plan"), zerolog.Nop())
	if err != nil {
		return nil, err
	}
	defer func() { _ = branch.Close() }()
	commits, err := branch.Log(ctx, 0, "")
	if err != nil {
		return nil, err
	}
	var subjects []string
	for _, commit := range commits {
		subjects = append(subjects, commit.Short()+" "+commit.Subject)
	}
	return subjects, nil
}

// findings are those that refuse a desktop, as plan has them.
func (s *story) findings(ctx context.Context) ([]deskhand.Finding, error) {
	plans, err := makePlans(ctx, s.world.config, "")
	if err != nil {
		return nil, err
	}
	var refusing []deskhand.Finding
	for _, plan := range plans {
		for _, finding := range plan.Findings {
			if finding.Severity == deskhand.SeverityError {
				refusing = append(refusing, finding)
			}
		}
	}
	return refusing, nil
}

// desktops is how many the repository defines.
func (s *story) desktops() int {
	files, err := filepath.Glob(filepath.Join(s.world.repository, "desktops", "*", "[^_]*.yaml"))
	if err != nil {
		return 0
	}
	defined := 0
	for _, file := range files {
		if !strings.HasPrefix(filepath.Base(filepath.Dir(file)), "_") {
			defined++
		}
	}
	return defined
}

func (s *story) live(configID string) string {
	observed, _ := s.world.sim.Configuration(configID)
	return observed.Document.String()
}

func (s *story) about(configID string) []simulator.LoggedRequest {
	var requests []simulator.LoggedRequest
	for _, request := range s.world.sim.Requests() {
		if request.ID == configID {
			requests = append(requests, request)
		}
	}
	return requests
}

// await checks a condition that takes a moment to come true.
func (s *story) await(ctx context.Context, what string, isTrue func() bool) {
	ctx, cancel := context.WithTimeout(ctx, storyPatience)
	defer cancel()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for !isTrue() {
		select {
		case <-ctx.Done():
			s.check(false, "%s", what)
			return
		case <-poll.C:
		}
	}
	s.check(true, "%s", what)
}

func (s *story) check(isTrue bool, format string, args ...any) {
	if isTrue {
		s.say("  %s %s", s.paint("32", "✓"), fmt.Sprintf(format, args...))
		return
	}
	s.failed++
	s.say("  %s NOT TRUE: %s", s.paint("31", "✗"), fmt.Sprintf(format, args...))
}

func (s *story) say(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }
func (s *story) bold(text string) string        { return s.paint("1", text) }

func (s *story) paint(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// largestEvent bounds what the sink reads, in bytes.
const largestEvent = 1 << 20

func readEvent(r *http.Request) ([]byte, demoEvent, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, largestEvent+1))
	if err != nil {
		return nil, demoEvent{}, err
	}
	if len(body) > largestEvent {
		return nil, demoEvent{}, errors.New("the event is too large")
	}
	var event demoEvent
	return body, event, json.Unmarshal(body, &event)
}
