package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/time/rate"

	"github.com/deskhand/deskhand/cxone/simulator"
)

// job is one row of the table, or a few that share their setting.
type job struct {
	name    string
	measure func(ctx context.Context, s *stage) ([]row, error)
}

const workers = 10

func jobs() []job {
	return []job{
		{"first sync of 1,000 at 20 ms", firstSync},
		{"no-op sweep of 1,000 at 20 ms by id", sweepByID},
		{"no-op sweep of 10,000 by listing", sweepByList},
		{"one changed of 10,000", oneChanged},
		{"1,000 changed at 200/s", limited},
		{"validate of 10,000 files", validateAll},
	}
}

// scene is a stage that is set: n desktops in sync, and a bare client beside.
type scene struct {
	*stage

	bare   *floor
	synced row // what the first sync took
}

// set defines n desktops, starts a simulator and the daemon, and waits for the
// first sync.
func (s *stage) set(ctx context.Context, n, requestsPerSecond int, faults ...simulator.Fault) (_ scene, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, end := range slices.Backward(stops) {
			end()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	if err := s.define(ctx, n); err != nil {
		return scene{}, nil, err
	}
	stopSim, err := s.simulate(ctx)
	if err != nil {
		return scene{}, nil, err
	}
	stops = append(stops, stopSim)
	for _, fault := range faults {
		if err := s.inject(fault); err != nil {
			return scene{}, nil, err
		}
	}
	synced, stopDaemon, err := s.syncedAt(ctx, requestsPerSecond)
	if err != nil {
		return scene{}, nil, err
	}
	stops = append(stops, stopDaemon)
	bare, err := newFloor(ctx, s.simURL)
	if err != nil {
		return scene{}, nil, err
	}
	return scene{stage: s, bare: bare, synced: synced}, stop, s.awaitIdle(ctx)
}

func firstSync(ctx context.Context, s *stage) ([]row, error) {
	const n = 1000
	if err := s.define(ctx, n); err != nil {
		return nil, err
	}
	stopSim, err := s.simulate(ctx, "--latency", "20ms")
	if err != nil {
		return nil, err
	}
	defer stopSim()
	bare, err := newFloor(ctx, s.simURL)
	if err != nil {
		return nil, err
	}
	took, err := bare.each(ctx, n, workers, func(ctx context.Context, i int) error {
		if _, _, err := bare.do(ctx, http.MethodGet, resource(i), nil, "", ""); err != nil {
			return err
		}
		return expect(http.StatusCreated)(bare.do(ctx, http.MethodPut, resource(i), smallBody(), "If-None-Match", "*"))
	})
	if err != nil {
		return nil, err
	}
	if err := s.resetCounts(); err != nil {
		return nil, err
	}
	measured, stop, err := s.syncedAt(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer stop()
	measured.floor = took
	return []row{measured}, nil
}

// syncedAt starts the daemon with that ceiling and measures until its first full reconcile is done.
func (s *stage) syncedAt(ctx context.Context, requestsPerSecond int) (row, func(), error) {
	if err := s.configure(requestsPerSecond); err != nil {
		return row{}, nil, err
	}
	started, stop, err := s.start(ctx)
	if err != nil {
		return row{}, nil, err
	}
	if err := s.awaitReady(ctx); err != nil {
		stop()
		return row{}, nil, err
	}
	measured := row{wall: time.Since(started)}
	if err := s.account(&measured, 0); err != nil {
		stop()
		return row{}, nil, err
	}
	return measured, stop, nil
}

// account fills in what the simulator served and what the daemon took, less the
// CPU time that it had taken before.
func (s *stage) account(measured *row, cpuBefore time.Duration) error {
	counts, err := s.counts()
	if err != nil {
		return err
	}
	measured.requests, measured.bytes = summary(counts), counts.BytesIn+counts.BytesOut
	used, err := s.usage()
	measured.cpu, measured.rss = used.cpu-cpuBefore, used.peak
	return err
}

func summary(counts simulator.Counts) string {
	text := ""
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		for _, status := range []int{200, 201, 304, 404, 409, 412, 428, 429, 500, 503, 0} {
			if n := counts.Get(method, status); n > 0 {
				text += fmt.Sprintf("%d %s %d, ", n, method, status)
			}
		}
	}
	return text + fmt.Sprintf("%d token", counts.Tokens)
}

func smallBody() []byte { return []byte(`{"licenseTier":"premium","layout":{"gridColumns":8}}`) }

// pace sets the simulator's latency and its limit of requests a second.
func (s *stage) pace(latency string, limit int) error {
	return s.control(http.MethodPut, "/_sim/pace", fmt.Appendf(nil, `{"latency":%q,"rateLimit":%d}`, latency, limit), nil)
}

func expect(want int) func(int, string, error) error {
	return func(status int, _ string, err error) error {
		if err == nil && status != want {
			return fmt.Errorf("the simulator answered %d, not %d", status, want)
		}
		return err
	}
}

func sweepByID(ctx context.Context, s *stage) ([]row, error) {
	const n = 1000
	scene, stop, err := s.set(ctx, n, 0, simulator.Fault{Kind: simulator.FaultListUnsupported})
	if err != nil {
		return nil, err
	}
	defer stop()
	etags := make([]string, n)
	if _, err := scene.bare.each(ctx, n, workers, func(ctx context.Context, i int) error {
		_, etag, err := scene.bare.do(ctx, http.MethodPut, resource(i), smallBody(), "If-None-Match", "*")
		etags[i] = etag
		return err
	}); err != nil {
		return nil, err
	}
	if err := s.pace("20ms", 0); err != nil {
		return nil, err
	}
	took, err := scene.bare.each(ctx, n, workers, func(ctx context.Context, i int) error {
		return expect(http.StatusNotModified)(scene.bare.do(ctx, http.MethodGet, resource(i), nil, "If-None-Match", etags[i]))
	})
	if err != nil {
		return nil, err
	}
	measured, err := s.sweep(ctx, func(counts simulator.Counts) bool { return counts.Get(http.MethodGet, http.StatusNotModified) >= n })
	measured.floor = took
	return []row{measured}, err
}

// sweep has the daemon look at every desktop and measures until it has.
func (s *stage) sweep(ctx context.Context, isDone func(simulator.Counts) bool) (row, error) {
	if err := s.resetCounts(); err != nil {
		return row{}, err
	}
	before, err := s.usage()
	if err != nil {
		return row{}, err
	}
	started := time.Now()
	if err := s.daemon.Process.Signal(syscall.SIGHUP); err != nil {
		return row{}, err
	}
	if err := await(ctx, "the sweep is done", func() bool {
		counts, err := s.counts()
		return err == nil && isDone(counts)
	}); err != nil {
		return row{}, err
	}
	measured := row{wall: time.Since(started)}
	return measured, s.account(&measured, before.cpu)
}

func sweepByList(ctx context.Context, s *stage) ([]row, error) {
	const n, page = 10_000, 100
	scene, stop, err := s.set(ctx, n, 0)
	if err != nil {
		return nil, err
	}
	defer stop()
	held, err := s.held(ctx)
	if err != nil {
		return nil, err
	}
	took, err := scene.bare.each(ctx, n/page, 1, func(ctx context.Context, i int) error {
		path := fmt.Sprintf("/api/v2/desktop/configurations?skip=%d&top=%d", i*page, page)
		return expect(http.StatusOK)(scene.bare.do(ctx, http.MethodGet, path, nil, "", ""))
	})
	if err != nil {
		return nil, err
	}
	measured, err := s.sweep(ctx, func(counts simulator.Counts) bool { return counts.Total() >= n/page })
	measured.floor = took
	measured.note = fmt.Sprintf("RSS with 10,000 held: %s; peak of their first sync: %s", mib(held), mib(scene.synced.rss))
	return []row{measured}, err
}

func oneChanged(ctx context.Context, s *stage) ([]row, error) {
	const n, rounds = 10_000, 7
	scene, stop, err := s.set(ctx, n, 0)
	if err != nil {
		return nil, err
	}
	defer stop()
	var rows []row
	for round := range rounds {
		took, err := scene.bare.each(ctx, 1, 1, func(ctx context.Context, _ int) error {
			return expect(http.StatusCreated)(scene.bare.do(ctx, http.MethodPut, resource(round), smallBody(), "If-None-Match", "*"))
		})
		if err != nil {
			return nil, err
		}
		measured, err := s.change(ctx, round)
		if err != nil {
			return nil, err
		}
		measured.floor = took
		rows = append(rows, measured)
		if err := s.awaitIdle(ctx); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.wall, b.wall) })
	median := rows[len(rows)/2]
	median.note = fmt.Sprintf("branch moves → PUT arrives, median of %d: %s beyond the floor (%s to %s)", rounds,
		milliseconds(median.wall-median.floor), milliseconds(rows[0].wall-rows[0].floor), milliseconds(rows[rounds-1].wall-rows[rounds-1].floor))
	return []row{median}, nil
}

