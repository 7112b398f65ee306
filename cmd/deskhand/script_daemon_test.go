package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deskhand/deskhand"
)

// daemon is a running "deskhand run".
type daemon struct {
	process *os.Process
	address string
	ended   chan struct{} // closed once the process is gone
	result  error         // how it ended, once it has
}

// daemon start|stop|kill|hangup: start waits until it is ready, stop expects a
// clean end.
func controlDaemon(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: daemon start|listen|stop|kill|hangup")
	}
	if args[0] == "start" || args[0] == "listen" {
		return w.startDaemon(args[0] == "start")
	}
	if w.daemon == nil {
		return errors.New("no daemon runs")
	}
	switch args[0] {
	case "stop":
		return w.stopDaemon()
	case "kill":
		w.daemon.kill()
		w.daemon = nil
		return nil
	case "hangup":
		return w.daemon.process.Signal(syscall.SIGHUP)
	default:
		return fmt.Errorf("daemon %s: no such thing", args[0])
	}
}

// startDaemon runs the daemon until it listens and, if asked for, is ready. Its
// log goes on in daemon.log. From then on deskhand.yaml names its address.
func (w *world) startDaemon(untilReady bool) error {
	if err := w.listenOn("127.0.0.1:0"); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(w.dir, "daemon.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	start, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	program, err := exec.LookPath("deskhand")
	if err != nil {
		return err
	}
	command := exec.Command(program, "run")
	command.Dir, command.Env, command.Stdout, command.Stderr = w.dir, w.env, log, log
	if err := command.Start(); err != nil {
		return err
	}
	d := &daemon{process: command.Process, ended: make(chan struct{})}
	go func() {
		defer close(d.ended)
		d.result = command.Wait()
	}()
	w.daemon = d
	if err := d.await(func() error { return d.readAddress(log, start) }); err != nil {
		return fmt.Errorf("the daemon does not listen: %w\n%s", err, textFrom(log, start))
	}
	if err := w.listenOn(d.address); err != nil || !untilReady {
		return err
	}
	if err := d.await(d.isReady); err != nil {
		return fmt.Errorf("the daemon does not get ready: %w\n%s", err, textFrom(log, start))
	}
	return nil
}

var listenSetting = regexp.MustCompile(`listen: "127\.0\.0\.1:\d+"`)

func (w *world) listenOn(address string) error {
	path := filepath.Join(w.dir, "deskhand.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, listenSetting.ReplaceAll(text, []byte(`listen: "`+address+`"`)), 0o600)
}

// await polls, as long as the process lives.
func (d *daemon) await(ask func() error) error {
	var ended error
	err := poll(func() error {
		select {
		case <-d.ended:
			ended = errors.Join(errors.New("it ended"), d.result)
			return nil
		default:
			return ask()
		}
	})
	return errors.Join(err, ended)
}

// readAddress takes the address from the daemon's log.
func (d *daemon) readAddress(log *os.File, start int64) error {
	lines := bufio.NewScanner(bytes.NewReader(textFrom(log, start)))
	for lines.Scan() {
		var entry struct{ Message, Listen string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Message == "deskhand runs" {
			d.address = entry.Listen
			return nil
		}
	}
	return errors.New("it has not said where it listens")
}

func textFrom(log *os.File, start int64) []byte {
	text, err := io.ReadAll(io.NewSectionReader(log, start, 1<<24))
	if err != nil {
		return []byte(err.Error())
	}
	return text
}

func (d *daemon) isReady() error {
	_, err := d.get("/readyz")
	return err
}

// get asks the daemon's HTTP face.
func (d *daemon) get(path string) ([]byte, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + d.address + path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, largestStatus))
}

// stopDaemon asks it to stop, which it does with exit code 0.
func (w *world) stopDaemon() error {
	d := w.daemon
	if err := d.process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-d.ended:
		w.daemon = nil
		return d.result
	case <-time.After(patience):
		return errors.New("the daemon does not stop")
	}
}

// kill ends it as a power cut would.
func (d *daemon) kill() {
	_ = d.process.Kill()
	<-d.ended
}

// listen ADDRESS has deskhand.yaml name another address.
func setListen(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: listen ADDRESS")
	}
	return w.listenOn(args[0])
}

