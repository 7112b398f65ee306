package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/deskhand/deskhand/cxone/simulator"
)

const (
	clientID     = "bench"
	clientSecret = "bench-secret"
	patience     = 5 * time.Minute
)

// stage is where one job is measured: a repository, a simulator and a daemon,
// each of the latter a process of its own, so that each can be accounted for.
type stage struct {
	binary string
	home   string
	simURL string
	daemon *exec.Cmd
	status string // address of the daemon's status page
}

// build builds deskhand as it is shipped.
func build(ctx context.Context, home string) (string, error) {
	binary := filepath.Join(home, "deskhand")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "./cmd/deskhand")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build deskhand: %w\n%s", err, output)
	}
	return binary, nil
}

func (s *stage) repository() string { return filepath.Join(s.home, "repository") }

// define writes n definitions and commits them.
func (s *stage) define(ctx context.Context, n int) error {
	folder := filepath.Join(s.repository(), "desktops", "premium")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "_tier.yaml"), []byte(sharedDefinition("queue:general")), 0o600); err != nil {
		return err
	}
	for i := range n {
		text := definition(i, "Use tokenized values only.")
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("desk-%05d.yaml", i)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if err := s.git(ctx, "init", "-q", "-b", "main"); err != nil {
		return err
	}
	if err := s.git(ctx, "config", "gc.auto", "0"); err != nil { // it would pack the ref whose time is measured
		return err
	}
	return s.commit(ctx)
}

func sharedDefinition(target string) string {
	return fmt.Sprintf(`layout:
  gridColumns: 8
  widgetOrder: [contact-summary, call-controls, screen-pop, notes, compliance]
  primaryWorkspace: voice
shortcuts:
  - {label: Transfer, action: transfer, target: "%s", keys: Control+Shift+1}
  - {label: Hold, action: hold, keys: Control+Shift+2}
browserCompatibility:
  supportedBrowsers: [chrome, edge]
  minimumVersions: {chrome: "114", edge: "114"}
`, target)
}

func definition(i int, message string) string {
	return fmt.Sprintf(`configId: desk-%05d
region: EMEA
labels: {team: "%d"}
complianceBanners:
  - title: PCI-DSS Notice
    message: %s
    acknowledgementRequired: true
    foreground: "#1a1a1a"
    background: "#fff4ce"
theme: {foreground: "#202124", background: "#ffffff", accent: "#0b57d0"}
`, i, i%40, message)
}

func (s *stage) commit(ctx context.Context) error {
	if err := s.git(ctx, "add", "-A"); err != nil {
		return err
	}
	return s.git(ctx, "commit", "-q", "-m", "Change desktops")
}

func (s *stage) git(ctx context.Context, args ...string) error {
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = s.repository()
	command.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=Bench", "GIT_AUTHOR_EMAIL=bench@example.com",
		"GIT_COMMITTER_NAME=Bench", "GIT_COMMITTER_EMAIL=bench@example.com")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w\n%s", args[0], err, output)
	}
	return nil
}

// simulate starts a simulator process.
func (s *stage) simulate(ctx context.Context, flags ...string) (stop func(), err error) {
	args := append([]string{"sim", "--listen", "127.0.0.1:0", "--client-id", clientID, "--client-secret", clientSecret}, flags...)
	command := exec.CommandContext(ctx, s.binary, args...)
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	address := regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	if err != nil || address == "" {
		stop()
		return nil, fmt.Errorf("start the simulator: %q: %w", line, err)
	}
	s.simURL = address
	return stop, nil
}

// configure writes the daemon's configuration.
func (s *stage) configure(rate int) error {
	s.status = "127.0.0.1:" + strconv.Itoa(18000+os.Getpid()%4000)
	text := fmt.Sprintf(`dataDir: data
source: {url: repository, branch: main, path: desktops, interval: 1h}
tenants:
  - name: bench
    baseURL: %s
    clientID: {env: BENCH_ID}
    clientSecret: {env: BENCH_SECRET}
    concurrency: 10
    requestsPerSecond: %d
    drift: {interval: 24h}
http: {listen: "%s"}
log: {level: warn}
`, s.simURL, rate, s.status)
	return os.WriteFile(filepath.Join(s.home, "deskhand.yaml"), []byte(text), 0o600)
}

// start starts the daemon; started is when the process began.
func (s *stage) start(ctx context.Context) (started time.Time, stop func(), err error) {
	command := exec.CommandContext(ctx, s.binary, "run", "--config", filepath.Join(s.home, "deskhand.yaml"))
	command.Env = append(os.Environ(), "BENCH_ID="+clientID, "BENCH_SECRET="+clientSecret)
	command.Stderr = os.Stderr
	s.daemon = command
	started = time.Now()
	if err := command.Start(); err != nil {
		return started, nil, err
	}
	return started, func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	}, nil
}

func (s *stage) awaitReady(ctx context.Context) error {
	return await(ctx, "the daemon is ready", func() bool {
		answer, err := http.Get("http://" + s.status + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

func await(ctx context.Context, what string, isTrue func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !isTrue() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// counts asks the simulator what it served since the last reset.
func (s *stage) counts() (simulator.Counts, error) {
	var answer struct {
		simulator.Counts
	}
	return answer.Counts, s.control(http.MethodGet, "/_sim/counts", nil, &answer)
}

func (s *stage) resetCounts() error {
	return s.control(http.MethodDelete, "/_sim/counts", nil, nil)
}

func (s *stage) inject(fault simulator.Fault) error {
	body, err := json.Marshal(fault)
	if err != nil {
		return err
	}
	return s.control(http.MethodPost, "/_sim/faults", body, nil)
}

// lastWrite is when the simulator got its last PUT.
func (s *stage) lastWrite() (time.Time, error) {
	var answer struct {
		Requests []simulator.LoggedRequest `json:"requests"`
	}
	if err := s.control(http.MethodGet, "/_sim/requests", nil, &answer); err != nil {
		return time.Time{}, err
	}
	for i := len(answer.Requests) - 1; i >= 0; i-- {
		if answer.Requests[i].Method == http.MethodPut {
			return answer.Requests[i].Time, nil
		}
	}
	return time.Time{}, errors.New("the simulator got no PUT")
}

func (s *stage) control(method, path string, body []byte, into any) error {
	request, err := http.NewRequest(method, s.simURL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// usage is what a process took so far.
type usage struct {
	cpu  time.Duration
	peak int64 // of resident memory, in bytes
	held int64 // resident memory now, in bytes
}

// usage is what the daemon's process took so far.
func (s *stage) usage() (usage, error) {
	process := filepath.Join("/proc", strconv.Itoa(s.daemon.Process.Pid))
	stat, err := os.ReadFile(filepath.Join(process, "stat"))
	if err != nil {
		return usage{}, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux
	status, err := os.ReadFile(filepath.Join(process, "status"))
	if err != nil {
		return usage{}, err
	}
	return usage{
		cpu:  time.Duration(user+system) * tick,
		peak: memoryLine(status, "VmHWM"),
		held: memoryLine(status, "VmRSS"),
	}, nil
}

func memoryLine(status []byte, name string) int64 {
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0
	}
	kilobytes, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return kilobytes << 10
}