// awaitIdle waits until the daemon has nothing left to write behind the sync.
func (s *stage) awaitIdle(ctx context.Context) error {
	const quiet = 50 // looks in a row, 20 ms apart
	var last time.Duration
	same := 0
	return await(ctx, "the daemon is idle", func() bool {
		used, err := s.usage()
		if err != nil {
			return false
		}
		same++
		if used.cpu > last+10*time.Millisecond {
			last, same = used.cpu, 0
		}
		return same >= quiet
	})
}

// held is the daemon's resident memory once it has given back what the first
// sync took, which it does within seconds.
func (s *stage) held(ctx context.Context) (int64, error) {
	const enough = 25 * time.Second // two looks of the daemon at its memory
	started := time.Now()
	if err := await(ctx, "the daemon holds what it needs", func() bool { return time.Since(started) > enough }); err != nil {
		return 0, err
	}
	used, err := s.usage()
	return used.held, err
}

// change commits a change to one desktop, and measures from the moment at which
// the branch moves to the one at which the simulator has the PUT.
func (s *stage) change(ctx context.Context, round int) (row, error) {
	if err := s.resetCounts(); err != nil {
		return row{}, err
	}
	before, err := s.usage()
	if err != nil {
		return row{}, err
	}
	file := filepath.Join(s.repository(), "desktops", "premium", "desk-00042.yaml")
	if err := os.WriteFile(file, []byte(definition(42, fmt.Sprintf("Message %d.", round))), 0o600); err != nil {
		return row{}, err
	}
	if err := s.commit(ctx); err != nil {
		return row{}, err
	}
	info, err := os.Stat(filepath.Join(s.repository(), ".git", "refs", "heads", "main"))
	if err != nil {
		return row{}, err
	}
	if err := await(ctx, "the commit is live", func() bool {
		counts, err := s.counts()
		return err == nil && counts.Method(http.MethodPut) > 0
	}); err != nil {
		return row{}, err
	}
	arrived, err := s.lastWrite()
	if err != nil {
		return row{}, err
	}
	measured := row{wall: arrived.Sub(info.ModTime())}
	return measured, s.account(&measured, before.cpu)
}