// ready expects a daemon that is.
func isReady(w *world, _ *testscript.TestScript, _ []string) error {
	if w.daemon == nil {
		return errors.New("no daemon runs")
	}
	return w.daemon.isReady()
}

// metric NAME VALUE expects a metric of the running daemon, labels included.
func metricIs(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 2 || w.daemon == nil {
		return errors.New("usage, while a daemon runs: metric NAME{LABELS} VALUE")
	}
	text, err := w.daemon.get("/metrics")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if value, isIt := strings.CutPrefix(strings.TrimSpace(line), args[0]+" "); isIt {
			if value != args[1] {
				return fmt.Errorf("%s is %s, not %s", args[0], value, args[1])
			}
			return nil
		}
	}
	return fmt.Errorf("the daemon has no metric %s", args[0])
}

// log TEXT expects a text in the daemon's log.
func logHas(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: log TEXT")
	}
	text, err := os.ReadFile(filepath.Join(w.dir, "daemon.log"))
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), args[0]) {
		return fmt.Errorf("the daemon's log has no %q:\n%s", args[0], text)
	}
	return nil
}

// state ID STATE expects what the daemon says of a desktop.
func stateIs(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: state ID STATE")
	}
	tenant, err := w.status()
	if err != nil {
		return err
	}
	for _, desktop := range tenant.Desktops {
		if desktop.ConfigID == args[0] && string(desktop.State) == args[1] {
			return nil
		}
		if desktop.ConfigID == args[0] {
			return fmt.Errorf("%s is %s, want %s", args[0], desktop.State, args[1])
		}
	}
	return fmt.Errorf("the daemon says nothing of %s", args[0])
}

// applied REVISION expects that the daemon has applied that commit.
func appliedIs(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: applied REVISION")
	}
	tenant, err := w.status()
	if err != nil {
		return err
	}
	command := exec.Command("git", "rev-parse", args[0])
	command.Dir, command.Env = filepath.Join(w.dir, "repository"), w.env
	sha, err := command.Output()
	if err != nil {
		return err
	}
	if !strings.HasSuffix(tenant.LastApplied, ":"+strings.TrimSpace(string(sha))) {
		return fmt.Errorf("last applied is %s, want %s", tenant.LastApplied, sha)
	}
	return nil
}

// status is what the daemon says of its one tenant.
func (w *world) status() (deskhand.TenantStatus, error) {
	if w.daemon == nil {
		return deskhand.TenantStatus{}, errors.New("no daemon runs")
	}
	answer, err := w.daemon.get("/api/v1/status")
	if err != nil {
		return deskhand.TenantStatus{}, err
	}
	var status deskhand.Status
	if err := json.Unmarshal(answer, &status); err != nil {
		return deskhand.TenantStatus{}, err
	}
	if len(status.Tenants) != 1 {
		return deskhand.TenantStatus{}, fmt.Errorf("the daemon has %d tenants", len(status.Tenants))
	}
	return status.Tenants[0], nil
}

// records EVENT N [ID] expects so many records in the audit branch, * for any
// event.
func recordsAre(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 2 && len(args) != 3 {
		return errors.New("usage: records EVENT N [ID]")
	}
	records, err := w.records()
	if err != nil {
		return err
	}
	found := 0
	for _, record := range records {
		if (args[0] == "*" || record.Event.Short() == args[0]) && (len(args) == 2 || record.ConfigID == args[2]) {
			found++
		}
	}
	return numberIs(args[0]+" records", found, args[1])
}

func (w *world) records() ([]deskhand.Record, error) {
	output, err := w.deskhand("audit", "log", "-o", "json")
	if err != nil {
		return nil, err
	}
	var log struct {
		Records []deskhand.Record `json:"records"`
	}
	return log.Records, json.Unmarshal(output, &log)
}

// deskhand runs the program and returns what it printed.
func (w *world) deskhand(args ...string) ([]byte, error) {
	program, err := exec.LookPath("deskhand")
	if err != nil {
		return nil, err
	}
	command := exec.Command(program, args...)
	command.Dir, command.Env = w.dir, w.env
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("deskhand %s: %w\n%s", args[0], err, stderr.Bytes())
	}
	return output, nil
}