func limited(ctx context.Context, s *stage) ([]row, error) {
	const n, limit = 1000, 200
	scene, stop, err := s.set(ctx, n, limit)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := s.pace("0s", limit); err != nil {
		return nil, err
	}
	scene.bare.limiter = rate.NewLimiter(limit, 1)
	took, err := scene.bare.each(ctx, n, workers, func(ctx context.Context, i int) error {
		_, _, err := scene.bare.do(ctx, http.MethodPut, resource(i), smallBody(), "If-None-Match", "*")
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.resetCounts(); err != nil {
		return nil, err
	}
	before, err := s.usage()
	if err != nil {
		return nil, err
	}
	shared := filepath.Join(s.repository(), "desktops", "premium", "_tier.yaml")
	if err := os.WriteFile(shared, []byte(sharedDefinition("queue:elsewhere")), 0o600); err != nil {
		return nil, err
	}
	if err := s.commit(ctx); err != nil {
		return nil, err
	}
	started := time.Now()
	if err := await(ctx, "all are written", func() bool {
		counts, err := s.counts()
		return err == nil && counts.Get(http.MethodPut, http.StatusOK) >= n
	}); err != nil {
		return nil, err
	}
	measured := row{wall: time.Since(started), floor: took, note: fmt.Sprintf("N/rate is %s", milliseconds(n*time.Second/limit))}
	return []row{measured}, s.account(&measured, before.cpu)
}

func validateAll(ctx context.Context, s *stage) ([]row, error) {
	if err := s.define(ctx, 10_000); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	const rounds = 5
	var rows []row
	for range rounds {
		bare, err := process(ctx, self, parseFloorVerb, filepath.Join(s.repository(), "desktops"))
		if err != nil {
			return nil, err
		}
		measured, err := process(ctx, s.binary, "validate", filepath.Join(s.repository(), "desktops"))
		if err != nil {
			return nil, err
		}
		measured.floor = bare.wall
		rows = append(rows, measured)
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.ratio(), b.ratio()) })
	median := rows[rounds/2]
	median.note = fmt.Sprintf("floor: a bare yaml.v3 parse of the same files; median of %d ratios", rounds)
	return []row{median}, nil
}

// process runs a command and measures it as a whole.
func process(ctx context.Context, name string, args ...string) (row, error) {
	command := exec.CommandContext(ctx, name, args...)
	started := time.Now()
	if output, err := command.CombinedOutput(); err != nil {
		return row{}, fmt.Errorf("%s: %w\n%.2000s", args[0], err, output)
	}
	measured := row{wall: time.Since(started), cpu: command.ProcessState.UserTime() + command.ProcessState.SystemTime()}
	if usage, isKnown := command.ProcessState.SysUsage().(*syscall.Rusage); isKnown {
		measured.rss = usage.Maxrss << 10
	}
	return measured, nil
}
